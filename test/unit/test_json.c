/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/limits.h"

static const struct {
	const char *text;
	const char *printed; /* compact, or NULL: refused with a message that holds `complaint` */
	const char *complaint;
} parse_table[] = {
    {"{}", "{}", NULL},
    {" [ 1 , 2 ] ", "[1,2]", NULL},
    {"{\"a\":9007199254740993}", "{\"a\":9007199254740993}", NULL},
    {"[1e400,0.10,-0,18446744073709551616]", "[1e400,0.10,-0,18446744073709551616]", NULL},
    {"\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"\xC3\xA9\xF0\x9F\x98\x80\\n/\"", NULL},
    {"\"\\ud83d\"", "\"\xEF\xBF\xBD\"", NULL},
    {"\"\\u001f\\u007f\"", "\"\\u001f\x7f\"", NULL},
    {"{\"a\":1,\"b\":{},\"a\":2}", NULL, "duplicate key \"a\""},
    {"{\"A\":1,\"a\":2}", "{\"A\":1,\"a\":2}", NULL},
    {"\"\\u0000\"", NULL, "\\u0000"},
    {"\"a\nb\"", NULL, "raw control character"},
    {"\"\xC3\"", NULL, "invalid UTF-8"},
    {"\"\xED\xA0\x80\"", NULL, "invalid UTF-8"},
    {"\"\xC0\xAF\"", NULL, "invalid UTF-8"},
    {"01", NULL, "not a JSON value"},
    {"1.", NULL, "digits after its point"},
    {"1e", NULL, "exponent"},
    {"+1", NULL, "not a JSON value"},
    {"NaN", NULL, "not a JSON value"},
    {"tru", NULL, "not a JSON value"},
    {"", NULL, "ends too early"},
    {"[1,]", NULL, "not a JSON value"},
    {"[1 2]", NULL, "expected ',' or ']'"},
    {"{\"a\":1,}", NULL, "key in quotes"},
    {"{\"a\" 1}", NULL, "colon"},
    {"{} {}", NULL, "text after the end"},
    {"\"abc", NULL, "no end"},
    {"\"abc\\", NULL, "no end"},
    {"\"\\u12\"", NULL, "four hexadecimal"},
    {"\"\\x\"", NULL, "unknown escape"},
    {"[\n  1,\n  x]", NULL, "line 3 column 3"},
};

TEST(parse_and_print)
{
	for (size_t i = 0; i < ARRAY_LEN(parse_table); i++) {
		cJSON *tree = NULL;
		struct error err = {.message = ""};
		const char *text = parse_table[i].text;
		enum status status = json_parse(text, strlen(text), &tree, &err);
		if (parse_table[i].printed != NULL) {
			if (CHECK_INT_ROW(status, STATUS_OK, text)) {
				char *printed = json_to_string(tree);
				CHECK_STR_ROW(printed, parse_table[i].printed, text);
				free(printed);
			}
		} else {
			CHECK_INT_ROW(status, STATUS_INVALID, text);
			if (!CHECK(strstr(err.message, parse_table[i].complaint) != NULL))
				printf("  %s: %s\n", text, err.message);
		}
		json_freep(&tree);
	}
}

TEST(many_keys_duplicate)
{
	struct buffer text;
	buffer_init(&text, KIB(64));
	buffer_add_char(&text, '{');
	for (int i = 0; i < 100; i++)
		buffer_addf(&text, "\"k%d\":%d,", i, i);
	buffer_add_str(&text, "\"k50\":0}");
	cJSON *tree = NULL;
	struct error err;
	CHECK_INT(json_parse(text.data, text.len, &tree, &err), STATUS_INVALID);
	CHECK(strstr(err.message, "\"k50\"") != NULL);
	buffer_release(&text);
}

/* Brackets nested `depth` times; the outermost value is at depth 0. */
static enum status parse_nested(int depth)
{
	struct buffer text;
	buffer_init(&text, KIB(64));
	for (int i = 0; i < depth; i++)
		buffer_add_char(&text, '[');
	for (int i = 0; i < depth; i++)
		buffer_add_char(&text, ']');
	cJSON *tree = NULL;
	struct error err;
	enum status status = json_parse(text.data, text.len, &tree, &err);
	json_freep(&tree);
	buffer_release(&text);
	return status;
}

TEST(depth_ceiling)
{
	CHECK_INT(parse_nested(LIMIT_JSON_DEPTH), STATUS_OK);
	CHECK_INT(parse_nested(LIMIT_JSON_DEPTH + 1), STATUS_OK);
	CHECK_INT(parse_nested(LIMIT_JSON_DEPTH + 2), STATUS_LIMIT);
}

static const struct {
	const char *a;
	const char *b;
	bool equal;
} equal_table[] = {
    {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
    {"[1,2]", "[2,1]", false},
    {"1", "1.0", true},
    {"-0", "0", true},
    {"9007199254740993", "9007199254740992", false},
    {"{\"a\":null}", "{}", false},
    {"null", "null", true},
    {"\"1\"", "1", false},
    {"{\"a\":[{\"x\":true}]}", "{\"a\":[{\"x\":false}]}", false},
};

TEST(equal)
{
	for (size_t i = 0; i < ARRAY_LEN(equal_table); i++) {
		cJSON *a = NULL;
		cJSON *b = NULL;
		struct error err;
		CHECK_INT(json_parse(equal_table[i].a, strlen(equal_table[i].a), &a, &err),
			  STATUS_OK);
		CHECK_INT(json_parse(equal_table[i].b, strlen(equal_table[i].b), &b, &err),
			  STATUS_OK);
		CHECK_INT_ROW(json_equal(a, b), equal_table[i].equal, equal_table[i].a);
		json_freep(&a);
		json_freep(&b);
	}
}

TEST(look_ups)
{
	const char *text = "{\"m\":{\"n\":\"x\",\"i\":7,\"f\":1.5,\"t\":true,\"Name\":1},\"l\":[{"
			   "\"name\":\"a\",\"v\":1},"
			   "{\"name\":\"a\",\"v\":2}],\"a/b~c\":[0,{\"d\":5}]}";
	cJSON *tree = NULL;
	struct error err;
	CHECK_INT(json_parse(text, strlen(text), &tree, &err), STATUS_OK);
	CHECK_STR(json_str(tree, "m.n"), "x");
	CHECK(json_str(tree, "m.i") == NULL);
	CHECK(json_get(tree, "m.name") == NULL);
	CHECK(json_get(tree, "m.n.o") == NULL);
	CHECK_INT(json_int(tree, "m.i", -1), 7);
	CHECK_INT(json_int(tree, "m.f", -1), -1);
	CHECK(json_bool(tree, "m.t", false));
	CHECK_INT(json_int(json_named(json_get(tree, "l"), "a"), "v", 0), 2);
	CHECK(json_named(json_get(tree, "l"), "b") == NULL);
	CHECK(json_named(json_get(tree, "l"), NULL) == NULL);
	CHECK(json_member(tree, NULL) == NULL); /* the key of a list's item */
	CHECK(json_member_mut(tree, NULL) == NULL);
	CHECK_INT(json_int(json_pointer_get(tree, "/a~1b~0c/1"), "d", 0), 5);
	CHECK(json_pointer_get(tree, "/a~1b~0c/2") == NULL);
	CHECK(json_pointer_get(tree, "/l/-") == NULL);
	CHECK(json_pointer_get(tree, "") == tree);
	json_freep(&tree);
}

TEST(build_and_clone)
{
	cJSON *tree = cJSON_CreateObject();
	json_set_str(tree, "s", "t");
	json_set_int(tree, "n", 1000000000000000L);
	json_set_bool(json_set_object(tree, "o"), "b", false);
	json_set_str(tree, "s", "u");
	cJSON *copy = json_clone(tree);
	char *text = json_to_string(copy);
	CHECK_STR(text, "{\"s\":\"u\",\"n\":1000000000000000,\"o\":{\"b\":false}}");
	free(text);
	struct buffer out;
	buffer_init(&out, 100);
	json_print_canonical(copy, &out);
	CHECK_STR(out.data, "{\"n\":1000000000000000,\"o\":{\"b\":false},\"s\":\"u\"}");
	buffer_clear(&out);
	json_pointer_add(&out, "a/b~c");
	json_pointer_add_index(&out, 3);
	CHECK_STR(out.data, "/a~1b~0c/3");
	buffer_release(&out);
	json_freep(&tree);
	json_freep(&copy);
}

TEST(print_invalid_utf8)
{
	struct buffer out;
	buffer_init(&out, 100);
	json_print_string("a\xFF\xC3\xA9\x01z", &out);
	CHECK_STR(out.data, "\"a\xEF\xBF\xBD\xC3\xA9\\u0001z\"");
	buffer_release(&out);
}

TEST(insert_at_every_place)
{
	static const char *const want[] = {"[\"x\",\"a\",\"b\"]", "[\"a\",\"x\",\"b\"]",
					   "[\"a\",\"b\",\"x\"]", "[\"a\",\"b\",\"x\"]"};
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cJSON *list CLEANUP(json_freep) = cJSON_CreateArray();
		json_insert(list, i, cJSON_CreateString("b"));
		json_insert(list, 0, cJSON_CreateString("a"));
		json_insert(list, i, cJSON_CreateString("x"));
		char *text CLEANUP(str_freep) = json_to_string(list);
		CHECK_STR(text, want[i]);
		CHECK_INT(cJSON_GetArraySize(list), 3);
		/* the links are whole: appending still works */
		cJSON_AddItemToArray(list, cJSON_CreateString("z"));
		CHECK_STR(cJSON_GetArrayItem(list, 3)->valuestring, "z");
	}
}
