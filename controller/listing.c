/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A namespace that becomes enabled: from that moment its events are kept, and each kind
 * is listed there once. No intent runs for it before all these lists are complete.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller_internal.h"

enum { TROUBLE_SETTLES_MS = 15000 };

static void remove_listing(struct controller *controller, struct feed *feed)
{
	for (size_t i = 0; i < controller->listing_count; i++) {
		if (controller->listings[i] != feed)
			continue;
		controller->listings[i] = controller->listings[--controller->listing_count];
		break;
	}
	if (feed->watch != NULL)
		watch_stop(feed->watch);
	free(feed);
}

static void finish(struct controller *controller, struct namespace *space)
{
	space->listing = false;
	store_listed(controller->store);
	log_entry(controller->log, LOG_INFO, "namespace is listed", "namespace", space->name, NULL);
	add_namespace_key(controller, space->name, 0);
	add_workload_keys(controller, space->name);
}

static void complete(struct feed *feed)
{
	struct controller *controller = feed->controller;
	struct namespace *space = feed->only;
	remove_listing(controller, feed);
	if (--space->lists_left == 0)
		finish(controller, space);
}

void listing_event(struct feed *feed, const struct watch_event *event)
{
	struct store *store = feed->controller->store;
	switch (event->type) {
	case WATCH_LIST_BEGIN:
		feed->mark = store_mark(store);
		feed->trouble_since_ms = 0;
		break;
	case WATCH_LIST_ITEM:
	case WATCH_PUT:
		(void)store_put(store, feed->resource, event->object, event->object_len, false);
		break;
	case WATCH_LIST_END:
		store_end_list(store, feed->resource, feed->only->name, feed->mark,
			       event->resource_version);
		complete(feed);
		break;
	case WATCH_ABSENT:
	case WATCH_DENIED:
		complete(feed);
		break;
	case WATCH_TROUBLE:
		if (feed->trouble_since_ms == 0)
			feed->trouble_since_ms = controller_now(feed->controller).mono_ms;
		break;
	case WATCH_DELETE:
	case WATCH_LIST_ABORT:
	case WATCH_ALIVE:
		break;
	}
}

/* What is always kept, and what is watched by our own label only, is complete already. */
static bool is_wanted(const struct scope *scope, enum resource_id id)
{
	const struct resource *resource = resource_get(id);
	return (resource->flags &
		(RESOURCE_ALWAYS_KEPT | RESOURCE_FOR_OTHERS | RESOURCE_CLUSTER_SCOPED)) == 0 &&
	       (resource->label_selector == NULL || (resource->flags & RESOURCE_OWNED) == 0) &&
	       scope->access[id] == ACCESS_READABLE;
}

void listing_start(struct controller *controller, struct namespace *space)
{
	struct scope *scope = controller_scope(controller, space->name);
	store_keep(controller->store, space->name);
	space->listing = true;
	space->lists_left = 1; /* not complete before all are begun */
	for (size_t i = 0; scope != NULL && i < RESOURCE_COUNT; i++) {
		enum resource_id id = (enum resource_id)i;
		if (!is_wanted(scope, id))
			continue;
		struct feed *feed = xcalloc(1, sizeof(*feed));
		*feed = (struct feed){
		    .controller = controller, .scope = scope, .only = space, .resource = id};
		struct watch_spec spec = {.api_version = resource_get(id)->api_version,
					  .plural = resource_get(id)->plural,
					  .namespace_name = space->name,
					  .label_selector = resource_get(id)->label_selector};
		controller->listings =
		    grow(controller->listings, controller->listing_count, sizeof(struct feed *));
		controller->listings[controller->listing_count++] = feed;
		space->lists_left++;
		feed->watch = watch_start(controller->client, &spec, feed_event, feed);
	}
	if (--space->lists_left == 0)
		finish(controller, space);
}

void listing_stop(struct controller *controller, struct namespace *space)
{
	if (!space->listing)
		return;
	for (size_t i = controller->listing_count; i-- > 0;)
		if (controller->listings[i]->only == space)
			remove_listing(controller, controller->listings[i]);
	space->listing = false;
	space->lists_left = 0;
	store_listed(controller->store);
}

void listing_tick(struct controller *controller)
{
	uint64_t now = controller_now(controller).mono_ms;
	for (size_t i = controller->listing_count; i-- > 0;) {
		struct feed *feed = controller->listings[i];
		if (feed->trouble_since_ms > 0 &&
		    now - feed->trouble_since_ms > TROUBLE_SETTLES_MS) {
			log_entry(controller->log, LOG_WARN, "kind cannot be listed", "kind",
				  resource_get(feed->resource)->kind, "namespace", feed->only->name,
				  NULL);
			complete(feed);
		}
	}
}
