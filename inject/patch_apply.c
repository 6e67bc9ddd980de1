/* SPDX-License-Identifier: Apache-2.0 */
/* Applying a JSON Patch (RFC 6902 §4): add, remove, replace, test. */
#include "inject/patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Where an operation works: the container node and the last token of the pointer, unescaped. */
struct place {
	cJSON *parent;
	char *token; /* owned */
};

static void place_release(struct place *place)
{
	free(place->token);
	*place = (struct place){0};
}

static void unescape(char *token)
{
	char *to = token;
	for (const char *from = token; *from != '\0'; from++) {
		if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static cJSON *element_at(cJSON *array, const char *token)
{
	size_t len = strlen(token);
	if (len == 0 || len > 9 || strspn(token, "0123456789") != len)
		return NULL;
	unsigned long index = strtoul(token, NULL, 10);
	cJSON *child = array->child;
	while (child != NULL && index-- > 0)
		child = child->next;
	return child;
}

static cJSON *step(cJSON *node, const char *token)
{
	if (cJSON_IsArray(node))
		return element_at(node, token);
	return json_member_mut(node, token);
}

static bool find_place(cJSON *tree, const char *pointer, struct place *ret_place)
{
	if (pointer == NULL || pointer[0] != '/')
		return false;
	cJSON *node = tree;
	for (;;) {
		const char *start = pointer + 1;
		size_t len = strcspn(start, "/");
		char *token = xstrndup(start, len);
		unescape(token);
		pointer = start + len;
		if (*pointer == '\0') {
			*ret_place = (struct place){.parent = node, .token = token};
			return cJSON_IsArray(node) || cJSON_IsObject(node);
		}
		node = step(node, token);
		free(token);
		if (node == NULL)
			return false;
	}
}

static bool is_index(const char *token, int value)
{
	return token[0] != '\0' && strspn(token, "0123456789") == strlen(token) &&
	       strtol(token, NULL, 10) == value;
}

static bool add_at(const struct place *place, const cJSON *value)
{
	if (cJSON_IsObject(place->parent)) {
		json_set(place->parent, place->token, json_clone(value));
		return true;
	}
	cJSON *at = element_at(place->parent, place->token);
	if (at == NULL) {
		int size = cJSON_GetArraySize(place->parent);
		bool end = strcmp(place->token, "-") == 0 || is_index(place->token, size);
		return end && cJSON_AddItemToArray(place->parent, json_clone(value));
	}
	json_insert(place->parent, strtoul(place->token, NULL, 10), json_clone(value));
	return true;
}

static bool apply_one(const struct place *place, const char *op, const cJSON *value)
{
	if (strcmp(op, "add") == 0)
		return value != NULL && add_at(place, value);
	cJSON *node = step(place->parent, place->token);
	if (node == NULL)
		return false;
	if (strcmp(op, "replace") == 0) {
		if (value == NULL)
			return false;
		/* cJSON_ReplaceItemViaPointer drops the key of an object's member. */
		if (cJSON_IsObject(place->parent))
			json_set(place->parent, place->token, json_clone(value));
		else
			(void)cJSON_ReplaceItemViaPointer(place->parent, node, json_clone(value));
		return true;
	}
	if (strcmp(op, "remove") != 0)
		return false;
	cJSON_Delete(cJSON_DetachItemViaPointer(place->parent, node));
	return true;
}

enum status patch_apply(cJSON *tree, const cJSON *operations, struct error *err)
{
	if (!cJSON_IsArray(operations))
		return error_set(err, STATUS_INVALID, "patch: must be a list");
	for (const cJSON *row = operations->child; row != NULL; row = row->next) {
		const char *op = json_str(row, "op");
		const char *pointer = json_str(row, "path");
		const cJSON *value = json_member(row, "value");
		if (op == NULL || pointer == NULL)
			return error_set(err, STATUS_INVALID,
					 "patch: operation without op or path");
		CLEANUP(place_release) struct place place = {0};
		bool found = find_place(tree, pointer, &place);
		if (strcmp(op, "test") == 0) {
			const cJSON *node = found ? step(place.parent, place.token) : NULL;
			if (value == NULL || !json_equal(node, value))
				return error_set(err, STATUS_CONFLICT, "patch: test %s failed",
						 pointer);
		} else if (!found || !apply_one(&place, op, value)) {
			return error_set(err, STATUS_INVALID, "patch: %s %s: no such place", op,
					 pointer);
		}
	}
	return STATUS_OK;
}
