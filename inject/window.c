/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/window.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "inject/zone.h"

enum { DAY_MIN = 1440, WEEK = 7, EPOCH_WEEKDAY = 4 };

#define US_PER_MIN INT64_C(60000000)

bool window_read_day(const char *text, int *ret_day)
{
	static const char *const names[WEEK] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	for (int i = 0; i < WEEK; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*ret_day = i;
		return true;
	}
	return false;
}

static bool read_two_digits(const char *text, int below, int *ret_number)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*ret_number = (text[0] - '0') * 10 + (text[1] - '0');
	return *ret_number < below;
}

/* "HH:MM" at the beginning of the text. */
static bool read_time(const char *text, int *ret_min)
{
	int hours = 0;
	int minutes = 0;
	if (!read_two_digits(text, 25, &hours) || text[2] != ':' ||
	    !read_two_digits(text + 3, 60, &minutes))
		return false;
	*ret_min = hours * 60 + minutes;
	return *ret_min <= DAY_MIN;
}

bool window_read_hours(const char *text, int *ret_from_min, int *ret_to_min)
{
	enum { LENGTH = 11 };
	int from = 0;
	int to = 0;
	if (strlen(text) != LENGTH || text[5] != '-' || !read_time(text, &from) ||
	    !read_time(text + 6, &to) || from == to || from == DAY_MIN)
		return false;
	*ret_from_min = from;
	*ret_to_min = to;
	return true;
}

static bool has_day(const cJSON *days, int day)
{
	const cJSON *item = NULL;
	int named = 0;
	if (days == NULL || days->child == NULL)
		return true;
	cJSON_ArrayForEach(item, days)
	{
		if (cJSON_IsString(item) && window_read_day(item->valuestring, &named) &&
		    named == day)
			return true;
	}
	return false;
}

/* `minute` of local time since the epoch; positive for every date that a cluster can have. */
static bool is_open_at(const struct window *window, int from, int to, int64_t minute)
{
	int weekday = (int)((minute / DAY_MIN + EPOCH_WEEKDAY) % WEEK);
	int of_day = (int)(minute % DAY_MIN);
	if (from < to)
		return of_day >= from && of_day < to && has_day(window->days, weekday);
	return (of_day >= from && has_day(window->days, weekday)) ||
	       (of_day < to && has_day(window->days, (weekday + WEEK - 1) % WEEK));
}

static int64_t local_minute(const struct zone *zone, int64_t minute)
{
	return minute + zone_offset_s(zone, minute * 60) / 60;
}

/* Two weeks and a day: a time that the clocks leave out in spring comes a week later. */
bool window_is_open(const struct window *window, int64_t wall_us, int64_t *ret_opens_us)
{
	int from = 0;
	int to = DAY_MIN;
	struct zone zone = {0};
	*ret_opens_us = 0;
	if (window->hours != NULL && !window_read_hours(window->hours, &from, &to))
		return false;
	if (window->zone != NULL && !zone_find(window->zone, &zone))
		return false;
	int64_t now = wall_us / US_PER_MIN;
	if (is_open_at(window, from, to, local_minute(&zone, now)))
		return true;
	for (int64_t later = now + 1; later <= now + (int64_t)(2 * WEEK + 1) * DAY_MIN; later++) {
		if (!is_open_at(window, from, to, local_minute(&zone, later)))
			continue;
		*ret_opens_us = later * US_PER_MIN;
		break;
	}
	return false;
}
