/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/lineup.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "controller/rollout.h"
#include "inject/kind.h"
#include "inject/plan.h"

struct reading {
	struct online *online;
	struct inventory *inventory;
	struct lineup *lineup;
	char settings_hash[17];
};

static enum status read_base(const struct reading *reading, const struct intent *intent,
			     struct error *err)
{
	struct buffer path CLEANUP(buffer_release) = {0};
	struct answer answer CLEANUP(answer_release) = {0};
	buffer_init(&path, KIB(4));
	path_build(&path, "v1", "configmaps", intent->namespace_name, intent->name, NULL);
	struct request_spec spec = {.method = "GET", .path = path.data};
	enum status status = online_request(reading->online, &spec, &answer, err);
	if (status != STATUS_OK)
		return status;
	bool there = answer.status == STATUS_OK;
	base_configs_put(reading->inventory->configs, intent->namespace_name, intent->name,
			 there ? answer.body.data : NULL, there ? answer.body.len : 0);
	return STATUS_OK;
}

/* With its base ConfigMap, if it has one; *ret_there: false when it is gone. */
static enum status gather(const struct reading *reading, const struct object *object,
			  struct gathered *ret_gathered, bool *ret_there, struct error *err)
{
	for (;;) {
		struct intents reads = {0};
		struct gathered gathered = {.object = NULL};
		enum status status = STATUS_OK;
		*ret_there = facts_gather(reading->inventory->store, reading->inventory->configs,
					  object, &gathered, &reads);
		if (!*ret_there || reads.count == 0) {
			*ret_gathered = gathered;
			return STATUS_OK;
		}
		for (size_t i = 0; i < reads.count && status == STATUS_OK; i++)
			status = read_base(reading, &reads.items[i], err);
		intents_release(&reads);
		gathered_release(&gathered);
		if (status != STATUS_OK)
			return status;
	}
}

/* On a request's way, as far as the operator can tell; what is rendered by another workload is read there. */
static bool is_on_the_way(const struct plan *plan)
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

static void note_rollout(struct lineup *lineup, const cJSON *object, const struct facts *facts)
{
	struct rollout rollout;
	rollout_judge(object, facts, &rollout);
	if (rollout.phase != ROLLOUT_PROGRESSING)
		return;
	char *text CLEANUP(str_freep) =
	    xasprintf("%s/%s", json_str(object, "kind"), json_str(object, "metadata.name"));
	(void)cJSON_AddItemToArray(lineup->waiting, cJSON_CreateString(text));
}

static void note_labels(struct lineup *lineup, const cJSON *object)
{
	struct error ignored;
	struct pod_templates templates CLEANUP(pod_templates_release) = {.items = NULL};
	if (kind_templates(object, &templates, &ignored) != STATUS_OK)
		return;
	for (size_t i = 0; i < templates.count; i++) {
		const cJSON *labels = json_member(templates.items[i].metadata, "labels");
		if (cJSON_IsObject(labels))
			(void)cJSON_AddItemToArray(lineup->labels, json_clone(labels));
	}
}

static enum status read_hops(const struct reading *reading, struct gathered *gathered,
			     struct error *err)
{
	struct lineup *lineup = reading->lineup;
	struct plan *plan CLEANUP(plan_freep) = NULL;
	gathered->facts.pool_excluded =
	    !facts_selected(&gathered->facts, gathered->object, &lineup->settings);
	struct plan_input input = {
	    .object = gathered->object,
	    .settings = &lineup->settings,
	    .settings_hash = reading->settings_hash,
	    .facts = &gathered->facts,
	    .want = PLAN_INJECT,
	};
	if (plan_build(&input, &plan, err) != STATUS_OK)
		return error_wrap(err, "%s/%s", json_str(gathered->object, "kind"),
				  json_str(gathered->object, "metadata.name"));
	size_t before = lineup->hops.count;
	if (is_on_the_way(plan))
		trace_hops_read(&input, plan, &lineup->hops);
	if (lineup->hops.count > before) {
		note_rollout(lineup, gathered->object, &gathered->facts);
		note_labels(lineup, gathered->object);
	}
	return STATUS_OK;
}

static enum status read_workloads(const struct reading *reading, enum resource_id resource,
				  const char *namespace_name, struct error *err)
{
	size_t count = 0;
	enum status status = STATUS_OK;
	struct object *const *items =
	    store_range(reading->inventory->store, resource, namespace_name, &count);
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		struct gathered gathered = {.object = NULL};
		bool there = false;
		if (items[i]->deleting)
			continue;
		status = gather(reading, items[i], &gathered, &there, err);
		if (status == STATUS_OK && there) {
			status = read_hops(reading, &gathered, err);
			gathered_release(&gathered);
		}
	}
	return status;
}

enum status lineup_read(struct online *online, struct inventory *inventory,
			const char *namespace_name, struct lineup *ret_lineup, struct error *err)
{
	struct lineup lineup = {.labels = cJSON_CreateArray(), .waiting = cJSON_CreateArray()};
	struct reading reading = {.online = online, .inventory = inventory, .lineup = &lineup};
	const struct object *tracing =
	    store_get(inventory->store, RESOURCE_TRACING, namespace_name, TRACING_NAME);
	if (tracing != NULL)
		lineup.tracing = object_parse(tracing);
	enum status status = settings_read(lineup.tracing, NULL, &lineup.settings, err);
	lineup.has_settings = status == STATUS_OK;
	settings_user_hash(lineup.tracing, reading.settings_hash);
	for (size_t i = 0; i < RESOURCE_COUNT && status == STATUS_OK; i++)
		if ((resource_get((enum resource_id)i)->flags & RESOURCE_WORKLOAD) != 0)
			status = read_workloads(&reading, (enum resource_id)i, namespace_name, err);
	if (status != STATUS_OK) {
		lineup_release(&lineup);
		return status;
	}
	*ret_lineup = lineup;
	return STATUS_OK;
}

void lineup_release(struct lineup *lineup)
{
	json_freep(&lineup->tracing);
	json_freep(&lineup->labels);
	json_freep(&lineup->waiting);
	if (lineup->has_settings)
		settings_release(&lineup->settings);
	trace_hops_release(&lineup->hops);
	*lineup = (struct lineup){.tracing = NULL};
}
