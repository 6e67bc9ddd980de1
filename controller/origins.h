/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's table of workloads (inject/origin.h) for one namespace: made of the objects
 * in the store alone, so that it is complete before anything is written and the same after a
 * restart. A change replaces the collector's pods, so changes are gathered: the first table
 * holds at once, a later one when it has been quiet for ten seconds, at the latest after two
 * minutes, and a minute after the one before. The clock is a value.
 */
#ifndef LLMD_CONTROLLER_ORIGINS_H
#define LLMD_CONTROLLER_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/store.h"

struct policy;

struct origin_row {
	unsigned long seen; /* of the object it was made from */
	cJSON *groups;
};

/* How far a set of objects has come: steps of the store. */
struct origin_mark {
	unsigned long newest;
	size_t count;
};

struct origins {
	struct origin_row *rows; /* one an object that was looked at */
	size_t count;
	struct origin_mark around; /* pools and Services */
	struct origin_mark workloads;
	cJSON *wanted; /* NULL: not looked at yet */
	cJSON *table;  /* what the collector is told; NULL: nothing yet */
	size_t left_out;
	bool waits; /* wanted is another than table, since */
	uint64_t waits_since_ms;
	uint64_t changed_ms; /* when wanted last changed */
	uint64_t taken_ms;   /* when table last changed; 0: never since the first */
	uint64_t again_ms;   /* until it is to be looked at again; 0: not for this */
};

/*
 * A look at a namespace whose policy is decided. What there was no room for is said in the
 * condition of a collector of ours.
 */
void origins_follow(struct origins *origins, const struct store *store, const char *namespace_name,
		    struct policy *policy, uint64_t mono_ms);
void origins_release(struct origins *origins);

#endif
