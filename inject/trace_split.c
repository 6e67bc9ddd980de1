/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_split.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static int by_trace(const void *a, const void *b)
{
	const struct span *const *x = a;
	const struct span *const *y = b;
	int order = strcmp((*x)->trace, (*y)->trace);
	if (order != 0)
		return order;
	return (*x)->start_us < (*y)->start_us ? -1 : (*x)->start_us > (*y)->start_us;
}

static int by_total(const void *a, const void *b)
{
	const struct trace_split *x = a;
	const struct trace_split *y = b;
	if (x->total > y->total || x->total < y->total)
		return x->total > y->total ? -1 : 1;
	return strcmp(x->trace, y->trace);
}

static void take(double *figure, double value)
{
	if (value > *figure)
		*figure = value;
}

static bool is_engine(const struct span *span)
{
	return span->figure_ms[FIGURE_E2E] >= 0 || span->figure_ms[FIGURE_TTFT] >= 0 ||
	       span->figure_ms[FIGURE_PREFILL] >= 0 || span->figure_ms[FIGURE_QUEUE] >= 0;
}

static bool is_proxy(const struct span *span)
{
	return span->figure_ms[FIGURE_PROXY_PREFILL] >= 0 ||
	       span->figure_ms[FIGURE_PROXY_DECODE] >= 0 ||
	       span->figure_ms[FIGURE_PROXY_TTFT] >= 0 || span->figure_ms[FIGURE_TRANSFER] >= 0;
}

/* By the names that the guide and this operator give to prefilling engines. */
static bool is_prefiller(const struct span *span)
{
	return strstr(span->service, "prefill") != NULL;
}

/* The engines' own words: the one that prefilled, and the one that answered. */
static void take_engine(struct trace_split *split, const struct span *span, bool disaggregated)
{
	bool prefiller = is_prefiller(span);
	take(prefiller ? &split->prefill_queue : &split->decode_queue,
	     span->figure_ms[FIGURE_QUEUE]);
	if (prefiller == disaggregated)
		take(&split->prefill, span->figure_ms[FIGURE_PREFILL]);
	if (!prefiller)
		take(&split->decode, span->figure_ms[FIGURE_DECODE]);
}

static void take_ttft(struct trace_split *split, const struct span *const *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		take(&split->ttft, spans[i]->figure_ms[FIGURE_PROXY_TTFT]);
	for (size_t i = 0; i < count && split->ttft < 0; i++)
		if (!is_prefiller(spans[i]))
			take(&split->ttft, spans[i]->figure_ms[FIGURE_TTFT]);
}

/* `spans`: those of one trace, by start. False when it is no request to an engine. */
static bool split_one(const struct span *const *spans, size_t count, struct trace_split *ret_split)
{
	struct trace_split split = {.start_us = spans[0]->start_us,
				    .spans = count,
				    .ttft = -1,
				    .prefill_queue = -1,
				    .decode_queue = -1,
				    .prefill = -1,
				    .transfer = -1,
				    .decode = -1};
	int64_t end_us = split.start_us;
	bool disaggregated = false;
	bool found = false;
	memcpy(split.trace, spans[0]->trace, TRACE_ID_SIZE);
	for (size_t i = 0; i < count; i++)
		disaggregated |= is_engine(spans[i]) && is_prefiller(spans[i]);
	for (size_t i = 0; i < count; i++) {
		const struct span *span = spans[i];
		int64_t end = span->start_us + span->duration_us;
		end_us = end > end_us ? end : end_us;
		split.failed |= span->failed;
		found |= is_engine(span) || is_proxy(span);
		take(&split.transfer, span->figure_ms[FIGURE_TRANSFER]);
		if (is_engine(span))
			take_engine(&split, span, disaggregated);
	}
	take_ttft(&split, spans, count);
	split.total = (double)(end_us - split.start_us) / 1000;
	*ret_split = split;
	return found;
}

void trace_split_all(const struct trace *trace, struct trace_splits *ret_splits)
{
	struct trace_splits splits = {.items = NULL};
	const struct span **sorted = xcalloc(trace->count + 1, sizeof(*sorted));
	for (size_t i = 0; i < trace->count; i++)
		sorted[i] = &trace->spans[i];
	qsort((void *)sorted, trace->count, sizeof(*sorted), by_trace);
	for (size_t first = 0, end = 0; first < trace->count; first = end) {
		struct trace_split split;
		for (end = first;
		     end < trace->count && strcmp(sorted[end]->trace, sorted[first]->trace) == 0;)
			end++;
		if (!split_one(sorted + first, end - first, &split))
			continue;
		splits.items = grow(splits.items, splits.count, sizeof(*splits.items));
		splits.items[splits.count++] = split;
	}
	free((void *)sorted);
	if (splits.count > 0)
		qsort(splits.items, splits.count, sizeof(*splits.items), by_total);
	*ret_splits = splits;
}

void trace_splits_release(struct trace_splits *splits)
{
	free(splits->items);
	*splits = (struct trace_splits){.items = NULL};
}
