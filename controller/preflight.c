/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/preflight.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "controller/mesh.h"
#include "inject/network_policy.h"
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
	const cJSON *labels = json_get(set->pod, "metadata.labels");
	const char *name =
	    network_policy_against_egress(path->policies, labels, path->collector, PREFLIGHT_PORT);
	if (name != NULL) {
		const char *to =
		    path->collector == NULL
			? ""
			: "to: [{podSelector: {matchLabels: {app: otel-collector}}}], ";
		(void)snprintf(ret_words, size,
			       "NetworkPolicy %s keeps the pods of %s from port %d of the "
			       "collector; add to its spec.egress: {%sports: [{port: %d}]}",
			       name, set->name == NULL ? "it" : set->name, PREFLIGHT_PORT, to,
			       PREFLIGHT_PORT);
		return true;
	}
	if (path->collector != NULL)
		name = network_policy_in_the_way(path->policies, labels, path->collector,
						 PREFLIGHT_PORT);
	if (name == NULL)
		return false;
	(void)snprintf(ret_words, size,
		       "NetworkPolicy %s lets nothing from the pods of %s into the collector; add "
		       "to its spec.ingress: {from: [{podSelector: {}}], ports: [{port: %d}]}",
		       name, set->name == NULL ? "it" : set->name, PREFLIGHT_PORT);
	return true;
}

static const char *scope_of(const cJSON *policy, bool *ret_selects)
{
	const cJSON *want = json_get(policy, "spec.selector.matchLabels");
	*ret_selects = want != NULL && want->child != NULL;
	if (*ret_selects)
		return "the pods that it selects";
	return text_equal(json_str(policy, "metadata.namespace"), MESH_ROOT_NAMESPACE)
		   ? "the whole mesh"
		   : "this namespace";
}

/*
 * Two pods of the mesh meet by mutual TLS without our doing. Of two policies that select a pod the
 * older one holds, so one that does already is to be changed, and none to be put beside it.
 */
static bool is_refused_by_mesh(const struct replicas *set, const struct preflight_path *path,
			       char *ret_words, size_t size)
{
	bool selects = false;
	if (path->strict == NULL || mesh_place(path->labels, set->pod) != MESH_OUTSIDE)
		return false;
	const char *scope = scope_of(path->strict, &selects);
	const char *where = json_str(path->strict, "metadata.namespace");
	const char *name = json_str(path->strict, "metadata.name");
	(void)snprintf(
	    ret_words, size,
	    "the collector's pods are in the Istio mesh, PeerAuthentication %s/%s (STRICT for %s) "
	    "lets no plaintext into them, and the pods of %s are outside of the mesh. Ways out: "
	    "take the collector out of it, as it is by default, with spec.collector.labels: "
	    "{sidecar.istio.io/inject: \"false\", istio.io/dataplane-mode: none} in the Tracing; "
	    "or take these pods in (label sidecar.istio.io/inject: \"true\" in the pod template; "
	    "istio-injection=enabled on the namespace); or allow plaintext at that port alone with "
	    "%sportLevelMtls: {%d: {mode: PERMISSIVE}}%s",
	    where == NULL ? "" : where, name == NULL ? "" : name, scope,
	    set->name == NULL ? "it" : set->name,
	    selects ? "spec."
		    : "{apiVersion: security.istio.io/v1, kind: PeerAuthentication, "
		      "metadata: {name: otel-collector}, spec: {selector: "
		      "{matchLabels: {app: otel-collector}}, ",
	    PREFLIGHT_PORT, selects ? " in that policy" : "}}");
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
	for (size_t i = 0; i < sets->count; i++)
		if (is_refused_by_mesh(&sets->items[i], path, ret_words, size))
			return REASON_MESH_BLOCKS_PLAINTEXT;
	return REASON_NONE;
}
