# SPDX-License-Identifier: Apache-2.0
"""What the operator may do in these tests: what the chart grants, no more and no less. And what it made use of."""
import functools
import json
import os
import sys
from typing import NamedTuple

from api import ApiError
from cluster import ROOT

sys.path.insert(0, os.path.join(ROOT, "test/chart"))
import chart  # noqa: E402


# These tests run the operator outside of the cluster, where it asks collectors and back ends through the API server's
# proxy; inside, it calls their Services, and the chart grants no such right.
OUTSIDE = {"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}


def outside(release):
    name, rbac = f"{release}-outside", "rbac.authorization.k8s.io"
    return [{"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [OUTSIDE]},
            {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
             "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
             "subjects": [{"kind": "ServiceAccount", "name": release, "namespace": chart.NAMESPACE}]}]


SECRETS = {"rbac": {"secrets": True}}  # some Tracings of the tests name Secrets


def grant(cluster, values=SECRETS, release=chart.RELEASE):
    """The chart's ServiceAccount (named like the release) with its roles and bindings; namespaces that values name have to be there."""
    try:
        cluster.api.create("namespace", {"metadata": {"name": chart.NAMESPACE}})
    except ApiError as error:
        if error.status != 409:
            raise
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": chart.access(values, release=release) + outside(release)}))


class Right(NamedTuple):
    """One verb on one resource; name and namespace only where the role names them."""
    group: str
    resource: str
    verb: str
    name: str | None
    namespace: str | None

    def is_used_by(self, request):
        verbs = {request.verb}
        if request.verb == "patch" and request.code == 201:
            verbs.add("create")  # an apply that made the object
        return (self.verb in verbs and self.resource == "/".join(filter(None, (request.resource, request.subresource))) and
                self.group == group_of(request.uri) and self.name in (None, request.name) and self.namespace in (None, request.namespace))


def group_of(uri):
    words = uri.split("?")[0].split("/")
    return words[2] if words[1] == "apis" else ""


@functools.cache
def granted_by(values):
    rights = set()
    for role in chart.of_kind(chart.access(json.loads(values)), "ClusterRole", "Role"):
        if any("aggregate-to" in label for label in role["metadata"]["labels"]):
            continue
        for rule in role["rules"]:
            rights |= {Right(g, r, v, n, role["metadata"].get("namespace")) for g in rule["apiGroups"] for r in rule["resources"]
                       for v in rule["verbs"] for n in rule.get("resourceNames", [None])}
    return frozenset(rights)


def granted(values=None):
    """Every right that the chart grants to the operator."""
    return granted_by(json.dumps(values or {}))


def refused(requests):
    """What the API server forbade; a question through its proxy is answered, or refused, by whatever stands behind that."""
    return [f"{r.verb} {r.uri}" for r in requests if r.forbidden and r.subresource != "proxy"]


def unused(requests, values=None):
    """Rights that no request of these needed."""
    return sorted((right for right in granted(values) if not any(right.is_used_by(r) for r in requests)), key=str)
