# SPDX-License-Identifier: Apache-2.0
"""CRDs come and go while the operator runs."""
from cluster import OWN_CRDS, TEST_CRDS, sample
from traced import SAMPLES, Scene, is_traced
from waiting import wait_for


def test_kinds_that_come_late(own_cluster, namespaces, operator):
    cluster = own_cluster(crds=(OWN_CRDS,))
    namespace = namespaces(on=cluster)
    scene = Scene(cluster, namespace, "bash-script.yaml").wait_settled()
    running = operator(on=cluster)
    scene.switch("true")
    scene.wait_traced()
    cluster.install_crds(TEST_CRDS)
    late = [name for name in sorted(SAMPLES) if name != "bash-script.yaml"]
    more = Scene(cluster, namespace, *late)
    more.wait_traced(120).wait_rolled_out()

    cluster.kubectl("delete", "crd", "leaderworkersets.leaderworkerset.x-k8s.io")
    wait_for(lambda: running.is_ready(), what="ready without the kind")
    still = [w for w in more.workloads + scene.workloads if w.kind != "leaderworkerset"]
    assert all(is_traced(cluster.api, w, namespace) for w in still)

    cluster.install_crds(TEST_CRDS)
    cluster.apply(sample("lws.yaml"), namespace)
    wait_for(lambda: is_traced(cluster.api, SAMPLES["lws.yaml"][0], namespace), 60, "the kind is back and traced")
    scene.switch("false")
    scene.wait_as_before()
    more.wait_as_before()


def test_our_own_kind_comes_late(own_cluster, namespaces, operator):
    cluster = own_cluster(crds=(TEST_CRDS,))
    scene = Scene(cluster, namespaces(on=cluster), "pd.yaml").wait_settled()
    operator(on=cluster)
    scene.switch("true")
    scene.wait_as_before(1)
    cluster.install_crds(OWN_CRDS)
    scene.wait_traced(120)
    scene.switch("false")
    scene.wait_as_before()
