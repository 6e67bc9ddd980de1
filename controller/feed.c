/* SPDX-License-Identifier: Apache-2.0 */
/* Watches feed the store, one kind in one scope each. One that fails leaves the others working. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/scan.h"

enum {
	TROUBLE_SETTLES_MS = 15000, /* a first list that fails for so long is not waited for */
	NAMESPACE_EVERY_TICKS = 6,  /* 30 s: Roles cannot watch Namespaces */
	DISCOVERY_EVERY_TICKS = 11, /* within 60 s: nor CustomResourceDefinitions */
};

static bool is_first(enum resource_id resource)
{
	return resource == RESOURCE_NAMESPACE || resource == RESOURCE_TRACING;
}

static bool is_on_demand(enum resource_id resource)
{
	return (resource_get(resource)->flags & RESOURCE_ON_DEMAND) != 0;
}

static void note_denied(struct feed *feed, const char *why)
{
	char *kept = why == NULL ? NULL : xstrdup(why);
	free(feed->denied);
	feed->denied = kept;
	feed->scope->denied[feed->resource] = feed->denied;
}

static void settle(struct feed *feed, enum access access, const char *why)
{
	struct scope *scope = feed->scope;
	struct controller *controller = feed->controller;
	bool changed = scope->access[feed->resource] != access ||
		       (access == ACCESS_DENIED && !text_equal(feed->denied, why));
	bool first = !feed->settled;
	scope->access[feed->resource] = access;
	note_denied(feed, access == ACCESS_DENIED ? why : NULL);
	feed->settled = true;
	feed->trouble_since_ms = 0;
	if (changed && access != ACCESS_READABLE)
		log_entry(controller->log, access == ACCESS_ABSENT ? LOG_INFO : LOG_WARN,
			  access == ACCESS_ABSENT ? "kind is not served" : "kind cannot be read",
			  "apiVersion", resource_get(feed->resource)->api_version, "kind",
			  resource_get(feed->resource)->kind, "namespace", scope->namespace_name,
			  "error", why, NULL);
	if (first || changed)
		controller_check_ready(controller);
	if (changed && controller->ready)
		for (size_t i = 0; i < controller->namespace_count; i++)
			add_namespace_key(controller, controller->namespaces[i]->name, 0);
}

void feed_note_access(struct controller *controller, const char *namespace_name,
		      enum resource_id resource, const char *why)
{
	struct scope *scope = controller_scope(controller, namespace_name);
	if (scope == NULL || text_equal(scope->denied[resource], why))
		return;
	note_denied(&scope->feeds[resource], why);
	if (why != NULL)
		log_entry(controller->log, LOG_WARN, "kind cannot be read", "kind",
			  resource_get(resource)->kind, "namespace", namespace_name, "error", why,
			  NULL);
	for (size_t i = 0; i < controller->namespace_count; i++)
		add_namespace_key(controller, controller->namespaces[i]->name, 0);
}

static void put(struct feed *feed, const struct watch_event *event, bool force)
{
	if (store_put(feed->controller->store, feed->resource, event->object, event->object_len,
		      force))
		return;
	metric_add(feed->controller->metrics.broken, resource_get(feed->resource)->plural, 1);
}

/* What is gone with the kind is gone from the store. */
static void forget_kind(struct feed *feed)
{
	struct store *store = feed->controller->store;
	if (feed->scope->namespace_name == NULL)
		store_clear(store, feed->resource);
	else
		store_end_list(store, feed->resource, feed->scope->namespace_name,
			       store_mark(store), NULL);
}

void feed_event(void *context, const struct watch_event *event)
{
	struct feed *feed = context;
	struct store *store = feed->controller->store;
	if (feed->only != NULL) {
		listing_event(feed, event);
		return;
	}
	switch (event->type) {
	case WATCH_LIST_BEGIN:
		feed->mark = store_mark(store);
		feed->force = event->reset;
		feed->trouble_since_ms = 0;
		break;
	case WATCH_LIST_ITEM:
		put(feed, event, feed->force);
		break;
	case WATCH_PUT:
		put(feed, event, false);
		break;
	case WATCH_DELETE:
		if (!store_delete(store, feed->resource, event->object, event->object_len))
			metric_add(feed->controller->metrics.broken,
				   resource_get(feed->resource)->plural, 1);
		break;
	case WATCH_LIST_END:
		store_end_list(store, feed->resource, feed->scope->namespace_name, feed->mark,
			       feed->force ? NULL : event->resource_version);
		feed->force = false;
		settle(feed, ACCESS_READABLE, NULL);
		break;
	case WATCH_ABSENT:
		forget_kind(feed);
		settle(feed, ACCESS_ABSENT, NULL);
		break;
	case WATCH_DENIED:
		settle(feed, ACCESS_DENIED, event->error->message);
		break;
	case WATCH_TROUBLE:
		if (feed->trouble_since_ms == 0)
			feed->trouble_since_ms = controller_now(feed->controller).mono_ms;
		log_entry(feed->controller->log, LOG_DEBUG, "watch trouble", "kind",
			  resource_get(feed->resource)->kind, "error", event->error->message, NULL);
		break;
	case WATCH_LIST_ABORT: /* what came is true all the same; the next list decides what is gone */
	case WATCH_ALIVE:
		break;
	}
}

static void start_feed(struct scope *scope, enum resource_id id)
{
	const struct resource *resource = resource_get(id);
	struct feed *feed = &scope->feeds[id];
	struct watch_spec spec = {.api_version = resource->api_version,
				  .plural = resource->plural,
				  .namespace_name = scope->namespace_name,
				  .label_selector = resource->label_selector,
				  .metadata_only = id == RESOURCE_NAMESPACE};
	feed->watch = watch_start(feed->controller->client, &spec, feed_event, feed);
}

/* --- namespaced mode: the Namespace itself by GET --- */

static void on_namespace(void *context, const struct response *response)
{
	struct feed *feed = context;
	struct controller *controller = feed->controller;
	if (response->status == STATUS_OK) {
		(void)store_put(controller->store, RESOURCE_NAMESPACE, response->body,
				response->body_len, false);
		settle(feed, ACCESS_READABLE, NULL);
	} else if (response->status == STATUS_NOT_FOUND) {
		controller->actor.on_missing(controller, RESOURCE_NAMESPACE, "",
					     feed->scope->namespace_name);
		settle(feed, ACCESS_READABLE, NULL);
	} else if (response->status == STATUS_DENIED) {
		settle(feed, ACCESS_DENIED, response->error.message);
	}
}

static void read_namespace(struct scope *scope)
{
	struct feed *feed = &scope->feeds[RESOURCE_NAMESPACE];
	struct buffer path;
	buffer_init(&path, 1024);
	path_build(&path, "v1", "namespaces", NULL, scope->namespace_name, NULL);
	struct request_spec spec = {.method = "GET", .path = path.data};
	(void)client_send(feed->controller->client, &spec, on_namespace, feed);
	buffer_release(&path);
}

/* --- start, in two steps --- */

void scope_init(struct controller *controller, struct scope *scope, const char *namespace_name)
{
	scope->namespace_name = namespace_name == NULL ? NULL : xstrdup(namespace_name);
	for (size_t i = 0; i < RESOURCE_COUNT; i++)
		scope->feeds[i] = (struct feed){.controller = controller,
						.scope = scope,
						.resource = (enum resource_id)i,
						.settled = is_on_demand((enum resource_id)i)};
}

void scope_start(struct scope *scope)
{
	if (scope->namespace_name == NULL)
		start_feed(scope, RESOURCE_NAMESPACE);
	else
		read_namespace(scope);
	start_feed(scope, RESOURCE_TRACING);
}

static bool is_switched_on(const struct object *namespace_object)
{
	struct piece json = {namespace_object->json, namespace_object->json_len};
	struct piece annotations = scan_path(json, "metadata.annotations");
	return piece_is_string(scan_get(annotations, ANNOTATION_ENABLED), "true");
}

/* Namespaces are known now: what belongs to enabled ones is kept while the lists stream in. */
static void start_rest(struct scope *scope)
{
	struct controller *controller = scope->feeds[0].controller;
	size_t count = 0;
	struct object *const *items = store_all(controller->store, RESOURCE_NAMESPACE, &count);
	for (size_t i = 0; i < count; i++) {
		if (!is_switched_on(items[i]) || items[i]->deleting)
			continue;
		store_keep(controller->store, items[i]->name);
		store_listed(controller->store);
		(void)controller_need_namespace(controller, items[i]->name);
	}
	scope->started = true;
	for (size_t i = 0; i < RESOURCE_COUNT; i++)
		if (!is_first((enum resource_id)i) && !is_on_demand((enum resource_id)i))
			start_feed(scope, (enum resource_id)i);
}

/*
 * One namespace of several that may not be read keeps nobody waiting: what is denied there
 * is told by /readyz and in the log, and looked at again with the next GET.
 */
static bool is_out_of_reach(const struct scope *scope)
{
	return scope->namespace_name != NULL && scope->access[RESOURCE_NAMESPACE] == ACCESS_DENIED;
}

/* A namespace of several whose lists are complete later than the others'. */
static void begin_late(struct scope *scope)
{
	struct controller *controller = scope->feeds[0].controller;
	log_entry(controller->log, LOG_INFO, "all lists are complete", "namespace",
		  scope->namespace_name, NULL);
	add_namespace_key(controller, scope->namespace_name, 0);
	add_workload_keys(controller, scope->namespace_name);
}

static void check_complete(struct scope *scope)
{
	struct controller *controller = scope->feeds[0].controller;
	bool complete = scope->started;
	for (size_t k = 0; k < RESOURCE_COUNT; k++)
		complete = complete && scope->feeds[k].settled;
	if (!complete || scope->complete)
		return;
	scope->complete = true;
	if (controller->ready)
		begin_late(scope);
}

static bool first_two_are_there(const struct scope *scope)
{
	return scope->access[RESOURCE_NAMESPACE] == ACCESS_READABLE &&
	       scope->feeds[RESOURCE_TRACING].settled;
}

void controller_check_ready(struct controller *controller)
{
	bool ready = true;
	bool any = false;
	for (size_t i = 0; i < controller->scope_count; i++) {
		struct scope *scope = &controller->scopes[i];
		if (!scope->started && first_two_are_there(scope))
			start_rest(scope);
		check_complete(scope);
		ready = ready && (scope->complete || is_out_of_reach(scope));
		any = any || scope->complete;
	}
	if (!ready || !any || controller->ready)
		return;
	controller->ready = true;
	log_entry(controller->log, LOG_INFO, "all lists are complete", NULL);
	pump_soon(controller);
}

void scope_stop(struct scope *scope)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		if (scope->feeds[i].watch != NULL)
			watch_stop(scope->feeds[i].watch);
		scope->feeds[i].watch = NULL;
		note_denied(&scope->feeds[i], NULL);
	}
	free(scope->namespace_name);
	scope->namespace_name = NULL;
}

void scope_tick(struct scope *scope)
{
	struct controller *controller = scope->feeds[0].controller;
	uint64_t now = controller_now(controller).mono_ms;
	bool namespaced = scope->namespace_name != NULL;
	bool soon = !scope->feeds[RESOURCE_NAMESPACE].settled;
	if (namespaced && (soon || controller->ticks % NAMESPACE_EVERY_TICKS == 0))
		read_namespace(scope);
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		struct feed *feed = &scope->feeds[i];
		if (!controller->crds_watched && controller->ticks % DISCOVERY_EVERY_TICKS == 0 &&
		    feed->watch != NULL && scope->access[i] == ACCESS_ABSENT)
			watch_kick(feed->watch);
		/* Namespaces are waited for: without them nothing can be told */
		if (!feed->settled && i != RESOURCE_NAMESPACE && feed->trouble_since_ms > 0 &&
		    now - feed->trouble_since_ms > TROUBLE_SETTLES_MS &&
		    scope->access[RESOURCE_NAMESPACE] == ACCESS_READABLE)
			settle(feed, ACCESS_DENIED, "its list keeps failing");
	}
}

/* --- kinds that come later --- */

static void on_crd(void *context, const struct watch_event *event)
{
	struct controller *controller = context;
	char name[128];
	if (event->type == WATCH_LIST_END)
		controller->crds_watched = true;
	else if (event->type == WATCH_DENIED)
		controller->crds_watched = false;
	/* one that came while this watch was down is an item of the next list */
	if (event->type != WATCH_PUT && event->type != WATCH_LIST_ITEM)
		return;
	struct piece object = {event->object, event->object_len};
	struct piece crd = scan_path(object, "metadata.name");
	struct scope *scope = &controller->scopes[0];
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		resource_crd_name((enum resource_id)i, name, sizeof(name));
		if (scope->access[i] == ACCESS_ABSENT && scope->feeds[i].watch != NULL &&
		    piece_is_string(crd, name))
			watch_kick(scope->feeds[i].watch);
	}
}

void start_crd_watch(struct controller *controller)
{
	struct watch_spec spec = {.api_version = "apiextensions.k8s.io/v1",
				  .plural = "customresourcedefinitions",
				  .metadata_only = true};
	controller->crds = watch_start(controller->client, &spec, on_crd, controller);
}
