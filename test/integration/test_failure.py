# SPDX-License-Identifier: Apache-2.0
"""A write whose pods do not come up: taken back, remembered, and nobody else is hurt."""
from operator_process import USER
from test_rollout import annotate, place, server, traced, wait_row  # noqa: F401
from traced import Scene
from waiting import holds_for, wait_for

REFUSES = {"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint"}
SAYS_IT_IN_THE_LOG = {**REFUSES, "scripted-kubelet/crash": "see the log", "scripted-kubelet/exit-code": "0",
                      "scripted-kubelet/log": "usage\nunknown flag: --otlp-traces-endpoint\n"}
# one for each test: what a namespace has refused is not tried in the next
BAD = "vllm/vllm-openai:v0.22.0"
BAD_TWICE = "vllm/vllm-openai:v0.21.0"
BAD_IN_A_SET = "vllm/vllm-openai:v0.20.0"


def writes(scene, since, *names):
    return [r for r in scene.cluster.audit.requests(since, USER)
            if (r.verb, r.code, r.resource) == ("patch", 200, "deployments") and r.namespace == scene.namespace and r.name in names]


def is_up(api, kind, name, namespace):
    obj = api.get(kind, name, namespace)
    status, wanted = obj.get("status", {}), obj["spec"].get("replicas", 1)
    return status.get("observedGeneration", 0) >= obj["metadata"]["generation"] and status.get("readyReplicas", 0) == status.get("updatedReplicas", 0) == wanted


def replica_sets(scene, name):
    return [s for s in scene.api.list("replicaset", scene.namespace) if s["metadata"]["ownerReferences"][0]["name"] == name]


def test_a_crash_is_taken_back_and_its_image_remembered(place, operator):
    names = ["a-decode", "b-decode", "c-prefill"]
    scene = place({}, server(names[0], image=BAD, annotations=SAYS_IT_IN_THE_LOG), server(names[1], image=BAD, annotations=REFUSES),
                  server(names[2], role="prefill"))
    before = scene.api.get("deployment", names[0], scene.namespace)["spec"]["template"]
    since = scene.cluster.audit.position()
    row = wait_row(scene, names[0], "Reverted", 90)
    assert row["state"] == "Failed" and "exit code 0" in row["message"] and "unknown flag --otlp-traces-endpoint" in row["message"]
    refused, = scene.tracing()["status"]["refusedImages"]
    assert (refused["image"], refused["component"], refused["reason"]) == (BAD, "vllm", "RefusesFlag")
    wait_row(scene, names[1], "ImageRefused")
    wait_for(lambda: traced(scene, "deployment", names[2]), 60, "another image is traced")
    wait_for(lambda: scene.api.get("deployment", names[0], scene.namespace)["status"].get("unavailableReplicas", 0) == 0, 60)
    assert scene.api.get("deployment", names[0], scene.namespace)["spec"]["template"] == before
    assert operator.running[-1].metrics()["llmd_tracing_reverts_total"] == 1
    assert len(replica_sets(scene, names[0])) == 2 and len(replica_sets(scene, names[1])) == 1
    # the next process knows it, too
    operator.running[-1].kill()
    operator()
    holds_for(lambda: len(writes(scene, since, *names[:2])) == 2, 2, "an edit and its revert")
    # a person asks for another try, of a better image
    scene.cluster.kubectl("-n", scene.namespace, "set", "image", f"deployment/{names[0]}", "vllm=vllm/vllm-openai:v0.23.0")
    scene.api.merge("deployment", names[1], scene.namespace,
                    {"spec": {"template": {"metadata": {"annotations": {"scripted-kubelet/crash-if-arg": None}}}}})
    annotate(scene, names[1], retry="1")
    wait_for(lambda: traced(scene, "deployment", names[1]), 60, "tried again")


def test_a_bad_image_costs_one_replica_in_the_whole_cluster(place, namespaces):
    other = namespaces()
    scene = place({}, server("a-decode", image=BAD_TWICE, annotations=REFUSES))
    there = Scene(scene.cluster, other)
    there.api.create("deployment", server("a-decode", image=BAD_TWICE, annotations=REFUSES), other)
    there.switch("true")
    ends = [wait_for(lambda s=s: s.row("a-decode").get("reason") in ("Reverted", "ImageRefused") and s.row("a-decode")["reason"], 90)
            for s in (scene, there)]
    assert sorted(ends) == ["ImageRefused", "Reverted"]
    tried = [s for s in (scene, there) if len(replica_sets(s, "a-decode")) > 1]
    assert len(tried) == 1


def test_a_statefulset_gets_its_crashed_pod_back(place):
    """Its controller waits for a pod that can never be Ready (OrderedReady): that one pod is deleted, and no other."""
    scene = place({}, server("a-decode", "StatefulSet", replicas=2, image=BAD_IN_A_SET, annotations=REFUSES))
    api, before = scene.api, scene.api.get("statefulset", "a-decode", scene.namespace)["spec"]["template"]
    first = {p["metadata"]["name"]: p["metadata"]["uid"] for p in api.list("pod", scene.namespace, "app=a-decode")}
    since = scene.cluster.audit.position()
    row = wait_row(scene, "a-decode", "Reverted", 90)
    assert "exit code 1" in row["message"] and scene.tracing()["status"]["refusedImages"][0]["image"] == BAD_IN_A_SET
    wait_for(lambda: is_up(api, "statefulset", "a-decode", scene.namespace), 60, "both replicas are back")
    assert api.get("statefulset", "a-decode", scene.namespace)["spec"]["template"] == before
    now = {p["metadata"]["name"]: p["metadata"]["uid"] for p in api.list("pod", scene.namespace, "app=a-decode")}
    assert now["a-decode-0"] == first["a-decode-0"] and now["a-decode-1"] != first["a-decode-1"]
    mine = [r for r in scene.cluster.audit.requests(since, USER) if r.namespace == scene.namespace]
    assert [r.name for r in mine if r.resource == "pods" and r.verb == "delete" and r.code == 200] == ["a-decode-1"]
    holds_for(lambda: len([r for r in scene.cluster.audit.requests(since, USER) if r.verb == "patch" and r.resource == "statefulsets"
                           and r.namespace == scene.namespace]) == 2, 2, "an edit and its revert")
