/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the pods of one workload while a write of ours is being rolled out: those
 * that are not Ready, as the watch of its selector tells them. One that went away stays, as
 * it was at its end, until somebody has looked at it: a LeaderWorkerSet deletes a group at
 * its first crash, and a new pod takes the name at once. Pure, but for the watch (lookout.c)
 * that fills it.
 */
#ifndef LLMD_CONTROLLER_PODS_SEEN_H
#define LLMD_CONTROLLER_PODS_SEEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "controller/crash.h"

struct pods_seen {
	bool asked;         /* a watch of them was asked for */
	bool fresh;         /* something of `pods` is new since it was looked at */
	bool undeletable;   /* one that should go may not be deleted */
	char *blind;        /* why they cannot be seen, for people; NULL: they can */
	cJSON *pods;        /* not Ready, or gone; at most LIMIT_PODS_SEEN; NULL: none */
	char *log;          /* the end of the log that `crash` asked for; NULL: not there yet */
	bool unread;        /* … which may not be read */
	struct crash crash; /* the gravest that they showed */
};

/* A new rollout begins, or there is none any more. */
void pods_seen_clear(struct pods_seen *seen);

/*
 * Takes the pod in, as of the watch with number `watch`; a Ready one is only taken out. Takes
 * the tree over. `gone`: it was deleted, and this is its last state.
 */
void pods_seen_put(struct pods_seen *seen, unsigned long watch, cJSON *pod, bool gone);

/* A list of that watch begins, or is complete: what was not in it is no longer there. */
void pods_seen_list(struct pods_seen *seen, unsigned long watch, bool complete);

/* Those that went away were looked at, and say no more. */
void pods_seen_bury(struct pods_seen *seen);

void pods_seen_set_blind(struct pods_seen *seen, const char *why);

#endif
