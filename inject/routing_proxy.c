/* SPDX-License-Identifier: Apache-2.0 */
/* The P/D routing proxy, a native sidecar (LLMD §2, §9, §11). */
#include "inject/component_rules.h"

#include "base/util.h"

static const struct gate_rule gates[] = {
    {
	.match = {"llm-d-router-disagg-sidecar"},
	.version_of = "llm-d-router",
	.bands = {{NULL, GATE_FLAG, REASON_INJECTED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_INJECTED, NULL},
	.by_construction = true,
	.source = "the image has this name since 0.9.0, as has the flag",
	.plaintext_below = "0.10.0",
    },
    {
	.match = {"llm-d-routing-sidecar"},
	.version_of = "llm-d-routing-sidecar",
	.bands = {{"0.6.0", GATE_SKIP, REASON_NO_INSTRUMENTATION, NULL},
		  {"0.9.0", GATE_ENV, REASON_INJECTED, NULL},
		  {NULL, GATE_FLAG, REASON_INJECTED, NULL}},
	.unreadable = {NULL, GATE_ENV, REASON_UNVERIFIED, NULL},
	.source = "0.6 to 0.8 always trace and exit on the flag",
	.plaintext_below = "0.10.0",
    },
};

const struct component_rules routing_proxy_rules = {
    .component = COMPONENT_ROUTING_PROXY,
    .name = "routing-proxy",
    .programs = {PROGRAM_PD_SIDECAR},
    .assume = PROGRAM_PD_SIDECAR,
    .flags = {{.syntax = {.name = "--tracing", .is_switch = true, .single_dash = true},
	       .value = FLAG_VALUE_TRUE,
	       .why = "the proxy traces only when this flag is given (since 0.9.0)"}},
    .flag_count = 1,
    .modern = {"--tracing", "--model-server-port"}, /* 0.9.0 and 0.10.0 (LLMD §9) */
    .hiding = {"--configuration-file", "--configuration"},
    .detached_below = "0.10.0",
    .grpc_url_only = true,
    .service = "routing-proxy",
    .gates = gates,
    .gate_count = ARRAY_LEN(gates),
    /* Every version bears the variables; a flag that it does not know makes it exit. */
    .unknown_image = {NULL, GATE_ENV, REASON_UNVERIFIED, NULL},
    .traced_by = "--tracing=true",
};
