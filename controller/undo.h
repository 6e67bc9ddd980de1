/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Undo by others (DESIGN §4.6): somebody took away what we had injected.
 *
 * A fight is an undo that leaves the pod template as it was before us: `kubectl rollout
 * undo`, a tool that corrects, the same manifest once more. On accelerators the first one
 * is a conflict; elsewhere it is repaired once, after that writer's rollout is through, and
 * the second within a day is.
 *
 * A deploy is one that changes something else as well. It is repaired, since tracing was
 * asked for and a deploy is no word against it, but only so often within a day.
 *
 * In a conflict nothing is written until the settings change or the user asks for a retry. Pure.
 */
#ifndef LLMD_CONTROLLER_UNDO_H
#define LLMD_CONTROLLER_UNDO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

/* The workload's row in the Tracing's status holds all of it. Texts are owned, NULL: none. */
struct undo_record {
	char *uid;         /* of the object that was injected; NULL: never */
	char hash[17];     /* of the plan that was injected */
	char settings[17]; /* settings_user_hash while undos were counted */
	char *retry;       /* value of the retry annotation that was obeyed */
	char *by;          /* field manager that undid it last */
	char pristine[17]; /* plan's, when it was injected */
	unsigned count;    /* fights in a row, each within a day of the last */
	int64_t at_us;     /* of the last one */
	unsigned deploys;  /* within a day */
	int64_t since_us;  /* the first of them */
	bool undone;       /* the undo at hand is already counted */
};

enum {
	UNDO_FIGHTS = 2,             /* so many are a conflict */
	UNDO_FIGHTS_ACCELERATED = 1, /* of pods on accelerators */
	UNDO_DEPLOYS = 24,           /* so many a day are repaired */
	UNDO_DEPLOYS_ACCELERATED = 4,
};

void undo_record_release(struct undo_record *record);

enum undo_verdict {
	UNDO_NONE,   /* nobody undid anything */
	UNDO_WAIT,   /* to be repaired when the rollout under way is through */
	UNDO_REPAIR, /* write again */
	UNDO_CONFLICTING,
};

struct undo_input {
	const char *uid;
	bool injected;        /* all of what the ledger records is in place */
	bool evidence;        /* something that we had put in was taken away */
	bool rollout_through; /* the workload's current rollout is complete */
	const char *settings; /* settings_user_hash now */
	const char *retry;    /* annotation, or NULL */
	const char *hash;     /* of the live plan, when injected */
	const char *pristine; /* the plan's; "" when it looked at no templates */
	const char *by;       /* who wrote last, or NULL */
	bool accelerated;     /* its pods are expensive to restart */
	int64_t now_us;
};

/* Brings the record up to date and says what to do. */
enum undo_verdict undo_judge(struct undo_record *record, const struct undo_input *input);

/* A conflict is one by fights, not by too many deploys. */
bool undo_is_fight(const struct undo_record *record, bool accelerated);

/* That value of the retry annotation needs no obeying any more. */
void undo_obey(struct undo_record *record, const char *retry);

/* We took it back ourselves: nothing to watch over any more. */
void undo_forget(struct undo_record *record);

/* To and from the row of status. */
void undo_to_row(const struct undo_record *record, cJSON *row);
void undo_from_row(const cJSON *row, struct undo_record *ret_record);

#define ANNOTATION_RETRY "tracing.llm-d.io/retry"

#endif
