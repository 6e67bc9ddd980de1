/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/slice.h"

#include <string.h>

bool is_json_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Inside a string: skips to its closing quote. Returns the index after what was used. */
static size_t run_string(struct json_scan *scan, const char *data, size_t len, size_t at)
{
	while (at < len) {
		char c = data[at++];
		if (scan->escaped) {
			scan->escaped = false;
		} else if (c == '\\') {
			scan->escaped = true;
		} else if (c == '"') {
			scan->in_string = false;
			return at;
		}
	}
	return at;
}

size_t json_scan_run(struct json_scan *scan, const char *data, size_t len, bool *ret_end)
{
	size_t at = 0;
	*ret_end = false;
	while (at < len) {
		bool closes = false;
		if (scan->in_string) {
			at = run_string(scan, data, len, at);
			closes = !scan->in_string;
		} else {
			char c = data[at++];
			if (c == '"') {
				scan->in_string = true;
			} else if (c == '{' || c == '[') {
				scan->depth++;
			} else if ((c == '}' || c == ']') && scan->depth > 0) {
				scan->depth--;
				closes = true;
			}
		}
		if (closes && scan->depth == 0) {
			*ret_end = true;
			return at;
		}
	}
	return at;
}

static size_t skip_space(struct slice s, size_t at)
{
	while (at < s.len && is_json_space(s.data[at]))
		at++;
	return at;
}

/* The end of the value that begins at `at`, or 0 when it has none. */
static size_t value_end(struct slice s, size_t at)
{
	char first = s.data[at];
	if (first == '{' || first == '[' || first == '"') {
		struct json_scan scan = {0};
		bool ended = false;
		size_t used = json_scan_run(&scan, s.data + at, s.len - at, &ended);
		return ended ? at + used : 0;
	}
	size_t end = at;
	while (end < s.len && strchr(",}] \n\r\t", s.data[end]) == NULL)
		end++;
	return end < s.len && end > at ? end : 0;
}

/* Reads `"key" : value` at `at`; returns the index after the value, 0 when there is none. */
static size_t read_member(struct slice object, size_t at, struct slice *key, struct slice *value)
{
	if (at >= object.len || object.data[at] != '"')
		return 0;
	size_t end = value_end(object, at);
	if (end == 0)
		return 0;
	*key = (struct slice){object.data + at, end - at};
	at = skip_space(object, end);
	if (at >= object.len || object.data[at] != ':')
		return 0;
	at = skip_space(object, at + 1);
	if (at >= object.len)
		return 0;
	end = value_end(object, at);
	*value = (struct slice){object.data + at, end - at};
	return end;
}

bool slice_member(struct slice object, const char *key, struct slice *ret_value)
{
	size_t at = skip_space(object, 0);
	if (at >= object.len || object.data[at] != '{')
		return false;
	at = skip_space(object, at + 1);
	for (;;) {
		struct slice name;
		struct slice value;
		at = read_member(object, at, &name, &value);
		if (at == 0)
			return false;
		if (slice_is_string(name, key)) {
			*ret_value = value;
			return true;
		}
		at = skip_space(object, at);
		if (at >= object.len || object.data[at] != ',')
			return false;
		at = skip_space(object, at + 1);
	}
}

static bool is_plain_string(struct slice value)
{
	return value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"' &&
	       memchr(value.data, '\\', value.len) == NULL;
}

bool slice_is_string(struct slice value, const char *text)
{
	size_t len = strlen(text);
	return is_plain_string(value) && value.len == len + 2 &&
	       memcmp(value.data + 1, text, len) == 0;
}

bool slice_string(struct slice value, char *ret_text, size_t size)
{
	if (!is_plain_string(value) || value.len - 2 >= size ||
	    memchr(value.data, '\0', value.len) != NULL)
		return false;
	memcpy(ret_text, value.data + 1, value.len - 2);
	ret_text[value.len - 2] = '\0';
	return true;
}

bool slice_resource_version(struct slice object, char *ret_text, size_t size)
{
	struct slice metadata;
	struct slice version;
	return slice_member(object, "metadata", &metadata) &&
	       slice_member(metadata, "resourceVersion", &version) &&
	       slice_string(version, ret_text, size);
}
