/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

/* vLLM writes seconds, the proxy milliseconds. */
static const struct {
	const char *key;
	double to_ms;
} figures[FIGURE_COUNT] = {
    [FIGURE_TTFT] = {"gen_ai.latency.time_to_first_token", 1000},
    [FIGURE_E2E] = {"gen_ai.latency.e2e", 1000},
    [FIGURE_QUEUE] = {"gen_ai.latency.time_in_queue", 1000},
    [FIGURE_PREFILL] = {"gen_ai.latency.time_in_model_prefill", 1000},
    [FIGURE_DECODE] = {"gen_ai.latency.time_in_model_decode", 1000},
    [FIGURE_PROXY_PREFILL] = {"llm_d.pd_proxy.prefill_duration_ms", 1},
    [FIGURE_PROXY_DECODE] = {"llm_d.pd_proxy.decode_duration_ms", 1},
    [FIGURE_PROXY_TTFT] = {"llm_d.pd_proxy.true_ttft_ms", 1},
    [FIGURE_TRANSFER] = {"llm_d.pd_proxy.coordinator_overhead_ms", 1},
};

static void span_release(struct span *span)
{
	free(span->service);
	free(span->operation);
	free(span->pod);
}

void trace_release(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		span_release(&trace->spans[i]);
	free(trace->spans);
	*trace = (struct trace){0};
}

void trace_names_release(struct trace_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	*names = (struct trace_names){0};
}

struct span *trace_add(struct trace *trace)
{
	if (trace->count == LIMIT_TRACE_SPANS) {
		trace->cut = true;
		return NULL;
	}
	trace->spans = grow(trace->spans, trace->count, sizeof(*trace->spans));
	struct span *span = &trace->spans[trace->count++];
	*span = (struct span){.service = NULL};
	for (int i = 0; i < FIGURE_COUNT; i++)
		span->figure_ms[i] = -1;
	return span;
}

void trace_take(struct trace *trace, struct trace *more)
{
	for (size_t i = 0; i < more->count; i++) {
		struct span *span = trace_add(trace);
		if (span == NULL)
			break;
		*span = more->spans[i];
		more->spans[i] = (struct span){.service = NULL};
	}
	trace->cut |= more->cut;
	trace_release(more);
}

void trace_drop(struct trace *trace, const char *id)
{
	size_t kept = 0;
	for (size_t i = 0; i < trace->count; i++) {
		if (strcmp(trace->spans[i].trace, id) == 0)
			span_release(&trace->spans[i]);
		else
			trace->spans[kept++] = trace->spans[i];
	}
	trace->count = kept;
}

bool trace_id_read(const char *text, size_t size, char *ret_id)
{
	size_t len = text == NULL ? 0 : strlen(text);
	/* all zeros is "none" (W3C trace context) */
	if (len == 0 || len >= size || strspn(text, "0123456789abcdefABCDEF") != len ||
	    strspn(text, "0") == len)
		return false;
	memset(ret_id, '0', size - 1);
	for (size_t i = 0; i < len; i++) {
		char *to = &ret_id[size - 1 - len + i];
		*to = text[i];
		if (*to >= 'A' && *to <= 'F')
			*to = "abcdef"[*to - 'A'];
	}
	ret_id[size - 1] = '\0';
	return true;
}

void span_set_times(struct span *span, int64_t start_us, int64_t duration_us)
{
	const int64_t latest = (int64_t)1 << 60;
	span->start_us = start_us < 0 || start_us > latest ? 0 : start_us;
	span->duration_us = duration_us < 0 || duration_us > latest ? 0 : duration_us;
}

void span_note_figure(struct span *span, const char *key, double value)
{
	for (int i = 0; i < FIGURE_COUNT; i++)
		if (strcmp(figures[i].key, key) == 0 && value >= 0)
			span->figure_ms[i] = value * figures[i].to_ms;
}

char *trace_name(const char *text)
{
	size_t len = text == NULL ? 0 : strnlen(text, LIMIT_TRACE_NAME_BYTES);
	char *name = xstrndup(text == NULL ? "" : text, text_utf8_valid_prefix(text, len));
	for (char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return name;
}

bool trace_names_has(const struct trace_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

void trace_names_add(struct trace_names *names, const char *name)
{
	CLEANUP(str_freep) char *copy = trace_name(name);
	if (names->count == LIMIT_TRACE_NAMES || trace_names_has(names, copy))
		return;
	names->items = grow(names->items, names->count, sizeof(*names->items));
	names->items[names->count++] = TAKE_PTR(copy);
}

bool trace_is_own_service(const char *service)
{
	static const char *const own[] = {"jaeger", "jaeger-all-in-one", "jaeger-query",
					  "jaeger-collector", "tempo"};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (strcmp(service, own[i]) == 0)
			return true;
	return false;
}

bool trace_is_unnamed(const char *service)
{
	return strcmp(service, "unknown_service") == 0 ||
	       text_has_prefix(service, "unknown_service:");
}
