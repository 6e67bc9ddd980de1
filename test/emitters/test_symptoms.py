# SPDX-License-Identifier: Apache-2.0
"""Each symptom provoked with real SDKs, a real collector and a real Jaeger, and told by the operator's own rules.

What runs is also written down as a manifest; the verdict rests on that and on what the two programs answer.
"""
import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

import pytest

import emitters
import telemetry
from test_emitters import disaggregated, send
from waiting import wait_for

TOOL = pathlib.Path(__file__).resolve().parents[2] / "build" / os.environ.get("VARIANT", "release") / "test/tools/trace_tool"
ROLES = {"vllm-prefill": "prefill"}


class Recorded(emitters.Yard):
    """Keeps what was started, as containers."""

    def __init__(self, folder):
        super().__init__(folder)
        self.containers = []

    def start(self, command, image, env, port, path="/health"):
        self.containers.append((command, image, env))
        return super().start(command, image, env, port, path)

    def manifests(self, backend):
        """The address of the collector is what it would be in a namespace."""
        def words(text):
            return text.replace(backend.endpoint.partition("//")[2], "otel-collector:4317").replace(
                backend.http_endpoint.partition("//")[2], "otel-collector:4318")

        for n, (command, image, env) in enumerate(self.containers):
            if "gateway" in image and "epp" not in image:
                continue
            sidecar = command[0] == "pd-sidecar"
            container = {"name": command[0], "image": image, "command": [words(w) for w in command],
                         "env": [{"name": k, "value": words(v)} for k, v in env.items() if v]}
            pod = {"containers": [] if sidecar else [container],
                   "initContainers": [{**container, "restartPolicy": "Always"}] if sidecar else []}
            labels = {"llm-d.ai/role": ROLES.get(env.get("OTEL_SERVICE_NAME"), "decode")}
            yield {"apiVersion": "apps/v1", "kind": "Deployment",
                   "metadata": {"name": f"w{n}", "annotations": {"tracing.llm-d.io/inject": "true"}},
                   "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}}}


class Scene:
    def __init__(self, folder):
        self.folder, self.backend, self.yard = folder, telemetry.Telemetry(folder), Recorded(folder)

    def stop(self):
        self.yard.stop()
        self.backend.stop()

    def fetch(self, url):
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()

    def metrics(self):
        return self.fetch(f"http://127.0.0.1:{self.backend.collector.ports[8888]}/metrics")

    def judge(self, *options):
        """The first line, the words of the findings with their containers, and the tree."""
        traces = [t for s in self.backend.services()
                  for t in json.loads(self.fetch(f"{self.backend.query}/api/traces?limit=20&service={urllib.parse.quote(s, safe='')}"))["data"]]
        files = {"manifests": "\n---\n".join(json.dumps(m) for m in self.yard.manifests(self.backend)).encode(),
                 "services": self.fetch(f"{self.backend.query}/api/services"),
                 "traces": json.dumps({"data": list({t["traceID"]: t for t in traces}.values())}).encode(), "metrics": self.metrics()}
        for name, text in files.items():
            (self.folder / name).write_bytes(text)
        done = subprocess.run([TOOL, *(self.folder / name for name in files), *options], text=True, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        found = {(line.split()[0], line.split(":")[0].split()[-1]) for line in lines[1:] if not line.startswith("|")}
        return lines[0], found, [line for line in lines[1:] if line.startswith("|")]

    def wait(self, first, found, *options):
        """Until the verdict is this: spans are batched on their way."""
        def same():
            line, words, _ = self.judge(*options)
            assert line.startswith(first), f"{line} {words}"
            assert words == found, words
            return True
        wait_for(same, 60, f"{first} {found}")


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.stop()


def test_one_whole_trace(scene):
    trace, _ = send(disaggregated(scene.yard, scene.backend))
    scene.wait("received=yes 4/4 connected=yes", set(), "--sent", trace)
    line, _, tree = scene.judge("--sent", trace)
    assert "parts=endpoint picker, routing proxy, engine" in line and f"trace={trace}" in line
    assert "groups=request routing, endpoint scoring, KV-cache indexing, KV transfer, engine inference" in line
    assert "llm-d-router/epp  gateway.request" in tree[0] and len(tree) >= 8


def chain(scene, sidecar=emitters.SIDECAR, flags=("--tracing=true",), decode=None, proxy=None, picker=None, endpoint=None):
    """EPP, proxy and one engine, each with variables of its own ("": taken away)."""
    there = endpoint or scene.backend.endpoint
    engine = scene.yard.engine("vllm-decode", there, **(decode or {}))
    middle = scene.yard.proxy(engine, there, sidecar, flags, **(proxy or {}))
    port = scene.yard.picker(f"127.0.0.1:{middle.port}", there, **(picker or {}))
    return scene.yard.gateway(port).port


@pytest.mark.parametrize(("setup", "first", "found"), [
    ({"proxy": {"OTEL_TRACES_EXPORTER": ""}}, "received=no 2/3 connected=no", {("MissingExporter", "pd-sidecar")}),
    ({"flags": ()}, "received=yes 2/2 connected=no", {("FlagMissing", "pd-sidecar"), ("ProxyHandsNoContextOn", "pd-sidecar")}),
    ({"sidecar": "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"}, "received=yes 3/3 connected=no", {("ProxyHandsNoContextOn", "pd-sidecar")}),
    ({"sidecar": "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0", "flags": ()}, "received=yes 3/3 connected=no", {("ProxyHandsNoContextOn", "pd-sidecar")}),
    ({"decode": {"OTEL_SERVICE_NAME": ""}}, "received=no 2/3 connected=no", {("UnknownService", "-")}),
    ({"proxy": {"OTEL_TRACES_SAMPLER": "always_on"}}, "received=yes 3/3 connected=yes", {("UnsupportedSampler", "pd-sidecar")}),
], ids=["exporter", "flag", "old-sidecar", "older-sidecar", "name", "sampler"])
def test_one_hop_is_missing(scene, setup, first, found):
    send(chain(scene, **setup))
    scene.wait(first, found)


def test_the_wrong_port(scene):
    engine = scene.yard.engine("vllm-decode", scene.backend.http_endpoint)
    proxy = scene.yard.proxy(engine, scene.backend.endpoint)
    send(proxy.port)
    scene.wait("received=no 1/2", {("WrongPort", "vllm")})


def test_tls_to_a_plaintext_collector(scene):
    engine = scene.yard.engine("vllm-decode", scene.backend.endpoint)
    proxy = scene.yard.proxy(engine, scene.backend.endpoint.replace("http:", "https:"))
    send(proxy.port)
    scene.wait("received=no 1/2", {("TLSToPlaintext", "pd-sidecar")}, "--tls", "no")


def test_requests_that_are_not_sampled(scene):
    """Nothing arrives: whether requests were served is what makes the difference."""
    port = chain(scene)
    send(port, sampled=False)
    line, found, _ = scene.judge("--traffic", "yes")
    assert found == {("UnsampledParent", "-")}, (line, found)


def test_a_ratio_of_zero(scene):
    zero = {"OTEL_TRACES_SAMPLER_ARG": "0"}
    send(chain(scene, decode=zero, proxy=zero, picker=zero), traceparent=False)
    scene.wait("received=no 0/3", {("SamplesNothing", "vllm"), ("SamplesNothing", "pd-sidecar"), ("SamplesNothing", "epp")})


def test_a_collector_that_cannot_be_reached(scene):
    trace, _ = send(chain(scene, endpoint="http://127.0.0.1:1"))
    scene.wait("received=no 0/3", {("CollectorUnreachable", "-")}, "--sent", trace)
    scene.wait("received=no 0/3", {("NetworkPolicy", "-")}, "--sent", trace, "--policy", "deny-all")


def test_an_uninstrumented_picker_gives_only_generic_spans(scene):
    engine = scene.yard.engine("vllm-decode", "")
    port = scene.yard.picker(f"127.0.0.1:{engine.port}", scene.backend.endpoint, "registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0")
    gateway = scene.yard.gateway(port).port
    send(gateway)
    wait_for(lambda: b"filter_spans_filtered" in scene.metrics(), 30, "the filter has dropped something")
    _, found, _ = scene.judge()
    assert {("OnlyGenericSpans", "-"), ("NoInstrumentation", "epp")} <= found, found
