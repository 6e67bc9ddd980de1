/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/resource.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MANAGED_SELECTOR "app.kubernetes.io/managed-by=llmd-tracing"
#define ROLLOUT_STATUS                                                                             \
	"observedGeneration,replicas,updatedReplicas,readyReplicas,availableReplicas,"             \
	"currentRevision,updateRevision,conditions"

/* ReplicaSets are not watched: every Deployment has up to ten old ones, and one without an
 * owner restarts nothing when its template changes. */
static const struct resource resources[RESOURCE_COUNT] = {
    [RESOURCE_NAMESPACE] = {"v1", "Namespace", "namespaces", NULL, "",
			    RESOURCE_CLUSTER_SCOPED | RESOURCE_ALWAYS_KEPT},
    [RESOURCE_TRACING] = {"tracing.llm-d.io/v1alpha1", "Tracing", "tracings", NULL, "*",
			  RESOURCE_OPTIONAL | RESOURCE_ALWAYS_KEPT},
    [RESOURCE_MODELSERVICE] = {"llm-d.ai/v1alpha1", "ModelService", "modelservices", NULL,
			       "observedGeneration,prefillDeploymentRef,decodeDeploymentRef,"
			       "eppDeploymentRef,inferencePoolRef,configMapNames",
			       RESOURCE_WORKLOAD | RESOURCE_SURROUNDING | RESOURCE_OPTIONAL},
    [RESOURCE_DISAGGREGATEDSET] = {"disaggregatedset.x-k8s.io/v1", "DisaggregatedSet",
				   "disaggregatedsets", NULL, ROLLOUT_STATUS ",roleStatuses",
				   RESOURCE_WORKLOAD | RESOURCE_SURROUNDING | RESOURCE_OPTIONAL},
    [RESOURCE_LEADERWORKERSET] = {"leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet",
				  "leaderworkersets", NULL, ROLLOUT_STATUS,
				  RESOURCE_WORKLOAD | RESOURCE_SURROUNDING | RESOURCE_OPTIONAL},
    [RESOURCE_DEPLOYMENT] = {"apps/v1", "Deployment", "deployments", NULL, ROLLOUT_STATUS,
			     RESOURCE_WORKLOAD | RESOURCE_SURROUNDING | RESOURCE_OWNED},
    [RESOURCE_STATEFULSET] = {"apps/v1", "StatefulSet", "statefulsets", NULL, ROLLOUT_STATUS,
			      RESOURCE_WORKLOAD | RESOURCE_SURROUNDING},
    [RESOURCE_POOL] = {"inference.networking.k8s.io/v1", "InferencePool", "inferencepools", NULL,
		       "", RESOURCE_SURROUNDING | RESOURCE_OPTIONAL},
    [RESOURCE_POOL_X] = {"inference.networking.x-k8s.io/v1alpha2", "InferencePool",
			 "inferencepools", NULL, "", RESOURCE_SURROUNDING | RESOURCE_OPTIONAL},
    [RESOURCE_SERVICE] = {"v1", "Service", "services", NULL, "",
			  RESOURCE_SURROUNDING | RESOURCE_OWNED},
    [RESOURCE_ENDPOINTSLICE] = {"discovery.k8s.io/v1", "EndpointSlice", "endpointslices",
				"kubernetes.io/service-name in (otel-collector,jaeger-collector)",
				"", 0},
    [RESOURCE_CONFIGMAP] = {"v1", "ConfigMap", "configmaps", MANAGED_SELECTOR, "", RESOURCE_OWNED},
    [RESOURCE_NETWORKPOLICY] = {"networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", NULL,
				"", RESOURCE_OWNED},
    [RESOURCE_CLAIM] = {"v1", "PersistentVolumeClaim", "persistentvolumeclaims", MANAGED_SELECTOR,
			"phase", RESOURCE_OWNED},
    [RESOURCE_COLLECTOR] = {"opentelemetry.io/v1beta1", "OpenTelemetryCollector",
			    "opentelemetrycollectors", NULL, "*",
			    RESOURCE_OWNED | RESOURCE_OPTIONAL},
    [RESOURCE_PEERAUTHENTICATION] = {"security.istio.io/v1", "PeerAuthentication",
				     "peerauthentications", NULL, "",
				     RESOURCE_OPTIONAL | RESOURCE_FOR_OTHERS},
    [RESOURCE_SECRET] = {"v1", "Secret", "secrets", NULL, "", RESOURCE_ON_DEMAND},
    [RESOURCE_POD] = {"v1", "Pod", "pods", NULL, "", RESOURCE_ON_DEMAND},
};

const struct resource *resource_get(enum resource_id id)
{
	assert(id < RESOURCE_COUNT);
	return &resources[id];
}

bool resource_find(const char *api_version, const char *kind, enum resource_id *ret_id)
{
	for (size_t i = 0; i < RESOURCE_COUNT; i++) {
		if (strcmp(resources[i].kind, kind) != 0 ||
		    strcmp(resources[i].api_version, api_version) != 0)
			continue;
		*ret_id = (enum resource_id)i;
		return true;
	}
	return false;
}

void resource_crd_name(enum resource_id id, char *name, size_t size)
{
	const struct resource *resource = resource_get(id);
	const char *slash = strchr(resource->api_version, '/');
	int group_len = slash == NULL ? 0 : (int)(slash - resource->api_version);
	(void)snprintf(name, size, "%s.%.*s", resource->plural, group_len, resource->api_version);
}
