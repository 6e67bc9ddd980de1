# SPDX-License-Identifier: Apache-2.0
"""ServiceAccounts with Roles only: those that the chart renders."""
import json
import os

from rights import OUTSIDE, SECRETS, granted

SYSTEM = "llmd-system"


def rules(namespace, without=()):
    """The rules of one namespace's Roles; `without`: pairs (verb, resource) that are left out."""
    rights = sorted(granted({"namespaces": [namespace], **SECRETS}), key=str)
    return [{"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb], **({"resourceNames": [right.name]} if right.name else {})}
            for right in rights if (right.verb, right.resource) not in without] + [OUTSIDE]


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
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules(namespace, without)}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
               "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": SYSTEM}]}
    for plural, body in (("roles", role), ("rolebindings", binding)):
        cluster.api.request("PATCH", f"{prefix}/{plural}/{name}?fieldManager=tests&force=true", body, "application/apply-patch+yaml")
