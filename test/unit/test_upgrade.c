/* SPDX-License-Identifier: Apache-2.0 */
/* Another version of the operator over many traced workloads: no pod template is written. */
#include "serving.h"

#include "base/alloc.h"

enum { FLEET = 200 };

#define WORKLOAD                                                                                   \
	"%s\nmetadata: {name: w%d}\nspec: {replicas: 1, %s: {metadata: {labels: {app: vllm}}, "    \
	"spec: {containers: [{name: modelserver, image: '%s', command: [vllm, serve], args: [m, "  \
	"--seed=%d]}]}}%s}\nstatus: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, "     \
	"availableReplicas: 1, readyReplicas: 1}\n"

static const struct {
	enum resource_id resource;
	const char *kind;
	const char *template; /* where it is */
	const char *end;
} shapes[] = {
    {RESOURCE_DEPLOYMENT, "apiVersion: apps/v1\nkind: Deployment", "template", ""},
    {RESOURCE_STATEFULSET, "apiVersion: apps/v1\nkind: StatefulSet", "template", ""},
    {RESOURCE_LEADERWORKERSET, "apiVersion: leaderworkerset.x-k8s.io/v1\nkind: LeaderWorkerSet",
     "leaderWorkerTemplate: {size: 1, workerTemplate", "}"},
};

static enum resource_id resource_of(int i)
{
	return shapes[(size_t)i % ARRAY_LEN(shapes)].resource;
}

static const struct object *workload(const struct scene *scene, int i)
{
	char name[16];
	(void)snprintf(name, sizeof(name), "w%d", i);
	return store_get(scene->store, resource_of(i), "team", name);
}

static void add_traced(struct scene *scene, int i)
{
	static const char *const images[] = {"vllm/vllm-openai:v0.23.0",
					     "ghcr.io/llm-d/llm-d-cuda:v0.7.0",
					     "vllm/vllm-openai:latest"};
	char name[16];
	(void)snprintf(name, sizeof(name), "w%d", i);
	size_t shape = (size_t)i % ARRAY_LEN(shapes);
	CLEANUP(str_freep)
	char *yaml = xasprintf(WORKLOAD, shapes[shape].kind, i, shapes[shape].template,
			       images[(size_t)(i / 3) % ARRAY_LEN(images)], i, shapes[shape].end);
	scene_add(scene, yaml);
	struct intent intent = {.resource = resource_of(i), .name = name};
	apply_patch(scene, &intent, "101");
	CHECK(workload(scene, i)->ledger);
}

/* The ledgers as an operator with that revision of the rules wrote them. */
static void set_rules(struct scene *scene, int i, long rules)
{
	struct error err;
	CLEANUP(json_freep) cJSON *object = object_parse(workload(scene, i));
	cJSON *annotations = json_member_mut(json_member_mut(object, "metadata"), "annotations");
	CLEANUP(json_freep) cJSON *ledger = NULL;
	const char *text = json_member(annotations, ANNOTATION_LEDGER)->valuestring;
	CHECK_INT(json_parse(text, strlen(text), &ledger, &err), STATUS_OK);
	json_set_int(ledger, "rules", rules);
	CLEANUP(str_freep) char *written = json_to_string(ledger);
	json_set_str(annotations, ANNOTATION_LEDGER, written);
	scene_put(scene, object);
}

static size_t writes_of(struct scene *scene, enum reason reason)
{
	size_t writes = 0;
	for (int i = 0; i < FLEET; i++) {
		struct intents intents;
		const struct object *object = workload(scene, i);
		free(scene_workload(scene, object->resource, object->name, &intents));
		for (size_t k = 0; k < intents.count; k++)
			writes += intents.items[k].type == INTENT_PATCH;
		const struct roster_row *row =
		    roster_find(&scene->space->roster, object->resource, object->name);
		CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(reason)->word, row->name);
		intents_release(&intents);
	}
	return writes;
}

/* As a process that has just been started. */
static void start_anew(struct scene *scene)
{
	for (int i = 0; i < FLEET; i++) {
		const struct object *object = workload(scene, i);
		roster_drop(&scene->space->roster, object->resource, object->name);
	}
}

TEST(no_template_is_written_for_another_version)
{
	struct scene scene;
	struct settings other;
	scene_init(&scene);
	scene_add(&scene, ALL);
	for (int i = 0; i < FLEET; i++)
		add_traced(&scene, i);
	settings_init_defaults(&other);
	free(other.detailed);
	other.detailed = xstrdup("model");
	/* an upgrade: what decides now would change every one of them */
	scene.options.defaults = &other;
	CHECK_INT(writes_of(&scene, REASON_PLAN_OUTDATED), 0);
	/* a downgrade: ledgers of newer rules */
	for (int i = 0; i < FLEET; i++)
		set_rules(&scene, i, PLAN_RULES_REVISION + 1);
	start_anew(&scene);
	CHECK_INT(writes_of(&scene, REASON_LEDGER_NEWER), 0);
	/* and there again; then one of them changes by itself */
	for (int i = 0; i < FLEET; i++)
		set_rules(&scene, i, PLAN_RULES_REVISION);
	start_anew(&scene);
	CHECK_INT(writes_of(&scene, REASON_PLAN_OUTDATED), 0);
	CLEANUP(json_freep) cJSON *object = object_parse(workload(&scene, 0));
	cJSON *containers = json_member_mut(
	    json_member_mut(json_member_mut(json_member_mut(object, "spec"), "template"), "spec"),
	    "containers");
	json_set_str(containers->child, "image", "vllm/vllm-openai:v0.24.0");
	scene_put(&scene, object);
	look_and_write(&scene, "w0", "102");
	/* another is in line, since somebody has agreed to just that */
	const struct roster_row *row = roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "w3");
	if (CHECK(row != NULL) && CHECK_INT((long)strlen(row->consent.pending), 16)) {
		CLEANUP(json_freep) cJSON *agreed = object_parse(workload(&scene, 3));
		json_set_str(json_member_mut(json_member_mut(agreed, "metadata"), "annotations"),
			     ANNOTATION_APPROVE, row->consent.pending);
		scene_put(&scene, agreed);
		struct intents intents;
		free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "w3", &intents));
		intents_release(&intents);
		row = roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "w3");
		CHECK_STR(reason_info(row->reason)->word, "WaitingForRollout");
	}
	settings_release(&other);
	scene_release(&scene);
}

static void note_refusal(struct scene *scene, struct roster_row *row)
{
	struct view view;
	struct policy policy;
	char version[WORKLOAD_VERSION_MAX];
	CLEANUP(json_freep)
	cJSON *object = object_parse(store_get(scene->store, row->resource, "team", row->name));
	view_gather(&view, scene->store, scene->space, scene->access, &scene->options, scene->now);
	policy_decide(&view, &policy);
	workload_version(object, &policy, version);
	refusal_note(&row->refusal, STATUS_INVALID, "is invalid", version, scene->now.mono_ms, 0);
	(void)roster_tell(row, WORKLOAD_FAILED, REASON_REFUSED, "is invalid");
	policy_release(&policy);
	view_release(&view);
}

/* The same bytes would be refused again; another version may write others. */
TEST(what_was_refused_for_good_is_for_the_next_version_to_try)
{
	struct scene scene;
	scene_init(&scene);
	scene.options.version = "v1";
	scene_add(&scene, ALL SERVER("a"));
	struct roster *roster = &scene.space->roster;
	note_refusal(&scene, roster_need(roster, RESOURCE_DEPLOYMENT, "a"));
	/* a process that knows what stands in status alone */
	CLEANUP(json_freep) cJSON *rows = roster_status(roster);
	roster_drop(roster, RESOURCE_DEPLOYMENT, "a");
	roster_load(roster, rows);
	CLEANUP(str_freep) char *same = look(&scene, "a");
	CHECK_STR(same, "");
	check_row(&scene, "a", WORKLOAD_FAILED, REASON_REFUSED);
	scene.options.version = "v2";
	CLEANUP(str_freep) char *other = look(&scene, "a");
	CHECK_STR(other, "patch Deployment/a; event Deployment/a Injected; event Tracing/llm-d "
			 "Injected");
	scene_release(&scene);
}
