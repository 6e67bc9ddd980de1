# SPDX-License-Identifier: Apache-2.0
"""What the administrator says: defaults, image registry, policy; and the ways around it that are closed."""
import json

import pytest

from api import ApiError, containers_of, env_of
from online import online
from operator_process import USER
from roles import account, grant
from traced import Scene, is_traced
from waiting import holds_for, wait_for

POLICY = {"allowedEndpoints": ["https://*.corp.example:4317"], "allowedImages": ["registry.corp.example/*"],
          "allowedModes": ["Auto", "Deployment", "External"], "maxRatio": "0.5"}
DEFAULTS = {"sampling": {"where": "Pods"}, "collector": {"image": "registry.corp.example/otel:1"}, "backend": {"jaeger": {"image": "registry.corp.example/jaeger:2"}}}


def write(folder, name, tree):
    path = folder / name
    path.write_text(json.dumps(tree))
    return str(path)


def workload_writes(cluster, since, namespace, user=USER):
    """Everything written there but status and Events."""
    return [f"{r.verb} {r.uri}" for r in cluster.audit.writes(since, user)
            if r.namespace == namespace and r.resource != "events" and r.subresource != "status"]


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "pd.yaml").wait_settled()


ESCAPES = {
    "a host outside of the policy": ({"backend": {"type": "OTLP", "otlp": {"endpoint": "https://evil.example:4317"}}},
                                     'spec.backend.otlp.endpoint: "https://evil.example:4317" is not allowed', "https://*.corp.example:4317"),
    "a metadata service": ({"backend": {"type": "OTLP", "otlp": {"endpoint": "http://169.254.169.254:80"}}},
                           'spec.backend.otlp.endpoint: "http://169.254.169.254:80" leads to the metadata service of a cloud', "allowedEndpoints"),
    "a metadata service by name": ({"collector": {"mode": "External", "endpoint": "http://metadata.google.internal:80"}},
                                   "leads to the metadata service of a cloud", "allowedEndpoints"),
    "a loopback address": ({"collector": {"mode": "External", "endpoint": "http://[::ffff:127.0.0.1]:4317"}},
                           "leads to a loopback address", "allowedEndpoints"),
    "the API server": ({"collector": {"mode": "External", "endpoint": "https://kubernetes.default.svc:443"}},
                       "leads to the Kubernetes API server", "allowedEndpoints"),
    "an image from elsewhere": ({"collector": {"image": "ghcr.io/evil/otel:1"}},
                                'spec.collector.image: "ghcr.io/evil/otel:1" is not allowed', "registry.corp.example/*"),
    "a Jaeger from elsewhere": ({"backend": {"jaeger": {"image": "evil.example/registry.corp.example/jaeger:2"}}},
                                "spec.backend.jaeger.image", "registry.corp.example/*"),
    "a mode": ({"collector": {"mode": "OpenTelemetryCollector"}}, 'spec.collector.mode: "OpenTelemetryCollector" is not allowed', "Deployment"),
    "a ratio": ({"sampling": {"ratio": "0.51"}}, 'spec.sampling.ratio: "0.51" is more than', "the highest is 0.5"),
}


def test_every_escape_holds_and_what_is_injected_stays(scene, operator, tmp_path):
    cluster = scene.cluster
    operator("--policy", write(tmp_path, "policy.yaml", POLICY), "--settings", write(tmp_path, "settings.yaml", DEFAULTS))
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    assert env_of(containers_of(scene.api.get("deployment", "prefill", scene.namespace)["spec"]["template"])["modelserver"])["OTEL_TRACES_SAMPLER_ARG"] == "0.5"
    since = cluster.audit.position()
    for spec, complaint, allowed in ESCAPES.values():
        scene.api.json_patch("tracing", "llm-d", scene.namespace, [{"op": "replace", "path": "/spec", "value": spec}])
        generation = scene.tracing()["metadata"]["generation"]

        def denied(complaint=complaint, allowed=allowed, generation=generation):
            c = scene.condition("SettingsValid")
            assert (c["status"], c["reason"], c["observedGeneration"]) == ("False", "PolicyDenied", generation), c
            return complaint in c["message"] and allowed in c["message"]
        wait_for(denied, 30, complaint)
    assert not workload_writes(cluster, since, scene.namespace)
    assert all(is_traced(scene.api, w, scene.namespace) for w in scene.workloads)
    assert scene.events("llm-d", "PolicyDenied")
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": None})
    scene.wait_condition("SettingsValid", "True")
    scene.switch("false")
    scene.wait_as_before()


def test_taking_back_works_under_a_policy_that_denies(scene, operator, tmp_path):
    first = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"sampling": {"ratio": "1.0"}}})
    scene.wait_condition("Ready", "True")
    first.stop()
    operator("--policy", write(tmp_path, "policy.yaml", {"maxRatio": "0.5"}))
    scene.wait_condition("SettingsValid", "False", "PolicyDenied")
    scene.switch("false")
    scene.wait_as_before()


def test_a_namespace_denied_from_the_start_is_not_touched(scene, operator, tmp_path):
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": {"sampling": {"ratio": "0.9"}}}, scene.namespace)
    since = scene.cluster.audit.position()
    operator("--policy", write(tmp_path, "policy.yaml", {"maxRatio": "0.5"}))
    scene.switch("true")
    scene.wait_condition("SettingsValid", "False", "PolicyDenied")
    holds_for(lambda: not workload_writes(scene.cluster, since, scene.namespace), 2)
    assert scene.row("decode")["reason"] == "PolicyDenied"


def test_defaults_hold_and_a_change_of_them_restarts_nothing(scene, operator, tmp_path):
    first = operator("--settings", write(tmp_path, "settings.yaml", {"sampling": {"where": "Pods", "ratio": "0.25"}}), "--image-registry", "mirror.example/cache")
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")

    def sampled(name="prefill"):
        return env_of(containers_of(scene.api.get("deployment", name, scene.namespace)["spec"]["template"])["modelserver"])["OTEL_TRACES_SAMPLER_ARG"]
    assert sampled() == "0.25" and scene.tracing()["status"]["effective"]["ratio"] == "0.25" and scene.tracing().get("spec", {}) == {}
    collector = scene.api.get("deployment", "otel-collector", scene.namespace)
    assert collector["spec"]["template"]["spec"]["containers"][0]["image"].startswith("mirror.example/cache/open-telemetry/")
    first.stop()
    generations = {w.name: scene.generation(w.kind, w.name) for w in scene.workloads}
    operator("--settings", write(tmp_path, "settings.yaml", {"spec": {"sampling": {"where": "Pods", "ratio": "0.75"}}, "kind": "Tracing",
                                                             "apiVersion": "tracing.llm-d.io/v1alpha1"}))
    wait_for(lambda: scene.tracing()["status"]["effective"]["ratio"] == "0.75", 30, "the new default is in force")
    wait_for(lambda: scene.row("prefill")["reason"] == "PlanOutdated", 30, "the workload waits for its own next change")
    holds_for(lambda: {w.name: scene.generation(w.kind, w.name) for w in scene.workloads} == generations, 2)
    assert sampled() == "0.25"
    scene.switch("false")
    scene.wait_as_before()


OTHERS = {"components": {"vllm": {"serviceNames": {"decode": "our-decode"}}, "sglang": {"enabled": False}},
          "images": [{"match": "ghcr.io/llm-d/*sidecar*", "component": "none"}]}


def test_a_person_agrees_to_what_other_defaults_would_change(scene, operator, tmp_path):
    """The command line plans with the defaults of the operator, which tells them in status."""
    first = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    first.stop()
    operator("--settings", write(tmp_path, "settings.yaml", OTHERS))
    wait_for(lambda: scene.row("decode")["reason"] == "PlanOutdated", 30, "the workload waits for its own next change, or for a person")
    effective = scene.tracing()["status"]["effective"]
    assert {name: effective[name] for name in OTHERS} == OTHERS
    pending = scene.row("decode")["pendingHash"]
    done = online(scene.cluster, "approve", "decode", "--yes", "-n", scene.namespace)
    assert done.code == 0, done.err
    assert "our-decode" in done.out and pending in done.out

    def taken_along():
        pods = containers_of(scene.api.get("deployment", "decode", scene.namespace)["spec"]["template"])
        assert env_of(pods["modelserver"])["OTEL_SERVICE_NAME"] == "our-decode" and "--tracing=true" not in pods["routing-proxy"]["args"]
        return True
    wait_for(taken_along, 60, "the operator agrees on what was agreed to")


def test_a_tracing_within_the_policy_names_an_image_itself(scene, operator, tmp_path):
    operator("--image-registry", "mirror.example")
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": {"collector": {"image": "quay.io/own/otel:1"}}}, scene.namespace)
    scene.switch("true")
    image = wait_for(lambda: scene.api.find("deployment", "otel-collector", scene.namespace), 60)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "quay.io/own/otel:1"
    jaeger = wait_for(lambda: scene.api.find("deployment", "jaeger", scene.namespace), 60)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert jaeger.startswith("mirror.example/jaegertracing/jaeger:")


# --- Secrets ------------------------------------------------------------------------------------

def otlp_with_secret(name):
    return {"backend": {"type": "OTLP", "otlp": {"endpoint": "https://tempo.corp.example:4317",
                                                 "headersFrom": [{"header": "Authorization", "name": name, "key": "token"}]}}}


def create_secret(cluster, namespace, name, labels=None):
    cluster.api.request("POST", f"/api/v1/namespaces/{namespace}/secrets",
                        {"metadata": {"name": name, "labels": labels or {}}, "stringData": {"token": "very-secret-content"}})


@pytest.fixture
def with_secrets(cluster, operator):
    """Starts the operator with Roles that let it look at Secrets: with_secrets(namespace) -> (operator, user)."""
    def start(namespace, without=()):
        user, kubeconfig = account(cluster, "secrets")
        grant(cluster, "secrets", namespace, without)
        return operator("--namespaces", namespace, kubeconfig=kubeconfig), user
    return start


def test_a_secret_without_the_label_is_not_used(scene, with_secrets):
    cluster, namespace = scene.cluster, scene.namespace
    scene.switch("true")
    running, user = with_secrets(namespace)
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    create_secret(cluster, namespace, "database-password")
    since = cluster.audit.position()
    scene.api.merge("tracing", "llm-d", namespace, {"spec": otlp_with_secret("database-password")})
    message = scene.wait_condition("SettingsValid", "False", "SecretNotUsable")["message"]
    assert message.startswith("spec.backend.otlp.headersFrom[0]: Secret database-password does not carry the label tracing.llm-d.io/usable")
    holds_for(lambda: not workload_writes(cluster, since, namespace, user), 2)
    assert all(is_traced(scene.api, w, namespace) for w in scene.workloads)
    cluster.kubectl("-n", namespace, "label", "secret", "database-password", "tracing.llm-d.io/usable=true")
    scene.wait_condition("SettingsValid", "True", timeout=60)
    wait_for(lambda: cluster.api.find("deployment", "jaeger", namespace) is None, 30, "the collector sends elsewhere")
    reads = [r for r in cluster.audit.requests(0, user) if r.resource == "secrets"]
    assert reads and all(r.verb == "get" and r.namespace == namespace and r.name == "database-password" for r in reads), reads
    assert "very-secret-content" not in running.log() + json.dumps(scene.tracing())


def test_a_secret_that_is_not_there_or_elsewhere(cluster, namespaces, with_secrets):
    here, other = Scene(cluster, namespaces(), "bash-script.yaml").wait_settled(), namespaces()
    create_secret(cluster, other, "theirs", {"tracing.llm-d.io/usable": "true"})
    here.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                "spec": otlp_with_secret("theirs")}, here.namespace)
    here.switch("true")
    with_secrets(here.namespace)
    message = here.wait_condition("SettingsValid", "False", "SecretNotUsable")["message"]
    assert f"Secret theirs is not there (in namespace {here.namespace})" in message
    with pytest.raises(ApiError):
        here.api.merge("tracing", "llm-d", here.namespace, {"spec": otlp_with_secret(f"{other}/theirs")})


def test_a_secret_that_the_operator_may_not_look_at(cluster, namespace, with_secrets):
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    create_secret(cluster, namespace, "ours", {"tracing.llm-d.io/usable": "true"})
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                                 "spec": otlp_with_secret("ours")}, namespace)
    scene.switch("true")
    since = cluster.audit.position()
    _, user = with_secrets(namespace, without={("get", "secrets")})
    message = scene.wait_condition("SettingsValid", "False", "SecretNotUsable")["message"]
    assert "Secret ours may not be looked at" in message and 'cannot get resource "secrets"' in message
    holds_for(lambda: len([r for r in cluster.audit.requests(since, user) if r.code == 403]) < 5, 3)
