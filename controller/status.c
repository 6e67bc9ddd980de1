/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/status.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "controller/pins.h"
#include "controller/sampling_tell.h"
#include "controller/tally.h"
#include "inject/settings_effective.h"

static void add_condition(cJSON *conditions, const struct status_input *input, const char *type,
			  const struct verdict *verdict)
{
	char now[MOMENT_TEXT_MAX];
	const cJSON *live = object_condition(input->tracing, type);
	const char *since = json_str(live, "lastTransitionTime");
	if (verdict->status == NULL)
		return;
	moment_format(input->now.wall_us, now);
	bool same = since != NULL && text_equal(json_str(live, "status"), verdict->status);
	cJSON *condition = cJSON_CreateObject();
	json_set_str(condition, "type", type);
	json_set_str(condition, "status", verdict->status);
	json_set_str(condition, "reason", verdict->reason);
	json_set_str(condition, "message", verdict->message);
	json_set_str(condition, "lastTransitionTime", same ? since : now);
	json_set_int(condition, "observedGeneration",
		     json_int(input->tracing, "metadata.generation", 0));
	(void)cJSON_AddItemToArray(conditions, condition);
}

/* A guarantee of our own collector that a foreign one cannot give. */
static void add_guarantee(cJSON *conditions, const struct status_input *input, const char *type,
			  bool wanted, const char *what)
{
	struct verdict verdict = {.status = NULL};
	const char *mode = input->collector->mode;
	bool own = text_equal(mode, "Deployment") || text_equal(mode, "OpenTelemetryCollector");
	if (mode == NULL)
		return;
	if (!own)
		verdict_set(&verdict, "False", "NotOurCollector",
			    "%s is not in force: the collector is not ours", what);
	else if (!wanted)
		verdict_set(&verdict, "False", "SwitchedOff", "%s is switched off in the settings",
			    what);
	else
		verdict_set(&verdict, "True", "OurCollector", "%s is in force", what);
	add_condition(conditions, input, type, &verdict);
}

static bool is_true(const struct verdict *verdict)
{
	return verdict->status != NULL && strcmp(verdict->status, "True") == 0;
}

/* What others hold back (OnDelete, a partition) is theirs to let go, and no fault of the set-up. */
static void judge_ready(const struct status_input *input, const struct tally *tally,
			struct verdict *verdict)
{
	const struct verdict *const parts[] = {&input->enabled,
					       &input->settings_valid,
					       &input->collector->collector,
					       &input->collector->backend,
					       &tally->injected,
					       tally->held ? NULL : &tally->rolled_out};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i] == NULL || is_true(parts[i]))
			continue;
		verdict_set(verdict, "False",
			    parts[i]->reason[0] == '\0' ? "Unknown" : parts[i]->reason, "%s",
			    parts[i]->message);
		return;
	}
	verdict_set(verdict, "True", "Ready",
		    "collector and back end are ready and every workload is done%s",
		    tally->held ? "; some pods are held back, see RolledOut" : "");
}

/* After a start the live conditions are truer than what can be said before the first answers. */
static void add_proof(cJSON *conditions, const struct status_input *input)
{
	static const char *const types[] = {"SpansReceived", "TraceConnected"};
	struct verdict told[ARRAY_LEN(types)];
	if (input->proof == NULL)
		return;
	proof_tell(input->proof, input->targets, &told[0], &told[1]);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const cJSON *live = object_condition(input->tracing, types[i]);
		if (told[i].status == NULL && live != NULL)
			(void)cJSON_AddItemToArray(conditions, json_clone(live));
		else if (told[i].status == NULL)
			verdict_set(&told[i], "Unknown", "NotAskedYet",
				    "waiting for the first answers of collector and back end");
		add_condition(conditions, input, types[i], &told[i]);
	}
}

static void add_sampling(cJSON *conditions, const struct status_input *input)
{
	struct verdict verdict = {.status = NULL};
	if (input->settings != NULL)
		sampling_tell(input->roster, input->settings, input->collector, input->proof,
			      &verdict);
	add_condition(conditions, input, "SamplingConsistent", &verdict);
}

static cJSON *build_conditions(const struct status_input *input)
{
	cJSON *conditions = cJSON_CreateArray();
	struct tally tally;
	struct verdict ready = {.status = NULL};
	add_condition(conditions, input, "Enabled", &input->enabled);
	add_condition(conditions, input, "SettingsValid", &input->settings_valid);
	add_condition(conditions, input, "Permitted", &input->permitted);
	if (input->collector != NULL) {
		tally_roster(input->roster, &tally);
		judge_ready(input, &tally, &ready);
		add_condition(conditions, input, "CollectorReady", &input->collector->collector);
		add_condition(conditions, input, "BackendReady", &input->collector->backend);
		add_guarantee(conditions, input, "PrivacyInForce",
			      input->settings != NULL && input->settings->drop_content,
			      "removal of content from spans");
		add_guarantee(conditions, input, "FilterInForce", true,
			      "the filter of metrics scraping");
		add_guarantee(conditions, input, "LimitsInForce", true, "the memory limiter");
		add_condition(conditions, input, "Injected", &tally.injected);
		add_condition(conditions, input, "RolledOut", &tally.rolled_out);
		add_condition(conditions, input, "PendingRestart", &tally.pending_restart);
		add_condition(conditions, input, "Conflicting", &tally.conflicting);
		add_sampling(conditions, input);
		add_proof(conditions, input);
	} else {
		verdict_set(&ready, "False", input->enabled.reason, "%s", input->enabled.message);
	}
	add_condition(conditions, input, "Ready", &ready);
	return conditions;
}

static void add_collector(cJSON *status, const struct status_input *input)
{
	const struct collector_plan *plan = input->collector;
	if (plan->mode == NULL)
		return;
	bool worked = is_true(&plan->collector) ||
		      (json_bool(input->tracing, "status.collector.worked", false) &&
		       text_equal(json_str(input->tracing, "status.collector.mode"), plan->mode));
	cJSON *collector = json_set_object(status, "collector");
	json_set_str(collector, "mode", plan->mode);
	if (plan->fell_back)
		json_set_str(collector, "reason", REASON_WORD_FELL_BACK);
	if (worked)
		json_set_bool(collector, "worked", true);
}

/* What was heard, in short; as it was until the first answers are there. */
static void add_spans(cJSON *status, const struct status_input *input)
{
	const struct proof *proof = input->proof;
	const cJSON *live = json_get(input->tracing, "status.spans");
	char text[128];
	if (!input->targets->wanted || !proof->judged) {
		if (input->targets->wanted && live != NULL)
			json_set(status, "spans", json_clone(live));
		return;
	}
	cJSON *spans = json_set_object(status, "spans");
	(void)snprintf(text, sizeof(text), "%zu/%zu", proof->heard, proof->expected);
	json_set_str(spans, "heard", text);
	if (proof->trace_id[0] != '\0')
		json_set_str(spans, "trace", proof->trace_id);
	if (proof->shown_us > 0) {
		moment_format(proof->shown_us, text);
		json_set_str(spans, "lastSpan", text);
	}
	trace_groups_text(proof->groups_seen, text, sizeof(text));
	json_set_str(spans, "operations", text);
}

static void add_images(cJSON *status, const struct status_input *input)
{
	cJSON *images = pins_status(input->tracing, input->settings);
	if (images != NULL)
		json_set(status, "images", images);
}

/* A hold changes nothing, also not what the next operator would do. */
static void keep_decisions(cJSON *status, const cJSON *tracing)
{
	static const char *const names[] = {"collector", "images"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const cJSON *live = json_member(json_member(tracing, "status"), names[i]);
		if (live != NULL && json_member(status, names[i]) == NULL)
			json_set(status, names[i], json_clone(live));
	}
}

cJSON *status_build(const struct status_input *input)
{
	struct roster_counts counts = roster_count(input->roster);
	cJSON *status = cJSON_CreateObject();
	json_set_int(status, "observedGeneration",
		     json_int(input->tracing, "metadata.generation", 0));
	json_set(status, "conditions", build_conditions(input));
	cJSON *counters = json_set_object(status, "counters");
	json_set_int(counters, "workloads", (long)counts.workloads);
	json_set_int(counters, "injected", (long)counts.by_state[WORKLOAD_INJECTED]);
	json_set_int(counters, "pending", (long)counts.by_state[WORKLOAD_PENDING]);
	json_set_int(counters, "skipped", (long)counts.by_state[WORKLOAD_SKIPPED]);
	json_set_int(
	    counters, "failed",
	    (long)(counts.by_state[WORKLOAD_FAILED] + counts.by_state[WORKLOAD_CONFLICTING]));
	json_set_int(counters, "pendingRestarts", counts.restarts);
	if (input->collector != NULL)
		add_collector(status, input);
	if (input->proof != NULL)
		add_spans(status, input);
	if (input->settings != NULL) {
		json_set(status, "effective", settings_effective(input->settings, input->tracing));
		add_images(status, input);
	}
	if (input->rehearsals != NULL && input->rehearsals->child != NULL)
		json_set(status, "rehearsals", json_clone(input->rehearsals));
	if (input->hold)
		keep_decisions(status, input->tracing);
	if (input->roster->refused.count > 0)
		json_set(status, "refusedImages", refused_status(&input->roster->refused));
	json_set(status, "workloads", roster_status(input->roster));
	return status;
}

/* A merge patch merges objects, at any depth: what is no longer wanted of them must be named. */
static void name_what_goes(cJSON *value, const cJSON *held)
{
	const cJSON *old = NULL;
	if (!cJSON_IsObject(value) || !cJSON_IsObject(held))
		return;
	cJSON_ArrayForEach(old, held)
	{
		cJSON *wanted = json_member_mut(value, old->string);
		if (wanted == NULL)
			json_set(value, old->string, cJSON_CreateNull());
		else
			name_what_goes(wanted, old);
	}
}

cJSON *status_patch(const cJSON *tracing, const cJSON *wanted)
{
	const cJSON *live = json_member(tracing, "status");
	const cJSON *item = NULL;
	cJSON *changes = cJSON_CreateObject();
	cJSON_ArrayForEach(item, wanted)
	{
		const cJSON *held = json_member(live, item->string);
		if (held != NULL && json_equal(held, item))
			continue;
		cJSON *value = json_clone(item);
		name_what_goes(value, held);
		json_set(changes, item->string, value);
	}
	cJSON_ArrayForEach(item, live)
	{
		if (json_member(wanted, item->string) == NULL)
			json_set(changes, item->string, cJSON_CreateNull());
	}
	if (changes->child == NULL) {
		cJSON_Delete(changes);
		return NULL;
	}
	cJSON *patch = cJSON_CreateObject();
	json_set(patch, "status", changes);
	return patch;
}
