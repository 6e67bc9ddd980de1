/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/tally.h"

#include <string.h>

#include "base/buffer.h"

enum { NAMED_MAX = 3, TEXT_MAX = 900 };

/* Rows that one condition is about. */
typedef bool (*row_test)(const struct roster_row *row);

static bool is_listed(const struct roster_row *row)
{
	return workload_state_is_listed(row->state);
}

static bool is_pending(const struct roster_row *row)
{
	return row->state == WORKLOAD_PENDING && !roster_is_rolling(row);
}

static bool is_failed(const struct roster_row *row)
{
	return row->state == WORKLOAD_FAILED && !roster_is_rolling(row);
}

static bool is_conflicting(const struct roster_row *row)
{
	return row->state == WORKLOAD_CONFLICTING;
}

static bool is_in_trouble(const struct roster_row *row)
{
	return is_failed(row) || is_conflicting(row);
}

static bool is_written(const struct roster_row *row)
{
	return row->state == WORKLOAD_INJECTED || (roster_is_rolling(row) && row->pace.inject);
}

/* Also where something else of it waits, or has failed, meanwhile. */
static bool has_rollout(const struct roster_row *row)
{
	return row->pace.rolling && workload_state_is_listed(row->state);
}

static bool is_stalled(const struct roster_row *row)
{
	return has_rollout(row) && row->pace.stalled;
}

static bool is_not_coming_up(const struct roster_row *row)
{
	return has_rollout(row) && row->reason == REASON_NOT_COMING_UP;
}

static bool is_held(const struct roster_row *row)
{
	return row->state == WORKLOAD_INJECTED && row->pace.held;
}

static bool will_restart(const struct roster_row *row)
{
	return roster_restarts(row) > 0;
}

static size_t count(const struct roster *roster, row_test test)
{
	size_t found = 0;
	for (size_t i = 0; i < roster->count; i++)
		found += test(&roster->rows[i]) ? 1 : 0;
	return found;
}

/* The word that all of them share, or `several`. */
static const char *common_reason(const struct roster *roster, row_test test, const char *several)
{
	const char *word = NULL;
	for (size_t i = 0; i < roster->count; i++) {
		const char *own = reason_info(roster->rows[i].reason)->word;
		if (!test(&roster->rows[i]))
			continue;
		if (word != NULL && strcmp(word, own) != 0)
			return several;
		word = own;
	}
	return word == NULL ? several : word;
}

/* "2 WaitingForTurn, 1 RollingOut": in the table's order, so that it reads the same each time. */
static void add_reasons(const struct roster *roster, row_test test, struct buffer *out)
{
	size_t counts[REASON_COUNT] = {0};
	const char *comma = "";
	for (size_t i = 0; i < roster->count; i++)
		counts[roster->rows[i].reason] += test(&roster->rows[i]) ? 1 : 0;
	for (int i = 0; i < REASON_COUNT; i++) {
		if (counts[i] == 0)
			continue;
		buffer_addf(out, "%s%zu %s", comma, counts[i], reason_info((enum reason)i)->word);
		comma = ", ";
	}
}

/* "Deployment/a, StatefulSet/b and 5 more" */
static void add_names(const struct roster *roster, row_test test, struct buffer *out)
{
	size_t all = count(roster, test);
	size_t named = 0;
	for (size_t i = 0; i < roster->count && named < NAMED_MAX; i++) {
		const struct roster_row *row = &roster->rows[i];
		if (!test(row))
			continue;
		buffer_addf(out, "%s%s/%s", named == 0 ? "" : ", ",
			    resource_get(row->resource)->kind, row->name);
		named++;
	}
	if (all > named)
		buffer_addf(out, " and %zu more", all - named);
}

static void judge_injected(const struct roster *roster, struct verdict *verdict)
{
	size_t listed = count(roster, is_listed);
	size_t trouble = count(roster, is_in_trouble);
	size_t pending = count(roster, is_pending);
	size_t written = count(roster, is_written);
	struct buffer text CLEANUP(buffer_release) = {0};
	buffer_init(&text, TEXT_MAX);
	add_reasons(roster, trouble > 0 ? is_in_trouble : is_pending, &text);
	if (trouble > 0)
		verdict_set(verdict, "False", "SomeFailed",
			    "%zu of %zu workloads could not be traced, or are undone by others: %s",
			    trouble, listed, text.data);
	else if (pending > 0)
		verdict_set(verdict, "False", common_reason(roster, is_pending, "InProgress"),
			    "%zu of %zu workloads are not written yet: %s", pending, listed,
			    text.data);
	else if (listed == 0)
		verdict_set(verdict, "False", "NoWorkloads",
			    "no llm-d component was found in this namespace");
	else if (written == 0)
		verdict_set(verdict, "False", "NothingInjected",
			    "all %zu workloads are skipped; status.workloads says why", listed);
	else
		verdict_set(verdict, "True", "Injected", "%zu of %zu workloads are injected",
			    written, listed);
}

static void judge_rolled_out(const struct roster *roster, struct tally *tally)
{
	struct verdict *verdict = &tally->rolled_out;
	size_t stalled = count(roster, is_stalled);
	size_t rolling = count(roster, has_rollout);
	size_t failing = count(roster, is_not_coming_up);
	size_t held = count(roster, is_held);
	size_t written = count(roster, is_written);
	struct buffer text CLEANUP(buffer_release) = {0};
	buffer_init(&text, TEXT_MAX);
	add_names(roster,
		  stalled > 0   ? is_stalled
		  : failing > 0 ? is_not_coming_up
		  : rolling > 0 ? has_rollout
				: is_held,
		  &text);
	tally->held = stalled == 0 && rolling == 0 && held > 0;
	if (stalled > 0)
		verdict_set(verdict, "False", "Stalled", "no progress: %s", text.data);
	else if (failing > 0)
		verdict_set(verdict, "False", "NotComingUp", "new pods do not come up: %s",
			    text.data);
	else if (rolling > 0)
		verdict_set(verdict, "False", "RollingOut", "pods are being replaced: %s",
			    text.data);
	else if (held > 0)
		verdict_set(verdict, "False", "HeldBack",
			    "pods from before stay until they are deleted, or the partition or "
			    "pause is lifted: %s",
			    text.data);
	else if (written == 0)
		verdict_set(verdict, "Unknown", "NothingInjected", "nothing is injected");
	else
		verdict_set(verdict, "True", "RolledOut",
			    "the pods of all %zu injected workloads are new and ready", written);
}

static void judge_pending_restart(const struct roster *roster, struct verdict *verdict)
{
	size_t waiting = count(roster, will_restart);
	struct buffer text CLEANUP(buffer_release) = {0};
	if (waiting == 0) {
		verdict_set(verdict, "False", "NothingPending",
			    "no write waits that would replace pods");
		return;
	}
	buffer_init(&text, TEXT_MAX);
	add_names(roster, will_restart, &text);
	verdict_set(verdict, "True", common_reason(roster, will_restart, "InProgress"),
		    "%ld pods of %zu workloads will be replaced: %s", roster_count(roster).restarts,
		    waiting, text.data);
}

static void judge_conflicting(const struct roster *roster, struct verdict *verdict)
{
	size_t found = count(roster, is_conflicting);
	struct buffer text CLEANUP(buffer_release) = {0};
	if (found == 0) {
		verdict_set(verdict, "False", "NoConflict", "nobody undoes what is injected");
		return;
	}
	buffer_init(&text, TEXT_MAX);
	add_names(roster, is_conflicting, &text);
	verdict_set(verdict, "True", "UndoneByOthers",
		    "others undo the injection of %s; status.workloads says who and what ends it",
		    text.data);
}

void tally_roster(const struct roster *roster, struct tally *ret_tally)
{
	judge_injected(roster, &ret_tally->injected);
	judge_rolled_out(roster, ret_tally);
	judge_pending_restart(roster, &ret_tally->pending_restart);
	judge_conflicting(roster, &ret_tally->conflicting);
}
