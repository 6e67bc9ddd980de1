# SPDX-License-Identifier: Apache-2.0
"""A small API client for polling: one kept connection instead of a kubectl process for each look."""
import http.client
import json
import ssl
import threading
import time
import urllib.parse

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
IDLE_S = 30  # the API server closes idle connections after 90 s, and a write on a closed one cannot be repeated

# kind in lower case: (path prefix, plural, namespaced)
KINDS = {
    "namespace": ("/api/v1", "namespaces", False),
    "node": ("/api/v1", "nodes", False),
    "pod": ("/api/v1", "pods", True),
    "service": ("/api/v1", "services", True),
    "configmap": ("/api/v1", "configmaps", True),
    "persistentvolumeclaim": ("/api/v1", "persistentvolumeclaims", True),
    "resourcequota": ("/api/v1", "resourcequotas", True),
    "limitrange": ("/api/v1", "limitranges", True),
    "serviceaccount": ("/api/v1", "serviceaccounts", True),
    "deployment": ("/apis/apps/v1", "deployments", True),
    "statefulset": ("/apis/apps/v1", "statefulsets", True),
    "replicaset": ("/apis/apps/v1", "replicasets", True),
    "networkpolicy": ("/apis/networking.k8s.io/v1", "networkpolicies", True),
    "peerauthentication": ("/apis/security.istio.io/v1", "peerauthentications", True),
    "endpointslice": ("/apis/discovery.k8s.io/v1", "endpointslices", True),
    "event": ("/apis/events.k8s.io/v1", "events", True),
    "customresourcedefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "leaderworkerset": ("/apis/leaderworkerset.x-k8s.io/v1", "leaderworkersets", True),
    "disaggregatedset": ("/apis/disaggregatedset.x-k8s.io/v1", "disaggregatedsets", True),
    "modelservice": ("/apis/llm-d.ai/v1alpha1", "modelservices", True),
    "inferencepool": ("/apis/inference.networking.k8s.io/v1", "inferencepools", True),
    "opentelemetrycollector": ("/apis/opentelemetry.io/v1beta1", "opentelemetrycollectors", True),
    "tracing": ("/apis/tracing.llm-d.io/v1alpha1", "tracings", True),
}


class ApiError(AssertionError):
    def __init__(self, status, body):
        self.status, self.body = status, body
        super().__init__(f"{status}: {body.get('message', body) if isinstance(body, dict) else body}")


class NotFound(ApiError, LookupError):
    pass


def path(kind, name=None, namespace=None):
    prefix, plural, namespaced = KINDS[kind]
    middle = f"/namespaces/{namespace}" if namespaced and namespace else ""
    return f"{prefix}{middle}/{plural}" + (f"/{name}" if name else "")


class Api(threading.local):
    """Each thread has a connection of its own."""

    def __init__(self, server, ca, cert=None, key=None, token=None):
        url = urllib.parse.urlparse(server)
        self.where = (url.hostname, url.port)
        self.context = ssl.create_default_context(cafile=ca)
        if cert:
            self.context.load_cert_chain(cert, key)
        self.headers = {"Accept": "application/json", "User-Agent": "integration-tests"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.connection = None
        self.used = 0.0

    def request(self, method, url, body=None, content_type="application/json"):
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = content_type
            body = json.dumps(body)
        if time.monotonic() - self.used > IDLE_S:
            self.connection = None
        self.used = time.monotonic()
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPSConnection(*self.where, context=self.context, timeout=30)
                self.connection.request(method, url, body, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                self.connection = None
                if attempt == 2 or method != "GET":
                    raise ConnectionError(f"{method} {url}: {error}") from error
        try:
            value = json.loads(text)
        except ValueError:
            value = text.decode(errors="replace")
        if answer.status == 404:
            raise NotFound(answer.status, value)
        if answer.status >= 300:
            raise ApiError(answer.status, value)
        return value

    def get(self, kind, name, namespace=None):
        return self.request("GET", path(kind, name, namespace))

    def find(self, kind, name, namespace=None):
        """The object, or None."""
        try:
            return self.get(kind, name, namespace)
        except NotFound:
            return None

    def list(self, kind, namespace=None, selector=None):
        query = "?" + urllib.parse.urlencode({"labelSelector": selector}) if selector else ""
        return self.request("GET", path(kind, None, namespace) + query)["items"]

    def create(self, kind, body, namespace=None):
        return self.request("POST", path(kind, None, namespace), body)

    def merge(self, kind, name, namespace, body, subresource=""):
        return self.request("PATCH", path(kind, name, namespace) + subresource, body, MERGE_PATCH)

    def json_patch(self, kind, name, namespace, operations):
        return self.request("PATCH", path(kind, name, namespace), operations, JSON_PATCH)

    def delete(self, kind, name, namespace=None):
        return self.request("DELETE", path(kind, name, namespace))


# What the server keeps for itself: not part of what a user wrote.
BOOKKEEPING = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink")
SERVER_ANNOTATIONS = ("deployment.kubernetes.io/revision",)


def normalized(obj):
    """The object without server-side bookkeeping and status; keys sorted by whoever compares."""
    obj = json.loads(json.dumps(obj))
    obj.pop("status", None)
    metadata = obj.get("metadata", {})
    for key in BOOKKEEPING:
        metadata.pop(key, None)
    annotations = metadata.get("annotations")
    if annotations:
        for key in SERVER_ANNOTATIONS:
            annotations.pop(key, None)
        if not annotations:
            del metadata["annotations"]
    return obj


def containers_of(template):
    """{name: container} of a pod template, native sidecars and init containers included."""
    spec = template["spec"]
    return {c["name"]: c for c in spec.get("initContainers", []) + spec["containers"]}


def env_of(container):
    return {e["name"]: e.get("value", e.get("valueFrom")) for e in container.get("env") or []}
