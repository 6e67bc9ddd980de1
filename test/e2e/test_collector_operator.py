# SPDX-License-Identifier: Apache-2.0
"""The OpenTelemetry Operator beside ours: it comes late, is absent, is healthy, dies. Spans arrive, and no workload is restarted for it."""
import pytest

import serving
from cluster import OTEL_CRD
from collector_operator import CollectorOperator
from serving import Serving
from waiting import holds_for, wait_for

TWO = {"llm-d-router/epp", "vllm-decode"}
CRD = "opentelemetrycollectors.opentelemetry.io"


@pytest.fixture(scope="module")
def scenes(installed, module_namespaces):
    """One that is traced before the kind comes, and one that is not traced yet."""
    installed.upgrade("--set", "operator.collectorTimeout=5s")
    yield [Serving(installed.cluster, module_namespaces(), serving.aggregated()) for _ in range(2)]
    # Or the tests after these would try the kind first.
    installed.cluster.kubectl("delete", "crd", CRD, "--ignore-not-found")
    installed.upgrade()


@pytest.fixture(scope="module")
def before(scenes, installed):
    """Traced while the kind was absent; then the kind comes, and nobody who serves it."""
    s = scenes[0].enable()
    generations, uid = s.generations(), collector(s)["metadata"]["uid"]
    installed.cluster.install_crds(OTEL_CRD)
    return s, generations, uid


@pytest.fixture
def healthy(installed):
    running = CollectorOperator(installed.cluster).start()
    yield running
    running.stop()


def collector(s):
    return s.api.find("deployment", "otel-collector", s.namespace)


def custom(s):
    return s.api.find("opentelemetrycollector", "otel", s.namespace)


def enabled_once(s):
    """Traced; and each workload was written once, however long the collector took to be found."""
    generations = s.generations()
    s.enable()
    for name, generation in s.generations().items():
        assert generation == generations[name] + (name[1] != "gateway"), name


def assert_heard(s):
    s.wait_services(s.send(), TWO)


def wait_heard_again(s):
    """The Service of another owner has another address: exporters look the name up anew, and what they drop meanwhile is lost."""
    wait_for(lambda: s.wait_services(s.send(), TWO, 10, patience=1), 240, "spans arrive again")


def mode_of(s):
    return s.tracing()["status"]["collector"]


def test_a_kind_that_comes_late_changes_nothing(before):
    s, generations, uid = before
    holds_for(lambda: custom(s) is None and collector(s)["metadata"]["uid"] == uid, 3, "it never switches by itself")
    assert s.generations() == generations
    assert_heard(s)


def test_nobody_answers_and_we_do_it_ourselves(before, scenes):
    s = scenes[1]
    enabled_once(s)
    assert custom(s) is None and "ownerReferences" not in collector(s)["metadata"]
    assert mode_of(s)["mode"] == "Deployment" and mode_of(s)["reason"] == "OperatorNotResponding", mode_of(s)
    assert_heard(s)
    s.disable()


def test_an_operator_that_comes_later_is_not_turned_to(before, healthy):
    s, generations, uid = before
    holds_for(lambda: custom(s) is None and collector(s)["metadata"]["uid"] == uid, 3, "it never switches by itself")
    assert s.generations() == generations


def test_a_healthy_one_gets_the_object_and_may_die_later(before, scenes, healthy):
    s = scenes[1]
    enabled_once(s)
    assert mode_of(s)["mode"] == "OpenTelemetryCollector", mode_of(s)
    assert collector(s)["metadata"]["ownerReferences"][0]["kind"] == "OpenTelemetryCollector"
    assert s.pods("app=otel-collector"), "the guide's label finds the pods"
    assert_heard(s)
    healthy.stop()
    generations = s.generations()
    assert_heard(s)
    s.api.merge("tracing", "llm-d", s.namespace, {"spec": {"collector": {"mode": "Deployment"}}})
    wait_for(lambda: custom(s) is None and "ownerReferences" not in (collector(s) or {"metadata": {"ownerReferences": 1}})["metadata"], 60, "ours takes its place")
    wait_for(lambda: mode_of(s)["mode"] == "Deployment", 60, "the mode is told")
    s.wait_condition("CollectorReady", "True")
    assert s.generations() == generations, "no workload is touched by a change of collector"
    wait_heard_again(s)
    assert s.generations() == generations
    s.disable()
    s.assert_no_crash()
