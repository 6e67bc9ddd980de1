/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an answer of Jaeger, of Tempo or of a collector: nothing is read past its
 * end, ceilings hold, whatever was read has a tree in which each span stands once, and a
 * verdict and its causes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/trace_answer.h"
#include "inject/trace_diagnose.h"
#include "inject/trace_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_tree(const struct trace *trace)
{
	struct buffer out;
	size_t lines = 0;
	size_t spans = 0;
	if (trace->count == 0)
		return;
	const char *id = trace->spans[0].trace;
	buffer_init(&out, 16 << 20);
	trace_tree_print(trace, id, &out);
	for (size_t i = 0; i < trace->count; i++)
		spans += strcmp(trace->spans[i].trace, id) == 0;
	for (size_t i = 0; i < out.len; i++)
		lines += out.data[i] == '\n';
	check(out.full || lines == spans);
	buffer_release(&out);
}

static void check_verdict(const struct trace *trace, const struct trace_names *services,
			  const struct trace_counters *counters)
{
	struct trace_hop hop = {.component = COMPONENT_VLLM,
				.workload = (char[]){"Deployment/d"},
				.name = (char[]){"d"},
				.container = (char[]){"c"},
				.image = (char[]){"llm-d-cuda:v0.9.0"},
				.message = (char[]){""},
				.service = (char[]){"s"},
				.on = true};
	struct trace_hops hops = {&hop, 1};
	struct trace_observation seen = {
	    .trace = trace, .services = services, .counters = counters};
	struct trace_verdict verdict;
	struct trace_findings findings;
	trace_verdict(&hops, &seen, &verdict);
	trace_diagnose(&hops, &seen, &verdict, &findings);
	check(verdict.expected == 1 && verdict.hop_count == 1);
	check(verdict.received == ANSWER_YES || findings.count > 0);
	trace_findings_release(&findings);
	trace_verdict_release(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size == 0 ? 1 : size); /* of exact size: over-reads show */
	struct trace trace = {0};
	struct trace_names names = {0};
	struct trace_counters counters = {.calls = NULL};
	struct error err;
	memcpy(text, data, size);
	(void)!jaeger_read_traces(text, size, &trace, &err);
	(void)!tempo_read_trace(text, size, &trace, &err);
	(void)!jaeger_read_names(text, size, &names, &err);
	(void)!tempo_read_names(text, size, &names, &err);
	(void)!tempo_read_search(text, size, &names, &err);
	trace_counters_read(text, size, &counters);
	check(trace.count <= LIMIT_TRACE_SPANS && names.count <= LIMIT_TRACE_NAMES);
	check(counters.call_count <= LIMIT_TRACE_CALLS);
	check_tree(&trace);
	check_verdict(&trace, &names, &counters);
	trace_counters_release(&counters);
	trace_names_release(&names);
	trace_release(&trace);
	free(text);
	return 0;
}
