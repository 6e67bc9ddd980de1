/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that a Tracing names: read by name, used only with the label. */
#include "scene.h"

#include "base/alloc.h"
#include "base/text.h"

#define NS                                                                                         \
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: team, annotations: "                    \
	"{tracing.llm-d.io/enabled: 'true'}}\n---\n"
#define TRACING                                                                                    \
	"apiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\nmetadata: {name: llm-d}\nspec: "    \
	"{collector: {imagePullSecrets: [{name: pull}]}, backend: {type: OTLP, otlp: {endpoint: "  \
	"'https://tempo.corp.example:4317', headersFrom: [{header: A, name: token, key: a}, "      \
	"{header: B, name: token, key: b}]}}}\n---\n"

static const struct {
	const char *what;
	const char *pull; /* metadata as YAML; "": not read, "-": not there, else "!why": denied */
	const char *token;
	unsigned age_ms; /* since both were read */
	const char *intents;
	const char *reason;  /* of SettingsValid; NULL: status was not written */
	const char *message; /* its beginning */
} table[] = {
    {"unknown: only read", "", "", 0, "read Secret/pull; read Secret/token", NULL, NULL},
    {"one is still unknown", "{labels: {tracing.llm-d.io/usable: 'true'}}", "", 0,
     "read Secret/token", NULL, NULL},
    {"usable", "{labels: {tracing.llm-d.io/usable: 'true'}}",
     "{labels: {tracing.llm-d.io/usable: 'true'}}", 0, "status; apply", "Valid", ""},
    {"usable, and looked at again now and then", "{labels: {tracing.llm-d.io/usable: 'true'}}",
     "{labels: {tracing.llm-d.io/usable: 'true'}}", 300000,
     "read Secret/pull; read Secret/token; status; apply", "Valid", ""},
    {"no label", "{labels: {tracing.llm-d.io/usable: 'true'}}", "{labels: {app: db}}", 0,
     "event Namespace/team SecretNotUsable; event Tracing/llm-d SecretNotUsable; status",
     "SecretNotUsable",
     "spec.backend.otlp.headersFrom[0]: Secret token does not carry the label "
     "tracing.llm-d.io/usable: \"true\"; who may change it says so by kubectl -n team label secret "
     "token tracing.llm-d.io/usable=true"},
    {"another value", "{labels: {tracing.llm-d.io/usable: 'yes'}}",
     "{labels: {tracing.llm-d.io/usable: 'true'}}", 0,
     "event Namespace/team SecretNotUsable; event Tracing/llm-d SecretNotUsable; status",
     "SecretNotUsable", "spec.collector.imagePullSecrets[0]: Secret pull does not carry"},
    {"an annotation is no label", "{annotations: {tracing.llm-d.io/usable: 'true'}}",
     "{labels: {tracing.llm-d.io/usable: 'true'}}", 0,
     "event Namespace/team SecretNotUsable; event Tracing/llm-d SecretNotUsable; status",
     "SecretNotUsable", "spec.collector.imagePullSecrets[0]: Secret pull does not carry"},
    {"not there, and looked at again soon", "-", "{labels: {tracing.llm-d.io/usable: 'true'}}",
     20000,
     "read Secret/pull; event Namespace/team SecretNotUsable; event Tracing/llm-d "
     "SecretNotUsable; status",
     "SecretNotUsable",
     "spec.collector.imagePullSecrets[0]: Secret pull is not there (in namespace team)"},
    {"denied", "{labels: {tracing.llm-d.io/usable: 'true'}}", "!secrets is forbidden", 0,
     "event Namespace/team SecretNotUsable; event Tracing/llm-d SecretNotUsable; status",
     "SecretNotUsable",
     "spec.backend.otlp.headersFrom[0]: Secret token may not be looked at, so it is not used: "
     "secrets is forbidden"},
};

static void note(struct scene *scene, const char *name, const char *answer, unsigned age_ms)
{
	uint64_t then = scene->now.mono_ms - age_ms;
	struct secrets *secrets = &scene->space->secrets;
	cJSON *metadata = NULL;
	struct error err;
	if (answer[0] == '\0')
		return;
	if (answer[0] == '{') {
		CLEANUP(str_freep) char *text = xasprintf("{metadata: %s}", answer);
		CHECK_INT(yaml_read(text, strlen(text), &metadata, &err), STATUS_OK);
	}
	secrets_note(secrets, "team", name, metadata, answer[0] == '!' ? answer + 1 : NULL, then);
	json_freep(&metadata);
}

TEST(secrets_by_what_was_read)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scene scene;
		scene_init(&scene);
		scene_add(&scene, NS TRACING);
		note(&scene, "pull", table[i].pull, table[i].age_ms);
		note(&scene, "token", table[i].token, table[i].age_ms);
		CLEANUP(str_freep) char *got = scene_namespace(&scene, true, NULL, NULL);
		if (!CHECK(strncmp(got, table[i].intents, strlen(table[i].intents)) == 0))
			printf("  %s: %s\n", table[i].what, got);
		CHECK_INT_ROW(strstr(got, "apply") != NULL, text_equal(table[i].reason, "Valid"),
			      table[i].what);
		cJSON *tracing =
		    object_parse(store_get(scene.store, RESOURCE_TRACING, "team", "llm-d"));
		const cJSON *valid = object_condition(tracing, "SettingsValid");
		CHECK_STR_ROW(json_str(valid, "reason"), table[i].reason, table[i].what);
		if (table[i].reason != NULL && table[i].message[0] != '\0' &&
		    !CHECK(strstr(json_str(valid, "message"), table[i].message) ==
			   json_str(valid, "message")))
			printf("  %s: %s\n", table[i].what, json_str(valid, "message"));
		cJSON_Delete(tracing);
		scene_release(&scene);
	}
}

/* What is not named any more is forgotten, so that naming it again asks again. */
TEST(forgotten_with_the_tracing)
{
	struct scene scene;
	scene_init(&scene);
	note(&scene, "pull", "-", 0);
	secrets_keep(&scene.space->secrets, NULL);
	CHECK_INT(scene.space->secrets.count, 0);
	scene_release(&scene);
}
