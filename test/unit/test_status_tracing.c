/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/status.h"

static cJSON *parse(const char *text)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	CHECK_INT_ROW(json_parse(text, strlen(text), &tree, &err), STATUS_OK, err.message);
	return tree;
}

static const struct {
	const char *live;
	const char *wanted;
	const char *patch;
} patches[] = {
    {"{\"status\":{\"a\":1,\"b\":[1]}}", "{\"a\":1,\"b\":[1]}", NULL},
    {"{}", "{\"a\":1}", "{\"status\":{\"a\":1}}"},
    {"{\"status\":{\"a\":1,\"gone\":2}}", "{\"a\":2}", "{\"status\":{\"a\":2,\"gone\":null}}"},
    {"{\"status\":{\"c\":{\"x\":1,\"y\":2}}}", "{\"c\":{\"x\":1}}",
     "{\"status\":{\"c\":{\"x\":1,\"y\":null}}}"},
    {"{\"status\":{\"c\":{\"i\":{\"x\":1,\"y\":2},\"z\":[{\"k\":1}]}}}",
     "{\"c\":{\"i\":{\"x\":1},\"z\":[{}]}}",
     "{\"status\":{\"c\":{\"i\":{\"x\":1,\"y\":null},\"z\":[{}]}}}"},
    {"{\"status\":{\"list\":[{\"k\":1}]}}", "{\"list\":[]}", "{\"status\":{\"list\":[]}}"},
    {"{\"status\":{\"c\":{\"b\":1,\"a\":2}}}", "{\"c\":{\"a\":2,\"b\":1.0}}", NULL},
};

TEST(only_what_differs_is_sent)
{
	for (size_t i = 0; i < ARRAY_LEN(patches); i++) {
		cJSON *live = parse(patches[i].live);
		cJSON *wanted = parse(patches[i].wanted);
		cJSON *patch = status_patch(live, wanted);
		char *text = patch == NULL ? NULL : json_to_string(patch);
		CHECK_STR_ROW(text, patches[i].patch, patches[i].wanted);
		free(text);
		cJSON_Delete(patch);
		cJSON_Delete(wanted);
		cJSON_Delete(live);
	}
}

TEST(transition_times_move_only_with_the_status)
{
	static const char tracing[] =
	    "{\"metadata\":{\"generation\":4},\"status\":{\"conditions\":["
	    "{\"type\":\"Enabled\",\"status\":\"True\",\"lastTransitionTime\":\"2025-01-01T00:00:"
	    "00Z\"},"
	    "{\"type\":\"SettingsValid\",\"status\":\"False\",\"lastTransitionTime\":"
	    "\"2025-01-01T00:00:00Z\"}]}}";
	cJSON *live = parse(tracing);
	struct roster roster = {0};
	struct status_input input = {
	    .tracing = live, .now = {.wall_us = INT64_C(1767225600000000)}, .roster = &roster};
	verdict_set(&input.enabled, "True", "Annotated", "other words");
	verdict_set(&input.settings_valid, "True", "Valid", "fine");
	cJSON *status = status_build(&input);
	cJSON *holder = cJSON_CreateObject();
	json_set(holder, "status", status);
	const cJSON *enabled = object_condition(holder, "Enabled");
	const cJSON *valid = object_condition(holder, "SettingsValid");
	CHECK_STR(json_str(enabled, "lastTransitionTime"), "2025-01-01T00:00:00Z");
	CHECK_STR(json_str(enabled, "message"), "other words");
	CHECK_INT(json_int(enabled, "observedGeneration", 0), 4);
	CHECK_STR(json_str(valid, "lastTransitionTime"), "2026-01-01T00:00:00Z");
	CHECK_INT(json_int(status, "observedGeneration", 0), 4);
	cJSON_Delete(holder);
	cJSON_Delete(live);
}

static const struct {
	const char *name;
	enum workload_state state;
	enum reason reason;
	bool rolling;
	bool held;
	const char *ready;
} ready_rows[] = {
    {"all is done", WORKLOAD_INJECTED, REASON_INJECTED, false, false, "True Ready"},
    {"written, pods not yet new", WORKLOAD_PENDING, REASON_ROLLING_OUT, true, false,
     "False RollingOut"},
    {"the user's strategy holds pods back", WORKLOAD_INJECTED, REASON_INJECTED, false, true,
     "True Ready"},
    {"somebody has to approve", WORKLOAD_PENDING, REASON_WAITING_FOR_APPROVAL, false, false,
     "False WaitingForApproval"},
    {"others pull", WORKLOAD_CONFLICTING, REASON_CONFLICTING, false, false, "False SomeFailed"},
};

TEST(ready_means_that_the_pods_are_new)
{
	for (size_t i = 0; i < ARRAY_LEN(ready_rows); i++) {
		struct roster roster = {0};
		struct collector_plan collector = {.mode = "Deployment"};
		cJSON *live = parse("{\"metadata\":{\"generation\":1}}");
		struct status_input input = {
		    .tracing = live, .roster = &roster, .collector = &collector};
		struct roster_row *row = roster_need(&roster, RESOURCE_DEPLOYMENT, "a");
		verdict_set(&input.enabled, "True", "Annotated", "x");
		verdict_set(&input.settings_valid, "True", "Valid", "x");
		verdict_set(&collector.collector, "True", "Available", "x");
		verdict_set(&collector.backend, "True", "Available", "x");
		row->pace = (struct pace){.pods = 1,
					  .inject = true,
					  .rolling = ready_rows[i].rolling,
					  .held = ready_rows[i].held};
		(void)roster_tell(row, ready_rows[i].state, ready_rows[i].reason, "");
		cJSON *holder = cJSON_CreateObject();
		json_set(holder, "status", status_build(&input));
		const cJSON *ready = object_condition(holder, "Ready");
		char got[128];
		(void)snprintf(got, sizeof(got), "%s %s", json_str(ready, "status"),
			       json_str(ready, "reason"));
		CHECK_STR_ROW(got, ready_rows[i].ready, ready_rows[i].name);
		cJSON_Delete(holder);
		cJSON_Delete(live);
		roster_release(&roster);
	}
}
