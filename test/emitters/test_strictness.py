# SPDX-License-Identifier: Apache-2.0
"""What kills the real programs kills the emitters: flag by flag and version by version."""
import pytest

import emitters

ENDPOINT = "--otlp-traces-endpoint=http://otel-collector:4317"
SERVE = ["vllm", "serve"]
MODULE = ["python3", "-m", "vllm.entrypoints.openai.api_server"]
SGLANG = ["python3", "-m", "sglang.launch_server", "--model-path", "m"]
NEW, OLD = emitters.VLLM, "vllm/vllm-openai:v0.16.0"
SIDECAR_8, SIDECAR_9 = "ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0", "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"
GAIE = "registry.k8s.io/gateway-api-inference-extension/epp"
SIMULATOR = "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2"

# (what, command, image, exit code, a part of what it says)
REFUSED = (
    ("unknown flag", SERVE + ["m", "--no-such-flag"], NEW, 2, "unrecognized arguments: --no-such-flag"),
    ("scheduler", SERVE + ["m", ENDPOINT, "--collect-detailed-traces=scheduler"], NEW, 2, "invalid choice: 'scheduler'"),
    ("swallowed model", SERVE + [ENDPOINT, "--collect-detailed-traces", "all", "m"], NEW, 2, "invalid choice: 'm'"),
    ("pair split", SERVE + ["m", "--collect-detailed-traces=all"], NEW, 1, "requires `--otlp-traces-endpoint` to be set"),
    ("no packages", SERVE + ["m", ENDPOINT], OLD, 1, "OpenTelemetry is not available. Unable to configure 'otlp_traces_endpoint'"),
    ("no packages, old llm-d", MODULE + ["--model=m", ENDPOINT], "ghcr.io/llm-d/llm-d-cuda:v0.4.0", 1, "No module named 'opentelemetry'"),
    ("downgrade", SERVE + ["m", ENDPOINT], "vllm/vllm-openai:v0.10.0", 1, "is not supported by the V1 Engine. Falling back to V0."),
    ("downstream", MODULE + ["--model=m", ENDPOINT], "registry.redhat.io/rhaiis/vllm-cuda-rhel9:3.2.0", 1, "type object 'Any' has no attribute"),
    ("flag before the model", SERVE + [ENDPOINT, "--served-model-name", "x", "m"], NEW, 1, "first positional argument"),
    ("positional for the module", MODULE + ["m"], NEW, 2, "unrecognized arguments: m"),
    ("bad protocol", SERVE + ["m", ENDPOINT], NEW, 1, "Unsupported OTLP protocol 'http/json'"),
    ("sglang, detailed", SGLANG + ["--enable-trace", ENDPOINT, "--collect-detailed-traces=all"], "lmsysorg/sglang:v0.5.13", 2, "unrecognized arguments"),
    ("sglang, old spelling", SGLANG + ["--enable-trace", ENDPOINT], "lmsysorg/sglang:v0.5.5", 2, "unrecognized arguments"),
    ("sidecar 0.5", ["pd-sidecar", "--tracing=true"], "ghcr.io/llm-d/llm-d-routing-sidecar:v0.5.1", 2, "unknown flag: --tracing"),
    ("sidecar 0.8", ["pd-sidecar", "--tracing=true"], SIDECAR_8, 2, "unknown flag: --tracing"),
    ("sidecar 0.8 port", ["pd-sidecar", "--model-server-port=1"], SIDECAR_8, 2, "unknown flag: --model-server-port"),
    ("sidecar 0.9 port", ["pd-sidecar", "--model-server-port=1"], SIDECAR_9, 2, "unknown flag: --model-server-port"),
    ("sidecar 0.10 connector", ["pd-sidecar", "--connector=nixlv2"], emitters.SIDECAR, 2, "unknown flag: --connector"),
    ("sidecar connector", ["pd-sidecar", "--kv-connector=x"], emitters.SIDECAR, 1, "--kv-connector must be one of"),
    ("EPP 1.0", ["epp", "--tracing=true"], f"{GAIE}:v1.0.0", 2, "flag provided but not defined: -tracing"),
    ("EPP unknown", ["epp", "--no-such"], emitters.PICKER, 1, "unknown flag: --no-such"),
    ("lightweight EPP", ["epp", "--tracing=true"], "registry.k8s.io/gateway-api-inference-extension/lwepp:v1.6.0", 1, "unknown flag: --tracing"),
    ("old scheduler", ["epp", "--tracing=true"], "ghcr.io/llm-d/llm-d-inference-scheduler:v0.3.2", 2, "not defined: -tracing"),
    ("simulator", ["llm-d-inference-sim", "--model=m", ENDPOINT], SIMULATOR, 0, "unknown flag: --otlp-traces-endpoint"),
)


@pytest.mark.parametrize(("command", "image", "code", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(command, image, code, text):
    done = emitters.run(command, image, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="http/json" if "json" in text else "grpc")
    assert text in done.stdout + done.stderr
    assert done.returncode == code


# (what, command, image): parses, and would run
TAKEN = (
    ("underscores", SERVE + ["m", "--otlp_traces_endpoint=http://c:4317", "--collect_detailed_traces=all"], NEW),
    ("a prefix", SERVE + ["m", "--otlp-traces-end", "http://c:4317"], NEW),
    ("two modules", SERVE + ["m", ENDPOINT, "--collect-detailed-traces=model,worker"], NEW),
    ("twice: last wins", SERVE + ["m", ENDPOINT, ENDPOINT], NEW),
    ("detailed before the model", SERVE + [ENDPOINT, "--collect-detailed-traces=all", "m"], NEW),
    ("--model", SERVE + ["--port=1", "--model", "m", "--served-model-name", "a", "b"], NEW),
    ("dots and JSON", SERVE + ["m", "--kv-transfer-config.kv_connector", "NixlConnector", "-O3"], NEW),
    ("no flags, no packages needed", SERVE + ["m", "--port=1"], OLD),
    ("sglang", SGLANG + ["--enable-trace", ENDPOINT], "lmsysorg/sglang:v0.5.13"),
    ("sglang, old spelling", SGLANG + ["--enable-trace", "--oltp-traces-endpoint=c:4317"], "lmsysorg/sglang:v0.5.5"),
    ("sidecar 0.9", ["pd-sidecar", "--connector=nixlv2", "--vllm-port=1", "--tracing=true"], SIDECAR_9),
    ("sidecar 0.10", ["pd-sidecar", "--vllm-port=1", "--tracing", "true"], emitters.SIDECAR),
    ("sidecar file", ["pd-sidecar", "--configuration={tracing: true, port: 9000}"], emitters.SIDECAR),
    ("EPP bare word", ["epp", "--tracing", "false", "--no-such-flag"], f"{GAIE}:v1.1.0"),
    ("EPP", ["epp", "--pool-name", "p", "-v=4", "--zap-encoder=json", "--tracing=true"], emitters.PICKER),
    ("simulator", ["llm-d-inference-sim", "--model", "m", "--served-model-name", "a", "b", "--port=1"], SIMULATOR),
)


@pytest.mark.parametrize(("command", "image"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_taken(command, image):
    done = emitters.run(command, image, EMITTER_CHECK="1")
    assert done.returncode == 0 and "emitter: the command line is fine" in done.stderr, done.stderr
