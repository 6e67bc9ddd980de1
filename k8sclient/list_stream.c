/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/list_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"

enum { CONTINUE_MAX = 8192 };

void list_stream_init(struct list_stream *list, size_t ceiling)
{
	*list = (struct list_stream){.state = LIST_BEFORE, .ceiling = ceiling};
	buffer_init(&list->partial, ceiling);
	buffer_init(&list->continue_token, CONTINUE_MAX);
}

void list_stream_release(struct list_stream *list)
{
	buffer_release(&list->partial);
	buffer_release(&list->continue_token);
}

void list_stream_clear(struct list_stream *list)
{
	size_t ceiling = list->ceiling;
	list_stream_release(list);
	list_stream_init(list, ceiling);
}

static bool key_is(const struct list_stream *list, const char *key)
{
	return list->key_len == strlen(key) && memcmp(list->key, key, list->key_len) == 0;
}

static enum status not_a_list(struct error *err)
{
	return error_set(err, STATUS_INVALID, "the answer is not a Kubernetes list");
}

static enum status read_metadata(struct list_stream *list, struct slice text, struct error *err)
{
	CLEANUP(json_freep) cJSON *tree = NULL;
	enum status status = json_parse(text.data, text.len, &tree, err);
	if (status != STATUS_OK)
		return error_wrap(err, "read the list's metadata");
	const char *version = json_str(tree, "resourceVersion");
	const char *token = json_str(tree, "continue");
	if (version != NULL && strlen(version) < sizeof(list->resource_version))
		memcpy(list->resource_version, version, strlen(version) + 1);
	if (token != NULL)
		buffer_add_str(&list->continue_token, token);
	list->has_metadata = true;
	return buffer_check(&list->continue_token, "continue token", err);
}

/* The value of a wanted member other than `items` is complete. */
static enum status end_value(struct list_stream *list, struct slice value, struct error *err)
{
	if (key_is(list, "metadata"))
		return read_metadata(list, value, err);
	if (!slice_string(value, list->kind, sizeof(list->kind)))
		return not_a_list(err);
	return STATUS_OK;
}

/*
 * Adds to the piece under way; when it is complete, *ret_piece is all of it (where it
 * lies when it came in one piece). False: it passed the ceiling.
 */
static bool take_piece(struct list_stream *list, struct slice more, bool ended,
		       struct slice *ret_piece)
{
	if (ended && list->partial.len == 0 && !list->skipping && more.len <= list->ceiling) {
		*ret_piece = more;
		return true;
	}
	if (!list->skipping)
		buffer_add(&list->partial, more.data, more.len);
	if (list->partial.full) {
		list->skipping = true;
		buffer_release(&list->partial);
		buffer_init(&list->partial, list->ceiling);
	}
	*ret_piece = (struct slice){list->partial.data, list->partial.len};
	return !list->skipping;
}

static void piece_done(struct list_stream *list, enum list_stream_state next)
{
	buffer_clear(&list->partial);
	list->skipping = false;
	list->state = next;
}

static enum status feed_item(struct list_stream *list, struct slice in, size_t *used,
			     list_item_fn on_item, void *context, bool *more)
{
	bool ended = false;
	struct slice piece;
	*used = json_scan_run(&list->scan, in.data, in.len, &ended);
	bool whole = take_piece(list, (struct slice){in.data, *used}, ended, &piece);
	if (!ended)
		return STATUS_OK;
	if (whole) {
		list->items++;
		*more = on_item(context, piece);
	} else {
		list->skipped++;
	}
	piece_done(list, LIST_ITEMS);
	return STATUS_OK;
}

static enum status feed_value(struct list_stream *list, struct slice in, size_t *used,
			      struct error *err)
{
	bool ended = false;
	*used = json_scan_run(&list->scan, in.data, in.len, &ended);
	if (!list->keep) {
		if (ended)
			list->state = LIST_BETWEEN;
		return STATUS_OK;
	}
	struct slice piece;
	bool whole = take_piece(list, (struct slice){in.data, *used}, ended, &piece);
	if (!whole)
		return error_set(err, STATUS_LIMIT, "the list's %.*s is larger than %zu bytes",
				 (int)list->key_len, list->key, list->ceiling);
	enum status status = STATUS_OK;
	if (ended) {
		status = end_value(list, piece, err);
		piece_done(list, LIST_BETWEEN);
	}
	return status;
}

static enum status begin_value(struct list_stream *list, char c, size_t *used, struct error *err)
{
	*used = 0;
	list->scan = (struct json_scan){0};
	if (key_is(list, "items") && c == '[') {
		if (list->has_items)
			return not_a_list(err);
		list->has_items = true;
		list->state = LIST_ITEMS;
		*used = 1;
		return STATUS_OK;
	}
	if (key_is(list, "items")) {
		if (c != 'n' || list->has_items) /* null: an empty list of some servers */
			return not_a_list(err);
		list->has_items = true;
	}
	bool is_container = c == '{' || c == '[' || c == '"';
	list->keep = is_container && (key_is(list, "metadata") || key_is(list, "kind"));
	list->state = is_container ? LIST_VALUE : LIST_SCALAR;
	return STATUS_OK;
}

/* A key of more than LIST_KEY_MAX characters is none of ours. */
static void feed_key(struct list_stream *list, char c)
{
	if (!list->escaped && c == '"') {
		list->state = LIST_COLON;
		return;
	}
	list->escaped = !list->escaped && c == '\\';
	if (list->key_len < sizeof(list->key))
		list->key[list->key_len++] = c;
}

/* One structural byte between the pieces. */
static enum status feed_structure(struct list_stream *list, char c, size_t *used, struct error *err)
{
	*used = 1;
	if (list->state == LIST_KEY) {
		feed_key(list, c);
		return STATUS_OK;
	}
	if (is_json_space(c))
		return STATUS_OK;
	if (list->state == LIST_VALUE_BEGIN)
		return begin_value(list, c, used, err);
	if (list->state == LIST_BEFORE && c == '{') {
		list->state = LIST_BETWEEN;
	} else if (list->state == LIST_BETWEEN && c == '"') {
		list->key_len = 0;
		list->escaped = false;
		list->state = LIST_KEY;
	} else if (list->state == LIST_BETWEEN && c == '}') {
		list->state = LIST_COMPLETE;
	} else if (list->state == LIST_COLON && c == ':') {
		list->state = LIST_VALUE_BEGIN;
	} else if (list->state == LIST_ITEMS && c == '{') {
		list->scan = (struct json_scan){0};
		list->state = LIST_ITEM;
		*used = 0;
	} else if (list->state == LIST_ITEMS && c == ']') {
		list->state = LIST_BETWEEN;
	} else if ((list->state != LIST_BETWEEN && list->state != LIST_ITEMS) || c != ',') {
		return not_a_list(err);
	}
	return STATUS_OK;
}

static size_t feed_scalar(struct list_stream *list, struct slice in)
{
	size_t at = 0;
	while (at < in.len && in.data[at] != ',' && in.data[at] != '}')
		at++;
	if (at < in.len)
		list->state = LIST_BETWEEN;
	return at;
}

enum status list_stream_feed(struct list_stream *list, const char *data, size_t len,
			     list_item_fn on_item, void *context, struct error *err)
{
	size_t at = 0;
	bool more = true;
	enum status status = STATUS_OK;
	while (status == STATUS_OK && more && at < len) {
		struct slice in = {data + at, len - at};
		size_t used = 0;
		if (list->state == LIST_ITEM)
			status = feed_item(list, in, &used, on_item, context, &more);
		else if (list->state == LIST_VALUE)
			status = feed_value(list, in, &used, err);
		else if (list->state == LIST_SCALAR)
			used = feed_scalar(list, in);
		else
			status = feed_structure(list, data[at], &used, err);
		at += used;
	}
	return status;
}

enum status list_stream_end(const struct list_stream *list, struct error *err)
{
	if (list->state != LIST_COMPLETE)
		return error_set(err, STATUS_RETRY, "the list broke off after %zu items",
				 list->items);
	if (!list->has_items)
		return error_set(err, STATUS_INVALID, "the answer has no items%s%s",
				 *list->kind != '\0' ? ": it is a " : "", list->kind);
	if (*list->resource_version == '\0')
		return error_set(err, STATUS_INVALID, "the list has no resourceVersion");
	return STATUS_OK;
}
