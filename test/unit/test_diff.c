/* SPDX-License-Identifier: Apache-2.0 */
/* cmd/diff: what a unified diff says has to lead from one text to the other, in the fewest edits. */
#include "test/unit/test.h"

/* cmd/ is not part of the library. */
#include "cmd/diff.c" /* NOLINT(bugprone-suspicious-include) */

#include <stdint.h>

#include "base/limits.h"

struct text {
	char data[4096];
	size_t len;
};

static void add(struct text *text, const char *line, size_t len)
{
	memcpy(text->data + text->len, line, len);
	text->len += len;
	text->data[text->len] = '\0';
}

/* Reads "@@ -a,b +c,d @@"; a count that is not written is 1. */
static bool read_head(const char *line, size_t *ret_before, size_t *ret_after)
{
	size_t counts[2] = {1, 1};
	int used = 0;
	if (sscanf(line, "@@ -%zu%n", ret_before, &used) != 1)
		return false;
	line += used;
	if (*line == ',' && sscanf(line, ",%zu%n", &counts[0], &used) == 1)
		line += used;
	if (sscanf(line, " +%zu%n", ret_after, &used) != 1)
		return false;
	line += used;
	if (*line == ',' && sscanf(line, ",%zu%n", &counts[1], &used) == 1)
		line += used;
	*ret_before -= counts[0] > 0 ? 1 : 0;
	*ret_after -= counts[1] > 0 ? 1 : 0;
	return strncmp(line, " @@\n", 4) == 0;
}

static const char *next_line(const char *at)
{
	return at + strcspn(at, "\n") + 1;
}

/* Applies `patch` to `before`, strictly; counts its edits. */
static bool apply(const char *before, const char *patch, struct text *ret_after, size_t *ret_edits)
{
	size_t line = 0;
	size_t made = 0;
	for (patch = next_line(next_line(patch)); *patch != '\0'; patch = next_line(patch)) {
		size_t len = strcspn(patch, "\n") + 1;
		size_t from;
		size_t to;
		if (*patch == '@') {
			if (!read_head(patch, &from, &to) || from < line)
				return false;
			for (; line < from; line++, made++) {
				add(ret_after, before, (size_t)(next_line(before) - before));
				before = next_line(before);
			}
			if (made != to)
				return false;
			continue;
		}
		if (*patch != '+') {
			if (strncmp(patch + 1, before, len - 1) != 0)
				return false;
			before = next_line(before);
			line++;
		}
		if (*patch != '-') {
			add(ret_after, patch + 1, len - 1);
			made++;
		}
		*ret_edits += *patch != ' ' ? 1 : 0;
	}
	add(ret_after, before, strlen(before));
	return true;
}

/* The length of the longest common subsequence of lines, by the textbook. */
static size_t common(const struct lines *a, const struct lines *b)
{
	size_t table[64][64] = {{0}};
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++) {
			size_t longer =
			    table[i][j + 1] > table[i + 1][j] ? table[i][j + 1] : table[i + 1][j];
			table[i + 1][j + 1] =
			    same(&a->items[i], &b->items[j]) ? table[i][j] + 1 : longer;
		}
	return table[a->count][b->count];
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

static void random_text(uint64_t *seed, struct text *ret_text)
{
	*ret_text = (struct text){0};
	size_t lines = next_random(seed) % 40;
	for (size_t i = 0; i < lines; i++) {
		char line[3] = {(char)('a' + next_random(seed) % 4), '\n', '\0'};
		add(ret_text, line, 2);
	}
}

static void check_pair(const char *before, const char *after)
{
	struct buffer out;
	struct text made = {0};
	size_t edits = 0;
	buffer_init(&out, MIB(1));
	bool differs = diff_unified(before, after, "a", "b", &out);
	CHECK_INT(differs, strcmp(before, after) != 0);
	if (differs) {
		struct lines a;
		struct lines b;
		split(before, &a);
		split(after, &b);
		if (!apply(before, out.data, &made, &edits) || strcmp(made.data, after) != 0)
			printf("%s---\n%s---\n%s", before, after, out.data);
		CHECK_STR(made.data, after);
		CHECK_INT(edits, a.count + b.count - 2 * common(&a, &b));
		free(a.items);
		free(b.items);
	} else {
		CHECK_INT(out.len, 0);
	}
	buffer_release(&out);
}

TEST(random_texts_lead_to_each_other)
{
	uint64_t seed = 4317;
	for (int i = 0; i < 2000; i++) {
		struct text before;
		struct text after;
		random_text(&seed, &before);
		random_text(&seed, &after);
		check_pair(before.data, after.data);
	}
}

static const struct {
	const char *before;
	const char *after;
	const char *diff;
} diff_table[] = {
    {"", "", ""},
    {"a\n", "a\n", ""},
    {"", "a\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+a\n"},
    {"a\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n"},
    {"a\nb\nc\nd\ne\n", "a\nb\nc\nX\nd\ne\n",
     "--- a\n+++ b\n@@ -1,5 +1,6 @@\n a\n b\n c\n+X\n d\n e\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\nx\n3\n4\n5\n6\n7\ny\n9\n",
     "--- a\n+++ b\n@@ -1,9 +1,9 @@\n 1\n-2\n+x\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n 9\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n0\n1\n", "x\n2\n3\n4\n5\n6\n7\n8\n9\n0\ny\n",
     "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -8,4 +8,4 @@\n 8\n 9\n 0\n-1\n+y\n"},
};

TEST(the_form_is_that_of_diff_u)
{
	for (size_t i = 0; i < ARRAY_LEN(diff_table); i++) {
		struct buffer out;
		buffer_init(&out, KIB(4));
		diff_unified(diff_table[i].before, diff_table[i].after, "a", "b", &out);
		CHECK_STR_ROW(out.data, diff_table[i].diff, diff_table[i].before);
		buffer_release(&out);
	}
}

TEST(past_the_ceiling_all_is_replaced)
{
	struct buffer before;
	struct buffer after;
	struct buffer out;
	buffer_init(&before, MIB(1));
	buffer_init(&after, MIB(1));
	buffer_init(&out, MIB(4));
	for (int i = 0; i < DIFF_EDITS_MAX; i++) {
		buffer_addf(&before, "a%d\n", i);
		buffer_addf(&after, "b%d\n", i);
	}
	CHECK(diff_unified(before.data, after.data, "a", "b", &out));
	CHECK(strstr(out.data, "@@ -1,2000 +1,2000 @@\n-a0\n-a1\n") != NULL);
	buffer_release(&before);
	buffer_release(&after);
	buffer_release(&out);
}
