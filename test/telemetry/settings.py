# SPDX-License-Identifier: Apache-2.0
"""Settings whose rendered configurations the real programs must accept: a row for each way to render.

(name, spec of a Tracing, further options of `llmd-tracing render`). Whoever adds a field that reaches a
configuration adds its row here.
"""
JAEGER = {"type": "Jaeger"}

CASES = (
    ("defaults", {}, ()),
    ("defaults-cr", {}, ("--cr",)),
    ("deployment", {"collector": {"mode": "Deployment", "replicas": 3}}, ()),
    ("cr", {"collector": {"mode": "OpenTelemetryCollector"}}, ()),
    ("content-kept", {"privacy": {"dropContent": False}}, ()),
    ("content-kept-cr", {"privacy": {"dropContent": False}}, ("--cr",)),
    ("memory", {"collector": {"resources": {"limits": {"memory": "2Gi"}}},
                "backend": {"jaeger": {"resources": {"limits": {"memory": "4Gi"}}}}}, ()),
    ("otlp-plaintext", {"backend": {"type": "OTLP", "otlp": {"endpoint": "http://tempo.observability.svc:4317"}}}, ()),
    ("otlp-tls", {"backend": {"type": "OTLP", "otlp": {"endpoint": "https://tempo.example.com:4317"}}}, ()),
    ("otlp-cr", {"backend": {"type": "OTLP", "otlp": {"endpoint": "https://tempo.example.com:4317"}}}, ("--cr",)),
)


def tracing(spec):
    return {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}
