/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A point in time as a value: wall clock for what is written into objects, a clock that
 * never jumps for delays. Reconcile gets it as input; nothing in it asks for the time.
 */
#ifndef LLMD_CONTROLLER_MOMENT_H
#define LLMD_CONTROLLER_MOMENT_H

#include <stdint.h>

struct moment {
	int64_t wall_us;  /* microseconds since 1970-01-01 UTC */
	uint64_t mono_ms; /* milliseconds since some start */
};

enum { MOMENT_TEXT_MAX = 32 };

/* metav1.Time: "2026-03-04T05:06:07Z". */
void moment_format(int64_t wall_us, char ret_text[MOMENT_TEXT_MAX]);

/* metav1.MicroTime: "2026-03-04T05:06:07.000008Z". */
void moment_format_micro(int64_t wall_us, char ret_text[MOMENT_TEXT_MAX]);

/* Microseconds, or `fallback` when `text` is NULL or no such time (fractions are dropped). */
int64_t moment_parse(const char *text, int64_t fallback);

#endif
