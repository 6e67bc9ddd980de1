/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/undo.h"

#define HOUR (INT64_C(3600) * 1000000)

/* One look after the other at the same workload. */
struct look {
	const char *what;
	bool injected;
	bool evidence;
	bool through;
	const char *uid;
	const char *settings;
	const char *retry;
	int64_t at_us;
	enum undo_verdict verdict;
	unsigned count;
};

static void run(const struct look *looks, size_t count)
{
	struct undo_record record = {.uid = NULL};
	for (size_t i = 0; i < count; i++) {
		const struct look *look = &looks[i];
		struct undo_input input = {.uid = look->uid,
					   .injected = look->injected,
					   .evidence = look->evidence,
					   .rollout_through = look->through,
					   .settings = look->settings,
					   .retry = look->retry,
					   .hash = "0123456789abcdef",
					   .now_us = look->at_us};
		CHECK_INT_ROW(undo_judge(&record, &input), look->verdict, look->what);
		CHECK_INT_ROW(record.count, look->count, look->what);
		/* what status keeps is enough to go on from */
		cJSON *row = cJSON_CreateObject();
		undo_to_row(&record, row);
		undo_record_release(&record);
		undo_from_row(row, &record);
		cJSON_Delete(row);
	}
	undo_record_release(&record);
}

TEST(repaired_once_then_conflicting)
{
	static const struct look looks[] = {
	    {"first injection", 0, 0, 1, "u", "s", NULL, 0, UNDO_NONE, 0},
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0},
	    {"undone, their rollout runs", 0, 1, 0, "u", "s", NULL, HOUR, UNDO_WAIT, 1},
	    {"still running", 0, 1, 0, "u", "s", NULL, 2 * HOUR, UNDO_WAIT, 1},
	    {"through", 0, 1, 1, "u", "s", NULL, 2 * HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 2 * HOUR, UNDO_NONE, 1},
	    {"again", 0, 1, 1, "u", "s", NULL, 3 * HOUR, UNDO_CONFLICTING, 2},
	    {"stays so", 0, 1, 1, "u", "s", NULL, 100 * HOUR, UNDO_CONFLICTING, 2},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(a_day_later_it_is_a_first_time_again)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "s", NULL, HOUR, UNDO_NONE, 1},
	    {"a day and more", 0, 1, 1, "u", "s", NULL, 25 * HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 25 * HOUR, UNDO_NONE, 1},
	    {"within a day", 0, 1, 1, "u", "s", NULL, 48 * HOUR, UNDO_CONFLICTING, 2},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(settings_or_retry_end_a_conflict)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "s", NULL, HOUR, UNDO_NONE, 1},
	    {"again", 0, 1, 1, "u", "s", NULL, 2 * HOUR, UNDO_CONFLICTING, 2},
	    {"settings change", 0, 1, 1, "u", "other", NULL, 3 * HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "other", NULL, 3 * HOUR, UNDO_NONE, 1},
	    {"again", 0, 1, 1, "u", "other", NULL, 5 * HOUR, UNDO_CONFLICTING, 2},
	    {"asked", 0, 1, 1, "u", "other", "1", 6 * HOUR, UNDO_REPAIR, 1},
	    {"the same word asks once", 0, 1, 1, "u", "other", "1", 6 * HOUR, UNDO_REPAIR, 1},
	    {"repaired", 1, 0, 1, "u", "other", "1", 6 * HOUR, UNDO_NONE, 1},
	    {"again", 0, 1, 1, "u", "other", "1", 7 * HOUR, UNDO_CONFLICTING, 2},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(another_object_of_the_same_name_begins_anew)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1},
	    {"made anew", 0, 0, 0, "v", "s", NULL, HOUR, UNDO_NONE, 0},
	    {"injected", 1, 0, 0, "v", "s", NULL, HOUR, UNDO_NONE, 0},
	    {"undone", 0, 1, 1, "v", "s", NULL, 2 * HOUR, UNDO_REPAIR, 1},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(rows_of_others_making_are_bounded)
{
	static const char *const rows[] = {
	    "{\"undoCount\":-5}", "{\"undoCount\":99999999999}",
	    "{\"undoCount\":\"x\",\"undoTime\":7}",
	    "{\"planHash\":\"much longer than sixteen hexadecimal digits\",\"uid\":null}", "{}"};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err;
		cJSON *row = NULL;
		struct undo_record record;
		CHECK_INT(json_parse(rows[i], strlen(rows[i]), &row, &err), STATUS_OK);
		undo_from_row(row, &record);
		CHECK_INT_ROW(record.count, 0, rows[i]);
		CHECK(strlen(record.hash) <= 16);
		undo_record_release(&record);
		cJSON_Delete(row);
	}
}
