/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "inject/objects.h"
#include "inject/objects_template.h"
#include "inject/quantity.h"
#include "inject/templates.h"

/* Renders for a spec given as JSON; NULL and a failed check when something refuses it. */
static cJSON *render(const char *spec, const struct objects_input *how)
{
	char text[1024];
	struct error err = {.message = ""};
	cJSON *tracing = NULL;
	cJSON *objects = NULL;
	struct settings settings;
	struct objects_input input = *how;
	(void)snprintf(text, sizeof(text),
		       "{\"apiVersion\":\"%s\",\"kind\":\"Tracing\",\"spec\":%s}",
		       TRACING_API_VERSION, spec);
	CHECK_INT_ROW(json_parse(text, strlen(text), &tracing, &err), STATUS_OK, spec);
	input.settings = &settings;
	if (settings_read(tracing, NULL, &settings, &err) == STATUS_OK) {
		CHECK_INT_ROW(objects_render(&input, &objects, &err), STATUS_OK, spec);
		settings_release(&settings);
	}
	if (!CHECK(objects != NULL))
		printf("  %s: %s\n", spec, err.message);
	json_freep(&tracing);
	return objects;
}

static const cJSON *find(const cJSON *objects, const char *kind, const char *name)
{
	for (const cJSON *o = objects == NULL ? NULL : objects->child; o != NULL; o = o->next)
		if (strcmp(json_str(o, "kind"), kind) == 0 &&
		    strcmp(json_str(o, "metadata.name"), name) == 0)
			return o;
	return NULL;
}

/* The configuration inside a ConfigMap or an OpenTelemetryCollector. Owned. */
static cJSON *config_of(const cJSON *objects, const char *kind, const char *name)
{
	struct error err = {.message = ""};
	cJSON *config = NULL;
	const cJSON *object = find(objects, kind, name);
	const cJSON *text = json_member(json_member(object, "data"), "config.yaml");
	if (cJSON_IsString(text))
		CHECK_INT(yaml_read(text->valuestring, strlen(text->valuestring), &config, &err),
			  STATUS_OK);
	else
		config = json_clone(json_get(object, "spec.config"));
	return config;
}

#define JAEGER                                                                                     \
	"ConfigMap/jaeger-config Service/jaeger-collector NetworkPolicy/jaeger Deployment/jaeger"
#define OWN                                                                                        \
	"ConfigMap/otel-collector-config Service/otel-collector NetworkPolicy/otel-collector "     \
	"Deployment/otel-collector"
#define OTLP                                                                                       \
	"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"https://"                        \
	"tempo.example.com:443\"}}}"
#define SHARED                                                                                     \
	"{\"collector\":{\"mode\":\"Shared\",\"endpoint\":"                                        \
	"\"http://otel.observability.svc.cluster.local:4317\"}}"

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

static bool has_label(const cJSON *object, const char *path, const char *label, const char *value)
{
	const cJSON *node = json_member(json_get(object, path), label);
	return cJSON_IsString(node) && strcmp(node->valuestring, value) == 0;
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

static const cJSON *container_of(const cJSON *objects, const char *deployment)
{
	const cJSON *list =
	    json_get(find(objects, "Deployment", deployment), "spec.template.spec.containers");
	return cJSON_GetArrayItem(list, 0);
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
	CHECK_STR(text, "[{\"from\":[{\"podSelector\":{}}],\"ports\":[{\"port\":4317,\"protocol\":"
			"\"TCP\"},{\"port\":4318,\"protocol\":\"TCP\"}]}]");
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
	CHECK(has_label(find(objects, "OpenTelemetryCollector", "otel"), "metadata.labels", "app",
			"otel-collector"));
	json_freep(&objects);
}

/* Paths into the collector's configuration by spec. */
static const struct {
	const char *spec;
	const char *pointer;
	const char *want; /* compact JSON, NULL: absent */
} configs[] = {
    {"{}", "/receivers/otlp/protocols/grpc/endpoint", "\":4317\""},
    {"{}", "/receivers/otlp/protocols/http/endpoint", "\":4318\""},
    {"{}", "/receivers/otlp/protocols/grpc/keepalive/enforcement_policy/min_time", "\"10s\""},
    {"{}", "/receivers/otlp/protocols/grpc/keepalive/enforcement_policy/permit_without_stream",
     "true"},
    {"{}", "/receivers/otlp/protocols/grpc/keepalive/server_parameters/max_connection_age",
     "\"5m\""},
    {"{}", "/receivers/otlp/protocols/grpc/keepalive/server_parameters/max_connection_age_grace",
     "\"30s\""},
    {"{}", "/service/pipelines/traces/processors",
     "[\"memory_limiter\",\"filter/scrapes\",\"filter/content\",\"redaction/content\",\"batch\"]"},
    {"{\"privacy\":{\"dropContent\":false}}", "/service/pipelines/traces/processors",
     "[\"memory_limiter\",\"filter/scrapes\",\"batch\"]"},
    {"{\"privacy\":{\"dropContent\":false}}", "/processors/redaction~1content", NULL},
    {"{\"privacy\":{\"dropContent\":false}}", "/processors/filter~1content", NULL},
    {"{}", "/processors/memory_limiter",
     "{\"check_interval\":\"1s\",\"limit_mib\":409,\"spike_limit_mib\":102}"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"2Gi\"}}}}",
     "/processors/memory_limiter/limit_mib", "1638"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"16Mi\"}}}}",
     "/processors/memory_limiter/limit_mib", "32"},
    {"{\"collector\":{\"resources\":{\"requests\":{\"memory\":\"2Gi\"}}}}",
     "/processors/memory_limiter/limit_mib", "409"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"64Gi\"}}}}",
     "/exporters/otlp~1backend/sending_queue/queue_size", "268435456"},
    {"{}", "/exporters/otlp~1backend/endpoint", "\"jaeger-collector:4317\""},
    {"{}", "/exporters/otlp~1backend/tls", "{\"insecure\":true}"},
    {OTLP, "/exporters/otlp~1backend/endpoint", "\"tempo.example.com:443\""},
    {OTLP, "/exporters/otlp~1backend/tls", "{\"insecure\":false}"},
    {"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"http://[fd00::1]:4317\"}}}",
     "/exporters/otlp~1backend/endpoint", "\"[fd00::1]:4317\""},
    {"{}", "/exporters/otlp~1backend/retry_on_failure/enabled", "true"},
    {"{}", "/exporters/otlp~1backend/sending_queue/enabled", "true"},
    {"{}", "/extensions/health_check/endpoint", "\":13133\""},
};

TEST(collector_configuration)
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		for (int cr = 0; cr < 2; cr++) {
			struct objects_input input = {.namespace_name = "n", .use_cr = cr == 1};
			cJSON *objects = render(configs[i].spec, &input);
			cJSON *config =
			    cr == 1 ? config_of(objects, "OpenTelemetryCollector", "otel")
				    : config_of(objects, "ConfigMap", "otel-collector-config");
			const cJSON *node = json_pointer_get(config, configs[i].pointer);
			char *got = node == NULL ? NULL : json_to_string(node);
			CHECK_STR_ROW(got, configs[i].want, configs[i].pointer);
			free(got);
			json_freep(&config);
			json_freep(&objects);
		}
	}
}

static void check_no_dollar(const cJSON *node)
{
	CHECK(!cJSON_IsString(node) || strchr(node->valuestring, '$') == NULL);
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		check_no_dollar(child);
}

/* Every component of a pipeline is defined, every defined one used, and nothing would be expanded. */
TEST(configurations_are_closed)
{
	static const char *const maps[] = {"ConfigMap/jaeger-config",
					   "ConfigMap/otel-collector-config"};
	static const char *const kinds[] = {"receivers", "processors", "exporters"};
	cJSON *objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	for (size_t m = 0; m < ARRAY_LEN(maps); m++) {
		cJSON *config = config_of(objects, "ConfigMap", strchr(maps[m], '/') + 1);
		check_no_dollar(config);
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			const cJSON *defined = json_member(config, kinds[k]);
			const cJSON *used =
			    json_member(json_get(config, "service.pipelines.traces"), kinds[k]);
			CHECK_INT_ROW(cJSON_GetArraySize(defined), cJSON_GetArraySize(used),
				      kinds[k]);
			for (const cJSON *name = used->child; name != NULL; name = name->next)
				CHECK(json_member(defined, name->valuestring) != NULL);
		}
		json_freep(&config);
	}
	json_freep(&objects);
}

/* A changed configuration restarts its pods, and only its. */
TEST(config_hash)
{
	static const char path[] = "spec.template.metadata.annotations";
	static const char key[] = "tracing.llm-d.io/config-hash";
	cJSON *plain = render("{}", &(struct objects_input){.namespace_name = "n"});
	cJSON *open = render("{\"privacy\":{\"dropContent\":false}}",
			     &(struct objects_input){.namespace_name = "n"});
	const cJSON *a =
	    json_member(json_get(find(plain, "Deployment", "otel-collector"), path), key);
	const cJSON *b =
	    json_member(json_get(find(open, "Deployment", "otel-collector"), path), key);
	CHECK(a != NULL && b != NULL && strcmp(a->valuestring, b->valuestring) != 0);
	CHECK(json_equal(find(plain, "Deployment", "jaeger"), find(open, "Deployment", "jaeger")));
	json_freep(&plain);
	json_freep(&open);
}

TEST(memory_limits_of_go)
{
	static const struct {
		const char *spec;
		const char *want;
	} rows[] = {
	    {"{}", "409MiB"},
	    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"1Gi\"}}}}", "819MiB"},
	    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"1000M\"}}}}", "762MiB"},
	    {"{\"collector\":{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}}", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cJSON *objects =
		    render(rows[i].spec, &(struct objects_input){.namespace_name = "n"});
		const cJSON *env = json_member(container_of(objects, "otel-collector"), "env");
		CHECK_STR_ROW(json_str(json_named(env, "GOMEMLIMIT"), "value"), rows[i].want,
			      rows[i].spec);
		json_freep(&objects);
	}
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
	    json_int(json_pointer_get(config, "/extensions/jaeger_storage/backends/memory/memory"),
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

TEST(templates_are_whole)
{
	CHECK(template_file_count >= 11);
	for (size_t i = 0; i < template_file_count; i++) {
		struct error err = {.message = ""};
		cJSON *tree = NULL;
		CHECK_INT(strlen(template_files[i].text), template_files[i].len);
		CHECK_INT_ROW(yaml_read(template_files[i].text, template_files[i].len, &tree, &err),
			      STATUS_OK, template_files[i].name);
		json_freep(&tree);
	}
}

TEST(a_placeholder_without_a_value_is_an_error)
{
	struct error err = {.message = ""};
	cJSON *tree = NULL;
	cJSON *values = cJSON_CreateObject();
	CHECK_INT(template_render("collector-external.yaml", values, &tree, &err), STATUS_BUG);
	CHECK_STR(err.message, "template collector-external.yaml: spec: externalName: "
			       "no value for @EXTERNAL_HOST@");
	CHECK_INT(template_render("nothing.yaml", values, &tree, &err), STATUS_BUG);
	CHECK(tree == NULL);
	json_freep(&values);
}

TEST(quantities)
{
	static const struct {
		const char *text;
		long long want; /* -1: refused */
	} rows[] = {
	    {"0", 0},
	    {"1", 1},
	    {"512Mi", 536870912},
	    {"1.5Gi", 1610612736},
	    {"1000M", 1000000000},
	    {"100m", 1},
	    {"1e3", 1000},
	    {"2E3", 2000},
	    {"1E", 1000000000000000000},
	    {"+5k", 5000},
	    {"5e-1", 1},
	    {".5Ki", 512},
	    {"", -1},
	    {"-1", -1},
	    {"1mi", -1},
	    {"1 Mi", -1},
	    {"Mi", -1},
	    {"1.2.3", -1},
	    {"1e", -1},
	    {"1e999", -1},
	    {"99999999999999999999", -1},
	    {"100E", -1},
	    {"0x10", -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		long long got = -1;
		bool ok = quantity_read_whole(rows[i].text, &got);
		CHECK_INT_ROW(ok ? got : -1, rows[i].want, rows[i].text);
	}
}

TEST(pods_go_where_the_user_says)
{
	static const char spec[] =
	    "{\"collector\":{\"nodeSelector\":{\"pool\":\"cpu\"},\"tolerations\":[{\"key\":"
	    "\"infra\","
	    "\"operator\":\"Exists\"}]},\"backend\":{\"jaeger\":{\"nodeSelector\":{\"pool\":"
	    "\"big\"},\"tolerations\":[{\"operator\":\"Exists\"}]}}}";
	cJSON *objects = render(spec, &(struct objects_input){.namespace_name = "n"});
	cJSON *custom =
	    render(spec, &(struct objects_input){.namespace_name = "n", .use_cr = true});
	const cJSON *pods[] = {
	    json_get(find(objects, "Deployment", "otel-collector"), "spec.template.spec"),
	    json_get(find(custom, "OpenTelemetryCollector", "otel"), "spec")};
	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		const cJSON *tolerations = json_member(pods[i], "tolerations");
		CHECK_STR(json_str(pods[i], "nodeSelector.pool"), "cpu");
		CHECK_STR(json_str(cJSON_GetArrayItem(tolerations, 0), "key"), "infra");
	}
	const cJSON *jaeger = json_get(find(objects, "Deployment", "jaeger"), "spec.template.spec");
	CHECK_STR(json_str(jaeger, "nodeSelector.pool"), "big");
	CHECK_INT(cJSON_GetArraySize(json_member(jaeger, "tolerations")), 1);
	json_freep(&objects);
	json_freep(&custom);
}
