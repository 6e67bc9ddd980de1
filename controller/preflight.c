/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/preflight.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "inject/network_policy.h"
#include "inject/settings.h"

enum { OTLP_PORT = 4317 };

/* A pod on the host's network gets the node's resolver, which knows no Service, unless it asks for the cluster's. */
static bool lacks_cluster_dns(const cJSON *pod_spec)
{
	const char *policy = json_str(pod_spec, "dnsPolicy");
	if (text_equal(policy, "Default"))
		return true;
	return json_bool(pod_spec, "hostNetwork", false) &&
	       (policy == NULL || text_equal(policy, "ClusterFirst"));
}

static bool knows_no_service(const struct replicas *set, char *ret_words, size_t size)
{
	if (!lacks_cluster_dns(set->leader) && !lacks_cluster_dns(set->worker))
		return false;
	(void)snprintf(ret_words, size,
		       "the pods of %s use the node's DNS, which does not know %s; set dnsPolicy: "
		       "ClusterFirstWithHostNet in the pod template",
		       set->name == NULL ? "it" : set->name, DEFAULT_ENDPOINT);
	return true;
}

/*
 * The rule to add goes into the policy that is in the way: another policy could keep pods that are free
 * today from everything else.
 */
static bool is_kept_in(const struct replicas *set, const struct preflight_path *path,
		       char *ret_words, size_t size)
{
	const char *name = network_policy_against_egress(path->policies, set->pod_labels,
							 path->collector, OTLP_PORT);
	if (name != NULL) {
		const char *to =
		    path->collector == NULL
			? ""
			: "to: [{podSelector: {matchLabels: {app: otel-collector}}}], ";
		(void)snprintf(ret_words, size,
			       "NetworkPolicy %s keeps the pods of %s from port %d of the "
			       "collector; add to its spec.egress: {%sports: [{port: %d}]}",
			       name, set->name == NULL ? "it" : set->name, OTLP_PORT, to,
			       OTLP_PORT);
		return true;
	}
	if (path->collector != NULL)
		name = network_policy_in_the_way(path->policies, set->pod_labels, path->collector,
						 OTLP_PORT);
	if (name == NULL)
		return false;
	(void)snprintf(ret_words, size,
		       "NetworkPolicy %s lets nothing from the pods of %s into the collector; add "
		       "to its spec.ingress: {from: [{podSelector: {}}], ports: [{port: %d}]}",
		       name, set->name == NULL ? "it" : set->name, OTLP_PORT);
	return true;
}

enum reason preflight_judge(const struct replica_sets *sets, const char *endpoint,
			    const struct preflight_path *path, char *ret_words, size_t size)
{
	/* another endpoint may be a name that every resolver knows, and any port */
	if (!text_equal(endpoint, DEFAULT_ENDPOINT))
		return REASON_NONE;
	for (size_t i = 0; i < sets->count; i++)
		if (knows_no_service(&sets->items[i], ret_words, size))
			return REASON_NO_CLUSTER_DNS;
	for (size_t i = 0; i < sets->count; i++)
		if (is_kept_in(&sets->items[i], path, ret_words, size))
			return REASON_EGRESS_BLOCKED;
	return REASON_NONE;
}
