/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ModelService: a container of it is merged over one of a base configuration by its
 * controller (LLMD §5.1): image and command replaced, args put in front, env by name. So
 * decisions look at what comes out, and edits go to the ModelService's part. Private to
 * the plan.
 */
#ifndef LLMD_INJECT_PLAN_MERGED_H
#define LLMD_INJECT_PLAN_MERGED_H

#include "inject/plan_decide.h"

struct work;

/* What comes out of the merge; holds what the subject borrows. */
struct merged {
	cJSON *container; /* {command, args}: effective and pristine */
	cJSON *editable;  /* {command, args}: with the ModelService's own args alone */
	struct list_view env;
	char *why;        /* the base cannot be read */
	bool own_command; /* the command is the ModelService's own */
	bool own_args;    /* it has args of its own */
	bool base_leads;  /* the base's args begin with a word that is no flag */
};

/*
 * The pod spec that a template's containers are merged over: the child Deployment's as the
 * controller rendered it, else the base configuration's; NULL when none is known. Borrowed.
 */
const cJSON *merged_base(const struct facts *facts, const struct pod_template *template);

/* Fills the merged parts of `subject`, which borrows from `ret_merged`. */
void merged_read(struct work *work, const struct plan_input *input, struct merged *ret_merged,
		 struct subject *subject);

/* Refuses an edit that the merge would put in the wrong place. */
void merged_check(const struct merged *merged, struct decision *decision);

enum { MERGED_PARTS = 3 };

/*
 * The pod spec of a part (prefill, decode, endpointPicker) that the base has and the
 * ModelService leaves out; NULL when it is not so. Nothing can be added there: the CRD
 * would set the new part's replicas to its default, 1.
 */
const cJSON *merged_absent(const struct plan_input *input, size_t part, const char **ret_pointer);

void merged_release(struct merged *merged);

#endif
