/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector is told of workloads, and when. */
#include "scene.h"

#include "base/alloc.h"
#include "inject/origin.h"

#define POOL(NAME)                                                                                 \
	"apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: " NAME  \
	", namespace: team}\nspec: {selector: {matchLabels: {app: s}}}\n---\n"
#define WORKLOAD(KIND, NAME, LABELS, ARGS)                                                         \
	"apiVersion: apps/v1\nkind: " KIND "\nmetadata: {name: " NAME                              \
	", namespace: team}\nspec: {template: {metadata: {labels: {" LABELS                        \
	"}}, spec: {containers: [{name: c, command: [vllm, serve], args: [" ARGS "]}]}}}\n---\n"
#define HERE                                                                                       \
	"resource.attributes[\"k8s.namespace.name\"] == \"team\" and "                             \
	"resource.attributes[\"llm_d.workload\"] == nil and "
#define SET(KEY, VALUE)                                                                            \
	"set(resource.attributes[\"" KEY "\"], \"" VALUE "\") where resource.attributes[\"" KEY    \
	"\"] == nil|"
#define DEPLOYMENT_IS(NAME) HERE "resource.attributes[\"k8s.deployment.name\"] == \"" NAME "\"|"

static const struct {
	const char *what;
	const char *objects; /* YAML */
	const char *want;    /* each condition and statement, with a bar behind it */
} table[] = {
    {"nothing leads to it", WORKLOAD("Deployment", "d", "a: b", "m"), ""},
    {"pool and model", POOL("p") WORKLOAD("Deployment", "d", "app: s, llm-d.ai/model: q", "m"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d") SET("llm_d.pool", "p") SET("llm_d.model", "q")},
    {"two pools", POOL("p") POOL("o") WORKLOAD("Deployment", "d", "app: s, llm-d.ai/model: q", "m"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d") SET("llm_d.pool", "p,o")
	 SET("llm_d.model", "q")},
    {"the engine's own words", WORKLOAD("Deployment", "d", "llm-d.ai/role: prefill", "acme/m"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d") SET("llm_d.role", "prefill")
	 SET("llm_d.model", "acme/m")},
    {"the name it is served by",
     WORKLOAD("Deployment", "d", "llm-d.ai/role: x", "m, --served-model-name, s, t"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d") SET("llm_d.model", "s")},
    {"kubelet would fill it in", WORKLOAD("Deployment", "d", "llm-d.ai/role: x", "$(MODEL)"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d")},
    {"whatever means something is bytes",
     WORKLOAD("Deployment", "d", "llm-d.ai/role: x", "'a\"b\\\\c''d'"),
     DEPLOYMENT_IS("d") SET("llm_d.workload", "d") SET("llm_d.model", "a\\x22b\\x5c\\x5cc\\x27d")},
    {"a StatefulSet", WORKLOAD("StatefulSet", "s.t", "llm-d.ai/role: decode", "m"),
     HERE "IsMatch(resource.attributes[\"k8s.pod.name\"], \"^s[.]t-[0-9]+\\x5cz\")|" SET(
	 "llm_d.workload", "s.t") SET("k8s.statefulset.name", "s.t") SET("llm_d.role", "decode")
	 SET("llm_d.model", "m")},
    {"a name that the API server cuts in its pods",
     WORKLOAD("Deployment", "d2345678901234567890123456789012345678901234567", "llm-d.ai/role: x",
	      "m"),
     HERE "(resource.attributes[\"k8s.deployment.name\"] == "
	  "\"d2345678901234567890123456789012345678901234567\" or "
	  "IsMatch(resource.attributes[\"k8s.pod.name\"], "
	  "\"^d2345678901234567890123456789012345678901234567-[bcdfghjklmnpqrstvwxz2456789]{15}"
	  "\\x5cz\"))|" SET("llm_d.workload", "d2345678901234567890123456789012345678901234567")
	      SET("k8s.deployment.name", "d2345678901234567890123456789012345678901234567")
		  SET("llm_d.model", "m")},
};

static cJSON *groups_of(const char *yaml)
{
	struct yaml_stream stream;
	struct error err = {.message = ""};
	struct surroundings *around CLEANUP(surroundings_freep) = surroundings_new();
	cJSON *groups = cJSON_CreateArray();
	if (!CHECK_INT(yaml_read_stream(yaml, strlen(yaml), &stream, NULL, &err), STATUS_OK))
		return groups;
	for (size_t i = 0; i < stream.count; i++)
		if (stream.documents[i].tree != NULL)
			surroundings_add(around, stream.documents[i].tree);
	for (size_t i = 0; i < stream.count; i++)
		if (stream.documents[i].tree != NULL)
			origin_groups_add(groups, stream.documents[i].tree, around, "team");
	yaml_stream_release(&stream);
	return groups;
}

TEST(groups)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buffer text;
		cJSON *groups = groups_of(table[i].objects);
		const cJSON *group = NULL;
		const cJSON *line = NULL;
		buffer_init(&text, 1 << 16);
		cJSON_ArrayForEach(group, groups)
		{
			cJSON_ArrayForEach(line, json_member(group, "conditions"))
			{
				buffer_addf(&text, "%s|", line->valuestring);
			}
			cJSON_ArrayForEach(line, json_member(group, "statements"))
			{
				buffer_addf(&text, "%s|", line->valuestring);
			}
		}
		CHECK_STR_ROW(text.data, table[i].want, table[i].what);
		buffer_release(&text);
		json_freep(&groups);
	}
}

TEST(no_more_than_there_is_room_for)
{
	cJSON *groups = cJSON_CreateArray();
	for (int i = 0; i < 300; i++)
		json_append(groups, cJSON_CreateString("x"));
	CHECK_INT((long)origin_groups_cut(groups), 44);
	CHECK_INT(cJSON_GetArraySize(groups), 256);
	json_freep(&groups);
}

#define ON                                                                                         \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"                                               \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{}\n---\n"
#define CHANGED                                                                                    \
	"apply ConfigMap/otel-collector-config (update); apply Deployment/otel-collector (update)"

/* What is applied at this look, without what is said of it. */
static bool applies(struct scene *scene, bool carry_out, uint64_t *ret_again_ms)
{
	char *summary = scene_namespace(scene, carry_out, NULL, ret_again_ms);
	bool changed = strstr(summary, CHANGED) != NULL;
	CHECK(changed || strstr(summary, "apply") == NULL);
	free(summary);
	return changed;
}

TEST(first_at_once_then_gathered_and_the_same_after_a_restart)
{
	struct scene scene;
	uint64_t again_ms = 0;
	scene_init(&scene);
	scene_add(&scene, ON POOL("p") WORKLOAD("Deployment", "d", "app: s", "m"));
	char *first = scene_namespace(&scene, true, NULL, NULL);
	CHECK(strstr(first, "apply ConfigMap/otel-collector-config (create)") != NULL);
	free(first);
	const struct object *config =
	    store_get(scene.store, RESOURCE_CONFIGMAP, "team", "otel-collector-config");
	CHECK(config != NULL && strstr(config->json, "llm_d.pool") != NULL);
	CHECK(!applies(&scene, true, NULL));
	namespace_free(scene.space);
	scene.space = namespace_new("team");
	CHECK(!applies(&scene, true, NULL));

	scene_add(&scene, POOL("o"));
	CHECK(!applies(&scene, true, &again_ms));
	CHECK(again_ms > 0 && again_ms <= 10000);
	scene.now.mono_ms += 9000;
	scene_add(&scene, WORKLOAD("Deployment", "e", "app: s", "m"));
	CHECK(!applies(&scene, true, NULL));
	scene.now.mono_ms += 9000;
	CHECK(!applies(&scene, true, NULL));
	scene.now.mono_ms += 1000;
	CHECK(applies(&scene, true, NULL));
	CHECK(!applies(&scene, true, NULL));

	/* the next one not sooner than a minute later */
	scene_add(&scene, WORKLOAD("Deployment", "f", "app: s", "m"));
	scene.now.mono_ms += 20000;
	CHECK(!applies(&scene, true, NULL));
	scene.now.mono_ms += 39000;
	CHECK(!applies(&scene, true, NULL));
	scene.now.mono_ms += 1000;
	CHECK(applies(&scene, true, NULL));

	/* one that never rests is taken all the same, fifty in two minutes at once */
	unsigned taken = 0;
	for (int i = 0; i < 50; i++) {
		char yaml[400];
		(void)snprintf(yaml, sizeof(yaml), WORKLOAD("Deployment", "w%d", "app: s", "m"), i);
		scene_add(&scene, yaml);
		scene.now.mono_ms += 3000;
		taken += applies(&scene, true, NULL);
	}
	CHECK_INT(taken, 1);
	scene_release(&scene);
}
