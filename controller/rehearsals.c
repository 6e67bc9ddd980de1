/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images are tried before the first write to a workload (docs/decisions/0241, 0270, 0271):
 * when, by the pure half; the pods and what is remembered of them, by the controller.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/reconciling.h"

enum { AGAIN_MS = 2000 }; /* as many as may are under way, or one got lost */

/* After so many tries that never came to an answer of the program's own. */
static const struct {
	uint64_t wait_ms;
	bool holds; /* the write waits for the next one: it would cost more than that */
} pauses[] = {{20000, true}, {120000, true}, {1800000, false}, {21600000, false}};

enum turn { TURN_NONE, TURN_DUE, TURN_HELD };

static bool is_switched_off(const struct policy *policy)
{
	const struct rollout_settings *rollout = &policy->settings.rollout;
	/* without a Tracing nothing is written either, and nobody knows what it will say */
	return !policy->has_settings || text_equal(rollout->rehearse, REHEARSE_OFF) ||
	       text_equal(rollout->policy, ROLLOUT_NEVER);
}

/* Other settings or another operator may find something else. */
static bool is_outdated(const struct policy *policy, const cJSON *row)
{
	const char *settings = json_str(row, "settingsHash");
	const char *version = json_str(row, "operatorVersion");
	return !text_equal(settings == NULL ? "" : settings, policy->said_hash) ||
	       !text_equal(version == NULL ? "" : version, policy->operator_version);
}

/* What was not learned is tried again a few times, ever later; `ret_wait_ms` until then, 0: never. */
static enum turn again(const struct workload_input *input, const cJSON *row, uint64_t *ret_wait_ms)
{
	long tries = json_int(row, "tries", 0);
	bool was_only_asked = json_bool(row, "asked", false);
	if (is_outdated(input->policy, row) || (input->may_rehearse && was_only_asked))
		return TURN_DUE;
	if (!input->may_rehearse || tries < 1 || tries > (long)ARRAY_LEN(pauses))
		return TURN_NONE;
	int64_t now = input->now.wall_us;
	int64_t past_us = now - moment_parse(json_str(row, "time"), now);
	int64_t left_us = (int64_t)pauses[tries - 1].wait_ms * 1000 - past_us;
	if (left_us <= 0 || past_us < 0)
		return TURN_DUE;
	*ret_wait_ms = (uint64_t)left_us / 1000 + 1;
	return pauses[tries - 1].holds ? TURN_HELD : TURN_NONE;
}

static enum turn turn_of(const struct workload_input *input, const struct plan_container *container,
			 bool asked, uint64_t *ret_wait_ms)
{
	const cJSON *row =
	    rehearsal_find(input->rehearsals, container->image, container->component);
	bool can_ask = input->may_ask && container->component == COMPONENT_VLLM &&
		       (container->inject || row != NULL);
	if (!rehearsal_is_wanted(row, container) || (!input->may_rehearse && !can_ask))
		return TURN_NONE;
	return row == NULL || asked ? TURN_DUE : again(input, row, ret_wait_ms);
}

static void intend(struct reconciling *r, const struct plan_container *container, bool anew)
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
	json_set_str(intent->body, "settingsHash", r->input->policy->said_hash);
	if (anew)
		json_set_bool(intent->body, "anew", true);
	if (spec != NULL)
		json_set(intent->body, "podSpec", json_clone(spec));
	if (found != NULL)
		json_set(intent->body, "container", json_clone(found));
}

static void tell_of(struct reconciling *r, const struct plan_container *container, enum turn turn)
{
	const char *what = turn == TURN_HELD ? "could not be tried yet and is soon tried again"
			   : r->input->may_rehearse
			       ? "is tried in a short pod without GPUs"
			       : "runs in a server that is asked for its version";
	reconciling_add_words(r, "%s%s: %s %s", r->words[0] != '\0' ? "; " : "", container->name,
			      container->image, what);
}

bool rehearsing_comes_first(struct reconciling *r, bool asked)
{
	const struct workload_input *input = r->input;
	const struct policy *policy = input->policy;
	uint64_t again_ms = UINT64_MAX;
	if (r->ledger != NULL || policy->phase != PHASE_ON || policy->dry_run ||
	    is_switched_off(policy) || r->plan->reason != REASON_NONE)
		return false;
	r->words[0] = '\0';
	for (size_t i = 0; i < r->plan->container_count; i++) {
		const struct plan_container *container = &r->plan->containers[i];
		uint64_t wait_ms = 0;
		enum turn turn = turn_of(input, container, asked, &wait_ms);
		if (turn == TURN_DUE) {
			intend(r, container, asked);
			wait_ms = AGAIN_MS;
		}
		if (turn != TURN_NONE)
			tell_of(r, container, turn);
		if (wait_ms > 0 && wait_ms < again_ms)
			again_ms = wait_ms;
	}
	if (again_ms != UINT64_MAX)
		intents_again(r->intents, again_ms);
	if (r->words[0] == '\0')
		return false;
	reconciling_tell(r, WORKLOAD_PENDING, REASON_REHEARSING, r->words);
	return true;
}

struct rehearser *rehearsals_new(struct controller *controller, bool read_nodes)
{
	const struct operator_options *options = &controller->options;
	struct rehearser_rights rights = {
	    .make_pods = options->rehearse,
	    .read_nodes = read_nodes,
	    .ask = options->in_cluster ? REHEARSER_ASKS_PODS : REHEARSER_ASKS_NOBODY,
	    .api_server = options->admin == NULL ? NULL : options->admin->api_server,
	};
	return rehearser_new(controller->loop, controller->client, &rights, controller_now,
			     rehearsals_end, controller);
}

void rehearsals_begin(void *context, const struct intent *intent)
{
	struct controller *controller = context;
	struct namespace *space = controller_namespace(controller, intent->namespace_name);
	struct rehearsal_of of = {.image = intent->name,
				  .settings = json_str(intent->body, "settingsHash"),
				  .pod_spec = json_member(intent->body, "podSpec"),
				  .container = json_member(intent->body, "container")};
	if (controller->draining || space == NULL ||
	    !component_from_name(json_str(intent->body, "component"), &of.component))
		return;
	if (json_bool(intent->body, "anew", false))
		rehearsal_forget(space->rehearsals, of.image, of.component);
	(void)rehearser_start(controller->rehearser, intent->namespace_name, &of);
}

/* By whom nothing was learned, and how often it could not even be tried. */
static void add_circumstances(const struct controller *controller, const struct namespace *space,
			      const struct rehearsal_of *of, const struct rehearsal *result,
			      cJSON *row)
{
	const cJSON *before = rehearsal_find(space->rehearsals, of->image, of->component);
	if (result->verdict != REHEARSAL_INCONCLUSIVE)
		return;
	if (controller->options.version != NULL)
		json_set_str(row, "operatorVersion", controller->options.version);
	if (result->untried)
		json_set_int(row, "tries", json_int(before, "tries", 0) + 1);
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
	cJSON *row = rehearsal_row(of, result, time);
	add_circumstances(controller, space, of, result, row);
	rehearsal_keep(space->rehearsals, row);
	add_workload_keys(controller, namespace_name);
	add_namespace_key(controller, namespace_name, 0);
}
