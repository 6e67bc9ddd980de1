# SPDX-License-Identifier: Apache-2.0
"""The real binary under test, run as a ServiceAccount with the rights that it is meant to have and no others."""
import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from clock import Clock
from cluster import ROOT
from processes import die_with_parent
from waiting import wait_for

BUILT = os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"))
BINARY = os.path.join(BUILT, "llmd-tracing")
NEXT = os.path.join(BUILT, "test/next/llmd-tracing")  # as its next version might be (test/next/rules.c)
NAMESPACE = "llmd-system"
USER = f"system:serviceaccount:{NAMESPACE}:llmd-tracing"
PRUNED = re.compile(r'unknown field [\\"]*status\.')  # the API server's own warning, in the log
LISTENING = re.compile(r'msg="?listening"?.* addr="?127\.0\.0\.1:(\d+)')


def token_kubeconfig(cluster, account="llmd-tracing"):
    """A kubeconfig of the operator's ServiceAccount; the token comes from TokenRequest."""
    token = cluster.kubectl("-n", NAMESPACE, "create", "token", account, "--duration=6h").strip()
    path = os.path.join(cluster.dir, f"{account}.kubeconfig")
    config = {**cluster.config, "users": [{"name": "test", "user": {"token": token}}]}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    return path


class Operator:
    """One run of `llmd-tracing run`. stop() asserts a clean exit."""

    count = 0

    def __init__(self, cluster, *flags, kubeconfig=None, removal_grace="1s", env=None, binary=BINARY, clock=None):
        """`clock`: by how many seconds it believes to be later than it is; let_pass() moves it on."""
        Operator.count += 1
        self.log_path = os.path.join(cluster.dir, f"operator-{Operator.count}.log")
        self.cluster = cluster
        self.clock = None if clock is None else Clock(os.path.join(cluster.dir, f"operator-{Operator.count}.clock"), clock)
        env = {**(env or {}), **(self.clock.env() if self.clock else {})}
        command = self.command([binary, "run", "--health-bind", "127.0.0.1:0", "--removal-grace", removal_grace, *flags], kubeconfig)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT,
                                            env={**os.environ, **env}, preexec_fn=die_with_parent)
        self.port = wait_for(self._listening, 20, "the operator listens")

    def command(self, words, kubeconfig):
        return [*words, "--kubeconfig", kubeconfig or token_kubeconfig(self.cluster)]

    def _listening(self):
        assert self.process.poll() is None, f"the operator exited with {self.process.returncode}:\n{self.log()[-4000:]}"
        found = LISTENING.search(self.log())
        return int(found.group(1)) if found else None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def metrics(self):
        """Every series that it shows, with its value."""
        lines = [line.rpartition(" ") for line in self.http("/metrics")[1].splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in lines if series}

    def http(self, path):
        """(status, body) of a path of the health server."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self):
        assert self.process.poll() is None, f"the operator exited with {self.process.returncode}"
        return self.http("/readyz")[0] == 200

    def wait_ready(self, timeout=30):
        wait_for(self.is_ready, timeout, "the operator is ready")
        return self

    def metric(self, name, **labels):
        """The sum over all series of that name whose labels hold these."""
        total = 0.0
        for line in self.http("/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            if series.split("{")[0] == name and all(f'{k}="{v}"' in series for k, v in labels.items()):
                total += float(value)
        return total

    def let_pass(self, seconds):
        """That time passes for it at once. It sleeps by the machine's clock, so it is woken."""
        self.clock.forward(seconds)
        self.http("/healthz")

    @contextlib.contextmanager
    def frozen(self):
        """Meanwhile it does nothing and keeps its connections, as on a node that has stalled."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        if self.process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"the operator exited with {self.process.returncode}:\n{self.log()[-4000:]}")
        pruned = [line for line in self.log().splitlines() if PRUNED.search(line)]
        assert not pruned, f"the CRD does not know what the operator remembers there: {pruned[:3]}"
