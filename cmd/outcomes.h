/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of each object that a command wrote to, or would have: a line for people
 * as soon as it is known, or one JSON document at the end.
 */
#ifndef LLMD_CMD_OUTCOMES_H
#define LLMD_CMD_OUTCOMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

enum outcome {
	OUTCOME_TAKEN_BACK, /* nothing of ours is in it any more */
	OUTCOME_DELETED,
	OUTCOME_CLEARED, /* a status that no operator keeps true any more */
	OUTCOME_LEFT,    /* `message` says why */
	OUTCOME_COUNT
};

struct outcomes {
	bool json; /* nothing is printed before outcomes_end */
	bool dry_run;
	size_t counts[OUTCOME_COUNT];
	cJSON *rows;
	cJSON *notes;
};

void outcomes_init(struct outcomes *outcomes, bool json, bool dry_run);
void outcomes_release(struct outcomes *outcomes);

/* `reason` and `message` may be NULL. */
void outcomes_add(struct outcomes *outcomes, enum outcome outcome, const char *kind,
		  const char *namespace_name, const char *name, const char *reason,
		  const char *message);

/* One sentence about a namespace; on standard error, so that lines stay lines of objects. */
void outcomes_note(struct outcomes *outcomes, const char *namespace_name, const char *text);

/* The last line, or the document. */
NODISCARD enum status outcomes_end(const struct outcomes *outcomes, struct error *err);

#endif
