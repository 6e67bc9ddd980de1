# SPDX-License-Identifier: Apache-2.0
"""Whom a rollout makes wait, and what is not even begun: over several namespaces, by role, by kind, by what pods show."""
import pytest
import yaml

from cluster import sample
from fleet import GPU, POOL, SERVICE, picker
from operator_process import USER
from roles import grant
from test_namespaced import roles  # noqa: F401
from test_rollout import LOADS_UNTIL_TOLD, annotate, come_up, place, rolling, server, traced, wait_row  # noqa: F401
from test_writers import GITOPS_KEEPS
from traced import Scene
from waiting import holds_for, wait_for


def on_gpus(obj, count=1):
    obj["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {GPU: str(count)}}
    return obj


def order_of_writes(scene, since):
    """Workloads in the order of their first write."""
    return list(dict.fromkeys(r.name for r in scene.cluster.audit.writes(since, USER)
                              if r.namespace == scene.namespace and r.resource == "deployments" and r.name != "jaeger" and r.name != "otel-collector"))


def test_the_cap_over_all_namespaces(place, cluster, namespaces, operator):  # noqa: F811
    names, other = ("a-decode", "b-decode"), namespaces()
    loads = {"scripted-kubelet/ready-after": "2s"}
    there = Scene(cluster, other)
    for name in names:
        there.api.create("deployment", server(name, annotations=loads), other)
    here = place({}, *[server(name, annotations=loads) for name in names], start=lambda: operator("--max-concurrent", "1"))
    there.switch("true")
    together = []

    def all_done():
        items = [d for d in here.api.list("deployment") if d["metadata"]["namespace"] in (here.namespace, other)]
        busy = [s.namespace for s in (here, there) for _ in rolling(s, *names, among=items)]
        together.extend([busy] * (len(busy) > 1))
        return not busy and all(traced(s, "deployment", n) for s in (here, there) for n in names)
    wait_for(all_done, 120, "all four are traced")
    assert not together, "under rollout at the same time"


def test_canary_then_prefill_then_decode(place, cluster):  # noqa: F811
    since = cluster.audit.position()
    scene = place({}, server("a-decode", replicas=2), server("b-decode"), server("c-prefill", role="prefill", replicas=2))
    wait_for(lambda: len(order_of_writes(scene, since)) == 3, 60, "all three are written")
    assert order_of_writes(scene, since) == ["b-decode", "c-prefill", "a-decode"]


def test_groups_roles_and_a_picker_that_fails_closed_keep_their_last_one(place):  # noqa: F811
    epp = picker()
    epp["spec"]["strategy"] = {"type": "Recreate"}
    scene = place({}, epp)
    groups, sets = (yaml.safe_load(sample(name)) for name in ("lws.yaml", "disaggregatedset.yaml"))
    groups["spec"]["replicas"] = 1
    for template in ("leaderTemplate", "workerTemplate"):
        groups["spec"]["leaderWorkerTemplate"][template]["metadata"]["labels"]["llm-d.ai/role"] = "encode"
    for role in sets["spec"]["roles"]:
        role["spec"]["replicas"] = 1
    scene.api.create("leaderworkerset", groups, scene.namespace)
    scene.api.create("disaggregatedset", sets, scene.namespace)
    scene.api.create("service", SERVICE, scene.namespace)
    scene.api.create("inferencepool", {**POOL, "spec": {**POOL["spec"], "endpointPickerRef": {**POOL["spec"]["endpointPickerRef"], "failureMode": "FailClose"}}},
                     scene.namespace)
    for name, what in (("wide", "encode servers"), ("split", "prefill servers"), ("picker", "endpoint pickers of a FailClose pool")):
        assert f"0 of 1 Ready {what} would be left" in wait_row(scene, name, "WouldEmptyRole")["message"]
    assert not any(traced(scene, *which) for which in (("leaderworkerset", "wide"), ("disaggregatedset", "split"), ("deployment", "picker")))
    annotate(scene, "picker", accept_outage=scene.row("picker")["pendingHash"])
    wait_for(lambda: traced(scene, "deployment", "picker"), 60, "a person accepts the outage")
    gap, = wait_for(lambda: scene.events("picker", "RoutingGap"), 10, "the gap is announced")
    assert "drops the requests of its pool" in gap["note"]


def test_what_had_failed_before_is_left_alone(cluster, namespace, operator):
    scene = Scene(cluster, namespace)
    scene.api.create("deployment", server("a-decode", annotations={"scripted-kubelet/never-ready": "true"}, progressDeadlineSeconds=1), namespace)

    def failed():
        conditions = scene.api.get("deployment", "a-decode", namespace)["status"].get("conditions") or []
        return [c for c in conditions if c.get("reason") == "ProgressDeadlineExceeded"]
    wait_for(failed, 60, "Kubernetes has given it up")
    operator(clock=3600)  # an hour later
    scene.switch("true")
    assert "left alone until it comes up" in wait_row(scene, "a-decode", "AlreadyFailing")["message"]
    holds_for(lambda: not traced(scene, "deployment", "a-decode"), 1)
    scene.api.merge("deployment", "a-decode", namespace, {"spec": {"template": {"metadata": {"annotations": {"scripted-kubelet/never-ready": None}}}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "it has come up")


def test_an_image_that_cannot_be_pulled_is_told_and_not_taken_back(place):  # noqa: F811
    fate = {"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint", "scripted-kubelet/waiting": "ImagePullBackOff"}
    scene = place({}, server("a-decode", annotations=fate))
    row = wait_row(scene, "a-decode", "NotComingUp")
    scene.api.create("deployment", server("b-decode", image="vllm/vllm-openai:v0.22.0"), scene.namespace)
    wait_row(scene, "b-decode", "WaitingForRollout")
    assert row["state"] == "Pending" and row["message"].startswith("ImagePull: container vllm of pod a-decode-")
    holds_for(lambda: traced(scene, "deployment", "a-decode") and not traced(scene, "deployment", "b-decode"), 2, "it stays, and the next one waits")
    assert "refusedImages" not in scene.tracing()["status"]
    scene.api.merge("deployment", "a-decode", scene.namespace, {"spec": {"template": {"metadata": {"annotations": {name: None for name in fate}}}}})
    wait_row(scene, "a-decode", "Injected")
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60, "its turn has come")


def test_room_that_nobody_may_look_for_is_said_and_holds_nothing(cluster, namespace, operator, roles):  # noqa: F811
    """Namespaced mode: nodes are out of reach."""
    name, _, kubeconfig = roles()
    scene = Scene(cluster, namespace)
    scene.api.create("deployment", on_gpus(server("a-decode", annotations=LOADS_UNTIL_TOLD)), namespace)
    come_up(scene, "a-decode")
    grant(cluster, name, namespace)
    scene.switch("true")
    operator("--namespaces", namespace, kubeconfig=kubeconfig)
    assert "whether new ones find room is not known" in wait_row(scene, "a-decode", "RollingOut")["message"]
    come_up(scene, "a-decode")
    wait_row(scene, "a-decode", "Injected")


@pytest.mark.parametrize("who", ["flux", "argo"])
def test_what_comes_from_git_is_patched_where_somebody_says_so(place, who):  # noqa: F811
    obj = on_gpus(server("a-decode"))
    if who == "flux":
        obj["metadata"]["labels"] = GITOPS_KEEPS
    else:
        obj["metadata"]["labels"] = {"argocd.argoproj.io/instance": "demo"}
    scene = place({}, obj)
    wait_row(scene, "a-decode", "GitOpsOwned")
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"rollout": {"gitops": "Patch"}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "the risk is taken")
