# SPDX-License-Identifier: Apache-2.0
"""The main job, kind by kind: annotated, traced, changed, un-annotated, identical."""
import os

import pytest

from api import containers_of, env_of, normalized
from cluster import OWN_CRDS, ROOT, TEST_CRDS, sample
from traced import LEDGER, SAMPLES, VLLM_FLAGS, Scene, is_traced
from waiting import wait_for

SHARED = os.environ.get("SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
REAL_CRDS = os.path.join(SHARED, "corpus/crds")


def run_cycle(scene, start_operator):
    scene.wait_settled()
    start_operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    change_settings(scene)
    scene.switch(None)
    scene.wait_as_before()
    wait_cleaned_up(scene)


def change_settings(scene):
    """A setting changes and every workload follows, without losing or repeating anything."""
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"sampling": {"ratio": "0.25"}}})
    for w in scene.workloads:
        def followed(w=w):
            obj = scene.api.get(w.kind, w.name, scene.namespace)
            text = str(obj["spec"])
            assert "'0.25'" in text and "'1.0'" not in text, f"{w.name} does not sample 0.25"
            return is_traced(scene.api, w, scene.namespace)
        wait_for(followed, 60, f"{w.name} follows the settings")
    scene.wait_rolled_out()


def wait_cleaned_up(scene, keeps_tracing=True):
    """Collector and back end are gone; a Tracing that the user edited stays."""
    for kind, name in (("deployment", "otel-collector"), ("deployment", "jaeger"), ("service", "otel-collector"),
                       ("service", "jaeger-collector"), ("configmap", "otel-collector-config")):
        wait_for(lambda kind=kind, name=name: scene.api.find(kind, name, scene.namespace) is None, 60, f"{kind} {name} is gone")
    if keeps_tracing:
        assert scene.tracing()["spec"] == {"sampling": {"ratio": "0.25"}}
    else:
        wait_for(lambda: scene.api.find("tracing", "llm-d", scene.namespace) is None, 60, "the Tracing is gone")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_annotated_traced_changed_and_identical_again(cluster, namespace, operator, name):
    run_cycle(Scene(cluster, namespace, name), operator)


def test_a_tracing_that_nobody_edited_goes_with_the_switch(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    operator()
    scene.switch("true")
    scene.wait_traced()
    scene.switch("false")
    scene.wait_as_before()
    wait_cleaned_up(scene, keeps_tracing=False)


def test_everything_in_one_namespace(cluster, namespace, operator):
    scene = Scene(cluster, namespace, *sorted(SAMPLES)).wait_settled()
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.switch("false")
    scene.wait_as_before()


@pytest.mark.skipif(not os.path.isdir(REAL_CRDS), reason="SHARED with the real CRDs is absent")
def test_the_cycle_with_the_real_crds(own_cluster, namespaces, operator):
    cluster = own_cluster(crds=(OWN_CRDS,))
    for file in ("inference.networking.k8s.io_inferencepools.v1.5.0.yaml", "inference.networking.x-k8s.io_inferencepools.v1.4.0.yaml",
                 "llm-d.ai_modelservices.yaml", "leaderworkerset.x-k8s.io_leaderworkersets.json",
                 "disaggregatedset.x-k8s.io_disaggregatedsets.json", "serving.kserve.io_llminferenceservices.json"):
        cluster.kubectl("apply", "--server-side", "-f", os.path.join(REAL_CRDS, file))
    cluster.install_crds()
    scene = Scene(cluster, namespaces(on=cluster), *sorted(SAMPLES))
    run_cycle(scene, lambda: operator(on=cluster))


# --- ModelService: the CR is edited, its controller makes the children --------------------------

MODELSERVICE_CHILDREN = {"qwen-decode": ("vllm-decode", "routing-proxy"), "qwen-prefill": ("vllm-prefill",)}


def child_args(api, namespace, name):
    deployment = api.get("deployment", name, namespace)
    assert LEDGER not in deployment["metadata"].get("annotations", {}), "the child is edited instead of the ModelService"
    return containers_of(deployment["spec"]["template"])


def modelservice_traced(scene):
    for name, services in MODELSERVICE_CHILDREN.items():
        found = child_args(scene.api, scene.namespace, name)
        engine = found["vllm"]
        assert all(flag in engine["args"] for flag in VLLM_FLAGS), engine["args"]
        assert engine["args"].index("Qwen/Qwen3-0.6B") == 0, "the model is no longer the first word"
        assert env_of(engine)["OTEL_SERVICE_NAME"] == services[0]
        if "routing-proxy" in services:
            assert "--tracing=true" in found["routing-proxy"]["args"]
    assert "--tracing=true" in child_args(scene.api, scene.namespace, "qwen-epp")["epp"]["args"]
    return True


def test_modelservice(cluster, namespaces, operator):
    namespace = namespaces(annotations={"scripted-kubelet/modelservice": "working"})
    scene = Scene(cluster, namespace)
    cluster.apply(sample("modelservice.yaml"), namespace)
    wait_for(lambda: cluster.api.get("modelservice", "qwen", namespace)["status"]["decodeReady"] == "1/1", what="qwen is up")
    before = normalized(cluster.api.get("modelservice", "qwen", namespace))
    children = {n: normalized(cluster.api.get("deployment", n, namespace)) for n in (*MODELSERVICE_CHILDREN, "qwen-epp")}
    operator()
    scene.switch("true")
    wait_for(lambda: modelservice_traced(scene), 60, "the ModelService is traced")
    scene.switch(None)
    wait_for(lambda: normalized(cluster.api.get("modelservice", "qwen", namespace)) == before, 60, "the ModelService is as it was")
    for name, child in children.items():
        wait_for(lambda name=name, child=child: normalized(cluster.api.get("deployment", name, namespace)) == child, 30, f"{name} too")
