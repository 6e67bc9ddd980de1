/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list answer taken apart while it arrives: the elements of `items` are handed on one
 * by one as raw JSON, `metadata` is read, everything else is passed over. A list is
 * never held: 10,000 pods are 113 MB of text and 722 MiB as a cJSON tree (measured).
 *
 * The members may stand in any order: built-in kinds write `metadata` before `items`,
 * custom resources (keys sorted) after them.
 */
#ifndef LLMD_K8SCLIENT_LIST_STREAM_H
#define LLMD_K8SCLIENT_LIST_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "k8sclient/slice.h"

enum {
	RESOURCE_VERSION_MAX = 64, /* with NUL; KEP-5504 allows 128 bits: 39 digits */
	LIST_KEY_MAX = 24
};

enum list_stream_state {
	LIST_BEFORE,  /* white space before the list's brace */
	LIST_BETWEEN, /* between members */
	LIST_KEY,
	LIST_COLON,
	LIST_VALUE_BEGIN,
	LIST_SCALAR,
	LIST_VALUE, /* object, array or string that is not `items` */
	LIST_ITEMS, /* between items */
	LIST_ITEM,
	LIST_COMPLETE
};

struct list_stream {
	enum list_stream_state state;
	struct json_scan scan;
	struct buffer partial; /* the piece under way: item, metadata or kind */
	size_t ceiling;
	bool skipping;
	bool keep; /* the value under way is wanted */
	bool escaped;
	char key[LIST_KEY_MAX];
	size_t key_len;

	/* For the user, valid from their time on: */
	bool has_metadata; /* resource_version and continue_token are known */
	bool has_items;
	char kind[64];
	char resource_version[RESOURCE_VERSION_MAX];
	struct buffer continue_token; /* empty: last page */
	size_t items;
	size_t skipped; /* items larger than the ceiling: dropped */
};

/* The item is borrowed for the call. False: no more are wanted. */
typedef bool (*list_item_fn)(void *context, struct slice item);

void list_stream_init(struct list_stream *list, size_t ceiling);
void list_stream_release(struct list_stream *list);
/* A new answer begins. */
void list_stream_clear(struct list_stream *list);

/* STATUS_INVALID: not a list. */
NODISCARD enum status list_stream_feed(struct list_stream *list, const char *data, size_t len,
				       list_item_fn on_item, void *context, struct error *err);

/* The answer is whole: STATUS_OK only when its last brace came, it had items and a resourceVersion. */
NODISCARD enum status list_stream_end(const struct list_stream *list, struct error *err);

#endif
