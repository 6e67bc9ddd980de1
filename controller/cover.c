/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cover.h"

#include "inject/quantity.h"

/* Recursion is bounded by LIMIT_JSON_DEPTH. */
bool json_covers(const cJSON *live, const cJSON *wanted)
{
	const cJSON *item = NULL;
	if (cJSON_IsObject(wanted)) {
		cJSON_ArrayForEach(item, wanted)
		{
			const cJSON *held = json_member(live, item->string);
			bool empty =
			    cJSON_IsNull(item) ||
			    ((cJSON_IsObject(item) || cJSON_IsArray(item)) && item->child == NULL);
			if (held == NULL ? !empty : !json_covers(held, item))
				return false;
		}
		return live == NULL || cJSON_IsObject(live);
	}
	if (cJSON_IsArray(wanted)) {
		if (!cJSON_IsArray(live))
			return false;
		const cJSON *held = live->child;
		for (item = wanted->child; item != NULL; item = item->next) {
			if (held == NULL || !json_covers(held, item))
				return false;
			held = held->next;
		}
		return held == NULL;
	}
	/* what was sent as a number comes back as a text, where it is a quantity */
	if ((cJSON_IsString(wanted) || cJSON_IsNumber(wanted)) && cJSON_IsString(live) &&
	    quantity_equal(live->valuestring, wanted->valuestring))
		return true;
	return json_equal(live, wanted);
}
