# SPDX-License-Identifier: Apache-2.0
"""Where a case was rendered with values of its own: the Tracing that asks for the same."""

SETTINGS = {
    "pd-sampled": {
        "sampling": {"ratio": "0.25"},
        "collector": {"mode": "External", "endpoint": "http://collector.observability.svc.cluster.local:4317"},
        "components": {"vllm": {"detailedTraces": "model",
                                "serviceNames": {"decode": "opt125m-decode", "prefill": "opt125m-prefill"}},
                       "routingProxy": {"serviceName": "opt125m-proxy"}}},
    "pd-always-on-https": {"collector": {"mode": "External", "endpoint": "https://otlp.example.com:443"}},
    "router-sampled": {"sampling": {"ratio": "0.05"}},
}
