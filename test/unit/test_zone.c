/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/moment.h"
#include "inject/zone.h"
#include "inject/zone_names.h"

/* Computed by another implementation (Python's zoneinfo, tzdata 2025b). */
static const struct {
	const char *zone;
	const char *when;
	int minutes;
} table[] = {
    {"UTC", "2026-07-01T00:00:00Z", 0},
    {"UTC+2", "2026-07-01T00:00:00Z", 120},
    {"UTC-05:30", "2026-07-01T00:00:00Z", -330},
    {"UTC+14:00", "2026-07-01T00:00:00Z", 840},
    {"Europe/Berlin", "2026-01-01T00:00:00Z", 60},
    {"Europe/Berlin", "2026-03-29T00:59:59Z", 60},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", 120},
    {"Europe/Berlin", "2026-10-25T00:59:59Z", 120},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", 60},
    {"Europe/Berlin", "2027-03-28T00:59:59Z", 60},
    {"Europe/Berlin", "2027-03-28T01:00:00Z", 120},
    {"Europe/Berlin", "2027-10-31T00:59:59Z", 120},
    {"Europe/Berlin", "2027-10-31T01:00:00Z", 60},
    /* summer time is its standard time */
    {"Europe/Dublin", "2026-03-29T00:59:59Z", 0},
    {"Europe/Dublin", "2026-03-29T01:00:00Z", 60},
    {"Europe/Dublin", "2026-10-25T00:59:59Z", 60},
    {"Europe/Dublin", "2026-10-25T01:00:00Z", 0},
    /* not the last but the second and the first Sunday */
    {"America/New_York", "2026-03-08T06:59:59Z", -300},
    {"America/New_York", "2026-03-08T07:00:00Z", -240},
    {"America/New_York", "2026-11-01T05:59:59Z", -240},
    {"America/New_York", "2026-11-01T06:00:00Z", -300},
    {"America/Havana", "2026-11-01T04:59:59Z", -240},
    {"America/Havana", "2026-11-01T05:00:00Z", -300},
    {"America/St_Johns", "2026-03-08T05:29:59Z", -210},
    {"America/St_Johns", "2026-03-08T05:30:00Z", -150},
    /* south of the equator, at the end of a Saturday */
    {"America/Santiago", "2026-01-01T00:00:00Z", -180},
    {"America/Santiago", "2026-04-05T02:59:59Z", -180},
    {"America/Santiago", "2026-04-05T03:00:00Z", -240},
    {"America/Santiago", "2026-09-06T03:59:59Z", -240},
    {"America/Santiago", "2026-09-06T04:00:00Z", -180},
    /* by half an hour */
    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", 660},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 630},
    {"Australia/Lord_Howe", "2026-10-03T15:29:59Z", 630},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z", 660},
    {"Pacific/Chatham", "2026-04-04T13:59:59Z", 825},
    {"Pacific/Chatham", "2026-04-04T14:00:00Z", 765},
    /* by two hours */
    {"Antarctica/Troll", "2026-03-29T00:59:59Z", 0},
    {"Antarctica/Troll", "2026-03-29T01:00:00Z", 120},
    /* before the day begins, and more than a day after it did */
    {"America/Nuuk", "2026-03-29T00:59:59Z", -120},
    {"America/Nuuk", "2026-03-29T01:00:00Z", -60},
    {"America/Nuuk", "2026-10-25T01:00:00Z", -120},
    {"Asia/Jerusalem", "2026-03-26T23:59:59Z", 120},
    {"Asia/Jerusalem", "2026-03-27T00:00:00Z", 180},
    {"Asia/Jerusalem", "2026-10-24T23:00:00Z", 120},
    {"Africa/Cairo", "2026-04-23T21:59:59Z", 120},
    {"Africa/Cairo", "2026-04-23T22:00:00Z", 180},
    {"Africa/Cairo", "2026-10-29T21:00:00Z", 120},
    /* the same all year, whatever the year */
    {"Asia/Kolkata", "2026-07-01T00:00:00Z", 330},
    {"America/Argentina/Buenos_Aires", "2028-02-29T00:00:00Z", -180},
    {"Pacific/Kiritimati", "2026-12-31T23:59:59Z", 840},
    {"Etc/GMT+12", "2026-01-01T00:00:00Z", -720},
};

TEST(offset_at)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct zone zone = {0};
		CHECK_STR_ROW(zone_find(table[i].zone, &zone) ? "known" : "unknown", "known",
			      table[i].zone);
		char text[64];
		char wanted[64];
		int offset = zone_offset_s(&zone, moment_parse(table[i].when, 0) / 1000000);
		(void)snprintf(text, sizeof(text), "%s %d", table[i].when, offset);
		(void)snprintf(wanted, sizeof(wanted), "%s %d", table[i].when,
			       table[i].minutes * 60);
		CHECK_STR_ROW(text, wanted, table[i].zone);
	}
}

TEST(names_that_are_none)
{
	static const char *const names[] = {
	    "",
	    "utc",
	    "UTC+",
	    "UTC+15",
	    "UTC+14:30",
	    "UTC+1:5",
	    "UTC2",
	    "UTC+2 ",
	    "+02:00",
	    "Berlin",
	    "Europe/Berlin ",
	    "europe/berlin",
	    " ",
	    "Europe/Berli",
	    "CET",
	    "Europe/Berlin Europe/Brussels",
	    /* its clocks follow the moon */
	    "Africa/Casablanca",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct zone zone;
		CHECK_STR_ROW(zone_find(names[i], &zone) ? "known" : "unknown", "unknown",
			      names[i]);
	}
}

TEST(every_rule_can_be_read)
{
	for (size_t i = 0; i < zone_names_count; i++) {
		struct zone zone;
		CHECK_STR_ROW(zone_read_rule(zone_names[i].rule, &zone) ? "read" : "not read",
			      "read", zone_names[i].rule);
		CHECK(zone_names[i].names[0] == ' ');
		CHECK(zone_names[i].names[strlen(zone_names[i].names) - 1] == ' ');
	}
}

TEST(rules_that_are_none)
{
	static const char *const rules[] = {
	    "",
	    "X",
	    "X-1Y",
	    "X-1Y,M3.5.0",
	    "X-1Y,J60,J300",
	    "X-1Y,M13.5.0,M10.5.0",
	    "X-1Y,M3.6.0,M10.5.0",
	    "X-1Y,M3.5.7,M10.5.0",
	    "X-15",
	    "X-1:60",
	    "X-1Y,M3.5.0/200,M10.5.0",
	    "X-1Y,M3.5.0,M10.5.0/3,",
	};
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct zone zone;
		CHECK_STR_ROW(zone_read_rule(rules[i], &zone) ? "read" : "not read", "not read",
			      rules[i]);
	}
}
