/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/roster.h"

enum { NOW = 1000 };

/* A row that waits, with one pod, whose image nobody shares unless it says so. */
static struct roster_row *add(struct roster *roster, const char *name, enum workload_rank rank,
			      enum workload_state state, enum reason reason)
{
	struct roster_row *row = roster_need(roster, RESOURCE_DEPLOYMENT, name);
	row->pace = (struct pace){.rank = rank, .pods = 1, .inject = true};
	(void)roster_tell(row, state, reason, "");
	return row;
}

static struct roster_row *add_waiting(struct roster *roster, const char *name,
				      enum workload_rank rank)
{
	return add(roster, name, rank, WORKLOAD_PENDING, REASON_WAITING_FOR_TURN);
}

static struct roster_row *row_of(const struct roster *roster, const char *name)
{
	return roster_find(roster, RESOURCE_DEPLOYMENT, name);
}

static const char *next_name(const struct roster *roster)
{
	const struct roster_row *row = pace_next(roster, NOW);
	return row == NULL ? NULL : row->name;
}

static const char *verdict(const struct roster *roster, const char *name)
{
	return reason_info(pace_may_start(roster, row_of(roster, name), NOW))->word;
}

/* As if it had been written and had rolled out. */
static void finish(struct roster *roster, const char *name)
{
	struct roster_row *row = row_of(roster, name);
	row->pace.rolling = false;
	row->pace.proven = true;
	(void)roster_tell(row, WORKLOAD_INJECTED, REASON_INJECTED, "");
}

TEST(the_order_of_writes)
{
	struct roster roster = {0};
	(void)add_waiting(&roster, "closed-epp", RANK_EPP_FAIL_CLOSE);
	(void)add_waiting(&roster, "a-server", RANK_SERVER);
	(void)add(&roster, "b-server", RANK_SERVER, WORKLOAD_PENDING, REASON_WAITING_FOR_COLLECTOR);
	(void)add_waiting(&roster, "prefill", RANK_PREFILL);
	(void)add_waiting(&roster, "z-epp", RANK_EPP);
	static const char *const order[] = {"z-epp", "prefill", "a-server", "b-server",
					    "closed-epp"};
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		CHECK_STR(next_name(&roster), order[i]);
		CHECK_STR(verdict(&roster, order[i]), "None");
		finish(&roster, order[i]);
	}
	CHECK_STR(next_name(&roster), NULL);
	roster_release(&roster);
}

TEST(the_smallest_of_an_image_goes_first_and_has_to_roll_out)
{
	struct roster roster = {.limits = {.max_concurrent = 9}};
	static const struct {
		const char *name;
		enum workload_rank rank;
		const char *image;
		long pods;
	} rows[] = {{"big", RANK_PREFILL, "a", 8},
		    {"small", RANK_SERVER, "a", 2},
		    {"middle", RANK_SERVER, "a", 4},
		    {"other", RANK_SERVER, "b", 9}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct roster_row *row = add_waiting(&roster, rows[i].name, rows[i].rank);
		row->pace.pods = rows[i].pods;
		(void)snprintf(row->pace.images, sizeof(row->pace.images), "%s", rows[i].image);
	}
	/* canaries by name: one of each image */
	CHECK_STR(next_name(&roster), "other");
	row_of(&roster, "other")->pace.rolling = true;
	(void)roster_tell(row_of(&roster, "other"), WORKLOAD_PENDING, REASON_ROLLING_OUT, "");
	CHECK_STR(next_name(&roster), "small");
	CHECK_STR(verdict(&roster, "big"), "WaitingForCanary");
	row_of(&roster, "small")->pace.rolling = true;
	(void)roster_tell(row_of(&roster, "small"), WORKLOAD_PENDING, REASON_ROLLING_OUT, "");
	/* there is room, but the canary has not been proven */
	CHECK_STR(next_name(&roster), NULL);
	CHECK_STR(verdict(&roster, "middle"), "WaitingForCanary");
	finish(&roster, "small");
	CHECK_STR(next_name(&roster), "big"); /* prefill before decode */
	CHECK_STR(verdict(&roster, "big"), "None");
	/* a removal proves nothing and waits for no canary */
	row_of(&roster, "small")->pace.proven = false;
	row_of(&roster, "middle")->pace.inject = false;
	CHECK_STR(verdict(&roster, "middle"), "None");
	roster_release(&roster);
}

/* Whoever is looked at while others are not: when there is no room, that is what it waits for. */
TEST(no_room_is_told_also_before_all_were_looked_at)
{
	struct roster roster = {0};
	(void)add_waiting(&roster, "a", RANK_SERVER);
	(void)add_waiting(&roster, "b", RANK_SERVER);
	struct roster_row *unseen = roster_need(&roster, RESOURCE_DEPLOYMENT, "c");
	CHECK_STR(verdict(&roster, "b"), "WaitingForTurn");
	CHECK_STR(next_name(&roster), NULL);
	row_of(&roster, "a")->pace.rolling = true;
	CHECK_STR(verdict(&roster, "b"), "WaitingForRollout");
	unseen->stale = true;
	CHECK_STR(verdict(&roster, "b"), "WaitingForRollout");
	roster_release(&roster);
}

/* One that waits is looked at next when its turn has come: what it is told first has to be what it waits for. */
TEST(a_canary_is_told_also_before_all_were_looked_at)
{
	struct roster roster = {.limits = {.max_concurrent = 3}};
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)snprintf(add_waiting(&roster, names[i], RANK_SERVER)->pace.images,
			       sizeof(roster.rows[i].pace.images), "image");
	row_of(&roster, "c")->stale = true;
	CHECK_STR(verdict(&roster, "b"), "WaitingForCanary");
	CHECK_STR(verdict(&roster, "a"), "WaitingForTurn"); /* it may be the canary itself */
	row_of(&roster, "a")->pace.rolling = true;
	CHECK_STR(verdict(&roster, "b"), "WaitingForCanary");
	roster_release(&roster);
}

TEST(a_canary_that_stalls_holds_its_image_only)
{
	struct roster roster = {.limits = {.max_concurrent = 1, .go_on_after_failure = true}};
	struct roster_row *canary =
	    add(&roster, "canary", RANK_SERVER, WORKLOAD_FAILED, REASON_STALLED);
	canary->pace.rolling = canary->pace.stalled = true;
	(void)snprintf(canary->pace.images, sizeof(canary->pace.images), "a");
	struct roster_row *same = add_waiting(&roster, "same", RANK_SERVER);
	(void)snprintf(same->pace.images, sizeof(same->pace.images), "a");
	struct roster_row *other = add_waiting(&roster, "z-other", RANK_SERVER);
	(void)snprintf(other->pace.images, sizeof(other->pace.images), "b");
	CHECK_STR(verdict(&roster, "same"), "WaitingForCanary");
	CHECK_STR(next_name(&roster), "z-other");
	roster_release(&roster);
}

/* Taking back is the way out of a failure: who may not begin keeps it from nothing. */
TEST(a_removal_goes_before_those_that_are_kept_from_going)
{
	struct roster roster = {.limits = {.max_concurrent = 2}};
	struct roster_row *canary =
	    add(&roster, "canary", RANK_SERVER, WORKLOAD_PENDING, REASON_ROLLING_OUT);
	canary->pace.rolling = true;
	(void)snprintf(canary->pace.images, sizeof(canary->pace.images), "a");
	struct roster_row *same =
	    add(&roster, "a-same", RANK_SERVER, WORKLOAD_PENDING, REASON_WAITING_FOR_CANARY);
	(void)snprintf(same->pace.images, sizeof(same->pace.images), "a");
	add_waiting(&roster, "z-removal", RANK_SERVER)->pace.inject = false;
	for (int stalled = 0; stalled < 2; stalled++) {
		row_of(&roster, "canary")->pace.stalled = stalled;
		CHECK_STR(next_name(&roster), "z-removal");
		CHECK_STR(verdict(&roster, "z-removal"), "None");
	}
	roster_release(&roster);
}

/* There is room, but the servers are not through: they only follow their canary. */
TEST(a_picker_that_fails_closed_goes_after_those_that_wait_for_a_canary)
{
	struct roster roster = {.limits = {.max_concurrent = 3, .go_on_after_failure = true}};
	struct roster_row *canary =
	    add(&roster, "canary", RANK_SERVER, WORKLOAD_PENDING, REASON_ROLLING_OUT);
	canary->pace.rolling = true;
	(void)snprintf(canary->pace.images, sizeof(canary->pace.images), "a");
	struct roster_row *same =
	    add(&roster, "same", RANK_SERVER, WORKLOAD_PENDING, REASON_WAITING_FOR_CANARY);
	(void)snprintf(same->pace.images, sizeof(same->pace.images), "a");
	(void)add_waiting(&roster, "closed-epp", RANK_EPP_FAIL_CLOSE);
	CHECK_STR(next_name(&roster), NULL);
	CHECK_STR(verdict(&roster, "closed-epp"), "WaitingForTurn");
	/* not for ever */
	row_of(&roster, "canary")->pace.stalled = true;
	CHECK_STR(next_name(&roster), "closed-epp");
	CHECK_STR(verdict(&roster, "closed-epp"), "None");
	row_of(&roster, "canary")->pace.stalled = false;
	finish(&roster, "canary");
	CHECK_STR(next_name(&roster), "same");
	CHECK_STR(verdict(&roster, "closed-epp"), "WaitingForTurn");
	finish(&roster, "same");
	CHECK_STR(verdict(&roster, "closed-epp"), "None");
	roster_release(&roster);
}

TEST(how_many_at_a_time)
{
	static const struct {
		const char *what;
		long limit;
		bool full;
		int rolling, stalled;
		bool go_on, removal, own;
		long pods;
		const char *verdict;
	} rows[] = {
	    {"nothing under way", 1, 0, 0, 0, 0, 0, 0, 1, "None"},
	    {"one of one", 1, 0, 1, 0, 0, 0, 0, 1, "WaitingForRollout"},
	    {"no limit given is one", 0, 0, 1, 0, 0, 0, 0, 1, "WaitingForRollout"},
	    {"one of two", 2, 0, 1, 0, 0, 0, 0, 1, "None"},
	    {"two of two", 2, 0, 2, 0, 0, 0, 0, 1, "WaitingForRollout"},
	    {"the operator's cap", 2, 1, 0, 0, 0, 0, 0, 1, "WaitingForRollout"},
	    {"a removal keeps to it", 1, 0, 1, 0, 0, 1, 0, 1, "WaitingForRollout"},
	    {"no replicas: free", 1, 1, 1, 0, 0, 0, 0, 0, "None"},
	    {"its own pods are being replaced", 1, 0, 0, 0, 0, 0, 1, 1, "None"},
	    {"paused on failure", 5, 0, 0, 1, 0, 0, 0, 1, "PausedOnFailure"},
	    {"a removal is not", 5, 0, 0, 1, 0, 1, 0, 1, "None"},
	    {"unless told to go on", 1, 0, 0, 1, 1, 0, 0, 1, "None"},
	    {"its own stalls: may be taken back", 1, 0, 1, 0, 0, 1, 1, 1, "None"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct roster roster = {.full = rows[i].full,
					.limits = {.max_concurrent = rows[i].limit,
						   .go_on_after_failure = rows[i].go_on}};
		char name[32];
		for (int k = 0; k < rows[i].rolling + rows[i].stalled; k++) {
			(void)snprintf(name, sizeof(name), "other-%d", k);
			struct roster_row *other =
			    add(&roster, name, RANK_SERVER, WORKLOAD_PENDING, REASON_ROLLING_OUT);
			other->pace.rolling = true;
			other->pace.stalled = k >= rows[i].rolling;
		}
		struct roster_row *row = add_waiting(&roster, "server", RANK_SERVER);
		row->pace.inject = !rows[i].removal;
		row->pace.rolling = rows[i].own;
		row->pace.pods = rows[i].pods;
		CHECK_STR_ROW(verdict(&roster, "server"), rows[i].verdict, rows[i].what);
		roster_release(&roster);
	}
}

TEST(who_holds_the_others_up)
{
	static const struct {
		const char *what;
		enum workload_state state;
		enum reason reason;
		bool stale, refused;
		bool turn; /* of the server */
	} rows[] = {
	    {"not looked at", WORKLOAD_UNSEEN, REASON_NONE, 0, 0, false},
	    {"to be looked at again", WORKLOAD_INJECTED, REASON_INJECTED, 1, 0, false},
	    {"before it", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN, 0, 0, false},
	    {"waits for the collector", WORKLOAD_PENDING, REASON_WAITING_FOR_COLLECTOR, 0, 0,
	     false},
	    {"waits for somebody's rollout", WORKLOAD_PENDING, REASON_UNDONE, 0, 0, true},
	    {"refused", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN, 0, 1, true},
	    {"failed", WORKLOAD_FAILED, REASON_DENIED, 0, 1, true},
	    {"conflicting", WORKLOAD_CONFLICTING, REASON_CONFLICTING, 0, 0, true},
	    {"left alone", WORKLOAD_SKIPPED, REASON_ALREADY_FAILING, 0, 0, true},
	    {"done", WORKLOAD_INJECTED, REASON_INJECTED, 0, 0, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct roster roster = {0};
		struct roster_row *epp =
		    add(&roster, "epp", RANK_EPP, rows[i].state, rows[i].reason);
		epp->stale = rows[i].stale;
		if (rows[i].refused)
			refusal_note(&epp->refusal, STATUS_DENIED, "no", "1", NOW, 0);
		(void)add_waiting(&roster, "server", RANK_SERVER);
		CHECK_STR_ROW(verdict(&roster, "server"), rows[i].turn ? "None" : "WaitingForTurn",
			      rows[i].what);
		roster_release(&roster);
	}
}

TEST(progress_is_what_counts)
{
	struct pace pace = {.proven = true};
	struct rollout rollout = {
	    .phase = ROLLOUT_COMPLETE, .generation = 1, .patience_s = 3600, .updated = 4};
	CHECK_INT(pace_follow(&pace, &rollout, NOW), 0); /* none of ours */
	pace_begin(&pace, &rollout, false, NOW);
	CHECK(pace.rolling && !pace.proven);
	rollout.phase = ROLLOUT_PROGRESSING;
	rollout.generation = 2;
	rollout.updated = 0;
	CHECK_INT(pace_follow(&pace, &rollout, NOW), 3600000);
	/* 40 minutes of loading are no failure */
	CHECK_INT(pace_follow(&pace, &rollout, NOW + 2400000), 1200000);
	CHECK(!pace.stalled);
	rollout.updated = 1;
	(void)pace_follow(&pace, &rollout, NOW + 3500000);
	CHECK(!pace.stalled);
	(void)pace_follow(&pace, &rollout, NOW + 3500000 + 3600000);
	CHECK(pace.stalled && pace.rolling);
	/* it may get going again */
	rollout.ready = 1;
	(void)pace_follow(&pace, &rollout, NOW + 8000000);
	CHECK(!pace.stalled && pace.rolling);
	rollout.phase = ROLLOUT_COMPLETE;
	CHECK_INT(pace_follow(&pace, &rollout, NOW + 8000001), 0);
	CHECK(!pace.rolling);
}

TEST(a_modelservice_is_not_through_before_its_children_follow)
{
	struct pace pace = {0};
	struct rollout rollout = {.phase = ROLLOUT_COMPLETE, .generation = 7, .patience_s = 600};
	pace_begin(&pace, &rollout, true, NOW);
	(void)pace_follow(&pace, &rollout, NOW + 1);
	CHECK(pace.rolling); /* the children are as they were */
	rollout.generation = 8;
	(void)pace_follow(&pace, &rollout, NOW + 2);
	CHECK(!pace.rolling);
}

/* A DisaggregatedSet does not say of which generation its figures are. */
TEST(figures_of_before_the_write_end_no_rollout)
{
	struct pace pace = {.rank = RANK_SERVER};
	struct rollout rollout = {.phase = ROLLOUT_COMPLETE, .untold = true, .patience_s = 60};
	pace_begin(&pace, &rollout, false, NOW);
	CHECK_INT(pace_follow(&pace, &rollout, NOW + 1000), 29000);
	CHECK(pace.rolling);
	rollout.phase = ROLLOUT_PROGRESSING;
	(void)pace_follow(&pace, &rollout, NOW + 2000);
	rollout.phase = ROLLOUT_COMPLETE;
	CHECK_INT(pace_follow(&pace, &rollout, NOW + 3000), 0);
	CHECK(!pace.rolling);
	/* nor does one that shows no rollout at all go on for ever */
	pace_begin(&pace, &rollout, false, NOW);
	CHECK_INT(pace_follow(&pace, &rollout, NOW + 30000), 0);
	CHECK(!pace.rolling);
}
