# SPDX-License-Identifier: Apache-2.0
"""The real collector and the real Jaeger with the configurations that the operator renders.

`Telemetry` starts both on loopback: every listener is moved to a free port, every peer to where it then is;
nothing else of the configuration is changed.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

from processes import die_with_parent
from waiting import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "build" / os.environ.get("VARIANT", "release") / "llmd-tracing"
ADDRESS = re.compile(r"^([^\s/]*):(\d+)$")


def binaries():
    """The folder with otelcol and jaeger; built on first use."""
    done = subprocess.run([ROOT / "hack/telemetry", "build"], check=True, text=True, stdout=subprocess.PIPE)
    return pathlib.Path(done.stdout.strip())


def render(spec, folder, *options):
    """The objects that the operator would create."""
    from settings import tracing

    settings = folder / "tracing.yaml"
    settings.write_text(json.dumps(tracing(spec)), encoding="utf-8")
    done = subprocess.run([BINARY, "render", "--settings", settings, *options], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def configurations(objects):
    """(program, object's name, configuration as text) of all objects that hold one."""
    for obj in objects:
        name = obj["metadata"]["name"]
        if obj["kind"] == "OpenTelemetryCollector":
            config = obj["spec"]["config"]
            yield "otelcol", name, config if isinstance(config, str) else yaml.safe_dump(config)
        elif obj["kind"] == "ConfigMap":
            yield "jaeger" if name.startswith("jaeger") else "otelcol", name, obj["data"]["config.yaml"]


def validate(program, text, folder):
    """What the program's own check says; variables of the configuration are given a value that has to stay text."""
    path = folder / f"{program}.yaml"
    path.write_text(text, encoding="utf-8")
    variables = {name: "007" for name in re.findall(r"\$\{env:(\w+)\}", text)}
    return subprocess.run([binaries() / program, "validate", f"--config={path}"], text=True, capture_output=True, timeout=60,
                          env={**os.environ, **variables}, check=False)


given = set()


def free_port():
    """Another one each time, and none of those that the kernel gives by itself.

    Who dials one of these before a server listens there may get it as the near end.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        end = int(limits.read().split()[0])
    first = 20000
    ports = range(first, end if end > first else 32768)
    for port in random.sample(ports, len(ports)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in given:
                given.add(port)
                return port
    raise AssertionError("no port is free")


class Ports:
    """The free port that stands for each listener of one program; 0 is the program's own metrics."""

    def __init__(self):
        self.moved = {}

    def __getitem__(self, port):
        if port not in self.moved:
            self.moved[port] = free_port()
        return self.moved[port]


def on_loopback(config, ports, peers):
    """The configuration with listeners on loopback and peers, {"host:port": "host:port"}, where they are."""
    if isinstance(config, list):
        return [on_loopback(value, ports, peers) for value in config]
    if not isinstance(config, dict):
        return config
    moved = {}
    for key, value in config.items():
        found = ADDRESS.match(value) if key == "endpoint" and isinstance(value, str) else None
        if found and value in peers:
            moved[key] = peers[value]
        elif found and found[1] in ("", "0.0.0.0", "[::]"):
            moved[key] = f"127.0.0.1:{ports[int(found[2])]}"
        else:
            moved[key] = on_loopback(value, ports, peers)
    if isinstance(moved.get("port"), int) and "host" in moved:
        moved["host"], moved["port"] = "127.0.0.1", ports[moved["port"]]
    return moved


def quiet_metrics(config):
    """Without a metrics reader of its own a program would take localhost:8888 for it."""
    metrics = config["service"].setdefault("telemetry", {}).setdefault("metrics", {})
    if not metrics.get("readers"):
        metrics["level"] = "none"
    return config


HEALTH = {"jaeger": "/status", "otelcol": "/"}


class Program:
    def __init__(self, name, config, ports, folder):
        self.name, self.ports, self.log = name, ports, folder / f"{name}.log"
        path = folder / f"{name}-live.yaml"
        path.write_text(yaml.safe_dump(quiet_metrics(config)), encoding="utf-8")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([binaries() / name, f"--config={path}"], stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        wait_for(self.healthy, 60, f"{name} healthy; its log: {self.log}")

    def healthy(self):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[13133]}{HEALTH[self.name]}", timeout=2):
                return True
        except OSError as error:
            raise AssertionError(str(error)) from error

    def stop(self):
        """At once: nothing of it is kept, and its own end takes seconds."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)


class Telemetry:
    def __init__(self, folder, spec=None, *options):
        texts = {program: yaml.safe_load(text) for program, _, text in configurations(render(spec or {}, folder, *options))}
        ports = Ports()
        self.jaeger = Program("jaeger", on_loopback(texts["jaeger"], ports, {}), ports, folder)
        self.query = f"http://127.0.0.1:{ports[16686]}"
        peers = {"jaeger-collector:4317": f"127.0.0.1:{ports[4317]}"}
        ports = Ports()
        self.collector = Program("otelcol", on_loopback(texts["otelcol"], ports, peers), ports, folder)
        self.endpoint = f"http://127.0.0.1:{ports[4317]}"
        self.http_endpoint = f"http://127.0.0.1:{ports[4318]}"
        self.collectors_ports = ports

    def stop(self):
        self.collector.stop()
        self.jaeger.stop()

    def ask(self, path, **parameters):
        url = f"{self.query}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"] or []

    def metrics(self, port):
        """The series of the collector's port 8888 (its own) or 8889 (made of spans)."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.collectors_ports[port]}/metrics", timeout=5) as answer:
            return [line for line in answer.read().decode().splitlines() if not line.startswith("#")]

    def services(self):
        """Without Jaeger's own, as the guide's reader sees them."""
        return sorted(set(self.ask("/api/services")) - {"jaeger"})

    def trace(self, trace_id):
        """The spans of a trace as (service, operation, span id, parent id, tags)."""
        try:
            found = self.ask(f"/api/traces/{trace_id}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{trace_id}: {error}") from error
        return [Span(trace, span) for trace in found for span in trace["spans"]]

    def traces(self, service):
        return {trace["traceID"]: [Span(trace, span) for span in trace["spans"]]
                for trace in self.ask("/api/traces", service=service, limit=200)}


class Span:
    def __init__(self, trace, span):
        self.service = trace["processes"][span["processID"]]["serviceName"]
        self.resource = {tag["key"]: tag["value"] for tag in trace["processes"][span["processID"]]["tags"]}
        self.operation, self.id = span["operationName"], span["spanID"]
        self.parent = next((r["spanID"] for r in span["references"] if r["refType"] == "CHILD_OF"), None)
        self.tags = {tag["key"]: tag["value"] for tag in span["tags"]}
        self.events = [{field["key"]: field["value"] for field in log["fields"]} for log in span["logs"]]

    def __repr__(self):
        return f"{self.service}: {self.operation}"
