/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/reconcile_workload.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/text.h"
#include "controller/failure.h"
#include "controller/loan.h"
#include "controller/managed_fields.h"
#include "controller/reconciling.h"
#include "controller/writers.h"
#include "inject/plan.h"

void reconciling_tell(struct reconciling *r, enum workload_state state, enum reason reason,
		      const char *words)
{
	if (roster_tell(r->row, state, reason, words))
		r->changed = true;
}

/* About the workload, and about the Tracing, where all of a namespace can be read in one place. */
void reconciling_tell_event(struct reconciling *r, enum reason reason, const char *action,
			    const char *note)
{
	const cJSON *object = r->input->object;
	const char *namespace_name = json_str(object, "metadata.namespace");
	const char *name = json_str(object, "metadata.name");
	intents_add_event(r->intents, r->input->resource, namespace_name, name,
			  json_str(object, "metadata.uid"), reason, action, note);
	if (r->input->policy->tracing_uid == NULL)
		return;
	CLEANUP(str_freep)
	char *told = xasprintf("%s %s: %s", resource_get(r->input->resource)->kind, name, note);
	intents_add_event(r->intents, RESOURCE_TRACING, namespace_name, TRACING_NAME,
			  r->input->policy->tracing_uid, reason, action, told);
}

void reconciling_add_words(struct reconciling *r, const char *fmt, ...)
{
	size_t len = strlen(r->words);
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(r->words + len, sizeof(r->words) - len, fmt, args);
	va_end(args);
	r->words[text_utf8_valid_prefix(r->words, strlen(r->words))] = '\0';
}

/* What would be done, for people. */
void reconciling_add_edits(struct reconciling *r)
{
	for (size_t i = 0; i < r->plan->edit_count; i++)
		reconciling_add_words(r, "%s%s", r->words[0] == '\0' ? "" : "; ",
				      r->plan->edits[i].what);
}

/* One line for all containers; the reason of the first that is skipped, or injected. */
static enum reason describe_containers(struct reconciling *r)
{
	enum reason skipped = REASON_NONE;
	enum reason injected = REASON_NONE;
	for (size_t i = 0; i < r->plan->container_count; i++) {
		const struct plan_container *container = &r->plan->containers[i];
		if (!plan_container_is_told(container))
			continue;
		reconciling_add_words(
		    r, "%s%s: %s", r->words[0] == '\0' ? "" : "; ", container->name,
		    container->message[0] != '\0' ? container->message
						  : reason_info(container->reason)->word);
		if (container->inject &&
		    (injected == REASON_NONE || container->reason == REASON_UNVERIFIED))
			injected = container->reason;
		else if (!container->inject && skipped == REASON_NONE)
			skipped = container->reason;
	}
	return r->plan->injected && injected != REASON_NONE ? injected : skipped;
}

/* What stands when nothing is to be written. */
static void tell_settled(struct reconciling *r)
{
	const struct plan *plan = r->plan;
	enum reason reason = describe_containers(r);
	if (plan->reason != REASON_NONE) {
		reason = plan->reason;
		(void)snprintf(r->words, sizeof(r->words), "%s", plan->message);
	}
	bool ours = plan->injected && r->ledger != NULL;
	if (r->row->pace.rolling) {
		restart_tell_rolling(r);
		return;
	}
	r->row->pace.proven =
	    ours && plan->reason == REASON_NONE && (r->row->pace.proven || r->rollout.shown);
	if (ours) {
		reconciling_tell(r, WORKLOAD_INJECTED,
				 reason == REASON_NONE ? REASON_INJECTED : reason, r->words);
		return;
	}
	bool silent = reason == REASON_NONE || reason == REASON_NOTHING_LEADS_HERE ||
		      reason == REASON_NOT_A_COMPONENT || reason == REASON_OWNED ||
		      reason == REASON_REMOVED;
	if (silent && r->input->facts->evidence == EVIDENCE_NONE)
		reconciling_tell(r, WORKLOAD_IGNORED, REASON_NONE, "");
	else if (reason == REASON_OWNED || reason == REASON_NOTHING_LEADS_HERE ||
		 reason == REASON_REMOVED)
		reconciling_tell(r, WORKLOAD_IGNORED, REASON_NONE, "");
	else
		reconciling_tell(r, WORKLOAD_SKIPPED, reason, r->words);
	if (r->changed && r->row->state == WORKLOAD_SKIPPED)
		reconciling_tell_event(r, reason, "Skip", r->words);
}

static enum workload_rank rank_of(const struct facts *facts)
{
	if (!facts->epp)
		return facts->role == ROLE_PREFILL ? RANK_PREFILL : RANK_SERVER;
	return facts->epp_fail_close ? RANK_EPP_FAIL_CLOSE : RANK_EPP;
}

/*
 * Something that we had put in was taken away: with the ledger (`kubectl rollout undo`), or
 * without it (a client-side or server-side apply resets the list, whatever else it changes).
 */
static bool has_evidence_of_undo(const struct reconciling *r)
{
	if (!r->plan->changes || !r->plan->injected)
		return false;
	if (r->ledger == NULL)
		return r->row->undo.hash[0] != '\0';
	return r->plan->template_changes && r->plan->undone;
}

bool reconciling_retry(const cJSON *object, char ret_hash[17])
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *retry = json_member(annotations, ANNOTATION_RETRY);
	if (!cJSON_IsString(retry))
		return false;
	hash_short(retry->valuestring, strlen(retry->valuestring), ret_hash);
	return true;
}

void workload_version(const cJSON *object, const struct policy *policy,
		      char ret_text[WORKLOAD_VERSION_MAX])
{
	char retry[17] = "";
	(void)reconciling_retry(object, retry);
	(void)snprintf(ret_text, WORKLOAD_VERSION_MAX, "%ld/%s/%s/%d/%s",
		       json_int(object, "metadata.generation", 0), retry, policy->settings_hash,
		       (int)policy->phase, policy->operator_version);
}

static enum undo_verdict judge_undo(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	char retry[17];
	bool asked = reconciling_retry(object, retry);
	struct undo_input input = {
	    .uid = json_str(object, "metadata.uid"),
	    .injected = r->plan->injected && !r->plan->changes && r->ledger != NULL,
	    .evidence = has_evidence_of_undo(r),
	    .rollout_through = r->rollout.phase != ROLLOUT_PROGRESSING,
	    .settings = r->input->policy->said_hash,
	    .retry = asked ? retry : NULL,
	    .hash = r->plan->hash,
	    .pristine = r->plan->pristine,
	    .by = writers_last(object),
	    .accelerated = writers_on_accelerators(&r->sets),
	    .now_us = r->input->now.wall_us,
	};
	return undo_judge(&r->row->undo, &input);
}

static void lend_strategy(const struct reconciling *r, cJSON *patch)
{
	CLEANUP(json_freep) cJSON *patched = NULL;
	struct error err;
	if (plan_apply(r->plan, r->input->object, &patched, &err) == STATUS_OK)
		loan_take(patched, patch);
}

static bool owes_strategy(const struct reconciling *r)
{
	return loan_is_open(r->input->object) || r->row->lent != NULL;
}

static bool holds_refusal(const struct reconciling *r)
{
	char version[WORKLOAD_VERSION_MAX];
	workload_version(r->input->object, r->input->policy, version);
	return refusal_holds(&r->row->refusal, version, r->input->now.mono_ms);
}

static void again_after_refusal(struct reconciling *r)
{
	uint64_t at = r->row->refusal.retry_at_ms;
	if (at != UINT64_MAX)
		intents_again(r->intents, at - r->input->now.mono_ms);
}

/* The rollout for which the strategy was lent is through. True when it is given back now. */
static bool intend_loan_return(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	if (!owes_strategy(r) || r->row->pace.rolling || r->rollout.phase == ROLLOUT_PROGRESSING)
		return false;
	if (holds_refusal(r)) {
		again_after_refusal(r);
		return false;
	}
	struct intent *intent =
	    intents_add(r->intents, INTENT_PATCH, r->input->resource,
			json_str(object, "metadata.namespace"), json_str(object, "metadata.name"));
	const cJSON *managers = json_get(object, "metadata.managedFields");
	intent->body = loan_return(object, r->row->lent);
	intent->managers = managers == NULL ? NULL : json_clone(managers);
	intent->note = xstrdup("give the strategy back");
	return true;
}

/* What the pods of a write show is the write's doing only where nothing else was the matter. */
static void begin_rollout(struct reconciling *r)
{
	struct pace *pace = &r->row->pace;
	bool was_doubtful = pace->rolling && pace->doubtful;
	if (!r->plan->template_changes || pace->pods == 0)
		return;
	pace_begin(pace, &r->rollout, r->input->resource == RESOURCE_MODELSERVICE,
		   r->input->now.mono_ms);
	pace->doubtful = was_doubtful || r->rides || r->rollout.ready < r->rollout.wanted;
	pods_seen_clear(&r->row->seen);
}

static void tell_patch(struct reconciling *r)
{
	if (r->reverts) {
		reconciling_tell_event(r, REASON_REVERTED, "Revert", r->row->message);
		return;
	}
	r->words[0] = '\0';
	if (r->plan->injected)
		(void)describe_containers(r);
	reconciling_add_edits(r);
	if (r->lends)
		reconciling_add_words(r, "; maxUnavailable: 1 until the rollout is through");
	reconciling_tell_event(r, r->plan->injected ? REASON_INJECTED : REASON_REMOVED,
			       r->plan->injected ? "Inject" : "Remove", r->words);
}

void reconciling_patch(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	struct intent *intent =
	    intents_add(r->intents, INTENT_PATCH, r->input->resource,
			json_str(object, "metadata.namespace"), json_str(object, "metadata.name"));
	const cJSON *managers = json_get(object, "metadata.managedFields");
	intent->body = plan_patch(r->plan, PATCH_GUARD_RESOURCE_VERSION);
	if (r->lends)
		lend_strategy(r, intent->body);
	intent->managers = managers == NULL ? NULL : json_clone(managers);
	const char *what = r->plan->injected ? "inject" : "take back";
	intent->revert = r->reverts;
	intent->note = xstrdup(r->reverts ? "revert" : what);
	begin_rollout(r);
	if (r->rides && r->rollout.replaced > 0) {
		(void)snprintf(r->words, sizeof(r->words),
			       "%ld of %ld replicas had been replaced already and are once more",
			       r->rollout.replaced, r->rollout.wanted);
		reconciling_tell_event(r, REASON_RIDES_LATE, "Inject", r->words);
	}
	tell_patch(r);
}

bool reconciling_is_refused(struct reconciling *r)
{
	struct refusal *refusal = &r->row->refusal;
	if (!holds_refusal(r))
		return false;
	if (refusal_is_worth_telling(refusal))
		reconciling_tell(r, WORKLOAD_FAILED, refusal->reason, refusal->message);
	again_after_refusal(r);
	return true;
}

/* True when a write has to wait; the row says for what. */
static bool has_to_wait(struct reconciling *r, enum undo_verdict undo)
{
	const struct workload_input *input = r->input;
	const struct policy *policy = input->policy;
	struct roster_row *row = r->row;
	if (undo == UNDO_CONFLICTING) {
		writers_tell_conflict(r);
		return true;
	}
	if (reconciling_is_refused(r))
		return true;
	if (r->plan->injected && !policy->collector.ready && policy->phase == PHASE_ON &&
	    !policy->dry_run) {
		reconciling_tell(r, WORKLOAD_PENDING, REASON_WAITING_FOR_COLLECTOR,
				 policy->collector.collector.message);
		return true;
	}
	if (restart_is_left_alone(r) || writers_keep_out(r))
		return true;
	if (undo == UNDO_WAIT) {
		r->words[0] = '\0';
		reconciling_add_words(r, "undone by %s; repaired once their rollout is through",
				      writers_name(r->row->undo.by));
		reconciling_tell(r, WORKLOAD_PENDING, REASON_UNDONE, r->words);
		if (r->changed)
			reconciling_tell_event(r, REASON_UNDONE, "Inject", row->message);
		return true;
	}
	return restart_waits(r);
}

/* Once for each generation: whatever the server makes of it, it is never a loop. */
static void intend_give_back(struct reconciling *r)
{
	const cJSON *object = r->input->object;
	long generation = json_int(object, "metadata.generation", 0);
	if (!managed_fields_need_giving_back(object) || r->row->gave_back == generation)
		return;
	r->row->gave_back = generation;
	struct intent *intent =
	    intents_add(r->intents, INTENT_GIVE_BACK, r->input->resource,
			json_str(object, "metadata.namespace"), json_str(object, "metadata.name"));
	intent->note = xstrdup("give field ownership back");
}

/* By a value of the retry annotation that was not obeyed yet; obeyed from now on, also where there is no undo to judge. */
static bool is_asked_anew(struct reconciling *r)
{
	char retry[17];
	if (!reconciling_retry(r->input->object, retry) || text_equal(retry, r->row->undo.retry))
		return false;
	if (!r->plan->injected)
		undo_obey(&r->row->undo, retry);
	return true;
}

static void act_on_plan(struct reconciling *r)
{
	bool removing = r->input->policy->phase == PHASE_REMOVE || !r->plan->injected;
	if (failure_holds(r)) {
		if (!r->reverts)
			(void)intend_loan_return(r);
		return;
	}
	bool asked = is_asked_anew(r);
	enum undo_verdict undo = removing ? UNDO_NONE : judge_undo(r);
	if (rehearsing_comes_first(r, asked))
		return;
	if (!r->plan->changes) {
		if (removing)
			undo_forget(&r->row->undo);
		/* to give the strategy back may be refused, too */
		if (owes_strategy(r) && reconciling_is_refused(r))
			return;
		if (!owes_strategy(r))
			refusal_clear(&r->row->refusal);
		consent_forget(&r->row->consent);
		memcpy(r->row->consent.pending, r->outdated, sizeof(r->outdated));
		tell_settled(r);
		if (!intend_loan_return(r))
			intend_give_back(r);
		return;
	}
	if (has_to_wait(r, undo)) {
		(void)intend_loan_return(r);
		return;
	}
	if (removing)
		undo_forget(&r->row->undo);
	reconciling_patch(r);
}

/* Held: what is injected stays as it is, and so does what people are told of it. */
static void hold_workload(struct reconciling *r)
{
	const struct policy *policy = r->input->policy;
	if (r->ledger != NULL)
		reconciling_tell(r, WORKLOAD_INJECTED, policy->reason, policy->message);
	else if (r->input->facts->evidence != EVIDENCE_NONE &&
		 r->input->facts->standing == STANDING_EDITABLE)
		reconciling_tell(r, WORKLOAD_SKIPPED, policy->reason, policy->message);
	else
		reconciling_tell(r, WORKLOAD_IGNORED, REASON_NONE, "");
}

/* What is held back is taken along when a person has agreed to just that. */
static enum status ask_for_outdated(struct reconciling *r, const struct plan_input *input,
				    struct error *err)
{
	struct plan *whole CLEANUP(plan_freep) = NULL;
	struct plan_input taken = *input;
	taken.take_updates = true;
	enum status status = plan_build(&taken, &whole, err);
	if (status != STATUS_OK)
		return status;
	consent_hash(whole, r->outdated);
	if (!consent_is_given(input->object, ANNOTATION_APPROVE, r->outdated))
		return STATUS_OK;
	r->outdated[0] = '\0';
	plan_freep(&r->plan);
	r->plan = TAKE_PTR(whole);
	return STATUS_OK;
}

bool reconciling_build(struct reconciling *r, enum plan_want want)
{
	const struct workload_input *input = r->input;
	const struct policy *policy = input->policy;
	struct settings defaults;
	struct error err;
	struct facts facts = *input->facts;
	bool own = !policy->has_settings;
	if (own)
		settings_init_defaults(&defaults);
	const struct settings *settings = own ? &defaults : &policy->settings;
	facts.pool_excluded = !facts_selected(&facts, input->object, settings);
	struct plan_input plan_input = {
	    .object = input->object,
	    .settings = settings,
	    .settings_hash = policy->settings_hash,
	    .led_hash = policy->led_hash,
	    .facts = &facts,
	    .rehearsals = input->rehearsals,
	    .want = want,
	};
	plan_freep(&r->plan);
	trace_hops_release(&r->hops);
	r->outdated[0] = '\0';
	enum status status = plan_build(&plan_input, &r->plan, &err);
	if (status == STATUS_OK && r->plan->outdated)
		status = ask_for_outdated(r, &plan_input, &err);
	if (status == STATUS_OK && policy->phase == PHASE_ON)
		trace_hops_read(&plan_input, r->plan, &r->hops);
	if (own)
		settings_release(&defaults);
	if (status == STATUS_OK)
		return true;
	reconciling_tell(r, WORKLOAD_FAILED, REASON_REFUSED, err.message);
	if (r->changed)
		reconciling_tell_event(r, REASON_REFUSED, "Plan", err.message);
	return false;
}

void reconcile_workload(const struct workload_input *input, struct roster_row *row,
			struct intents *intents, struct workload_news *ret_news)
{
	const cJSON *annotations = json_get(input->object, "metadata.annotations");
	const cJSON *ledger = json_member(annotations, ANNOTATION_LEDGER);
	struct reconciling r = {
	    .input = input,
	    .row = row,
	    .intents = intents,
	    .ledger = cJSON_IsString(ledger) ? ledger->valuestring : NULL,
	};
	bool was_rolling = row->pace.rolling;
	r.changed = loan_note(input->object, &row->lent);
	row->pace.rank = rank_of(input->facts);
	restart_follow(&r);
	switch (input->policy->phase) {
	case PHASE_HOLD:
		hold_workload(&r);
		break;
	case PHASE_ON:
	case PHASE_REMOVE:
		if (reconciling_build(&r, input->policy->phase == PHASE_REMOVE ? PLAN_REMOVE
									       : PLAN_INJECT)) {
			pace_read_plan(&row->pace, r.plan);
			act_on_plan(&r);
		}
		break;
	case PHASE_OFF:
	case PHASE_GONE:
		reconciling_tell(&r, WORKLOAD_IGNORED, REASON_NONE, "");
		break;
	}
	plan_freep(&r.plan);
	roster_stamp(row, input->now.wall_us);
	*ret_news =
	    (struct workload_news){.changed = r.changed || row->pace.rolling != was_rolling};
	/* what is held stays as it was, also what is expected of it */
	if (input->policy->phase != PHASE_HOLD)
		ret_news->expected = roster_expect(row, &r.hops);
}
