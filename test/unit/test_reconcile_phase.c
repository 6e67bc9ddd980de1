/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "controller/phase.h"

#define GRACE 60000U

static const struct {
	const char *what;
	const char *switch_value;
	bool was_enabled, has_ours, readable, has_tracing, seen;
	uint64_t missing_ms;
	enum phase phase;
	enum reason reason;
	uint64_t again_ms;
} table[] = {
    {"never annotated", NULL, 0, 0, 1, 0, 0, 0, PHASE_OFF, REASON_NONE, 0},
    {"objects that the command line injected are somebody's manifests", NULL, 0, 1, 1, 0, 0, 100000,
     PHASE_OFF, REASON_NONE, 0},
    {"annotated", "true", 0, 0, 1, 0, 0, 0, PHASE_ON, REASON_NONE, 0},
    {"annotated, with a Tracing", "true", 1, 1, 1, 1, 1, 0, PHASE_ON, REASON_NONE, 0},
    {"exactly true", "True", 1, 1, 1, 1, 1, 0, PHASE_HOLD, REASON_BAD_SWITCH_VALUE, 0},
    {"empty value", "", 0, 0, 1, 0, 0, 0, PHASE_HOLD, REASON_BAD_SWITCH_VALUE, 0},
    {"annotation gone", NULL, 1, 1, 1, 1, 1, 0, PHASE_HOLD, REASON_REMOVAL_PENDING, 60000},
    {"in the grace", NULL, 1, 1, 1, 1, 1, 59000, PHASE_HOLD, REASON_REMOVAL_PENDING, 1000},
    {"grace over", NULL, 1, 1, 1, 1, 1, 60000, PHASE_REMOVE, REASON_NONE, 0},
    {"grace over, Tracings unreadable", NULL, 1, 1, 0, 0, 0, 60000, PHASE_REMOVE, REASON_NONE, 0},
    {"false removes at once", "false", 1, 1, 1, 1, 1, 0, PHASE_REMOVE, REASON_NONE, 0},
    {"false, and ledgers from anywhere", "false", 0, 1, 1, 0, 0, 0, PHASE_REMOVE, REASON_NONE, 0},
    {"false and nothing there", "false", 0, 0, 1, 1, 0, 0, PHASE_OFF, REASON_NONE, 0},
    {"Tracings cannot be read", "true", 0, 0, 0, 0, 0, 0, PHASE_HOLD, REASON_SETTINGS_MISSING, 0},
    {"the Tracing is gone", "true", 1, 0, 1, 0, 1, 0, PHASE_HOLD, REASON_SETTINGS_MISSING, 0},
    {"gone while the operator was down", "true", 1, 1, 1, 0, 0, 0, PHASE_HOLD,
     REASON_SETTINGS_MISSING, 0},
};

TEST(what_the_switch_means)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct phase_input input = {.exists = true,
					    .switch_value = table[i].switch_value,
					    .was_enabled = table[i].was_enabled,
					    .has_ours = table[i].has_ours,
					    .tracing_readable = table[i].readable,
					    .has_tracing = table[i].has_tracing,
					    .tracing_seen = table[i].seen,
					    .missing_ms = table[i].missing_ms,
					    .removal_grace_ms = GRACE};
		struct phase_result result = phase_decide(&input);
		CHECK_INT_ROW(result.phase, table[i].phase, table[i].what);
		CHECK_INT_ROW(result.reason, table[i].reason, table[i].what);
		CHECK_INT_ROW(result.again_ms, table[i].again_ms, table[i].what);
		input.terminating = true;
		CHECK_INT_ROW(phase_decide(&input).phase, PHASE_GONE, table[i].what);
		input.terminating = false;
		input.exists = false;
		CHECK_INT_ROW(phase_decide(&input).phase, PHASE_GONE, table[i].what);
	}
}

TEST(a_guarded_namespace_waits_for_a_word)
{
	struct phase_input input = {.exists = true,
				    .was_enabled = true,
				    .tracing_readable = true,
				    .has_tracing = true,
				    .guarded = true,
				    .missing_ms = 10 * GRACE,
				    .removal_grace_ms = GRACE};
	CHECK_INT(phase_decide(&input).phase, PHASE_HOLD);
	CHECK_INT(phase_decide(&input).reason, REASON_MASS_REMOVAL);
	input.switch_value = "false";
	CHECK_INT(phase_decide(&input).phase, PHASE_REMOVE);
	input.switch_value = "true";
	CHECK_INT(phase_decide(&input).phase, PHASE_ON);
	input.switch_value = NULL;
	input.was_enabled = false;
	CHECK_INT(phase_decide(&input).phase, PHASE_OFF);
}
