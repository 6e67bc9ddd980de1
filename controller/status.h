/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status of a Tracing: conditions by the API conventions (lastTransitionTime changes
 * only with the status), counters, effective values and the bounded list of workloads.
 * Pure: a status is built, compared with the live one, and sent only when different.
 */
#ifndef LLMD_CONTROLLER_STATUS_H
#define LLMD_CONTROLLER_STATUS_H

#include "controller/collector.h"
#include "controller/proof.h"
#include "controller/roster.h"

struct status_input {
	const cJSON *tracing; /* with its live status */
	struct moment now;
	struct verdict enabled;
	struct verdict settings_valid;          /* status NULL: not stated */
	struct verdict permitted;               /* as well */
	const struct collector_plan *collector; /* NULL: not stated */
	const struct proof *proof;              /* that spans arrive; NULL: not stated */
	const struct proof_targets *targets;    /* with `proof` */
	const cJSON *rehearsals;                /* rows of status; or NULL */
	const struct settings *settings;        /* effective values; NULL: not stated */
	bool hold; /* what was decided once for the namespace stays decided */
	const struct roster *roster;
};

/* The whole wanted status. Owned. */
NODISCARD cJSON *status_build(const struct status_input *input);

/* The merge patch {"status": …} that makes `wanted` of the live status; NULL when nothing differs. Owned. */
NODISCARD cJSON *status_patch(const cJSON *tracing, const cJSON *wanted);

#endif
