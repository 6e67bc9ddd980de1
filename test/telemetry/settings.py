# SPDX-License-Identifier: Apache-2.0
"""Settings whose rendered configurations the real programs must accept: a row for each way to render.

(name, spec of a Tracing, further options of `llmd-tracing render`). Whoever adds a field that reaches a
configuration adds its row here.
"""
REF = {"name": "s", "key": "k"}
TLS = {"caFrom": REF, "certFrom": REF, "keyFrom": REF}


def storage(**fields):
    return {"backend": {"jaeger": {"storage": fields}}}


def otlp(endpoint, **fields):
    return {"backend": {"type": "OTLP", "otlp": {"endpoint": endpoint, **fields}}}


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
    ("no-span-metrics", {"collector": {"spanMetrics": False}}, ()),
    ("nothing-extra", {"collector": {"spanMetrics": False}, "privacy": {"dropContent": False}}, ("--cr",)),
    ("badger", storage(type="Badger", ttl="24h"), ()),
    ("elasticsearch", storage(type="Elasticsearch", servers=["https://es.logs.svc:9200"], credentialsFrom="es", indexPrefix="llm-d", tls=TLS), ()),
    ("elasticsearch-plain", storage(type="Elasticsearch", servers=["http://es"]), ()),
    ("opensearch", storage(type="OpenSearch", servers=["https://os:9200"], credentialsFrom="os", tls={"insecureSkipVerify": True}), ()),
    ("cassandra", storage(type="Cassandra", servers=["c1", "c2.db.svc", "10.0.0.1:9142"], credentialsFrom="c", keyspace="jaeger_v1", datacenter="dc1", tls=TLS), ()),
    ("cassandra-plain", storage(type="Cassandra", servers=["c1"]), ()),
    ("otlp-headers", otlp("https://t.example:443", tenant="a|b", tls=TLS,
                          headersFrom=[{"header": "Authorization", **REF}, {"header": "X-Key", **REF}]), ()),
    ("otlp-headers-cr", otlp("https://t.example:443", tls=TLS, headersFrom=[{"header": "Authorization", **REF}]), ("--cr",)),
    ("otlp-http", otlp("https://vendor.example/otlp", protocol="http", tenant="a", headersFrom=[{"header": "Authorization", **REF}]), ()),
    ("otlp-http-plain", otlp("http://tempo:4318", protocol="http"), ()),
    ("identity", {"identity": {"cluster": "c1", "environment": "prod", "serviceNameSuffix": "-eu"}}, ()),
    ("tail-sampling", {"collector": {"tailSampling": {"ratio": "0.05", "slowerThan": "5s"}}}, ()),
    ("tail-sampling-tier", {"collector": {"replicas": 3, "tailSampling": {"ratio": "0.1", "errors": False}}}, ()),
    ("tail-sampling-tier-cr", {"collector": {"replicas": 3, "tailSampling": {"ratio": "1"}}}, ("--cr",)),
    ("sampled-by-the-collector", {"sampling": {"where": "Collector", "ratio": "0.05"}}, ()),
    ("sampled-by-the-collector-cr", {"sampling": {"where": "Collector", "ratio": "0"}, "collector": {"replicas": 3}}, ("--cr",)),
    ("limited", {"sampling": {"maxSpansPerSecond": 500}}, ()),
    ("limited-tier", {"sampling": {"maxSpansPerSecond": 500, "where": "Collector", "ratio": "1"}, "collector": {"replicas": 3}}, ()),
    ("limited-tail", {"sampling": {"maxSpansPerSecond": 500, "where": "Collector"}, "collector": {"tailSampling": {"ratio": "0.1"}}}, ()),
    ("otlp-cr", {"backend": {"type": "OTLP", "otlp": {"endpoint": "https://tempo.example.com:4317"}}}, ("--cr",)),
)


def tracing(spec):
    return {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}
