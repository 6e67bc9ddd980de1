/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query APIs of Jaeger and Tempo: what to ask for, and how the answers are read into
 * one model (trace_answer.h). Jaeger answers a search with whole traces, Tempo with their
 * ids, so that there each is asked for by itself.
 */
#ifndef LLMD_INJECT_TRACE_QUERY_H
#define LLMD_INJECT_TRACE_QUERY_H

#include "base/buffer.h"
#include "inject/settings.h"
#include "inject/trace.h"

/* Which traces. Times in µs since 1970; end_us 0: of any time. */
struct trace_search {
	const char *service;
	size_t limit;
	int64_t start_us;
	int64_t end_us;
};

/* Path and query, percent-encoded, to be put behind the base URL. */
void trace_query_names(enum query_type type, struct buffer *out);
void trace_query_search(enum query_type type, const struct trace_search *search,
			struct buffer *out);
void trace_query_trace(enum query_type type, const char *id, struct buffer *out);

/* Their answers; statuses as in trace_answer.h. */
NODISCARD enum status trace_query_read_names(enum query_type type, const char *body, size_t len,
					     struct trace_names *names, struct error *err);
/* Adds the traces that were found to `trace`, or their ids to `ids`. */
NODISCARD enum status trace_query_read_search(enum query_type type, const char *body, size_t len,
					      struct trace *trace, struct trace_names *ids,
					      struct error *err);
NODISCARD enum status trace_query_read_trace(enum query_type type, const char *body, size_t len,
					     struct trace *trace, struct error *err);

/*
 * For a URL of a Service (http://NAME.NAMESPACE.svc:PORT/…) the API server's way to it:
 * "/api/v1/namespaces/NAMESPACE/services/http:NAME:PORT/proxy/…". False: it is no such URL.
 */
bool trace_query_proxied(const char *url, struct buffer *out);

#endif
