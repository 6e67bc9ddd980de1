# SPDX-License-Identifier: Apache-2.0
"""The engine's spans through the real SDK, set up as the engines do it (LLMD.md §1.2, §1.3, §1.6)."""
import os
import time


def provider(endpoint, resource=None):
    """Imported late: without --otlp-traces-endpoint an engine never touches OpenTelemetry."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    traced = TracerProvider(resource=Resource.create(resource or {}))
    traced.add_span_processor(BatchSpanProcessor(exporter(endpoint)))
    return traced


def exporter(endpoint):
    """gRPC unless the traces' own variable says otherwise; OTEL_EXPORTER_OTLP_PROTOCOL is not read."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True)
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint)
    raise ValueError(f"Unsupported OTLP protocol '{protocol}' is configured")


class Tracer:
    """Of a traced engine. None stands for one without tracing."""

    def __init__(self, endpoint, behaviour):
        resource = {"service.name": "sglang"} if behaviour.engine == "sglang" else {}
        self.behaviour = behaviour
        self.provider = provider(endpoint, resource)
        self.tracer = self.provider.get_tracer(f"{behaviour.engine}.llm_engine")

    def loading(self, started_ns):
        """The spans of a start, whose names are vLLM's own."""
        if not self.behaviour.loading_spans or self.behaviour.engine != "vllm":
            return
        from opentelemetry import trace

        whole = self.tracer.start_span("Overall Loading", start_time=started_ns)
        part = self.tracer.start_span("Load model", context=trace.set_span_in_context(whole), start_time=started_ns)
        part.end()
        whole.end()

    def scrape(self, path):
        if not self.behaviour.scrape_spans:
            return
        from opentelemetry.trace import SpanKind

        attributes = {"http.request.method": "GET", "http.route": path, "url.path": path}
        self.tracer.start_span(f"GET {path}", kind=SpanKind.SERVER, attributes=attributes).end()

    def request(self, headers, request, started_ns, usage):
        """One span for a finished request; its parent comes from the request's headers."""
        if not self.behaviour.sends:
            return
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier = {name.lower(): value for name, value in headers.items()}
        context = TraceContextTextMapPropagator().extract(carrier)
        span = self.tracer.start_span("llm_request", context=context, kind=SpanKind.SERVER, start_time=started_ns)
        now = time.time_ns()
        whole = (now - started_ns) / 1e9
        # A fixed split, so that sums are checkable: a tenth queued, four of prefill, five of decode.
        span.set_attributes({
            "gen_ai.request.id": headers.get("x-request-id", f"cmpl-{started_ns:x}"),
            "gen_ai.request.max_tokens": usage["completion_tokens"],
            "gen_ai.request.n": 1,
            "gen_ai.request.temperature": float(request.get("temperature", 1.0)),
            "gen_ai.request.top_p": float(request.get("top_p", 1.0)),
            "gen_ai.usage.prompt_tokens": usage["prompt_tokens"],
            "gen_ai.usage.completion_tokens": usage["completion_tokens"],
            "gen_ai.latency.time_in_queue": whole * 0.1,
            "gen_ai.latency.time_to_first_token": whole * 0.5,
            "gen_ai.latency.e2e": whole,
            "gen_ai.latency.time_in_model_prefill": whole * 0.4,
            "gen_ai.latency.time_in_model_decode": whole * 0.5,
            "gen_ai.latency.time_in_model_inference": whole * 0.9,
        })
        span.end(end_time=now)

    def close(self):
        self.provider.shutdown()
