/* SPDX-License-Identifier: Apache-2.0 */
/* Making a ledger. The member names are literals of ledger.c's reader. */
#include "inject/ledger.h"

#include <stdlib.h>

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

static void put(cJSON *object, const char *key, cJSON *value)
{
	(void)cJSON_AddItemToObjectCS(object, key, made(value));
}

static const char *const states[] = {
    [LIST_ABSENT] = "absent", [LIST_NULL] = "null", [LIST_ARRAY] = "list"};

cJSON *ledger_new(long rules, const char *settings, const char *inputs, enum list_state annotations)
{
	cJSON *ledger = made(cJSON_CreateObject());
	put(ledger, "v", json_new_int(LEDGER_VERSION));
	put(ledger, "rules", json_new_int(rules));
	put(ledger, "settings", cJSON_CreateString(settings));
	put(ledger, "inputs", cJSON_CreateString(inputs));
	if (annotations != LIST_ARRAY)
		put(ledger, "annotations", cJSON_CreateString(states[annotations]));
	put(ledger, "containers", cJSON_CreateObject());
	return ledger;
}

cJSON *ledger_add(cJSON *ledger, const char *key)
{
	return json_set_object(json_member_mut(ledger, "containers"), key);
}

static cJSON *strings(char *const *texts, size_t count)
{
	cJSON *array = made(cJSON_CreateArray());
	for (size_t i = 0; i < count; i++)
		(void)cJSON_AddItemToArray(array, made(cJSON_CreateString(texts[i])));
	return array;
}

void ledger_add_edit(cJSON *entry, const struct launch_edit *edit)
{
	static const char *const ops[] = {
	    [LAUNCH_INSERT] = "insert", [LAUNCH_REPLACE] = "replace", [LAUNCH_SPLICE] = "splice"};
	cJSON *edits = json_member_mut(entry, "edits");
	if (edits == NULL)
		edits = json_set_array(entry, "edits");
	cJSON *row = made(cJSON_CreateObject());
	put(row, "op", cJSON_CreateString(ops[edit->op]));
	put(row, "list", cJSON_CreateString(edit->list == LAUNCH_ARGS ? "args" : "command"));
	put(row, "at", json_new_int((long)edit->index));
	if (edit->op == LAUNCH_SPLICE)
		put(row, "offset", json_new_int((long)edit->offset));
	put(row, "put", strings(edit->tokens, edit->token_count));
	if (edit->old_token_count > 0)
		put(row, "took", strings(edit->old_tokens, edit->old_token_count));
	(void)cJSON_AddItemToArray(edits, row);
}

void ledger_add_env(cJSON *entry, const cJSON *item)
{
	cJSON *env = json_member_mut(entry, "env");
	if (env == NULL)
		env = json_set_object(entry, "env");
	const char *name = json_str(item, "name");
	const char *field = json_str(item, "valueFrom.fieldRef.fieldPath");
	if (field == NULL)
		json_set_str(env, name, json_str(item, "value"));
	else
		json_set_str(json_set_object(env, name), "fieldRef", field);
}

void ledger_add_was(cJSON *entry, const char *member, enum list_state state)
{
	if (state == LIST_ARRAY)
		return;
	cJSON *was = json_member_mut(entry, "was");
	if (was == NULL)
		was = json_set_object(entry, "was");
	json_set_str(was, member, states[state]);
}

void ledger_add_made(cJSON *entry, enum list_state list)
{
	json_set_str(entry, "made", states[list]);
}
