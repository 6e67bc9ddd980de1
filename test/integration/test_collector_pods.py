# SPDX-License-Identifier: Apache-2.0
"""The pods of collector and Jaeger as the Tracing wants them: knobs, Jaeger's volume, images that stay."""
import json

import pytest

from traced import Scene
from waiting import holds_for, wait_for

CLASS = "tests"


@pytest.fixture
def scene(cluster, namespace):
    return Scene(cluster, namespace, "bash-script.yaml").wait_settled()


def settings(scene, spec):
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": spec})


def make_tracing(scene, spec):
    scene.api.create("tracing", {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}, scene.namespace)


def pod_of(scene, name):
    return scene.api.get("deployment", name, scene.namespace)["spec"]["template"]


def test_knobs(scene, operator):
    knobs = {"imagePullPolicy": "Always", "priorityClassName": "system-cluster-critical",
             "serviceAccountName": "default", "labels": {"team": "a"}, "annotations": {"note": "hello"}, "tolerations": [{"operator": "Exists"}],
             "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                 {"weight": 1, "preference": {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}}]}}}
    make_tracing(scene, {"collector": knobs, "backend": {"jaeger": knobs}})
    operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "True")
    scene.wait_condition("BackendReady", "True", "Ephemeral")
    for name in ("otel-collector", "jaeger"):
        template = pod_of(scene, name)
        for key in ("priorityClassName", "serviceAccountName", "tolerations", "affinity"):
            assert template["spec"][key] == knobs[key], key
        assert template["spec"]["containers"][0]["imagePullPolicy"] == "Always" and not template["spec"]["automountServiceAccountToken"]
        (pod,) = scene.api.list("pod", scene.namespace, f"app={name},team=a")
        assert pod["metadata"]["annotations"]["note"] == "hello"
    generations = {name: scene.generation("deployment", name) for name in ("otel-collector", "jaeger")}
    settings(scene, {"collector": {"labels": {"team": "b"}}})
    wait_for(lambda: scene.api.list("pod", scene.namespace, "app=otel-collector,team=b"), 60, "the collector's pod is replaced")
    assert scene.generation("deployment", "jaeger") == generations["jaeger"], "and only that"


@pytest.fixture
def volume(cluster, namespace):
    """A volume that is there already; nothing provisions any here."""
    name = f"volume-{namespace}"
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": CLASS,
                 "claimRef": {"namespace": namespace, "name": "jaeger-data"}, "hostPath": {"path": "/tmp/never-mounted"}}}))
    yield name
    cluster.kubectl("delete", "persistentvolume", name, "--wait=false", check=False)


BADGER = {"type": "Badger", "size": "1024Mi", "storageClassName": CLASS}


def claim_of(scene):
    return scene.api.find("persistentvolumeclaim", "jaeger-data", scene.namespace)


def test_a_volume_outlives_the_tracing_of_its_namespace(scene, operator, volume):
    make_tracing(scene, {"backend": {"jaeger": {"storage": BADGER}}})
    operator()
    scene.switch("true")
    scene.wait_condition("BackendReady", "True", "Available")
    kept = claim_of(scene)
    assert kept["spec"]["volumeName"] == volume
    spec = pod_of(scene, "jaeger")["spec"]
    assert spec["securityContext"]["fsGroup"] == 10001 and "runAsUser" not in spec["securityContext"]
    assert {"claimName": "jaeger-data"} in [v.get("persistentVolumeClaim") for v in spec["volumes"]]
    scene.switch("false")
    wait_for(lambda: scene.api.find("deployment", "jaeger", scene.namespace) is None, 60, "Jaeger is gone")
    scene.wait_condition("Enabled", "False", "NotAnnotated")
    assert claim_of(scene)["metadata"]["uid"] == kept["metadata"]["uid"]
    scene.switch("true")
    scene.wait_condition("BackendReady", "True", "Available")
    assert claim_of(scene)["metadata"]["uid"] == kept["metadata"]["uid"], "it is used again"
    settings(scene, {"backend": {"jaeger": {"storage": {"retain": False}}}})
    wait_for(lambda: claim_of(scene)["metadata"]["annotations"]["tracing.llm-d.io/retain"] == "false", 30)
    scene.switch("false")
    wait_for(lambda: claim_of(scene) is None, 60, "without retain it goes too")


def test_a_volume_that_does_not_come_is_said(scene, operator):
    make_tracing(scene, {"backend": {"jaeger": {"storage": BADGER}}})
    operator()
    scene.switch("true")
    condition = scene.wait_condition("BackendReady", "False", "VolumePending")
    assert "storageClassName" in condition["message"]
    scene.wait_traced()  # a back end that is late keeps no workload waiting


def images(scene):
    return {name: pod_of(scene, name)["spec"]["containers"][0]["image"] for name in ("otel-collector", "jaeger")}


def test_new_defaults_wait_for_approval(scene, operator, tmp_path):
    defaults = tmp_path / "defaults.yaml"
    first = operator()
    scene.switch("true")
    scene.wait_condition("CollectorReady", "True")
    scene.wait_condition("BackendReady", "True")
    scene.wait_traced().wait_rolled_out()
    before, workload = images(scene), scene.generation("deployment", "scripted")
    first.stop()
    defaults.write_text(json.dumps({"collector": {"image": "mirror.example/otel:9"}, "backend": {"jaeger": {"image": "mirror.example/jaeger:9"}}}))
    operator("--settings", str(defaults))
    for kind, image in (("CollectorReady", "mirror.example/otel:9"), ("BackendReady", "mirror.example/jaeger:9")):
        wait_for(lambda kind=kind, image=image: "ImageOutdated" in scene.condition(kind)["message"] and image in scene.condition(kind)["message"], 30, kind)
    holds_for(lambda: images(scene) == before, 1, "what was created stays")
    settings(scene, {"collector": {"image": "mine.example/otel:1"}})
    wait_for(lambda: images(scene)["otel-collector"] == "mine.example/otel:1", 30, "the spec names one")
    assert images(scene)["jaeger"] == before["jaeger"]
    scene.api.merge("tracing", "llm-d", scene.namespace, {"metadata": {"annotations": {"tracing.llm-d.io/approve-images": "1"}}})
    wait_for(lambda: images(scene)["jaeger"] == "mirror.example/jaeger:9", 30, "approved")
    assert images(scene)["otel-collector"] == "mine.example/otel:1"
    wait_for(lambda: scene.tracing()["status"]["images"] == {"jaeger": "mirror.example/jaeger:9", "approved": "1"}, 30, "the status says so")
    assert scene.generation("deployment", "scripted") == workload, "no workload was written"
