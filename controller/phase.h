/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a namespace's switch means right now (DESIGN §4.6, §5): inject, change nothing,
 * take back, or not our business. Only the switch removes; whatever is in doubt holds.
 */
#ifndef LLMD_CONTROLLER_PHASE_H
#define LLMD_CONTROLLER_PHASE_H

#include <stdbool.h>
#include <stdint.h>

#include "inject/reason.h"

enum phase {
	PHASE_OFF,    /* not enabled and nothing of ours in it */
	PHASE_HOLD,   /* nothing that is injected changes; `reason` says why */
	PHASE_ON,     /* enabled */
	PHASE_REMOVE, /* taking everything back */
	PHASE_GONE,   /* no such namespace, or it is being deleted: no writes at all */
};

struct phase_input {
	bool exists;
	bool terminating;
	const char *switch_value; /* of the annotation; NULL: it is missing */
	bool was_enabled;         /* a status or an object of ours says that it was on */
	bool has_ours;            /* injected workloads or managed objects are in it */
	bool tracing_readable;
	bool has_tracing;
	bool tracing_seen;   /* this namespace has had a Tracing before */
	bool guarded;        /* too many namespaces lost it at a time (controller/guard.h) */
	uint64_t missing_ms; /* for how long the annotation has been missing */
	uint64_t removal_grace_ms;
};

struct phase_result {
	enum phase phase;
	enum reason reason; /* REASON_NONE, BAD_SWITCH_VALUE, REMOVAL_PENDING, SETTINGS_MISSING */
	uint64_t again_ms;  /* REMOVAL_PENDING: what is left of the grace */
};

struct phase_result phase_decide(const struct phase_input *input);

#endif
