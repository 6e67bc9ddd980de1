# SPDX-License-Identifier: Apache-2.0
"""The node of the test cluster: it does what a real one does, and leaves nothing behind."""
import json
import os
import re
import signal
import subprocess

import pytest

from cluster import ROOT
from node_cluster import BUSYBOX, NODE_PARTS, NodeCluster, cgroups_of, path_without, still_there
from waiting import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


class Web:
    """web.yaml in a namespace, up."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace = cluster, namespace
        cluster.kubectl("-n", namespace, "apply", "-f", os.path.join(HERE, "web.yaml"))
        self.wait()

    def wait(self):
        self.cluster.wait_pods_ready(self.namespace, count=3)

    def servers(self):
        return self.cluster.api.list("pod", self.namespace, "app=web")

    def get(self, url):
        """What a pod gets, or None."""
        done = self.cluster.exec(self.namespace, "client", "timeout", "5", "wget", "-qO-", url, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def wait_served(self):
        """Pod, DNS, Service, pod: kube-proxy is a moment behind what the API says."""
        names = {p["metadata"]["name"] for p in self.servers()}
        wait_for(lambda: self.get(f"http://web.{self.namespace}.svc.cluster.local/") in names, 30, "the Service answers")


@pytest.fixture
def web(cluster, namespace):
    return Web(cluster, namespace)


def test_the_node_is_ready_and_has_gpus(cluster):
    status = cluster.api.get("node", "node-0")["status"]
    assert {c["type"]: c["status"] for c in status["conditions"]}["Ready"] == "True"
    assert status["allocatable"]["nvidia.com/gpu"] == "64"
    assert status["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")


def test_pods_reach_one_another_by_name(cluster, web):
    web.wait_served()
    assert cluster.run("busybox", "wget", "-qO-", f"http://web.{web.namespace}.svc.cluster.local/").stdout.startswith("web-")
    assert web.get("http://nobody.example.com/") is None


def test_logs_and_exec(cluster, web):
    pod = web.servers()[0]["metadata"]["name"]
    assert cluster.kubectl("-n", web.namespace, "logs", pod) == "serving\n"
    assert cluster.exec(web.namespace, pod, "hostname") == pod + "\n"
    assert cluster.run("kubectl", "-n", web.namespace, "logs", pod).stdout == "serving\n"


def test_a_crash_is_told_as_kubernetes_tells_it(cluster, namespace):
    cluster.api.create("pod", {"metadata": {"name": "a"}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [
        {"name": "server", "image": BUSYBOX, "command": ["sh", "-c", "echo unrecognized arguments: --x; exit 2"],
         "terminationMessagePolicy": "FallbackToLogsOnError"}]}}, namespace)
    status = wait_for(lambda: (s := cluster.api.get("pod", "a", namespace)["status"].get("containerStatuses", [{}])[0])
                      .get("lastState", {}).get("terminated") and s, 60)
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["message"]) == (2, "unrecognized arguments: --x\n")
    wait_for(lambda: cluster.kubectl("-n", namespace, "logs", "a", "--previous") == "unrecognized arguments: --x\n",
             what="the log of a container that is not just being removed")


def test_a_volume_of_the_nodes_own(cluster, namespace):
    """A PersistentVolume without StorageClass is bound by name."""
    volume = f"disk-{namespace}"
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
         "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                  "hostPath": {"path": f"/var/lib/{volume}", "type": "DirectoryOrCreate"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk", "namespace": namespace},
         "spec": {"storageClassName": "", "volumeName": volume, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "writer", "namespace": namespace},
         "spec": {"restartPolicy": "Never", "volumes": [{"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}],
                  "containers": [{"name": "c", "image": BUSYBOX, "command": ["sh", "-c", "echo kept > /disk/file"],
                                  "volumeMounts": [{"name": "disk", "mountPath": "/disk"}]}]}}]}))
    wait_for(lambda: cluster.api.get("pod", "writer", namespace)["status"]["phase"] == "Succeeded", 60)
    assert cluster.run("cat", f"/var/lib/{volume}/file").stdout == "kept\n"
    assert not os.path.exists(f"/var/lib/{volume}")
    cluster.kubectl("-n", namespace, "delete", "pod/writer", "pvc/disk", f"pv/{volume}")


@pytest.mark.parametrize("port", [None, 8080])
def test_packets_to_a_pod_can_be_lost(cluster, web, port):
    """As with an enforced NetworkPolicy the kubelet's probes still arrive, so the pod stays Ready."""
    cut, other = web.servers()
    urls = [f"http://{p['status']['podIP']}:8080/" for p in (cut, other)]
    names = [p["metadata"]["name"] for p in (cut, other)]
    assert [web.get(u) for u in urls] == names
    cluster.drop(f"{web.namespace}/{names[0]}", port)
    try:
        assert [web.get(u) for u in urls] == [None, names[1]]
        web.wait()
    finally:
        cluster.undrop()
    assert [web.get(u) for u in urls] == names


def test_restricted_pod_security_is_enforced(cluster, namespaces):
    namespace = namespaces(labels={"pod-security.kubernetes.io/enforce": "restricted"})
    refused = cluster.kubectl("-n", namespace, "apply", "-f", os.path.join(HERE, "web.yaml"), check=False)
    assert 'pods "client" is forbidden: violates PodSecurity "restricted' in refused.stderr


def restarts(pod):
    return sum(s["restartCount"] for s in pod["status"]["containerStatuses"])


def test_a_restarted_node_brings_its_pods_back(cluster, web):
    before, processes = web.servers(), cluster.processes()
    cluster.restart_node()

    def came_back():
        after = {p["metadata"]["uid"]: p for p in web.servers()}
        assert {p["metadata"]["uid"] for p in before} == set(after)
        return all(restarts(after[p["metadata"]["uid"]]) == restarts(p) + 1 for p in before)

    wait_for(came_back, 60, "each container was started again, in the same pods")
    web.wait()
    web.wait_served()
    stayed = sorted(still_there(processes).values())
    assert stayed == ["cluster"] * (len(NODE_PARTS) - 2 + 1), "all but the control plane, kube-proxy, CoreDNS and the first process"
    assert cluster.api.get("node", "node-0")["status"]["allocatable"]["nvidia.com/gpu"] == "64"


def test_a_kubelet_that_ends_is_started_again(cluster, namespace):
    """As by the init of a real machine."""
    cluster.run("kill", "-KILL", str(cluster.pids()["kubelet"]))
    Web(cluster, namespace).wait_served()


def test_the_api_server_alone_restarts(cluster, web):
    before = cluster.pids()
    cluster.hack("restart", "apiserver")
    after = cluster.pids()
    assert set(before) == NODE_PARTS and {name for name in before if before[name] != after[name]} == {"kube-apiserver"}
    web.wait_served()


def test_the_audit_log_names_users(cluster, namespace):
    since = cluster.audit.position()
    cluster.api.create("configmap", {"metadata": {"name": "x"}}, namespace)
    seen = cluster.audit.requests(since)
    assert ("create", "admin", 201) in [(r.verb, r.user, r.code) for r in seen if r.namespace == namespace and r.resource == "configmaps"]
    wait_for(lambda: "system:node:node-0" in {r.user for r in cluster.audit.requests()})


def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return {line.split()[1] for line in file}


def links():
    return set(os.listdir("/sys/class/net"))


def assert_nothing_left(other, before, processes):
    assert still_there(processes) == {}
    assert (mounts(), links()) == before
    assert cgroups_of(other.process.pid) == []


@pytest.fixture
def another():
    """Starts further clusters, and stops those that the test has not."""
    made = []

    def start():
        made.append(NodeCluster())
        return made[-1]

    yield start
    for c in made:
        if c.process.poll() is None:
            c.stop()


def test_a_second_cluster_beside_the_first_leaves_nothing(cluster, web, another):
    before = (mounts(), links())
    for _ in range(2):
        other = another()
        assert cgroups_of(other.process.pid)
        Web(other, "default").wait_served()
        processes = other.processes()
        assert {"containerd-shim", "httpd"} <= set(processes.values())
        other.stop()
        assert_nothing_left(other, before, processes)
        assert not os.path.exists(other.dir)
    web.wait_served()


def test_all_of_a_killed_one_goes(cluster, another):
    before = (mounts(), links())
    other = another()
    processes = other.processes()
    assert len(processes) >= len(NODE_PARTS)
    os.kill(other.process.pid, signal.SIGKILL)
    other.process.wait(10)
    wait_for(lambda: not still_there(processes), 30, "all processes gone")
    with pytest.raises(AssertionError):
        other.stop()
    assert cgroups_of(other.process.pid)  # nobody was left who could remove them:
    another().stop()  # the next one does
    assert_nothing_left(other, before, processes)


# --- hack/cluster -----------------------------------------------------------------------------------

def hack(tmp_path, *args, **env):
    return subprocess.run([os.path.join(ROOT, "hack/cluster"), *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300, env={**os.environ, "CLUSTER_DIR": str(tmp_path / "cluster"), **env})


def test_hack_cluster_up_and_down(cluster, tmp_path):
    up = hack(tmp_path, "up", "--node", str(tmp_path / "cluster"))
    try:
        assert up.returncode == 0 and re.match(r"ready in [\d.]+ s, kubeconfig \S+$", up.stdout), up.stdout
        assert "node-0   Ready" in hack(tmp_path, "kubectl", "get", "nodes").stdout
        assert "node-0   Ready" in hack(tmp_path, "in", "kubectl", "get", "nodes").stdout
        again = hack(tmp_path, "up", "--node", str(tmp_path / "cluster"))
        assert again.returncode == 1 and "exists; hack/cluster down first" in again.stdout
    finally:
        down = hack(tmp_path, "down", str(tmp_path / "cluster"))
    assert (down.returncode, down.stdout) == (0, "") and not (tmp_path / "cluster").exists()


@pytest.mark.parametrize("how,why", [
    (lambda path: ["env", f"PATH={path_without(path, 'runc')}"], "runc is not on PATH (hack/setup installs it)"),
    (lambda path: ["setpriv", "--bounding-set=-sys_admin"], "it gives no new namespaces: "),
    (lambda path: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], "it needs root"),
])
def test_a_machine_that_cannot_have_one_says_why(cluster, tmp_path, how, why):
    """Exit 3 and one sentence: what `make run` needs to go on without a node."""
    made = tmp_path / "made"
    made.mkdir(mode=0o777)
    failed = subprocess.run([*how(tmp_path), cluster.binary, "up", "--node", "--dir", str(made / "cluster")], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert (failed.returncode, failed.stdout.count("\n")) == (3, 1), failed.stdout
    assert f"cluster: this machine cannot have a node: {why}" in failed.stdout


def test_a_failed_start_names_the_log(cluster, tmp_path):
    bad = tmp_path / "bad.tar"
    bad.write_text("no archive")
    process = subprocess.Popen([cluster.binary, "up", "--node", "--dir", str(tmp_path / "cluster"), "--images", str(bad)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1 and "bad.tar" in said and "see containerd.log" in said, said
    assert cgroups_of(process.pid) == []
