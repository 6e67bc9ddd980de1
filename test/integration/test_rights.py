# SPDX-License-Identifier: Apache-2.0
"""The chart's rights are what a whole life of the operator needs: nothing is refused, nothing is granted in vain."""
import subprocess

import pytest

from cluster import OTEL_CRD, OWN_CRDS, TEST_CRDS, sample
from operator_process import BINARY, NAMESPACE, USER, token_kubeconfig
from rights import SECRETS, grant, refused, unused
from traced import SAMPLES, Scene
from waiting import wait_for

WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
# A right to read one object is needed after a write whose outcome is not known.
READ_AGAIN = ("tracings", "services", "persistentvolumeclaims", "networkpolicies", "opentelemetrycollectors", "deployments", "statefulsets",
              "leaderworkersets", "disaggregatedsets", "modelservices")
# Everything that is not made by default: a collector in two tiers, and a volume that goes with the switch.
STORED = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {
    "collector": {"mode": "Deployment", "replicas": 2, "tailSampling": {"ratio": "0.5"}},
    "backend": {"type": "Jaeger", "jaeger": {"storage": {"type": "Badger", "retain": False}}}}}
SENT = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {
    "collector": {"mode": "Deployment"},
    "backend": {"type": "OTLP", "otlp": {"endpoint": "https://tempo.example.com:4317",
                                         "headersFrom": [{"header": "Authorization", "name": "token", "key": "token"}]}}}}
TOKEN = """
apiVersion: v1
kind: Secret
metadata: {name: token, labels: {tracing.llm-d.io/usable: "true"}}
stringData: {token: Bearer x}
"""


def broken_webhook(kind):
    """Writes of that kind by the operator end with a 500, and nobody else's."""
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": f"no-{kind}"},
            "webhooks": [{"name": "out-of-order.example.com", "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 1,
                          "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:9/"},
                          "matchConditions": [{"name": "operator", "expression": f"request.userInfo.username == '{USER}'"}],
                          "rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": [kind]}]}]}


@pytest.fixture
def served(own_cluster):
    return own_cluster(crds=(OWN_CRDS, TEST_CRDS, OTEL_CRD))


def applied(cluster, namespace):
    """Every sample as Helm 4 or Argo CD would apply it: fields have an owner, to whom they are given back."""
    scene = Scene(cluster, namespace)
    for name in SAMPLES:
        cluster.apply(sample(name, namespace), namespace, "--server-side")
        scene.workloads += SAMPLES[name]
    cluster.apply(sample("modelservice.yaml"), namespace, "--server-side")
    scene.wait_settled().remember()
    return scene


def never_read(requests):
    return [right for right in unused(requests) if right.verb == "get"]


def switch_on_with_each_first_write_failing(scenes, requests):
    api = scenes[0].api
    broken = set(READ_AGAIN)
    for kind in broken:
        api.request("POST", WEBHOOKS, broken_webhook(kind))
    for scene in scenes:
        scene.switch("true")

    def all_mended():
        unread = {right.resource for right in never_read(requests())}
        for kind in broken - unread:
            api.request("DELETE", f"{WEBHOOKS}/no-{kind}")
            broken.discard(kind)
        assert not broken, f"never read again: {sorted(broken)}"
        return True
    wait_for(all_mended, 180, "each kind is read again after a write that failed")


def switch_until_an_event_repeats(scene, requests):
    """A repeated Event is told at most once a minute, as a series."""
    def repeated():
        scene.switch("true")
        scene.wait_traced()
        scene.switch("false")
        scene.wait_as_before()
        return [r for r in requests() if r.resource == "events" and r.verb == "patch"]
    wait_for(repeated, 120, "an Event becomes a series")


def test_every_right_is_used_and_none_is_missing(served, namespaces, operator):
    since = served.audit.position()

    def requests():
        return served.audit.requests(since, USER)

    with_cr = applied(served, namespaces(on=served, annotations={
        "scripted-kubelet/otel-operator": "working", "scripted-kubelet/modelservice": "working"}))
    plain = Scene(served, namespaces(on=served), "bash-script.yaml").wait_settled()
    served.api.create("tracing", SENT, plain.namespace)
    served.apply(TOKEN, plain.namespace)
    stored = Scene(served, namespaces(on=served))
    served.api.create("tracing", STORED, stored.namespace)
    operator(on=served)
    switch_on_with_each_first_write_failing([with_cr, stored], requests)
    with_cr.wait_traced(180)
    switch_until_an_event_repeats(plain, requests)
    with_cr.switch("false")
    stored.switch("false")
    with_cr.wait_as_before(180)
    wait_for(lambda: not [right for right in unused(requests()) if right.verb == "delete"], 90, "everything that was made is deleted")
    wait_for(lambda: served.api.find("tracing", "llm-d", with_cr.namespace) is None, 90, "the Tracing that nobody edited is gone")
    assert refused(requests()) == []
    assert unused(requests(), SECRETS) == []


@pytest.mark.parametrize("mode", ["cluster", "namespaced"])
def test_what_uninstall_revert_runs_may_do_all_it_needs(cluster, namespace, operator, mode):
    """`uninject --cluster` under the chart's account, as its Job runs it."""
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    running = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    running.stop()
    account = f"{mode}-{namespace}-llmd-tracing"
    grant(cluster, {"namespaces": [namespace], "crds": {"install": False}} if mode == "namespaced" else {}, release=account)
    kubeconfig, since = token_kubeconfig(cluster, account), cluster.audit.position()
    done = subprocess.run([BINARY, "uninject", "--cluster", "--force", "--kubeconfig", kubeconfig, *(["-n", namespace] if mode == "namespaced" else ["-A"])],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout
    assert refused(cluster.audit.requests(since, f"system:serviceaccount:{NAMESPACE}:{account}")) == []
    scene.wait_as_before()
    assert not cluster.api.find("deployment", "otel-collector", namespace)
