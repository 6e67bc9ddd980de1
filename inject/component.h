/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The components of llm-d that can be traced, and the programs that look like them
 * but must never be touched. One registry; a new component is one file, one row and
 * one golden folder. What each one accepts stands in its descriptor
 * (inject/component_rules.h).
 */
#ifndef LLMD_INJECT_COMPONENT_H
#define LLMD_INJECT_COMPONENT_H

enum component {
	COMPONENT_NONE = 0, /* not of llm-d, or nobody can tell */
	COMPONENT_VLLM,
	COMPONENT_SGLANG,
	COMPONENT_EPP,
	COMPONENT_ROUTING_PROXY,
	COMPONENT_NEVER, /* known, and known not to take our flags (simulator, lwepp, TensorRT-LLM, …) */
	COMPONENT_COUNT
};

/* "vllm", "sglang", "epp", "routing-proxy", "none", "never": as in annotations and `explain`. */
const char *component_name(enum component component);

/* The component that an override annotation names; false when the text names none ("none" is COMPONENT_NONE). */
_Bool component_from_name(const char *name, enum component *ret_component);

#endif
