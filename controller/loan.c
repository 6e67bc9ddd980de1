/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/loan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "inject/settings.h"

#define STRATEGY_PATH   "spec.strategy.rollingUpdate.maxUnavailable"
#define STRATEGY_POINT  "/spec/strategy/rollingUpdate/maxUnavailable"
#define ANNOTATION_PATH "/metadata/annotations/tracing.llm-d.io~1strategy"

enum { PUT = 1 };

static const cJSON *annotation(const cJSON *object)
{
	return json_member(json_get(object, "metadata.annotations"), ANNOTATION_STRATEGY);
}

bool loan_is_possible(const cJSON *object, const struct replica_sets *sets,
		      struct replica_sets *ret_sets)
{
	/* the API server writes the default out; a ModelService's Deployment is not ours to write */
	if (!text_equal(json_str(object, "kind"), "Deployment") || sets->count != 1 ||
	    json_get(object, STRATEGY_PATH) == NULL)
		return false;
	*ret_sets = *sets;
	ret_sets->items[0].max_unavailable = PUT;
	return true;
}

/* Takes the value; NULL: none. */
static void add(cJSON *patch, const char *op, const char *path, cJSON *value)
{
	cJSON *row = cJSON_CreateObject();
	json_set_str(row, "op", op);
	json_set_str(row, "path", path);
	if (value != NULL)
		json_set(row, "value", value);
	(void)cJSON_AddItemToArray(patch, row);
}

void loan_take(const cJSON *patched, cJSON *patch)
{
	CLEANUP(json_freep) cJSON *record = cJSON_CreateObject();
	cJSON *loan = json_set_object(record, "maxUnavailable");
	json_set(loan, "was", json_clone(json_get(patched, STRATEGY_PATH)));
	json_set_int(loan, "put", PUT);
	CLEANUP(str_freep) char *text = json_to_string(record);
	if (!cJSON_IsObject(json_get(patched, "metadata.annotations")))
		add(patch, "add", "/metadata/annotations", cJSON_CreateObject());
	add(patch, "add", ANNOTATION_PATH, cJSON_CreateString(text));
	add(patch, "replace", STRATEGY_POINT, cJSON_CreateNumber(PUT));
}

bool loan_is_open(const cJSON *object)
{
	return annotation(object) != NULL;
}

/* The record of the annotation; NULL: there is none that can be read. Owned. */
static cJSON *read_record(const cJSON *object)
{
	struct error err;
	cJSON *record = NULL;
	const cJSON *text = annotation(object);
	if (!cJSON_IsString(text) ||
	    json_parse(text->valuestring, strlen(text->valuestring), &record, &err) != STATUS_OK)
		return NULL;
	return record;
}

static bool is_as_put(const cJSON *object)
{
	return json_int(object, STRATEGY_PATH, -1) == PUT;
}

bool loan_note(const cJSON *object, cJSON **lent)
{
	CLEANUP(json_freep) cJSON *record = read_record(object);
	const cJSON *was = json_get(record, "maxUnavailable.was");
	bool owed = loan_is_open(object) ? was != NULL : *lent != NULL && is_as_put(object);
	if (owed && (was == NULL || (*lent != NULL && json_equal(was, *lent))))
		return false;
	if (!owed && *lent == NULL)
		return false;
	cJSON_Delete(*lent);
	*lent = owed ? json_clone(was) : NULL;
	return true;
}

void loan_add_return(const cJSON *object, const cJSON *lent, cJSON *patch)
{
	CLEANUP(json_freep) cJSON *record = read_record(object);
	if (!loan_is_open(object)) {
		if (lent != NULL && is_as_put(object))
			add(patch, "replace", STRATEGY_POINT, json_clone(lent));
		return;
	}
	const cJSON *now = json_get(object, STRATEGY_PATH);
	const cJSON *was = json_get(record, "maxUnavailable.was");
	const cJSON *put = json_get(record, "maxUnavailable.put");
	if (was != NULL && put != NULL && now != NULL && json_equal(now, put))
		add(patch, "replace", STRATEGY_POINT, json_clone(was));
	add(patch, "remove", ANNOTATION_PATH, NULL);
}

cJSON *loan_return(const cJSON *object, const cJSON *lent)
{
	cJSON *patch = cJSON_CreateArray();
	const char *version = json_str(object, "metadata.resourceVersion");
	add(patch, "replace", "/metadata/resourceVersion",
	    cJSON_CreateString(version == NULL ? "" : version));
	loan_add_return(object, lent, patch);
	return patch;
}
