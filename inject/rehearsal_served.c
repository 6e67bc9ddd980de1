/* SPDX-License-Identifier: Apache-2.0 */
/* What a server that runs already tells of itself, without anything being started or changed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "inject/rehearsal.h"

enum { PORT_MAX = 65535 };

void rehearsal_digest(const cJSON *status, char ret_digest[80])
{
	enum { DIGEST_LEN = 7 + 64 };
	const char *id = json_str(status, "imageID");
	const char *digest = id == NULL ? NULL : strstr(id, "sha256:");
	ret_digest[0] = '\0';
	if (digest != NULL && strlen(digest) == DIGEST_LEN)
		(void)snprintf(ret_digest, 80, "%s", digest);
}

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

bool rehearsal_served_at(const cJSON *pod, const struct rehearsal_of *of,
			 struct served_at *ret_served)
{
	const cJSON *container = container_of(pod, of->image);
	const cJSON *status =
	    json_named(json_get(pod, "status.containerStatuses"), json_str(container, "name"));
	const char *address = json_str(pod, "status.podIP");
	const char *name = json_str(pod, "metadata.name");
	unsigned port = container == NULL ? 0 : probed_port(container);
	/* an address of the node's own is nobody's whom we were to ask */
	if (of->component != COMPONENT_VLLM || port == 0 || address == NULL || name == NULL ||
	    !json_bool(status, "ready", false) || json_bool(pod, "spec.hostNetwork", false))
		return false;
	*ret_served = (struct served_at){.port = port};
	(void)snprintf(ret_served->pod, sizeof(ret_served->pod), "%s", name);
	(void)snprintf(ret_served->address, sizeof(ret_served->address), "%s", address);
	rehearsal_digest(status, ret_served->digest);
	return true;
}

bool rehearsal_served_judge(const char *body, size_t len, const struct served_at *served,
			    struct rehearsal *ret_rehearsal)
{
	struct error ignored;
	struct version number;
	struct rehearsal told = {.verdict = REHEARSAL_INCONCLUSIVE};
	cJSON *answer CLEANUP(json_freep) = NULL;
	if (json_parse(body, len, &answer, &ignored) != STATUS_OK)
		return false;
	const char *version = json_str(answer, "version");
	if (version == NULL || strlen(version) >= sizeof(told.version) || text_has_control(version))
		return false;
	version_read(version, strlen(version), &number);
	if (number.kind != VERSION_EXACT)
		return false;
	(void)snprintf(told.version, sizeof(told.version), "%s", version);
	(void)snprintf(told.digest, sizeof(told.digest), "%s", served->digest);
	if (rehearsal_is_old_engine(COMPONENT_VLLM, version)) {
		told.verdict = REHEARSAL_REFUSES_FLAG;
		(void)snprintf(told.message, sizeof(told.message),
			       "vLLM %s, says its running server, traces in its old engine only "
			       "and would fall back to it",
			       version);
	} else {
		(void)snprintf(told.message, sizeof(told.message),
			       "its running server says that it is vLLM %s; which packages it has "
			       "only a rehearsal in a pod can tell",
			       version);
	}
	*ret_rehearsal = told;
	return true;
}
