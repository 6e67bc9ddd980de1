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

#define MINUTE_US (INT64_C(60) * 1000000)

/* A row of which nothing was learned, so many tries and microseconds ago. */
static void add_inconclusive(struct scene *scene, const char *more, long tries, int64_t ago_us)
{
	static const char row_text[] = "{image: '" PRIVATE "', component: vllm, verdict: "
				       "Inconclusive, message: m, operatorVersion: ''}";
	char time[MOMENT_TEXT_MAX];
	char hash[17];
	struct error err;
	cJSON *row = NULL;
	cJSON *tracing = NULL;
	CHECK_INT(yaml_read("{spec: {}}", 10, &tracing, &err), STATUS_OK);
	settings_user_hash(tracing, hash);
	moment_format(scene->now.wall_us - ago_us, time);
	cJSON *changed = NULL;
	CHECK_INT(yaml_read(row_text, strlen(row_text), &row, &err), STATUS_OK);
	json_set_str(row, "settingsHash", hash);
	json_set_str(row, "time", time);
	CHECK_INT(yaml_read(more, strlen(more), &changed, &err), STATUS_OK);
	for (const cJSON *item = changed->child; item != NULL; item = item->next)
		json_set(row, item->string, json_clone(item));
	json_freep(&changed);
	if (tries > 0)
		json_set_int(row, "tries", tries);
	scene->space->rehearsals = cJSON_CreateArray();
	rehearsal_keep(scene->space->rehearsals, row);
	json_freep(&tracing);
}

TEST(what_was_not_learned_is_tried_again_ever_later_and_not_for_ever)
{
	static const struct {
		const char *what, *row;
		long tries;
		int64_t ago_us;
		bool rehearse, ask;
		const char *intents;
		enum reason reason;
	} rows[] = {
	    {"it ran and told nothing", "{}", 0, MINUTE_US, true, false, "patch",
	     REASON_WAITING_FOR_TURN},
	    {"it could not run a moment ago", "{}", 1, 0, true, false, "", REASON_REHEARSING},
	    {"it could not run a while ago", "{}", 1, MINUTE_US, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"twice", "{}", 2, MINUTE_US, true, false, "", REASON_REHEARSING},
	    {"twice, two minutes ago", "{}", 2, 2 * MINUTE_US, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"after the third the write waits no longer", "{}", 3, MINUTE_US, true, false, "patch",
	     REASON_WAITING_FOR_TURN},
	    {"the fourth comes later", "{}", 3, 31 * MINUTE_US, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"the fifth was the last", "{}", 5, 9000 * MINUTE_US, true, false, "patch",
	     REASON_WAITING_FOR_TURN},
	    {"by a clock that went back", "{}", 1, -MINUTE_US, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"under other settings", "{settingsHash: x}", 0, 0, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"by another operator", "{operatorVersion: '0.1'}", 0, 0, true, false, "rehearse",
	     REASON_REHEARSING},
	    {"a server was asked, and now pods may be made", "{asked: true}", 0, 0, true, false,
	     "rehearse", REASON_REHEARSING},
	    {"a server was asked, and no more can be done", "{asked: true}", 0, 0, false, true,
	     "patch", REASON_WAITING_FOR_TURN},
	    {"its version tells enough", "{asked: true, version: 0.16.0}", 0, 0, false, true,
	     "event Deployment/decode EngineTooOld", REASON_ENGINE_TOO_OLD},
	    {"but packages may be there all the same", "{asked: true, version: 0.16.0}", 0, 0, true,
	     true, "rehearse", REASON_REHEARSING},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene scene;
		struct intents intents;
		scene_init(&scene);
		scene.options.rehearse = rows[i].rehearse;
		scene.options.in_cluster = rows[i].ask;
		scene_add(&scene, NS("true") TRACING("{}") COLLECTOR("True") SPEC(PRIVATE, OPT_IN));
		add_inconclusive(&scene, rows[i].row, rows[i].tries, rows[i].ago_us);
		char *got = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
		const struct roster_row *row =
		    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
		bool fits = rows[i].intents[0] == '\0' ? got[0] == '\0'
						       : text_has_prefix(got, rows[i].intents);
		CHECK_STR_ROW(fits ? rows[i].intents : got, rows[i].intents, rows[i].what);
		CHECK_STR_ROW(reason_info(row->reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].what);
		CHECK(row->reason != REASON_REHEARSING || intents.again_ms > 0);
		intents_release(&intents);
		scene_release(&scene);
		free(got);
	}
}

TEST(a_person_may_want_it_tried_anew_and_that_counts_once)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene.options.rehearse = true;
	scene_add(&scene, NS("true") TRACING("{}") COLLECTOR("True")
			      SPEC(PRIVATE, ", annotations: {tracing.llm-d.io/inject: 'true', "
					    "tracing.llm-d.io/retry: now}"));
	add_inconclusive(&scene, "{}", 0, 0);
	char *first = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	CHECK_STR(first, "rehearse Deployment/" PRIVATE);
	CHECK(json_bool(intents.items[0].body, "anew", false));
	rehearsal_forget(scene.space->rehearsals, PRIVATE, COMPONENT_VLLM);
	intents_release(&intents);
	free(first);
	json_freep(&scene.space->rehearsals);
	add_inconclusive(&scene, "{}", 0, 0);
	char *then = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	CHECK(text_has_prefix(then, "patch"));
	intents_release(&intents);
	free(then);
	scene_release(&scene);
}

TEST(where_no_pods_may_be_made_a_server_is_asked)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene.options.in_cluster = true;
	scene_add(&scene, NS("true") TRACING("{}") COLLECTOR("True") SPEC(PRIVATE, OPT_IN));
	char *got = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	const struct roster_row *row =
	    roster_find(&scene.space->roster, RESOURCE_DEPLOYMENT, "decode");
	CHECK_STR(got, "rehearse Deployment/" PRIVATE);
	CHECK(strstr(row->message, "asked for its version") != NULL);
	intents_release(&intents);
	scene_release(&scene);
	free(got);
}

TEST(nothing_is_tried_before_the_settings_are_there)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene.options.rehearse = true;
	scene_add(&scene, NS("true") SPEC(PRIVATE, OPT_IN));
	char *got = scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents);
	CHECK(strstr(got, "rehearse") == NULL && strstr(got, "patch") == NULL);
	intents_release(&intents);
	scene_release(&scene);
	free(got);
}

TEST(only_what_was_not_learned_is_forgotten)
{
	static const char *const verdicts[] = {"Inconclusive", "Traceable"};
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		struct scene scene;
		scene_init(&scene);
		rehearsal_forget(scene.space->rehearsals, PRIVATE, COMPONENT_VLLM);
		add_row(&scene, verdicts[i]);
		rehearsal_forget(scene.space->rehearsals, PRIVATE, COMPONENT_EPP);
		rehearsal_forget(scene.space->rehearsals, "b", COMPONENT_VLLM);
		CHECK_INT(cJSON_GetArraySize(scene.space->rehearsals), 1);
		rehearsal_forget(scene.space->rehearsals, PRIVATE, COMPONENT_VLLM);
		CHECK_INT(cJSON_GetArraySize(scene.space->rehearsals), (int)i);
		scene_release(&scene);
	}
}

TEST(what_was_learned_outlasts_a_restart_and_so_does_what_was_not)
{
	struct scene scene;
	struct intents intents;
	scene_init(&scene);
	scene_add(
	    &scene,
	    NS("true") COLLECTOR("True") SPEC(
		PRIVATE,
		OPT_IN) "---\napiVersion: tracing.llm-d.io/v1alpha1\nkind: "
			"Tracing\nmetadata: {name: "
			"llm-d}\nstatus: {rehearsals: [{image: a, component: vllm, verdict: "
			"Traceable}, {image: b, component: vllm, verdict: Inconclusive, tries: "
			"2}]}\n");
	free(scene_workload(&scene, RESOURCE_DEPLOYMENT, "decode", &intents));
	CHECK(rehearsal_find(scene.space->rehearsals, "a", COMPONENT_VLLM) != NULL);
	CHECK_INT(
	    json_int(rehearsal_find(scene.space->rehearsals, "b", COMPONENT_VLLM), "tries", 0), 2);
	intents_release(&intents);
	scene_release(&scene);
}

/* What was learned of an image is news for all that hold it: the smallest of them goes first. */
TEST(who_was_tried_keeps_to_the_order)
{
	struct scene scene;
	scene_init(&scene);
	scene.options.rehearse = true;
	scene_add(&scene, NS("true") TRACING("{}") COLLECTOR("True") SPEC(PRIVATE, OPT_IN));
	cJSON *object = object_parse(store_get(scene.store, RESOURCE_DEPLOYMENT, "team", "decode"));
	json_set_str(json_member_mut(object, "metadata"), "name", "another");
	scene_put(&scene, object);
	json_freep(&object);
	free(look(&scene, "decode"));
	free(look(&scene, "another"));
	check_row(&scene, "decode", WORKLOAD_PENDING, REASON_REHEARSING);
	add_row(&scene, "Traceable");
	CLEANUP(str_freep) char *early = look(&scene, "decode");
	CHECK_STR(early, "");
	check_row(&scene, "decode", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN);
	look_and_write(&scene, "another", "101");
	scene_release(&scene);
}
