/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/managed_fields.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"

/* An Update entry of ours on the object itself (not on a subresource). */
static bool is_ours(const cJSON *entry)
{
	const char *subresource = json_str(entry, "subresource");
	return text_equal(json_str(entry, "manager"), FIELD_MANAGER) &&
	       text_equal(json_str(entry, "operation"), "Update") &&
	       (subresource == NULL || subresource[0] == '\0');
}

static bool is_apply(const cJSON *entry)
{
	const char *subresource = json_str(entry, "subresource");
	return text_equal(json_str(entry, "operation"), "Apply") &&
	       !text_equal(json_str(entry, "manager"), FIELD_MANAGER) &&
	       (subresource == NULL || subresource[0] == '\0');
}

static bool is_leaf(const cJSON *fields)
{
	return cJSON_IsObject(fields) && fields->child == NULL;
}

static bool is_list_field(const char *key)
{
	static const char *const lists[] = {"f:args", "f:command", "f:containers",
					    "f:initContainers"};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(lists[i], key) == 0)
			return true;
	return false;
}

/*
 * True when `ours` holds an atomic list inside something that `theirs` holds too: their
 * next apply could collide with us there. Recursion is bounded by LIMIT_JSON_DEPTH.
 */
static bool takes_list(const cJSON *ours, const cJSON *theirs)
{
	const cJSON *mine = NULL;
	cJSON_ArrayForEach(mine, ours)
	{
		if (is_leaf(mine) && is_list_field(mine->string))
			return true;
		const cJSON *other = json_member(theirs, mine->string);
		if (other != NULL && !is_leaf(mine) && takes_list(mine, other))
			return true;
	}
	return false;
}

/* Adds to `target` what both `ours` and `before` hold as leaves. */
static void merge_back(cJSON *target, const cJSON *ours, const cJSON *before)
{
	const cJSON *mine = NULL;
	cJSON_ArrayForEach(mine, ours)
	{
		const cJSON *had = json_member(before, mine->string);
		if (had == NULL)
			continue;
		cJSON *now = json_member_mut(target, mine->string);
		if (now == NULL)
			now = json_set_object(target, mine->string);
		if (!is_leaf(mine) && !is_leaf(had))
			merge_back(now, mine, had);
	}
}

static const cJSON *find_ours(const cJSON *entries)
{
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, entries)
	{
		if (is_ours(entry))
			return entry;
	}
	return NULL;
}

static const cJSON *find_before(const cJSON *before, const cJSON *entry)
{
	const cJSON *old = NULL;
	cJSON_ArrayForEach(old, before)
	{
		if (is_apply(old) &&
		    text_equal(json_str(old, "manager"), json_str(entry, "manager")) &&
		    text_equal(json_str(old, "apiVersion"), json_str(entry, "apiVersion")))
			return old;
	}
	return NULL;
}

/* True when our entry holds a list inside what one of the Apply managers of `entries` holds. */
static bool collides(const cJSON *ours, const cJSON *entries)
{
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, entries)
	{
		if (is_apply(entry) &&
		    takes_list(json_member(ours, "fieldsV1"), json_member(entry, "fieldsV1")))
			return true;
	}
	return false;
}

bool managed_fields_need_giving_back(const cJSON *object)
{
	const cJSON *entries = json_get(object, "metadata.managedFields");
	const cJSON *ours = find_ours(entries);
	return ours != NULL && collides(ours, entries);
}

/* An operation on entry `index`; takes the value, NULL: none. */
static void add_operation(cJSON *patch, const char *op, int index, cJSON *value)
{
	char path[64];
	cJSON *operation = cJSON_CreateObject();
	(void)snprintf(path, sizeof(path), "/metadata/managedFields/%d", index);
	json_set_str(operation, "op", op);
	json_set_str(operation, "path", path);
	if (value != NULL)
		json_set(operation, "value", value);
	(void)cJSON_AddItemToArray(patch, operation);
}

/* The entry of an Apply manager with what it had before and we took; NULL when that is nothing. Owned. */
static cJSON *with_what_it_had(const cJSON *entry, const cJSON *ours, const cJSON *before)
{
	const cJSON *old = is_apply(entry) ? find_before(before, entry) : NULL;
	if (old == NULL)
		return NULL;
	cJSON *copy = json_clone(entry);
	cJSON *fields = json_member_mut(copy, "fieldsV1");
	if (fields != NULL)
		merge_back(fields, json_member(ours, "fieldsV1"), json_member(old, "fieldsV1"));
	if (json_equal(copy, entry))
		json_freep(&copy);
	return copy;
}

cJSON *managed_fields_give_back(const cJSON *before, const cJSON *after)
{
	const cJSON *entries = json_get(after, "metadata.managedFields");
	const cJSON *ours = find_ours(entries);
	if (ours == NULL || (!collides(ours, entries) && !collides(ours, before)))
		return NULL;
	cJSON *patch = cJSON_CreateArray();
	const cJSON *entry = NULL;
	int index = 0;
	int index_of_ours = 0;
	cJSON_ArrayForEach(entry, entries)
	{
		cJSON *given = entry == ours ? NULL : with_what_it_had(entry, ours, before);
		if (entry == ours)
			index_of_ours = index;
		if (given != NULL) {
			add_operation(patch, "test", index, json_clone(entry));
			add_operation(patch, "replace", index, given);
		}
		index++;
	}
	add_operation(patch, "test", index_of_ours, json_clone(ours));
	add_operation(patch, "remove", index_of_ours, NULL);
	return patch;
}
