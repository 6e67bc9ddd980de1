/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/yaml. What scalars and documents mean is compared with the recorded answers of
 * sigs.k8s.io/yaml (test/yaml-oracle/README.md); the working directory is the repository.
 */
#include "test/unit/test.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		printf("%s: cannot be opened\n", path);
		exit(1);
	}
	struct buffer out;
	buffer_init(&out, MIB(1));
	char piece[4096];
	size_t n;
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		buffer_add(&out, piece, n);
	fclose(file);
	return TAKE_PTR(out.data);
}

/* Where we differ from sigs.k8s.io/yaml on purpose. */
static const struct {
	const char *text;
	const char *json; /* NULL: refused */
} differences[] = {
    /* Means something else than it seems to. */
    {"a: 1\na: 2\n", NULL},
    {"a: 1\n\"a\": 2\n", NULL},
    {"1: y\n\"1\": y\n", NULL},
    {"a: 1\n<<: {a: 2}\na: 3\n", NULL},
    {"<<: {a: 1}\na: 2\n<<: {a: 3}\n", "{\"a\":3}"},
    /* No Kubernetes string holds it. */
    {"a: \"\\0\"\n", NULL},
    {"a: \"\\e\\a\\v\\0\"", NULL},
    /* Its own documentation says "not supported". */
    {"v: !!binary aGk=", NULL},
    {".inf: x\n", NULL},
    /* Go loses digits. */
    {"v: 18446744073709551616", "{\"v\":18446744073709551616}"},
    {"v: +9223372036854775808", "{\"v\":9223372036854775808}"},
    {"v: -9223372036854775809", "{\"v\":-9223372036854775809}"},
    {"v: 123456789012345678901234567890", "{\"v\":123456789012345678901234567890}"},
};

static void check_answer(const cJSON *answer)
{
	const char *text = json_str(answer, "yaml");
	const char *json = json_str(answer, "json");
	struct error err = {0};
	struct yaml_stream stream = {0};
	enum status status = yaml_read_stream(text, strlen(text), &stream, NULL, &err);
	for (size_t i = 0; i < ARRAY_LEN(differences); i++)
		if (text_equal(differences[i].text, text))
			json = differences[i].json;
	if (json == NULL) {
		if (!test_check(status == STATUS_INVALID, __FILE__, __LINE__, text))
			yaml_stream_release(&stream);
		return;
	}
	if (!test_check(status == STATUS_OK, __FILE__, __LINE__, text)) {
		printf("  %s\n", err.message);
		return;
	}
	cJSON *want = NULL;
	if (json_parse(json, strlen(json), &want, &err) != STATUS_OK)
		test_check(false, __FILE__, __LINE__, err.message);
	const cJSON *got = stream.count > 0 ? stream.documents[0].tree : NULL;
	bool same = got == NULL ? cJSON_IsNull(want) : json_equal(got, want);
	if (!same) {
		char *printed = got == NULL ? xstrdup("nothing") : json_to_string(got);
		test_check_str(printed, json, __FILE__, __LINE__, text);
		free(printed);
	}
	json_freep(&want);
	yaml_stream_release(&stream);
}

static void check_answers(const char *path, size_t at_least)
{
	char *text = read_file(path);
	cJSON *answers = NULL;
	struct error err;
	if (json_parse(text, strlen(text), &answers, &err) != STATUS_OK)
		printf("%s: %s\n", path, err.message);
	size_t count = 0;
	for (const cJSON *a = answers != NULL ? answers->child : NULL; a != NULL; a = a->next) {
		check_answer(a);
		count++;
	}
	CHECK(count >= at_least);
	json_freep(&answers);
	free(text);
}

TEST(scalars_mean_what_kubectl_reads)
{
	check_answers("test/yaml-oracle/scalars.json", 150);
}

TEST(documents_mean_what_kubectl_reads)
{
	check_answers("test/yaml-oracle/documents.json", 80);
}

TEST(numbers_keep_their_text)
{
	static const char *const rows[][2] = {
	    {"9007199254740993", "9007199254740993"},
	    {"1.10", "1.10"},
	    {"1e3", "1e3"},
	    {"123456789012345678901234567890", "123456789012345678901234567890"},
	    {"0x10", "16"},
	    {"0755", "493"},
	    {"+5", "5"},
	    {"1_000", "1000"},
	    {".5", "0.5"},
	    {"5.", "5"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *tree = NULL;
		struct error err;
		CHECK_INT_ROW(yaml_read(rows[i][0], strlen(rows[i][0]), &tree, &err), STATUS_OK,
			      rows[i][0]);
		char *text = json_to_string(tree);
		CHECK_STR_ROW(text, rows[i][1], rows[i][0]);
		free(text);
		json_freep(&tree);
	}
}

TEST(ranges_cover_the_stream)
{
	static const struct {
		const char *text;
		size_t count;
		const char *parts; /* the texts of the documents, a | between them */
	} rows[] = {
	    {"a: 1\n", 1, "a: 1\n"},
	    {"# c\na: 1\n---\nb: 2\n", 2, "# c\na: 1\n|---\nb: 2\n"},
	    {"---\na: 1\n---\n---\nb: 2", 3, "---\na: 1\n|---\n|---\nb: 2"},
	    {"---\n# é ü 漢\na: é\n---\nb: 2\n", 2, "---\n# é ü 漢\na: é\n|---\nb: 2\n"},
	    {"\xEF\xBB\xBF"
	     "a: é\n---\nb: 2\n",
	     2,
	     "\xEF\xBB\xBF"
	     "a: é\n|---\nb: 2\n"},
	    {"a: 1\r\n---\r\nb: 2\r\n", 2, "a: 1\r\n|---\r\nb: 2\r\n"},
	    {"a: 1\n...\n---\nb: 2\n...\n", 2, "a: 1\n...\n|---\nb: 2\n...\n"},
	    {"# only\n", 1, "# only\n"},
	    {"{\"a\":1}\n {\"b\":2}\n", 2, "{\"a\":1}|\n {\"b\":2}\n"},
	    {"a: |+\n  x\n\n---\nb: 1\n", 2, "a: |+\n  x\n\n|---\nb: 1\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml_stream stream = {0};
		struct error err = {0};
		const char *text = rows[i].text;
		enum status status = yaml_read_stream(text, strlen(text), &stream, NULL, &err);
		CHECK_STR_ROW(status == STATUS_OK ? "" : err.message, "", text);
		CHECK_INT_ROW(stream.count, rows[i].count, text);
		struct buffer parts;
		buffer_init(&parts, KIB(4));
		size_t at = 0;
		for (size_t d = 0; d < stream.count; d++) {
			CHECK_INT_ROW(stream.documents[d].start, at, text);
			at = stream.documents[d].end;
			if (d > 0)
				buffer_add_char(&parts, '|');
			buffer_add(&parts, text + stream.documents[d].start,
				   at - stream.documents[d].start);
		}
		CHECK_INT_ROW(at, strlen(text), text);
		/* A literal block has its own bar. */
		CHECK_STR_ROW(parts.data, rows[i].parts, text);
		buffer_release(&parts);
		yaml_stream_release(&stream);
	}
}

TEST(comments_are_noticed)
{
	static const struct {
		const char *text;
		bool comments;
	} rows[] = {
	    {"a: 1\n", false},           {"a: 1 # c\n", true},        {"# c\na: 1\n", true},
	    {"a: 1\n# c\n", true},       {"a: \"x # y\"\n", false},   {"a: x#y\n", false},
	    {"a: |\n  # not\n", false},  {"a: | # c\n  x\n", true},   {"a: 'it #1'\n", false},
	    {"a: [1, # c\n 2]\n", true}, {"a: >-\n  x # y\n", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml_stream stream = {0};
		struct error err;
		const char *text = rows[i].text;
		CHECK_INT_ROW(yaml_read_stream(text, strlen(text), &stream, NULL, &err), STATUS_OK,
			      text);
		CHECK_INT_ROW(stream.documents[0].has_comments, rows[i].comments, text);
		yaml_stream_release(&stream);
	}
}

/* A text of `unit` said `count` times. */
static char *repeat(const char *before, const char *unit, size_t count)
{
	struct buffer out;
	buffer_init(&out, LIMIT_STREAM_BYTES + KIB(64));
	buffer_add_str(&out, before);
	for (size_t i = 0; i < count; i++)
		buffer_add_str(&out, unit);
	return TAKE_PTR(out.data);
}

static void check_limit(const char *what, const char *text, size_t most_bytes, size_t most_nodes)
{
	struct yaml_stream stream = {0};
	struct yaml_stats stats = {0};
	struct error err = {0};
	enum status status = yaml_read_stream(text, strlen(text), &stream, &stats, &err);
	CHECK_INT_ROW(status, STATUS_LIMIT, what);
	if (status == STATUS_OK)
		yaml_stream_release(&stream);
	test_check(stats.bytes <= most_bytes, __FILE__, __LINE__, what);
	test_check(stats.nodes <= most_nodes, __FILE__, __LINE__, what);
	test_check(strstr(err.message, "document ") != NULL, __FILE__, __LINE__, err.message);
}

TEST(ceilings_end_the_reading_early)
{
	/* 160 KB of "[": libyaml looks ahead 1024 characters for a simple key. */
	char *text = repeat("", "[", 160000);
	check_limit("brackets", text, KIB(24), 100);
	free(text);
	text = repeat("", "{\"a\":", 40000);
	check_limit("JSON braces", text, KIB(24), 100);
	free(text);
	text = repeat("", "- ", 80000);
	check_limit("dashes", text, KIB(24), 100);
	free(text);
	text = repeat("a: ", "x", LIMIT_DOCUMENT_BYTES * 3);
	check_limit("one long scalar", text, LIMIT_DOCUMENT_BYTES + KIB(64), 10);
	free(text);
	text = repeat("", "- x\n", LIMIT_YAML_NODES * 2);
	check_limit("many nodes", text, LIMIT_YAML_NODES * 4 + KIB(64), LIMIT_YAML_NODES + 1);
	free(text);
	struct buffer bomb;
	buffer_init(&bomb, KIB(64));
	buffer_add_str(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		buffer_addf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buffer_addf(&bomb, "*a%d,", i - 1);
		buffer_add_str(&bomb, "]\n");
	}
	check_limit("alias bomb", bomb.data, KIB(8), LIMIT_YAML_NODES + 1);
	buffer_release(&bomb);
	text = repeat("a: &a ", "x", MIB(3));
	char *more = repeat(text, "\nb: *a\n- *a", 1);
	free(more);
	struct buffer fat;
	buffer_init(&fat, MIB(8));
	buffer_add_str(&fat, text);
	buffer_add_str(&fat, "\nb: [*a, *a, *a, *a, *a, *a, *a, *a]\n");
	check_limit("fat aliases", fat.data, MIB(3) + KIB(64), 100);
	buffer_release(&fat);
	free(text);
}

TEST(messages_name_the_place)
{
	static const char *const rows[][2] = {
	    {"a: 1\n---\nspec:\n  x: 1\n  y: 2\n  x: 3\n",
	     "document 2: line 6 column 3: spec.x: duplicate key"},
	    {"{\"a\":{\"b\":1,\"b\":2}}", "duplicate key"},
	    {"a: \xFF\n", "invalid UTF-8"},
	    {"a: [1\n", "document 1: line 2"},
	    {"a: .inf\n", "a: a value (.inf, .nan)"},
	    {"a: 1\n---\nb: \t- x\n  c: d\n", "document 2: line "},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct yaml_stream stream = {0};
		struct error err = {0};
		CHECK_INT_ROW(yaml_read_stream(rows[i][0], strlen(rows[i][0]), &stream, NULL, &err),
			      STATUS_INVALID, rows[i][0]);
		if (!test_check(strstr(err.message, rows[i][1]) != NULL, __FILE__, __LINE__,
				rows[i][1]))
			printf("  %s\n", err.message);
	}
}

static void check_round_trip(const cJSON *tree, const char *row)
{
	struct buffer text;
	buffer_init(&text, MIB(1));
	yaml_print(tree, &text);
	cJSON *again = NULL;
	struct error err = {0};
	enum status status = yaml_read(text.data, text.len, &again, &err);
	if (!CHECK_INT_ROW(status, STATUS_OK, row))
		printf("%s\n%s\n", err.message, text.data);
	else if (!test_check(json_equal(tree, again), __FILE__, __LINE__, row))
		printf("%s\n", text.data);
	CHECK(text.len > 0 && text.data[text.len - 1] == '\n');
	json_freep(&again);
	buffer_release(&text);
}

static const char *const hard_strings[] = {
    "",
    " ",
    "  x",
    "x ",
    "yes",
    "No",
    "ON",
    "y",
    "null",
    "~",
    "1",
    "0755",
    "0x1F",
    "1e3",
    "1_000",
    ".5",
    "-",
    "--",
    "---",
    "- x",
    "-x",
    "--port=8000",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "a#b",
    "[a]",
    "{a}",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "'",
    "\"",
    "it's",
    "a\"b",
    "a\\b",
    "\n",
    "\n\n",
    "a\n",
    "a\nb",
    "a\nb\n\n",
    " a\nb\n",
    "\ta\nb",
    "a\n b\n",
    "a\n\tb\n",
    "a\n\n b\n",
    "a \nb \n",
    "\na\n",
    "a\rb",
    "a\r\nb\n",
    "\t",
    "a\tb",
    "é",
    "漢字",
    "\xC2\x85",
    "\xE2\x80\xA8x",
    "\xEF\xBB\xBF",
    "\x01",
    "\x7F",
    "\xF0\x9F\x98\x80",
    "12:30:45",
    "2001-12-14",
    "1.2.3",
    "=",
    "<<",
    "...",
    ".inf",
    ".NaN",
    "inf",
    "a, b",
    "a]b",
    "?",
    "? a",
    ":",
    "://",
    "{{ x }}",
    "$(POD_IP)",
    "exec vllm serve \\\n  --x # y\n",
    "a\n---\nb\n",
    "a\n...\n",
};

TEST(strings_survive_printing)
{
	for (size_t i = 0; i < ARRAY_LEN(hard_strings); i++) {
		const char *s = hard_strings[i];
		cJSON *alone = cJSON_CreateString(s);
		check_round_trip(alone, s);
		json_freep(&alone);
		cJSON *tree = cJSON_CreateObject();
		json_set_str(tree, "value", s);
		cJSON *list = json_set_array(tree, "list");
		json_insert(list, 0, cJSON_CreateString(s));
		cJSON *inner = json_set_object(json_set_object(tree, "deep"), "er");
		json_set_str(inner, s, s);
		json_insert(list, 1, json_clone(inner));
		cJSON *lists = cJSON_CreateArray();
		json_insert(lists, 0, cJSON_CreateString(s));
		json_insert(lists, 1, cJSON_CreateArray());
		json_insert(list, 1, lists);
		json_set_str(tree, "last", s);
		check_round_trip(tree, s);
		json_freep(&tree);
	}
}

TEST(a_long_key_is_still_a_key)
{
	char *key = repeat("k:", "x\"y ", 1000);
	cJSON *tree = cJSON_CreateObject();
	json_set_str(json_set_object(tree, "fields"), key, "v");
	json_set_object(json_set_object(tree, "more"), key);
	check_round_trip(tree, "long key");
	json_freep(&tree);
	free(key);
}

TEST(printing_looks_like_kubectl)
{
	static const char json[] =
	    "{\"a\":[{\"name\":\"x\",\"args\":[\"--port=8000\",\"1\"]},[1,[2]]],\"e\":{},\"f\":[],"
	    "\"l\":null,\"s\":\"a\\nb\\n\",\"x\":1e3,\"q\":\"{\\\"a\\\": 1}\"}";
	static const char want[] =
	    "a:\n- name: x\n  args:\n  - --port=8000\n  - \"1\"\n- - 1\n  - - 2\n"
	    "e: {}\nf: []\nl: null\ns: |\n  a\n  b\nx: 1e3\n"
	    "q: '{\"a\": 1}'\n";
	cJSON *tree = NULL;
	struct error err;
	CHECK_INT(json_parse(json, strlen(json), &tree, &err), STATUS_OK);
	struct buffer out;
	buffer_init(&out, KIB(4));
	yaml_print(tree, &out);
	CHECK_STR(out.data, want);
	check_round_trip(tree, json);
	buffer_release(&out);
	json_freep(&tree);
}
