/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/outcomes.h"

#include <stdio.h>

#include "cmd/emit.h"

static const struct {
	const char *word; /* JSON */
	const char *done; /* text */
	const char *would;
} infos[OUTCOME_COUNT] = {
    [OUTCOME_TAKEN_BACK] = {"takenBack", "taken back", "would be taken back"},
    [OUTCOME_DELETED] = {"deleted", "deleted", "would be deleted"},
    [OUTCOME_CLEARED] = {"statusCleared", "status cleared", "status would be cleared"},
    [OUTCOME_LEFT] = {"left", "left", "would be left"},
};

void outcomes_init(struct outcomes *outcomes, bool json, bool dry_run)
{
	*outcomes = (struct outcomes){.json = json,
				      .dry_run = dry_run,
				      .rows = cJSON_CreateArray(),
				      .notes = cJSON_CreateArray()};
}

void outcomes_release(struct outcomes *outcomes)
{
	json_freep(&outcomes->rows);
	json_freep(&outcomes->notes);
}

static void print_line(const struct outcomes *outcomes, enum outcome outcome, const char *kind,
		       const char *namespace_name, const char *name, const char *reason,
		       const char *message)
{
	(void)printf("%s/%s/%s: %s", kind, namespace_name, name,
		     outcomes->dry_run ? infos[outcome].would : infos[outcome].done);
	if (reason != NULL)
		(void)printf(": %s", reason);
	if (message != NULL && *message != '\0')
		(void)printf(": %s", message);
	(void)printf("\n");
	(void)fflush(stdout);
}

void outcomes_add(struct outcomes *outcomes, enum outcome outcome, const char *kind,
		  const char *namespace_name, const char *name, const char *reason,
		  const char *message)
{
	outcomes->counts[outcome]++;
	if (!outcomes->json) {
		print_line(outcomes, outcome, kind, namespace_name, name, reason, message);
		return;
	}
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "kind", kind);
	json_set_str(row, "namespace", namespace_name);
	json_set_str(row, "name", name);
	json_set_str(row, "result", infos[outcome].word);
	json_set_str(row, "reason", reason == NULL ? "" : reason);
	json_set_str(row, "message", message == NULL ? "" : message);
	(void)cJSON_AddItemToArray(outcomes->rows, row);
}

void outcomes_note(struct outcomes *outcomes, const char *namespace_name, const char *text)
{
	if (!outcomes->json) {
		(void)fprintf(stderr, "llmd-tracing: namespace %s: %s\n", namespace_name, text);
		return;
	}
	cJSON *note = cJSON_CreateObject();
	json_set_str(note, "namespace", namespace_name);
	json_set_str(note, "message", text);
	(void)cJSON_AddItemToArray(outcomes->notes, note);
}

enum status outcomes_end(const struct outcomes *outcomes, struct error *err)
{
	struct buffer out CLEANUP(buffer_release) = {0};
	buffer_init(&out, LIMIT_OUTPUT_BYTES);
	if (outcomes->json) {
		cJSON *tree CLEANUP(json_freep) = cJSON_CreateObject();
		json_set_bool(tree, "dryRun", outcomes->dry_run);
		json_set(tree, "objects", json_clone(outcomes->rows));
		json_set(tree, "notes", json_clone(outcomes->notes));
		json_print_pretty(tree, &out);
	} else {
		for (size_t i = 0; i < OUTCOME_COUNT; i++)
			buffer_addf(&out, "%s%zu %s", i == 0 ? "" : ", ", outcomes->counts[i],
				    outcomes->dry_run ? infos[i].would : infos[i].done);
	}
	buffer_add_char(&out, '\n');
	return emit_flush(&out, err);
}
