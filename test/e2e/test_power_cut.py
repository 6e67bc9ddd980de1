# SPDX-License-Identifier: Apache-2.0
"""The node goes down under a traced namespace, in a cluster of its own: nothing else is to be lost with it."""
import pytest

import serving
from installed import Installed
from node_cluster import NodeCluster
from serving import Serving


@pytest.mark.beside
def test_a_restarted_node_goes_on_tracing():
    """Kubelet, containerd and every container end and come back; what was traced stays traced, and nothing is written anew."""
    cluster = NodeCluster()
    try:
        Installed(cluster)
        cluster.api.create("namespace", {"metadata": {"name": "shop"}})
        s = Serving(cluster, "shop", serving.aggregated()).enable()
        generations = s.generations()
        cluster.restart_node()
        s.wait_up(300).wait_condition("Ready", "True")
        s.wait_services(s.send(), {"llm-d-router/epp", "vllm-decode"}, 180)
        assert s.generations() == generations
        s.disable()
        s.assert_no_crash()
    finally:
        cluster.stop()
