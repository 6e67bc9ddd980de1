/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/elsewhere.h"

#include <string.h>

static bool has_image(const struct pace *pace, const char *image)
{
	for (size_t i = 0; i < PACE_IMAGES_MAX && pace->each[i][0] != '\0'; i++)
		if (strcmp(pace->each[i], image) == 0)
			return true;
	return false;
}

bool elsewhere_shares_image(const struct roster_row *a, const struct roster_row *b)
{
	for (size_t i = 0; i < PACE_IMAGES_MAX && b->pace.each[i][0] != '\0'; i++)
		if (has_image(&a->pace, b->pace.each[i]))
			return true;
	return false;
}

static bool is_proven_in(const struct roster *roster, const char *image)
{
	for (size_t i = 0; i < roster->count; i++)
		if (roster->rows[i].pace.proven && has_image(&roster->rows[i].pace, image))
			return true;
	return false;
}

static bool is_proven(const struct elsewhere *elsewhere, const struct roster *own,
		      const char *image)
{
	bool proven = is_proven_in(own, image);
	for (size_t i = 0; i < elsewhere->count && !proven; i++)
		proven = is_proven_in(elsewhere->rosters[i], image);
	return proven;
}

/* A stalled one holds only its own namespace: what it lacks need not be the image's fault. */
static bool is_being_proven_in(const struct roster *roster, const char *image)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_row *row = &roster->rows[i];
		bool unknown = row->state == WORKLOAD_UNSEEN;
		if (row->pace.rolling && !row->pace.stalled &&
		    (unknown || has_image(&row->pace, image)))
			return true;
	}
	return false;
}

const struct refused *elsewhere_refused(const struct elsewhere *elsewhere, const struct plan *plan)
{
	const struct refused *found = NULL;
	for (size_t i = 0; i < elsewhere->count && found == NULL; i++)
		found = refused_find(&elsewhere->rosters[i]->refused, plan);
	return found;
}

enum reason elsewhere_judge(const struct elsewhere *elsewhere, const struct roster *own,
			    const struct roster_row *row, const struct plan *plan, bool asked)
{
	if (!asked && elsewhere_refused(elsewhere, plan) != NULL)
		return REASON_IMAGE_REFUSED;
	for (size_t k = 0; k < PACE_IMAGES_MAX && row->pace.each[k][0] != '\0'; k++) {
		if (is_proven(elsewhere, own, row->pace.each[k]))
			continue;
		if (refused_is_full(&own->refused) && !asked)
			return REASON_IMAGE_REFUSED;
		if (elsewhere->unseen)
			return REASON_WAITING_FOR_PROOF;
		for (size_t i = 0; i < elsewhere->count; i++)
			if (is_being_proven_in(elsewhere->rosters[i], row->pace.each[k]))
				return REASON_WAITING_FOR_PROOF;
	}
	return REASON_NONE;
}
