/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings that are passed on as they are: label maps, resources, tolerations. Checked
 * as the CRD checks them; their meaning is the API server's business.
 */
#include "inject/settings_lists.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "inject/quantity.h"

enum { MAP_MAX = 64, LIST_MAX = 32, ANNOTATION_MAX = 4096 };

enum status settings_check_labels(const cJSON *node, const char *path, struct error *err)
{
	if (!cJSON_IsObject(node))
		return settings_wrong_type(path, "an object of texts", node, err);
	if (cJSON_GetArraySize(node) > MAP_MAX)
		return error_set(err, STATUS_INVALID, "%s: more than %d entries", path, MAP_MAX);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		if (!cJSON_IsString(item))
			return error_set(err, STATUS_INVALID,
					 "%s.%s: must be a string; put it in quotes", path,
					 item->string);
		if (text_has_control(item->valuestring) || strlen(item->valuestring) > 63)
			return error_set(err, STATUS_INVALID, "%s.%s: is no label value", path,
					 item->string);
	}
	return STATUS_OK;
}

static enum status check_amounts(const cJSON *node, const char *path, const char *name,
				 struct error *err)
{
	if (!cJSON_IsObject(node))
		return error_set(err, STATUS_INVALID, "%s.%s: must be an object of quantities",
				 path, name);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		double amount = 0;
		bool good = cJSON_IsNumber(item)
				? json_int(item, "", -1) >= 0
				: cJSON_IsString(item) && quantity_read(item->valuestring, &amount);
		if (!good)
			return error_set(err, STATUS_INVALID,
					 "%s.%s.%s: must be a quantity like \"500m\" or \"512Mi\"",
					 path, name, item->string);
	}
	return STATUS_OK;
}

enum status settings_check_resources(const cJSON *node, const char *path, struct error *err)
{
	if (!cJSON_IsObject(node))
		return settings_wrong_type(path, "an object with limits and requests", node, err);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		if (strcmp(item->string, "limits") != 0 && strcmp(item->string, "requests") != 0)
			return error_set(err, STATUS_INVALID,
					 "%s.%s: no such field; there are limits and requests",
					 path, item->string);
		if (!cJSON_IsNull(item) &&
		    check_amounts(item, path, item->string, err) != STATUS_OK)
			return STATUS_INVALID;
	}
	return STATUS_OK;
}

static const struct {
	const char *name;
	const char *const words[4]; /* NULL-ended; none: any text */
	bool number;
} toleration_fields[] = {
    {"key", {NULL}, false},
    {"operator", {"Exists", "Equal", NULL}, false},
    {"value", {NULL}, false},
    {"effect", {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL}, false},
    {"tolerationSeconds", {NULL}, true},
};

static bool is_word(const char *text, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return words[0] == NULL;
}

static enum status check_toleration(const cJSON *member, const char *path, int index,
				    struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(toleration_fields); i++) {
		if (strcmp(member->string, toleration_fields[i].name) != 0)
			continue;
		bool good = toleration_fields[i].number
				? cJSON_IsNumber(member)
				: cJSON_IsString(member) &&
				      is_word(member->valuestring, toleration_fields[i].words);
		if (good)
			return STATUS_OK;
		return error_set(err, STATUS_INVALID,
				 "%s[%d].%s: is not what a toleration has there", path, index,
				 member->string);
	}
	return error_set(err, STATUS_INVALID,
			 "%s[%d].%s: no such field; a toleration has key, operator, value, effect "
			 "and tolerationSeconds",
			 path, index, member->string);
}

enum status settings_check_tolerations(const cJSON *node, const char *path, struct error *err)
{
	int index = 0;
	if (!cJSON_IsArray(node))
		return settings_wrong_type(path, "a list of tolerations", node, err);
	if (cJSON_GetArraySize(node) > LIST_MAX)
		return error_set(err, STATUS_INVALID, "%s: more than %d entries", path, LIST_MAX);
	for (const cJSON *item = node->child; item != NULL; item = item->next, index++) {
		if (!cJSON_IsObject(item))
			return settings_wrong_type(path, "a list of tolerations", item, err);
		for (const cJSON *member = item->child; member != NULL; member = member->next)
			if (check_toleration(member, path, index, err) != STATUS_OK)
				return STATUS_INVALID;
	}
	return STATUS_OK;
}

enum status settings_check_affinity(const cJSON *node, const char *path, struct error *err)
{
	static const char *const known[] = {"nodeAffinity", "podAffinity", "podAntiAffinity", NULL};
	if (!cJSON_IsObject(node))
		return settings_wrong_type(path, "an affinity", node, err);
	for (const cJSON *item = node->child; item != NULL; item = item->next)
		if (!is_word(item->string, known) || !cJSON_IsObject(item))
			return error_set(err, STATUS_INVALID,
					 "%s.%s: is not what an affinity has; there are "
					 "nodeAffinity, podAffinity and podAntiAffinity",
					 path, item->string);
	return STATUS_OK;
}

enum status settings_check_pod_labels(const cJSON *node, const char *path, struct error *err)
{
	enum status status = settings_check_labels(node, path, err);
	for (const cJSON *item = status == STATUS_OK ? node->child : NULL; item != NULL;
	     item = item->next)
		if (strcmp(item->string, "app") == 0 ||
		    text_has_prefix(item->string, "app.kubernetes.io/"))
			return error_set(err, STATUS_INVALID,
					 "%s.%s: this label is the operator's; Services find the "
					 "pods by it",
					 path, item->string);
	return status;
}

enum status settings_check_annotations(const cJSON *node, const char *path, struct error *err)
{
	if (!cJSON_IsObject(node))
		return settings_wrong_type(path, "an object of texts", node, err);
	if (cJSON_GetArraySize(node) > MAP_MAX)
		return error_set(err, STATUS_INVALID, "%s: more than %d entries", path, MAP_MAX);
	for (const cJSON *item = node->child; item != NULL; item = item->next) {
		if (!cJSON_IsString(item) || strlen(item->valuestring) > ANNOTATION_MAX)
			return error_set(err, STATUS_INVALID,
					 "%s.%s: must be a string of at most %d bytes", path,
					 item->string, ANNOTATION_MAX);
		if (text_has_prefix(item->string, TRACING_GROUP "/"))
			return error_set(err, STATUS_INVALID,
					 "%s.%s: annotations under " TRACING_GROUP
					 "/ are the operator's",
					 path, item->string);
	}
	return STATUS_OK;
}
