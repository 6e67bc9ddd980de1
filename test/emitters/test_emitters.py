# SPDX-License-Identifier: Apache-2.0
"""One request through the emitters, seen in Jaeger: what connects, and what cannot in which version."""
import json
import secrets
import urllib.request

import pytest

import emitters
from waiting import holds_for, wait_for

FOUR = {"llm-d-router/epp", "routing-proxy", "vllm-prefill", "vllm-decode"}


def send(port, sampled=True, traceparent=True):
    """A completion with a traceparent of our own; its trace id and our span's id."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    headers = {"Content-Type": "application/json"}
    if traceparent:
        headers["traceparent"] = f"00-{trace}-{span}-{'01' if sampled else '00'}"
    body = json.dumps({"model": "org/model", "prompt": "the user's own words", "max_tokens": 8}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/completions", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["choices"][0]["text"] == "ok"
    return trace, span


def disaggregated(yard, backend, sidecar=emitters.SIDECAR, picker=emitters.PICKER, flags=("--tracing=true",), **engine):
    """gateway → EPP → proxy → prefill and decode; the gateway's port."""
    prefill = yard.engine("vllm-prefill", backend.endpoint, **engine)
    decode = yard.engine("vllm-decode", backend.endpoint, **engine)
    proxy = yard.proxy(decode, backend.endpoint, sidecar, flags)
    port = yard.picker(f"decode=127.0.0.1:{proxy.port},prefill=127.0.0.1:{prefill.port}", backend.endpoint, picker)
    return yard.gateway(port).port


def services_of(backend, trace, expected):
    wait_for(lambda: {span.service for span in backend.trace(trace)} >= expected, 60, f"{expected} in {trace}")
    return backend.trace(trace)


def parents(spans):
    """(service, operation): (service, operation) of its parent, or None for what hangs on our own span."""
    by_id = {span.id: span for span in spans}
    return {(s.service, s.operation): (by_id[s.parent].service, by_id[s.parent].operation) if s.parent in by_id else None
            for s in spans}


def test_one_request_is_one_trace(yard, backend):
    trace, root = send(disaggregated(yard, backend))
    spans = services_of(backend, trace, FOUR)
    yard.stop()  # sends what is batched
    spans = backend.trace(trace)
    assert {span.service for span in spans} == FOUR
    tree = parents(spans)
    assert [span.operation for span in spans if span.parent == root] == ["gateway.request"]
    assert [name for name, parent in tree.items() if parent is None] == [("llm-d-router/epp", "gateway.request")]
    assert tree["routing-proxy", "llm_d.pd_proxy.POST /v1/completions"] == ("llm-d-router/epp", "gateway.request")
    assert tree["routing-proxy", "decode"] == ("routing-proxy", "prefill")
    assert tree["vllm-prefill", "llm_request"] == ("routing-proxy", "prefill")
    assert tree["vllm-decode", "llm_request"] == ("routing-proxy", "decode")
    operations = {span.operation for span in spans}
    assert operations >= {"gateway.request_orchestration", "llm_d.epp.scoring", "llm_d.epp.scorer.prefix-cache-scorer",
                          "llm_d.kv_cache.index", "prefill", "decode", "llm_request"}
    decode = next(s for s in spans if s.service == "vllm-decode")
    assert decode.tags["gen_ai.latency.time_to_first_token"] > 0 and decode.tags["gen_ai.usage.completion_tokens"] == 8
    whole = next(s for s in spans if s.operation == "gateway.request")
    assert "the user's own words" not in str([vars(span) for span in spans]) and whole.tags["gen_ai.request.model"] == "org/model"


def test_aggregated_without_proxy(yard, backend):
    engine = yard.engine("vllm-decode", backend.endpoint)
    port = yard.gateway(yard.picker(f"127.0.0.1:{engine.port}", backend.endpoint)).port
    trace, _ = send(port)
    tree = parents(services_of(backend, trace, {"llm-d-router/epp", "vllm-decode"}))
    assert tree["vllm-decode", "llm_request"] == ("llm-d-router/epp", "gateway.request")


@pytest.mark.parametrize(("sidecar", "flags", "operation"), [
    ("ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0", (), "llm_d.pd_proxy.prefill"),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0", ("--tracing=true",), "prefill")], ids=["v0.8", "v0.9"])
def test_sidecars_before_0_10_do_not_propagate(yard, backend, sidecar, flags, operation):
    service = f"old-{operation.count('.')}"
    port = disaggregated(yard, backend, sidecar, flags=flags, OTEL_SERVICE_NAME=service)
    trace, _ = send(port)
    spans = services_of(backend, trace, {"llm-d-router/epp", "routing-proxy"})
    wait_for(lambda: backend.traces(service), 30, "the engines' own traces")
    assert operation in {span.operation for span in spans}
    assert service not in {span.service for span in backend.trace(trace)}
    assert all(span.parent is None for found in backend.traces(service).values() for span in found if span.operation == "llm_request")


def test_a_picker_before_0_9_does_not_read_the_client(yard, backend):
    engine = yard.engine("vllm-decode", backend.endpoint)
    picker = yard.picker(f"127.0.0.1:{engine.port}", backend.endpoint, "ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0",
                         "llm-d-inference-scheduler")
    trace, _ = send(yard.gateway(picker).port)
    spans = services_of(backend, trace, {"vllm-decode"})
    wait_for(lambda: backend.traces("llm-d-inference-scheduler"), 30)
    assert {span.service for span in spans} == {"vllm-decode"}


def test_unsampled_upstream_means_no_spans(yard, backend):
    port = disaggregated(yard, backend)
    trace, _ = send(port, sampled=False)
    later, _ = send(port)
    services_of(backend, later, FOUR)
    with pytest.raises(AssertionError, match="404"):
        backend.trace(trace)


def test_uninstrumented_picker_gives_generic_spans_only(yard, backend, tmp_path):
    engine = yard.engine("vllm-generic", backend.endpoint)
    port = yard.picker(f"127.0.0.1:{engine.port}", "http://127.0.0.1:1", "registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0",
                       OTEL_TRACES_EXPORTER="console")
    trace, _ = send(yard.gateway(port).port)
    services_of(backend, trace, {"vllm-generic"})
    console = yard.running[1]
    wait_for(lambda: '"Name": "GET"' in console.text(), 10, "the generic span on stdout")
    assert console.text().count('"Name":') - console.text().count('"Name": "llm-d"') == 1


def test_without_exporter_variable_spans_go_to_stdout(yard, backend):
    engine = yard.engine("vllm-decode", backend.endpoint)
    proxy = yard.proxy(engine, backend.endpoint, OTEL_TRACES_EXPORTER="")
    send(proxy.port)
    wait_for(lambda: '"Name": "llm_d.pd_proxy.POST /v1/completions"' in proxy.text(), 10)


def test_without_flag_the_proxy_is_silent(yard, backend):
    engine = yard.engine("vllm-decode", backend.endpoint)
    proxy = yard.proxy(engine, backend.endpoint, flags=(), OTEL_SERVICE_NAME="silent-proxy")
    trace, _ = send(proxy.port)
    yard.stop()
    assert "silent-proxy" not in backend.services() and proxy.text() == ""


@pytest.mark.parametrize(("sampler", "ratio", "kept"), [
    ("parentbased_traceidratio", "1.0", 40), ("always_on", "1.0", None), ("parentbased_traceidratio", "0", 0)])
def test_sampler_of_go_programs(yard, backend, sampler, ratio, kept):
    """Any name but one quietly keeps a tenth; 40 requests with a tenth each are all kept by a chance of 1e-40."""
    engine = yard.engine("vllm-sampled", "")
    service = f"sampled-{sampler}-{ratio}"
    proxy = yard.proxy(engine, backend.endpoint, OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=ratio, OTEL_SERVICE_NAME=service)
    for _ in range(40):
        send(proxy.port, traceparent=False)
    yard.stop()
    if kept is None:
        assert len(backend.traces(service)) < 40
    elif kept == 0:
        holds_for(lambda: service not in backend.services(), 0.5)
    else:
        wait_for(lambda: len(backend.traces(service)) == kept, 30)


@pytest.mark.parametrize(("image", "endpoint", "arrives"), [
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0", "bare", True),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0", "https", True),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", "bare", False),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", "https", False),
    ("ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", "http", True)])
def test_endpoint_forms_of_the_proxy(yard, backend, image, endpoint, arrives):
    """Measured with the real binaries against a plaintext collector (LLMD.md §9)."""
    engine = yard.engine("vllm-forms", "")
    address = backend.endpoint.partition("//")[2]
    service = f"form-{image[-4:]}-{endpoint}"
    proxy = yard.proxy(engine, address if endpoint == "bare" else f"{endpoint}://{address}", image, OTEL_SERVICE_NAME=service)
    send(proxy.port)
    yard.stop()  # sends what is batched, or gives it up
    if arrives:
        wait_for(lambda: service in backend.services(), 30)
    else:
        holds_for(lambda: service not in backend.services(), 0.5)


def test_engine_attributes_and_start(yard, backend):
    engine = yard.engine("vllm-started", backend.endpoint, OTEL_RESOURCE_ATTRIBUTES="k8s.pod.name=decode-0")
    yard.stop()
    wait_for(lambda: "vllm-started" in backend.services(), 30)
    spans = [span for found in backend.traces("vllm-started").values() for span in found]
    assert {span.operation for span in spans} == {"Overall Loading", "Load model"}
    assert {span.resource["k8s.pod.name"] for span in spans} == {"decode-0"} and engine.process.returncode == 0


def test_sglang_names_itself(yard, backend):
    port = emitters.free_port()
    yard.start(["python3", "-m", "sglang.launch_server", "--model-path", "m", f"--port={port}", "--enable-trace",
                f"--otlp-traces-endpoint={backend.endpoint}"], "lmsysorg/sglang:v0.5.13",
               emitters.tracing_env(backend.endpoint, "sglang-decode"), port)
    send(port)
    yard.stop()
    wait_for(lambda: "sglang" in backend.services(), 30)
    assert "sglang-decode" not in backend.services()


def test_http_protobuf_needs_the_whole_url(yard, backend):
    protocol = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}
    for service, endpoint in (("http-whole", backend.http_endpoint + "/v1/traces"), ("http-bare", backend.http_endpoint)):
        send(yard.engine(service, endpoint, **protocol).port)
    yard.stop()
    wait_for(lambda: "http-whole" in backend.services(), 30)
    assert "http-bare" not in backend.services()


def test_scrape_spans_never_reach_jaeger(yard, backend):
    engine = yard.engine("vllm-scraped", backend.endpoint, "ghcr.io/llm-d/llm-d-cuda:v0.9.0")
    engine.answers("/metrics")
    send(engine.port)
    yard.stop()
    wait_for(lambda: any(s.operation == "llm_request" for t in backend.traces("vllm-scraped").values() for s in t), 30)
    assert not [s for t in backend.traces("vllm-scraped").values() for s in t if "GET" in s.operation]
