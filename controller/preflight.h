/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preflight: whether spans of a workload's pods could reach the collector at all. A path
 * that is known to be blocked is never paid for with a restart. Pure.
 */
#ifndef LLMD_CONTROLLER_PREFLIGHT_H
#define LLMD_CONTROLLER_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "controller/replicas.h"
#include "inject/reason.h"

/* Where the endpoint inside pods leads to. */
enum { PREFLIGHT_PORT = 4317 };

/* What may stand between the pods and the collector. All borrowed. */
struct preflight_path {
	const cJSON *policies;  /* array: NetworkPolicies of the namespace */
	const cJSON *collector; /* labels of the collector's pods there; NULL: it is elsewhere */
	const cJSON *strict; /* the PeerAuthentication by which these refuse plaintext, or NULL */
	const cJSON *labels; /* of the namespace, that a mesh goes by; or NULL */
};

/* REASON_NONE, or why not, with words for people. `endpoint`: what goes into the pods. */
enum reason preflight_judge(const struct replica_sets *sets, const char *endpoint,
			    const struct preflight_path *path, char *ret_words, size_t size);

#endif
