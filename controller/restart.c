/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/elsewhere.h"
#include "controller/failure.h"
#include "controller/loan.h"
#include "controller/preflight.h"
#include "controller/reconciling.h"
#include "inject/settings.h"

enum { PROOF_AGAIN_MS = 5000 };

/* Without figures that change with every pod: a rollout costs a few writes of status, not one a pod. */
void restart_tell_rolling(struct reconciling *r)
{
	const struct rollout *rollout = &r->rollout;
	if (!r->row->pace.stalled && failure_tell(r))
		return;
	if (!r->row->pace.stalled) {
		const char *unknown = r->row->unsurveyed ? r->input->survey->why : NULL;
		const char *blind = r->row->seen.blind;
		(void)snprintf(r->words, sizeof(r->words), "%ld pods are being replaced%s%s%s%s",
			       rollout->pods,
			       unknown == NULL ? "" : "; whether new ones find room is not known: ",
			       unknown == NULL ? "" : unknown,
			       blind == NULL ? "" : "; a crash would not be recognised: ",
			       blind == NULL ? "" : blind);
		reconciling_tell(r, WORKLOAD_PENDING, REASON_ROLLING_OUT, r->words);
		return;
	}
	(void)snprintf(
	    r->words, sizeof(r->words),
	    "%ld of %ld replicas are new and %ld ready, and nothing has moved for longer "
	    "than the probes allow (%ld s)",
	    rollout->updated, rollout->wanted, rollout->ready, rollout->patience_s);
	reconciling_tell(r, WORKLOAD_FAILED, REASON_STALLED, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_STALLED, "Rollout", r->words);
}

/* Ours are the last ones to touch a workload that does not come up. */
static enum reason judge_health(struct reconciling *r)
{
	if (!rollout_is_failing(&r->rollout, r->input->now.wall_us))
		return REASON_NONE;
	(void)snprintf(r->words, sizeof(r->words),
		       "%ld of %ld replicas are ready and nothing has moved for longer than the "
		       "probes allow (%ld s); left alone until it comes up",
		       r->rollout.ready, r->rollout.wanted, r->rollout.patience_s);
	return REASON_ALREADY_FAILING;
}

bool restart_is_left_alone(struct reconciling *r)
{
	const struct policy *policy = r->input->policy;
	if (!r->plan->injected || r->ledger != NULL || !r->plan->template_changes)
		return false;
	enum reason reason = judge_health(r);
	if (reason == REASON_NONE && policy->has_settings)
		reason = preflight_judge(&r->sets, policy->settings.endpoint, &policy->path,
					 r->words, sizeof(r->words));
	if (reason == REASON_NONE)
		return false;
	reconciling_tell(r, WORKLOAD_SKIPPED, reason, r->words);
	if (r->changed)
		reconciling_tell_event(r, reason, "Inject", r->words);
	return true;
}

/* The namespace's rollout policy and window (not asked for what is taken back). */
static bool waits_for_consent(struct reconciling *r, const char *hash)
{
	const struct policy *policy = r->input->policy;
	struct consent_verdict verdict;
	struct consent_input input = {.object = r->input->object,
				      .settings = &policy->settings.rollout,
				      .rollout = &r->rollout,
				      .hash = hash,
				      .traced = r->ledger != NULL,
				      .replaces = r->row->pace.pods > 0,
				      .wall_us = r->input->now.wall_us};
	if (!r->plan->injected || !policy->has_settings)
		return false;
	consent_judge(&r->row->consent, &input, &verdict);
	r->rides = verdict.rides;
	if (verdict.waits == REASON_NONE)
		return false;
	r->words[0] = '\0';
	reconciling_add_words(r, "%s%s%ld pods would be replaced", verdict.words,
			      verdict.words[0] == '\0' ? "" : "; ", r->row->pace.pods);
	if (verdict.waits == REASON_REPORT_ONLY) {
		reconciling_add_edits(r);
	}
	reconciling_tell(r,
			 verdict.waits == REASON_REPORT_ONLY ? WORKLOAD_SKIPPED : WORKLOAD_PENDING,
			 verdict.waits, r->words);
	if (verdict.again_ms > 0)
		intents_again(r->intents, verdict.again_ms);
	return true;
}

/* The capacity floor. */
static bool would_empty_role(struct reconciling *r, const char *hash)
{
	const struct workload_input *input = r->input;
	char words[400];
	if (r->rides ||
	    !floor_is_broken(input->roster, r->row, input->policy->settings.rollout.min_ready,
			     words, sizeof(words)))
		return false;
	if (consent_is_given(input->object, ANNOTATION_ACCEPT_OUTAGE, hash))
		return false;
	(void)snprintf(r->words, sizeof(r->words),
		       "%s. Ways out: another replica, a strategy with maxSurge, or the "
		       "annotation " ANNOTATION_ACCEPT_OUTAGE ": %s",
		       words, hash);
	reconciling_tell(r, WORKLOAD_PENDING, REASON_WOULD_EMPTY_ROLE, r->words);
	if (r->changed)
		reconciling_tell_event(r, REASON_WOULD_EMPTY_ROLE,
				       r->plan->injected ? "Inject" : "Remove", r->words);
	return true;
}

/* What stands between a write and the pods that it replaces. */
static bool waits_to_restart(struct reconciling *r)
{
	char hash[17];
	if (!r->plan->template_changes || r->input->policy->dry_run)
		return false;
	consent_hash(r->plan, hash);
	(void)snprintf(r->row->consent.pending, sizeof(r->row->consent.pending), "%s", hash);
	return waits_for_consent(r, hash) || would_empty_role(r, hash);
}

/*
 * What the survey says to the write. One that lets it through has to be fresh; one that holds it back
 * may be older, so that what waits for room is no storm of lists.
 */
enum room { ROOM, NO_ROOM, NOT_SURVEYED };

static enum room look_for_room(struct reconciling *r, char *words, size_t size)
{
	const struct survey_report *report = r->input->survey;
	uint64_t now = r->input->now.mono_ms;
	uint64_t age = now > report->at_ms ? now - report->at_ms : 0;
	r->row->unsurveyed = false;
	if (!survey_is_needed(&r->sets))
		return ROOM;
	if (report->state == SURVEY_NONE || age > SURVEY_HELD_MS)
		return NOT_SURVEYED;
	if (report->state == SURVEY_UNKNOWN) {
		r->row->unsurveyed = true;
		return ROOM;
	}
	if (survey_would_deadlock(report->survey, &r->sets, words, size))
		return NO_ROOM;
	return age > SURVEY_FRESH_MS ? NOT_SURVEYED : ROOM;
}

/* True when that is the way: it is written so, or the floor with that strategy holds it. */
static bool lends_strategy(struct reconciling *r)
{
	struct replica_sets sets;
	const struct policy *policy = r->input->policy;
	if (!policy->has_settings || !policy->settings.rollout.allow_strategy_override ||
	    !loan_is_possible(r->input->object, &r->sets, &sets))
		return false;
	shares_read(&sets, r->input->facts, &r->row->shares);
	r->lends = !would_empty_role(r, r->row->consent.pending);
	return true;
}

/*
 * The surge check, when everything else would let the write through: others need no survey. One
 * that was held by it is not in line meanwhile, so that it keeps nobody waiting.
 */
static bool would_deadlock(struct reconciling *r, bool held)
{
	char words[400];
	const char *hash = r->row->consent.pending;
	if (!r->plan->template_changes || r->input->policy->dry_run || r->rides ||
	    r->row->pace.rolling ||
	    consent_is_given(r->input->object, ANNOTATION_ACCEPT_OUTAGE, hash))
		return false;
	switch (look_for_room(r, words, sizeof(words))) {
	case ROOM:
		return false;
	case NOT_SURVEYED:
		r->row->surveying = true;
		(void)intents_add(r->intents, INTENT_SURVEY, RESOURCE_NAMESPACE, "", "");
		if (!held)
			reconciling_tell(r, WORKLOAD_PENDING, REASON_WAITING_FOR_TURN,
					 "the room on the nodes is being looked at");
		return true;
	case NO_ROOM:
		break;
	}
	if (lends_strategy(r)) {
		if (!r->lends) /* with room it goes by its own strategy */
			intents_again(r->intents, SURVEY_HELD_MS + 1000);
		return !r->lends;
	}
	(void)snprintf(r->words, sizeof(r->words),
		       "%s. Ways out: spec.rollout.allowStrategyOverride, maxUnavailable: 1 until "
		       "it is through, or "
		       "spec.rollout.policy: OnNextChange; where nodes are added by themselves, "
		       "the annotation " ANNOTATION_ACCEPT_OUTAGE ": %s",
		       words, hash);
	reconciling_tell(r, WORKLOAD_PENDING, REASON_WOULD_DEADLOCK, r->words);
	if (!held && r->changed)
		reconciling_tell_event(r, REASON_WOULD_DEADLOCK,
				       r->plan->injected ? "Inject" : "Remove", r->words);
	intents_again(r->intents, SURVEY_HELD_MS + 1000);
	return true;
}

/*
 * What it waited for is over, and perhaps for its neighbours, too: were it to start now, whoever is looked at first would go
 * first. So it gets in line, and the order is asked when they were looked at, too.
 */
static bool joins_the_line(struct reconciling *r)
{
	struct roster *roster = r->input->roster;
	enum reason waited = r->row->reason;
	bool others = false;
	for (size_t i = 0; pace_ends_for_several(waited) && i < roster->count; i++) {
		struct roster_row *row = &roster->rows[i];
		bool too = row != r->row && row->reason == waited;
		row->stale |= too;
		others |= too;
	}
	return others;
}

/* The last thing to wait for; the row says it, with what the write will cost. */
static bool waits_for_its_turn(struct reconciling *r)
{
	const struct workload_input *input = r->input;
	enum reason reason = REASON_NONE;
	bool held =
	    r->row->state == WORKLOAD_PENDING &&
	    (r->row->reason == REASON_WOULD_DEADLOCK || r->row->reason == REASON_WOULD_EMPTY_ROLE);
	if (r->plan->template_changes && !input->policy->dry_run && !r->rides)
		reason = joins_the_line(r)
			     ? REASON_WAITING_FOR_TURN
			     : pace_may_start(input->roster, r->row, input->now.mono_ms);
	if ((reason == REASON_NONE || held) && would_deadlock(r, held))
		return true;
	enum reason told = reason == REASON_NONE ? REASON_WAITING_FOR_TURN : reason;
	(void)snprintf(r->words, sizeof(r->words), "%s %ld pods will be replaced.",
		       reason_info(told)->meaning, r->row->pace.pods);
	reconciling_tell(r, WORKLOAD_PENDING, told, r->words);
	return reason != REASON_NONE;
}

/* Another namespace is showing whether the image takes tracing. */
static bool waits_for_proof(struct reconciling *r)
{
	const struct workload_input *input = r->input;
	if (!r->plan->injected || !r->plan->template_changes || input->policy->dry_run ||
	    r->rides || r->row->pace.pods == 0 || r->row->pace.rolling ||
	    elsewhere_judge(input->elsewhere, input->roster, r->row, r->plan, true) !=
		REASON_WAITING_FOR_PROOF)
		return false;
	(void)snprintf(r->words, sizeof(r->words), "%s %ld pods will be replaced.",
		       reason_info(REASON_WAITING_FOR_PROOF)->meaning, r->row->pace.pods);
	reconciling_tell(r, WORKLOAD_PENDING, REASON_WAITING_FOR_PROOF, r->words);
	intents_again(r->intents, PROOF_AGAIN_MS);
	return true;
}

/* Pickers that are all gone before the first new one is Ready. */
static bool makes_gap(const struct reconciling *r)
{
	for (size_t i = 0; i < r->sets.count; i++) {
		const struct replicas *set = &r->sets.items[i];
		if (set->epp && set->ready > 0 && replicas_to_replace(set) > 0 &&
		    set->wanted - set->max_unavailable <= 0)
			return true;
	}
	return false;
}

/* Status says it before the write that makes it. */
static void announce_gap(struct reconciling *r)
{
	const struct workload_input *input = r->input;
	if (!r->plan->template_changes || input->policy->dry_run || !makes_gap(r))
		return;
	(void)snprintf(r->words, sizeof(r->words),
		       "by its own strategy its pods go before new ones come; until one is Ready "
		       "the gateway %s",
		       input->facts->epp_fail_close
			   ? "drops the requests of its pool (failureMode FailClose)"
			   : "sends requests to any server of its pool (failureMode FailOpen)");
	reconciling_tell(r, WORKLOAD_PENDING, REASON_ROUTING_GAP, r->words);
	reconciling_tell_event(r, REASON_ROUTING_GAP, "Rollout", r->words);
	if (input->policy->tracing_uid == NULL || roster_has_unseen(input->roster))
		return;
	struct intent *intent =
	    intents_add(r->intents, INTENT_STATUS, RESOURCE_TRACING,
			json_str(input->object, "metadata.namespace"), TRACING_NAME);
	intent->body = cJSON_CreateObject();
	json_set(json_set_object(intent->body, "status"), "workloads",
		 roster_status(input->roster));
	intent->is_report = true;
	intent->note = xstrdup("announce the gap in routing");
}

static struct pace_limits limits_of(const struct policy *policy)
{
	const struct rollout_settings *rollout = &policy->settings.rollout;
	if (!policy->has_settings)
		return (struct pace_limits){0};
	return (struct pace_limits){.max_concurrent = rollout->max_concurrent,
				    .go_on_after_failure = !rollout->pause_on_failure};
}

/*
 * At the first look after a start, a rollout of a workload that carries our ledger counts as
 * ours: the process may have been killed between the write and the status that tells it.
 */
void restart_follow(struct reconciling *r)
{
	struct pace *pace = &r->row->pace;
	uint64_t now = r->input->now.mono_ms;
	r->input->roster->limits = limits_of(r->input->policy);
	replica_sets_read(r->input->object, r->input->facts, &r->sets);
	rollout_judge_sets(&r->sets, &r->rollout);
	shares_read(&r->sets, r->input->facts, &r->row->shares);
	r->row->accelerators = replica_sets_want_accelerator(&r->sets);
	pace->pods = r->rollout.pods;
	r->row->surveying = false;
	pace->held = r->rollout.phase == ROLLOUT_HELD_BACK;
	if (r->row->state == WORKLOAD_UNSEEN && r->rollout.phase == ROLLOUT_PROGRESSING &&
	    (r->ledger != NULL || pace->rolling))
		pace_begin(pace, &r->rollout, false, now);
	uint64_t again = pace_follow(pace, &r->rollout, now);
	if (again > 0)
		intents_again(r->intents, again);
}

bool restart_waits(struct reconciling *r)
{
	if (waits_to_restart(r) || waits_for_proof(r) || waits_for_its_turn(r))
		return true;
	announce_gap(r);
	return false;
}
