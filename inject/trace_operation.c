/* SPDX-License-Identifier: Apache-2.0 */
#include "inject/trace_operation.h"

#include <string.h>

#include "base/util.h"

/*
 * The upstream image `epp` numbers itself apart (1.4 and 1.5 show gateway.* only); its
 * versions are above all of llm-d's, which is why it is told apart by name below.
 */
const struct trace_operation trace_operations[] = {
    {COMPONENT_EPP, GROUP_ROUTING, "gateway.request", NULL, false},
    {COMPONENT_EPP, GROUP_ROUTING, "gateway.request_orchestration", NULL, true},
    {COMPONENT_EPP, GROUP_ROUTING, "pick_disagg_profile", NULL, true},
    {COMPONENT_EPP, GROUP_ROUTING, "prepare_disaggregation", NULL, true},
    {COMPONENT_EPP, GROUP_ROUTING, "run_scheduler_profile", "0.10.0", false},
    {COMPONENT_EPP, GROUP_ROUTING, "filter_endpoints", "0.10.0", true},
    {COMPONENT_EPP, GROUP_ROUTING, "pick_endpoints", "0.10.0", true},
    {COMPONENT_EPP, GROUP_SCORING, "llm_d.epp.scoring", "0.10.0", false},
    {COMPONENT_EPP, GROUP_SCORING, "llm_d.epp.scorer.*", "0.10.0", true},
    {COMPONENT_EPP, GROUP_SCORING, "score_prefix_cache", NULL, true},
    {COMPONENT_EPP, GROUP_KV_CACHE, "llm_d.kv_cache.*", NULL, true},
    {COMPONENT_EPP, GROUP_KV_CACHE, "produce_precise_prefix_cache", NULL, true},
    {COMPONENT_ROUTING_PROXY, GROUP_TRANSFER, "llm_d.pd_proxy.*", NULL, false},
    {COMPONENT_ROUTING_PROXY, GROUP_TRANSFER, "forward_request", NULL, true},
    {COMPONENT_ROUTING_PROXY, GROUP_TRANSFER, "prefill", NULL, true},
    {COMPONENT_ROUTING_PROXY, GROUP_TRANSFER, "decode", NULL, true},
    {COMPONENT_ROUTING_PROXY, GROUP_TRANSFER, "chunked_decode", NULL, true},
    {COMPONENT_VLLM, GROUP_ENGINE, "llm_request", NULL, false},
    {COMPONENT_SGLANG, GROUP_ENGINE, "*", NULL, false},
};
const size_t trace_operation_count = ARRAY_LEN(trace_operations);

const char *trace_group_title(enum trace_group group)
{
	static const char *const titles[GROUP_COUNT] = {
	    [GROUP_ROUTING] = "request routing",    [GROUP_SCORING] = "endpoint scoring",
	    [GROUP_KV_CACHE] = "KV-cache indexing", [GROUP_TRANSFER] = "KV transfer",
	    [GROUP_ENGINE] = "engine inference",
	};
	return titles[group];
}

const struct trace_operation *trace_operation_of(enum component component, const char *span_name)
{
	for (size_t i = 0; i < trace_operation_count; i++)
		if (trace_operations[i].component == component &&
		    glob_matches(trace_operations[i].glob, span_name, strlen(span_name)))
			return &trace_operations[i];
	return NULL;
}

bool trace_operation_is_promised(enum component component, enum trace_group group,
				 const struct image *image, const struct version *version)
{
	bool upstream = component == COMPONENT_EPP && image_matches(image, "epp");
	for (size_t i = 0; i < trace_operation_count; i++) {
		const struct trace_operation *row = &trace_operations[i];
		if (row->component != component || row->group != group || row->configured)
			continue;
		if (row->since == NULL)
			return true;
		if (!upstream && version->kind == VERSION_EXACT &&
		    !version_is_below(version, row->since))
			return true;
	}
	return false;
}

void trace_operations_document(struct buffer *out)
{
	buffer_add_str(out, "| Operation | Component | Spans | Since | |\n|---|---|---|---|---|\n");
	for (unsigned group = 0; group < GROUP_COUNT; group++)
		for (size_t i = 0; i < trace_operation_count; i++) {
			const struct trace_operation *row = &trace_operations[i];
			if (row->group != group)
				continue;
			buffer_addf(out, "| %s | %s | `%s` | %s | %s |\n",
				    trace_group_title(row->group), component_name(row->component),
				    row->glob, row->since == NULL ? "-" : row->since,
				    row->configured ? "depends on plugins or connector" : "");
		}
}
