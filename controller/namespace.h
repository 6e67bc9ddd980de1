/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of one namespace from one reconcile to the next, beyond what the
 * store holds. All of it can be lost: it begins anew from the Tracing's status.
 */
#ifndef LLMD_CONTROLLER_NAMESPACE_H
#define LLMD_CONTROLLER_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/debounce.h"
#include "controller/intent.h"
#include "controller/origins.h"
#include "controller/proof.h"
#include "controller/roster.h"
#include "controller/secrets.h"

struct namespace
{
	char *name;
	struct roster roster;
	bool tracing_seen; /* it has had a Tracing since it was enabled */
	bool missing;      /* the annotation is missing, since */
	uint64_t missing_since_ms;
	bool just_lost; /* it went missing at the last look; the controller takes note */
	bool
	    guarded; /* one of too many that lost it: nothing is taken back until somebody says so */
	bool removing; /* taking back, since */
	uint64_t removing_since_ms;
	struct refusal refusals[PART_COUNT]; /* of writes to our own objects, by part */
	struct secrets secrets;              /* that the Tracing names, as last read */
	/* What was last applied without effect: the live object says it in other words. */
	char *settled[32]; /* by row of owned_objects: resourceVersion, or NULL */

	/* listing after it became enabled */
	bool listing;
	size_t lists_left;

	/* one key of a namespace at a time */
	bool busy;
	uint64_t busy_since_ms;
	char **held; /* keys that came while it was busy; owned */
	size_t held_count;
	char *policy_seen;      /* policy_fingerprint at the last look; or NULL */
	struct proof proof;     /* that spans arrive */
	struct origins origins; /* what the collector is told of workloads */
	struct debounce status_writes;
	cJSON *rehearsals; /* rows of status.rehearsals (inject/rehearsal.h); NULL: none yet */
	char *told;        /* last said in an Event about the namespace itself; or NULL */
};

NODISCARD struct namespace *namespace_new(const char *name);
void namespace_free(struct namespace *space);

#endif
