/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
	buffer->cap = 64;
	buffer->data = xmalloc(buffer->cap);
	buffer->data[0] = '\0';
}

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->full = false;
	buffer->data[0] = '\0';
}

static bool reserve(struct buffer *buffer, size_t more)
{
	if (buffer->full || more > buffer->limit - buffer->len) {
		buffer->full = true;
		return false;
	}
	size_t need = buffer->len + more + 1;
	if (need > buffer->cap) {
		size_t cap = buffer->cap;
		while (cap < need)
			cap *= 2;
		buffer->data = xrealloc(buffer->data, cap);
		buffer->cap = cap;
	}
	return true;
}

void buffer_add(struct buffer *buffer, const void *data, size_t len)
{
	if (len == 0 || !reserve(buffer, len))
		return;
	memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

void buffer_add_char(struct buffer *buffer, char c)
{
	buffer_add(buffer, &c, 1);
}

void buffer_add_str(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text));
}

void buffer_addf(struct buffer *buffer, const char *fmt, ...)
{
	char small[256];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	assert(n >= 0);
	size_t len = (size_t)n;
	if (len < sizeof(small)) {
		buffer_add(buffer, small, len);
		return;
	}
	if (!reserve(buffer, len))
		return;
	va_start(args, fmt);
	(void)vsnprintf(buffer->data + buffer->len, len + 1, fmt, args);
	va_end(args);
	buffer->len += len;
}

void buffer_consume(struct buffer *buffer, size_t len)
{
	assert(len <= buffer->len);
	memmove(buffer->data, buffer->data + len, buffer->len - len + 1);
	buffer->len -= len;
}

void buffer_truncate(struct buffer *buffer, size_t len)
{
	assert(len <= buffer->len);
	buffer->len = len;
	buffer->data[len] = '\0';
}

enum status buffer_check(const struct buffer *buffer, const char *what, struct error *err)
{
	if (!buffer->full)
		return STATUS_OK;
	return error_set(err, STATUS_LIMIT, "%s: larger than %zu bytes", what, buffer->limit);
}

char *buffer_detach(struct buffer *buffer)
{
	char *data = TAKE_PTR(buffer->data);
	buffer_release(buffer);
	return data;
}
