# SPDX-License-Identifier: Apache-2.0
"""A test cluster with a real node as a Python object: pods run, out of which nothing can go."""
import glob
import json
import os
import subprocess

from cluster import ROOT, Cluster, hack_cluster
from waiting import wait_for

BUSYBOX = "localhost/busybox:1"  # its wget must not be given -T (it crashes): use `timeout 5 wget -qO- URL`
NODE_PARTS = {"up", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler",
              "containerd", "kubelet", "kube-proxy", "coredns"}


def path_without(tmp_path, *programs):
    """A PATH on which these are missing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in reversed(os.environ["PATH"].split(os.pathsep)):
        for name in os.listdir(path) if os.path.isdir(path) else ():
            link = folder / name
            link.unlink(missing_ok=True)
            if name not in programs:
                link.symlink_to(os.path.join(path, name))
    return str(folder)


def still_there(processes):
    """Those of a cluster's processes() that have not ended."""
    found = {}
    for (pid, started), name in processes.items():
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                if int(stat.read().rpartition(")")[2].split()[19]) == started:
                    found[(pid, started)] = name
        except OSError:
            continue
    return found


def cgroups_of(pid):
    """The cgroups of the cluster whose `cluster up` has, or had, that PID."""
    return glob.glob(f"/sys/fs/cgroup/*/llmd-node-{pid}") + glob.glob(f"/sys/fs/cgroup/llmd-node-{pid}")


class NodeCluster(Cluster):
    """What Cluster can, against the same kubeconfig: the API server is reached on the machine's own loopback."""

    def __init__(self, *flags):
        super().__init__("--node", "--images", hack_cluster("images"), *flags)
        with open(os.path.join(self.dir, "init.pid"), encoding="ascii") as file:
            self.init = int(file.read())

    def hack(self, *args):
        return hack_cluster(*args, env={**os.environ, "CLUSTER_DIR": self.dir}, timeout=180)

    def run(self, *command, check=True, timeout=60):
        """Runs a command inside the cluster's namespaces, as its admin."""
        return subprocess.run([os.path.join(ROOT, "hack/cluster"), "in", *command], check=check, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, env={**os.environ, "CLUSTER_DIR": self.dir})

    def load_images(self, *archives):
        return self.hack("load-image", *archives)

    def restart_node(self):
        """A power cut; returns when the node is Ready again. Its pods come back after that."""
        self.control("restart-node")

    def drop(self, target, port=None):
        """Loses what other pods send to "namespace/pod" or an address, all of it or that TCP port."""
        self.hack("drop", target, *([str(port)] if port else []))

    def undrop(self):
        self.hack("undrop")

    def processes(self):
        """{(pid, start time): command} of all that runs in the cluster, in containers too, as the machine counts it."""
        children, names = {}, {}
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
                    name, _, rest = stat.read().partition("(")[2].rpartition(")")
            except OSError:  # it has ended
                continue
            fields = rest.split()
            children.setdefault(int(fields[1]), []).append(pid)
            names[pid] = (int(fields[19]), name)
        found, todo = {}, [self.init] if self.init in names else []
        while todo:
            pid = todo.pop()
            found[(pid, names[pid][0])] = names[pid][1]
            todo += children.get(pid, [])
        return found

    def exec(self, namespace, pod, *command, check=True):
        return self.kubectl("-n", namespace, "exec", pod, "--", *command, check=check)

    def wait_pods_ready(self, namespace, selector="", count=1, timeout=60):
        def all_ready():
            pods = [p for p in self.api.list("pod", namespace, selector) if "deletionTimestamp" not in p["metadata"]]
            states = {p["metadata"]["name"]: {c["type"]: c["status"] for c in p["status"].get("conditions", [])}.get("Ready") for p in pods}
            assert len(pods) == count and all(s == "True" for s in states.values()), json.dumps(states)
            return pods

        return wait_for(all_ready, timeout, f"{count} pods of {namespace} {selector} Ready")
