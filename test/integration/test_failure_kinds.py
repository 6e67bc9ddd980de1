# SPDX-License-Identifier: Apache-2.0
"""A crash with our flag, in kinds that consist of other objects: taken back at the owner, remembered, and nothing else is touched."""
import pytest
import yaml

from cluster import sample
from groups import Groups
from operator_process import USER
from test_failure import REFUSES, is_up
from test_rollout import wait_row
from traced import Scene
from waiting import wait_for


def grouped(name):
    """The sample whose pods crash with our flag (of a LeaderWorkerSet, the leader), and its pod templates."""
    obj = yaml.safe_load(sample(name))
    obj["metadata"]["annotations"] = {"scripted-kubelet/no-status": "true"}
    spec = obj["spec"]
    for template in [spec["leaderWorkerTemplate"]["leaderTemplate"]] if "leaderWorkerTemplate" in spec else [
            r["spec"]["leaderWorkerTemplate"]["workerTemplate"] for r in spec["roles"]]:
        template["metadata"]["annotations"] = REFUSES
    return obj


def all_ready(obj):
    status = obj.get("status", {})
    if "roles" in obj["spec"]:
        return [(r["replicas"], r["readyReplicas"], r["updatedReplicas"]) for r in status["roleStatuses"]] == [(r["spec"]["replicas"],) * 3 for r in obj["spec"]["roles"]]
    return (status["readyReplicas"], status["updatedReplicas"]) == (obj["spec"]["replicas"],) * 2


@pytest.mark.parametrize("name", ["lws.yaml", "disaggregatedset.yaml"])
def test_groups_that_crash_are_taken_back(cluster, namespace, operator, name):
    """The group is gone a moment after its crash, and comes again under the same names."""
    scene, obj = Scene(cluster, namespace), grouped(name)
    kind, own, image = obj["kind"].lower(), obj["metadata"]["name"], "ghcr.io/llm-d/llm-d-cuda:v0.7.0"
    with Groups(cluster, namespace):
        scene.api.create(kind, obj, namespace)
        wait_for(lambda: all_ready(scene.api.get(kind, own, namespace)), 60, "it is up")
        before, since = scene.api.get(kind, own, namespace)["spec"], cluster.audit.position()
        operator()
        scene.switch("true")
        row = wait_row(scene, own, "Reverted", 90)
        assert "unrecognized arguments --otlp-traces-endpoint" in row["message"]
        assert (image, "RefusesFlag") in [(r["image"], r["reason"]) for r in scene.tracing()["status"]["refusedImages"]]
        wait_for(lambda: all_ready(scene.api.get(kind, own, namespace)), 60, "all groups are back")
        assert scene.api.get(kind, own, namespace)["spec"] == before
        mine = [r for r in cluster.audit.requests(since, USER) if r.namespace == namespace]
        assert len([r for r in mine if r.verb == "patch" and r.name == own and r.code == 200]) == 2, "an edit and its revert"
        assert not [r for r in mine if r.resource == "pods" and r.verb == "delete"]


def test_a_modelservice_that_crashes_is_taken_back(cluster, namespaces, operator):
    namespace = namespaces(annotations={"scripted-kubelet/modelservice": "working"})
    scene = Scene(cluster, namespace)

    def is_up_at(path="decodeReady"):
        return scene.api.get("modelservice", "qwen", namespace)["status"][path] == "1/1" and is_up(scene.api, "deployment", "qwen-decode", namespace)

    cluster.apply(sample("modelservice.yaml"), namespace)
    wait_for(is_up_at, 60, "it is up")
    scene.api.merge("deployment", "qwen-decode", namespace, {"spec": {"template": {"metadata": {"annotations": REFUSES}}}})
    wait_for(is_up_at, 60, "it is up, and will crash with our flag")
    before, since = scene.api.get("modelservice", "qwen", namespace)["spec"], cluster.audit.position()
    operator()
    scene.switch("true")
    row = wait_row(scene, "qwen", "Reverted", 90)
    assert "of pod qwen-decode-" in row["message"] and scene.tracing()["status"]["refusedImages"][0]["image"].startswith("ghcr.io/llm-d/llm-d-cuda")
    wait_for(is_up_at, 60, "it is back")
    assert scene.api.get("modelservice", "qwen", namespace)["spec"] == before
    mine = [r for r in cluster.audit.requests(since, USER) if r.namespace == namespace and r.verb == "patch" and r.code == 200]
    assert len([r for r in mine if r.resource == "modelservices" and not r.subresource]) == 2, "an edit and its revert"
    assert not [r for r in mine if r.resource == "deployments" and r.name.startswith("qwen")]

