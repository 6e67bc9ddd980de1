/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML in and out, through libyaml's event API with ceilings of our own
 * (base/limits.h): depth, nodes (aliases expanded), bytes. Scalars resolve exactly as
 * sigs.k8s.io/yaml does it for kubectl (YAML 1.1 core via go-yaml v2: `0755` is 493,
 * `on` is true); numbers keep their source text where it is valid JSON.
 */
#ifndef LLMD_BASE_YAML_H
#define LLMD_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

struct yaml_document {
	size_t
	    start; /* byte range in the stream; the ranges of all documents cover it without gaps */
	size_t end;
	cJSON *tree;       /* NULL: empty document (comments only) */
	bool has_comments; /* lost when it is re-emitted */
};

struct yaml_stream {
	struct yaml_document *documents;
	size_t count;
};

/*
 * Reads a whole stream of YAML documents or JSON values. Messages hold document number
 * (from 1), line and column. STATUS_INVALID: syntax, duplicate key, invalid UTF-8,
 * a tag or key that JSON cannot hold. STATUS_LIMIT: a ceiling.
 */
NODISCARD enum status yaml_read_stream(const char *text, size_t len, struct yaml_stream *ret_stream,
				       struct error *err);
void yaml_stream_release(struct yaml_stream *stream);

/* Reads exactly one document; an empty one gives STATUS_INVALID. */
NODISCARD enum status yaml_read(const char *text, size_t len, cJSON **ret_tree, struct error *err);

/*
 * Block style, two spaces, every string that some YAML reader could take for something
 * else quoted, multi-line strings as literal blocks where that is exact. Ends with a newline.
 */
void yaml_print(const cJSON *tree, struct buffer *out);

#endif
