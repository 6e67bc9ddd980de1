/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/sampling_tell.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "inject/sampling_judge.h"
#include "inject/settings_check.h"

/* Fewer say nothing about a share. */
enum { NAMED_MAX = 3, ENTRIES_ENOUGH = 5, SPANS_ENOUGH = 1000 };

struct telling {
	const struct settings *settings;
	const char *word;   /* of the first trouble, or "SeveralCauses" */
	size_t troubles;    /* containers */
	struct buffer text; /* the first few */
	size_t on;          /* containers that were looked at */
	size_t pickers;     /* of these */
	size_t led;         /* that follow a picker */
	size_t decides;     /* by themselves, where a picker should */
	bool waiting;       /* writes wait, so not everything is as it will be */
	bool accelerators;
};

static void add_trouble(struct telling *t, const struct trace_hop *hop, const char *word,
			const char *words)
{
	t->word = t->word == NULL || strcmp(t->word, word) == 0 ? word : "SeveralCauses";
	if (t->troubles++ < NAMED_MAX)
		buffer_addf(&t->text, "%s%s container %s: %s", t->troubles == 1 ? "" : "; ",
			    hop->workload, hop->container, words);
}

static void look_at(struct telling *t, const struct trace_hop *hop)
{
	char words[SAMPLING_WORDS_MAX];
	if (!hop->on)
		return;
	t->on++;
	t->pickers += hop->component == COMPONENT_EPP;
	t->decides += hop->decides;
	t->led += hop->component != COMPONENT_EPP && !hop->decides;
	const char *word = sampling_trouble(hop, t->settings, words);
	if (word != NULL)
		add_trouble(t, hop, word, words);
}

static void look_at_all(struct telling *t, const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *row = &roster->rows[i];
		t->accelerators = t->accelerators || row->accelerators;
		if (row->state == WORKLOAD_PENDING || row->pace.rolling) {
			t->waiting = true;
			continue;
		}
		for (size_t k = 0; k < row->hops.count; k++)
			look_at(t, &row->hops.items[k]);
	}
}

/* With callers that have decided already the ratio is theirs. */
static bool callers_decide(const struct telling *t, const struct proof *proof)
{
	return proof != NULL && t->settings->where != SAMPLING_COLLECTOR &&
	       !ratio_is_one(settings_ratio(t->settings)) && proof->entries >= ENTRIES_ENOUGH &&
	       proof->entries_called * 2 > proof->entries;
}

static void tell_consistent(const struct telling *t, struct verdict *verdict)
{
	static const char *const who[] = {
	    [SAMPLING_ROOT] = "the endpoint picker decides, and all others follow it",
	    [SAMPLING_PODS] = "every component decides by the same ratio",
	    [SAMPLING_COLLECTOR] = "the collector decides, of everything",
	};
	struct buffer text CLEANUP(buffer_release) = {0};
	const char *ratio = settings_ratio(t->settings);
	buffer_init(&text, sizeof(verdict->message));
	buffer_addf(&text, "ratio %s: %s", ratio, who[t->settings->where]);
	if (t->settings->boost.active)
		buffer_addf(&text, "; boosted until %s", t->settings->boost.until);
	if (t->decides > 0)
		buffer_addf(&text,
			    "; but %zu containers have it themselves, since no traced endpoint "
			    "picker decides before them: another ratio replaces their pods",
			    t->decides);
	if (t->accelerators && strtod(ratio, NULL) > 0.1)
		buffer_add_str(&text, "; model servers on accelerators: more than 0.1 costs them "
				      "time and the back end space, see spec.sampling");
	verdict_set(verdict, "True", t->decides > 0 ? "SomeDecideThemselves" : "Consistent", "%s",
		    text.data);
}

double sampling_kept(const struct proof *proof, const struct settings *settings)
{
	bool samples = settings->where == SAMPLING_COLLECTOR || settings->tail.ratio != NULL ||
		       settings->max_spans_per_second > 0;
	/* each pod counts for itself, and twice what one hands on to another */
	if (proof == NULL || !samples || settings->collector_replicas > 1 ||
	    proof->passed < SPANS_ENOUGH)
		return -1;
	return proof->sent / proof->passed;
}

void sampling_tell(const struct roster *roster, const struct settings *settings,
		   const struct collector_plan *collector, const struct proof *proof,
		   struct verdict *ret_verdict)
{
	struct telling t = {.settings = settings};
	bool own = collector == NULL || text_equal(collector->mode, "Deployment") ||
		   text_equal(collector->mode, "OpenTelemetryCollector") || collector->mode == NULL;
	bool samples = settings->where == SAMPLING_COLLECTOR || settings->max_spans_per_second > 0;
	buffer_init(&t.text, sizeof(ret_verdict->message));
	look_at_all(&t, roster);
	if (!own && samples)
		verdict_set(ret_verdict, "False", "NotOurCollector",
			    "the collector that is used is not ours, so it neither samples nor "
			    "limits: %s",
			    settings->where == SAMPLING_COLLECTOR
				? "everything is sent on"
				: "maxSpansPerSecond is not kept");
	else if (t.troubles > 0)
		verdict_set(ret_verdict, "False", t.word, "%zu of %zu containers: %s%s", t.troubles,
			    t.on, t.text.data, t.troubles > NAMED_MAX ? "; …" : "");
	else if (t.on > 0 && proof != NULL && proof->unsampled.told)
		*ret_verdict = proof->unsampled.verdict;
	else if (callers_decide(&t, proof))
		verdict_set(ret_verdict, "False", "CallerDecides",
			    "requests come with a traceparent whose sender has decided already, so "
			    "the ratio %s hardly counts; sample there, or bound it with "
			    "spec.sampling.where: Collector or maxSpansPerSecond",
			    settings_ratio(settings));
	else if (t.on == 0)
		verdict_set(
		    ret_verdict, "Unknown", t.waiting ? "InProgress" : "NothingTraced", "%s",
		    t.waiting ? "workloads are being written" : "tracing is on in no container");
	else if (settings->where == SAMPLING_ROOT && t.led > 0 && t.pickers == 0 &&
		 !ratio_is_one(settings->ratio))
		verdict_set(ret_verdict, t.waiting ? "Unknown" : "False",
			    t.waiting ? "InProgress" : "NobodyDecides",
			    "%zu containers keep everything and wait for an endpoint picker to "
			    "decide, but none is traced%s",
			    t.led, t.waiting ? " yet" : "");
	else
		tell_consistent(&t, ret_verdict);
	buffer_release(&t.text);
}
