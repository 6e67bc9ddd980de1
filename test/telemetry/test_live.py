# SPDX-License-Identifier: Apache-2.0
"""Spans of the real SDK through the rendered collector into the rendered Jaeger."""
import json
import subprocess
import sys

import pytest

import parts
from waiting import wait_for

# Runs with the SDK of the emitters: argv is the endpoint, the service and spans as JSON.
SEND = """
import json, sys
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
provider = TracerProvider(resource=Resource.create({"service.name": sys.argv[2]}))
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=sys.argv[1], insecure=True)))
for one in json.loads(sys.argv[3]):
    span = provider.get_tracer("test").start_span(one["name"], attributes=one.get("attributes"))
    for event in one.get("events", []):
        span.add_event(event["name"], event.get("attributes"))
    print(format(span.get_span_context().trace_id, "032x"))
    span.end()
provider.shutdown()
"""


def send(backend, service, *spans):
    """The trace id of each span; each is a trace of its own."""
    done = subprocess.run([sys.executable, "-c", SEND, backend.endpoint, service, json.dumps(spans)], text=True, check=True,
                          stdout=subprocess.PIPE, env={"PYTHONPATH": str(parts.site())}, timeout=60)
    return done.stdout.split()


def arrived(backend, trace_id):
    return wait_for(lambda: backend.trace(trace_id), 30, f"trace {trace_id}")


def test_arrives_with_its_attributes(backend):
    sent = send(backend, "live-plain", {"name": "llm_request", "attributes": {"gen_ai.usage.prompt_tokens": 7}})
    spans = arrived(backend, sent[0])
    assert [(s.service, s.operation, s.tags["gen_ai.usage.prompt_tokens"]) for s in spans] == [("live-plain", "llm_request", 7)]


def test_content_does_not_arrive(backend):
    secret = "the user's own words"
    sent = send(backend, "live-content", {
        "name": "llm_request", "attributes": {"gen_ai.input.messages": secret, "gen_ai.request.max_tokens": 5},
        "events": [{"name": "gen_ai.user.message", "attributes": {"content": secret}}, {"name": "first token"}]})
    span = arrived(backend, sent[0])[0]
    assert secret not in json.dumps([span.tags, span.events])
    assert span.tags["gen_ai.request.max_tokens"] == 5
    assert [event["event"] for event in span.events] == ["first token"]


@pytest.mark.parametrize("noise", [
    {"name": "GET"}, {"name": "GET /metrics"}, {"name": "scrape", "attributes": {"url.path": "/metrics"}},
    {"name": "scrape", "attributes": {"http.route": "/metrics"}}], ids=["bare-get", "get-metrics", "path", "route"])
def test_scrapes_are_dropped(backend, noise):
    sent = send(backend, "live-scrapes", noise, {"name": "llm_request"})
    arrived(backend, sent[1])  # sent after it, on the same stream
    with pytest.raises(AssertionError, match="404"):
        backend.trace(sent[0])


def test_services_are_only_those_that_sent(backend):
    sent = send(backend, "live-service", {"name": "llm_request"})
    arrived(backend, sent[0])
    assert {name for name in backend.services() if not name.startswith("live-")} == set()
    assert "live-service" in backend.services()
