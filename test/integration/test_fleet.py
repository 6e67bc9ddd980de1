# SPDX-License-Identifier: Apache-2.0
"""Many namespaces, a few bad images among them: nobody's serving is taken down, and then the operator is silent."""
import collections

from cluster import OWN_CRDS, TEST_CRDS
from fleet import BAD, IMAGES, NAMESPACES, SHAPES, Fleet, has_ledger, picker, server, text_of
from operator_process import USER
from waiting import holds_for, wait_for

MOST_SPACED_S = 3  # writes of a status that keeps changing are two seconds apart (controller/debounce.c)


def writes(cluster, since):
    """How often each workload was written to; what was refused is written again (409) and does not count."""
    return collections.Counter((r.namespace, r.name) for r in cluster.audit.writes(since, USER)
                               if r.resource in ("deployments", "statefulsets") and r.namespace in NAMESPACES and r.code == 200
                               and r.name not in ("otel-collector", "jaeger"))


def check_bad_images(statuses, written, watch, fleet):
    """Each is tried on one workload, which is reverted; the others are never written to; and all is named."""
    for image, bad in BAD.items():
        keys = [(NAMESPACES[i], name) for i, name in bad.workloads]
        tried = [key for key in keys if written[key]]
        assert len(tried) == 1 and written[tried[0]] == 2, f"{image}: {[(key, written[key]) for key in keys]}"
        down = sum(fleet.wanted[key] - watch.least[key] for key in keys)
        assert down <= 1, f"{image} took {down} replicas down"
        for namespace, name in keys:
            row, = [r for r in statuses[namespace]["workloads"] if r["name"] == name]
            if (namespace, name) in tried:
                refused, = [r for r in statuses[namespace]["refusedImages"] if r["image"] == image]
                assert (row["reason"], refused["reason"], refused["workload"].split("/")[1]) == ("Reverted", bad.reason, name), (row, refused)
                assert bad.reason in row["message"]
            else:
                assert row["reason"] == "ImageRefused" and image in row["message"], row


def no_role_was_empty(watch):
    roles = {group: least for group, least in watch.least.items() if "role" in group and group[0] in NAMESPACES}
    assert len(roles) == 2 * len(NAMESPACES) and min(roles.values()) >= 1, roles


def heard(fleet):
    return {n: [c["reason"] for c in s["conditions"] if c["type"] == "SpansReceived"] for n, s in fleet.statuses().items()}


def noise(fleet, since, before):
    """What the operator asked but watches. The proof of spans goes on for ever, and through the API server only for an operator
    outside of the cluster; what it comes to is written once. Kinds that are not served are looked for ever more seldom."""
    found = [r for r in fleet.cluster.audit.requests(since, USER)
             if r.verb != "watch" and r.subresource != "proxy" and not (r.verb == "list" and r.code == 404)]
    if any(r.subresource == "status" for r in found):
        now = heard(fleet)
        found = [r for r in found if r.subresource != "status" or now.get(r.namespace) == before[r.namespace]]
    return [f"{r.verb} {r.uri} -> {r.code}" for r in found]


def is_silent(fleet, seconds):
    since, before = fleet.cluster.audit.position(), heard(fleet)

    def silent():
        seen = noise(fleet, since, before)
        assert not seen, "\n".join(seen)
        return True
    holds_for(silent, seconds, "a converged cluster sees no writes and no reads but watches")
    return True


def test_two_hundred_workloads_in_twenty_namespaces(own_cluster, operator):
    cluster = own_cluster(crds=(OWN_CRDS, TEST_CRDS))
    fleet = Fleet(cluster)
    with fleet.watch() as watch:
        fleet.create()
        foreign = [picker(), *(server(name, shape) for name, shape in SHAPES.items())]
        cluster.api.create("namespace", {"metadata": {"name": "other"}})
        for item in foreign:
            item["spec"]["replicas"] = 0
            cluster.api.create(item["kind"].lower(), item, "other")
        fleet.wait_up(watch)
        before = fleet.workloads()
        assert len(before) == 200 and len(IMAGES) == 10

        since = cluster.audit.position()
        watch.begin()
        running = operator(on=cluster)
        fleet.switch("true")
        statuses = fleet.wait_traced(watch)
        print(f"enabled: {watch.figure():.0f} GPU-seconds of {fleet.gpus} GPUs in pods that were not Ready")
        traced, written = fleet.workloads(), writes(cluster, since)
        for key, obj in traced.items():
            assert has_ledger(obj) == (key not in IMAGES), key
            changes = obj["metadata"]["generation"] - before[key]["metadata"]["generation"]
            assert changes == written[key] and (changes == 1 or key in IMAGES), f"{key}: {changes} changes by {written[key]} writes"
            assert key not in IMAGES or text_of(obj) == text_of(before[key]), key
        check_bad_images(statuses, written, watch, fleet)
        no_role_was_empty(watch)

        wait_for(lambda: is_silent(fleet, MOST_SPACED_S), 60, "silence")
        cluster.api.merge("deployment", "decode-a", "other", {"spec": {"replicas": 1}})
        cluster.api.merge("deployment", "decode-b", "other", {"metadata": {"labels": {"touched": "yes"}}})
        assert is_silent(fleet, 5) and running.is_ready()

        since = cluster.audit.position()
        watch.begin()
        fleet.switch("false")
        fleet.wait_back(watch)
        print(f"disabled: {watch.figure():.0f} GPU-seconds")
        now, written = fleet.workloads(), writes(cluster, since)
        assert [key for key in before if text_of(now[key]) != text_of(before[key])] == []
        assert all(written[key] == (key not in IMAGES) for key in before), written
        no_role_was_empty(watch)
