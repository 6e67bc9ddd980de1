/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML in and out, through libyaml's event API with ceilings of our own
 * (base/limits.h): depth, nodes and text (aliases expanded), bytes of a document.
 * Scalars resolve exactly as sigs.k8s.io/yaml does it for kubectl (YAML 1.1 through
 * go-yaml v2: `0755` is 493, `on` is true); numbers keep their source text where it is
 * valid JSON. The text is fed to libyaml in small pieces, so that a refusal comes after
 * the piece that broke the rule and not after all of it.
 */
#ifndef LLMD_BASE_YAML_H
#define LLMD_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

/*
 * One document. The ranges of all documents cover the stream without gaps; what stands
 * between two documents (comments, blank lines) belongs to the first of them.
 */
struct yaml_document {
	size_t start; /* bytes; of the "---" or of its directives when there are any */
	size_t end;
	cJSON *tree;         /* NULL: empty document (comments only) */
	bool has_comments;   /* lost when it is re-emitted */
	bool explicit_start; /* a "---" of its own */
	bool explicit_end;   /* a "..." of its own */
};

struct yaml_stream {
	struct yaml_document *documents;
	size_t count;
	bool json; /* JSON values one after the other, not YAML */
};

/* What reading took, also when it failed. */
struct yaml_stats {
	size_t bytes; /* handed to the parser before it ended or was stopped */
	size_t nodes; /* values built, aliases expanded */
};

/*
 * Reads a whole stream of YAML documents or JSON values (a stream that begins with '{' is
 * tried as JSON first, as kubectl does). Messages hold document number (from 1), line and
 * column. STATUS_INVALID: syntax, duplicate key, invalid UTF-8, a tag or key that JSON
 * cannot hold. STATUS_LIMIT: a ceiling. `ret_stats` may be NULL; it is set in any case.
 */
NODISCARD enum status yaml_read_stream(const char *text, size_t len, struct yaml_stream *ret_stream,
				       struct yaml_stats *ret_stats, struct error *err);
void yaml_stream_release(struct yaml_stream *stream);

/* Reads exactly one document; an empty one gives STATUS_INVALID. */
NODISCARD enum status yaml_read(const char *text, size_t len, cJSON **ret_tree, struct error *err);

/*
 * Block style, two spaces, every string that some YAML reader could take for something
 * else quoted, multi-line strings as literal blocks where that is exact. Ends with a
 * newline. Reading it again gives an equal tree, as long as that is within the ceilings.
 */
void yaml_print(const cJSON *tree, struct buffer *out);

#endif
