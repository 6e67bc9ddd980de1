/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a decision hand on to each other. Private to plan_decide*.c. */
#ifndef LLMD_INJECT_PLAN_DECIDING_H
#define LLMD_INJECT_PLAN_DECIDING_H

#include "inject/gate.h"
#include "inject/plan_decide.h"

struct deciding {
	const struct subject *subject;
	struct decision *decision;
	/* overrides */
	bool overridden; /* an annotation names the component */
	enum component named;
	const char *version; /* spec.images; NULL */
	/* identity */
	struct image image;
	struct launch *launch;   /* of the effective container */
	struct launch *editable; /* ModelService: of the editable part; else NULL */
	const struct component_rules *rules;
	bool modern;
	struct gate_verdict verdict;
	/* the user's values */
	struct env_known env;
	char *endpoint;            /* the user's, as text for both gaps; NULL: none. Owned */
	bool endpoint_in_env;      /* it can stand in env (no shell text) */
	const char *endpoint_from; /* where it was found: flag or variable name */
	bool endpoint_unsure;      /* it may come out empty */
	/* what will be added */
	char *tokens[COMPONENT_FLAGS]; /* owned */
	size_t token_count;
};

/* Ends the decision: nothing is done with the container. Always returns true. */
bool decide_skip(struct deciding *deciding, enum reason reason, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Each step returns true when the decision has been made. */
bool decide_identity(struct deciding *deciding);
bool decide_flags(struct deciding *deciding);
bool decide_endpoint(struct deciding *deciding);
void decide_env(struct deciding *deciding);

/*
 * Looks for a flag in what the container runs; for a ModelService also in its own part,
 * which its controller may not have rendered yet.
 */
void decide_find_flag(const struct deciding *deciding, const struct flag_syntax *syntax,
		      struct launch_flag *ret_flag);

/* The service name that the container's spans get. Owned. */
NODISCARD char *decide_service(const struct deciding *deciding);

#endif
