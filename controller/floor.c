/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/floor.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "controller/roster.h"

static long least(long a, long b)
{
	return a < b ? a : b;
}

static long while_replacing(const struct replicas *set)
{
	long left = set->wanted - set->max_unavailable;
	if (replicas_to_replace(set) == 0)
		return set->ready;
	return least(set->ready, left < 0 ? 0 : left);
}

void shares_read(const struct replica_sets *sets, const struct facts *facts,
		 struct shares *ret_shares)
{
	struct shares shares = {.pools = ""};
	hash_short(facts->pools, strlen(facts->pools), shares.pools);
	for (size_t i = 0; i < sets->count; i++) {
		const struct replicas *set = &sets->items[i];
		if (set->epp && !facts->epp_fail_close)
			continue;
		struct share *share = &shares.of[set->epp ? FLOOR_PICKER : (int)set->role];
		share->ready += set->ready;
		share->wanted += set->wanted;
		share->least += while_replacing(set);
	}
	*ret_shares = shares;
}

static const char *role_words(size_t role)
{
	static const char *const words[FLOOR_ROLES] = {[ROLE_NONE] = "servers",
						       [ROLE_PREFILL] = "prefill servers",
						       [ROLE_DECODE] = "decode servers",
						       [ROLE_ENCODE] = "encode servers",
						       [FLOOR_PICKER] =
							   "endpoint pickers of a FailClose pool"};
	return words[role];
}

/* What all others bring at the worst moment, those under rollout included. */
static struct share others_of(const struct roster *roster, const struct roster_row *row,
			      size_t role)
{
	struct share sum = {0};
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *other = &roster->rows[i];
		const struct share *share = &other->shares.of[role];
		if (other == row || other->state == WORKLOAD_UNSEEN ||
		    strcmp(other->shares.pools, row->shares.pools) != 0)
			continue;
		sum.ready += share->ready;
		sum.wanted += share->wanted;
		sum.least += other->pace.rolling ? share->least : share->ready;
	}
	return sum;
}

bool floor_is_broken(const struct roster *roster, const struct roster_row *row,
		     const cJSON *min_ready, char *ret_words, size_t size)
{
	for (size_t role = 0; role < FLOOR_ROLES; role++) {
		const struct share *own = &row->shares.of[role];
		if (own->least >= own->ready)
			continue;
		struct share others = others_of(roster, row, role);
		long need = int_or_percent(min_ready, others.wanted + own->wanted, true, 1);
		long after = others.least + own->least;
		if (after >= need)
			continue;
		(void)snprintf(
		    ret_words, size,
		    "by its own strategy %ld of %ld Ready %s would be left while its pods "
		    "are replaced, and %ld have to stay (spec.rollout.minReadyPerRole)",
		    after, others.ready + own->ready, role_words(role), need);
		return true;
	}
	return false;
}
