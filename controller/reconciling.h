/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at a workload under way. Private to reconcile_workload.c; restart.c, which holds
 * everything that stands between a write and the pods that it replaces; and failure.c.
 */
#ifndef LLMD_CONTROLLER_RECONCILING_H
#define LLMD_CONTROLLER_RECONCILING_H

#include "controller/reconcile_workload.h"
#include "controller/rollout.h"
#include "inject/plan.h"

enum { WORDS_MAX = 1000 };

struct reconciling {
	const struct workload_input *input;
	struct roster_row *row;
	struct intents *intents;
	struct plan *plan;
	struct replica_sets sets;
	struct rollout rollout;
	bool lends;         /* the strategy for this one rollout (controller/loan.h) */
	bool rides;         /* on a rollout of somebody else */
	bool reverts;       /* the plan takes back what did not come up */
	const char *ledger; /* text of the live one, or NULL */
	char words[WORDS_MAX];
	bool changed;
	struct trace_hops hops;
	char outdated
	    [17]; /* consent_hash of what PlanOutdated holds back; "" nothing, or agreed to */
};

/* What people see; `changed` when it is new. */
void reconciling_tell(struct reconciling *r, enum workload_state state, enum reason reason,
		      const char *words);
/* About the workload, and about the Tracing, where all of a namespace can be read in one place. */
void reconciling_tell_event(struct reconciling *r, enum reason reason, const char *action,
			    const char *note);
void reconciling_add_words(struct reconciling *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What would be done, for people. */
void reconciling_add_edits(struct reconciling *r);

/* An image about which nothing is known is tried before anything is written; told. `asked`: a person wants that anew. */
bool rehearsing_comes_first(struct reconciling *r, bool asked);
/* Plans anew; what goes wrong is told, and false. */
bool reconciling_build(struct reconciling *r, enum plan_want want);
/* The API server refused the write of before, and it is not time for another try; told. */
bool reconciling_is_refused(struct reconciling *r);
/* Adds the guarded patch and says what it does. */
void reconciling_patch(struct reconciling *r);
/* Hash of the retry annotation; false: there is none. The value may be anything, and a row has to stay small. */
bool reconciling_retry(const cJSON *object, char ret_hash[17]);

/* How far a write of before has come; sets what the others have to know of this workload. */
void restart_follow(struct reconciling *r);
/* It was failing before anybody of ours touched it, or its spans could not arrive; told. */
bool restart_is_left_alone(struct reconciling *r);
/* A write has to wait: for consent, the capacity floor, or its turn; the row says it. */
bool restart_waits(struct reconciling *r);
/* Nothing is to be written, and what was written is being rolled out. */
void restart_tell_rolling(struct reconciling *r);

#endif
