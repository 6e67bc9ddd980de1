/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into raw JSON without making a tree: enough to route a watch event or a list
 * item by its type, kind or resourceVersion. Syntax is not judged here; whoever needs
 * the object parses it (base/json.h), and what is malformed is simply not found.
 */
#ifndef LLMD_K8SCLIENT_SLICE_H
#define LLMD_K8SCLIENT_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/* Bytes of somebody else; not NUL-terminated. */
struct slice {
	const char *data;
	size_t len;
};

/*
 * Where a walk through one JSON value stands; zero it before the value's first byte.
 * The value is an object, an array or a string. Survives any cut between bytes.
 */
struct json_scan {
	size_t depth;
	bool in_string;
	bool escaped;
};

/*
 * Goes on through `data`. Returns how many bytes belong to the value and sets *ret_end
 * when the last of them is the value's end; else all of `len` are used up.
 */
size_t json_scan_run(struct json_scan *scan, const char *data, size_t len, bool *ret_end);

bool is_json_space(char c);

/* The value of member `key` of the object `object`, white space trimmed. The first of its name. */
NODISCARD bool slice_member(struct slice object, const char *key, struct slice *ret_value);

/* True when `value` is the string literal of `text` (plain characters only: no escapes). */
bool slice_is_string(struct slice value, const char *text);

/*
 * The characters of a string literal without escapes. False for other values, for
 * escapes and for more than size-1 characters.
 */
NODISCARD bool slice_string(struct slice value, char *ret_text, size_t size);

/* metadata.resourceVersion of a Kubernetes object. */
NODISCARD bool slice_resource_version(struct slice object, char *ret_text, size_t size);

#endif
