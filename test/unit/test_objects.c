/* SPDX-License-Identifier: Apache-2.0 */
#include "rendered.h"

#include "base/limits.h"

#define JAEGER                                                                                     \
	"ConfigMap/jaeger-config Service/jaeger-collector NetworkPolicy/jaeger Deployment/jaeger"
#define OWN                                                                                        \
	"ConfigMap/otel-collector-config Service/otel-collector NetworkPolicy/otel-collector "     \
	"Deployment/otel-collector"
static const struct {
	const char *spec;
	struct objects_input how;
	const char *objects;
} renderings[] = {
    {"{}", {.namespace_name = "n"}, JAEGER " " OWN},
    {"{}",
     {.namespace_name = "n", .use_cr = true},
     JAEGER " NetworkPolicy/otel-collector OpenTelemetryCollector/otel"},
    {"{}", {.namespace_name = "n", .foreign_jaeger = true}, OWN},
    {"{}", {.namespace_name = "n", .foreign_collector = true}, ""},
    {"backend: {jaeger: {storage: {type: Badger}}}",
     {.namespace_name = "n"},
     "PersistentVolumeClaim/" JAEGER_CLAIM " " JAEGER " " OWN},
    {OTLP, {.namespace_name = "n"}, OWN},
    {SHARED, {.namespace_name = "n"}, "Service/otel-collector"},
    {SHARED, {.namespace_name = "n", .foreign_collector = true}, ""},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"https://otlp.example.com:4317\"}}",
     {.namespace_name = "n"},
     ""},
    {"{\"collector\":{\"mode\":\"External\",\"endpoint\":\"http://10.1.2.3:4317\"}}",
     {.namespace_name = "n"},
     ""},
};

TEST(which_objects)
{
	for (size_t i = 0; i < ARRAY_LEN(renderings); i++) {
		struct buffer names;
		buffer_init(&names, KIB(4));
		cJSON *objects = render(renderings[i].spec, &renderings[i].how);
		for (const cJSON *o = objects->child; o != NULL; o = o->next)
			buffer_addf(&names, "%s%s/%s", names.len == 0 ? "" : " ",
				    json_str(o, "kind"), json_str(o, "metadata.name"));
		CHECK_STR_ROW(names.data, renderings[i].objects, renderings[i].spec);
		buffer_release(&names);
		json_freep(&objects);
	}
}

static bool is_owned(const cJSON *object)
{
	for (size_t i = 0; i < owned_object_count; i++)
		if (text_equal(owned_objects[i].api_version, json_str(object, "apiVersion")) &&
		    text_equal(owned_objects[i].kind, json_str(object, "kind")) &&
		    text_equal(owned_objects[i].name, json_str(object, "metadata.name")))
			return true;
	return false;
}

static void check_no_placeholder(const cJSON *node)
{
	if (cJSON_IsString(node) && node->valuestring[0] == '@')
		CHECK_STR(node->valuestring, "no placeholder");
	CHECK(!cJSON_IsNull(node));
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		check_no_placeholder(child);
}

TEST(every_object_is_marked_as_ours)
{
	for (size_t i = 0; i < ARRAY_LEN(renderings); i++) {
		cJSON *objects = render(renderings[i].spec, &renderings[i].how);
		for (const cJSON *o = objects->child; o != NULL; o = o->next) {
			CHECK(is_owned(o));
			CHECK(has_label(o, "metadata.labels", LABEL_MANAGED_BY, MANAGED_BY));
			CHECK_STR(json_str(o, "metadata.namespace"), "n");
			CHECK(json_member(o, "status") == NULL);
			check_no_placeholder(o);
		}
		json_freep(&objects);
	}
}

TEST(same_input_gives_the_same_objects)
{
	for (size_t i = 0; i < ARRAY_LEN(renderings); i++) {
		cJSON *once = render(renderings[i].spec, &renderings[i].how);
		cJSON *again = render(renderings[i].spec, &renderings[i].how);
		CHECK(json_equal(once, again));
		json_freep(&once);
		json_freep(&again);
	}
}

static bool selector_fits(const cJSON *selector, const cJSON *labels)
{
	for (const cJSON *want = selector->child; want != NULL; want = want->next) {
		const cJSON *have = json_member(labels, want->string);
		if (!cJSON_IsString(have) || strcmp(have->valuestring, want->valuestring) != 0)
			return false;
	}
	return selector->child != NULL;
}

/* Services, Deployments and NetworkPolicies have to mean the same pods, and only ours. */
TEST(selectors_fit_the_pods)
{
	static const struct {
		const char *deployment;
		const char *service;
		const char *app;
	} parts[] = {{"otel-collector", "otel-collector", "otel-collector"},
		     {"jaeger", "jaeger-collector", "jaeger"}};
	cJSON *objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const cJSON *deployment = find(objects, "Deployment", parts[i].deployment);
		const cJSON *labels = json_get(deployment, "spec.template.metadata.labels");
		const cJSON *selectors[] = {
		    json_get(deployment, "spec.selector.matchLabels"),
		    json_get(find(objects, "Service", parts[i].service), "spec.selector"),
		    json_get(find(objects, "NetworkPolicy", parts[i].deployment),
			     "spec.podSelector.matchLabels")};
		CHECK(has_label(deployment, "spec.template.metadata.labels", "app", parts[i].app));
		for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
			CHECK(selector_fits(selectors[s], labels));
			CHECK_STR(json_member(selectors[s], LABEL_MANAGED_BY)->valuestring,
				  MANAGED_BY);
		}
	}
	json_freep(&objects);
}

/* What issue and PodSecurity "restricted" ask for, one row each. */
static const struct {
	const char *path; /* of the pod spec, or of its container when it begins with "c." */
	const char *want; /* as compact JSON */
} hardening[] = {
    {"securityContext.runAsNonRoot", "true"},
    {"securityContext.seccompProfile.type", "\"RuntimeDefault\""},
    {"securityContext.runAsUser", NULL},
    {"securityContext.fsGroup", NULL},
    {"automountServiceAccountToken", "false"},
    {"enableServiceLinks", "false"},
    {"c.securityContext.allowPrivilegeEscalation", "false"},
    {"c.securityContext.readOnlyRootFilesystem", "true"},
    {"c.securityContext.capabilities.drop", "[\"ALL\"]"},
    {"c.securityContext.runAsUser", NULL},
    {"c.readinessProbe.httpGet.port", "\"health\""},
    {"c.livenessProbe.httpGet.port", "\"health\""},
};

TEST(pods_are_hardened)
{
	static const char *const deployments[] = {"otel-collector", "jaeger"};
	cJSON *objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	for (size_t d = 0; d < ARRAY_LEN(deployments); d++) {
		const cJSON *pod =
		    json_get(find(objects, "Deployment", deployments[d]), "spec.template.spec");
		for (size_t i = 0; i < ARRAY_LEN(hardening); i++) {
			const char *path = hardening[i].path;
			bool inner = text_has_prefix(path, "c.");
			const cJSON *node =
			    json_get(inner ? container_of(objects, deployments[d]) : pod,
				     inner ? path + 2 : path);
			char *got = node == NULL ? NULL : json_to_string(node);
			CHECK_STR_ROW(got, hardening[i].want, path);
			free(got);
		}
		CHECK(json_get(pod, "affinity.nodeAffinity."
				    "preferredDuringSchedulingIgnoredDuringExecution") != NULL);
		CHECK(json_get(pod, "affinity.nodeAffinity."
				    "requiredDuringSchedulingIgnoredDuringExecution") == NULL);
	}
	json_freep(&objects);
}

TEST(meshes_keep_out)
{
	static const struct {
		const char *map;
		const char *key;
		const char *value;
	} rows[] = {
	    {"labels", "sidecar.istio.io/inject", "false"},
	    {"labels", "istio.io/dataplane-mode", "none"},
	    {"annotations", "sidecar.istio.io/inject", "false"},
	    {"annotations", "linkerd.io/inject", "disabled"},
	    {"annotations", "kuma.io/sidecar-injection", "disabled"},
	    {"annotations", "consul.hashicorp.com/connect-inject", "false"},
	};
	cJSON *own = render("{}", &(struct objects_input){.namespace_name = "n"});
	cJSON *custom =
	    render("{}", &(struct objects_input){.namespace_name = "n", .use_cr = true});
	const cJSON *cr = find(custom, "OpenTelemetryCollector", "otel");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[64];
		bool labels = strcmp(rows[i].map, "labels") == 0;
		(void)snprintf(path, sizeof(path), "spec.template.metadata.%s", rows[i].map);
		CHECK(has_label(find(own, "Deployment", "otel-collector"), path, rows[i].key,
				rows[i].value));
		CHECK(
		    has_label(find(own, "Deployment", "jaeger"), path, rows[i].key, rows[i].value));
		CHECK(has_label(cr, labels ? "metadata.labels" : "spec.podAnnotations", rows[i].key,
				rows[i].value));
	}
	json_freep(&own);
	json_freep(&custom);
}

/* Every port of a Service says what is spoken there, and is one that the container has. */
TEST(ports)
{
	static const struct {
		const char *service;
		const char *port;
		long number;
		const char *protocol;
	} rows[] = {
	    {"otel-collector", "otlp-grpc", 4317, "grpc"},
	    {"otel-collector", "otlp-http", 4318, "http"},
	    {"otel-collector", "metrics", 8888, "http"},
	    {"otel-collector", "span-metrics", 8889, "http"},
	    {"jaeger-collector", "otlp-grpc", 4317, "grpc"},
	    {"jaeger-collector", "otlp-http", 4318, "http"},
	    {"jaeger-collector", "query", 16686, "http"},
	};
	cJSON *objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool of_jaeger = strcmp(rows[i].service, "jaeger-collector") == 0;
		const cJSON *service = find(objects, "Service", rows[i].service);
		const cJSON *port = json_named(json_get(service, "spec.ports"), rows[i].port);
		const cJSON *container =
		    container_of(objects, of_jaeger ? "jaeger" : "otel-collector");
		CHECK_INT_ROW(json_int(port, "port", 0), rows[i].number, rows[i].port);
		CHECK_STR_ROW(json_str(port, "appProtocol"), rows[i].protocol, rows[i].port);
		CHECK_STR(json_str(port, "targetPort"), rows[i].port);
		CHECK_INT(json_int(json_named(json_member(container, "ports"), rows[i].port),
				   "containerPort", 0),
			  rows[i].number);
	}
	json_freep(&objects);
}

TEST(network_policies_name_who_may)
{
	struct objects_input input = {.namespace_name = "n", .operator_namespace = "ops"};
	cJSON *objects = render("{}", &input);
	const cJSON *rules = json_get(find(objects, "NetworkPolicy", "jaeger"), "spec.ingress");
	const cJSON *ui = cJSON_GetArrayItem(rules, 1);
	char *text = json_to_string(ui);
	CHECK_STR(text,
		  "{\"from\":[{\"podSelector\":{}},{\"namespaceSelector\":{\"matchLabels\":"
		  "{\"kubernetes.io/metadata.name\":\"ops\"}},\"podSelector\":{\"matchLabels\":"
		  "{\"app.kubernetes.io/name\":\"llmd-tracing\"}}}],\"ports\":[{\"port\":16686,"
		  "\"protocol\":\"TCP\"}]}");
	free(text);
	rules = json_get(find(objects, "NetworkPolicy", "otel-collector"), "spec.ingress");
	text = json_to_string(rules);
	CHECK_STR(text,
		  "[{\"from\":[{\"podSelector\":{}}],\"ports\":[{\"port\":4317,\"protocol\":"
		  "\"TCP\"},{\"port\":4318,\"protocol\":\"TCP\"}]},"
		  "{\"from\":[{\"podSelector\":{}},{\"namespaceSelector\":{\"matchLabels\":"
		  "{\"kubernetes.io/metadata.name\":\"ops\"}},\"podSelector\":{\"matchLabels\":"
		  "{\"app.kubernetes.io/name\":\"llmd-tracing\"}}}],\"ports\":[{\"port\":8888,"
		  "\"protocol\":\"TCP\"},{\"port\":8889,\"protocol\":\"TCP\"}]}]");
	free(text);
	json_freep(&objects);
	objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	rules = json_get(find(objects, "NetworkPolicy", "jaeger"), "spec.ingress");
	CHECK_INT(cJSON_GetArraySize(json_member(cJSON_GetArrayItem(rules, 1), "from")), 1);
	json_freep(&objects);
	/* In a custom resource's pods managed-by is not ours. */
	input.use_cr = true;
	objects = render("{}", &input);
	CHECK(has_label(find(objects, "NetworkPolicy", "otel-collector"),
			"spec.podSelector.matchLabels", "app.kubernetes.io/component",
			"opentelemetry-collector"));
	const cJSON *ports =
	    json_get(find(objects, "OpenTelemetryCollector", "otel"), "spec.ports");
	CHECK_INT(json_int(json_named(ports, "metrics"), "port", 0), 8888);
	CHECK_INT(json_int(json_named(ports, "span-metrics"), "port", 0), 8889);
	CHECK(has_label(find(objects, "OpenTelemetryCollector", "otel"), "metadata.labels", "app",
			"otel-collector"));
	json_freep(&objects);
}

TEST(settings_reach_the_objects)
{
	cJSON *objects = render(
	    "{\"collector\":{\"image\":\"mirror.local/otel:1\",\"replicas\":3,"
	    "\"resources\":{\"limits\":{\"cpu\":\"2\"}}},"
	    "\"backend\":{\"jaeger\":{\"image\":\"mirror.local/jaeger:2\",\"maxTraces\":500}}}",
	    &(struct objects_input){.namespace_name = "n"});
	const cJSON *deployment = find(objects, "Deployment", "otel-collector");
	const cJSON *container = container_of(objects, "otel-collector");
	cJSON *config = config_of(objects, "ConfigMap", "jaeger-config");
	CHECK_STR(json_str(container, "image"), "mirror.local/otel:1");
	CHECK_INT(json_int(deployment, "spec.replicas", 0), 3);
	CHECK_STR(json_str(container, "resources.limits.cpu"), "2");
	CHECK(json_get(container, "resources.requests") == NULL);
	CHECK(json_get(deployment, "spec.template.spec.nodeSelector") == NULL);
	CHECK(json_get(deployment, "spec.template.spec.tolerations") == NULL);
	CHECK_STR(json_str(container_of(objects, "jaeger"), "image"), "mirror.local/jaeger:2");
	CHECK_INT(
	    json_int(json_pointer_get(config, "/extensions/jaeger_storage/backends/main/memory"),
		     "max_traces", 0),
	    500);
	json_freep(&config);
	json_freep(&objects);
}

TEST(external_name)
{
	cJSON *objects = render(SHARED, &(struct objects_input){.namespace_name = "n"});
	const cJSON *service = find(objects, "Service", "otel-collector");
	CHECK_STR(json_str(service, "spec.type"), "ExternalName");
	CHECK_STR(json_str(service, "spec.externalName"), "otel.observability.svc.cluster.local");
	CHECK(json_get(service, "spec.selector") == NULL);
	json_freep(&objects);
}
