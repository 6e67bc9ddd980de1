/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that spans arrive, for one namespace: whom to ask next, what the answers mean,
 * and the conditions that come of it. Asks go to Services of the namespace, or to the query
 * endpoint that its settings name: first the
 * collector's own counter; the back end only when that has moved. Pure: answers and the
 * time are given; nothing here sends anything.
 *
 * A round is: counter → (requests that a model server has served, unsampled.h) → (services → traces of each → those that came as ids) or (span metrics) → judged. Rounds are
 * 30 s apart while the counter moves, and up to 5 min apart while it does not.
 */
#ifndef LLMD_CONTROLLER_PROOF_H
#define LLMD_CONTROLLER_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/moment.h"
#include "controller/unsampled.h"
#include "controller/verdict.h"
#include "inject/trace_query.h"
#include "inject/trace_verdict.h"

enum proof_step {
	PROOF_COUNTER, /* otel-collector:8888/metrics */
	PROOF_SERVED,  /* a model server's own /metrics */
	PROOF_CALLS,   /* otel-collector:8889/metrics */
	PROOF_NAMES,   /* jaeger-collector:16686/api/services */
	PROOF_TRACES,  /* …/api/traces?service=S */
	PROOF_EACH,    /* …/api/traces/ID, where a search brings ids only */
	PROOF_JUDGE,   /* everything of this round is there */
	PROOF_STEP_COUNT
};

/* Who can be asked; from the view (proof_view.h). */
struct proof_targets {
	bool wanted;  /* something is traced, and a collector is ready */
	bool counter; /* the Service otel-collector has port 8888 */
	bool calls;   /* … and 8889 */
	bool query;   /* the back end: */
	enum query_type dialect;
	const char *url;    /* its base URL; NULL: the Service jaeger-collector; borrowed */
	const char *tenant; /* for its X-Scope-OrgID; NULL: none; borrowed */
	bool own;           /* the collector is ours: it takes plaintext */
	bool fresh;         /* the back end came up less than two minutes ago */
	const struct trace_hop *engine; /* whose pods may be asked what they have served; or NULL */
	size_t engines;                 /* of how many it is one */
	const cJSON *policies;          /* array: NetworkPolicies of the namespace; borrowed */
	const char
	    *unsampled; /* what status says of that, for these settings; NULL: nothing; borrowed */
	const char *where; /* where spans go when that cannot be asked, for people; borrowed */
};

struct proof {
	/* the round */
	enum proof_step step;
	bool asking;        /* an answer is awaited */
	unsigned long turn; /* of the ask under way: late answers to others are told by it */
	uint64_t due_ms;    /* not before */
	unsigned idle;      /* rounds in a row in which nothing moved */
	unsigned failures;  /* rounds in a row that got no answer */
	char *trouble;      /* the words of the last failure; owned; NULL: none */
	uint64_t moved_ms;  /* when the counter was last seen to have moved */
	bool awake;         /* what is expected has changed: the back end is asked in any case */
	bool counted;
	double accepted; /* the counter when it was last read */
	double filtered;
	double passed; /* accepted, and not filtered */
	double sent;
	bool query; /* of the targets, as of the round (proof_settle) */
	enum query_type dialect;
	char where[17]; /* hash of URL and tenant; "": not looked at yet */
	bool calls;
	size_t engines;
	bool look;   /* after PROOF_SERVED the back end is asked */
	size_t next; /* PROOF_TRACES: of `wanted`; PROOF_EACH: of `ids` */
	bool narrow; /* answers were too large: one trace each */
	/* what this round has brought */
	struct trace_names wanted; /* services whose traces are asked for */
	struct trace_names services;
	struct trace_names ids; /* PROOF_EACH */
	struct trace trace;
	struct trace_counters counters;
	struct unsampled unsampled;
	/* what came of the last whole round */
	bool judged;
	struct verdict received; /* status NULL: not judged yet */
	struct verdict connected;
	size_t expected;
	size_t heard;
	unsigned groups_seen; /* bits of enum trace_group */
	unsigned groups_missing;
	size_t entries; /* of trace_verdict */
	size_t entries_called;
	char trace_id[TRACE_ID_SIZE];
	int64_t
	    shown_us; /* end of the newest span as status says it: moves once a minute at most */
};

void proof_release(struct proof *proof);

/* Something about what is expected has changed: looks again soon. */
void proof_wake(struct proof *proof, uint64_t mono_ms);

/* The next round begins soon. */
void proof_hurry(struct proof *proof, uint64_t mono_ms);

struct proof_ask {
	const char *service;            /* name of a Service; static */
	unsigned port;                  /* 0: `path` is a whole URL */
	char path[1024];                /* and query, percent-encoded */
	const char *tenant;             /* of the targets */
	const struct trace_hop *engine; /* a pod of it instead of a Service; else NULL */
};

enum { PROOF_ANSWER_MAX = 1 << 20, PROOF_TIMEOUT_MS = 5000 };

/*
 * The next thing to ask; false: nothing now. `ret_again_ms`: look again in that time, 0: an
 * answer or a change will say.
 */
bool proof_next(const struct proof *proof, const struct proof_targets *targets, struct moment now,
		struct proof_ask *ret_ask, uint64_t *ret_again_ms);

/*
 * It is being asked; returns the turn, to be given with the answer. `hops`: whose traces
 * are of interest.
 */
unsigned long proof_asked(struct proof *proof, const struct trace_hops *hops);

/* PROOF_SERVED: there is nobody any more who could be asked. */
void proof_skip_served(struct proof *proof, uint64_t mono_ms);

/* It could not even be sent (too much under way): later. */
void proof_put_off(struct proof *proof, uint64_t mono_ms);

struct proof_reply {
	enum status status; /* STATUS_OK: `body` is the answer */
	const char *body;
	size_t len;
	const char *message;            /* what was wrong; else NULL */
	const struct served_at *server; /* PROOF_SERVED: who has answered; else NULL */
};

/* Takes an answer in; one to another turn is dropped. */
void proof_answer(struct proof *proof, unsigned long turn, const struct proof_reply *reply,
		  struct moment now);

/*
 * PROOF_JUDGE: draws the conclusions and ends the round. `last_us` (one for each hop, may
 * be NULL) gets the end of each hop's newest span, where one is known that is at least a
 * minute newer than what is there.
 */
void proof_judge(struct proof *proof, const struct proof_targets *targets,
		 const struct trace_hops *hops, int64_t *last_us, uint64_t mono_ms);

/* What to say in status now, also before the first judgement. */
void proof_tell(const struct proof *proof, const struct proof_targets *targets,
		struct verdict *ret_received, struct verdict *ret_connected);

#endif
