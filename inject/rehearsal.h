/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rehearsal: what an image would make of our flags, found out in a short pod of its own
 * before any server restarts (docs/decisions/0240). An engine's image runs a few lines of
 * Python that import what its tracing imports, never the engine; a Go program is asked for
 * --help. No GPU, no token, no volume. This file makes the pod and reads its end; who runs
 * it is a shell's matter (cmd/rehearse.c, controller/rehearser.c). Pure.
 */
#ifndef LLMD_INJECT_REHEARSAL_H
#define LLMD_INJECT_REHEARSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/component.h"
#include "inject/gate.h"
#include "inject/plan.h"
#include "inject/served.h"

enum rehearsal_verdict {
	REHEARSAL_INCONCLUSIVE, /* the image table stays in force: Unverified */
	REHEARSAL_TRACEABLE,
	REHEARSAL_REFUSES_FLAG,
	REHEARSAL_LACKS_PACKAGES,
	REHEARSAL_COUNT
};

/* "Inconclusive", "Traceable", "RefusesFlag", "LacksPackages" */
const char *rehearsal_word(enum rehearsal_verdict verdict);

/* On rehearsal pods only, beside managed-by: by it they are found and taken away. */
#define LABEL_REHEARSAL "tracing.llm-d.io/rehearsal"

enum {
	REHEARSAL_DEADLINE_S = 60, /* kubelet's: pulling counts */
	REHEARSAL_LOG_BYTES = 128 * 1024,
	REHEARSALS_MAX = 32, /* rows that status keeps */
	REHEARSAL_NODES = 4,
};

/* What is rehearsed. All borrowed. */
struct rehearsal_of {
	const char *image;
	enum component component;
	const cJSON
	    *pod_spec; /* of the workload's template: how it is pulled and placed; or NULL */
	const cJSON
	    *container; /* {command, args, env, securityContext, imagePullPolicy}; or NULL */
	const char *nodes[REHEARSAL_NODES]; /* that have the image; NULL-ended when fewer */
	bool on_nodes;                      /* pods of the image run there: so can this one */
	const char *settings; /* hash of those under which it is asked, for the row; or NULL */
};

/*
 * The pod. STATUS_INVALID: it cannot be rehearsed (no such component, a command that is a
 * script), in words that are a verdict's message.
 */
NODISCARD enum status rehearsal_pod(const struct rehearsal_of *of, const char *namespace_name,
				    const char *name, cJSON **ret_pod, struct error *err);

/* Nothing more is to be expected of it: it has ended, or cannot start. */
bool rehearsal_is_over(const cJSON *pod);
/* Its log is part of its answer. */
bool rehearsal_wants_log(enum component component, const cJSON *pod);

struct rehearsal {
	enum rehearsal_verdict verdict;
	char version[40]; /* of the engine; "" unknown */
	char digest[80];  /* "sha256:…" that really ran; "" unknown */
	bool untried;     /* the program itself was never heard: another try may tell more */
	bool asked;       /* a server that runs was asked, and no pod made */
	char message[320];
};

/* `log` may be NULL. A pod that is not over is inconclusive. */
void rehearsal_judge(enum component component, const cJSON *pod, const char *log, size_t len,
		     struct rehearsal *ret_rehearsal);
/* "sha256:…" of the image that a container status is about, or "". */
void rehearsal_digest(const cJSON *status, char ret_digest[80]);
/* "0.8.5": a vLLM whose tracing is its old engine's, to which the flag would downgrade it. */
bool rehearsal_is_old_engine(enum component component, const char *version);
/* It could not even be tried. */
void rehearsal_fail(const char *why, struct rehearsal *ret_rehearsal);

/* A server that runs already tells its version when it is asked (docs/decisions/0270): vLLM only. */
bool rehearsal_served_at(const cJSON *pod, const struct rehearsal_of *of,
			 struct served_at *ret_served);
#define REHEARSAL_VERSION_PATH "/version"
enum { REHEARSAL_VERSION_BYTES = 4096, REHEARSAL_VERSION_MS = 3000 };

/* What its answer tells: a version refuses, and never proves. False: it tells nothing. */
bool rehearsal_served_judge(const char *body, size_t len, const struct served_at *served,
			    struct rehearsal *ret_rehearsal);

/* A row of status.rehearsals. `time`: as in the API. Owned. */
NODISCARD cJSON *rehearsal_row(const struct rehearsal_of *of, const struct rehearsal *rehearsal,
			       const char *time);
/* That of an image, by its digest or its whole reference; NULL: none. */
const cJSON *rehearsal_find(const cJSON *rows, const char *image, enum component component);
/* Puts it first, in place of an older one of the same image; the oldest beyond the limit go. Takes `row`. */
void rehearsal_keep(cJSON *rows, cJSON *row);

/* A person wants it tried anew: an inconclusive row of it goes. `rows` may be NULL. */
void rehearsal_forget(cJSON *rows, const char *image, enum component component);
bool rehearsal_is_inconclusive(const cJSON *row);

/*
 * The image table alone does not know what the container's image takes; `row` is what a
 * rehearsal found, or NULL.
 */
bool rehearsal_is_wanted(const cJSON *row, const struct plan_container *container);

/*
 * A rehearsal wins over the tag, never over the user's word. An inconclusive one that knows the
 * engine's version can only refuse. `brings_packages`: the container's own start may install
 * what the image lacks.
 */
void rehearsal_overrule(const cJSON *row, enum component component, bool brings_packages,
			struct gate_verdict *verdict);

#endif
