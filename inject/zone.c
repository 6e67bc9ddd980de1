/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/zone.h"

#include <stdlib.h>
#include <string.h>

#include "inject/zone_names.h"

enum {
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 86400,
	OFFSET_MAX_S = 14 * HOUR_S,
	CHANGE_MAX_S = 167 * HOUR_S, /* as tzdata may write it */
	CHANGE_S = 2 * HOUR_S,       /* what POSIX means when nothing is said */
	WEEK = 7,
	LAST = 5,
	NAME_MAX_BYTES = 64,
};

/* ---- reading ---- */

/* A number of one to three digits. */
static bool read_number(const char **text, int *ret_number)
{
	int digits = 0;
	*ret_number = 0;
	for (; **text >= '0' && **text <= '9' && digits < 3; (*text)++, digits++)
		*ret_number = *ret_number * 10 + (**text - '0');
	return digits > 0;
}

static bool read_char(const char **text, char wanted)
{
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

/* "5", "-3:30", "+02:45": hours and minutes, in seconds. */
static bool read_span(const char **text, int *ret_s)
{
	bool negative = read_char(text, '-');
	int hours = 0;
	int minutes = 0;
	if (!negative)
		(void)read_char(text, '+');
	if (!read_number(text, &hours) ||
	    (read_char(text, ':') && (!read_number(text, &minutes) || minutes >= 60)))
		return false;
	*ret_s = (hours * HOUR_S + minutes * MINUTE_S) * (negative ? -1 : 1);
	return true;
}

/* ",M10.5.0/3" */
static bool read_change(const char **text, struct zone_change *ret_change)
{
	*ret_change = (struct zone_change){.at_s = CHANGE_S};
	return read_char(text, ',') && read_char(text, 'M') &&
	       read_number(text, &ret_change->month) && read_char(text, '.') &&
	       read_number(text, &ret_change->week) && read_char(text, '.') &&
	       read_number(text, &ret_change->weekday) &&
	       (!read_char(text, '/') || read_span(text, &ret_change->at_s)) &&
	       ret_change->month >= 1 && ret_change->month <= 12 && ret_change->week >= 1 &&
	       ret_change->week <= LAST && ret_change->weekday < WEEK &&
	       abs(ret_change->at_s) <= CHANGE_MAX_S;
}

/* POSIX counts west of UTC. */
bool zone_read_rule(const char *rule, struct zone *ret_zone)
{
	struct zone zone = {0};
	int west_s = 0;
	if (!read_char(&rule, 'X') || !read_span(&rule, &west_s) || abs(west_s) > OFFSET_MAX_S)
		return false;
	zone.standard_s = -west_s;
	zone.summer_s = zone.standard_s;
	if (read_char(&rule, 'Y')) {
		west_s -= HOUR_S;
		if (*rule != ',' && !read_span(&rule, &west_s))
			return false;
		zone.summer_s = -west_s;
		if (!read_change(&rule, &zone.to_summer) || !read_change(&rule, &zone.to_standard))
			return false;
	}
	if (*rule != '\0')
		return false;
	*ret_zone = zone;
	return true;
}

/* What follows "UTC": two digits at most for the hours, both for minutes. */
static bool read_distance(const char *text, struct zone *ret_zone)
{
	int offset_s = 0;
	const char *digits = text + 1;
	const char *end = text;
	*ret_zone = (struct zone){0};
	if (*text == '\0')
		return true;
	size_t hours = (*text == '+' || *text == '-') ? strspn(digits, "0123456789") : 0;
	if (hours < 1 || hours > 2 || (digits[hours] == ':' && strlen(digits + hours) != 3) ||
	    !read_span(&end, &offset_s) || *end != '\0' || abs(offset_s) > OFFSET_MAX_S)
		return false;
	ret_zone->standard_s = offset_s;
	ret_zone->summer_s = offset_s;
	return true;
}

static bool holds_name(const char *names, const char *name, size_t len)
{
	for (const char *found = names; (found = strstr(found, name)) != NULL; found++)
		if (found[-1] == ' ' && found[len] == ' ')
			return true;
	return false;
}

bool zone_find(const char *text, struct zone *ret_zone)
{
	size_t len = strlen(text);
	if (strncmp(text, "UTC", 3) == 0)
		return read_distance(text + 3, ret_zone);
	if (len == 0 || len > NAME_MAX_BYTES || strchr(text, ' ') != NULL)
		return false;
	for (size_t i = 0; i < zone_names_count; i++)
		if (holds_name(zone_names[i].names, text, len))
			return zone_read_rule(zone_names[i].rule, ret_zone);
	return false;
}

/* ---- what it is at a time ---- */

/* Days since the epoch; the year counts from March on, so that its odd day is its last. */
static int64_t day_number(int64_t year, int month, int day)
{
	int64_t shifted = year - (month <= 2);
	int from_march = (month + 9) % 12;
	int64_t before = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400;
	return before + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* Of times after the epoch. */
static int64_t year_of(int64_t local_s)
{
	int64_t day = local_s / DAY_S;
	int64_t year = 1970 + day / 366;
	while (day_number(year + 1, 1, 1) <= day)
		year++;
	return year;
}

/* In seconds of the clock that holds before it. */
static int64_t change_in(const struct zone_change *change, int64_t year)
{
	int64_t first = day_number(year, change->month, 1);
	int64_t next = change->month == 12 ? day_number(year + 1, 1, 1)
					   : day_number(year, change->month + 1, 1);
	int64_t weekday = (first + 4) % WEEK; /* the epoch is a Thursday */
	int64_t weeks = change->week - 1;
	int64_t day = first + (change->weekday - weekday + WEEK) % WEEK + weeks * WEEK;
	while (day >= next)
		day -= WEEK;
	return day * DAY_S + change->at_s;
}

int zone_offset_s(const struct zone *zone, int64_t utc_s)
{
	if (zone->to_summer.month == 0)
		return zone->standard_s;
	int64_t year = year_of(utc_s + zone->standard_s);
	int64_t from = change_in(&zone->to_summer, year) - zone->standard_s;
	int64_t to = change_in(&zone->to_standard, year) - zone->summer_s;
	bool summer = from < to ? utc_s >= from && utc_s < to : utc_s >= from || utc_s < to;
	return summer ? zone->summer_s : zone->standard_s;
}
