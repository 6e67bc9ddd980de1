# SPDX-License-Identifier: Apache-2.0
"""`verify` and `slow` over spans of the real SDKs in the real collector and Jaeger; only the API server is a stand-in."""
import json
import pathlib
import sys
import urllib.error
import urllib.request

import pytest

import emitters
from test_emitters import FOUR, disaggregated, send

TEST = pathlib.Path(__file__).resolve().parents[1]
for folder in ("cli", "scenario"):
    sys.path.append(str(TEST / folder))

import test_online_verify as told  # noqa: E402
from pki import Pki  # noqa: E402


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.server = made.leaf("server")
    return made


class RealShop(told.Shop):
    """services/proxy leads to the real programs."""

    def __init__(self, backend, trees=None):
        super().__init__(trees, jaeger=lambda exchange: self.forward(exchange, backend.query + exchange.target.removeprefix(told.JAEGER)))
        self.ports = backend.collector.ports

    def __call__(self, exchange):
        metrics = {told.COUNTERS: 8888, told.CALLS: 8889}
        if exchange.path in metrics:
            self.forward(exchange, f"http://127.0.0.1:{self.ports[metrics[exchange.path]]}/metrics")
        else:
            super().__call__(exchange)

    def forward(self, exchange, url):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                exchange.reply(answer.read(), answer.status, {"Content-Type": answer.headers["Content-Type"]})
        except urllib.error.HTTPError as error:
            exchange.reply(error.read(), error.code)


def test_a_request_of_our_own(yard, backend, pki, tmp_path):
    gateway = f"http://127.0.0.1:{disaggregated(yard, backend)}"
    shop = RealShop(backend)
    code, report = told.verify(pki, tmp_path, shop, "--send", gateway)
    assert (code, report["result"], report["findings"]) == (0, "Connected", [])
    assert {s["service"] for s in report["trace"]["spans"]} == FOUR
    assert set(report["operations"]["seen"]) >= {"request routing", "endpoint scoring", "KV-cache indexing", "KV transfer", "engine inference"}
    text = told.run(pki, tmp_path, shop)
    assert text.code == 0 and "Connected: one trace holds endpoint picker, routing proxy, engine" in text.out
    slow = told.run(pki, tmp_path, shop, "slow", "-o", "json")
    rows = {r["trace"]: r for r in json.loads(slow.out)["requests"]}
    mine = rows[report["trace"]["id"]]
    # the last ones may have come since: every operation was there, which is all that verify waits for
    assert mine["spans"] >= len(report["trace"]["spans"]) and not mine["failed"]
    for member in ("totalUs", "ttftUs", "prefillQueueUs", "decodeQueueUs", "prefillUs", "decodeUs"):
        assert mine[member] is not None and mine[member] >= 0, member


def test_an_old_sidecar_hands_nothing_on(yard, backend, pki, tmp_path):
    sidecar = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"
    gateway = f"http://127.0.0.1:{disaggregated(yard, backend, sidecar)}"
    code, report = told.verify(pki, tmp_path, RealShop(backend, told.workloads(proxy=sidecar)), "--send", gateway, "--timeout", "8s")
    assert (code, report["traceConnected"]) == (1, "False") and "ProxyHandsNoContextOn" in told.reasons(report)
    assert {s["service"] for s in report["trace"]["spans"]} == {"llm-d-router/epp", "routing-proxy"}


def test_spans_on_stdout(yard, backend, pki, tmp_path):
    """The proxy without its exporter variable: the template and the trace say the same."""
    prefill, decode = (yard.engine(f"vllm-{role}", backend.endpoint) for role in ("prefill", "decode"))
    proxy = yard.proxy(decode, backend.endpoint, OTEL_TRACES_EXPORTER="console")
    port = yard.picker(f"decode=127.0.0.1:{proxy.port},prefill=127.0.0.1:{prefill.port}", backend.endpoint)
    trees = told.workloads()
    told.set_env(told.container(trees, "decode", "routing-proxy"), "OTEL_TRACES_EXPORTER", "console")
    code, report = told.verify(pki, tmp_path, RealShop(backend, trees), "--send", f"http://127.0.0.1:{yard.gateway(port).port}",
                               "--timeout", "8s")
    assert (code, report["result"]) == (1, "Incomplete")
    assert ("MissingExporter", "routing-proxy") in [(f["reason"], f["container"]) for f in report["findings"]], "whatever was heard before"
    assert "routing-proxy" not in {s["service"] for s in report["trace"]["spans"]}


def test_what_others_sent_is_found_too(yard, backend, pki, tmp_path):
    """Without --send: the traces of the last hour, by the services that the workloads name."""
    trace, _ = send(disaggregated(yard, backend, image=emitters.VLLM))
    yard.stop()  # sends what is batched
    code, report = told.verify(pki, tmp_path, RealShop(backend))
    assert code == 0 and report["spansReceived"] == "True" and report["request"] is None
    assert {h["container"]: h["seen"] for h in report["hops"]} == {"routing-proxy": True, "modelserver": True, "epp": True}
    slow = told.run(pki, tmp_path, RealShop(backend), "slow", "--limit", "1000", "-o", "json")
    assert trace in {r["trace"] for r in json.loads(slow.out)["requests"]}
