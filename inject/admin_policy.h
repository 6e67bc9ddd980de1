/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cluster's administrator lets a Tracing ask for (`--policy FILE`). Writing a
 * Tracing equals editing workloads, so this stands above every Tracing and above nothing
 * else: it is looked at with the settings that hold in the end.
 *
 *   allowedEndpoints  globs of scheme://host:port
 *   allowedImages     globs of whole image references
 *   allowedModes      values of spec.collector.mode
 *   maxRatio          highest spec.sampling.ratio, as text
 *
 * What is absent is not limited. Hosts of forbidden_host.h are refused even so, unless
 * allowedEndpoints names them without a wildcard in the host.
 */
#ifndef LLMD_INJECT_ADMIN_POLICY_H
#define LLMD_INJECT_ADMIN_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/json.h"
#include "inject/settings.h"

struct allow_list {
	bool given; /* false: everything */
	char **globs;
	size_t count;
};

/* A zeroed one limits nothing but forbidden hosts. */
struct admin_policy {
	struct allow_list endpoints;
	struct allow_list images;
	struct allow_list modes;
	char *max_ratio;  /* NULL: 1 */
	char *api_server; /* host of the API server; NULL: not known; not from the file */
};

/* STATUS_INVALID names the key and what is wrong with it. */
NODISCARD enum status admin_policy_read(const cJSON *tree, struct admin_policy *ret_policy,
					struct error *err);
void admin_policy_release(struct admin_policy *policy);

/*
 * Lowers a default ratio that is more than the policy allows, so that a namespace that
 * says nothing is not refused.
 */
void admin_policy_limit(const struct admin_policy *policy, struct settings *defaults);

/*
 * STATUS_DENIED: the settings ask for something that is not allowed: path, value and what
 * is. `policy` may be NULL. An image that `defaults` (may be NULL) names too is the
 * operator's choice: those are checked once, when the operator starts.
 */
NODISCARD enum status admin_policy_check(const struct admin_policy *policy,
					 const struct settings *defaults,
					 const struct settings *settings, struct error *err);

/* Whether an image that nobody names in a Tracing may be created. `policy` may be NULL. */
bool admin_policy_allows_image(const struct admin_policy *policy, const char *image);

/*
 * Whether the operator itself may ask `url` on behalf of a namespace: a Service of that
 * namespace (http://NAME.NAMESPACE.svc:PORT, with the cluster's domain behind it if
 * `cluster_domain` is known), or a host of allowedEndpoints. A Service can be an alias for
 * anything: whoever connects also asks host_is_forbidden about the address it came to.
 */
bool may_call(const struct admin_policy *policy, const char *namespace_name,
	      const char *cluster_domain, const char *url);

#endif
