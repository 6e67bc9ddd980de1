# SPDX-License-Identifier: Apache-2.0
"""The chart against a real API server: every object is taken, pods pass the restricted level, nothing is lost on the way out."""
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

import chart
from api import ApiError
from cluster import TEST_CRDS
from waiting import wait_for

PROMETHEUS_CRDS = os.path.join(TEST_CRDS, "prometheus")
CASES = os.path.join(chart.ROOT, "test/chart/cases")
NAMES = ("defaults", "everything-on", "everything-off", "namespaced", "by-digest")
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def values_of(name):
    with open(os.path.join(CASES, f"{name}.yaml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def pod_templates(objects):
    return [o["spec"]["template"] for o in chart.of_kind(objects, "Deployment", "Job")]


@pytest.fixture(scope="module")
def prepared(cluster):
    cluster.install_crds(PROMETHEUS_CRDS)
    for name, labels in (("restricted", RESTRICTED), ("team-a", {}), ("team-b", {})):
        cluster.api.create("namespace", {"metadata": {"name": name, "labels": labels}})
    cluster.api.create("serviceaccount", {"metadata": {"name": "llmd-tracing"}}, "restricted")
    cluster.api.create("serviceaccount", {"metadata": {"name": "given"}}, "restricted")
    return cluster


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_taken(prepared, name):
    objects = chart.render(values_of(name), namespace="restricted")
    answer = prepared.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), None,
                            "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict")
    assert len(answer.splitlines()) == len(objects)


@pytest.mark.parametrize("name", NAMES)
def test_pods_pass_the_restricted_level(prepared, name):
    templates = pod_templates(chart.render(values_of(name), namespace="restricted"))
    assert templates
    for template in templates:
        pod = {"metadata": {**template["metadata"], "generateName": "dry-"}, "spec": template["spec"]}
        prepared.api.request("POST", "/api/v1/namespaces/restricted/pods?dryRun=All", pod)


def test_the_restricted_level_is_enforced(prepared):
    """Or the test above would pass for any pod."""
    template = pod_templates(chart.render({}, namespace="restricted"))[0]
    template["spec"]["securityContext"] = {"runAsUser": 0}
    with pytest.raises(ApiError, match="violates PodSecurity"):
        prepared.api.request("POST", "/api/v1/namespaces/restricted/pods?dryRun=All",
                             {"metadata": {"generateName": "dry-"}, "spec": template["spec"]})


def test_plain_manifests_are_taken(prepared, tmp_path):
    subprocess.run([os.path.join(chart.ROOT, "hack/manifests"), str(tmp_path)], check=True, stdout=subprocess.PIPE)
    for how in (("-f", str(tmp_path / "llmd-tracing.yaml")), ("-k", str(tmp_path))):
        prepared.kubectl("apply", "--server-side", "--force-conflicts", "--dry-run=server", *how)


@pytest.mark.parametrize("account, verb, allowed", [("edit", "create", True), ("edit", "patch", True), ("view", "create", False),
                                                    ("view", "list", True)])
def test_who_may_write_a_tracing(prepared, account, verb, allowed):
    """The roles admin, edit and view gather the chart's by label; the answer is the API server's."""
    prepared.kubectl("-n", "team-a", "create", "rolebinding", f"{account}-{verb}", f"--clusterrole={account}", f"--user={account}er-{verb}")

    def answer():
        done = prepared.kubectl("auth", "can-i", verb, "tracings.tracing.llm-d.io", "-n", "team-a", f"--as={account}er-{verb}", check=False)
        return done.stdout.strip() == ("yes" if allowed else "no") and (allowed or prepared.kubectl(
            "auth", "can-i", "list", "tracings.tracing.llm-d.io", "-n", "team-a", f"--as={account}er-{verb}", check=False).stdout.strip() == "yes")
    wait_for(answer, 30, f"{account}: {verb} is {allowed}")


@pytest.fixture
def bare(own_cluster):
    """A cluster without our CRD: the chart brings it."""
    cluster = own_cluster(crds=(TEST_CRDS,))
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/name=llmd-tracing")
    cluster.kubectl("delete", "serviceaccount", "-n", chart.NAMESPACE, "llmd-tracing")
    cluster.kubectl("label", "namespace", chart.NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    return cluster


def install(cluster, verb="install", *flags):
    return cluster.helm(verb, chart.RELEASE, chart.CHART, "-n", chart.NAMESPACE, "--wait", "--timeout", "60s", *flags)


def operator_pods(cluster):
    return cluster.api.list("pod", chart.NAMESPACE, "app.kubernetes.io/name=llmd-tracing")


def test_installed_upgraded_uninstalled_and_no_tracing_lost(bare):
    done = install(bare)
    assert "kubectl annotate namespace" in done.stdout
    pods = operator_pods(bare)
    assert len(pods) == 1
    bare.api.create("namespace", {"metadata": {"name": "models"}})
    wait_for(lambda: bare.api.get("customresourcedefinition", "tracings.tracing.llm-d.io"), 10)
    tracing = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {"sampling": {"ratio": "0.5"}}}
    bare.api.create("tracing", tracing, "models")
    install(bare, "upgrade", "--set", "policy.maxRatio=0.5")
    wait_for(lambda: [p["metadata"]["uid"] for p in operator_pods(bare)] not in ([], [pods[0]["metadata"]["uid"]]), 30, "another pod")
    bare.helm("uninstall", chart.RELEASE, "-n", chart.NAMESPACE, "--wait")
    assert bare.api.get("tracing", "llm-d", "models")["spec"] == tracing["spec"]
    for kind in ("clusterrole", "clusterrolebinding", "serviceaccount", "deployment", "service", "networkpolicy", "poddisruptionbudget"):
        assert bare.kubectl("get", kind, "-n", chart.NAMESPACE, "-l", "app.kubernetes.io/name=llmd-tracing", "-o", "name") == ""
    install(bare)  # takes up the CRD that was kept
    assert bare.api.get("tracing", "llm-d", "models")["spec"] == tracing["spec"]


def end_of_job_pod(cluster, phase):
    """Plays the kubelet for a Job's pod: it ends; True once the Job has made one."""
    pods = [p for p in cluster.api.list("pod", chart.NAMESPACE, "app.kubernetes.io/name=llmd-tracing-uninject") if p["status"].get("podIP")]
    for pod in pods:
        cluster.api.merge("pod", pod["metadata"]["name"], chart.NAMESPACE, {"status": {"phase": phase, "containerStatuses": [
            {"name": c["name"], "image": c["image"], "imageID": "x", "restartCount": 0, "ready": False,
             "state": {"terminated": {"exitCode": 0 if phase == "Succeeded" else 1, "reason": "Completed"}}}
            for c in pod["spec"]["containers"]]}}, "/status")
    return bool(pods)


def test_uninstall_with_revert_stops_the_operator_first(bare):
    install(bare, "install", "--set", "uninstall.revert=true")
    assert len(operator_pods(bare)) == 1
    with ThreadPoolExecutor(1) as pool:
        uninstall = pool.submit(bare.helm, "uninstall", chart.RELEASE, "-n", chart.NAMESPACE, "--timeout", "90s")
        wait_for(lambda: bare.api.get("deployment", chart.RELEASE, chart.NAMESPACE)["spec"]["replicas"] == 0, 30, "the operator is stopped")
        wait_for(lambda: not operator_pods(bare), 30, "its pod is gone")
        assert bare.kubectl("get", "clusterrole", "llmd-tracing-workloads-patch", "-o", "name"), "the rights are still there"
        wait_for(lambda: end_of_job_pod(bare, "Succeeded"), 30, "the Job has a pod")
        uninstall.result(120)
    assert bare.api.find("deployment", chart.RELEASE, chart.NAMESPACE) is None
    assert bare.kubectl("get", "job", "-n", chart.NAMESPACE, "-o", "name") == ""


def test_a_failed_revert_stops_the_uninstall(bare):
    install(bare, "install", "--set", "uninstall.revert=true", "--set", "uninstall.timeoutSeconds=2")
    done = bare.helm("uninstall", chart.RELEASE, "-n", chart.NAMESPACE, "--timeout", "60s", check=False)
    assert done.returncode != 0 and "Job/llmd-system/llmd-tracing-uninject" in done.stderr
    assert bare.kubectl("get", "clusterrole", "llmd-tracing-workloads-patch", "-o", "name")
    again = bare.helm("uninstall", chart.RELEASE, "-n", chart.NAMESPACE, "--timeout", "60s", check=False)
    assert "Job/llmd-system/llmd-tracing-uninject" in again.stderr, "it can be tried again"
    bare.helm("rollback", chart.RELEASE, "1", "-n", chart.NAMESPACE, "--wait", "--timeout", "60s")  # or back to work
    wait_for(lambda: len(operator_pods(bare)) == 1, 30, "the operator works again")
