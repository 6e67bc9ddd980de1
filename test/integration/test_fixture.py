# SPDX-License-Identifier: Apache-2.0
"""The fixture itself: the cluster and the scripted kubelet do what the other tests rely on."""
import os
import signal
import socket
import ssl

import pytest

from api import ApiError, normalized
from cluster import OTEL_CRD, Cluster, sample
from waiting import holds_for, wait_for


def pod(name, annotations, args=("--port=8000",)):
    return {"metadata": {"name": name, "annotations": annotations},
            "spec": {"containers": [{"name": "server", "image": "example.com/server:1", "args": list(args)}]}}


def ready(obj):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in obj.get("status", {}).get("conditions", []))


def waiting_reason(obj):
    status = obj.get("status", {}).get("containerStatuses", [{}])[0]
    return status.get("state", {}).get("waiting", {}).get("reason")


def test_node_has_gpus(cluster):
    node = cluster.api.get("node", "node-0")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "64"
    assert ready(node)


def test_its_ports_are_none_that_the_kernel_gives_to_who_dials(cluster):
    """Who dials a port of that range before a server listens there may take it away from the server."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
        first = int(limits.read().split()[0])
    with open(f"/proc/{cluster.pids()['etcd']}/cmdline", encoding="ascii") as command:
        etcd = command.read().split("\0")[-2]
    assert int(etcd) < first and int(cluster.server.rpartition(":")[2]) < first


def test_pods_become_ready(cluster, namespace):
    cluster.api.create("pod", pod("a", {}), namespace)
    seen = wait_for(lambda: ready(p := cluster.api.get("pod", "a", namespace)) and p, what="pod a Ready")
    assert seen["status"]["podIP"] and seen["spec"]["nodeName"] == "node-0"


def test_slow_pods_and_pods_that_never_are(cluster, namespace):
    cluster.api.create("pod", pod("slow", {"scripted-kubelet/ready-after": "2s"}), namespace)
    cluster.api.create("pod", pod("never", {"scripted-kubelet/never-ready": "true"}), namespace)
    running = wait_for(lambda: (p := cluster.api.get("pod", "slow", namespace))["status"]["phase"] == "Running" and p)
    assert not ready(running)
    wait_for(lambda: ready(cluster.api.get("pod", "slow", namespace)))
    assert not ready(cluster.api.get("pod", "never", namespace))


@pytest.mark.parametrize("annotations,args,crashes", [
    ({"scripted-kubelet/crash": "no kernel image"}, ["--port=8000"], True),
    ({"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint"}, ["--otlp-traces-endpoint=http://x:4317"], True),
    ({"scripted-kubelet/crash-if-arg": "--otlp-traces-endpoint"}, ["--port=8000"], False),
])
def test_pods_crash_as_told(cluster, namespace, annotations, args, crashes):
    cluster.api.create("pod", pod("a", {**annotations, "scripted-kubelet/exit-code": "2"}, args), namespace)
    if not crashes:
        wait_for(lambda: ready(cluster.api.get("pod", "a", namespace)))
        return
    crashed = wait_for(lambda: waiting_reason(p := cluster.api.get("pod", "a", namespace)) == "CrashLoopBackOff" and p)
    last = crashed["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert last["exitCode"] == 2 and last["message"]
    version = crashed["metadata"]["resourceVersion"]
    holds_for(lambda: cluster.api.get("pod", "a", namespace)["metadata"]["resourceVersion"] == version, 0.5,
              "a crashed pod is reported once")


def condition_times(obj, kind="Ready"):
    condition, = [c for c in obj["status"]["conditions"] if c["type"] == kind]
    return condition["status"], condition["lastTransitionTime"], obj["status"]["startTime"]


def test_conditions_keep_their_time_while_they_say_the_same(cluster, namespace):
    """As the real kubelet does: a pod that crashes after a while was never Ready, and its condition says since when."""
    cluster.api.create("pod", pod("a", {"scripted-kubelet/ready-after": "2s", "scripted-kubelet/crash": "no kernel image"}), namespace)
    cluster.api.create("pod", pod("b", {"scripted-kubelet/ready-after": "2s"}), namespace)
    wait_for(lambda: waiting_reason(cluster.api.get("pod", "a", namespace)) == "CrashLoopBackOff")
    status, since, start = condition_times(cluster.api.get("pod", "a", namespace))
    assert status == "False" and since == start
    wait_for(lambda: ready(cluster.api.get("pod", "b", namespace)))
    seen = cluster.api.get("pod", "b", namespace)
    status, since, start = condition_times(seen)
    assert status == "True" and since > start
    assert condition_times(seen, "Initialized")[1] == start


LOG = "loading\n" + "".join(f"shard {n}\n" for n in range(3)) + "RuntimeError: no kernel image"


@pytest.mark.parametrize("flags,expected", [
    ((), LOG + "\n"),
    (("--previous",), LOG + "\n"),
    (("--previous", "--container=server", "--tail=2"), "shard 2\nRuntimeError: no kernel image\n"),
    (("--limit-bytes=7",), "loading"),
])
def test_crashed_pods_have_a_log(cluster, namespace, flags, expected):
    cluster.api.create("pod", pod("a", {"scripted-kubelet/crash": "no kernel image", "scripted-kubelet/log": LOG}), namespace)
    wait_for(lambda: waiting_reason(cluster.api.get("pod", "a", namespace)) == "CrashLoopBackOff")
    assert wait_for(lambda: cluster.kubectl("-n", namespace, "logs", "a", *flags)) == expected


def test_logs_of_pods_that_run(cluster, namespace):
    """What is too long loses its beginning; a container that never ended has no previous log."""
    text = "".join(f"{n:07}\n" for n in range(10000))
    cluster.api.create("pod", pod("a", {"scripted-kubelet/log": text}), namespace)
    wait_for(lambda: ready(cluster.api.get("pod", "a", namespace)))
    assert cluster.kubectl("-n", namespace, "logs", "a") == text[-65536:]
    refused = cluster.kubectl("-n", namespace, "logs", "a", "--previous", check=False)
    assert refused.returncode == 1 and 'previous terminated container "server" in pod "a" not found' in refused.stderr


def test_only_the_api_server_may_ask_for_logs(cluster):
    node = cluster.api.get("node", "node-0")["status"]
    port = node["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    assert [a["address"] for a in node["addresses"]] == ["127.0.0.1"]
    context = ssl.create_default_context(cafile=cluster.ca)
    with pytest.raises((ssl.SSLError, ConnectionError)), socket.create_connection(("127.0.0.1", port)) as plain, \
            context.wrap_socket(plain, server_hostname="127.0.0.1") as stranger:
        stranger.sendall(b"GET /containerLogs/x/y/z HTTP/1.0\r\n\r\n")
        stranger.recv(1)


def test_deployments_roll_and_services_find_them(cluster, namespace):
    cluster.apply(sample("pd.yaml", namespace))
    decode = wait_for(lambda: (d := cluster.api.get("deployment", "decode", namespace))["status"].get("readyReplicas") == 2 and d)
    assert decode["status"]["observedGeneration"] == decode["metadata"]["generation"]

    def addresses():
        slices = cluster.api.list("endpointslice", namespace, "kubernetes.io/service-name=qwen-epp")
        return [e for s in slices for e in s["endpoints"] or [] if e["conditions"]["ready"]]

    wait_for(lambda: len(addresses()) == 1, what="the EPP's Service has an endpoint")
    cluster.kubectl("-n", namespace, "set", "env", "deployment/decode", "X=1")
    wait_for(lambda: (d := cluster.api.get("deployment", "decode", namespace))["status"].get("updatedReplicas") == 2
             and d["status"].get("readyReplicas") == 2 and d["status"]["replicas"] == 2, what="rolled")


def test_samples_are_traced_nowhere(cluster, namespace):
    text = "".join(sample(name) for name in ("pd.yaml", "lws.yaml", "disaggregatedset.yaml", "statefulset.yaml", "modelservice.yaml"))
    assert "OTEL_" not in text and "--tracing=true" not in text


def test_absent_controllers_are_played(cluster, namespace):
    for name in ("lws.yaml", "disaggregatedset.yaml"):
        cluster.apply(sample(name), namespace)
    lws = wait_for(lambda: (o := cluster.api.get("leaderworkerset", "wide", namespace)).get("status", {}).get("readyReplicas") == 2 and o)
    assert lws["status"]["observedGeneration"] == lws["metadata"]["generation"]
    wait_for(lambda: [r["readyReplicas"] for r in
                      cluster.api.get("disaggregatedset", "split", namespace)["status"]["roleStatuses"]] == [2, 2])


def test_modelservice_controller_merges_and_reverts(cluster, namespaces):
    namespace = namespaces(annotations={"scripted-kubelet/modelservice": "working"})
    cluster.apply(sample("modelservice.yaml"), namespace)
    wait_for(lambda: cluster.api.get("modelservice", "qwen", namespace)["status"]["decodeReady"] == "1/1")
    status = cluster.api.get("modelservice", "qwen", namespace)["status"]
    assert (status["decodeDeploymentRef"], status["eppDeploymentRef"]) == ("qwen-decode", "qwen-epp")
    child = cluster.api.get("deployment", "qwen-decode", namespace)
    assert "controller" not in child["metadata"]["ownerReferences"][0]
    container = child["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["Qwen/Qwen3-0.6B", "--port", "8200", "--enforce-eager"]
    assert [e["name"] for e in container["env"]] == ["HF_HOME", "VLLM_LOGGING_LEVEL"]
    before = normalized(child)
    cluster.api.json_patch("deployment", "qwen-decode", namespace, [
        {"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--mine"},
        {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "MINE", "value": "1"}}])
    wait_for(lambda: normalized(cluster.api.get("deployment", "qwen-decode", namespace)) == before, what="reverted")


def collector(namespace):
    return {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector",
            "metadata": {"name": "otel", "namespace": namespace, "labels": {"app": "otel-collector"}},
            "spec": {"mode": "deployment", "config": {"receivers": {"otlp": {}}, "exporters": {"debug": {}}, "service": {"pipelines": {}}}}}


def test_otel_operator_is_played_where_told(own_cluster, namespaces):
    cluster = own_cluster(crds=(OTEL_CRD,))
    working, absent = namespaces(on=cluster, annotations={"scripted-kubelet/otel-operator": "working"}), namespaces(on=cluster)
    for namespace in (working, absent):
        cluster.api.create("opentelemetrycollector", collector(namespace), namespace)
    wait_for(lambda: cluster.api.get("deployment", "otel-collector", working)["status"].get("availableReplicas") == 1)
    assert cluster.api.get("service", "otel-collector", working)["spec"]["ports"][0]["port"] == 4317
    pods = cluster.api.list("pod", working, "app=otel-collector")
    assert pods and pods[0]["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "opentelemetry-operator"
    assert cluster.api.find("deployment", "otel-collector", absent) is None
    cluster.api.delete("opentelemetrycollector", "otel", working)
    wait_for(lambda: cluster.api.find("deployment", "otel-collector", working) is None
             and cluster.api.find("service", "otel-collector", working) is None, what="children gone")


def test_audit_log_counts_per_user(cluster, namespace):
    since = cluster.audit.position()
    cluster.api.create("configmap", {"metadata": {"name": "x"}}, namespace)
    cluster.api.get("configmap", "x", namespace)
    mine = [r for r in cluster.audit.requests(since, "integration-tests") if r.namespace == namespace and r.resource == "configmaps"]
    assert [(r.verb, r.user, r.code) for r in mine] == [("create", "admin", 201), ("get", "admin", 200)]


def test_service_account_tokens_carry_only_their_rights(cluster, namespace):
    token = cluster.kubectl("-n", "llmd-system", "create", "token", "llmd-tracing").strip()
    client = cluster.client(token=token)
    assert client.list("namespace")
    with pytest.raises(ApiError) as refused:
        client.create("pod", pod("a", {}), namespace)
    assert refused.value.status == 403


def test_kubeconfig_with_everything_inline(cluster):
    inline = os.path.join(cluster.dir, "admin-inline.kubeconfig")
    assert "kube-system" in cluster.kubectl("--kubeconfig", inline, "get", "namespaces")


def listeners(pid):
    """Addresses on which a process listens."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for fields in (line.split() for line in list(file)[1:]):
                if fields[3] == "0A" and fields[9] in inodes:
                    found.append(fields[1].split(":")[0])
    return found


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_second_cluster_on_loopback_that_leaves_nothing(cluster):
    other = Cluster()
    try:
        pids = other.pids()
        assert {"up", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "scripted-kubelet"} == set(pids)
        addresses = [a for pid in pids.values() for a in listeners(pid)]
        assert addresses and set(addresses) == {"0100007F"}
        other.api.create("namespace", {"metadata": {"name": "only-here"}})
        assert cluster.api.find("namespace", "only-here") is None
    finally:
        other.stop()
    assert not any(alive(pid) for pid in pids.values()) and not os.path.exists(other.dir)


def test_children_die_with_a_killed_parent():
    other = Cluster("--no-scheduler")
    pids = other.pids()
    assert "kube-scheduler" not in pids
    os.kill(pids["up"], signal.SIGKILL)
    other.process.wait(10)
    wait_for(lambda: not any(alive(pid) for pid in pids.values()), what="all parts gone")
    with pytest.raises(AssertionError):
        other.stop()


def test_the_api_server_alone_restarts(cluster, namespace):
    cluster.api.create("configmap", {"metadata": {"name": "kept"}}, namespace)
    before = cluster.pids()
    since = cluster.audit.position()
    cluster.control("restart-apiserver")
    after = cluster.pids()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"kube-apiserver"}
    assert cluster.api.get("configmap", "kept", namespace)
    assert cluster.audit.requests(since)
    cluster.api.create("pod", pod("after", {}), namespace)
    wait_for(lambda: ready(cluster.api.get("pod", "after", namespace)), what="the other parts are back")
