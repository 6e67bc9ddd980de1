# SPDX-License-Identifier: Apache-2.0
"""How workloads are restarted: one after the other, with consent, and never the last server of a role."""
import pytest
import yaml

from operator_process import USER
from traced import LEDGER, Scene
from waiting import holds_for, wait_for

READY_AFTER = "scripted-kubelet/ready-after"
LOADS = {READY_AFTER: "4s"}
LOADS_UNTIL_TOLD = {READY_AFTER: "1h"}


def server(name, kind="Deployment", role="decode", replicas=1, image="vllm/vllm-openai:v0.23.0", annotations=None, **spec):
    labels = {"app": name, "llm-d.ai/inference-serving": "true", "llm-d.ai/role": role}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}}, **({"serviceName": name} if kind == "StatefulSet" else {}), **spec,
        "template": {"metadata": {"labels": labels, "annotations": annotations or {}}, "spec": {"containers": [
            {"name": "vllm", "image": image, "command": ["vllm", "serve"], "args": ["m"]}]}}}}


def traced(scene, kind, name):
    return LEDGER in scene.api.get(kind, name, scene.namespace)["metadata"].get("annotations", {})


def rolling(scene, *names, among=None):
    """Those whose pods are not all new and ready, as they stand at one moment (that of the list, where one is given)."""
    found = []
    for d in among or scene.api.list("deployment", scene.namespace):
        s = d.get("status", {})
        if (d["metadata"]["namespace"], d["metadata"]["name"]) in [(scene.namespace, name) for name in names] and (
                s.get("observedGeneration", 0) < d["metadata"]["generation"] or s.get("updatedReplicas", 0) < d["spec"]["replicas"]
                or s.get("replicas", 0) > s.get("updatedReplicas", 0) or s.get("availableReplicas", 0) < d["spec"]["replicas"]):
            found.append(d["metadata"]["name"])
    return found


def tell_pods(scene, name):
    """Those that load until they are told have loaded."""
    for pod in scene.api.list("pod", scene.namespace):
        meta = pod["metadata"]
        if meta["labels"].get("app") == name and meta.get("annotations", {}).get(READY_AFTER) == LOADS_UNTIL_TOLD[READY_AFTER]:
            scene.api.merge("pod", meta["name"], scene.namespace, {"metadata": {"annotations": {READY_AFTER: None}}})


def come_up(scene, *names):
    def are_up():
        for name in names:
            tell_pods(scene, name)
        return not rolling(scene, *names)
    wait_for(are_up, 60, f"{', '.join(names)} come up")


@pytest.fixture
def place(cluster, namespace, operator):
    """place(settings, *objects): they are up, the operator runs, and the namespace is annotated."""
    def make(settings, *objects, start=operator, collector=None, labels=None, policies=None):
        scene = Scene(cluster, namespace)
        cluster.api.merge("namespace", namespace, None, {"metadata": {"labels": labels or {}}})
        for name, mode in (policies or {}).items():
            scene.api.create("peerauthentication", {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                                                    "metadata": {"name": name}, "spec": {"mtls": {"mode": mode}}}, namespace)
        scene.kinds = {o["metadata"]["name"]: o["kind"].lower() for o in objects}
        for o in objects:
            scene.api.create(o["kind"].lower(), o, namespace)
        for name, kind in scene.kinds.items():
            def is_up(name=name, kind=kind):
                tell_pods(scene, name)
                obj = scene.api.get(kind, name, namespace)
                return obj.get("status", {}).get("readyReplicas", 0) == obj["spec"]["replicas"]
            wait_for(is_up, 60, f"{name} is up")
        scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                     "spec": {"rollout": settings, "collector": collector or {}}}, namespace)
        start()
        scene.switch("true")
        return scene
    return make


def wait_row(scene, name, reason, timeout=60):
    def holds():
        row = scene.row(name)
        assert row.get("reason") == reason, row
        return row
    return wait_for(holds, timeout, f"{name} is {reason}")


def annotate(scene, name, **values):
    words = [f"tracing.llm-d.io/{key.replace('_', '-')}={value}" for key, value in values.items()]
    scene.cluster.kubectl("-n", scene.namespace, "annotate", f"{scene.kinds[name]}/{name}", "--overwrite", *words)


def test_the_next_begins_when_the_one_before_is_through(place):
    names = ["a-decode", "b-decode", "c-prefill"]
    scene = place({}, server(names[0], replicas=2, annotations=LOADS), server(names[1], annotations=LOADS),
                  server(names[2], role="prefill", annotations=LOADS_UNTIL_TOLD))
    together = []

    def are_through(want):
        tell_pods(scene, names[2])
        busy = rolling(scene, *names)
        together.extend([busy] * (len(busy) > 1))
        return not busy and all(traced(scene, "deployment", n) == want for n in names)

    wait_row(scene, "a-decode", "WaitingForRollout")
    assert scene.row("a-decode")["restarts"] == 2, "what it will cost is known before anything is written"
    # one image: the smallest is its canary (the prefill server, of two that have one pod), then the rest
    assert [n for n in names if traced(scene, "deployment", n)] == ["c-prefill"]
    wait_for(lambda: are_through(True), 120, "all three are traced and up")
    scene.wait_condition("Injected", "True")
    scene.switch("false")
    wait_for(lambda: are_through(False), 120, "taken back one after the other")
    assert not together, "under rollout at the same time"


def test_several_at_a_time_after_the_canary(place):
    names = [f"w{i}-decode" for i in range(5)]
    scene = place({"maxConcurrent": 3}, *[server(n, annotations=LOADS_UNTIL_TOLD) for n in names])
    most = 0

    def all_done():
        nonlocal most
        most = max(most, len(rolling(scene, *names)))
        for name in names:
            tell_pods(scene, name)
        return all(traced(scene, "deployment", n) for n in names) and not rolling(scene, *names)

    for name in names[1:]:
        wait_row(scene, name, "WaitingForCanary")
    assert [n for n in names if traced(scene, "deployment", n)] == names[:1]
    come_up(scene, names[0])
    wait_row(scene, names[4], "WaitingForRollout")
    wait_for(lambda: rolling(scene, *names) == names[1:4], 60, "three at a time")
    wait_for(all_done, 120, "all are traced")
    assert most == 3


def test_a_restarted_operator_knows_whose_rollout_it_is(place, operator):
    scene = place({}, server("a-decode", annotations=LOADS_UNTIL_TOLD), server("b-decode"))
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60)
    operator.running[-1].kill()
    operator()
    since = scene.cluster.audit.position()
    wait_row(scene, "b-decode", "WaitingForRollout")
    assert rolling(scene, "a-decode") and not traced(scene, "deployment", "b-decode")
    come_up(scene, "a-decode")
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60, "its turn comes")
    writes = [r for r in scene.cluster.audit.requests(since, USER) if r.verb == "patch" and "/deployments/a-decode" in r.uri]
    assert not writes, "the first is not written again"


def test_never_reports_and_writes_nothing(place):
    scene = place({"policy": "Never"}, server("a-decode"))
    row = wait_row(scene, "a-decode", "ReportOnly")
    assert "--otlp-traces-endpoint" in row["message"]
    holds_for(lambda: not traced(scene, "deployment", "a-decode"), 1)
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"rollout": {"policy": None}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "the default policy")


def test_approval_of_just_this_plan(place):
    scene = place({"policy": "OnApproval"}, server("a-decode"), server("b-decode"))
    row = wait_row(scene, "a-decode", "WaitingForApproval")
    wait_row(scene, "b-decode", "WaitingForApproval")
    annotate(scene, "a-decode", approve="0123456789abcdef")
    holds_for(lambda: not traced(scene, "deployment", "a-decode"), 1)
    annotate(scene, "a-decode", approve=row["pendingHash"])
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "approved")
    assert not traced(scene, "deployment", "b-decode")
    wait_for(lambda: "pendingHash" not in scene.row("a-decode"), 30)
    scene.switch("false")
    wait_for(lambda: not traced(scene, "deployment", "a-decode"), 60, "taking back asks nobody")


def test_outside_of_the_window(place):
    scene = place({"window": {"days": [], "hours": "00:00-00:01", "timeZone": "UTC"}}, server("a-decode"))
    row = wait_row(scene, "a-decode", "WaitingForWindow")
    assert "00:00:00Z" in row["message"]
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"rollout": {"window": {"hours": None}}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "the window is open")


def test_riding_on_the_next_change(place):
    scene = place({"policy": "OnNextChange"}, server("a-decode", replicas=4, annotations=LOADS))
    wait_row(scene, "a-decode", "WaitingForChange")
    scene.cluster.kubectl("-n", scene.namespace, "scale", "deployment/a-decode", "--replicas=5")
    wait_for(lambda: not rolling(scene, "a-decode"), 60)
    assert not traced(scene, "deployment", "a-decode"), "a change of the number of replicas rolls nothing out"
    scene.cluster.kubectl("-n", scene.namespace, "set", "env", "deployment/a-decode", "X=1")
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 30, "it rides on that rollout")
    wait_for(lambda: not rolling(scene, "a-decode"), 60)
    containers = [s["spec"]["template"]["spec"]["containers"][0] for s in scene.api.list("replicaset", scene.namespace)
                  if s["metadata"]["name"].startswith("a-decode")]
    between = [c for c in containers if any(e["name"] == "X" for e in c.get("env", [])) and not any("otlp" in a for a in c["args"])]
    assert len(between) == 1, "the user's own template without ours was replaced"


@pytest.mark.parametrize("alone", [
    server("a-decode", "StatefulSet"), server("a-decode", strategy={"type": "Recreate"}, replicas=2),
    server("a-decode", strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})], ids=["statefulset", "recreate", "no-surge"])
def test_the_last_server_of_a_role_is_not_taken_away(place, alone):
    scene = place({}, alone, server("b-prefill", role="prefill"))
    kind = scene.kinds["a-decode"]
    wait_for(lambda: traced(scene, "deployment", "b-prefill"), 60, "it holds nobody else up")
    row = wait_row(scene, "a-decode", "WouldEmptyRole")
    assert "0 of" in row["message"] and not traced(scene, kind, "a-decode")
    annotate(scene, "a-decode", accept_outage=row["pendingHash"])
    wait_for(lambda: traced(scene, kind, "a-decode"), 60, "a person accepts the outage")
    wait_for(lambda: scene.row("a-decode")["state"] == "Injected", 60)
    scene.switch("false")
    wait_row(scene, "a-decode", "WouldEmptyRole")
    wait_for(lambda: not traced(scene, "deployment", "b-prefill"), 60)
    assert traced(scene, kind, "a-decode"), "removal keeps the floor"
    annotate(scene, "a-decode", accept_outage=scene.row("a-decode")["pendingHash"])
    wait_for(lambda: not traced(scene, kind, "a-decode"), 60, "and obeys a person")


def test_another_server_of_the_role_lifts_the_floor(place):
    scene = place({}, server("a-decode", "StatefulSet"))
    wait_row(scene, "a-decode", "WouldEmptyRole")
    scene.api.create("deployment", server("b-decode"), scene.namespace)
    wait_for(lambda: traced(scene, "statefulset", "a-decode"), 60, "there is another one now")


def test_a_surge_pod_that_no_node_could_take_is_not_asked_for(place):
    """The only node has 64 accelerators."""
    alone = server("a-decode")
    alone["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "33"}}
    scene = place({"minReadyPerRole": 0}, alone, server("b-prefill", role="prefill"))
    wait_for(lambda: traced(scene, "deployment", "b-prefill"), 60, "it holds nobody else up")
    row = wait_row(scene, "a-decode", "WouldDeadlock")
    assert "33 nvidia.com/gpu" in row["message"] and not traced(scene, "deployment", "a-decode")
    scene.api.merge("deployment", "a-decode", scene.namespace, {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 1}}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "the old one goes first now")
    wait_for(lambda: scene.row("a-decode")["state"] == "Injected", 60)


def test_a_strategy_is_lent_for_one_rollout(place, operator):
    """Also by a process that dies meanwhile, and for taking back."""
    alone = server("a-decode", annotations=LOADS_UNTIL_TOLD)
    alone["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "33"}}
    scene = place({"minReadyPerRole": 0, "allowStrategyOverride": True}, alone)

    def strategy():
        return scene.api.get("deployment", "a-decode", scene.namespace)["spec"]["strategy"]["rollingUpdate"]

    def lent():
        return "tracing.llm-d.io/strategy" in scene.api.get("deployment", "a-decode", scene.namespace)["metadata"].get("annotations", {})

    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60)
    assert lent() and strategy()["maxUnavailable"] == 1
    operator.running[-1].stop()
    operator()
    come_up(scene, "a-decode")
    wait_for(lambda: not lent(), 60, "it is given back")
    assert strategy()["maxUnavailable"] == "25%" and not rolling(scene, "a-decode")
    scene.switch("false")
    wait_for(lambda: not traced(scene, "deployment", "a-decode"), 60)
    come_up(scene, "a-decode")
    wait_for(lambda: not lent() and not rolling(scene, "a-decode"), 60, "as before")
    assert strategy()["maxUnavailable"] == "25%"
    wait_for(lambda: scene.api.find("deployment", "otel-collector", scene.namespace) is None, 60)
    sets = [s for s in scene.api.list("replicaset", scene.namespace) if s["metadata"]["name"].startswith("a-decode")]
    assert len(sets) == 2, "two templates, and none for the strategy"


def test_no_replicas_cost_nothing(place):
    scene = place({"maxConcurrent": 1}, server("a-decode", replicas=0, strategy={"type": "Recreate"}), server("b-decode", annotations=LOADS))
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "free")
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60)


def test_spans_that_could_not_arrive_are_not_paid_for(place):
    blocked = server("a-decode")
    blocked["spec"]["template"]["spec"]["hostNetwork"] = True
    scene = place({}, blocked, server("b-decode"))
    scene.api.create("networkpolicy", {"metadata": {"name": "deny"}, "spec": {"podSelector": {"matchLabels": {"app": "c-decode"}}, "policyTypes": ["Egress"]}},
                     scene.namespace)
    scene.api.create("deployment", server("c-decode"), scene.namespace)
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60)
    assert wait_row(scene, "a-decode", "NoClusterDNS")["state"] == "Skipped"
    assert "NetworkPolicy deny" in wait_row(scene, "c-decode", "EgressBlocked")["message"]
    scene.api.merge("networkpolicy", "deny", scene.namespace, {"spec": {"egress": [{"ports": [{"port": 4317}]}]}})
    wait_for(lambda: traced(scene, "deployment", "c-decode"), 60, "mended")
    scene.api.merge("deployment", "a-decode", scene.namespace, {"spec": {"template": {"spec": {"dnsPolicy": "ClusterFirstWithHostNet"}}}})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "mended")


def test_a_strict_mesh_that_would_refuse_the_spans(place):
    """The collector was asked into the mesh; of the model servers one is in it too, and one is not."""
    inside, outside, late = server("a-decode"), server("b-decode"), server("c-decode")
    for one in (outside, late):
        one["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    scene = place({}, inside, outside, collector={"labels": {"sidecar.istio.io/inject": "true"}}, labels={"istio-injection": "enabled"},
                  policies={"strict": "STRICT"})
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "both ends are in the mesh")
    row = wait_row(scene, "b-decode", "MeshBlocksPlaintext")
    assert row["state"] == "Skipped" and f"PeerAuthentication {scene.namespace}/strict (STRICT for this namespace)" in row["message"]
    ours = yaml.safe_load(row["message"].rpartition(" with ")[2])
    scene.api.create("peerauthentication", ours, scene.namespace)
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60, "the way out that the row prints, and nothing else")
    scene.api.merge("peerauthentication", "otel-collector", scene.namespace, {"spec": {"portLevelMtls": {"4317": {"mode": "STRICT"}}}})
    scene.api.create("deployment", late, scene.namespace)
    wait_row(scene, "c-decode", "MeshBlocksPlaintext")
    assert traced(scene, "deployment", "b-decode"), "what is traced already is not taken back for that"
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"collector": {"labels": {"sidecar.istio.io/inject": "false"}}}})
    wait_for(lambda: traced(scene, "deployment", "c-decode"), 60, "the collector is outside of the mesh")
    scene.switch("false")
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"collector": {"labels": {"sidecar.istio.io/inject": "true"}}}})
    wait_for(lambda: not any(traced(scene, "deployment", f"{n}-decode") for n in "abc"), 60, "taking back is never held")


def test_many_namespaces_that_lose_the_switch_at_once(cluster, namespaces, operator):
    names = [namespaces() for _ in range(5)]
    scenes = [Scene(cluster, n) for n in names]
    for n in names:
        cluster.api.create("deployment", server("a-decode"), n)
    operator(removal_grace="5s")
    cluster.kubectl("annotate", "namespace", *names, "tracing.llm-d.io/enabled=true")
    for s in scenes:
        wait_for(lambda s=s: s.row("a-decode")["state"] == "Injected", 60)
    cluster.kubectl("annotate", "namespace", *names, "tracing.llm-d.io/enabled-")
    for s in scenes:
        s.wait_condition("Enabled", "False", "MassRemoval", 30)
    operator.running[-1].stop()
    operator(removal_grace="1s")  # another process keeps to it
    holds_for(lambda: all(traced(s, "deployment", "a-decode") for s in scenes), 3, "nothing is taken back")
    scenes[0].switch("false")
    scenes[1].switch("true")
    wait_for(lambda: not traced(scenes[0], "deployment", "a-decode"), 60, "somebody said so")
    scenes[1].wait_condition("Ready", "True")
    assert all(traced(s, "deployment", "a-decode") for s in scenes[1:])
