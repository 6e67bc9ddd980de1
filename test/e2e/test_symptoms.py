# SPDX-License-Identifier: Apache-2.0
"""Each symptom of docs/symptoms.md provoked on a real node, and what `verify` and the Tracing say of it.

A case is a namespace that is set up, annotated and sent requests; all of them come while the first ones are looked at.
"""
import concurrent.futures
import dataclasses
import json
import urllib.parse

import pytest

import serving
from serving import Serving
from waiting import wait_for

AT_ONCE = 8  # are set up; then they wait: a back end that has just come up is given two minutes
UNINSTRUMENTED = "registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0"
OLD_ENGINE = "vllm/vllm-openai:v0.16.0"
SILENT_ENGINE = "vllm/vllm-openai:v0.29.0"
OLD_SIDECAR = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"
OLD_PICKER = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.0"
COLLECTOR = "http://otel-collector:4317"
OUT = {"tracing.llm-d.io/inject": "false"}


def small(**how):
    return serving.aggregated(gpus=0, **how)


def annotated(objects, name, annotations):
    next(o for o in objects if o["metadata"]["name"] == name)["metadata"].setdefault("annotations", {}).update(annotations)
    return objects


def tracing(**spec):
    return {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}


def nobody_asks_the_second():
    """A server with a proxy that the picker never chooses."""
    return [*small(), serving.model_server("prefill", serving.ENGINE, serving.SIDECAR, gpus=0)]


def refusing_back_end(namespace):
    """A gRPC server that is no collector: what it answers is final."""
    return [serving.service("elsewhere", {"app": "qwen-epp"}, 4317, 9003),
            tracing(backend={"type": "OTLP", "otlp": {"endpoint": f"http://elsewhere.{namespace}.svc.cluster.local:4317"}})]


@dataclasses.dataclass(frozen=True)
class Case:
    objects: object                # makes what is applied
    result: str                    # of verify
    found: frozenset               # {(reason, container or None)}
    settings: object = lambda namespace: []
    requests: tuple = ({"traceparent": True},)
    condition: tuple = ()          # (type, status, reason) of the Tracing
    injected: tuple = ("qwen-epp", "decode")
    ready: bool = True             # False: it does not become Ready


def case(objects, result, *found, **more):
    return Case(objects, result, frozenset(found), **more)


CASES = {
    "exporter": case(
        lambda: small(epp_flags=("--tracing=true",), epp_env={"OTEL_TRACES_EXPORTER": "console"}), "Incomplete", ("MissingExporter", "epp"),
        injected=("decode",), condition=("SpansReceived", "False", "MissingExporter")),
    "port": case(
        lambda: small(flags=("--otlp-traces-endpoint=http://otel-collector:4318",)), "Incomplete", ("WrongPort", "modelserver"),
        injected=("qwen-epp",), condition=("SpansReceived", "False", "WrongPort")),
    "tls-to-plaintext": case(
        lambda: small(epp_env={"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel-collector:4317"}), "Incomplete", ("TLSToPlaintext", "epp"),
        condition=("SpansReceived", "False", "TLSToPlaintext")),
    "plaintext-to-tls": case(
        lambda: small(epp=OLD_PICKER), "Unknown", ("PlaintextToTLS", "epp"),
        settings=lambda _: [tracing(collector={"mode": "External", "endpoint": "https://collector.example:4317"})], ready=False),
    "sampler": case(
        lambda: small(epp_env={"OTEL_TRACES_SAMPLER": "always_on"}), "Connected", ("UnsupportedSampler", "epp"),
        condition=("TraceConnected", "True", "Connected")),
    "name": case(
        lambda: annotated(small(flags=(f"--otlp-traces-endpoint={COLLECTOR}",)), "decode", OUT), "Connected", ("UnknownService", None),
        injected=("qwen-epp",)),
    "old-sidecar": case(
        lambda: small(sidecar=OLD_SIDECAR), "Incomplete", ("ProxyHandsNoContextOn", "routing-proxy"),
        condition=("TraceConnected", "False", "ProxyHandsNoContextOn")),
    "versions": case(
        lambda: small(engine=OLD_ENGINE, epp=UNINSTRUMENTED), "Incomplete", ("NoInstrumentation", "epp"), ("NoInstrumentation", "modelserver"),
        injected=(), ready=False, condition=("SpansReceived", "Unknown", "NothingTraced")),
    "generic": case(  # the one engine sends its spans elsewhere
        lambda: small(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://elsewhere.example:4317"}, epp=UNINSTRUMENTED, epp_flags=(),
                      epp_env={"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": COLLECTOR, "OTEL_TRACES_SAMPLER_ARG": "1.0"}),
        "Incomplete", ("OnlyGenericSpans", None), ("NoInstrumentation", "epp"), injected=("decode",),
        condition=("SpansReceived", "False", "OnlyGenericSpans")),
    "operations": case(
        lambda: small(engine=SILENT_ENGINE), "Incomplete", ("OperationsMissing", None), ("NotConnected", None),
        condition=("TraceConnected", "False", "NotConnected")),
    "ratio": case(
        small, "Incomplete", ("SamplesNothing", "epp"), ("SamplesNothing", "modelserver"),
        settings=lambda _: [tracing(sampling={"ratio": "0", "where": "Pods"})], requests=({"traceparent": False},),
        condition=("SpansReceived", "False", "SamplesNothing")),
    "silent": case(
        nobody_asks_the_second, "Incomplete", ("Silent", "routing-proxy"), injected=("qwen-epp", "decode", "prefill"),
        condition=("SpansReceived", "False", "Silent")),
    "unsampled": case(
        small, "Incomplete", ("UnsampledParent", None), requests=({"sampled": False},) * 3,
        condition=("SpansReceived", "False", "Silent")),
    "idle": case(small, "Incomplete", ("NoTraffic", None), requests=()),
    "back-end": case(
        small, "Unknown", ("BackendRefuses", None), settings=refusing_back_end, condition=("TraceConnected", "Unknown", "BackendNotQueryable")),
}


class Stage:
    """The namespaces of the cases: set up from the first test on, in the table's order, some at a time."""

    def __init__(self, installed, names):
        self.installed, self.api = installed, installed.cluster.api
        self.pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self.coming = {name: self.pool.submit(self.set_up, name) for name in names}

    def set_up(self, name):
        case, namespace = CASES[name], f"symptom-{name}"
        self.api.create("namespace", {"metadata": {"name": namespace}})
        s = Serving(self.installed.cluster, namespace, [*case.objects(), *case.settings(namespace)])
        s.switch("true")
        if case.ready:
            s.wait_condition("Ready", "True")
        for workload in case.injected:
            wait_for(lambda w=workload: s.is_injected("deployment", w), 120, f"{workload} of {namespace} is injected")
        s.wait_up()
        for how in case.requests:
            s.send(**how)
        return s

    def leave(self, name):
        self.installed.cluster.kubectl("delete", "namespace", f"symptom-{name}", "--wait=false", "--ignore-not-found")


@pytest.fixture(scope="module")
def stage(installed, request):
    names = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]
    made = Stage(installed, names)
    yield made
    made.pool.shutdown(cancel_futures=True)


@pytest.fixture
def staged(stage, name):
    yield stage.coming[name].result()
    stage.leave(name)


def verify(installed, s, *args):
    done = installed.cli("verify", "-n", s.namespace, "-o", "json", *args, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def told(report):
    return {(f["reason"], f["container"]) for f in report["findings"]}


def wait_verified(installed, s, result, found, *args, timeout=180):
    """Spans are batched on their way, and a back end that has just come up is given two minutes."""
    def same():
        report = verify(installed, s, *args)
        assert (report["result"], told(report)) == (result, set(found)), (report["result"], report["message"], report["findings"], report["notes"])
        assert all(f["message"] and f["advice"] for f in report["findings"])
        return report
    return wait_for(same, timeout, f"{result}: {set(found)} in {s.namespace}")


@pytest.mark.parametrize("name", CASES)
def test_a_symptom_is_told(staged, installed, name):
    case, s = CASES[name], staged
    wait_verified(installed, s, case.result, case.found)
    if case.condition:
        s.wait_condition(*case.condition)
    s.assert_no_crash()
    more = globals().get("more_" + name.replace("-", "_"))
    if more:
        more(installed, s)


def more_exporter(installed, s):
    """The spans stand in the pod's own output."""
    out = installed.cluster.kubectl("-n", s.namespace, "logs", "deploy/qwen-epp")
    assert '"SpanContext"' in out and "gateway.request" in out


def more_sampler(_, s):
    """A tenth of what comes without a decision of its own, whatever the name of the sampler promises."""
    before = len(s.jaeger(f"/api/traces?limit=200&service={urllib.parse.quote('llm-d-router/epp', safe='')}"))
    for _ in range(40):
        s.send(traceparent=False)
    s.wait_services(s.send(), {"llm-d-router/epp"})  # what was kept before it is there too
    kept = len(s.jaeger(f"/api/traces?limit=200&service={urllib.parse.quote('llm-d-router/epp', safe='')}")) - before - 1
    assert kept < 20, kept


def more_unsampled(installed, s):
    """A request with a sampled parent goes through, and is all that there is."""
    report = verify(installed, s, "--send", s.url("/v1/completions"))
    assert (report["result"], told(report)) == ("Connected", {("UnsampledParent", None)}), report


def more_idle(installed, s):
    """From idle to traced, to a back end that has lost what it knew, to a collector that cannot be reached.

    The last leaves spans in the senders' queues, which would come late to a new back end.
    """
    url = s.url("/v1/completions")
    assert verify(installed, s, "--send", url)["result"] == "Connected"
    s.wait_condition("SpansReceived", "True")
    jaeger, = s.pods("app=jaeger")
    installed.cluster.kubectl("-n", s.namespace, "delete", "pod", jaeger["metadata"]["name"])
    installed.cluster.kubectl("-n", s.namespace, "wait", "--for=condition=Available", "deploy/jaeger", "--timeout=60s")
    wait_verified(installed, s, "Incomplete", {("BackendRestarted", None)}, timeout=60)
    collector, = s.pods("app=otel-collector")
    installed.cluster.drop(f"{s.namespace}/{collector['metadata']['name']}", 4317)
    try:
        wait_verified(installed, s, "Incomplete", {("CollectorUnreachable", None)}, "--send", url, "--timeout", "8s")
        s.api.create("networkpolicy", {"metadata": {"name": "closed"}, "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [
            {"ports": [{"port": 53, "protocol": "UDP"}]}]}}, s.namespace)
        report = wait_verified(installed, s, "Incomplete", {("NetworkPolicy", None)}, "--send", url, "--timeout", "8s")
        assert "closed" in report["findings"][0]["message"]
    finally:
        installed.cluster.undrop()
    s.api.delete("networkpolicy", "closed", s.namespace)
    s.wait_services(s.send(), {"llm-d-router/epp", "vllm-decode"})
