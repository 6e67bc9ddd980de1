/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { CONTEXT = 3 };

struct line {
	const char *text;
	size_t len;
};

struct lines {
	struct line *items;
	size_t count;
};

/* One line of the result; `kind` is ' ', '-' or '+'. */
struct step {
	char kind;
	size_t before; /* index of the line, or of the next one */
	size_t after;
};

struct script {
	struct step *items;
	size_t count;
};

static void split(const char *text, struct lines *ret_lines)
{
	*ret_lines = (struct lines){.items = grow(NULL, 0, sizeof(*ret_lines->items))};
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		ret_lines->items =
		    grow(ret_lines->items, ret_lines->count, sizeof(*ret_lines->items));
		ret_lines->items[ret_lines->count++] = (struct line){text, len};
		text += len + (text[len] == '\n' ? 1 : 0);
	}
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void push(struct script *script, char kind, size_t before, size_t after)
{
	script->items = grow(script->items, script->count, sizeof(*script->items));
	script->items[script->count++] = (struct step){kind, before, after};
}

/*
 * Myers: after `d` edits, furthest[k] is the furthest line of `a` on diagonal k = x - y.
 * Every round's row is kept to walk back. Row d holds diagonals -d..d.
 */
struct rounds {
	long **rows;
	size_t count;
};

static long at(const struct rounds *rounds, long d, long k)
{
	if (d < 0 || k < -d || k > d)
		return -1;
	return rounds->rows[d][k + d];
}

/* Where an edit of round d ends on diagonal k, -1: nowhere; `n` and `m` lines in all. */
static long step_to(const struct rounds *rounds, long d, long k, long n, long m, bool *ret_deleted)
{
	*ret_deleted = false;
	if (d == 0)
		return 0;
	long inserted = at(rounds, d - 1, k + 1);
	long deleted = at(rounds, d - 1, k - 1);
	inserted = inserted >= 0 && inserted - k <= m ? inserted : -1;
	deleted = deleted >= 0 && deleted < n ? deleted + 1 : -1;
	*ret_deleted = deleted > inserted;
	return *ret_deleted ? deleted : inserted;
}

/* True when the two lists meet within DIFF_EDITS_MAX edits. */
static bool search(const struct lines *a, const struct lines *b, struct rounds *rounds)
{
	long n = (long)a->count;
	long m = (long)b->count;
	for (long d = 0; d <= DIFF_EDITS_MAX; d++) {
		rounds->rows = grow(rounds->rows, rounds->count, sizeof(*rounds->rows));
		rounds->rows[rounds->count] = xcalloc((size_t)(2 * d + 1), sizeof(long));
		rounds->count++;
		for (long k = -d; k <= d; k++) {
			long x = -1;
			bool deleted;
			if (((k + d) & 1) == 0)
				x = step_to(rounds, d, k, n, m, &deleted);
			while (x >= 0 && x < n && x - k >= 0 && x - k < m &&
			       same(&a->items[x], &b->items[x - k]))
				x++;
			rounds->rows[d][k + d] = x;
			if (x == n && x - k == m)
				return true;
		}
	}
	return false;
}

/* From the end to the start; the steps come out backwards. */
static void walk_back(const struct lines *a, const struct lines *b, const struct rounds *rounds,
		      struct script *script)
{
	long x = (long)a->count;
	long y = (long)b->count;
	for (long d = (long)rounds->count - 1; d >= 0; d--) {
		bool deleted;
		long from = step_to(rounds, d, x - y, (long)a->count, (long)b->count, &deleted);
		while (x > from) {
			x--;
			y--;
			push(script, ' ', (size_t)x, (size_t)y);
		}
		if (d > 0 && deleted)
			push(script, '-', (size_t)--x, (size_t)y);
		else if (d > 0)
			push(script, '+', (size_t)x, (size_t)--y);
	}
	for (size_t i = 0; i < script->count / 2; i++) {
		struct step swap = script->items[i];
		script->items[i] = script->items[script->count - 1 - i];
		script->items[script->count - 1 - i] = swap;
	}
}

static void replace_all(const struct lines *a, const struct lines *b, struct script *script)
{
	for (size_t i = 0; i < a->count; i++)
		push(script, '-', i, 0);
	for (size_t i = 0; i < b->count; i++)
		push(script, '+', a->count, i);
}

static void print_range(struct buffer *out, char sign, size_t first, size_t count)
{
	buffer_addf(out, " %c%zu", sign, count == 0 ? first : first + 1);
	if (count != 1)
		buffer_addf(out, ",%zu", count);
}

static void print_hunk(const struct lines *a, const struct lines *b, const struct script *script,
		       size_t first, size_t end, struct buffer *out)
{
	size_t removed = 0;
	size_t added = 0;
	for (size_t i = first; i < end; i++) {
		removed += script->items[i].kind != '+' ? 1 : 0;
		added += script->items[i].kind != '-' ? 1 : 0;
	}
	buffer_add_str(out, "@@");
	print_range(out, '-', script->items[first].before, removed);
	print_range(out, '+', script->items[first].after, added);
	buffer_add_str(out, " @@\n");
	for (size_t i = first; i < end; i++) {
		const struct step *step = &script->items[i];
		const struct line *line =
		    step->kind == '+' ? &b->items[step->after] : &a->items[step->before];
		buffer_add_char(out, step->kind);
		buffer_add(out, line->text, line->len);
		buffer_add_char(out, '\n');
	}
}

/* Hunks: changes with CONTEXT equal lines around them; near ones run together. */
static void print_hunks(const struct lines *a, const struct lines *b, const struct script *script,
			struct buffer *out)
{
	size_t i = 0;
	while (i < script->count) {
		if (script->items[i].kind == ' ') {
			i++;
			continue;
		}
		size_t first = i > CONTEXT ? i - CONTEXT : 0;
		size_t last = i;
		for (size_t j = i; j < script->count && j - last <= (size_t)CONTEXT * 2 + 1; j++)
			if (script->items[j].kind != ' ')
				last = j;
		size_t end = last + 1 + CONTEXT;
		end = end < script->count ? end : script->count;
		print_hunk(a, b, script, first, end, out);
		i = end;
	}
}

bool diff_unified(const char *before, const char *after, const char *before_name,
		  const char *after_name, struct buffer *out)
{
	if (strcmp(before, after) == 0)
		return false;
	struct lines a;
	struct lines b;
	struct rounds rounds = {0};
	struct script script = {0};
	split(before, &a);
	split(after, &b);
	if (search(&a, &b, &rounds))
		walk_back(&a, &b, &rounds, &script);
	else
		replace_all(&a, &b, &script);
	buffer_addf(out, "--- %s\n+++ %s\n", before_name, after_name);
	print_hunks(&a, &b, &script, out);
	for (size_t i = 0; i < rounds.count; i++)
		free(rounds.rows[i]);
	free(rounds.rows);
	free(script.items);
	free(a.items);
	free(b.items);
	return true;
}
