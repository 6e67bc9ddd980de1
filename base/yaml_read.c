/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop over libyaml. libyaml counts characters in its marks, we need bytes: a
 * cursor that only moves forward turns one into the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "base/yaml_json.h"
#include "base/yaml_tree.h"

/* Small, so that little more than the offending piece is read before a refusal. */
enum { PIECE_BYTES = 1024, DIRECTIVES_MAX = 64 };

/* libyaml reads on before it says that a document has ended. */
enum { READ_AHEAD_BYTES = 4096 };

enum stop { STOP_NONE, STOP_DOCUMENT_BYTES, STOP_DIRECTIVES };

struct reader {
	const char *text;
	size_t len;
	size_t fed; /* bytes given to libyaml */
	size_t document_start;
	size_t directives; /* lines fed since then that begin with '%': quadratic in libyaml */
	enum stop stop;
	size_t cursor_byte; /* the same place in bytes … */
	size_t cursor_char; /* … and in libyaml's characters */
	size_t gap;         /* bytes up to here were looked through for comments */
	bool comments;
	struct yaml_tree *tree; /* of the open document */
	struct yaml_stream stream;
	struct yaml_stats *stats;
	struct error *err;
};

struct yaml_document *yaml_stream_add(struct yaml_stream *stream)
{
	stream->documents = grow(stream->documents, stream->count, sizeof(*stream->documents));
	struct yaml_document *document = &stream->documents[stream->count++];
	*document = (struct yaml_document){0};
	return document;
}

static int feed(void *data, unsigned char *buffer, size_t size, size_t *ret_size)
{
	struct reader *r = data;
	size_t piece = r->len - r->fed;
	piece = piece < size ? piece : size;
	piece = piece < PIECE_BYTES ? piece : PIECE_BYTES;
	const char *from = r->text + r->fed;
	for (const char *at = from; at < from + piece; at++) {
		at = memchr(at, '%', (size_t)(from + piece - at));
		if (at == NULL)
			break;
		r->directives += at == r->text || at[-1] == '\n' || at[-1] == '\r' ? 1 : 0;
	}
	if (r->directives > DIRECTIVES_MAX)
		r->stop = STOP_DIRECTIVES;
	if (r->fed - r->document_start > LIMIT_DOCUMENT_BYTES + READ_AHEAD_BYTES)
		r->stop = STOP_DOCUMENT_BYTES;
	if (r->stop != STOP_NONE)
		return 0;
	memcpy(buffer, from, piece);
	r->fed += piece;
	*ret_size = piece;
	return 1;
}

/* Byte offset of a character that libyaml counted; marks never go back by much. */
static size_t byte_of(struct reader *r, size_t character)
{
	while (r->cursor_char > character) {
		do
			r->cursor_byte--;
		while (((unsigned char)r->text[r->cursor_byte] & 0xC0U) == 0x80U);
		r->cursor_char--;
	}
	while (r->cursor_char < character && r->cursor_byte < r->len) {
		do
			r->cursor_byte++;
		while (r->cursor_byte < r->len &&
		       ((unsigned char)r->text[r->cursor_byte] & 0xC0U) == 0x80U);
		r->cursor_char++;
	}
	return r->cursor_byte;
}

/* Looks for a comment between the last scalar and `until`; nothing else there holds " #". */
static void look_for_comment(struct reader *r, size_t until)
{
	for (size_t at = r->gap; at < until && !r->comments; at++)
		if (r->text[at] == '#' && (at == 0 || strchr(" \t\r\n", r->text[at - 1]) != NULL))
			r->comments = true;
	if (until > r->gap)
		r->gap = until;
}

/* A block scalar's first line may end in a comment that its marks include. */
static void skip_scalar(struct reader *r, const yaml_event_t *event)
{
	size_t start = byte_of(r, event->start_mark.index);
	look_for_comment(r, start);
	yaml_scalar_style_t style = event->data.scalar.style;
	if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) {
		const char *end = memchr(r->text + start, '\n', r->len - start);
		if (end != NULL)
			look_for_comment(r, (size_t)(end - r->text));
	}
	size_t end = byte_of(r, event->end_mark.index);
	if (end > r->gap)
		r->gap = end;
}

static struct yaml_place place_of(yaml_mark_t mark)
{
	return (struct yaml_place){.line = mark.line + 1, .column = mark.column + 1};
}

static size_t line_of(const struct reader *r, size_t byte)
{
	size_t line = 1;
	for (size_t i = 0; i < byte && i < r->len; i++)
		line += r->text[i] == '\n' ? 1 : 0;
	return line;
}

static enum status parser_failed(struct reader *r, const yaml_parser_t *parser)
{
	const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
	switch (r->stop) {
	case STOP_DOCUMENT_BYTES:
		return error_set(r->err, STATUS_LIMIT,
				 "larger than %zu bytes (stopped after %zu bytes)",
				 LIMIT_DOCUMENT_BYTES, r->fed);
	case STOP_DIRECTIVES:
		return error_set(r->err, STATUS_LIMIT,
				 "more than %d directives (stopped after %zu bytes)",
				 DIRECTIVES_MAX, r->fed);
	case STOP_NONE:
		break;
	}
	if (parser->error == YAML_READER_ERROR)
		return error_set(r->err, STATUS_INVALID, "line %zu: %s%s (byte %zu)",
				 line_of(r, parser->problem_offset),
				 strstr(problem, "control") != NULL ? "" : "invalid UTF-8: ",
				 problem, parser->problem_offset);
	if (parser->error == YAML_MEMORY_ERROR)
		return error_set(r->err, STATUS_BUG, "libyaml: out of memory");
	size_t at = byte_of(r, parser->problem_mark.index);
	if (at < r->len && r->text[at] == '\t' && strstr(problem, "cannot start") != NULL)
		problem = "found a tab; YAML indents with spaces";
	return error_set(r->err, STATUS_INVALID, "line %zu column %zu: %s%s%s",
			 parser->problem_mark.line + 1, parser->problem_mark.column + 1,
			 parser->context != NULL ? parser->context : "",
			 parser->context != NULL ? ": " : "", problem);
}

static enum status begin_document(struct reader *r, const yaml_event_t *event)
{
	const yaml_version_directive_t *version = event->data.document_start.version_directive;
	if (version != NULL && (version->major != 1 || version->minor != 1))
		return error_set(r->err, STATUS_INVALID, "line %zu: only %%YAML 1.1 is read",
				 event->start_mark.line + 1);
	size_t start = byte_of(r, event->start_mark.index);
	if (r->stream.count > 0 && !event->data.document_start.implicit) {
		look_for_comment(r, start);
		struct yaml_document *last = &r->stream.documents[r->stream.count - 1];
		last->end = start;
		last->has_comments = last->has_comments || r->comments;
		r->comments = false;
	}
	size_t budget = LIMIT_YAML_STREAM_NODES - r->stats->nodes;
	struct yaml_document *document = yaml_stream_add(&r->stream);
	document->start = r->stream.count > 1 ? document[-1].end : 0;
	document->explicit_start = !event->data.document_start.implicit;
	r->document_start = document->start;
	r->directives = 0;
	r->tree = yaml_tree_new(budget);
	return STATUS_OK;
}

/* After "..." the rest of its line still belongs to the document. */
static enum status end_document(struct reader *r, const yaml_event_t *event)
{
	struct yaml_document *document = &r->stream.documents[r->stream.count - 1];
	size_t end = byte_of(r, event->end_mark.index);
	document->explicit_end = !event->data.document_end.implicit;
	if (document->explicit_end) {
		const char *newline = memchr(r->text + end, '\n', r->len - end);
		end = newline != NULL ? (size_t)(newline - r->text) + 1 : r->len;
	}
	if (end - document->start > LIMIT_DOCUMENT_BYTES)
		return error_set(r->err, STATUS_LIMIT, "larger than %zu bytes",
				 LIMIT_DOCUMENT_BYTES);
	look_for_comment(r, end);
	document->end = end;
	document->has_comments = r->comments;
	document->tree = yaml_tree_take(r->tree);
	r->stats->nodes += yaml_tree_nodes(r->tree);
	yaml_tree_freep(&r->tree);
	r->document_start = end;
	r->directives = 0;
	if (document->explicit_end)
		r->comments = false;
	return STATUS_OK;
}

static enum status take_scalar(struct reader *r, const yaml_event_t *event)
{
	skip_scalar(r, event);
	size_t len = event->data.scalar.length;
	const char *text = (const char *)event->data.scalar.value;
	return yaml_tree_scalar(
	    r->tree, place_of(event->start_mark), (const char *)event->data.scalar.anchor,
	    (const char *)event->data.scalar.tag,
	    event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, text, len, r->err);
}

static enum status take_event(struct reader *r, const yaml_event_t *event)
{
	struct yaml_place place = place_of(event->start_mark);
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return begin_document(r, event);
	case YAML_DOCUMENT_END_EVENT:
		return end_document(r, event);
	case YAML_SCALAR_EVENT:
		return take_scalar(r, event);
	case YAML_ALIAS_EVENT:
		return yaml_tree_alias(r->tree, place, (const char *)event->data.alias.anchor,
				       r->err);
	case YAML_SEQUENCE_START_EVENT:
		return yaml_tree_open(
		    r->tree, place, (const char *)event->data.sequence_start.anchor, false, r->err);
	case YAML_MAPPING_START_EVENT:
		return yaml_tree_open(r->tree, place,
				      (const char *)event->data.mapping_start.anchor, true, r->err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return yaml_tree_close(r->tree, r->err);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		break;
	}
	return STATUS_OK;
}

/* An empty plain scalar is what libyaml makes of a document without content. */
static bool is_empty_document(const yaml_event_t *event, bool at_root)
{
	return at_root && event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
	       event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       event->data.scalar.tag == NULL && event->data.scalar.anchor == NULL;
}

static enum status read_events(struct reader *r, yaml_parser_t *parser)
{
	bool done = false;
	bool at_root = false;
	while (!done) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return parser_failed(r, parser);
		enum status status = STATUS_OK;
		if (!is_empty_document(&event, at_root))
			status = take_event(r, &event);
		at_root = event.type == YAML_DOCUMENT_START_EVENT;
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (status != STATUS_OK)
			return status;
		if (r->stats->nodes + (r->tree != NULL ? yaml_tree_nodes(r->tree) : 0) +
			r->stream.count >
		    LIMIT_YAML_STREAM_NODES)
			return error_set(r->err, STATUS_LIMIT,
					 "more values than one stream may hold");
	}
	return STATUS_OK;
}

/* Comments after the last document, or a stream of nothing else. */
static void close_stream(struct reader *r)
{
	if (r->stream.count == 0 && r->len > 0)
		(void)yaml_stream_add(&r->stream);
	if (r->stream.count == 0)
		return;
	struct yaml_document *last = &r->stream.documents[r->stream.count - 1];
	look_for_comment(r, r->len);
	last->end = r->len;
	last->has_comments = last->has_comments || r->comments;
}

static enum status read_yaml(const char *text, size_t len, struct yaml_stream *ret_stream,
			     struct yaml_stats *stats, struct error *err)
{
	struct reader r = {.text = text, .len = len, .stats = stats, .err = err};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input(&parser, feed, &r);
	if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
		r.fed = 3;
		r.cursor_byte = 3;
	}
	enum status status = read_events(&r, &parser);
	yaml_parser_delete(&parser);
	stats->bytes = r.fed;
	if (status != STATUS_OK) {
		bool open = r.tree != NULL;
		(void)error_wrap(err, "document %zu", r.stream.count + (open ? 0 : 1));
		if (status == STATUS_LIMIT && r.stop == STOP_NONE) {
			struct error cause = *err;
			(void)error_set(err, status, "%s (stopped after %zu bytes)", cause.message,
					r.fed);
		}
		stats->nodes += open ? yaml_tree_nodes(r.tree) : 0;
		yaml_tree_freep(&r.tree);
		yaml_stream_release(&r.stream);
		return status;
	}
	close_stream(&r);
	*ret_stream = r.stream;
	return STATUS_OK;
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	return at;
}

/* An object whose first key is quoted, or an empty one; "{a: 1}" is YAML only. */
static bool looks_like_json(const char *text, size_t len)
{
	size_t at = skip_space(text, len, 0);
	if (at == len || text[at] != '{')
		return false;
	at = skip_space(text, len, at + 1);
	return at < len && (text[at] == '"' || text[at] == '}');
}

/* What is no JSON may still be YAML; if it is neither, JSON's words fit what it looks like. */
static enum status read_json_or_yaml(const char *text, size_t len, struct yaml_stream *ret_stream,
				     struct yaml_stats *stats, struct error *err)
{
	enum status status = json_read_stream(text, len, ret_stream, stats, err);
	if (status != STATUS_INVALID)
		return status;
	struct error yaml_error;
	struct yaml_stats again = {0};
	status = read_yaml(text, len, ret_stream, &again, &yaml_error);
	stats->bytes += again.bytes;
	stats->nodes = again.nodes;
	if (status == STATUS_OK)
		return STATUS_OK;
	if (status == STATUS_LIMIT)
		*err = yaml_error;
	return err->status;
}

enum status yaml_read_stream(const char *text, size_t len, struct yaml_stream *ret_stream,
			     struct yaml_stats *ret_stats, struct error *err)
{
	struct yaml_stats stats = {0};
	enum status status;
	if (len > LIMIT_STREAM_BYTES)
		status = error_set(err, STATUS_LIMIT, "larger than %zu bytes", LIMIT_STREAM_BYTES);
	else if (looks_like_json(text, len))
		status = read_json_or_yaml(text, len, ret_stream, &stats, err);
	else
		status = read_yaml(text, len, ret_stream, &stats, err);
	if (ret_stats != NULL)
		*ret_stats = stats;
	return status;
}

void yaml_stream_release(struct yaml_stream *stream)
{
	for (size_t i = 0; i < stream->count; i++)
		cJSON_Delete(stream->documents[i].tree);
	free(stream->documents);
	*stream = (struct yaml_stream){0};
}

enum status yaml_read(const char *text, size_t len, cJSON **ret_tree, struct error *err)
{
	struct yaml_stream stream = {0};
	enum status status = yaml_read_stream(text, len, &stream, NULL, err);
	if (status != STATUS_OK)
		return status;
	if (stream.count != 1 || stream.documents[0].tree == NULL)
		status = error_set(err, STATUS_INVALID, "expected one document, found %zu",
				   stream.count == 1 ? (size_t)0 : stream.count);
	else
		*ret_tree = TAKE_PTR(stream.documents[0].tree);
	yaml_stream_release(&stream);
	return status;
}
