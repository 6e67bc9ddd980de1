/* SPDX-License-Identifier: Apache-2.0 */
/* Words for people: one phrase what an operation does, one why. Private to the plan. */
#ifndef LLMD_INJECT_PLAN_TELL_H
#define LLMD_INJECT_PLAN_TELL_H

#include "inject/plan_work.h"

/* The reason of everything that is taken back. */
extern const char why_back[];

/* Adds one edit; all texts are copied. */
void plan_add_edit(struct plan *plan, const char *pointer, const char *why, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

struct telling {
	struct plan *plan;
	const struct work *work;
	enum member member;
};

/* A list_change_fn; `context` is a struct telling. */
void tell_change(void *context, const char *pointer, const cJSON *old, const cJSON *new);

#endif
