/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's own defaults: the built-in ones, over them what the administrator gave
 * (`--settings FILE`), and where images come from (`--image-registry`). A Tracing is read
 * over the result; a changed default starts no rollout (DESIGN §4.6).
 */
#ifndef LLMD_INJECT_SETTINGS_DEFAULTS_H
#define LLMD_INJECT_SETTINGS_DEFAULTS_H

#include "inject/settings.h"

/* `tree`: a Tracing, or the spec of one alone; NULL: nothing beyond the built-in ones. */
NODISCARD enum status settings_read_defaults(const cJSON *tree, struct settings *ret_defaults,
					     struct error *err);

/*
 * Images of the defaults come from `registry` (HOST[:PORT][/PATH]) instead of the one that
 * they name. One that a Tracing names is taken as it stands there.
 */
NODISCARD enum status settings_set_registry(struct settings *defaults, const char *registry,
					    struct error *err);

#endif
