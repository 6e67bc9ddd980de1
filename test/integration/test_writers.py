# SPDX-License-Identifier: Apache-2.0
"""Others who write workloads: policies that refuse, tools that apply from Git and put their version back."""
import contextlib
import os
import subprocess
import threading

import pytest
import yaml

from cluster import ROOT, sample
from operator_process import USER
from traced import LEDGER, Scene, is_rolled_out, is_traced, proxy, vllm, Workload
from waiting import holds_for, wait_for

POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]
  validations: [{{expression: "!has(object.metadata.annotations) || !('{ledger}' in object.metadata.annotations)", message: no tracing here{reason}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec:
  policyName: {name}
  validationActions: [Deny]
  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}}}
"""


@pytest.fixture
def policy(cluster, namespace):
    """A policy of the cluster against our writes in the namespace."""
    def install(reason):
        cluster.apply(POLICY.format(name=namespace, ledger=LEDGER, reason=reason))
        probe = ("-n", namespace, "annotate", "deployment/qwen-epp", f"{LEDGER}=x", "--dry-run=server")
        wait_for(lambda: cluster.kubectl(*probe, check=False).returncode != 0, 30, "the policy is in force")

    def remove():
        cluster.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", namespace, "--ignore-not-found")
    install.remove = remove
    yield install
    remove()


def attempts(cluster, since, namespace, name="qwen-epp"):
    return [r.code for r in cluster.audit.writes(since, USER) if (r.namespace, r.name) == (namespace, name)]


@pytest.mark.parametrize("reason, code", [("", 422), (", reason: Forbidden", 403)], ids=["invalid", "forbidden"])
def test_what_a_policy_refuses_is_not_tried_again(cluster, namespace, operator, policy, reason, code):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    policy(reason)
    since = cluster.audit.position()
    first = operator()
    scene.switch("true")
    wait_for(lambda: scene.row("qwen-epp")["reason"] == "DeniedByPolicy", 60, "DeniedByPolicy is shown")
    assert "no tracing here" in scene.row("qwen-epp")["message"] and scene.row("qwen-epp")["refusedFor"]
    first.stop()
    operator()
    policy.remove()
    probe = ("-n", namespace, "annotate", "deployment/qwen-epp", f"{LEDGER}=x", "--dry-run=server")
    wait_for(lambda: cluster.kubectl(*probe, check=False).returncode == 0, 30, "the policy is gone")
    holds_for(lambda: attempts(cluster, since, namespace) == [code], 2, "one attempt, and no other by itself or by another process")
    cluster.kubectl("-n", namespace, "annotate", "deployment/qwen-epp", "tracing.llm-d.io/retry=1")
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], namespace), 60, "traced once somebody asks")


ROOM_FOR_ANNOTATIONS = 256 * 1024  # of the API server, all of an object's together


def test_what_the_api_server_finds_invalid_is_not_tried_again(cluster, namespace, operator):
    """Not by another process either; a person may ask."""
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    there = scene.api.get("deployment", "qwen-epp", namespace)["metadata"].get("annotations", {})
    room = ROOM_FOR_ANNOTATIONS - sum(len(k) + len(v) for k, v in there.items()) - len("theirs") - 100
    scene.api.merge("deployment", "qwen-epp", namespace, {"metadata": {"annotations": {"theirs": "x" * room}}})
    since = cluster.audit.position()
    first = operator()
    scene.switch("true")
    wait_for(lambda: scene.row("qwen-epp")["reason"] == "Refused" and scene.row("qwen-epp")["refusedFor"], 60, "Refused is shown")
    assert "Too long" in scene.row("qwen-epp")["message"]
    first.stop()
    second = operator()
    wait_for(lambda: second.metrics().get('llmd_tracing_workloads{state="Failed",reason="Refused"}') == 1, 60, "the next process has looked at it")
    holds_for(lambda: attempts(cluster, since, namespace) == [422], 1, "one attempt, and no other by another process")
    scene.api.merge("deployment", "qwen-epp", namespace, {"metadata": {"annotations": {"theirs": None, "tracing.llm-d.io/retry": "1"}}})
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], namespace), 60, "traced once somebody asks")


GITOPS_KEEPS = {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}


def test_what_git_would_put_back_on_gpus_is_left_alone_and_comes_from_git(cluster, namespace, operator):
    """The row's command, run as it is printed, gives a Component; applied by kustomize, all is traced without a write of ours."""
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    for name in ("decode", "prefill", "qwen-epp"):
        cluster.kubectl("-n", namespace, "label", f"deployment/{name}", *[f"{k}={v}" for k, v in GITOPS_KEEPS.items()])
    operator()
    scene.switch("true")
    since = cluster.audit.position()
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], namespace), 60, "the EPP needs no GPU")
    for name in ("decode", "prefill"):
        wait_for(lambda name=name: scene.row(name)["reason"] == "GitOpsOwned", 60, f"{name} is GitOpsOwned")
        assert "Flux Kustomization flux-system/apps" in scene.row(name)["message"]
        assert not attempts(cluster, since, namespace, name)
    command = scene.row("decode")["message"].split("`")[1]
    component = subprocess.run(command, shell=True, check=True, text=True, stdout=subprocess.PIPE, timeout=60, env={
        **os.environ, "KUBECONFIG": cluster.kubeconfig, "PATH": f"{ROOT}/build/release:{ROOT}/build/tools:{os.environ['PATH']}"}).stdout
    assert [p["target"]["name"] for p in yaml.safe_load(component)["patches"]] == ["decode"]
    folder = os.path.join(cluster.dir, f"git-{namespace}")
    for path, text in (("kustomization.yaml", "resources: [pd.yaml]\ncomponents: [traced]\n"), ("pd.yaml", sample("pd.yaml", namespace)),
                       ("traced/kustomization.yaml", component)):
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text)
    since = cluster.audit.position()
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller", "-k", folder)
    wait_for(lambda: scene.row("decode")["reason"] == "UserSet", 60, "all of it is there, and not ours")
    assert not attempts(cluster, since, namespace, "decode")
    wait_for(lambda: is_rolled_out(scene.api, scene.workloads[0], namespace), 60)


@contextlib.contextmanager
def self_healing(cluster, text, manager):
    """As Argo CD with self-heal: applies its version as long as it runs; counts how often that changed something."""
    end = threading.Event()
    seen = []

    def heal():
        while not end.wait(0.3):
            said = cluster.apply(text, None, "--server-side", "--force-conflicts", f"--field-manager={manager}")
            seen.append(said)
    thread = threading.Thread(target=heal)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join(60)


def test_a_tool_that_puts_its_version_back_is_not_fought(cluster, namespace, operator):
    text = sample("pd.yaml", namespace)
    cluster.apply(text, None, "--server-side", "--field-manager=argocd-controller")
    scene = Scene(cluster, namespace)
    scene.workloads = [Workload("deployment", "decode", (vllm("", "modelserver", "vllm-decode"), proxy("")))]
    scene.remember()
    scene.wait_settled()
    before = {name: scene.generation("deployment", name) for name in ("decode", "prefill", "qwen-epp")}
    with self_healing(cluster, text, "argocd-controller") as applied:
        operator()
        scene.switch("true")
        for name in before:
            wait_for(lambda name=name: scene.row(name)["state"] == "Conflicting", 90, f"{name} is Conflicting")
            assert scene.row(name)["message"].startswith("argocd-controller took the injection away")
        now = {name: scene.generation("deployment", name) for name in before}
        # one edit and its undo each; the EPP, on CPUs, was repaired once
        assert {name: now[name] - before[name] for name in before} == {"decode": 2, "prefill": 2, "qwen-epp": 4}
        more = len(applied) + 3
        wait_for(lambda: len(applied) >= more, 30, "the tool goes on applying")
        assert now == {name: scene.generation("deployment", name) for name in before}
        for running in list(operator.running):
            running.kill()
        operator()
        holds_for(lambda: now == {name: scene.generation("deployment", name) for name in before}, 2, "another process knows it too")
