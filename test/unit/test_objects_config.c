/* SPDX-License-Identifier: Apache-2.0 */
#include "rendered.h"

#include "inject/objects_template.h"
#include "inject/templates.h"

/* Paths into the collector's configuration by spec. */
#define COLLECTOR "config otel-collector-config"
static const struct rendered_row configs[] = {
    {"{}", COLLECTOR, "/receivers/otlp/protocols/grpc/endpoint", "\":4317\""},
    {"{}", COLLECTOR, "/receivers/otlp/protocols/http/endpoint", "\":4318\""},
    {"{}", COLLECTOR, "/receivers/otlp/protocols/grpc/keepalive/enforcement_policy/min_time",
     "\"10s\""},
    {"{}", COLLECTOR,
     "/receivers/otlp/protocols/grpc/keepalive/enforcement_policy/permit_without_stream", "true"},
    {"{}", COLLECTOR,
     "/receivers/otlp/protocols/grpc/keepalive/server_parameters/max_connection_age", "\"5m\""},
    {"{}", COLLECTOR,
     "/receivers/otlp/protocols/grpc/keepalive/server_parameters/max_connection_age_grace",
     "\"30s\""},
    {"{}", COLLECTOR, "/service/pipelines/traces/processors",
     "[\"memory_limiter\",\"filter/scrapes\",\"filter/content\",\"redaction/content\",\"transform/"
     "identity\",\"batch\"]"},
    {"{\"privacy\":{\"dropContent\":false}}", COLLECTOR, "/service/pipelines/traces/processors",
     "[\"memory_limiter\",\"filter/scrapes\",\"transform/identity\",\"batch\"]"},
    {"{\"privacy\":{\"dropContent\":false}}", COLLECTOR, "/processors/redaction~1content", NULL},
    {"{\"privacy\":{\"dropContent\":false}}", COLLECTOR, "/processors/filter~1content", NULL},
    {"{}", COLLECTOR, "/processors/memory_limiter",
     "{\"check_interval\":\"1s\",\"limit_mib\":409,\"spike_limit_mib\":102}"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"2Gi\"}}}}", COLLECTOR,
     "/processors/memory_limiter/limit_mib", "1638"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":268435456}}}}", COLLECTOR,
     "/processors/memory_limiter/limit_mib", "204"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"16Mi\"}}}}", COLLECTOR,
     "/processors/memory_limiter/limit_mib", "32"},
    {"{\"collector\":{\"resources\":{\"requests\":{\"memory\":\"2Gi\"}}}}", COLLECTOR,
     "/processors/memory_limiter/limit_mib", "409"},
    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":\"64Gi\"}}}}", COLLECTOR,
     "/exporters/otlp~1backend/sending_queue/queue_size", "268435456"},
    {"{}", COLLECTOR, "/exporters/otlp~1backend/endpoint", "\"jaeger-collector:4317\""},
    {"{}", COLLECTOR, "/exporters/otlp~1backend/tls", "{\"insecure\":true}"},
    {OTLP, COLLECTOR, "/exporters/otlp~1backend/endpoint", "\"tempo.example.com:443\""},
    {OTLP, COLLECTOR, "/exporters/otlp~1backend/tls", "{\"insecure\":false}"},
    {OTLP, COLLECTOR, "/exporters/otlphttp~1backend", NULL},
    {OTLP, COLLECTOR, "/exporters/otlp~1backend/headers", NULL},
    {"{\"backend\":{\"type\":\"OTLP\",\"otlp\":{\"endpoint\":\"http://[fd00::1]:4317\"}}}",
     COLLECTOR, "/exporters/otlp~1backend/endpoint", "\"[fd00::1]:4317\""},
    {"{}", COLLECTOR, "/exporters/otlp~1backend/retry_on_failure/enabled", "true"},
    {"{}", COLLECTOR, "/exporters/otlp~1backend/sending_queue/enabled", "true"},
    {"{}", COLLECTOR, "/extensions/health_check/endpoint", "\":13133\""},
    {"{}", COLLECTOR, "/service/pipelines/traces/exporters",
     "[\"otlp/backend\",\"spanmetrics\",\"signaltometrics\"]"},
    {"{}", COLLECTOR, "/service/pipelines/metrics~1spans/exporters", "[\"prometheus\"]"},
    {"{}", COLLECTOR, "/exporters/prometheus/endpoint", "\":8889\""},
    {"{}", COLLECTOR, "/connectors/spanmetrics/dimensions", "[{\"name\":\"llm_d.role\"}]"},
    {"{}", COLLECTOR, "/service/telemetry/metrics/readers/0/pull/exporter/prometheus/port", "8888"},
    {"collector: {spanMetrics: false}", COLLECTOR, "/service/pipelines/traces/exporters",
     "[\"otlp/backend\"]"},
    {"collector: {spanMetrics: false}", COLLECTOR, "/service/pipelines/metrics~1spans", NULL},
    {"collector: {spanMetrics: false}", COLLECTOR, "/service/pipelines/traces~1scrapes", NULL},
    {"collector: {spanMetrics: false}", COLLECTOR, "/connectors", NULL},
    {"collector: {spanMetrics: false}", COLLECTOR, "/exporters/prometheus", NULL},
    {"collector: {spanMetrics: false}", COLLECTOR, "/processors/deltatocumulative", NULL},
    {"collector: {spanMetrics: false}", COLLECTOR,
     "/service/telemetry/metrics/readers/0/pull/exporter/prometheus/port", "8888"},
};

/* What counts as scraping for the count is what the filter drops. */
TEST(scrapes_are_counted_as_they_are_dropped)
{
	cJSON *objects = render("{}", &(struct objects_input){.namespace_name = "n"});
	cJSON *config = config_of(objects, "ConfigMap", "otel-collector-config");
	const cJSON *dropped = json_pointer_get(config, "/processors/filter~1scrapes/traces/span");
	const cJSON *counted =
	    json_pointer_get(config, "/connectors/signaltometrics~1scrapes/spans/0/conditions");
	CHECK_INT(cJSON_GetArraySize(counted), cJSON_GetArraySize(dropped));
	for (int i = 0; i < cJSON_GetArraySize(dropped); i++) {
		const char *text = cJSON_GetArrayItem(counted, i)->valuestring;
		CHECK(text_has_prefix(text, "span."));
		CHECK_STR(text + strlen("span."), cJSON_GetArrayItem(dropped, i)->valuestring);
	}
	json_freep(&config);
	json_freep(&objects);
}

TEST(collector_configuration)
{
	check_rows(configs, ARRAY_LEN(configs));
}

static void check_dollars(const cJSON *node)
{
	CHECK(!cJSON_IsString(node) || strchr(node->valuestring, '$') == NULL ||
	      text_has_prefix(node->valuestring, "${env:"));
	for (const cJSON *child = node->child; child != NULL; child = child->next)
		check_dollars(child);
}

/* True when a pipeline's list `part` names it. */
static bool in_pipelines(const cJSON *config, const char *part, const char *name)
{
	const cJSON *pipelines = json_get(config, "service.pipelines");
	for (const cJSON *p = pipelines->child; p != NULL; p = p->next)
		for (const cJSON *n = json_member(p, part) == NULL ? NULL
								   : json_member(p, part)->child;
		     n != NULL; n = n->next)
			if (strcmp(n->valuestring, name) == 0)
				return true;
	return false;
}

static void check_used(const cJSON *config)
{
	static const char *const uses[][2] = {{"receivers", "receivers"},
					      {"processors", "processors"},
					      {"exporters", "exporters"},
					      {"connectors", "exporters"},
					      {"connectors", "receivers"}};
	for (size_t k = 0; k < ARRAY_LEN(uses); k++) {
		const cJSON *defined = json_member(config, uses[k][0]);
		for (const cJSON *d = defined == NULL ? NULL : defined->child; d != NULL;
		     d = d->next)
			if (!CHECK(in_pipelines(config, uses[k][1], d->string)))
				printf("  %s %s is not used\n", uses[k][0], d->string);
	}
}

static void check_defined(const cJSON *config)
{
	static const char *const parts[] = {"receivers", "processors", "exporters"};
	const cJSON *pipelines = json_get(config, "service.pipelines");
	for (const cJSON *p = pipelines->child; p != NULL; p = p->next) {
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			const cJSON *list = json_member(p, parts[k]);
			const cJSON *defined = json_member(config, parts[k]);
			const cJSON *connectors = json_member(config, "connectors");
			for (const cJSON *n = list == NULL ? NULL : list->child; n != NULL;
			     n = n->next)
				CHECK(json_member(defined, n->valuestring) != NULL ||
				      (connectors != NULL &&
				       json_member(connectors, n->valuestring) != NULL));
		}
	}
}

/* Every component of a pipeline is defined, every defined one used, and nothing would be expanded. */
TEST(configurations_are_closed)
{
	static const char *const specs[] = {
	    "{}",
	    "privacy: {dropContent: false}",
	    "collector: {spanMetrics: false}",
	    "{collector: {spanMetrics: false}, privacy: {dropContent: false}}",
	    "{collector: {tailSampling: {ratio: '0.1'}}, identity: {cluster: c}}",
	    "collector: {replicas: 2, tailSampling: {ratio: '0.1'}}",
	    "{collector: {replicas: 2, spanMetrics: false, tailSampling: {ratio: '0.1'}}, backend: "
	    "{jaeger: {storage: {type: Memory}}}}",
	    "backend: {jaeger: {storage: {type: Badger}}}",
	    "backend: {jaeger: {storage: {type: OpenSearch, servers: ['https://o:9200'], "
	    "credentialsFrom: s}}}"};
	static const char *const maps[] = {"jaeger-config", "otel-collector-config"};
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		cJSON *objects = render(specs[i], &(struct objects_input){.namespace_name = "n"});
		for (size_t m = 0; m < ARRAY_LEN(maps); m++) {
			cJSON *config = config_of(objects, "ConfigMap", maps[m]);
			check_dollars(config);
			check_used(config);
			check_defined(config);
			json_freep(&config);
		}
		json_freep(&objects);
	}
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
	    {"{\"collector\":{\"resources\":{\"limits\":{\"memory\":268435456}}}}", "204MiB"},
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

TEST(templates_are_whole)
{
	CHECK(template_file_count >= 11);
	for (size_t i = 0; i < template_file_count; i++) {
		struct error err = {.message = ""};
		cJSON *tree = NULL;
		CHECK_INT(strlen(template_files[i].text), template_files[i].len);
		if (!text_has_suffix(template_files[i].name, ".yaml"))
			continue;
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
