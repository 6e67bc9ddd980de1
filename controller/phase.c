/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/phase.h"

#include <string.h>

static struct phase_result result(enum phase phase, enum reason reason)
{
	return (struct phase_result){.phase = phase, .reason = reason};
}

/*
 * A missing annotation alone is no proof that the namespace was ever on: objects that the
 * command line injected carry ledgers too, and those are somebody's manifests.
 */
static struct phase_result without_switch(const struct phase_input *input)
{
	if (!input->was_enabled)
		return result(PHASE_OFF, REASON_NONE);
	if (input->guarded)
		return result(PHASE_HOLD, REASON_MASS_REMOVAL);
	if (input->missing_ms >= input->removal_grace_ms)
		return result(PHASE_REMOVE, REASON_NONE);
	struct phase_result pending = result(PHASE_HOLD, REASON_REMOVAL_PENDING);
	pending.again_ms = input->removal_grace_ms - input->missing_ms;
	return pending;
}

struct phase_result phase_decide(const struct phase_input *input)
{
	if (!input->exists || input->terminating)
		return result(PHASE_GONE, REASON_NONE);
	if (input->switch_value == NULL)
		return without_switch(input);
	if (strcmp(input->switch_value, "false") == 0) {
		bool anything = input->was_enabled || input->has_ours;
		return result(anything ? PHASE_REMOVE : PHASE_OFF, REASON_NONE);
	}
	if (strcmp(input->switch_value, "true") != 0)
		return result(PHASE_HOLD, REASON_BAD_SWITCH_VALUE);
	if (!input->tracing_readable)
		return result(PHASE_HOLD, REASON_SETTINGS_MISSING);
	if (!input->has_tracing && (input->tracing_seen || input->has_ours))
		return result(PHASE_HOLD, REASON_SETTINGS_MISSING);
	return result(PHASE_ON, REASON_NONE);
}
