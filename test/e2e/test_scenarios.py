# SPDX-License-Identifier: Apache-2.0
"""What namespaces look like in the field: each is traced as far as its images can be, and nothing that ran before crashes."""
import json

import pytest

import serving
from serving import Serving
from waiting import holds_for, wait_for

OLD_SIDECAR = "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0"
SIMULATOR = "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2"


@pytest.fixture
def serve(installed, namespaces):
    """serve(objects, **of the namespace): a Serving that is up; at the end nothing in it may have crashed."""
    made = []

    def make(objects, **how):
        made.append(Serving(installed.cluster, namespaces(**how), objects))
        return made[-1]

    yield make
    for s in made:
        s.assert_no_crash()


@pytest.mark.parametrize("launch", ["exec", "args", "script"])
def test_aggregated_without_proxy(serve, launch):
    s = serve(serving.aggregated(launch=launch)).enable()
    s.wait_services(s.send(), {"llm-d-router/epp", "vllm-decode"})
    assert s.services() == {"llm-d-router/epp", "vllm-decode"}
    s.disable()


def test_leaderworkerset_templates(serve):
    """Its controller is not there, so it has no groups and only the templates can be looked at."""
    template = serving.model_server("decode", serving.ENGINE)["spec"]["template"]
    lws = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": {"name": "wide"},
           "spec": {"replicas": 0, "leaderWorkerTemplate": {"size": 2, "leaderTemplate": template, "workerTemplate": template}}}
    s = serve([*serving.aggregated(), lws])
    s.switch("true")
    wait_for(lambda: s.is_injected("leaderworkerset", "wide"), 120, "both templates are injected")
    group = s.live(("leaderworkerset", "wide"))["spec"]["leaderWorkerTemplate"]
    for name in ("leaderTemplate", "workerTemplate"):
        assert "--otlp-traces-endpoint=http://otel-collector:4317" in group[name]["spec"]["containers"][0]["args"]
    s.disable()


def test_an_old_sidecar_gets_what_it_bears(serve):
    """v0.8 exits on --tracing: the variables alone turn it on. It hands no context on, which test_symptoms looks at."""
    s = serve(serving.disaggregated(sidecar=OLD_SIDECAR)).enable()
    proxy = s.live(("deployment", "decode"))["spec"]["template"]["spec"]["initContainers"][0]
    assert not [a for a in proxy["args"] if "tracing" in a]
    s.wait_services(s.send(), {"llm-d-router/epp", "routing-proxy"})
    wait_for(lambda: s.services() == {"llm-d-router/epp", "routing-proxy", "vllm-prefill", "vllm-decode"}, 60, "the engines' own traces")
    s.wait_condition("SpansReceived", "True")
    s.disable()


def test_the_simulator_is_left_alone(serve):
    """It ends with exit code 0 on a flag that it does not know."""
    objects = serving.aggregated()
    objects[0]["spec"]["template"]["spec"]["containers"][0].update(image=SIMULATOR, command=["/app/llm-d-inference-sim"],
                                                                    args=["--model", serving.MODEL, f"--port={serving.PORT}"])
    s = serve(objects)
    s.switch("true")
    wait_for(lambda: s.is_injected("deployment", "qwen-epp"), 120, "the EPP is traced")
    s.wait_up()
    assert not s.is_injected("deployment", "decode")
    rows = {row["name"]: row for row in s.tracing()["status"]["workloads"]}
    assert rows["decode"]["state"] == "Skipped", rows
    s.disable()


def test_a_user_set_endpoint_wins(serve):
    endpoint = "http://elsewhere.example:4317"
    s = serve(serving.aggregated(env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})).enable()
    engine = s.live(("deployment", "decode"))["spec"]["template"]["spec"]["containers"][0]
    assert f"--otlp-traces-endpoint={endpoint}" in engine["args"]
    assert [e["value"] for e in engine["env"] if e["name"] == "OTEL_EXPORTER_OTLP_ENDPOINT"] == [endpoint]
    s.wait_services(s.send(), {"llm-d-router/epp"})
    s.disable()


def test_a_namespace_that_is_not_annotated_is_untouched(serve):
    other = serve(serving.aggregated())
    generations = other.generations()
    s = serve(serving.aggregated()).enable()
    s.disable()
    assert other.generations() == generations
    assert other.api.find("tracing", "llm-d", other.namespace) is None


def test_the_operator_dies_in_the_middle(serve, installed):
    s = serve(serving.disaggregated())
    s.switch("true")
    wait_for(lambda: s.api.find("deployment", "otel-collector", s.namespace), 60, "it has begun")
    installed.kill_pod()
    s.wait_condition("Ready", "True").wait_up()
    s.switch("false")
    wait_for(lambda: not all(s.is_injected(*name) for name in s.names() if name[1] != "gateway"), 120, "taking back has begun")
    installed.kill_pod()
    s.wait_as_before()


def test_the_api_server_restarts_in_the_middle(serve, installed):
    s = serve(serving.aggregated())
    s.switch("true")
    wait_for(lambda: s.api.find("deployment", "otel-collector", s.namespace), 60, "it has begun")
    installed.cluster.hack("restart", "apiserver")
    s.wait_condition("Ready", "True").wait_up()
    s.disable()


def test_a_collector_that_does_not_come_up_holds_everything(serve):
    """No restart is paid for before spans have a place to go to."""
    s = serve(serving.aggregated())
    s.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                             "spec": {"collector": {"image": "localhost/nothing:1", "mode": "Deployment"}}}, s.namespace)
    generations = s.generations()
    s.switch("true")
    s.wait_condition("CollectorReady", "False", timeout=120)
    holds_for(lambda: s.generations() == generations, 5, "workloads wait for the collector")
    s.api.merge("tracing", "llm-d", s.namespace, {"spec": {"collector": {"image": None}}})
    s.wait_condition("Ready", "True").wait_up()
    s.wait_services(s.send(), {"llm-d-router/epp", "vllm-decode"})
    s.disable()


def test_quota_limits_and_restricted_pod_security(serve, installed, namespaces):
    namespace = namespaces(labels={"pod-security.kubernetes.io/enforce": "restricted"})
    installed.cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota"}, "spec": {"hard": {
            "pods": "20", "requests.cpu": "4", "requests.memory": "8Gi", "limits.memory": "16Gi", "requests.nvidia.com/gpu": "4"}}},
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}, "spec": {"limits": [{
            "type": "Container", "default": {"memory": "256Mi"}, "defaultRequest": {"cpu": "10m", "memory": "64Mi"}, "max": {"memory": "2Gi"}}]}}]}), namespace)
    s = Serving(installed.cluster, namespace, serving.disaggregated()).enable()
    s.wait_services(s.send(), {"llm-d-router/epp", "routing-proxy", "vllm-prefill", "vllm-decode"})
    s.disable().assert_no_crash()


def test_collector_and_back_end_change_without_touching_a_workload(serve, installed):
    """The endpoint inside pods is a constant: mode, back end, sampling in the collector cost no model server a restart."""
    s = serve(serving.aggregated()).enable()
    generations = s.generations()
    traces = f"http://jaeger-collector.{s.namespace}.svc.cluster.local:4317"
    elsewhere = f"http://otel-elsewhere.{s.namespace}.svc.cluster.local:4317"
    installed.cluster.apply(json.dumps(serving.service("otel-elsewhere", {"app": "jaeger"}, 4317)), s.namespace)
    for spec in ({"backend": {"type": "OTLP", "otlp": {"endpoint": traces}}},
                 {"backend": None, "collector": {"mode": "Shared", "endpoint": elsewhere}},
                 {"backend": None, "collector": {"mode": "Deployment", "endpoint": None}},
                 {"privacy": {"dropContent": False}, "collector": {"mode": "Deployment", "replicas": 2}}):
        generation = s.api.merge("tracing", "llm-d", s.namespace, {"spec": spec})["metadata"]["generation"]
        wait_for(lambda g=generation: s.tracing()["status"].get("observedGeneration") == g, 60, f"{spec} is seen")
        s.wait_condition("CollectorReady", "True")
        assert s.generations() == generations, spec
    s.switch("false")
    s.wait_as_before()
