/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into raw JSON without building a tree: members, elements and values as
 * pieces of the text. It exists because most objects that a cluster-wide watch brings
 * are dropped after a look at their metadata.
 *
 * The scanner trusts nothing: on text that is not JSON it stops (`broken`), it never
 * reads past the piece and never recurses. It does not validate what it skips; whoever
 * builds a tree from a piece parses it properly (base/json.h).
 */
#ifndef LLMD_CONTROLLER_SCAN_H
#define LLMD_CONTROLLER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/* Borrowed text; {NULL, 0} is "not there". Values have no white space around them. */
struct piece {
	const char *at;
	size_t len;
};

struct scan {
	const char *at;
	const char *end;
	bool first;
	bool closed;
	bool broken; /* the text ended or was not JSON */
};

/* Begins over an object ('{') or an array ('['); anything else gives a scan without items. */
struct scan scan_begin(struct piece value, char bracket);

/* The next member; the key is without its quotes, escapes undecoded. False at the end. */
bool scan_member(struct scan *scan, struct piece *ret_key, struct piece *ret_value);

/* The next element. False at the end. */
bool scan_element(struct scan *scan, struct piece *ret_value);

/* One member of an object by its exact key. */
struct piece scan_get(struct piece object, const char *key);

/* A path of member names joined by '.', e.g. "metadata.labels". */
struct piece scan_path(struct piece tree, const char *path);

/* True when the piece is the JSON string `text` (which needs no escapes). */
bool piece_is_string(struct piece value, const char *text);

/* True when the raw bytes equal `text`. */
bool piece_is(struct piece value, const char *text);

/* The decoded string, or NULL when it is none; free() it. */
NODISCARD char *piece_string(struct piece value);

/* A whole number that fits, else `fallback`. */
long piece_int(struct piece value, long fallback);

#endif
