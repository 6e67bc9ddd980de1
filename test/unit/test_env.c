/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/env.h"

#include "test.h"

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &tree, &err) != STATUS_OK)
		printf("%s: %s\n", text, err.message);
	return tree;
}

TEST(the_last_of_a_name_counts)
{
	cJSON *list =
	    parse("[{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"a\"},{\"name\":\"X\"},"
		  "{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"b\"},"
		  "{\"name\":\"OTEL_TRACES_SAMPLER\"},"
		  "{\"name\":\"OTEL_TRACES_SAMPLER_ARG\",\"valueFrom\":{\"configMapKeyRef\":{}}},"
		  "{\"name\":\"OTEL_EXPORTER_OTLP_ENDPOINT\",\"value\":null}]");
	struct list_view view;
	struct env_known known;
	list_view_read(list, &view);
	env_read(&view, &known);
	CHECK_STR(env_literal(&known, ENV_SERVICE_NAME), "b");
	CHECK_STR(env_literal(&known, ENV_SAMPLER), "");
	CHECK_STR(env_literal(&known, ENV_SAMPLER_ARG), NULL);
	CHECK(env_is_reference(&known, ENV_SAMPLER_ARG));
	CHECK(!env_is_reference(&known, ENV_SAMPLER));
	CHECK_STR(env_literal(&known, ENV_ENDPOINT), "");
	CHECK(env_is_set(&known, ENV_ENDPOINT));
	CHECK(!env_is_set(&known, ENV_RESOURCE));
	CHECK_STR(env_literal(&known, ENV_RESOURCE), NULL);
	list_view_release(&view);
	cJSON_Delete(list);
}

TEST(entries_survive_the_api_server)
{
	static const struct {
		enum env_name name;
		const char *value, *item;
		bool same;
	} rows[] = {
	    {ENV_SERVICE_NAME, "a", "{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"a\"}", true},
	    {ENV_SERVICE_NAME, "a", "{\"value\":\"a\",\"name\":\"OTEL_SERVICE_NAME\"}", true},
	    {ENV_SERVICE_NAME, "a", "{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"b\"}", false},
	    {ENV_SERVICE_NAME, "a", "{\"name\":\"OTEL_SERVICE_NAME\"}", false},
	    {ENV_SERVICE_NAME, "a", "{\"name\":\"OTHER\",\"value\":\"a\"}", false},
	    {ENV_SERVICE_NAME, "a", "{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"a\",\"more\":1}",
	     false},
	    {ENV_RESOURCE_POD, NULL,
	     "{\"name\":\"OTEL_RESOURCE_ATTRIBUTES_POD_NAME\",\"valueFrom\":{\"fieldRef\":{"
	     "\"apiVersion\":\"v1\","
	     "\"fieldPath\":\"metadata.name\"}}}",
	     true},
	    {ENV_RESOURCE_POD, NULL,
	     "{\"name\":\"OTEL_RESOURCE_ATTRIBUTES_POD_NAME\",\"valueFrom\":{\"fieldRef\":{"
	     "\"fieldPath\":\"metadata.uid\"}}}",
	     false},
	    {ENV_RESOURCE_POD, NULL,
	     "{\"name\":\"OTEL_RESOURCE_ATTRIBUTES_POD_NAME\",\"value\":\"x\"}", false},
	    {ENV_RESOURCE_POD, NULL,
	     "{\"name\":\"OTEL_RESOURCE_ATTRIBUTES_POD_NAME\",\"valueFrom\":{\"configMapKeyRef\":{}"
	     "}}",
	     false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *item = parse(rows[i].item);
		CHECK_INT_ROW(env_entry_is(item, rows[i].name, rows[i].value), rows[i].same,
			      rows[i].item);
		cJSON_Delete(item);
	}
	for (enum env_name name = 0; name < ENV_ADDED_COUNT; name++) {
		cJSON *item = env_entry(name, "v");
		CHECK(env_entry_is(item, name, "v"));
		cJSON_Delete(item);
	}
}

TEST(what_env_from_may_hide)
{
	static const struct {
		const char *json;
		bool hides;
	} rows[] = {
	    {"null", false},
	    {"[]", false},
	    {"[{\"configMapRef\":{\"name\":\"a\"}}]", true},
	    {"[{\"secretRef\":{\"name\":\"a\"}}]", true},
	    {"[{\"prefix\":\"\",\"secretRef\":{\"name\":\"a\"}}]", true},
	    {"[{\"prefix\":\"OTEL_\",\"configMapRef\":{\"name\":\"a\"}}]", true},
	    {"[{\"prefix\":\"HF_\",\"secretRef\":{\"name\":\"a\"}}]", false},
	    {"[{\"prefix\":\"HF_\",\"secretRef\":{\"name\":\"a\"}},{\"configMapRef\":{\"name\":"
	     "\"b\"}}]",
	     true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *list = parse(rows[i].json);
		CHECK_INT_ROW(env_hidden_source(list) != NULL, rows[i].hides, rows[i].json);
		cJSON_Delete(list);
	}
}

TEST(names)
{
	for (int i = 0; i < ENV_COUNT; i++) {
		CHECK(env_rule_of(env_rules[i].name) == &env_rules[i]);
		CHECK(env_rules[i].why != NULL);
	}
	CHECK(env_rule_of("OTEL_") == NULL);
	CHECK(env_rule_of("PATH") == NULL);
	/* A helper that is used stands before its user. */
	CHECK(ENV_RESOURCE_NAMESPACE < ENV_RESOURCE && ENV_RESOURCE_POD < ENV_RESOURCE);
}
