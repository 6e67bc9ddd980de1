# SPDX-License-Identifier: Apache-2.0
"""Plays the controllers of LeaderWorkerSet and DisaggregatedSet in one namespace, down to pods.

As kubernetes-sigs/lws does it: leaders are a Parallel StatefulSet of the set's name, the workers of each leader one of that
pod's name and owned by it; a container that starts once more takes its whole group with it (RecreateGroupOnPodRestart). A
DisaggregatedSet has a LeaderWorkerSet for each role and revision, and old ones stay until the new ones are up.
"""
import copy
import hashlib
import json
import threading

from api import NotFound, path

LWS, DS = "leaderworkerset.sigs.k8s.io", "disaggregatedset.x-k8s.io"
QUIET = {"scripted-kubelet/no-status": "true"}  # the fixture's stand-in keeps out
PERIOD_S = 0.1


def revision_of(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]


def owned_by(owner):
    return [{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": True,
             "blockOwnerDeletion": True}]


def labelled(template, labels):
    template = copy.deepcopy(template)
    template.setdefault("metadata", {}).setdefault("labels", {}).update(labels)
    return template


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def has_restarted(pod):
    return any(s.get("restartCount", 0) > 0 for s in pod.get("status", {}).get("containerStatuses", []))


class Groups(threading.Thread):
    def __init__(self, cluster, namespace):
        super().__init__(daemon=True)
        self.api, self.namespace, self.over = cluster.api, namespace, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        while not self.over.wait(PERIOD_S):
            for kind, sync in (("disaggregatedset", self.sync_roles), ("leaderworkerset", self.sync_groups)):
                for found in self.api.list(kind, self.namespace):
                    try:
                        sync({"apiVersion": f"{kind}.x-k8s.io/v1", "kind": {"d": "DisaggregatedSet", "l": "LeaderWorkerSet"}[kind[0]], **found})
                    except AssertionError:
                        continue  # it is gone, or has changed meanwhile: looked at again

    def make(self, kind, name, body):
        try:
            return self.api.get(kind, name, self.namespace)
        except NotFound:
            return self.api.create(kind, body, self.namespace)

    def remove(self, kind, name, propagation):
        self.api.request("DELETE", path(kind, name, self.namespace), {"propagationPolicy": propagation})

    def tell(self, obj, status):
        if {**obj.get("status", {}), **status} != obj.get("status", {}):
            self.api.merge(obj["kind"].lower(), obj["metadata"]["name"], self.namespace, {"status": status}, "/status")

    def stateful(self, owner, name, replicas, labels, template, **more):
        return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name, "labels": labels, "ownerReferences": owned_by(owner)},
                "spec": {"replicas": replicas, "serviceName": name, "podManagementPolicy": "Parallel",
                         "selector": {"matchLabels": {k: v for k, v in labels.items() if not k.endswith("revision-hash")}},
                         "template": labelled(template, labels), **more}}

    def sync_groups(self, lws):
        name, spec = lws["metadata"]["name"], lws["spec"]["leaderWorkerTemplate"]
        size, revision = spec.get("size", 1), revision_of(spec)
        labels = {f"{LWS}/name": name, f"{LWS}/worker-index": "0", f"{LWS}/template-revision-hash": revision}
        wanted = self.stateful(lws, name, lws["spec"]["replicas"], labels, spec.get("leaderTemplate", spec["workerTemplate"]))
        live = self.make("statefulset", name, wanted)
        if live["metadata"]["labels"] != labels:
            self.api.json_patch("statefulset", name, self.namespace, [
                {"op": "replace", "path": "/metadata/labels", "value": labels},
                {"op": "replace", "path": "/spec/template", "value": wanted["spec"]["template"]}])
        pods = self.api.list("pod", self.namespace, f"{LWS}/name={name}")
        leaders = [p for p in pods if p["metadata"]["labels"].get(f"{LWS}/worker-index") == "0" and "deletionTimestamp" not in p["metadata"]]
        ready = 0
        for leader in leaders:
            own = leader["metadata"]["name"]
            group = [leader, *(p for p in pods if p["metadata"]["labels"].get(f"{LWS}/group-key") == own)]
            if any(map(has_restarted, group)):
                self.remove("pod", own, "Foreground")
                continue
            if size > 1 and leader["metadata"]["labels"][f"{LWS}/template-revision-hash"] == revision:
                self.make("statefulset", own, self.stateful({"apiVersion": "v1", "kind": "Pod", **leader}, own, size - 1,
                                                            {f"{LWS}/name": name, f"{LWS}/group-key": own, f"{LWS}/template-revision-hash": revision},
                                                            spec["workerTemplate"], ordinals={"start": 1}))
            ready += len(group) == size and all(map(is_ready, group))
        self.tell(lws, {"observedGeneration": lws["metadata"]["generation"], "replicas": len(leaders), "readyReplicas": ready,
                        "updatedReplicas": sum(p["metadata"]["labels"][f"{LWS}/template-revision-hash"] == revision for p in leaders)})

    def sync_roles(self, ds):
        name, roles = ds["metadata"]["name"], ds["spec"]["roles"]
        revision = revision_of([r["spec"]["leaderWorkerTemplate"] for r in roles])
        for role in roles:
            labels = {f"{DS}/name": name, f"{DS}/role": role["name"], f"{DS}/slice": "0", f"{DS}/revision": revision}
            spec = copy.deepcopy(role["spec"])
            for template in ("leaderTemplate", "workerTemplate"):
                if template in spec["leaderWorkerTemplate"]:
                    spec["leaderWorkerTemplate"][template] = labelled(spec["leaderWorkerTemplate"][template], labels)
            own = f"{name}-0-{revision}-{role['name']}"
            self.make("leaderworkerset", own, {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "spec": spec, "metadata": {
                "name": own, "labels": labels, "annotations": QUIET, "ownerReferences": owned_by(ds)}})
        sets = self.api.list("leaderworkerset", self.namespace, f"{DS}/name={name}")
        new = [s for s in sets if s["metadata"]["labels"][f"{DS}/revision"] == revision]
        if all(s.get("status", {}).get("readyReplicas", 0) == s["spec"]["replicas"] for s in new):
            for old in sets:
                if old not in new:
                    self.remove("leaderworkerset", old["metadata"]["name"], "Background")
                    self.remove("statefulset", old["metadata"]["name"], "Background")
        self.tell(ds, {"roleStatuses": [{"name": r["name"], **{figure: sum(s.get("status", {}).get(of, 0) for s in among if s["metadata"]["labels"][f"{DS}/role"] == r["name"])
                                                              for figure, of, among in (("replicas", "replicas", sets), ("readyReplicas", "readyReplicas", sets),
                                                                                        ("updatedReplicas", "replicas", new))}} for r in roles]})
