# SPDX-License-Identifier: Apache-2.0
"""Pool, model and role of workloads are the collector's matter: they restart no workload, and a restart of ours no collector."""
from operator_process import USER
from traced import Scene
from waiting import holds_for, wait_for


def config(scene):
    return scene.api.get("configmap", "otel-collector-config", scene.namespace)["data"]["config.yaml"]


def generations(scene):
    return {w.name: scene.generation(w.kind, w.name) for w in scene.workloads}


def test_a_table_of_workloads(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    pool = scene.api.list("inferencepool", namespace)[0]
    first = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out().wait_condition("Ready", "True")
    text = config(scene)
    assert all(f'llm_d.workload\\"], \\"{w.name}\\"' in text or f'llm_d.workload"], "{w.name}"' in text for w in scene.workloads), text
    assert pool["metadata"]["name"] in text and "Qwen/Qwen3-0.6B" in text
    assert scene.generation("deployment", "otel-collector") == 1, "it was whole before anything was written"
    before = generations(scene)

    first.kill()
    since = cluster.audit.position()
    operator()
    wait_for(lambda: any(r.namespace == namespace and r.resource == "deployments" for r in cluster.audit.requests(since, USER)) or
             any(r.resource == "deployments" for r in cluster.audit.requests(since, USER)), 30, "the new one has looked")
    holds_for(lambda: not [r for r in cluster.audit.requests(since, USER) if r.is_write and r.namespace == namespace and r.resource != "events"], 3,
              "nothing is written after a restart")

    scene.api.create("inferencepool", {"apiVersion": pool.get("apiVersion", "inference.networking.k8s.io/v1"), "kind": "InferencePool", "metadata": {"name": "second-pool"}, "spec": pool["spec"]}, namespace)
    wait_for(lambda: "second-pool" in config(scene), 40, "the new pool is in the collector's configuration")
    wait_for(lambda: scene.generation("deployment", "otel-collector") == 2, 20, "its pods are replaced, once")
    assert generations(scene) == before
