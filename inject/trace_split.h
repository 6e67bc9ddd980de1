/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the time of each request went: spans of many traces, put together trace by trace
 * from the durations that engines and routing proxy wrote on them. Pure.
 */
#ifndef LLMD_INJECT_TRACE_SPLIT_H
#define LLMD_INJECT_TRACE_SPLIT_H

#include "inject/trace.h"

/* Milliseconds; < 0: no span of the trace tells. */
struct trace_split {
	char trace[TRACE_ID_SIZE];
	int64_t start_us; /* of its first span */
	size_t spans;
	bool failed;  /* one of its spans */
	double total; /* from its first span's begin to its last one's end */
	double ttft;  /* as the routing proxy saw it, else as the (decoding) engine did */
	double prefill_queue, decode_queue;
	double prefill;  /* in the engine that prefilled: the only one without disaggregation */
	double transfer; /* of the KV cache: between prefill and decode */
	double decode;
};

struct trace_splits {
	struct trace_split *items; /* owned; slowest first */
	size_t count;
};

/* Traces without any span of an engine or a routing proxy are left out. */
void trace_split_all(const struct trace *trace, struct trace_splits *ret_splits);
void trace_splits_release(struct trace_splits *splits);

#endif
