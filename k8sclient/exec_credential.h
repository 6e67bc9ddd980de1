/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ExecCredential that a credential plugin prints: client.authentication.k8s.io/v1 and
 * v1beta1 (KUBERNETES §1.6). Pure; exec_plugin.h runs the plugin.
 */
#ifndef LLMD_K8SCLIENT_EXEC_CREDENTIAL_H
#define LLMD_K8SCLIENT_EXEC_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct exec_credential {
	char *token; /* or NULL */
	char *cert;  /* PEM, with key; or NULL */
	char *key;
	int64_t expires; /* seconds since 1970; 0: never said */
};

/*
 * Reads what the plugin printed (JSON, or YAML as kube-rs accepts it). `api_version` is
 * the one that the kubeconfig asks for. STATUS_INVALID with what is wrong.
 */
NODISCARD enum status exec_credential_read(const char *text, size_t len, const char *api_version,
					   struct exec_credential *ret_credential,
					   struct error *err);
void exec_credential_release(struct exec_credential *credential);

/* "2026-01-02T03:04:05Z", also with fraction and numeric offset (RFC 3339). */
bool rfc3339_parse(const char *text, int64_t *ret_seconds);

#endif
