/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run beside llm-d's components, or look like them, and never get a flag (LLMD §1.7, §11). */
#include "inject/component_rules.h"

#include "base/util.h"

#define NEVER                                                                                      \
	.bands = {{NULL, GATE_SKIP, REASON_NEVER, NULL}},                                          \
	.unreadable = {NULL, GATE_SKIP, REASON_NEVER, NULL}

const struct gate_rule never_gates[] = {
    {.match = {"*inference-sim*", "vllm-sim*", "*vllm-simulator*"},
     NEVER,
     .source = "the inference simulator exits on every flag that it does not know"},
    {.match = {"lwepp*", "lw-epp*"},
     NEVER,
     .source = "the lightweight endpoint picker has no tracing and exits on the flag"},
    {.match = {"tensorrt-llm*", "tensorrt-llm/*", "trtllm*", "tritonserver*"},
     NEVER,
     .source = "TensorRT-LLM has an option of its own"},
    {.match = {"*latency-predictor*", "*latency-prediction*", "*latency-training*"},
     NEVER,
     .source = "latency predictors are not instrumented"},
    {.match = {"envoy", "envoyproxy/*", "agentgateway", "bbr", "*uds-tokenizer*",
	       "llm-d-coordinator*"},
     NEVER,
     .source = "programs beside the endpoint picker and the engines"},
    {.match = {"llm-d-fast-model-actuation/*"},
     .bands = {{NULL, GATE_SKIP, REASON_REQUESTER, NULL}},
     .unreadable = {NULL, GATE_SKIP, REASON_REQUESTER, NULL},
     .source = "the server's pod hides in an annotation"},
};
const size_t never_gate_count = ARRAY_LEN(never_gates);
