/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which InferencePool an endpoint picker serves, by its own flags: --pool-name POOL or
 * --pool-name=POOL, and --pool-namespace. Flags stand as words of their own or inside a
 * script, so each word is looked through as plain text (LLMD §3.4.5).
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/surroundings_index.h"

static const char spaces[] = " \t\r\n\\";
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

/* Behind `flag` at `text` and a '=' or space: the name, quotes taken off; NULL when `text` is no such flag. */
static const char *flag_value(const char *text, const char *flag, const cJSON *next_word)
{
	text += text_has_prefix(text, "--") ? 1 : 0;
	if (!text_has_prefix(text, flag))
		return NULL;
	text += strlen(flag);
	if (*text == '\0')
		return cJSON_IsString(next_word) ? next_word->valuestring : NULL;
	if (*text != '=' && strchr(spaces, *text) == NULL)
		return NULL;
	text += *text == '=' ? 1 : strspn(text, spaces);
	return text + strspn(text, "\"'");
}

/* The value of a flag in a list of words; each word may be a script. Calls `found` for each. */
static void find_flag(const cJSON *words, const char *flag, void (*found)(void *, const char *),
		      void *context)
{
	for (const cJSON *word = cJSON_IsArray(words) ? words->child : NULL; word != NULL;
	     word = word->next) {
		const char *text = cJSON_IsString(word) ? word->valuestring : NULL;
		const char *at = text == NULL ? NULL : strstr(text, flag);
		for (; at != NULL; at = strstr(at + 1, flag)) {
			const char *start = at > text && at[-1] == '-' ? at - 1 : at;
			bool begins = start == text || strchr(" \t\r\n\"'", start[-1]) != NULL;
			const char *value = begins ? flag_value(start, flag, word->next) : NULL;
			if (value != NULL)
				found(context, value);
		}
	}
}

static void add_name(void *context, const char *value)
{
	struct pool_names *names = context;
	size_t len = strspn(value, name_characters);
	if (len == 0 || len >= POOL_NAME_MAX || names->count == POOL_NAMES_MAX)
		return;
	(void)snprintf(names->items[names->count++], POOL_NAME_MAX, "%.*s", (int)len, value);
}

struct other_namespace {
	const char *own; /* or NULL: not known */
	bool other;
};

/* A value that only the kubelet or a shell can tell is taken for the object's own. */
static void check_namespace(void *context, const char *value)
{
	struct other_namespace *check = context;
	size_t len = strspn(value, name_characters);
	if (len == 0 || check->own == NULL)
		return;
	check->other = strlen(check->own) != len || strncmp(check->own, value, len) != 0;
}

void pool_names_read(const cJSON *object, struct pool_names *ret_names)
{
	static const char *const lists[] = {"command", "args"};
	const cJSON *containers = json_get(object, "spec.template.spec.containers");
	ret_names->count = 0;
	for (const cJSON *c = cJSON_IsArray(containers) ? containers->child : NULL; c != NULL;
	     c = c->next) {
		struct other_namespace check = {json_str(object, "metadata.namespace"), false};
		for (size_t i = 0; i < ARRAY_LEN(lists); i++)
			find_flag(json_member(c, lists[i]), "-pool-namespace", check_namespace,
				  &check);
		for (size_t i = 0; i < ARRAY_LEN(lists) && !check.other; i++)
			find_flag(json_member(c, lists[i]), "-pool-name", add_name, ret_names);
	}
}
