/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/mesh.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define INJECT         "sidecar.istio.io/inject"
#define REVISION       "istio.io/rev"
#define DATAPLANE_MODE "istio.io/dataplane-mode"

static const char *text_of(const cJSON *map, const char *key)
{
	const cJSON *value = json_member(map, key);
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* The pods that the API server shows to the injector: the selectors of its four webhooks. */
static bool is_shown(const cJSON *namespace_labels, const cJSON *labels)
{
	const char *injection = text_of(namespace_labels, "istio-injection");
	const char *asked = text_of(labels, INJECT);
	if (text_equal(asked, "false"))
		return false;
	if (injection != NULL)
		return strcmp(injection, "enabled") == 0;
	return text_of(namespace_labels, REVISION) != NULL || text_of(labels, REVISION) != NULL ||
	       text_equal(asked, "true");
}

/* What the injector makes of a pod that it is shown; the label wins over the annotation. */
static enum mesh_place by_sidecar(const cJSON *namespace_labels, const cJSON *labels,
				  const cJSON *annotations)
{
	const char *asked = text_of(labels, INJECT);
	if (!is_shown(namespace_labels, labels))
		return MESH_OUTSIDE;
	if (asked == NULL)
		asked = text_of(annotations, INJECT);
	if (text_equal(asked, "false"))
		return MESH_OUTSIDE;
	/* a template of the administrator's own may be anything, also no proxy at all */
	if (text_of(annotations, "inject.istio.io/templates") != NULL)
		return MESH_UNCLEAR;
	return asked == NULL || strcmp(asked, "true") == 0 ? MESH_INSIDE : MESH_UNCLEAR;
}

static enum mesh_place by_ztunnel(const cJSON *namespace_labels, const cJSON *labels)
{
	const char *mode = text_of(labels, DATAPLANE_MODE);
	if (mode == NULL)
		mode = text_of(namespace_labels, DATAPLANE_MODE);
	return text_equal(mode, "ambient") ? MESH_INSIDE : MESH_OUTSIDE;
}

/* By `istioctl kube-inject`, before it was applied. */
static bool has_proxy(const cJSON *spec, const cJSON *annotations)
{
	return json_named(json_member(spec, "containers"), "istio-proxy") != NULL ||
	       json_named(json_member(spec, "initContainers"), "istio-proxy") != NULL ||
	       text_of(annotations, "sidecar.istio.io/status") != NULL;
}

enum mesh_place mesh_place(const cJSON *namespace_labels, const cJSON *template)
{
	const cJSON *spec = json_member(template, "spec");
	const cJSON *labels = json_get(template, "metadata.labels");
	const cJSON *annotations = json_get(template, "metadata.annotations");
	/* neither the injector nor the node's proxy touches the host's network */
	if (json_bool(spec, "hostNetwork", false))
		return MESH_OUTSIDE;
	if (has_proxy(spec, annotations) || by_ztunnel(namespace_labels, labels) == MESH_INSIDE)
		return MESH_INSIDE;
	return by_sidecar(namespace_labels, labels, annotations);
}

/* Somebody has said by hand what of the incoming traffic the proxy sees. */
static bool has_own_capture(const cJSON *annotations)
{
	static const char *const names[] = {
	    "traffic.sidecar.istio.io/includeInboundPorts",
	    "traffic.sidecar.istio.io/excludeInboundPorts",
	    "sidecar.istio.io/interceptionMode",
	    "ambient.istio.io/bypass-inbound-capture",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (json_member(annotations, names[i]) != NULL)
			return true;
	return false;
}

/* Within one scope the oldest holds; of two of one second the first by name. */
static const cJSON *older(const cJSON *first, const cJSON *second)
{
	const char *a = json_str(first, "metadata.creationTimestamp");
	const char *b = json_str(second, "metadata.creationTimestamp");
	if (first == NULL)
		return second;
	return a != NULL && b != NULL && strcmp(b, a) < 0 ? second : first;
}

static bool selects(const cJSON *want, const cJSON *labels)
{
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, want)
	{
		const char *have = text_of(labels, item->string);
		if (have == NULL || !cJSON_IsString(item) || strcmp(item->valuestring, have) != 0)
			return false;
	}
	return true;
}

/* UNSET, or nothing, leaves it to the wider scope. */
static const cJSON *narrowed(const cJSON *strict, const cJSON *mtls, const cJSON *policy)
{
	const char *mode = json_str(mtls, "mode");
	if (mode == NULL || strcmp(mode, "UNSET") == 0)
		return strict;
	return strcmp(mode, "STRICT") == 0 ? policy : NULL;
}

/* The mode of the mesh, of the namespace, of the pods, of their port: the narrowest that says one. */
static const cJSON *strict_policy(const struct mesh_space *space, const cJSON *labels, long port)
{
	const cJSON *mesh = NULL;
	const cJSON *whole = NULL;
	const cJSON *some = NULL;
	const cJSON *policy = NULL;
	char key[24];
	cJSON_ArrayForEach(policy, space->policies)
	{
		const char *where = json_str(policy, "metadata.namespace");
		const cJSON *want = json_get(policy, "spec.selector.matchLabels");
		bool all = want == NULL || want->child == NULL;
		bool root = text_equal(where, MESH_ROOT_NAMESPACE);
		if (root && all)
			mesh = older(mesh, policy);
		else if (root || !text_equal(where, space->name))
			continue; /* one with a selector is of no effect there */
		else if (all)
			whole = older(whole, policy);
		else if (selects(want, labels))
			some = older(some, policy);
	}
	(void)snprintf(key, sizeof(key), "%ld", port);
	const cJSON *strict = narrowed(NULL, json_get(mesh, "spec.mtls"), mesh);
	strict = narrowed(strict, json_get(whole, "spec.mtls"), whole);
	strict = narrowed(strict, json_get(some, "spec.mtls"), some);
	return narrowed(strict, json_member(json_get(some, "spec.portLevelMtls"), key), some);
}

const cJSON *mesh_refuses_plaintext(const struct mesh_space *space, const cJSON *template,
				    long port)
{
	if (template == NULL || mesh_place(space->labels, template) != MESH_INSIDE ||
	    has_own_capture(json_get(template, "metadata.annotations")))
		return NULL;
	return strict_policy(space, json_get(template, "metadata.labels"), port);
}
