# SPDX-License-Identifier: Apache-2.0
"""What the operator shows of itself, and how it starts and ends."""
import os
import signal
import subprocess

import pytest

from operator_process import BINARY, Operator, token_kubeconfig
from traced import Scene
from waiting import wait_for


def test_probes_and_metrics(cluster, namespace, operator):
    running = operator()
    assert running.http("/healthz")[0] == 200
    assert running.http("/nowhere")[0] == 404
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    scene.switch("true")
    scene.wait_traced()
    status, text = running.http("/metrics")
    assert status == 200
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert names and all(n.startswith(("llmd_", "process_", "rest_client_", "workqueue_", "controller_runtime_")) for n in names), sorted(names)[:20]


def test_not_ready_before_its_lists_are_complete(cluster):
    """A server that never answers: alive, but not ready."""
    import socket
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        path = os.path.join(cluster.dir, "silent.kubeconfig")
        config = cluster.kubectl("config", "view", "--raw", "-o", "json").replace(cluster.server, f"https://127.0.0.1:{silent.getsockname()[1]}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        operator = Operator(cluster, kubeconfig=path)
        try:
            assert operator.http("/healthz")[0] == 200
            assert operator.http("/readyz")[0] != 200
        finally:
            operator.stop()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(cluster, stop):
    operator = Operator(cluster).wait_ready()
    operator.process.send_signal(stop)
    assert operator.process.wait(15) == 0


@pytest.mark.parametrize("name", ["admin.kubeconfig", "admin-inline.kubeconfig", "token"])
def test_kubeconfigs(cluster, name):
    path = token_kubeconfig(cluster) if name == "token" else os.path.join(cluster.dir, name)
    operator = Operator(cluster, kubeconfig=path).wait_ready()
    operator.stop()
    assert "token" not in operator.log() or "eyJ" not in operator.log(), "a token is logged"


def test_in_cluster_files(cluster, tmp_path):
    """As in a pod: KUBERNETES_SERVICE_HOST and the ServiceAccount's files, in a mount namespace of its own."""
    token = cluster.kubectl("-n", "llmd-system", "create", "token", "llmd-tracing").strip()
    files = {"token": token, "namespace": "llmd-system", "ca.crt": open(cluster.ca, encoding="ascii").read()}
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    host, port = cluster.server.removeprefix("https://").split(":")
    log = tmp_path / "log"
    script = (f"mkdir -p /run/secrets/kubernetes.io/serviceaccount && mount --bind {tmp_path} /run/secrets/kubernetes.io/serviceaccount "
              f"&& exec {BINARY} run --health-bind 127.0.0.1:0")
    environment = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"}
    environment |= {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "HOME": str(tmp_path)}
    with open(log, "wb") as out:
        process = subprocess.Popen(["unshare", "--mount", "sh", "-c", f"mount -t tmpfs tmpfs /run && {script}"], stdout=out,
                                   stderr=subprocess.STDOUT, env=environment)
    try:
        since = cluster.audit.position()
        wait_for(lambda: [r for r in cluster.audit.requests(since, "system:serviceaccount:llmd-system:llmd-tracing") if r.verb == "watch"]
                 or process.poll() is not None, 20, "it watches as the ServiceAccount")
        assert process.poll() is None, log.read_text()[-2000:]
    finally:
        process.terminate()
        assert process.wait(15) == 0


def test_a_wrong_command_line_says_what_is_wrong():
    done = subprocess.run([BINARY, "run", "--no-such-flag"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    assert done.returncode == 2 and "--no-such-flag" in done.stdout
