/* SPDX-License-Identifier: Apache-2.0 */
/* The list half of the watch machine: pages, begin and end, and what a list tells about the server's history. */
#include <string.h>

#include "k8sclient/watch_machine_internal.h"

static void path_begin(struct watch_machine *m)
{
	buffer_clear(&m->path);
	buffer_add_str(&m->path, m->base_path);
	buffer_add_char(&m->path, strchr(m->base_path, '?') == NULL ? '?' : '&');
}

/* `continue` must come without resourceVersion (S3). */
static void ask_for_page(struct watch_machine *m)
{
	bool limited = m->mode == WATCH_LIST_ANY || m->mode == WATCH_LIST_NEWEST || m->paginates;
	path_begin(m);
	if (m->page_follows) {
		buffer_addf(&m->path, "limit=%d&continue=", WATCH_PAGE_SIZE);
		path_add_escaped(&m->path, m->list.continue_token.data);
	} else {
		if (m->mode == WATCH_LIST_ANY)
			buffer_add_str(&m->path, "resourceVersion=0&");
		if (m->mode == WATCH_LIST_NOT_OLDER) {
			buffer_add_str(&m->path,
				       "resourceVersionMatch=NotOlderThan&resourceVersion=");
			path_add_escaped(&m->path, m->resource_version);
			buffer_add_char(&m->path, '&');
		}
		if (limited && m->mode != WATCH_LIST_FULL)
			buffer_addf(&m->path, "limit=%d&", WATCH_PAGE_SIZE);
		buffer_truncate(&m->path, m->path.len - 1); /* the last '?' or '&' */
	}
	list_stream_clear(&m->list);
	machine_request(m, true);
}

void list_begin(struct watch_machine *m, enum watch_list_mode mode, const char *why)
{
	bool streams = m->prefer_streaming || m->last_list_items >= WATCH_STREAM_LIST_ITEMS;
	if (mode == WATCH_LIST_NOT_OLDER && *m->resource_version == '\0')
		mode = WATCH_LIST_NEWEST;
	m->mode = mode;
	m->page_follows = false;
	m->list_items = 0;
	if (streams && !m->streaming_refused && !m->streaming_paused) {
		stream_begin_list(m, why);
		return;
	}
	m->streaming_paused = false;
	machine_set_state(m, WATCH_STATE_LISTING, why);
	ask_for_page(m);
}

void list_abort(struct watch_machine *m)
{
	if (m->list_begun)
		machine_tell(m, WATCH_LIST_ABORT, (struct slice){NULL, 0});
	m->list_begun = false;
	m->page_follows = false;
}

/*
 * A consistent list that is older than what we saw: etcd was restored from a backup, and
 * resourceVersions are handed out a second time.
 */
static bool went_back(const struct watch_machine *m, const char *resource_version)
{
	bool comparable = false;
	bool is_consistent = m->mode == WATCH_LIST_NEWEST || m->mode == WATCH_LIST_FULL;
	int order = resource_version_compare(resource_version, m->resource_version, &comparable);
	return is_consistent && comparable && order < 0;
}

/* The first page's metadata may stand before or after its items; before, a reset is known in time. */
static void ensure_begun(struct watch_machine *m)
{
	if (m->list_begun)
		return;
	m->list_begun = true;
	bool knows = m->state == WATCH_STATE_LISTING && m->list.has_metadata;
	m->list_resets = m->reset_pending || (knows && went_back(m, m->list.resource_version));
	machine_tell(m, WATCH_LIST_BEGIN, (struct slice){NULL, 0});
}

void list_item(struct watch_machine *m, struct slice object)
{
	ensure_begun(m);
	m->list_items++;
	machine_tell(m, WATCH_LIST_ITEM, object);
}

static bool on_item(void *context, struct slice object)
{
	list_item(context, object);
	return true;
}

void list_bytes(struct watch_machine *m, struct slice data)
{
	struct error error;
	size_t skipped = m->list.skipped;
	enum status status = list_stream_feed(&m->list, data.data, data.len, on_item, m, &error);
	for (; skipped < m->list.skipped; skipped++)
		machine_skip(m, "list item too large");
	if (status != STATUS_OK)
		machine_fail(m, &error, false);
}

bool list_complete(struct watch_machine *m, const char *resource_version)
{
	ensure_begun(m);
	if (went_back(m, resource_version) && !m->list_resets) {
		list_abort(m);
		m->reset_pending = true;
		return false;
	}
	m->reset_pending = false;
	m->last_list_items = m->list_items;
	m->list_begun = false;
	(void)memcpy(m->resource_version, resource_version, strlen(resource_version) + 1);
	list_stream_clear(&m->list); /* its largest piece need not be kept for the watch's life */
	machine_tell(m, WATCH_LIST_END, (struct slice){NULL, 0});
	return true;
}

static void page_complete(struct watch_machine *m)
{
	if (m->list.continue_token.len > 0) {
		ensure_begun(m);
		m->paginates = m->paginates || m->mode == WATCH_LIST_ANY;
		m->page_follows = true;
		ask_for_page(m);
	} else if (list_complete(m, m->list.resource_version)) {
		stream_begin_watch(m, "listed");
	} else {
		list_begin(m, WATCH_LIST_NEWEST, "resourceVersions went back");
	}
}

void list_close(struct watch_machine *m)
{
	struct error error;
	const struct error *broke = m->input->error;
	if (list_stream_end(&m->list, &error) == STATUS_OK)
		page_complete(m);
	else
		machine_fail(m, broke != NULL ? broke : &error, false);
}
