/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct status_info infos[STATUS_COUNT] = {
    [STATUS_OK] = {"OK", 0, 0},
    [STATUS_INVALID] = {"Invalid", 2, 0},
    [STATUS_NOT_FOUND] = {"NotFound", 3, 5000},
    [STATUS_CONFLICT] = {"Conflict", 4, 100},
    [STATUS_GONE] = {"Gone", 5, 500},
    [STATUS_DENIED] = {"Denied", 6, 60000},
    [STATUS_RETRY] = {"Retry", 7, 1000},
    [STATUS_LIMIT] = {"Limit", 8, 0},
    [STATUS_BUG] = {"Bug", 70, 60000},
};

const struct status_info *status_info(enum status status)
{
	assert(status < STATUS_COUNT);
	return &infos[status];
}

/* A cut message must not end inside a UTF-8 sequence: it ends up in JSON. */
static void trim_to_character(char *text, size_t written)
{
	if (written < ERROR_MESSAGE_MAX)
		return;
	size_t end = ERROR_MESSAGE_MAX - 1;
	size_t start = end;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0U) == 0x80U)
		start--;
	if (start > 0 && ((unsigned char)text[start - 1] & 0xC0U) == 0xC0U)
		text[start - 1] = '\0';
	else
		text[end] = '\0';
}

enum status error_set(struct error *err, enum status status, const char *fmt, ...)
{
	assert(status != STATUS_OK);
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	trim_to_character(err->message, n < 0 ? 0 : (size_t)n);
	err->status = status;
	return status;
}

enum status error_wrap(struct error *err, const char *fmt, ...)
{
	char cause[ERROR_MESSAGE_MAX];
	memcpy(cause, err->message, sizeof(cause));
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(err->message, sizeof(err->message), fmt, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n;
	if (used < sizeof(err->message)) {
		int m = snprintf(err->message + used, sizeof(err->message) - used, ": %s", cause);
		used += m < 0 ? 0 : (size_t)m;
	}
	trim_to_character(err->message, used);
	return err->status;
}
