/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, list streams and slices: any cut of the bytes gives the same pieces. */
#include "test.h"

#include "base/alloc.h"
#include "k8sclient/frames.h"
#include "k8sclient/list_stream.h"

/* What was handed on, one line each. */
struct heard {
	struct buffer lines;
	size_t stop_after; /* 0: never */
	size_t count;
};

static void heard_init(struct heard *heard)
{
	*heard = (struct heard){0};
	buffer_init(&heard->lines, 1U << 20);
}

static bool hear(void *context, struct slice piece)
{
	struct heard *heard = context;
	buffer_add(&heard->lines, piece.data, piece.len);
	buffer_add_char(&heard->lines, '\n');
	heard->count++;
	return heard->count != heard->stop_after;
}

/* Each piece is copied to a block of its own, so that ASan sees a read past it. */
static enum status feed_frames(struct frames *frames, const char *text, size_t len, size_t chunk,
			       struct heard *heard)
{
	struct error err;
	enum status status = STATUS_OK;
	for (size_t at = 0; at < len && status == STATUS_OK; at += chunk) {
		size_t n = len - at < chunk ? len - at : chunk;
		char *piece = xmalloc(n);
		memcpy(piece, text + at, n);
		status = frames_feed(frames, piece, n, hear, heard, &err);
		free(piece);
	}
	return status;
}

static const struct {
	const char *name;
	const char *stream;
	const char *want; /* frames, one a line */
	enum status status;
	bool partial;
	size_t skipped;
} frame_rows[] = {
    {"nothing", "", "", STATUS_OK, false, 0},
    {"newlines", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\":2}\n", STATUS_OK, false, 0},
    {"no newlines", "{\"a\":1}{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", STATUS_OK, false, 0},
    {"newline inside", "{\"a\":\n1}\r\n \t{}", "{\"a\":\n1}\n{}\n", STATUS_OK, false, 0},
    {"brackets in strings", "{\"a\":\"}{][\"}{\"b\":\"\\\"}\"}",
     "{\"a\":\"}{][\"}\n{\"b\":\"\\\"}\"}\n", STATUS_OK, false, 0},
    {"escaped backslash", "{\"a\":\"\\\\\"}{}", "{\"a\":\"\\\\\"}\n{}\n", STATUS_OK, false, 0},
    {"nested", "{\"a\":[{\"b\":[]},{}]}", "{\"a\":[{\"b\":[]},{}]}\n", STATUS_OK, false, 0},
    {"partial", "{\"a\":1}{\"b\":", "{\"a\":1}\n", STATUS_OK, true, 0},
    {"partial in a string", "{\"a\":\"}", "", STATUS_OK, true, 0},
    {"html", "<html>", "", STATUS_INVALID, false, 0},
    {"array at the top", "{}[1]", "{}\n", STATUS_INVALID, false, 0},
    {"too large is skipped",
     "{\"a\":1}{\"x\":\"0123456789012345678901234567890123456789\"}{\"b\":2}",
     "{\"a\":1}\n{\"b\":2}\n", STATUS_OK, false, 1},
    {"NUL and bad UTF-8 go through", "{\"a\":\"\xff\"}{}", "{\"a\":\"\xff\"}\n{}\n", STATUS_OK,
     false, 0},
};

TEST(frames_at_every_chunk_size)
{
	for (size_t i = 0; i < ARRAY_LEN(frame_rows); i++) {
		size_t len = strlen(frame_rows[i].stream);
		for (size_t chunk = 1; chunk <= len + 1; chunk++) {
			struct frames frames;
			struct heard heard;
			heard_init(&heard);
			frames_init(&frames, 40);
			CHECK_INT_ROW(
			    feed_frames(&frames, frame_rows[i].stream, len, chunk, &heard),
			    frame_rows[i].status, frame_rows[i].name);
			CHECK_STR_ROW(heard.lines.data, frame_rows[i].want, frame_rows[i].name);
			CHECK_INT_ROW(frames.skipped, frame_rows[i].skipped, frame_rows[i].name);
			if (frame_rows[i].status == STATUS_OK)
				CHECK_INT_ROW(frames_is_partial(&frames), frame_rows[i].partial,
					      frame_rows[i].name);
			frames_release(&frames);
			buffer_release(&heard.lines);
		}
	}
}

/* F2: a stream of three events that is cut anywhere: whole events are told, the rest is not. */
TEST(three_events_cut_at_every_byte)
{
	static const char *const events[] = {
	    ("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"11\",\"a\":\"}\"}"
	     "}"
	     "}\n"),
	    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"resourceVersion\":\"12\"}}}\n",
	    "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"resourceVersion\":\"13\"}}}\n"};
	CLEANUP(str_freep) char *stream = xasprintf("%s%s%s", events[0], events[1], events[2]);
	size_t ends[3];
	for (size_t i = 0, at = 0; i < 3; i++) {
		at += strlen(events[i]);
		ends[i] = at - 1; /* the newline does not belong to it */
	}
	for (size_t cut = 0; cut <= strlen(stream); cut++) {
		struct frames frames;
		struct heard heard;
		heard_init(&heard);
		frames_init(&frames, 1000);
		CHECK_INT(feed_frames(&frames, stream, cut, 7, &heard), STATUS_OK);
		int want = (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]);
		CHECK_INT(heard.count, want);
		bool between = cut == 0 || stream[cut - 1] == '\n' || cut == ends[0] ||
			       cut == ends[1] || cut == ends[2];
		CHECK_INT(frames_is_partial(&frames), !between);
		frames_release(&frames);
		buffer_release(&heard.lines);
	}
}

TEST(frames_stop_when_no_more_are_wanted)
{
	struct frames frames;
	struct heard heard;
	heard_init(&heard);
	heard.stop_after = 2;
	frames_init(&frames, 40);
	CHECK_INT(feed_frames(&frames, "{}{\"a\":1}{\"b\":1}<junk>", 21, 100, &heard), STATUS_OK);
	CHECK_STR(heard.lines.data, "{}\n{\"a\":1}\n");
	frames_release(&frames);
	buffer_release(&heard.lines);
}

TEST(frames_clear_forgets_a_partial_frame)
{
	struct frames frames;
	struct heard heard;
	heard_init(&heard);
	frames_init(&frames, 40);
	CHECK_INT(feed_frames(&frames, "{\"a\":", 5, 5, &heard), STATUS_OK);
	frames_clear(&frames);
	CHECK_INT(feed_frames(&frames, "{\"b\":2}", 7, 7, &heard), STATUS_OK);
	CHECK_STR(heard.lines.data, "{\"b\":2}\n");
	frames_release(&frames);
	buffer_release(&heard.lines);
}

static enum status feed_list(struct list_stream *list, const char *text, size_t chunk,
			     struct heard *heard)
{
	struct error err;
	size_t len = strlen(text);
	enum status status = STATUS_OK;
	for (size_t at = 0; at < len && status == STATUS_OK; at += chunk) {
		size_t n = len - at < chunk ? len - at : chunk;
		char *piece = xmalloc(n);
		memcpy(piece, text + at, n);
		status = list_stream_feed(list, piece, n, hear, heard, &err);
		free(piece);
	}
	return status == STATUS_OK ? list_stream_end(list, &err) : status;
}

static const struct {
	const char *name;
	const char *text;
	const char *items;
	const char *version;
	const char *token;
	enum status status;
	size_t skipped;
} list_rows[] = {
    {"typed: metadata first",
     "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\"},"
     "\"items\":[{\"a\":1},{\"b\":[2,{}]}]}\n",
     "{\"a\":1}\n{\"b\":[2,{}]}\n", "7", "", STATUS_OK, 0},
    {"sorted: metadata last",
     "{\"apiVersion\":\"x/v1\",\"items\":[{\"a\":1}],\"kind\":\"XList\",\"metadata\":{\"continue\":"
     "\"c=\",\"remainingItemCount\":3,\"resourceVersion\":\"8\"}}",
     "{\"a\":1}\n", "8", "c=", STATUS_OK, 0},
    {"empty", "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}", "", "7", "", STATUS_OK, 0},
    {"null items", "{\"items\":null,\"metadata\":{\"resourceVersion\":\"7\"}}", "", "7", "",
     STATUS_OK, 0},
    {"spaces", " { \"items\" : [ {} , { } ] , \"metadata\" : { \"resourceVersion\" : \"7\" } } ",
     "{}\n{ }\n", "7", "", STATUS_OK, 0},
    {"strange members are passed over",
     "{\"x\":[\"items\",{\"items\":[{}]}],\"y\":\"\\\"items\\\":[\",\"z\":-1.5e3,\"t\":true,"
     "\"items\":[{\"q\":"
     "\"]}\"}],\"metadata\":{\"resourceVersion\":\"7\"},\"a-very-long-key-that-is-not-ours\":{}}",
     "{\"q\":\"]}\"}\n", "7", "", STATUS_OK, 0},
    {"escaped quote in a key",
     "{\"i\\\"tems\":[1],\"items\":[{}],\"metadata\":{\"resourceVersion\":\"7\"}}", "{}\n", "7", "",
     STATUS_OK, 0},
    {"too large an item is skipped",
     "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},"
     "{\"l\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"},{\"b\":2}]"
     "}",
     "{\"a\":1}\n{\"b\":2}\n", "7", "", STATUS_OK, 1},
    {"cut between items", "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[{\"a\":1},",
     "{\"a\":1}\n", "7", "", STATUS_RETRY, 0},
    {"cut before the last brace", "{\"items\":[],\"metadata\":{\"resourceVersion\":\"7\"}", "", "7",
     "", STATUS_RETRY, 0},
    {"nothing", "", "", "", "", STATUS_RETRY, 0},
    {"no resourceVersion", "{\"items\":[{}],\"metadata\":{}}", "{}\n", "", "", STATUS_INVALID, 0},
    {"no items", "{\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":\"7\"},\"rows\":[]}", "",
     "7", "", STATUS_INVALID, 0},
    {"a Status", "{\"kind\":\"Status\",\"status\":\"Failure\",\"code\":410}", "", "", "",
     STATUS_INVALID, 0},
    {"items is no list", "{\"items\":{}}", "", "", "", STATUS_INVALID, 0},
    {"items of no objects", "{\"items\":[1]}", "", "", "", STATUS_INVALID, 0},
    {"items twice", "{\"items\":[{}],\"items\":[{}]}", "{}\n", "", "", STATUS_INVALID, 0},
    {"text after the list", "{\"items\":[]}x", "", "", "", STATUS_INVALID, 0},
    {"html", "<html></html>", "", "", "", STATUS_INVALID, 0},
    {"bad metadata", "{\"metadata\":{\"resourceVersion\":7,},\"items\":[]}", "", "", "",
     STATUS_INVALID, 0},
};

TEST(lists_at_every_chunk_size)
{
	for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
		for (size_t chunk = 1; chunk <= strlen(list_rows[i].text) + 1; chunk++) {
			struct list_stream list;
			struct heard heard;
			heard_init(&heard);
			list_stream_init(&list, 64);
			CHECK_INT_ROW(feed_list(&list, list_rows[i].text, chunk, &heard),
				      list_rows[i].status, list_rows[i].name);
			CHECK_STR_ROW(heard.lines.data, list_rows[i].items, list_rows[i].name);
			CHECK_STR_ROW(list.resource_version, list_rows[i].version,
				      list_rows[i].name);
			CHECK_STR_ROW(list.continue_token.data, list_rows[i].token,
				      list_rows[i].name);
			CHECK_INT_ROW(list.skipped, list_rows[i].skipped, list_rows[i].name);
			list_stream_release(&list);
			buffer_release(&heard.lines);
		}
	}
}

/* What was seen before a cut anywhere is a prefix of what the whole list gives. */
TEST(a_list_cut_anywhere_is_never_complete)
{
	const char *text = list_rows[0].text;
	size_t last_brace = (size_t)(strrchr(text, '}') - text);
	for (size_t cut = 0; cut <= last_brace; cut++) {
		struct list_stream list;
		struct heard heard;
		CLEANUP(str_freep) char *part = xstrndup(text, cut);
		heard_init(&heard);
		list_stream_init(&list, 64);
		CHECK(feed_list(&list, part, 3, &heard) != STATUS_OK);
		CHECK(strncmp(list_rows[0].items, heard.lines.data, heard.lines.len) == 0);
		list_stream_release(&list);
		buffer_release(&heard.lines);
	}
}

/* The list's size does not matter: what is held is the item under way. */
TEST(a_long_list_is_not_held)
{
	struct list_stream list;
	struct error err;
	struct heard heard;
	heard_init(&heard);
	list_stream_init(&list, 1000);
	static const char head[] = "{\"items\":[";
	static const char tail[] = "{}],\"metadata\":{\"resourceVersion\":\"9\"}}";
	CHECK_INT(list_stream_feed(&list, head, strlen(head), hear, &heard, &err), STATUS_OK);
	for (int i = 0; i < 100000; i++) {
		static const char item[] = "{\"spec\":{\"a\":\"0123456789\"}},";
		buffer_clear(&heard.lines);
		/* in two parts, so that the first is held */
		CHECK_INT(list_stream_feed(&list, item, 9, hear, &heard, &err), STATUS_OK);
		CHECK_INT(list_stream_feed(&list, item + 9, strlen(item) - 9, hear, &heard, &err),
			  STATUS_OK);
		if (!CHECK(list.partial.cap <= 1024))
			break;
	}
	CHECK_INT(list_stream_feed(&list, tail, strlen(tail), hear, &heard, &err), STATUS_OK);
	CHECK_INT(list_stream_end(&list, &err), STATUS_OK);
	CHECK_INT(list.items, 100001);
	list_stream_release(&list);
	buffer_release(&heard.lines);
}

static const struct {
	const char *object;
	const char *key;
	const char *want; /* NULL: not found */
} member_rows[] = {
    {"{\"a\":1}", "a", "1"},
    {" { \"a\" : \"x\" , \"b\" : [ 1 ] } ", "b", "[ 1 ]"},
    {"{\"a\":{\"b\":2},\"b\":3}", "b", "3"},
    {"{\"a\":\"\\\"b\\\":4\",\"b\":true}", "b", "true"},
    {"{\"b\":null}", "b", "null"},
    {"{\"B\":1}", "b", NULL},
    {"{}", "b", NULL},
    {"[1]", "b", NULL},
    {"", "b", NULL},
    {"{\"a\":1", "a", NULL},
    {"{\"a\":", "a", NULL},
    {"{\"a\"", "a", NULL},
    {"{\"a", "a", NULL},
    {"{a:1}", "a", NULL},
    {"{\"a\":1 \"b\":2}", "b", NULL},
    {"{\"a\":}", "a", NULL},
    {"{\"a\":{\"x\":1}", "a", "{\"x\":1}"},
};

TEST(members)
{
	for (size_t i = 0; i < ARRAY_LEN(member_rows); i++) {
		size_t len = strlen(member_rows[i].object);
		char *object = xmalloc(len + (len == 0));
		memcpy(object, member_rows[i].object, len);
		struct slice value;
		bool found = slice_member((struct slice){object, len}, member_rows[i].key, &value);
		CLEANUP(str_freep) char *got = found ? xstrndup(value.data, value.len) : NULL;
		CHECK_STR_ROW(got, member_rows[i].want, member_rows[i].object);
		free(object);
	}
}

static const struct {
	const char *literal;
	const char *want;
} string_rows[] = {
    {"\"abc\"", "abc"},     {"\"\"", ""},       {"\"1234567\"", "1234567"},
    {"\"12345678\"", NULL}, {"\"a\\n\"", NULL}, {"12", NULL},
    {"\"", NULL},           {"", NULL},         {"{}", NULL},
};

TEST(strings)
{
	for (size_t i = 0; i < ARRAY_LEN(string_rows); i++) {
		char text[8];
		struct slice value = {string_rows[i].literal, strlen(string_rows[i].literal)};
		bool found = slice_string(value, text, sizeof(text));
		CHECK_STR_ROW(found ? text : NULL, string_rows[i].want, string_rows[i].literal);
	}
	CHECK(slice_is_string((struct slice){"\"ADDED\"", 7}, "ADDED"));
	CHECK(!slice_is_string((struct slice){"\"ADDED\"", 7}, "ADD"));
	CHECK(!slice_is_string((struct slice){"ADDED", 5}, "ADDED"));
}

TEST(resource_versions_of_objects)
{
	char version[8];
	static const char object[] = "{\"spec\":{\"metadata\":{\"resourceVersion\":\"1\"}},"
				     "\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"42\"}}";
	CHECK(slice_resource_version((struct slice){object, strlen(object)}, version,
				     sizeof(version)));
	CHECK_STR(version, "42");
	static const char none[] = "{\"metadata\":{\"name\":\"a\"}}";
	CHECK(
	    !slice_resource_version((struct slice){none, strlen(none)}, version, sizeof(version)));
}
