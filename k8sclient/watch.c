/* SPDX-License-Identifier: Apache-2.0 */
#include "k8sclient/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "k8sclient/client_internal.h"
#include "k8sclient/transport.h"
#include "k8sclient/watch_machine.h"

#define ACCEPT_METADATA                                                                            \
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define ACCEPT_METADATA_LIST                                                                       \
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

struct watch {
	struct client *client; /* NULL: orphan */
	struct watch *next;
	struct watch *previous;
	char *resource; /* "deployments.apps" or "deployments.apps in NS": for metrics and logs */
	bool metadata_only;
	struct buffer base_path;
	struct watch_machine machine;
	struct transfer *transfer;
	uv_timer_t *timer; /* freed by its close callback, so that the watch need not outlive it */
	watch_fn on_event;
	void *context;
	bool in_step;
	bool kicked;  /* while in a step */
	bool stopped; /* while in a step */
	struct metric *events;
	struct metric *relists;
	struct metric *failures;
	struct metric *skips;
	struct metric *up;
	struct metric *last_byte;
};

static void step(struct watch *watch, struct watch_input *input);

static void on_timer(uv_timer_t *timer)
{
	struct watch_input input = {.type = WATCH_INPUT_TIMER};
	step(timer->data, &input);
}

static void on_start(uv_timer_t *timer)
{
	struct watch_input input = {.type = WATCH_INPUT_START};
	step(timer->data, &input);
}

static void on_kick(uv_timer_t *timer)
{
	struct watch_input input = {.type = WATCH_INPUT_KICK};
	step(timer->data, &input);
}

static void on_timer_closed(uv_handle_t *timer)
{
	free(timer);
}

static void on_head(void *context, const struct transfer_head *head)
{
	struct watch_input input = {.type = WATCH_INPUT_HEAD,
				    .http_code = head->code,
				    .retry_after_ms = head->retry_after_ms};
	step(context, &input);
}

static void on_data(void *context, const char *data, size_t len)
{
	struct watch *watch = context;
	struct watch_input input = {.type = WATCH_INPUT_BYTES, .data = data, .len = len};
	metric_set(watch->last_byte, watch->resource, (double)time(NULL));
	step(watch, &input);
}

static void on_end(void *context, const struct transfer_end *end)
{
	struct watch *watch = context;
	struct watch_input input = {.type = WATCH_INPUT_CLOSE,
				    .error = end->status == STATUS_OK ? NULL : &end->error};
	watch->transfer = NULL;
	step(watch, &input);
}

static const struct transfer_handler transfer_handler = {on_head, on_data, on_end};

static void begin_request(struct watch *watch, const struct watch_actions *actions)
{
	const char *metadata = actions->lists ? ACCEPT_METADATA_LIST : ACCEPT_METADATA;
	struct transfer_spec spec = {.method = "GET",
				     .path = actions->path,
				     .accept = watch->metadata_only ? metadata : NULL,
				     .fresh_connection = actions->fresh,
				     .streams = true};
	watch->transfer = transfer_start(watch->client->transport, &spec, &transfer_handler, watch);
}

static void set_timer(struct watch *watch, uint64_t wake_ms, uint64_t now_ms)
{
	if (wake_ms == UINT64_MAX) {
		(void)uv_timer_stop(watch->timer);
		return;
	}
	uv_update_time(watch->client->loop);
	/* One millisecond more: libuv's clock is cut to whole ones. */
	(void)uv_timer_start(watch->timer, on_timer, wake_ms > now_ms ? wake_ms - now_ms + 1 : 1,
			     0);
}

static void watch_free(struct watch *watch)
{
	watch_machine_release(&watch->machine);
	buffer_release(&watch->base_path);
	free(watch->resource);
	free(watch);
}

static void carry_out(struct watch *watch, const struct watch_actions *actions, uint64_t now_ms)
{
	if (actions->cancel && watch->transfer != NULL) {
		transfer_cancel(watch->transfer);
		watch->transfer = NULL;
	}
	if (actions->request)
		begin_request(watch, actions);
	if (watch->kicked)
		(void)uv_timer_start(watch->timer, on_kick, 0, 0);
	else
		set_timer(watch, actions->wake_ms, now_ms);
	watch->kicked = false;
}

static void step(struct watch *watch, struct watch_input *input)
{
	struct watch_actions actions;
	input->now_ms = uv_hrtime() / 1000000U;
	input->random = client_random();
	watch->in_step = true;
	watch_machine_step(&watch->machine, input, &actions);
	watch->in_step = false;
	if (watch->stopped)
		watch_free(watch);
	else if (watch->client != NULL)
		carry_out(watch, &actions, input->now_ms);
}

static void count(struct watch *watch, struct metric *metric, const char *what)
{
	CLEANUP(str_freep) char *labels = xasprintf("%s\x1f%s", watch->resource, what);
	metric_add(metric, labels, 1);
}

static const char *const event_names[] = {[WATCH_LIST_BEGIN] = "list_begin",
					  [WATCH_LIST_ITEM] = "list_item",
					  [WATCH_LIST_ABORT] = "list_abort",
					  [WATCH_LIST_END] = "list_end",
					  [WATCH_PUT] = "put",
					  [WATCH_DELETE] = "delete",
					  [WATCH_ABSENT] = "absent",
					  [WATCH_DENIED] = "denied",
					  [WATCH_TROUBLE] = "trouble",
					  [WATCH_ALIVE] = "alive"};

static void sink_event(void *context, const struct watch_event *event)
{
	struct watch *watch = context;
	if (watch->stopped || watch->client == NULL)
		return;
	count(watch, watch->events, event_names[event->type]);
	if (event->reset)
		log_entry(watch->client->log, LOG_WARN,
			  "resourceVersions went back: was etcd restored from a backup?",
			  "resource", watch->resource, NULL);
	if (event->error != NULL)
		count(watch, watch->failures, status_info(event->error->status)->name);
	watch->on_event(watch->context, event);
}

static void sink_transition(void *context, enum watch_state from, enum watch_state to,
			    const char *why)
{
	struct watch *watch = context;
	if (watch->stopped || watch->client == NULL)
		return;
	log_entry(watch->client->log, LOG_DEBUG, "watch", "resource", watch->resource, "from",
		  watch_state_name(from), "to", watch_state_name(to), "why", why, NULL);
	metric_set(watch->up, watch->resource, to == WATCH_STATE_WATCHING ? 1 : 0);
	if (from == WATCH_STATE_WATCHING && to == WATCH_STATE_LISTING)
		count(watch, watch->relists, why);
}

static void sink_skipped(void *context, const char *why)
{
	struct watch *watch = context;
	if (watch->stopped || watch->client == NULL)
		return;
	count(watch, watch->skips, why);
	log_entry(watch->client->log, LOG_WARN, "skipped a part of a watch", "resource",
		  watch->resource, "why", why, NULL);
}

static const struct watch_sink sink = {sink_event, sink_transition, sink_skipped};

static void add_metrics(struct watch *watch, struct metrics *metrics)
{
	watch->events = metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_watch_events_total",
				       "Events of watches by resource and type.", "resource,type");
	watch->relists =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_watch_relists_total",
			   "Lists made anew by resource and reason.", "resource,reason");
	watch->failures =
	    metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_watch_failures_total",
			   "Failures of lists and watches.", "resource,status");
	watch->skips = metrics_family(metrics, METRIC_COUNTER, "llmd_tracing_watch_skipped_total",
				      "Items and events that were dropped.", "resource,reason");
	watch->up = metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_watch_up",
				   "1 while a watch is open.", "resource");
	watch->last_byte =
	    metrics_family(metrics, METRIC_GAUGE, "llmd_tracing_watch_last_byte_timestamp_seconds",
			   "When the last byte of a list or watch came.", "resource");
}

static char *resource_name(const struct watch_spec *spec)
{
	const char *slash = strchr(spec->api_version, '/');
	size_t group = slash == NULL ? 0 : (size_t)(slash - spec->api_version);
	const char *space = spec->namespace_name;
	return xasprintf("%s%s%.*s%s%s", spec->plural, group > 0 ? "." : "", (int)group,
			 spec->api_version, space != NULL ? "/" : "", space != NULL ? space : "");
}

static void build_base_path(struct watch *watch, const struct watch_spec *spec)
{
	struct buffer *path = &watch->base_path;
	buffer_init(path, KIB(8));
	path_build(path, spec->api_version, spec->plural, spec->namespace_name, NULL, NULL);
	if (spec->label_selector != NULL) {
		buffer_add_str(path, "?labelSelector=");
		path_add_escaped(path, spec->label_selector);
	}
	if (spec->field_selector != NULL) {
		buffer_add_str(path, spec->label_selector != NULL ? "&" : "?");
		buffer_add_str(path, "fieldSelector=");
		path_add_escaped(path, spec->field_selector);
	}
}

static void link_watch(struct watch *watch, struct client *client)
{
	watch->client = client;
	watch->next = client->watches;
	if (watch->next != NULL)
		watch->next->previous = watch;
	client->watches = watch;
}

struct watch *watch_start(struct client *client, const struct watch_spec *spec, watch_fn on_event,
			  void *context)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	link_watch(watch, client);
	watch->metadata_only = spec->metadata_only;
	watch->on_event = on_event;
	watch->context = context;
	watch->resource = resource_name(spec);
	build_base_path(watch, spec);
	add_metrics(watch, client->metrics);
	watch_machine_init(&watch->machine, watch->base_path.data, spec->streaming_list, &sink,
			   watch);
	watch->timer = xcalloc(1, sizeof(*watch->timer));
	(void)uv_timer_init(client->loop, watch->timer);
	watch->timer->data = watch;
	(void)uv_timer_start(watch->timer, on_start, 0, 0);
	return watch;
}

void watch_orphan(struct watch *watch)
{
	struct client *client = watch->client;
	if (watch->previous != NULL)
		watch->previous->next = watch->next;
	else
		client->watches = watch->next;
	if (watch->next != NULL)
		watch->next->previous = watch->previous;
	if (watch->transfer != NULL)
		transfer_cancel(watch->transfer);
	watch->transfer = NULL;
	uv_close((uv_handle_t *)watch->timer, on_timer_closed);
	metric_set(watch->up, watch->resource, 0);
	watch->client = NULL;
}

void watch_stop(struct watch *watch)
{
	if (watch->client != NULL)
		watch_orphan(watch);
	if (watch->in_step)
		watch->stopped = true;
	else
		watch_free(watch);
}

void watch_kick(struct watch *watch)
{
	if (watch->client == NULL)
		return;
	if (watch->in_step)
		watch->kicked = true;
	else if (watch->machine.state != WATCH_STATE_NEW)
		(void)uv_timer_start(watch->timer, on_kick, 0, 0);
}
