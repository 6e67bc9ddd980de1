/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of JSON values one after the other (objects; white space between them), the
 * form of `kubectl get -o json` and of jq. Used by yaml_read_stream only.
 */
#ifndef LLMD_BASE_YAML_JSON_H
#define LLMD_BASE_YAML_JSON_H

#include "base/yaml.h"

/* As yaml_read_stream. STATUS_INVALID also when it is not JSON at all. */
NODISCARD enum status json_read_stream(const char *text, size_t len, struct yaml_stream *ret_stream,
				       struct yaml_stats *stats, struct error *err);

/* Adds a document and gives its place; for the readers. */
struct yaml_document *yaml_stream_add(struct yaml_stream *stream);

#endif
