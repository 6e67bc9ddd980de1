/* SPDX-License-Identifier: Apache-2.0 */
/* From a verdict to its causes. */
#include "hops.h"

static void no_exporter(struct trace_hops *hops)
{
	set(&hops->items[1].exporter, NULL);
}

static void engine_without_exporter(struct trace_hops *hops)
{
	set(&hops->items[2].exporter, NULL);
}

static void always_on(struct trace_hops *hops)
{
	set(&hops->items[0].sampler, "always_on");
	set(&hops->items[2].sampler, "always_on"); /* Python knows it */
}

static void ratio_zero(struct trace_hops *hops)
{
	set(&hops->items[0].ratio, "0.0");
}

static void wrong_port(struct trace_hops *hops)
{
	set(&hops->items[0].endpoint, "http://otel-collector:4318");
	set(&hops->items[2].endpoint, "http://otel-collector:4318/v1/traces");
}

static void https(struct trace_hops *hops)
{
	for (size_t i = 0; i < hops->count; i++)
		set(&hops->items[i].endpoint, "https://otel-collector:4317");
}

static void bare(struct trace_hops *hops)
{
	set(&hops->items[1].endpoint, "otel-collector:4317");
}

static void old_proxy(struct trace_hops *hops)
{
	set(&hops->items[1].image, "llm-d-router-disagg-sidecar:v0.9.0");
	hops->items[1].detached = true;
}

static void old_engine(struct trace_hops *hops)
{
	hops->items[3].on = false;
	hops->items[3].reason = REASON_ENGINE_TOO_OLD;
	set(&hops->items[3].message, "vLLM 0.10.0: no packages");
}

static void no_flag(struct trace_hops *hops)
{
	hops->items[1].on = false;
	hops->items[1].flag_missing = true;
	hops->items[1].reason = REASON_OPAQUE_COMMAND;
}

static void opted_out(struct trace_hops *hops)
{
	hops->items[0].on = false;
	hops->items[0].reason = REASON_OPTED_OUT;
	set(&hops->items[0].exporter, NULL);
}

static void conflicting(struct trace_hops *hops)
{
	hops->items[1].on = false;
	hops->items[1].flag_missing = true;
	hops->items[1].reason = REASON_CONFLICTING_USER_VALUE;
	set(&hops->items[1].exporter, "console");
}

static void nameless(struct trace_hops *hops)
{
	set(&hops->items[2].service, NULL);
	set(&hops->items[3].service, NULL);
}

#define NO_PROXY GOOD_EPP "1 vllm-prefill llm_request\n1 vllm-decode llm_request\n"
#define APART                                                                                      \
	GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1\n2 vllm-prefill llm_request\n"           \
		 "3 vllm-decode llm_request\n"
#define IDLE "otelcol_receiver_accepted_spans 0\n"

TEST(symptoms)
{
	static const struct {
		const char *row;
		void (*change)(struct trace_hops *hops);
		const char *spans, *metrics;
		struct trace_observation more;
		const char *want; /* Word@hop … */
	} rows[] = {
	    {"all is well", NULL, GOOD, NULL, {0}, ""},
	    {"no exporter", no_exporter, NO_PROXY, NULL, {0}, "MissingExporter@1"},
	    {"engines need none",
	     engine_without_exporter,
	     GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1\n1 vllm-prefill llm_request\n",
	     NULL,
	     {0},
	     "Silent@2"},
	    {"a tenth", always_on, GOOD, NULL, {0}, "UnsupportedSampler@0"},
	    {"ratio 0", ratio_zero, "", IDLE, {0}, "SamplesNothing@0"},
	    {"ratio 0 does not bind a sampled parent",
	     ratio_zero,
	     "",
	     IDLE,
	     {.sent_trace = "1"},
	     "SamplesNothing@0 CollectorUnreachable"},
	    {"4318", wrong_port, "", IDLE, {0}, "WrongPort@0"},
	    {"TLS to plaintext",
	     https,
	     "",
	     IDLE,
	     {.tls = ANSWER_NO},
	     "TLSToPlaintext@0 TLSToPlaintext@1 TLSToPlaintext@2 TLSToPlaintext@3"},
	    {"TLS where it is not known", https, "", IDLE, {0}, "NoTraffic"},
	    {"plaintext to TLS",
	     NULL,
	     "",
	     IDLE,
	     {.tls = ANSWER_YES},
	     "PlaintextToTLS@0 PlaintextToTLS@1 PlaintextToTLS@2 PlaintextToTLS@3"},
	    {"bare host", bare, NO_PROXY, NULL, {0}, "BadEndpoint@1"},
	    {"an old proxy", old_proxy, APART, NULL, {0}, "ProxyHandsNoContextOn@1"},
	    {"apart without a reason", NULL, APART, NULL, {0}, "NotConnected"},
	    {"an old engine",
	     old_engine,
	     GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1\n1 vllm-decode llm_request\n",
	     NULL,
	     {0},
	     "NoInstrumentation@3"},
	    {"flag missing", no_flag, NO_PROXY, NULL, {0}, "FlagMissing@1"},
	    {"an untraced proxy cuts off too",
	     no_flag,
	     GOOD_EPP "2 vllm-prefill llm_request\n3 vllm-decode llm_request\n",
	     NULL,
	     {0},
	     "FlagMissing@1 ProxyHandsNoContextOn@1"},
	    {"opted out",
	     opted_out,
	     "1 routing-proxy llm_d.pd_proxy.POST /v1\n1 vllm-decode llm_request\n1 vllm-prefill "
	     "llm_request\n",
	     NULL,
	     {0},
	     "NotInjected@0"},
	    {"unknown service",
	     nameless,
	     GOOD_EPP "1 routing-proxy llm_d.pd_proxy.POST /v1\n1 unknown_service llm_request\n",
	     NULL,
	     {0},
	     "UnknownService"},
	    {"only GETs",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\notelcol_processor_filter_spans_filtered 9\n",
	     {0},
	     "OnlyGenericSpans"},
	    {"memory limit",
	     NULL,
	     "",
	     IDLE "otelcol_receiver_refused_spans 4\n",
	     {0},
	     "CollectorRefuses"},
	    {"back end away",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\notelcol_exporter_send_failed_spans 9\n",
	     {0},
	     "BackendRefuses"},
	    {"back end restarted",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\n",
	     {.backend_fresh = true},
	     "BackendRestarted"},
	    {"policy", NULL, "", IDLE, {.network_policy = "deny-all"}, "NetworkPolicy"},
	    {"unsampled parent", NULL, "", IDLE, {.traffic = ANSWER_YES}, "UnsampledParent"},
	    {"unsampled parent, and engines that were heard starting",
	     NULL,
	     "1 vllm-decode load_model\n2 vllm-prefill load_model\n",
	     "otelcol_receiver_accepted_spans 2\n",
	     {.traffic = ANSWER_YES},
	     "UnsampledParent"},
	    {"engines that were heard starting and serve nothing",
	     NULL,
	     "1 vllm-decode load_model\n2 vllm-prefill load_model\n",
	     "otelcol_receiver_accepted_spans 2\n",
	     {.traffic = ANSWER_NO},
	     "NoTraffic"},
	    {"a value of the user's that cannot work",
	     conflicting,
	     NO_PROXY,
	     NULL,
	     {0},
	     "MissingExporter@1"},
	    {"a back end that has forgotten what the collector counts",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\n"
	     "calls_total{service_name=\"llm-d-router/epp\",span_name=\"gateway.request\"} 1\n"
	     "calls_total{service_name=\"llm-d-router/epp\",span_name=\"llm_d.epp.scoring\"} 1\n"
	     "calls_total{service_name=\"routing-proxy\",span_name=\"llm_d.pd_proxy.POST\"} 1\n"
	     "calls_total{service_name=\"vllm-prefill\",span_name=\"llm_request\"} 1\n"
	     "calls_total{service_name=\"vllm-decode\",span_name=\"llm_request\"} 1\n",
	     {.backend_fresh = true},
	     "BackendRestarted"},
	    {"a back end that has got the last spans only of what the collector counts",
	     NULL,
	     "1 vllm-decode llm_request\n",
	     "otelcol_receiver_accepted_spans 9\n"
	     "calls_total{service_name=\"llm-d-router/epp\",span_name=\"gateway.request\"} 1\n"
	     "calls_total{service_name=\"routing-proxy\",span_name=\"llm_d.pd_proxy.POST\"} 1\n"
	     "calls_total{service_name=\"vllm-prefill\",span_name=\"llm_request\"} 1\n"
	     "calls_total{service_name=\"vllm-decode\",span_name=\"llm_request\"} 1\n",
	     {.backend_fresh = true},
	     "BackendRestarted"},
	    {"a new back end that knows one, where the collector counts nobody by name",
	     NULL,
	     "1 vllm-decode llm_request\n",
	     "otelcol_receiver_accepted_spans 9\n",
	     {.backend_fresh = true},
	     "BackendRestarted"},
	    {"a new back end, and a proxy that cannot be heard anyway",
	     no_exporter,
	     NO_PROXY,
	     "otelcol_receiver_accepted_spans 9\n",
	     {.backend_fresh = true},
	     "MissingExporter@1"},
	    {"unsampled parent of all but the one that was sent",
	     NULL,
	     GOOD,
	     NULL,
	     {.traffic = ANSWER_YES,
	      .sent_trace = "00000000000000000000000000000001",
	      .sent_alone = true},
	     "UnsampledParent"},
	    {"nothing but the one that was sent was served",
	     NULL,
	     GOOD,
	     NULL,
	     {.traffic = ANSWER_NO,
	      .sent_trace = "00000000000000000000000000000001",
	      .sent_alone = true},
	     ""},
	    {"a picker that makes none",
	     no_exporter,
	     "1 vllm-decode llm_request\n2 vllm-prefill llm_request\n",
	     NULL,
	     {.traffic = ANSWER_YES},
	     "Silent@0 MissingExporter@1"},
	    {"scrapes and no request",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\notelcol_processor_filter_spans_filtered 9\n",
	     {.traffic = ANSWER_NO},
	     "NoTraffic"},
	    {"sent and lost", NULL, "", IDLE, {.sent_trace = "1"}, "CollectorUnreachable"},
	    {"sent and lost, where others arrived before",
	     NULL,
	     "",
	     "otelcol_receiver_accepted_spans 9\n",
	     {.sent_trace = "1", .backend_fresh = true},
	     "CollectorUnreachable"},
	    {"a back end that is new and was sent nothing",
	     NULL,
	     "",
	     IDLE,
	     {.backend_fresh = true},
	     "NoTraffic"},
	    {"another's spans without a name",
	     NULL,
	     GOOD "5 unknown_service x\n",
	     NULL,
	     {0},
	     "UnknownService"},
	    {"idle", NULL, "", IDLE, {0}, "NoTraffic"},
	    {"operations",
	     NULL,
	     "1 llm-d-router/epp gateway.request\n1 routing-proxy prefill\n1 vllm-prefill "
	     "llm_request\n1 vllm-decode llm_request\n",
	     NULL,
	     {0},
	     "OperationsMissing"},
	};
	bool provoked[SYMPTOM_COUNT] = {false};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct trace_hops hops;
		struct trace trace = {0};
		struct trace_counters counters = {.calls = NULL};
		struct trace_verdict verdict;
		struct trace_findings findings;
		char got[512] = "";
		set_up(&hops);
		if (rows[i].change != NULL)
			rows[i].change(&hops);
		read_spans(rows[i].spans, &trace);
		struct trace_observation seen = rows[i].more;
		seen.trace = &trace;
		if (rows[i].metrics != NULL) {
			trace_counters_read(rows[i].metrics, strlen(rows[i].metrics), &counters);
			seen.counters = &counters;
		}
		trace_verdict(&hops, &seen, &verdict);
		trace_diagnose(&hops, &seen, &verdict, &findings);
		for (size_t k = 0; k < findings.count; k++) {
			const struct trace_finding *finding = &findings.items[k];
			add_to(got, sizeof(got), "%s%s", k == 0 ? "" : " ",
			       symptom_info(finding->symptom)->word);
			if (finding->hop != SIZE_MAX)
				add_to(got, sizeof(got), "@%zu", finding->hop);
			CHECK(finding->text[0] != '\0');
			provoked[finding->symptom] = true;
		}
		CHECK_STR_ROW(got, rows[i].want, rows[i].row);
		trace_findings_release(&findings);
		trace_verdict_release(&verdict);
		trace_counters_release(&counters);
		trace_release(&trace);
		trace_hops_release(&hops);
	}
	for (size_t i = 0; i < SYMPTOM_COUNT; i++)
		CHECK_INT_ROW(provoked[i], true, symptom_info((enum trace_symptom)i)->word);
}

TEST(a_finding_names_the_place)
{
	struct trace_hops hops;
	struct trace trace = {0};
	struct trace_verdict verdict;
	struct trace_findings findings;
	set_up(&hops);
	no_exporter(&hops);
	read_spans(NO_PROXY, &trace);
	struct trace_observation seen = {.trace = &trace};
	trace_verdict(&hops, &seen, &verdict);
	trace_diagnose(&hops, &seen, &verdict, &findings);
	CHECK_INT(findings.count, 1);
	CHECK_STR(findings.items[0].text,
		  "Deployment/decode, container routing-proxy (OTEL_TRACES_EXPORTER is not set): "
		  "OTEL_TRACES_EXPORTER is not otlp, so spans are printed to the pod's output");
	trace_findings_release(&findings);
	trace_verdict_release(&verdict);
	trace_release(&trace);
	trace_hops_release(&hops);
}
