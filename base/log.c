/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

bool log_level_from_name(const char *name, enum log_level *ret_level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

enum { VALUE_MAX = 2048, END_BYTES = 2 };

static void put_pair(struct buffer *line, bool json, const char *key, const char *value)
{
	if (json) {
		buffer_add_str(line, line->len > 1 ? "," : "");
		json_print_string(key, line);
		buffer_add_char(line, ':');
		json_print_string(value, line);
		return;
	}
	buffer_addf(line, "%s%s=", line->len > 0 ? " " : "", key);
	bool plain = *value != '\0';
	for (const char *c = value; *c != '\0' && plain; c++)
		plain =
		    (unsigned char)*c > 0x20U && *c != '"' && *c != '=' && *c != '\\' && *c != 0x7f;
	if (plain)
		buffer_add_str(line, value);
	else
		json_print_string(value, line);
}

/* A long value loses its tail, and a pair that does not fit is left out whole: a line stays a line. */
static void add_pair(struct buffer *line, bool json, const char *key, const char *value)
{
	CLEANUP(str_freep) char *cut = xstrndup(value, VALUE_MAX);
	size_t before = line->len;
	put_pair(line, json, key, cut);
	if (!line->full)
		return;
	buffer_truncate(line, before);
	line->full = false;
}

static void add_time(struct buffer *line, bool json)
{
	struct timespec now;
	struct tm utc;
	char text[40];
	char stamp[64];
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(stamp, sizeof(stamp), "%s.%03ldZ", text, now.tv_nsec / 1000000);
	add_pair(line, json, "time", stamp);
}

void log_entry(const struct log *log, enum log_level level, const char *message, ...)
{
	if (level < log->level)
		return;
	struct buffer line;
	buffer_init(&line, LIMIT_LOG_LINE_BYTES - END_BYTES);
	if (log->json)
		buffer_add_char(&line, '{');
	add_time(&line, log->json);
	add_pair(&line, log->json, "level", level_names[level]);
	add_pair(&line, log->json, "msg", message);
	va_list args;
	va_start(args, message);
	for (;;) {
		const char *key = va_arg(args, const char *);
		if (key == NULL)
			break;
		const char *value = va_arg(args, const char *);
		if (value != NULL)
			add_pair(&line, log->json, key, value);
	}
	va_end(args);
	line.limit = LIMIT_LOG_LINE_BYTES;
	buffer_add_str(&line, log->json ? "}\n" : "\n");
	/* A log that cannot be written must not stop the work. */
	ssize_t written = write(log->fd, line.data, line.len);
	(void)written;
	buffer_release(&line);
}
