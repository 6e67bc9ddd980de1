/* SPDX-License-Identifier: Apache-2.0 */
/* What the workloads of a namespace add up to. */
#include "test.h"

#include "base/text.h"
#include "controller/tally.h"

struct given {
	const char *name; /* NULL: no more rows */
	enum workload_state state;
	enum reason reason;
	long pods;
	bool rolling;
	bool stalled;
	bool held;
	bool removing;
};

#define UP(NAME)                                                                                   \
	{                                                                                          \
		NAME, WORKLOAD_INJECTED, REASON_INJECTED, .pods = 2                                \
	}
#define ROLLING(NAME)                                                                              \
	{                                                                                          \
		NAME, WORKLOAD_PENDING, REASON_ROLLING_OUT, .pods = 2, .rolling = true             \
	}
#define WAITS(NAME, REASON)                                                                        \
	{                                                                                          \
		NAME, WORKLOAD_PENDING, REASON_##REASON, .pods = 2                                 \
	}

static const struct {
	const char *name;
	struct given rows[6];
	const char *injected;
	const char *rolled_out;
	const char *pending_restart;
	const char *conflicting;
	const char *words; /* somewhere in the four messages; NULL: any */
	bool held;
} cases[] = {
    {"nothing is there",
     {{.name = NULL}},
     "False NoWorkloads",
     "Unknown NothingInjected",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"what is ignored is not there",
     {{"x", WORKLOAD_IGNORED, REASON_NONE, .pods = 3}},
     "False NoWorkloads",
     "Unknown NothingInjected",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"all are skipped",
     {{"x", WORKLOAD_SKIPPED, REASON_OPTED_OUT, .pods = 3}},
     "False NothingInjected",
     "Unknown NothingInjected",
     "False NothingPending",
     "False NoConflict",
     "all 1 workloads are skipped",
     false},
    {"only reported: nothing will restart",
     {{"x", WORKLOAD_SKIPPED, REASON_REPORT_ONLY, .pods = 3}},
     "False NothingInjected",
     "Unknown NothingInjected",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"all is well",
     {UP("a"), UP("b"), {"x", WORKLOAD_SKIPPED, REASON_OPTED_OUT, .pods = 1}},
     "True Injected",
     "True RolledOut",
     "False NothingPending",
     "False NoConflict",
     "2 of 3 workloads are injected",
     false},
    {"written, and being rolled out",
     {UP("a"), ROLLING("b")},
     "True Injected",
     "False RollingOut",
     "False NothingPending",
     "False NoConflict",
     "pods are being replaced: Deployment/b",
     false},
    {"one rolls out, two wait",
     {ROLLING("a"), WAITS("b", WAITING_FOR_ROLLOUT), WAITS("c", WAITING_FOR_TURN)},
     "False InProgress",
     "False RollingOut",
     "True InProgress",
     "False NoConflict",
     "2 of 3 workloads are not written yet: 1 WaitingForTurn, 1 WaitingForRollout",
     false},
    {"all wait for the same",
     {UP("a"), WAITS("b", WAITING_FOR_APPROVAL), WAITS("c", WAITING_FOR_APPROVAL)},
     "False WaitingForApproval",
     "True RolledOut",
     "True WaitingForApproval",
     "False NoConflict",
     "4 pods of 2 workloads will be replaced: Deployment/b, Deployment/c",
     false},
    {"a write that costs no pods",
     {{"a", WORKLOAD_PENDING, REASON_WAITING_FOR_TURN, .pods = 0}},
     "False WaitingForTurn",
     "Unknown NothingInjected",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"another plan waits while one rolls out",
     {{"a", WORKLOAD_PENDING, REASON_WAITING_FOR_APPROVAL, .pods = 2, .rolling = true}},
     "False WaitingForApproval",
     "False RollingOut",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"many names are cut",
     {WAITS("a", WAITING_FOR_WINDOW), WAITS("b", WAITING_FOR_WINDOW),
      WAITS("c", WAITING_FOR_WINDOW), WAITS("d", WAITING_FOR_WINDOW),
      WAITS("e", WAITING_FOR_WINDOW)},
     "False WaitingForWindow",
     "Unknown NothingInjected",
     "True WaitingForWindow",
     "False NoConflict",
     "Deployment/a, Deployment/b, Deployment/c and 2 more",
     false},
    {"a rollout that stalls",
     {UP("a"), {"b", WORKLOAD_FAILED, REASON_STALLED, .pods = 2, .rolling = true, .stalled = true}},
     "True Injected",
     "False Stalled",
     "False NothingPending",
     "False NoConflict",
     "no progress: Deployment/b",
     false},
    {"new pods do not come up",
     {ROLLING("a"), {"b", WORKLOAD_PENDING, REASON_NOT_COMING_UP, .pods = 2, .rolling = true}},
     "True Injected",
     "False NotComingUp",
     "False NothingPending",
     "False NoConflict",
     "new pods do not come up: Deployment/b",
     false},
    {"taken back, and its pods are being replaced once more",
     {UP("a"), {"b", WORKLOAD_FAILED, REASON_REVERTED, .pods = 2, .rolling = true}},
     "False SomeFailed",
     "False RollingOut",
     "False NothingPending",
     "False NoConflict",
     "1 of 2 workloads could not be traced, or are undone by others: 1 Reverted",
     false},
    {"a refused write",
     {UP("a"), {"b", WORKLOAD_FAILED, REASON_DENIED, .pods = 2}},
     "False SomeFailed",
     "True RolledOut",
     "False NothingPending",
     "False NoConflict",
     "1 of 2 workloads could not be traced, or are undone by others: 1 Denied",
     false},
    {"others pull",
     {UP("a"), {"b", WORKLOAD_CONFLICTING, REASON_CONFLICTING, .pods = 2}},
     "False SomeFailed",
     "True RolledOut",
     "False NothingPending",
     "True UndoneByOthers",
     "others undo the injection of Deployment/b; status.workloads says who and what ends it",
     false},
    {"held back by the user's own strategy",
     {UP("a"), {"b", WORKLOAD_INJECTED, REASON_INJECTED, .pods = 0, .held = true}},
     "True Injected",
     "False HeldBack",
     "False NothingPending",
     "False NoConflict",
     "Deployment/b",
     true},
    {"held back, and another one rolls",
     {ROLLING("a"), {"b", WORKLOAD_INJECTED, REASON_INJECTED, .held = true}},
     "True Injected",
     "False RollingOut",
     "False NothingPending",
     "False NoConflict",
     NULL,
     false},
    {"an opted-out one is taken back",
     {UP("a"), {"b", WORKLOAD_PENDING, REASON_ROLLING_OUT, .rolling = true, .removing = true}},
     "True Injected",
     "False RollingOut",
     "False NothingPending",
     "False NoConflict",
     "1 of 2 workloads are injected",
     false},
};

static void add(struct roster *roster, const struct given *given)
{
	struct roster_row *row = roster_need(roster, RESOURCE_DEPLOYMENT, given->name);
	row->pace.pods = given->pods;
	row->pace.rolling = given->rolling;
	row->pace.stalled = given->stalled;
	row->pace.held = given->held;
	row->pace.inject = !given->removing;
	(void)roster_tell(row, given->state, given->reason, "");
}

static void check(const struct verdict *verdict, const char *want, const char *name)
{
	char text[128];
	(void)snprintf(text, sizeof(text), "%s %s", verdict->status, verdict->reason);
	CHECK_STR_ROW(text, want, name);
}

TEST(conditions_of_what_the_rows_say)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct roster roster = {0};
		struct tally tally;
		for (size_t k = 0; k < ARRAY_LEN(cases[i].rows) && cases[i].rows[k].name; k++)
			add(&roster, &cases[i].rows[k]);
		tally_roster(&roster, &tally);
		check(&tally.injected, cases[i].injected, cases[i].name);
		check(&tally.rolled_out, cases[i].rolled_out, cases[i].name);
		check(&tally.pending_restart, cases[i].pending_restart, cases[i].name);
		check(&tally.conflicting, cases[i].conflicting, cases[i].name);
		CHECK_INT_ROW(tally.held, cases[i].held, cases[i].name);
		if (cases[i].words != NULL &&
		    strstr(tally.injected.message, cases[i].words) == NULL &&
		    strstr(tally.rolled_out.message, cases[i].words) == NULL &&
		    strstr(tally.pending_restart.message, cases[i].words) == NULL)
			CHECK_STR_ROW(tally.conflicting.message, cases[i].words, cases[i].name);
		roster_release(&roster);
	}
}

/* Two hundred long names do not overflow a message. */
TEST(messages_are_bounded)
{
	struct roster roster = {0};
	struct tally tally;
	char name[254];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		(void)snprintf(name + 240, sizeof(name) - 240, "%d", i);
		add(&roster, &(struct given)WAITS(name, WAITING_FOR_TURN));
	}
	tally_roster(&roster, &tally);
	CHECK(strlen(tally.pending_restart.message) < sizeof(tally.pending_restart.message) - 1);
	CHECK(strstr(tally.pending_restart.message, "and 197 more") != NULL);
	roster_release(&roster);
}

static const struct {
	const char *name;
	enum workload_state state;
	bool rolling;
	long minute;
	const char *since;
} steps[] = {
    {"waits", WORKLOAD_PENDING, false, 1, "2026-01-01T00:01:00Z"},
    {"still waits", WORKLOAD_PENDING, false, 2, "2026-01-01T00:01:00Z"},
    {"is written", WORKLOAD_PENDING, true, 3, "2026-01-01T00:03:00Z"},
    {"rolls on", WORKLOAD_PENDING, true, 4, "2026-01-01T00:03:00Z"},
    {"is through", WORKLOAD_INJECTED, false, 5, "2026-01-01T00:05:00Z"},
    {"stays so", WORKLOAD_INJECTED, false, 6, "2026-01-01T00:05:00Z"},
};

TEST(since_when_it_stands_so)
{
	for (int restart = 0; restart < 2; restart++) {
		struct roster roster = {0};
		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			struct roster_row *row = roster_need(&roster, RESOURCE_DEPLOYMENT, "a");
			(void)roster_tell(row, steps[i].state, REASON_WAITING_FOR_TURN, "");
			row->pace.rolling = steps[i].rolling;
			roster_stamp(row, INT64_C(1767225600000000) + steps[i].minute * 60000000);
			cJSON *rows = roster_status(&roster);
			CHECK_STR_ROW(json_str(rows->child, "since"), steps[i].since,
				      steps[i].name);
			if (restart == 1) { /* every step in another process */
				roster_release(&roster);
				roster_load(&roster, rows);
			}
			cJSON_Delete(rows);
		}
		roster_release(&roster);
	}
}

/* A cut character would be written as another one, and status never say what was wanted. */
TEST(a_message_is_cut_between_characters)
{
	struct verdict verdict;
	char words[2 * sizeof(verdict.message)];
	for (size_t shift = 0; shift < 3; shift++) {
		memset(words, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(words); i += 3)
			memcpy(words + i, "\xe2\x80\xa6", 4);
		verdict_set(&verdict, "False", "Refused", "%s", words);
		size_t len = strlen(verdict.message);
		CHECK(len + 3 >= sizeof(verdict.message) - 1);
		CHECK_INT(text_utf8_valid_prefix(verdict.message, len), len);
	}
}
