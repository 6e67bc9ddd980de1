/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/managed_fields.h"

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

/* An operation {op: replace, path, value}; takes the value. */
static void add_replace(cJSON *patch, const char *path, cJSON *value)
{
	cJSON *operation = cJSON_CreateObject();
	json_set_str(operation, "op", "replace");
	json_set_str(operation, "path", path);
	json_set(operation, "value", value);
	(void)cJSON_AddItemToArray(patch, operation);
}

cJSON *managed_fields_give_back(const cJSON *before, const cJSON *after)
{
	const cJSON *entries = json_get(after, "metadata.managedFields");
	const cJSON *ours = find_ours(entries);
	const char *version = json_str(after, "metadata.resourceVersion");
	if (version == NULL || ours == NULL ||
	    (!collides(ours, entries) && !collides(ours, before)))
		return NULL;
	cJSON *kept = cJSON_CreateArray();
	const cJSON *entry = NULL;
	cJSON_ArrayForEach(entry, entries)
	{
		if (entry == ours)
			continue;
		cJSON *copy = json_clone(entry);
		const cJSON *old = is_apply(entry) ? find_before(before, entry) : NULL;
		cJSON *fields = json_member_mut(copy, "fieldsV1");
		if (old != NULL && fields != NULL)
			merge_back(fields, json_member(ours, "fieldsV1"),
				   json_member(old, "fieldsV1"));
		(void)cJSON_AddItemToArray(kept, copy);
	}
	cJSON *patch = cJSON_CreateArray();
	add_replace(patch, "/metadata/resourceVersion", cJSON_CreateString(version));
	add_replace(patch, "/metadata/managedFields", kept);
	return patch;
}
