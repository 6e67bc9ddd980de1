# SPDX-License-Identifier: Apache-2.0
"""Random workloads from pools of parts: every kind, launch form, image family and oddity of lists."""
import random

from exact import Number

ABSENT = object()

MODEL_SERVERS = [
    (["vllm", "serve"], ["acme/a", "--port", "8000"]),
    (["vllm"], ["serve", "acme/a", "--port=8000"]),
    (["python3", "-m", "vllm.entrypoints.openai.api_server"], ["--model", "acme/a", "--lora-modules", "a=b", "c=d"]),
    (ABSENT, ["--model=acme/a", "--dtype=float16", "--gpu-memory-utilization=0.9"]),
    (["vllm", "serve"], ["acme/a", "--kv-transfer-config", '{"a":"b c"}', "--seed=1"]),
    (["vllm", "serve"], ["acme/a", "--otlp-traces-endpoint", "http://tempo:4317"]),
    (["vllm", "serve"], ["acme/a", "--collect-detailed-traces=model"]),
    (["/bin/bash", "-c"], ["# note\nexec vllm serve \\\n  acme/a \\\n  --port 8000\n# --otlp-traces-endpoint x\n"]),
    (["/bin/bash", "-c", "--"], ["vllm serve --model=acme/a --seed=42"]),
    (["sh", "-c", "cd /srv; exec vllm serve acme/a ${FLAGS} --port 8000"], ABSENT),
    (["bash", "-c", "eval \"vllm serve $@\""], ["acme/a"]),
    (["python3", "-m", "sglang.launch_server"], ["--model-path=acme/q", "--port=8000"]),
    (["sglang", "serve", "--model-path", "acme/q"], ABSENT),
    (["sglang", "serve", "--model-path", "acme/q"], None),
    (["sglang", "serve", "--model-path", "acme/q"], []),
    (["/start.sh"], ["x"]),
    (ABSENT, ABSENT),
    (["ray", "start", "--block"], ABSENT),
]
PICKERS = [
    (ABSENT, ["--pool-name", "p", "--tracing=false", "--v=2"]),
    (ABSENT, ["--pool-name", "p"]),
    (ABSENT, ["--tracing=true", "--pool-name", "p", "--tracing=false"]),
    (["/app/epp", "--pool-name", "p", "--tracing", "false"], ABSENT),
    (ABSENT, ["--endpoint-selector", "a=b", "--tracing"]),
]
PROXIES = [
    (ABSENT, ["--port=8000", "--vllm-port=8200", "--kv-connector=nixlv2"]),
    (["/app/pd-sidecar", "--port=8000", "--vllm-port=8200"], ABSENT),
    (ABSENT, ["--port=8000", "--vllm-port=8200", "--tracing=false"]),
]
SERVER_IMAGES = ["vllm/vllm-openai:v0.23.0", "vllm/vllm-openai:v0.10.0", "ghcr.io/llm-d/llm-d-cuda:latest",
                 "lmsysorg/sglang:v0.5.13.post1", "mirror.acme.example:5000/x/y:prod",
                 "vllm/vllm-openai@sha256:" + "0" * 64]
PICKER_IMAGES = ["ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", "mirror.acme.example/p:prod",
                 "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0",
                 "registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0",
                 "ghcr.io/llm-d/llm-d-inference-scheduler:v0.8.0"]
PROXY_IMAGES = ["ghcr.io/llm-d/llm-d-routing-sidecar:v0.7.1", "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0",
                "ghcr.io/llm-d/llm-d-routing-sidecar:v0.5.0", "mirror.acme.example/z:1"]
USER_ENV = [
    {"name": "HF_HOME", "value": "/cache"},
    {"name": "EMPTY"},
    {"name": "NOTHING", "value": ""},
    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    {"name": "OTEL_SERVICE_NAME", "value": "mine"},
    {"name": "OTEL_SERVICE_NAME", "value": "mine-too"},
    {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://tempo:4317"},
    {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": "team=a"},
    {"name": "OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "OTEL_TRACES_SAMPLER", "value": "always_on"},
    {"name": "OTEL_TRACES_SAMPLER_ARG", "value": "0.5"},
    {"name": "OTEL_TRACES_EXPORTER", "value": "otlp"},
    {"name": "OTEL_SDK_DISABLED", "value": "false"},
    {"name": "OTEL_SDK_DISABLED", "value": "true"},
]
ODD = {"bigNumber": Number("9223372036854775808"), "huge": Number("1e400"), "exact": Number("1.10"),
       "nested": {"list": [None, True, Number("-0.0"), "text"], "nothing": None}}


def put(target, key, value):
    if value is not ABSENT:
        target[key] = value


def env(rng):
    shape = rng.randrange(6)
    if shape == 0:
        return ABSENT
    if shape == 1:
        return None
    if shape == 2:
        return []
    return [dict(row) for row in rng.sample(USER_ENV, rng.randrange(1, 5))]


def container(rng, name, programs, images):
    command, args = rng.choice(programs)
    made = {"name": name}
    put(made, "image", rng.choice(images))
    put(made, "command", list(command) if isinstance(command, list) else command)
    put(made, "args", list(args) if isinstance(args, list) else args)
    put(made, "env", env(rng))
    if rng.random() < 0.3:
        made["resources"] = {"limits": {"nvidia.com/gpu": Number("4")}}
    if rng.random() < 0.2:
        made["unknownField"] = ODD
    return made


def pod_spec(rng):
    spec = {"containers": []}
    if rng.random() < 0.5:
        proxy = container(rng, "proxy", PROXIES, PROXY_IMAGES)
        if rng.random() < 0.9:
            proxy["restartPolicy"] = "Always"
        spec["initContainers"] = [proxy]
    elif rng.random() < 0.3:
        spec["initContainers"] = None
    for index in range(rng.randrange(1, 4)):
        if rng.random() < 0.25:
            spec["containers"].append(container(rng, f"epp-{index}", PICKERS, PICKER_IMAGES))
        else:
            spec["containers"].append(container(rng, f"engine-{index}", MODEL_SERVERS, SERVER_IMAGES))
    if rng.random() < 0.3:
        spec["odd"] = ODD
    return spec


def template(rng):
    made = {"metadata": {"labels": {"llm-d.ai/inference-serving": "true"}}, "spec": pod_spec(rng)}
    if rng.random() < 0.6:
        made["metadata"]["labels"]["llm-d.ai/role"] = rng.choice(["prefill", "decode", "encode", "both"])
    return made


def metadata(rng):
    made = {"name": "w", "namespace": "models", "resourceVersion": "7"}
    shape = rng.randrange(4)
    if shape == 0:
        made["annotations"] = None
    elif shape == 1:
        made["annotations"] = {}
    elif shape == 2:
        made["annotations"] = {"team": "a", "tracing.llm-d.io/inject": "true"}
    if rng.random() < 0.5:
        made["generation"] = Number("9007199254740993")
    return made


def lws_spec(rng):
    made = {"size": Number("2"), "workerTemplate": template(rng)}
    if rng.random() < 0.6:
        made["leaderTemplate"] = template(rng)
    return {"replicas": Number("1"), "leaderWorkerTemplate": made}


def model_service(rng):
    spec = {"modelArtifacts": {"uri": "hf://a/b"}, "routing": {"modelName": "a/b"}}
    for role in ("prefill", "decode"):
        if rng.random() < 0.8:
            part = pod_spec(rng)
            part.pop("odd", None)
            for row in part.get("initContainers") or []:
                row.pop("restartPolicy", None)
            spec[role] = part
    return {"apiVersion": "llm-d.ai/v1alpha1", "kind": "ModelService", "metadata": metadata(rng), "spec": spec}


def workload(seed):
    rng = random.Random(seed)
    kind = ["Deployment", "StatefulSet", "ReplicaSet", "LeaderWorkerSet", "DisaggregatedSet", "Pod",
            "ModelService"][seed % 7]
    made = {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata(rng), "status": {"odd": ODD}}
    if kind == "Pod":
        made["apiVersion"] = "v1"
        made["spec"] = pod_spec(rng)
    elif kind == "LeaderWorkerSet":
        made["apiVersion"] = "leaderworkerset.x-k8s.io/v1"
        made["spec"] = lws_spec(rng)
    elif kind == "DisaggregatedSet":
        made["apiVersion"] = "disaggregatedset.x-k8s.io/v1"
        made["spec"] = {"roles": [{"name": role, "spec": lws_spec(rng)} for role in ("prefill", "decode", "router")]}
    elif kind == "ModelService":
        return model_service(rng)
    else:
        made["spec"] = {"replicas": Number("2"), "template": template(rng)}
    return made


def pod_specs(obj):
    """Every pod spec (or part of a ModelService) of an object."""
    if obj["kind"] == "Pod":
        yield obj["spec"]
    elif obj["kind"] == "LeaderWorkerSet":
        yield from lws_pod_specs(obj["spec"])
    elif obj["kind"] == "DisaggregatedSet":
        for role in obj["spec"]["roles"]:
            yield from lws_pod_specs(role["spec"])
    elif obj["kind"] == "ModelService":
        for role in ("prefill", "decode", "endpointPicker"):
            if obj["spec"].get(role):
                yield obj["spec"][role]
    elif isinstance(obj.get("spec"), dict) and "template" in obj["spec"]:
        yield obj["spec"]["template"]["spec"]


def lws_pod_specs(spec):
    for key in ("leaderTemplate", "workerTemplate"):
        if spec["leaderWorkerTemplate"].get(key):
            yield spec["leaderWorkerTemplate"][key]["spec"]


def containers(obj):
    for spec in pod_specs(obj):
        yield from spec.get("initContainers") or []
        yield from spec.get("containers") or []
