/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "controller/mesh.h"
#include "inject/objects.h"

bool object_is_managed(const cJSON *object)
{
	const cJSON *labels = json_get(object, "metadata.labels");
	const cJSON *label = json_member(labels, LABEL_MANAGED_BY);
	return cJSON_IsString(label) && strcmp(label->valuestring, MANAGED_BY) == 0;
}

bool object_is_applied(const cJSON *object)
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	return object_is_managed(object) && json_member(annotations, ANNOTATION_APPLIED) != NULL;
}

bool object_is_removable(const cJSON *object)
{
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *retain = json_member(annotations, ANNOTATION_RETAIN);
	bool kept = cJSON_IsString(retain) && strcmp(retain->valuestring, "true") == 0;
	return object_is_applied(object) && !kept;
}

bool tracing_is_untouched(const cJSON *tracing)
{
	return object_is_managed(tracing) && json_int(tracing, "metadata.generation", 0) == 1;
}

const cJSON *object_condition(const cJSON *object, const char *type)
{
	const cJSON *condition = NULL;
	cJSON_ArrayForEach(condition, json_get(object, "status.conditions"))
	{
		if (text_equal(json_str(condition, "type"), type))
			return condition;
	}
	return NULL;
}

void object_generation(const cJSON *object, char *text, size_t size)
{
	(void)snprintf(text, size, "%ld", json_int(object, "metadata.generation", 0));
}

static cJSON *parse_if_there(const struct object *object)
{
	return object == NULL ? NULL : object_parse(object);
}

static void gather_namespace(struct view *view, const struct store *store)
{
	const struct object *object = store_get(store, RESOURCE_NAMESPACE, "", view->name);
	if (object == NULL)
		return;
	CLEANUP(json_freep) cJSON *tree = object_parse(object);
	const cJSON *annotations = json_get(tree, "metadata.annotations");
	const cJSON *value = json_member(annotations, ANNOTATION_ENABLED);
	view->exists = true;
	view->terminating = object->deleting;
	view->uid = xstrdup(object->uid);
	const cJSON *labels = json_get(tree, "metadata.labels");
	view->labels = labels == NULL ? NULL : json_clone(labels);
	if (cJSON_IsString(value))
		view->switch_value = xstrdup(value->valuestring);
}

/* Where tenants may not annotate their namespace (docs/rbac.md). */
static void take_switch_of_tracing(struct view *view)
{
	const cJSON *enabled = json_get(view->tracing, "spec.enabled");
	if (!view->options->enable_from_tracing || view->switch_value != NULL ||
	    !cJSON_IsBool(enabled))
		return;
	view->switch_value = xstrdup(cJSON_IsTrue(enabled) ? "true" : "false");
	view->switched_by_tracing = true;
}

/* The same of what is stored; a claim is looked into. */
static bool is_removable(const struct object *object)
{
	static const char mark[] = "\"" ANNOTATION_APPLIED "\":";
	if (!object->managed ||
	    memmem(object->json, object->json_len, mark, sizeof(mark) - 1) == NULL)
		return false;
	if (object->resource != RESOURCE_CLAIM)
		return true;
	CLEANUP(json_freep) cJSON *tree = object_parse(object);
	return object_is_removable(tree);
}

static void count_ours(struct view *view, const struct store *store)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		size_t count = 0;
		enum resource_id id = (enum resource_id)i;
		struct object *const *items = store_range(store, id, view->name, &count);
		bool workload = (resource_get(id)->flags & RESOURCE_WORKLOAD) != 0;
		for (size_t k = 0; k < count; k++) {
			view->ledgers += workload && items[k]->ledger && !items[k]->deleting;
			view->managed += is_removable(items[k]);
		}
	}
}

static void parse_into(cJSON *trees, const struct store *store, enum resource_id id,
		       const char *namespace_name)
{
	size_t count = 0;
	struct object *const *objects = store_range(store, id, namespace_name, &count);
	for (size_t i = 0; i < count; i++) {
		cJSON *tree = object_parse(objects[i]);
		if (tree != NULL)
			(void)cJSON_AddItemToArray(trees, tree);
	}
}

static cJSON *parse_all(const struct store *store, enum resource_id id, const char *namespace_name)
{
	cJSON *trees = cJSON_CreateArray();
	parse_into(trees, store, id, namespace_name);
	return trees;
}

static void gather_live(struct view *view, const struct store *store)
{
	view->live_count = owned_object_count;
	view->live = xcalloc(owned_object_count + 1, sizeof(cJSON *));
	for (size_t i = 0; i < owned_object_count; i++) {
		enum resource_id id = RESOURCE_COUNT;
		if (resource_find(owned_objects[i].api_version, owned_objects[i].kind, &id))
			view->live[i] =
			    parse_if_there(store_get(store, id, view->name, owned_objects[i].name));
	}
	view->slices = parse_all(store, RESOURCE_ENDPOINTSLICE, view->name);
	view->network_policies = parse_all(store, RESOURCE_NETWORKPOLICY, view->name);
	view->peer_authentications = parse_all(store, RESOURCE_PEERAUTHENTICATION, view->name);
	if (strcmp(view->name, MESH_ROOT_NAMESPACE) != 0)
		parse_into(view->peer_authentications, store, RESOURCE_PEERAUTHENTICATION,
			   MESH_ROOT_NAMESPACE);
}

/* A status of ours that says "on", or that taking back is near or has begun; or objects of ours. */
static bool was_enabled(const struct view *view)
{
	const cJSON *enabled = object_condition(view->tracing, "Enabled");
	const char *reason = json_str(enabled, "reason");
	return view->managed > 0 || text_equal(json_str(enabled, "status"), "True") ||
	       text_equal(reason, reason_info(REASON_REMOVAL_PENDING)->word) ||
	       text_equal(reason, reason_info(REASON_MASS_REMOVAL)->word) ||
	       text_equal(reason, REASON_WORD_REMOVING);
}

/* What is remembered of images stands in status. */
static cJSON *rehearsals_of(const cJSON *tracing)
{
	const cJSON *rows = json_get(tracing, "status.rehearsals");
	return cJSON_IsArray(rows) ? json_clone(rows) : cJSON_CreateArray();
}

/*
 * The grace of a missing annotation runs on from what the status says, so that a restart
 * does not begin it anew; a clock that differs can only shorten it to nothing or restart it.
 */
static void gather_clocks(struct view *view, struct namespace *memory)
{
	const cJSON *enabled = object_condition(view->tracing, "Enabled");
	const char *reason = json_str(enabled, "reason");
	int64_t since = moment_parse(json_str(enabled, "lastTransitionTime"), view->now.wall_us);
	uint64_t past_ms =
	    since < view->now.wall_us ? (uint64_t)((view->now.wall_us - since) / 1000) : 0;
	uint64_t start = past_ms < view->now.mono_ms ? view->now.mono_ms - past_ms : 0;
	bool was_pending = text_equal(reason, reason_info(REASON_REMOVAL_PENDING)->word);
	bool was_removing = text_equal(reason, REASON_WORD_REMOVING);
	if (view->switch_value != NULL) {
		memory->missing = false;
		memory->guarded = false;
	} else if (!memory->missing) {
		memory->missing = true;
		memory->guarded = text_equal(reason, reason_info(REASON_MASS_REMOVAL)->word);
		memory->just_lost = view->exists && !view->terminating && was_enabled(view) &&
				    !was_pending && !was_removing;
		memory->missing_since_ms = was_pending || was_removing ? start : view->now.mono_ms;
		if (was_removing)
			memory->missing_since_ms = 0;
	}
	if (was_removing && !memory->removing) {
		memory->removing = true;
		memory->removing_since_ms = start;
	}
	view->missing_ms = memory->missing ? view->now.mono_ms - memory->missing_since_ms : 0;
	view->removing_ms = memory->removing ? view->now.mono_ms - memory->removing_since_ms : 0;
}

void view_gather(struct view *view, const struct store *store, struct namespace *memory,
		 const enum access *access, const struct operator_options *options,
		 struct moment now)
{
	*view = (struct view){.name = memory->name,
			      .now = now,
			      .options = options,
			      .access = access,
			      .memory = memory};
	gather_namespace(view, store);
	const struct object *tracing = store_get(store, RESOURCE_TRACING, view->name, TRACING_NAME);
	if (tracing != NULL && !tracing->deleting)
		view->tracing = object_parse(tracing);
	if (view->tracing != NULL) {
		memory->tracing_seen = true;
		if (!memory->roster.loaded) {
			roster_load(&memory->roster, json_get(view->tracing, "status.workloads"));
			refused_load(&memory->roster.refused,
				     json_get(view->tracing, "status.refusedImages"));
		}
		if (memory->rehearsals == NULL)
			memory->rehearsals = rehearsals_of(view->tracing);
	}
	take_switch_of_tracing(view);
	view->tracing_seen = memory->tracing_seen;
	gather_live(view, store);
	count_ours(view, store);
	gather_clocks(view, memory); /* looks at what was counted */
}

void view_release(struct view *view)
{
	free(view->uid);
	cJSON_Delete(view->labels);
	free(view->switch_value);
	cJSON_Delete(view->tracing);
	for (size_t i = 0; i < view->live_count; i++)
		cJSON_Delete(view->live[i]);
	free(view->live);
	cJSON_Delete(view->slices);
	cJSON_Delete(view->network_policies);
	cJSON_Delete(view->peer_authentications);
	*view = (struct view){0};
}

struct phase_result view_phase(const struct view *view)
{
	struct phase_input input = {
	    .exists = view->exists,
	    .terminating = view->terminating,
	    .switch_value = view->switch_value,
	    .was_enabled = was_enabled(view),
	    .has_ours = view->ledgers > 0 || view->managed > 0,
	    .tracing_readable = view->access[RESOURCE_TRACING] == ACCESS_READABLE,
	    .has_tracing = view->tracing != NULL,
	    .tracing_seen = view->tracing_seen,
	    .guarded = view->memory->guarded,
	    .missing_ms = view->missing_ms,
	    .removal_grace_ms = view->options->removal_grace_ms,
	};
	return phase_decide(&input);
}

bool view_wants_workloads(const struct view *view)
{
	struct phase_result phase = view_phase(view);
	switch (phase.phase) {
	case PHASE_ON:
		return true;
	case PHASE_HOLD: /* a wrong value says nothing about whether it was ever on */
		return phase.reason != REASON_BAD_SWITCH_VALUE || was_enabled(view);
	case PHASE_REMOVE:
		return view->ledgers > 0;
	case PHASE_OFF:
	case PHASE_GONE:
		break;
	}
	return false;
}

const cJSON *view_live(const struct view *view, const char *kind, const char *name,
		       size_t *ret_index)
{
	for (size_t i = 0; i < view->live_count; i++) {
		if (strcmp(owned_objects[i].kind, kind) != 0 ||
		    strcmp(owned_objects[i].name, name) != 0)
			continue;
		if (ret_index != NULL)
			*ret_index = i;
		return view->live[i];
	}
	return NULL;
}
