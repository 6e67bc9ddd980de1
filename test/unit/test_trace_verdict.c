/* SPDX-License-Identifier: Apache-2.0 */
/* From hops and spans to a verdict. */
#include "hops.h"

TEST(verdicts)
{
	static const struct {
		const char *row, *spans;
		const char *metrics;
		const char *want;
	} rows[] = {
	    {"one whole trace", GOOD, NULL,
	     "received=yes 4/4 connected=yes [endpoint picker, routing proxy, engine] missing []"},
	    {"nothing asked", NULL, NULL,
	     "received=unknown 0/4 connected=unknown [] missing [request routing, endpoint "
	     "scoring, KV transfer, engine inference]"},
	    {"nothing there", "", NULL,
	     "received=no 0/4 connected=no [] missing [request routing, endpoint scoring, KV "
	     "transfer, engine inference]"},
	    {"engines apart",
	     GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1/completions\n2 vllm-prefill "
		      "llm_request\n3 vllm-decode llm_request\n",
	     NULL, "received=yes 4/4 connected=no [endpoint picker, routing proxy] missing []"},
	    {"a later request without prefill completes no less",
	     GOOD "2 llm-d-router/epp gateway.request\n2 routing-proxy llm_d.pd_proxy.POST /v1\n2 "
		  "vllm-decode llm_request\n",
	     NULL,
	     "received=yes 4/4 connected=yes [endpoint picker, routing proxy, engine] missing []"},
	    {"operations missing",
	     "1 llm-d-router/epp gateway.request\n1 routing-proxy forward_request\n1 vllm-prefill "
	     "load_model\n1 vllm-decode load_model\n",
	     NULL,
	     "received=yes 4/4 connected=no [endpoint picker, routing proxy] missing "
	     "[endpoint scoring, engine inference]"},
	    {"unknown service", GOOD_EPP "1 unknown_service:python3 llm_request\n", NULL,
	     "received=no 1/4 connected=no [endpoint picker] missing [KV transfer, engine "
	     "inference] unnamed"},
	    {"a program's own name", "1 llm-d-disagg-sidecar forward_request\n", NULL,
	     "received=no 0/4 connected=no [] missing [request routing, endpoint scoring, KV "
	     "transfer, engine inference] unnamed"},
	    {"bare GETs", "1 gateway GET\n2 gateway GET /metrics\n", NULL,
	     "received=no 0/4 connected=no [] missing [request routing, endpoint scoring, KV "
	     "transfer, engine inference] generic"},
	    {"span metrics alone", NULL,
	     "calls_total{service_name=\"llm-d-router/epp\",span_name=\"gateway.request\"} 1\n"
	     "calls_total{service_name=\"vllm-decode\",span_name=\"llm_request\"} 0\n",
	     "received=no 2/4 connected=unknown [] missing [endpoint scoring, KV transfer]"},
	    {"all dropped by the filter", NULL,
	     "otelcol_receiver_accepted_spans 9\notelcol_processor_filter_spans_filtered 9\n",
	     "received=unknown 0/4 connected=unknown [] missing [request routing, endpoint "
	     "scoring, KV transfer, engine inference] generic"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_hops hops;
		struct trace trace = {0};
		struct trace_counters counters = {.calls = NULL};
		struct trace_verdict verdict;
		char got[512];
		set_up(&hops);
		if (rows[i].spans != NULL)
			read_spans(rows[i].spans, &trace);
		if (rows[i].metrics != NULL)
			trace_counters_read(rows[i].metrics, strlen(rows[i].metrics), &counters);
		struct trace_observation seen = {.trace = rows[i].spans == NULL ? NULL : &trace,
						 .counters =
						     rows[i].metrics == NULL ? NULL : &counters};
		trace_verdict(&hops, &seen, &verdict);
		tell(&verdict, got, sizeof(got));
		CHECK_STR_ROW(got, rows[i].want, rows[i].row);
		trace_verdict_release(&verdict);
		trace_counters_release(&counters);
		trace_release(&trace);
		trace_hops_release(&hops);
	}
}

TEST(pods_tell_workloads_of_one_name_apart)
{
	struct trace_hops hops;
	struct trace trace = {0};
	struct trace_verdict verdict;
	set_up(&hops);
	free(hops.items[3].name); /* prefill becomes decode-b, under the same service name */
	free(hops.items[3].service);
	hops.items[3].name = xstrdup("decode-b");
	hops.items[3].service = xstrdup("vllm-decode");
	read_spans("1 vllm-decode llm_request\tdecode-5-x\n"
		   "2 vllm-decode llm_request\tdecode-b-5-x\n"
		   "3 vllm-decode llm_request\tdecode-b-5-y\n",
		   &trace);
	struct trace_observation seen = {.trace = &trace};
	trace_verdict(&hops, &seen, &verdict);
	CHECK_INT(verdict.hops[2].spans, 1);
	CHECK_INT(verdict.hops[2].last_us, 2010);
	CHECK_INT(verdict.hops[3].spans, 2);
	CHECK_INT(verdict.newest_us, 4010);
	trace_verdict_release(&verdict);
	trace_release(&trace);
	read_spans("1 vllm-decode llm_request\n2 vllm-decode llm_request\telsewhere-1\n", &trace);
	trace_verdict(&hops, &seen, &verdict);
	CHECK_INT(verdict.hops[2].spans, 2);
	CHECK_INT(verdict.hops[3].spans, 2);
	trace_verdict_release(&verdict);
	trace_release(&trace);
	trace_hops_release(&hops);
}

TEST(served_requests_that_should_have_been_sampled)
{
	static const struct {
		const char *row, *metrics;
		const char *sampler, *ratio; /* of the endpoint picker */
		enum trace_answer want;
	} rows[] = {
	    {"not asked", "", NULL, "1.0", ANSWER_UNKNOWN},
	    {"none", "vllm:request_success_total{finished_reason=\"stop\"} 0.0\n", NULL, "1.0",
	     ANSWER_NO},
	    {"one of all",
	     "vllm:request_success_total{finished_reason=\"stop\"} 0\n"
	     "vllm:request_success_total{finished_reason=\"length\"} 1\n",
	     NULL, "1.0", ANSWER_YES},
	    {"SGLang", "sglang:num_requests_total{model_name=\"m\"} 3.0\n", NULL, NULL, ANSWER_YES},
	    {"few of a tenth", "vllm:request_success_total 99\n", NULL, "0.1", ANSWER_UNKNOWN},
	    {"many of a tenth", "vllm:request_success_total 100\n", NULL, "0.1", ANSWER_YES},
	    {"a ratio that is none keeps a tenth", "vllm:request_success_total 99\n", NULL, "all",
	     ANSWER_UNKNOWN},
	    {"so does another sampler", "vllm:request_success_total 99\n", "always_on", "1.0",
	     ANSWER_UNKNOWN},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_hops hops;
		struct trace_counters servers = {.calls = NULL};
		set_up(&hops);
		set(&hops.items[0].ratio, rows[i].ratio);
		if (rows[i].sampler != NULL)
			set(&hops.items[0].sampler, rows[i].sampler);
		trace_counters_read(rows[i].metrics, strlen(rows[i].metrics), &servers);
		CHECK_INT_ROW(trace_traffic(&hops, &servers), rows[i].want, rows[i].row);
		trace_counters_release(&servers);
		trace_hops_release(&hops);
	}
}

TEST(the_trace_that_was_sent_is_the_one_judged)
{
	struct trace_hops hops;
	struct trace trace = {0};
	struct trace_verdict verdict;
	set_up(&hops);
	read_spans(GOOD "2 vllm-decode llm_request\n", &trace);
	struct trace_observation seen = {.trace = &trace,
					 .sent_trace = "00000000000000000000000000000002"};
	trace_verdict(&hops, &seen, &verdict);
	CHECK_STR(verdict.trace, "00000000000000000000000000000002");
	CHECK_INT(verdict.connected, ANSWER_NO);
	trace_verdict_release(&verdict);
	trace_release(&trace);
	trace_hops_release(&hops);
}

/* "ID PARENT SERVICE" a line, all of one trace; "-": none. */
static const struct {
	const char *spans;
	size_t entries, called;
} entered[] = {
    {"a - llm-d-router/epp\nb a llm-d-router/epp\nc b vllm-decode", 1, 0},
    {"a f llm-d-router/epp\nb a llm-d-router/epp", 1, 1},
    {"a b llm-d-router/epp\nb - gateway", 1, 1},
    {"a - llm-d-router/epp\nb f llm-d-router/epp", 2, 1},
    {"a f vllm-decode", 0, 0},
};

TEST(whose_callers_had_decided)
{
	for (size_t i = 0; i < ARRAY_LEN(entered); i++) {
		struct trace trace = {0};
		struct trace_hops hops;
		struct trace_verdict verdict;
		char *text CLEANUP(str_freep) = xstrdup(entered[i].spans);
		char *rest = NULL;
		set_up(&hops);
		for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest)) {
			char id[8] = "";
			char parent[8] = "";
			char service[64] = "";
			CHECK(sscanf(line, "%7s %7s %63s", id, parent, service) == 3);
			struct span *span = trace_add(&trace);
			CHECK(trace_id_read("1", TRACE_ID_SIZE, span->trace));
			CHECK(trace_id_read(id, SPAN_ID_SIZE, span->id));
			if (parent[0] != '-')
				CHECK(trace_id_read(parent, SPAN_ID_SIZE, span->parent));
			span->service = trace_name(service);
			span->operation = trace_name("x");
		}
		struct trace_observation seen = {.trace = &trace};
		trace_verdict(&hops, &seen, &verdict);
		CHECK_INT_ROW(verdict.entries, entered[i].entries, entered[i].spans);
		CHECK_INT_ROW(verdict.entries_called, entered[i].called, entered[i].spans);
		trace_verdict_release(&verdict);
		trace_hops_release(&hops);
		trace_release(&trace);
	}
}
