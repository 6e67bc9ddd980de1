# SPDX-License-Identifier: Apache-2.0
"""Where traces go, on a real node: a volume that outlives Jaeger, two collectors that keep a trace whole, somebody else's back end."""
import json

import pytest
import yaml

import serving
from serving import Serving
from waiting import wait_for

TWO = {"llm-d-router/epp", "vllm-decode"}


def tracing(spec):
    return {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}


@pytest.fixture
def serve(installed, namespaces):
    """serve(spec): a Serving that is up, and a Tracing with that spec."""
    def make(spec):
        s = Serving(installed.cluster, namespaces(), serving.aggregated())
        s.api.create("tracing", tracing(spec), s.namespace)
        return s
    return make


def set_spec(s, spec):
    generation = s.api.merge("tracing", "llm-d", s.namespace, {"spec": spec})["metadata"]["generation"]
    wait_for(lambda: s.tracing()["status"].get("observedGeneration") == generation, 60, "the spec is seen")


def volume(s):
    """A volume of the node for the claim of Jaeger; this cluster has no StorageClass."""
    folder = f"/var/lib/{s.namespace}-traces"
    s.cluster.run("mkdir", "-m", "777", folder)  # a hostPath knows no fsGroup
    s.cluster.apply(json.dumps({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"{s.namespace}-traces"}, "spec": {
        "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": folder}, "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"namespace": s.namespace, "name": "jaeger-data"}}}))


def jaeger_pod(s):
    return s.cluster.wait_pods_ready(s.namespace, "app=jaeger")[0]["metadata"]["name"]


def claim(s):
    return s.api.find("persistentvolumeclaim", "jaeger-data", s.namespace)


def test_traces_on_a_volume_outlive_jaeger_and_the_switch(serve):
    storage = {"type": "Badger"}
    s = serve({"backend": {"jaeger": {"storage": storage}}})
    volume(s)
    s.enable()
    trace = s.send()
    s.wait_services(trace, TWO)
    generations, pod = s.generations(), jaeger_pod(s)
    s.cluster.kubectl("-n", s.namespace, "delete", "pod", pod)
    wait_for(lambda: jaeger_pod(s) != pod, 60, "another pod of Jaeger")
    s.wait_services(trace, TWO)
    assert s.generations() == generations

    s.disable()
    uid = claim(s)["metadata"]["uid"]
    s.enable()
    s.wait_services(trace, TWO)
    assert claim(s)["metadata"]["uid"] == uid, "the claim that was kept is used again"
    set_spec(s, {"backend": {"jaeger": {"storage": {**storage, "retain": False}}}})
    s.wait_condition("BackendReady", "True")
    s.disable()
    wait_for(lambda: claim(s) is None, 60, "a claim that is not to be retained goes")


def test_two_collectors_judge_a_trace_as_one(serve):
    """Each span goes to the collector that has its trace; a half of the traces is kept, and each of those is whole."""
    s = serve({"collector": {"mode": "Deployment", "replicas": 2, "tailSampling": {"ratio": "0.5", "errors": False, "wait": "3s"}}})
    s.enable()
    s.cluster.wait_pods_ready(s.namespace, "app=otel-collector", 2)
    traces = [s.send() for _ in range(16)]

    def judged():
        found = [{service for service, _ in s.spans(trace)} for trace in traces]
        assert all(services in (set(), TWO) for services in found), found
        assert {bool(services) for services in found} == {True, False}, "all or none is kept"
        return True
    wait_for(judged, 60, "traces are there as a whole or not at all")
    s.disable()


@pytest.fixture
def elsewhere(installed, namespaces):
    """A Jaeger of somebody else, which puts a header of what it gets onto the spans. The URL of its API."""
    cluster, namespace = installed.cluster, namespaces()
    rendered = [o for o in yaml.safe_load_all(installed.cli("render", "-n", namespace).stdout) if o and o["metadata"]["labels"]["app"] == "jaeger"]
    objects = json.loads(json.dumps(rendered).replace('"llmd-tracing"', '"somebody"'))
    config = next(o for o in objects if o["kind"] == "ConfigMap")["data"]
    jaeger = yaml.safe_load(config["config.yaml"])
    jaeger["receivers"]["otlp"]["protocols"]["grpc"]["include_metadata"] = True
    jaeger["processors"] = {"attributes": {"actions": [{"key": "from.header", "action": "insert", "from_context": "metadata.x-who"}]}}
    jaeger["service"]["pipelines"]["traces"]["processors"] = ["attributes"]
    config["config.yaml"] = json.dumps(jaeger)
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), namespace)
    cluster.wait_pods_ready(namespace, "app=jaeger")
    return f"http://jaeger-collector.{namespace}.svc.cluster.local"


@pytest.fixture
def reads_secrets(installed):
    installed.upgrade("--set", "rbac.secrets=true")
    yield
    installed.upgrade()


def found_elsewhere(s, url, trace):
    """{service: tags of a span and of its process} of a trace."""
    done = s.curl("-f", f"{url}:16686/api/traces/{trace}", check=False)
    found = {}
    for t in json.loads(done.stdout)["data"] if done.returncode == 0 else []:
        for span in t["spans"]:
            process = t["processes"][span["processID"]]
            found[process["serviceName"]] = {tag["key"]: tag["value"] for tag in process["tags"] + span["tags"]}
    return found


def wait_elsewhere(s, url, services, tags):
    """A collector with another configuration takes over from the one before: what is sent meanwhile goes through that."""
    def there(trace):
        found = found_elsewhere(s, url, trace)
        assert set(found) == services, set(found)
        assert all(found[name].get(key) == value for name in services for key, value in tags.items()), found
        return True

    def sent_and_there():
        trace = s.send()
        return wait_for(lambda: there(trace), 10, f"{services} with {tags}", patience=1)
    wait_for(sent_and_there, 120, "what is sent arrives so")


def test_somebody_elses_back_end_with_a_header_and_an_identity(serve, elsewhere, reads_secrets):
    s = serve({"identity": {"cluster": "east", "environment": "test"}, "backend": {"type": "OTLP", "otlp": {
        "endpoint": f"{elsewhere}:4317", "headersFrom": [{"header": "x-who", "name": "token", "key": "who"}]}}})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"who": "team-a"}}
    s.cluster.apply(json.dumps(secret), s.namespace)
    s.switch("true")
    s.wait_condition("SettingsValid", "False", "SecretNotUsable")
    assert not s.is_injected("deployment", "decode") and s.api.find("deployment", "otel-collector", s.namespace) is None
    s.cluster.kubectl("-n", s.namespace, "label", "secret", "token", "tracing.llm-d.io/usable=true")
    s.wait_condition("Ready", "True").wait_up()
    wait_elsewhere(s, elsewhere, TWO, {"from.header": "team-a", "k8s.cluster.name": "east", "deployment.environment.name": "test"})
    s.wait_condition("SpansReceived", "True").wait_condition("TraceConnected", "Unknown", "BackendNotQueryable")

    generations = s.generations()
    set_spec(s, {"identity": {"cluster": "west", "serviceNameSuffix": "-w"}})
    wait_elsewhere(s, elsewhere, {f"{name}-w" for name in TWO}, {"k8s.cluster.name": "west"})
    assert s.generations() == generations, "who we are is put on by the collector"
    s.disable()
