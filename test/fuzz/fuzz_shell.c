/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shell reader and launch edits. Input: the words of command and args, one a line, a line
 * "--args" between the two lists; a NUL byte stands for a newline inside a word. Properties:
 * what is read can be edited and taken back to the same lists; the edited form is read as
 * the same program with our flags present; a script read once is read the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "inject/launch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static cJSON *container_of(const uint8_t *data, size_t size)
{
	cJSON *container = cJSON_CreateObject();
	cJSON *list = json_set_array(container, "command");
	while (size > 0) {
		const uint8_t *nl = memchr(data, '\n', size);
		size_t len = nl == NULL ? size : (size_t)(nl - data);
		char *word CLEANUP(str_freep) = xcalloc(len + 1, 1);
		memcpy(word, data, len);
		for (size_t i = 0; i < len; i++)
			if (word[i] == '\0')
				word[i] = '\n';
		if (strcmp(word, "--args") == 0)
			list = json_set_array(container, "args");
		else if (text_utf8_valid_prefix(word, len) == len)
			cJSON_AddItemToArray(list, cJSON_CreateString(word));
		data += len + (nl != NULL);
		size -= len + (nl != NULL);
	}
	return container;
}

/* Carries the edit out, looks at the result, takes it back. */
static void check_edit(const cJSON *container, struct launch_edit *edit, enum program assume,
		       enum program program, const struct flag_syntax *flag, const char *value)
{
	struct error err;
	const char *name = edit->list == LAUNCH_COMMAND ? "command" : "args";
	cJSON *copy CLEANUP(json_freep) = json_clone(container);
	if (json_member(copy, name) == NULL)
		(void)json_set_array(copy, name);
	cJSON *list = json_member_mut(copy, name);
	cJSON *before CLEANUP(json_freep) = json_clone(list);
	require(launch_edit_apply(edit, list, &err) == STATUS_OK);
	struct launch *launch CLEANUP(launch_freep) = launch_read(copy, assume);
	struct launch_flag found;
	require(launch_program(launch) == program && launch_form(launch) != LAUNCH_OPAQUE);
	launch_find_flag(launch, flag, &found);
	require(found.presence == FLAG_PRESENT);
	require(found.count > 1 || (found.value != NULL && strcmp(found.value, value) == 0));
	launch_flag_release(&found);
	require(launch_edit_revert(edit, list, &err) == STATUS_OK);
	require(json_equal(before, list));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const vllm[] = {"--zz-endpoint=http://[::1]:4317", "--zz-detailed=all"};
	static const char *const go[] = {"--tracing=true"};
	static const struct flag_syntax zz = {.name = "--zz-endpoint", .underscores = true};
	static const struct flag_syntax tracing = {
	    .name = "--tracing", .is_switch = true, .single_dash = true};
	cJSON *container CLEANUP(json_freep) = container_of(data, size);
	enum program assume = size > 0 && data[0] % 2 == 0 ? PROGRAM_VLLM_SERVE : PROGRAM_UNKNOWN;
	struct launch *launch CLEANUP(launch_freep) = launch_read(container, assume);
	enum program program = launch_program(launch);
	bool is_go = program == PROGRAM_EPP || program == PROGRAM_PD_SIDECAR;
	struct launch_edit edit;
	struct launch_flag found;
	struct error err;
	launch_find_flag(launch, is_go ? &tracing : &zz, &found);
	launch_flag_release(&found);
	require((launch_form(launch) == LAUNCH_OPAQUE) == (launch_why_opaque(launch)[0] != '\0'));
	if (launch_add_flags(launch, is_go ? go : vllm, is_go ? 1 : 2, &edit, &err) == STATUS_OK) {
		check_edit(container, &edit, assume, program, is_go ? &tracing : &zz,
			   is_go ? "true" : "http://[::1]:4317");
		launch_edit_release(&edit);
	}
	if (launch_replace_flag(launch, &tracing, go[0], &edit, &err) == STATUS_OK) {
		check_edit(container, &edit, assume, program, &tracing, "true");
		launch_edit_release(&edit);
	}
	return 0;
}
