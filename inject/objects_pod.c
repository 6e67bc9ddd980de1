/* SPDX-License-Identifier: Apache-2.0 */
/* The values that the pods of collector and Jaeger have in common. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "inject/objects_render.h"
#include "inject/quantity.h"

#define TLS_VOLUME "tls"
#define TLS_FOLDER "/etc/tracing-tls"

enum {
	MIB_BYTES = 1024 * 1024,
	MEMORY_MIB_WITHOUT_LIMIT =
	    512, /* what the collector allows itself when nothing else limits it */
	MEMORY_MIB_MIN = 32,
	QUEUE_MIB_MIN = 4,
	QUEUE_MIB_MAX = 256,
};

void rendering_set_labels(cJSON *labels, const struct part *part)
{
	json_set_str(labels, "app", part->app);
	json_set_str(labels, "app.kubernetes.io/name", part->app);
	json_set_str(labels, "app.kubernetes.io/instance", TRACING_NAME);
	json_set_str(labels, "app.kubernetes.io/component", part->component);
	json_set_str(labels, "app.kubernetes.io/part-of", "llm-d-tracing");
	json_set_str(labels, LABEL_MANAGED_BY, MANAGED_BY);
}

void rendering_copy_members(cJSON *to, const cJSON *from)
{
	for (const cJSON *item = from == NULL ? NULL : from->child; item != NULL; item = item->next)
		json_set(to, item->string, json_clone(item));
}

static cJSON *list_of_one(cJSON *item)
{
	cJSON *list = cJSON_CreateArray();
	json_append(list, item);
	return list;
}

void rendering_set_text(struct rendering *r, const char *name, const char *text)
{
	json_set(r->values, name, text == NULL ? cJSON_CreateNull() : cJSON_CreateString(text));
}

void rendering_set_tree(struct rendering *r, const char *name, const cJSON *tree)
{
	json_set(r->values, name, tree == NULL ? cJSON_CreateNull() : json_clone(tree));
}

/* The list under `name`, made when it is not there yet. */
static cJSON *list_of(struct rendering *r, const char *name)
{
	if (!cJSON_IsArray(json_member(r->values, name)))
		(void)json_set_array(r->values, name);
	return json_member_mut(r->values, name);
}

/* The memory limit of the pod in MiB; 0 when it has none that can be read. */
static long memory_mib(const cJSON *resources)
{
	long long bytes = 0;
	const cJSON *limit = json_get(resources, "limits.memory"); /* a number is one of bytes */
	if ((!cJSON_IsString(limit) && !cJSON_IsNumber(limit)) ||
	    !quantity_read_whole(limit->valuestring, &bytes))
		return 0;
	return (long)(bytes / MIB_BYTES);
}

/* Go's collector works harder near its limit instead of running into it. */
static void add_go_env(struct rendering *r, long memory)
{
	char text[32];
	if (memory <= 0)
		return;
	(void)snprintf(text, sizeof(text), "%ldMiB", memory * 8 / 10);
	cJSON *variable = cJSON_CreateObject();
	json_set_str(variable, "name", "GOMEMLIMIT");
	json_set_str(variable, "value", text);
	json_append(list_of(r, "ENV"), variable);
}

static void set_memory(struct rendering *r, long memory)
{
	long limit = (memory > 0 ? memory : MEMORY_MIB_WITHOUT_LIMIT) * 8 / 10;
	limit = limit < MEMORY_MIB_MIN ? MEMORY_MIB_MIN : limit;
	long queue = limit / 6;
	queue = queue < QUEUE_MIB_MIN ? QUEUE_MIB_MIN : queue;
	queue = queue > QUEUE_MIB_MAX ? QUEUE_MIB_MAX : queue;
	json_set_int(r->values, "MEMORY_LIMIT_MIB", limit);
	json_set_int(r->values, "MEMORY_SPIKE_MIB", limit / 4);
	json_set_int(r->values, "QUEUE_BYTES", queue * MIB_BYTES);
}

/* Who may look at Jaeger's UI and at metrics: the namespace, and the operator for its checks. */
static void set_peers(struct rendering *r)
{
	cJSON *here = cJSON_CreateObject();
	(void)json_set_object(here, "podSelector");
	json_set(r->values, "PEERS", list_of_one(here));
	if (r->input->operator_namespace == NULL)
		return;
	cJSON *there = cJSON_CreateObject();
	cJSON *labels = json_set_object(json_set_object(there, "namespaceSelector"), "matchLabels");
	json_set_str(labels, "kubernetes.io/metadata.name", r->input->operator_namespace);
	labels = json_set_object(json_set_object(there, "podSelector"), "matchLabels");
	json_set_str(labels, "app.kubernetes.io/name", MANAGED_BY);
	json_append(json_member_mut(r->values, "PEERS"), there);
}

static void set_pod_metadata(struct rendering *r, const struct pod_settings *pod)
{
	cJSON *labels = json_set_object(r->values, "POD_LABELS");
	rendering_copy_members(labels, json_member(r->shared, "labels"));
	rendering_copy_members(labels, pod->labels);
	rendering_set_labels(labels, r->part);
	cJSON *annotations = json_set_object(r->values, "POD_ANNOTATIONS");
	rendering_copy_members(annotations, json_member(r->shared, "annotations"));
	rendering_copy_members(annotations, pod->annotations);
}

void rendering_set_pod(struct rendering *r, const char *image, const struct pod_settings *pod)
{
	const cJSON *resources =
	    pod->resources != NULL ? pod->resources : json_member(r->shared, r->part->resources);
	rendering_set_tree(r, "AFFINITY",
			   pod->affinity != NULL ? pod->affinity
						 : json_member(r->shared, "affinity"));
	rendering_set_tree(r, "POD_SECURITY", json_member(r->shared, "podSecurity"));
	rendering_set_tree(r, "CONTAINER_SECURITY", json_member(r->shared, "containerSecurity"));
	rendering_set_tree(r, "RESOURCES", resources);
	rendering_set_tree(r, "NODE_SELECTOR", pod->node_selector);
	rendering_set_tree(r, "TOLERATIONS", pod->tolerations);
	rendering_set_tree(r, "PULL_SECRETS", pod->pull_secrets);
	rendering_set_text(r, "IMAGE", image);
	rendering_set_text(r, "PULL_POLICY",
			   pod->pull_policy == NULL ? "IfNotPresent" : pod->pull_policy);
	rendering_set_text(r, "PRIORITY_CLASS", pod->priority_class);
	rendering_set_text(r, "SERVICE_ACCOUNT", pod->service_account);
	rendering_set_tree(r, "ENV", NULL);
	rendering_set_tree(r, "VOLUMES", NULL);
	rendering_set_tree(r, "VOLUME_MOUNTS", NULL);
	set_pod_metadata(r, pod);
	set_peers(r);
	add_go_env(r, memory_mib(resources));
	set_memory(r, memory_mib(resources));
}

/*
 * A value that is nothing but a variable is read as YAML, and Jaeger then refuses a password
 * of digits; put together of two it is text.
 */
void rendering_set_secret(struct rendering *r, cJSON *config, const char *member,
			  const char *variable, const char *secret, const char *key)
{
	cJSON *env = cJSON_CreateObject();
	json_set_str(env, "name", variable);
	cJSON *reference = json_set_object(json_set_object(env, "valueFrom"), "secretKeyRef");
	json_set_str(reference, "name", secret);
	json_set_str(reference, "key", key);
	json_append(list_of(r, "ENV"), env);
	char *value CLEANUP(str_freep) = xasprintf("${env:%s}${env:NOTHING:-}", variable);
	json_set_str(config, member, value);
}

void rendering_add_volume(struct rendering *r, cJSON *volume, const char *path, bool read_only)
{
	cJSON *mount = cJSON_CreateObject();
	json_set_str(mount, "name", json_str(volume, "name"));
	json_set_str(mount, "mountPath", path);
	if (read_only)
		json_set_bool(mount, "readOnly", true);
	json_append(list_of(r, "VOLUMES"), volume);
	json_append(list_of(r, "VOLUME_MOUNTS"), mount);
}

/* One key of a Secret as a file of the TLS volume. */
static void add_file(cJSON *sources, const cJSON *from, const char *file)
{
	cJSON *source = cJSON_CreateObject();
	cJSON *secret = json_set_object(source, "secret");
	json_set_str(secret, "name", json_str(from, "name"));
	cJSON *item = cJSON_CreateObject();
	json_set_str(item, "key", json_str(from, "key"));
	json_set_str(item, "path", file);
	json_set(secret, "items", list_of_one(item));
	json_append(sources, source);
}

void rendering_add_tls(struct rendering *r, const struct tls_settings *tls, cJSON *config)
{
	const struct {
		const cJSON *from;
		const char *file;
		const char *member; /* of the collector's configtls */
	} files[] = {{tls->ca, "ca.crt", "ca_file"},
		     {tls->cert, "tls.crt", "cert_file"},
		     {tls->key, "tls.key", "key_file"}};
	cJSON *volume = cJSON_CreateObject();
	json_set_str(volume, "name", TLS_VOLUME);
	cJSON *sources = json_set_array(json_set_object(volume, "projected"), "sources");
	if (tls->skip_verify)
		json_set_bool(config, "insecure_skip_verify", true);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[64];
		if (files[i].from == NULL)
			continue;
		(void)snprintf(path, sizeof(path), TLS_FOLDER "/%s", files[i].file);
		json_set_str(config, files[i].member, path);
		add_file(sources, files[i].from, files[i].file);
	}
	if (sources->child == NULL) {
		json_freep(&volume);
		return;
	}
	/* certificates are renewed under running pods */
	json_set_str(config, "reload_interval", "10m");
	rendering_add_volume(r, volume, TLS_FOLDER, true);
}
