/* SPDX-License-Identifier: Apache-2.0 */
/* The workloads of all namespaces in figures. */
#include "test.h"

#include "controller/figures.h"

enum { SECOND = 1000000 };

static void add(struct roster *roster, const char *name, enum workload_state state,
		enum reason reason, long pods, bool rolling, bool stalled, int64_t since_s)
{
	struct roster_row *row = roster_need(roster, RESOURCE_DEPLOYMENT, name);
	row->pace.pods = pods;
	row->pace.rolling = rolling;
	row->pace.stalled = stalled;
	(void)roster_tell(row, state, reason, "");
	roster_stamp(row, since_s * SECOND);
}

TEST(figures_of_several_namespaces)
{
	struct roster a = {0};
	struct roster b = {0};
	struct workload_figures f = {.progressing = 0};
	add(&a, "up", WORKLOAD_INJECTED, REASON_INJECTED, 2, false, false, 10);
	add(&a, "ignored", WORKLOAD_IGNORED, REASON_NONE, 2, false, false, 10);
	add(&a, "early", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN, 3, false, false, 10);
	add(&a, "late", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN, 4, false, false, 70);
	add(&a, "rolling", WORKLOAD_PENDING, REASON_ROLLING_OUT, 5, true, false, 10);
	add(&b, "stalled", WORKLOAD_FAILED, REASON_STALLED, 6, true, true, 10);
	add(&b, "asks", WORKLOAD_PENDING, REASON_WAITING_FOR_APPROVAL, 7, false, false, 90);
	(void)roster_need(&b, RESOURCE_DEPLOYMENT, "unseen");
	pods_seen_set_blind(&roster_find(&a, RESOURCE_DEPLOYMENT, "rolling")->seen, "x");
	figures_add(&f, &a, 100 * SECOND);
	figures_add(&f, &b, 100 * SECOND);
	CHECK_INT(f.rows[WORKLOAD_INJECTED][REASON_INJECTED], 1);
	CHECK_INT(f.rows[WORKLOAD_PENDING][REASON_WAITING_FOR_TURN], 2);
	CHECK_INT(f.rows[WORKLOAD_PENDING][REASON_ROLLING_OUT], 1);
	CHECK_INT(f.rows[WORKLOAD_FAILED][REASON_STALLED], 1);
	CHECK_INT(f.rows[WORKLOAD_IGNORED][REASON_NONE], 0);
	CHECK_INT(f.rows[WORKLOAD_UNSEEN][REASON_NONE], 0);
	CHECK_INT(f.progressing, 1);
	CHECK_INT(f.stalled, 1);
	CHECK_INT(f.blind, 1);
	CHECK_INT(f.restarts, 14);
	CHECK_INT((long)f.longest_wait[REASON_WAITING_FOR_TURN], 90);
	CHECK_INT((long)f.longest_wait[REASON_WAITING_FOR_APPROVAL], 10);
	CHECK_INT((long)f.longest_wait[REASON_ROLLING_OUT], 0);
	roster_release(&a);
	roster_release(&b);
}
