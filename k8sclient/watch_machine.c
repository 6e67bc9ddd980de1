/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/watch_machine.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "k8sclient/watch_machine_internal.h"

static const char *const state_names[WATCH_STATE_COUNT] = {
    [WATCH_STATE_NEW] = "new",
    [WATCH_STATE_LISTING] = "listing",
    [WATCH_STATE_STREAMING] = "streaming-list",
    [WATCH_STATE_WATCHING] = "watching",
    [WATCH_STATE_BACKOFF] = "backoff",
    [WATCH_STATE_ABSENT] = "absent",
    [WATCH_STATE_DENIED] = "denied",
};

const char *watch_state_name(enum watch_state state)
{
	return state_names[state];
}

void watch_machine_init(struct watch_machine *m, const char *base_path, bool prefer_streaming,
			const struct watch_sink *sink, void *context)
{
	*m = (struct watch_machine){.sink = sink,
				    .context = context,
				    .base_path = base_path,
				    .prefer_streaming = prefer_streaming,
				    .state = WATCH_STATE_NEW,
				    .absent_ms = WATCH_ABSENT_MIN_MS,
				    .denied_ms = WATCH_DENIED_MIN_MS};
	list_stream_init(&m->list, LIMIT_WATCH_FRAME_BYTES);
	frames_init(&m->frames, LIMIT_WATCH_FRAME_BYTES);
	buffer_init(&m->path, KIB(64));
	buffer_init(&m->refusal, WATCH_REFUSAL_MAX);
	buffer_init(&m->held_deletes, WATCH_HELD_DELETES_MAX);
}

void watch_machine_release(struct watch_machine *m)
{
	list_stream_release(&m->list);
	frames_release(&m->frames);
	buffer_release(&m->path);
	buffer_release(&m->refusal);
	buffer_release(&m->held_deletes);
}

void machine_set_state(struct watch_machine *m, enum watch_state to, const char *why)
{
	enum watch_state from = m->state;
	m->state = to;
	m->sink->transition(m->context, from, to, why);
}

void machine_tell(struct watch_machine *m, enum watch_event_type type, struct slice object)
{
	struct watch_event event = {.type = type, .object = object.data, .object_len = object.len};
	if (type == WATCH_LIST_BEGIN)
		event.reset = m->list_resets;
	if (type == WATCH_LIST_END)
		event.resource_version = m->resource_version;
	m->sink->event(m->context, &event);
}

void machine_tell_error(struct watch_machine *m, enum watch_event_type type,
			const struct error *error)
{
	struct watch_event event = {.type = type, .error = error};
	m->troubled = true;
	m->sink->event(m->context, &event);
}

void machine_skip(struct watch_machine *m, const char *why)
{
	m->sink->skipped(m->context, why);
}

void machine_cancel(struct watch_machine *m)
{
	if (m->under_way)
		m->actions->cancel = true;
	m->under_way = false;
}

void machine_request(struct watch_machine *m, bool lists)
{
	assert(!m->under_way && !m->path.full);
	m->under_way = true;
	m->answered = false;
	m->accepted = false;
	m->http_code = 0;
	m->retry_after_ms = 0;
	m->request_ms = m->byte_ms = m->event_ms = m->input->now_ms;
	buffer_clear(&m->refusal);
	m->actions->request = true;
	m->actions->path = m->path.data;
	m->actions->lists = lists;
	m->actions->fresh = m->fresh;
	m->fresh = false;
}

/* S13: [d, 2d), d from 800 ms doubling to 30 s, forgotten after 2 min without. */
static uint64_t next_backoff(struct watch_machine *m)
{
	uint64_t now = m->input->now_ms;
	if (m->backoff_ms == 0 || now - m->backoff_at_ms >= WATCH_BACKOFF_RESET_MS)
		m->backoff_ms = WATCH_BACKOFF_MIN_MS;
	uint64_t wait = m->backoff_ms + m->input->random % m->backoff_ms;
	m->backoff_ms *= 2;
	if (m->backoff_ms > WATCH_BACKOFF_MAX_MS)
		m->backoff_ms = WATCH_BACKOFF_MAX_MS;
	m->backoff_at_ms = now + wait;
	return wait;
}

static void wait_in(struct watch_machine *m, enum watch_state state, uint64_t wait_ms,
		    const char *why)
{
	machine_cancel(m);
	m->until_ms = m->input->now_ms + wait_ms;
	machine_set_state(m, state, why);
}

void machine_fail(struct watch_machine *m, const struct error *error, bool then_watch)
{
	uint64_t wait = next_backoff(m);
	if (m->retry_after_ms > 0) {
		wait = m->retry_after_ms;
		wait += m->input->random % (wait / 4 + 1);
	}
	list_abort(m);
	m->then_watch = then_watch;
	machine_tell_error(m, WATCH_TROUBLE, error);
	wait_in(m, WATCH_STATE_BACKOFF, wait, error->message);
}

/* [d, 2d), d doubling: soon at first, then seldom, since somebody has to grant the right. */
static uint64_t denied_wait(struct watch_machine *m)
{
	uint64_t wait = m->denied_ms + m->input->random % m->denied_ms;
	m->denied_ms *= 2;
	if (m->denied_ms > WATCH_DENIED_MAX_MS)
		m->denied_ms = WATCH_DENIED_MAX_MS;
	return wait;
}

static void deny(struct watch_machine *m, const struct error *error)
{
	list_abort(m);
	m->then_watch = *m->resource_version != '\0' && m->state == WATCH_STATE_WATCHING;
	machine_tell_error(m, WATCH_DENIED, error);
	wait_in(m, WATCH_STATE_DENIED, denied_wait(m), error->message);
}

static uint64_t absent_wait(struct watch_machine *m)
{
	if (m->kicked)
		return WATCH_ABSENT_KICKED_MS + m->input->random % WATCH_ABSENT_KICKED_MS;
	uint64_t wait = m->absent_ms + m->input->random % (m->absent_ms / 2);
	m->absent_ms *= 2;
	if (m->absent_ms > WATCH_ABSENT_MAX_MS)
		m->absent_ms = WATCH_ABSENT_MAX_MS;
	return wait;
}

/* Looked for again ever more seldom: a CRD that appears is announced by a kick. */
static void park(struct watch_machine *m, const struct error *error)
{
	uint64_t wait = absent_wait(m);
	m->kicked = false;
	list_abort(m);
	m->then_watch = false;
	m->mode = *m->resource_version == '\0' ? WATCH_LIST_ANY : WATCH_LIST_NEWEST;
	if (!m->told_absent)
		machine_tell_error(m, WATCH_ABSENT, error);
	m->told_absent = true;
	wait_in(m, WATCH_STATE_ABSENT, wait, error->message);
}

/* Two such answers in a row without any progress, and the next list waits. */
static void relist_at_once(struct watch_machine *m, enum watch_list_mode mode,
			   const struct error *error, const char *why)
{
	bool worn_out = m->gone_in_row++ > 1;
	m->mode = mode;
	if (worn_out) {
		machine_fail(m, error, false);
		return;
	}
	list_abort(m);
	machine_cancel(m);
	list_begin(m, mode, why);
}

static void refused_as_gone(struct watch_machine *m, const struct error *error)
{
	enum watch_list_mode mode = WATCH_LIST_NEWEST;
	if (m->state == WATCH_STATE_WATCHING && *m->resource_version != '\0')
		mode = WATCH_LIST_NOT_OLDER;
	else if (m->state == WATCH_STATE_LISTING && m->page_follows)
		mode = WATCH_LIST_FULL;
	relist_at_once(m, mode, error, "410 gone");
}

void machine_refused(struct watch_machine *m, const struct api_status *status)
{
	struct error error;
	bool watched = m->state == WATCH_STATE_WATCHING;
	(void)error_set(&error, api_status_reaction(status->code), "%s", status->message);
	if (status->retry_after_ms > m->retry_after_ms)
		m->retry_after_ms = status->retry_after_ms;
	if (m->state == WATCH_STATE_STREAMING) {
		m->streaming_paused = true;
		if (status->code == 400 || status->code == 422)
			m->streaming_refused = true;
	}
	if (api_status_is_gone(status)) {
		refused_as_gone(m, &error);
	} else if (api_status_is_too_large_version(status)) {
		relist_at_once(m, WATCH_LIST_NEWEST, &error, "too large resourceVersion");
	} else if (status->code == 401 || status->code == 403) {
		deny(m, &error);
	} else if (status->code == 404 && watched) {
		/* Perhaps one server of several does not know the kind yet: absent is what a list says. */
		m->mode = WATCH_LIST_NEWEST;
		machine_fail(m, &error, false);
	} else if (status->code == 404) {
		park(m, &error);
	} else if (status->code == 429) {
		machine_fail(m, &error, watched);
	} else if (status->code == 400 || status->code == 422) {
		if (m->state == WATCH_STATE_STREAMING) {
			relist_at_once(m, m->mode, &error, "streaming list refused");
			return;
		}
		m->mode = WATCH_LIST_NEWEST;
		machine_fail(m, &error, false);
	} else {
		if (watched)
			m->mode = WATCH_LIST_NOT_OLDER;
		machine_fail(m, &error, false);
	}
}

static void go_on(struct watch_machine *m, const char *why)
{
	if (m->then_watch && *m->resource_version != '\0')
		stream_begin_watch(m, why);
	else
		list_begin(m, m->mode, why);
}

static bool is_waiting(const struct watch_machine *m)
{
	return m->state == WATCH_STATE_BACKOFF || m->state == WATCH_STATE_ABSENT ||
	       m->state == WATCH_STATE_DENIED;
}

static void on_head(struct watch_machine *m)
{
	m->answered = true;
	m->accepted = m->input->http_code >= 200 && m->input->http_code < 300;
	m->http_code = m->input->http_code;
	m->retry_after_ms = m->input->retry_after_ms;
	m->byte_ms = m->event_ms = m->input->now_ms;
	if (!m->accepted)
		return;
	m->retry_after_ms = 0;
	m->told_absent = false;
	m->kicked = false;
	m->absent_ms = WATCH_ABSENT_MIN_MS;
	m->denied_ms = WATCH_DENIED_MIN_MS;
	if (m->troubled)
		machine_tell(m, WATCH_ALIVE, (struct slice){NULL, 0});
	m->troubled = false;
}

static void on_bytes(struct watch_machine *m)
{
	struct slice data = {m->input->data, m->input->len};
	m->byte_ms = m->input->now_ms;
	if (!m->accepted)
		buffer_add(&m->refusal, data.data, data.len);
	else if (m->state == WATCH_STATE_LISTING)
		list_bytes(m, data);
	else
		stream_bytes(m, data);
}

static void on_close(struct watch_machine *m)
{
	m->under_way = false;
	if (m->answered && !m->accepted) {
		struct api_status status;
		api_status_read(m->refusal.data, m->refusal.len, m->http_code, &status);
		machine_refused(m, &status);
	} else if (m->state == WATCH_STATE_LISTING) {
		list_close(m);
	} else {
		stream_close(m);
	}
}

static void on_timer(struct watch_machine *m)
{
	if (is_waiting(m)) {
		go_on(m, "waited");
	} else if (m->state == WATCH_STATE_LISTING) {
		struct error error;
		m->fresh = true;
		(void)error_set(&error, STATUS_RETRY, "the list stood still for %d s",
				WATCH_LIST_IDLE_MS / 1000);
		machine_fail(m, &error, false);
	} else {
		stream_idle(m);
	}
}

/* When the present state has lasted too long. */
static uint64_t deadline(const struct watch_machine *m)
{
	if (is_waiting(m))
		return m->until_ms;
	if (m->state == WATCH_STATE_LISTING)
		return m->byte_ms + WATCH_LIST_IDLE_MS;
	if (m->state == WATCH_STATE_STREAMING)
		return m->answered ? m->event_ms + WATCH_STREAM_LIST_IDLE_MS
				   : m->byte_ms + WATCH_LIST_IDLE_MS;
	if (m->state != WATCH_STATE_WATCHING)
		return UINT64_MAX;
	if (!m->answered)
		return m->request_ms + WATCH_HEAD_TIMEOUT_MS;
	if (m->bookmarks)
		return m->byte_ms + m->idle_ms;
	return m->request_ms + (uint64_t)m->timeout_s * 1000U + WATCH_DEADLINE_GRACE_MS;
}

void watch_machine_step(struct watch_machine *m, const struct watch_input *input,
			struct watch_actions *ret_actions)
{
	*ret_actions = (struct watch_actions){0};
	m->input = input;
	m->actions = ret_actions;
	switch (input->type) {
	case WATCH_INPUT_START:
		list_begin(m, WATCH_LIST_ANY, "started");
		break;
	case WATCH_INPUT_KICK:
		m->kicked = m->state != WATCH_STATE_WATCHING;
		m->absent_ms = WATCH_ABSENT_MIN_MS;
		if (is_waiting(m))
			go_on(m, "kicked");
		break;
	case WATCH_INPUT_TIMER:
		if (input->now_ms >= deadline(m))
			on_timer(m);
		break;
	case WATCH_INPUT_HEAD:
		if (m->under_way)
			on_head(m);
		break;
	case WATCH_INPUT_BYTES:
		if (m->under_way)
			on_bytes(m);
		break;
	case WATCH_INPUT_CLOSE:
		if (m->under_way)
			on_close(m);
		break;
	}
	ret_actions->wake_ms = deadline(m);
	m->input = NULL;
	m->actions = NULL;
}
