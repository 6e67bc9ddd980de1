/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/reconcile_namespace.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/owned.h"
#include "controller/proof_view.h"
#include "controller/status.h"

static void state_on(const struct view *view, struct verdict *verdict)
{
	if (view->switched_by_tracing)
		verdict_set(verdict, "True", "EnabledHere", "spec.enabled is true");
	else
		verdict_set(verdict, "True", "Annotated", "the namespace is annotated");
}

static void state_off(const struct view *view, struct verdict *verdict)
{
	bool said = cJSON_IsBool(json_get(view->tracing, "spec.enabled"));
	const char *more = "";
	if (view->options->enable_from_tracing)
		more = ", nor is spec.enabled true";
	else if (said)
		more = "; spec.enabled means nothing unless the operator runs with "
		       "--enable-from-tracing";
	verdict_set(verdict, "False", "NotAnnotated",
		    "the namespace is not annotated with " ANNOTATION_ENABLED "=true%s", more);
}

/*
 * False from the moment at which the annotation is missing: lastTransitionTime is then the
 * beginning of the grace, also for another process.
 */
static void state_enabled(const struct view *view, const struct policy *policy,
			  struct verdict *verdict)
{
	switch (policy->phase) {
	case PHASE_ON:
		state_on(view, verdict);
		break;
	case PHASE_HOLD:
		if (policy_is_about_settings(policy))
			state_on(view, verdict);
		else
			verdict_set(verdict,
				    policy->reason == REASON_REMOVAL_PENDING ||
					    policy->reason == REASON_MASS_REMOVAL
					? "False"
					: "True",
				    reason_info(policy->reason)->word, "%s", policy->message);
		break;
	case PHASE_REMOVE: {
		const char *refused = view->memory->refusals[PART_REMOVAL].message;
		verdict_set(verdict, "False", REASON_WORD_REMOVING,
			    "everything is being taken back; left are %zu workloads and %zu "
			    "objects of ours%s%s",
			    view->ledgers, view->managed,
			    refused == NULL ? "" : "; a deletion was refused: ",
			    refused == NULL ? "" : refused);
		break;
	}
	case PHASE_OFF:
	case PHASE_GONE:
		state_off(view, verdict);
		break;
	}
}

/* Stated only when something is missing: what a role lacks is nobody's news otherwise. */
static void state_permitted(const struct view *view, struct verdict *verdict)
{
	struct buffer text;
	buffer_init(&text, sizeof(verdict->message) - 64);
	for (size_t i = 0; view->denied != NULL && i < RESOURCE_COUNT; i++)
		if (view->denied[i] != NULL && i != RESOURCE_POD)
			buffer_addf(&text, "%s%s",
				    text.len == 0 ? "what cannot be read is not traced: " : "; ",
				    view->denied[i]);
	if (view->denied != NULL && view->denied[RESOURCE_POD] != NULL)
		buffer_addf(&text, "%scrashes of new pods are not recognised, nor taken back: %s",
			    text.len == 0 ? "" : "; ", view->denied[RESOURCE_POD]);
	if (text.len > 0 || text.full)
		verdict_set(verdict, "False", "Forbidden", "%s", text.data);
	buffer_release(&text);
}

static void intend_status(const struct view *view, const struct policy *policy, bool finished,
			  struct intents *intents)
{
	struct status_input input = {.tracing = view->tracing,
				     .now = view->now,
				     .roster = &view->memory->roster,
				     .rehearsals = view->memory->rehearsals};
	/* After a start the live status is truer than what can be said before each workload was looked at. */
	if (view->tracing == NULL || roster_has_unseen(&view->memory->roster))
		return;
	if (finished)
		state_off(view, &input.enabled);
	else
		state_enabled(view, policy, &input.enabled);
	/* a value that was never enabled stays off */
	if (policy->phase == PHASE_HOLD && policy->reason == REASON_BAD_SWITCH_VALUE &&
	    view->ledgers == 0 && view->managed == 0)
		input.enabled.status = "False";
	if (policy_is_about_settings(policy))
		verdict_set(&input.settings_valid, "False", reason_info(policy->reason)->word, "%s",
			    policy->message);
	else if (policy->has_settings)
		verdict_set(&input.settings_valid, "True", "Valid", "the settings are understood");
	state_permitted(view, &input.permitted);
	struct proof_targets targets;
	proof_look(view, policy, &targets);
	input.hold = policy->phase == PHASE_HOLD;
	if (policy->phase == PHASE_ON) {
		input.proof = &view->memory->proof;
		input.targets = &targets;
		input.collector = &policy->collector;
		input.settings = &policy->settings;
	}
	CLEANUP(json_freep) cJSON *wanted = status_build(&input);
	cJSON *patch = status_patch(view->tracing, wanted);
	uint64_t wait = debounce_wait_ms(&view->memory->status_writes, view->now.mono_ms);
	if (patch == NULL || wait > 0) {
		if (patch != NULL)
			intents_again(intents, wait);
		cJSON_Delete(patch);
		return;
	}
	struct intent *intent =
	    intents_add(intents, INTENT_STATUS, RESOURCE_TRACING, view->name, TRACING_NAME);
	intent->body = patch;
	intent->is_report = true;
	intent->note = xstrdup("status");
}

/* One place to read status and to edit settings (DESIGN §5). */
static void intend_tracing(const struct view *view, struct intents *intents)
{
	struct intent *intent =
	    intents_add(intents, INTENT_CREATE, RESOURCE_TRACING, view->name, TRACING_NAME);
	cJSON *body = cJSON_CreateObject();
	json_set_str(body, "apiVersion", TRACING_API_VERSION);
	json_set_str(body, "kind", TRACING_KIND);
	cJSON *metadata = json_set_object(body, "metadata");
	json_set_str(metadata, "name", TRACING_NAME);
	json_set_str(metadata, "namespace", view->name);
	json_set_str(json_set_object(metadata, "labels"), LABEL_MANAGED_BY, MANAGED_BY);
	(void)json_set_object(body, "spec");
	intent->body = body;
	intent->note = xstrdup("make the Tracing");
}

/* Workloads first; then collector and back end; then the Tracing that we made (DESIGN §5). */
static bool take_back(const struct view *view, struct intents *intents)
{
	uint64_t limit = view->options->teardown_timeout_ms;
	if (view->ledgers > 0 && view->removing_ms < limit) {
		intents_again(intents, limit - view->removing_ms);
		return false;
	}
	size_t left = owned_remove(view, intents);
	if (left > 0 || view->managed > 0 || view->ledgers > 0)
		return false;
	if (view->tracing != NULL && tracing_is_untouched(view->tracing)) {
		struct intent *intent =
		    intents_add(intents, INTENT_DELETE, RESOURCE_TRACING, view->name, TRACING_NAME);
		intent->uid = xstrdup(json_str(view->tracing, "metadata.uid"));
		intent->note = xstrdup("made by the operator and never changed");
		return false; /* finished once it is gone */
	}
	return true;
}

static void tell_namespace(const struct view *view, const struct policy *policy,
			   struct intents *intents)
{
	if (policy->message[0] == '\0' || text_equal(view->memory->told, policy->message))
		return;
	intents_add_event(intents, RESOURCE_NAMESPACE, "", view->name, view->uid, policy->reason,
			  "Reconcile", policy->message);
	if (view->tracing != NULL)
		intents_add_event(intents, RESOURCE_TRACING, view->name, TRACING_NAME,
				  json_str(view->tracing, "metadata.uid"), policy->reason,
				  "Reconcile", policy->message);
}

/* Waiting is no news; what people may have to do something about is, and that it works. */
static bool is_news(const struct verdict *verdict, const cJSON *live)
{
	static const char *const quiet[] = {"NotCreated",   "NotAvailable", "Discovering",
					    "Replacing",    "NotOurs",      "External",
					    "VolumePending"};
	for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
		if (strcmp(verdict->reason, quiet[i]) == 0)
			return false;
	return !text_equal(json_str(live, "status"), verdict->status) ||
	       !text_equal(json_str(live, "reason"), verdict->reason);
}

static void tell_parts(const struct view *view, const struct policy *policy,
		       struct intents *intents)
{
	const struct {
		const char *condition;
		const struct verdict *verdict;
	} parts[] = {{"CollectorReady", &policy->collector.collector},
		     {"BackendReady", &policy->collector.backend}};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct verdict *verdict = parts[i].verdict;
		bool fine = text_equal(verdict->status, "True");
		if (!is_news(verdict, object_condition(view->tracing, parts[i].condition)))
			continue;
		intents_add_event_word(intents, RESOURCE_TRACING, view->name, TRACING_NAME,
				       json_str(view->tracing, "metadata.uid"),
				       fine ? parts[i].condition : verdict->reason, !fine,
				       verdict->message);
	}
}

/* Which pods may be asked (asking.engine in ask.h). */
static cJSON *engine_body(const struct proof *proof, const struct proof_targets *targets)
{
	const struct trace_hop *engine = targets->engine;
	cJSON *body = cJSON_CreateObject();
	json_set_str(body, "component", component_name(engine->component));
	json_set_str(body, "image", engine->image);
	json_set_str(body, "endpoint", engine->endpoint);
	if (proof->unsampled.pod[0] != '\0')
		json_set_str(body, "pod", proof->unsampled.pod);
	json_set(body, "policies", json_clone(targets->policies));
	return body;
}

/* One question at a time; its answer comes as a change of what is remembered. */
static void intend_ask(const struct view *view, const struct policy *policy,
		       struct intents *intents)
{
	struct proof_targets targets;
	struct proof_ask ask;
	uint64_t again_ms = 0;
	proof_look(view, policy, &targets);
	if (proof_next(&view->memory->proof, &targets, view->now, &ask, &again_ms)) {
		struct intent *intent =
		    intents_add(intents, INTENT_ASK, RESOURCE_SERVICE, view->name, ask.service);
		intent->port = ask.port;
		intent->note = xstrdup(ask.path);
		intent->word = ask.tenant == NULL ? NULL : xstrdup(ask.tenant);
		if (ask.engine != NULL)
			intent->body = engine_body(&view->memory->proof, &targets);
	}
	intents_again(intents, again_ms);
}

/*
 * That the operator of a CR does not respond is known by the CR's age: once it is deleted only
 * status tells, so that comes first (another look follows where it cannot be written yet).
 */
static bool may_fall_back(const struct view *view, const struct policy *policy,
			  const struct intents *intents)
{
	bool told =
	    !policy->collector.fell_back ||
	    text_equal(json_str(view->tracing, "status.collector.reason"), REASON_WORD_FELL_BACK);
	for (size_t i = 0; i < intents->count && !told; i++)
		told = intents->items[i].type == INTENT_STATUS;
	return told;
}

void reconcile_namespace(const struct view *view, const struct policy *policy,
			 struct intents *intents, bool *ret_finished)
{
	struct error err;
	*ret_finished = policy->phase == PHASE_OFF || policy->phase == PHASE_GONE;
	intents_again(intents, policy->again_ms);
	if (policy->reads_secrets)
		secrets_intend(&view->memory->secrets, view->name, view->tracing, view->now.mono_ms,
			       intents);
	if (policy->unknown)
		return; /* the answers bring this key back */
	tell_namespace(view, policy, intents);
	switch (policy->phase) {
	case PHASE_GONE:
		return;
	case PHASE_OFF:
	case PHASE_HOLD:
		intend_status(view, policy, false, intents);
		return;
	case PHASE_REMOVE: {
		struct intents writes = {0};
		bool finished = take_back(view, &writes);
		intend_status(view, policy, finished, intents);
		for (size_t i = 0; i < writes.count; i++) {
			intents->items =
			    grow(intents->items, intents->count, sizeof(*intents->items));
			intents->items[intents->count++] = writes.items[i];
		}
		intents_again(intents, writes.again_ms);
		writes.count = 0;
		intents_release(&writes);
		*ret_finished = finished;
		return;
	}
	case PHASE_ON:
		break;
	}
	if (view->tracing == NULL) {
		intend_tracing(view, intents);
		if (!policy->dry_run)
			return;
	}
	tell_parts(view, policy, intents);
	intents_again(intents, view->memory->origins.again_ms);
	intend_ask(view, policy, intents);
	intend_status(view, policy, false, intents);
	if (policy->has_settings && may_fall_back(view, policy, intents) &&
	    owned_intents(view, &policy->settings, &policy->collector, intents, &err) != STATUS_OK)
		intents_add_event(intents, RESOURCE_TRACING, view->name, TRACING_NAME,
				  json_str(view->tracing, "metadata.uid"), REASON_BAD_SETTINGS,
				  "Render", err.message);
}
