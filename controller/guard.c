/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/guard.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

bool guard_note(struct removal_guard *guard, const char *name, uint64_t mono_ms)
{
	size_t at = 0; /* its own place, else the oldest */
	for (size_t i = 0; i < ARRAY_LEN(guard->lost); i++) {
		if (strcmp(guard->lost[i].name, name) == 0) {
			at = i;
			break;
		}
		if (guard->lost[i].ms < guard->lost[at].ms)
			at = i;
	}
	(void)snprintf(guard->lost[at].name, sizeof(guard->lost[at].name), "%s", name);
	guard->lost[at].ms = mono_ms;
	for (size_t i = 0; i < ARRAY_LEN(guard->lost); i++)
		if (guard->lost[i].name[0] == '\0' || mono_ms - guard->lost[i].ms > GUARD_SPAN_MS)
			return false;
	return true;
}
