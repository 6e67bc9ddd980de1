/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/cover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Suffixes of Kubernetes quantities (apimachinery resource.Quantity). */
static const struct {
	const char *suffix;
	double factor;
} suffixes[] = {
    {"", 1},
    {"n", 1e-9},
    {"u", 1e-6},
    {"m", 1e-3},
    {"k", 1e3},
    {"M", 1e6},
    {"G", 1e9},
    {"T", 1e12},
    {"P", 1e15},
    {"E", 1e18},
    {"Ki", 1024.0},
    {"Mi", 1048576.0},
    {"Gi", 1073741824.0},
    {"Ti", 1099511627776.0},
    {"Pi", 1125899906842624.0},
};

static bool quantity_read(const char *text, double *ret_amount)
{
	char *end = NULL;
	if (text[0] == '\0' || strchr("+-.0123456789", text[0]) == NULL)
		return false;
	double number = strtod(text, &end);
	if (end == text)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(suffixes[i].suffix, end) != 0)
			continue;
		*ret_amount = number * suffixes[i].factor;
		return true;
	}
	return false;
}

bool quantity_equal(const char *a, const char *b)
{
	double x = 0;
	double y = 0;
	if (!quantity_read(a, &x) || !quantity_read(b, &y))
		return false;
	return fabs(x - y) <= 1e-9 * fabs(x);
}

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
	if (cJSON_IsString(wanted) && cJSON_IsString(live) &&
	    quantity_equal(live->valuestring, wanted->valuestring))
		return true;
	return json_equal(live, wanted);
}
