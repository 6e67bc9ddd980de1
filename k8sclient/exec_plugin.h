/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a credential plugin (kubeconfig users[].user.exec) without blocking the loop.
 * Its stdin is empty, its output bounded, its time limited to one minute. Who runs in a
 * pod never needs this; it is for people's own kubeconfigs.
 */
#ifndef LLMD_K8SCLIENT_EXEC_PLUGIN_H
#define LLMD_K8SCLIENT_EXEC_PLUGIN_H

#include <uv.h>

#include "base/error.h"
#include "k8sclient/config.h"
#include "k8sclient/exec_credential.h"

struct exec_plugin;

/* `credential` is NULL on failure, else the callee may take its members. Called once, from the loop. */
typedef void (*exec_plugin_fn)(void *context, struct exec_credential *credential,
			       const struct error *error);

/* `ca` is what the plugin is told of the cluster's CA (PEM or NULL). Frees itself after `done`. */
NODISCARD enum status exec_plugin_start(uv_loop_t *loop, const struct client_config *config,
					const char *ca, exec_plugin_fn done, void *context,
					struct exec_plugin **ret_plugin, struct error *err);

/* Kills it; `done` is not called any more. Frees itself when its handles are closed. */
void exec_plugin_cancel(struct exec_plugin *plugin);

#endif
