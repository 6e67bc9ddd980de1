/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/status_tree.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "cmd/planned.h"
#include "cmd/target.h"
#include "controller/rollout.h"
#include "inject/settings_effective.h"
#include "inject/trace_hop.h"

struct building {
	const char *namespace_name;
	const cJSON *rows; /* status.workloads, or NULL */
	cJSON *tree;
	cJSON *pools;  /* array of {name, workloads} */
	cJSON *others; /* array: workloads that no pool leads to */
};

/* ---- what happens next ---- */

static const struct {
	enum reason reason;
	const char *text;    /* or NULL */
	const char *command; /* that a person may give; or NULL */
} nexts[] = {
    {REASON_WAITING_FOR_COLLECTOR, "written when the collector is available", NULL},
    {REASON_WAITING_FOR_TURN, "written when those before it are through", NULL},
    {REASON_WAITING_FOR_ROLLOUT, "written when a rollout that is under way is through", NULL},
    {REASON_WAITING_FOR_CANARY,
     "written when the smallest workload with the same images has rolled out", NULL},
    {REASON_PAUSED_ON_FAILURE, "written when the one that stalls is mended or opted out", NULL},
    {REASON_WAITING_FOR_CHANGE, "rides on the next change of its pod template", NULL},
    {REASON_WAITING_FOR_APPROVAL, "a person has to say so", "approve"},
    {REASON_PLAN_OUTDATED, "taken along with its next own change", "approve"},
    {REASON_WAITING_FOR_WINDOW, "written when the window opens", NULL},
    {REASON_WOULD_EMPTY_ROLE, "a person has to say so, or servers have to be added",
     "approve --accept-outage"},
    {REASON_UNDONE, "written again when the rollout of whoever undid it is through", NULL},
    {REASON_REMOVAL_PENDING, "taken back when the grace is over, unless the switch comes back",
     NULL},
    {REASON_CONFLICTING, NULL, "retry"},
    {REASON_DENIED, NULL, "retry"},
    {REASON_REFUSED, NULL, "retry"},
    {REASON_DENIED_BY_POLICY, NULL, "retry"},
    {REASON_REVERTED, NULL, "retry"},
    {REASON_IMAGE_REFUSED, NULL, "retry"},
    {REASON_WAITING_FOR_PROOF,
     "written when a workload of another namespace has come up traced with this image", NULL},
    {REASON_ROUTING_GAP, "written at once, now that the gap stands here", NULL},
};

static void add_command(struct buffer *out, const struct building *b, const cJSON *workload,
			const char *command)
{
	const char *before = out->len == 0 ? "" : out->data[out->len - 1] == '.' ? " Then: " : ": ";
	buffer_addf(out, "%skubectl llmd-tracing %s %s/%s -n %s", before, command,
		    json_str(workload, "kind"), json_str(workload, "name"), b->namespace_name);
}

/* In an order that a person can act on: what comes by itself, or what to do. */
static void add_next(const struct building *b, cJSON *workload, const struct rollout *rollout)
{
	const char *word = json_str(workload, "reason");
	enum reason reason = reason_find(word);
	struct buffer text CLEANUP(buffer_release) = {0};
	const char *advice = reason_info(reason)->advice;
	size_t row = 0;
	buffer_init(&text, KIB(4));
	while (row < ARRAY_LEN(nexts) && nexts[row].reason != reason)
		row++;
	if (reason == REASON_ROLLING_OUT && rollout != NULL)
		buffer_addf(&text,
			    "traced when all %ld replicas are new and ready (%ld are new, %ld "
			    "ready); given up on after %ld s without progress",
			    rollout->wanted, rollout->updated, rollout->ready, rollout->patience_s);
	else if (row < ARRAY_LEN(nexts) && nexts[row].text != NULL)
		buffer_add_str(&text, nexts[row].text);
	else if (!text_equal(json_str(workload, "state"), "Injected"))
		buffer_add_str(&text, advice);
	if (json_str(workload, "retryTime") != NULL) {
		buffer_release(&text);
		buffer_init(&text, KIB(4));
		buffer_addf(&text, "tried again at %s, or at once by",
			    json_str(workload, "retryTime"));
	}
	if (row < ARRAY_LEN(nexts) && nexts[row].command != NULL)
		add_command(&text, b, workload, nexts[row].command);
	if (text.len > 0)
		json_set_str(workload, "next", text.data);
}

/* ---- workloads ---- */

static const cJSON *find_row(const struct building *b, const char *kind, const char *name)
{
	const cJSON *row = NULL;
	cJSON_ArrayForEach(row, b->rows)
	{
		if (text_equal(json_str(row, "kind"), kind) &&
		    text_equal(json_str(row, "name"), name))
			return row;
	}
	return NULL;
}

static void copy_row(cJSON *workload, const cJSON *row)
{
	static const char *const members[] = {"state",   "reason",   "message",
					      "since",   "restarts", "pendingHash",
					      "rolling", "lastSpan", "retryTime"};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const cJSON *member = json_member(row, members[i]);
		if (member != NULL)
			json_set(workload, members[i], json_clone(member));
	}
	if (json_member(workload, "state") == NULL)
		json_set_str(workload, "state", "Unseen");
}

static cJSON *new_workload(const char *kind, const char *name, const cJSON *row)
{
	cJSON *workload = cJSON_CreateObject();
	json_set_str(workload, "kind", kind);
	json_set_str(workload, "name", name);
	copy_row(workload, row);
	return workload;
}

static const struct trace_hop *find_hop(const struct trace_hops *hops, const char *container)
{
	for (size_t i = 0; i < hops->count; i++)
		if (strcmp(hops->items[i].container, container) == 0)
			return &hops->items[i];
	return NULL;
}

static void add_containers(cJSON *workload, const struct planned *planned)
{
	cJSON *list = json_set_array(workload, "containers");
	struct trace_hops hops = {0};
	if (planned->plan == NULL)
		return;
	trace_hops_read(planned->input, planned->plan, &hops);
	for (size_t i = 0; i < planned->plan->container_count; i++) {
		const struct plan_container *container = &planned->plan->containers[i];
		const struct trace_hop *hop = find_hop(&hops, container->name);
		if (!plan_container_is_told(container))
			continue;
		cJSON *item = cJSON_CreateObject();
		json_set_str(item, "name", container->name);
		json_set_str(item, "component", component_name(container->component));
		json_set_str(item, "image", container->image);
		json_set_bool(item, "traced", hop != NULL && hop->on);
		if (hop != NULL && hop->service != NULL)
			json_set_str(item, "service", hop->service);
		json_set_str(item, "decision", container->inject ? "inject" : "skip");
		json_set_str(item, "reason", reason_info(container->reason)->word);
		json_set_str(item, "message", container->message);
		(void)cJSON_AddItemToArray(list, item);
	}
	trace_hops_release(&hops);
}

static cJSON *pool_of(struct building *b, const char *pools)
{
	char name[256];
	size_t len = strcspn(pools, ",");
	if (len == 0)
		return b->others;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, pools);
	cJSON *pool = b->pools->child;
	while (pool != NULL && !text_equal(json_str(pool, "name"), name))
		pool = pool->next;
	if (pool == NULL) {
		pool = cJSON_CreateObject();
		json_set_str(pool, "name", name);
		(void)json_set_array(pool, "workloads");
		(void)cJSON_AddItemToArray(b->pools, pool);
	}
	return json_member_mut(pool, "workloads");
}

static void set_replicas(cJSON *workload, const struct rollout *rollout)
{
	cJSON *replicas = json_set_object(workload, "replicas");
	json_set_int(replicas, "wanted", rollout->wanted);
	json_set_int(replicas, "updated", rollout->updated);
	json_set_int(replicas, "ready", rollout->ready);
}

static const char *part_of(const struct facts *facts)
{
	if (facts->epp)
		return "epp";
	return facts->role == ROLE_NONE ? "server" : role_name(facts->role);
}

static enum status add_planned(void *context, const struct planned *planned, struct error *err)
{
	struct building *b = context;
	const cJSON *object = planned->input->object;
	const struct facts *facts = planned->input->facts;
	const char *kind = resource_get(planned->resource)->kind;
	const char *name = json_str(object, "metadata.name");
	const cJSON *row = find_row(b, kind, name);
	struct rollout rollout;
	(void)err;
	if (row == NULL && (planned->plan == NULL || !planned_is_on_the_way(planned->plan)))
		return STATUS_OK;
	cJSON *workload = new_workload(kind, name, row);
	json_set_str(workload, "part", part_of(facts));
	rollout_judge(object, facts, &rollout);
	set_replicas(workload, &rollout);
	add_containers(workload, planned);
	if (planned->trouble != NULL)
		json_set_str(workload, "message", planned->trouble);
	bool told = row != NULL || cJSON_GetArraySize(json_member(workload, "containers")) > 0;
	if (!told) { /* nothing of llm-d, and nobody speaks of it */
		cJSON_Delete(workload);
		return STATUS_OK;
	}
	add_next(b, workload, &rollout);
	json_insert(pool_of(b, facts->pools), facts->epp ? 0 : SIZE_MAX, workload);
	return STATUS_OK;
}

static bool holds(const cJSON *list, const cJSON *row)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, list)
	{
		if (text_equal(json_str(item, "kind"), json_str(row, "kind")) &&
		    text_equal(json_str(item, "name"), json_str(row, "name")))
			return true;
	}
	return false;
}

/* Rows of workloads that may not be looked at from here. */
static void add_unread(struct building *b, const struct inventory *inventory)
{
	const cJSON *row = NULL;
	cJSON_ArrayForEach(row, b->rows)
	{
		struct target target;
		const cJSON *pool = NULL;
		bool known = holds(b->others, row);
		cJSON_ArrayForEach(pool, b->pools)
		{
			known = known || holds(json_member(pool, "workloads"), row);
		}
		if (known || !target_of_row(row, &target) ||
		    inventory->access[target.resource] == ACCESS_READABLE)
			continue;
		cJSON *workload =
		    new_workload(resource_get(target.resource)->kind, target.name, row);
		add_next(b, workload, NULL);
		(void)cJSON_AddItemToArray(b->others, workload);
	}
}

/* ---- the namespace ---- */

static void set_text(cJSON *object, const char *key, const char *text)
{
	json_set(object, key, text == NULL ? cJSON_CreateNull() : cJSON_CreateString(text));
}

static void note(cJSON *notes, const char *text)
{
	(void)cJSON_AddItemToArray(notes, cJSON_CreateString(text));
}

static void add_head(struct building *b, const struct inventory *inventory, const cJSON *tracing)
{
	const struct object *space =
	    store_get(inventory->store, RESOURCE_NAMESPACE, "", b->namespace_name);
	cJSON *object CLEANUP(json_freep) = space == NULL ? NULL : object_parse(space);
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *value = json_member(annotations, ANNOTATION_ENABLED);
	const cJSON *conditions = json_get(tracing, "status.conditions");
	const cJSON *counters = json_get(tracing, "status.counters");
	cJSON *notes = json_set_array(b->tree, "notes");
	json_set_str(b->tree, "namespace", b->namespace_name);
	set_text(b->tree, "annotation", cJSON_IsString(value) ? value->valuestring : NULL);
	json_set(b->tree, "conditions",
		 conditions == NULL ? cJSON_CreateArray() : json_clone(conditions));
	json_set(b->tree, "counters",
		 counters == NULL ? cJSON_CreateObject() : json_clone(counters));
	set_text(b->tree, "spansHeard", json_str(tracing, "status.spans.heard"));
	if (inventory->access[RESOURCE_TRACING] == ACCESS_ABSENT)
		note(notes,
		     "the CRD tracings." TRACING_GROUP " is not installed: is the operator?");
	else if (tracing == NULL)
		note(notes, "there is no Tracing: no operator has looked at this namespace");
	else if (conditions == NULL)
		note(notes, "the Tracing has no status: no operator has looked at it");
	else if (json_int(tracing, "status.observedGeneration", 0) !=
		 json_int(tracing, "metadata.generation", 0))
		note(notes, "the status is about older settings than those that are there");
	if (inventory->denied.status != STATUS_OK)
		note(notes, inventory->denied.message);
}

enum status status_tree_build(struct online *online, struct inventory *inventory,
			      const char *namespace_name, cJSON **ret_tree, struct error *err)
{
	const struct object *object =
	    store_get(inventory->store, RESOURCE_TRACING, namespace_name, TRACING_NAME);
	cJSON *tracing CLEANUP(json_freep) = object == NULL ? NULL : object_parse(object);
	cJSON *tree CLEANUP(json_freep) = cJSON_CreateObject();
	struct building b = {.namespace_name = namespace_name,
			     .rows = json_get(tracing, "status.workloads"),
			     .tree = tree};
	struct settings settings;
	struct error bad = {0};
	if (settings_read_effective(tracing, &settings, &bad) != STATUS_OK)
		settings_init_defaults(&settings);
	add_head(&b, inventory, tracing);
	b.pools = json_set_array(tree, "pools");
	b.others = json_set_array(tree, "workloads");
	struct planner planner = {.online = online,
				  .inventory = inventory,
				  .namespace_name = namespace_name,
				  .settings = &settings,
				  .tracing = tracing,
				  .rehearsals = json_get(tracing, "status.rehearsals"),
				  .want = PLAN_INJECT};
	enum status status = planned_each(&planner, add_planned, &b, err);
	settings_release(&settings);
	if (status != STATUS_OK)
		return status;
	add_unread(&b, inventory);
	*ret_tree = TAKE_PTR(tree);
	return STATUS_OK;
}
