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
    more = Scene(cluster, namespaces(on=cluster), *sorted(SAMPLES)).wait_settled()
    more.switch("true")
    more.wait_traced(120).wait_rolled_out()
    cluster.apply(sample("lws.yaml"), namespace)
    lws = SAMPLES["lws.yaml"][0]
    wait_for(lambda: is_traced(cluster.api, lws, namespace), 60, "a late kind in a namespace that is on already")

    cluster.kubectl("delete", "crd", "leaderworkersets.leaderworkerset.x-k8s.io")
    wait_for(lambda: running.is_ready(), what="ready without the kind")
    more.workloads.remove(lws)
    assert all(is_traced(cluster.api, w, more.namespace) for w in more.workloads)

    cluster.install_crds(TEST_CRDS)
    cluster.apply(sample("lws.yaml"), namespace)
    wait_for(lambda: is_traced(cluster.api, lws, namespace), 60, "the kind is back and traced")
    for s in (scene, more):
        s.switch("false")
        s.wait_as_before()


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
