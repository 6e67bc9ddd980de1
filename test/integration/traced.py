# SPDX-License-Identifier: Apache-2.0
"""What "traced" means for the samples, and the user's steps of the main job."""
from typing import NamedTuple

from api import containers_of, env_of, normalized
from cluster import sample
from switched import LEDGER, SWITCH, Switched, differences  # noqa: F401
from waiting import wait_for

ENDPOINT = "http://otel-collector:4317"
VLLM_FLAGS = [f"--otlp-traces-endpoint={ENDPOINT}", "--collect-detailed-traces=all"]


class Expected(NamedTuple):
    """A container that must be traced: where it is, its service name, and its flags (a script holds them as text)."""
    template: str
    container: str
    service: str
    flags: tuple
    gone: tuple = ()


class Workload(NamedTuple):
    kind: str
    name: str
    containers: tuple


def vllm(template, container, service):
    return Expected(template, container, service, tuple(VLLM_FLAGS))


def proxy(template, container="routing-proxy"):
    return Expected(template, container, "routing-proxy", ("--tracing=true",))


EPP = Expected("", "epp", "llm-d-router/epp", ("--tracing=true",), ("--tracing=false",))

# sample file: what of it is traced
SAMPLES = {
    "pd.yaml": (Workload("deployment", "decode", (vllm("", "modelserver", "vllm-decode"), proxy(""))),
                Workload("deployment", "prefill", (vllm("", "modelserver", "vllm-prefill"),)),
                Workload("deployment", "qwen-epp", (EPP,))),
    "bash-script.yaml": (Workload("deployment", "scripted", (vllm("", "vllm", "vllm-prefill"),)),),
    "statefulset.yaml": (Workload("statefulset", "sglang", (Expected("", "modelserver", "sglang-decode", ("--enable-trace",)),)),),
    "lws.yaml": (Workload("leaderworkerset", "wide", (vllm("leader", "vllm", "vllm-decode"), vllm("worker", "vllm", "vllm-decode"))),),
    "disaggregatedset.yaml": (Workload("disaggregatedset", "split", (
        vllm("prefill", "vllm", "vllm-prefill"), vllm("decode", "vllm", "vllm-decode"), proxy("decode"))),),
}


def templates_of(obj):
    spec = obj["spec"]
    kind = obj["kind"]
    if kind == "LeaderWorkerSet":
        group = spec["leaderWorkerTemplate"]
        return {k: group[f"{k}Template"] for k in ("leader", "worker") if f"{k}Template" in group}
    if kind == "DisaggregatedSet":
        return {r["name"]: r["spec"]["leaderWorkerTemplate"]["workerTemplate"] for r in spec["roles"]}
    return {"": spec["template"]}


def container_of(obj, expected):
    return containers_of(templates_of(obj)[expected.template])[expected.container]


def assert_container_traced(container, expected, endpoint=ENDPOINT):
    words = container.get("args", []) + container.get("command", [])
    text = "\n".join(words)
    for flag in expected.flags:
        assert flag in words or (len(words) < 5 and flag in text), f"{expected.container}: no {flag} in {words}"
    for flag in expected.gone:
        assert flag not in words, f"{expected.container}: {flag} is still there"
    env = env_of(container)
    assert len(env) == len(container["env"]), f"{expected.container}: a name occurs twice"
    assert env.get("OTEL_EXPORTER_OTLP_ENDPOINT") == endpoint, f"{expected.container}: endpoint is {env.get('OTEL_EXPORTER_OTLP_ENDPOINT')}"
    assert env.get("OTEL_TRACES_EXPORTER") == "otlp"
    if expected.service:
        assert env.get("OTEL_SERVICE_NAME") == expected.service, f"{expected.container}: {env.get('OTEL_SERVICE_NAME')}"


def is_traced(api, workload, namespace):
    """True, or an AssertionError that says what is missing."""
    obj = api.get(workload.kind, workload.name, namespace)
    assert LEDGER in obj["metadata"].get("annotations", {}), f"{workload.kind}/{workload.name}: no ledger"
    for expected in workload.containers:
        assert_container_traced(container_of(obj, expected), expected)
    return True


def is_rolled_out(api, workload, namespace):
    obj = api.get(workload.kind, workload.name, namespace)
    status, wanted = obj.get("status", {}), obj["spec"].get("replicas", 1)
    assert status.get("observedGeneration", 0) >= obj["metadata"]["generation"], "not observed"
    if workload.kind in ("deployment", "statefulset"):
        for key in ("replicas", "updatedReplicas", "readyReplicas"):
            assert status.get(key, 0) == wanted, f"{workload.name}: {key} is {status.get(key, 0)} of {wanted}"
    return True


class Scene(Switched):
    """One namespace with a sample in it, and what it was before anything happened to it."""

    def __init__(self, cluster, namespace, *samples):
        super().__init__(cluster, namespace)
        self.workloads = []
        for name in samples:
            cluster.apply(sample(name, namespace), namespace)
            self.workloads += SAMPLES[name]
        self.remember()

    def remember(self):
        self.before = {w: normalized(self.api.get(w.kind, w.name, self.namespace)) for w in self.workloads}

    def wait_settled(self, timeout=60):
        """Before anything begins: rolled out, so that figures of generations do not move by themselves."""
        for w in self.workloads:
            wait_for(lambda w=w: is_rolled_out(self.api, w, self.namespace), timeout, f"{w.name} is up")
        return self

    def wait_traced(self, timeout=90):
        for w in self.workloads:
            wait_for(lambda w=w: is_traced(self.api, w, self.namespace), timeout, f"{w.name} is traced")
        return self

    def wait_rolled_out(self, timeout=90):
        for w in self.workloads:
            wait_for(lambda w=w: is_rolled_out(self.api, w, self.namespace), timeout, f"{w.name} has rolled out")
        return self

    def is_as_before(self, workload):
        now = normalized(self.api.get(workload.kind, workload.name, self.namespace))
        assert now == self.before[workload], differences(self.before[workload], now)
        return True

    def wait_as_before(self, timeout=90):
        for w in self.workloads:
            wait_for(lambda w=w: self.is_as_before(w), timeout, f"{w.name} is as it was")
        return self

    def generation(self, kind, name):
        return self.api.get(kind, name, self.namespace)["metadata"]["generation"]

    def events(self, name, reason=None):
        return [e for e in self.api.list("event", self.namespace)
                if e.get("regarding", {}).get("name") == name and "llmd-tracing" in e.get("reportingController", "")
                and reason in (None, e["reason"])]
