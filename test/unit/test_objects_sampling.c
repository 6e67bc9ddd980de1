/* SPDX-License-Identifier: Apache-2.0 */
/* What is put on spans in the collector, and which traces it sends on. */
#include "rendered.h"

#define COLLECTOR  "config otel-collector-config"
#define STATEMENTS "/processors/transform~1identity/trace_statements"
#define ATTRIBUTES "/processors/resource~1identity/attributes"
#define ROLE(ROLE_NAME, SERVICE)                                                                   \
	"\"set(resource.attributes[\\\"llm_d.role\\\"], \\\"" ROLE_NAME                            \
	"\\\") where resource.attributes[\\\"llm_d.role\\\"] == nil and "                          \
	"resource.attributes[\\\"service.name\\\"] == \\\"" SERVICE "\\\"\""

static const struct rendered_row identities[] = {
    {"{}", COLLECTOR, ATTRIBUTES, NULL},
    {"{}", COLLECTOR, STATEMENTS "/0", ROLE("prefill", "vllm-prefill")},
    {"{}", COLLECTOR, STATEMENTS "/1", ROLE("decode", "vllm-decode")},
    {"{}", COLLECTOR, STATEMENTS "/3", NULL},
    {"components: {vllm: {serviceNames: {prefill: p, decode: d}}}", COLLECTOR, STATEMENTS "/0",
     ROLE("prefill", "p")},
    {"components: {vllm: {serviceNames: {prefill: p, default: d}}}", COLLECTOR, STATEMENTS "/1",
     ROLE("decode", "d")},
    /* one name for both tells no role */
    {"components: {vllm: {serviceNames: {default: d}}}", COLLECTOR, STATEMENTS "/1", NULL},
    {"identity: {cluster: c1, environment: prod}", COLLECTOR, ATTRIBUTES,
     "[{\"key\":\"k8s.cluster.name\",\"value\":\"c1\",\"action\":\"insert\"},"
     "{\"key\":\"deployment.environment.name\",\"value\":\"prod\",\"action\":\"insert\"}]"},
    {"identity: {environment: prod}", COLLECTOR, ATTRIBUTES "/1", NULL},
    {"identity: {serviceNameSuffix: -eu}", COLLECTOR, STATEMENTS "/3",
     "\"set(resource.attributes[\\\"service.name\\\"], "
     "Concat([resource.attributes[\\\"service.name\\\"], \\\"-eu\\\"], \\\"\\\")) where "
     "resource.attributes[\\\"service.name\\\"] != nil\""},
};

TEST(identity)
{
	check_rows(identities, ARRAY_LEN(identities));
}

#define TAIL(WORDS) "collector: {tailSampling: {" WORDS "}}"
#define TIER        "collector: {replicas: 3, tailSampling: {ratio: '0.1'}}"
#define POLICIES    "/processors/tail_sampling/policies"
#define RATIO       POLICIES "/1/probabilistic/sampling_percentage"

static const struct rendered_row samplings[] = {
    {"{}", COLLECTOR, "/service/pipelines/traces~1sampled", NULL},
    {"{}", COLLECTOR, "/processors/tail_sampling", NULL},
    {"{}", COLLECTOR, "/connectors/forward~1sampled", NULL},
    {TAIL("ratio: '0.1', slowerThan: 5s, wait: 2m"), COLLECTOR, POLICIES,
     "[{\"name\":\"errors\",\"type\":\"status_code\",\"status_code\":{\"status_codes\":[\"ERROR\"]}"
     "},{\"name\":\"slow\",\"type\":\"latency\",\"latency\":{\"threshold_ms\":5000}},{\"name\":"
     "\"ratio\",\"type\":\"probabilistic\",\"probabilistic\":{\"sampling_percentage\":10}}]"},
    {TAIL("ratio: '0.1', wait: 2m"), COLLECTOR, "/processors/tail_sampling/decision_wait",
     "\"2m\""},
    {TAIL("ratio: '0.1', errors: false"), COLLECTOR, POLICIES "/0/name", "\"ratio\""},
    {TAIL("ratio: '0.05'"), COLLECTOR, RATIO, "5"},
    {TAIL("ratio: '0.005'"), COLLECTOR, RATIO, "0.5"},
    {TAIL("ratio: '0.1234'"), COLLECTOR, RATIO, "12.34"},
    {TAIL("ratio: '1.0'"), COLLECTOR, RATIO, "100"},
    {TAIL("ratio: '1'"), COLLECTOR, RATIO, "100"},
    {TAIL("ratio: '0'"), COLLECTOR, RATIO, "0"},
    {TAIL("ratio: '00.5'"), COLLECTOR, RATIO, "50"},
    /* metrics are made of everything, before the decision */
    {TAIL("ratio: '0.1'"), COLLECTOR, "/service/pipelines/traces/exporters",
     "[\"spanmetrics\",\"signaltometrics\",\"forward/sampled\"]"},
    {TAIL("ratio: '0.1'"), COLLECTOR, "/service/pipelines/traces~1sampled",
     "{\"receivers\":[\"forward/sampled\"],\"processors\":[\"memory_limiter\",\"tail_sampling\","
     "\"batch/sampled\"],\"exporters\":[\"otlp/backend\"]}"},
    {TAIL("ratio: '0.1'"), "Service/otel-collector-tier", "", NULL},
    {TIER, COLLECTOR, "/service/pipelines/traces/exporters",
     "[\"spanmetrics\",\"signaltometrics\",\"loadbalancing\"]"},
    {TIER, COLLECTOR, "/service/pipelines/traces~1sampled/receivers", "[\"otlp/tier\"]"},
    {TIER, COLLECTOR, "/exporters/loadbalancing/resolver/dns/hostname", "\"otel-collector-tier\""},
    {TIER, COLLECTOR, "/receivers/otlp~1tier/protocols/grpc/endpoint", "\":4319\""},
    {TIER, "Service/otel-collector-tier", "/spec/clusterIP", "\"None\""},
    {TIER, "Service/otel-collector-tier", "/spec/ports/0/port", "4319"},
    {TIER, "NetworkPolicy/otel-collector", "/spec/ingress/2",
     "{\"from\":[{\"podSelector\":{\"matchLabels\":{\"app\":\"otel-collector\","
     "\"app.kubernetes.io/managed-by\":\"llmd-tracing\"}}}],\"ports\":[{\"port\":4319,"
     "\"protocol\":\"TCP\"}]}"},
    {"{}", "NetworkPolicy/otel-collector", "/spec/ingress/2", NULL},
    {"collector: {replicas: 3}", "Service/otel-collector-tier", "", NULL},
};

TEST(tail_sampling)
{
	check_rows(samplings, ARRAY_LEN(samplings));
}

#define SAMPLED       "/service/pipelines/traces~1sampled"
#define BY_CHANCE     "/processors/probabilistic_sampler/sampling_percentage"
#define SPANS         "/processors/tail_sampling~1limit/policies/0/rate_limiting/spans_per_second"
#define COLLECTOR_0_1 "sampling: {where: Collector, ratio: '0.1'}"

static const struct rendered_row collectors[] = {
    {"sampling: {ratio: '0.1'}", COLLECTOR, SAMPLED, NULL},
    {"sampling: {where: Pods, ratio: '0.1'}", COLLECTOR, SAMPLED, NULL},
    {COLLECTOR_0_1, COLLECTOR, SAMPLED,
     "{\"receivers\":[\"forward/sampled\"],\"processors\":[\"memory_limiter\",\"probabilistic_"
     "sampler\",\"batch/sampled\"],\"exporters\":[\"otlp/backend\"]}"},
    {COLLECTOR_0_1, COLLECTOR, BY_CHANCE, "10"},
    {COLLECTOR_0_1, COLLECTOR, "/service/pipelines/traces/exporters",
     "[\"spanmetrics\",\"signaltometrics\",\"forward/sampled\"]"},
    /* the decision goes by the trace's id alone, so spans need not meet */
    {"{" COLLECTOR_0_1 ", collector: {replicas: 3}}", COLLECTOR, "/exporters/loadbalancing", NULL},
    {"{" COLLECTOR_0_1 ", collector: {replicas: 3}}", "Service/otel-collector-tier", "", NULL},
    {"{sampling: {where: Collector}, collector: {tailSampling: {ratio: '0.2'}}}", COLLECTOR,
     BY_CHANCE, NULL},
    {"{sampling: {where: Collector}, collector: {tailSampling: {ratio: '0.2'}}}", COLLECTOR, RATIO,
     "20"},
    {"sampling: {maxSpansPerSecond: 500}", COLLECTOR, SAMPLED "/processors",
     "[\"memory_limiter\",\"tail_sampling/limit\",\"batch/sampled\"]"},
    {"sampling: {maxSpansPerSecond: 500}", COLLECTOR, SPANS, "500"},
    {"{sampling: {maxSpansPerSecond: 500}, collector: {replicas: 3}}", COLLECTOR, SPANS, "166"},
    {"{sampling: {maxSpansPerSecond: 1}, collector: {replicas: 3}}", COLLECTOR, SPANS, "1"},
    {"{sampling: {maxSpansPerSecond: 500}, collector: {replicas: 3}}",
     "Service/otel-collector-tier", "/spec/clusterIP", "\"None\""},
    {"{sampling: {where: Collector, maxSpansPerSecond: 5}}", COLLECTOR, SAMPLED "/processors",
     "[\"memory_limiter\",\"probabilistic_sampler\",\"tail_sampling/limit\",\"batch/sampled\"]"},
    {"{sampling: {maxSpansPerSecond: 5}, " TAIL("ratio: '0.1'") "}", COLLECTOR,
     SAMPLED "/processors",
     "[\"memory_limiter\",\"tail_sampling\",\"tail_sampling/limit\",\"batch/sampled\"]"},
};

TEST(sampling_in_the_collector)
{
	check_rows(collectors, ARRAY_LEN(collectors));
}
