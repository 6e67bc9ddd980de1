/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/planned.h"

#include "base/alloc.h"
#include "base/limits.h"

static enum status read_base(const struct planner *planner, const struct intent *intent,
			     struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "configmaps", intent->namespace_name, intent->name, NULL);
	struct request_spec spec = {.method = "GET", .path = path.data};
	enum status status = online_request(planner->online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	bool there = answer.status == STATUS_OK;
	base_configs_put(planner->inventory->configs, intent->namespace_name, intent->name,
			 there ? answer.body.data : NULL, there ? answer.body.len : 0);
	return STATUS_OK;
}

/* With its base ConfigMap, if it has one; *ret_there: false when it is gone. */
static enum status gather(const struct planner *planner, const struct object *object,
			  struct gathered *ret_gathered, bool *ret_there, struct error *err)
{
	for (;;) {
		struct intents reads = {0};
		struct gathered gathered = {.object = NULL};
		enum status status = STATUS_OK;
		*ret_there = facts_gather(planner->inventory->store, planner->inventory->configs,
					  object, &gathered, &reads);
		if (!*ret_there || reads.count == 0) {
			*ret_gathered = gathered;
			return STATUS_OK;
		}
		for (size_t i = 0; i < reads.count && status == STATUS_OK; i++)
			status = read_base(planner, &reads.items[i], err);
		intents_release(&reads);
		gathered_release(&gathered);
		if (status != STATUS_OK)
			return status;
	}
}

bool planned_is_on_the_way(const struct plan *plan)
{
	switch (plan->reason) {
	case REASON_NOT_A_WORKLOAD:
	case REASON_NOTHING_LEADS_HERE:
	case REASON_OWNED:
	case REASON_OPTED_OUT:
	case REASON_NOT_SELECTED:
		return false;
	default:
		return true;
	}
}

static enum status hand_on(const struct planner *planner, enum resource_id resource,
			   struct gathered *gathered, planned_fn on_planned, void *context,
			   struct error *err)
{
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct error trouble = {0};
	char settings_hash[17];
	char led_hash[17];
	settings_user_hash(planner->tracing, settings_hash);
	settings_led_hash(planner->tracing, led_hash);
	gathered->facts.pool_excluded =
	    !facts_selected(&gathered->facts, gathered->object, planner->settings);
	struct plan_input input = {
	    .object = gathered->object,
	    .settings = planner->settings,
	    .settings_hash = settings_hash,
	    .led_hash = led_hash,
	    .facts = &gathered->facts,
	    .rehearsals = planner->rehearsals,
	    .want = planner->want,
	    .take_updates = planner->take_updates,
	};
	struct planned planned = {.resource = resource, .input = &input};
	if (plan_build(&input, &plan, &trouble) == STATUS_OK)
		planned.plan = plan;
	else
		planned.trouble = trouble.message;
	return on_planned(context, &planned, err);
}

static enum status plan_object(const struct planner *planner, const struct object *object,
			       planned_fn on_planned, void *context, bool *ret_there,
			       struct error *err)
{
	struct gathered gathered = {.object = NULL};
	enum status status = gather(planner, object, &gathered, ret_there, err);
	if (status != STATUS_OK || !*ret_there)
		return status;
	status = hand_on(planner, object->resource, &gathered, on_planned, context, err);
	gathered_release(&gathered);
	return status;
}

enum status planned_each(const struct planner *planner, planned_fn on_planned, void *context,
			 struct error *err)
{
	enum status status = STATUS_OK;
	for (size_t i = 0; i < RESOURCE_COUNT && status == STATUS_OK; i++) {
		size_t count = 0;
		bool there = false;
		if ((resource_get((enum resource_id)i)->flags & RESOURCE_WORKLOAD) == 0)
			continue;
		struct object *const *items =
		    store_range(planner->inventory->store, (enum resource_id)i,
				planner->namespace_name, &count);
		for (size_t k = 0; k < count && status == STATUS_OK; k++)
			if (!items[k]->deleting)
				status = plan_object(planner, items[k], on_planned, context, &there,
						     err);
	}
	return status;
}

enum status planned_one(const struct planner *planner, enum resource_id resource, const char *name,
			planned_fn on_planned, void *context, struct error *err)
{
	bool there = false;
	enum status status = STATUS_OK;
	const struct object *object =
	    store_get(planner->inventory->store, resource, planner->namespace_name, name);
	if (object != NULL && !object->deleting)
		status = plan_object(planner, object, on_planned, context, &there, err);
	if (status == STATUS_OK && !there)
		return error_set(err, STATUS_NOT_FOUND, "%s/%s/%s is not there",
				 resource_get(resource)->kind, planner->namespace_name, name);
	return status;
}
