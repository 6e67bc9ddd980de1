/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict: which hops' spans have arrived, which operations of the guide were seen,
 * and whether one trace holds the whole way of a request. Pure: hops and what was
 * observed go in; time is a value.
 */
#ifndef LLMD_INJECT_TRACE_VERDICT_H
#define LLMD_INJECT_TRACE_VERDICT_H

#include "inject/trace.h"
#include "inject/trace_counters.h"
#include "inject/trace_hop.h"
#include "inject/trace_operation.h"

enum trace_answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };

/* What was seen from outside. Everything is borrowed; NULL: was not or could not be asked. */
struct trace_observation {
	const struct trace *trace; /* spans of recent traces, or of the one that was sent */
	const struct trace_names *services; /* every service that the back end knows */
	const struct trace_counters *counters;
	const char *sent_trace;     /* id of a sampled trace that was just sent (verify --send) */
	const char *network_policy; /* name of one that may keep spans from the collector */
	enum trace_answer tls;      /* the collector expects TLS */
	enum trace_answer traffic;  /* requests were served meanwhile */
	bool backend_fresh;         /* it has just restarted: what it knew may be lost */
	bool sent_alone;            /* of all requests only the one that was sent has arrived */
};

/* Kinds of hops, as bits. */
enum trace_part { TRACE_EPP = 1, TRACE_PROXY = 2, TRACE_ENGINE = 4 };

struct trace_sighting {
	bool seen;
	size_t spans;    /* among those that were looked at; 0 when only a list or counter tells */
	int64_t last_us; /* end of the newest span; 0: unknown */
	unsigned groups; /* bits of enum trace_group */
};

struct trace_verdict {
	struct trace_sighting *hops; /* one for each hop, in their order; owned */
	size_t hop_count;
	size_t expected;             /* hops whose tracing is on */
	size_t seen;                 /* of these */
	enum trace_answer received;  /* every expected hop was seen */
	enum trace_answer connected; /* one trace holds every kind of hop that is expected */
	bool
	    cannot_connect; /* a proxy hands no context on: engines' spans are traces of their own */
	char trace[TRACE_ID_SIZE]; /* the most complete one; "" when there is none */
	unsigned parts_expected;   /* bits of enum trace_part */
	unsigned parts_seen;       /* in that trace */
	unsigned groups_expected;  /* bits of enum trace_group */
	unsigned groups_seen;
	size_t
	    entries; /* spans with which a request enters an endpoint picker, of those looked at */
	size_t entries_called; /* … whose caller had decided on sampling already */
	int64_t newest_us;     /* end of the newest span of an expected hop; 0: none */
	bool requests; /* spans of some request have arrived, not only of a model server's start */
	bool unnamed;  /* spans arrive under no name, or under a program's own default */
	bool unnamed_now;  /* … and stand among those that were looked at */
	bool only_generic; /* spans arrive, but nothing but scrapes and bare GETs */
};

void trace_verdict(const struct trace_hops *hops, const struct trace_observation *observation,
		   struct trace_verdict *ret_verdict);
void trace_verdict_release(struct trace_verdict *verdict);

/* That nothing was sampled of so many expected ones is as likely as 1 in 20,000. */
enum { TRACE_ENOUGH = 10 };

/* The share of requests without a decision of their caller's that is sampled, by what the hops say. */
double trace_share(const struct trace_hops *hops);

/*
 * Whether so many requests were served that some of them should have been sampled, from what model
 * servers count (COUNTER_SERVED). Few prove nothing where a tenth is kept.
 */
enum trace_answer trace_traffic(const struct trace_hops *hops,
				const struct trace_counters *servers);

/* The part that a component is, 0 for none. */
unsigned trace_part_of(enum component component);
/* "endpoint picker, routing proxy" for bits of enum trace_part. At most `size` bytes. */
void trace_parts_text(unsigned parts, char *ret_text, size_t size);
/* "request routing, endpoint scoring" for bits of enum trace_group. */
void trace_groups_text(unsigned groups, char *ret_text, size_t size);

#endif
