# SPDX-License-Identifier: Apache-2.0
"""Requests are served and leave no span: the operator asks a model server, and says who keeps them from being traced."""
import http.server
import json
import re
import threading
import time

import pytest

from in_pod import PodOperator
from operator_process import USER
from traced import Scene
from waiting import wait_for

COLLECTOR, ENGINE, PORT = "127.78.1.1", "127.78.1.2", 8200  # the port of the sample's own probe
PAUSES_S = 120  # three questions 15 s apart, or more where one takes too long


class Shown:
    """What a program shows in /metrics."""

    def __init__(self, address, port, text):
        shown = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 - its name there
                shown.asked.append((self.path, self.headers.get("Authorization")))
                body = text().encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def shown():
    began = time.monotonic()
    collector = Shown(COLLECTOR, 8888, lambda: f"otelcol_process_uptime {time.monotonic() - began + 600}\notelcol_receiver_accepted_spans 0\n")
    engine = Shown(ENGINE, PORT, lambda: f'vllm:request_success_total{{finished_reason="stop"}} {int(time.monotonic() - began) * 20}.0\n')
    yield engine
    collector.stop()
    engine.stop()


def test_unsampled_requests_are_told_from_no_traffic(cluster, namespace, operator, tmp_path, shown):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    first = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    first.stop()
    operator.running.remove(first)
    for pod in scene.api.list("pod", namespace, "llm-d.ai/role"):
        scene.api.merge("pod", pod["metadata"]["name"], namespace, {"status": {"podIP": ENGINE, "podIPs": [{"ip": ENGINE}]}}, "/status")
    policy = tmp_path / "policy.yaml"
    policy.write_text(json.dumps({"allowedEndpoints": [f"http://{COLLECTOR}:8888", f"http://{ENGINE}:{PORT}"]}), encoding="utf-8")
    since = cluster.audit.position()
    inside = PodOperator(cluster, tmp_path, {f"otel-collector.{namespace}.svc": COLLECTOR}, "--policy", str(policy)).wait_ready()
    try:
        told = scene.wait_condition("SamplingConsistent", "False", "UpstreamUnsampled", timeout=PAUSES_S)
        pod, served = re.search(r"pod (\S+) has served (\d+) requests within", told["message"]).groups()
        assert int(served) >= 10 and "verify --send URL" in told["message"], told
        assert pod in {p["metadata"]["name"] for p in scene.api.list("pod", namespace, "llm-d.ai/role")}
        scene.wait_condition("SpansReceived", "False", "UnsampledParent")
        assert len(shown.asked) >= 2 and set(shown.asked) == {("/metrics", None)}, shown.asked
        assert inside.metric("llmd_tracing_proof_requests_total", service="engine", result="OK") >= 2

        def lists():
            return [r.uri for r in cluster.audit.requests(since, USER) if r.resource == "pods" and f"/{namespace}/" in r.uri]
        # the pods of the namespace, then that one
        wait_for(lambda: f"fieldSelector=metadata.name%3D{pod}" in lists()[-1], 30, "that pod alone was asked for")
        assert "fieldSelector" not in lists()[0], lists()
    finally:
        print(f"--- operator log (end)\n{inside.log()[-4000:]}")
        inside.stop()
