/* SPDX-License-Identifier: Apache-2.0 */
/* The streaming half of the watch machine: watches, and lists that come as a stream. */
#include <assert.h>
#include <string.h>

#include "k8sclient/watch_machine_internal.h"

static void stream_request(struct watch_machine *m)
{
	uint64_t random = m->input->random;
	frames_clear(&m->frames);
	m->events = 0;
	m->bookmarked = false;
	/* Two independent draws of one value: its high and its low half. */
	m->idle_ms = WATCH_IDLE_MIN_MS + (random >> 32) % (WATCH_IDLE_MAX_MS - WATCH_IDLE_MIN_MS);
	m->timeout_s = WATCH_TIMEOUT_MIN_S + (unsigned)(random & 0xFFFFFFFFU) %
						 (WATCH_TIMEOUT_MAX_S - WATCH_TIMEOUT_MIN_S + 1);
	buffer_clear(&m->path);
	buffer_addf(&m->path, "%s%cwatch=1&allowWatchBookmarks=true&timeoutSeconds=%u",
		    m->base_path, strchr(m->base_path, '?') == NULL ? '?' : '&', m->timeout_s);
}

void stream_begin_watch(struct watch_machine *m, const char *why)
{
	stream_request(m);
	m->floating = strcmp(m->resource_version, "0") == 0;
	buffer_add_str(&m->path, "&resourceVersion=");
	path_add_escaped(&m->path, m->resource_version);
	machine_set_state(m, WATCH_STATE_WATCHING, why);
	machine_request(m, false);
}

void stream_begin_list(struct watch_machine *m, const char *why)
{
	stream_request(m);
	buffer_clear(&m->held_deletes);
	buffer_add_str(&m->path, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	if (m->mode == WATCH_LIST_ANY)
		buffer_add_str(&m->path, "&resourceVersion=0");
	if (m->mode == WATCH_LIST_NOT_OLDER) {
		buffer_add_str(&m->path, "&resourceVersion=");
		path_add_escaped(&m->path, m->resource_version);
	}
	machine_set_state(m, WATCH_STATE_STREAMING, why);
	machine_request(m, false);
}

static bool has_end_mark(struct slice object)
{
	struct slice metadata;
	struct slice annotations;
	struct slice mark;
	return slice_member(object, "metadata", &metadata) &&
	       slice_member(metadata, "annotations", &annotations) &&
	       slice_member(annotations, "k8s.io/initial-events-end", &mark) &&
	       slice_is_string(mark, "true");
}

/* What a frame leads to once libcurl's bytes are used up: the frames may not be touched before. */
struct outcome {
	struct watch_machine *m;
	bool refused;
	struct api_status status;  /* of an ERROR event */
	const char *leave;         /* why the streaming list is given up, or NULL */
	enum watch_list_mode mode; /* of the list that replaces it */
};

static bool release_delete(void *context, struct slice object)
{
	struct watch_machine *m = context;
	machine_tell(m, WATCH_DELETE, object);
	return true;
}

/* What was deleted while the list streamed in is told after it, so that a list consists of items only. */
static void release_held_deletes(struct watch_machine *m)
{
	struct frames held;
	struct error ignored;
	frames_init(&held, WATCH_HELD_DELETES_MAX);
	enum status status = frames_feed(&held, m->held_deletes.data, m->held_deletes.len,
					 release_delete, m, &ignored);
	assert(status == STATUS_OK); /* they were cut out of frames, so they are objects */
	(void)status;
	frames_release(&held);
	buffer_clear(&m->held_deletes);
}

/* The list is made anew, not as a stream. */
static void leave_streaming(struct watch_machine *m, const char *why)
{
	m->streaming_paused = true;
	list_abort(m);
	machine_cancel(m);
	list_begin(m, m->mode, why);
}

static void end_of_streaming_list(struct outcome *outcome, const char *version)
{
	struct watch_machine *m = outcome->m;
	if (!list_complete(m, version)) {
		outcome->leave = "resourceVersions went back";
		outcome->mode = WATCH_LIST_NEWEST;
		return;
	}
	release_held_deletes(m);
	m->floating = false;
	machine_set_state(m, WATCH_STATE_WATCHING, "streamed");
}

static void on_bookmark(struct outcome *outcome, struct slice object, const char *version)
{
	struct watch_machine *m = outcome->m;
	m->bookmarks = true;
	m->bookmarked = true;
	m->gone_in_row = 0;
	if (m->state == WATCH_STATE_WATCHING) {
		m->floating = false;
		(void)memcpy(m->resource_version, version, strlen(version) + 1);
	} else if (has_end_mark(object)) {
		end_of_streaming_list(outcome, version);
	} else {
		/* The first bookmark of a streaming list is its end mark, unless the server ignored the wish (S9). */
		m->streaming_refused = true;
		outcome->leave = "streaming list ignored";
	}
}

static void on_listed_change(struct outcome *outcome, bool deleted, struct slice object)
{
	struct watch_machine *m = outcome->m;
	if (!deleted) {
		list_item(m, object);
		return;
	}
	buffer_add(&m->held_deletes, object.data, object.len);
	if (m->held_deletes.full)
		outcome->leave = "too many deletions in a streaming list";
}

static void on_change(struct outcome *outcome, struct slice type, struct slice object,
		      const char *version)
{
	struct watch_machine *m = outcome->m;
	bool deleted = slice_is_string(type, "DELETED");
	m->events++;
	m->gone_in_row = 0;
	if (m->state == WATCH_STATE_STREAMING) {
		on_listed_change(outcome, deleted, object);
		return;
	}
	if (!slice_is_string(type, "ADDED"))
		m->floating = false;
	if (!m->floating)
		(void)memcpy(m->resource_version, version, strlen(version) + 1);
	machine_tell(m, deleted ? WATCH_DELETE : WATCH_PUT, object);
}

static bool is_table(struct slice object)
{
	struct slice kind;
	return slice_member(object, "kind", &kind) && slice_is_string(kind, "Table");
}

static bool is_change(struct slice type)
{
	return slice_is_string(type, "ADDED") || slice_is_string(type, "MODIFIED") ||
	       slice_is_string(type, "DELETED");
}

static bool on_frame(void *context, struct slice frame)
{
	struct outcome *outcome = context;
	struct watch_machine *m = outcome->m;
	struct slice type;
	struct slice object;
	char version[RESOURCE_VERSION_MAX];
	m->event_ms = m->input->now_ms;
	if (!slice_member(frame, "type", &type) || !slice_member(frame, "object", &object) ||
	    object.data[0] != '{') {
		machine_skip(m, "not a watch event");
	} else if (slice_is_string(type, "ERROR")) {
		outcome->refused = true;
		api_status_read(object.data, object.len, 0, &outcome->status);
	} else if (is_table(object)) {
		machine_skip(m, "a Table instead of an object");
	} else if (!slice_resource_version(object, version, sizeof(version)) || *version == '\0') {
		machine_skip(m, "event without resourceVersion");
	} else if (slice_is_string(type, "BOOKMARK")) {
		on_bookmark(outcome, object, version);
	} else if (is_change(type)) {
		on_change(outcome, type, object, version);
	} else {
		machine_skip(m, "unknown event type");
	}
	return !outcome->refused && outcome->leave == NULL;
}

void stream_bytes(struct watch_machine *m, struct slice data)
{
	struct error error;
	struct outcome outcome = {.m = m, .mode = m->mode};
	size_t skipped = m->frames.skipped;
	enum status status =
	    frames_feed(&m->frames, data.data, data.len, on_frame, &outcome, &error);
	for (; skipped < m->frames.skipped; skipped++)
		machine_skip(m, "event too large");
	if (outcome.refused) {
		machine_refused(m, &outcome.status);
	} else if (outcome.leave != NULL) {
		m->mode = outcome.mode;
		leave_streaming(m, outcome.leave);
	} else if (status != STATUS_OK) {
		machine_fail(m, &error, m->state == WATCH_STATE_WATCHING);
	}
}

/* S12: the end of a stream is normal, unless it hardly began. */
static bool was_short(const struct watch_machine *m)
{
	bool empty = m->events == 0 || m->input->error != NULL;
	return empty && m->input->now_ms - m->request_ms < WATCH_SHORT_MS;
}

void stream_close(struct watch_machine *m)
{
	struct error error;
	const struct error *broke = m->input->error;
	if (m->state == WATCH_STATE_STREAMING) {
		m->streaming_paused = true;
		(void)error_set(&error, STATUS_RETRY,
				"the streaming list ended before its end mark");
		machine_fail(m, broke != NULL ? broke : &error, false);
	} else if (was_short(m) || !m->answered) {
		(void)error_set(&error, STATUS_RETRY, "the watch ended at once");
		machine_fail(m, broke != NULL ? broke : &error, true);
	} else {
		if (broke != NULL)
			machine_tell_error(m, WATCH_TROUBLE, broke);
		stream_begin_watch(m,
				   broke != NULL ? broke->message : "the server ended the watch");
	}
}

void stream_idle(struct watch_machine *m)
{
	struct error error;
	bool answered = m->answered;
	m->fresh = true;
	(void)error_set(&error, STATUS_RETRY, "not a byte for %llu s",
			(unsigned long long)(m->input->now_ms - m->byte_ms) / 1000U);
	if (m->state == WATCH_STATE_STREAMING && answered) {
		m->streaming_refused = true;
		leave_streaming(m, "no end mark of a streaming list");
		return;
	}
	if (!answered) {
		machine_fail(m, &error, m->state == WATCH_STATE_WATCHING);
		return;
	}
	/* Perhaps this server sends none (any more): then its own end of the watch is the measure. */
	if (!m->bookmarked)
		m->bookmarks = false;
	machine_cancel(m);
	machine_tell_error(m, WATCH_TROUBLE, &error);
	stream_begin_watch(m, "idle");
}
