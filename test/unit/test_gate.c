/* SPDX-License-Identifier: Apache-2.0 */
/* LLMD §11 as a table: image and tag in, decision out. */
#include "inject/gate.h"

#include "base/json.h"
#include "test.h"

TEST(every_row_of_the_table)
{
	static const struct {
		enum component component;
		const char *image, *version;
		enum gate_mode mode;
		enum reason reason;
	} rows[] = {
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.23.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.17.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.17.0rc2", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.16.0", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.8.5", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-openai-cpu:v0.23.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:latest", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "vllm/vllm-openai@sha256:00", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.10.0@sha256:00", NULL, GATE_SKIP,
	     REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-openai:nightly-0.11.0", NULL, GATE_SKIP,
	     REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-openai:nightly-0.23.0", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "vllm/vllm-tpu:v0.11.1", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "vllm/vllm-tpu:nightly-20260501-8e7", NULL, GATE_FLAG,
	     REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "intel/vllm:0.10.0-xpu", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "intel/vllm:0.18.0-xpu", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "ghcr.io/llm-d/llm-d:v0.2.0", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "ghcr.io/llm-d/llm-d:0.0.8", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "ghcr.io/llm-d/llm-d-cuda:v0.5.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "ghcr.io/llm-d/llm-d-rocm:v0.4.9", NULL, GATE_SKIP,
	     REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "ghcr.io/llm-d/llm-d-cuda-dev:sha-a1", NULL, GATE_FLAG,
	     REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "mirror.corp:5000/x/llm-d-xpu:v0.7.0", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_VLLM, "opea/vllm-gaudi:1.22.0", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "corp/vllm:0.10.0", NULL, GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "corp/vllm:prod", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "corp/vllm:0.23.0", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "corp/anything:1.2.3", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_VLLM, "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2", NULL, GATE_SKIP,
	     REASON_UNKNOWN_VERSION},
	    {COMPONENT_VLLM, "corp/anything:prod", "0.16.0", GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_VLLM, "corp/anything:prod", "0.23.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "vllm/vllm-openai:v0.10.0", "0.23.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_VLLM, "opea/vllm-gaudi:1.22.0", "0.23.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_SGLANG, "lmsysorg/sglang:v0.5.13.post1", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_SGLANG, "lmsysorg/sglang:v0.5.6", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_SGLANG, "lmsysorg/sglang:v0.5.5.post3", NULL, GATE_SKIP,
	     REASON_ENGINE_TOO_OLD},
	    {COMPONENT_SGLANG, "lmsysorg/sglang:latest", NULL, GATE_FLAG, REASON_UNVERIFIED},
	    {COMPONENT_SGLANG, "corp/x:1", "0.5.2", GATE_SKIP, REASON_ENGINE_TOO_OLD},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-router-disagg-sidecar:v0.9.0", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-router-disagg-sidecar-dev:main", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-router-disagg-sidecar@sha256:0", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:v0.5.1", NULL, GATE_SKIP,
	     REASON_NO_INSTRUMENTATION},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:0.0.6", NULL, GATE_SKIP,
	     REASON_NO_INSTRUMENTATION},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:v0.6.0", NULL, GATE_ENV,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:v0.8.0", NULL, GATE_ENV,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:v0.9.0", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_ROUTING_PROXY, "g/llm-d-routing-sidecar:latest", NULL, GATE_ENV,
	     REASON_UNVERIFIED},
	    {COMPONENT_ROUTING_PROXY, "corp/proxy:prod", NULL, GATE_ENV, REASON_UNVERIFIED},
	    {COMPONENT_ROUTING_PROXY, "corp/proxy:prod", "0.10.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "g/llm-d-router-endpoint-picker:v0.10.0", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_EPP, "g/llm-d-router-endpoint-picker:latest", NULL, GATE_FLAG,
	     REASON_INJECTED},
	    {COMPONENT_EPP, "g/llm-d-inference-scheduler:v0.5.1", NULL, GATE_SKIP,
	     REASON_NO_INSTRUMENTATION},
	    {COMPONENT_EPP, "g/llm-d-inference-scheduler:0.0.3", NULL, GATE_SKIP,
	     REASON_NO_INSTRUMENTATION},
	    {COMPONENT_EPP, "g/llm-d-inference-scheduler:v0.6.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "g/llm-d-inference-scheduler:latest", NULL, GATE_FLAG_IF_PRESENT,
	     REASON_UNVERIFIED},
	    {COMPONENT_EPP, "g/epp:v1.0.0", NULL, GATE_SKIP, REASON_NO_INSTRUMENTATION},
	    {COMPONENT_EPP, "g/epp:v1.3.1", NULL, GATE_SKIP, REASON_NO_INSTRUMENTATION},
	    {COMPONENT_EPP, "g/epp:v1.4.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "g/epp:v1.5.0", NULL, GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "g/epp:v1.6.0", NULL, GATE_SKIP, REASON_UNKNOWN_VERSION},
	    {COMPONENT_EPP, "g/epp:main", NULL, GATE_FLAG_IF_PRESENT, REASON_UNVERIFIED},
	    {COMPONENT_EPP, "corp/picker:prod", NULL, GATE_FLAG_IF_PRESENT, REASON_UNVERIFIED},
	    {COMPONENT_EPP, "corp/picker:prod", "1.5.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_EPP, "corp/picker:prod", "0.5.0", GATE_SKIP, REASON_NO_INSTRUMENTATION},
	    {COMPONENT_EPP, "corp/picker:prod", "0.10.0", GATE_FLAG, REASON_INJECTED},
	    {COMPONENT_NEVER, "x/y", NULL, GATE_SKIP, REASON_NOT_A_COMPONENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		struct gate_verdict verdict;
		image_read(rows[i].image, &image);
		gate_judge(rows[i].component, &image, rows[i].version, false, &verdict);
		CHECK_INT_ROW(verdict.mode, rows[i].mode, rows[i].image);
		CHECK_STR_ROW(reason_info(verdict.reason)->word, reason_info(rows[i].reason)->word,
			      rows[i].image);
	}
}

TEST(a_flag_of_its_arguments_proves_the_version)
{
	struct image image;
	struct gate_verdict verdict;
	image_read("corp/proxy:prod", &image);
	gate_judge(COMPONENT_ROUTING_PROXY, &image, NULL, true, &verdict);
	CHECK_INT(verdict.mode, GATE_FLAG);
}

TEST(identification)
{
	static const struct {
		const char *image;
		enum component component;
	} rows[] = {
	    {"vllm/vllm-openai:v1", COMPONENT_VLLM},
	    {"mirror.corp/foo/vllm:prod", COMPONENT_VLLM},
	    {"lmsysorg/sglang:x", COMPONENT_SGLANG},
	    {"lmsysorg/sgl-router:x", COMPONENT_NONE},
	    {"registry.k8s.io/gateway-api-inference-extension/epp:v1", COMPONENT_EPP},
	    {"registry.k8s.io/gateway-api-inference-extension/lwepp:v1.6.0", COMPONENT_NEVER},
	    {"registry.k8s.io/gateway-api-inference-extension/bbr:v1.5.0", COMPONENT_NEVER},
	    {"ghcr.io/llm-d/llm-d-inference-sim:latest", COMPONENT_NEVER},
	    {"mirror/vllm-sim:1", COMPONENT_NEVER},
	    {"nvcr.io/nvidia/tensorrt-llm/release:1.3", COMPONENT_NEVER},
	    {"ghcr.io/llm-d/llm-d-latency-predictor-training-server-dev:latest", COMPONENT_NEVER},
	    {"docker.io/envoyproxy/envoy:distroless-v1.33.2", COMPONENT_NEVER},
	    {"ghcr.io/llm-d/llm-d-uds-tokenizer:v0.7.1", COMPONENT_NEVER},
	    {"registry.k8s.io/pause:3.9", COMPONENT_NONE},
	    {"corp/vllm-exporter:1", COMPONENT_NONE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image image;
		const struct gate_rule *rule = NULL;
		image_read(rows[i].image, &image);
		CHECK_INT_ROW(gate_identify(&image, &rule), rows[i].component, rows[i].image);
		CHECK_INT_ROW(rule != NULL, rows[i].component != COMPONENT_NONE, rows[i].image);
	}
}

static enum component by_args(const char *json, const char *label)
{
	cJSON *args CLEANUP(json_freep) = NULL;
	struct error err;
	if (json_parse(json, strlen(json), &args, &err) != STATUS_OK)
		return COMPONENT_COUNT;
	return component_from_args(args, label);
}

/* The simulator takes many of vLLM's flags and dies of ours: only two that it refuses prove vLLM. */
TEST(arguments)
{
	static const struct {
		const char *args, *label;
		enum component component;
	} rows[] = {
	    {"[\"--model\",\"m\",\"--port\",\"8000\",\"--served-model-name\",\"m\"]", NULL,
	     COMPONENT_NONE},
	    {"[\"--model\",\"m\",\"--enforce-eager\",\"--block-size=64\",\"--max-model-len=4096\"]",
	     "vllm", COMPONENT_NONE},
	    {"[\"--model\",\"m\",\"--dtype\",\"float16\"]", NULL, COMPONENT_NONE},
	    {"[\"--model\",\"m\",\"--dtype\",\"float16\",\"--gpu-memory-util\",\"0.9\"]", NULL,
	     COMPONENT_VLLM},
	    {"[\"--model=m\",\"--gpu_memory_utilization=0.9\",\"--quantization=fp8\"]", "vllm",
	     COMPONENT_VLLM},
	    {"[\"--model=m\",\"--dtype=x\",\"--quantization=fp8\"]", "sglang", COMPONENT_NONE},
	    {"[\"--model=m\",\"--dtype=x\",\"--quantization=fp8\",\"--backend=vllm\"]", NULL,
	     COMPONENT_NONE},
	    {"[\"--dtype=x\",\"--quantization=fp8\"]", NULL, COMPONENT_NONE},
	    {"[\"--model-path\",\"m\",\"--mem-fraction-static\",\"0.9\"]", NULL, COMPONENT_SGLANG},
	    {"[\"--model-path\",\"m\"]", "sglang", COMPONENT_SGLANG},
	    {"[\"--model-path\",\"m\"]", NULL, COMPONENT_NONE},
	    {"[\"--port=8000\",\"--vllm-port=8200\",\"--kv-connector=nixlv2\"]", NULL,
	     COMPONENT_ROUTING_PROXY},
	    {"[\"--port=8000\",\"--secure-proxy=false\"]", NULL, COMPONENT_ROUTING_PROXY},
	    {"[\"--model\",\"m\",\"--vllm-port=8200\"]", NULL, COMPONENT_NONE},
	    {"[\"-f\",\"/config/config.yaml\"]", NULL, COMPONENT_NONE},
	    {"[]", NULL, COMPONENT_NONE},
	    {"null", NULL, COMPONENT_NONE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT_ROW(by_args(rows[i].args, rows[i].label), rows[i].component,
			      rows[i].args);
}

/* Every table is well-formed: bands end, and reasons fit their modes. */
TEST(tables)
{
	for (unsigned c = 0; c < COMPONENT_COUNT; c++) {
		const struct component_rules *rules = component_rules((enum component)c);
		CHECK((rules != NULL) == (c > COMPONENT_NONE && c < COMPONENT_NEVER));
		for (size_t i = 0; rules != NULL && i < rules->gate_count; i++) {
			const struct gate_rule *rule = &rules->gates[i];
			size_t last = 0;
			while (last < GATE_BANDS && rule->bands[last].below != NULL)
				last++;
			CHECK(last < GATE_BANDS);
			CHECK(rule->match[0] != NULL && rule->source != NULL);
			for (size_t k = 0; k <= last && last < GATE_BANDS; k++)
				CHECK((rule->bands[k].mode == GATE_SKIP) ==
				      (rule->bands[k].reason != REASON_INJECTED &&
				       rule->bands[k].reason != REASON_UNVERIFIED));
		}
		enum component named = COMPONENT_COUNT;
		if (rules != NULL) {
			CHECK(component_from_name(rules->name, &named) && named == c);
			CHECK_STR(component_name((enum component)c), rules->name);
		}
	}
	enum component named = COMPONENT_COUNT;
	CHECK(component_from_name("none", &named) && named == COMPONENT_NONE);
	CHECK(!component_from_name("never", &named));
	CHECK(!component_from_name("", &named));
}

TEST(document_names_every_rule)
{
	struct buffer out;
	buffer_init(&out, 1 << 20);
	gate_document(&out);
	CHECK(strstr(out.data, "llm-d-routing-sidecar") != NULL);
	CHECK(strstr(out.data, "0.6.0 to < 0.9.0: variables only") != NULL);
	CHECK(strstr(out.data, "NeverInjected") != NULL);
	CHECK(!out.full);
	buffer_release(&out);
}
