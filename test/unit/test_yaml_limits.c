/* SPDX-License-Identifier: Apache-2.0 */
/* base/yaml: what it refuses, after how much, with which words; and the ranges of documents. */
#include "test/unit/test.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"

/* What we refuse though kubectl's library takes it, each for a reason. */
static const struct {
	const char *document;
	const char *complaint;
} stricter_table[] = {
    {"a: 1\nb: 2\na: 3", "line 3 column 1: a: duplicate key"},
    {"{a: 1, a: 2}", "line 1 column 8: a: duplicate key"},
    {"1: x\n01: y", "1: duplicate key"},
    {"true: x\nyes: y", "true: duplicate key"},
    {"s:\n  c:\n  - k: 1\n    k: 2", "line 4 column 5: s.c[0].k: duplicate key"},
    {"a: 1\n<<: {a: 2}\na: 3", "duplicate key"},
    {"v: !!binary aGk=", "a tag that JSON cannot hold"},
    {"v: !!timestamp soon", "a tag that JSON cannot hold"},
    {".inf: x", "JSON cannot hold"},
    {"v: \"a\\0b\"", "NUL"},
    {"a: 1\n---\nb: 2", "expected one document, found 2"},
    {"", "expected one document, found 0"},
    {"# only a comment\n", "expected one document, found 0"},
};

static char *read_to_json(const char *document)
{
	struct error err;
	cJSON *tree CLEANUP(json_freep) = NULL;
	if (yaml_read(document, strlen(document), &tree, &err) != STATUS_OK)
		return xasprintf("error: %s", err.message);
	return json_to_string(tree);
}

TEST(stricter_than_kubectl)
{
	for (size_t i = 0; i < ARRAY_LEN(stricter_table); i++) {
		char *got CLEANUP(str_freep) = read_to_json(stricter_table[i].document);
		if (strncmp(got, "error: ", 7) != 0 ||
		    strstr(got, stricter_table[i].complaint) == NULL)
			CHECK_STR_ROW(got, stricter_table[i].complaint, stricter_table[i].document);
	}
}

/* ---- ceilings ---- */

static enum status read_counted(const char *text, size_t len, struct yaml_stats *ret_stats,
				struct error *err)
{
	struct yaml_stream stream;
	enum status status = yaml_read_stream(text, len, &stream, ret_stats, err);
	if (status == STATUS_OK)
		yaml_stream_release(&stream);
	return status;
}

static char *repeat(const char *piece, size_t count)
{
	struct buffer text;
	buffer_init(&text, MIB(64));
	for (size_t i = 0; i < count; i++)
		buffer_add_str(&text, piece);
	return TAKE_PTR(text.data);
}

/* What is refused, and how much of it may have been read by then. */
static void check_refused(const char *name, const char *text, enum status want, size_t max_bytes,
			  const char *complaint)
{
	struct yaml_stats stats = {0};
	struct error err = {0};
	CHECK_INT_ROW(read_counted(text, strlen(text), &stats, &err), want, name);
	if (stats.bytes > max_bytes) {
		printf("%s: read %zu bytes, at most %zu wanted\n", name, stats.bytes, max_bytes);
		CHECK(stats.bytes <= max_bytes);
	}
	if (strstr(err.message, complaint) == NULL)
		CHECK_STR_ROW(err.message, complaint, name);
}

static void check_repeated(const char *piece, size_t count, enum status want, size_t max_bytes,
			   const char *complaint)
{
	char *text CLEANUP(str_freep) = repeat(piece, count);
	check_refused(piece, text, want, max_bytes, complaint);
}

TEST(depth_is_refused_after_one_piece)
{
	check_repeated("[", 160 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
	check_repeated("{", 160 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
	check_repeated("{a: ", 40 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
	check_repeated("- ", 80 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
	check_repeated("? ", 80 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
	check_repeated("{\"a\":", 40 * 1024, STATUS_LIMIT, KIB(4), "deeper than 128");
	check_repeated("[{\"a\":", 40 * 1024, STATUS_LIMIT, KIB(4), "deeper than 64");
}

TEST(depth_of_64_is_read)
{
	char *open CLEANUP(str_freep) = repeat("[", 64);
	char *close CLEANUP(str_freep) = repeat("]", 64);
	char *text CLEANUP(str_freep) = xasprintf("%s%s", open, close);
	char *deeper CLEANUP(str_freep) = xasprintf("[%s%s]", open, close);
	char *got CLEANUP(str_freep) = read_to_json(text);
	CHECK_STR(got, text);
	check_refused("65", deeper, STATUS_LIMIT, KIB(4), "deeper than 64");
}

TEST(alias_bombs_are_counted_before_they_are_copied)
{
	struct buffer bomb;
	buffer_init(&bomb, KIB(64));
	buffer_add_str(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 30; i++) {
		buffer_addf(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buffer_addf(&bomb, "%s*a%d", j > 0 ? ", " : "", i - 1);
		buffer_add_str(&bomb, "]\n");
	}
	struct yaml_stats stats = {0};
	struct error err = {0};
	CHECK_INT(read_counted(bomb.data, bomb.len, &stats, &err), STATUS_LIMIT);
	CHECK(stats.nodes <= LIMIT_YAML_NODES);
	CHECK(strstr(err.message, "aliases") != NULL);
	buffer_release(&bomb);
}

TEST(alias_text_is_counted)
{
	char *long_text CLEANUP(str_freep) = repeat("x", MIB(1));
	char *aliases CLEANUP(str_freep) = repeat("- *a\n", 1000);
	char *text CLEANUP(str_freep) = xasprintf("- &a %s\n%s", long_text, aliases);
	check_refused("1 MiB a thousand times", text, STATUS_LIMIT, strlen(text), "aliases");
}

TEST(alias_depth_is_counted)
{
	struct buffer text;
	buffer_init(&text, KIB(64));
	buffer_add_str(&text, "- &a0 x\n");
	for (int i = 1; i < 100; i++)
		buffer_addf(&text, "- &a%d [*a%d]\n", i, i - 1);
	check_refused("chain", text.data, STATUS_LIMIT, text.len, "deeper than 64");
	buffer_release(&text);
}

TEST(bytes_of_a_document)
{
	char *small CLEANUP(str_freep) =
	    repeat("- 0123456789012345678901234567890123456789\n", 90000);
	char *large CLEANUP(str_freep) =
	    repeat("- 0123456789012345678901234567890123456789\n", 200000);
	char *two CLEANUP(str_freep) = xasprintf("%s---\n%s", small, small);
	char *one_word CLEANUP(str_freep) = repeat("x", MIB(8));
	char *quoted CLEANUP(str_freep) = xasprintf("{\"a\":\"%s\"}", one_word);
	struct yaml_stats stats = {0};
	struct error err = {0};
	CHECK_INT(read_counted(two, strlen(two), &stats, &err), STATUS_OK);
	CHECK_INT(stats.bytes, strlen(two));
	check_refused("8 MiB list", large, STATUS_LIMIT, MIB(4) + KIB(20), "larger than 4194304");
	check_refused("8 MiB word", one_word, STATUS_LIMIT, MIB(4) + KIB(20), "larger than");
	check_refused("8 MiB JSON", quoted, STATUS_LIMIT, MIB(4) + KIB(20), "larger than");
}

/* "a: xxx\n" of `len` bytes, with another document behind it. */
static char *sized(size_t len)
{
	char *word CLEANUP(str_freep) = repeat("x", len - strlen("a: \n"));
	return xasprintf("a: %s\n---\nb: 1\n", word);
}

TEST(a_document_may_be_as_large_as_the_ceiling)
{
	char *exact CLEANUP(str_freep) = sized(LIMIT_DOCUMENT_BYTES);
	char *over CLEANUP(str_freep) = sized(LIMIT_DOCUMENT_BYTES + 1);
	struct yaml_stats stats;
	struct error err = {0};
	CHECK_INT(read_counted(exact, strlen(exact), &stats, &err), STATUS_OK);
	check_refused("one byte more", over, STATUS_LIMIT, strlen(over), "document 1: larger than");
}

TEST(bytes_of_a_stream)
{
	char *text CLEANUP(str_freep) = repeat("# 34567\n", MIB(50) / 8);
	check_refused("50 MiB", text, STATUS_LIMIT, 0, "larger than 16777216 bytes");
}

TEST(values_of_a_document_and_a_stream)
{
	char *wide CLEANUP(str_freep) = repeat("- 1\n", 500 * 1000);
	char *half CLEANUP(str_freep) = repeat("- 1\n", 390 * 1000);
	char *one CLEANUP(str_freep) = xasprintf("---\n%s", half);
	char *many CLEANUP(str_freep) = repeat(one, 6);
	char *empty CLEANUP(str_freep) = repeat("---\n", 2 * 1000 * 1000);
	check_refused("500,000 items", wide, STATUS_LIMIT, 401 * 4 * 1000 + KIB(20), "more values");
	check_refused("6 x 390,000 items", many, STATUS_LIMIT, 1700 * 4 * 1000, "more values");
	check_refused("2,000,000 documents", empty, STATUS_LIMIT, 1700 * 4 * 1000, "more values");
}

TEST(directives_are_counted)
{
	struct buffer text;
	buffer_init(&text, MIB(1));
	for (int i = 0; i < 10000; i++)
		buffer_addf(&text, "%%TAG !t%d! tag:x,2000:\n", i);
	buffer_add_str(&text, "--- a\n");
	check_refused("%TAG", text.data, STATUS_LIMIT, KIB(8), "directives");
	buffer_release(&text);
}

TEST(text_that_is_not_utf8)
{
	check_refused("latin 1", "a: caf\xE9\nb: 1\n", STATUS_INVALID, KIB(1),
		      "line 1: invalid UTF-8");
	check_refused("surrogate", "a: 1\nb: \xED\xA0\x80\n", STATUS_INVALID, KIB(1),
		      "line 2: invalid UTF-8");
	check_refused("overlong", "a: \xC0\xAF\n", STATUS_INVALID, KIB(1), "invalid UTF-8");
	check_refused("cut", "a: \xE2\x82", STATUS_INVALID, KIB(1), "invalid UTF-8");
	check_refused("control", "a: \x01\n", STATUS_INVALID, KIB(1), "control characters");
	check_refused("UTF-16",
		      "\xFF\xFE"
		      "a",
		      STATUS_INVALID, KIB(1), "invalid UTF-8");
	check_refused("JSON", "{\"a\":\"\xE9\"}", STATUS_INVALID, KIB(1), "invalid UTF-8");
}

/* ---- ranges ---- */

struct range_row {
	const char *stream;
	size_t count;
	const char *parts[4];
	const char *trees; /* JSON of each, joined by a space */
	const char *flags; /* per document: c comments, s "---", e "..." , . none */
};

static const struct range_row range_table[] = {
    {"a: 1\n---\nb: 2\n", 2, {"a: 1\n", "---\nb: 2\n"}, "{\"a\":1} {\"b\":2}", ". s"},
    {"# top\n---\na: 1\n# end\n---\nb: 2",
     2,
     {"# top\n---\na: 1\n# end\n", "---\nb: 2"},
     "{\"a\":1} {\"b\":2}",
     "cs s"},
    {"---\n# Source: x\n---\na: 1\n",
     2,
     {"---\n# Source: x\n", "---\na: 1\n"},
     "- {\"a\":1}",
     "cs s"},
    {"a: 1\n... # over\n# next\n--- # b\nb: 2\n...\n",
     2,
     {"a: 1\n... # over\n# next\n", "--- # b\nb: 2\n...\n"},
     "{\"a\":1} {\"b\":2}",
     "ce cse"},
    {"%YAML 1.1\n---\na: 1\n...\n%TAG ! tag:x,2000:\n---\nb: 2\n",
     2,
     {"%YAML 1.1\n---\na: 1\n...\n", "%TAG ! tag:x,2000:\n---\nb: 2\n"},
     "{\"a\":1} {\"b\":2}",
     "se s"},
    {"\xEF\xBB\xBFk: \xC3\xA9\xE4\xB8\xAD\n---\n\xF0\x9F\x98\x80: 1\n---\nb: 2\n",
     3,
     {"\xEF\xBB\xBFk: \xC3\xA9\xE4\xB8\xAD\n", "---\n\xF0\x9F\x98\x80: 1\n", "---\nb: 2\n"},
     "{\"k\":\"\xC3\xA9\xE4\xB8\xAD\"} {\"\xF0\x9F\x98\x80\":1} {\"b\":2}",
     ". s s"},
    {"a: 1\r\n---\r\nb: 2\r\n", 2, {"a: 1\r\n", "---\r\nb: 2\r\n"}, "{\"a\":1} {\"b\":2}", ". s"},
    {"# nothing\n", 1, {"# nothing\n"}, "-", "c"},
    {"\n\n", 1, {"\n\n"}, "-", "."},
    {"---\n---\n---\n", 3, {"---\n", "---\n", "---\n"}, "- - -", "s s s"},
    {"a: 'x # y'\nb: \"# z\"\nc: x#y\nd: |\n  # w\n",
     1,
     {"a: 'x # y'\nb: \"# z\"\nc: x#y\nd: |\n  # w\n"},
     "{\"a\":\"x # y\",\"b\":\"# z\",\"c\":\"x#y\",\"d\":\"# w\\n\"}",
     "."},
    {"a: | # c\n  x\n", 1, {"a: | # c\n  x\n"}, "{\"a\":\"x\\n\"}", "c"},
    {"a: [1, # c\n  2]\n", 1, {"a: [1, # c\n  2]\n"}, "{\"a\":[1,2]}", "c"},
    {"{\"a\":1}\n{\"b\":2}\n", 2, {"{\"a\":1}", "\n{\"b\":2}\n"}, "{\"a\":1} {\"b\":2}", ". ."},
    {"  {\"a\":1}{\"b\":2}", 2, {"  {\"a\":1}", "{\"b\":2}"}, "{\"a\":1} {\"b\":2}", ". ."},
    {"{\"a\": 1}\n---\n{\"b\": 2}\n",
     2,
     {"{\"a\": 1}\n", "---\n{\"b\": 2}\n"},
     "{\"a\":1} {\"b\":2}",
     ". s"},
    {"{a: 1}\n", 1, {"{a: 1}\n"}, "{\"a\":1}", "."},
};

static void describe(const struct yaml_stream *stream, struct buffer *trees, struct buffer *flags)
{
	for (size_t i = 0; i < stream->count; i++) {
		const struct yaml_document *document = &stream->documents[i];
		buffer_add_str(trees, i > 0 ? " " : "");
		buffer_add_str(flags, i > 0 ? " " : "");
		if (document->tree != NULL)
			json_print(document->tree, trees);
		else
			buffer_add_char(trees, '-');
		buffer_add_str(flags, document->has_comments ? "c" : "");
		buffer_add_str(flags, document->explicit_start ? "s" : "");
		buffer_add_str(flags, document->explicit_end ? "e" : "");
		if (!document->has_comments && !document->explicit_start && !document->explicit_end)
			buffer_add_char(flags, '.');
	}
}

TEST(documents_cover_the_stream)
{
	for (size_t i = 0; i < ARRAY_LEN(range_table); i++) {
		const struct range_row *row = &range_table[i];
		struct yaml_stream stream = {0};
		struct error err = {0};
		size_t len = strlen(row->stream);
		enum status status = yaml_read_stream(row->stream, len, &stream, NULL, &err);
		if (status != STATUS_OK) {
			CHECK_STR_ROW(err.message, "", row->stream);
			continue;
		}
		struct buffer trees;
		struct buffer flags;
		buffer_init(&trees, KIB(4));
		buffer_init(&flags, KIB(4));
		describe(&stream, &trees, &flags);
		CHECK_STR_ROW(trees.data, row->trees, row->stream);
		CHECK_STR_ROW(flags.data, row->flags, row->stream);
		CHECK_INT_ROW(stream.count, row->count, row->stream);
		for (size_t j = 0; j < stream.count && j < row->count; j++) {
			const struct yaml_document *document = &stream.documents[j];
			char *part CLEANUP(str_freep) = xstrndup(row->stream + document->start,
								 document->end - document->start);
			CHECK_STR_ROW(part, row->parts[j], row->stream);
		}
		buffer_release(&trees);
		buffer_release(&flags);
		yaml_stream_release(&stream);
	}
}

/* ---- messages ---- */

static const struct {
	const char *stream;
	const char *message;
} message_table[] = {
    {"a: 1\n---\nb: [1\n", "document 2: line 4 column 1: "},
    {"a: 1\n---\nb:\n  c: 1\n  c: 2\n", "document 2: line 5 column 3: b.c: duplicate key"},
    {"{\"a\": 1}\n{\"a\": 1, \"a\": 2}\n", "document 2: JSON line 1 column"},
    {"a: 1\n---\nb: *x\n", "document 2: line 3 column 4: b: an alias without its anchor"},
    {"a: &x [*x]\n", "document 1: line 1 column 8: a[0]: an anchor that holds itself"},
    {"a: !!int x\n", "document 1: line 1 column 4: a: a value (.inf, .nan) or a tag"},
    {"[a]: 1\n", "document 1: line 1 column 1: a key that is null, a list, a map"},
};

TEST(messages_name_the_place)
{
	for (size_t i = 0; i < ARRAY_LEN(message_table); i++) {
		struct yaml_stats stats;
		struct error err = {0};
		const char *text = message_table[i].stream;
		CHECK_INT_ROW(read_counted(text, strlen(text), &stats, &err), STATUS_INVALID, text);
		if (strncmp(err.message, message_table[i].message,
			    strlen(message_table[i].message)) != 0)
			CHECK_STR_ROW(err.message, message_table[i].message, text);
	}
}
