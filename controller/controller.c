/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/proof_view.h"
#include "controller/scan.h"
#include "inject/objects.h"

enum { TICK_MS = 5000 };

struct moment controller_now(void *context)
{
	struct timespec wall = {0};
	(void)context;
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){.wall_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000,
			       .mono_ms = uv_hrtime() / 1000000U};
}

/* --- namespaces of interest --- */

static size_t namespace_position(const struct controller *controller, const char *name,
				 bool *ret_found)
{
	size_t low = 0;
	size_t high = controller->namespace_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(controller->namespaces[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < controller->namespace_count &&
		     strcmp(controller->namespaces[low]->name, name) == 0;
	return low;
}

struct namespace *controller_namespace(const struct controller *controller, const char *name)
{
	bool found = false;
	size_t index = namespace_position(controller, name, &found);
	return found ? controller->namespaces[index] : NULL;
}

struct namespace *controller_need_namespace(struct controller *controller, const char *name)
{
	bool found = false;
	size_t index = namespace_position(controller, name, &found);
	if (found)
		return controller->namespaces[index];
	controller->namespaces =
	    grow(controller->namespaces, controller->namespace_count, sizeof(struct namespace *));
	memmove(controller->namespaces + index + 1, controller->namespaces + index,
		(controller->namespace_count - index) * sizeof(struct namespace *));
	controller->namespace_count++;
	controller->namespaces[index] = namespace_new(name);
	return controller->namespaces[index];
}

void controller_forget_namespace(struct controller *controller, struct namespace *space)
{
	bool found = false;
	size_t index = namespace_position(controller, space->name, &found);
	if (!found)
		return;
	controller->namespace_count--;
	memmove(controller->namespaces + index, controller->namespaces + index + 1,
		(controller->namespace_count - index) * sizeof(struct namespace *));
	base_configs_drop(controller->configs, space->name);
	store_unkeep(controller->store, space->name);
	namespace_free(space);
}

struct scope *controller_scope(const struct controller *controller, const char *namespace_name)
{
	for (size_t i = 0; i < controller->scope_count; i++)
		if (controller->scopes[i].namespace_name == NULL ||
		    text_equal(controller->scopes[i].namespace_name, namespace_name))
			return &controller->scopes[i];
	return NULL;
}

/* --- what act brings back --- */

static void on_object(void *context, enum resource_id resource, const char *json, size_t len)
{
	struct controller *controller = context;
	(void)store_put(controller->store, resource, json, len, false);
}

static void on_missing(void *context, enum resource_id resource, const char *namespace_name,
		       const char *name)
{
	struct controller *controller = context;
	store_forget(controller->store, resource, namespace_name, name);
}

static void on_written(void *context, const struct intent *intent, const char *json, size_t len)
{
	struct controller *controller = context;
	struct namespace *space = controller_namespace(controller, intent->namespace_name);
	if (space == NULL)
		return;
	if (intent->part != PART_NONE)
		refusal_clear(&space->refusals[intent->part]);
	if (intent->type == INTENT_PATCH && intent->revert)
		metric_add(controller->metrics.reverts, "", 1);
	if (intent->type == INTENT_STATUS)
		debounce_note(&space->status_writes, controller_now(controller).mono_ms);
	if (intent->type == INTENT_DELETE && intent->resource == RESOURCE_TRACING)
		space->tracing_seen = false; /* we took it away: its absence means nothing */
	if (intent->type != INTENT_APPLY)
		return;
	const char *kind = resource_get(intent->resource)->kind;
	for (size_t i = 0; i < owned_object_count && i < ARRAY_LEN(space->settled); i++) {
		if (strcmp(owned_objects[i].kind, kind) != 0 ||
		    strcmp(owned_objects[i].name, intent->name) != 0)
			continue;
		free(space->settled[i]);
		space->settled[i] =
		    piece_string(scan_path((struct piece){json, len}, "metadata.resourceVersion"));
	}
}

static void on_secret(struct controller *controller, const struct intent *intent,
		      const struct response *response)
{
	struct namespace *space = controller_namespace(controller, intent->namespace_name);
	CLEANUP(json_freep) cJSON *metadata = NULL;
	struct error err;
	if (space == NULL)
		return;
	if (response->status == STATUS_OK &&
	    json_parse(response->body, response->body_len, &metadata, &err) != STATUS_OK)
		return;
	secrets_note(&space->secrets, space->name, intent->name, metadata,
		     response->status == STATUS_DENIED ? response->error.message : NULL,
		     controller_now(controller).mono_ms);
	add_namespace_key(controller, space->name, 0);
}

static void on_read(void *context, const struct intent *intent, const struct response *response)
{
	struct controller *controller = context;
	size_t count = 0;
	bool there = response->status == STATUS_OK;
	if (intent->type == INTENT_LOG) {
		wake_with_log(controller, intent, response);
		return;
	}
	if (intent->resource == RESOURCE_SECRET) {
		on_secret(controller, intent, response);
		return;
	}
	base_configs_put(controller->configs, intent->namespace_name, intent->name,
			 there ? response->body : NULL, there ? response->body_len : 0);
	struct object *const *services =
	    store_range(controller->store, RESOURCE_MODELSERVICE, intent->namespace_name, &count);
	for (size_t i = 0; i < count; i++)
		add_workload_key(controller, RESOURCE_MODELSERVICE, intent->namespace_name,
				 services[i]->name);
}

static void on_ask(void *context, const struct intent *intent)
{
	struct controller *controller = context;
	struct trace_hops hops;
	struct namespace *space = controller_namespace(controller, intent->namespace_name);
	if (space == NULL || controller->closing)
		return;
	if (!asker_may_send(controller->asker)) {
		proof_put_off(&space->proof, controller_now(controller).mono_ms);
		add_namespace_key(controller, space->name, 0);
		return;
	}
	proof_hops(&space->roster, &hops);
	unsigned long turn = proof_asked(&space->proof, &hops);
	free(hops.items);
	struct asking asking = {.service = intent->name,
				.port = intent->port,
				.path = intent->note,
				.tenant = intent->word,
				.engine = intent->body};
	asker_send(controller->asker, space->name, &asking, turn);
}

static void on_answered(void *context, const char *namespace_name, unsigned long turn,
			const struct proof_reply *reply)
{
	struct controller *controller = context;
	struct namespace *space = controller_namespace(controller, namespace_name);
	if (space == NULL)
		return;
	if (reply->status != STATUS_OK)
		log_entry(controller->log, LOG_DEBUG, "a question was not answered", "namespace",
			  namespace_name, "error", reply->message, NULL);
	proof_answer(&space->proof, turn, reply, controller_now(controller));
	add_namespace_key(controller, namespace_name, 0);
}

/* --- timers --- */

static void on_pump_timer(uv_timer_t *timer)
{
	pump(timer->data);
}

void pump_soon(struct controller *controller)
{
	if (controller->closing || !controller->ready || controller->draining ||
	    controller->busy >= controller->max_concurrent)
		return;
	uint64_t wait = queue_wait(controller->queue, controller_now(controller).mono_ms);
	if (wait == UINT64_MAX)
		return;
	uv_update_time(controller->loop);
	/* Not 0: libuv runs a timer that is due at once in the same turn, and no socket gets a word in. */
	(void)uv_timer_start(&controller->pump_timer, on_pump_timer, wait == 0 ? 1 : wait, 0);
}

static void on_tick(uv_timer_t *timer)
{
	struct controller *controller = timer->data;
	controller->ticks++;
	for (size_t i = 0; i < controller->scope_count; i++)
		scope_tick(&controller->scopes[i]);
	listing_tick(controller);
	surveyor_tick(controller->surveyor);
}

bool controller_is_ready(const struct controller *controller)
{
	return controller->ready && !controller->draining;
}

void controller_explain(const struct controller *controller, struct buffer *out)
{
	if (controller->draining)
		buffer_add_str(out, "stopping");
	else if (!controller->ready)
		buffer_add_str(out, "waiting for lists:");
	for (size_t i = 0; !controller->ready && i < controller->scope_count; i++)
		for (size_t k = 0; k < RESOURCE_COUNT; k++)
			if (!controller->scopes[i].feeds[k].settled)
				buffer_addf(out, " %s", resource_get((enum resource_id)k)->plural);
	for (size_t i = 0; i < controller->scope_count; i++) {
		const struct scope *scope = &controller->scopes[i];
		for (size_t k = 0; k < RESOURCE_COUNT; k++)
			if (scope->denied[k] != NULL)
				buffer_addf(out, "\ncannot read %s%s%s: %s",
					    resource_get((enum resource_id)k)->plural,
					    scope->namespace_name == NULL ? "" : " in namespace ",
					    scope->namespace_name == NULL ? ""
									  : scope->namespace_name,
					    scope->denied[k]);
	}
}

/* --- life --- */

static void init_actor(struct controller *controller)
{
	controller->actor.client = controller->client;
	controller->actor.log = controller->log;
	controller->actor.events = controller->events;
	controller->actor.dry_run = controller->options.dry_run;
	controller->actor.now = controller_now;
	controller->actor.on_object = on_object;
	controller->actor.on_missing = on_missing;
	controller->actor.on_written = on_written;
	controller->actor.on_read = on_read;
	controller->actor.on_ask = on_ask;
	controller->actor.on_rehearse = rehearsals_begin;
	controller->actor.on_survey = wake_surveyor;
	controller->actor.on_pods = lookout_begin;
	controller->actor.context = controller;
}

struct controller *controller_new(uv_loop_t *loop, struct client *client, const struct log *log,
				  struct metrics *metrics, const struct controller_config *config)
{
	struct controller *controller = xcalloc(1, sizeof(*controller));
	controller->loop = loop;
	controller->client = client;
	controller->log = log;
	controller->options = config->options;
	controller->max_concurrent = config->max_concurrent;
	controller->store = store_new(on_store_change, controller);
	controller->queue = queue_new();
	controller->configs = base_configs_new();
	controller->events = events_new(config->instance);
	controller->asker =
	    asker_new(client, &controller->options, metrics, on_answered, controller);
	controller->rehearser = rehearsals_new(controller, config->namespaces == NULL);
	controller->surveyor = surveyor_new(client, config->namespaces == NULL, controller_now,
					    wake_surveying, controller);
	measure_register(controller, metrics);
	init_actor(controller);
	controller->actor.namespaced = config->namespaces != NULL;
	controller->scope_count = config->namespaces == NULL ? 1 : config->namespace_count;
	controller->scopes = xcalloc(controller->scope_count, sizeof(struct scope));
	for (size_t i = 0; i < controller->scope_count; i++)
		scope_init(controller, &controller->scopes[i],
			   config->namespaces == NULL ? NULL : config->namespaces[i]);
	(void)uv_timer_init(loop, &controller->pump_timer);
	(void)uv_timer_init(loop, &controller->tick_timer);
	controller->pump_timer.data = controller;
	controller->tick_timer.data = controller;
	controller->handles = 2;
	return controller;
}

void controller_start(struct controller *controller)
{
	for (size_t i = 0; i < controller->scope_count; i++)
		scope_start(&controller->scopes[i]);
	if (controller->scopes[0].namespace_name == NULL)
		start_crd_watch(controller);
	(void)uv_timer_start(&controller->tick_timer, on_tick, TICK_MS, TICK_MS);
}

void controller_drain(struct controller *controller, void (*drained)(void *context), void *context)
{
	controller->draining = true;
	rehearser_stop(controller->rehearser);
	if (controller->busy == 0) {
		drained(context);
		return;
	}
	controller->drained = drained;
	controller->drained_context = context;
}

static void on_closed(uv_handle_t *handle)
{
	struct controller *controller = handle->data;
	if (--controller->handles > 0)
		return;
	for (size_t i = 0; i < controller->namespace_count; i++)
		namespace_free(controller->namespaces[i]);
	free(controller->namespaces);
	free(controller->listings);
	free(controller->actor.would);
	free(controller->scopes);
	store_freep(&controller->store);
	queue_freep(&controller->queue);
	base_configs_freep(&controller->configs);
	events_freep(&controller->events);
	free(controller);
}

void controller_close(struct controller *controller)
{
	controller->closing = true;
	asker_freep(&controller->asker);
	rehearser_freep(&controller->rehearser);
	surveyor_freep(&controller->surveyor);
	lookout_stop_all(controller);
	for (size_t i = 0; i < controller->namespace_count; i++)
		listing_stop(controller, controller->namespaces[i]);
	for (size_t i = 0; i < controller->scope_count; i++)
		scope_stop(&controller->scopes[i]);
	if (controller->crds != NULL)
		watch_stop(controller->crds);
	uv_close((uv_handle_t *)&controller->pump_timer, on_closed);
	uv_close((uv_handle_t *)&controller->tick_timer, on_closed);
}
