/* SPDX-License-Identifier: Apache-2.0 */
/* Images about which nothing is known are tried before anything is written. */
#include "serving.h"

#include "base/alloc.h"
#include "base/text.h"
#include "inject/rehearsal.h"

#define PRIVATE "mirror.example/ai/engine@sha256:ab"
#define SPEC(IMAGE, MORE)                                                                          \
	"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: decode" MORE "}\n"           \
	"spec: {replicas: 1, selector: {matchLabels: {app: m}}, template: {metadata: {labels: "    \
	"{app: m}}, spec: {containers: [{name: c, image: '" IMAGE "', command: [vllm, serve], "    \
	"args: [m]}]}}}\nstatus: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, "        \
	"readyReplicas: 1, availableReplicas: 1}\n"
#define OPT_IN ", annotations: {tracing.llm-d.io/inject: 'true'}"

static const struct {
	const char *what;
	const char *spec; /* of the Tracing */
	const char *image;
	const char *verdict; /* that is known; NULL: none */
	bool allowed;
	const char *intents;
	enum reason reason;
} table[] = {
    {"tried first", "{}", PRIVATE, NULL, true, "rehearse Deployment/" PRIVATE, REASON_REHEARSING},
    {"not where pods may not be made", "{}", PRIVATE, NULL, false, "patch Deployment/decode",
     REASON_WAITING_FOR_TURN},
    {"not when switched off", "{rollout: {rehearse: 'Off'}}", PRIVATE, NULL, true,
     "patch Deployment/decode", REASON_WAITING_FOR_TURN},
    {"not for a report", "{rollout: {policy: Never}}", PRIVATE, NULL, true, "", REASON_REPORT_ONLY},
    {"not when the tag tells", "{}", "vllm/vllm-openai:v0.23.0", NULL, true,
     "patch Deployment/decode", REASON_WAITING_FOR_TURN},
    {"not when the user tells",
     "{images: [{match: 'mirror.example/*', component: vllm, version: '0.23.0'}]}", PRIVATE, NULL,
     true, "patch Deployment/decode", REASON_WAITING_FOR_TURN},
    {"known to be good", "{}", PRIVATE, "Traceable", true, "patch Deployment/decode",
     REASON_WAITING_FOR_TURN},
    {"nothing was learned: as without", "{}", PRIVATE, "Inconclusive", true,
     "patch Deployment/decode", REASON_WAITING_FOR_TURN},
    {"known to be bad", "{}", PRIVATE, "LacksPackages", true,
     "event Deployment/decode LacksPackages", REASON_LACKS_PACKAGES},
    {"known to refuse", "{}", PRIVATE, "RefusesFlag", true, "event Deployment/decode RefusesFlag",
     REASON_REFUSES_FLAG},
};

static void add_row(struct scene *scene, const char *verdict)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "image", PRIVATE);
	json_set_str(row, "component", "vllm");
	json_set_str(row, "verdict", verdict);
	json_set_str(row, "message", "so it was");
	if (scene->space->rehearsals == NULL)
		scene->space->rehearsals = cJSON_CreateArray();
	rehearsal_keep(scene->space->rehearsals, row);
}

TEST(what_is_unknown_is_tried_before_the_first_write)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct scene scene;
		struct intents intents;
		char *objects = xasprintf(
		    "%s%s%s%s%s%s", NS("true"), COLLECTOR("True"),
		    "---\napiVersion: tracing.llm-d.io/v1alpha1\nkind: Tracing\n"
		    "metadata: {name: llm-d}\nspec: ",
		    table[i].spec, "\n",
		    text_equal(table[i].image, PRIVATE) ? SPEC(PRIVATE, OPT_IN)
							: SPEC("vllm/vllm-openai:v0.23.0", OPT_IN));
		scene_init(&scene);
		scene.options.rehearse = table[i].allowed;
		scene_add(&scene, objects);
		if (table[i].verdict != NULL)
			add_row(&scene, table[i].verdict);
		char *got = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
		const struct roster_row *row =
		    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
		bool begins = text_has_prefix(got, table[i].intents) &&
			      (got[0] == '\0') == (table[i].intents[0] == '\0');
		CHECK_STR_ROW(begins ? table[i].intents : got, table[i].intents, table[i].what);
		CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(table[i].reason)->word,
			      table[i].what);
		intents_release(&intents);
		scene_release(&scene);
		free(objects);
		free(got);
	}
}

TEST(what_is_to_be_tried_comes_with_its_pod)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene.options.rehearse = true;
	scene_add(&scene, NS("true") TRACING("{}") COLLECTOR("True") SPEC(PRIVATE, OPT_IN));
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	CHECK_INT(intents.count, 1);
	const cJSON *body = intents.items[0].body;
	CHECK_STR(json_str(body, "component"), "vllm");
	CHECK_STR(json_str(body, "container.name"), "c");
	CHECK(cJSON_IsArray(json_get(body, "podSpec.containers")));
	CHECK(intents.again_ms > 0);
	intents_release(&intents);
	scene_release(&scene);
}

TEST(what_was_learned_outlasts_a_restart_what_was_not_does_not)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene_add(&scene,
		  NS("true") COLLECTOR("True") SPEC(
		      PRIVATE,
		      OPT_IN) "---\napiVersion: tracing.llm-d.io/v1alpha1\nkind: "
			      "Tracing\nmetadata: {name: "
			      "llm-d}\nstatus: {rehearsals: [{image: a, component: vllm, verdict: "
			      "Traceable}, {image: b, component: vllm, verdict: Inconclusive}]}\n");
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	CHECK(rehearsal_find(scene.space->rehearsals, "a", COMPONENT_VLLM) != NULL);
	CHECK(rehearsal_find(scene.space->rehearsals, "b", COMPONENT_VLLM) == NULL);
	intents_release(&intents);
	scene_release(&scene);
}
