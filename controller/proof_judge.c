/* SPDX-License-Identifier: Apache-2.0 */
/* From what was observed to the conditions SpansReceived and TraceConnected. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/proof_internal.h"
#include "inject/trace_diagnose.h"

enum { SHOWN_EVERY_US = 60000000, LIST_MAX = 400, FAILURES_TOLD = 3 };

/* What a round came to. */
struct outcome {
	struct proof *proof;
	const struct proof_targets *targets;
	const struct trace_hops *hops;
	const struct trace_verdict *verdict;
	const struct trace_findings *findings;
	bool fresh;   /* spans were accepted, and the back end may have lost them */
	bool refresh; /* a minute has passed: what changes with each request may be told anew */
};

/* Names of the hops that were (not) heard, each once. */
static void list_services(const struct outcome *outcome, bool seen, char *text, size_t size)
{
	struct trace_names names = {0};
	text[0] = '\0';
	for (size_t i = 0; i < outcome->hops->count; i++) {
		const struct trace_hop *hop = &outcome->hops->items[i];
		if (hop->on && outcome->verdict->hops[i].seen == seen)
			trace_names_add(&names,
					hop->service == NULL ? hop->container : hop->service);
	}
	for (size_t i = 0; i < names.count; i++) {
		size_t len = strlen(text);
		(void)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : ", ", names.items[i]);
	}
	trace_names_release(&names);
}

/* Findings that say why something that should be heard is not. */
static const struct trace_finding *cause_of_silence(const struct trace_findings *findings)
{
	static const enum trace_symptom others[] = {
	    SYMPTOM_NOT_INSTRUMENTED, SYMPTOM_NOT_INJECTED, SYMPTOM_FLAG_MISSING,
	    SYMPTOM_SDK_SAMPLER,      SYMPTOM_CUT_OFF,      SYMPTOM_SEPARATE,
	    SYMPTOM_OPERATIONS,
	};
	for (size_t i = 0; i < findings->count; i++) {
		bool other = false;
		for (size_t k = 0; k < ARRAY_LEN(others); k++)
			other |= findings->items[i].symptom == others[k];
		if (!other)
			return &findings->items[i];
	}
	return NULL;
}

static bool has_finding(const struct outcome *outcome, enum trace_symptom symptom)
{
	for (size_t i = 0; i < outcome->findings->count; i++)
		if (outcome->findings->items[i].symptom == symptom)
			return true;
	return false;
}

static void judge_received(const struct outcome *outcome, struct verdict *verdict)
{
	const struct trace_verdict *seen = outcome->verdict;
	const struct trace_finding *cause = cause_of_silence(outcome->findings);
	char names[LIST_MAX];
	list_services(outcome, seen->received == ANSWER_YES, names, sizeof(names));
	if (seen->expected == 0) {
		verdict_set(verdict, "Unknown", "NothingTraced", "tracing is on in no container");
	} else if (seen->received == ANSWER_YES) {
		verdict_set(verdict, "True", "SpansReceived",
			    "spans of all %zu traced containers have arrived: %s", seen->expected,
			    names);
	} else if (outcome->fresh) {
		verdict_set(verdict, "Unknown", "BackendRestarted", "%s",
			    symptom_info(SYMPTOM_BACKEND_FRESH)->cause);
	} else if (!outcome->proof->query && !outcome->proof->calls &&
		   outcome->proof->accepted > 0) {
		verdict_set(verdict, "Unknown", "BackendNotQueryable",
			    "the collector has accepted spans; from whom cannot be told, since "
			    "neither the back end nor span metrics can be asked");
	} else {
		const struct symptom_info *info =
		    cause == NULL ? NULL : symptom_info(cause->symptom);
		/* numbers in a text of the whole namespace would make it a new one each time */
		verdict_set(
		    verdict, "False", info == NULL ? "SpansMissing" : info->word,
		    "spans of %zu of %zu traced containers have arrived; missing: %s%s%s%s%s",
		    seen->seen, seen->expected, names, info == NULL ? "" : ". ",
		    info == NULL ? "" : (cause->hop == SIZE_MAX ? info->cause : cause->text),
		    info == NULL ? "" : "; ", info == NULL ? "" : info->advice);
	}
}

static void add_operations(const struct proof *proof, struct verdict *verdict)
{
	char text[LIST_MAX];
	size_t len = strlen(verdict->message);
	trace_groups_text(proof->groups_missing, text, sizeof(text));
	if (text[0] != '\0')
		(void)snprintf(verdict->message + len, sizeof(verdict->message) - len,
			       "; not seen: %s", text);
}

static void judge_connected(const struct outcome *outcome, struct verdict *verdict)
{
	const struct trace_verdict *seen = outcome->verdict;
	const struct proof *proof = outcome->proof;
	char parts[LIST_MAX];
	trace_parts_text(seen->parts_seen, parts, sizeof(parts));
	if (seen->expected == 0) {
		verdict_set(verdict, "Unknown", "NothingTraced", "tracing is on in no container");
	} else if (!proof->query) {
		verdict_set(verdict, "Unknown", "BackendNotQueryable",
			    "whether spans form one trace cannot be asked of %s",
			    outcome->targets->where);
	} else if (seen->connected == ANSWER_YES) {
		verdict_set(verdict, "True", "Connected", "trace %s holds: %s", seen->trace, parts);
		add_operations(proof, verdict);
	} else if (outcome->fresh) {
		verdict_set(verdict, "Unknown", "BackendRestarted", "%s",
			    symptom_info(SYMPTOM_BACKEND_FRESH)->cause);
	} else if (seen->seen == 0) {
		verdict_set(verdict, "Unknown", proof->received.reason,
			    "no span of a traced component has arrived yet");
	} else if (has_finding(outcome, SYMPTOM_CUT_OFF)) {
		verdict_set(verdict, "False", symptom_info(SYMPTOM_CUT_OFF)->word, "%s; %s",
			    symptom_info(SYMPTOM_CUT_OFF)->cause,
			    symptom_info(SYMPTOM_CUT_OFF)->advice);
	} else if (seen->received != ANSWER_YES) {
		verdict_set(verdict, "False", proof->received.reason,
			    "no trace holds every component; the best one holds: %s; %.800s",
			    parts[0] == '\0' ? "none of them" : parts, proof->received.message);
	} else {
		verdict_set(verdict, "False", symptom_info(SYMPTOM_SEPARATE)->word,
			    "%s; the best one holds: %s; %s", symptom_info(SYMPTOM_SEPARATE)->cause,
			    parts[0] == '\0' ? "none of them" : parts,
			    symptom_info(SYMPTOM_SEPARATE)->advice);
	}
}

/* The id in a message that says the same as before is left until the minute is over. */
static void settle_connected(const struct outcome *outcome)
{
	struct proof *proof = outcome->proof;
	struct verdict verdict = {.status = NULL};
	unsigned missing = proof->groups_missing;
	proof->groups_seen = outcome->verdict->groups_seen;
	proof->groups_missing = outcome->verdict->groups_expected & ~proof->groups_seen;
	judge_connected(outcome, &verdict);
	bool same = proof->connected.status != NULL &&
		    strcmp(proof->connected.status, verdict.status) == 0 &&
		    strcmp(proof->connected.reason, verdict.reason) == 0 &&
		    missing == proof->groups_missing;
	if (same && !outcome->refresh && strcmp(verdict.reason, "Connected") == 0)
		return;
	proof->connected = verdict;
	proof->trace_id[0] = '\0';
	if (outcome->verdict->connected == ANSWER_YES)
		memcpy(proof->trace_id, outcome->verdict->trace, sizeof(proof->trace_id));
}

static void note_times(const struct outcome *outcome, int64_t *last_us)
{
	for (size_t i = 0; last_us != NULL && i < outcome->hops->count; i++)
		if (outcome->verdict->hops[i].last_us >= last_us[i] + SHOWN_EVERY_US)
			last_us[i] = outcome->verdict->hops[i].last_us;
	if (outcome->refresh)
		outcome->proof->shown_us = outcome->verdict->newest_us;
}

void proof_conclude(struct proof *proof, const struct proof_targets *targets,
		    const struct trace_hops *hops, const struct trace_observation *seen,
		    int64_t *last_us)
{
	struct trace_verdict verdict;
	struct trace_findings findings;
	trace_verdict(hops, seen, &verdict);
	trace_diagnose(hops, seen, &verdict, &findings);
	struct outcome outcome = {
	    .proof = proof,
	    .targets = targets,
	    .hops = hops,
	    .verdict = &verdict,
	    .findings = &findings,
	    .fresh = seen->backend_fresh,
	    .refresh = verdict.newest_us >= proof->shown_us + SHOWN_EVERY_US,
	};
	proof->expected = verdict.expected;
	proof->heard = verdict.seen;
	proof->entries = verdict.entries;
	proof->entries_called = verdict.entries_called;
	judge_received(&outcome, &proof->received);
	settle_connected(&outcome);
	note_times(&outcome, last_us);
	trace_findings_release(&findings);
	trace_verdict_release(&verdict);
}

void proof_tell(const struct proof *proof, const struct proof_targets *targets,
		struct verdict *ret_received, struct verdict *ret_connected)
{
	*ret_received = proof->received;
	*ret_connected = proof->connected;
	if (!targets->wanted) {
		verdict_set(ret_received, "Unknown", "NothingTraced",
			    "no workload is traced yet, or the collector is not ready");
	} else if (!targets->counter) {
		verdict_set(ret_received, "Unknown", "CollectorNotQueryable",
			    "the collector in use shows no metrics on port 8888 of a Service "
			    "otel-collector in this namespace");
	} else if (proof->failures >= FAILURES_TOLD) {
		verdict_set(ret_received, "Unknown", "NotAnswering", "%s", proof->trouble);
	} else {
		return;
	}
	*ret_connected = *ret_received;
}
