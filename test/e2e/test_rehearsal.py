# SPDX-License-Identifier: Apache-2.0
"""Rehearsals on the real node: each image under a name that tells nothing, and really behaving as it does."""
import json
import time

import pytest

from serving import CONTAINER, Serving, deployment, engine_container
from switched import LEDGER, Switched
from waiting import wait_for

MIRROR = "registry.example/prod/"
ENGINES = (("engine:good", "vllm", "Traceable"), ("engine:no-packages", "vllm", "LacksPackages"), ("engine:stripped", "vllm", "LacksPackages"), ("simulator:x", "vllm", "RefusesFlag"),
           ("sglang:good", "sglang", "Traceable"))
PROGRAMS = (("picker:old", "epp", "RefusesFlag"), ("picker:silent", "epp", "Inconclusive"), ("picker:good", "epp", "Traceable"),
            ("proxy:old", "routing-proxy", "RefusesFlag"), ("proxy:good", "routing-proxy", "Traceable"), ("engine:good", "epp", "Inconclusive"))
GOAL_SECONDS = 15


def component_of(name, image, component):
    """A Deployment without pods: what counts is its template, and that the image is on the node."""
    if component in ("vllm", "sglang"):
        container = engine_container(MIRROR + image, 8000, launch="args")
    else:
        container = {"name": "c", "image": MIRROR + image, "imagePullPolicy": "IfNotPresent", "securityContext": CONTAINER, "args": ["--v=1"]}
    tree = deployment(name, {"app": name}, {"containers": [container]}, replicas=0)
    tree["metadata"]["annotations"] = {"tracing.llm-d.io/inject": "true", f"tracing.llm-d.io/component.{container['name']}": component}
    return tree


@pytest.fixture(scope="module")
def rehearsed(installed, module_namespaces):
    """What the command says of a namespace under restricted pod security with each of them; printed with its time."""
    namespace = module_namespaces(labels={"pod-security.kubernetes.io/enforce": "restricted"})
    objects = [component_of(f"w{i}", image, component) for i, (image, component, _) in enumerate((*ENGINES, *PROGRAMS))]
    installed.cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), namespace)
    started = time.monotonic()
    done = installed.cli("rehearse", "-n", namespace, "-o", "json", check=False)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    print(f"{len(report['images'])} images rehearsed in {time.monotonic() - started:.1f} s; slowest "
          f"{max(row['tookMs'] for row in report['images']) / 1000:.1f} s (goal: {GOAL_SECONDS} s each, images on the node)")
    return installed, namespace, {(row["image"].removeprefix(MIRROR), row["component"]): row for row in report["images"]}


def test_no_verdict_is_wrong(rehearsed):
    _, _, rows = rehearsed
    assert {key: row["verdict"] for key, row in rows.items()} == {(i, c): verdict for i, c, verdict in (*ENGINES, *PROGRAMS)}, rows


def test_what_it_learns_is_the_version_and_the_digest(rehearsed):
    _, _, rows = rehearsed
    good = rows[("engine:good", "vllm")]
    assert good["version"] == "0.32.0" and good["digest"].startswith("sha256:"), good
    assert "opentelemetry" in rows[("engine:no-packages", "vllm")]["message"]


def test_no_pod_stays_and_no_gpu_was_asked_for(rehearsed):
    installed, namespace, _ = rehearsed
    assert installed.cluster.api.list("pod", namespace) == []
    events = installed.cluster.api.list("event", namespace)
    assert any((e.get("regarding") or e.get("involvedObject"))["name"].startswith("llmd-rehearsal-") for e in events)
    assert not [e for e in events if e.get("reason") == "FailedScheduling"]


def serves(name, image):
    """A server that runs, by whose image nothing can be told."""
    tree = deployment(name, {"app": name}, {"containers": [engine_container(MIRROR + image, 8000, launch="args", gpus=0)]})
    tree["metadata"]["annotations"] = {"tracing.llm-d.io/inject": "true", "tracing.llm-d.io/component.modelserver": "vllm"}
    return tree


def test_without_that_right_a_server_tells_its_version_and_a_crash_is_taken_back(installed, namespaces):
    """One says 0.16, which is enough to leave it alone; the other lies, cannot start with the flag, and is as it was."""
    s = Serving(installed.cluster, namespaces(), [serves("old", "engine:old"), serves("liar", "engine:stripped")])
    pods = {p["metadata"]["uid"] for p in s.pods()}
    s.switch("true")

    def told():
        rows = [s.row(name) for name in ("old", "liar")]
        assert [(row["state"], row["reason"]) for row in rows] == [("Skipped", "EngineTooOld"), ("Failed", "Reverted")], rows
        return True
    wait_for(told, 120, "one is left alone, the other taken back")
    status = s.tracing()["status"]
    versions = {row["image"].removeprefix(MIRROR): (row["verdict"], row["version"], row["asked"]) for row in status["rehearsals"]}
    assert versions == {"engine:old": ("Inconclusive", "0.16.0", True), "engine:stripped": ("Inconclusive", "0.23.0", True)}
    refused, = status["refusedImages"]
    assert refused["image"] == MIRROR + "engine:stripped" and "OpenTelemetry is not available" in refused["message"], refused
    assert s.generations()[("deployment", "old")] == 1
    s.wait_as_before().wait_up()
    assert {p["metadata"]["uid"] for p in s.pods() if s.own(p["metadata"]["name"])} == pods, "the servers that ran never stopped"
    report = json.loads(installed.cli("rehearse", "--running", "-n", s.namespace, "-o", "json", check=False).stdout)
    assert {row["image"].removeprefix(MIRROR): row["version"] for row in report["images"]} == {"engine:old": "0.16.0", "engine:stripped": "0.23.0"}


@pytest.fixture(scope="module")
def rehearsing(installed):
    """The operator with the right to make pods."""
    installed.upgrade("--set", "rbac.rehearse=true")
    yield installed
    installed.upgrade("--set", "rbac.rehearse=false")


def test_the_operator_rehearses_before_it_writes(rehearsing, namespaces):
    """The good one is traced and verified, no bad one is ever written, and no pod of it ever crashes."""
    cluster, namespace = rehearsing.cluster, namespaces(labels={"pod-security.kubernetes.io/enforce": "restricted"})
    images = {"good": "engine:good", "bad": "engine:no-packages", "simulated": "simulator:x", "picker": "picker:good"}
    objects = [component_of(name, image, "epp" if name == "picker" else "vllm") for name, image in images.items()]
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), namespace)
    switched = Switched(cluster, namespace)
    switched.switch("true")

    def told():
        return {name: switched.row(name)["reason"] for name in images}
    want = {"good": "Injected", "bad": "LacksPackages", "simulated": "RefusesFlag", "picker": "Injected"}
    wait_for(lambda: told() == want, 120, f"each has its verdict: {want}")
    for name, image in images.items():
        live = cluster.api.get("deployment", name, namespace)
        assert (LEDGER in live["metadata"]["annotations"]) == (want[name] == "Injected")
        assert live["metadata"]["generation"] == (2 if want[name] == "Injected" else 1), name
    rows = {row["image"].removeprefix(MIRROR): row for row in switched.tracing()["status"]["rehearsals"]}
    assert {image: row["verdict"] for image, row in rows.items()} == {
        "engine:good": "Traceable", "engine:no-packages": "LacksPackages", "simulator:x": "RefusesFlag", "picker:good": "Traceable"}
    assert all(row["time"] and not row.get("asked") for row in rows.values())
    assert not [p for p in cluster.api.list("pod", namespace) if p["metadata"]["name"].startswith("llmd-rehearsal-")]
