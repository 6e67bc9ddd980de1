# SPDX-License-Identifier: Apache-2.0
"""That spans arrive: the operator asks the real collector and the real Jaeger, and tells what it heard."""
import itertools
import json
import os
import secrets
import sys
import time
import urllib.request

import pytest

from cluster import ROOT
from in_pod import PodOperator, Relay
from operator_process import USER
from traced import Scene
from waiting import holds_for, wait_for

sys.path.append(os.path.join(ROOT, "test/telemetry"))
from telemetry import Telemetry  # noqa: E402

ROUND_S = 90  # a question every 30 s, 60 s when nothing had moved
numbers = itertools.count(1)
EPP, PROXY, PREFILL, DECODE = "llm-d-router/epp", "routing-proxy", "vllm-prefill", "vllm-decode"


class Yard:
    """Collector and Jaeger behind the addresses of a namespace's two Services."""

    def __init__(self, folder, namespace):
        self.parts, n = Telemetry(folder), next(numbers)
        collector, jaeger = f"127.77.{n}.1", f"127.77.{n}.2"
        self.names = {f"otel-collector.{namespace}.svc": collector, f"jaeger-collector.{namespace}.svc": jaeger}
        ports = self.parts.collector.ports
        self.relays = [Relay(collector, 8888, ports[8888]), Relay(collector, 8889, ports[8889]),
                       Relay(jaeger, 16686, self.parts.jaeger.ports[16686])]
        # loopback is forbidden unless it is named
        self.policy = folder / "policy.yaml"
        self.policy.write_text(json.dumps({"allowedEndpoints": [f"http://{collector}:8888", f"http://{collector}:8889",
                                                                f"http://{jaeger}:16686", "http://tempo.example.com:4317"]}), encoding="utf-8")

    def send(self, *spans):
        """Spans of one trace: (service, operation, pod). Each is the child of the one before."""
        trace, now = secrets.token_hex(16), time.time_ns()
        ids = [secrets.token_hex(8) for _ in spans]
        body = {"resourceSpans": [{
            "resource": {"attributes": [{"key": key, "value": {"stringValue": value}}
                                        for key, value in (("service.name", service), ("k8s.pod.name", pod))]},
            "scopeSpans": [{"spans": [{"traceId": trace, "spanId": ids[i], "parentSpanId": ids[i - 1] if i else "", "name": operation,
                                       "kind": 2, "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1000000)}]}]}
            for i, (service, operation, pod) in enumerate(spans)]}
        request = urllib.request.Request(f"{self.parts.http_endpoint}/v1/traces", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
        return trace

    def stop(self):
        for relay in self.relays:
            relay.stop()
        self.parts.stop()


WHOLE = ((EPP, "gateway.request", "qwen-epp-1-a"), (EPP, "llm_d.epp.scoring", "qwen-epp-1-a"),
         (PROXY, "llm_d.pd_proxy.POST /v1/completions", "decode-1-a"), (PREFILL, "llm_request", "prefill-1-a"),
         (DECODE, "llm_request", "decode-1-a"))


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "pd.yaml").wait_settled()


@pytest.fixture
def yard(tmp_path, namespace):
    made = Yard(tmp_path, namespace)
    yield made
    made.stop()


@pytest.fixture
def pod_operator(cluster, tmp_path, yard):
    made = PodOperator(cluster, tmp_path, yard.names, "--policy", str(yard.policy)).wait_ready()
    yield made
    print(f"--- operator log (end)\n{made.log()[-6000:]}")
    made.stop()


def wait_jaeger(yard, *services):
    wait_for(lambda: set(services) <= set(yard.parts.services()), 30, f"Jaeger knows {services}")


def rows(scene):
    return {row["name"]: row for row in scene.tracing()["status"]["workloads"]}


def test_from_silence_to_one_whole_trace(scene, yard, pod_operator):
    scene.switch("true")
    scene.wait_traced()
    scene.wait_condition("SpansReceived", "False", "NoTraffic")
    wait_for(lambda: "0 of 4" in scene.condition("SpansReceived")["message"], 30, "all four are expected")
    assert "verify --send" in scene.condition("SpansReceived")["message"]
    assert scene.condition("TraceConnected")["status"] == "Unknown"
    yard.send(*WHOLE[:2], *WHOLE[3:])
    wait_jaeger(yard, EPP, PREFILL, DECODE)
    # Jaeger's Deployment is a minute old: what it does not know it may have lost
    scene.wait_condition("SpansReceived", "Unknown", "BackendRestarted", timeout=ROUND_S)
    wait_for(lambda: scene.tracing()["status"]["spans"]["heard"] == "3/4", ROUND_S, "three of four are heard")
    sent = yard.send(*WHOLE)
    wait_jaeger(yard, PROXY)
    scene.wait_condition("SpansReceived", "True", "SpansReceived", timeout=ROUND_S)
    connected = scene.wait_condition("TraceConnected", "True", "Connected", timeout=ROUND_S)
    assert sent in connected["message"] and "endpoint picker, routing proxy, engine" in connected["message"]
    status = scene.tracing()["status"]
    assert status["spans"]["trace"] == sent and status["spans"]["heard"] == "4/4"
    assert status["spans"]["operations"] == "request routing, endpoint scoring, KV transfer, engine inference"
    assert all("lastSpan" in rows(scene)[name] for name in ("decode", "prefill", "qwen-epp")), rows(scene)
    assert "4/4" in scene.cluster.kubectl("-n", scene.namespace, "get", "tracing").split()
    assert pod_operator.metric("llmd_tracing_proof_namespaces", condition="SpansReceived", status="True") == 1
    assert pod_operator.metric("llmd_tracing_proof_requests_total", result="OK") > 0
    since = scene.cluster.audit.position()
    holds_for(lambda: scene.cluster.audit.assert_no_writes(since, USER, scene.namespace), 40, "nothing is written while nothing changes")


def test_a_back_end_that_cannot_be_asked(cluster, scene, yard, pod_operator):
    """Span metrics tell who was heard; whether it is one trace stays unknown."""
    yard.send(*WHOLE)
    wait_jaeger(yard, EPP, PROXY, PREFILL, DECODE)
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {
        "backend": {"type": "OTLP", "otlp": {"endpoint": "http://tempo.example.com:4317"}}}}, scene.namespace)
    scene.switch("true")
    scene.wait_condition("SpansReceived", "True", "SpansReceived", timeout=ROUND_S)
    unknown = scene.wait_condition("TraceConnected", "Unknown", "BackendNotQueryable")
    assert "tempo.example.com" in unknown["message"]


def test_outside_the_cluster_the_api_server_is_asked(cluster, scene, operator):
    """Nobody stands behind the Services here: that is told of nowhere but in figures, and takes nothing with it."""
    running = operator()
    since = cluster.audit.position()
    scene.switch("true")
    scene.wait_traced()

    def asked():
        return [r for r in cluster.audit.requests(since, USER) if r.subresource == "proxy"]

    wait_for(asked, 30, "a question through the API server")
    assert {r.uri for r in asked()} == {f"/api/v1/namespaces/{scene.namespace}/services/http:otel-collector:8888/proxy/metrics"}
    wait_for(lambda: running.metric("llmd_tracing_proof_requests_total", service="otel-collector") >= 1, 30)
    assert running.metric("llmd_tracing_proof_requests_total", result="OK") == 0
    assert scene.condition("SpansReceived")["status"] == "Unknown"
    scene.wait_condition("Ready", "True")
