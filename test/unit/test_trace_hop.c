/* SPDX-License-Identifier: Apache-2.0 */
/* From live objects to hops, and what each image's version promises to show. */
#include "inject/trace_hop.h"
#include "inject/trace_operation.h"

#include "base/alloc.h"
#include "test.h"

#define OTEL                                                                                       \
	"{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"vllm-decode\"},"                              \
	"{\"name\":\"OTEL_EXPORTER_OTLP_ENDPOINT\",\"value\":\"http://otel-collector:4317\"},"     \
	"{\"name\":\"OTEL_TRACES_EXPORTER\",\"value\":\"otlp\"},"                                  \
	"{\"name\":\"OTEL_TRACES_SAMPLER\",\"value\":\"parentbased_traceidratio\"},"               \
	"{\"name\":\"OTEL_TRACES_SAMPLER_ARG\",\"value\":\"1.0\"}"

static void read_hops(const char *containers, const char *inits, const char *suffix,
		      struct trace_hops *hops)
{
	char *text CLEANUP(str_freep) = xasprintf(
	    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"decode\","
	    "\"annotations\":{\"tracing.llm-d.io/inject\":\"true\"}},\"spec\":{\"template\":{"
	    "\"metadata\":{\"labels\":{\"llm-d.ai/role\":\"decode\"}},\"spec\":{\"containers\":[%s]"
	    ",\"initContainers\":[%s]}}}}",
	    containers, inits);
	CLEANUP(json_freep) cJSON *object = NULL;
	struct plan *plan CLEANUP(plan_freep) = NULL;
	struct settings settings CLEANUP(settings_release) = {0};
	struct facts facts;
	struct error err;
	settings_init_defaults(&settings);
	settings.identity.suffix = suffix == NULL ? NULL : xstrdup(suffix);
	CHECK_INT(json_parse(text, strlen(text), &object, &err), STATUS_OK);
	facts_from_object(object, &facts);
	struct plan_input input = {.object = object,
				   .settings = &settings,
				   .settings_hash = "",
				   .facts = &facts,
				   .want = PLAN_INJECT};
	CHECK_INT(plan_build(&input, &plan, &err), STATUS_OK);
	trace_hops_read(&input, plan, hops);
}

TEST(hops_of_live_objects)
{
	static const struct {
		const char *row, *image, *rest, *env;
		bool init;
		const char
		    *want; /* on flag_missing detached plaintext service exporter endpoint ratio */
	} rows[] = {
	    {"vllm traced", "ghcr.io/llm-d/llm-d-cuda:v0.9.0",
	     "\"command\":[\"vllm\",\"serve\",\"m\",\"--otlp-traces-endpoint=http://x:4317\"]",
	     OTEL, false, "on=1 missing=0 detached=0 plain=0 vllm-decode otlp http://x:4317 1.0"},
	    {"vllm not traced", "ghcr.io/llm-d/llm-d-cuda:v0.9.0",
	     "\"command\":[\"vllm\",\"serve\",\"m\"]", OTEL, false,
	     "on=0 missing=1 detached=0 plain=0 vllm-decode otlp http://otel-collector:4317 1.0"},
	    {"too old", "vllm/vllm-openai:v0.10.0", "\"command\":[\"vllm\",\"serve\",\"m\"]", "",
	     false, "on=0 missing=0 detached=0 plain=0 - - - -"},
	    {"proxy by env", "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0",
	     "\"args\":[\"--port=1\"]", OTEL, true,
	     "on=1 missing=0 detached=1 plain=1 vllm-decode otlp http://otel-collector:4317 1.0"},
	    {"proxy 0.9", "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0",
	     "\"args\":[\"--tracing=true\"]", "", true,
	     "on=1 missing=0 detached=1 plain=1 - - - -"},
	    {"proxy 0.10", "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0",
	     "\"args\":[\"--tracing=true\"]", "", true,
	     "on=1 missing=0 detached=0 plain=0 - - - -"},
	    {"proxy switched off", "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0",
	     "\"args\":[\"--tracing=false\"]", "", true,
	     "on=0 missing=1 detached=0 plain=0 - - - -"},
	    {"proxy switched off by another word of Go's",
	     "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", "\"args\":[\"--tracing=False\"]",
	     "", true, "on=0 missing=1 detached=0 plain=0 - - - -"},
	    {"sglang names itself", "lmsysorg/sglang:v0.5.13",
	     "\"command\":[\"python3\",\"-m\",\"sglang.launch_server\",\"--enable-trace\"]",
	     "{\"name\":\"OTEL_SERVICE_NAME\",\"value\":\"x\"}", false,
	     "on=1 missing=0 detached=0 plain=0 sglang - - -"},
	    {"name by attribute", "ghcr.io/llm-d/llm-d-cuda:v0.9.0",
	     "\"command\":[\"vllm\",\"serve\",\"m\",\"--otlp-traces-endpoint\",\"$(E)\"]",
	     "{\"name\":\"OTEL_RESOURCE_ATTRIBUTES\",\"value\":\"a=b,service.name=mine,c=d\"},"
	     "{\"name\":\"OTEL_TRACES_EXPORTER\",\"valueFrom\":{}}",
	     false, "on=1 missing=0 detached=0 plain=0 mine - $(E) -"},
	    {"not of llm-d", "busybox:1", "\"command\":[\"sleep\"]", "", false, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_hops hops = {0};
		char *container CLEANUP(str_freep) = xasprintf(
		    "{\"name\":\"c\",\"image\":\"%s\",\"env\":[%s],%s%s}", rows[i].image,
		    rows[i].env, rows[i].init ? "\"restartPolicy\":\"Always\"," : "", rows[i].rest);
		read_hops(rows[i].init ? "" : container, rows[i].init ? container : "", NULL,
			  &hops);
		char got[256] = "";
		for (size_t k = 0; k < hops.count; k++) {
			const struct trace_hop *hop = &hops.items[k];
			(void)snprintf(got, sizeof(got),
				       "on=%d missing=%d detached=%d plain=%d %s %s %s %s", hop->on,
				       hop->flag_missing, hop->detached, hop->plaintext,
				       hop->service == NULL ? "-" : hop->service,
				       hop->exporter == NULL ? "-" : hop->exporter,
				       hop->endpoint == NULL ? "-" : hop->endpoint,
				       hop->ratio == NULL ? "-" : hop->ratio);
			CHECK_STR_ROW(hop->workload, "Deployment/decode", rows[i].row);
		}
		CHECK_STR_ROW(got, rows[i].want, rows[i].row);
		trace_hops_drop(&hops, "Deployment/other");
		CHECK_INT_ROW(hops.count, rows[i].want[0] != '\0', rows[i].row);
		trace_hops_drop(&hops, "Deployment/decode");
		CHECK_INT(hops.count, 0);
		trace_hops_release(&hops);
	}
}

TEST(what_a_version_promises)
{
	static const struct {
		enum component component;
		const char *image;
		unsigned groups;
	} rows[] = {
	    {COMPONENT_EPP, "llm-d-router-endpoint-picker:v0.10.0", 3},
	    {COMPONENT_EPP, "llm-d-router-endpoint-picker:v0.9.0", 1},
	    {COMPONENT_EPP, "llm-d-router-endpoint-picker:latest", 1},
	    {COMPONENT_EPP, "registry.k8s.io/gateway-api-inference-extension/epp:v1.4.0", 1},
	    {COMPONENT_ROUTING_PROXY, "llm-d-routing-sidecar:v0.7.0", 1U << GROUP_TRANSFER},
	    {COMPONENT_VLLM, "llm-d-cuda:v0.9.0", 1U << GROUP_ENGINE},
	    {COMPONENT_SGLANG, "sglang:v0.5.13", 1U << GROUP_ENGINE},
	    {COMPONENT_NONE, "busybox", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		struct version version = {.kind = VERSION_NONE};
		unsigned groups = 0;
		image_read(rows[i].image, &image);
		if (image.tag != NULL)
			version_read(image.tag, image.tag_len, &version);
		for (unsigned group = 0; group < GROUP_COUNT; group++)
			if (trace_operation_is_promised(rows[i].component, (enum trace_group)group,
							&image, &version))
				groups |= 1U << group;
		CHECK_INT_ROW(groups, rows[i].groups, rows[i].image);
	}
}

/* Spans carry the suffix that our collector puts behind names. */
TEST(hops_with_a_suffix)
{
	struct trace_hops hops = {0};
	read_hops("{\"name\":\"vllm\",\"image\":\"ghcr.io/llm-d/"
		  "llm-d-cuda:v0.9.0\",\"command\":[\"vllm\","
		  "\"serve\",\"m\"],\"env\":[" OTEL "]}",
		  "", "-eu", &hops);
	if (CHECK_INT(hops.count, 1))
		CHECK_STR(hops.items[0].service, "vllm-decode-eu");
	trace_hops_release(&hops);
}
