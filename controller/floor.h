/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capacity floor (DESIGN §7): no write of ours takes a role of a pool (prefill, decode,
 * servers of both; the picker of a FailClose pool) below the Ready servers that have to stay,
 * reckoned from the strategies of the objects that serve it. Pure.
 */
#ifndef LLMD_CONTROLLER_FLOOR_H
#define LLMD_CONTROLLER_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "controller/replicas.h"

struct roster;
struct roster_row;

/* The roles that are told apart: those of the servers, and the picker of a FailClose pool. */
enum { FLOOR_PICKER = ROLE_ENCODE + 1, FLOOR_ROLES };

/* What one workload brings to a role. */
struct share {
	long ready;
	long wanted;
	long least; /* Ready while its pods are being replaced, at the worst moment */
};

struct shares {
	char pools[24]; /* hash of the pools that it belongs to, all together */
	struct share of[FLOOR_ROLES];
};

void shares_read(const struct replica_sets *sets, const struct facts *facts,
		 struct shares *ret_shares);

/*
 * True when replacing the pods of `row` would take a role below the floor: `ret_words` says
 * which, with the numbers. A write that takes no Ready server away is never held, however few there are.
 * `min_ready`: spec.rollout.minReadyPerRole, NULL for one.
 */
bool floor_is_broken(const struct roster *roster, const struct roster_row *row,
		     const cJSON *min_ready, char *ret_words, size_t size);

#endif
