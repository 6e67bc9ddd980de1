# SPDX-License-Identifier: Apache-2.0
"""The program that a rehearsal runs in an engine's image, by this machine's Python and engines that are only files."""
import json
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(ROOT, "templates/rehearsal.py"), encoding="utf-8") as source:
    PROGRAM = source.read()

KNOWS = {"vllm/engine/arg_utils.py": 'group.add_argument("--otlp-traces-endpoint")'}
SGLANG = {"sglang/__init__.py": "raise AssertionError('imported')",
          "sglang/srt/server_args.py": "enable_trace: bool\notlp_traces_endpoint: str"}
ENGINE = {"vllm/__init__.py": "raise AssertionError('imported')", "vllm-0.23.0.dist-info/METADATA": "Name: vllm\nVersion: 0.23.0\n", **KNOWS}
TRACING = {"vllm/tracing/otel.py": """
try:
    from opentelemetry.trace import SpanKind, set_tracer_provider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError:
    pass
def exporter():
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    import opentelemetry.instrumentation.fastapi
"""}
PACKAGES = {f"opentelemetry/{path}.py": text for path, text in {
    "trace/__init__": "SpanKind = set_tracer_provider = 1", "sdk/trace/__init__": "", "sdk/trace/export": "BatchSpanProcessor = 1",
    "exporter/otlp/proto/grpc/trace_exporter": "OTLPSpanExporter = 1"}.items()}
NO_MODULE = "ModuleNotFoundError: No module named 'opentelemetry'"


def rehearse(tmp_path, files, name="vllm", **env):
    site = tmp_path / "site"
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    # -I and a site of its own: what this machine has installed must not help
    paths = f"import sys; sys.path[:] = ['', {str(site)!r}] + [p for p in sys.path if 'packages' not in p]\n"
    answer = tmp_path / "answer"
    subprocess.run([sys.executable, "-I", "-B", "-c", paths + PROGRAM, name, str(answer)], check=True, cwd=tmp_path, timeout=60, env={**os.environ, **env})
    told = json.loads(answer.read_text())
    assert told.pop("engine") == name and told.pop("python")[0] == "3"
    return told


@pytest.mark.parametrize("name, files, want", [
    ("vllm", {**ENGINE, **TRACING, **PACKAGES}, {"installed": True, "version": "0.23.0", "flag": True, "missing": []}),
    ("vllm", {**ENGINE, **PACKAGES}, {"installed": True, "version": "0.23.0", "flag": True, "missing": []}),
    ("vllm", {**ENGINE, **TRACING}, {"installed": True, "version": "0.23.0", "flag": True, "missing": [
        f"{module}: {NO_MODULE}" for module in ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", "opentelemetry.sdk.trace",
                                                "opentelemetry.sdk.trace.export", "opentelemetry.trace")]}),
    ("vllm", {**ENGINE, **TRACING, **PACKAGES, "opentelemetry/trace/__init__.py": "set_tracer_provider = 1"},
     {"installed": True, "version": "0.23.0", "flag": True,
      "missing": ["opentelemetry.trace: ModuleNotFoundError: No module named 'opentelemetry.trace.SpanKind'"]}),
    ("vllm", {**ENGINE, **PACKAGES, "vllm/engine/arg_utils.py": "--model"}, {"installed": True, "version": "0.23.0", "flag": False, "missing": []}),
    ("vllm", {"vllm/__init__.py": "", **PACKAGES}, {"installed": True, "version": "", "flag": None, "missing": []}),
    ("vllm", {}, {"installed": False}),
    ("sglang", {**SGLANG, **PACKAGES}, {"installed": True, "version": "", "flag": True, "missing": []}),
    ("sglang", {**SGLANG, **PACKAGES, "sglang/srt/server_args.py": "--enable-trace --oltp-traces-endpoint"},
     {"installed": True, "version": "", "flag": False, "missing": []}),
])
def test_what_it_tells(tmp_path, name, files, want):
    assert rehearse(tmp_path, files, name) == want


def test_the_working_directory_is_no_package(tmp_path):
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm/__init__.py").write_text("")
    assert rehearse(tmp_path, {}) == {"installed": False}


def test_the_engine_of_another_interpreter_is_found_by_its_script(tmp_path):
    """The script's interpreter is run with the same words; here it only writes them down."""
    python = tmp_path / "venv/bin/python3"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{sys.executable}\nimport json, os, sys\n"
                      "json.dump({'engine': sys.argv[-2], 'python': '3', 'again': os.environ['LLMD_REHEARSAL'], 'options': sys.argv[1:4]},"
                      " open(sys.argv[-1], 'w'))\n")
    script = tmp_path / "bin/vllm"
    script.parent.mkdir()
    script.write_text(f"#!{python}\nimport vllm\n")
    for file in (python, script):
        file.chmod(0o755)
    assert rehearse(tmp_path, {}, PATH=str(script.parent)) == {"again": "1", "options": ["-I", "-B", "-c"]}
