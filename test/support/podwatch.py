# SPDX-License-Identifier: Apache-2.0
"""All pods of a cluster over time, from one watch: no state between two looks is missed, and looking costs no request."""
import collections
import http.client
import json
import socket
import threading
import time
from typing import NamedTuple

GPU = "nvidia.com/gpu"


class Pod(NamedTuple):
    namespace: str
    labels: dict
    gpus: int
    bound: bool  # it holds its GPUs
    ready: bool  # and is not being deleted
    traced: bool


def read_pod(pod):
    containers = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    status = pod.get("status", {})
    return Pod(
        pod["metadata"]["namespace"], pod["metadata"].get("labels", {}),
        sum(int(c.get("resources", {}).get("limits", {}).get(GPU, 0)) for c in containers),
        "nodeName" in pod["spec"] and status.get("phase") not in ("Succeeded", "Failed"),
        "deletionTimestamp" not in pod["metadata"] and any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or []),
        any(e["name"] == "OTEL_EXPORTER_OTLP_ENDPOINT" for c in containers for e in c.get("env") or []))


class PodWatch:
    """with PodWatch(cluster.api, groups_of): … groups_of(pod) names the groups in which a pod counts."""

    def __init__(self, api, groups_of):
        self.groups_of = groups_of
        self.pods = {}
        self.ready = collections.Counter()
        self.least = {}  # group: the fewest Ready since begin()
        self.idle_gpus = 0  # held by pods that are not Ready
        self.idle_gpu_seconds = 0.0
        self.since = time.monotonic()
        self.lock = threading.Lock()
        self.error = None
        self.ending = False
        listed = api.request("GET", "/api/v1/pods")
        for pod in listed["items"]:
            self.take({"type": "ADDED", "object": pod})
        self.connection = http.client.HTTPSConnection(*api.where, context=api.context, timeout=3600)
        self.connection.request("GET", f"/api/v1/pods?watch=true&timeoutSeconds=3600&resourceVersion={listed['metadata']['resourceVersion']}",
                                headers=api.headers)
        self.stream = self.connection.getresponse()
        assert self.stream.status == 200, self.stream.read()
        self.thread = threading.Thread(target=self.follow)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(60)

    def follow(self):
        try:
            for line in self.stream:
                event = json.loads(line)
                assert event["type"] in ("ADDED", "MODIFIED", "DELETED"), event
                self.take(event)
            raise ConnectionError("the watch of pods has ended")
        except Exception as error:  # pylint: disable=broad-except
            if not self.ending:  # told by alive()
                self.error = error

    def alive(self):
        assert self.error is None, f"what pods do is no longer seen: {self.error!r}"

    def take(self, event):
        uid = event["object"]["metadata"]["uid"]
        with self.lock:
            self.pass_time()
            groups = set()
            if uid in self.pods:
                groups |= self.count(self.pods.pop(uid), -1)
            if event["type"] != "DELETED":
                self.pods[uid] = read_pod(event["object"])
                groups |= self.count(self.pods[uid], 1)
            for group in groups:  # only now: a pod that changes was taken out and put back
                self.least[group] = min(self.least.get(group, 0), self.ready[group])

    def pass_time(self):
        now = time.monotonic()
        self.idle_gpu_seconds += self.idle_gpus * (now - self.since)
        self.since = now

    def count(self, pod, sign):
        if pod.bound and not pod.ready:
            self.idle_gpus += sign * pod.gpus
        groups = set(self.groups_of(pod))
        for group in groups:
            self.ready[group] += sign * pod.ready
        return groups

    def begin(self):
        """Figures from now on."""
        with self.lock:
            self.pass_time()
            self.idle_gpu_seconds = 0.0
            self.least = dict(self.ready)

    def figure(self):
        with self.lock:
            self.pass_time()
            return self.idle_gpu_seconds

    def all(self):
        with self.lock:
            return list(self.pods.values())
