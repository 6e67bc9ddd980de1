/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/env.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WHY_HELPER "names the pod in every span; stands before the variable that uses it"

const struct env_rule env_rules[ENV_COUNT] = {
    [ENV_SERVICE_NAME] = {"OTEL_SERVICE_NAME", NULL, "without it spans arrive as unknown_service"},
    [ENV_ENDPOINT] = {"OTEL_EXPORTER_OTLP_ENDPOINT", NULL, "where spans are sent"},
    [ENV_TRACES_EXPORTER] = {"OTEL_TRACES_EXPORTER", NULL,
			     "without it Go components print every span to the pod's log"},
    [ENV_RESOURCE_NAMESPACE] = {"OTEL_RESOURCE_ATTRIBUTES_NAMESPACE", "metadata.namespace",
				WHY_HELPER},
    [ENV_RESOURCE_NODE] = {"OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "spec.nodeName", WHY_HELPER},
    [ENV_RESOURCE_POD] = {"OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "metadata.name", WHY_HELPER},
    [ENV_RESOURCE] = {"OTEL_RESOURCE_ATTRIBUTES", NULL,
		      "names namespace, node and pod in every span"},
    [ENV_SAMPLER] = {"OTEL_TRACES_SAMPLER", NULL,
		     "the only sampler that every component understands"},
    [ENV_SAMPLER_ARG] = {"OTEL_TRACES_SAMPLER_ARG", NULL, "the share of traces that is kept"},
    [ENV_TRACES_ENDPOINT] = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", NULL, ""},
    [ENV_TRACES_PROTOCOL] = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", NULL, ""},
    [ENV_SDK_DISABLED] = {"OTEL_SDK_DISABLED", NULL, ""},
};

static int row_of(const char *name)
{
	if (strncmp(name, "OTEL_", 5) != 0)
		return -1;
	for (int i = 0; i < ENV_COUNT; i++)
		if (strcmp(env_rules[i].name, name) == 0)
			return i;
	return -1;
}

const struct env_rule *env_rule_of(const char *name)
{
	int row = row_of(name);
	return row < 0 ? NULL : &env_rules[row];
}

void env_read(const struct list_view *env, struct env_known *ret_known)
{
	*ret_known = (struct env_known){0};
	for (size_t i = 0; i < env->count; i++) {
		const cJSON *name = json_member(env->items[i], "name");
		int row = cJSON_IsString(name) ? row_of(name->valuestring) : -1;
		if (row >= 0)
			ret_known->entry[row] = env->items[i];
	}
}

bool env_is_set(const struct env_known *known, enum env_name name)
{
	return known->entry[name] != NULL;
}

bool env_is_reference(const struct env_known *known, enum env_name name)
{
	return cJSON_IsObject(json_member(known->entry[name], "valueFrom"));
}

const char *env_literal(const struct env_known *known, enum env_name name)
{
	if (!env_is_set(known, name) || env_is_reference(known, name))
		return NULL;
	const cJSON *value = json_member(known->entry[name], "value");
	return cJSON_IsString(value) ? value->valuestring : "";
}

const cJSON *env_hidden_source(const cJSON *env_from)
{
	if (!cJSON_IsArray(env_from))
		return NULL;
	for (const cJSON *source = env_from->child; source != NULL; source = source->next) {
		const char *prefix = json_str(source, "prefix");
		for (int i = 0; i < ENV_COUNT; i++)
			if (prefix == NULL || text_has_prefix(env_rules[i].name, prefix))
				return source;
	}
	return NULL;
}

bool env_entry_is(const cJSON *item, enum env_name name, const char *value)
{
	const cJSON *from = NULL;
	const char *literal = NULL;
	for (const cJSON *member = item->child; member != NULL; member = member->next) {
		if (strcmp(member->string, "value") == 0 && cJSON_IsString(member))
			literal = member->valuestring;
		else if (strcmp(member->string, "valueFrom") == 0)
			from = member;
		else if (strcmp(member->string, "name") != 0 ||
			 !text_equal(member->valuestring, env_rules[name].name))
			return false;
	}
	if (env_rules[name].field == NULL)
		return from == NULL && text_equal(literal, value);
	/* The API server fills in apiVersion: v1. */
	const cJSON *field = json_member(from, "fieldRef");
	const char *version = json_str(field, "apiVersion");
	return literal == NULL && from != NULL && field != NULL && from->child->next == NULL &&
	       (version == NULL || strcmp(version, "v1") == 0) &&
	       text_equal(json_str(field, "fieldPath"), env_rules[name].field);
}

static cJSON *made(cJSON *node)
{
	if (node == NULL)
		abort();
	return node;
}

static void set(cJSON *object, const char *key, cJSON *value)
{
	(void)cJSON_AddItemToObjectCS(object, key, made(value));
}

cJSON *env_entry(enum env_name name, const char *value)
{
	cJSON *entry = made(cJSON_CreateObject());
	set(entry, "name", cJSON_CreateString(env_rules[name].name));
	if (env_rules[name].field == NULL) {
		set(entry, "value", cJSON_CreateString(value));
		return entry;
	}
	cJSON *field = made(cJSON_CreateObject());
	set(field, "fieldPath", cJSON_CreateString(env_rules[name].field));
	cJSON *from = made(cJSON_CreateObject());
	set(from, "fieldRef", field);
	set(entry, "valueFrom", from);
	return entry;
}
