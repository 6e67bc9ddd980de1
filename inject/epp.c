/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoint picker: three image families (LLMD §3, §11), one Go flag. */
#include "inject/component_rules.h"

#include "base/util.h"

#define SERVICE_ROUTER    "llm-d-router/epp"
#define SERVICE_SCHEDULER "llm-d-inference-scheduler"
#define SERVICE_GAIE      "gateway-api-inference-extension"
#define SERVICE_GAIE_1_5  "gateway-api-inference-extension/epp"

static const struct gate_rule gates[] = {
    {
	.match = {"llm-d-router-endpoint-picker"},
	.version_of = "llm-d-router",
	.bands = {{NULL, GATE_FLAG, REASON_INJECTED, SERVICE_ROUTER}},
	.unreadable = {NULL, GATE_FLAG, REASON_INJECTED, SERVICE_ROUTER},
	.by_construction = true,
	.source = "the image has this name since 0.9.0",
	.plaintext_below = "0.10.0",
    },
    {
	.match = {"llm-d-inference-scheduler"},
	.version_of = "llm-d-inference-scheduler",
	.bands = {{"0.6.0", GATE_SKIP, REASON_NO_INSTRUMENTATION, SERVICE_SCHEDULER},
		  {NULL, GATE_FLAG, REASON_INJECTED, SERVICE_SCHEDULER}},
	.unreadable = {NULL, GATE_FLAG_IF_PRESENT, REASON_UNVERIFIED, SERVICE_SCHEDULER},
	.source = "spans since 0.6.0; the flag exists since 0.4.0",
	.plaintext_below = "0.10.0",
    },
    {
	.match = {"epp"},
	.version_of = "gateway-api-inference-extension",
	.bands = {{"1.4.0", GATE_SKIP, REASON_NO_INSTRUMENTATION, SERVICE_GAIE},
		  {"1.5.0", GATE_FLAG, REASON_INJECTED, SERVICE_GAIE},
		  {"1.6.0", GATE_FLAG, REASON_INJECTED, SERVICE_GAIE_1_5},
		  {NULL, GATE_SKIP, REASON_UNKNOWN_VERSION, SERVICE_GAIE_1_5}},
	.unreadable = {NULL, GATE_FLAG_IF_PRESENT, REASON_UNVERIFIED, SERVICE_GAIE_1_5},
	.source = "spans since 1.4.0; from 1.6.0 on there is no EPP under this name",
	.plaintext_below = "1.6.0",
    },
};

const struct component_rules epp_rules = {
    .component = COMPONENT_EPP,
    .name = "epp",
    .programs = {PROGRAM_EPP},
    .assume = PROGRAM_EPP,
    .flags = {{.syntax = {.name = "--tracing", .is_switch = true, .single_dash = true},
	       .value = FLAG_VALUE_TRUE,
	       .replace_false = true,
	       .why = "no variable turns the endpoint picker's tracing on"}},
    .flag_count = 1,
    .grpc_url_only = true,
    .service = SERVICE_ROUTER,
    .gates = gates,
    .gate_count = ARRAY_LEN(gates),
    .unknown_image = {NULL, GATE_FLAG_IF_PRESENT, REASON_UNVERIFIED, SERVICE_ROUTER},
    .traced_by = "--tracing=true",
};
