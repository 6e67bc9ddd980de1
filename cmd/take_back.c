/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/take_back.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/act.h"
#include "controller/loan.h"
#include "controller/managed_fields.h"
#include "controller/owned.h"
#include "controller/roster.h"
#include "inject/plan.h"

enum { TRIES_MAX = 5 };

struct taking {
	const struct take_back *job;
	const char *namespace_name;
	struct actor actor;
	struct settings settings; /* the defaults: what is taken back does not depend on them */
	struct roster memory;     /* the rows of the Tracing's status: which strategies are owed */
	size_t left;              /* workloads */
};

/* ---- act, waited for ---- */

static struct moment now(void *context)
{
	(void)context;
	return (struct moment){.mono_ms = uv_hrtime() / 1000000U};
}

static void on_object(void *context, enum resource_id resource, const char *json, size_t len)
{
	const struct taking *taking = context;
	(void)store_put(taking->job->inventory->store, resource, json, len, false);
}

static void on_missing(void *context, enum resource_id resource, const char *namespace_name,
		       const char *name)
{
	struct taking *taking = context;
	store_forget(taking->job->inventory->store, resource, namespace_name, name);
	roster_drop(&taking->memory, resource, name);
}

static void on_written(void *context, const struct intent *intent, const char *json, size_t len)
{
	(void)json;
	(void)len;
	if (intent->type == INTENT_DELETE)
		on_missing(context, intent->resource, intent->namespace_name, intent->name);
}

static void on_read(void *context, const struct intent *intent, const struct response *response)
{
	const struct taking *taking = context;
	bool there = response->status == STATUS_OK;
	base_configs_put(taking->job->inventory->configs, intent->namespace_name, intent->name,
			 there ? response->body : NULL, there ? response->body_len : 0);
}

static void actor_init(struct taking *taking)
{
	struct online *online = taking->job->online;
	taking->actor = (struct actor){
	    .client = online->client,
	    .log = &online->log,
	    .writes = metrics_family(online->metrics, METRIC_COUNTER, "llmd_tracing_writes_total",
				     "Writes to the API server.", "action,result"),
	    .now = now,
	    .on_object = on_object,
	    .on_missing = on_missing,
	    .on_written = on_written,
	    .on_read = on_read,
	    .context = taking,
	};
}

struct acting {
	struct act_result result;
	bool done;
};

static void on_acted(void *context, const struct act_result *result)
{
	struct acting *acting = context;
	acting->result = *result;
	acting->result.failed = NULL; /* goes with the list */
	acting->done = true;
}

/* Empties the list. A write that was begun is waited for, also after a Ctrl-C. */
static struct act_result act(struct taking *taking, struct intents *intents)
{
	struct acting acting = {.done = false};
	act_start(&taking->actor, intents, on_acted, &acting);
	(void)online_wait(taking->job->online, &acting.done, true);
	return acting.result;
}

static void refresh(struct taking *taking, enum resource_id resource, const char *name)
{
	struct acting acting = {.done = false};
	act_refresh(&taking->actor, resource, taking->namespace_name, name, on_acted, &acting);
	(void)online_wait(taking->job->online, &acting.done, true);
}

static void load_memory(struct taking *taking)
{
	const struct object *tracing = store_get(taking->job->inventory->store, RESOURCE_TRACING,
						 taking->namespace_name, TRACING_NAME);
	cJSON *tree CLEANUP(json_freep) = tracing == NULL ? NULL : object_parse(tracing);
	roster_load(&taking->memory, json_get(tree, "status.workloads"));
}

/* ---- workloads ---- */

static void tell(struct taking *taking, enum outcome outcome, enum resource_id resource,
		 const char *name, const char *reason, const char *message)
{
	outcomes_add(taking->job->outcomes, outcome, resource_get(resource)->kind,
		     taking->namespace_name, name, reason, message);
}

static void leave(struct taking *taking, enum resource_id resource, const char *name,
		  const char *reason, const char *message)
{
	taking->left++;
	tell(taking, OUTCOME_LEFT, resource, name, reason, message);
}

/* The plan of taking back, or NULL with *err. */
static struct plan *plan_removal(const struct taking *taking, const struct gathered *gathered,
				 struct error *err)
{
	struct plan *plan = NULL;
	struct plan_input input = {
	    .object = gathered->object,
	    .settings = &taking->settings,
	    .settings_hash = "",
	    .facts = &gathered->facts,
	    .want = PLAN_REMOVE,
	};
	return plan_build(&input, &plan, err) == STATUS_OK ? plan : NULL;
}

static void intend_patch(struct intents *intents, enum resource_id resource,
			 const struct gathered *gathered, const struct plan *plan,
			 const cJSON *lent)
{
	const cJSON *object = gathered->object;
	const cJSON *managers = json_get(object, "metadata.managedFields");
	struct intent *intent =
	    intents_add(intents, INTENT_PATCH, resource, json_str(object, "metadata.namespace"),
			json_str(object, "metadata.name"));
	if (plan->changes) {
		intent->body = plan_patch(plan, PATCH_GUARD_RESOURCE_VERSION);
		loan_add_return(object, lent, intent->body);
	} else {
		intent->body = loan_return(object, lent);
	}
	intent->managers = managers == NULL ? NULL : json_clone(managers);
}

/* After the write: whether an apply of somebody else could still collide with us. */
static bool is_ownership_ours(const struct taking *taking, enum resource_id resource,
			      const char *name)
{
	const struct object *object =
	    store_get(taking->job->inventory->store, resource, taking->namespace_name, name);
	cJSON *tree CLEANUP(json_freep) = object == NULL ? NULL : object_parse(object);
	return tree != NULL && managed_fields_need_giving_back(tree);
}

static void tell_written(struct taking *taking, enum resource_id resource, const char *name,
			 const struct plan *plan)
{
	struct intents intents = {0};
	if (is_ownership_ours(taking, resource, name)) {
		(void)intents_add(&intents, INTENT_GIVE_BACK, resource, taking->namespace_name,
				  name);
		(void)act(taking, &intents);
	}
	bool partly = plan->reason == REASON_PARTLY_CHANGED;
	const char *message = partly ? plan->message : NULL;
	if (is_ownership_ours(taking, resource, name))
		message = "its fields could not be given back: the next server-side apply may "
			  "want --force-conflicts once";
	tell(taking, OUTCOME_TAKEN_BACK, resource, name,
	     partly ? reason_info(plan->reason)->word : NULL, message);
}

/* True when it is settled, one way or the other; false: look again. `lent`: its strategy, if owed. */
static bool write_workload(struct taking *taking, enum resource_id resource, const char *name,
			   const struct gathered *gathered, const cJSON *lent, bool last)
{
	struct error err = {0};
	struct intents intents = {0};
	struct plan *plan CLEANUP(plan_freep) = plan_removal(taking, gathered, &err);
	if (plan == NULL || (!plan->changes && lent == NULL && !loan_is_open(gathered->object))) {
		leave(taking, resource, name, plan == NULL ? NULL : reason_info(plan->reason)->word,
		      plan == NULL ? err.message : plan->message);
		return true;
	}
	if (taking->job->dry_run) {
		bool partly = plan->reason == REASON_PARTLY_CHANGED;
		tell(taking, OUTCOME_TAKEN_BACK, resource, name,
		     partly ? reason_info(plan->reason)->word : NULL,
		     partly ? plan->message : NULL);
		return true;
	}
	intend_patch(&intents, resource, gathered, plan, lent);
	struct act_result result = act(taking, &intents);
	if (result.status == STATUS_OK) {
		tell_written(taking, resource, name, plan);
		return true;
	}
	if (result.status == STATUS_CONFLICT && !last) {
		refresh(taking, resource, name);
		return false;
	}
	leave(taking, resource, name, status_info(result.status)->name, result.message);
	return true;
}

/* What its strategy was, by annotation or memory, if it is still as lent; NULL: nothing is owed. */
static const cJSON *find_lent(struct taking *taking, enum resource_id resource, const char *name,
			      const cJSON *object)
{
	struct roster_row *row = roster_find(&taking->memory, resource, name);
	if (row == NULL)
		return NULL;
	(void)loan_note(object, &row->lent);
	return row->lent;
}

static void take_workload(struct taking *taking, enum resource_id resource, const char *name)
{
	const struct inventory *inventory = taking->job->inventory;
	for (int i = 0; i < TRIES_MAX; i++) {
		struct gathered gathered = {.object = NULL};
		struct intents reads = {0};
		const struct object *object =
		    store_get(inventory->store, resource, taking->namespace_name, name);
		if (object == NULL || object->deleting ||
		    !facts_gather(inventory->store, inventory->configs, object, &gathered, &reads))
			return; /* gone by now */
		const cJSON *lent = find_lent(taking, resource, name, gathered.object);
		bool settled = !object->ledger && lent == NULL; /* clean by now */
		if (!settled && reads.count == 0)
			settled = write_workload(taking, resource, name, &gathered, lent,
						 i == TRIES_MAX - 1);
		gathered_release(&gathered);
		if (settled)
			return;
		if (reads.count > 0 && act(taking, &reads).status != STATUS_OK)
			break;
	}
	leave(taking, resource, name, NULL, "what it is based on cannot be read");
}

/*
 * Without ledger and annotation (`kubectl rollout undo` takes both away) nothing but the memory says
 * that a strategy is owed, and the inventory holds no such object: each is read.
 */
static void read_borrowers(struct taking *taking, enum resource_id resource)
{
	for (size_t i = taking->memory.count; i-- > 0;) {
		const struct roster_row *row = &taking->memory.rows[i];
		if (row->resource != resource || row->lent == NULL ||
		    store_get(taking->job->inventory->store, resource, taking->namespace_name,
			      row->name) != NULL)
			continue;
		char *name CLEANUP(str_freep) = xstrdup(row->name);
		refresh(taking, resource, name); /* the row goes if there is no such object */
		if (roster_find(&taking->memory, resource, name) != NULL &&
		    store_get(taking->job->inventory->store, resource, taking->namespace_name,
			      name) == NULL)
			leave(taking, resource, name, NULL,
			      "its strategy was lent for a rollout, and it cannot be read whether "
			      "that is still owed");
	}
}

static bool is_borrower(const struct taking *taking, const struct object *object)
{
	const struct roster_row *row = roster_find(&taking->memory, object->resource, object->name);
	return row != NULL && row->lent != NULL;
}

/* Names first: writing changes the store. */
static void take_workloads(struct taking *taking, enum resource_id resource)
{
	const struct inventory *inventory = taking->job->inventory;
	size_t count = 0;
	read_borrowers(taking, resource);
	struct object *const *items =
	    store_range(inventory->store, resource, taking->namespace_name, &count);
	char **names = xcalloc(count + 1, sizeof(*names));
	size_t found = 0;
	for (size_t i = 0; i < count; i++)
		if ((items[i]->ledger || is_borrower(taking, items[i])) && !items[i]->deleting)
			names[found++] = xstrdup(items[i]->name);
	for (size_t i = 0; i < found; i++) {
		if (taking->job->online->interrupted)
			taking->left++;
		else
			take_workload(taking, resource, names[i]);
		free(names[i]);
	}
	free(names);
}

/* ---- what we made ---- */

/* One write each, so that a refused one stops no other. */
static void carry_out(struct taking *taking, struct intents *intents, enum outcome outcome)
{
	for (size_t i = 0; i < intents->count && !taking->job->online->interrupted; i++) {
		struct intent *intent = &intents->items[i];
		char *name CLEANUP(str_freep) = xstrdup(intent->name);
		enum resource_id resource = intent->resource;
		struct act_result result = {.status = STATUS_OK};
		if (!taking->job->dry_run) {
			struct intents one = {.items = grow(NULL, 0, sizeof(*intent)), .count = 1};
			one.items[0] = *intent;
			*intent = (struct intent){.name = NULL};
			result = act(taking, &one);
		}
		if (result.status == STATUS_OK)
			tell(taking, outcome, resource, name, NULL, NULL);
		else
			tell(taking, OUTCOME_LEFT, resource, name, status_info(result.status)->name,
			     result.message);
	}
	intents_release(intents);
}

/* Says that something is traced, which is true no more. */
static bool has_stale_status(const cJSON *tracing)
{
	const char *enabled = json_str(object_condition(tracing, "Enabled"), "status");
	const cJSON *workloads = json_get(tracing, "status.workloads");
	return (enabled != NULL && strcmp(enabled, "True") == 0) ||
	       (cJSON_IsArray(workloads) && workloads->child != NULL);
}

/*
 * The status goes whole: it is the operator's memory of what it wrote (who undid what,
 * which collector was chosen), and another operator must not take our write for an undo.
 */
static void take_tracing(struct taking *taking, const cJSON *tracing)
{
	struct intents intents = {0};
	bool untouched = tracing_is_untouched(tracing);
	if (tracing == NULL || (!untouched && !has_stale_status(tracing)))
		return;
	struct intent *intent = intents_add(&intents, untouched ? INTENT_DELETE : INTENT_STATUS,
					    RESOURCE_TRACING, taking->namespace_name, TRACING_NAME);
	if (untouched) {
		intent->uid = xstrdup(json_str(tracing, "metadata.uid"));
	} else {
		intent->body = cJSON_CreateObject();
		json_set(intent->body, "status", cJSON_CreateNull());
	}
	carry_out(taking, &intents, untouched ? OUTCOME_DELETED : OUTCOME_CLEARED);
}

static void take_owned(struct taking *taking)
{
	const struct inventory *inventory = taking->job->inventory;
	struct namespace *memory = namespace_new(taking->namespace_name);
	struct operator_options options = {.dry_run = taking->job->dry_run};
	struct intents intents = {0};
	struct view view;
	view_gather(&view, inventory->store, memory, inventory->access, &options, now(NULL));
	(void)owned_remove(&view, &intents);
	carry_out(taking, &intents, OUTCOME_DELETED);
	if (!taking->job->online->interrupted)
		take_tracing(taking, view.tracing);
	view_release(&view);
	namespace_free(memory);
}

/* ---- the namespace ---- */

bool take_back_is_due(const struct inventory *inventory, const char *namespace_name)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		enum resource_id id = (enum resource_id)i;
		bool workload = (resource_get(id)->flags & RESOURCE_WORKLOAD) != 0;
		size_t count = 0;
		struct object *const *items =
		    store_range(inventory->store, id, namespace_name, &count);
		for (size_t k = 0; k < count; k++) {
			cJSON *tree CLEANUP(json_freep) = object_parse(items[k]);
			if (items[k]->deleting)
				continue;
			if ((workload && items[k]->ledger) || object_is_removable(tree) ||
			    (id == RESOURCE_TRACING &&
			     (tracing_is_untouched(tree) || has_stale_status(tree))))
				return true;
		}
	}
	return false;
}

void take_back_namespace(const struct take_back *job, const char *namespace_name)
{
	struct taking taking = {.job = job, .namespace_name = namespace_name};
	actor_init(&taking);
	settings_init_defaults(&taking.settings);
	load_memory(&taking);
	store_keep(job->inventory->store, namespace_name); /* also what is clean by then */
	bool unseen = false;
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		enum resource_id id = (enum resource_id)i;
		if ((resource_get(id)->flags & RESOURCE_WORKLOAD) == 0)
			continue;
		unseen |= job->inventory->access[i] == ACCESS_DENIED;
		take_workloads(&taking, id);
	}
	if (taking.left > 0 || unseen)
		outcomes_note(job->outcomes, namespace_name,
			      taking.left > 0
				  ? "collector and back end stay, since workloads are left that "
				    "send spans to them"
				  : "collector and back end stay, since not every kind of workload "
				    "may be listed");
	else
		take_owned(&taking);
	settings_release(&taking.settings);
	roster_release(&taking.memory);
}
