# SPDX-License-Identifier: Apache-2.0
"""Spans of the real SDK through the rendered collector into the rendered Jaeger."""
import json
import subprocess
import sys
import time

import pytest

import parts
from waiting import wait_for

# Runs with the SDK of the emitters: argv is the endpoint, the service and spans as JSON.
SEND = """
import json, sys
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode
provider = TracerProvider(resource=Resource.create({"service.name": sys.argv[2]}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=sys.argv[1], insecure=True)))
for one in json.loads(sys.argv[3]):
    span = provider.get_tracer("test").start_span(one["name"], attributes=one.get("attributes"))
    for event in one.get("events", []):
        span.add_event(event["name"], event.get("attributes"))
    if one.get("error"):
        span.set_status(StatusCode.ERROR)
    print(format(span.get_span_context().trace_id, "032x"))
    span.end()
provider.shutdown()
"""


def send(backend, service, *spans, resource=""):
    """The trace id of each span; each is a trace of its own."""
    done = subprocess.run([sys.executable, "-c", SEND, backend.endpoint, service, json.dumps(spans)], text=True, check=True,
                          stdout=subprocess.PIPE, env={"PYTHONPATH": str(parts.site()), "OTEL_RESOURCE_ATTRIBUTES": resource}, timeout=60)
    return done.stdout.split()


def arrived(backend, trace_id):
    return wait_for(lambda: backend.trace(trace_id), 30, f"trace {trace_id}")


def test_arrives_with_its_attributes(backend):
    sent = send(backend, "live-plain", {"name": "llm_request", "attributes": {"gen_ai.usage.prompt_tokens": 7}})
    spans = arrived(backend, sent[0])
    assert [(s.service, s.operation, s.tags["gen_ai.usage.prompt_tokens"]) for s in spans] == [("live-plain", "llm_request", 7)]


def test_content_does_not_arrive(backend):
    secret = "the user's own words"
    sent = send(backend, "live-content", {
        "name": "llm_request", "attributes": {"gen_ai.input.messages": secret, "gen_ai.request.max_tokens": 5},
        "events": [{"name": "gen_ai.user.message", "attributes": {"content": secret}}, {"name": "first token"}]})
    span = arrived(backend, sent[0])[0]
    assert secret not in json.dumps([span.tags, span.events])
    assert span.tags["gen_ai.request.max_tokens"] == 5
    assert [event["event"] for event in span.events] == ["first token"]


SECRET = "s3cr3tV4lueThatNobodyMaySee"
CREDENTIALS = {
    "authorization": f"Bearer {SECRET}", "rpc.metadata.authorization": SECRET, "api_key": SECRET, "llm.request.api-key": SECRET,
    "http.request.header.cookie": SECRET, "db.password": SECRET, "oauth.access_token": SECRET,
    "url.full": f"https://m.example/v1?model=a&api_key={SECRET}", "note": f"called with Bearer {SECRET}",
    "detail": f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}", "env": f"OPENAI=sk-{SECRET}", "hub": f"hf_{SECRET}"}
CONTENT = {
    "gen_ai.prompt": SECRET, "gen_ai.prompt.0.content": SECRET, "gen_ai.completion": SECRET, "gen_ai.output.messages": SECRET,
    "gen_ai.system_instructions": SECRET, "gen_ai.tool.call.arguments": SECRET, "llm.prompts": SECRET,
    "llm.input_messages.0.message.content": SECRET, "input.value": SECRET, "output.value": SECRET, "traceloop.entity.input": SECRET}
HARMLESS = {"gen_ai.usage.prompt_tokens": 7, "gen_ai.request.model": "acme/a", "gen_ai.token.type": "input", "url.path": "/v1/completions",
            "llm_d.role": "decode", "gen_ai.response.finish_reasons": "stop", "secretary": "kept", "k": "token count 5"}


def carrying(attributes):
    return {"name": "llm_request", "attributes": {**attributes, **HARMLESS},
            "events": [{"name": "progress", "attributes": attributes}, {"name": "gen_ai.assistant.message", "attributes": {"content": SECRET}}]}


@pytest.mark.parametrize("attributes", [CREDENTIALS, CONTENT], ids=["credentials", "content"])
def test_neither_credentials_nor_content_arrive_and_all_else_does(backend, attributes):
    span = arrived(backend, send(backend, "live-secrets", carrying(attributes))[0])[0]
    leaks = [f"{key}={value}" for tags in (span.tags, *span.events) for key, value in tags.items() if SECRET in str(value)]
    assert leaks == []
    assert {key: span.tags.get(key) for key in HARMLESS} == HARMLESS


def test_the_switch_keeps_everything(telemetry_of):
    backend = telemetry_of({"privacy": {"dropContent": False}})
    span = arrived(backend, send(backend, "live-kept", carrying(CONTENT))[0])[0]
    assert {key: span.tags.get(key) for key in CONTENT} == CONTENT
    assert [event["event"] for event in span.events] == ["progress", "gen_ai.assistant.message"]


@pytest.mark.parametrize("noise", [
    {"name": "GET"}, {"name": "GET /metrics"}, {"name": "scrape", "attributes": {"url.path": "/metrics"}},
    {"name": "scrape", "attributes": {"http.route": "/metrics"}}], ids=["bare-get", "get-metrics", "path", "route"])
def test_scrapes_are_dropped(backend, noise):
    sent = send(backend, "live-scrapes", noise, {"name": "llm_request"})
    arrived(backend, sent[1])  # sent after it, on the same stream
    with pytest.raises(AssertionError, match="404"):
        backend.trace(sent[0])


def test_services_are_only_those_that_sent(backend):
    sent = send(backend, "live-service", {"name": "llm_request"})
    arrived(backend, sent[0])
    assert {name for name in backend.services() if not name.startswith("live-")} == set()
    assert "live-service" in backend.services()


def value_of(backend, port, name, *labels):
    """The value of the one series of that name with all these labels (as they are printed)."""
    found = [line.rpartition(" ")[2] for line in backend.metrics(port)
             if line.split("{")[0].split(" ")[0] == name and all(label in line for label in labels)]
    assert len(found) == 1, f"{name} {labels}: {found}"
    return float(found[0])


DURATIONS = {
    "llm_d_engine_time_to_first_token_seconds": ("gen_ai.latency.time_to_first_token", 0.25, 0.25),
    "llm_d_engine_queue_duration_seconds": ("gen_ai.latency.time_in_queue", 0.5, 0.5),
    "llm_d_engine_prefill_duration_seconds": ("gen_ai.latency.time_in_model_prefill", 1, 1),
    "llm_d_engine_decode_duration_seconds": ("gen_ai.latency.time_in_model_decode", 2.0, 2),
    "llm_d_proxy_time_to_first_token_seconds": ("llm_d.pd_proxy.true_ttft_ms", 250.0, 0.25),
    "llm_d_proxy_prefill_duration_seconds": ("llm_d.pd_proxy.prefill_duration_ms", 500, 0.5),
    "llm_d_proxy_decode_duration_seconds": ("llm_d.pd_proxy.decode_duration_ms", 1000.0, 1),
    "llm_d_kv_transfer_duration_seconds": ("llm_d.pd_proxy.coordinator_overhead_ms", 125.0, 0.125),
}


def test_durations_in_attributes_become_metrics(telemetry_of):
    """Twice, so that counters have to add up; the role follows from the service's name."""
    backend = telemetry_of({"components": {"vllm": {"serviceNames": {"decode": "live-decode"}}}})
    attributes = {attribute: value for attribute, value, _ in DURATIONS.values()}
    for _ in range(2):
        send(backend, "live-decode", {"name": "llm_request", "attributes": attributes})
    who = ('service_name="live-decode"', 'llm_d_role="decode"')
    for name, (_, _, seconds) in DURATIONS.items():
        wait_for(lambda name=name: value_of(backend, 8889, f"{name}_count", *who) == 2, 30, name)
        assert value_of(backend, 8889, f"{name}_sum", *who) == 2 * seconds
    wait_for(lambda: value_of(backend, 8889, "traces_span_metrics_calls_total", *who, 'span_name="llm_request"') == 2, 30, "calls")


def test_scrapes_are_counted_before_they_are_dropped(backend):
    before = value_of(backend, 8888, "otelcol_processor_filter_spans_filtered", 'filter="filter/scrapes"')
    send(backend, "live-uninstrumented", {"name": "GET"}, {"name": "GET"}, {"name": "GET"})
    wait_for(lambda: value_of(backend, 8889, "llm_d_scrape_spans_total", 'service_name="live-uninstrumented"') == 3, 30, "by service")
    wait_for(lambda: value_of(backend, 8888, "otelcol_processor_filter_spans_filtered", 'filter="filter/scrapes"') == before + 3, 30, "in all")
    assert not any("live-uninstrumented" in line for line in backend.metrics(8889) if line.startswith("traces_span_metrics"))


def test_whole_traces_are_chosen(telemetry_of):
    backend = telemetry_of({"collector": {"tailSampling": {"ratio": "0", "wait": "1s"}},
                            "identity": {"cluster": "c1", "environment": "prod", "serviceNameSuffix": "-eu"}})
    fine, failed = send(backend, "live-tail", {"name": "llm_request"}, {"name": "llm_request", "error": True})
    (span,) = arrived(backend, failed)
    assert (span.service, span.resource["k8s.cluster.name"], span.resource["deployment.environment.name"]) == ("live-tail-eu", "c1", "prod")
    wait_for(lambda: value_of(backend, 8888, "otelcol_processor_tail_sampling_global_count_traces_sampled", 'sampled="false"') == 1, 30, "the other is judged")
    with pytest.raises(AssertionError, match="404"):
        backend.trace(fine)
    wait_for(lambda: value_of(backend, 8889, "traces_span_metrics_calls_total", 'service_name="live-tail-eu"', "ERROR") == 1, 30, "counted")
    assert value_of(backend, 8889, "traces_span_metrics_calls_total", 'service_name="live-tail-eu"', "UNSET") == 1, "counted though not sent on"


def sampled(backend, metric, *labels):
    return value_of(backend, 8888, f"otelcol_processor_{metric}", 'sampled="true"', *labels), \
        value_of(backend, 8888, f"otelcol_processor_{metric}", 'sampled="false"', *labels)


def test_the_collector_applies_the_ratio(telemetry_of):
    """200 traces that their sender has sampled; fewer than 60 or more than 140 of them once in a hundred million runs."""
    backend = telemetry_of({"sampling": {"where": "Collector", "ratio": "0.5"}})
    sent = send(backend, "live-ratio", *[{"name": "llm_request"}] * 200)
    wait_for(lambda: sum(sampled(backend, "probabilistic_sampler_count_traces_sampled")) == 200, 30, "all are judged")
    kept, _ = sampled(backend, "probabilistic_sampler_count_traces_sampled")
    assert 60 < kept < 140
    wait_for(lambda: len(backend.traces("live-ratio")) == kept, 30, "those that were kept have arrived")
    assert set(backend.traces("live-ratio")) <= set(sent)
    wait_for(lambda: value_of(backend, 8889, "traces_span_metrics_calls_total", 'service_name="live-ratio"') == 200, 30, "all are counted")


def test_a_limit_holds_whatever_callers_have_decided(telemetry_of):
    backend = telemetry_of({"sampling": {"maxSpansPerSecond": 10}})
    begin = time.monotonic()
    send(backend, "live-limit", *[{"name": "llm_request"}] * 300)
    seconds = time.monotonic() - begin
    metric = "tail_sampling_global_count_traces_sampled"
    wait_for(lambda: sum(sampled(backend, metric)) == 300, 60, "all are judged")
    kept, _ = sampled(backend, metric)
    assert 0 < kept <= 10 * (seconds + 3)
    assert kept < 300
    wait_for(lambda: len(backend.traces("live-limit")) == kept, 30, "those that were kept have arrived")


def workload(kind, name, model=None, command=(), version="apps/v1"):
    labels = {"llm-d.ai/role": "decode", "app": "server", **({"llm-d.ai/model": model} if model else {})}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "vllm", "image": "vllm:1", "command": list(command)}]}}
    spec = {"template": template} if kind in ("Deployment", "StatefulSet") else {"leaderWorkerTemplate": {"workerTemplate": template}}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


LONG = "ms-inference-scheduling-llm-d-modelservice-decode"  # so long that the API server cuts the names of its pods
ODD = 'a"b\\c${env:HOME}${HOME}\'d%e{f}é'
WORKLOADS = {"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": "pool", "namespace": "shop"},
     "spec": {"selector": {"matchLabels": {"app": "server"}}}},
    workload("StatefulSet", "a-1", "of-the-set"),
    workload("Deployment", "one", "labelled"), workload("Deployment", LONG, command=("vllm", "serve", "acme/long")),
    workload("LeaderWorkerSet", "a", command=("vllm", "serve", "x", f"--served-model-name={ODD.replace('$', 'S')}"), version="leaderworkerset.x-k8s.io/v1")]}


@pytest.mark.parametrize("options", [(), ("--cr",)], ids=["own", "cr"])
def test_what_is_known_of_a_workload_is_on_its_spans(telemetry_of, tmp_path, options):
    if options:  # the same text in another object
        pods = {"one-7d9f8c6b5d-x2x4z": {"llm_d.workload": "one"}}
    else:
        pods = {
            "one-7d9f8c6b5d-x2x4z": {"llm_d.workload": "one", "k8s.deployment.name": "one", "llm_d.pool": "pool", "llm_d.role": "decode", "llm_d.model": "labelled"},
            f"{LONG}-8ff7fd5b58lw9": {"llm_d.workload": LONG, "k8s.deployment.name": LONG, "llm_d.model": "acme/long"},
            "a-1": {"llm_d.workload": "a", "llm_d.model": ODD.replace("$", "S")}, "a-0-3": {"llm_d.workload": "a", "llm_d.pool": "pool"},
            "a-1-0": {"llm_d.workload": "a-1", "k8s.statefulset.name": "a-1", "llm_d.model": "of-the-set"},
            "other-0": {"llm_d.workload": None, "llm_d.pool": None, "llm_d.model": None}}
    around = tmp_path / "around.json"
    around.write_text(json.dumps(WORKLOADS), encoding="utf-8")
    backend = telemetry_of({"components": {"vllm": {"serviceNames": {"default": "live-origin"}}}}, "--namespace", "shop", "--around", around, *options)
    for pod, wanted in pods.items():
        where = f"k8s.namespace.name=shop,k8s.pod.name={pod}"
        span = arrived(backend, send(backend, "live-origin", {"name": "llm_request"}, resource=where)[0])[0]
        assert {key: span.resource.get(key) for key in wanted} == wanted, pod
    elsewhere = "k8s.namespace.name=other,k8s.pod.name=a-1-0"
    span = arrived(backend, send(backend, "live-origin", {"name": "llm_request"}, resource=elsewhere)[0])[0]
    assert "llm_d.workload" not in span.resource, "a namesake of another namespace"
    said = "k8s.namespace.name=shop,k8s.pod.name=a-1-0,llm_d.model=mine"
    span = arrived(backend, send(backend, "live-origin", {"name": "llm_request"}, resource=said)[0])[0]
    assert (span.resource["llm_d.model"], span.resource["llm_d.workload"]) == ("mine", "a-1"), "what the user says stays"
