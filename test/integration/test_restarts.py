# SPDX-License-Identifier: Apache-2.0
"""The operator and the API server come and go in the middle of things."""
import pytest

from cluster import OWN_CRDS, TEST_CRDS
from operator_process import USER
from traced import Scene, is_traced
from waiting import holds_for, wait_for


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "pd.yaml").wait_settled()


def test_a_killed_operator_leaves_what_it_did_and_the_next_one_goes_on(scene, operator):
    first = operator()
    scene.switch("true")
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], scene.namespace), 60, "the EPP is traced")
    first.kill()
    operator()
    scene.wait_traced().wait_rolled_out()
    scene.switch("false")
    scene.wait_as_before()


def is_whole(scene, workload):
    """All of our edit is in it, or nothing."""
    try:
        return is_traced(scene.api, workload, scene.namespace)
    except AssertionError:
        return scene.is_as_before(workload)


def killed_after_each_write(scene, operator, is_done, most=80):
    """Starts it again and again, each time until its first write; how often that was."""
    for count in range(most):
        since = scene.cluster.audit.position()
        running = operator()

        def wrote(since=since):
            return is_done() or any(r.is_write and r.resource != "events" for r in scene.cluster.audit.requests(since, USER))
        wait_for(wrote, 60, "it goes on with what is left")
        running.kill()
        assert all(is_whole(scene, w) for w in scene.workloads)
        if is_done():
            return count + 1
    raise AssertionError(f"not done after {most} writes")


def test_killed_after_each_of_its_writes_it_goes_on(scene, operator):
    """Of a whole cycle. Each process gets one write done, or what was under way when that was seen."""
    def traced():
        return all("tracing.llm-d.io/ledger" in scene.api.get(w.kind, w.name, scene.namespace)["metadata"].get("annotations", {}) for w in scene.workloads)

    def gone():
        return scene.api.find("tracing", "llm-d", scene.namespace) is None
    scene.switch("true")
    assert killed_after_each_write(scene, operator, traced) >= len(scene.workloads)
    scene.wait_traced(1).wait_rolled_out()
    scene.switch("false")
    assert killed_after_each_write(scene, operator, gone) >= len(scene.workloads)
    scene.wait_as_before(1)


def test_a_restarted_operator_writes_nothing_to_what_is_done(scene, operator):
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    for o in operator.running:
        o.stop()
    generations = {w: scene.generation(w.kind, w.name) for w in scene.workloads}
    since = scene.cluster.audit.position()
    operator()
    holds_for(lambda: scene.cluster.audit.assert_no_writes(since, USER, scene.namespace), 2)
    assert generations == {w: scene.generation(w.kind, w.name) for w in scene.workloads}


@pytest.mark.parametrize("value", ["false", None])
def test_unannotated_while_the_operator_is_down(scene, operator, value):
    first = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    first.stop()
    scene.switch(value)
    operator()
    scene.wait_as_before()
    wait_for(lambda: scene.api.find("deployment", "otel-collector", scene.namespace) is None, 60, "the collector is gone")


def test_a_missing_switch_is_given_a_grace(scene, operator):
    operator(removal_grace="600s")
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    scene.switch(None)
    wait_for(lambda: "RemovalPending" in str(scene.tracing()["status"]["conditions"]), 20, "RemovalPending is shown")
    holds_for(lambda: is_traced(scene.api, scene.workloads[0], scene.namespace), 1)
    scene.switch("true")
    wait_for(lambda: "RemovalPending" not in str(scene.tracing()["status"]["conditions"]), 20, "RemovalPending is over")
    scene.switch("false")
    scene.wait_as_before()


def test_the_api_server_restarts_while_tracing_comes_and_goes(own_cluster, namespaces, operator):
    cluster = own_cluster(crds=(OWN_CRDS, TEST_CRDS))
    scene = Scene(cluster, namespaces(on=cluster), "pd.yaml").wait_settled()
    running = operator(on=cluster)
    scene.switch("true")
    wait_for(lambda: is_traced(cluster.api, scene.workloads[2], scene.namespace), 60, "the EPP is traced")
    cluster.control("restart-apiserver")
    scene.wait_traced().wait_rolled_out()
    cluster.control("stop-apiserver")
    wait_for(lambda: running.http("/healthz")[0] == 200, what="alive without an API server")
    cluster.control("start-apiserver")
    scene.switch("false")
    scene.wait_as_before()


def test_a_switched_namespace_is_deleted(scene, operator):
    running = operator()
    scene.switch("true")
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], scene.namespace), 60, "the EPP is traced")
    scene.cluster.kubectl("delete", "namespace", scene.namespace, "--wait=false")
    wait_for(lambda: scene.api.find("namespace", scene.namespace) is None, 90, "the namespace is gone")
    assert running.is_ready()


def test_a_namespace_that_hangs_in_deletion(scene, operator):
    """Its objects stay, held by a finalizer: no writes there, and the others go on."""
    running = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    for w in scene.workloads:
        scene.api.merge(w.kind, w.name, scene.namespace, hold)
    scene.cluster.kubectl("delete", "namespace", scene.namespace, "--wait=false")
    try:
        wait_for(lambda: "deletionTimestamp" in scene.api.get("deployment", "decode", scene.namespace)["metadata"], 60, "deletion has begun")
        wait_for(lambda: scene.api.find("tracing", "llm-d", scene.namespace) is None, 60, "the rest is gone")
        since = scene.cluster.audit.position()
        holds_for(lambda: running.http("/healthz")[0] == 200 and scene.cluster.audit.assert_no_writes(since, USER, scene.namespace), 1)
        running.stop()
        again = operator()
        holds_for(lambda: again.http("/healthz")[0] == 200 and scene.cluster.audit.assert_no_writes(since, USER, scene.namespace), 1)
    finally:
        for w in scene.workloads:
            scene.api.merge(w.kind, w.name, scene.namespace, {"metadata": {"finalizers": None}})
