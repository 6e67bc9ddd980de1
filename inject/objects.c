/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "inject/objects_config.h"
#include "inject/objects_template.h"
#include "inject/quantity.h"
#include "inject/settings_check.h"

#define ANNOTATION_CONFIG_HASH "tracing.llm-d.io/config-hash"
#define JAEGER_OTLP            "jaeger-collector:4317"

enum {
	MIB_BYTES = 1024 * 1024,
	MEMORY_MIB_WITHOUT_LIMIT =
	    512, /* what the collector allows itself when nothing else limits it */
	MEMORY_MIB_MIN = 32,
	QUEUE_MIB_MIN = 4,
	QUEUE_MIB_MAX = 256,
};

const struct owned_object owned_objects[] = {
    {"v1", "ConfigMap", "jaeger-config", true},
    {"v1", "Service", "jaeger-collector", true},
    {"networking.k8s.io/v1", "NetworkPolicy", "jaeger", true},
    {"apps/v1", "Deployment", "jaeger", true},
    {"v1", "ConfigMap", "otel-collector-config", false},
    {"v1", "Service", "otel-collector", false},
    {"networking.k8s.io/v1", "NetworkPolicy", "otel-collector", false},
    {"apps/v1", "Deployment", "otel-collector", false},
    {"opentelemetry.io/v1beta1", "OpenTelemetryCollector", "otel", false},
};
const size_t owned_object_count = ARRAY_LEN(owned_objects);

/* The two programs that are deployed. */
struct part {
	const char *app; /* label app, promised by llm-d's guide */
	const char *component;
	const char *resources; /* member of pods.yaml */
	const char *config;    /* template of the configuration */
};

static const struct part collector = {"otel-collector", "collector", "collectorResources",
				      "collector-config.yaml"};
static const struct part jaeger = {"jaeger", "backend", "jaegerResources", "jaeger-config.yaml"};

struct rendering {
	const struct objects_input *input;
	const struct part *part;
	cJSON *shared;  /* pods.yaml */
	cJSON *values;  /* of the part at hand */
	cJSON *objects; /* the result */
};

static void set_labels(cJSON *labels, const struct part *part)
{
	json_set_str(labels, "app", part->app);
	json_set_str(labels, "app.kubernetes.io/name", part->app);
	json_set_str(labels, "app.kubernetes.io/instance", TRACING_NAME);
	json_set_str(labels, "app.kubernetes.io/component", part->component);
	json_set_str(labels, "app.kubernetes.io/part-of", "llm-d-tracing");
	json_set_str(labels, LABEL_MANAGED_BY, MANAGED_BY);
}

static void copy_members(cJSON *to, const cJSON *from)
{
	for (const cJSON *item = from == NULL ? NULL : from->child; item != NULL; item = item->next)
		json_set(to, item->string, json_clone(item));
}

static cJSON *list_of_one(cJSON *item)
{
	cJSON *list = cJSON_CreateArray();
	json_insert(list, 0, item);
	return list;
}

/* The memory limit of the pod in MiB; 0 when it has none that can be read. */
static long memory_mib(const cJSON *resources)
{
	long long bytes = 0;
	const char *text = json_str(resources, "limits.memory");
	if (text == NULL || !quantity_read_whole(text, &bytes))
		return 0;
	return (long)(bytes / MIB_BYTES);
}

/* Go's collector works harder near its limit instead of running into it. */
static void set_go_env(struct rendering *r, long memory)
{
	char text[32];
	if (memory <= 0) {
		json_set(r->values, "GO_ENV", cJSON_CreateNull());
		return;
	}
	(void)snprintf(text, sizeof(text), "%ldMiB", memory * 8 / 10);
	cJSON *variable = cJSON_CreateObject();
	json_set_str(variable, "name", "GOMEMLIMIT");
	json_set_str(variable, "value", text);
	json_set(r->values, "GO_ENV", list_of_one(variable));
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

/* Plain or TLS by the URL's scheme. */
static void set_backend(struct rendering *r)
{
	const struct settings *settings = r->input->settings;
	struct endpoint endpoint = {.tls = false};
	cJSON *tls = json_set_object(r->values, "BACKEND_TLS");
	if (settings->backend == BACKEND_OTLP && settings->otlp_endpoint != NULL &&
	    endpoint_split(settings->otlp_endpoint, &endpoint)) {
		bool v6 = strchr(endpoint.host, ':') != NULL;
		char *target CLEANUP(str_freep) = xasprintf(
		    "%s%s%s:%d", v6 ? "[" : "", endpoint.host, v6 ? "]" : "", endpoint.port);
		json_set_str(r->values, "BACKEND_ENDPOINT", target);
	} else {
		json_set_str(r->values, "BACKEND_ENDPOINT", JAEGER_OTLP);
	}
	json_set_bool(tls, "insecure", !endpoint.tls);
	if (endpoint.tls && settings->otlp_insecure)
		json_set_bool(tls, "insecure_skip_verify", true);
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
	json_insert(json_member_mut(r->values, "PEERS"), 1, there);
}

/* In an OpenTelemetryCollector's pods managed-by is its operator's. */
static void set_pod_selector(struct rendering *r)
{
	cJSON *selector = json_set_object(r->values, "POD_SELECTOR");
	json_set_str(selector, "app", r->part->app);
	if (r->part == &collector && r->input->use_cr)
		json_set_str(selector, "app.kubernetes.io/component", "opentelemetry-collector");
	else
		json_set_str(selector, LABEL_MANAGED_BY, MANAGED_BY);
}

static void set_pod_metadata(struct rendering *r, const struct pod_settings *pod)
{
	cJSON *labels = json_set_object(r->values, "POD_LABELS");
	copy_members(labels, json_member(r->shared, "labels"));
	copy_members(labels, pod->labels);
	set_labels(labels, r->part);
	cJSON *annotations = json_set_object(r->values, "POD_ANNOTATIONS");
	copy_members(annotations, json_member(r->shared, "annotations"));
	copy_members(annotations, pod->annotations);
	set_pod_selector(r);
}

static void set_text(struct rendering *r, const char *name, const char *text)
{
	json_set(r->values, name, text == NULL ? cJSON_CreateNull() : cJSON_CreateString(text));
}

static void set_pod(struct rendering *r, const char *image, const struct pod_settings *pod)
{
	const cJSON *resources =
	    pod->resources != NULL ? pod->resources : json_member(r->shared, r->part->resources);
	const struct {
		const char *name;
		const cJSON *node;
	} trees[] = {
	    {"AFFINITY",
	     pod->affinity != NULL ? pod->affinity : json_member(r->shared, "affinity")},
	    {"POD_SECURITY", json_member(r->shared, "podSecurity")},
	    {"CONTAINER_SECURITY", json_member(r->shared, "containerSecurity")},
	    {"RESOURCES", resources},
	    {"NODE_SELECTOR", pod->node_selector},
	    {"TOLERATIONS", pod->tolerations},
	    {"PULL_SECRETS", pod->pull_secrets},
	};
	for (size_t i = 0; i < ARRAY_LEN(trees); i++)
		json_set(r->values, trees[i].name,
			 trees[i].node == NULL ? cJSON_CreateNull() : json_clone(trees[i].node));
	set_text(r, "IMAGE", image);
	set_text(r, "PULL_POLICY", pod->pull_policy == NULL ? "IfNotPresent" : pod->pull_policy);
	set_text(r, "PRIORITY_CLASS", pod->priority_class);
	set_text(r, "SERVICE_ACCOUNT", pod->service_account);
	set_pod_metadata(r, pod);
	set_peers(r);
	set_go_env(r, memory_mib(resources));
	set_memory(r, memory_mib(resources));
}

/* What the template holds and the settings do not ask for. */
static void drop_unwanted(const struct settings *settings, cJSON *config)
{
	const char *names[8] = {NULL};
	size_t count = 0;
	if (!settings->drop_content) {
		names[count++] = "filter/content";
		names[count++] = "redaction/content";
	}
	if (!settings->collector_span_metrics)
		names[count++] = "prometheus";
	config_drop(config, names);
}

/* CONFIG (a tree for the custom resource, else text), and its hash at the pods. */
static enum status set_config(struct rendering *r, bool as_tree, struct error *err)
{
	cJSON *config CLEANUP(json_freep) = NULL;
	enum status status = template_render(r->part->config, r->values, &config, err);
	if (status != STATUS_OK)
		return status;
	if (r->part == &collector)
		drop_unwanted(r->input->settings, config);
	char hash[17];
	struct buffer text;
	buffer_init(&text, LIMIT_DOCUMENT_BYTES);
	json_print_canonical(config, &text);
	hash_short(text.data, text.len, hash);
	buffer_clear(&text);
	yaml_print(config, &text);
	status = buffer_check(&text, r->part->config, err);
	json_set_str(json_member_mut(r->values, "POD_ANNOTATIONS"), ANNOTATION_CONFIG_HASH, hash);
	if (as_tree)
		json_set(r->values, "CONFIG", TAKE_PTR(config));
	else
		json_set_str(r->values, "CONFIG", text.data);
	buffer_release(&text);
	return status;
}

static enum status add_object(struct rendering *r, const char *file, struct error *err)
{
	cJSON *object = NULL;
	enum status status = template_render(file, r->values, &object, err);
	if (status != STATUS_OK)
		return status;
	cJSON *metadata = json_member_mut(object, "metadata");
	json_set_str(metadata, "namespace", r->input->namespace_name);
	cJSON *labels = json_set_object(metadata, "labels");
	set_labels(labels, r->part);
	/* The operator of OpenTelemetryCollectors copies its labels to the pods. */
	if (strcmp(file, "collector-cr.yaml") == 0) {
		copy_members(labels, json_member(r->shared, "labels"));
		copy_members(labels, r->input->settings->collector_pod.labels);
	}
	json_insert(r->objects, (size_t)cJSON_GetArraySize(r->objects), object);
	return STATUS_OK;
}

static enum status add_objects(struct rendering *r, const char *const *files, struct error *err)
{
	enum status status = STATUS_OK;
	for (; *files != NULL && status == STATUS_OK; files++)
		status = add_object(r, *files, err);
	return status;
}

static void begin_part(struct rendering *r, const struct part *part)
{
	json_freep(&r->values);
	r->values = cJSON_CreateObject();
	r->part = part;
}

static enum status render_jaeger(struct rendering *r, struct error *err)
{
	static const char *const files[] = {"jaeger-configmap.yaml", "jaeger-service.yaml",
					    "jaeger-networkpolicy.yaml", "jaeger-deployment.yaml",
					    NULL};
	const struct settings *settings = r->input->settings;
	begin_part(r, &jaeger);
	set_pod(r, settings->jaeger_image, &settings->jaeger_pod);
	json_set_int(r->values, "MAX_TRACES", settings->jaeger_max_traces);
	enum status status = set_config(r, false, err);
	return status == STATUS_OK ? add_objects(r, files, err) : status;
}

static enum status render_collector(struct rendering *r, struct error *err)
{
	static const char *const own[] = {"collector-configmap.yaml", "collector-service.yaml",
					  "collector-networkpolicy.yaml",
					  "collector-deployment.yaml", NULL};
	static const char *const custom[] = {"collector-networkpolicy.yaml", "collector-cr.yaml",
					     NULL};
	const struct settings *settings = r->input->settings;
	begin_part(r, &collector);
	set_pod(r, settings->collector_image, &settings->collector_pod);
	set_backend(r);
	json_set_int(r->values, "REPLICAS", settings->collector_replicas);
	enum status status = set_config(r, r->input->use_cr, err);
	if (status != STATUS_OK)
		return status;
	return add_objects(r, r->input->use_cr ? custom : own, err);
}

/* A name of ours for a collector elsewhere; nothing when pods hold its endpoint themselves. */
static enum status render_elsewhere(struct rendering *r, struct error *err)
{
	struct endpoint endpoint;
	char name[256];
	const struct settings *settings = r->input->settings;
	if (settings->collector_endpoint == NULL ||
	    strcmp(settings->endpoint, DEFAULT_ENDPOINT) != 0 ||
	    !endpoint_split(settings->collector_endpoint, &endpoint) ||
	    !endpoint_external_name(&endpoint, settings->cluster_domain, name))
		return STATUS_OK;
	begin_part(r, &collector);
	json_set_str(r->values, "EXTERNAL_HOST", name);
	return add_object(r, "collector-external.yaml", err);
}

static enum status render_here(struct rendering *r, struct error *err)
{
	enum status status = template_render("pods.yaml", r->values, &r->shared, err);
	if (status == STATUS_OK && r->input->settings->backend == BACKEND_JAEGER &&
	    !r->input->foreign_jaeger)
		status = render_jaeger(r, err);
	return status == STATUS_OK ? render_collector(r, err) : status;
}

enum status objects_render(const struct objects_input *input, cJSON **ret_objects,
			   struct error *err)
{
	struct rendering r = {.input = input, .objects = cJSON_CreateArray()};
	bool elsewhere = input->settings->collector_mode == COLLECTOR_SHARED ||
			 input->settings->collector_mode == COLLECTOR_EXTERNAL;
	enum status status = STATUS_OK;
	if (!input->foreign_collector)
		status = elsewhere ? render_elsewhere(&r, err) : render_here(&r, err);
	json_freep(&r.shared);
	json_freep(&r.values);
	if (status == STATUS_OK)
		*ret_objects = TAKE_PTR(r.objects);
	json_freep(&r.objects);
	return status == STATUS_OK
		   ? STATUS_OK
		   : error_wrap(err, "render objects of namespace %s", input->namespace_name);
}
