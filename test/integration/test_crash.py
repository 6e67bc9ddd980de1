# SPDX-License-Identifier: Apache-2.0
"""Ends that are not a refused flag: memory, a container that is not ours, and pods that nobody may look at."""
from operator_process import USER
from roles import grant
from test_failure import REFUSES, is_up, replica_sets, writes
from test_namespaced import roles  # noqa: F401
from test_rollout import place, server, traced, wait_row  # noqa: F401
from test_stall import PULL_S, wait_row_later
from traced import Scene
from waiting import holds_for, wait_for

# one for each test: what a namespace has refused is not tried in the next
EATS_MEMORY = "vllm/vllm-openai:v0.19.1"
UNSEEN = "vllm/vllm-openai:v0.19.2"


def template_of(scene, name):
    return scene.api.get("deployment", name, scene.namespace)["spec"]["template"]


def test_memory_that_does_not_suffice_with_our_edit_is_taken_back(place, cluster):  # noqa: F811
    since = cluster.audit.position()
    fate = {"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint", "scripted-kubelet/crash": "killed",
            "scripted-kubelet/exit-code": "137", "scripted-kubelet/crash-reason": "OOMKilled"}
    scene = place({}, server("a-decode", image=EATS_MEMORY, annotations=fate))
    row = wait_row(scene, "a-decode", "Reverted", 90)
    assert row["state"] == "Failed" and row["message"].startswith("OutOfMemory: container vllm of pod a-decode-")
    assert "ended with exit code 137 before it was ever Ready" in row["message"] and "Raise the limit" in row["message"]
    refused, = scene.tracing()["status"]["refusedImages"]
    assert (refused["image"], refused["component"], refused["reason"]) == (EATS_MEMORY, "vllm", "OutOfMemory")
    wait_for(lambda: not traced(scene, "deployment", "a-decode") and is_up(scene.api, "deployment", "a-decode", scene.namespace), 60, "it is as before")
    assert len(replica_sets(scene, "a-decode")) == 2, "the template of before, and that with our edit"
    mine = [r for r in cluster.audit.requests(since, USER) if r.namespace == scene.namespace]
    assert not [r for r in mine if r.subresource == "log"], "the kubelet's word is enough"


def test_a_container_that_we_did_not_edit_is_reported_only(place, cluster):  # noqa: F811
    since = cluster.audit.position()
    fate = {"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint", "scripted-kubelet/crash": "cannot bind", "scripted-kubelet/crash-container": "helper"}
    both = server("a-decode", annotations=fate)
    both["spec"]["template"]["spec"]["containers"].append({"name": "helper", "image": "busybox:1.36"})
    scene = place({}, both)
    row = wait_row(scene, "a-decode", "NotComingUp")
    assert row["state"] == "Failed" and row["message"].startswith("Exited: container helper of pod a-decode-"), row
    wait_for(lambda: scene.events("a-decode", "NotComingUp"), 20, "an event says so")
    scene.api.create("deployment", server("b-decode", image="vllm/vllm-openai:v0.22.1"), scene.namespace)
    wait_row(scene, "b-decode", "WaitingForRollout")
    holds_for(lambda: traced(scene, "deployment", "a-decode") and not traced(scene, "deployment", "b-decode"), 2, "it stays, and the next one waits")
    assert "refusedImages" not in scene.tracing()["status"]
    scene.api.merge("deployment", "a-decode", scene.namespace, {"spec": {"template": {"metadata": {"annotations": {name: None for name in fate}}}}})
    wait_row(scene, "a-decode", "Injected")
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60, "its turn has come")
    assert len([r for r in writes(scene, since, "a-decode") if r.code == 200]) == 1, "it was written once"


def test_what_nobody_may_see_is_not_taken_back_blindly(cluster, namespace, operator, roles):  # noqa: F811
    """An operator that may not read pods, in a namespace where they crash."""
    name, user, kubeconfig = roles()
    scene = Scene(cluster, namespace)
    scene.api.create("deployment", server("a-decode", image=UNSEEN, annotations=REFUSES), namespace)
    wait_for(lambda: is_up(scene.api, "deployment", "a-decode", namespace), 60, "it is up")
    before = template_of(scene, "a-decode")
    grant(cluster, name, namespace, without={("list", "pods"), ("watch", "pods")})
    scene.switch("true")
    since = cluster.audit.position()
    running = operator("--namespaces", namespace, kubeconfig=kubeconfig, clock=0)

    def told():
        row = scene.row("a-decode")
        assert row["reason"] == "RollingOut" and "a crash would not be recognised" in row["message"], row
        return row["message"]
    assert 'cannot list resource "pods"' in wait_for(told, 60, "its row says what is not seen")
    assert 'cannot list resource "pods"' in scene.wait_condition("Permitted", "False", "Forbidden")["message"]
    status, text = running.http("/readyz")
    assert status == 200 and 'cannot list resource "pods"' in text, text
    wait_for(lambda: any("terminated" in s.get("lastState", {}) for p in scene.api.list("pod", namespace, "app=a-decode")
                         for s in p["status"].get("containerStatuses", [])), 30, "a pod has crashed")
    wait_row_later(scene, "a-decode", "Stalled", running, PULL_S + 60)
    holds_for(lambda: traced(scene, "deployment", "a-decode") and "refusedImages" not in scene.tracing()["status"], 2, "nothing is taken back")
    grant(cluster, name, namespace)
    wait_row_later(scene, "a-decode", "Reverted", running, 300)
    wait_for(lambda: template_of(scene, "a-decode") == before and is_up(scene.api, "deployment", "a-decode", namespace), 60, "it is as before")
    wait_for(lambda: "Permitted" not in str(scene.tracing()["status"]["conditions"]), 60, "nothing is missing any more")
    edits = [r for r in cluster.audit.requests(since, user) if r.verb == "patch" and r.resource == "deployments" and r.name == "a-decode" and r.code == 200]
    assert len(edits) == 2, "an edit and its revert"
