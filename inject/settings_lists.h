/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are lists and trees: pools, images, labels, resources, tolerations. Private to settings*.c. */
#ifndef LLMD_INJECT_SETTINGS_LISTS_H
#define LLMD_INJECT_SETTINGS_LISTS_H

#include "inject/settings.h"

/* STATUS_INVALID: "<path>: must be <wanted>". */
NODISCARD enum status settings_wrong_type(const char *path, const char *wanted, const cJSON *node,
					  struct error *err);

typedef enum status (*settings_read_list_fn)(struct settings *settings, const cJSON *node,
					     const char *path, struct error *err);

/* On failure what was read so far is still owned by `settings`. Pools replace what was there. */
NODISCARD enum status settings_read_pools(struct settings *settings, const cJSON *node,
					  const char *path, struct error *err);
/* Rows of the user come before those that were there. */
NODISCARD enum status settings_read_images(struct settings *settings, const cJSON *node,
					   const char *path, struct error *err);

typedef enum status (*settings_check_tree_fn)(const cJSON *node, const char *path,
					      struct error *err);

/* An object of texts: nodeSelector, matchLabels. */
NODISCARD enum status settings_check_labels(const cJSON *node, const char *path, struct error *err);
/* {limits, requests}, each an object of quantities. */
NODISCARD enum status settings_check_resources(const cJSON *node, const char *path,
					       struct error *err);
/* A list of core/v1 Tolerations. */
NODISCARD enum status settings_check_tolerations(const cJSON *node, const char *path,
						 struct error *err);

void settings_free_images(struct settings *settings);
void settings_free_pools(struct settings *settings);

#endif
