# SPDX-License-Identifier: Apache-2.0
"""Where the OpenTelemetryCollector kind is served: its operator works, does not, or comes late."""
import pytest

from cluster import OTEL_CRD, OWN_CRDS, TEST_CRDS
from operator_process import USER
from traced import Scene
from waiting import holds_for, wait_for

WORKING = {"scripted-kubelet/otel-operator": "working"}


@pytest.fixture
def served(own_cluster):
    return own_cluster(crds=(OWN_CRDS, TEST_CRDS, OTEL_CRD))


def collector(scene):
    return scene.api.find("opentelemetrycollector", "otel", scene.namespace)


def test_a_working_operator_gets_a_cr(served, namespaces, operator):
    scene = Scene(served, namespaces(on=served, annotations=WORKING), "pd.yaml").wait_settled()
    operator(on=served)
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    assert collector(scene)["metadata"]["labels"]["app"] == "otel-collector"
    assert scene.tracing()["status"]["collector"]["mode"] == "OpenTelemetryCollector"
    assert scene.api.list("pod", scene.namespace, "app=otel-collector"), "the guide's label finds the pods"
    owners = scene.api.get("deployment", "otel-collector", scene.namespace)["metadata"]["ownerReferences"]
    assert owners[0]["kind"] == "OpenTelemetryCollector"
    scene.switch("false")
    scene.wait_as_before()
    wait_for(lambda: collector(scene) is None, 60, "the CR is gone")


def test_an_operator_that_does_not_answer_is_replaced(served, namespaces, operator):
    scene = Scene(served, namespaces(on=served), "pd.yaml").wait_settled()
    since = served.audit.position()
    operator("--collector-timeout", "5s", on=served)
    scene.switch("true")
    scene.wait_traced(150)
    tried = [r for r in served.audit.writes(since, USER) if r.resource == "opentelemetrycollectors"]
    assert (tried[0].verb, tried[-1].verb) == ("patch", "delete"), tried
    assert collector(scene) is None
    assert "ownerReferences" not in scene.api.get("deployment", "otel-collector", scene.namespace)["metadata"]
    wait_for(lambda: scene.tracing()["status"]["collector"]["reason"] == "OperatorNotResponding", 30, "the status says why")


def test_a_kind_that_comes_late_changes_nothing(own_cluster, namespaces, operator):
    cluster = own_cluster(crds=(OWN_CRDS, TEST_CRDS))
    scene = Scene(cluster, namespaces(on=cluster, annotations=WORKING), "pd.yaml").wait_settled()
    operator(on=cluster)
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    uid = scene.api.get("deployment", "otel-collector", scene.namespace)["metadata"]["uid"]
    cluster.install_crds(OTEL_CRD)
    holds_for(lambda: collector(scene) is None, 3, "it never switches by itself")
    late = Scene(cluster, namespaces(on=cluster, annotations=WORKING), "bash-script.yaml").wait_settled()
    late.switch("true")
    wait_for(lambda: collector(late), 60, "a new namespace uses the new kind")
    late.wait_traced()
    assert scene.api.get("deployment", "otel-collector", scene.namespace)["metadata"]["uid"] == uid
