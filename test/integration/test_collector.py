# SPDX-License-Identifier: Apache-2.0
"""The collector and the back end of a namespace: ours, somebody else's, refused."""
import pytest

from operator_process import USER
from traced import LEDGER, Scene, is_traced
from waiting import holds_for, wait_for


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "pd.yaml").wait_settled()


def deployment_of_stranger(name, labels):
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": labels}, "template": {
        "metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "example.com/collector:1"}]}}}}


def service_of_stranger(name, port):
    return {"metadata": {"name": name, "labels": {"owner": "somebody"}},
            "spec": {"selector": {"app": "theirs"}, "ports": [{"name": "p", "port": port}]}}


def untraced(scene):
    return all(LEDGER not in scene.api.get(w.kind, w.name, scene.namespace)["metadata"].get("annotations", {}) for w in scene.workloads)


def test_names_that_the_guide_promises(scene, operator):
    operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "True")
    scene.wait_condition("BackendReady", "True")
    ports = {n: {p["port"] for p in scene.api.get("service", n, scene.namespace)["spec"]["ports"]} for n in ("otel-collector", "jaeger-collector")}
    assert ports == {"otel-collector": {4317, 4318, 8888, 8889}, "jaeger-collector": {4317, 4318, 16686}}
    for app in ("otel-collector", "jaeger"):
        assert scene.api.list("pod", scene.namespace, f"app={app}"), f"kubectl get pods -l app={app} finds nothing"
    for kind in ("deployment", "service", "configmap", "networkpolicy"):
        for obj in scene.api.list(kind, scene.namespace, "app.kubernetes.io/managed-by=llmd-tracing"):
            selector = obj["spec"].get("podSelector") if kind == "networkpolicy" else None
            assert selector is None or selector.get("matchLabels"), "a NetworkPolicy that selects more than our own pods"
    template = scene.api.get("deployment", "otel-collector", scene.namespace)["spec"]["template"]
    container = template["spec"]["containers"][0]
    assert container["securityContext"]["readOnlyRootFilesystem"] and container["resources"]["limits"]["memory"]
    assert container["readinessProbe"] and "runAsUser" not in template["spec"].get("securityContext", {})


def test_workloads_wait_for_the_collector(scene, operator):
    """A quota leaves no room: the API server's own words are in the condition, and nothing is restarted."""
    pods = len(scene.api.list("pod", scene.namespace))
    scene.api.create("resourcequota", {"metadata": {"name": "full"}, "spec": {"hard": {"pods": str(pods)}}}, scene.namespace)
    wait_for(lambda: scene.api.get("resourcequota", "full", scene.namespace).get("status", {}).get("used", {}).get("pods") == str(pods))
    operator()
    scene.switch("true")
    condition = scene.wait_condition("CollectorReady", "False")
    wait_for(lambda: "exceeded quota: full" in scene.condition("CollectorReady")["message"], 30, f"the quota's words, not {condition['message']}")
    assert scene.condition("Ready")["status"] == "False"
    assert untraced(scene)
    scene.api.delete("resourcequota", "full", scene.namespace)
    scene.wait_traced()


@pytest.mark.parametrize("refusal,body,words", [
    ("resourcequota", {"spec": {"hard": {"count/deployments.apps": "1"}}}, "exceeded quota: tight"),
    ("limitrange", {"spec": {"limits": [{"type": "Container", "max": {"memory": "8Mi"}}]}}, "maximum memory usage per Container is 8Mi"),
])
def test_the_words_of_a_refusal_are_shown(cluster, namespaces, operator, refusal, body, words):
    scene = Scene(cluster, namespaces(), "bash-script.yaml").wait_settled()
    scene.api.create(refusal, {"metadata": {"name": "tight"}, **body}, scene.namespace)
    if refusal == "resourcequota":
        wait_for(lambda: scene.api.get(refusal, "tight", scene.namespace).get("status", {}).get("used", {}).get("count/deployments.apps") == "1")
    operator()
    scene.switch("true")
    wait_for(lambda: words in scene.condition("CollectorReady")["message"], 30, "the API server's words")
    assert scene.condition("CollectorReady")["status"] == "False" and untraced(scene)


def test_the_words_of_a_failed_write_outlast_the_look_at_what_is_there(cluster, scene, operator):
    """A webhook that cannot be reached makes a write fail with a 500, after which the object is read again."""
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    name = f"out-of-order.{scene.namespace}.example.com"
    cluster.api.request("POST", hooks, {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": name}, "webhooks": [{
            "name": name, "failurePolicy": "Fail", "sideEffects": "None", "timeoutSeconds": 1, "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://127.0.0.1:1/"}, "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace}},
            "rules": [{"apiGroups": ["apps"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["deployments"]}]}]})
    try:
        operator()
        scene.switch("true")
        wait_for(lambda: name in scene.condition("CollectorReady")["message"], 30, "the API server's words")
        assert untraced(scene)
    finally:
        cluster.api.request("DELETE", f"{hooks}/{name}")


def test_our_pods_pass_the_restricted_pod_security_standard(cluster, namespaces, operator):
    scene = Scene(cluster, namespaces(), "bash-script.yaml").wait_settled()
    cluster.kubectl("label", "namespace", scene.namespace, "pod-security.kubernetes.io/enforce=restricted")
    operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "True")
    scene.wait_condition("BackendReady", "True")


def test_a_foreign_collector_that_fits_is_used(scene, operator):
    scene.api.create("deployment", deployment_of_stranger("theirs", {"app": "theirs"}), scene.namespace)
    scene.api.create("service", service_of_stranger("otel-collector", 4317), scene.namespace)
    before = scene.api.get("service", "otel-collector", scene.namespace)
    operator()
    scene.switch("true")
    scene.wait_traced()
    assert scene.api.find("deployment", "otel-collector", scene.namespace) is None
    for kind in ("PrivacyInForce", "FilterInForce", "LimitsInForce"):
        assert scene.wait_condition(kind, "False", timeout=20)["message"]
    scene.switch("false")
    scene.wait_as_before()
    after = scene.api.get("service", "otel-collector", scene.namespace)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"], "the foreign Service was touched"


def test_a_foreign_service_that_does_not_fit_is_respected(scene, operator):
    scene.api.create("service", service_of_stranger("otel-collector", 80), scene.namespace)
    before = scene.api.get("service", "otel-collector", scene.namespace)
    operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "False", timeout=30)
    since = scene.cluster.audit.position()
    holds_for(lambda: untraced(scene), 1, "no workload is sent to a collector that is none")
    assert scene.cluster.audit.assert_no_writes(since, USER, scene.namespace, "services")
    assert scene.api.get("service", "otel-collector", scene.namespace)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_a_collector_that_never_comes_up(scene, operator):
    """Somebody else's Deployment has the name: it is not ours to overwrite."""
    stranger = scene.api.create("deployment", deployment_of_stranger("otel-collector", {"app": "x"}), scene.namespace)
    operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "False", timeout=30)
    holds_for(lambda: untraced(scene), 1)
    assert scene.api.get("deployment", "otel-collector", scene.namespace)["spec"] == stranger["spec"]


def test_what_we_own_is_put_right_when_changed(scene, operator):
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    scene.api.delete("service", "otel-collector", scene.namespace)
    wait_for(lambda: scene.api.find("service", "otel-collector", scene.namespace), 30, "the Service is back")
    scene.api.merge("configmap", "otel-collector-config", scene.namespace, {"data": {"config.yaml": "broken"}})
    wait_for(lambda: "otlp" in scene.api.get("configmap", "otel-collector-config", scene.namespace)["data"]["config.yaml"], 30, "its config too")
    assert all(is_traced(scene.api, w, scene.namespace) for w in scene.workloads)
