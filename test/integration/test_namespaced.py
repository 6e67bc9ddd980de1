# SPDX-License-Identifier: Apache-2.0
"""Namespaced mode: Roles only, what is missing is told, and nothing waits for it."""
import itertools

import pytest

from cluster import OWN_CRDS, TEST_CRDS
from rights import refused
from roles import account, grant
from cycle import change_settings, wait_cleaned_up
from traced import LEDGER, Scene
from waiting import holds_for, wait_for

ONE_GET_S = 45  # Namespaces are read every 30 s
numbers = itertools.count(1)


def forbidden(cluster, since, user):
    return refused(cluster.audit.requests(since, user))


@pytest.fixture
def roles(cluster):
    """Makes ServiceAccounts: roles(on=cluster) -> (name, user, kubeconfig)."""
    def make(on=cluster):
        name = f"narrow-{next(numbers)}"
        return (name, *account(on, name))
    return make


def create_tracing(scene, spec):
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec},
                     scene.namespace)


def test_the_whole_cycle_with_roles_only(cluster, namespace, operator, roles):
    name, user, kubeconfig = roles()
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    grant(cluster, name, namespace)
    since = cluster.audit.position()
    operator("--namespaces", namespace, kubeconfig=kubeconfig)
    scene.switch("true")
    scene.wait_traced(ONE_GET_S + 60).wait_rolled_out()
    scene.wait_condition("Ready", "True")
    change_settings(scene)
    scene.switch(None)
    scene.wait_as_before(ONE_GET_S + 60)
    wait_cleaned_up(scene)
    requests = cluster.audit.requests(since, user)
    assert not forbidden(cluster, since, user)
    assert not [r for r in requests if not r.namespace], "something was asked for cluster-wide"
    assert not [r for r in requests if r.resource == "secrets"]


def test_enabled_by_the_tracing(cluster, namespace, operator, roles):
    name, user, kubeconfig = roles()
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    grant(cluster, name, namespace)
    since = cluster.audit.position()
    operator("--namespaces", namespace, "--enable-from-tracing", kubeconfig=kubeconfig)
    create_tracing(scene, {"enabled": True})
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Enabled", "True", "EnabledHere")
    scene.api.merge("tracing", "llm-d", namespace, {"spec": {"enabled": False}})
    scene.wait_as_before()
    wait_for(lambda: cluster.api.find("deployment", "otel-collector", namespace) is None, 60, "the collector is gone")
    scene.wait_condition("Enabled", "False", "NotAnnotated")
    assert not forbidden(cluster, since, user)


def test_a_tracing_alone_switches_nothing_on_unless_told(cluster, namespace, operator, roles):
    name, _, kubeconfig = roles()
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    grant(cluster, name, namespace)
    operator("--namespaces", namespace, kubeconfig=kubeconfig)
    create_tracing(scene, {"enabled": True})
    scene.wait_condition("Enabled", "False", "NotAnnotated")
    holds_for(lambda: scene.is_as_before(scene.workloads[0]), 1)


def test_a_namespace_out_of_reach_keeps_none_waiting(cluster, namespaces, operator, roles):
    name, _, kubeconfig = roles()
    near, far = Scene(cluster, namespaces(), "bash-script.yaml").wait_settled(), Scene(cluster, namespaces(), "bash-script.yaml").wait_settled()
    for s in (near, far):
        s.switch("true")
    grant(cluster, name, near.namespace)
    running = operator("--namespaces", f"{far.namespace},{near.namespace}", kubeconfig=kubeconfig)
    near.wait_traced()
    text = running.http("/readyz")[1]
    assert f"cannot read namespaces in namespace {far.namespace}" in text and 'cannot get resource "namespaces"' in text, text
    far.wait_as_before(1)
    grant(cluster, name, far.namespace)
    far.wait_traced(ONE_GET_S + 60)
    assert "cannot read" not in running.http("/readyz")[1]


def test_nothing_granted_is_said_and_not_asked_for_all_the_time(cluster, namespace, operator, roles):
    _, user, kubeconfig = roles()
    since = cluster.audit.position()
    running = operator("--namespaces", namespace, kubeconfig=kubeconfig, ready=False)
    wait_for(lambda: 'cannot get resource "namespaces"' in running.http("/readyz")[1], 20, "/readyz names verb and resource")
    assert running.http("/readyz")[0] == 503
    holds_for(lambda: running.process.poll() is None and len(forbidden(cluster, since, user)) < 10, 8)


def test_a_missing_permission_is_shown_with_verb_and_resource(cluster, namespace, operator, roles):
    name, user, kubeconfig = roles()
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    grant(cluster, name, namespace, without={("list", "statefulsets"), ("patch", "deployments")})
    scene.switch("true")
    since = cluster.audit.position()
    running = operator("--namespaces", namespace, kubeconfig=kubeconfig)
    permitted = scene.wait_condition("Permitted", "False", "Forbidden")
    assert 'cannot list resource "statefulsets" in API group "apps"' in permitted["message"]
    assert 'cannot list resource "statefulsets"' in running.http("/readyz")[1]
    refused = scene.wait_condition("CollectorReady", "False", "Refused")
    assert 'cannot patch resource "deployments"' in refused["message"]
    assert LEDGER not in cluster.api.get("deployment", "scripted", namespace)["metadata"].get("annotations", {})
    holds_for(lambda: running.process.poll() is None and len(forbidden(cluster, since, user)) < 40, 10)
    grant(cluster, name, namespace)
    scene.wait_traced(150)
    wait_for(lambda: "Permitted" not in str(scene.tracing()["status"]["conditions"]), 150, "nothing is missing any more")


@pytest.mark.parametrize("verb, resource", [("create", "tracings"), ("patch", "tracings/status"), ("create", "events"), ("watch", "deployments"),
                                            ("create", "services"), ("list", "tracings"), ("list", "configmaps")])
def test_no_refusal_ends_or_heats_the_operator(cluster, namespace, operator, roles, verb, resource):
    name, user, kubeconfig = roles()
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    grant(cluster, name, namespace, without={(verb, resource)})
    scene.switch("true")
    since = cluster.audit.position()
    running = operator("--namespaces", namespace, kubeconfig=kubeconfig)
    wait_for(lambda: forbidden(cluster, since, user), 30, f"{verb} {resource} is refused")
    holds_for(lambda: running.process.poll() is None and len(forbidden(cluster, since, user)) < 60, 6)


def test_a_kind_that_comes_later_is_found_within_a_minute(own_cluster, namespaces, operator, roles):
    cluster = own_cluster(crds=(OWN_CRDS,))
    name, user, kubeconfig = roles(on=cluster)
    scene = Scene(cluster, namespaces(on=cluster))
    grant(cluster, name, scene.namespace)
    scene.switch("true")
    since = cluster.audit.position()
    operator("--namespaces", scene.namespace, on=cluster, kubeconfig=kubeconfig)
    wait_for(lambda: [r for r in cluster.audit.requests(since, user) if r.resource == "leaderworkersets" and r.code == 404], 20, "it is absent")
    cluster.install_crds(TEST_CRDS)
    later = Scene(cluster, scene.namespace, "lws.yaml")
    later.wait_traced(60 + 30)
