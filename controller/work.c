/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue's other end: a key is taken, looked at, and what it wants is carried out. One
 * key of a namespace is under way at a time, so that one write of ours is (DESIGN §7).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/controller_internal.h"
#include "controller/owned.h"
#include "controller/policy.h"
#include "controller/proof_view.h"
#include "controller/reconcile_namespace.h"
#include "controller/reconcile_workload.h"
#include "inject/objects.h"
#include "k8sclient/api_status.h"

enum {
	KEYS_PER_TURN = 32,    /* then the loop's other work gets its turn */
	STATUS_DELAY_MS = 250, /* several workloads, one status write */
	CONFLICTS_BEFORE_READ = 3,
};

/* A key under way. */
struct job {
	struct controller *controller;
	struct namespace *space;
	char *text; /* the key */
	struct key key;
	struct moment started;
	char *next_before; /* whose turn it was */
	char version
	    [WORKLOAD_VERSION_MAX]; /* of the object, or the Tracing: what a refusal is about */
	uint64_t again_ms;
	bool was_rolling; /* before a write that may fail */
	bool finished;    /* the namespace need not be kept */
};

static char *name_of_next(const struct namespace *space, uint64_t now)
{
	const struct roster_row *row = pace_next(&space->roster, now);
	return row == NULL ? NULL : xasprintf("%d/%s", (int)row->resource, row->name);
}

static void count_reconcile(const struct job *job, const char *result, bool error, bool terminal)
{
	struct controller *controller = job->controller;
	const char *name = job->key.workload ? "workload" : "namespace";
	char labels[64];
	uint64_t took = controller_now(controller).mono_ms - job->started.mono_ms;
	(void)snprintf(labels, sizeof(labels), "%s\x1f%s", name, result);
	metric_add(controller->metrics.reconciles, labels, 1);
	if (error)
		metric_add(controller->metrics.errors, name, 1);
	if (terminal)
		metric_add(controller->metrics.terminal_errors, name, 1);
	metric_observe(controller->metrics.seconds, name, (double)took / 1000);
	metric_observe(controller->metrics.work_seconds, "llmd-tracing", (double)took / 1000);
}

/* --- the end of a key --- */

static void release_held(struct controller *controller, struct namespace *space)
{
	for (size_t i = 0; i < space->held_count; i++) {
		queue_add(controller->queue, space->held[i]);
		free(space->held[i]);
	}
	space->held_count = 0;
}

static void pass_turn(const struct job *job)
{
	uint64_t now = controller_now(job->controller).mono_ms;
	const struct roster_row *next = pace_next(&job->space->roster, now);
	CLEANUP(str_freep) char *after = name_of_next(job->space, now);
	if (next != NULL && !text_equal(after, job->next_before))
		add_workload_key(job->controller, next->resource, job->space->name, next->name);
}

static bool may_be_forgotten(const struct job *job)
{
	return job->finished && job->space->held_count == 0 && !job->space->listing;
}

static void end_job(struct job *job)
{
	struct controller *controller = job->controller;
	struct namespace *space = job->space;
	uint64_t now = controller_now(controller).mono_ms;
	pass_turn(job);
	space->busy = false;
	controller->busy--;
	release_held(controller, space);
	if (job->again_ms > 0)
		queue_add_after(controller->queue, job->text, now, job->again_ms);
	if (may_be_forgotten(job))
		controller_forget_namespace(controller, space);
	lookout_settle(controller);
	wake_for_room(controller); /* also when a rollout went with its workload or namespace */
	queue_done(controller->queue, job->text, now);
	key_release(&job->key);
	free(job->text);
	free(job->next_before);
	free(job);
	if (controller->draining && controller->busy == 0 && controller->drained != NULL) {
		void (*drained)(void *context) = controller->drained;
		controller->drained = NULL;
		drained(controller->drained_context);
		return;
	}
	pump_soon(controller);
}

/* --- failures --- */

static const char *explain_conflict(const struct act_result *result, char *text, size_t size)
{
	const struct intent *failed = result->failed;
	if (result->status != STATUS_CONFLICT || failed->type != INTENT_APPLY ||
	    json_str(failed->body, "metadata.resourceVersion") == NULL)
		return result->message;
	(void)snprintf(text, size,
		       "%s %s exists already and is not ours (no label "
		       "app.kubernetes.io/managed-by=llmd-tracing); rename or delete it",
		       resource_get(failed->resource)->kind, failed->name);
	return text;
}

/* A refused write to one of our own objects holds that part, not the whole namespace. */
static void fail_namespace(struct job *job, const struct act_result *result)
{
	struct controller *controller = job->controller;
	uint64_t now = controller_now(controller).mono_ms;
	char text[512];
	/* a policy may find an object of ours invalid today and not tomorrow */
	enum status status = result->status == STATUS_INVALID ? STATUS_DENIED : result->status;
	if (result->terminating)
		return;
	if (result->failed->part == PART_NONE) {
		(void)queue_retry(controller->queue, job->text, now, status,
				  result->retry_after_ms);
		return;
	}
	refusal_note(&job->space->refusals[result->failed->part], status,
		     explain_conflict(result, text, sizeof(text)), job->version, now,
		     result->retry_after_ms);
	/* at once again: the status is to say it; the refused write itself waits */
	queue_add(controller->queue, job->text);
}

static void refresh(struct job *job)
{
	act_refresh(&job->controller->actor, job->key.resource, job->key.namespace_name,
		    job->key.name, NULL, NULL);
}

static enum reason reason_of_failure(const struct act_result *result)
{
	if (api_message_is_policy_denial(result->message))
		return REASON_DENIED_BY_POLICY;
	return result->status == STATUS_INVALID ? REASON_REFUSED : REASON_DENIED;
}

static void tell_failure(struct job *job, struct roster_row *row, const struct act_result *result)
{
	struct intents events = {0};
	if (!refusal_is_worth_telling(&row->refusal))
		return;
	/* the time of the next try is news, too */
	add_namespace_key(job->controller, job->key.namespace_name, STATUS_DELAY_MS);
	if (!roster_tell(row, WORKLOAD_FAILED, row->refusal.reason, result->message))
		return;
	roster_stamp(row, controller_now(job->controller).wall_us);
	const struct object *object = store_get(job->controller->store, job->key.resource,
						job->key.namespace_name, job->key.name);
	intents_add_event(&events, job->key.resource, job->key.namespace_name, job->key.name,
			  object == NULL ? NULL : object->uid, row->reason, "Write",
			  result->message);
	act_tell(&job->controller->actor, &events);
}

static void fail_workload(struct job *job, const struct act_result *result)
{
	struct controller *controller = job->controller;
	uint64_t now = controller_now(controller).mono_ms;
	struct roster_row *row = roster_find(&job->space->roster, job->key.resource, job->key.name);
	if (result->terminating)
		return;
	if (row != NULL &&
	    result->failed->resource == RESOURCE_POD) { /* one of its pods, not itself */
		row->seen.undeletable = result->status == STATUS_DENIED;
		if (row->seen.undeletable)
			queue_add(controller->queue, job->text); /* the row is to say it */
		else
			(void)queue_retry(controller->queue, job->text, now, result->status,
					  result->retry_after_ms);
		return;
	}
	bool read = result->failed->type == INTENT_READ; /* nothing was to be written yet */
	enum reason reason = reason_of_failure(result);
	bool final = reason == REASON_DENIED_BY_POLICY;
	bool conflict = result->status == STATUS_CONFLICT && !final;
	if (row != NULL && conflict && ++row->conflicts % CONFLICTS_BEFORE_READ == 0)
		refresh(job);
	if (row != NULL && !read)
		row->pace.rolling = job->was_rolling;
	if (row == NULL || conflict || read) {
		(void)queue_retry(controller->queue, job->text, now, result->status,
				  result->retry_after_ms);
		return;
	}
	/* a policy says no to this object until one of them changes, whatever its code is */
	refusal_note(&row->refusal, final ? STATUS_INVALID : result->status, result->message,
		     job->version, now, result->retry_after_ms);
	row->refusal.reason = reason;
	if (row->refusal.retry_at_ms != UINT64_MAX)
		row->refusal.retry_wall_us = controller_now(controller).wall_us +
					     (int64_t)(row->refusal.retry_at_ms - now) * 1000;
	tell_failure(job, row, result);
	queue_add(controller->queue, job->text); /* sees the refusal and waits for its end */
}

static void on_done(void *context, const struct act_result *result)
{
	struct job *job = context;
	struct controller *controller = job->controller;
	/* a report that was not taken is told again with the status */
	if (result->status == STATUS_OK || (job->key.workload && result->failed->is_report)) {
		queue_forget(controller->queue, job->text);
		if (job->key.workload && result->wrote) {
			struct roster_row *row =
			    roster_find(&job->space->roster, job->key.resource, job->key.name);
			if (row != NULL)
				row->conflicts = 0;
			/* what was written is looked at again: it ends as Injected, or shows why not */
			queue_add(controller->queue, job->text);
		}
		count_reconcile(job, job->again_ms > 0 ? "requeue_after" : "success", false, false);
	} else {
		job->finished = false;
		if (job->key.workload)
			fail_workload(job, result);
		else
			fail_namespace(job, result);
		count_reconcile(job, "error", true, result->status == STATUS_INVALID);
	}
	end_job(job);
}

/* --- the two kinds of keys --- */

/* Rows whose objects are gone, or that have to be looked at anew. */
static void sweep_roster(struct controller *controller, struct namespace *space, bool stale)
{
	for (size_t i = space->roster.count; i-- > 0;) {
		struct roster_row *row = &space->roster.rows[i];
		if (store_get(controller->store, row->resource, space->name, row->name) == NULL) {
			wake_without(controller, space, row);
			roster_drop(&space->roster, row->resource, row->name);
			continue;
		}
		if (!stale)
			continue;
		row->stale = true;
		/* one that is final knows by itself what it is about */
		if (row->refusal.retry_at_ms != UINT64_MAX)
			refusal_clear(&row->refusal);
	}
}

static void follow_switch(struct controller *controller, const struct view *view,
			  struct namespace *space)
{
	bool on = view_wants_workloads(view);
	bool off = !view->exists || view->terminating;
	bool kept = store_is_kept(controller->store, space->name);
	if (on && !kept) {
		listing_start(controller, space);
	} else if (off && kept) {
		listing_stop(controller, space);
		store_unkeep(controller->store, space->name);
	}
}

static void note_phase(struct namespace *space, const struct policy *policy, uint64_t now)
{
	bool removing = policy->phase == PHASE_REMOVE;
	if (removing && !space->removing)
		space->removing_since_ms = now;
	space->removing = removing;
	if (policy->phase == PHASE_OFF || policy->phase == PHASE_GONE)
		space->tracing_seen = false;
	if (!text_equal(space->told, policy->message)) {
		free(space->told);
		space->told = xstrdup(policy->message);
	}
}

static void work_on_namespace(struct job *job, const struct view *view)
{
	struct controller *controller = job->controller;
	struct namespace *space = job->space;
	struct intents intents = {0};
	struct policy policy;
	struct proof_targets targets;
	secrets_keep(&space->secrets, view->tracing);
	policy_decide(view, &policy);
	CLEANUP(str_freep) char *seen = policy_fingerprint(&policy);
	bool changed = !text_equal(seen, space->policy_seen);
	sweep_roster(controller, space, changed);
	if (changed) {
		free(space->policy_seen);
		space->policy_seen = TAKE_PTR(seen);
		unsampled_forget(&space->proof.unsampled);
		/* nothing is written where it is off: its workloads would only bring it back to mind */
		if (policy.phase != PHASE_OFF && policy.phase != PHASE_GONE)
			add_workload_keys(controller, space->name);
	}
	origins_follow(&space->origins, controller->store, space->name, &policy,
		       job->started.mono_ms);
	proof_look(view, &policy, &targets);
	proof_settle(&space->proof, &space->roster, &targets, job->started.mono_ms);
	measure_sampling(controller, space, &policy);
	reconcile_namespace(view, &policy, &intents, &job->finished);
	if (owned_forget_refusals(view, &policy, space->refusals, &intents))
		add_namespace_key(controller, space->name, 0);
	note_phase(space, &policy, job->started.mono_ms);
	object_generation(view->tracing, job->version, sizeof(job->version));
	policy_release(&policy);
	job->again_ms = intents.again_ms;
	act_start(&controller->actor, &intents, on_done, job);
}

static void work_on_workload(struct job *job, const struct view *view)
{
	struct controller *controller = job->controller;
	struct namespace *space = job->space;
	struct key *key = &job->key;
	struct intents intents = {0};
	struct gathered gathered;
	if (space->policy_seen == NULL)
		add_namespace_key(controller, space->name, 0);
	const struct object *object =
	    store_get(controller->store, key->resource, key->namespace_name, key->name);
	if (object == NULL || object->deleting ||
	    !facts_gather(controller->store, controller->configs, object, &gathered, &intents)) {
		wake_without(controller, space,
			     roster_find(&space->roster, key->resource, key->name));
		roster_drop(&space->roster, key->resource, key->name);
		add_namespace_key(controller, key->namespace_name, STATUS_DELAY_MS);
		act_start(&controller->actor, &intents, on_done, job);
		return;
	}
	if (intents.count == 0) {
		struct policy policy;
		struct workload_news news = {.changed = false};
		struct elsewhere elsewhere;
		policy_decide(view, &policy);
		if (policy.unknown) { /* looked at again with the namespace */
			policy_release(&policy);
			gathered_release(&gathered);
			act_start(&controller->actor, &intents, on_done, job);
			return;
		}
		if (roster_find(&space->roster, key->resource, key->name) == NULL)
			enroll_all(controller, space);
		struct roster_row *row = roster_need(&space->roster, key->resource, key->name);
		struct survey_report survey = surveyor_report(controller->surveyor);
		struct workload_input input = {.resource = key->resource,
					       .object = gathered.object,
					       .facts = &gathered.facts,
					       .policy = &policy,
					       .roster = &space->roster,
					       .survey = &survey,
					       .rehearsals = space->rehearsals,
					       .may_rehearse = controller->options.rehearse,
					       .may_ask = controller->options.in_cluster,
					       .elsewhere = &elsewhere,
					       .now = job->started};
		struct image_news images = {.rolling = row->pace.rolling,
					    .proven = row->pace.proven,
					    .reason = row->reason,
					    .refused = space->roster.refused.count};
		enum workload_state before = row->state;
		bool first = before == WORKLOAD_UNSEEN;
		bool stalled = row->pace.stalled;
		struct shares shares = row->shares;
		job->was_rolling = row->pace.rolling;
		space->roster.full = wake_count_rolling(controller) >= controller->max_concurrent;
		elsewhere_gather(controller, space, &elsewhere);
		reconcile_workload(&input, row, &intents, &news);
		free(elsewhere.rosters);
		wake_for_image(controller, space, row, &images);
		if (!first && before != WORKLOAD_CONFLICTING && row->state == WORKLOAD_CONFLICTING)
			metric_add(controller->metrics.conflicts, "", 1);
		/* that is what the others wait for, or no longer */
		if (row->pace.stalled != stalled || row->pace.rolling != job->was_rolling)
			add_workload_keys(controller, space->name);
		else if (memcmp(&shares, &row->shares, sizeof(shares)) != 0)
			wake_below_floor(controller, space, row);
		workload_version(gathered.object, &policy, job->version);
		policy_release(&policy);
		if (news.expected)
			proof_wake(&space->proof, job->started.mono_ms);
		if (news.changed || news.expected || first)
			add_namespace_key(controller, key->namespace_name, STATUS_DELAY_MS);
	}
	gathered_release(&gathered);
	job->again_ms = intents.again_ms;
	act_start(&controller->actor, &intents, on_done, job);
}

/* --- the beginning of a key --- */

static void hold_key(struct controller *controller, struct namespace *space, const char *key)
{
	bool known = false;
	for (size_t i = 0; i < space->held_count && !known; i++)
		known = strcmp(space->held[i], key) == 0;
	if (!known) {
		space->held = grow(space->held, space->held_count, sizeof(*space->held));
		space->held[space->held_count++] = xstrdup(key);
	}
	queue_done(controller->queue, key, controller_now(controller).mono_ms);
}

static void start_job(struct controller *controller, struct namespace *space, const char *text,
		      struct key *key)
{
	struct view view;
	struct job *job = xcalloc(1, sizeof(*job));
	struct moment now = controller_now(controller);
	const struct scope *scope = controller_scope(controller, space->name);
	*job = (struct job){.controller = controller,
			    .space = space,
			    .text = xstrdup(text),
			    .key = *key,
			    .started = now,
			    .next_before = name_of_next(space, now.mono_ms)};
	*key = (struct key){.name = NULL};
	space->busy = true;
	space->busy_since_ms = now.mono_ms;
	controller->busy++;
	view_gather(&view, controller->store, space, scope->access, &controller->options, now);
	view.denied = scope->denied;
	wake_guarded(controller, space);
	follow_switch(controller, &view, space);
	if (space->listing) {
		/* all its keys come again when the lists are complete */
		struct intents nothing = {0};
		act_start(&controller->actor, &nothing, on_done, job);
	} else if (job->key.workload) {
		work_on_workload(job, &view);
	} else {
		work_on_namespace(job, &view);
	}
	view_release(&view);
}

static void take_key(struct controller *controller, const char *text)
{
	struct key key = {.name = NULL};
	bool known = key_parse(text, &key);
	const struct scope *scope = known ? controller_scope(controller, key.namespace_name) : NULL;
	/* the keys of a namespace come again when its lists are complete */
	if (scope == NULL || !scope->complete) {
		queue_done(controller->queue, text, controller_now(controller).mono_ms);
		key_release(&key);
		return;
	}
	struct namespace *space = controller_need_namespace(controller, key.namespace_name);
	if (space->busy)
		hold_key(controller, space, text);
	else
		start_job(controller, space, text, &key);
	key_release(&key);
}

void pump(struct controller *controller)
{
	for (int i = 0; i < KEYS_PER_TURN && controller->ready && !controller->draining &&
			controller->busy < controller->max_concurrent;
	     i++) {
		uint64_t waited = 0;
		uint64_t now = controller_now(controller).mono_ms;
		const char *key = queue_next(controller->queue, now, &waited);
		if (key == NULL)
			break;
		metric_observe(controller->metrics.queue_seconds, "llmd-tracing",
			       (double)waited / 1000);
		take_key(controller, key);
	}
	pump_soon(controller);
}
