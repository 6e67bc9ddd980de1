/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile of one workload: plan, and write it when everything allows it. Pure:
 * (object, facts, policy, what is remembered) in, intents and the new row out.
 */
#ifndef LLMD_CONTROLLER_RECONCILE_WORKLOAD_H
#define LLMD_CONTROLLER_RECONCILE_WORKLOAD_H

#include <stdbool.h>

#include "controller/elsewhere.h"
#include "controller/intent.h"
#include "controller/moment.h"
#include "controller/policy.h"
#include "controller/roster.h"
#include "controller/survey.h"
#include "inject/surroundings.h"

struct workload_input {
	enum resource_id resource;
	const cJSON *object; /* with resourceVersion */
	const struct facts *facts;
	const struct policy *policy;
	struct roster *roster;              /* for the turn; holds `row` */
	const struct survey_report *survey; /* what is known of room on the nodes */
	const cJSON *rehearsals;            /* what is known of images; or NULL */
	bool may_rehearse;                  /* pods may be made for it */
	bool may_ask;                       /* else a server that runs may be asked */
	const struct elsewhere *elsewhere;  /* what the other namespaces know of images */
	struct moment now;
};

/* What is new of a row. */
struct workload_news {
	bool changed;  /* status shows something else now */
	bool expected; /* other spans are to be expected of it */
};

/*
 * Brings `row` up to date (state, reason, words, undo record, rank, hops) and adds at most
 * one write, and Events for what is new.
 */
void reconcile_workload(const struct workload_input *input, struct roster_row *row,
			struct intents *intents, struct workload_news *ret_news);

/*
 * What a refused write was about: the generation, the settings, whether it took back, the
 * value of the retry annotation, so that a person can ask for another try without touching the
 * spec, and the operator's version, since another one may write something else.
 */
enum { WORKLOAD_VERSION_MAX = 128 };
void workload_version(const cJSON *object, const struct policy *policy,
		      char ret_text[WORKLOAD_VERSION_MAX]);

#endif
