/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/figures.h"

static void add_wait(struct workload_figures *figures, const struct roster_row *row,
		     int64_t wall_us)
{
	double *longest = &figures->longest_wait[row->reason];
	double waited = (double)(wall_us - row->since.at_us) / 1000000;
	bool waits = row->state == WORKLOAD_PENDING && !row->pace.rolling && row->since.at_us > 0;
	if (waits && waited > *longest)
		*longest = waited;
}

void figures_add(struct workload_figures *figures, const struct roster *roster, int64_t wall_us)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *row = &roster->rows[i];
		if (workload_state_is_listed(row->state))
			figures->rows[row->state][row->reason]++;
		figures->progressing += row->pace.rolling && !row->pace.stalled ? 1 : 0;
		figures->stalled += row->pace.rolling && row->pace.stalled ? 1 : 0;
		figures->blind += row->pace.rolling && row->seen.blind != NULL ? 1 : 0;
		figures->restarts += roster_restarts(row);
		add_wait(figures, row, wall_us);
	}
}
