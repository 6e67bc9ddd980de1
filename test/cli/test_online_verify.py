# SPDX-License-Identifier: Apache-2.0
"""`verify` and `slow`: each symptom provoked by objects and answers, and what is said of it."""
import base64
import copy
import json
import os
import re
import sys
import time

import pytest

import cli

sys.path.insert(0, os.path.join(cli.ROOT, "test/scenario"))

from fake_api import FakeApi  # noqa: E402
from tools import listing, write_kubeconfig  # noqa: E402

DENIED, UNREACHABLE = 6, 7
NAMESPACE = "/api/v1/namespaces/shop"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
POOLS = "/apis/inference.networking.k8s.io/v1/namespaces/shop/inferencepools"
TRACINGS = "/apis/tracing.llm-d.io/v1alpha1/namespaces/shop/tracings"
JAEGER = NAMESPACE + "/services/http:jaeger-collector:16686/proxy"
COUNTERS = NAMESPACE + "/services/http:otel-collector:8888/proxy/metrics"
CALLS = NAMESPACE + "/services/http:otel-collector:8889/proxy/metrics"
SERVED = NAMESPACE + "/pods/http:decode-1:8000/proxy/metrics"
TRACE = "0af7651916cd43dd8448eb211c80319c"
NAMES = {"epp": "llm-d-router/epp", "proxy": "routing-proxy", "prefill": "vllm-prefill", "decode": "vllm-decode"}
SPANS = ("gateway.request", "llm_d.epp.scoring", "run_scheduler_profile"), ("llm_d.pd_proxy.POST /v1/completions",), ("llm_request",), ("llm_request",)


def with_proxy(tree, image="ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0"):
    tree["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "routing-proxy", "image": image, "restartPolicy": "Always", "args": ["--port=8000", "--kv-connector=nixlv2"]}]
    return tree


def server(role, image="docker.io/vllm/vllm-openai:v0.23.0"):
    labels = {"llm-d.ai/role": role, "llm-d.ai/inference-serving": "true"}
    return cli.deployment(role, "shop", container="modelserver", image=image, labels=labels)


def workloads(proxy="ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0", engine="docker.io/vllm/vllm-openai:v0.23.0"):
    epp = cli.deployment("picker", "shop", "epp", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", None, ("--pool-name=pool",),
                         annotations={"tracing.llm-d.io/inject": "true"})
    trees = cli.inject(cli.dump(epp, with_proxy(server("decode", engine), proxy), server("prefill", engine))).documents()
    for tree in trees:
        tree["metadata"].update(uid=tree["metadata"]["name"], resourceVersion="5", generation=1)
    return {t["metadata"]["name"]: t for t in trees}


def container(trees, workload, name):
    spec = trees[workload]["spec"]["template"]["spec"]
    return next(c for c in spec["containers"] + spec.get("initContainers", []) if c["name"] == name)


def set_env(entry, name, value):
    entry["env"] = [e for e in entry["env"] if e["name"] != name] + ([{"name": name, "value": value}] if value is not None else [])


def span(trace, number, parent, service, operation, start=0.0, duration=0.1, **figures):
    node = {"traceID": trace, "spanID": f"{number:016x}", "operationName": operation, "startTime": int((time.time() - 60 + start) * 1e6),
            "duration": int(duration * 1e6), "processID": service,
            "tags": [{"key": k, "type": "float64", "value": v} for k, v in figures.items()]}
    if parent:
        node["references"] = [{"refType": "CHILD_OF", "traceID": trace, "spanID": f"{parent:016x}"}]
    return node


def trace_of(spans, trace=TRACE):
    return {"traceID": trace, "spans": spans, "processes": {s["processID"]: {"serviceName": s["processID"], "tags": []} for s in spans}}


def whole(trace=TRACE, without=()):
    """A trace of a request through all four, or through some of them."""
    spans, number = [], 0
    for (role, service), operations in zip(NAMES.items(), SPANS):
        for operation in operations if role not in without else ():
            number += 1
            spans.append(span(trace, number, number - 1, service, operation))
    return trace_of(spans, trace)


class Shop:
    """A namespace `shop`; what Jaeger and collector answer is in `traces`, `counters`, `calls` (None: no such port).

    `served`: what a model server behind a pool counts; None: there is no pool; "": it may not be asked."""

    def __init__(self, trees=None, traces=(), counters="", calls="", policies=(), tracing=None, jaeger=None, own=True, served=None):
        self.trees = workloads() if trees is None else trees
        self.traces, self.counters, self.calls, self.policies = list(traces), counters, calls, policies
        self.tracing, self.jaeger, self.own, self.asked = tracing, jaeger, own, 0
        self.served, self.selectors = served, []

    def services(self):
        return sorted({p["serviceName"] for t in self.traces for p in t["processes"].values()})

    def collector(self):
        annotations = {"tracing.llm-d.io/applied": "x"} if self.own else {}
        return {"metadata": {"name": "otel-collector", "namespace": "shop", "uid": "c", "resourceVersion": "4", "annotations": annotations,
                             "labels": {"app.kubernetes.io/managed-by": "llmd-tracing"}}, "spec": {"ports": [{"port": 4317}]}}

    def pools(self):
        return [] if self.served is None else [{
            "apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool",
            "metadata": {"name": "pool", "namespace": "shop", "uid": "o", "resourceVersion": "6"},
            "spec": {"selector": {"matchLabels": {"app": "x", "llm-d.ai/role": "decode"}}, "targetPorts": [{"number": 8000}]}}]

    def pods(self, exchange):
        if exchange.path != NAMESPACE + "/pods" or "labelSelector" not in exchange.query:
            return []
        self.selectors.append(exchange.query["labelSelector"])
        return [{"metadata": {"name": "decode-1", "namespace": "shop", "uid": "q", "resourceVersion": "3"}, "status": {"phase": "Running"}},
                {"metadata": {"name": "decode-2", "namespace": "shop", "uid": "r", "resourceVersion": "3"}, "status": {"phase": "Pending"}}]

    def __call__(self, exchange):
        lists = {DEPLOYMENTS: self.trees.values(), POLICIES: self.policies, NAMESPACE + "/services": [self.collector()],
                 NAMESPACE + "/pods": self.pods(exchange), POOLS: self.pools(), TRACINGS: [self.tracing] if self.tracing else []}
        texts = {COUNTERS: self.counters, CALLS: self.calls, SERVED: self.served or None}
        if exchange.path == "/version":
            exchange.reply({})
        elif exchange.path == NAMESPACE:
            exchange.reply({"kind": "Namespace", "metadata": {"name": "shop", "uid": "n", "resourceVersion": "1", "annotations": {
                "tracing.llm-d.io/enabled": "true"}}})
        elif exchange.path in lists:
            exchange.reply(listing(9, *lists[exchange.path]))
        elif exchange.path.startswith(JAEGER):
            self.answer_query(exchange, exchange.path.removeprefix(JAEGER))
        elif texts.get(exchange.path) is not None:
            exchange.reply(texts[exchange.path], headers={"Content-Type": "text/plain"})
        else:
            exchange.refuse(404, "NotFound", "the server could not find the requested resource")

    def answer_query(self, exchange, path):
        if self.jaeger is not None:
            self.jaeger(exchange)
        elif path == "/api/services":
            exchange.reply({"data": [*self.services(), "jaeger"] if self.traces else None})
        elif path == "/api/traces":
            found = [t for t in self.traces if exchange.query["service"] in {p["serviceName"] for p in t["processes"].values()}]
            exchange.reply({"data": found or None})
        else:
            self.asked += 1
            found = self.find(path.rsplit("/", 1)[1])
            if found:
                exchange.reply({"data": [found]})
            else:
                exchange.reply({"data": None, "errors": [{"code": 404, "msg": "trace not found"}]}, 404)

    def find(self, trace):
        return next((t for t in self.traces if t["traceID"] == trace), None)


def run(pki, folder, shop, command="verify", *args):
    with FakeApi(pki, shop, pki.server) as api:
        return cli.run(command, "-n", "shop", "--kubeconfig", write_kubeconfig(folder, api), *args)


def verify(pki, folder, shop, *args):
    result = run(pki, folder, shop, "verify", "-o", "json", *args)
    assert result.code in (0, 1), result.err
    return result.code, json.loads(result.out)


def reasons(report):
    return [f["reason"] for f in report["findings"]]


def test_a_whole_trace_is_connected(pki, tmp_path):
    code, report = verify(pki, tmp_path, Shop(traces=[whole()]))
    assert (code, report["result"], report["spansReceived"], report["traceConnected"]) == (0, "Connected", "True", "True")
    assert report["trace"]["id"] == TRACE and not report["trace"]["sent"]
    assert {s["service"] for s in report["trace"]["spans"]} == set(NAMES.values())
    assert {(h["workload"], h["container"], h["service"]) for h in report["hops"] if h["seen"]} == {
        ("Deployment/picker", "epp", "llm-d-router/epp"), ("Deployment/decode", "routing-proxy", "routing-proxy"),
        ("Deployment/decode", "modelserver", "vllm-decode"), ("Deployment/prefill", "modelserver", "vllm-prefill")}
    assert report["operations"] == {"seen": ["request routing", "endpoint scoring", "KV transfer", "engine inference"], "missing": []}
    assert report["findings"] == [] and report["request"] is None
    text = run(pki, tmp_path, Shop(traces=[whole()]))
    lines = text.out.splitlines()
    assert text.code == 0 and "Connected: one trace holds endpoint picker, routing proxy, engine" in lines
    tree = [line for line in lines if line.startswith("|")]
    assert len(tree) == 6 and re.search(r"llm-d-router/epp  gateway\.request +100\.00 ms", tree[0])
    assert tree[5].index("vllm-decode") - tree[0].index("llm-d-router") == 10, "five levels down"


# what is wrong, what the collector and Jaeger know, and what is said: (reason, container or None)
def no_exporter(trees):
    set_env(container(trees, "decode", "routing-proxy"), "OTEL_TRACES_EXPORTER", None)


def wrong_port(trees):
    set_env(container(trees, "picker", "epp"), "OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel-collector:4318")


def tls(trees):
    set_env(container(trees, "picker", "epp"), "OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel-collector:4317")


def other_sampler(trees):
    set_env(container(trees, "picker", "epp"), "OTEL_TRACES_SAMPLER", "always_on")


def nameless(trees):
    set_env(container(trees, "prefill", "modelserver"), "OTEL_SERVICE_NAME", None)
    set_env(container(trees, "prefill", "modelserver"), "OTEL_RESOURCE_ATTRIBUTES", None)


def nothing(trees):
    del trees


DENY_ALL = {"metadata": {"name": "deny-all", "namespace": "shop", "uid": "p", "resourceVersion": "3"},
            "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]}}
GENERIC = 'otelcol_receiver_accepted_spans_total{receiver="otlp"} 7\notelcol_processor_filter_spans_filtered_total{filter="filter/scrapes"} 7\n'
UNNAMED = trace_of([span("f" * 32, 1, 0, "unknown_service:python3", "llm_request")], "f" * 32)

SYMPTOMS = [
    ("exporter", no_exporter, {"traces": [whole(without=("proxy",))]}, ("MissingExporter", "routing-proxy")),
    ("port", wrong_port, {"traces": [whole(without=("epp",))]}, ("WrongPort", "epp")),
    ("tls", tls, {"traces": [whole(without=("epp",))]}, ("TLSToPlaintext", "epp")),
    ("sampler", other_sampler, {"traces": [whole()]}, ("UnsupportedSampler", "epp")),
    ("unnamed", nameless, {"traces": [whole(without=("prefill",)), UNNAMED]}, ("UnknownService", None)),
    ("silent", nothing, {"traces": [whole(without=("prefill",))]}, ("Silent", "modelserver")),
    ("separate", nothing, {"traces": [whole("a" * 32, ("proxy",)), whole("b" * 32, ("epp", "prefill", "decode"))]}, ("NotConnected", None)),
    ("generic", nothing, {"counters": GENERIC}, ("OnlyGenericSpans", None)),
    ("policy", nothing, {"policies": [DENY_ALL]}, ("NetworkPolicy", None)),
    ("traffic", nothing, {}, ("NoTraffic", None)),
    ("refusing", nothing, {"counters": "otelcol_receiver_refused_spans_total 5\n"}, ("CollectorRefuses", None)),
    ("backend", nothing, {"counters": "otelcol_receiver_accepted_spans_total 5\notelcol_exporter_send_failed_spans_total 5\n"},
     ("BackendRefuses", None)),
]


@pytest.mark.parametrize("spoil, shop, expected", [row[1:] for row in SYMPTOMS], ids=[row[0] for row in SYMPTOMS])
def test_a_symptom_is_told_with_its_cause(pki, tmp_path, spoil, shop, expected):
    trees = workloads()
    spoil(trees)
    code, report = verify(pki, tmp_path, Shop(trees, **copy.deepcopy(shop)))
    assert expected in [(f["reason"], f["container"]) for f in report["findings"]], report["findings"]
    assert all(f["message"] and f["advice"] for f in report["findings"])
    # what keeps nothing from arriving is told and does not fail
    assert (code, report["result"]) == ((0, "Connected") if expected[0] == "UnsupportedSampler" else (1, "Incomplete"))


@pytest.mark.parametrize("trees, shop, reason", [
    (lambda: workloads(proxy="ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"),
     {"traces": [whole("a" * 32, ("prefill", "decode")), whole("b" * 32, ("epp", "proxy"))]}, "ProxyHandsNoContextOn"),
    (lambda: workloads(engine="docker.io/vllm/vllm-openai:v0.10.0"), {"traces": [whole(without=("prefill", "decode"))]}, "NoInstrumentation"),
])
def test_versions_that_cannot(pki, tmp_path, trees, shop, reason):
    _, report = verify(pki, tmp_path, Shop(trees(), **shop))
    assert reason in reasons(report)


class Gateway:
    """An OpenAI-like server; `seen` holds the trace contexts that came."""

    def __init__(self, shop, code=200, spans_after=0, without=()):
        self.shop, self.code, self.without, self.seen, self.models = shop, code, without, [], ["org/model"]
        find = shop.find
        shop.find = lambda trace: find(trace) if shop.asked > spans_after else None

    def __call__(self, exchange):
        if exchange.path == "/v1/models":
            exchange.reply({"object": "list", "data": [{"id": m} for m in self.models]})
            return
        assert (exchange.method, exchange.path) == ("POST", "/v1/completions")
        assert "authorization" not in exchange.headers, "the cluster's credentials stay at home"
        self.seen.append((exchange.headers["traceparent"], json.loads(exchange.body)))
        trace = exchange.headers["traceparent"].split("-")[1]
        if self.without != NAMES:
            self.shop.traces.append(whole(trace, self.without))
        exchange.reply({"choices": [{"text": "ok"}]} if self.code == 200 else {"error": "no"}, self.code)


def send(pki, folder, shop, gateway, *args):
    with FakeApi(pki, gateway, pki.server, tls=False) as api:
        return verify(pki, folder, shop, "--send", api.url, *args)


def test_a_request_of_our_own(pki, tmp_path):
    shop = Shop()
    gateway = Gateway(shop, spans_after=2)
    code, report = send(pki, tmp_path, shop, gateway)
    assert (code, report["result"]) == (0, "Connected")
    (context, body), = gateway.seen
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", context), "a sampled context"
    assert report["trace"]["id"] == context.split("-")[1] and report["trace"]["sent"]
    assert (body["model"], report["request"]["model"], report["request"]["code"]) == ("org/model", "org/model", 200)
    assert body["max_tokens"] <= 16 and shop.asked >= 3


START = trace_of([span("c" * 32, 1, 0, "vllm-decode", "Load model")], "c" * 32)


@pytest.mark.parametrize("served, traces, reason", [
    ('vllm:request_success_total{finished_reason="stop"} 3.0\n', [], "UnsampledParent"),
    ('vllm:request_success_total{finished_reason="stop"} 3.0\n', [START], "UnsampledParent"),
    ('vllm:request_success_total{finished_reason="stop"} 0.0\n', [], "NoTraffic"),
    ("", [], "NoTraffic"),
    (None, [], "NoTraffic"),
], ids=["served", "heard starting", "nothing served", "refused", "no pool"])
def test_model_servers_tell_whether_requests_are_served(pki, tmp_path, served, traces, reason):
    shop = Shop(served=served, traces=traces)
    code, report = verify(pki, tmp_path, shop)
    assert (code, reasons(report)) == (1, [reason]), report["findings"]
    assert shop.selectors == ([] if served is None else ["app=x,llm-d.ai/role=decode"])
    asked = [note for note in report["notes"] if note.startswith("whether requests are served could not be asked")]
    assert bool(asked) == (served == "")


@pytest.mark.parametrize("served, traces, expected", [
    ("vllm:request_success_total 3\n", [], ["UnsampledParent"]),
    ("vllm:request_success_total 3\n", [START], ["UnsampledParent"]),
    ("vllm:request_success_total 3\n", [whole()], []),
    ("vllm:request_success_total 0\n", [], []),
], ids=["nothing came", "only a start came", "some came", "nothing was served"])
def test_a_request_of_our_own_that_is_the_only_one_sampled(pki, tmp_path, served, traces, expected):
    shop = Shop(served=served, traces=traces)
    code, report = send(pki, tmp_path, shop, Gateway(shop))
    assert (code, report["result"], reasons(report)) == (0, "Connected", expected)


def test_the_model_may_be_named(pki, tmp_path):
    shop = Shop()
    gateway = Gateway(shop)
    gateway.models = []
    _, report = send(pki, tmp_path, shop, gateway, "--model", "mine")
    assert gateway.seen[0][1]["model"] == "mine" == report["request"]["model"]


def test_a_hop_that_the_request_did_not_show(pki, tmp_path):
    trees = workloads()
    no_exporter(trees)
    heard = "".join(f'traces_span_metrics_calls_total{{service_name="{n}",span_name="x"}} 3\n' for n in NAMES.values())
    shop = Shop(trees, traces=[whole()], calls=heard)  # it was heard once, which explains nothing now
    code, report = send(pki, tmp_path, shop, Gateway(shop, without=("proxy",)), "--timeout", "1s")
    assert code == 1 and ("MissingExporter", "routing-proxy") in [(f["reason"], f["container"]) for f in report["findings"]]
    assert {s["service"] for s in report["trace"]["spans"]} == set(NAMES.values()) - {"routing-proxy"}


class Failing(Shop):
    """Its Jaeger answers until it has shown a trace once, and then no more."""

    def answer_query(self, exchange, path):
        if self.asked > 0:
            exchange.refuse(503, "ServiceUnavailable", 'no endpoints available for service "jaeger-collector"')
        else:
            super().answer_query(exchange, path)


def test_what_was_seen_stays_when_the_back_end_goes(pki, tmp_path):
    shop = Failing(traces=[whole()])
    code, report = send(pki, tmp_path, shop, Gateway(shop, without=("prefill",)), "--timeout", "1s")
    assert {s["service"] for s in report["trace"]["spans"]} == set(NAMES.values()) - {NAMES["prefill"]}
    assert (code, report["result"]) == (0, "Connected"), "the prefilling engine was heard before"
    assert any("no endpoints" in note for note in report["notes"])


def test_a_request_of_which_nothing_comes(pki, tmp_path):
    shop = Shop()
    code, report = send(pki, tmp_path, shop, Gateway(shop, without=NAMES), "--timeout", "1s")
    assert code == 1 and "CollectorUnreachable" in reasons(report) and report["trace"]["spans"] == []


def test_a_request_that_is_not_served(pki, tmp_path):
    shop = Shop()
    code, report = send(pki, tmp_path, shop, Gateway(shop, code=503, without=("proxy", "prefill", "decode")), "--timeout", "1s")
    assert code == 1 and report["request"]["code"] == 503 and report["request"]["message"]
    assert "CollectorUnreachable" not in reasons(report)


@pytest.mark.parametrize("url, code, words", [
    ("gateway:8080", cli.INVALID, "http://host:port"),
    ("http://user@gateway", cli.INVALID, "http://host:port"),
    ("http://127.0.0.1:1", UNREACHABLE, "127.0.0.1:1"),
])
def test_nowhere_to_send_to(pki, tmp_path, url, code, words):
    result = run(pki, tmp_path, Shop(), "verify", "--send", url)
    assert result.code == code and words in result.err and result.raw == b""


def test_a_server_that_names_no_model(pki, tmp_path):
    shop = Shop()
    gateway = Gateway(shop)
    gateway.models = []
    with FakeApi(pki, gateway, pki.server, tls=False) as api:
        result = run(pki, tmp_path, shop, "verify", "--send", api.url)
    assert result.code == cli.INVALID and "--model" in result.err and not gateway.seen


def test_no_right_to_use_the_proxy(pki, tmp_path):
    def refuse(exchange):
        exchange.refuse(403, "Forbidden", 'services "http:jaeger-collector:16686" is forbidden: User "u" cannot get resource "services/proxy"')
    result = run(pki, tmp_path, Shop(jaeger=refuse))
    assert result.code == DENIED and 'cannot get resource "services/proxy"' in result.err


@pytest.mark.parametrize("answer", [
    lambda exchange: exchange.refuse(503, "ServiceUnavailable", 'no endpoints available for service "jaeger-collector"'),
    lambda exchange: exchange.reply("<html>Jaeger UI</html>"),
    lambda exchange: exchange.reply({"data": 7}),
    lambda exchange: exchange.reply("RBAC: access denied", 403),
], ids=["no endpoint", "not JSON", "nonsense", "a mesh refuses"])
def test_a_jaeger_that_does_not_answer(pki, tmp_path, answer):
    code, report = verify(pki, tmp_path, Shop(jaeger=answer))
    assert (code, report["result"], report["traceConnected"]) == (1, "Unknown", "Unknown")
    assert any("jaeger" in note.lower() for note in report["notes"])


def test_a_back_end_that_cannot_be_asked(pki, tmp_path):
    tracing = {"metadata": {"name": "llm-d", "namespace": "shop", "uid": "t", "resourceVersion": "2", "generation": 2},
               "spec": {"backend": {"type": "OTLP", "otlp": {"endpoint": "http://tempo.monitoring:4317"}}}}
    calls = "".join(f'traces_span_metrics_calls_total{{service_name="{n}",span_name="x"}} 3\n' for n in NAMES.values())

    def never(exchange):
        raise AssertionError(exchange.target)
    code, report = verify(pki, tmp_path, Shop(tracing=tracing, calls=calls, jaeger=never))
    assert (code, report["result"], report["spansReceived"], report["traceConnected"]) == (1, "Unknown", "True", "Unknown")
    assert any(note.startswith("BackendNotQueryable") for note in report["notes"])


def otlp_trace(trace):
    """A trace of Jaeger's API as Tempo gives it: OTLP, ids in base64."""
    def b64(text):
        return base64.b64encode(bytes.fromhex(text)).decode()
    batches = []
    for process in trace["processes"].values():
        spans = [{"traceId": b64(s["traceID"]), "spanId": b64(s["spanID"]), "name": s["operationName"],
                  "parentSpanId": b64(s["references"][0]["spanID"]) if "references" in s else "",
                  "attributes": [{"key": t["key"], "value": {"doubleValue": t["value"]}} for t in s["tags"]],
                  "startTimeUnixNano": str(s["startTime"] * 1000), "endTimeUnixNano": str((s["startTime"] + s["duration"]) * 1000)}
                 for s in trace["spans"] if s["processID"] == process["serviceName"]]
        batches.append({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": process["serviceName"]}}]},
                        "scopeSpans": [{"spans": spans}]})
    return {"batches": batches}


class Tempo:
    """Its query API, over a Shop's traces."""

    def __init__(self, shop):
        self.shop, self.tenants = shop, set()

    def __call__(self, exchange):
        path = exchange.path.rpartition("/proxy")[2]
        self.tenants.add(exchange.headers.get("x-scope-orgid"))
        if path == "/api/search/tag/service.name/values":
            exchange.reply({"tagValues": self.shop.services()})
        elif path == "/api/search":
            name = re.fullmatch(r'\{resource\.service\.name="([^"]+)"\}', exchange.query["q"]).group(1)
            assert int(exchange.query["end"]) - int(exchange.query["start"]) < 4000, "seconds"
            exchange.reply({"traces": [{"traceID": t["traceID"].lstrip("0")} for t in self.shop.traces
                                       if name in {p["serviceName"] for p in t["processes"].values()}]})
        else:
            found = self.shop.find(path.removeprefix("/api/traces/"))
            if found:
                exchange.reply(otlp_trace(found))
            else:
                exchange.refuse(404, "NotFound", "trace not found")


@pytest.mark.parametrize("inside", [True, False], ids=["a Service", "another host"])
@pytest.mark.parametrize("command", ["verify", "slow"])
def test_tempo_is_asked_as_jaeger_is(pki, tmp_path, inside, command):
    shop = Shop(traces=[whole(), request("b" * 32, 1)])
    tempo = Tempo(shop)

    def cluster(exchange):
        if exchange.path.startswith("/api/v1/namespaces/monitoring/services/http:tempo:3200/proxy"):
            assert inside
            tempo(exchange)
        else:
            shop(exchange)
    with FakeApi(pki, tempo, pki.server, tls=False) as elsewhere:
        endpoint = "http://tempo.monitoring.svc:3200/" if inside else elsewhere.url
        shop.tracing = {"metadata": {"name": "llm-d", "namespace": "shop", "uid": "t", "resourceVersion": "2", "generation": 2},
                        "spec": {"backend": {"type": "OTLP", "otlp": {"endpoint": "http://tempo.monitoring:4317", "tenant": "team", "query": {
                            "type": "Tempo", "endpoint": endpoint}}}}}
        shop.jaeger = lambda exchange: pytest.fail(exchange.target)
        result = run(pki, tmp_path, cluster, command, "-o", "json")
    assert result.code == 0, (result.err, result.out)
    report = json.loads(result.out)
    assert tempo.tenants == {"team"}
    if command == "verify":
        assert (report["result"], report["trace"]["id"], report["findings"]) == ("Connected", TRACE, [])
        assert {s["service"] for s in report["trace"]["spans"]} == set(NAMES.values())
    else:
        assert [(r["trace"], r["ttftUs"], r["decodeUs"]) for r in report["requests"]] == [("b" * 32, 250500, 500000)]


def test_nothing_of_llm_d_is_there(pki, tmp_path):
    code, report = verify(pki, tmp_path, Shop(trees={}))
    assert (code, report["result"], report["hops"]) == (1, "Incomplete", []) and "no component" in report["message"]


def test_pods_that_wait_are_named(pki, tmp_path):
    pod = {"metadata": {"name": "decode-1", "namespace": "shop", "uid": "q", "resourceVersion": "3"}, "status": {"containerStatuses": [
        {"name": "modelserver", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}

    class WithPod(Shop):
        def __call__(self, exchange):
            if exchange.path == NAMESPACE + "/pods":
                exchange.reply(listing(9, pod))
            else:
                super().__call__(exchange)
    _, report = verify(pki, tmp_path, WithPod(traces=[whole()]))
    assert "Pod decode-1, container modelserver: CrashLoopBackOff" in report["notes"]


# ---- slow ----

def request(trace, seconds, disaggregated=True):
    prefill, decode = {"gen_ai.latency.time_in_queue": 0.004, "gen_ai.latency.time_in_model_prefill": 0.2}, {
        "gen_ai.latency.time_in_queue": 0.002, "gen_ai.latency.time_in_model_prefill": 0.01, "gen_ai.latency.time_in_model_decode": 0.5,
        "gen_ai.latency.time_to_first_token": 0.05}
    proxy = {"llm_d.pd_proxy.true_ttft_ms": 250.5, "llm_d.pd_proxy.coordinator_overhead_ms": 1.5} if disaggregated else {}
    spans = [span(trace, 1, 0, NAMES["epp"], "gateway.request", 0, seconds), span(trace, 2, 1, NAMES["proxy"], "llm_d.pd_proxy.POST", 0.01, 0.4, **proxy)]
    if disaggregated:
        spans.append(span(trace, 3, 2, NAMES["prefill"], "llm_request", 0.02, 0.2, **prefill))
    spans.append(span(trace, 4, 2, NAMES["decode"], "llm_request", 0.03, 0.3, **decode))
    return trace_of(spans, trace)


def test_the_slowest_first_with_their_split(pki, tmp_path):
    scrape = trace_of([span("d" * 32, 1, 0, NAMES["epp"], "gateway.request", 0, 9)], "d" * 32)
    shop = Shop(traces=[request("a" * 32, 1), request("b" * 32, 3), request("c" * 32, 2, False), scrape])
    result = run(pki, tmp_path, shop, "slow", "-o", "json")
    assert result.code == 0, result.err
    rows = json.loads(result.out)["requests"]
    assert [r["trace"][0] for r in rows] == ["b", "c", "a"], "slowest first, requests that reached an engine only"
    assert {k: v for k, v in rows[0].items() if k.endswith("Us")} == {
        "totalUs": 3000000, "ttftUs": 250500, "prefillQueueUs": 4000, "decodeQueueUs": 2000, "prefillUs": 200000, "kvTransferUs": 1500,
        "decodeUs": 500000}
    assert {k: v for k, v in rows[1].items() if k.endswith("Us")} == {
        "totalUs": 2000000, "ttftUs": 50000, "prefillQueueUs": None, "decodeQueueUs": 2000, "prefillUs": 10000, "kvTransferUs": None,
        "decodeUs": 500000}
    lines = run(pki, tmp_path, shop, "slow", "--limit", "1").out.splitlines()
    assert len(lines) == 2 and lines[1].startswith("b" * 32)
    assert lines[0].split() == ["TRACE", "START", "TOTAL", "TTFT", "QUEUE-P", "QUEUE-D", "PREFILL", "TRANSFER", "DECODE", "SPANS"]
    assert lines[1].split()[2:] == ["3000.0ms", "250.5ms", "4.0ms", "2.0ms", "200.0ms", "1.5ms", "500.0ms", "4"]


def test_how_far_slow_looks_back(pki, tmp_path):
    asked = []

    class Asked(Shop):
        def answer_query(self, exchange, path):
            asked.append(exchange.query)
            super().answer_query(exchange, path)
    assert run(pki, tmp_path, Asked(traces=[request("a" * 32, 1)]), "slow", "--since", "10m").code == 0
    starts = [time.time() - int(q["start"]) / 1e6 for q in asked if "start" in q]
    assert starts and all(590 < s < 700 for s in starts)


@pytest.mark.parametrize("args, words", [
    (("verify", "--model", "m"), "--send"), (("verify", "--send", "gateway:8080"), "http://host:port"), (("verify", "--send", "http://"), "http://host:port"),
    (("verify", "--timeout", "soon"), "duration"), (("slow", "--limit", "0"), "1 to 1000"),
    (("slow", "--since", "0s"), "duration"), (("slow", "-o", "yaml"), "json, text"), (("verify", "--limit", "3"), "unknown option"),
])
def test_options_that_mean_nothing(args, words):
    result = cli.run(*args)
    assert result.code == cli.INVALID and words in result.err
