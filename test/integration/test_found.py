# SPDX-License-Identifier: Apache-2.0
"""Which workloads are found, whose objects are left alone, and in which order they are written."""
import json

import pytest

from operator_process import USER
from traced import LEDGER, Scene, is_traced
from waiting import holds_for, wait_for

X_POOL = {"apiVersion": "inference.networking.x-k8s.io/v1alpha2", "kind": "InferencePool", "metadata": {"name": "qwen"}, "spec": {
    "selector": {"llm-d.ai/guide": "demo"}, "targetPortNumber": 8000, "extensionRef": {"name": "qwen-epp", "portNumber": 9002, "failureMode": "FailOpen"}}}


def plain(name, labels=None, annotations=None, owner=None):
    """A server that only its command line tells; no llm-d label unless given."""
    labels = {"app": name, **(labels or {})}
    metadata = {"name": name, "annotations": annotations or {}}
    if owner:
        metadata["ownerReferences"] = [owner]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
        "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [
            {"name": "server", "image": "vllm/vllm-openai:v0.23.0", "command": ["vllm", "serve"], "args": ["m"]}]}}}}


def has_ledger(scene, name, kind="deployment"):
    return LEDGER in scene.api.get(kind, name, scene.namespace)["metadata"].get("annotations", {})


@pytest.mark.parametrize("pool", ["v1", "v1alpha2", None])
def test_pools_of_both_groups_and_labels_alone_lead_to_model_servers(cluster, namespace, operator, pool):
    scene = Scene(cluster, namespace, "pd.yaml")
    if pool != "v1":
        cluster.kubectl("-n", namespace, "delete", "inferencepools.inference.networking.k8s.io", "qwen")
    if pool == "v1alpha2":
        cluster.apply(json.dumps(X_POOL), namespace)
    scene.wait_settled()
    operator()
    scene.switch("true")
    for w in scene.workloads[:2]:
        wait_for(lambda w=w: is_traced(scene.api, w, namespace), 60, f"{w.name} is traced")
    wait_for(lambda: scene.condition("Ready")["status"] == "True", 60, "all is done")
    if pool:
        wait_for(lambda: is_traced(scene.api, scene.workloads[2], namespace), 30, "the pool leads to the EPP")
    scene.switch("false")
    scene.wait_as_before()


def test_what_nothing_leads_to_is_left_alone_until_asked_for(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    scene.api.create("deployment", plain("unasked"), namespace)
    scene.api.create("deployment", plain("asked", annotations={"tracing.llm-d.io/inject": "true"}), namespace)
    scene.api.create("deployment", plain("none", {"llm-d.ai/inference-serving": "true"}, {"tracing.llm-d.io/component.server": "none"}), namespace)
    operator()
    scene.switch("true")
    scene.wait_traced()
    wait_for(lambda: has_ledger(scene, "asked"), 30, "inject: true is obeyed")
    wait_for(lambda: scene.row("none")["reason"] == "Overridden", 30)
    holds_for(lambda: not has_ledger(scene, "unasked") and not has_ledger(scene, "none"), 1)
    scene.cluster.kubectl("-n", namespace, "annotate", "deployment", "unasked", "tracing.llm-d.io/inject=true")
    wait_for(lambda: has_ledger(scene, "unasked"), 30, "asked for later")


@pytest.mark.parametrize("owner,reason", [
    ({"apiVersion": "serving.kserve.io/v1alpha2", "kind": "LLMInferenceService", "name": "svc"}, "KServeOwned"),
    ({"apiVersion": "example.com/v1", "kind": "Thing", "name": "thing", "controller": True}, "UnknownOwner"),
])
def test_what_others_render_is_left_alone(cluster, namespace, operator, owner, reason):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    # The garbage collector would take away a child whose owner is not there.
    owner = {**owner, "uid": "00000000-0000-0000-0000-000000000001"}
    if reason == "KServeOwned":
        cluster.apply(json.dumps({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "metadata": {"name": owner["name"]}, "spec": {}}), namespace)
        text = cluster.kubectl("-n", namespace, "get", "llminferenceservice", owner["name"], "-o", "json")
        owner["uid"] = json.loads(text)["metadata"]["uid"]
    made = plain("rendered", {"llm-d.ai/inference-serving": "true"}, owner=owner)
    if reason == "UnknownOwner":
        made["metadata"]["finalizers"] = ["example.com/hold"]
    scene.api.create("deployment", made, namespace)
    operator()
    scene.switch("true")
    scene.wait_traced()
    try:
        wait_for(lambda: scene.row("rendered")["reason"] == reason, 30, reason)
        assert not has_ledger(scene, "rendered")
        what = "set spec.tracing there" if reason == "KServeOwned" else "its pods need: add --otlp-traces-endpoint="
        assert what in scene.row("rendered")["message"]
    finally:
        scene.api.merge("deployment", "rendered", namespace, {"metadata": {"finalizers": None}})


def order_of_first_writes(scene, since):
    """Names of Deployments in the order in which their injection was written."""
    names = [r.name for r in scene.cluster.audit.writes(since, USER)
             if r.namespace == scene.namespace and r.resource == "deployments" and r.verb == "patch" and r.code == 200]
    mine = [n for n in names if n in {w.name for w in scene.workloads}]
    return list(dict.fromkeys(mine))


@pytest.mark.parametrize("mode,first_or_last", [("FailOpen", 0), ("FailClose", -1)])
def test_the_endpoint_picker_goes_first_unless_requests_would_fail(cluster, namespace, operator, mode, first_or_last):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    scene.api.merge("inferencepool", "qwen", namespace, {"spec": {"endpointPickerRef": {"failureMode": mode}}})
    # its strategy is Recreate: by default the only picker of a pool that fails closed is not taken away at all
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": {"rollout": {"minReadyPerRole": 0}}}, namespace)
    since = cluster.audit.position()
    operator()
    scene.switch("true")
    scene.wait_traced()
    assert order_of_first_writes(scene, since)[first_or_last] == "qwen-epp"
