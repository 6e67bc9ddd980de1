/* SPDX-License-Identifier: Apache-2.0 */
/* SGLang: flags by sglang/srt/server_args.py, gates by LLMD §1.6 and §11. */
#include "inject/component_rules.h"

#include "base/util.h"

static const struct gate_rule gates[] = {
    {
	.match = {"sglang"},
	.version_of = "SGLang",
	.bands = {{"0.5.6", GATE_SKIP, REASON_ENGINE_TOO_OLD, NULL},
		  {NULL, GATE_FLAG, REASON_INJECTED, NULL}},
	.unreadable = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
	.source = "before 0.5.6 the flag was spelled --oltp-traces-endpoint",
    },
};

const struct component_rules sglang_rules = {
    .component = COMPONENT_SGLANG,
    .name = "sglang",
    .programs = {PROGRAM_SGLANG},
    .assume = PROGRAM_SGLANG,
    .flags = {{.syntax = {.name = "--enable-trace",
			  .prefixes = true,
			  .shortest = "--enable-tra",
			  .is_switch = true},
	       .value = FLAG_VALUE_NONE,
	       .why = "SGLang traces only when this flag is given"},
	      {.syntax = {.name = "--otlp-traces-endpoint", .prefixes = true, .shortest = "--ot"},
	       .value = FLAG_VALUE_ENDPOINT,
	       .why = "SGLang's default is localhost:4317"}},
    .flag_count = 2,
    .obsolete = {.name = "--oltp-traces-endpoint", .prefixes = true, .shortest = "--ol"},
    .by_role = true,
    .service = "sglang",
    .gates = gates,
    .gate_count = ARRAY_LEN(gates),
    .unknown_image = {NULL, GATE_FLAG, REASON_UNVERIFIED, NULL},
    .traced_by = "--enable-trace",
};
