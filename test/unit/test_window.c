/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/moment.h"
#include "inject/window.h"

/* 2026-01-01 is a Thursday. */
static const struct {
	const char *what;
	const char *days; /* JSON, or NULL */
	const char *hours;
	const char *zone;
	const char *now;
	const char *opens; /* NULL: open; "": never */
} table[] = {
    {"nothing said", NULL, NULL, NULL, "2026-01-01T12:00:00Z", NULL},
    {"no day named is every day", "[]", NULL, NULL, "2026-01-01T12:00:00Z", NULL},
    {"that day", "[\"Thu\"]", NULL, NULL, "2026-01-01T00:00:00Z", NULL},
    {"another day", "[\"Fri\"]", NULL, NULL, "2026-01-01T23:59:30Z", "2026-01-02T00:00:00Z"},
    {"the day before is a week away", "[\"Wed\"]", NULL, NULL, "2026-01-01T00:00:00Z",
     "2026-01-07T00:00:00Z"},
    {"within the hours", NULL, "09:00-17:00", NULL, "2026-01-01T09:00:00Z", NULL},
    {"the end is outside", NULL, "09:00-17:00", NULL, "2026-01-01T17:00:00Z",
     "2026-01-02T09:00:00Z"},
    {"to midnight", NULL, "20:00-24:00", NULL, "2026-01-01T23:59:59Z", NULL},
    {"past midnight, before it", NULL, "22:00-06:00", NULL, "2026-01-01T23:00:00Z", NULL},
    {"past midnight, after it", NULL, "22:00-06:00", NULL, "2026-01-01T05:59:00Z", NULL},
    {"past midnight, at noon", NULL, "22:00-06:00", NULL, "2026-01-01T12:00:00Z",
     "2026-01-01T22:00:00Z"},
    {"the morning belongs to the evening before", "[\"Wed\"]", "22:00-06:00", NULL,
     "2026-01-01T05:00:00Z", NULL},
    {"and not to its own day", "[\"Thu\"]", "22:00-06:00", NULL, "2026-01-01T05:00:00Z",
     "2026-01-01T22:00:00Z"},
    {"east of UTC", "[\"Fri\"]", "00:00-01:00", "UTC+2", "2026-01-01T22:30:00Z", NULL},
    {"west of UTC", "[\"Wed\"]", "18:00-19:00", "UTC-05:30", "2026-01-01T00:00:00Z", NULL},
    {"opening is told in UTC", NULL, "09:00-17:00", "UTC+2", "2026-01-01T06:00:00Z",
     "2026-01-01T07:00:00Z"},
    {"by the clock of a place, in winter", NULL, "22:00-06:00", "Europe/Berlin",
     "2026-01-15T20:30:00Z", "2026-01-15T21:00:00Z"},
    {"and in summer", NULL, "22:00-06:00", "Europe/Berlin", "2026-07-15T20:30:00Z", NULL},
    {"an hour that spring leaves out comes a week later", "[\"Sun\"]", "02:00-03:00",
     "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-04-05T00:00:00Z"},
    {"an hour that autumn has twice, the first time", "[\"Sun\"]", "02:00-03:00", "Europe/Berlin",
     "2026-10-25T00:30:00Z", NULL},
    {"and the second", "[\"Sun\"]", "02:00-03:00", "Europe/Berlin", "2026-10-25T01:30:00Z", NULL},
    {"the weekday is the place's", "[\"Mon\"]", "08:00-10:00", "Asia/Tokyo", "2026-01-04T23:30:00Z",
     NULL},
};

TEST(open_or_when)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		CLEANUP(json_freep) cJSON *days = NULL;
		struct error err;
		int64_t opens_us = 0;
		char text[MOMENT_TEXT_MAX] = "";
		if (table[i].days != NULL)
			CHECK_INT(json_parse(table[i].days, strlen(table[i].days), &days, &err),
				  STATUS_OK);
		struct window window = {
		    .days = days, .hours = table[i].hours, .zone = table[i].zone};
		bool open = window_is_open(&window, moment_parse(table[i].now, 0), &opens_us);
		if (opens_us != 0)
			moment_format(opens_us, text);
		CHECK_STR_ROW(open ? NULL : text, table[i].opens, table[i].what);
	}
}
