/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.effective of a Tracing: by it the operator tells what its own defaults add to the
 * spec, as far as pods see it, so that who does not know these defaults plans the same (the
 * command line; docs/decisions/0284). What one writes the other reads. Pure.
 */
#ifndef LLMD_INJECT_SETTINGS_EFFECTIVE_H
#define LLMD_INJECT_SETTINGS_EFFECTIVE_H

#include "inject/settings.h"

/* status.effective of settings that were read from `tracing`. Owned. */
NODISCARD cJSON *settings_effective(const struct settings *settings, const cJSON *tracing);

/*
 * As settings_read (whose errors are given on), with the defaults of the operator that wrote
 * the status; without one with the built-in ones. A boost is active while that operator says so.
 */
NODISCARD enum status settings_read_effective(const cJSON *tracing, struct settings *ret_settings,
					      struct error *err);

#endif
