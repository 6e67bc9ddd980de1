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
	const char *pristine; /* NULL: "p" */
	bool accelerated;
	unsigned deploys;
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
					   .pristine =
					       look->pristine == NULL ? "p" : look->pristine,
					   .by = "helm",
					   .accelerated = look->accelerated,
					   .now_us = look->at_us};
		CHECK_INT_ROW(undo_judge(&record, &input), look->verdict, look->what);
		CHECK_INT_ROW(record.count, look->count, look->what);
		CHECK_INT_ROW(record.deploys, look->deploys, look->what);
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
	    {"first injection", 0, 0, 1, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 0, 0},
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 0, 0},
	    {"undone, their rollout runs", 0, 1, 0, "u", "s", NULL, HOUR, UNDO_WAIT, 1, NULL, 0, 0},
	    {"still running", 0, 1, 0, "u", "s", NULL, 2 * HOUR, UNDO_WAIT, 1, NULL, 0, 0},
	    {"through", 0, 1, 1, "u", "s", NULL, 2 * HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 2 * HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"again", 0, 1, 1, "u", "s", NULL, 3 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	    {"stays so", 0, 1, 1, "u", "s", NULL, 100 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(a_day_later_it_is_a_first_time_again)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 0, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"repaired", 1, 0, 1, "u", "s", NULL, HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"a day and more", 0, 1, 1, "u", "s", NULL, 25 * HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 25 * HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"within a day", 0, 1, 1, "u", "s", NULL, 48 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(settings_or_retry_end_a_conflict)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 0, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"repaired", 1, 0, 1, "u", "s", NULL, HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"again", 0, 1, 1, "u", "s", NULL, 2 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	    {"settings change", 0, 1, 1, "u", "other", NULL, 3 * HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"repaired", 1, 0, 1, "u", "other", NULL, 3 * HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"again", 0, 1, 1, "u", "other", NULL, 5 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	    {"asked", 0, 1, 1, "u", "other", "1", 6 * HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"the same word asks once", 0, 1, 1, "u", "other", "1", 6 * HOUR, UNDO_REPAIR, 1, NULL,
	     0, 0},
	    {"repaired", 1, 0, 1, "u", "other", "1", 6 * HOUR, UNDO_NONE, 1, NULL, 0, 0},
	    {"again", 0, 1, 1, "u", "other", "1", 7 * HOUR, UNDO_CONFLICTING, 2, NULL, 0, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(another_object_of_the_same_name_begins_anew)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 0, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	    {"made anew", 0, 0, 0, "v", "s", NULL, HOUR, UNDO_NONE, 0, NULL, 0, 0},
	    {"injected", 1, 0, 0, "v", "s", NULL, HOUR, UNDO_NONE, 0, NULL, 0, 0},
	    {"undone", 0, 1, 1, "v", "s", NULL, 2 * HOUR, UNDO_REPAIR, 1, NULL, 0, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

/* Made anew before anybody saw that the one before was gone, or while no operator ran. */
TEST(another_object_was_not_undone)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 1, 0},
	    {"made anew", 0, 1, 1, "v", "s", NULL, HOUR, UNDO_NONE, 0, NULL, 1, 0},
	    {"injected", 1, 0, 0, "v", "s", NULL, HOUR, UNDO_NONE, 0, NULL, 1, 0},
	    {"undone", 0, 1, 1, "v", "s", NULL, 2 * HOUR, UNDO_CONFLICTING, 1, NULL, 1, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(on_accelerators_once_is_enough)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, NULL, 1, 0},
	    {"undone", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_CONFLICTING, 1, NULL, 1, 0},
	    {"stays so", 0, 1, 1, "u", "s", NULL, 99 * HOUR, UNDO_CONFLICTING, 1, NULL, 1, 0},
	    {"asked", 0, 1, 1, "u", "s", "1", 99 * HOUR, UNDO_REPAIR, 0, NULL, 1, 0},
	    {"asked once", 0, 1, 1, "u", "s", "1", 99 * HOUR, UNDO_REPAIR, 0, NULL, 1, 0},
	    {"repaired", 1, 0, 1, "u", "s", "1", 99 * HOUR, UNDO_NONE, 0, NULL, 1, 0},
	    {"again", 0, 1, 1, "u", "s", "1", 100 * HOUR, UNDO_CONFLICTING, 1, NULL, 1, 0},
	    {"settings", 0, 1, 1, "u", "t", "1", 101 * HOUR, UNDO_REPAIR, 0, NULL, 1, 0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(a_deploy_is_no_fight)
{
	static const struct look looks[] = {
	    {"injected", 1, 0, 0, "u", "s", NULL, 0, UNDO_NONE, 0, "a", 1, 0},
	    {"new image, in rollout", 0, 1, 0, "u", "s", NULL, HOUR, UNDO_WAIT, 0, "b", 1, 1},
	    {"through", 0, 1, 1, "u", "s", NULL, HOUR, UNDO_REPAIR, 0, "b", 1, 1},
	    {"repaired", 1, 0, 1, "u", "s", NULL, HOUR, UNDO_NONE, 0, "b", 1, 1},
	    {"another", 0, 1, 1, "u", "s", NULL, 2 * HOUR, UNDO_REPAIR, 0, "c", 1, 2},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 2 * HOUR, UNDO_NONE, 0, "c", 1, 2},
	    {"a third", 0, 1, 1, "u", "s", NULL, 3 * HOUR, UNDO_REPAIR, 0, "d", 1, 3},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 3 * HOUR, UNDO_NONE, 0, "d", 1, 3},
	    {"a fourth", 0, 1, 1, "u", "s", NULL, 4 * HOUR, UNDO_REPAIR, 0, "e", 1, 4},
	    {"repaired", 1, 0, 1, "u", "s", NULL, 4 * HOUR, UNDO_NONE, 0, "e", 1, 4},
	    {"a fifth in a day", 0, 1, 1, "u", "s", NULL, 5 * HOUR, UNDO_CONFLICTING, 0, "f", 1, 5},
	    {"asked", 0, 1, 1, "u", "s", "1", 6 * HOUR, UNDO_REPAIR, 0, "f", 1, 0},
	    {"repaired", 1, 0, 1, "u", "s", "1", 6 * HOUR, UNDO_NONE, 0, "f", 1, 0},
	    {"the same once more", 0, 1, 1, "u", "s", "1", 7 * HOUR, UNDO_CONFLICTING, 1, "f", 1,
	     0},
	};
	run(looks, ARRAY_LEN(looks));
}

TEST(one_deploy_a_day_goes_on_for_ever)
{
	struct look looks[40];
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		looks[i] = i % 2 == 0
			       ? (struct look){"injected",    1,   0,    1,
					       "u",           "s", NULL, (int64_t)i * 13 * HOUR,
					       UNDO_NONE,     0,   "a",  1,
					       i == 0 ? 0 : 1}
			       : (struct look){
				     "deployed",  0, 1,   1, "u", "s", NULL, (int64_t)i * 13 * HOUR,
				     UNDO_REPAIR, 0, "b", 1, 1};
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
