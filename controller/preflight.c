/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/preflight.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/settings.h"

/* A pod on the host's network gets the node's resolver, which knows no Service, unless it asks for the cluster's. */
static bool lacks_cluster_dns(const cJSON *pod_spec)
{
	const char *policy = json_str(pod_spec, "dnsPolicy");
	if (text_equal(policy, "Default"))
		return true;
	return json_bool(pod_spec, "hostNetwork", false) &&
	       (policy == NULL || text_equal(policy, "ClusterFirst"));
}

enum reason preflight_judge(const struct replica_sets *sets, const char *endpoint, char *ret_words,
			    size_t size)
{
	/* another endpoint may be a name that every resolver knows */
	if (!text_equal(endpoint, DEFAULT_ENDPOINT))
		return REASON_NONE;
	for (size_t i = 0; i < sets->count; i++) {
		const struct replicas *set = &sets->items[i];
		if (!lacks_cluster_dns(set->leader) && !lacks_cluster_dns(set->worker))
			continue;
		(void)snprintf(ret_words, size,
			       "the pods of %s use the node's DNS, which does not know %s; set "
			       "dnsPolicy: ClusterFirstWithHostNet in the pod template",
			       set->name == NULL ? "it" : set->name, DEFAULT_ENDPOINT);
		return REASON_NO_CLUSTER_DNS;
	}
	return REASON_NONE;
}
