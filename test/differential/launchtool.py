# SPDX-License-Identifier: Apache-2.0
"""The C code under test, behind build/VARIANT/test/tools/launch_tool."""
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ASSUME = {"": 0, "vllm": 1, "sglang": 4, "epp": 5, "sidecar": 6, "simulator": 7}
ENDPOINT = "http://otel-collector:4317"
VLLM_FLAGS = [f"--otlp-traces-endpoint={ENDPOINT}", "--collect-detailed-traces=all"]
SGLANG_FLAGS = ["--enable-trace", f"--otlp-traces-endpoint={ENDPOINT}"]
GO_FLAGS = ["--tracing=true"]
FLAGS = {"vllm-serve": VLLM_FLAGS, "vllm-module": VLLM_FLAGS, "sglang": SGLANG_FLAGS, "epp": GO_FLAGS,
         "pd-sidecar": GO_FLAGS}
ENDPOINT_FLAG = {"name": "--otlp-traces-endpoint", "underscores": True, "prefixes": True, "shortest": "--otlp-t"}
TRACING_FLAG = {"name": "--tracing", "is_switch": True, "single_dash": True}


class LaunchTool:
    def __init__(self):
        build = os.environ.get("BUILD", os.path.join(ROOT, "build", os.environ.get("VARIANT", "release")))
        path = os.path.join(build, "test/tools/launch_tool")
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def ask(self, container, assume="", flags=None, find=(), replace=None):
        request = {"container": {k: container[k] for k in ("command", "args") if k in container},
                   "assume": ASSUME[assume], "find": list(find)}
        if flags is not None:
            request["flags"] = flags
        if replace is not None:
            request["replace"] = replace
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "launch_tool died on " + json.dumps(request)
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0

    def inject(self, container, assume="", flags=None):
        """The answer with the flags of the program that was found."""
        answer = self.ask(container, assume)
        return self.ask(container, assume, flags or FLAGS.get(answer["program"], VLLM_FLAGS),
                        find=[ENDPOINT_FLAG, TRACING_FLAG])
