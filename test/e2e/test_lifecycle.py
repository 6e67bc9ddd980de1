# SPDX-License-Identifier: Apache-2.0
"""Upgrade, downgrade, uninstall, another install: model servers run on, nothing is lost, and what is to go goes as it came."""
import json
import os
import re
import subprocess

import pytest

import newer
import serving
from cluster import ROOT
from installed import CHART, RELEASE, SYSTEM, TAG, USER
from serving import Serving
from waiting import holds_for, wait_for

TWO = {"llm-d-router/epp", "vllm-decode"}
CRD = "tracings.tracing.llm-d.io"
ASKED = re.compile(r'^llmd_tracing_proof_requests_total{service="jaeger-collector",result="OK"} [1-9]', re.M)
TOLD = ("events", "tracings")  # what an operator may write about a namespace in which there is nothing to do


@pytest.fixture(scope="module")
def next_version(installed, tmp_path_factory):
    installed.cluster.load_images(newer.build(tmp_path_factory.mktemp("next")))
    return newer.TAG


@pytest.fixture(scope="module")
def served(installed, module_namespaces):
    return [Serving(installed.cluster, module_namespaces(), serving.aggregated()) for _ in range(2)]


@pytest.fixture
def scene(served):
    s = served[0].enable()
    yield s
    s.assert_no_crash()


@pytest.fixture
def release(installed):
    """The release as the session has it, before and after."""
    yield installed
    installed.upgrade("--install")


class Untouched:
    """From now on the operator writes nothing in the namespace but what it tells."""

    def __init__(self, s, user=USER):
        self.s, self.user, self.audit = s, user, s.cluster.audit
        self.since, self.generations = self.audit.position(), s.generations()

    def check(self):
        found = [f"{r.verb} {r.uri}" for r in self.audit.writes(self.since, self.user) if r.namespace == self.s.namespace and r.resource not in TOLD]
        assert not found, found
        return self.s.generations() == self.generations

    def check_for(self, seconds):
        holds_for(self.check, seconds, "nothing is written")


def refused(cluster, since, user):
    return [f"{r.verb} {r.uri}" for r in cluster.audit.requests(since, user) if r.code == 403]


def wait_row(s, name, reason):
    def there():
        row = s.row(name)
        assert row.get("reason") == reason, row
        return True
    wait_for(there, 120, f"{name}: {reason}")


def wait_image_outdated(s, condition):
    wait_for(lambda: s.condition(condition)["status"] == "True" and "ImageOutdated" in s.condition(condition)["message"], 120, f"{condition}: ImageOutdated")


def ratio_of(s):
    env = s.live(("deployment", "qwen-epp"))["spec"]["template"]["spec"]["containers"][0]["env"]
    return {e["name"]: e.get("value") for e in env}["OTEL_TRACES_SAMPLER_ARG"]


def uninstall(installed, *flags):
    installed.cluster.helm("uninstall", RELEASE, "-n", SYSTEM, "--wait", "--timeout", "110s", *flags)
    assert installed.api.find("deployment", RELEASE, SYSTEM) is None
    assert installed.api.find("customresourcedefinition", CRD), "Tracings are never lost by default"


def test_upgrade_and_back_by_one_version(scene, release, next_version):
    """Other rules, other defaults, another default image: told, and restarting nothing. What the newer one wrote the older leaves."""
    untouched = Untouched(scene)
    release.upgrade("--set", f"image.tag={next_version}", "--set", "operator.logFormat=json")
    wait_row(scene, "qwen-epp", "PlanOutdated")
    wait_image_outdated(scene, "CollectorReady")
    untouched.check_for(2)
    scene.wait_services(scene.send(), TWO)

    scene.cluster.kubectl("-n", scene.namespace, "set", "env", "deployment/qwen-epp", "THEIRS=1")
    wait_for(lambda: ratio_of(scene) == newer.RATIO, 60, "what is new is taken along by the workload's own change")
    scene.wait_up()
    untouched = Untouched(scene)
    release.cluster.helm("rollback", RELEASE, "-n", SYSTEM, "--wait", "--timeout", "110s")
    assert release.pod()["spec"]["containers"][0]["image"].endswith(f":{TAG}")
    wait_row(scene, "qwen-epp", "LedgerNewer")
    untouched.check_for(2)
    assert ratio_of(scene) == newer.RATIO
    scene.wait_services(scene.send(), TWO)

    scene.cluster.kubectl("-n", scene.namespace, "set", "env", "deployment/qwen-epp", "THEIRS-")
    scene.disable()


def test_changed_defaults_restart_nothing(scene, release):
    untouched = Untouched(scene)
    release.upgrade("--set-string", "defaults.sampling.ratio=0.25", "--set", "defaults.collector.image=mirror.example/collector:1",
                    "--set", "defaults.backend.jaeger.image=mirror.example/jaeger:1")
    wait_row(scene, "qwen-epp", "PlanOutdated")
    for condition in ("CollectorReady", "BackendReady"):
        wait_image_outdated(scene, condition)
    untouched.check_for(2)


def test_uninstalled_everything_goes_on_and_a_new_install_adopts_it(scene, release):
    untouched = Untouched(scene)
    uid = scene.tracing()["metadata"]["uid"]
    uninstall(release)
    scene.wait_services(scene.send(), TWO)
    assert scene.tracing()["metadata"]["uid"] == uid
    release.upgrade("--install")
    wait_for(lambda: ASKED.search(release.metrics()), 120, "the new one looks after it: it has asked the back end")
    untouched.check_for(1)


def test_uninstalled_the_command_takes_everything_back(scene, release):
    uninstall(release)
    done = release.cli("uninject", "--cluster", "-A")
    assert scene.namespace in done.stdout, done.stdout
    scene.wait_as_before(5).wait_up()
    for kind, name in (("deployment", "otel-collector"), ("deployment", "jaeger"), ("tracing", "llm-d")):
        assert scene.api.find(kind, name, scene.namespace) is None, name
    scene.switch(None)  # the user's, or the next install begins anew


def test_uninstall_with_revert_takes_everything_back_first(scene, release):
    """Its Job runs under the chart's rights, where restricted pod security is enforced."""
    release.upgrade("--set", "uninstall.revert=true")
    since = release.cluster.audit.position()
    uninstall(release)
    scene.wait_as_before(5).wait_up()
    assert scene.api.find("deployment", "otel-collector", scene.namespace) is None
    assert refused(release.cluster, since, USER) == []
    scene.switch(None)


def test_namespaces_with_roles_only(served, release):
    """The whole cycle, installed by someone with rights in two namespaces: one is annotated, in one the Tracing is the switch."""
    for s in served:
        s.switch(None)
        s.wait_as_before()
    uninstall(release)
    cluster, by_annotation, by_tracing = release.cluster, *served
    user, since = "system:serviceaccount:llmd-narrow:narrow-llmd-tracing", cluster.audit.position()
    cluster.helm("install", "narrow", CHART, "-n", "llmd-narrow", "--create-namespace", *release.values, "--set", "crds.install=false",
                 "--set", f"namespaces={{{by_annotation.namespace},{by_tracing.namespace}}}", "--set", "enableFromTracing=true", "--wait", "--timeout", "110s")
    try:
        by_annotation.switch("true")
        switch = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {"enabled": True}}
        release.api.create("tracing", switch, by_tracing.namespace)
        for s in served:
            s.wait_condition("Ready", "True").wait_up()
            s.wait_services(s.send(), TWO)
        by_annotation.switch("false")
        release.api.merge("tracing", "llm-d", by_tracing.namespace, {"spec": {"enabled": False}})
        for s in served:
            s.wait_as_before()
            wait_for(lambda s=s: s.api.find("deployment", "jaeger", s.namespace) is None, 120, "the back end is gone")
    finally:
        cluster.helm("uninstall", "narrow", "-n", "llmd-narrow", "--wait", "--timeout", "110s")
        by_annotation.switch(None)
        cluster.kubectl("-n", by_tracing.namespace, "delete", "tracing", "llm-d", "--ignore-not-found")
    assert refused(cluster, since, user) == []
    assert not [r.uri for r in cluster.audit.requests(since, user) if not r.namespace], "something was asked for cluster-wide"


def test_plain_manifests_do_as_well(served, release, tmp_path):
    """`make manifests` and kubectl apply, in place of helm."""
    s = served[1]
    uninstall(release)
    subprocess.run([os.path.join(ROOT, "hack/manifests"), str(tmp_path / "base")], check=True, stdout=subprocess.PIPE)
    (tmp_path / "kustomization.yaml").write_text(json.dumps({
        "resources": ["base"], "images": [{"name": "ghcr.io/llm-d/llmd-tracing", "newTag": TAG}]}), encoding="utf-8")
    release.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(tmp_path))
    try:
        s.enable()
        s.wait_services(s.send(), TWO)
        s.disable()
    finally:
        s.switch(None)
        release.cluster.kubectl("delete", "deployment,service,serviceaccount,networkpolicy,poddisruptionbudget", "-n", SYSTEM, "-l", f"app.kubernetes.io/name={RELEASE}")
        release.cluster.kubectl("delete", "clusterrole,clusterrolebinding", "-l", f"app.kubernetes.io/name={RELEASE}")
