/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/limits.h"
#include "base/text.h"
#include "controller/reconciling.h"
#include "controller/roster.h"

static struct roster_row *add(struct roster *roster, const char *name, enum workload_rank rank,
			      enum workload_state state, enum reason reason)
{
	struct roster_row *row = roster_need(roster, RESOURCE_DEPLOYMENT, name);
	row->pace.rank = rank;
	(void)roster_tell(row, state, reason, "");
	return row;
}

TEST(refusals_hold_for_a_time_or_until_something_changes)
{
	struct refusal refusal = {0};
	CHECK(!refusal_holds(&refusal, "1", 0));
	refusal_note(&refusal, STATUS_RETRY, "server is busy", "1", 1000, 0);
	CHECK(refusal_holds(&refusal, "1", 1999));
	CHECK(!refusal_holds(&refusal, "1", 2000));
	CHECK(!refusal_holds(&refusal, "2", 1500)); /* another generation */
	refusal_note(&refusal, STATUS_RETRY, "still", "1", 2000, 0);
	CHECK(refusal_holds(&refusal, "1", 3999)); /* twice as long */
	refusal_note(&refusal, STATUS_RETRY, "busy", "1", 4000, 90000);
	CHECK(refusal_holds(&refusal, "1", 93999)); /* Retry-After */
	for (int i = 0; i < 40; i++)
		refusal_note(&refusal, STATUS_DENIED, "no", "1", 0, 0);
	CHECK(refusal_holds(&refusal, "1", 299999));
	CHECK(!refusal_holds(&refusal, "1", 300000)); /* never longer than five minutes */
	refusal_clear(&refusal);
	refusal_note(&refusal, STATUS_INVALID, "bad", "1", 0, 0);
	CHECK(refusal_holds(&refusal, "1", UINT64_MAX - 1)); /* as long as nothing changes */
	CHECK(!refusal_holds(&refusal, "2", 1));
	refusal_clear(&refusal);
}

/* What status remembers of a refusal, and what the next process makes of it. */
static const struct {
	enum reason reason;
	enum status status;
	const char *refused_for;
	bool told_when;
	bool holds; /* in the next process, as long as nothing changes */
} kept[] = {
    {REASON_DENIED_BY_POLICY, STATUS_INVALID, "7/r/h/1/v1", false, true},
    {REASON_REFUSED, STATUS_INVALID, "7/r/h/1/v1", false, true},
    {REASON_DENIED, STATUS_LIMIT, "7/r/h/1/v1", false, true},
    {REASON_DENIED, STATUS_DENIED, NULL, true, false},
};

TEST(what_is_refused_for_good_outlasts_the_process)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *word = reason_info(kept[i].reason)->word;
		struct roster before = {0};
		struct roster after = {0};
		struct roster_row *row =
		    add(&before, "w", RANK_SERVER, WORKLOAD_FAILED, kept[i].reason);
		refusal_note(&row->refusal, kept[i].status, "no", "7/r/h/1/v1", 0, 0);
		if (row->refusal.retry_at_ms != UINT64_MAX)
			row->refusal.retry_wall_us = INT64_C(1767225600000000);
		cJSON *rows = roster_status(&before);
		CHECK_STR_ROW(json_str(rows->child, "refusedFor"), kept[i].refused_for, word);
		CHECK_STR_ROW(json_str(rows->child, "retryTime"),
			      kept[i].told_when ? "2026-01-01T00:00:00Z" : NULL, word);
		roster_load(&after, rows);
		row = roster_find(&after, RESOURCE_DEPLOYMENT, "w");
		CHECK_INT_ROW(refusal_holds(&row->refusal, "7/r/h/1/v1", 1), kept[i].holds, word);
		CHECK_INT_ROW(refusal_holds(&row->refusal, "8/r/h/1/v1", 1), false, word);
		cJSON_Delete(rows);
		roster_release(&before);
		roster_release(&after);
	}
}

TEST(the_list_in_status_is_bounded_with_trouble_first)
{
	struct roster roster = {0};
	char name[32];
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "w-%03d", i);
		(void)add(&roster, name, RANK_SERVER, WORKLOAD_INJECTED, REASON_INJECTED);
	}
	(void)add(&roster, "zz-failed", RANK_SERVER, WORKLOAD_FAILED, REASON_DENIED);
	(void)add(&roster, "zz-ignored", RANK_SERVER, WORKLOAD_IGNORED, REASON_NONE);
	cJSON *rows = roster_status(&roster);
	CHECK_INT(cJSON_GetArraySize(rows), LIMIT_STATUS_WORKLOADS);
	CHECK(json_named(rows, "zz-failed") != NULL);
	CHECK(json_named(rows, "zz-ignored") == NULL);
	CHECK_INT(roster_count(&roster).workloads, 301);
	cJSON_Delete(rows);
	roster_release(&roster);
}

TEST(only_news_is_a_change)
{
	struct roster roster = {0};
	struct roster_row *row = roster_need(&roster, RESOURCE_DEPLOYMENT, "a");
	/* as a status row would have left it before a restart */
	row->reason = REASON_INJECTED;
	free(row->message);
	row->message = strdup("words");
	CHECK(!roster_tell(row, WORKLOAD_INJECTED, REASON_INJECTED, "words"));
	CHECK(!roster_tell(row, WORKLOAD_INJECTED, REASON_INJECTED, "words"));
	CHECK(roster_tell(row, WORKLOAD_INJECTED, REASON_INJECTED, "other words"));
	CHECK(roster_tell(row, WORKLOAD_PENDING, REASON_INJECTED, "other words"));
	roster_release(&roster);
}

/* A cut character would be written as another one, and status never say what was wanted. */
TEST(words_are_cut_between_characters)
{
	struct reconciling r = {.words = "a"};
	for (size_t i = 0; i < sizeof(r.words); i++)
		reconciling_add_words(&r, "\xe2\x80\xa6");
	size_t len = strlen(r.words);
	CHECK(len + 3 >= sizeof(r.words) - 1);
	CHECK_INT(text_utf8_valid_prefix(r.words, len), len);
}
