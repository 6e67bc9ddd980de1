/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pace.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "controller/roster.h"

enum { UNTOLD_MS = 30000 }; /* for a controller that tells no generation to begin */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `images` are sorted */
static void read_each(struct pace *pace, char *const *images, size_t count)
{
	size_t found = 0;
	memset(pace->each, 0, sizeof(pace->each));
	for (size_t i = 0; i < count && found < PACE_IMAGES_MAX; i++)
		if (i == 0 || strcmp(images[i], images[i - 1]) != 0)
			hash_short(images[i], strlen(images[i]), pace->each[found++]);
}

void pace_read_plan(struct pace *pace, const struct plan *plan)
{
	struct buffer text;
	char before[sizeof(pace->images)];
	size_t count = 0;
	char **images = xcalloc(plan->container_count + 1, sizeof(*images));
	for (size_t i = 0; i < plan->container_count; i++)
		if (plan->containers[i].inject)
			images[count++] = plan->containers[i].image;
	qsort(images, count, sizeof(*images), by_text);
	buffer_init(&text, LIMIT_REQUEST_BYTES);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(images[i], images[i - 1]) != 0)
			buffer_addf(&text, "%s\n", images[i]);
	read_each(pace, images, count);
	pace->inject = plan->injected;
	memcpy(before, pace->images, sizeof(before));
	pace->images[0] = '\0';
	if (count > 0)
		hash_short(text.data, text.len, pace->images);
	pace->proven = pace->proven && strcmp(before, pace->images) == 0;
	buffer_release(&text);
	free(images);
}

static void note_progress(struct pace *pace, const struct rollout *rollout, uint64_t mono_ms)
{
	pace->generation = rollout->generation;
	pace->updated = rollout->updated;
	pace->ready = rollout->ready;
	pace->progress_ms = mono_ms;
	pace->stalled = false;
}

void pace_begin(struct pace *pace, const struct rollout *rollout, bool through_children,
		uint64_t mono_ms)
{
	pace->rolling = true;
	pace->proven = false;
	pace->unsure = rollout->untold;
	pace->children = through_children ? rollout->generation : 0;
	note_progress(pace, rollout, mono_ms);
}

uint64_t pace_follow(struct pace *pace, const struct rollout *rollout, uint64_t mono_ms)
{
	uint64_t patience_ms = (uint64_t)rollout->patience_s * 1000;
	bool followed = pace->children == 0 || rollout->generation != pace->children;
	if (!pace->rolling)
		return 0;
	/* figures that may be of before the write: until they move, or for long enough */
	if (pace->unsure && rollout->phase == ROLLOUT_PROGRESSING)
		pace->unsure = false;
	if (pace->unsure && mono_ms - pace->progress_ms < UNTOLD_MS)
		return UNTOLD_MS - (mono_ms - pace->progress_ms);
	if (followed && rollout->phase != ROLLOUT_PROGRESSING) {
		pace->rolling = false;
		pace->stalled = false;
		return 0;
	}
	if (rollout->generation != pace->generation || rollout->updated != pace->updated ||
	    rollout->ready != pace->ready)
		note_progress(pace, rollout, mono_ms);
	uint64_t waited_ms = mono_ms - pace->progress_ms;
	pace->stalled = waited_ms >= patience_ms;
	return pace->stalled ? patience_ms : patience_ms - waited_ms;
}

/* Waits for its turn, and for nothing else. */
static bool is_in_line(const struct roster_row *row, uint64_t mono_ms)
{
	switch (row->reason) {
	case REASON_WAITING_FOR_TURN:
	case REASON_WAITING_FOR_COLLECTOR:
	case REASON_WAITING_FOR_ROLLOUT:
	case REASON_WAITING_FOR_CANARY:
	case REASON_PAUSED_ON_FAILURE:
		return row->state == WORKLOAD_PENDING &&
		       !refusal_holds(&row->refusal, row->refusal.version, mono_ms);
	default:
		return false;
	}
}

bool pace_ends_for_several(enum reason reason)
{
	return reason == REASON_WAITING_FOR_PROOF || reason == REASON_WAITING_FOR_WINDOW ||
	       reason == REASON_REHEARSING || reason == REASON_EGRESS_BLOCKED;
}

static bool has_image(const struct roster_row *row, const char *images)
{
	return images[0] != '\0' && strcmp(row->pace.images, images) == 0;
}

static bool is_smaller(const struct roster_row *a, const struct roster_row *b)
{
	if (a->pace.pods != b->pace.pods)
		return a->pace.pods < b->pace.pods;
	if (a->pace.rank != b->pace.rank)
		return a->pace.rank < b->pace.rank;
	if (a->resource != b->resource)
		return a->resource < b->resource;
	return strcmp(a->name, b->name) < 0;
}

static bool is_image_proven(const struct roster *roster, const char *images)
{
	for (size_t i = 0; i < roster->count; i++)
		if (has_image(&roster->rows[i], images) && roster->rows[i].pace.proven)
			return true;
	return false;
}

/* The first of its image: nobody else is rolling it out, and no smaller one is in line. */
static bool is_canary(const struct roster *roster, const struct roster_row *row, uint64_t mono_ms)
{
	if (row->pace.images[0] == '\0' || is_image_proven(roster, row->pace.images))
		return false;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *other = &roster->rows[i];
		if (other == row || !has_image(other, row->pace.images))
			continue;
		if (other->pace.rolling || (is_in_line(other, mono_ms) && is_smaller(other, row)))
			return false;
	}
	return true;
}

/* Pickers, canaries, prefill servers, other servers, pickers of FailClose pools. */
static int place(const struct roster *roster, const struct roster_row *row, uint64_t mono_ms)
{
	enum workload_rank rank = row->pace.rank;
	bool server = rank == RANK_PREFILL || rank == RANK_SERVER;
	if (server && is_canary(roster, row, mono_ms))
		return 1;
	return 2 * (int)rank;
}

static bool is_before(const struct roster *roster, const struct roster_row *a,
		      const struct roster_row *b, uint64_t mono_ms)
{
	int place_a = place(roster, a, mono_ms);
	int place_b = place(roster, b, mono_ms);
	if (place_a != place_b)
		return place_a < place_b;
	if (a->resource != b->resource)
		return a->resource < b->resource;
	return strcmp(a->name, b->name) < 0;
}

/* A workload of the same image has to be seen to work first. */
static bool waits_for_canary(const struct roster *roster, const struct roster_row *row,
			     uint64_t mono_ms)
{
	return row->pace.images[0] != '\0' && !is_image_proven(roster, row->pace.images) &&
	       !is_canary(roster, row, mono_ms);
}

/* Its canary is on its way, and nothing is the matter with it so far. */
static bool follows_canary(const struct roster *roster, const struct roster_row *row)
{
	if (is_image_proven(roster, row->pace.images))
		return false;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *other = &roster->rows[i];
		if (other != row && other->pace.rolling && !other->pace.stalled &&
		    has_image(other, row->pace.images))
			return true;
	}
	return false;
}

/* The picker of a FailClose pool is last, also when there is room and the servers only follow their canary. */
static bool waits_for_servers(const struct roster *roster, const struct roster_row *row,
			      uint64_t mono_ms)
{
	if (row->pace.rank != RANK_EPP_FAIL_CLOSE || !row->pace.inject)
		return false;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *other = &roster->rows[i];
		if (other->pace.rank != RANK_EPP_FAIL_CLOSE && other->pace.inject &&
		    is_in_line(other, mono_ms) && follows_canary(roster, other))
			return true;
	}
	return false;
}

static enum reason has_room(const struct roster *roster, bool inject)
{
	long limit = roster->limits.max_concurrent < 1 ? 1 : roster->limits.max_concurrent;
	long rolling = 0;
	for (size_t i = 0; i < roster->count; i++) {
		const struct pace *pace = &roster->rows[i].pace;
		if (pace->stalled && inject && !roster->limits.go_on_after_failure)
			return REASON_PAUSED_ON_FAILURE;
		rolling += pace->rolling && !pace->stalled;
	}
	return rolling < limit && !roster->full ? REASON_NONE : REASON_WAITING_FOR_ROLLOUT;
}

static bool all_were_looked_at(const struct roster *roster, const struct roster_row *but)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *row = &roster->rows[i];
		if (row != but && (row->state == WORKLOAD_UNSEEN || row->stale))
			return false;
	}
	return true;
}

enum reason pace_may_start(const struct roster *roster, const struct roster_row *row,
			   uint64_t mono_ms)
{
	bool inject = row->pace.inject;
	/* its pods are being replaced anyway: the sooner, the fewer twice */
	if (row->pace.rolling || row->pace.pods == 0)
		return REASON_NONE;
	enum reason room = has_room(roster, inject);
	if (room != REASON_NONE)
		return room;
	if (inject && waits_for_canary(roster, row, mono_ms))
		return REASON_WAITING_FOR_CANARY;
	if (!all_were_looked_at(roster, row) || waits_for_servers(roster, row, mono_ms))
		return REASON_WAITING_FOR_TURN;
	/* who may not go now keeps nobody waiting */
	const bool may_inject = has_room(roster, true) == REASON_NONE;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *other = &roster->rows[i];
		if (other == row || !is_in_line(other, mono_ms) ||
		    !is_before(roster, other, row, mono_ms))
			continue;
		if (!other->pace.inject ||
		    (may_inject && !waits_for_canary(roster, other, mono_ms)))
			return REASON_WAITING_FOR_TURN;
	}
	return REASON_NONE;
}

const struct roster_row *pace_next(const struct roster *roster, uint64_t mono_ms)
{
	const struct roster_row *next = NULL;
	if (!all_were_looked_at(roster, NULL))
		return NULL;
	const bool room[2] = {has_room(roster, false) == REASON_NONE,
			      has_room(roster, true) == REASON_NONE};
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *row = &roster->rows[i];
		if (!is_in_line(row, mono_ms) || !room[row->pace.inject] ||
		    (row->pace.inject && waits_for_canary(roster, row, mono_ms)) ||
		    waits_for_servers(roster, row, mono_ms))
			continue;
		if (next == NULL || is_before(roster, row, next, mono_ms))
			next = row;
	}
	return next;
}
