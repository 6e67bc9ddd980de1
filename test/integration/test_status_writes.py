# SPDX-License-Identifier: Apache-2.0
"""What a rollout costs in writes of status: a handful, not one a pod or workload."""
from operator_process import USER
from test_rollout import place, server, traced  # noqa: F401
from waiting import wait_for


def status_writes(scene, since):
    found = scene.cluster.audit.requests(since, USER)
    return sum(r.verb == "patch" and (r.resource, r.subresource, r.namespace) == ("tracings", "status", scene.namespace) for r in found)


def test_many_pods_and_workloads(place, cluster):  # noqa: F811
    names = [f"w{i:02}-decode" for i in range(12)]
    since = cluster.audit.position()
    scene = place({"maxConcurrent": 6}, server("big-decode", replicas=24), *[server(n, replicas=2) for n in names])
    wait_for(lambda: all(traced(scene, "deployment", n) for n in (*names, "big-decode")), 120, "all are written")
    scene.wait_condition("Ready", "True")
    replaced = 24 + 2 * len(names)
    writes = status_writes(scene, since)
    assert writes <= replaced / 3, f"{writes} writes of status while {replaced} pods of {len(names) + 1} workloads were replaced"
