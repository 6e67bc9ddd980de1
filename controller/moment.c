/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/moment.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

enum { US_PER_SECOND = 1000000 };

static void format_seconds(int64_t wall_us, char ret_text[MOMENT_TEXT_MAX])
{
	time_t seconds = (time_t)(wall_us / US_PER_SECOND);
	struct tm parts = {0};
	(void)gmtime_r(&seconds, &parts);
	(void)strftime(ret_text, MOMENT_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
}

void moment_format(int64_t wall_us, char ret_text[MOMENT_TEXT_MAX])
{
	char seconds[MOMENT_TEXT_MAX];
	format_seconds(wall_us, seconds);
	(void)snprintf(ret_text, MOMENT_TEXT_MAX, "%.20sZ", seconds);
}

void moment_format_micro(int64_t wall_us, char ret_text[MOMENT_TEXT_MAX])
{
	char seconds[MOMENT_TEXT_MAX];
	format_seconds(wall_us, seconds);
	(void)snprintf(ret_text, MOMENT_TEXT_MAX, "%.20s.%06uZ", seconds,
		       (unsigned)(wall_us % US_PER_SECOND) % US_PER_SECOND);
}

int64_t moment_parse(const char *text, int64_t fallback)
{
	struct tm parts = {0};
	const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	if (rest == NULL)
		return fallback;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9';)
			rest++;
	if (rest[0] != 'Z' || rest[1] != '\0')
		return fallback;
	return (int64_t)timegm(&parts) * US_PER_SECOND;
}
