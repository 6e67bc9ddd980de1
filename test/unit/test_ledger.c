/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/ledger.h"

#include "base/alloc.h"
#include "inject/env.h"
#include "inject/settings.h"
#include "test.h"

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &tree, &err) != STATUS_OK)
		printf("%s: %s\n", text, err.message);
	return tree;
}

static cJSON *object_with(const char *ledger)
{
	cJSON *object = cJSON_CreateObject();
	cJSON *annotations = json_set_object(json_set_object(object, "metadata"), "annotations");
	json_set_str(annotations, ANNOTATION_LEDGER, ledger);
	return object;
}

#define HEAD "{\"v\":1,\"rules\":1,\"settings\":\"s\",\"inputs\":\"i\",\"containers\":"

TEST(what_can_be_read)
{
	static const struct {
		const char *text;
		enum ledger_state state;
	} rows[] = {
	    {HEAD "{}}", LEDGER_OK},
	    {HEAD "{\"template/a\":{}}}", LEDGER_OK},
	    {HEAD
	     "{\"t/"
	     "a\":{\"env\":{\"A\":\"1\",\"B\":{\"fieldRef\":\"x\"}},\"was\":{\"env\":\"null\"}}}}",
	     LEDGER_OK},
	    {HEAD "{\"t/a\":{\"made\":\"absent\"}}}", LEDGER_OK},
	    {HEAD
	     "{\"t/"
	     "a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--a\"]}]}}}",
	     LEDGER_OK},
	    {HEAD "{\"t/"
		  "a\":{\"edits\":[{\"op\":\"splice\",\"list\":\"args\",\"at\":0,\"offset\":4,"
		  "\"put\":[\" --a\"]}]}}}",
	     LEDGER_OK},
	    {HEAD "{\"t/"
		  "a\":{\"edits\":[{\"op\":\"replace\",\"list\":\"command\",\"at\":0,\"put\":["
		  "\"a\"],\"took\":[\"b\"]}]}}}",
	     LEDGER_OK},
	    {"{\"v\":2,\"whatever\":[]}", LEDGER_NEWER},
	    {"{\"v\":99}", LEDGER_NEWER},
	    {"", LEDGER_BAD},
	    {"{", LEDGER_BAD},
	    {"[]", LEDGER_BAD},
	    {"{}", LEDGER_BAD},
	    {"{\"v\":0,\"containers\":{}}", LEDGER_BAD},
	    {"{\"v\":1,\"rules\":1,\"settings\":\"s\",\"inputs\":\"i\"}", LEDGER_BAD},
	    {"{\"v\":1,\"rules\":0,\"settings\":\"s\",\"inputs\":\"i\",\"containers\":{}}",
	     LEDGER_BAD},
	    {"{\"v\":1,\"rules\":1,\"settings\":1,\"inputs\":\"i\",\"containers\":{}}", LEDGER_BAD},
	    {HEAD "[]}", LEDGER_BAD},
	    {HEAD "{\"t/a\":1}}", LEDGER_BAD},
	    {HEAD "{\"t/a\":{\"env\":[]}}}", LEDGER_BAD},
	    {HEAD "{\"t/a\":{\"env\":{\"A\":1}}}}", LEDGER_BAD},
	    {HEAD "{\"t/a\":{\"was\":{\"env\":\"gone\"}}}}", LEDGER_BAD},
	    {HEAD "{\"t/a\":{\"made\":\"x\"}}}", LEDGER_BAD},
	    {HEAD "{\"t/a\":{\"edits\":{}}}}", LEDGER_BAD},
	    {HEAD
	     "{\"t/a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[]}]}}}",
	     LEDGER_BAD},
	    {HEAD
	     "{\"t/"
	     "a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"env\",\"at\":1,\"put\":[\"a\"]}]}}}",
	     LEDGER_BAD},
	    {HEAD
	     "{\"t/"
	     "a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"args\",\"at\":-1,\"put\":[\"a\"]}]}}}",
	     LEDGER_BAD},
	    {HEAD "{\"t/"
		  "a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"args\",\"at\":1e30,\"put\":[\"a\"]"
		  "}]}}}",
	     LEDGER_BAD},
	    {HEAD
	     "{\"t/"
	     "a\":{\"edits\":[{\"op\":\"replace\",\"list\":\"args\",\"at\":1,\"put\":[\"a\"]}]}}}",
	     LEDGER_BAD},
	    {HEAD
	     "{\"t/"
	     "a\":{\"edits\":[{\"op\":\"splice\",\"list\":\"args\",\"at\":1,\"put\":[\"a\"]}]}}}",
	     LEDGER_BAD},
	    {HEAD "{\"t/"
		  "a\":{\"edits\":[{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"offset\":1,"
		  "\"put\":[\"a\"]}]}}}",
	     LEDGER_BAD},
	    {HEAD "{},\"annotations\":\"x\"}", LEDGER_BAD},
	    {HEAD "{\"a\":{},\"a\":{}}}", LEDGER_BAD},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *object = object_with(rows[i].text);
		struct ledger ledger;
		struct error err = {0};
		CHECK_INT_ROW(ledger_read(object, &ledger, &err), rows[i].state, rows[i].text);
		CHECK((err.message[0] != '\0') == (rows[i].state == LEDGER_BAD));
		CHECK((ledger.tree != NULL) == (rows[i].state == LEDGER_OK));
		CHECK(ledger.settings != NULL || ledger.tree == NULL);
		ledger_release(&ledger);
		cJSON_Delete(object);
	}
	char *crowd = strdup(HEAD "{\"t/a\":{\"env\":{\"N\":\"\"");
	for (int i = 0; i < 40; i++) {
		char *more = xasprintf("%s,\"N%d\":\"\"", crowd, i);
		free(crowd);
		crowd = more;
	}
	char *text = xasprintf("%s}}}}", crowd);
	cJSON *crowded = object_with(text);
	struct ledger many;
	struct error why;
	CHECK_INT(ledger_read(crowded, &many, &why), LEDGER_BAD);
	ledger_release(&many);
	cJSON_Delete(crowded);
	free(text);
	free(crowd);
	cJSON *plain = parse("{\"metadata\":{\"annotations\":{\"tracing.llm-d.io/ledger\":7}}}");
	struct ledger ledger;
	struct error err;
	CHECK_INT(ledger_read(plain, &ledger, &err), LEDGER_BAD);
	ledger_release(&ledger);
	cJSON_Delete(plain);
	plain = parse("{\"metadata\":{}}");
	CHECK_INT(ledger_read(plain, &ledger, &err), LEDGER_NONE);
	ledger_release(&ledger);
	cJSON_Delete(plain);
}

TEST(what_is_written_is_read_back)
{
	char insert_0[] = "--a=1";
	char insert_1[] = "--b";
	char *insert[] = {insert_0, insert_1};
	struct launch_edit edit = {.op = LAUNCH_INSERT,
				   .list = LAUNCH_ARGS,
				   .index = 2,
				   .tokens = insert,
				   .token_count = 2};
	cJSON *written = ledger_new(3, "set", "in", LIST_NULL);
	cJSON *entry = ledger_add(written, "template/vllm");
	ledger_add_edit(entry, &edit);
	cJSON *literal = env_entry(ENV_SERVICE_NAME, "x");
	cJSON *field = env_entry(ENV_RESOURCE_POD, NULL);
	ledger_add_env(entry, literal);
	ledger_add_env(entry, field);
	ledger_add_was(entry, "args", LIST_ABSENT);
	ledger_add_was(entry, "env", LIST_ARRAY);
	ledger_add_made(entry, LIST_ABSENT);
	char *text = json_to_string(written);
	cJSON *object = object_with(text);
	struct ledger ledger;
	struct error err = {0};
	CHECK_INT_ROW(ledger_read(object, &ledger, &err), LEDGER_OK, err.message);
	CHECK_INT(ledger.rules, 3);
	CHECK_STR(ledger.settings, "set");
	CHECK_STR(ledger.inputs, "in");
	CHECK_INT(ledger.annotations, LIST_NULL);
	CHECK(ledger_entry(&ledger, "template/other") == NULL);
	const cJSON *read = ledger_entry(&ledger, "template/vllm");
	enum list_state made = LIST_ARRAY;
	CHECK(ledger_made(read, &made) && made == LIST_ABSENT);
	CHECK_INT(ledger_was(read, "args"), LIST_ABSENT);
	CHECK_INT(ledger_was(read, "env"), LIST_ARRAY);
	CHECK_INT(ledger_env_count(read), 2);
	CHECK(ledger_owns_env(read, literal) && ledger_owns_env(read, field));
	CHECK(ledger_has_edits(read, LAUNCH_ARGS) && !ledger_has_edits(read, LAUNCH_COMMAND));
	cJSON *args = parse("[\"m\",\"x\",\"--a=1\",\"--b\",\"user\"]");
	CHECK(ledger_revert(read, LAUNCH_ARGS, args));
	char *left = json_to_string(args);
	CHECK_STR(left, "[\"m\",\"x\",\"user\"]");
	free(left);
	cJSON_Delete(args);
	ledger_release(&ledger);
	cJSON_Delete(object);
	cJSON_Delete(literal);
	cJSON_Delete(field);
	cJSON_Delete(written);
	free(text);
}

/* Anybody may have changed the entry since, to something that only the API server of a CRD lets through. */
TEST(whose_a_variable_is)
{
	static const struct {
		const char *item;
		bool ours;
	} rows[] = {
	    {"{\"name\":\"A\",\"value\":\"1\"}", true},
	    {"{\"name\":\"A\",\"value\":\"2\"}", false},
	    {"{\"name\":\"A\"}", false},
	    {"{\"name\":\"A\",\"value\":null}", false},
	    {"{\"name\":\"A\",\"valueFrom\":{}}", false},
	    {"{\"name\":\"B\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"x\"}}}", true},
	    {"{\"name\":\"B\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"y\"}}}", false},
	    {"{\"name\":\"B\",\"valueFrom\":{\"fieldRef\":null}}", false},
	    {"{\"name\":\"B\",\"valueFrom\":{}}", false},
	    {"{\"name\":\"B\",\"valueFrom\":null}", false},
	    {"{\"name\":\"B\"}", false},
	    {"{\"name\":1}", false},
	    {"{}", false},
	};
	cJSON *entry = parse("{\"env\":{\"A\":\"1\",\"B\":{\"fieldRef\":\"x\"}}}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *item = parse(rows[i].item);
		CHECK_INT_ROW(ledger_owns_env(entry, item), rows[i].ours, rows[i].item);
		cJSON_Delete(item);
	}
	cJSON_Delete(entry);
}

/* Rule of taking back: ours goes, what is gone is pristine, anything else is the user's. */
TEST(taking_back)
{
	static const struct {
		const char *edits, *now, *wanted;
		bool intact;
	} rows[] = {
	    {"{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--e=1\",\"--d=all\"]}",
	     "[\"m\",\"--e=1\",\"--d=all\"]", "[\"m\"]", true},
	    {"{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--e=1\",\"--d=all\"]}",
	     "[\"m\",\"--x\",\"--e=1\",\"--d=all\",\"--y\"]", "[\"m\",\"--x\",\"--y\"]", true},
	    {"{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--e=1\",\"--d=all\"]}",
	     "[\"m\",\"--e=2\",\"--d=all\"]", "[\"m\",\"--e=2\"]", false},
	    {"{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--e=1\",\"--d=all\"]}",
	     "[\"m\",\"--d=all\"]", "[\"m\"]", false},
	    {"{\"op\":\"insert\",\"list\":\"args\",\"at\":1,\"put\":[\"--e=1\"]}", "[\"m\"]",
	     "[\"m\"]", false},
	    {"{\"op\":\"replace\",\"list\":\"args\",\"at\":1,\"put\":[\"--t=true\"],\"took\":[\"--"
	     "t\",\"false\"]}",
	     "[\"m\",\"--t=true\",\"z\"]", "[\"m\",\"--t\",\"false\",\"z\"]", true},
	    {"{\"op\":\"replace\",\"list\":\"args\",\"at\":1,\"put\":[\"--t=true\"],\"took\":[\"--"
	     "t=false\"]}",
	     "[\"m\",\"--t=false\"]", "[\"m\",\"--t=false\"]", false},
	    {"{\"op\":\"splice\",\"list\":\"args\",\"at\":0,\"offset\":12,\"put\":[\" --e=1\"]}",
	     "[\"vllm serve m --e=1 --x # --e=1\"]", "[\"vllm serve m --x # --e=1\"]", true},
	    {"{\"op\":\"splice\",\"list\":\"args\",\"at\":0,\"offset\":12,\"put\":[\" --e=1\"]}",
	     "[\"sleep 1; vllm serve m --e=1\"]", "[\"sleep 1; vllm serve m\"]", true},
	    {"{\"op\":\"splice\",\"list\":\"args\",\"at\":0,\"offset\":12,\"put\":[\" --e=1\"]}",
	     "[\"vllm serve m --e=2\"]", "[\"vllm serve m --e=2\"]", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = xasprintf("{\"edits\":[%s]}", rows[i].edits);
		cJSON *entry = parse(text);
		cJSON *now = parse(rows[i].now);
		CHECK_INT_ROW(ledger_revert(entry, LAUNCH_ARGS, now), rows[i].intact, rows[i].now);
		char *left = json_to_string(now);
		CHECK_STR_ROW(left, rows[i].wanted, rows[i].now);
		free(left);
		cJSON_Delete(now);
		cJSON_Delete(entry);
		free(text);
	}
}
