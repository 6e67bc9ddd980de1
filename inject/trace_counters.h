/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a collector says about itself and about the spans that pass through it, and model
 * servers about the requests that they have served, read from
 * the Prometheus text format: only the counters that tell whether spans arrive, where
 * they are lost, and from whom they came. Other lines are passed over.
 */
#ifndef LLMD_INJECT_TRACE_COUNTERS_H
#define LLMD_INJECT_TRACE_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

enum trace_counter {
	COUNTER_ACCEPTED,    /* otelcol_receiver_accepted_spans */
	COUNTER_REFUSED,     /* otelcol_receiver_refused_spans (also failed) */
	COUNTER_FILTERED,    /* otelcol_processor_filter_spans.filtered: scrape noise, bare GETs */
	COUNTER_SENT,        /* otelcol_exporter_sent_spans */
	COUNTER_SEND_FAILED, /* otelcol_exporter_send_failed_spans, enqueue_failed_spans */
	COUNTER_SERVED,      /* vllm:request_success, sglang:num_requests */
	COUNTER_UPTIME,      /* otelcol_process_uptime: seconds */
	COUNTER_COUNT
};

enum { LIMIT_TRACE_CALLS = 1000 }; /* pairs of service and operation */

/* Spans by who made them, from the span metrics (`calls`). */
struct trace_call {
	char *service;   /* owned */
	char *operation; /* owned; "" when the metrics do not tell it */
	double spans;    /* the first ones may be shown as 0, see trace_counters_know */
};

struct trace_counters {
	double value[COUNTER_COUNT]; /* summed over all label sets */
	bool known[COUNTER_COUNT];   /* a line of it was there */
	struct trace_call *calls;
	size_t call_count;
};

/* Adds what the text says: own metrics and span metrics may come from two places. */
void trace_counters_read(const char *text, size_t len, struct trace_counters *counters);
void trace_counters_release(struct trace_counters *counters);

/*
 * True when span metrics know the service. The count itself says less: a collector shows a
 * new series as 0 first and the true number at the next flush that has something new.
 */
bool trace_counters_know(const struct trace_counters *counters, const char *service);

#endif
