/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a namespace's status may be written: at once while that is rare, and the more
 * sparingly the longer there is something new all the time, so that a large rollout costs a
 * few writes and not one for each pod or workload. What waits is written whole, in its
 * newest form. Pure; the clock is a value.
 */
#ifndef LLMD_CONTROLLER_DEBOUNCE_H
#define LLMD_CONTROLLER_DEBOUNCE_H

#include <stdint.h>

/* All zero: nothing was written yet. */
struct debounce {
	uint64_t at_ms;    /* of the last write */
	unsigned in_a_row; /* writes, each soon after the one before */
};

void debounce_note(struct debounce *debounce, uint64_t mono_ms);

/* Milliseconds until the next write; 0: now. Never more than two seconds. */
uint64_t debounce_wait_ms(const struct debounce *debounce, uint64_t mono_ms);

#endif
