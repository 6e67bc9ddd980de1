/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan engine without a shell around it, for tests: one JSON request a line on stdin,
 * one JSON answer a line on stdout.
 *
 * Request: {"object": {…}, "tracing": {…}|null, "want": "inject"|"remove",
 *           "around": [objects of the namespace], "explicit": bool, "take_updates": bool,
 *           "hash": "settings hash, else computed"}
 * Answer:  {"object": {…}, "patch": [with tests], "explain": {…}, "changes": bool,
 *           "template_changes", "changes_lists", "outdated", "ledger_newer", "injected": bool,
 *           "hash": "…", "pristine": "…"}
 *      or  {"error": "…", "status": "…"}
 *
 * "explicit": act as if something led to the object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "inject/plan.h"

static void put(const cJSON *answer)
{
	char *text CLEANUP(str_freep) = json_to_string(answer);
	(void)puts(text);
	(void)fflush(stdout);
}

static void fail(enum status status, const struct error *err)
{
	cJSON *answer CLEANUP(json_freep) = cJSON_CreateObject();
	json_set_str(answer, "status", status_info(status)->name);
	json_set_str(answer, "error", err->message);
	put(answer);
}

static void answer(const struct plan *plan, const struct plan_input *input)
{
	struct error err;
	cJSON *edited = NULL;
	enum status status = plan_apply(plan, input->object, &edited, &err);
	if (status != STATUS_OK) {
		fail(status, &err);
		return;
	}
	cJSON *row CLEANUP(json_freep) = cJSON_CreateObject();
	json_set(row, "object", edited);
	json_set(row, "patch", plan_patch(plan, PATCH_GUARD_TESTS));
	json_set(row, "explain", plan_explain(plan, input->object, input->facts));
	json_set_bool(row, "changes", plan->changes);
	json_set_bool(row, "template_changes", plan->template_changes);
	json_set_bool(row, "changes_lists", plan->changes_lists);
	json_set_bool(row, "outdated", plan->outdated);
	json_set_bool(row, "ledger_newer", plan->ledger_newer);
	json_set_bool(row, "injected", plan->injected);
	json_set_str(row, "hash", plan->hash);
	json_set_str(row, "pristine", plan->pristine);
	put(row);
}

static void add_around(struct surroundings *surroundings, const cJSON *request)
{
	const cJSON *list = json_member(request, "around");
	for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item != NULL;
	     item = item->next)
		surroundings_add(surroundings, item);
}

static void run(const cJSON *request, const struct settings *settings)
{
	const cJSON *object = json_member(request, "object");
	const cJSON *tracing = json_member(request, "tracing");
	const char *want = json_str(request, "want");
	const char *given = json_str(request, "hash");
	struct surroundings *surroundings CLEANUP(surroundings_freep) = surroundings_new();
	struct facts facts = {0};
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct error err;
	char hash[17];
	char led_hash[17];
	add_around(surroundings, request);
	surroundings_facts(surroundings, object, &facts);
	if (facts.evidence == EVIDENCE_NONE && json_bool(request, "explicit", false))
		facts.evidence = EVIDENCE_EXPLICIT;
	settings_user_hash(cJSON_IsObject(tracing) ? tracing : NULL, hash);
	settings_led_hash(cJSON_IsObject(tracing) ? tracing : NULL, led_hash);
	struct plan_input input = {
	    .object = object,
	    .settings = settings,
	    .settings_hash = given != NULL ? given : hash,
	    .led_hash = given != NULL ? NULL : led_hash,
	    .facts = &facts,
	    .want = want != NULL && strcmp(want, "remove") == 0 ? PLAN_REMOVE : PLAN_INJECT,
	    .take_updates = json_bool(request, "take_updates", true)};
	enum status status = plan_build(&input, &plan, &err);
	if (status != STATUS_OK)
		fail(status, &err);
	else
		answer(plan, &input);
}

static void serve(const char *line, size_t len)
{
	cJSON *request CLEANUP(json_freep) = NULL;
	struct settings settings CLEANUP(settings_release) = {0};
	struct error err;
	enum status status = json_parse(line, len, &request, &err);
	if (status == STATUS_OK) {
		const cJSON *tracing = json_member(request, "tracing");
		status =
		    settings_read(cJSON_IsObject(tracing) ? tracing : NULL, NULL, &settings, &err);
	}
	if (status != STATUS_OK)
		fail(status, &err);
	else
		run(request, &settings);
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	while ((len = getline(&line, &room, stdin)) > 0)
		serve(line, (size_t)len);
	free(line);
	return 0;
}
