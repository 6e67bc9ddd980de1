/* SPDX-License-Identifier: Apache-2.0 */
/* Carrying an edit out on a container's list, and taking it back. */
#include "inject/launch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/util.h"

void launch_edit_release(struct launch_edit *edit)
{
	for (size_t i = 0; i < edit->token_count; i++)
		free(edit->tokens[i]);
	for (size_t i = 0; i < edit->old_token_count; i++)
		free(edit->old_tokens[i]);
	free(edit->tokens);
	free(edit->old_tokens);
	edit->tokens = edit->old_tokens = NULL;
	edit->token_count = edit->old_token_count = 0;
}

static void nodes_freep(cJSON ***nodes)
{
	free(*nodes);
	*nodes = NULL;
}

static size_t list_size(const cJSON *list)
{
	return (size_t)cJSON_GetArraySize(list);
}

static bool element_is(const cJSON *element, const char *text)
{
	return element != NULL && cJSON_IsString(element) &&
	       strcmp(element->valuestring, text) == 0;
}

/* The elements from this one on are exactly these texts. */
static bool is_run(const cJSON *element, char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++, element = element->next)
		if (!element_is(element, texts[i]))
			return false;
	return true;
}

static void put_run(cJSON *list, size_t at, char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_insert(list, at + i, cJSON_CreateString(texts[i]));
}

static void take_run(cJSON *list, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cJSON_DeleteItemFromArray(list, (int)at);
}

/* Replaces `old_len` bytes at `offset` of a string node. */
static void put_text(cJSON *element, size_t offset, size_t old_len, const char *text)
{
	const char *old = element->valuestring;
	char *joined CLEANUP(str_freep) =
	    xasprintf("%.*s%s%s", (int)offset, old, text, old + offset + old_len);
	cJSON *fresh = cJSON_CreateString(joined);
	char *taken = element->valuestring;
	element->valuestring = fresh->valuestring;
	fresh->valuestring = taken;
	cJSON_Delete(fresh);
}

static bool text_at(const char *text, size_t offset, const char *part)
{
	return offset <= strlen(text) && strncmp(text + offset, part, strlen(part)) == 0;
}

static const char *old_text(const struct launch_edit *edit)
{
	return edit->old_token_count > 0 ? edit->old_tokens[0] : "";
}

static enum status apply_splice(const struct launch_edit *edit, const cJSON *list,
				struct error *err)
{
	cJSON *element = cJSON_GetArrayItem(list, (int)edit->index);
	if (element == NULL || !cJSON_IsString(element) ||
	    !text_at(element->valuestring, edit->offset, old_text(edit)))
		return error_set(err, STATUS_NOT_FOUND,
				 "the script is not the one that was planned on");
	put_text(element, edit->offset, strlen(old_text(edit)), edit->tokens[0]);
	return STATUS_OK;
}

enum status launch_edit_apply(const struct launch_edit *edit, cJSON *list, struct error *err)
{
	if (!cJSON_IsArray(list) || edit->token_count == 0)
		return error_set(err, STATUS_INVALID, "there is no list to edit");
	switch (edit->op) {
	case LAUNCH_INSERT:
		if (edit->index > list_size(list))
			return error_set(err, STATUS_NOT_FOUND,
					 "the list has fewer elements than planned");
		put_run(list, edit->index, edit->tokens, edit->token_count);
		return STATUS_OK;
	case LAUNCH_REPLACE:
		if (edit->old_token_count == 0 ||
		    !is_run(cJSON_GetArrayItem(list, (int)edit->index), edit->old_tokens,
			    edit->old_token_count))
			return error_set(err, STATUS_NOT_FOUND,
					 "the words to replace are not there");
		take_run(list, edit->index, edit->old_token_count);
		put_run(list, edit->index, edit->tokens, edit->token_count);
		return STATUS_OK;
	case LAUNCH_SPLICE:
		return apply_splice(edit, list, err);
	}
	return error_set(err, STATUS_BUG, "an unknown kind of edit");
}

/* Where our run stands: at its old place, else the nearest; false when nowhere. */
static bool find_run(const struct launch_edit *edit, const cJSON *list, size_t *ret_at)
{
	size_t at = 0;
	size_t best_distance = SIZE_MAX;
	for (const cJSON *element = list->child; element != NULL; element = element->next, at++) {
		size_t distance = at > edit->index ? at - edit->index : edit->index - at;
		if (distance < best_distance && is_run(element, edit->tokens, edit->token_count)) {
			best_distance = distance;
			*ret_at = at;
		}
	}
	return best_distance != SIZE_MAX;
}

/* Our elements with others put between them: each exactly once, or nothing is done. */
static enum status take_scattered(const struct launch_edit *edit, cJSON *list, struct error *err)
{
	cJSON **found CLEANUP(nodes_freep) = xcalloc(edit->token_count, sizeof(cJSON *));
	for (size_t i = 0; i < edit->token_count; i++) {
		size_t seen = 0;
		for (cJSON *element = list->child; element != NULL; element = element->next) {
			if (!element_is(element, edit->tokens[i]))
				continue;
			found[i] = element;
			seen++;
		}
		for (size_t k = 0; k < i; k++)
			seen +=
			    found[k] == found[i]; /* the same token twice: one of them is gone */
		if (seen != 1)
			return error_set(err, STATUS_NOT_FOUND,
					 "%s is no longer there as it was added", edit->tokens[i]);
	}
	for (size_t i = 0; i < edit->token_count; i++)
		cJSON_Delete(cJSON_DetachItemViaPointer(list, found[i]));
	return STATUS_OK;
}

/* What may follow our text in a script, so that it is still a word of its own. */
static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\n;&|<>()\\", c) != NULL;
}

/* Occurrences of our text in a script; the offset of the last one. */
static size_t occurrences(const char *script, const char *text, size_t *ret_offset)
{
	size_t count = 0;
	for (const char *at = strstr(script, text); at != NULL; at = strstr(at + 1, text)) {
		if (!ends_word(at[strlen(text)]))
			continue;
		*ret_offset = (size_t)(at - script);
		count++;
	}
	return count;
}

static enum status revert_splice(const struct launch_edit *edit, cJSON *list, struct error *err)
{
	const char *text = edit->tokens[0];
	size_t total = 0;
	size_t offset = 0;
	cJSON *element = cJSON_GetArrayItem(list, (int)edit->index);
	if (element != NULL && cJSON_IsString(element) &&
	    text_at(element->valuestring, edit->offset, text) &&
	    ends_word(element->valuestring[edit->offset + strlen(text)])) {
		put_text(element, edit->offset, strlen(text), old_text(edit));
		return STATUS_OK;
	}
	element = NULL;
	for (cJSON *each = list->child; each != NULL; each = each->next) {
		size_t count =
		    cJSON_IsString(each) ? occurrences(each->valuestring, text, &offset) : 0;
		total += count;
		if (count > 0)
			element = each;
	}
	if (total != 1)
		return error_set(err, STATUS_NOT_FOUND,
				 total == 0 ? "the script no longer holds \"%s\""
					    : "the script holds \"%s\" more than once",
				 text);
	(void)occurrences(element->valuestring, text, &offset);
	put_text(element, offset, strlen(text), old_text(edit));
	return STATUS_OK;
}

enum status launch_edit_revert(const struct launch_edit *edit, cJSON *list, struct error *err)
{
	if (!cJSON_IsArray(list) || edit->token_count == 0)
		return error_set(err, STATUS_NOT_FOUND, "there is no list any more");
	if (edit->op == LAUNCH_SPLICE)
		return revert_splice(edit, list, err);
	size_t at = 0;
	if (find_run(edit, list, &at)) {
		take_run(list, at, edit->token_count);
		if (edit->op == LAUNCH_REPLACE)
			put_run(list, at, edit->old_tokens, edit->old_token_count);
		return STATUS_OK;
	}
	if (edit->op == LAUNCH_REPLACE)
		return error_set(err, STATUS_NOT_FOUND, "%s is no longer there", edit->tokens[0]);
	return take_scattered(edit, list, err);
}
