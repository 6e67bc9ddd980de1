/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A namespace as YAML documents in, what reconcile wants to be done as one line of text
 * out: "status; apply Deployment otel-collector (create); event Tracing/llm-d BadSettings".
 */
#ifndef LLMD_TEST_UNIT_SCENE_H
#define LLMD_TEST_UNIT_SCENE_H

#include "test.h"

#include "base/yaml.h"
#include "controller/facts.h"
#include "controller/owned.h"
#include "controller/policy.h"
#include "controller/proof_view.h"
#include "controller/reconcile_namespace.h"
#include "controller/reconcile_workload.h"
#include "controller/view.h"

#define SCENE_NOW_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

struct scene {
	struct store *store;
	struct namespace *space;
	struct base_configs *configs;
	enum access access[RESOURCE_COUNT];
	struct operator_options options;
	struct moment now;
	struct survey_report survey;
	struct elsewhere elsewhere;
	struct workload_news news; /* of the last look at a workload */
};

__attribute__((unused)) static void scene_ignore(void *context, const struct object *before,
						 const struct object *after)
{
	(void)context;
	(void)before;
	(void)after;
}

__attribute__((unused)) static void scene_put(struct scene *scene, const cJSON *tree)
{
	enum resource_id resource = RESOURCE_COUNT;
	if (!CHECK(json_str(tree, "kind") != NULL &&
		   resource_find(json_str(tree, "apiVersion"), json_str(tree, "kind"), &resource)))
		return;
	cJSON *copy = json_clone(tree);
	cJSON *metadata = json_member_mut(copy, "metadata");
	if (json_member(metadata, "resourceVersion") == NULL)
		json_set_str(metadata, "resourceVersion", "100");
	if (json_member(metadata, "uid") == NULL)
		json_set_str(metadata, "uid", json_str(metadata, "name"));
	if (json_member(metadata, "generation") == NULL)
		json_set_int(metadata, "generation", 1);
	if (resource != RESOURCE_NAMESPACE && json_member(metadata, "namespace") == NULL)
		json_set_str(metadata, "namespace", "team");
	char *text = json_to_string(copy);
	CHECK(store_put(scene->store, resource, text, strlen(text), true));
	free(text);
	cJSON_Delete(copy);
}

/* YAML documents; objects without a namespace are in "team". */
__attribute__((unused)) static void scene_add(struct scene *scene, const char *yaml)
{
	struct yaml_stream stream;
	struct error err = {.message = ""};
	if (!CHECK_STR(yaml_read_stream(yaml, strlen(yaml), &stream, NULL, &err) == STATUS_OK
			   ? ""
			   : err.message,
		       ""))
		return;
	for (size_t i = 0; i < stream.count; i++)
		if (stream.documents[i].tree != NULL)
			scene_put(scene, stream.documents[i].tree);
	yaml_stream_release(&stream);
}

__attribute__((unused)) static void scene_init(struct scene *scene)
{
	*scene = (struct scene){
	    .store = store_new(scene_ignore, NULL),
	    .space = namespace_new("team"),
	    .configs = base_configs_new(),
	    .options = {.removal_grace_ms = 60000,
			.collector_timeout_ms = 60000,
			.teardown_timeout_ms = 900000},
	    .now = {.wall_us = SCENE_NOW_US, .mono_ms = 10000000},
	    .survey = {.state = SURVEY_UNKNOWN, .at_ms = 10000000, .why = "not asked for"},
	};
	for (size_t i = 0; i < RESOURCE_COUNT; i++)
		scene->access[i] = ACCESS_READABLE;
	scene->access[RESOURCE_COLLECTOR] = ACCESS_ABSENT;
	store_keep(scene->store, "team");
	store_listed(scene->store);
}

__attribute__((unused)) static void scene_release(struct scene *scene)
{
	store_freep(&scene->store);
	base_configs_freep(&scene->configs);
	namespace_free(scene->space);
}

__attribute__((unused)) static void scene_summarize(const struct intents *intents,
						    struct buffer *out)
{
	static const char *const names[] = {"create", "apply", "delete", "patch",  "give back",
					    "status", "read",  "event",  "survey", "rehearse",
					    "ask",    "pods",  "log"};
	for (size_t i = 0; i < intents->count; i++) {
		const struct intent *intent = &intents->items[i];
		buffer_addf(out, "%s%s", out->len > 0 ? "; " : "", names[intent->type]);
		if (intent->type == INTENT_STATUS || intent->type == INTENT_SURVEY)
			continue;
		buffer_addf(out, " %s/%s", resource_get(intent->resource)->kind, intent->name);
		if (intent->type == INTENT_EVENT)
			buffer_addf(out, " %s",
				    intent->word != NULL ? intent->word
							 : reason_info(intent->reason)->word);
		else if (intent->type == INTENT_APPLY)
			buffer_addf(out, " (%s)", intent->note);
	}
}

/* Carries out in the store what the intents would leave there: applied, created and patched objects. */
__attribute__((unused)) static void scene_carry_out(struct scene *scene,
						    const struct intents *intents)
{
	for (size_t i = 0; i < intents->count; i++) {
		const struct intent *intent = &intents->items[i];
		const struct object *object =
		    store_get(scene->store, intent->resource, intent->namespace_name, intent->name);
		if (intent->type == INTENT_APPLY || intent->type == INTENT_CREATE) {
			cJSON *copy = json_clone(intent->body);
			json_set_str(json_member_mut(copy, "metadata"), "resourceVersion", "200");
			scene_put(scene, copy);
			cJSON_Delete(copy);
		} else if (intent->type == INTENT_DELETE && object != NULL) {
			cJSON *tree = object_parse(object);
			char *text = json_to_string(tree);
			CHECK(store_delete(scene->store, intent->resource, text, strlen(text)));
			free(text);
			cJSON_Delete(tree);
		} else if (intent->type == INTENT_STATUS && object != NULL) {
			cJSON *tree = object_parse(object);
			const cJSON *changes = json_member(intent->body, "status");
			cJSON *status = json_member_mut(tree, "status");
			if (status == NULL)
				status = json_set_object(tree, "status");
			const cJSON *item = NULL;
			cJSON_ArrayForEach(item, changes)
			{
				json_set(status, item->string, json_clone(item));
			}
			scene_put(scene, tree);
			cJSON_Delete(tree);
		}
	}
}

/* One look at the namespace. The summary is owned by the caller. */
__attribute__((unused)) static char *scene_namespace(struct scene *scene, bool carry_out,
						     bool *ret_finished, uint64_t *ret_again_ms)
{
	struct view view;
	struct policy policy;
	struct intents intents = {0};
	struct proof_targets targets;
	struct buffer out;
	bool finished = false;
	buffer_init(&out, 1 << 16);
	view_gather(&view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(&view, &policy);
	origins_follow(&scene->space->origins, scene->store, "team", &policy, scene->now.mono_ms);
	proof_look(&view, &policy, &targets);
	proof_settle(&scene->space->proof, &scene->space->roster, &targets, scene->now.mono_ms);
	reconcile_namespace(&view, &policy, &intents, &finished);
	(void)owned_forget_refusals(&view, &policy, scene->space->refusals, &intents);
	scene_summarize(&intents, &out);
	if (carry_out)
		scene_carry_out(scene, &intents);
	if (ret_finished != NULL)
		*ret_finished = finished;
	if (ret_again_ms != NULL)
		*ret_again_ms = intents.again_ms;
	intents_release(&intents);
	policy_release(&policy);
	view_release(&view);
	return buffer_detach(&out);
}

/* One look at a workload; its row stays in the roster. Intents are the caller's to release. */
__attribute__((unused)) static char *scene_workload(struct scene *scene, enum resource_id resource,
						    const char *name, struct intents *ret_intents)
{
	struct view view;
	struct policy policy;
	struct gathered gathered;
	struct buffer out;
	*ret_intents = (struct intents){0};
	buffer_init(&out, 1 << 16);
	view_gather(&view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(&view, &policy);
	const struct object *object = store_get(scene->store, resource, "team", name);
	if (CHECK(object != NULL) &&
	    CHECK(facts_gather(scene->store, scene->configs, object, &gathered, ret_intents))) {
		if (ret_intents->count == 0) {
			struct workload_input input = {.resource = resource,
						       .object = gathered.object,
						       .facts = &gathered.facts,
						       .policy = &policy,
						       .roster = &scene->space->roster,
						       .rehearsals = scene->space->rehearsals,
						       .may_rehearse = scene->options.rehearse,
						       .may_ask = scene->options.in_cluster,
						       .survey = &scene->survey,
						       .elsewhere = &scene->elsewhere,
						       .now = scene->now};
			reconcile_workload(&input,
					   roster_need(&scene->space->roster, resource, name),
					   ret_intents, &scene->news);
		}
		gathered_release(&gathered);
	}
	scene_summarize(ret_intents, &out);
	policy_release(&policy);
	view_release(&view);
	return buffer_detach(&out);
}

#endif
