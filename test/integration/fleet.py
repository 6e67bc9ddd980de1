# SPDX-License-Identifier: Apache-2.0
"""Two hundred workloads in twenty namespaces, as a cluster of GPUs has them: pools with both roles, several strategies, a few bad images.

The tests judge it, the benchmark measures it.
"""
import collections
import json
from typing import NamedTuple

from api import normalized
from podwatch import GPU, PodWatch
from switched import LEDGER, SWITCH
from waiting import wait_for

NAMESPACES = [f"fleet-{i}" for i in range(20)]
SPARE_GPUS = 20  # nobody has all of them twice
GOOD = "vllm/vllm-openai:v0.23.0"
PICKER = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"
VLLM = ["vllm", "serve"]
SGLANG = ["python3", "-m", "sglang.launch_server"]
ONE_LESS = {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}


class Shape(NamedTuple):
    role: str
    kind: str = "Deployment"
    replicas: int = 1
    gpus: int = 1
    spec: dict = {}


# Of each namespace; with its picker ten workloads.
SHAPES = {
    "prefill-a": Shape("prefill"),
    "prefill-b": Shape("prefill"),
    "prefill-c": Shape("prefill", "StatefulSet", 2),
    "prefill-d": Shape("prefill", replicas=2, spec=ONE_LESS),
    "decode-a": Shape("decode"),
    "decode-b": Shape("decode", spec=ONE_LESS),
    "decode-c": Shape("decode", "StatefulSet"),
    "decode-d": Shape("decode", gpus=2),
    "decode-e": Shape("decode", replicas=2),
}


class Bad(NamedTuple):
    """An image whose pods end when they are given our flags, as such programs end (LLMD.md §1, docs/failures.md)."""
    reason: str
    fate: dict
    workloads: tuple  # (number of the namespace, name)
    command: list = VLLM


def dies(flag, code, message="", log="", after=None):
    return {"scripted-kubelet/crash-if-arg": flag, "scripted-kubelet/exit-code": str(code), "scripted-kubelet/crash": message or "Error",
            **({"scripted-kubelet/log": log} if log else {}), **({"scripted-kubelet/ready-after": after} if after else {})}


ENDPOINT = "--otlp-traces-endpoint"
BAD = {
    "mirror.example/llm/vllm-openai:nightly-1": Bad("RefusesFlag", dies(ENDPOINT, 2, log=(
        f"usage: vllm serve [model_tag] [options]\nvllm: error: unrecognized arguments: {ENDPOINT}=http://otel-collector:4317")),
        ((0, "decode-a"), (0, "decode-b"), (5, "decode-b"), (11, "prefill-a"))),
    # a simulator under another name: it says it on stderr only, and ends well
    "mirror.example/llm/vllm-openai:latest": Bad("RefusesFlag", dies(ENDPOINT, 0, log=f"Usage of vllm:\nunknown flag: {ENDPOINT}"),
                                                 ((3, "decode-b"), (8, "decode-a"))),
    "mirror.example/llm/vllm-openai:slim": Bad("NoTracingPackages", dies(ENDPOINT, 1, log=(
        "ValueError: OpenTelemetry is not available. Unable to configure 'otlp_traces_endpoint'.")), ((7, "prefill-d"),)),
    "mirror.example/llm/vllm-openai:custom": Bad("NoTracingPackages", dies(ENDPOINT, 1, message="ModuleNotFoundError: No module named 'opentelemetry'"),
                                                 ((14, "prefill-b"), (15, "decode-d"))),
    # it loads for a while before it ends
    "mirror.example/llm/sglang:nightly": Bad("RefusesFlag", dies("--enable-trace", 2, after="3s", log=(
        "launch_server.py: error: unrecognized arguments: --enable-trace")), ((18, "decode-e"),), SGLANG),
}
IMAGES = {(NAMESPACES[i], name): image for image, bad in BAD.items() for i, name in bad.workloads}


def server(name, shape, image=GOOD):
    bad = BAD.get(image)
    command = bad.command if bad else VLLM
    labels = {"app": name, "pool": "qwen", "llm-d.ai/inference-serving": "true", "llm-d.ai/role": shape.role}
    template = {"metadata": {"labels": labels, "annotations": bad.fate if bad else {}}, "spec": {"containers": [{
        "name": "modelserver", "image": image, "command": command, "args": ["m"] if command is VLLM else ["--model-path", "m"],
        "resources": {"limits": {GPU: str(shape.gpus)}}}]}}
    return {"apiVersion": "apps/v1", "kind": shape.kind, "metadata": {"name": name}, "spec": {
        "replicas": shape.replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **shape.spec,
        **({"serviceName": name} if shape.kind == "StatefulSet" else {})}}


def picker():
    labels = {"app": "picker"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "picker"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [
            {"name": "epp", "image": PICKER, "args": ["--pool-name=qwen", "--grpc-port=9002", "--tracing=false"]}]}}}}


SERVICE = {"metadata": {"name": "picker"}, "spec": {"selector": {"app": "picker"}, "ports": [{"name": "grpc", "port": 9002}]}}
POOL = {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool", "metadata": {"name": "qwen"}, "spec": {
    "selector": {"matchLabels": {"pool": "qwen"}}, "targetPorts": [{"number": 8000}],
    "endpointPickerRef": {"name": "picker", "port": {"number": 9002}, "failureMode": "FailOpen"}}}


def objects_of(namespace):
    return [picker(), *(server(name, shape, IMAGES.get((namespace, name), GOOD)) for name, shape in SHAPES.items())]


def groups_of(pod):
    """A pod counts for its workload and for its pool's role."""
    app = pod.labels.get("app")
    role = pod.labels.get("llm-d.ai/role")
    return [(pod.namespace, app), *([(pod.namespace, "role", role)] if role else [])]


class Fleet:
    def __init__(self, cluster):
        self.cluster, self.api = cluster, cluster.api
        self.wanted = {}  # (namespace, workload): replicas
        gpus = len(NAMESPACES) * sum(s.replicas * s.gpus for s in SHAPES.values())
        there = {GPU: str(gpus + SPARE_GPUS)}
        self.gpus = gpus
        self.api.merge("node", "node-0", None, {"status": {"capacity": there, "allocatable": there}}, "/status")

    def create(self):
        for namespace in NAMESPACES:
            self.api.create("namespace", {"metadata": {"name": namespace}})
            self.api.create("service", SERVICE, namespace)
            self.api.create("inferencepool", POOL, namespace)
            for item in objects_of(namespace):
                self.wanted[namespace, item["metadata"]["name"]] = item["spec"]["replicas"]
                self.api.create(item["kind"].lower(), item, namespace)

    def watch(self):
        return PodWatch(self.api, groups_of)

    def switch(self, value):
        self.cluster.kubectl("annotate", "namespace", *NAMESPACES, f"{SWITCH}={value}", "--overwrite")

    def workloads(self):
        return {(o["metadata"]["namespace"], o["metadata"]["name"]): o for kind in ("deployment", "statefulset") for o in self.api.list(kind)
                if (o["metadata"]["namespace"], o["metadata"]["name"]) in self.wanted}

    def statuses(self):
        found = self.api.request("GET", "/apis/tracing.llm-d.io/v1alpha1/tracings")["items"]
        return {t["metadata"]["namespace"]: t.get("status", {}) for t in found}

    def are(self, watch, traced):
        """Every workload has all its pods, Ready, and (where its image is good) all traced or none. Costs no request."""
        watch.alive()
        seen = collections.defaultdict(list)
        for pod in watch.all():
            seen[pod.namespace, pod.labels.get("app")].append(pod)
        left = [key for key, replicas in self.wanted.items()
                if [(p.ready, p.traced) for p in seen[key]] != [(True, traced and key not in IMAGES)] * replicas]
        assert not left, f"{len(left)} are left, {left[:5]} among them"
        return True

    def wait_up(self, watch, timeout=180):
        wait_for(lambda: self.are(watch, False), timeout, "all are up")

    def wait_traced(self, watch, timeout=400):
        wait_for(lambda: self.are(watch, True), timeout, "all good ones are traced")
        return wait_for(self.all_told, 120, "status tells the end of it")

    def all_told(self):
        """Status as it is in the end: after it nothing is due but what is asked for ever (docs/proof.md)."""
        statuses = self.statuses()
        for namespace in NAMESPACES:
            rows = {r["name"]: r for r in statuses.get(namespace, {}).get("workloads", [])}
            for name in ("picker", *SHAPES):
                ends = ("Reverted", "ImageRefused") if (namespace, name) in IMAGES else ("Injected", "Unverified")
                row = rows.get(name, {})
                assert row.get("reason") in ends and not row.get("rolling"), f"{namespace}/{name}: {row}"
        return statuses

    def wait_back(self, watch, timeout=400):
        wait_for(lambda: self.are(watch, False), timeout, "all are back")
        wait_for(lambda: not [d for d in self.api.list("deployment") if d["metadata"]["name"] in ("otel-collector", "jaeger")], 120, "collectors are gone")


def text_of(obj):
    return json.dumps(normalized(obj), sort_keys=True)


def has_ledger(obj):
    return LEDGER in obj["metadata"].get("annotations", {})
