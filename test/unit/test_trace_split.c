/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a request went, from what its spans say. */
#include "inject/trace_split.h"

#include <stdio.h>

#include "base/alloc.h"
#include "test.h"

struct row {
	const char *trace;
	const char *service;
	int64_t start_us;
	int64_t duration_us;
	const char *keys[3];
	double values[3];
};

static void fill(const struct row *rows, size_t count, struct trace *trace)
{
	for (size_t i = 0; i < count; i++) {
		struct span *span = trace_add(trace);
		CHECK(trace_id_read(rows[i].trace, TRACE_ID_SIZE, span->trace));
		(void)snprintf(span->id, sizeof(span->id), "%016zx", i + 1);
		span->service = xstrdup(rows[i].service);
		span->operation = xstrdup("x");
		span_set_times(span, rows[i].start_us, rows[i].duration_us);
		for (size_t k = 0; k < 3 && rows[i].keys[k] != NULL; k++)
			span_note_figure(span, rows[i].keys[k], rows[i].values[k]);
	}
}

static char *tell(const struct trace_splits *splits)
{
	struct buffer out;
	buffer_init(&out, 4096);
	for (size_t i = 0; i < splits->count; i++) {
		const struct trace_split *s = &splits->items[i];
		buffer_addf(&out,
			    "%s%c %zu: %g ttft %g queue %g/%g prefill %g transfer %g decode %g",
			    i == 0 ? "" : "; ", s->trace[31], s->spans, s->total, s->ttft,
			    s->prefill_queue, s->decode_queue, s->prefill, s->transfer, s->decode);
	}
	return buffer_detach(&out);
}

#define TTFT     "gen_ai.latency.time_to_first_token"
#define QUEUE    "gen_ai.latency.time_in_queue"
#define PREFILL  "gen_ai.latency.time_in_model_prefill"
#define DECODE   "gen_ai.latency.time_in_model_decode"
#define TRUE     "llm_d.pd_proxy.true_ttft_ms"
#define TRANSFER "llm_d.pd_proxy.coordinator_overhead_ms"

TEST(splits)
{
	static const struct {
		const char *name;
		struct row rows[4];
		size_t count;
		const char *want;
	} cases[] = {
	    {"nothing", {{0}}, 0, ""},
	    {"no engine, no proxy", {{"1", "epp", 0, 1000, {NULL}, {0}}}, 1, ""},
	    {"an engine alone: what it prefilled is the prefill",
	     {{"1", "vllm-decode", 0, 900000, {TTFT, QUEUE, PREFILL}, {0.2, 0.05, 0.1}}},
	     1,
	     "1 1: 900 ttft 200 queue -1/50 prefill 100 transfer -1 decode -1"},
	    {"prefill and decode apart: the proxy's first token, the prefiller's prefill",
	     {{"1", "epp", 0, 2000000, {NULL}, {0}},
	      {"1", "routing-proxy", 1, 2, {TRUE, TRANSFER, NULL}, {300, 2, 0}},
	      {"1", "vllm-prefill", 2, 3, {TTFT, QUEUE, PREFILL}, {0.9, 0.004, 0.2}},
	      {"1", "vllm-decode", 3, 4, {QUEUE, PREFILL, DECODE}, {0.002, 0.01, 0.5}}},
	     4,
	     "1 4: 2000 ttft 300 queue 4/2 prefill 200 transfer 2 decode 500"},
	    {"without the proxy's word: the decoder's first token, never the prefiller's",
	     {{"1", "vllm-prefill", 0, 3, {TTFT, PREFILL, NULL}, {0.9, 0.2, 0}},
	      {"1", "vllm-decode", 3, 4, {TTFT, PREFILL, NULL}, {0.1, 0.01, 0}}},
	     2,
	     "1 2: 0.007 ttft 100 queue -1/-1 prefill 200 transfer -1 decode -1"},
	    {"slowest first, equal ones by id",
	     {{"3", "vllm-decode", 0, 1000, {TTFT}, {0.001}},
	      {"2", "vllm-decode", 0, 1000, {TTFT}, {0.002}},
	      {"1", "vllm-decode", 500, 9000, {TTFT}, {0.003}}},
	     3,
	     "1 1: 9 ttft 3 queue -1/-1 prefill -1 transfer -1 decode -1; "
	     "2 1: 1 ttft 2 queue -1/-1 prefill -1 transfer -1 decode -1; "
	     "3 1: 1 ttft 1 queue -1/-1 prefill -1 transfer -1 decode -1"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct trace trace CLEANUP(trace_release) = {.spans = NULL};
		struct trace_splits splits CLEANUP(trace_splits_release) = {.items = NULL};
		fill(cases[i].rows, cases[i].count, &trace);
		trace_split_all(&trace, &splits);
		char *got CLEANUP(str_freep) = tell(&splits);
		CHECK_STR_ROW(got, cases[i].want, cases[i].name);
	}
}
