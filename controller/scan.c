/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r'))
		scan->at++;
}

static bool scan_break(struct scan *scan)
{
	scan->broken = true;
	scan->closed = true;
	scan->at = scan->end;
	return false;
}

/* After the opening quote; gives what is between the quotes. */
static bool take_string(struct scan *scan, struct piece *ret_inner)
{
	const char *start = ++scan->at;
	while (scan->at < scan->end && *scan->at != '"') {
		if (*scan->at == '\\')
			scan->at++;
		scan->at++;
	}
	if (scan->at >= scan->end)
		return scan_break(scan);
	*ret_inner = (struct piece){start, (size_t)(scan->at - start)};
	scan->at++;
	return true;
}

/* An object or array as a whole, by counting brackets outside of strings. */
static bool take_nested(struct scan *scan)
{
	size_t depth = 0;
	struct piece inner;
	while (scan->at < scan->end) {
		char c = *scan->at;
		if (c == '"') {
			if (!take_string(scan, &inner))
				return false;
			continue;
		}
		scan->at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return scan_break(scan);
}

static bool take_value(struct scan *scan, struct piece *ret_value)
{
	skip_space(scan);
	const char *start = scan->at;
	struct piece inner;
	if (start >= scan->end)
		return scan_break(scan);
	if (*start == '"') {
		if (!take_string(scan, &inner))
			return false;
	} else if (*start == '{' || *start == '[') {
		if (!take_nested(scan))
			return false;
	} else {
		while (scan->at < scan->end && strchr(",]} \n\t\r", *scan->at) == NULL)
			scan->at++;
		if (scan->at == start)
			return scan_break(scan);
	}
	*ret_value = (struct piece){start, (size_t)(scan->at - start)};
	return true;
}

struct scan scan_begin(struct piece value, char bracket)
{
	struct scan scan = {.at = value.at, .end = value.at, .first = true, .closed = true};
	if (value.len >= 2 && value.at[0] == bracket) {
		scan.at = value.at + 1;
		scan.end = value.at + value.len;
		scan.closed = false;
	}
	return scan;
}

/* Steps over the comma before an item; false at the closing bracket. */
static bool next_item(struct scan *scan)
{
	if (scan->closed)
		return false;
	skip_space(scan);
	if (scan->at >= scan->end)
		return scan_break(scan);
	if (*scan->at == '}' || *scan->at == ']') {
		scan->closed = true;
		return false;
	}
	if (!scan->first) {
		if (*scan->at != ',')
			return scan_break(scan);
		scan->at++;
		skip_space(scan);
	}
	scan->first = false;
	return true;
}

bool scan_member(struct scan *scan, struct piece *ret_key, struct piece *ret_value)
{
	struct piece key;
	if (!next_item(scan))
		return false;
	if (scan->at >= scan->end || *scan->at != '"' || !take_string(scan, &key))
		return scan_break(scan);
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != ':')
		return scan_break(scan);
	scan->at++;
	if (!take_value(scan, ret_value))
		return false;
	*ret_key = key;
	return true;
}

bool scan_element(struct scan *scan, struct piece *ret_value)
{
	return next_item(scan) && take_value(scan, ret_value);
}

struct piece scan_get(struct piece object, const char *key)
{
	size_t len = strlen(key);
	struct scan scan = scan_begin(object, '{');
	struct piece name;
	struct piece value;
	while (scan_member(&scan, &name, &value))
		if (name.len == len && memcmp(name.at, key, len) == 0)
			return value;
	return (struct piece){NULL, 0};
}

struct piece scan_path(struct piece tree, const char *path)
{
	char step[64];
	while (*path != '\0' && tree.at != NULL) {
		size_t len = strcspn(path, ".");
		if (len >= sizeof(step))
			return (struct piece){NULL, 0};
		memcpy(step, path, len);
		step[len] = '\0';
		tree = scan_get(tree, step);
		path += len + (path[len] == '.');
	}
	return tree;
}

bool piece_is(struct piece value, const char *text)
{
	size_t len = strlen(text);
	return value.at != NULL && value.len == len && memcmp(value.at, text, len) == 0;
}

bool piece_is_string(struct piece value, const char *text)
{
	size_t len = strlen(text);
	return value.len == len + 2 && value.at[0] == '"' && memcmp(value.at + 1, text, len) == 0;
}

char *piece_string(struct piece value)
{
	if (value.len < 2 || value.at[0] != '"')
		return NULL;
	if (memchr(value.at, '\\', value.len) == NULL)
		return xstrndup(value.at + 1, value.len - 2);
	CLEANUP(json_freep) cJSON *tree = NULL;
	struct error err;
	if (json_parse(value.at, value.len, &tree, &err) != STATUS_OK || !cJSON_IsString(tree))
		return NULL;
	return xstrdup(tree->valuestring);
}

long piece_int(struct piece value, long fallback)
{
	char digits[24];
	if (value.len == 0 || value.len >= sizeof(digits))
		return fallback;
	memcpy(digits, value.at, value.len);
	digits[value.len] = '\0';
	char *end = NULL;
	long number = strtol(digits, &end, 10);
	return end == digits || *end != '\0' ? fallback : number;
}
