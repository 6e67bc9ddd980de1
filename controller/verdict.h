/* SPDX-License-Identifier: Apache-2.0 */
/* A condition in the making. */
#ifndef LLMD_CONTROLLER_VERDICT_H
#define LLMD_CONTROLLER_VERDICT_H

#include "base/util.h"

struct verdict {
	const char *status; /* "True", "False", "Unknown"; NULL: not stated */
	char reason[64];    /* CamelCase */
	char message[1100];
};

/* `fmt` as for printf; a message that is too long is cut. */
void verdict_set(struct verdict *verdict, const char *status, const char *reason, const char *fmt,
		 ...) PRINTF_LIKE(4, 5);

#endif
