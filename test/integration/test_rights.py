# SPDX-License-Identifier: Apache-2.0
"""The chart's rights are what a whole life of the operator needs: nothing is refused, nothing is granted in vain."""
import subprocess

import pytest

from cluster import OTEL_CRD, OWN_CRDS, TEST_CRDS
from every_right import every_sample, use_every_right, without_cr
from operator_process import BINARY, NAMESPACE, USER, token_kubeconfig
from rights import SECRETS, grant, refused, unused
from test_failure import SAYS_IT_IN_THE_LOG, is_up
from test_rollout import server
from traced import Scene
from waiting import wait_for

ENDS_AND_SAYS_WHY_IN_ITS_LOG = server("ends", "StatefulSet", replicas=2, image="vllm/vllm-openai:v0.22.0", annotations=SAYS_IT_IN_THE_LOG)


@pytest.fixture
def served(own_cluster):
    return own_cluster(crds=(OWN_CRDS, TEST_CRDS, OTEL_CRD))


def test_every_right_is_used_and_none_is_missing(served, namespaces, operator):
    since = served.audit.position()

    def requests():
        return served.audit.requests(since, USER)

    with_cr = every_sample(served, namespaces(on=served, annotations={
        "scripted-kubelet/otel-operator": "working", "scripted-kubelet/modelservice": "working"}))
    with_cr.wait_settled().remember()
    plain, stored = without_cr(served, namespaces(on=served), namespaces(on=served))
    plain.wait_settled().remember()
    ends = Scene(served, namespaces(on=served, annotations={"scripted-kubelet/otel-operator": "working"}))
    served.api.create("statefulset", ENDS_AND_SAYS_WHY_IN_ITS_LOG, ends.namespace)
    wait_for(lambda: is_up(served.api, "statefulset", "ends", ends.namespace), 60)
    operator(on=served)
    ends.switch("true")
    wait_for(lambda: ends.row("ends").get("reason") == "Reverted", 60)
    wait_for(lambda: is_up(served.api, "statefulset", "ends", ends.namespace), 60, "the pod that its controller kept is gone")
    use_every_right(with_cr, stored, plain, requests)
    assert refused(requests()) == []
    assert unused(requests(), SECRETS) == []


@pytest.mark.parametrize("mode", ["cluster", "namespaced"])
def test_what_uninstall_revert_runs_may_do_all_it_needs(cluster, namespace, operator, mode):
    """`uninject --cluster` under the chart's account, as its Job runs it."""
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    running = operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    running.stop()
    account = f"{mode}-{namespace}-llmd-tracing"
    grant(cluster, {"namespaces": [namespace], "crds": {"install": False}} if mode == "namespaced" else {}, release=account)
    kubeconfig, since = token_kubeconfig(cluster, account), cluster.audit.position()
    done = subprocess.run([BINARY, "uninject", "--cluster", "--force", "--kubeconfig", kubeconfig, *(["-n", namespace] if mode == "namespaced" else ["-A"])],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert done.returncode == 0, done.stdout
    assert refused(cluster.audit.requests(since, f"system:serviceaccount:{NAMESPACE}:{account}")) == []
    scene.wait_as_before()
    assert not cluster.api.find("deployment", "otel-collector", namespace)
