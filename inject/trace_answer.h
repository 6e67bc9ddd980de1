/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the query APIs of Jaeger and Tempo, read into spans and names. Bodies come
 * from outside: whoever asks puts a ceiling on their size; depth and nodes are json.h's.
 *
 * Jaeger (HTTP JSON of its UI, `cmd/jaeger`): /api/services, /api/services/S/operations,
 * /api/traces?service=S&limit=N, /api/traces/ID. `"data": null` is an empty answer.
 * Tempo: /api/search, /api/v2/search/tag/.service.name/values (and v1), /api/traces/ID and
 * /api/v2/traces/ID as OTLP in JSON, ids as hex or, from protobuf, as base64.
 * All: STATUS_INVALID when the body is not JSON or not of that shape (`what` is named);
 * STATUS_NOT_FOUND when the back end says that it has no such trace.
 */
#ifndef LLMD_INJECT_TRACE_ANSWER_H
#define LLMD_INJECT_TRACE_ANSWER_H

#include "inject/trace.h"

/* Adds to `names`; the back end's own service is left out. */
NODISCARD enum status jaeger_read_names(const char *body, size_t len, struct trace_names *names,
					struct error *err);
/* Adds to `trace`, which may hold spans already. */
NODISCARD enum status jaeger_read_traces(const char *body, size_t len, struct trace *trace,
					 struct error *err);

/* The values of a tag. */
NODISCARD enum status tempo_read_names(const char *body, size_t len, struct trace_names *names,
				       struct error *err);
/* The ids of the traces that a search found. */
NODISCARD enum status tempo_read_search(const char *body, size_t len, struct trace_names *ids,
					struct error *err);
NODISCARD enum status tempo_read_trace(const char *body, size_t len, struct trace *trace,
				       struct error *err);

#endif
