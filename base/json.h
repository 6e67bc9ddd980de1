/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as trees, through cJSON's node type but with a reader and a printer of our
 * own, because cJSON's lose what a Kubernetes object needs: integers past 2^53,
 * duplicate keys, raw control characters and trailing text (measured: cJSON prints
 * 9007199254740993 as 9.00719925474099e+15).
 *
 * A number node keeps its source text in `valuestring` (RFC 8259 number) and is
 * printed from it; `valuedouble` and `valueint` are for reading only. Kubernetes
 * objects are never re-sent whole; this is for patches, `-o yaml|json` and look-ups.
 *
 * Ownership: `const cJSON *` is borrowed, a returned `cJSON *` is the caller's
 * (json_freep / cJSON_Delete). Trees are used in the loop's thread only.
 */
#ifndef LLMD_BASE_JSON_H
#define LLMD_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* For CLEANUP(json_freep) on `cJSON *`. */
void json_freep(cJSON **tree);

/*
 * Reads exactly one JSON value of `len` bytes (white space around it is fine).
 * STATUS_INVALID: syntax, duplicate key, invalid UTF-8, raw control character,
 * "\u0000"; the message holds line, column and, for keys, the path. STATUS_LIMIT:
 * deeper than LIMIT_JSON_DEPTH or more than LIMIT_NODES_PER_DOCUMENT nodes.
 */
NODISCARD enum status json_parse(const char *text, size_t len, cJSON **ret_tree, struct error *err);

/* Compact JSON text (no spaces), numbers by their source text, keys in tree order. */
void json_print(const cJSON *tree, struct buffer *out);

/* Same, with objects' keys sorted bytewise: equal in meaning means equal text. */
void json_print_canonical(const cJSON *tree, struct buffer *out);

/* Indented by two spaces, for people. */
void json_print_pretty(const cJSON *tree, struct buffer *out);

/* As a new string; free() it. Only for trees that we made or read under a ceiling. */
NODISCARD char *json_to_string(const cJSON *tree);

/* Adds `text` as a JSON string literal with its quotes. Invalid UTF-8 becomes U+FFFD. */
void json_print_string(const char *text, struct buffer *out);

/*
 * Look-ups; all accept NULL trees and give NULL (or the fallback) when something on
 * the way is absent or of another type. Keys are case-sensitive. The key NULL, which items of a
 * list have, is no member's.
 */
const cJSON *json_member(const cJSON *object, const char *key);
/* `path` like "spec.template.metadata": member names joined by dots (no indexes, no escapes). */
const cJSON *json_get(const cJSON *tree, const char *path);
/* String at `path`, else NULL. Borrowed. */
const char *json_str(const cJSON *tree, const char *path);
bool json_bool(const cJSON *tree, const char *path, bool fallback);
/* Integer at `path` when it is a whole number in range, else `fallback`. */
long json_int(const cJSON *tree, const char *path, long fallback);
/* The element of array `list` whose string member "name" is `name`; the last such one when there are several. NULL: none, as for the name NULL. */
const cJSON *json_named(const cJSON *list, const char *name);
/* Mutable twin of json_member, for trees that the caller owns. */
cJSON *json_member_mut(cJSON *object, const char *key);

/* Equal in meaning: key order is irrelevant, numbers compare by value ("1" = "1.0"), null is not absent. */
bool json_equal(const cJSON *a, const cJSON *b);

/* Deep copy that keeps number text. */
NODISCARD cJSON *json_clone(const cJSON *tree);

/* Adds or replaces a member; takes ownership of `value`; the key is copied. */
void json_set(cJSON *object, const char *key, cJSON *value);
void json_set_str(cJSON *object, const char *key, const char *value);
void json_set_int(cJSON *object, const char *key, long value);
void json_set_bool(cJSON *object, const char *key, bool value);
/* New empty object/array put under `key`; borrowed. */
cJSON *json_set_object(cJSON *object, const char *key);
cJSON *json_set_array(cJSON *object, const char *key);
/* Links `child` (whose key, if any, is set already) as the last one; takes ownership. */
void json_append(cJSON *parent, cJSON *child);

/*
 * Puts `item` (taken over) before element `index` of an array; at its length or past it: at
 * the end. Use this, never cJSON_InsertItemInArray: Debian 12's 1.7.15-1+deb12u4 refuses
 * every place but the first and the end, since its backported check asks for item->prev.
 */
void json_insert(cJSON *array, size_t index, cJSON *item);
/* A new number node with its text. */
NODISCARD cJSON *json_new_int(long value);

/* One step of a JSON pointer, escaped by RFC 6901, preceded by '/'. */
void json_pointer_add(struct buffer *pointer, const char *token);
void json_pointer_add_index(struct buffer *pointer, size_t index);
/* The node that an RFC 6901 pointer names, else NULL. */
const cJSON *json_pointer_get(const cJSON *tree, const char *pointer);

#endif
