/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

static const struct {
	const char *name;
	int weight; /* what status lists first when there is not room for all; 0: not listed */
} states[WORKLOAD_STATE_COUNT] = {
    [WORKLOAD_UNSEEN] = {"Unseen", 0},     [WORKLOAD_IGNORED] = {"Ignored", 0},
    [WORKLOAD_INJECTED] = {"Injected", 1}, [WORKLOAD_PENDING] = {"Pending", 3},
    [WORKLOAD_SKIPPED] = {"Skipped", 2},   [WORKLOAD_CONFLICTING] = {"Conflicting", 5},
    [WORKLOAD_FAILED] = {"Failed", 4},
};

const char *workload_state_name(enum workload_state state)
{
	return states[state].name;
}

bool workload_state_is_listed(enum workload_state state)
{
	return states[state].weight > 0;
}

static void row_release(struct roster_row *row)
{
	free(row->name);
	free(row->message);
	undo_record_release(&row->undo);
	refusal_clear(&row->refusal);
	trace_hops_release(&row->hops);
	cJSON_Delete(row->lent);
	pods_seen_clear(&row->seen);
}

void roster_release(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		row_release(&roster->rows[i]);
	free(roster->rows);
	refused_release(&roster->refused);
	*roster = (struct roster){0};
}

static size_t position(const struct roster *roster, enum resource_id resource, const char *name,
		       bool *ret_found)
{
	size_t low = 0;
	size_t high = roster->count;
	int order = 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct roster_row *row = &roster->rows[middle];
		order = row->resource != resource ? (row->resource < resource ? -1 : 1)
						  : strcmp(row->name, name);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = low < roster->count && roster->rows[low].resource == resource &&
		     strcmp(roster->rows[low].name, name) == 0;
	return low;
}

struct roster_row *roster_find(const struct roster *roster, enum resource_id resource,
			       const char *name)
{
	bool found = false;
	size_t index = position(roster, resource, name, &found);
	return found ? &roster->rows[index] : NULL;
}

struct roster_row *roster_need(struct roster *roster, enum resource_id resource, const char *name)
{
	bool found = false;
	size_t index = position(roster, resource, name, &found);
	if (found)
		return &roster->rows[index];
	roster->rows = grow(roster->rows, roster->count, sizeof(*roster->rows));
	memmove(roster->rows + index + 1, roster->rows + index,
		(roster->count - index) * sizeof(*roster->rows));
	roster->count++;
	roster->rows[index] = (struct roster_row){.resource = resource,
						  .name = xstrdup(name),
						  .message = xstrdup(""),
						  .pace = {.rank = RANK_SERVER}};
	return &roster->rows[index];
}

void roster_drop(struct roster *roster, enum resource_id resource, const char *name)
{
	bool found = false;
	size_t index = position(roster, resource, name, &found);
	if (!found)
		return;
	row_release(&roster->rows[index]);
	roster->count--;
	memmove(roster->rows + index, roster->rows + index + 1,
		(roster->count - index) * sizeof(*roster->rows));
}

static bool resource_of_row(const cJSON *row, enum resource_id *ret_resource)
{
	const char *kind = json_str(row, "kind");
	for (size_t i = 0; kind != NULL && i < RESOURCE_COUNT; i++) {
		const struct resource *resource = resource_get((enum resource_id)i);
		if ((resource->flags & RESOURCE_WORKLOAD) == 0 || strcmp(resource->kind, kind) != 0)
			continue;
		*ret_resource = (enum resource_id)i;
		return true;
	}
	return false;
}

static void load_since(struct roster_row *row, const cJSON *item)
{
	const char *state = json_str(item, "state");
	row->since.at_us = moment_parse(json_str(item, "since"), 0);
	row->since.rolling = json_bool(item, "rolling", false);
	row->since.state = WORKLOAD_UNSEEN;
	for (int i = 0; state != NULL && i < WORKLOAD_STATE_COUNT; i++)
		if (strcmp(states[i].name, state) == 0)
			row->since.state = (enum workload_state)i;
}

/* What was refused for good stays refused for a new process too, until what it was about changes. */
static void load_refusal(struct roster_row *row, const cJSON *item)
{
	const char *version = json_str(item, "refusedFor");
	if (version == NULL || row->refusal.message != NULL)
		return;
	row->refusal = (struct refusal){.message = xstrdup(row->message),
					.reason = row->reason,
					.version = xstrdup(version),
					.failures = 1,
					.retry_at_ms = UINT64_MAX};
}

static void refusal_to_row(const struct roster_row *row, cJSON *item)
{
	const struct refusal *refusal = &row->refusal;
	char text[MOMENT_TEXT_MAX];
	if (row->state != WORKLOAD_FAILED || refusal->message == NULL)
		return;
	if (refusal->retry_at_ms == UINT64_MAX && refusal->version != NULL)
		json_set_str(item, "refusedFor", refusal->version);
	if (refusal->retry_wall_us == 0)
		return;
	moment_format(refusal->retry_wall_us, text);
	json_set_str(item, "retryTime", text);
}

void roster_load(struct roster *roster, const cJSON *status_workloads)
{
	const cJSON *item = NULL;
	roster->loaded = true;
	cJSON_ArrayForEach(item, status_workloads)
	{
		enum resource_id resource = RESOURCE_COUNT;
		const char *name = json_str(item, "name");
		const char *message = json_str(item, "message");
		if (name == NULL || !resource_of_row(item, &resource))
			continue;
		struct roster_row *row = roster_need(roster, resource, name);
		if (row->state != WORKLOAD_UNSEEN || row->undo.uid != NULL)
			continue;
		undo_record_release(&row->undo);
		undo_from_row(item, &row->undo);
		row->last_span_us = moment_parse(json_str(item, "lastSpan"), 0);
		load_since(row, item);
		consent_from_row(item, &row->consent);
		row->pace.rolling = json_bool(item, "rolling", false);
		row->pace.doubtful = json_bool(item, "doubtful", false);
		const cJSON *lent = json_member(item, "lent");
		if (row->lent == NULL && (cJSON_IsNumber(lent) || cJSON_IsString(lent)))
			row->lent = json_clone(lent);
		row->reason = reason_find(json_str(item, "reason"));
		free(row->message);
		row->message = xstrdup(message == NULL ? "" : message);
		load_refusal(row, item);
	}
}

bool roster_has_unseen(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->rows[i].state == WORKLOAD_UNSEEN)
			return true;
	return false;
}

bool roster_tell(struct roster_row *row, enum workload_state state, enum reason reason,
		 const char *message)
{
	bool first = row->state == WORKLOAD_UNSEEN;
	bool same_words = row->reason == reason && strcmp(row->message, message) == 0;
	bool changed = !same_words || (!first && row->state != state);
	row->state = state;
	row->reason = reason;
	row->stale = false;
	if (strcmp(row->message, message) != 0) {
		free(row->message);
		row->message = xstrdup(message);
	}
	return changed;
}

void roster_stamp(struct roster_row *row, int64_t wall_us)
{
	bool same = row->since.state == row->state && row->since.rolling == row->pace.rolling;
	if (same && row->since.at_us > 0)
		return;
	row->since.at_us = wall_us;
	row->since.state = row->state;
	row->since.rolling = row->pace.rolling;
}

bool roster_is_rolling(const struct roster_row *row)
{
	return row->pace.rolling &&
	       (row->reason == REASON_ROLLING_OUT || row->reason == REASON_STALLED ||
		row->reason == REASON_NOT_COMING_UP);
}

long roster_restarts(const struct roster_row *row)
{
	return row->state == WORKLOAD_PENDING && !row->pace.rolling ? row->pace.pods : 0;
}

static bool same_hop(const struct trace_hop *a, const struct trace_hop *b)
{
	return a->component == b->component && a->on == b->on && a->detached == b->detached &&
	       a->decides == b->decides && strcmp(a->container, b->container) == 0 &&
	       strcmp(a->image, b->image) == 0 && text_equal(a->service, b->service) &&
	       text_equal(a->endpoint, b->endpoint) && text_equal(a->exporter, b->exporter) &&
	       text_equal(a->sampler, b->sampler) && text_equal(a->ratio, b->ratio);
}

bool roster_expect(struct roster_row *row, struct trace_hops *hops)
{
	bool same = row->hops.count == hops->count;
	for (size_t i = 0; same && i < hops->count; i++)
		same = same_hop(&row->hops.items[i], &hops->items[i]);
	trace_hops_release(&row->hops);
	row->hops = *hops;
	*hops = (struct trace_hops){0};
	return !same;
}

bool refusal_holds(const struct refusal *refusal, const char *version, uint64_t mono_ms)
{
	if (refusal->message == NULL || mono_ms >= refusal->retry_at_ms)
		return false;
	return version == NULL || refusal->version == NULL ||
	       strcmp(version, refusal->version) == 0;
}

void refusal_note(struct refusal *refusal, enum status status, const char *message,
		  const char *version, uint64_t mono_ms, uint64_t at_least_ms)
{
	enum { LONGEST_MS = 300000 };
	uint64_t delay = status_info(status)->requeue_delay_ms;
	unsigned failures = refusal->failures + (refusal->failures < 30);
	bool terminal = delay == 0;
	for (unsigned i = 1; i < failures && delay < LONGEST_MS; i++)
		delay *= 2;
	delay = delay > LONGEST_MS ? LONGEST_MS : delay;
	delay = delay < at_least_ms ? at_least_ms : delay;
	char *kept_message = xstrdup(message);
	char *kept_version = version == NULL ? NULL : xstrdup(version);
	refusal_clear(refusal);
	*refusal = (struct refusal){.message = kept_message,
				    .version = kept_version,
				    .transient = status == STATUS_RETRY,
				    .failures = failures,
				    .retry_at_ms = terminal ? UINT64_MAX : mono_ms + delay};
}

bool refusal_is_worth_telling(const struct refusal *refusal)
{
	return !refusal->transient || refusal->failures >= 3;
}

void refusal_clear(struct refusal *refusal)
{
	free(refusal->message);
	free(refusal->version);
	*refusal = (struct refusal){0};
}

struct roster_counts roster_count(const struct roster *roster)
{
	struct roster_counts counts = {0};
	for (size_t i = 0; i < roster->count; i++) {
		enum workload_state state = roster->rows[i].state;
		counts.by_state[state]++;
		counts.restarts += roster_restarts(&roster->rows[i]);
		counts.workloads += workload_state_is_listed(state);
	}
	return counts;
}

static cJSON *row_status(const struct roster_row *row)
{
	cJSON *item = cJSON_CreateObject();
	json_set_str(item, "kind", resource_get(row->resource)->kind);
	json_set_str(item, "name", row->name);
	json_set_str(item, "state", states[row->state].name);
	if (row->reason != REASON_NONE)
		json_set_str(item, "reason", reason_info(row->reason)->word);
	if (row->message[0] != '\0')
		json_set_str(item, "message", row->message);
	if (row->last_span_us > 0) {
		char text[MOMENT_TEXT_MAX];
		moment_format(row->last_span_us, text);
		json_set_str(item, "lastSpan", text);
	}
	if (row->since.at_us > 0) {
		char text[MOMENT_TEXT_MAX];
		moment_format(row->since.at_us, text);
		json_set_str(item, "since", text);
	}
	if (roster_restarts(row) > 0)
		json_set_int(item, "restarts", roster_restarts(row));
	if (row->pace.rolling)
		json_set_bool(item, "rolling", true);
	if (row->pace.rolling && row->pace.doubtful)
		json_set_bool(item, "doubtful", true);
	refusal_to_row(row, item);
	if (row->lent != NULL)
		json_set(item, "lent", json_clone(row->lent));
	consent_to_row(&row->consent, item);
	undo_to_row(&row->undo, item);
	return item;
}

cJSON *roster_status(const struct roster *roster)
{
	cJSON *list = cJSON_CreateArray();
	size_t left = LIMIT_STATUS_WORKLOADS;
	bool *chosen = xcalloc(roster->count + 1, sizeof(*chosen));
	for (int weight = 5; weight > 0; weight--)
		for (size_t i = 0; i < roster->count && left > 0; i++)
			if (states[roster->rows[i].state].weight == weight) {
				chosen[i] = true;
				left--;
			}
	for (size_t i = 0; i < roster->count; i++)
		if (chosen[i])
			(void)cJSON_AddItemToArray(list, row_status(&roster->rows[i]));
	free(chosen);
	return list;
}
