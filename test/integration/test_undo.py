# SPDX-License-Identifier: Apache-2.0
"""Others change what was injected: their change wins where it should, and nobody fights."""
import pytest

from api import containers_of, normalized
from cluster import sample
from operator_process import USER
from traced import LEDGER, Scene, is_rolled_out, is_traced
from waiting import holds_for, wait_for


@pytest.fixture
def scene(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    operator()
    scene.switch("true")
    return scene.wait_traced().wait_rolled_out()


def workload(scene, name):
    return next(w for w in scene.workloads if w.name == name)


def decode(scene):
    return workload(scene, "decode")


def rollout_undo(scene, name):
    scene.cluster.kubectl("-n", scene.namespace, "rollout", "undo", f"deployment/{name}")


def wait_conflicting(scene, name):
    wait_for(lambda: scene.row(name)["state"] == "Conflicting", 60, f"{name} is Conflicting")
    generation = scene.generation("deployment", name)
    holds_for(lambda: scene.generation("deployment", name) == generation, 1, "the undo stands")
    wait_for(lambda: scene.events(name, "Conflicting"), 10, "an Event says so")


def retry(scene, name):
    scene.cluster.kubectl("-n", scene.namespace, "annotate", f"deployment/{name}", "tracing.llm-d.io/retry=1")
    scene.before[workload(scene, name)]["metadata"].setdefault("annotations", {})["tracing.llm-d.io/retry"] = "1"
    wait_for(lambda: is_traced(scene.api, workload(scene, name), scene.namespace), 60, f"{name} is traced again on retry")


def test_rollout_undo_is_repaired_once_and_on_gpus_never(scene):
    rollout_undo(scene, "decode")
    wait_conflicting(scene, "decode")
    assert scene.row("decode")["message"].startswith("kubectl took the injection away")
    before = scene.generation("deployment", "qwen-epp")
    rollout_undo(scene, "qwen-epp")
    wait_for(lambda: scene.generation("deployment", "qwen-epp") > before + 1
             and is_traced(scene.api, workload(scene, "qwen-epp"), scene.namespace), 60, "repaired")
    wait_for(lambda: is_rolled_out(scene.api, workload(scene, "qwen-epp"), scene.namespace), 60)
    rollout_undo(scene, "qwen-epp")
    wait_conflicting(scene, "qwen-epp")
    for name in ("decode", "qwen-epp"):
        retry(scene, name)
    scene.switch("false")
    scene.wait_as_before()


def test_client_side_apply_of_the_same_manifest(scene):
    """kubectl apply resets args, but keeps our env and ledger."""
    before = scene.generation("deployment", "qwen-epp")
    scene.cluster.apply(sample("pd.yaml", scene.namespace))
    wait_for(lambda: scene.generation("deployment", "qwen-epp") > before + 1
             and is_traced(scene.api, workload(scene, "qwen-epp"), scene.namespace), 60, "repaired")
    for name in ("decode", "prefill"):
        wait_conflicting(scene, name)
        assert "kubectl-client-side-apply" in scene.row(name)["message"]
    scene.switch("false")
    scene.wait_as_before()


def test_client_side_apply_of_a_changed_manifest(scene):
    text = sample("pd.yaml", scene.namespace).replace("--gpu-memory-utilization=0.9", "--gpu-memory-utilization=0.8")
    scene.cluster.apply(text)
    wait_for(lambda: is_traced(scene.api, decode(scene), scene.namespace)
             and "--gpu-memory-utilization=0.8" in containers(scene, "decode")["modelserver"]["args"], 60, "new args and traced")
    scene.switch("false")
    wait_for(lambda: LEDGER not in scene.api.get("deployment", "decode", scene.namespace)["metadata"].get("annotations", {}), 60)
    args = containers(scene, "decode")["modelserver"]["args"]
    assert "--gpu-memory-utilization=0.8" in args and not any("otlp" in a for a in args)


def containers(scene, name):
    return containers_of(scene.api.get("deployment", name, scene.namespace)["spec"]["template"])


def test_what_the_user_changes_in_it_stays_the_users(scene):
    """The user takes over one injected variable and adds one of his own: removal leaves both."""
    scene.cluster.kubectl("-n", scene.namespace, "set", "env", "deployment/prefill", "OTEL_SERVICE_NAME=mine", "OTHER=1")
    wait_for(lambda: is_rolled_out(scene.api, scene.workloads[1], scene.namespace), 60)
    scene.switch("false")
    wait_for(lambda: LEDGER not in scene.api.get("deployment", "prefill", scene.namespace)["metadata"].get("annotations", {}), 60)
    container = containers(scene, "prefill")["modelserver"]
    assert {e["name"]: e["value"] for e in container["env"]} == {"OTEL_SERVICE_NAME": "mine", "OTHER": "1"}
    assert not any("otlp" in a for a in container["args"])


def test_a_pool_deleted_under_traced_workloads(scene, operator):
    """Lost evidence is no reason: what is injected stays until the switch says otherwise."""
    since = scene.cluster.audit.position()
    scene.cluster.kubectl("-n", scene.namespace, "delete", "inferencepool", "qwen")
    scene.cluster.kubectl("-n", scene.namespace, "delete", "service", "qwen-epp")
    holds_for(lambda: scene.cluster.audit.assert_no_writes(since, USER, scene.namespace, "deployments"), 2)
    for o in list(operator.running):
        o.stop()
    operator()
    assert all(is_traced(scene.api, w, scene.namespace) for w in scene.workloads)
    scene.switch("false")
    scene.wait_as_before()


def test_scaling_is_none_of_our_business(scene):
    scene.cluster.kubectl("-n", scene.namespace, "scale", "deployment/decode", "--replicas=3")
    since = scene.cluster.audit.position()
    wait_for(lambda: is_rolled_out(scene.api, decode(scene), scene.namespace), 60)
    assert scene.cluster.audit.assert_no_writes(since, USER, scene.namespace, "deployments")
    scene.before[decode(scene)]["spec"]["replicas"] = 3
    scene.switch("false")
    scene.wait_as_before()


def test_a_deleted_and_recreated_workload_is_traced_again(scene):
    text = sample("pd.yaml", scene.namespace)
    scene.cluster.kubectl("-n", scene.namespace, "delete", "deployment", "decode")
    scene.cluster.apply(text)
    wait_for(lambda: is_traced(scene.api, decode(scene), scene.namespace), 60, "the new one is traced")
    wait_for(lambda: scene.row("decode")["state"] in ("Injected", "Pending"), 10, "the new one has a row")
    scene.switch("false")
    wait_for(lambda: normalized(scene.api.get("deployment", "decode", scene.namespace)) == scene.before[decode(scene)], 60)
