# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the OpenTelemetry Operator, as far as it serves a collector of mode deployment: ConfigMap, Deployment,
Service and status, owned by the object and named for it plus "-collector"."""
import json
import threading

from api import APPLY_PATCH, ApiError, path

LOOK_S = 0.3
API = "opentelemetry.io/v1beta1"
# Fields of the object that become fields of the pod and of its container under the same name.
OF_POD = ("affinity", "nodeSelector", "tolerations", "priorityClassName", "terminationGracePeriodSeconds", "topologySpreadConstraints")
OF_CONTAINER = ("image", "imagePullPolicy", "env", "resources", "securityContext")


def given(spec, names):
    return {name: spec[name] for name in names if name in spec}


def children(cr):
    """What is made of an OpenTelemetryCollector."""
    spec, metadata = cr["spec"], cr["metadata"]
    name = f"{metadata['name']}-collector"
    selector = {"app.kubernetes.io/managed-by": "opentelemetry-operator", "app.kubernetes.io/component": "opentelemetry-collector",
                "app.kubernetes.io/instance": f"{metadata['namespace']}.{metadata['name']}"}
    labels = {**metadata.get("labels", {}), **selector}
    owner = [{"apiVersion": API, "kind": "OpenTelemetryCollector", "name": metadata["name"], "uid": metadata["uid"], "controller": True}]
    meta = {"name": name, "labels": labels, "ownerReferences": owner}
    ports = [{"name": "otlp-grpc", "port": 4317, "appProtocol": "grpc"}, {"name": "otlp-http", "port": 4318, "appProtocol": "http"}, *spec.get("ports", [])]
    template = {"metadata": {"labels": labels, "annotations": spec.get("podAnnotations", {})}, "spec": {
        **given(spec, OF_POD), "securityContext": spec.get("podSecurityContext", {}),
        "containers": [{"name": "otc-container", **given(spec, OF_CONTAINER), "args": ["--config=/conf/collector.yaml"],
                        "volumeMounts": [{"name": "config", "mountPath": "/conf"}]}],
        "volumes": [{"name": "config", "configMap": {"name": name}}]}}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"collector.yaml": json.dumps(spec["config"])}},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": selector, "ports": ports}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
             "spec": {"replicas": spec.get("replicas", 1), "selector": {"matchLabels": selector}, "template": template}}]


class CollectorOperator:
    """Works from start() to stop(); an object that goes takes its children along by garbage collection."""

    def __init__(self, cluster):
        self.api = cluster.client("admin")  # of its own: a connection is no thread's but one's
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.ended.set()
        self.thread.join(60)

    def work(self):
        while not self.ended.wait(LOOK_S):
            try:
                for cr in self.api.list("opentelemetrycollector"):
                    if "deletionTimestamp" not in cr["metadata"]:
                        self.sync(cr)
            except (ApiError, ConnectionError) as error:  # tried again, as any controller does
                print(f"the stand-in for the OpenTelemetry Operator: {error}")

    def sync(self, cr):
        namespace = cr["metadata"]["namespace"]
        for child in children(cr):
            url = path(child["kind"].lower(), child["metadata"]["name"], namespace)
            made = self.api.request("PATCH", f"{url}?fieldManager=opentelemetry-operator&force=true", child, APPLY_PATCH)
        wanted, ready = made["spec"]["replicas"], made.get("status", {}).get("readyReplicas", 0)
        scale = {"replicas": wanted, "statusReplicas": f"{ready}/{wanted}"}
        if cr.get("status", {}).get("scale") != scale:
            self.api.merge("opentelemetrycollector", cr["metadata"]["name"], namespace, {"status": {"scale": scale, "version": "0.158.0"}}, "/status")
