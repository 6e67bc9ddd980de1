/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan gives to its shells: a JSON Patch, an edited object. */
#include "inject/plan.h"

#include "base/text.h"

#include <stdlib.h>

#include "inject/patch.h"

static void move_all(const cJSON *from, cJSON *to)
{
	for (const cJSON *row = from->child; row != NULL; row = row->next)
		(void)cJSON_AddItemToArray(to, json_clone(row));
}

cJSON *plan_source_patch(const struct plan *plan)
{
	cJSON *patch = cJSON_CreateArray();
	const cJSON *operation = NULL;
	cJSON_ArrayForEach(operation, plan->operations)
	{
		const char *path = json_str(operation, "path");
		if (path != NULL && !text_has_prefix(path, "/metadata/"))
			(void)cJSON_AddItemToArray(patch, json_clone(operation));
	}
	return patch;
}

cJSON *plan_patch(const struct plan *plan, enum patch_guard guard)
{
	cJSON *patch = cJSON_CreateArray();
	if (patch == NULL)
		abort();
	if (!plan->changes)
		return patch;
	if (guard == PATCH_GUARD_RESOURCE_VERSION && plan->resource_version != NULL) {
		cJSON *row = cJSON_CreateObject();
		json_set_str(row, "op", "replace");
		json_set_str(row, "path", "/metadata/resourceVersion");
		json_set_str(row, "value", plan->resource_version);
		(void)cJSON_AddItemToArray(patch, row);
	}
	if (guard == PATCH_GUARD_TESTS)
		move_all(plan->tests, patch);
	move_all(plan->operations, patch);
	return patch;
}

enum status plan_apply(const struct plan *plan, const cJSON *object, cJSON **ret_object,
		       struct error *err)
{
	cJSON *copy CLEANUP(json_freep) = json_clone(object);
	enum status status = patch_apply(copy, plan->operations, err);
	if (status == STATUS_OK)
		*ret_object = TAKE_PTR(copy);
	return status;
}
