# SPDX-License-Identifier: Apache-2.0
"""The Tracing's schema and the reader of settings files agree; what is rendered is what an API server takes."""
import json
import os
import subprocess

import pytest
import yaml

from api import ApiError
from cluster import OTEL_CRD, ROOT

BINARY = os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"), "llmd-tracing")


def at(path, value):
    """{"a": {"b": value}} for "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def collector(**fields):
    return {"collector": fields}


def otlp(endpoint="https://tempo.example.com:443", **fields):
    return {"backend": {"type": "OTLP", "otlp": {"endpoint": endpoint, **fields}}}


def image(**fields):
    return {"images": [{"match": "*/vllm:*", **fields}]}


BOOST = {"ratio": "1.0", "until": "2026-01-31T18:00:00Z"}

GOOD = [
    {},
    at("selector.pools", ["a", "b"]), at("selector.matchLabels", {"team": "x"}),
    at("sampling.sampler", "parentbased_traceidratio"),
    *[at("sampling.ratio", r) for r in ("0", "1", "1.0", "0.1", "0.05", "1.000", "00.5", "0.0")],
    *[at("sampling", {"where": w, "ratio": "0.1", "maxSpansPerSecond": n}) for w, n in (("Root", 1), ("Pods", 500), ("Collector", 1000000))],
    *[at("sampling", {"where": w, "boost": BOOST}) for w in ("Root", "Collector")], at("sampling.boost", BOOST),
    at("sampling.where", "Collector") | collector(tailSampling={"ratio": "0.1"}),
    at("sampling.ratio", "0.1") | collector(mode="Shared", endpoint="http://a.b.c:4317"),
    *[collector(mode=m) for m in ("Auto", "Deployment", "OpenTelemetryCollector")],
    *[collector(mode=m, endpoint=e) for m in ("Shared", "External") for e in (
        "http://otel.observability.svc.cluster.local:4317", "https://otlp.example.com:443", "http://10.0.0.1:4317", "http://[fd00::1]:4317")],
    collector(image="mirror.example:5000/otel/contrib@sha256:abc"), collector(replicas=1), collector(replicas=50),
    collector(resources={"limits": {"cpu": 1, "memory": "1.5Gi"}, "requests": {"memory": "1e9"}}),
    collector(nodeSelector={"pool": "cpu"}),
    collector(tolerations=[{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]),
    at("backend.type", "Jaeger"), at("backend.jaeger", {"image": "jaeger:2", "maxTraces": 100}),
    otlp(), otlp("http://tempo:4317"), otlp(tls={"insecureSkipVerify": True}), otlp("http://tempo:4317", tls={"insecureSkipVerify": False}),
    {"backend": {"type": "Jaeger", "otlp": {"endpoint": "http://tempo:4317"}}},
    *[at("components.vllm.detailedTraces", d) for d in ("all", "model", "worker", "none")],
    at("components.vllm.serviceNames", {"prefill": "p", "decode": "team/decode", "default": "v.1:x_y-z"}),
    {"components": {c: {"enabled": False} for c in ("vllm", "sglang", "epp", "routingProxy")}},
    at("components.epp.serviceName", "epp"), at("components.routingProxy.serviceName", "proxy"),
    image(component="vllm"), image(version="0.23.0"), image(component="none"), image(component="routing-proxy", version="1"), {"images": []},
    at("privacy.dropContent", False),
    *[at("rollout.policy", p) for p in ("Immediate", "OnNextChange", "OnApproval", "Never")],
    *[at("rollout.minReadyPerRole", n) for n in (0, 1, 10000, "0%", "50%", "100%")],
    at("rollout.window", {"days": ["Mon", "Sun"], "hours": "22:00-06:00", "timeZone": "UTC+2"}), at("rollout.window", {"days": []}), at("rollout.window", {}),
    *[at("rollout.window.hours", h) for h in ("00:00-24:00", "23:59-00:00")],
    *[at("rollout.window.timeZone", z) for z in ("UTC", "UTC-05:30", "UTC+14", "UTC+14:00", "UTC+05", "Europe/Berlin", "America/Argentina/Buenos_Aires")],
    at("rollout.gitops", "LeaveAlone"), at("rollout.gitops", "Patch"), at("rollout.rehearse", "Auto"), at("rollout.rehearse", "Off"), at("rollout.maxConcurrent", 1), at("rollout.maxConcurrent", 100), at("rollout.pauseOnFailure", False), at("rollout.allowStrategyOverride", True), {"rollout": {}},
    at("enabled", True), at("sampling", None), at("sampling.ratio", None), at("images", None),
]

KNOBS = {"imagePullPolicy": "Always", "imagePullSecrets": [{"name": "reg"}], "priorityClassName": "low", "serviceAccountName": "otel.a-b",
         "affinity": {"nodeAffinity": {}, "podAntiAffinity": {}}, "labels": {"team": "a"}, "annotations": {"note": "two\nlines"}}

ADMITTED = {**KNOBS, "priorityClassName": "system-cluster-critical", "serviceAccountName": "default"}  # what is there in every namespace


def storage(**fields):
    return at("backend.jaeger.storage", fields)


REF = {"name": "s", "key": "k.pem"}
HEADER = {"header": "Authorization", "name": "s", "key": "k"}
SERVERS = ("Elasticsearch", "OpenSearch")

GOOD += [
    storage(type="Memory"), storage(type="Badger"), storage(), storage(type="Badger", size="1.5Ti", storageClassName="fast", ttl="24h", retain=False, fsGroup=0),
    storage(type="Badger", existingClaim="mine", ttl="90m"),
    *[storage(type=t, servers=["https://es.logs.svc:9200", "http://10.0.0.1/es"], credentialsFrom="es", indexPrefix="llm-d",
              tls={"caFrom": REF, "certFrom": REF, "keyFrom": REF}) for t in SERVERS],
    storage(type="Cassandra", servers=["c1.db.svc", "10.0.0.1:9142", "[fd00::1]:9042"], keyspace="jaeger_v1", datacenter="dc1", tls={"insecureSkipVerify": True}),
    otlp(protocol="grpc"), otlp("https://vendor.example.com/otlp", protocol="http"), otlp("http://tempo:4318", protocol="http"),
    *[otlp(query={"type": t, "endpoint": e}) for t in ("Jaeger", "Tempo") for e in ("http://tempo.monitoring.svc:3200", "https://t:443/tempo")],
    otlp(tenant="team-a|b", headersFrom=[HEADER, {**HEADER, "header": "X-Key"}], tls={"caFrom": REF, "certFrom": REF, "keyFrom": REF}),
]
GOOD += [collector(tailSampling={"ratio": "0.1"}), collector(tailSampling={"ratio": "0", "errors": False, "slowerThan": "500ms", "wait": "60m"}),
         at("identity", {"cluster": "c-1", "environment": "prod", "serviceNameSuffix": "-eu/1"})]
GOOD += [collector(**KNOBS), at("backend.jaeger", KNOBS)]

BAD = [
    collector(tailSampling={}), collector(tailSampling={"errors": True}), collector(tailSampling={"ratio": "2"}),
    *[collector(tailSampling={"ratio": "1", "wait": w}) for w in ("2h", "61m", "0s", "5", "", 5)],
    at("identity.cluster", "a b"), at("identity.cluster", ""), at("identity.serviceNameSuffix", '"x'), at("identity.name", "x"),
    storage(type="Postgres"), storage(size="1Gi"), storage(type="Memory", retain=True), storage(type="Badger", size="1 GB"), storage(type="Badger", size="0"),
    storage(type="Badger", size=1), *[storage(type="Badger", ttl=t) for t in ("3d", "0h", "", "1.5h")], storage(type="Badger", existingClaim="a", size="1Gi"),
    storage(type="Badger", existingClaim="other/claim"), storage(type="Badger", fsGroup=-1), storage(type="Badger", servers=["http://a:1"]),
    *[storage(type="Elasticsearch", servers=s) for s in ([], ["es:9200"], ["http://e$s:9200"], ["http://u:p@es:9200"], "http://es:9200", [1])],
    storage(type="Elasticsearch"), storage(type="OpenSearch", servers=["http://es"], keyspace="k"), storage(type="Cassandra", servers=["http://c:9042"]),
    storage(type="Cassandra", servers=["c"], indexPrefix="x"), storage(type="Cassandra", servers=["c"], keyspace="a;b"),
    storage(type="Cassandra", servers=["c"], credentialsFrom="other/secret"), storage(credentialsFrom="s"),
    *[storage(type="Cassandra", servers=["c"], tls=t) for t in ({"caFrom": "s"}, {"caFrom": {"name": "s"}}, {"caFrom": {**REF, "key": "../x"}}, {"certFrom": REF})],
    {"backend": {"jaeger": {"maxTraces": 500, "storage": {"type": "Badger"}}}},
    otlp(protocol="http/protobuf"), otlp("https://t/otlp"), otlp("t:4318", protocol="http"), otlp("https://t/a b", protocol="http"), otlp(tenant="a b"),
    *[otlp(query=q) for q in ({"type": "Tempo"}, {"endpoint": "http://t:3200"}, {"type": "Zipkin", "endpoint": "http://t:3200"},
                              *({"type": "Tempo", "endpoint": e} for e in ("t:3200", "http://t/tempo", "http://u:p@t:3200")))],
    otlp(tenant="${env:X}"), otlp(headersFrom={"Authorization": "x"}), otlp(headersFrom=[{"header": "A", "value": "secret"}]),
    otlp(headersFrom=[{**HEADER, "header": "A:b"}]), otlp(headersFrom=[HEADER, {**HEADER, "header": "authorization"}]),
    otlp(tenant="x", headersFrom=[{**HEADER, "header": "x-scope-orgid"}]), otlp("http://t:4317", tls={"caFrom": REF}), otlp(tls={"keyFrom": REF}),
    *[knobs for key, value in (
        ("imagePullPolicy", "always"), ("imagePullSecrets", ["reg"]), ("imagePullSecrets", [{"name": "other/reg"}]), ("imagePullSecrets", [{}]),
        ("priorityClassName", "Low"), ("priorityClassName", ""), ("serviceAccountName", "a..b"), ("serviceAccountName", "-a"), ("affinity", []),
        ("affinity", {"nodeAfinity": {}}), ("affinity", {"nodeAffinity": 1}), ("labels", {"app": "x"}), ("labels", {"app.kubernetes.io/name": "x"}),
        ("annotations", {"a": 1}), ("annotations", {"tracing.llm-d.io/config-hash": "x"}))
      for knobs in (collector(**{key: value}), at(f"backend.jaeger.{key}", value))],
    *[at("sampling.ratio", r) for r in ("1.5", "-0.1", "+1", "1e-1", "0,5", ".5", "1.", " 1", "10%", "nan", "", "2", "0x1", "10", "0" * 40, 0.5, 1)],
    *[at("sampling.sampler", s) for s in ("always_on", "traceidratio", "parentbased_always_off", "x", "", 1)],
    *[at("sampling.where", w) for w in ("root", "", "Engines", 1)], *[at("sampling.maxSpansPerSecond", n) for n in (0, -1, 1000001, "5", 1.5)],
    *[at("sampling.boost", {**BOOST, **b}) for b in ({"ratio": "2"}, {"until": "tomorrow"}, {"until": "2026-13-01T00:00:00Z"}, {"until": "2026-01-31T18:00:00+01:00"})],
    at("sampling.boost", {"ratio": "1"}), at("sampling.boost", {"until": BOOST["until"]}), at("sampling", {"where": "Pods", "boost": BOOST}),
    *[at("sampling", s) | collector(mode="Shared", endpoint="http://a.b.c:4317") for s in ({"where": "Collector"}, {"maxSpansPerSecond": 5})],
    at("sampling", {"where": "Collector", "ratio": "0.1"}) | collector(tailSampling={"ratio": "0.1"}),
    collector(mode="auto"), collector(mode=""), collector(mode="Shared"), collector(endpoint="http://a.b.c:4317"),
    collector(mode="Deployment", endpoint="http://a.b.c:4317"),
    *[collector(mode="External", endpoint=e) for e in (
        "otel:4317", "http://otel", "http://otel:4318", "https://otel:4318/", "http://otel:4317/v1/traces", "grpc://otel:4317", "http://a b:4317", "http://:4317",
        "http://$(X):4317", "http://{{.x}}:4317", "http://[bad:4317", "http://u@h:4317", "http://h:4317;rm", "http://-h:4317", "http://h\n:4317", "")],
    collector(mode="Shared", endpoint="http://a.b.c:4317") | at("backend.type", "Jaeger"),
    collector(image="a b"), collector(image=""), collector(image="{{.Image}}"), collector(image="-a"),
    *[collector(replicas=r) for r in (0, 51, -1, 1.5, "1")],
    collector(resources={"limits": {"memory": "1 Gi"}}), collector(resources={"limits": {"memory": "lots"}}), collector(resources={"limits": []}),
    collector(nodeSelector={"a": True}), collector(tolerations=[{"operator": "exists"}]), collector(tolerations={}), collector(tolerations=[{"effect": "Never"}]),
    at("backend.type", "OTLP"), at("backend.type", "Zipkin"), at("backend.otlp", {"endpoint": "http://tempo:4317"}), {"backend": {"type": "OTLP", "otlp": {}}},
    otlp("tempo:4317"), otlp("http://tempo:4318"), otlp("http://tempo:4317", tls={"insecureSkipVerify": True}), otlp(tls={"insecureSkipVerify": "yes"}),
    at("backend.jaeger.maxTraces", 10), at("backend.jaeger.maxTraces", 10000001),
    *[at("components.vllm.detailedTraces", d) for d in ("scheduler", "model,worker", "", "All")],
    *[at("components.epp.serviceName", s) for s in ("", "a b", "a=b", "$(X)", "{{x}}", "-a", "a,b", "x" * 129)],
    at("components.vllm.enabled", "yes"), at("components.vllm.enabled", 1),
    {"images": [{"component": "vllm"}]}, {"images": [{"match": "x"}]}, image(component="tgi"), image(version="latest"), image(version="1..2"), image(version="v1"),
    *[at("rollout.policy", p) for p in ("never", "", 1)], *[at("rollout.rehearse", r) for r in ("off", "Never", "", False)], *[at("rollout.minReadyPerRole", n) for n in (-1, 10001, "1", "101%", "50", "%", "1.5%", True)],
    *[at("rollout.window.days", d) for d in (["Monday"], "Mon", [1], ["Mon"] * 8)], at("rollout.window.day", "Mon"), at("rollout.window", "Mon"),
    *[at("rollout.window.hours", h) for h in ("9-17", "09:00-09:00", "24:00-01:00", "25:00-26:00", "09:60-10:00", "09:00-24:01", "", "09:00 - 10:00")],
    *[at("rollout.window.timeZone", z) for z in ("Berlin", "Europe/Berlin ", "europe/berlin", "utc", "UTC+", "UTC+15", "UTC+14:30", "UTC+1:5", "+02:00", "")],
    *[at("rollout.gitops", g) for g in ("patch", "", True)], *[at("rollout.maxConcurrent", n) for n in (0, 101, "1", 1.5)], at("rollout.pauseOnFailure", "no"), at("rollout.allowStrategyOverride", "yes"), at("rollout", []),
    at("selector.pools", "a"), at("selector.pools", [1]), at("selector.matchLabels", {"a": 1}),
    # unknown fields: strict field validation there, an error of the reader here
    at("rollout.order", "x"), at("injection", "Webhook"), at("enabled", "yes"), at("sampling.ratoi", "1"), at("collector.resources.limit", {}),
    at("components.sglang.serviceName", "x"), at("components.trtllm.enabled", True), otlp(tls={"insecure": True}), image(version="1", tag="x"),
    collector(tolerations=[{"keys": "a"}]), at("sampling", "1"), at("sampling", []),
]


def tracing(spec, **metadata):
    return {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d", **metadata}, "spec": spec}


def server_refuses(api, body):
    """The API server's words, or None."""
    try:
        api.request("POST", "/apis/tracing.llm-d.io/v1alpha1/namespaces/default/tracings?dryRun=All&fieldValidation=Strict", body)
    except ApiError as error:
        assert error.status in (400, 422), error
        return str(error)
    return None


def reader_refuses(folder, body):
    file = folder / "settings.json"
    file.write_text(json.dumps(body))
    done = subprocess.run([BINARY, "render", "-n", "n", "--settings", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1, 2, 3, 65), done.stderr
    return done.stderr if done.returncode else None


@pytest.mark.parametrize("spec", GOOD, ids=json.dumps)
def test_both_take(cluster, tmp_path, spec):
    assert server_refuses(cluster.api, tracing(spec)) is None
    assert reader_refuses(tmp_path, tracing(spec)) is None


@pytest.mark.parametrize("spec", BAD, ids=json.dumps)
def test_both_refuse(cluster, tmp_path, spec):
    assert server_refuses(cluster.api, tracing(spec)), "the API server takes it"
    words = reader_refuses(tmp_path, tracing(spec))
    assert words, "the reader takes it"
    assert "Tracing llm-d: spec" in words, words


def test_both_want_the_one_name(cluster, tmp_path):
    assert "is named llm-d" in server_refuses(cluster.api, tracing({}, name="other"))
    assert "must be llm-d" in reader_refuses(tmp_path, tracing({}, name="other"))


def test_nothing_is_filled_in(cluster, namespace):
    """A stored default would shadow the operator's."""
    made = cluster.api.create("tracing", tracing({"collector": {}, "components": {"vllm": {}}}), namespace)
    assert made["spec"] == {"collector": {}, "components": {"vllm": {}}}
    assert "status" not in made


def render(settings, folder, *flags):
    file = folder / "settings.json"
    file.write_text(json.dumps(tracing(settings)))
    out = subprocess.run([BINARY, "render", "-n", "n", "--settings", str(file), *flags], capture_output=True, text=True, check=True, timeout=60).stdout
    return [doc for doc in yaml.safe_load_all(out) if doc]


PLURALS = {"ConfigMap": "configmaps", "Service": "services", "Deployment": "deployments", "NetworkPolicy": "networkpolicies",
           "OpenTelemetryCollector": "opentelemetrycollectors", "PersistentVolumeClaim": "persistentvolumeclaims"}


def apply(api, namespace, body):
    body = {**body, "metadata": {**body["metadata"], "namespace": namespace}}
    version = body["apiVersion"]
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    url = f"{prefix}/namespaces/{namespace}/{PLURALS[body['kind']]}/{body['metadata']['name']}"
    return api.request("PATCH", f"{url}?fieldManager=llmd-tracing&fieldValidation=Strict", body, "application/apply-patch+yaml")


@pytest.mark.parametrize("settings", [{}, otlp(), collector(replicas=2, tailSampling={"ratio": "0.1"}), storage(type="Badger", size="1024Mi"),
                                      storage(type="Cassandra", servers=["c"], credentialsFrom="s", tls={"caFrom": REF}),
                                      otlp(headersFrom=[HEADER], tls={"caFrom": REF, "certFrom": REF, "keyFrom": REF}), at("privacy.dropContent", False),
                                      collector(**ADMITTED) | at("backend.jaeger", ADMITTED),
                                      collector(nodeSelector={"a": "b"}, tolerations=[{"operator": "Exists"}], replicas=2, resources={"requests": {"cpu": "1"}})],
                         ids=json.dumps)
def test_rendered_objects_are_taken_whole_and_stay(cluster, namespace, tmp_path, settings):
    """Strict validation in a namespace that enforces the restricted pod standard; applied again nothing changes."""
    cluster.api.merge("namespace", namespace, None, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    objects = render(settings, tmp_path)
    assert {o["kind"] for o in objects} - {"PersistentVolumeClaim"} == {"ConfigMap", "Service", "NetworkPolicy", "Deployment"}
    first = [apply(cluster.api, namespace, o) for o in objects]
    again = [apply(cluster.api, namespace, o) for o in objects]
    for before, after in zip(first, again):
        if before["kind"] not in ("Deployment", "PersistentVolumeClaim"):  # their status moves
            assert before["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
        assert before["metadata"].get("generation") == after["metadata"].get("generation")
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        template = deployment["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "p"}, "spec": template["spec"]}
        cluster.api.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All&fieldValidation=Strict", pod)


def test_rendered_custom_resource_is_taken(own_cluster, tmp_path):
    own = own_cluster(crds=(OTEL_CRD,))
    objects = render(otlp(), tmp_path, "--cr")
    assert [o["kind"] for o in objects] == ["NetworkPolicy", "OpenTelemetryCollector"]
    first = [apply(own.api, "default", o) for o in objects]
    again = [apply(own.api, "default", o) for o in objects]
    assert [o["metadata"]["resourceVersion"] for o in first] == [o["metadata"]["resourceVersion"] for o in again]
    assert first[1]["spec"]["config"]["processors"]["redaction/content"], "nothing of the configuration is pruned"


def test_the_name_moves_to_a_collector_elsewhere_and_back(cluster, namespace, tmp_path):
    own = next(o for o in render({}, tmp_path) if o["metadata"]["name"] == "otel-collector" and o["kind"] == "Service")
    (elsewhere,) = render(collector(mode="Shared", endpoint="http://otel.observability.svc.cluster.local:4317"), tmp_path)
    assert apply(cluster.api, namespace, own)["spec"]["type"] == "ClusterIP"
    moved = apply(cluster.api, namespace, elsewhere)["spec"]
    assert (moved["type"], moved["externalName"]) == ("ExternalName", "otel.observability.svc.cluster.local")
    assert "selector" not in moved and "clusterIP" not in moved
    back = apply(cluster.api, namespace, own)["spec"]
    assert back["type"] == "ClusterIP" and back["selector"] == own["spec"]["selector"] and "externalName" not in back
