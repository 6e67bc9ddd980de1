# SPDX-License-Identifier: Apache-2.0
"""The main job, kind by kind: annotated, traced, changed, un-annotated, identical."""
import pytest

from api import containers_of, env_of, normalized
from cluster import sample
from cycle import run_cycle, wait_cleaned_up
from traced import LEDGER, SAMPLES, VLLM_FLAGS, Scene
from waiting import wait_for


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
