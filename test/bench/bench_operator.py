# SPDX-License-Identifier: Apache-2.0
"""Figures of the running operator against a real API server: memory by what is in the cluster, time to ready, size, what a fleet's
GPUs lose.

Prints one line a figure. Nothing here passes or fails; the targets stand in docs/bench.md.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "test/integration"), os.path.join(ROOT, "test/support")]

from cluster import OWN_CRDS, TEST_CRDS, Cluster  # noqa: E402
from fleet import Fleet  # noqa: E402
from operator_process import BINARY, Operator  # noqa: E402
from rights import grant  # noqa: E402
from waiting import wait_for  # noqa: E402

STARTS = 20
LABELS = {"app": "bench"}


def rss_kib(operator):
    with open(f"/proc/{operator.process.pid}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmRSS"].split()[0]), int(fields["VmHWM"].split()[0])


def settled(operator, workloads):
    """Ready, and (with enabled workloads) everything injected; then the memory."""
    operator.wait_ready(120)
    if workloads:
        wait_for(lambda: injected(operator.cluster) >= workloads, 600, "all workloads injected")
    return rss_kib(operator)


def injected(cluster):
    return sum(1 for d in cluster.api.list("deployment") if "tracing.llm-d.io/ledger" in d["metadata"].get("annotations", {}))


def plain_deployment(name):
    container = {"name": "web", "image": "registry.example/web:1", "args": ["--port=8080"],
                 "env": [{"name": f"VAR_{i}", "value": f"value-{i}"} for i in range(10)]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": LABELS},
            "spec": {"replicas": 0, "selector": {"matchLabels": LABELS},
                     "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}}}


def engine_deployment(name):
    deployment = plain_deployment(name)
    template = deployment["spec"]["template"]
    template["metadata"]["labels"] = {**LABELS, "llm-d.ai/role": "decode", "llm-d.ai/inference-serving": "true"}
    template["spec"]["containers"] = [{"name": "vllm", "image": "vllm/vllm-openai:v0.23.0", "command": ["vllm", "serve"],
                                       "args": ["model", "--port=8000"], "env": template["spec"]["containers"][0]["env"]}]
    return deployment


def plain_service(name):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": LABELS},
            "spec": {"clusterIP": "None", "selector": LABELS, "ports": [{"port": 80}]}}


def fill(cluster, namespace, kind, make, first, last):
    for i in range(first, last):
        cluster.api.create(kind, make(f"bench-{i}"), namespace)


def start(cluster):
    return Operator(cluster)


def memory(cluster, what, workloads=0):
    operator = start(cluster)
    now, peak = settled(operator, workloads)
    print(f"{what:<58} RSS {now / 1024:7.2f} MiB  peak {peak / 1024:7.2f} MiB", flush=True)
    operator.stop()


def time_to_ready(cluster):
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        operator = Operator(cluster)
        while operator.http("/readyz")[0] != 200:
            time.sleep(0.002)
        times.append((time.monotonic() - began) * 1000)
        operator.stop()
    print(f"{'exec to /readyz 200, empty API, median of ' + str(STARTS):<58} {statistics.median(times):7.1f} ms"
          f"  (least {min(times):.1f}, most {max(times):.1f})", flush=True)


def binary_size():
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, BINARY], check=True)
        size = os.path.getsize(stripped.name)
    print(f"{'binary, stripped':<58} {size / 1048576:7.2f} MiB", flush=True)


def unready_gpus():
    """GPUs of pods that are not Ready, over the time in which a fleet is enabled and taken back."""
    cluster = Cluster()
    try:
        cluster.install_crds(TEST_CRDS, OWN_CRDS)
        grant(cluster)
        fleet = Fleet(cluster)
        with fleet.watch() as watch:
            fleet.create()
            fleet.wait_up(watch)
            operator = start(cluster)
            for what, value, wait in (("enabled", "true", fleet.wait_traced), ("taken back", "false", fleet.wait_back)):
                watch.begin()
                fleet.switch(value)
                wait(watch)
                print(f"{f'fleet of {fleet.gpus} GPUs, {what}: not Ready':<58} {watch.figure():7.1f} GPU-seconds", flush=True)
            operator.stop()
    finally:
        cluster.stop()


def main():
    binary_size()
    unready_gpus()
    cluster = Cluster()
    try:
        cluster.install_crds(TEST_CRDS, OWN_CRDS)
        grant(cluster)
        time_to_ready(cluster)
        memory(cluster, "empty API")
        cluster.api.create("namespace", {"metadata": {"name": "foreign"}})
        done = 0
        for count in (1000, 5000):
            fill(cluster, "foreign", "deployment", plain_deployment, done, count)
            fill(cluster, "foreign", "service", plain_service, done, count)
            done = count
            memory(cluster, f"{count} foreign Deployments and Services")
        cluster.api.create("namespace", {"metadata": {"name": "traced", "annotations": {"tracing.llm-d.io/enabled": "true"}}})
        fill(cluster, "traced", "deployment", engine_deployment, 0, 1000)
        memory(cluster, "1000 enabled workloads as well", workloads=1000)
        memory(cluster, "1000 enabled workloads, all injected, after a restart", workloads=1000)
    finally:
        cluster.stop()


main()
