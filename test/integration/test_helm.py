# SPDX-License-Identifier: Apache-2.0
"""`helm upgrade` (helm 4, which applies server-side) goes on working without --force-conflicts, whenever it comes."""
import os

import pytest

from api import normalized
from cluster import SAMPLES as FOLDER
from traced import EPP, LEDGER, Scene, Workload, differences, is_traced, proxy, vllm
from waiting import wait_for

CHART = os.path.join(FOLDER, "chart")
CHANGED = ("--set", "extraArgs={--enforce-eager,--max-model-len=4096}", "--set", "verbosity=4")


class Release:
    """One release in one namespace."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace = cluster, namespace
        self.helm("install")

    def helm(self, verb, *flags):
        done = self.cluster.helm(verb, "demo", *([CHART] if verb != "rollback" else []), "-n", self.namespace, *flags, check=False)
        assert done.returncode == 0, f"helm {verb}: {done.stderr}"

    def workloads(self):
        return (Workload("deployment", "demo-decode", (vllm("", "vllm", "vllm-decode"), proxy(""))),
                Workload("deployment", "demo-prefill", (vllm("", "vllm", "vllm-prefill"),)),
                Workload("deployment", "demo-epp", (EPP,)))

    def objects(self):
        """What the release is now, without names of namespaces."""
        found = {}
        for w in self.workloads():
            obj = normalized(self.cluster.api.get(w.kind, w.name, self.namespace))
            obj["metadata"].pop("namespace")
            obj["metadata"].get("annotations", {}).pop("meta.helm.sh/release-namespace", None)
            found[w.name] = obj
        return found


@pytest.fixture
def pair(cluster, namespaces):
    """A release that is traced, and a twin in a namespace of its own that never is: they must be the same in the end."""
    traced, twin = Release(cluster, namespaces()), Release(cluster, namespaces())
    scene = Scene(cluster, traced.namespace)
    scene.workloads = list(traced.workloads())
    return scene.wait_settled(), traced, twin


def wait_like_twin(traced, twin):
    def same():
        left = differences(twin.objects(), traced.objects())
        assert not left, left
        return True
    wait_for(same, 90, "the release is what its twin is")


def upgrade(traced, twin, flags):
    traced.helm("upgrade", *flags)
    twin.helm("upgrade", *flags)


@pytest.mark.parametrize("flags", [(), CHANGED], ids=["same", "changed"])
@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_upgrade(pair, operator, moment, flags):
    scene, traced, twin = pair
    if moment == "before":
        upgrade(traced, twin, flags)
    operator()
    scene.switch("true")
    if moment == "during":
        wait_for(lambda: is_traced(scene.api, scene.workloads[2], scene.namespace), 60, "the EPP is traced")
        upgrade(traced, twin, flags)
    scene.wait_traced().wait_rolled_out()
    if moment == "after":
        upgrade(traced, twin, flags)
        scene.wait_traced().wait_rolled_out()
    if flags:
        args = scene.api.get("deployment", "demo-decode", scene.namespace)["spec"]["template"]["spec"]["containers"][0]["args"]
        assert args[:4] == ["Qwen/Qwen3-0.6B", "--port=8200", "--enforce-eager", "--max-model-len=4096"]
    scene.switch("false")
    wait_like_twin(traced, twin)
    upgrade(traced, twin, ("--set", "verbosity=2"))
    wait_like_twin(traced, twin)


def test_upgrades_that_change_something_are_no_fight_and_others_still_succeed(pair, operator):
    scene, traced, twin = pair
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    for verbosity in (3, 4):
        upgrade(traced, twin, ("--set", f"verbosity={verbosity}"))
        wait_for(lambda: is_traced(scene.api, scene.workloads[2], scene.namespace), 60, "the EPP, which the upgrade changed, is traced")
        scene.wait_rolled_out()
    for name in ("demo-decode", "demo-prefill"):  # which it did not change, twice
        wait_for(lambda name=name: scene.row(name)["state"] == "Conflicting", 60, f"{name} is Conflicting")
        assert scene.row(name)["message"].startswith("helm took the injection away twice")
    upgrade(traced, twin, CHANGED)
    scene.switch("false")
    wait_like_twin(traced, twin)


def test_rollback(pair, operator):
    scene, traced, twin = pair
    upgrade(traced, twin, CHANGED)
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    traced.helm("rollback", "1")
    twin.helm("rollback", "1")
    scene.wait_traced()
    scene.switch("false")
    wait_like_twin(traced, twin)


def test_server_side_apply_by_another_manager(cluster, namespace, operator):
    """As Argo CD does it: no --force-conflicts, before, during and after."""
    from cluster import sample
    text = sample("pd.yaml", namespace)
    scene = Scene(cluster, namespace)
    apply = lambda text: cluster.apply(text, None, "--server-side", "--field-manager=argocd-controller")  # noqa: E731
    apply(text)
    scene.workloads = [Workload("deployment", "decode", (vllm("", "modelserver", "vllm-decode"), proxy(""))),
                       Workload("deployment", "prefill", (vllm("", "modelserver", "vllm-prefill"),))]
    scene.remember()
    scene.wait_settled()
    operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    apply(text)  # no conflict; on GPUs the reset flags stay so until somebody says otherwise
    for name in ("decode", "prefill"):
        wait_for(lambda name=name: scene.row(name)["state"] == "Conflicting", 60, f"{name} is Conflicting")
        assert "jsonPointers: [/spec/template/spec/" in scene.row(name)["message"]
    cluster.kubectl("-n", namespace, "patch", "tracing", "llm-d", "--type=merge", "-p", '{"spec": {"sampling": {"ratio": "0.5"}}}')
    scene.wait_traced().wait_rolled_out()
    scene.switch("false")
    scene.wait_as_before()
    apply(text.replace("--gpu-memory-utilization=0.9", "--gpu-memory-utilization=0.7"))
    obj = scene.api.get("deployment", "decode", namespace)
    assert LEDGER not in obj["metadata"].get("annotations", {})
    assert "--gpu-memory-utilization=0.7" in obj["spec"]["template"]["spec"]["containers"][0]["args"]
    managers = {f["manager"] for f in obj["metadata"]["managedFields"]}
    assert not any(m.startswith("llmd-tracing") for m in managers), managers
