/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml_json.h"

#include <string.h>

#include "base/limits.h"

/*
 * The end of the value that begins at `at`: where its brackets are closed again. A value
 * that is nested too deeply or too long ends the search early; json_parse names the fault.
 */
static size_t value_end(const char *text, size_t len, size_t at)
{
	size_t depth = 0;
	bool in_string = false;
	size_t start = at;
	for (; at < len && at - start <= LIMIT_DOCUMENT_BYTES; at++) {
		char c = text[at];
		if (in_string) {
			if (c == '\\')
				at++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && --depth == 0) {
			return at + 1;
		}
		if (depth > LIMIT_JSON_DEPTH + 1)
			return at + 1;
	}
	return at < len ? at : len;
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	return at;
}

static size_t count_nodes(const cJSON *node)
{
	size_t nodes = 1;
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		nodes += count_nodes(child);
	return nodes;
}

static enum status read_value(const char *text, size_t at, size_t end, struct yaml_stream *stream,
			      struct yaml_stats *stats, struct error *err)
{
	stats->bytes = end;
	if (end - at > LIMIT_DOCUMENT_BYTES)
		return error_set(err, STATUS_LIMIT,
				 "larger than %zu bytes (stopped after %zu bytes)",
				 LIMIT_DOCUMENT_BYTES, end);
	cJSON *tree = NULL;
	enum status status = json_parse(text + at, end - at, &tree, err);
	if (status == STATUS_LIMIT) {
		struct error cause = *err;
		return error_set(err, status, "%s (stopped after %zu bytes)", cause.message, end);
	}
	if (status != STATUS_OK)
		return status;
	stats->nodes += count_nodes(tree);
	if (stats->nodes > LIMIT_YAML_STREAM_NODES) {
		cJSON_Delete(tree);
		return error_set(err, STATUS_LIMIT, "more values than one stream may hold");
	}
	struct yaml_document *document = yaml_stream_add(stream);
	document->tree = tree;
	document->end = end;
	return STATUS_OK;
}

enum status json_read_stream(const char *text, size_t len, struct yaml_stream *ret_stream,
			     struct yaml_stats *stats, struct error *err)
{
	struct yaml_stream stream = {.json = true};
	size_t at = skip_space(text, len, 0);
	enum status status = STATUS_OK;
	while (status == STATUS_OK && at < len) {
		if (text[at] == '{') {
			size_t end = value_end(text, len, at);
			status = read_value(text, at, end, &stream, stats, err);
			at = skip_space(text, len, end);
		} else {
			status = error_set(err, STATUS_INVALID, "not a JSON object");
		}
		if (status != STATUS_OK)
			(void)error_wrap(err, "document %zu", stream.count + 1);
	}
	if (status != STATUS_OK) {
		yaml_stream_release(&stream);
		return status;
	}
	for (size_t i = 0; i < stream.count; i++)
		stream.documents[i].start = i > 0 ? stream.documents[i - 1].end : 0;
	if (stream.count > 0)
		stream.documents[stream.count - 1].end = len;
	*ret_stream = stream;
	return STATUS_OK;
}
