/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workloads of one namespace and where each stands: what status shows, whose turn it
 * is to be written, and what is remembered of each beyond its own object (DESIGN §4.6:
 * `kubectl rollout undo` takes the ledger away). Begins with the rows of the Tracing's
 * status, so that it outlasts the process.
 */
#ifndef LLMD_CONTROLLER_ROSTER_H
#define LLMD_CONTROLLER_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/consent.h"
#include "controller/floor.h"
#include "controller/moment.h"
#include "controller/pace.h"
#include "controller/pods_seen.h"
#include "controller/refused.h"
#include "controller/resource.h"
#include "controller/undo.h"
#include "inject/reason.h"
#include "inject/trace_hop.h"

enum workload_state {
	WORKLOAD_UNSEEN,  /* not looked at since the start */
	WORKLOAD_IGNORED, /* nothing of ours to do: not listed in status */
	WORKLOAD_INJECTED,
	WORKLOAD_PENDING, /* a write is planned */
	WORKLOAD_SKIPPED,
	WORKLOAD_CONFLICTING,
	WORKLOAD_FAILED, /* a write was refused */
	WORKLOAD_STATE_COUNT
};

/* A write that was refused: holds until then, or until the object or the settings change. */
struct refusal {
	char *message;      /* the server's own words; NULL: none */
	char *version;      /* generation of the object (our own: of the Tracing) it was about */
	bool transient;     /* a matter of the network or of load */
	enum reason reason; /* of a workload's */
	unsigned failures;
	uint64_t retry_at_ms;  /* UINT64_MAX: never by itself */
	int64_t retry_wall_us; /* the same for people; 0: never, or not of a workload */
};

struct roster_row {
	enum resource_id resource;
	char *name;
	enum workload_state state;
	enum reason reason;
	char *message; /* for people; never NULL */
	struct pace pace;
	struct consent consent;
	struct shares shares;
	bool accelerators;  /* its pods ask for some */
	bool surveying;     /* waits for a survey of the nodes */
	bool unsurveyed;    /* it was written without one, though there should be one */
	bool stale;         /* what it depends on has changed since it was looked at */
	unsigned conflicts; /* 409 in a row */
	long gave_back;     /* generation for which ownership was given back by itself; 0: none */
	struct undo_record undo;
	cJSON *lent; /* maxUnavailable before a strategy was lent (loan.h); NULL: none is owed */
	struct refusal refusal;
	struct pods_seen seen;
	struct trace_hops hops; /* its containers on a request's way, as the live object has them */
	int64_t last_span_us;   /* end of the newest span that was seen of it; 0: none */
	struct {
		int64_t at_us; /* 0: not known */
		enum workload_state state;
		bool rolling;
	} since; /* for how long it has been waiting, rolling out, injected, … */
};

struct roster {
	struct roster_row *rows; /* by resource, name */
	size_t count;
	bool loaded; /* the status' rows were taken in */
	struct refused_list refused;
	struct pace_limits limits;
	bool
	    full; /* as many rollouts are under way as the operator allows, all namespaces together */
};

void roster_release(struct roster *roster);

/* Takes in the rows of a Tracing's status for workloads that have none yet. */
void roster_load(struct roster *roster, const cJSON *status_workloads);

/* Borrowed; valid until rows are added or dropped. */
struct roster_row *roster_find(const struct roster *roster, enum resource_id resource,
			       const char *name);
struct roster_row *roster_need(struct roster *roster, enum resource_id resource, const char *name);
void roster_drop(struct roster *roster, enum resource_id resource, const char *name);

/* A row that was taken in from the status has not been looked at yet. */
bool roster_has_unseen(const struct roster *roster);

/* Sets what people see; true when something of it is different from before. */
bool roster_tell(struct roster_row *row, enum workload_state state, enum reason reason,
		 const char *message);

/* Notes the time when its state, or whether it is being rolled out, has changed since the last time. */
void roster_stamp(struct roster_row *row, int64_t wall_us);

/* A write of ours is being rolled out, or should be, and nothing else has to be written. */
bool roster_is_rolling(const struct roster_row *row);

/* A write waits that will replace pods: how many; 0: none. */
long roster_restarts(const struct roster_row *row);

/* Takes over what is expected of it now; true when that is something else than before. */
bool roster_expect(struct roster_row *row, struct trace_hops *hops);

bool refusal_holds(const struct refusal *refusal, const char *version, uint64_t mono_ms);
void refusal_note(struct refusal *refusal, enum status status, const char *message,
		  const char *version, uint64_t mono_ms, uint64_t at_least_ms);
void refusal_clear(struct refusal *refusal);
/* What passes by itself is told of only when it does not. */
bool refusal_is_worth_telling(const struct refusal *refusal);

/* "Injected", … as in status. */
const char *workload_state_name(enum workload_state state);
/* That status lists rows in this state. */
bool workload_state_is_listed(enum workload_state state);

/* The rows for status, most telling first, at most LIMIT_STATUS_WORKLOADS. Owned. */
NODISCARD cJSON *roster_status(const struct roster *roster);

struct roster_counts {
	size_t workloads; /* all that status would list */
	size_t by_state[WORKLOAD_STATE_COUNT];
	long restarts; /* pods that writes which wait will replace */
};
struct roster_counts roster_count(const struct roster *roster);

#endif
