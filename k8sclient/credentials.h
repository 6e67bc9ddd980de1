/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are and whom we trust, now: tokens and certificates from the configuration,
 * from files that are rotated under us, or from a credential plugin (KUBERNETES §1.6).
 *
 * A token file is re-read every 60 s and after a 401; CA and client certificate every
 * 5 min and after a TLS failure. What is empty, unreadable or half-written never
 * replaces what worked before. A plugin runs when there is no credential, when the one
 * it gave has expired, and after a 401.
 */
#ifndef LLMD_K8SCLIENT_CREDENTIALS_H
#define LLMD_K8SCLIENT_CREDENTIALS_H

#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/log.h"
#include "k8sclient/config.h"

struct credentials;

/* Borrowed until the next call of a function of this file. NULL: none. */
struct credential {
	unsigned generation; /* changes whenever one of the others does */
	const char *token;
	const char *ca; /* PEM */
	const char *cert;
	const char *key;
};

enum credentials_state { CREDENTIALS_READY, CREDENTIALS_WAITING, CREDENTIALS_FAILED };

/*
 * Reads all files once: one that cannot be read is an error here. `config` is borrowed
 * and outlives it. `on_settled` tells that CREDENTIALS_WAITING is over.
 */
NODISCARD enum status credentials_new(uv_loop_t *loop, const struct client_config *config,
				      const struct log *log, void (*on_settled)(void *context),
				      void *context, struct credentials **ret_credentials,
				      struct error *err);

/* Stops a plugin under way and frees. */
void credentials_free(struct credentials *credentials);

/*
 * What to present now (`now_ms`: a monotonic clock). WAITING: a plugin runs, ask again
 * after on_settled. FAILED: *err says why (a later call tries again).
 */
enum credentials_state credentials_get(struct credentials *credentials, uint64_t now_ms,
				       struct credential *ret_credential, struct error *err);

/* A 401 was the answer to what `generation` held: look for something newer. */
void credentials_reject(struct credentials *credentials, uint64_t now_ms, unsigned generation);

/* TLS failed: look at the files again before the next use. */
void credentials_distrust(struct credentials *credentials);

#endif
