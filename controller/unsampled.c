/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/unsampled.h"

#include <stdio.h>
#include <string.h>

#include "inject/trace_diagnose.h"

enum {
	WAIT_MIN_MS = 60000,
	WAIT_MAX_MS = 900000,
	SLACK_MS = 5000, /* an answer may have been on its way for so long */
	SETTLED_S = 180, /* who lost a collector tries again after up to 120 s (gRPC) */
};

static void drop_comparison(struct unsampled *unsampled)
{
	unsampled->pod[0] = '\0';
	unsampled->uid[0] = '\0';
	unsampled->more = 0;
}

void unsampled_forget(struct unsampled *unsampled)
{
	drop_comparison(unsampled);
	unsampled->known = false;
	unsampled->told = false;
	unsampled->wait_ms = 0;
	unsampled->due_ms = 0;
}

void unsampled_inherit(struct unsampled *unsampled, const char *message)
{
	if (unsampled->known || unsampled->told)
		return;
	unsampled->told = true;
	verdict_set(&unsampled->verdict, "False", REASON_WORD_UNSAMPLED, "%s", message);
}

/* The diagnosis that `verify` makes, of a time in which requests were served and nothing came. */
static bool blames_callers(const struct trace_hops *hops, unsigned *ret_parts)
{
	struct trace_counters nothing = {.calls = NULL};
	/* only collectors of our own are counted, and these take plaintext */
	struct trace_observation silence = {
	    .counters = &nothing, .traffic = ANSWER_YES, .tls = ANSWER_NO};
	struct trace_verdict verdict;
	struct trace_findings findings;
	bool blames = false;
	trace_verdict(hops, &silence, &verdict);
	trace_diagnose(hops, &silence, &verdict, &findings);
	for (size_t i = 0; i < findings.count; i++)
		blames |= findings.items[i].symptom == SYMPTOM_UNSAMPLED_PARENT;
	*ret_parts = verdict.parts_expected;
	trace_findings_release(&findings);
	trace_verdict_release(&verdict);
	return blames;
}

void unsampled_expect(struct unsampled *unsampled, const struct trace_hops *hops, bool heard)
{
	unsigned parts = 0;
	bool blames = blames_callers(hops, &parts);
	bool able = heard || __builtin_popcount(parts) > 1;
	unsampled->share = blames && able ? trace_share(hops) : 0;
	if (blames || !unsampled->told)
		return;
	unsampled->told = false;
	unsampled->known = true;
}

static bool is_enough(const struct unsampled *unsampled)
{
	return unsampled->more * unsampled->share >= TRACE_ENOUGH;
}

/* What came before a restart of the collector nobody knows. */
static bool has_restarted(const struct unsampled *unsampled, const struct trace_counters *collector,
			  uint64_t mono_ms)
{
	uint64_t up_ms = (uint64_t)(collector->value[COUNTER_UPTIME] * 1000) + SLACK_MS;
	return !unsampled->counted || !collector->known[COUNTER_UPTIME] ||
	       up_ms < mono_ms - unsampled->counted_ms;
}

static void conclude(struct unsampled *unsampled)
{
	const struct symptom_info *info = symptom_info(SYMPTOM_UNSAMPLED_PARENT);
	unsampled->told = true;
	unsampled->known = true;
	/* of then: a condition that counts on would be written again and again */
	verdict_set(&unsampled->verdict, "False", REASON_WORD_UNSAMPLED,
		    "%s (pod %s has served %.0f requests within %.0f s, of which about %.0f should "
		    "have been traced, and no span has arrived since); %s. `kubectl llmd-tracing "
		    "verify --send URL` tells whether a sampled request comes through",
		    info->cause, unsampled->pod, unsampled->more,
		    (double)(unsampled->asked_ms - unsampled->since_ms) / 1000,
		    unsampled->more * unsampled->share, info->advice);
	drop_comparison(unsampled);
}

bool unsampled_count(struct unsampled *unsampled, const struct trace_counters *collector,
		     uint64_t mono_ms)
{
	double passed = collector->value[COUNTER_ACCEPTED] - collector->value[COUNTER_FILTERED];
	double refused = collector->value[COUNTER_REFUSED];
	bool before = unsampled->told;
	bool restarted = has_restarted(unsampled, collector, mono_ms);
	bool settled =
	    collector->known[COUNTER_UPTIME] && collector->value[COUNTER_UPTIME] >= SETTLED_S;
	bool came = restarted ? unsampled->counted && passed > 0
			      : passed > unsampled->passed || refused > unsampled->refused;
	if (came) {
		unsampled->told = false;
		unsampled->known = true;
		if (unsampled->wait_ms > WAIT_MIN_MS)
			unsampled->wait_ms = WAIT_MIN_MS;
		if (unsampled->due_ms > mono_ms + WAIT_MIN_MS)
			unsampled->due_ms = mono_ms + WAIT_MIN_MS;
	}
	if (came || restarted)
		drop_comparison(unsampled);
	else if (settled && is_enough(unsampled) &&
		 mono_ms - unsampled->asked_ms >= UNSAMPLED_PAUSE_MS)
		conclude(unsampled);
	unsampled->silent = !came && (!restarted || passed <= 0);
	unsampled->counted = true;
	unsampled->settled = settled;
	unsampled->passed = passed;
	unsampled->refused = refused;
	unsampled->counted_ms = mono_ms;
	return unsampled->told != before;
}

bool unsampled_wants(const struct unsampled *unsampled, uint64_t mono_ms)
{
	return unsampled->counted && unsampled->settled && unsampled->silent && !unsampled->told &&
	       unsampled->share > 0 && !is_enough(unsampled) && mono_ms >= unsampled->due_ms;
}

static void begin(struct unsampled *unsampled, const struct served_at *server, double served,
		  uint64_t mono_ms)
{
	drop_comparison(unsampled);
	(void)snprintf(unsampled->pod, sizeof(unsampled->pod), "%s", server->pod);
	(void)snprintf(unsampled->uid, sizeof(unsampled->uid), "%s", server->uid);
	unsampled->served = served;
	unsampled->since_ms = mono_ms;
	unsampled->due_ms = mono_ms + unsampled->wait_ms;
}

/* Nobody asks this one, or it does not answer: later, and another one first. */
static void turn_away(struct unsampled *unsampled, bool answered, size_t servers, uint64_t mono_ms)
{
	unsampled->wait_ms =
	    unsampled->wait_ms < WAIT_MIN_MS ? WAIT_MIN_MS : unsampled->wait_ms * 2;
	if (unsampled->wait_ms > WAIT_MAX_MS)
		unsampled->wait_ms = WAIT_MAX_MS;
	unsampled->due_ms = mono_ms + unsampled->wait_ms;
	if (answered && servers > 1) /* the pause is between the two questions to the next one */
		unsampled->due_ms = mono_ms;
	if (!answered || servers > 1) {
		unsampled->which++;
		drop_comparison(unsampled);
	}
}

void unsampled_answer(struct unsampled *unsampled, const struct served_at *server, double served,
		      size_t servers, uint64_t mono_ms)
{
	if (server == NULL || served < 0) {
		turn_away(unsampled, false, servers, mono_ms);
		return;
	}
	/* another pod, or the same one anew */
	if (unsampled->pod[0] == '\0' || strcmp(unsampled->uid, server->uid) != 0 ||
	    served < unsampled->served + unsampled->more) {
		begin(unsampled, server, served, mono_ms);
		return;
	}
	double more = served - unsampled->served;
	bool grown = more > unsampled->more;
	unsampled->more = more;
	unsampled->asked_ms = mono_ms;
	if (!grown) {
		turn_away(unsampled, true, servers, mono_ms);
		return;
	}
	unsampled->wait_ms = WAIT_MIN_MS;
	unsampled->due_ms = mono_ms + WAIT_MIN_MS;
}

bool unsampled_hurries(const struct unsampled *unsampled)
{
	return unsampled->pod[0] != '\0' && (unsampled->wait_ms == 0 || is_enough(unsampled));
}
