/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the pods of workloads whose rollout is ours, from its beginning to its end: one
 * watch for each selector. What they show goes into the workload's row, which is looked at
 * again. Where they may not be watched the row and every Tracing say so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/controller_internal.h"

struct lookout {
	struct controller *controller;
	unsigned long number;
	char *namespace_name;
	enum resource_id owner;
	char *owner_name;
	struct watch *watch;
};

static struct roster_row *row_of(const struct lookout *lookout)
{
	const struct namespace *space =
	    controller_namespace(lookout->controller, lookout->namespace_name);
	return space == NULL ? NULL
			     : roster_find(&space->roster, lookout->owner, lookout->owner_name);
}

static void put(struct lookout *lookout, struct pods_seen *seen, const struct watch_event *event)
{
	cJSON *pod = NULL;
	struct error err;
	if (json_parse(event->object, event->object_len, &pod, &err) == STATUS_OK)
		pods_seen_put(seen, lookout->number, pod, event->type == WATCH_DELETE);
	else
		metric_add(lookout->controller->metrics.broken, "pods", 1);
}

static void on_event(void *context, const struct watch_event *event)
{
	struct lookout *lookout = context;
	struct controller *controller = lookout->controller;
	struct roster_row *row = row_of(lookout);
	if (row == NULL || !row->seen.asked)
		return; /* over: stopped with the end of its key */
	switch (event->type) {
	case WATCH_LIST_BEGIN:
		pods_seen_list(&row->seen, lookout->number, false);
		return;
	case WATCH_LIST_ITEM:
	case WATCH_PUT:
	case WATCH_DELETE:
		put(lookout, &row->seen, event);
		break;
	case WATCH_LIST_END:
		pods_seen_list(&row->seen, lookout->number, true);
		pods_seen_set_blind(&row->seen, NULL);
		feed_note_access(controller, lookout->namespace_name, RESOURCE_POD, NULL);
		break;
	case WATCH_DENIED:
		pods_seen_set_blind(&row->seen, event->error->message);
		feed_note_access(controller, lookout->namespace_name, RESOURCE_POD,
				 event->error->message);
		break;
	case WATCH_LIST_ABORT:
	case WATCH_ABSENT:
	case WATCH_TROUBLE:
	case WATCH_ALIVE:
		return;
	}
	add_workload_key(controller, lookout->owner, lookout->namespace_name, lookout->owner_name);
}

void lookout_begin(void *context, const struct intent *intent)
{
	struct controller *controller = context;
	struct watch_spec spec = {.api_version = resource_get(RESOURCE_POD)->api_version,
				  .plural = resource_get(RESOURCE_POD)->plural,
				  .namespace_name = intent->namespace_name,
				  .label_selector = intent->word};
	struct lookout *lookout = xcalloc(1, sizeof(*lookout));
	*lookout = (struct lookout){.controller = controller,
				    .number = ++controller->lookouts_begun,
				    .namespace_name = xstrdup(intent->namespace_name),
				    .owner = intent->owner,
				    .owner_name = xstrdup(intent->owner_name)};
	controller->lookouts =
	    grow(controller->lookouts, controller->lookout_count, sizeof(*controller->lookouts));
	controller->lookouts[controller->lookout_count++] = lookout;
	struct roster_row *row = row_of(lookout);
	if (controller->lookout_count <= LIMIT_LOOKOUTS)
		lookout->watch = watch_start(controller->client, &spec, on_event, lookout);
	else if (row != NULL)
		pods_seen_set_blind(&row->seen, "too many rollouts are under way");
}

static void stop(struct lookout *lookout)
{
	if (lookout->watch != NULL)
		watch_stop(lookout->watch);
	free(lookout->namespace_name);
	free(lookout->owner_name);
	free(lookout);
}

void lookout_settle(struct controller *controller)
{
	size_t kept = 0;
	for (size_t i = 0; i < controller->lookout_count; i++) {
		struct lookout *lookout = controller->lookouts[i];
		const struct roster_row *row = row_of(lookout);
		if (row != NULL && row->seen.asked)
			controller->lookouts[kept++] = lookout;
		else
			stop(lookout);
	}
	controller->lookout_count = kept;
}

void lookout_stop_all(struct controller *controller)
{
	for (size_t i = 0; i < controller->lookout_count; i++)
		stop(controller->lookouts[i]);
	free(controller->lookouts);
	controller->lookouts = NULL;
	controller->lookout_count = 0;
}
