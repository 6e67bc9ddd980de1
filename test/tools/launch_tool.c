/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject/launch.h for the Python tests: one JSON request a line in, one JSON answer a line
 * out. Request: {"container": {…}, "assume": N, "flags": ["--a=b"], "find": [FLAG],
 * "replace": {"flag": FLAG, "token": "--a=b"}} with FLAG = {"name", "underscores",
 * "prefixes", "shortest", "is_switch", "single_dash"}; all but the container are optional.
 * Answer: program, form, why, model, config, "find": […], and for an edit "add" or
 * "replace": {status, message, edit, container, reverted}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "inject/launch.h"

static const char *const program_names[PROGRAM_COUNT] = {
    [PROGRAM_UNKNOWN] = "unknown",
    [PROGRAM_VLLM_SERVE] = "vllm-serve",
    [PROGRAM_VLLM_MODULE] = "vllm-module",
    [PROGRAM_VLLM_OTHER] = "vllm-other",
    [PROGRAM_SGLANG] = "sglang",
    [PROGRAM_EPP] = "epp",
    [PROGRAM_PD_SIDECAR] = "pd-sidecar",
    [PROGRAM_SIMULATOR] = "simulator",
    [PROGRAM_OTHER] = "other",
};
static const char *const form_names[] = {"image-default", "args-only", "exec", "script", "opaque"};
static const char *const op_names[] = {"insert", "replace", "splice"};
static const char *const list_names[] = {"command", "args"};

static void set_text(cJSON *object, const char *key, const char *text)
{
	if (text == NULL)
		json_set(object, key, cJSON_CreateNull());
	else
		json_set_str(object, key, text);
}

static cJSON *texts(char *const *items, size_t count)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(items[i]));
	return list;
}

/* The edit is carried out on a copy and taken back again. */
static void answer_edit(cJSON *answer, const cJSON *container, struct launch_edit *edit)
{
	struct error err;
	cJSON *copy = json_clone(container);
	const char *list_name = list_names[edit->list];
	const cJSON *before = json_member(container, list_name);
	if (!cJSON_IsArray(before))
		(void)json_set_array(copy, list_name);
	cJSON *list = json_member_mut(copy, list_name);
	enum status status = launch_edit_apply(edit, list, &err);
	cJSON *described = json_set_object(answer, "edit");
	json_set_str(described, "op", op_names[edit->op]);
	json_set_str(described, "list", list_name);
	json_set_int(described, "index", (long)edit->index);
	json_set_int(described, "offset", (long)edit->offset);
	json_set(described, "tokens", texts(edit->tokens, edit->token_count));
	json_set(described, "old_tokens", texts(edit->old_tokens, edit->old_token_count));
	json_set_str(answer, "applied", status == STATUS_OK ? "ok" : err.message);
	json_set(answer, "container", json_clone(copy));
	bool reverted = status == STATUS_OK && launch_edit_revert(edit, list, &err) == STATUS_OK &&
			(cJSON_IsArray(before) ? json_equal(list, before) : list->child == NULL);
	json_set_bool(answer, "reverted", reverted);
	cJSON_Delete(copy);
	launch_edit_release(edit);
}

static void answer_outcome(cJSON *answer, enum status status, const struct error *err)
{
	json_set_str(answer, "status", status_info(status)->name);
	set_text(answer, "message", status == STATUS_OK ? NULL : err->message);
}

static struct flag_syntax read_flag(const cJSON *flag)
{
	return (struct flag_syntax){
	    .name = json_str(flag, "name"),
	    .underscores = json_bool(flag, "underscores", false),
	    .prefixes = json_bool(flag, "prefixes", false),
	    .shortest = json_str(flag, "shortest"),
	    .is_switch = json_bool(flag, "is_switch", false),
	    .single_dash = json_bool(flag, "single_dash", false),
	};
}

static void answer_find(cJSON *list, const struct launch *launch, const cJSON *request)
{
	static const char *const presence[] = {"absent", "present", "unsure"};
	struct flag_syntax flag = read_flag(request);
	struct launch_flag found;
	launch_find_flag(launch, &flag, &found);
	cJSON *answer = cJSON_CreateObject();
	json_set_str(answer, "presence", presence[found.presence]);
	set_text(answer, "value", found.value);
	json_set_int(answer, "count", (long)found.count);
	json_set_int(answer, "tokens", (long)found.tokens);
	json_set_str(answer, "list", list_names[found.list]);
	json_set_int(answer, "index", (long)found.index);
	json_set_bool(answer, "stops_parser", found.stops_parser);
	json_set_bool(answer, "ours_would_win", found.ours_would_win);
	set_text(answer, "hidden_in", found.hidden_in);
	cJSON_AddItemToArray(list, answer);
	launch_flag_release(&found);
}

static void answer_add(cJSON *answer, const struct launch *launch, const cJSON *container,
		       const cJSON *flags)
{
	const char *texts_of[16];
	size_t count = 0;
	struct error err;
	struct launch_edit edit;
	for (const cJSON *flag = flags->child; flag != NULL && count < 16; flag = flag->next)
		texts_of[count++] = flag->valuestring;
	enum status status = launch_add_flags(launch, texts_of, count, &edit, &err);
	cJSON *add = json_set_object(answer, "add");
	answer_outcome(add, status, &err);
	if (status == STATUS_OK)
		answer_edit(add, container, &edit);
}

static void answer_replace(cJSON *answer, const struct launch *launch, const cJSON *container,
			   const cJSON *request)
{
	struct error err;
	struct launch_edit edit;
	struct flag_syntax flag = read_flag(json_member(request, "flag"));
	enum status status =
	    launch_replace_flag(launch, &flag, json_str(request, "token"), &edit, &err);
	cJSON *replace = json_set_object(answer, "replace");
	answer_outcome(replace, status, &err);
	if (status == STATUS_OK)
		answer_edit(replace, container, &edit);
}

static cJSON *answer_request(const cJSON *request)
{
	const cJSON *container = json_member(request, "container");
	struct launch *launch CLEANUP(launch_freep) =
	    launch_read(container, (enum program)json_int(request, "assume", PROGRAM_UNKNOWN));
	cJSON *answer = cJSON_CreateObject();
	json_set_str(answer, "program", program_names[launch_program(launch)]);
	json_set_str(answer, "form", form_names[launch_form(launch)]);
	json_set_str(answer, "why", launch_why_opaque(launch));
	set_text(answer, "model", launch_model(launch));
	set_text(answer, "config", launch_config_file(launch));
	cJSON *find = json_set_array(answer, "find");
	const cJSON *wanted = json_member(request, "find");
	for (const cJSON *flag = wanted == NULL ? NULL : wanted->child; flag != NULL;
	     flag = flag->next)
		answer_find(find, launch, flag);
	if (json_member(request, "flags") != NULL)
		answer_add(answer, launch, container, json_member(request, "flags"));
	if (json_member(request, "replace") != NULL)
		answer_replace(answer, launch, container, json_member(request, "replace"));
	return answer;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		struct error err;
		cJSON *request CLEANUP(json_freep) = NULL;
		if (json_parse(line, (size_t)len, &request, &err) != STATUS_OK) {
			fprintf(stderr, "%s\n", err.message);
			free(line);
			return 1;
		}
		cJSON *answer CLEANUP(json_freep) = answer_request(request);
		char *text CLEANUP(str_freep) = json_to_string(answer);
		puts(text);
		fflush(stdout);
	}
	free(line);
	return 0;
}
