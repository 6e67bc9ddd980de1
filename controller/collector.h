/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collector and back end of a namespace: which shape the collector has (decided once,
 * DESIGN §6), whose objects serve, and whether both are ready. Pure.
 */
#ifndef LLMD_CONTROLLER_COLLECTOR_H
#define LLMD_CONTROLLER_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/verdict.h"
#include "controller/view.h"
#include "inject/settings.h"

/* In status, of a mode that Auto came to that way. */
#define REASON_WORD_FELL_BACK "OperatorNotResponding"

struct collector_plan {
	const char *
	    mode; /* for status: "Deployment", "OpenTelemetryCollector", "Foreign", "Shared", "External"; NULL: not decided yet */
	bool use_cr;
	bool fell_back;         /* OperatorNotResponding */
	bool foreign_collector; /* a fitting Service of somebody else's is used */
	bool foreign_backend;
	bool may_apply_collector; /* ours may be applied: nothing of another shape is in the way */
	bool may_apply_backend;
	bool ready; /* workloads may be sent to it */
	struct verdict collector;
	struct verdict backend;
	uint64_t again_ms;
};

void collector_decide(const struct view *view, const struct settings *settings,
		      struct collector_plan *ret_plan);

#endif
