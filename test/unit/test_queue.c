/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/queue.h"

/* A script of steps; each says what must come back. */
enum step { ADD, AFTER, NEXT, DONE, RETRY, FORGET, WAIT };

struct script_row {
	enum step step;
	const char *key; /* NEXT: wanted key, NULL for none */
	uint64_t now;
	uint64_t value; /* AFTER: delay; RETRY: wanted delay; WAIT: wanted wait */
	enum status status;
	uint64_t at_least;
};

static void run(const struct script_row *rows, size_t count)
{
	CLEANUP(queue_freep) struct queue *queue = queue_new();
	char row_name[32];
	for (size_t i = 0; i < count; i++) {
		const struct script_row *row = &rows[i];
		(void)snprintf(row_name, sizeof(row_name), "row %zu", i);
		switch (row->step) {
		case ADD:
			queue_add(queue, row->key);
			break;
		case AFTER:
			queue_add_after(queue, row->key, row->now, row->value);
			break;
		case NEXT:
			CHECK_STR_ROW(queue_next(queue, row->now, NULL), row->key, row_name);
			break;
		case DONE:
			queue_done(queue, row->key, row->now);
			break;
		case RETRY:
			CHECK_INT_ROW(
			    queue_retry(queue, row->key, row->now, row->status, row->at_least),
			    row->value, row_name);
			break;
		case FORGET:
			queue_forget(queue, row->key);
			break;
		case WAIT:
			CHECK_INT_ROW(queue_wait(queue, row->now), row->value, row_name);
			break;
		}
	}
}

TEST(each_key_once_in_order)
{
	static const struct script_row rows[] = {
	    {ADD, "a", 0, 0, 0, 0},   {ADD, "b", 0, 0, 0, 0},
	    {ADD, "a", 0, 0, 0, 0},   {WAIT, NULL, 0, 0, 0, 0},
	    {NEXT, "a", 0, 0, 0, 0},  {NEXT, "b", 0, 0, 0, 0},
	    {NEXT, NULL, 0, 0, 0, 0}, {WAIT, NULL, 0, UINT64_MAX, 0, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

TEST(a_key_in_flight_is_not_handed_out_again)
{
	static const struct script_row rows[] = {
	    {ADD, "a", 0, 0, 0, 0},    {NEXT, "a", 0, 0, 0, 0},
	    {ADD, "a", 0, 0, 0, 0},    {AFTER, "a", 0, 5, 0, 0},
	    {NEXT, NULL, 10, 0, 0, 0}, {WAIT, NULL, 10, UINT64_MAX, 0, 0},
	    {DONE, "a", 10, 0, 0, 0},  {NEXT, "a", 10, 0, 0, 0},
	    {DONE, "a", 11, 0, 0, 0},  {NEXT, NULL, 1000, 0, 0, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

TEST(delays_keep_the_earliest_time)
{
	static const struct script_row rows[] = {
	    {AFTER, "late", 0, 100, 0, 0}, {AFTER, "soon", 0, 10, 0, 0},
	    {AFTER, "late", 0, 50, 0, 0},  {AFTER, "soon", 0, 500, 0, 0},
	    {WAIT, NULL, 0, 10, 0, 0},     {NEXT, NULL, 9, 0, 0, 0},
	    {NEXT, "soon", 10, 0, 0, 0},   {WAIT, NULL, 10, 40, 0, 0},
	    {ADD, "late", 0, 0, 0, 0},     {NEXT, "late", 11, 0, 0, 0},
	    {NEXT, NULL, 1000, 0, 0, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

TEST(backoff_doubles_honours_retry_after_and_has_a_ceiling)
{
	static const struct script_row rows[] = {
	    {ADD, "a", 0, 0, 0, 0},
	    {NEXT, "a", 0, 0, 0, 0},
	    {RETRY, "a", 0, 1000, STATUS_RETRY, 0},
	    {DONE, "a", 0, 0, 0, 0},
	    {NEXT, NULL, 999, 0, 0, 0},
	    {NEXT, "a", 1000, 0, 0, 0},
	    {RETRY, "a", 1000, 2000, STATUS_RETRY, 500},
	    {DONE, "a", 1000, 0, 0, 0},
	    {NEXT, "a", 3000, 0, 0, 0},
	    {RETRY, "a", 3000, 30000, STATUS_RETRY, 30000},
	    {RETRY, "a", 3000, 8000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 16000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 32000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 64000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 128000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 256000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 300000, STATUS_RETRY, 0},
	    {RETRY, "a", 3000, 300000, STATUS_RETRY, 0},
	    {DONE, "a", 3000, 0, 0, 0},
	    {NEXT, "a", 11000, 0, 0, 0},
	    {FORGET, "a", 0, 0, 0, 0},
	    {RETRY, "a", 11000, 1000, STATUS_RETRY, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

TEST(terminal_statuses_are_not_retried)
{
	static const struct script_row rows[] = {
	    {ADD, "a", 0, 0, 0, 0},
	    {NEXT, "a", 0, 0, 0, 0},
	    {RETRY, "a", 0, 0, STATUS_INVALID, 0},
	    {DONE, "a", 0, 0, 0, 0},
	    {WAIT, NULL, 0, UINT64_MAX, 0, 0},
	    {ADD, "a", 0, 0, 0, 0},
	    {NEXT, "a", 0, 0, 0, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

TEST(an_event_ends_a_backoff)
{
	static const struct script_row rows[] = {
	    {ADD, "a", 0, 0, 0, 0},
	    {NEXT, "a", 0, 0, 0, 0},
	    {RETRY, "a", 0, 1000, STATUS_RETRY, 0},
	    {ADD, "a", 0, 0, 0, 0},
	    {DONE, "a", 1, 0, 0, 0},
	    {NEXT, "a", 1, 0, 0, 0},
	    {DONE, "a", 1, 0, 0, 0},
	    {NEXT, NULL, 100000, 0, 0, 0},
	};
	run(rows, ARRAY_LEN(rows));
}

/* Thousands of additions of few keys leave one item a key. */
TEST(a_storm_on_few_keys_stays_small)
{
	CLEANUP(queue_freep) struct queue *queue = queue_new();
	char key[16];
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i % 7);
		queue_add(queue, key);
	}
	CHECK_INT(queue_figures(queue).depth, 7);
	CHECK_INT(queue_figures(queue).adds, 7);
	int handed_out = 0;
	while (queue_next(queue, 0, NULL) != NULL)
		handed_out++;
	CHECK_INT(handed_out, 7);
	CHECK_INT(queue_figures(queue).processing, 7);
}
