/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BAR_WIDTH = 30, NAME_WIDTH = 56, DEEPEST = 64 };

/* The spans of one trace, by start. */
struct tree {
	const struct span **spans;
	bool *printed;
	size_t count;
	int64_t start_us;
	int64_t end_us;
	struct buffer *out;
};

static int by_start(const void *a, const void *b)
{
	const struct span *const *x = a;
	const struct span *const *y = b;
	if ((*x)->start_us != (*y)->start_us)
		return (*x)->start_us < (*y)->start_us ? -1 : 1;
	return strcmp((*x)->id, (*y)->id);
}

static bool has_parent(const struct tree *tree, const struct span *span)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->spans[i] != span && strcmp(tree->spans[i]->id, span->parent) == 0)
			return true;
	return false;
}

/* The place of a moment on the axis, 0 to BAR_WIDTH. */
static size_t place(const struct tree *tree, int64_t at_us)
{
	int64_t whole = tree->end_us - tree->start_us;
	return whole <= 0
		   ? 0
		   : (size_t)((double)(at_us - tree->start_us) / (double)whole * BAR_WIDTH + 0.5);
}

static void print_bar(const struct tree *tree, const struct span *span)
{
	size_t from = place(tree, span->start_us);
	size_t to = place(tree, span->start_us + span->duration_us);
	from = from == BAR_WIDTH ? BAR_WIDTH - 1 : from;
	to = to <= from ? from + 1 : to;
	buffer_add_char(tree->out, '|');
	for (size_t i = 0; i < BAR_WIDTH; i++)
		buffer_add_str(tree->out, i >= from && i < to ? "=" : " ");
	buffer_add_char(tree->out, '|');
}

static size_t columns(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xC0U) != 0x80U; /* not a UTF-8 continuation */
	return count;
}

static void print_span(struct tree *tree, size_t index, size_t depth)
{
	const struct span *span = tree->spans[index];
	size_t shown = depth > DEEPEST ? DEEPEST : depth;
	bool lost = depth == 0 && span->parent[0] != '\0';
	const char *service = span->service[0] == '\0' ? "(no service)" : span->service;
	size_t width = 2 * shown + columns(service) + 2 + columns(span->operation);
	tree->printed[index] = true;
	print_bar(tree, span);
	buffer_addf(tree->out, " %*s%s  %s", (int)(2 * shown), "", service, span->operation);
	buffer_addf(tree->out, "%*s %9.2f ms%s%s\n",
		    width < NAME_WIDTH ? (int)(NAME_WIDTH - width) : 0, "",
		    (double)span->duration_us / 1000, span->failed ? "  error" : "",
		    lost ? "  (parent not seen)" : "");
}

static void print_below(struct tree *tree, size_t index, size_t depth)
{
	print_span(tree, index, depth);
	for (size_t i = 0; i < tree->count && depth < LIMIT_TRACE_DEPTH; i++)
		if (!tree->printed[i] &&
		    strcmp(tree->spans[i]->parent, tree->spans[index]->id) == 0)
			print_below(tree, i, depth + 1);
}

static void gather(const struct trace *trace, const char *id, struct tree *tree)
{
	for (size_t i = 0; i < trace->count; i++) {
		const struct span *span = &trace->spans[i];
		if (strcmp(span->trace, id) != 0)
			continue;
		tree->spans[tree->count++] = span;
		if (tree->count == 1 || span->start_us < tree->start_us)
			tree->start_us = span->start_us;
		if (tree->count == 1 || span->start_us + span->duration_us > tree->end_us)
			tree->end_us = span->start_us + span->duration_us;
	}
	qsort((void *)tree->spans, tree->count, sizeof(*tree->spans), by_start);
}

void trace_tree_print(const struct trace *trace, const char *id, struct buffer *out)
{
	struct tree tree = {.out = out};
	tree.spans = xcalloc(trace->count + 1, sizeof(*tree.spans));
	tree.printed = xcalloc(trace->count + 1, sizeof(*tree.printed));
	gather(trace, id, &tree);
	for (size_t i = 0; i < tree.count; i++)
		if (!tree.printed[i] && !has_parent(&tree, tree.spans[i]))
			print_below(&tree, i, 0);
	/* circles, and what hangs too deep */
	for (size_t i = 0; i < tree.count; i++)
		if (!tree.printed[i])
			print_below(&tree, i, 0);
	free((void *)tree.spans);
	free(tree.printed);
}
