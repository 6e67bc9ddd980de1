/* SPDX-License-Identifier: Apache-2.0 */
/* The list-shaped settings: pools, matchLabels, images. Private to settings.c. */
#ifndef LLMD_INJECT_SETTINGS_LISTS_H
#define LLMD_INJECT_SETTINGS_LISTS_H

#include "inject/settings.h"

/* STATUS_INVALID: "<path>: must be <wanted>". */
NODISCARD enum status settings_wrong_type(const char *path, const char *wanted, const cJSON *node,
					  struct error *err);

/* Each replaces what was there; on failure what was read so far is still owned by `settings`. */
NODISCARD enum status settings_read_pools(struct settings *settings, const cJSON *node,
					  struct error *err);
NODISCARD enum status settings_read_labels(struct settings *settings, const cJSON *node,
					   struct error *err);
NODISCARD enum status settings_read_images(struct settings *settings, const cJSON *node,
					   struct error *err);

void settings_free_images(struct settings *settings);
void settings_free_pools(struct settings *settings);

#endif
