# SPDX-License-Identifier: Apache-2.0
"""The Tracing: made where there is none, edited, wrong, deleted; and what annotations on workloads say."""
import pytest

from api import ApiError, containers_of, env_of
from operator_process import USER
from traced import LEDGER, Scene, is_traced
from waiting import holds_for, wait_for


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "pd.yaml").wait_settled()


def env(scene, name, container):
    return env_of(containers_of(scene.api.get("deployment", name, scene.namespace)["spec"]["template"])[container])


def annotations(scene, name):
    return scene.api.get("deployment", name, scene.namespace)["metadata"].get("annotations", {})


def test_status_tells_what_there_is(scene, operator):
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    tracing = scene.tracing()
    assert tracing.get("spec", {}) == {}
    assert tracing["status"]["observedGeneration"] == tracing["metadata"]["generation"] == 1
    assert tracing["status"]["counters"] == {"workloads": 3, "injected": 3, "pending": 0, "skipped": 0, "failed": 0, "pendingRestarts": 0}
    assert {r["name"]: r["state"] for r in tracing["status"]["workloads"]} == {"decode": "Injected", "prefill": "Injected", "qwen-epp": "Injected"}
    for kind in ("Enabled", "SettingsValid", "CollectorReady", "BackendReady", "Injected", "RolledOut", "Ready"):
        assert scene.condition(kind)["status"] == "True", kind
    for kind in ("PendingRestart", "Conflicting"):
        assert scene.condition(kind)["status"] == "False", kind
    assert all(r["since"] for r in tracing["status"]["workloads"])
    header, line = scene.cluster.kubectl("-n", scene.namespace, "get", "tracing").splitlines()
    for column in ("READY", "WORKLOADS", "INJECTED", "PENDING", "SKIPPED", "AGE"):
        assert column in header.split()
    assert line.split()[:1] == ["llm-d"]
    for name in ("decode", "prefill", "qwen-epp"):
        wait_for(lambda name=name: scene.events(name, "Injected"), 10, f"an Event on {name}")


def test_a_tracing_that_is_there_first_is_obeyed(scene, operator):
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {
        "sampling": {"ratio": "0.1"}, "components": {"vllm": {"detailedTraces": "none", "serviceNames": {"decode": "my-decode"}},
                                                      "epp": {"enabled": False}}}}, scene.namespace)
    operator()
    holds_for(lambda: LEDGER not in annotations(scene, "decode"), 1, "a Tracing alone switches nothing on")
    wait_for(lambda: scene.condition("Enabled")["status"] == "False", 20, "Enabled=False")
    scene.switch("true")
    wait_for(lambda: env(scene, "decode", "modelserver").get("OTEL_SERVICE_NAME") == "my-decode", 60, "its service name")
    wait_for(lambda: env(scene, "prefill", "modelserver").get("OTEL_TRACES_SAMPLER_ARG") == "0.1", 60)
    args = containers_of(scene.api.get("deployment", "decode", scene.namespace)["spec"]["template"])["modelserver"]["args"]
    assert not any("collect-detailed-traces" in a for a in args)
    scene.wait_condition("Ready", "True")
    assert LEDGER not in annotations(scene, "qwen-epp")
    scene.switch("false")
    scene.wait_as_before()


@pytest.mark.parametrize("spec", [
    {"sampling": {"ratio": "1.5"}}, {"sampling": {"ratio": "ten"}}, {"sampling": {"sampler": "always_on"}},
    {"collector": {"mode": "External", "endpoint": "tempo:4317"}}, {"collector": {"mode": "Magic"}}, {"no": {"such": "field"}},
])
def test_the_crd_refuses_what_cannot_be(cluster, namespace, spec):
    body = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}
    with pytest.raises(ApiError):
        cluster.api.request("POST", f"/apis/tracing.llm-d.io/v1alpha1/namespaces/{namespace}/tracings?fieldValidation=Strict", body)


def test_only_one_tracing_a_namespace(cluster, namespace):
    body = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "other"}, "spec": {}}
    with pytest.raises(ApiError):
        cluster.api.create("tracing", body, namespace)


def test_a_deleted_tracing_changes_nothing(scene, operator):
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    since = scene.cluster.audit.position()
    scene.api.delete("tracing", "llm-d", scene.namespace)
    holds_for(lambda: scene.cluster.audit.assert_no_writes(since, USER, scene.namespace, "deployments"), 2)
    scene.switch("false")
    scene.wait_as_before()


def test_opting_out_and_in_again(scene, operator):
    scene.cluster.kubectl("-n", scene.namespace, "annotate", "deployment/prefill", "tracing.llm-d.io/inject=false")
    operator()
    scene.switch("true")
    wait_for(lambda: is_traced(scene.api, scene.workloads[0], scene.namespace), 60)
    wait_for(lambda: scene.row("prefill")["reason"] == "OptedOut", 30)
    assert LEDGER not in annotations(scene, "prefill")
    scene.cluster.kubectl("-n", scene.namespace, "annotate", "deployment/prefill", "tracing.llm-d.io/inject-")
    wait_for(lambda: is_traced(scene.api, scene.workloads[1], scene.namespace), 60, "opted in again")
    scene.cluster.kubectl("-n", scene.namespace, "annotate", "deployment/prefill", "tracing.llm-d.io/inject=false")
    wait_for(lambda: LEDGER not in annotations(scene, "prefill"), 60, "taken back on opting out")
    assert env(scene, "prefill", "modelserver") == {}
    assert is_traced(scene.api, scene.workloads[0], scene.namespace)


def test_a_wrong_switch_value_changes_nothing(scene, operator):
    operator()
    scene.switch("True")
    holds_for(lambda: LEDGER not in annotations(scene, "decode"), 1)
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.switch("yes")
    wait_for(lambda: "BadSwitchValue" in str(scene.tracing()["status"]["conditions"]), 20, "BadSwitchValue is shown")
    assert all(is_traced(scene.api, w, scene.namespace) for w in scene.workloads)
    scene.switch("false")
    scene.wait_as_before()


def test_namespaces_without_the_switch_are_never_written(cluster, namespaces, operator):
    enabled, other = Scene(cluster, namespaces(), "bash-script.yaml").wait_settled(), Scene(cluster, namespaces(), "pd.yaml").wait_settled()
    since = cluster.audit.position()
    operator()
    enabled.switch("true")
    enabled.wait_traced()
    assert [r for r in cluster.audit.writes(since, USER) if r.namespace == enabled.namespace]
    assert cluster.audit.assert_no_writes(since, USER, other.namespace)
    other.wait_as_before(1)


def test_dry_run_plans_and_writes_nothing(scene, operator):
    since = scene.cluster.audit.position()
    running = operator("--dry-run")
    scene.switch("true")
    wait_for(lambda: "otlp-traces-endpoint" in running.log() or "decode" in running.log(), 30, "the plan is logged")
    holds_for(lambda: scene.cluster.audit.assert_no_writes(since, USER), 1)
