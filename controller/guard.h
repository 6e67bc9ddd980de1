/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mass removal: when more than a few namespaces lose their annotation within minutes, that is
 * more likely a broken manifest than a wish, and taking everything back would restart a fleet.
 * Pure; the clock is a value.
 */
#ifndef LLMD_CONTROLLER_GUARD_H
#define LLMD_CONTROLLER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUARD_NAMESPACES = 3, GUARD_SPAN_MS = 10 * 60 * 1000 };

/* When the last few namespaces lost their annotation last; all zero to begin with. */
struct removal_guard {
	struct {
		char name[64]; /* "": none; an RFC 1123 label at most */
		uint64_t ms;
	} lost[GUARD_NAMESPACES + 1];
};

/* That one has lost it. True when that makes more than GUARD_NAMESPACES within GUARD_SPAN_MS. */
bool guard_note(struct removal_guard *guard, const char *name, uint64_t mono_ms);

#endif
