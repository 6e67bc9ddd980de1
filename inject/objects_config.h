/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations of collector and Jaeger: a template holds everything there is, and what
 * the settings do not ask for is taken out. Private to inject/objects*.c.
 */
#ifndef LLMD_INJECT_OBJECTS_CONFIG_H
#define LLMD_INJECT_OBJECTS_CONFIG_H

#include <stddef.h>

#include "base/json.h"

/*
 * Takes the named components ("filter/content", "traces>otlp/backend" for one pipeline only)
 * out of all pipelines, then the pipelines
 * that have no source or no target any more, then every definition that no pipeline uses
 * (extensions stay). `names` is NULL-ended.
 */
void config_drop(cJSON *config, const char *const *names);

#endif
