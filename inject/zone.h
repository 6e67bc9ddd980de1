/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones as values: a distance from UTC, or the place whose clocks are meant, with its
 * summer time. The rules of places are a table (zone_names.c, decision 0275): nothing of the
 * machine's own time zone, and no file, is looked at.
 */
#ifndef LLMD_INJECT_ZONE_H
#define LLMD_INJECT_ZONE_H

#include <stdbool.h>
#include <stdint.h>

/* A change of the clocks: on the week-th (5: last) weekday of a month, so long after 00:00. */
struct zone_change {
	int month; /* from 1; 0: never */
	int week;
	int weekday; /* Sunday is 0 */
	int at_s;    /* may be negative, or longer than a day */
};

struct zone {
	int standard_s; /* east of UTC */
	int summer_s;
	struct zone_change to_summer;
	struct zone_change to_standard;
};

/* "UTC", "UTC+2", "UTC-05:30", "Europe/Berlin". False when the text is none of these. */
bool zone_find(const char *text, struct zone *ret_zone);

/* "X-1Y,M3.5.0,M10.5.0/3": POSIX, abbreviations of one letter, changes by M only. */
bool zone_read_rule(const char *rule, struct zone *ret_zone);

/* Seconds to add to UTC at that time (seconds since the epoch). */
int zone_offset_s(const struct zone *zone, int64_t utc_s);

#endif
