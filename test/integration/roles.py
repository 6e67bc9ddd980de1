# SPDX-License-Identifier: Apache-2.0
"""ServiceAccounts with Roles only. The rules are those of docs/rbac.md, so that the document is what is tested."""
import json
import os
import re

from cluster import ROOT

SYSTEM = "llmd-system"
ROW = re.compile(r"^\| `([^`]*)` \| `([^`]*)` \| ([a-z, ]+) \| (cluster|namespaced|both|outside) \|", re.MULTILINE)


def rules(mode, without=()):
    """The table's rules for a mode; `without`: pairs (verb, resource) that are left out."""
    with open(os.path.join(ROOT, "docs/rbac.md"), encoding="utf-8") as file:
        rows = ROW.findall(file.read())
    found = []
    for group, resource, verbs, where in rows:
        verbs = [v for v in verbs.split(", ") if (v, resource) not in without]
        if where in (mode, "both", "outside") and verbs:  # the tests run it outside of the cluster
            found.append({"apiGroups": [group.strip('"')], "resources": [resource], "verbs": verbs})
    return found


def account(cluster, name):
    """(user name, kubeconfig) of a ServiceAccount that may do nothing yet."""
    cluster.kubectl("-n", SYSTEM, "create", "serviceaccount", name, check=False)
    token = cluster.kubectl("-n", SYSTEM, "create", "token", name, "--duration=6h").strip()
    path = os.path.join(cluster.dir, f"{name}.kubeconfig")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**cluster.config, "users": [{"name": "test", "user": {"token": token}}]}, file)
    return f"system:serviceaccount:{SYSTEM}:{name}", path


def grant(cluster, name, namespace, without=()):
    """The Role of namespaced mode, in one namespace; replaces what was granted there before."""
    prefix = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules("namespaced", without)}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
               "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}]}
    for plural, body in (("roles", role), ("rolebindings", binding)):
        cluster.api.request("PATCH", f"{prefix}/{plural}/{name}?fieldManager=tests&force=true", body, "application/apply-patch+yaml")
