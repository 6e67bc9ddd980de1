# SPDX-License-Identifier: Apache-2.0
"""The operator as users install it: its image on the node, its chart by helm, restricted pod security."""
import datetime
import json
import os
import subprocess

from cluster import ROOT, TEST_CRDS
from waiting import wait_for

CHART = os.path.join(ROOT, "charts/llmd-tracing")
SYSTEM = "llmd-system"
RELEASE = "llmd-tracing"
TAG = "e2e"
USER = f"system:serviceaccount:{SYSTEM}:{RELEASE}"
BINARY = os.path.join(ROOT, "build/release/llmd-tracing")


def archives():
    """The operator's, the collector's, Jaeger's and the emitters' images."""
    subprocess.run([os.path.join(ROOT, "hack/image"), "--tag", TAG], check=True, stdout=subprocess.PIPE)
    made = subprocess.run([os.path.join(ROOT, "hack/images"), "all"], check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    return [os.path.join(ROOT, "build/image/llmd-tracing.tar"), *made]


class Installed:
    """A release of the chart in a cluster."""

    def __init__(self, cluster):
        self.cluster, self.api = cluster, cluster.api
        cluster.load_images(*archives())
        cluster.install_crds(TEST_CRDS)
        self.api.create("namespace", {"metadata": {"name": SYSTEM, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
        self.values = ["--set", f"image.tag={TAG}", "--set", "operator.removalGrace=1s"]
        cluster.helm("install", RELEASE, CHART, "-n", SYSTEM, *self.values, "--wait", "--timeout", "120s")

    def upgrade(self, *values, check=True):
        return self.cluster.helm("upgrade", RELEASE, CHART, "-n", SYSTEM, *self.values, *values, "--wait", "--timeout", "120s", check=check)

    def pod(self):
        """The operator's pod, Ready."""
        return self.cluster.wait_pods_ready(SYSTEM, "app.kubernetes.io/name=llmd-tracing")[0]

    def log(self):
        return self.cluster.kubectl("-n", SYSTEM, "logs", f"deploy/{RELEASE}", "--tail=400", check=False).stdout

    def metrics(self):
        """A pod that has just become Ready is behind its Service only when kube-proxy has heard of it."""
        return self.cluster.run("curl", "-sSf", "--retry", "20", "--retry-delay", "1", "--retry-connrefused", f"http://{RELEASE}.{SYSTEM}.svc.cluster.local:8080/metrics").stdout

    def usage(self):
        """(bytes of the working set, cores) of the operator's container, which was never restarted."""
        pod = self.pod()
        status = pod["status"]["containerStatuses"][0]
        assert status["restartCount"] == 0 and "terminated" not in status.get("lastState", {}), status
        asked = datetime.datetime.now(datetime.timezone.utc).isoformat()  # the kubelet looks every ten seconds or so

        def measured():
            stats = json.loads(self.cluster.kubectl("get", "--raw", "/api/v1/nodes/node-0/proxy/stats/summary"))
            used = next(p["containers"][0] for p in stats["pods"] if p["podRef"]["uid"] == pod["metadata"]["uid"])
            return used["memory"]["time"] > asked and used
        used = wait_for(measured, 60, "the kubelet has measured")
        return used["memory"]["workingSetBytes"], used["cpu"]["usageNanoCores"] / 1e9

    def cli(self, *args, check=True, timeout=180):
        """`llmd-tracing ARGS` inside the cluster's namespaces, as its admin."""
        return self.cluster.run(BINARY, *args, check=check, timeout=timeout)

    def kill_pod(self):
        name = self.pod()["metadata"]["name"]
        self.cluster.kubectl("-n", SYSTEM, "delete", "pod", name, "--wait=false", "--grace-period=0", "--force")
        wait_for(lambda: self.pod()["metadata"]["name"] != name, 60, "another pod of the operator")
