# SPDX-License-Identifier: Apache-2.0
"""Many namespaces: everything is traced, and then the operator is silent."""
import json

from api import normalized
from cluster import OWN_CRDS, TEST_CRDS
from operator_process import USER
from traced import LEDGER, SWITCH
from waiting import holds_for, wait_for

NAMESPACES, EACH, OTHERS = 20, 10, 50


def workload(name):
    labels = {"app": name, "llm-d.ai/inference-serving": "true", "llm-d.ai/role": "decode" if int(name[1:]) % 2 else "prefill"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [
            {"name": "vllm", "image": "vllm/vllm-openai:v0.23.0", "command": ["vllm", "serve"], "args": ["m", f"--seed={name[1:]}"]}]}}}}


def all_of(api, names):
    found = {n: [] for n in names}
    for d in api.list("deployment"):
        if d["metadata"]["namespace"] in found and d["metadata"]["name"].startswith("w"):
            found[d["metadata"]["namespace"]].append(d)
    return found


def settled(d):
    status = d.get("status", {})
    return (status.get("observedGeneration") == d["metadata"]["generation"] and status.get("readyReplicas") == 1
            and status.get("replicas") == 1 and status.get("updatedReplicas") == 1)


def test_two_hundred_workloads_in_twenty_namespaces(own_cluster, operator):
    cluster = own_cluster(crds=(OWN_CRDS, TEST_CRDS))
    api = cluster.api
    names = [f"s{i}" for i in range(NAMESPACES)]
    for name in [*names, "other"]:
        api.create("namespace", {"metadata": {"name": name}})
        items = [workload(f"w{i}") for i in range(EACH if name != "other" else OTHERS)]
        for item in items:
            api.create("deployment", item, name)
    wait_for(lambda: all(settled(d) for ds in all_of(api, [*names, "other"]).values() for d in ds), 180, "all are up")
    before = {(n, d["metadata"]["name"]): normalized(d) for n, ds in all_of(api, names).items() for d in ds}
    assert len(before) == NAMESPACES * EACH
    running = operator(on=cluster)
    cluster.kubectl("annotate", "namespace", *names, f"{SWITCH}=true")

    def all_traced():
        left = [d["metadata"]["name"] for ds in all_of(api, names).values() for d in ds
                if LEDGER not in d["metadata"].get("annotations", {}) or not settled(d)]
        assert not left, f"{len(left)} are left"
        return True

    wait_for(all_traced, 300, "200 workloads are traced")
    tracings = "/apis/tracing.llm-d.io/v1alpha1/tracings"
    wait_for(lambda: all(any(c["type"] == "Ready" and c["status"] == "True" for c in t.get("status", {}).get("conditions", []))
                         for t in api.request("GET", tracings)["items"]), 120, "every namespace is ready")

    quiet_since = wait_for(lambda: silence(cluster), 60, "silence")
    api.merge("deployment", "w0", "other", {"spec": {"replicas": 2}})
    api.merge("deployment", "w1", "other", {"metadata": {"labels": {"touched": "yes"}}})
    holds_for(lambda: not noise(cluster, quiet_since), 5, "a converged cluster sees no writes and no reads but watches")
    assert running.is_ready()

    cluster.kubectl("annotate", "namespace", *names, f"{SWITCH}=false", "--overwrite")

    def all_back():
        now = {(n, d["metadata"]["name"]): normalized(d) for n, ds in all_of(api, names).items() for d in ds}
        left = [key for key in before if json.dumps(now[key], sort_keys=True) != json.dumps(before[key], sort_keys=True)]
        assert not left, f"{len(left)} are not as before, {left[0]} is one"
        return True

    wait_for(all_back, 300, "all are as they were")
    wait_for(lambda: not [d for d in api.list("deployment") if d["metadata"]["name"] in ("otel-collector", "jaeger")], 120, "collectors are gone")


def noise(cluster, since):
    return [r for r in cluster.audit.requests(since, USER) if r.verb != "watch"]


def silence(cluster):
    """A position after which the operator asked nothing for a second, or None."""
    since = cluster.audit.position()
    try:
        holds_for(lambda: not noise(cluster, since), 1)
    except AssertionError:
        return None
    return since
