/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/served.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "inject/network_policy.h"
#include "inject/rehearsal.h"
#include "inject/trace_hop.h"

enum { PORT_MAX = 65535, OTLP_PORT = 4317 };

/* A port of the container by its name. */
static long named_port(const cJSON *container, const char *name)
{
	return json_int(json_named(json_member(container, "ports"), name), "containerPort", 0);
}

/* Where the kubelet asks, plain HTTP is spoken, and a question more is nothing new; 0: it does not ask. */
static unsigned probed_port(const cJSON *container)
{
	static const char *const probes[] = {"readinessProbe", "startupProbe", "livenessProbe"};
	for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
		const cJSON *get = json_member(json_member(container, probes[i]), "httpGet");
		const char *scheme = json_str(get, "scheme");
		const char *name = json_str(get, "port");
		long port = name == NULL ? json_int(get, "port", 0) : named_port(container, name);
		if ((scheme == NULL || strcmp(scheme, "HTTP") == 0) &&
		    json_str(get, "host") == NULL && port > 0 && port <= PORT_MAX)
			return (unsigned)port;
	}
	return 0;
}

static const cJSON *container_of(const cJSON *pod, const char *image)
{
	const cJSON *container = NULL;
	cJSON_ArrayForEach(container, json_get(pod, "spec.containers"))
	{
		if (text_equal(json_str(container, "image"), image))
			return container;
	}
	return NULL;
}

bool served_at_find(const cJSON *pod, const char *image, struct served_at *ret_served)
{
	const cJSON *container = container_of(pod, image);
	const cJSON *status =
	    json_named(json_get(pod, "status.containerStatuses"), json_str(container, "name"));
	const char *address = json_str(pod, "status.podIP");
	const char *name = json_str(pod, "metadata.name");
	const char *uid = json_str(pod, "metadata.uid");
	unsigned port = container == NULL ? 0 : probed_port(container);
	/* an address of the node's own is nobody's whom we were to ask */
	if (port == 0 || address == NULL || name == NULL || !json_bool(status, "ready", false) ||
	    json_bool(pod, "spec.hostNetwork", false))
		return false;
	*ret_served = (struct served_at){.port = port};
	(void)snprintf(ret_served->pod, sizeof(ret_served->pod), "%s", name);
	(void)snprintf(ret_served->uid, sizeof(ret_served->uid), "%s", uid == NULL ? "" : uid);
	(void)snprintf(ret_served->address, sizeof(ret_served->address), "%s", address);
	rehearsal_digest(status, ret_served->digest);
	return true;
}

bool served_counts(const cJSON *pod, const struct served_want *want, struct served_at *ret_served)
{
	cJSON *collector CLEANUP(json_freep) = cJSON_CreateObject();
	struct served_at found;
	json_set_str(collector, "app", "otel-collector");
	if (json_get(pod, "metadata.deletionTimestamp") != NULL ||
	    !served_at_find(pod, want->image, &found) ||
	    !trace_container_sends(want->component, container_of(pod, want->image),
				   want->endpoint) ||
	    network_policy_in_the_way(want->policies, json_get(pod, "metadata.labels"), collector,
				      OTLP_PORT) != NULL)
		return false;
	*ret_served = found;
	return true;
}
