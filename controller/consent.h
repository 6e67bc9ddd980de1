/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consent: whether the namespace's rollout policy lets a write that puts tracing in replace
 * a workload's pods now (spec.rollout.policy and .window). Taking back needs none. Pure.
 */
#ifndef LLMD_CONTROLLER_CONSENT_H
#define LLMD_CONTROLLER_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "controller/rollout.h"
#include "inject/plan.h"
#include "inject/reason.h"
#include "inject/settings.h"

/* What the row of a workload remembers; it outlasts the process in status. */
struct consent {
	char pending[17];  /* consent_hash of the plan that waits; "" none */
	char template[17]; /* hash of the templates whose next change is waited for; "" none */
};

struct consent_input {
	const cJSON *object;
	const struct rollout_settings *settings;
	const struct rollout *rollout;
	const char *hash; /* consent_hash of the plan */
	bool traced;      /* the object carries our ledger */
	bool replaces;    /* pods: a write that replaces none needs neither change nor window */
	int64_t wall_us;
};

struct consent_verdict {
	enum reason waits; /* REASON_NONE: it may be written */
	bool rides;        /* on a rollout of somebody else: it waits for no turn */
	uint64_t again_ms; /* the window opens then; 0: not for that reason */
	char words[400];
};

void consent_judge(struct consent *consent, const struct consent_input *input,
		   struct consent_verdict *ret_verdict);

/*
 * What a person's word is about: every edit of the plan, and nothing else (that the word itself
 * is an annotation changes the ledger of an object that had none).
 */
void consent_hash(const struct plan *plan, char ret_hash[17]);

/* Nothing waits any more. */
void consent_forget(struct consent *consent);

/* True when that annotation of the object names just this plan. */
bool consent_is_given(const cJSON *object, const char *annotation, const char *hash);

void consent_to_row(const struct consent *consent, cJSON *row);
void consent_from_row(const cJSON *row, struct consent *ret_consent);

#endif
