/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/plan_owned.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"

enum { STEP_MAX = 320 };

/* fieldsV1: a member is "f:<name>", an element of a map list "k:{"name":"<name>"}". */
static const cJSON *step_field(const cJSON *fields, const char *name, size_t len)
{
	char key[STEP_MAX];
	int n = snprintf(key, sizeof(key), "f:%.*s", (int)len, name);
	return n > 0 && (size_t)n < sizeof(key) ? json_member(fields, key) : NULL;
}

static const cJSON *step_named(const cJSON *fields, const char *name)
{
	char key[STEP_MAX];
	int n = snprintf(key, sizeof(key), "k:{\"name\":\"%s\"}", name);
	return n > 0 && (size_t)n < sizeof(key) ? json_member(fields, key) : NULL;
}

/* Along a pointer like "/spec/roles/1/spec/…": an index stands for the element's name. */
static const cJSON *walk(const cJSON *fields, const cJSON *object, const char *pointer)
{
	const cJSON *node = object;
	while (fields != NULL && *pointer == '/') {
		const char *token = pointer + 1;
		size_t len = strcspn(token, "/");
		if (isdigit((unsigned char)*token) != 0) {
			int index = 0;
			for (size_t i = 0; i < len && i < 6; i++)
				index = index * 10 + (token[i] - '0');
			node = cJSON_GetArrayItem(node, index);
			const char *name = json_str(node, "name");
			fields = name == NULL ? NULL : step_named(fields, name);
		} else {
			char key[STEP_MAX];
			(void)snprintf(key, sizeof(key), "%.*s", (int)len, token);
			node = json_member(node, key);
			fields = step_field(fields, token, len);
		}
		pointer = token + len;
	}
	return fields;
}

bool apply_owns_env(const cJSON *object, const struct pod_template *template, const char *list,
		    const char *container, const char *name)
{
	const cJSON *managers = json_get(object, "metadata.managedFields");
	if (!cJSON_IsArray(managers))
		return false;
	for (const cJSON *row = managers->child; row != NULL; row = row->next) {
		if (!text_equal(json_str(row, "operation"), "Apply") ||
		    text_equal(json_str(row, "manager"), FIELD_MANAGER))
			continue;
		const cJSON *fields = walk(json_member(row, "fieldsV1"), object, template->pointer);
		fields = step_named(step_field(fields, list, strlen(list)), container);
		if (step_named(step_field(fields, "env", 3), name) != NULL)
			return true;
	}
	return false;
}
