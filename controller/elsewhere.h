/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One canary of an image over all namespaces: while the pods of one workload show whether an
 * image takes tracing, nobody else begins with it; what was refused in one namespace is tried
 * in no other. Says nothing of where: a namespace is not told about its neighbours. Pure.
 */
#ifndef LLMD_CONTROLLER_ELSEWHERE_H
#define LLMD_CONTROLLER_ELSEWHERE_H

#include "controller/roster.h"

struct elsewhere {
	const struct roster **rosters; /* of all other namespaces; borrowed */
	size_t count;
	bool unseen; /* one of them has not been looked at since the start */
};

/*
 * REASON_NONE, WAITING_FOR_PROOF or IMAGE_REFUSED. `asked`: a person wants this very workload
 * to be tried, whatever others have found.
 */
enum reason elsewhere_judge(const struct elsewhere *elsewhere, const struct roster *own,
			    const struct roster_row *row, const struct plan *plan, bool asked);

/* What another namespace has found of an image of the plan, or NULL. */
const struct refused *elsewhere_refused(const struct elsewhere *elsewhere, const struct plan *plan);

/* Two workloads have an image in common that is or would be traced. */
bool elsewhere_shares_image(const struct roster_row *a, const struct roster_row *b);

#endif
