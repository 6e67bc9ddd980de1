/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans as a back end gave them back, of one trace or of several: the little that proves
 * where a request went and how long it took there. What is no identity, name, time or one
 * of the durations below is not kept; so no content of a request ever stands here.
 */
#ifndef LLMD_INJECT_TRACE_H
#define LLMD_INJECT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

enum {
	TRACE_ID_SIZE = 33, /* 32 hex digits, lower case, NUL */
	SPAN_ID_SIZE = 17,
	LIMIT_TRACE_SPANS = 4000, /* of one answer; what is past it is dropped and `cut` is set */
	LIMIT_TRACE_NAMES = 500,  /* services or operations of one list */
	LIMIT_TRACE_DEPTH = 1000, /* of a tree */
	LIMIT_TRACE_NAME_BYTES = 200 /* a longer name is cut */
};

/* Durations that components put on their spans (LLMD §1.3, §2), all kept in milliseconds. */
enum span_figure {
	FIGURE_TTFT,          /* gen_ai.latency.time_to_first_token */
	FIGURE_E2E,           /* gen_ai.latency.e2e */
	FIGURE_QUEUE,         /* gen_ai.latency.time_in_queue */
	FIGURE_PREFILL,       /* gen_ai.latency.time_in_model_prefill */
	FIGURE_DECODE,        /* gen_ai.latency.time_in_model_decode */
	FIGURE_PROXY_PREFILL, /* llm_d.pd_proxy.prefill_duration_ms */
	FIGURE_PROXY_DECODE,  /* llm_d.pd_proxy.decode_duration_ms */
	FIGURE_PROXY_TTFT,    /* llm_d.pd_proxy.true_ttft_ms */
	FIGURE_TRANSFER, /* llm_d.pd_proxy.coordinator_overhead_ms: prefill's end to decode's begin */
	FIGURE_COUNT
};

struct span {
	char trace[TRACE_ID_SIZE];
	char id[SPAN_ID_SIZE];
	char parent[SPAN_ID_SIZE]; /* "": a root */
	char *service;             /* owned; "" when the span names none */
	char *operation;           /* owned */
	char *pod;                 /* k8s.pod.name of its resource; owned; NULL: none */
	int64_t start_us;          /* since 1970-01-01 UTC */
	int64_t duration_us;
	bool failed;
	double figure_ms[FIGURE_COUNT]; /* < 0: not on this span */
};

struct trace {
	struct span *spans; /* in the order in which they came */
	size_t count;
	bool cut; /* there were more than LIMIT_TRACE_SPANS */
};

/* A list of names: services, operations. */
struct trace_names {
	char **items; /* owned */
	size_t count;
};

void trace_release(struct trace *trace);
void trace_names_release(struct trace_names *names);

/* A new span at the end with every figure absent, NULL when the trace is full. Borrowed. */
struct span *trace_add(struct trace *trace);

/* Takes over what belongs to `more`, as far as there is room, and empties it. */
void trace_take(struct trace *trace, struct trace *more);
/* Takes the spans of one trace out. */
void trace_drop(struct trace *trace, const char *id);

/* Hexadecimal id of at most `size` - 1 digits, lower case, with leading zeros; false when it is none. */
bool trace_id_read(const char *text, size_t size, char *ret_id);

/* Takes times as a back end gives them: nonsense (negative, beyond the year 30000) becomes 0. */
void span_set_times(struct span *span, int64_t start_us, int64_t duration_us);

/* Keeps a figure when `key` names one; `value` in the unit that its component uses. */
void span_note_figure(struct span *span, const char *key, double value);

/* A copy of `text` (NULL: "") cut to LIMIT_TRACE_NAME_BYTES, without control characters. Owned. */
NODISCARD char *trace_name(const char *text);
/* Adds a copy unless it is there already or the list is full. */
void trace_names_add(struct trace_names *names, const char *name);
bool trace_names_has(const struct trace_names *names, const char *name);

/* A service of the back end itself (Jaeger traces its own queries). */
bool trace_is_own_service(const char *service);

/* What an SDK calls a program that was given no name: "unknown_service", "unknown_service:python3". */
bool trace_is_unnamed(const char *service);

#endif
