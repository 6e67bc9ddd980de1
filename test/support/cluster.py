# SPDX-License-Identifier: Apache-2.0
"""A test cluster (test/cluster) as a Python object."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

from api import Api
from audit import AuditLog
from processes import die_with_parent
from waiting import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, "build/tools")
SAMPLES = os.path.join(ROOT, "test/samples")
TEST_CRDS = os.path.join(ROOT, "test/crds")
OTEL_CRD = os.path.join(TEST_CRDS, "opentelemetry")  # apart: where it is served, the operator tries it first
OWN_CRDS = os.path.join(ROOT, "crds")


def tool(name):
    """kubectl is the machine's where it has one; helm has to be of major version 4, so it is always ours."""
    own = os.path.join(TOOLS, name)
    return own if name == "helm" else shutil.which(name) or own


def sample(name, namespace=None):
    """A sample's text; pd.yaml is written for a namespace of its own, which is renamed."""
    with open(os.path.join(SAMPLES, name), encoding="utf-8") as file:
        text = file.read()
    return text.replace("llm-d-demo", namespace) if namespace else text


def hack_cluster(*args, **how):
    """Runs hack/cluster and returns what it printed."""
    return subprocess.run([os.path.join(ROOT, "hack/cluster"), *args], check=True, text=True, stdout=subprocess.PIPE, **how).stdout.strip()


class Cluster:
    def __init__(self, *flags):
        self.binary = hack_cluster("build")
        self.dir = tempfile.mkdtemp(prefix="llmd-cluster-")
        self.kubeconfig = os.path.join(self.dir, "admin.kubeconfig")
        self.process = subprocess.Popen([self.binary, "up", "--dir", os.path.join(self.dir), *flags], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)
        line = self.process.stdout.readline()
        if not line.startswith("ready in "):
            self.process.wait(60)
            said = line + self.process.stdout.read()
            self.process.stdout.close()
            raise AssertionError(f"the cluster did not start: {said}(its logs: {self.dir}/*.log)")
        with open(self.kubeconfig, encoding="utf-8") as file:
            self.config = json.load(file)
        self.server = self.config["clusters"][0]["cluster"]["server"]
        self.ca = os.path.join(self.dir, "ca.crt")
        self.api = self.client("admin")
        self.audit = AuditLog(os.path.join(self.dir, "audit.log"))

    def client(self, name=None, token=None):
        if token:
            return Api(self.server, self.ca, token=token)
        return Api(self.server, self.ca, os.path.join(self.dir, f"{name}.crt"), os.path.join(self.dir, f"{name}.key"))

    def pids(self):
        with open(os.path.join(self.dir, "pids"), encoding="utf-8") as file:
            return {name: int(pid) for pid, name in (line.split() for line in file)}

    def control(self, command):
        subprocess.run([self.binary, command, self.dir], check=True, timeout=120)

    def kubectl(self, *args, stdin=None, check=True, env=None):
        done = subprocess.run([tool("kubectl"), "--kubeconfig", self.kubeconfig, *args], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, env={**os.environ, **(env or {})})
        assert not check or done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
        return done if not check else done.stdout

    def helm(self, *args, check=True):
        env = {**os.environ, "HELM_CACHE_HOME": os.path.join(self.dir, "helm"), "HELM_CONFIG_HOME": os.path.join(self.dir, "helm"),
               "HELM_DATA_HOME": os.path.join(self.dir, "helm")}
        done = subprocess.run([tool("helm"), "--kubeconfig", self.kubeconfig, *args], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, env=env)
        assert not check or done.returncode == 0, f"helm {' '.join(args)}: {done.stderr}"
        return done

    def apply(self, text, namespace=None, *flags):
        where = ["-n", namespace] if namespace else []
        return self.kubectl(*where, "apply", *flags, "-f", "-", stdin=text)

    def install_crds(self, *paths):
        for path in paths:
            if os.path.isdir(path) and os.listdir(path):
                self.kubectl("apply", "--server-side", "-f", path)
        wait_for(lambda: all(any(c["type"] == "Established" and c["status"] == "True" for c in crd.get("status", {}).get("conditions") or [])
                             for crd in self.api.list("customresourcedefinition")), what="CRDs established")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            said = self.process.communicate(timeout=60)[0]
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
        assert self.process.returncode == 0, said
