# SPDX-License-Identifier: Apache-2.0
"""A scene in which the operator needs every right that the chart grants: all kinds, all back ends, and writes that fail."""
from cluster import sample
from operator_process import USER
from rights import unused
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


def as_it_is(text):
    return text


def every_sample(cluster, namespace, edit=as_it_is):
    """Every sample as Helm 4 or Argo CD would apply it: fields have an owner, to whom they are given back."""
    scene = Scene(cluster, namespace)
    for name in SAMPLES:
        cluster.apply(edit(sample(name, namespace)), namespace, "--server-side")
        scene.workloads += SAMPLES[name]
    cluster.apply(edit(sample("modelservice.yaml")), namespace, "--server-side")
    scene.remember()
    return scene


def without_cr(cluster, plain, stored, edit=as_it_is):
    """Two scenes: one workload, whose spans go elsewhere with a header from a Secret; none, with a volume and two tiers of collectors."""
    scene = Scene(cluster, plain)
    cluster.apply(edit(sample("bash-script.yaml", plain)), plain)
    scene.workloads += SAMPLES["bash-script.yaml"]
    scene.remember()
    cluster.api.create("tracing", SENT, plain)
    cluster.apply(TOKEN, plain)
    cluster.api.create("tracing", STORED, stored)
    return scene, Scene(cluster, stored)


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


def use_every_right(with_cr, stored, plain, requests):
    """The whole life of all three. requests(): those of the operator so far."""
    api = with_cr.api
    switch_on_with_each_first_write_failing([with_cr, stored], requests)
    with_cr.wait_traced(180)
    switch_until_an_event_repeats(plain, requests)
    with_cr.switch("false")
    stored.switch("false")
    with_cr.wait_as_before(180)
    wait_for(lambda: not [right for right in unused(requests()) if right.verb == "delete"], 90, "everything that was made is deleted")
    wait_for(lambda: api.find("tracing", "llm-d", with_cr.namespace) is None, 90, "the Tracing that nobody edited is gone")
