/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collector and back end of a namespace know of spans, asked through the API server
 * (services/proxy), so that nothing has to be exposed or forwarded. Only a query endpoint
 * that is no Service is called directly.
 */
#ifndef LLMD_CMD_SIGHTINGS_H
#define LLMD_CMD_SIGHTINGS_H

#include "cmd/online.h"
#include "inject/trace.h"
#include "inject/trace_counters.h"
#include "inject/trace_hop.h"
#include "inject/trace_query.h"

/* Who can be asked for spans. Borrowed from the settings. */
struct back_end {
	const char *namespace_name;
	enum query_type type;
	const char *url;    /* NULL: the Service jaeger-collector of the namespace */
	const char *tenant; /* for X-Scope-OrgID; NULL: none */
};

/* False: nobody can. */
bool back_end_find(const struct settings *settings, const char *namespace_name,
		   struct back_end *ret_back_end);

struct sightings {
	struct trace trace;
	struct trace_names services; /* every service that the back end knows */
	bool has_services;           /* it answered */
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
NODISCARD enum status sightings_ask_services(struct online *online, const struct back_end *back_end,
					     struct sightings *sightings, struct error *err);

/* Traces of the last `since_ms` of those services of the hops that it knows, `limit` of each. */
NODISCARD enum status sightings_ask_recent(struct online *online, const struct back_end *back_end,
					   const struct trace_hops *hops, size_t limit,
					   uint64_t since_ms, struct sightings *sightings,
					   struct error *err);

/* The spans of one trace replace what is there; none when it is not known yet. */
NODISCARD enum status sightings_ask_trace(struct online *online, const struct back_end *back_end,
					  const char *id, struct sightings *sightings,
					  struct error *err);

#endif
