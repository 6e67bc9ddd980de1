# SPDX-License-Identifier: Apache-2.0
"""Emitters as processes on loopback, started as their images start them."""
import os
import pathlib
import shutil
import subprocess
import sys
import urllib.request

import parts
from processes import die_with_parent
from telemetry import free_port
from waiting import wait_for

ENGINE = pathlib.Path(__file__).with_name("engine")
VLLM = "vllm/vllm-openai:v0.23.0"
SIDECAR = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.10.0"
PICKER = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0"


def tracing_env(endpoint, service, **more):
    """What the operator puts into a container."""
    return {"OTEL_SERVICE_NAME": service, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.0", **more}


def environment(image, env):
    """Nothing of the test's own environment but what finds the programs."""
    path = [str(parts.folder() / "bin"), str(ENGINE / "bin"), os.path.dirname(sys.executable), "/usr/bin", "/bin"]
    return {"PATH": ":".join(path), "PYTHONPATH": f"{ENGINE}:{parts.site()}", "PYTHONDONTWRITEBYTECODE": "1",
            "EMITTER_IMAGE": image, "EMITTER_HOST": "127.0.0.1", "OTEL_BSP_SCHEDULE_DELAY": "200", **env}


def found(command, env):
    """The program by the path of its own environment, not of ours."""
    return [shutil.which(command[0], path=env["PATH"]) or command[0], *command[1:]]


def run(command, image, **env):
    """A command that is to end by itself."""
    env = environment(image, env)
    return subprocess.run(found(command, env), env=env, text=True, capture_output=True, timeout=30, check=False)


class Emitter:
    """A running emitter; `port` is where it answers, `path` what says that it is ready."""

    def __init__(self, folder, command, image, env, port, path="/health"):
        self.port = port
        self.log = folder / f"{pathlib.Path(command[0]).name}-{port}.log"
        env = environment(image, env)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(found(command, env), env=env, stdout=log, stderr=log, preexec_fn=die_with_parent)
        wait_for(lambda: self.answers(path), 30, f"{command[0]} answers; its log: {self.log}")

    def answers(self, path):
        assert self.process.poll() is None, self.text()[-2000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                return True
        except OSError as error:
            raise AssertionError(str(error)) from error

    def text(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        """As a kubelet does it, so that what is batched goes out."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)


class Yard:
    """Starts emitters and stops them all."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def start(self, command, image, env, port, path="/health"):
        self.running.append(Emitter(self.folder, command, image, env, port, path))
        return self.running[-1]

    def stop(self):
        for emitter in reversed(self.running):
            emitter.stop()
        self.running = []

    def engine(self, service, endpoint, image=VLLM, **env):
        port = free_port()
        flags = [f"--otlp-traces-endpoint={endpoint}", "--collect-detailed-traces=all"] if endpoint else []
        return self.start(["vllm", "serve", "org/model", f"--port={port}", "--host=127.0.0.1", *flags], image,
                          {**tracing_env(endpoint, service), **env}, port)

    def proxy(self, decode, endpoint, image=SIDECAR, flags=("--tracing=true",), **env):
        port = free_port()
        return self.start(["pd-sidecar", f"--port={port}", f"--vllm-port={decode.port}", "--kv-connector=nixlv2",
                           "--secure-proxy=false", *flags], image, {**tracing_env(endpoint, "routing-proxy"), **env}, port)

    def picker(self, backends, endpoint, image=PICKER, service="llm-d-router/epp", flags=("--tracing=true",), **env):
        port, metrics = free_port(), free_port()
        self.start(["epp", "--pool-name=pool", f"--grpc-port={port}", f"--metrics-port={metrics}",
                    f"--grpc-health-port={free_port()}", *flags], image,
                   {**tracing_env(endpoint, service), "EMITTER_BACKENDS": backends, **env}, metrics, "/metrics")
        return port

    def gateway(self, picker_port):
        port = free_port()
        return self.start(["gateway", f"--port={port}"], "localhost/llmd-gateway:v1",
                          {"EMITTER_EPP": f"127.0.0.1:{picker_port}"}, port, "/healthz")
