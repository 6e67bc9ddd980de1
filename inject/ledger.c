/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "inject/settings.h"

static const char *const ops[] = {
    [LAUNCH_INSERT] = "insert",
    [LAUNCH_REPLACE] = "replace",
    [LAUNCH_SPLICE] = "splice",
};
static const char *const lists[] = {[LAUNCH_COMMAND] = "command", [LAUNCH_ARGS] = "args"};
static const char *const states[] = {
    [LIST_ABSENT] = "absent", [LIST_NULL] = "null", [LIST_ARRAY] = "list"};

static int row_of(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(names[i], text))
			return (int)i;
	return -1;
}

static bool read_state(const cJSON *node, enum list_state *ret_state)
{
	int row = node == NULL ? (int)LIST_ARRAY
			       : row_of(states, ARRAY_LEN(states),
					cJSON_IsString(node) ? node->valuestring : NULL);
	*ret_state = row < 0 ? LIST_ARRAY : (enum list_state)row;
	return row >= 0;
}

static bool is_index(const cJSON *node)
{
	return cJSON_IsNumber(node) && node->valuedouble >= 0 && node->valuedouble <= 1e9;
}

static bool are_strings(const cJSON *list, bool may_be_absent)
{
	if (list == NULL)
		return may_be_absent;
	if (!cJSON_IsArray(list) || list->child == NULL)
		return false;
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		if (!cJSON_IsString(item))
			return false;
	return true;
}

/* Far above what we write; a ledger is only an annotation, and anybody can write one. */
enum { ENTRY_EDITS_MAX = 8, ENTRY_WORDS_MAX = 16, ENTRY_ENV_MAX = 32 };

static bool is_short(const cJSON *list, int most)
{
	return list == NULL || cJSON_GetArraySize(list) <= most;
}

static bool check_edit(const cJSON *edit)
{
	int op = row_of(ops, ARRAY_LEN(ops), json_str(edit, "op"));
	const cJSON *offset = json_member(edit, "offset");
	return op >= 0 && row_of(lists, ARRAY_LEN(lists), json_str(edit, "list")) >= 0 &&
	       is_index(json_member(edit, "at")) && are_strings(json_member(edit, "put"), false) &&
	       are_strings(json_member(edit, "took"), op != LAUNCH_REPLACE) &&
	       is_short(json_member(edit, "put"), ENTRY_WORDS_MAX) &&
	       is_short(json_member(edit, "took"), ENTRY_WORDS_MAX) &&
	       (op == LAUNCH_SPLICE ? is_index(offset) : offset == NULL);
}

static bool check_env(const cJSON *env)
{
	if (env == NULL)
		return true;
	if (!cJSON_IsObject(env))
		return false;
	for (const cJSON *item = env->child; item != NULL; item = item->next)
		if (!cJSON_IsString(item) && json_str(item, "fieldRef") == NULL)
			return false;
	return true;
}

static bool check_was(const cJSON *was)
{
	enum list_state state;
	if (was == NULL)
		return true;
	if (!cJSON_IsObject(was))
		return false;
	for (const cJSON *item = was->child; item != NULL; item = item->next)
		if (!read_state(item, &state))
			return false;
	return true;
}

static bool check_entry(const cJSON *entry)
{
	const cJSON *edits = json_member(entry, "edits");
	enum list_state state;
	if (!cJSON_IsObject(entry) || (edits != NULL && !cJSON_IsArray(edits)) ||
	    !is_short(edits, ENTRY_EDITS_MAX) ||
	    !is_short(json_member(entry, "env"), ENTRY_ENV_MAX))
		return false;
	for (const cJSON *edit = edits == NULL ? NULL : edits->child; edit != NULL;
	     edit = edit->next)
		if (!check_edit(edit))
			return false;
	return check_env(json_member(entry, "env")) && check_was(json_member(entry, "was")) &&
	       read_state(json_member(entry, "made"), &state);
}

static enum ledger_state bad(struct ledger *ledger, struct error *err, const char *why)
{
	json_freep(&ledger->tree);
	(void)error_set(err, STATUS_INVALID, "/metadata/annotations/%s: %s", ANNOTATION_LEDGER,
			why);
	return LEDGER_BAD;
}

static enum ledger_state check_tree(struct ledger *ledger, struct error *err)
{
	long version = json_int(ledger->tree, "v", 0);
	if (version > LEDGER_VERSION)
		return LEDGER_NEWER;
	const cJSON *containers = json_member(ledger->tree, "containers");
	if (version != LEDGER_VERSION || !cJSON_IsObject(containers))
		return bad(ledger, err, "not a ledger");
	for (const cJSON *entry = containers->child; entry != NULL; entry = entry->next)
		if (!check_entry(entry))
			return bad(ledger, err, "an entry is malformed");
	if (!read_state(json_member(ledger->tree, "annotations"), &ledger->annotations))
		return bad(ledger, err, "malformed");
	ledger->rules = json_int(ledger->tree, "rules", 0);
	ledger->settings = json_str(ledger->tree, "settings");
	ledger->inputs = json_str(ledger->tree, "inputs");
	if (ledger->rules < 1 || ledger->settings == NULL || ledger->inputs == NULL)
		return bad(ledger, err, "malformed");
	return LEDGER_OK;
}

enum ledger_state ledger_read(const cJSON *object, struct ledger *ret_ledger, struct error *err)
{
	*ret_ledger = (struct ledger){.settings = "", .inputs = "", .annotations = LIST_ARRAY};
	const cJSON *annotations = json_get(object, "metadata.annotations");
	const cJSON *node = json_member(annotations, ANNOTATION_LEDGER);
	if (node == NULL)
		return LEDGER_NONE;
	if (!cJSON_IsString(node))
		return bad(ret_ledger, err, "must be a string");
	size_t len = strlen(node->valuestring);
	ret_ledger->text = node->valuestring;
	if (len > LIMIT_LEDGER_BYTES)
		return bad(ret_ledger, err, "too large");
	struct error cause;
	if (json_parse(node->valuestring, len, &ret_ledger->tree, &cause) != STATUS_OK)
		return bad(ret_ledger, err, cause.message);
	enum ledger_state state = check_tree(ret_ledger, err);
	if (state != LEDGER_OK)
		json_freep(&ret_ledger->tree);
	return state;
}

void ledger_release(struct ledger *ledger)
{
	json_freep(&ledger->tree);
	*ledger = (struct ledger){0};
}

const cJSON *ledger_entry(const struct ledger *ledger, const char *key)
{
	return json_member(json_member(ledger->tree, "containers"), key);
}

bool ledger_owns_env(const cJSON *entry, const cJSON *item)
{
	const char *name = json_str(item, "name");
	const cJSON *ours = name == NULL ? NULL : json_member(json_member(entry, "env"), name);
	if (ours == NULL)
		return false;
	for (const cJSON *member = item->child; member != NULL; member = member->next)
		if (!text_equal(member->string, "name") && !text_equal(member->string, "value") &&
		    !text_equal(member->string, "valueFrom"))
			return false;
	const cJSON *from = json_member(item, "valueFrom");
	const cJSON *value = json_member(item, "value");
	if (cJSON_IsString(ours))
		return from == NULL && cJSON_IsString(value) &&
		       strcmp(value->valuestring, ours->valuestring) == 0;
	/* The API server fills in apiVersion: v1. */
	const cJSON *field = json_member(from, "fieldRef");
	const char *version = json_str(field, "apiVersion");
	return value == NULL && cJSON_IsObject(from) && field != NULL &&
	       from->child->next == NULL && (version == NULL || strcmp(version, "v1") == 0) &&
	       text_equal(json_str(field, "fieldPath"), json_str(ours, "fieldRef"));
}

size_t ledger_env_count(const cJSON *entry)
{
	const cJSON *env = json_member(entry, "env");
	return env == NULL ? 0 : (size_t)cJSON_GetArraySize(env);
}

static const cJSON *first_edit(const cJSON *entry)
{
	const cJSON *edits = json_member(entry, "edits");
	return edits == NULL ? NULL : edits->child;
}

bool ledger_has_edits(const cJSON *entry, enum launch_list list)
{
	for (const cJSON *row = first_edit(entry); row != NULL; row = row->next)
		if (text_equal(json_str(row, "list"), lists[list]))
			return true;
	return false;
}

/* The texts stay in the tree: only the array of pointers is ours. */
static char **borrow_strings(const cJSON *list, size_t *ret_count)
{
	size_t count = list == NULL ? 0 : (size_t)cJSON_GetArraySize(list);
	char **texts = calloc(count == 0 ? 1 : count, sizeof(*texts));
	if (texts == NULL)
		abort();
	size_t i = 0;
	for (const cJSON *item = list == NULL ? NULL : list->child; item != NULL; item = item->next)
		texts[i++] = item->valuestring;
	*ret_count = count;
	return texts;
}

static void read_edit(const cJSON *row, struct launch_edit *ret_edit)
{
	*ret_edit = (struct launch_edit){
	    .op = (enum launch_edit_op)row_of(ops, ARRAY_LEN(ops), json_str(row, "op")),
	    .list = (enum launch_list)row_of(lists, ARRAY_LEN(lists), json_str(row, "list")),
	    .index = (size_t)json_int(row, "at", 0),
	    .offset = (size_t)json_int(row, "offset", 0),
	};
	ret_edit->tokens = borrow_strings(json_member(row, "put"), &ret_edit->token_count);
	ret_edit->old_tokens = borrow_strings(json_member(row, "took"), &ret_edit->old_token_count);
}

/* When the run is broken, what is left of ours still goes, word by word: a pair is never split. */
static void revert_singly(const struct launch_edit *edit, cJSON *node)
{
	for (size_t i = 0; i < edit->token_count; i++) {
		struct launch_edit one = *edit;
		struct error ignored;
		one.tokens = &edit->tokens[i];
		one.token_count = 1;
		one.index = edit->index + i;
		if (launch_edit_revert(&one, node, &ignored) != STATUS_OK)
			continue;
	}
}

static bool run_is_at(const cJSON *item, char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++, item = item->next)
		if (!cJSON_IsString(item) || !text_equal(item->valuestring, texts[i]))
			return false;
	return count > 0;
}

/*
 * The replaced flag was the last of its name. Where it stands again behind what we wrote,
 * somebody has put the words back, and what looks like ours is one that was there before.
 */
static bool is_put_back(const struct launch_edit *edit, const cJSON *list)
{
	bool behind = false;
	for (const cJSON *item = list->child; item != NULL; item = item->next) {
		if (run_is_at(item, edit->old_tokens, edit->old_token_count))
			behind = true;
		else if (run_is_at(item, edit->tokens, edit->token_count))
			behind = false;
	}
	return edit->op == LAUNCH_REPLACE && behind;
}

bool ledger_revert(const cJSON *entry, enum launch_list list, cJSON *node)
{
	bool intact = true;
	for (const cJSON *row = first_edit(entry); row != NULL; row = row->next) {
		struct launch_edit edit;
		struct error ignored;
		if (!text_equal(json_str(row, "list"), lists[list]))
			continue;
		read_edit(row, &edit);
		if (is_put_back(&edit, node)) {
			intact = false;
		} else if (launch_edit_revert(&edit, node, &ignored) != STATUS_OK) {
			intact = false;
			if (edit.op == LAUNCH_INSERT)
				revert_singly(&edit, node);
		}
		free(edit.tokens);
		free(edit.old_tokens);
	}
	return intact;
}

enum list_state ledger_was(const cJSON *entry, const char *member)
{
	enum list_state state;
	(void)read_state(json_member(json_member(entry, "was"), member), &state);
	return state;
}

bool ledger_made(const cJSON *entry, enum list_state *ret_list)
{
	const cJSON *made = json_member(entry, "made");
	(void)read_state(made, ret_list);
	return made != NULL;
}
