/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collector and Jaeger of a namespace know of spans, asked through the API server
 * (services/proxy), so that nothing has to be exposed or forwarded.
 */
#ifndef LLMD_CMD_SIGHTINGS_H
#define LLMD_CMD_SIGHTINGS_H

#include "cmd/online.h"
#include "inject/trace.h"
#include "inject/trace_counters.h"
#include "inject/trace_hop.h"

struct sightings {
	struct trace trace;
	struct trace_names services; /* every service that Jaeger knows */
	bool has_services;           /* Jaeger answered */
	struct trace_counters counters;
	bool has_counters; /* the collector answered */
	char *trouble;     /* what the first one that did not answer said; owned; NULL: none */
};

void sightings_release(struct sightings *sightings);

/*
 * All of these: a Service that is not there, has no ready endpoint or answers nonsense is
 * `trouble`, no failure. A refusal of services/proxy is STATUS_DENIED; "interrupted" as in online.h.
 */
NODISCARD enum status sightings_ask_collector(struct online *online, const char *namespace_name,
					      struct sightings *sightings, struct error *err);
NODISCARD enum status sightings_ask_services(struct online *online, const char *namespace_name,
					     struct sightings *sightings, struct error *err);

/* Traces of the last `since_ms` of those services of the hops that Jaeger knows, `limit` of each. */
NODISCARD enum status sightings_ask_recent(struct online *online, const char *namespace_name,
					   const struct trace_hops *hops, size_t limit,
					   uint64_t since_ms, struct sightings *sightings,
					   struct error *err);

/* The spans of one trace replace what is there; none when Jaeger does not know it yet. */
NODISCARD enum status sightings_ask_trace(struct online *online, const char *namespace_name,
					  const char *id, struct sightings *sightings,
					  struct error *err);

#endif
