/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/component.h"

#include <string.h>

#include "base/util.h"
#include "inject/component_rules.h"

static const char *const names[COMPONENT_COUNT] = {
    [COMPONENT_NONE] = "none",
    [COMPONENT_VLLM] = "vllm",
    [COMPONENT_SGLANG] = "sglang",
    [COMPONENT_EPP] = "epp",
    [COMPONENT_ROUTING_PROXY] = "routing-proxy",
    [COMPONENT_NEVER] = "never",
};

static const struct component_rules *const registry[COMPONENT_COUNT] = {
    [COMPONENT_VLLM] = &vllm_rules,
    [COMPONENT_SGLANG] = &sglang_rules,
    [COMPONENT_EPP] = &epp_rules,
    [COMPONENT_ROUTING_PROXY] = &routing_proxy_rules,
};

const char *component_name(enum component component)
{
	unsigned row = (unsigned)component;
	return names[row < COMPONENT_COUNT ? row : COMPONENT_NONE];
}

_Bool component_from_name(const char *name, enum component *ret_component)
{
	for (unsigned c = COMPONENT_NONE; c < COMPONENT_NEVER; c++) {
		if (strcmp(name, names[c]) == 0) {
			*ret_component = (enum component)c;
			return 1;
		}
	}
	return 0;
}

const struct component_rules *component_rules(enum component component)
{
	unsigned row = (unsigned)component;
	return row < COMPONENT_COUNT ? registry[row] : NULL;
}

/*
 * What a flag says about args whose program nobody names. The simulator takes many of
 * vLLM's flags and ignores them (--enforce-eager, --block-size, --max-model-len, …;
 * llm-d-inference-sim pkg/common/parser.go), so only those that it refuses count, and two
 * of them are asked for, in case a later one takes one more.
 */
enum sign {
	SIGN_VLLM,         /* vLLM takes it, the simulator does not */
	SIGN_MODEL,        /* vLLM's and the simulator's way to name the model */
	SIGN_SGLANG,       /* only SGLang */
	SIGN_SGLANG_MODEL, /* SGLang's way to name the model */
	SIGN_PROXY,        /* only the routing proxy */
	SIGN_OTHER,        /* another server that takes vLLM's flags too */
	SIGN_COUNT
};

struct sign_row {
	const char *shortest; /* a flag counts from this prefix on … */
	const char *name;     /* … up to this name (equal: no abbreviation) */
	enum sign sign;
};

static const struct sign_row signs[] = {
    {"--gpu-memory-u", "--gpu-memory-utilization", SIGN_VLLM},
    {"--dtype", "--dtype", SIGN_VLLM},
    {"--quantization", "--quantization", SIGN_VLLM},
    {"--kv-cache-dtype", "--kv-cache-dtype", SIGN_VLLM},
    {"--max-num-b", "--max-num-batched-tokens", SIGN_VLLM},
    {"--max-seq-len-to-capture", "--max-seq-len-to-capture", SIGN_VLLM},
    {"--disable-sliding-window", "--disable-sliding-window", SIGN_VLLM},
    {"--kv-transfer-config", "--kv-transfer-config", SIGN_VLLM},
    {"--kv-events-config", "--kv-events-config", SIGN_VLLM},
    {"--tensor-parallel-size", "--tensor-parallel-size", SIGN_VLLM},
    {"--pipeline-parallel-size", "--pipeline-parallel-size", SIGN_VLLM},
    {"--enable-expert-parallel", "--enable-expert-parallel", SIGN_VLLM},
    {"--compilation-config", "--compilation-config", SIGN_VLLM},
    {"--tokenizer-mode", "--tokenizer-mode", SIGN_VLLM},
    {"--trust-remote-code", "--trust-remote-code", SIGN_VLLM},
    {"--load-format", "--load-format", SIGN_VLLM},
    {"--swap-space", "--swap-space", SIGN_VLLM},
    {"--model", "--model", SIGN_MODEL},
    {"--model-name", "--model-name", SIGN_OTHER},
    {"--model-id", "--model-id", SIGN_OTHER},
    {"--model-dir", "--model-dir", SIGN_OTHER},
    {"--backend", "--backend", SIGN_OTHER},
    {"--model-path", "--model-path", SIGN_SGLANG_MODEL},
    {"--mem-fraction-static", "--mem-fraction-static", SIGN_SGLANG},
    {"--disaggregation-mode", "--disaggregation-mode", SIGN_SGLANG},
    {"--chunked-prefill-size", "--chunked-prefill-size", SIGN_SGLANG},
    {"--attention-backend", "--attention-backend", SIGN_SGLANG},
    {"--context-length", "--context-length", SIGN_SGLANG},
    {"--vllm-port", "--vllm-port", SIGN_PROXY},
    {"--kv-connector", "--kv-connector", SIGN_PROXY},
    {"--ec-connector", "--ec-connector", SIGN_PROXY},
    {"--secure-proxy", "--secure-proxy", SIGN_PROXY},
    {"--prefiller-use-tls", "--prefiller-use-tls", SIGN_PROXY},
    {"--decoder-use-tls", "--decoder-use-tls", SIGN_PROXY},
    {"--enable-prefiller-sampling", "--enable-prefiller-sampling", SIGN_PROXY},
    {"--enable-ssrf-protection", "--enable-ssrf-protection", SIGN_PROXY},
    {"--mooncake-bootstrap-port", "--mooncake-bootstrap-port", SIGN_PROXY},
    {"--model-server-port", "--model-server-port", SIGN_PROXY},
};

/* Length of the flag's name in a token "--name=value" or "--name"; 0 when the token is no flag. */
static size_t flag_length(const char *token)
{
	return token[0] == '-' && token[1] == '-' ? strcspn(token, "=") : 0;
}

/* `_` and `-` are one to vLLM; no other program here has a flag with `_`. */
static bool same_flag(const char *token, size_t len, const struct sign_row *row)
{
	size_t least = strlen(row->shortest);
	if (len < least || len > strlen(row->name))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((token[i] == '_' ? '-' : token[i]) != row->name[i])
			return false;
	return true;
}

static void count_sign(const char *token, unsigned counts[SIGN_COUNT])
{
	size_t len = flag_length(token);
	for (size_t i = 0; len > 0 && i < ARRAY_LEN(signs); i++) {
		if (same_flag(token, len, &signs[i])) {
			counts[signs[i].sign]++;
			return;
		}
	}
}

enum component component_from_args(const cJSON *args, const char *engine_label)
{
	unsigned counts[SIGN_COUNT] = {0};
	if (!cJSON_IsArray(args))
		return COMPONENT_NONE;
	for (const cJSON *arg = args->child; arg != NULL; arg = arg->next) {
		if (!cJSON_IsString(arg))
			return COMPONENT_NONE;
		count_sign(arg->valuestring, counts);
	}
	unsigned vllm = counts[SIGN_VLLM];
	unsigned sglang = counts[SIGN_SGLANG];
	unsigned proxy = counts[SIGN_PROXY];
	bool says_sglang = engine_label != NULL && strcmp(engine_label, "sglang") == 0;
	bool says_vllm = engine_label != NULL && strcmp(engine_label, "vllm") == 0;
	if (counts[SIGN_OTHER] > 0)
		return COMPONENT_NONE;
	if (proxy > 0 && counts[SIGN_MODEL] + counts[SIGN_SGLANG_MODEL] + vllm + sglang == 0)
		return COMPONENT_ROUTING_PROXY;
	if (vllm >= 2 && counts[SIGN_MODEL] > 0 && proxy + sglang == 0 &&
	    (says_vllm || engine_label == NULL))
		return COMPONENT_VLLM;
	if (counts[SIGN_SGLANG_MODEL] > 0 && proxy == 0 &&
	    (says_sglang || (sglang > 0 && engine_label == NULL)))
		return COMPONENT_SGLANG;
	return COMPONENT_NONE;
}
