/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images are tried before the first write to a workload (docs/decisions/0241): when, by the
 * pure half; the pods and what is remembered of them, by the controller.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/reconciling.h"

enum { AGAIN_MS = 2000 }; /* as many as may are under way, or one got lost */

static bool is_switched_off(const struct policy *policy)
{
	const struct rollout_settings *rollout = &policy->settings.rollout;
	return policy->has_settings && (text_equal(rollout->rehearse, REHEARSE_OFF) ||
					text_equal(rollout->policy, ROLLOUT_NEVER));
}

static void intend(struct reconciling *r, const struct plan_container *container)
{
	const cJSON *object = r->input->object;
	const cJSON *spec = json_pointer_get(object, container->template_path);
	const char *list = container->init ? "initContainers" : "containers";
	const cJSON *found = json_named(json_member(spec, list), container->name);
	struct intent *intent =
	    intents_add(r->intents, INTENT_REHEARSE, r->input->resource,
			json_str(object, "metadata.namespace"), container->image);
	intent->body = cJSON_CreateObject();
	json_set_str(intent->body, "component", component_name(container->component));
	if (spec != NULL)
		json_set(intent->body, "podSpec", json_clone(spec));
	if (found != NULL)
		json_set(intent->body, "container", json_clone(found));
}

bool rehearsing_comes_first(struct reconciling *r)
{
	const struct workload_input *input = r->input;
	const struct policy *policy = input->policy;
	bool due = false;
	if (!input->may_rehearse || r->ledger != NULL || policy->phase != PHASE_ON ||
	    policy->dry_run || is_switched_off(policy) || r->plan->reason != REASON_NONE)
		return false;
	r->words[0] = '\0';
	for (size_t i = 0; i < r->plan->container_count; i++) {
		const struct plan_container *container = &r->plan->containers[i];
		if (!rehearsal_is_due(input->rehearsals, container))
			continue;
		intend(r, container);
		reconciling_add_words(r, "%s%s: a short pod without GPUs tries %s", due ? "; " : "",
				      container->name, container->image);
		due = true;
	}
	if (!due)
		return false;
	reconciling_tell(r, WORKLOAD_PENDING, REASON_REHEARSING, r->words);
	intents_again(r->intents, AGAIN_MS);
	return true;
}

void rehearsals_begin(void *context, const struct intent *intent)
{
	struct controller *controller = context;
	struct rehearsal_of of = {.image = intent->name,
				  .pod_spec = json_member(intent->body, "podSpec"),
				  .container = json_member(intent->body, "container")};
	if (!controller->draining &&
	    component_from_name(json_str(intent->body, "component"), &of.component))
		(void)rehearser_start(controller->rehearser, intent->namespace_name, &of);
}

void rehearsals_end(void *context, const char *namespace_name, const struct rehearsal_of *of,
		    const struct rehearsal *result, uint64_t ms)
{
	struct controller *controller = context;
	char time[MOMENT_TEXT_MAX];
	struct namespace *space = controller_namespace(controller, namespace_name);
	const char *word = rehearsal_word(result->verdict);
	char *took CLEANUP(str_freep) = xasprintf("%.1fs", (double)ms / 1000);
	metric_add(controller->metrics.rehearsals, word, 1);
	log_entry(controller->log, LOG_INFO, "rehearsed", "namespace", namespace_name, "image",
		  of->image, "component", component_name(of->component), "verdict", word, "took",
		  took, "message", result->message, NULL);
	/* cut short since this process ends: the next one tries again */
	if (space == NULL || controller->draining)
		return;
	moment_format(controller_now(controller).wall_us, time);
	if (space->rehearsals == NULL)
		space->rehearsals = cJSON_CreateArray();
	rehearsal_keep(space->rehearsals, rehearsal_row(of, result, time));
	add_workload_keys(controller, namespace_name);
	add_namespace_key(controller, namespace_name, 0);
}
