/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/lineup.h"

#include "base/alloc.h"
#include "cmd/planned.h"
#include "controller/rollout.h"
#include "inject/kind.h"
#include "inject/plan.h"
#include "inject/settings_effective.h"

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

static enum status read_hops(void *context, const struct planned *planned, struct error *err)
{
	struct lineup *lineup = context;
	const struct plan_input *input = planned->input;
	if (planned->plan == NULL)
		return error_set(err, STATUS_INVALID, "%s/%s: %s", json_str(input->object, "kind"),
				 json_str(input->object, "metadata.name"), planned->trouble);
	size_t before = lineup->hops.count;
	if (planned_is_on_the_way(planned->plan))
		trace_hops_read(input, planned->plan, &lineup->hops);
	if (lineup->hops.count > before) {
		note_rollout(lineup, input->object, input->facts);
		note_labels(lineup, input->object);
	}
	return STATUS_OK;
}

enum status lineup_read(struct online *online, struct inventory *inventory,
			const char *namespace_name, struct lineup *ret_lineup, struct error *err)
{
	struct lineup lineup = {.labels = cJSON_CreateArray(), .waiting = cJSON_CreateArray()};
	const struct object *tracing =
	    store_get(inventory->store, RESOURCE_TRACING, namespace_name, TRACING_NAME);
	if (tracing != NULL)
		lineup.tracing = object_parse(tracing);
	enum status status = settings_read_effective(lineup.tracing, &lineup.settings, err);
	lineup.has_settings = status == STATUS_OK;
	struct planner planner = {.online = online,
				  .inventory = inventory,
				  .namespace_name = namespace_name,
				  .settings = &lineup.settings,
				  .tracing = lineup.tracing,
				  .rehearsals = json_get(lineup.tracing, "status.rehearsals"),
				  .want = PLAN_INJECT};
	if (status == STATUS_OK)
		status = planned_each(&planner, read_hops, &lineup, err);
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
