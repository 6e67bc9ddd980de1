/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pods of a workload under rollout say about it: whether one of the new revision
 * ended before it was ever Ready, or cannot start, and why. Programs write to stderr only, so
 * the words stand in the container's log more often than in its termination message; whether
 * a crash is ours never depends on them. Pure.
 */
#ifndef LLMD_CONTROLLER_CRASH_H
#define LLMD_CONTROLLER_CRASH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/json.h"
#include "controller/replicas.h"
#include "inject/plan.h"

/* The first of these that a pod shows is told of. */
enum crash_class {
	CRASH_NONE,
	/* its words name what the operator put in */
	CRASH_REFUSES_FLAG,
	CRASH_NO_PACKAGES,
	CRASH_SETUP_FAILED,
	/* it ran and ended */
	CRASH_OUT_OF_MEMORY,
	CRASH_EXITED,
	/* it never ran */
	CRASH_IMAGE_PULL,
	CRASH_BAD_CONFIG,
	CRASH_NOT_SCHEDULED,
	CRASH_CLASS_COUNT
};

struct crash_info {
	const char *word;    /* "RefusesFlag" */
	const char *meaning; /* one sentence for people */
	const char *advice;  /* what to do about it */
};

/* Never NULL; static. */
const struct crash_info *crash_info(enum crash_class class);

struct crash {
	enum crash_class class;
	bool edited;     /* the container is one that the plan injects */
	bool needs_text; /* it ended, and no words of it are known yet */
	bool
	    not_restarted; /* there is no log of a container before: the one that ended is there still */
	bool unread;       /* its log may not be read */
	char pod[254];
	char container[64];
	char said[96]; /* what of the table it said; "" nothing of it */
	long exit_code;
};

/*
 * The gravest finding among the pods of the templates as they are now (a pod whose containers
 * have another command, args or env is of an older revision). `pods`: items of a PodList; of
 * one that is being deleted counts what ended before that. CRASH_NONE: nothing is wrong so far.
 */
void crash_read(const cJSON *pods, const struct replica_sets *sets, const struct plan *plan,
		struct crash *ret_crash);

/*
 * A pod of `owner`, a StatefulSet, that crashed with our edit before it was ever Ready, and that
 * its controller keeps all the same since it waits for every pod to be Ready once. `crashed`: its
 * sets with the edit, `now`: without. NULL: none, or its controller has not seen yet that the
 * edit is gone.
 */
const cJSON *crash_leftover(const cJSON *pods, const cJSON *owner, const struct plan *plan,
			    const struct replica_sets *crashed, const struct replica_sets *now);

/* Takes the container's log, or its end, into account. */
void crash_read_text(struct crash *crash, const char *text, size_t len);

/* Its words name what the operator put in. */
bool crash_is_about_tracing(const struct crash *crash);
/* A container ran and ended; false also for CRASH_NONE. */
bool crash_has_ended(const struct crash *crash);

/* One sentence for people, without what the program wrote beyond words of the table. */
void crash_describe(const struct crash *crash, char *text, size_t size);

/* The tables as Markdown, for docs/failures.md. */
void crash_document(struct buffer *out);

#endif
