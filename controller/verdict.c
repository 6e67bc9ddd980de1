/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void verdict_set(struct verdict *verdict, const char *status, const char *reason, const char *fmt,
		 ...)
{
	va_list args;
	va_start(args, fmt);
	verdict->status = status;
	(void)snprintf(verdict->reason, sizeof(verdict->reason), "%s", reason);
	(void)vsnprintf(verdict->message, sizeof(verdict->message), fmt, args);
	va_end(args);
	/* a message that was cut ends with a whole character */
	verdict->message[text_utf8_valid_prefix(verdict->message, strlen(verdict->message))] = '\0';
}
