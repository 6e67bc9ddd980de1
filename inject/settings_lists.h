/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that are lists and trees: pools, images, what is passed on to pods. Private to settings*.c. */
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

/* An object that is left to the API server beyond the names of its first members. */
NODISCARD enum status settings_check_affinity(const cJSON *node, const char *path,
					      struct error *err);
/* Labels that are not ours: neither app nor app.kubernetes.io/. */
NODISCARD enum status settings_check_pod_labels(const cJSON *node, const char *path,
						struct error *err);
/* Texts under keys that are not ours. */
NODISCARD enum status settings_check_annotations(const cJSON *node, const char *path,
						 struct error *err);
/* [{name}] */
NODISCARD enum status settings_check_pull_secrets(const cJSON *node, const char *path,
						  struct error *err);
/* {name, key} */
NODISCARD enum status settings_check_secret_key(const cJSON *node, const char *path,
						struct error *err);
/* [{header, name, key}], every header once. */
NODISCARD enum status settings_check_headers(const cJSON *node, const char *path,
					     struct error *err);
/* A list of texts; what they have to be depends on the type of storage. */
NODISCARD enum status settings_check_servers(const cJSON *node, const char *path,
					     struct error *err);

void settings_free_images(struct settings *settings);
void settings_free_pools(struct settings *settings);

#endif
