/* SPDX-License-Identifier: Apache-2.0 */
/* Hops of a P/D set-up and spans as text: what verdicts and diagnoses are tested on. */
#ifndef LLMD_TEST_UNIT_HOPS_H
#define LLMD_TEST_UNIT_HOPS_H

#include "inject/trace_diagnose.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "test.h"

/* --- a set-up, and what was seen of it --- */

#define EPP     "epp"
#define PROXY   "proxy"
#define DECODE  "decode"
#define PREFILL "prefill"

/* One P/D set-up; each part may be changed by a row. */
__attribute__((unused)) static void set_up(struct trace_hops *hops)
{
	static const struct {
		enum component component;
		const char *name, *image, *service;
	} rows[] = {
	    {COMPONENT_EPP, EPP, "llm-d-router-endpoint-picker:v0.10.0", "llm-d-router/epp"},
	    {COMPONENT_ROUTING_PROXY, DECODE, "llm-d-router-disagg-sidecar:v0.10.0",
	     "routing-proxy"},
	    {COMPONENT_VLLM, DECODE, "llm-d-cuda:v0.9.0", "vllm-decode"},
	    {COMPONENT_VLLM, PREFILL, "llm-d-cuda:v0.9.0", "vllm-prefill"},
	};
	*hops = (struct trace_hops){0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hops->items = grow(hops->items, hops->count, sizeof(*hops->items));
		struct trace_hop *hop = &hops->items[hops->count++];
		*hop = (struct trace_hop){
		    .component = rows[i].component,
		    .workload = xasprintf("Deployment/%s", rows[i].name),
		    .name = xstrdup(rows[i].name),
		    .container = xstrdup(
			rows[i].component == COMPONENT_ROUTING_PROXY ? "routing-proxy" : "main"),
		    .image = xstrdup(rows[i].image),
		    .message = xstrdup(""),
		    .reason = REASON_INJECTED,
		    .on = true,
		    .service = xstrdup(rows[i].service),
		    .endpoint = xstrdup("http://otel-collector:4317"),
		    .exporter = xstrdup("otlp"),
		    .sampler = xstrdup("parentbased_traceidratio"),
		    .ratio = xstrdup("1.0")};
		struct image image;
		image_read(hop->image, &image);
		version_read(image.tag, image.tag_len, &hop->version);
	}
}

__attribute__((unused)) static void set(char **text, const char *value)
{
	free(*text);
	*text = value == NULL ? NULL : xstrdup(value);
}

/* "TRACE SERVICE OPERATION [POD]" a line. */
__attribute__((unused)) static void read_spans(const char *lines, struct trace *trace)
{
	char *text CLEANUP(str_freep) = xstrdup(lines);
	char *rest = NULL;
	long start = 1000;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		char id[64] = "";
		char service[64] = "";
		char operation[64] = "";
		char pod[64] = "";
		CHECK(sscanf(line, "%63s %63s %63[^\t]\t%63s", id, service, operation, pod) >= 3);
		struct span *span = trace_add(trace);
		CHECK(trace_id_read(id, TRACE_ID_SIZE, span->trace));
		span->service = trace_name(service);
		span->operation = trace_name(operation);
		span->pod = pod[0] == '\0' ? NULL : xstrdup(pod);
		span_set_times(span, start += 1000, 10);
	}
}

static void add_to(char *text, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

__attribute__((unused)) static void add_to(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t len = strlen(text);
	va_start(args, fmt);
	(void)vsnprintf(text + len, size - len, fmt, args);
	va_end(args);
}

__attribute__((unused)) static const char *const answers[] = {"unknown", "no", "yes"};

__attribute__((unused)) static void tell(const struct trace_verdict *verdict, char *out,
					 size_t size)
{
	char text[256];
	out[0] = '\0';
	add_to(out, size, "received=%s %zu/%zu connected=%s", answers[verdict->received],
	       verdict->seen, verdict->expected, answers[verdict->connected]);
	if (verdict->cannot_connect)
		add_to(out, size, " cannot");
	trace_parts_text(verdict->parts_seen, text, sizeof(text));
	add_to(out, size, " [%s]", text);
	trace_groups_text(verdict->groups_expected & ~verdict->groups_seen, text, sizeof(text));
	add_to(out, size, " missing [%s]", text);
	if (verdict->unnamed)
		add_to(out, size, " unnamed");
	if (verdict->only_generic)
		add_to(out, size, " generic");
}

#define GOOD_EPP "1 llm-d-router/epp gateway.request\n1 llm-d-router/epp llm_d.epp.scoring\n"
#define GOOD                                                                                       \
	GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1/completions\n"                           \
		 "1 vllm-prefill llm_request\n1 vllm-decode llm_request\n"

#endif
