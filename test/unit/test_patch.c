/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/patch.h"

#include "test.h"

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &tree, &err) != STATUS_OK)
		printf("%s: %s\n", text, err.message);
	return tree;
}

static void check_text(cJSON *tree, const char *wanted, const char *row)
{
	char *text = tree == NULL ? NULL : json_to_string(tree);
	CHECK_STR_ROW(text, wanted, row);
	free(text);
}

TEST(apply)
{
	static const struct {
		const char *tree, *patch, *wanted;
	} rows[] = {
	    {"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1}"},
	    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}"},
	    {"{\"a\":null}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":[]}]", "{\"a\":[]}"},
	    {"{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":1}]", "{\"a\":[1]}"},
	    {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]", "{\"a\":[1,2]}"},
	    {"{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]",
	     "{\"a\":[1,2,3]}"},
	    {"{\"a\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", "{\"a\":[2]}"},
	    {"{\"a\":[1,2]}",
	     "[{\"op\":\"remove\",\"path\":\"/a/1\"},{\"op\":\"remove\",\"path\":\"/a/0\"}]",
	     "{\"a\":[]}"},
	    {"{\"a\":{\"b\":1},\"c\":2}", "[{\"op\":\"replace\",\"path\":\"/a/b\",\"value\":9}]",
	     "{\"a\":{\"b\":9},\"c\":2}"},
	    {"{\"a\":[1,2,3]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":9}]",
	     "{\"a\":[1,9,3]}"},
	    {"{\"x/y~z\":1}", "[{\"op\":\"replace\",\"path\":\"/x~1y~0z\",\"value\":2}]",
	     "{\"x/y~z\":2}"},
	    {"{\"a\":1}",
	     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0},{\"op\":\"remove\",\"path\":\"/"
	     "a\"}]",
	     "{}"},
	    {"{\"n\":9223372036854775808,\"e\":1e400}",
	     "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1}]",
	     "{\"n\":9223372036854775808,\"e\":1e400,\"a\":1}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *tree = parse(rows[i].tree);
		cJSON *patch = parse(rows[i].patch);
		struct error err = {0};
		CHECK_INT_ROW(patch_apply(tree, patch, &err), STATUS_OK, err.message);
		check_text(tree, rows[i].wanted, rows[i].patch);
		cJSON_Delete(tree);
		cJSON_Delete(patch);
	}
}

TEST(what_cannot_be_applied)
{
	static const struct {
		const char *patch;
		enum status status;
	} rows[] = {
	    {"{}", STATUS_INVALID},
	    {"[{}]", STATUS_INVALID},
	    {"[{\"op\":\"move\",\"path\":\"/a\",\"from\":\"/b\"}]", STATUS_INVALID},
	    {"[{\"op\":\"add\",\"path\":\"/a/9\",\"value\":1}]", STATUS_INVALID},
	    {"[{\"op\":\"add\",\"path\":\"/a/x\",\"value\":1}]", STATUS_INVALID},
	    {"[{\"op\":\"add\",\"path\":\"/a/1\"}]", STATUS_INVALID},
	    {"[{\"op\":\"add\",\"path\":\"/q/r\",\"value\":1}]", STATUS_INVALID},
	    {"[{\"op\":\"add\",\"path\":\"\",\"value\":1}]", STATUS_INVALID},
	    {"[{\"op\":\"replace\",\"path\":\"/q\",\"value\":1}]", STATUS_INVALID},
	    {"[{\"op\":\"remove\",\"path\":\"/a/1\"}]", STATUS_INVALID},
	    {"[{\"op\":\"test\",\"path\":\"/a/0\",\"value\":2}]", STATUS_CONFLICT},
	    {"[{\"op\":\"test\",\"path\":\"/q\",\"value\":null}]", STATUS_CONFLICT},
	    {"[{\"op\":\"test\",\"path\":\"/a\"}]", STATUS_CONFLICT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *tree = parse("{\"a\":[1]}");
		cJSON *patch = parse(rows[i].patch);
		struct error err = {0};
		CHECK_INT_ROW(patch_apply(tree, patch, &err), rows[i].status, rows[i].patch);
		CHECK(err.message[0] != '\0');
		cJSON_Delete(tree);
		cJSON_Delete(patch);
	}
}

static void count_change(void *context, const char *pointer, const cJSON *old, const cJSON *new)
{
	size_t *count = context;
	CHECK(pointer[0] == '/' && (old != NULL || new != NULL));
	(*count)++;
}

/* Both lists as JSON; "-" is an absent one. The operations are checked by applying them, too. */
static void check_list(const char *now_text, const char *wanted_text, bool keyed,
		       const char *operations, const char *tests)
{
	cJSON *now = strcmp(now_text, "-") == 0 ? NULL : parse(now_text);
	cJSON *wanted = strcmp(wanted_text, "-") == 0 ? NULL : parse(wanted_text);
	struct list_view a;
	struct list_view b;
	struct patch patch;
	size_t changes = 0;
	list_view_read(now, &a);
	list_view_read(wanted, &b);
	patch_init(&patch);
	bool any = patch_list(&patch, "/l", &a, &b, keyed, count_change, &changes);
	CHECK_INT_ROW(any, patch.operations->child != NULL, now_text);
	check_text(patch.operations, operations, now_text);
	if (tests != NULL)
		check_text(patch.tests, tests, now_text);
	cJSON *tree = cJSON_CreateObject();
	cJSON *goal = cJSON_CreateObject();
	if (now != NULL)
		json_set(tree, "l", json_clone(now));
	if (wanted != NULL)
		json_set(goal, "l", json_clone(wanted));
	struct error err = {0};
	CHECK_INT_ROW(patch_apply(tree, patch.tests, &err), STATUS_OK, err.message);
	CHECK_INT_ROW(patch_apply(tree, patch.operations, &err), STATUS_OK, err.message);
	CHECK(json_equal(tree, goal));
	cJSON_Delete(tree);
	cJSON_Delete(goal);
	patch_release(&patch);
	list_view_release(&a);
	list_view_release(&b);
	cJSON_Delete(now);
	cJSON_Delete(wanted);
}

TEST(lists_without_keys)
{
	static const struct {
		const char *now, *wanted, *operations, *tests;
	} rows[] = {
	    {"-", "-", "[]", "[]"},
	    {"null", "null", "[]", "[]"},
	    {"[]", "[]", "[]", "[]"},
	    {"[\"a\"]", "[\"a\"]", "[]", "[]"},
	    {"-", "[\"a\"]", "[{\"op\":\"add\",\"path\":\"/l\",\"value\":[\"a\"]}]", "[]"},
	    {"null", "[\"a\"]", "[{\"op\":\"add\",\"path\":\"/l\",\"value\":[\"a\"]}]",
	     "[{\"op\":\"test\",\"path\":\"/l\",\"value\":null}]"},
	    {"[]", "[\"a\"]", "[{\"op\":\"replace\",\"path\":\"/l\",\"value\":[\"a\"]}]",
	     "[{\"op\":\"test\",\"path\":\"/l\",\"value\":[]}]"},
	    {"[\"a\"]", "-", "[{\"op\":\"remove\",\"path\":\"/l\"}]",
	     "[{\"op\":\"test\",\"path\":\"/l\",\"value\":[\"a\"]}]"},
	    {"[\"a\"]", "null", "[{\"op\":\"replace\",\"path\":\"/l\",\"value\":null}]", NULL},
	    {"[\"a\"]", "[]", "[{\"op\":\"replace\",\"path\":\"/l\",\"value\":[]}]", NULL},
	    {"[\"a\"]", "[\"a\",\"b\",\"c\"]",
	     "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":\"b\"},{\"op\":\"add\",\"path\":\"/l/"
	     "2\",\"value\":"
	     "\"c\"}]",
	     "[{\"op\":\"test\",\"path\":\"/l\",\"value\":[\"a\"]}]"},
	    {"[\"a\",\"b\",\"c\"]", "[\"a\",\"c\"]", "[{\"op\":\"remove\",\"path\":\"/l/1\"}]",
	     NULL},
	    {"[\"a\",\"b\",\"c\"]", "[\"a\",\"x\",\"c\"]",
	     "[{\"op\":\"replace\",\"path\":\"/l/1\",\"value\":\"x\"}]", NULL},
	    {"[\"a\",\"b\"]", "[\"b\",\"c\"]",
	     "[{\"op\":\"remove\",\"path\":\"/l/0\"},{\"op\":\"add\",\"path\":\"/l/"
	     "1\",\"value\":\"c\"}]",
	     NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_list(rows[i].now, rows[i].wanted, false, rows[i].operations, rows[i].tests);
}

/* Values may be secrets: what is not touched is tested by name alone. */
TEST(lists_with_keys)
{
	static const struct {
		const char *now, *wanted, *operations, *tests;
	} rows[] = {
	    {"[{\"name\":\"a\",\"value\":\"secret\"}]",
	     "[{\"name\":\"a\",\"value\":\"secret\"},{\"name\":\"b\",\"value\":\"1\"}]",
	     "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":{\"name\":\"b\",\"value\":\"1\"}}]",
	     "[{\"op\":\"test\",\"path\":\"/l/0/name\",\"value\":\"a\"}]"},
	    {"[{\"name\":\"a\",\"value\":\"1\"}]", "[{\"name\":\"a\",\"value\":\"2\"}]",
	     "[{\"op\":\"replace\",\"path\":\"/l/0/value\",\"value\":\"2\"}]",
	     "[{\"op\":\"test\",\"path\":\"/l/0/value\",\"value\":\"1\"}]"},
	    {"[{\"name\":\"a\",\"value\":\"1\"}]", "[{\"name\":\"b\",\"value\":\"1\"}]",
	     "[{\"op\":\"replace\",\"path\":\"/l/0\",\"value\":{\"name\":\"b\",\"value\":\"1\"}}]",
	     NULL},
	    {"[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
	     "[{\"name\":\"a\"},{\"name\":\"c\"}]", "[{\"op\":\"remove\",\"path\":\"/l/1\"}]",
	     "[{\"op\":\"test\",\"path\":\"/l/1\",\"value\":{\"name\":\"b\"}}]"},
	    {"[{\"name\":\"a\",\"value\":\"x\"},{\"value\":\"x\",\"name\":\"b\"}]",
	     "[{\"value\":\"x\",\"name\":\"a\"},{\"name\":\"b\",\"value\":\"x\"}]", "[]", "[]"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_list(rows[i].now, rows[i].wanted, true, rows[i].operations, rows[i].tests);
}

/* Two long lists, of `count` elements, one made by `alter` of the other. */
static size_t operations_of_long_lists(int count, bool keyed, const char *(*alter)(int i))
{
	cJSON *now = cJSON_CreateArray();
	cJSON *wanted = cJSON_CreateArray();
	char text[64];
	for (int i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), keyed ? "{\"name\":\"a%d\"}" : "\"a%d\"", i);
		cJSON_AddItemToArray(now, parse(text));
		const char *other = alter(i);
		if (other == NULL)
			cJSON_AddItemToArray(wanted, parse(text));
		else if (other[0] != '\0')
			cJSON_AddItemToArray(wanted, parse(other));
	}
	struct list_view a;
	struct list_view b;
	struct patch patch;
	size_t changes = 0;
	struct error err = {0};
	list_view_read(now, &a);
	list_view_read(wanted, &b);
	patch_init(&patch);
	CHECK(patch_list(&patch, "/l", &a, &b, keyed, count_change, &changes));
	cJSON *tree = cJSON_CreateObject();
	json_set(tree, "l", json_clone(now));
	CHECK_INT_ROW(patch_apply(tree, patch.tests, &err), STATUS_OK, err.message);
	CHECK_INT_ROW(patch_apply(tree, patch.operations, &err), STATUS_OK, err.message);
	CHECK(json_equal(json_member(tree, "l"), wanted));
	size_t operations = (size_t)cJSON_GetArraySize(patch.operations);
	cJSON_Delete(tree);
	patch_release(&patch);
	list_view_release(&a);
	list_view_release(&b);
	cJSON_Delete(now);
	cJSON_Delete(wanted);
	return operations;
}

static const char *drop_two_far_apart(int i)
{
	return i == 1 || i == 998 ? "" : NULL;
}

static const char *change_two_near(int i)
{
	return i == 500 || i == 502 ? "{\"name\":\"other\"}" : NULL;
}

static const char *change_all(int i)
{
	return i % 2 == 0 ? "{\"name\":\"x\"}" : "{\"name\":\"y\"}";
}

TEST(long_lists)
{
	CHECK_INT(operations_of_long_lists(1000, false, drop_two_far_apart), 2);
	CHECK_INT(operations_of_long_lists(1000, true, drop_two_far_apart), 2);
	CHECK_INT(operations_of_long_lists(1000, true, change_two_near), 2);
	/* Too different for a table: one operation. */
	CHECK_INT(operations_of_long_lists(1000, true, change_all), 1);
	CHECK_INT(operations_of_long_lists(1000, false, change_all), 1);
}
