# SPDX-License-Identifier: Apache-2.0
"""What the operator's pod needs under a hundred namespaces: the chart's limit holds."""
import json

import serving
from switched import LEDGER, SWITCH
from waiting import wait_for

NAMESPACES = 100
LIMIT = 64 << 20
ELSEWHERE = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": {
    "collector": {"mode": "External", "endpoint": "http://otel.elsewhere.example:4317"}}}  # or each would have two pods more


def test_a_hundred_namespaces_stay_within_the_limit(installed, namespaces):
    """Workloads without pods: those are the node's load and not the operator's."""
    before, names = installed.usage(), [namespaces() for _ in range(NAMESPACES)]
    objects = []
    for name in names:
        workload = serving.model_server("decode", serving.ENGINE, replicas=0)
        objects += [{**o, "metadata": {**o["metadata"], "namespace": name}} for o in (workload, ELSEWHERE)]
    installed.cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    installed.cluster.kubectl("annotate", "namespace", *names, f"{SWITCH}=true")

    def traced():
        left = set(names) - {d["metadata"]["namespace"] for d in installed.api.list("deployment") if LEDGER in d["metadata"].get("annotations", {})}
        assert not left, f"{len(left)} are not traced"
        return True
    wait_for(traced, 180, "all are traced")
    memory, cores = installed.usage()
    print(f"{NAMESPACES} namespaces: {memory / 2**20:.1f} MiB (before: {before[0] / 2**20:.1f} MiB), {cores * 1000:.0f} millicores in the last seconds")
    assert memory < LIMIT
