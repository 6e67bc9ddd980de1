# SPDX-License-Identifier: Apache-2.0
"""hack/run, the driver of `make run`, on a control plane alone; test/e2e has it with a node."""
import os
import re
import signal
import subprocess

from cluster import ROOT
from traced import SWITCH, Scene
from waiting import wait_for

RUN = os.path.join(ROOT, "hack/run")

def run(**env):
    return subprocess.run([RUN], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          env={**os.environ, "NODE": "0", **env})


def test_once_ends_with_the_sample_traced():
    done = run(ONCE="1")
    assert done.returncode == 0, done.stdout
    assert "tracing is in place after" in done.stdout and "nothing is left behind" in done.stdout
    for line in ("+ --otlp-traces-endpoint=http://otel-collector:4317", "service name vllm-decode", "- --tracing=false"):
        assert line in done.stdout, done.stdout
    folder = re.search(r"export KUBECONFIG=(\S+)/cluster/admin.kubeconfig", done.stdout).group(1)
    assert not os.path.exists(folder)


def test_ctrl_c_ends_it_cleanly(tmp_path):
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([RUN], stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, "NODE": "0"})
    try:
        wait_for(lambda: "Ctrl-C stops everything" in log.read_text() or process.poll() is not None, 120, "tracing is in place")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(60)
    assert code == 0 and "nothing is left behind" in log.read_text(), log.read_text()


def resource_versions(cluster):
    found = {}
    for kind in ("namespace", "deployment", "service", "configmap"):
        for obj in cluster.api.list(kind):
            meta = obj["metadata"]
            if meta.get("namespace") not in ("kube-system", "kube-node-lease"):
                found[(kind, meta.get("namespace"), meta["name"])] = meta["resourceVersion"]
    return found


def test_a_context_of_the_users_own(own_cluster, namespaces):
    """Nothing is applied without APPLY_CRDS=1, nothing loaded, nothing annotated; what is annotated is traced."""
    cluster = own_cluster(crds=())
    plain = Scene(cluster, namespaces(on=cluster), "bash-script.yaml").wait_settled()
    annotated = Scene(cluster, namespaces(on=cluster), "bash-script.yaml").wait_settled()
    before = resource_versions(cluster)
    refused = run(KUBECONFIG=cluster.kubeconfig, CONTEXT="test", ONCE="1")
    assert refused.returncode == 1 and "APPLY_CRDS=1" in refused.stdout
    assert resource_versions(cluster) == before and not cluster.api.list("customresourcedefinition")

    done = run(KUBECONFIG=cluster.kubeconfig, CONTEXT="test", ONCE="1", APPLY_CRDS="1")
    assert done.returncode == 0 and "annotated namespaces: none" in done.stdout, done.stdout
    assert resource_versions(cluster) == before
    assert {c["spec"]["group"] for c in cluster.api.list("customresourcedefinition")} == {"tracing.llm-d.io"}

    annotated.cluster.kubectl("annotate", "namespace", annotated.namespace, f"{SWITCH}=true")
    done = run(KUBECONFIG=cluster.kubeconfig, CONTEXT="test", ONCE="1")
    assert done.returncode == 0, done.stdout
    annotated.wait_traced()
    plain.wait_as_before(1)
    assert cluster.api.list("tracing", plain.namespace) == []
