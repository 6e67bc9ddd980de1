# SPDX-License-Identifier: Apache-2.0
"""The main job, seen in Jaeger: installed by helm, annotated, one request is one trace; un-annotated, all is as before."""
import json
import re
import subprocess

import pytest

import serving
from cluster import tool
from serving import Serving
from waiting import wait_for

FOUR = {"llm-d-router/epp", "routing-proxy", "vllm-prefill", "vllm-decode"}


@pytest.fixture(scope="module")
def traced(installed, module_namespaces):
    s = Serving(installed.cluster, module_namespaces(), serving.disaggregated())
    s.enable()
    yield s


def test_one_request_is_one_trace(traced):
    traced.wait_services(traced.send(), FOUR)
    traced.assert_no_crash()


def test_the_back_end_lists_exactly_the_four(traced):
    traced.wait_services(traced.send(), FOUR)
    assert traced.services() == FOUR


def test_the_guides_own_commands(traced):
    """As the llm-d guide words them."""
    for label in ("app=otel-collector", "app=jaeger"):
        out = traced.cluster.kubectl("get", "pods", "-n", traced.namespace, "-l", label)
        assert re.search(r"1/1 +Running", out), out
    assert "jaeger-collector" in traced.cluster.kubectl("get", "svc", "-n", traced.namespace, "jaeger-collector")
    forward = subprocess.Popen([tool("kubectl"), "--kubeconfig", traced.cluster.kubeconfig, "port-forward", "-n", traced.namespace,
                                "svc/jaeger-collector", "0:16686"], text=True, stdout=subprocess.PIPE)
    try:
        port = re.search(r":(\d+) ->", forward.stdout.readline()).group(1)
        done = subprocess.run(["curl", "-s", f"http://localhost:{port}/api/services"], check=True, text=True, stdout=subprocess.PIPE)
        assert FOUR <= set(json.loads(done.stdout)["data"])
    finally:
        forward.terminate()
        forward.wait(10)


def test_the_tracing_tells_that_spans_arrive(traced):
    traced.send()
    traced.wait_condition("SpansReceived", "True").wait_condition("TraceConnected", "True")
    rows = {row["name"]: row for row in traced.tracing()["status"]["workloads"]}
    assert set(rows) == {"prefill", "decode", "qwen-epp"} and all(row.get("lastSpan") for row in rows.values()), rows


def test_verify_shows_the_tree(traced, installed):
    done = installed.cli("verify", "-n", traced.namespace, "--send", traced.url("/v1/completions"))
    assert all(name in done.stdout for name in FOUR), done.stdout


def test_slow_says_where_the_time_went(traced, installed):
    trace = traced.send()
    traced.wait_services(trace, FOUR)
    rows = json.loads(installed.cli("slow", "-n", traced.namespace, "-o", "json").stdout)["requests"]
    row = next(r for r in rows if r["trace"] == trace)
    assert all(row[k] > 0 for k in ("totalUs", "ttftUs", "prefillQueueUs", "decodeQueueUs", "prefillUs", "decodeUs")), row
    assert row["spans"] >= 6 and not row["failed"] and row["prefillUs"] + row["decodeUs"] <= row["totalUs"], row


def test_the_operator_stays_small(installed):
    """Request and limit of the chart hold: it was never killed, and its memory is far below."""
    assert installed.usage()[0] < 64 << 20


def test_taken_back_everything_is_as_before(traced):
    traced.disable().wait_up()
    traced.assert_no_crash()
    wait_for(lambda: traced.api.find("tracing", "llm-d", traced.namespace) is None, 60, "the Tracing that the operator made is gone")
