# SPDX-License-Identifier: Apache-2.0
"""`verify` and `slow` against the real API server: what they read, with which rights, and what it says when Jaeger is not up."""
from online import online, user_kubeconfig
from traced import Scene, is_traced
from waiting import wait_for

RULES = [{"apiGroups": ["apps", "networking.k8s.io", "tracing.llm-d.io", "opentelemetry.io", "leaderworkerset.x-k8s.io",
                        "disaggregatedset.x-k8s.io", "llm-d.ai", "inference.networking.k8s.io", "inference.networking.x-k8s.io",
                        "discovery.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
         {"apiGroups": [""], "resources": ["services", "configmaps", "pods", "persistentvolumeclaims", "secrets"], "verbs": ["get", "list"]}]
SEE = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]
PROXY = {"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}


def traced(cluster, namespace, operator, *samples):
    scene = Scene(cluster, namespace, *samples).wait_settled()
    operator()
    scene.switch("true")
    return scene.wait_traced().wait_rolled_out()


def test_the_lineup_of_a_traced_namespace(cluster, namespace, operator):
    traced(cluster, namespace, operator, "pd.yaml", "bash-script.yaml", "statefulset.yaml", "lws.yaml")
    done = online(cluster, "verify", "-n", namespace, "-o", "json")
    assert done.code == 1, done.err
    hops = {(h["workload"], h["container"], h["service"]) for h in done.json["hops"] if h["traced"]}
    assert hops >= {("Deployment/decode", "modelserver", "vllm-decode"), ("Deployment/decode", "routing-proxy", "routing-proxy"),
                    ("Deployment/prefill", "modelserver", "vllm-prefill"), ("Deployment/qwen-epp", "epp", "llm-d-router/epp"),
                    ("Deployment/scripted", "vllm", "vllm-prefill"), ("LeaderWorkerSet/wide", "vllm", "vllm-decode"),
                    ("StatefulSet/sglang", "modelserver", "sglang")}
    # nothing runs behind the Services of this cluster
    assert (done.json["result"], done.json["traceConnected"]) == ("Unknown", "Unknown")
    assert any("jaeger-collector" in note for note in done.json["notes"]), done.json["notes"]
    assert online(cluster, "slow", "-n", namespace).code == 7


def test_the_rights_that_it_needs(cluster, namespace, operator):
    traced(cluster, namespace, operator, "bash-script.yaml")
    config = user_kubeconfig(cluster, namespace, RULES, SEE)
    refused = online(cluster, "verify", "-n", namespace, kubeconfig=config)
    assert refused.code == 6 and 'cannot get resource "services/proxy"' in refused.err
    config = user_kubeconfig(cluster, namespace, [*RULES, PROXY], SEE)

    def understood():
        done = online(cluster, "verify", "-n", namespace, "-o", "json", kubeconfig=config)
        assert done.code == 1, done.err
        return done.json
    report = wait_for(understood, 20, "the new right is known")
    assert not any("looked at" in note for note in report["notes"]), report["notes"]
    assert {h["workload"] for h in report["hops"]} == {"Deployment/scripted"}


def test_a_right_that_is_missing_is_told(cluster, namespace):
    Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    few = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}, PROXY]
    done = online(cluster, "verify", "-n", namespace, "-o", "json", kubeconfig=user_kubeconfig(cluster, namespace, few, SEE))
    assert done.code == 1, done.err
    assert any("not everything could be looked at" in n and 'cannot list resource "tracings"' in n for n in done.json["notes"])
    assert any("not annotated" in n for n in done.json["notes"])


def test_nothing_is_written(cluster, namespace, operator):
    scene = traced(cluster, namespace, operator, "bash-script.yaml")
    operator.running[0].stop()
    before = scene.api.get("deployment", "scripted", namespace)["metadata"]["generation"], scene.tracing()["metadata"]["resourceVersion"]
    assert online(cluster, "verify", "-n", namespace).code == 1
    after = scene.api.get("deployment", "scripted", namespace)["metadata"]["generation"], scene.tracing()["metadata"]["resourceVersion"]
    assert before == after and is_traced(scene.api, scene.workloads[0], namespace)


def test_no_operator_was_ever_installed(own_cluster):
    cluster = own_cluster(crds=())
    cluster.api.create("namespace", {"metadata": {"name": "shop"}})
    done = online(cluster, "verify", "-n", "shop", "-o", "json")
    assert done.code == 1 and done.json["hops"] == []
    assert any("CRD tracings.tracing.llm-d.io is not installed" in n for n in done.json["notes"])
    assert online(cluster, "verify", "-n", "nowhere").code == 3
