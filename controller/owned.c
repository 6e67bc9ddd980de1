/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/owned.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "controller/cover.h"
#include "inject/objects.h"

static enum intent_part part_of(size_t index)
{
	return owned_objects[index].backend ? PART_BACKEND : PART_COLLECTOR;
}

static bool find_owned(const cJSON *object, size_t *ret_index)
{
	for (size_t i = 0; i < owned_object_count; i++) {
		if (text_equal(json_str(object, "apiVersion"), owned_objects[i].api_version) &&
		    text_equal(json_str(object, "kind"), owned_objects[i].kind) &&
		    text_equal(json_str(object, "metadata.name"), owned_objects[i].name)) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

/* The object to apply: what was rendered, with its hash. */
static cJSON *with_hash(const cJSON *rendered, char ret_hash[17])
{
	struct buffer text;
	buffer_init(&text, LIMIT_REQUEST_BYTES);
	json_print_canonical(rendered, &text);
	hash_short(text.data, text.len, ret_hash);
	buffer_release(&text);
	cJSON *object = json_clone(rendered);
	cJSON *metadata = json_member_mut(object, "metadata");
	cJSON *annotations = json_member_mut(metadata, "annotations");
	if (annotations == NULL)
		annotations = json_set_object(metadata, "annotations");
	json_set_str(annotations, ANNOTATION_APPLIED, ret_hash);
	return object;
}

/*
 * True when nothing is to be sent. A live object that still lacks something right after an
 * apply that changed nothing says it in other words: `settled` remembers that version.
 */
static bool is_applied(const struct view *view, size_t index, const cJSON *wanted, const char *hash)
{
	const cJSON *live = view->live[index];
	const cJSON *annotations = json_get(live, "metadata.annotations");
	const cJSON *applied = json_member(annotations, ANNOTATION_APPLIED);
	if (!cJSON_IsString(applied) || strcmp(applied->valuestring, hash) != 0)
		return false;
	if (index < ARRAY_LEN(view->memory->settled) &&
	    text_equal(view->memory->settled[index], json_str(live, "metadata.resourceVersion")))
		return true;
	return json_covers(live, wanted);
}

/* A write of that part was refused, and it is not yet the time to try again. */
static bool is_held(const struct view *view, enum intent_part part, struct intents *intents)
{
	const struct refusal *refusal = &view->memory->refusals[part];
	char generation[24];
	object_generation(view->tracing, generation, sizeof(generation));
	if (!refusal_holds(refusal, generation, view->now.mono_ms))
		return false;
	if (refusal->retry_at_ms != UINT64_MAX)
		intents_again(intents, refusal->retry_at_ms - view->now.mono_ms);
	return true;
}

static bool may_apply(const struct view *view, const struct collector_plan *plan,
		      enum intent_part part, struct intents *intents)
{
	bool shape = part == PART_BACKEND ? plan->may_apply_backend : plan->may_apply_collector;
	return !is_held(view, part, intents) && shape;
}

static void apply_one(const struct view *view, const struct collector_plan *plan,
		      const cJSON *rendered, size_t index, struct intents *intents)
{
	char hash[17];
	const cJSON *live = view->live[index];
	enum resource_id resource = RESOURCE_COUNT;
	cJSON *object = with_hash(rendered, hash);
	bool known =
	    resource_find(owned_objects[index].api_version, owned_objects[index].kind, &resource);
	if (!known || !may_apply(view, plan, part_of(index), intents) ||
	    (live != NULL &&
	     (!object_is_managed(live) || json_get(live, "metadata.deletionTimestamp") != NULL ||
	      is_applied(view, index, object, hash)))) {
		cJSON_Delete(object);
		return;
	}
	cJSON *metadata = json_member_mut(object, "metadata");
	if (live == NULL)
		json_set_str(metadata, "resourceVersion", "1"); /* creates, or 409 */
	else
		json_set_str(metadata, "uid", json_str(live, "metadata.uid"));
	struct intent *intent =
	    intents_add(intents, INTENT_APPLY, resource, view->name, owned_objects[index].name);
	intent->part = part_of(index);
	intent->body = object;
	intent->note = xstrdup(live == NULL ? "create" : "update");
}

static void delete_one(const struct view *view, size_t index, const char *why,
		       struct intents *intents)
{
	const cJSON *live = view->live[index];
	enum resource_id resource = RESOURCE_COUNT;
	if (!object_is_removable(live) ||
	    !resource_find(owned_objects[index].api_version, owned_objects[index].kind, &resource))
		return;
	if (json_get(live, "metadata.deletionTimestamp") != NULL ||
	    is_held(view, PART_REMOVAL, intents))
		return;
	struct intent *intent =
	    intents_add(intents, INTENT_DELETE, resource, view->name, owned_objects[index].name);
	intent->part = PART_REMOVAL;
	intent->uid = xstrdup(json_str(live, "metadata.uid"));
	intent->note = xstrdup(why);
}

enum status owned_intents(const struct view *view, const struct settings *settings,
			  const struct collector_plan *plan, struct intents *intents,
			  struct error *err)
{
	struct objects_input input = {
	    .namespace_name = view->name,
	    .settings = settings,
	    .origins = view->memory->origins.table,
	    .use_cr = plan->use_cr,
	    .foreign_collector = plan->foreign_collector,
	    .foreign_jaeger = plan->foreign_backend,
	    .operator_namespace = view->options->operator_namespace,
	};
	CLEANUP(json_freep) cJSON *objects = NULL;
	if (plan->mode == NULL)
		return STATUS_OK;
	enum status status = objects_render(&input, &objects, err);
	if (status != STATUS_OK)
		return error_wrap(err, "render the objects of namespace %s", view->name);
	bool *wanted = xcalloc(owned_object_count + 1, sizeof(*wanted));
	const cJSON *object = NULL;
	cJSON_ArrayForEach(object, objects)
	{
		size_t index = 0;
		if (find_owned(object, &index))
			wanted[index] = true;
	}
	for (size_t i = 0; i < owned_object_count; i++)
		if (!wanted[i])
			delete_one(view, i, "no longer wanted", intents);
	cJSON_ArrayForEach(object, objects)
	{
		size_t index = 0;
		if (find_owned(object, &index))
			apply_one(view, plan, object, index, intents);
	}
	free(wanted);
	return STATUS_OK;
}

size_t owned_remove(const struct view *view, struct intents *intents)
{
	size_t left = 0;
	for (int backend = 0; backend < 2; backend++) {
		for (size_t i = 0; i < owned_object_count; i++) {
			if (owned_objects[i].backend != (backend == 1) ||
			    !object_is_removable(view->live[i]))
				continue;
			left++;
			delete_one(view, i, "the namespace is no longer traced", intents);
		}
	}
	return left;
}

static bool has_write(const struct intents *intents, enum intent_part part)
{
	for (size_t i = 0; i < intents->count; i++)
		if (intents->items[i].part == part)
			return true;
	return false;
}

bool owned_forget_refusals(const struct view *view, const struct policy *policy,
			   struct refusal refusals[PART_COUNT], const struct intents *intents)
{
	bool dropped = false;
	char generation[24];
	object_generation(view->tracing, generation, sizeof(generation));
	if (policy->phase != PHASE_ON && policy->phase != PHASE_REMOVE)
		return false;
	for (int part = PART_COLLECTOR; part < PART_COUNT; part++) {
		if (refusals[part].message == NULL ||
		    refusal_holds(&refusals[part], generation, view->now.mono_ms) ||
		    has_write(intents, (enum intent_part)part))
			continue;
		refusal_clear(&refusals[part]);
		dropped = true;
	}
	return dropped;
}
