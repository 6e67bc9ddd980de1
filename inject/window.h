/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A window of time in which workloads may begin to restart: days of the week, hours, and
 * whose clock is meant (inject/zone.h). The time is a value.
 */
#ifndef LLMD_INJECT_WINDOW_H
#define LLMD_INJECT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

/* Each is false when the text is not of its form. */
bool window_read_day(const char *text, int *ret_day);                         /* "Sun" is 0 */
bool window_read_hours(const char *text, int *ret_from_min, int *ret_to_min); /* "22:00-06:00" */

struct window {
	const cJSON *days; /* array of checked texts; NULL or empty: every day */
	const char *
	    hours; /* checked; NULL: the whole day. Past midnight it belongs to the day it began on */
	const char *zone; /* checked; NULL: UTC */
};

/* True when it is open at that time. Else `ret_opens_us` is when it opens next, 0 for never. */
bool window_is_open(const struct window *window, int64_t wall_us, int64_t *ret_opens_us);

#endif
