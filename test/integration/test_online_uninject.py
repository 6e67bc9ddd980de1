# SPDX-License-Identifier: Apache-2.0
"""`uninject --cluster`: everything goes back without an operator, object by object, and only what is ours."""
import json
import subprocess

import pytest

from api import normalized
from cluster import sample
from online import online, user_kubeconfig
from operator_process import BINARY
from test_cycle import wait_cleaned_up
from test_helm import CHANGED, Release, upgrade, wait_like_twin
from traced import LEDGER, SAMPLES, Scene, Workload
from waiting import wait_for

KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "leaderworkerset": "LeaderWorkerSet",
         "disaggregatedset": "DisaggregatedSet"}
OPERATOR = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
    "name": "llmd-tracing", "labels": {"app.kubernetes.io/name": "llmd-tracing"}}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
            "containers": [{"name": "operator", "image": "ghcr.io/llm-d/llmd-tracing:test"}]}}}}


def traced_and_left(scene, operator):
    """Traced by an operator that is gone since."""
    running = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    running.stop()
    return scene


@pytest.fixture
def installed(cluster, namespaces):
    """A Deployment that looks like the operator's, in a namespace of its own; its name."""
    system = namespaces()
    cluster.apply(json.dumps(OPERATOR), system)
    yield f"{system}/llmd-tracing"
    cluster.kubectl("-n", system, "delete", "deployment", "llmd-tracing")


def uninject(scene, *args, **how):
    return online(scene.cluster, "uninject", "--cluster", "-n", scene.namespace, *args, **how)


def versions(scene):
    found = {}
    for kind in ("deployment", "statefulset", "leaderworkerset", "disaggregatedset", "service", "configmap", "networkpolicy", "tracing"):
        for obj in scene.api.list(kind, scene.namespace):
            # controllers write status at their own pace
            found[kind, obj["metadata"]["name"]] = (obj["metadata"]["uid"], obj["metadata"].get("generation"), json.dumps(normalized(obj)))
    return found


def test_every_kind_goes_back(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, *sorted(SAMPLES)).wait_settled(), operator)
    before = versions(scene)
    told = uninject(scene, "--dry-run")
    assert told.code == 0, told.err
    for w in scene.workloads:
        assert f"{KINDS[w.kind]}/{namespace}/{w.name}: would be taken back" in told.lines
    assert f"Tracing/{namespace}/llm-d: would be deleted" in told.lines
    assert versions(scene) == before, "a dry run writes nothing"

    done = uninject(scene, "-o", "json")
    assert (done.code, done.err) == (0, "")
    for w in scene.workloads:
        assert done.result_of(KINDS[w.kind], w.name)["result"] == "takenBack"
    assert done.result_of("Deployment", "otel-collector")["result"] == "deleted"
    assert any("still annotated" in n["message"] for n in done.json["notes"])
    for w in scene.workloads:
        scene.is_as_before(w)
    wait_cleaned_up(scene, keeps_tracing=False)

    again = uninject(scene)
    assert (again.code, again.lines) == (0, ["0 taken back, 0 deleted, 0 status cleared, 0 left"])


def test_an_edited_tracing_stays_without_the_operator_s_memory(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": {"sampling": {"ratio": "0.25"}}}, namespace)
    traced_and_left(scene, operator)
    assert uninject(scene).lines[-2] == f"Tracing/{namespace}/llm-d: status cleared"
    scene.wait_as_before()
    assert scene.tracing()["spec"] == {"sampling": {"ratio": "0.25"}} and not scene.tracing().get("status")
    assert uninject(scene).lines == ["0 taken back, 0 deleted, 0 status cleared, 0 left"]
    # what was taken back here is no undo in the eyes of the next operator
    operator()
    scene.wait_traced()
    wait_for(lambda: scene.row("scripted")["state"] == "Injected", 60, "it is injected, not Conflicting")
    scene.switch("false")
    scene.wait_as_before()


def test_a_strategy_on_loan_goes_back_too(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, "bash-script.yaml").wait_settled(), operator)
    lent = {"metadata": {"annotations": {"tracing.llm-d.io/strategy": '{"maxUnavailable":{"was":"25%","put":1}}'}},
            "spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 1}}}}
    scene.api.merge("deployment", "scripted", namespace, lent)
    other = {"metadata": {"name": "other", **lent["metadata"]}, "spec": {
        **lent["spec"], "replicas": 0, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}}}}
    scene.api.create("deployment", other, namespace)
    assert uninject(scene).code == 0
    scene.wait_as_before()
    after = scene.api.get("deployment", "other", namespace)
    assert after["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == "25%"
    assert "tracing.llm-d.io/strategy" not in after["metadata"].get("annotations", {})
    assert uninject(scene).lines == ["0 taken back, 0 deleted, 0 status cleared, 0 left"]


def test_a_volume_that_is_to_be_kept_is_kept(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    storage = {"type": "Badger", "size": "1Gi"}
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": {"backend": {"jaeger": {"storage": storage}}}}, namespace)
    running = operator()
    scene.switch("true")
    scene.wait_traced()  # the volume itself stays pending: nobody provisions one here
    running.stop()
    assert uninject(scene).code == 0
    scene.wait_as_before()
    claims = cluster.kubectl("-n", namespace, "get", "persistentvolumeclaims", "-o", "name").split()
    assert claims == ["persistentvolumeclaim/jaeger-data"] and scene.api.find("deployment", "jaeger", namespace) is None
    assert uninject(scene).lines == ["0 taken back, 0 deleted, 0 status cleared, 0 left"]


def test_a_running_operator_is_not_worked_against(cluster, namespace, operator, installed):
    scene = traced_and_left(Scene(cluster, namespace, "bash-script.yaml").wait_settled(), operator)
    system = installed.split("/", maxsplit=1)[0]
    before = versions(scene)
    refused = uninject(scene)
    assert refused.code == 1 and versions(scene) == before
    assert f"Deployment {installed}" in refused.err and f"kubectl annotate namespace {namespace}" in refused.err
    # scaled to nothing it runs no more
    cluster.kubectl("-n", system, "scale", "deployment/llmd-tracing", "--replicas=0")
    assert uninject(scene, "--dry-run").code == 0
    cluster.kubectl("-n", system, "scale", "deployment/llmd-tracing", "--replicas=1")
    assert uninject(scene, "--force").code == 0
    scene.wait_as_before()


@pytest.mark.usefixtures("installed")
def test_a_namespace_that_is_not_annotated_needs_no_force(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, "bash-script.yaml").wait_settled(), operator)
    scene.switch(None)
    assert uninject(scene).code == 0
    scene.wait_as_before()


def test_all_namespaces_and_nobody_else_s_objects(cluster, namespaces, operator):
    one, two = (Scene(cluster, namespaces(), "bash-script.yaml").wait_settled() for _ in range(2))
    other = Scene(cluster, namespaces(), "pd.yaml").wait_settled()
    rendered = subprocess.run([BINARY, "render", "-n", other.namespace, "-o", "json"], check=True, capture_output=True, text=True).stdout
    cluster.kubectl("apply", "-f", "-", stdin=rendered)
    running = operator()
    for scene in (one, two):
        scene.switch("true")
    for scene in (one, two):
        scene.wait_traced().wait_rolled_out()
    running.stop()
    before = versions(other)
    done = online(cluster, "uninject", "--cluster", "-A")
    assert done.code == 0, done.err
    for scene in (one, two):
        scene.wait_as_before()
        wait_cleaned_up(scene, keeps_tracing=False)
    assert versions(other) == before, "what render printed belongs to whoever applied it"


def test_many_pages_of_what_the_command_line_injected(cluster, namespace):
    """Two and a half pages of Deployments; none is lost between them."""
    def plain(i):
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"m{i:03}", "namespace": namespace}, "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": f"m{i}"}}, "template": {"metadata": {"labels": {"app": f"m{i}"}}, "spec": {
                "containers": [{"name": "server", "image": "vllm/vllm-openai:v0.23.0", "command": ["vllm", "serve"], "args": ["m"]}]}}}}
    items = {"apiVersion": "v1", "kind": "List", "items": [plain(i) for i in range(250)]}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(items))
    before = {o["metadata"]["name"]: normalized(o)["spec"] for o in cluster.api.list("deployment", namespace)}
    injected = subprocess.run([BINARY, "inject", "-f", "-"], input=json.dumps(items), check=True, capture_output=True, text=True).stdout
    cluster.kubectl("replace", "-f", "-", stdin=injected)
    assert all(LEDGER in o["metadata"]["annotations"] for o in cluster.api.list("deployment", namespace))
    done = online(cluster, "uninject", "--cluster", "-n", namespace)
    assert done.code == 0 and done.lines[-1].startswith("250 taken back")
    after = cluster.api.list("deployment", namespace)
    assert {o["metadata"]["name"]: normalized(o)["spec"] for o in after} == before
    assert not any(LEDGER in o["metadata"].get("annotations", {}) for o in after)


def test_what_the_user_changed_stays(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, "pd.yaml").wait_settled(), operator)
    cluster.kubectl("-n", namespace, "set", "env", "deployment/prefill", "OTEL_SERVICE_NAME=mine")
    done = uninject(scene, "-o", "json")
    assert done.code == 0 and done.result_of("Deployment", "prefill")["reason"] == "PartlyChanged"
    server = scene.api.get("deployment", "prefill", namespace)["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "OTEL_SERVICE_NAME", "value": "mine"} in server["env"]
    assert not [e for e in server["env"] if e["name"].startswith("OTEL") and e["name"] != "OTEL_SERVICE_NAME"]


@pytest.mark.parametrize("flags", [(), CHANGED], ids=["same", "changed"])
def test_helm_upgrade_works_afterwards(cluster, namespaces, operator, flags):
    release, twin = Release(cluster, namespaces()), Release(cluster, namespaces())
    scene = Scene(cluster, release.namespace)
    scene.workloads = list(release.workloads())
    traced_and_left(scene.wait_settled(), operator)
    assert uninject(scene).code == 0
    upgrade(release, twin, flags)
    wait_like_twin(release, twin)


def test_server_side_apply_works_afterwards(cluster, namespace, operator):
    text = sample("pd.yaml", namespace)
    apply = lambda text: cluster.apply(text, None, "--server-side", "--field-manager=argocd-controller")  # noqa: E731
    apply(text)
    scene = Scene(cluster, namespace)
    scene.workloads = list(SAMPLES["pd.yaml"])
    scene.remember()
    traced_and_left(scene.wait_settled(), operator)
    assert uninject(scene).code == 0
    for w in scene.workloads:
        scene.is_as_before(w)
        managers = [f["manager"] for f in scene.api.get(w.kind, w.name, namespace)["metadata"]["managedFields"]]
        assert "llmd-tracing" not in managers
    apply(text.replace("--gpu-memory-utilization=0.9", "--gpu-memory-utilization=0.7"))


READ = {"apiGroups": ["", "apps", "networking.k8s.io", "tracing.llm-d.io", "opentelemetry.io", "leaderworkerset.x-k8s.io",
                      "disaggregatedset.x-k8s.io", "llm-d.ai"], "resources": ["*"], "verbs": ["get", "list"]}
SEE = {"apiGroups": ["", "apps"], "resources": ["namespaces", "deployments"], "verbs": ["get", "list"]}


def test_a_list_that_is_refused_is_named(cluster, namespace):
    config = user_kubeconfig(cluster, namespace, [{**READ, "resources": ["deployments"]}], [SEE])
    done = online(cluster, "uninject", "--cluster", "-n", namespace, kubeconfig=config)
    assert done.code == 6
    for word in ("not everything could be looked at", 'cannot list resource "tracings"', namespace):
        assert word in done.err, done.err


def test_a_write_that_is_refused_keeps_the_collector(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, "bash-script.yaml").wait_settled(), operator)
    before = versions(scene)
    config = user_kubeconfig(cluster, namespace, [READ], [SEE])
    done = uninject(scene, "-o", "json", kubeconfig=config)
    assert done.code == 1 and versions(scene) == before
    row = done.result_of("Deployment", "scripted")
    assert (row["result"], row["reason"]) == ("left", "Denied") and "cannot patch resource" in row["message"]
    assert any("collector and back end stay" in n["message"] for n in done.json["notes"])


def test_a_kind_that_cannot_be_listed_keeps_the_collector(cluster, namespace, operator):
    scene = traced_and_left(Scene(cluster, namespace, "bash-script.yaml").wait_settled(), operator)
    all_but_statefulsets = [{**READ, "verbs": ["*"], "resources": [
        "deployments", "services", "configmaps", "networkpolicies", "persistentvolumeclaims", "tracings", "tracings/status",
        "opentelemetrycollectors", "leaderworkersets", "disaggregatedsets", "modelservices"]}]
    done = uninject(scene, kubeconfig=user_kubeconfig(cluster, namespace, all_but_statefulsets, [SEE]))
    assert done.code == 6 and "statefulsets" in done.err and "not every kind of workload may be listed" in done.err
    scene.wait_as_before()
    assert scene.api.find("deployment", "otel-collector", namespace)


def test_a_namespace_that_is_not_there(cluster):
    done = online(cluster, "uninject", "--cluster", "-n", "nowhere")
    assert done.code == 3 and "nowhere" in done.err


def test_the_operator_s_crd_is_gone(own_cluster, operator):
    """After `kubectl delete crd`: the workloads still carry their ledgers."""
    cluster = own_cluster()
    cluster.api.create("namespace", {"metadata": {"name": "shop"}})
    scene = traced_and_left(Scene(cluster, "shop", "bash-script.yaml").wait_settled(), lambda: operator(on=cluster))
    cluster.kubectl("delete", "crd", "tracings.tracing.llm-d.io")
    wait_for(lambda: "tracings" not in str(cluster.api.request("GET", "/apis")), what="the CRD is gone")
    done = uninject(scene)
    assert done.code == 0, done.err
    scene.is_as_before(Workload(*scene.workloads[0]))
    wait_for(lambda: scene.api.find("deployment", "otel-collector", "shop") is None, what="the collector is gone")
