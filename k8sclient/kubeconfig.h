/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubeconfig files, merged and resolved as kubectl does: over a list of files the first
 * one that names a cluster, user or context wins it whole, and the first current-context
 * counts. Pure: the bytes of the files come in.
 */
#ifndef LLMD_K8SCLIENT_KUBECONFIG_H
#define LLMD_K8SCLIENT_KUBECONFIG_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "k8sclient/config.h"

struct kubeconfig {
	struct kubeconfig_file *files;
	size_t count;
};

void kubeconfig_init(struct kubeconfig *kubeconfig);
void kubeconfig_release(struct kubeconfig *kubeconfig);

/*
 * Adds one file's text; `path` is absolute: relative paths inside are relative to its
 * folder. STATUS_INVALID, STATUS_LIMIT: the message begins with `path`. An empty file is fine.
 */
NODISCARD enum status kubeconfig_add(struct kubeconfig *kubeconfig, const char *text, size_t len,
				     const char *path, struct error *err);

/* What `context` (NULL: current-context) says. Certificates in *-data come out as PEM. */
NODISCARD enum status kubeconfig_resolve(const struct kubeconfig *kubeconfig, const char *context,
					 struct client_config *ret_config, struct error *err);

#endif
