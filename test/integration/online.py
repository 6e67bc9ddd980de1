# SPDX-License-Identifier: Apache-2.0
"""Commands of the binary that talk to a cluster, run as a user runs them."""
import json
import os
import subprocess

from operator_process import BINARY


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        return json.loads(self.out)

    def result_of(self, kind, name):
        """{result, reason, message} of an object in -o json."""
        found = [r for r in self.json["objects"] if (r["kind"], r["name"]) == (kind, name)]
        assert len(found) == 1, f"{kind}/{name} in {self.out}"
        return found[0]


def online(cluster, *args, kubeconfig=None, timeout=120, binary=BINARY):
    command = [binary, *args, "--kubeconfig", kubeconfig or cluster.kubeconfig]
    return Result(subprocess.run(command, text=True, capture_output=True, timeout=timeout))


def user_kubeconfig(cluster, namespace, rules, cluster_rules=()):
    """A kubeconfig of a new ServiceAccount that may do what `rules` say in its namespace, and `cluster_rules` everywhere."""
    def grant(kind, binding, rules, where):
        name = f"{namespace}-person"
        metadata = {"name": name, **({"namespace": namespace} if where else {})}
        group = "rbac.authorization.k8s.io"
        return [{"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)},
                {"apiVersion": f"{group}/v1", "kind": binding, "metadata": metadata,
                 "roleRef": {"apiGroup": group, "kind": kind, "name": name},
                 "subjects": [{"kind": "ServiceAccount", "name": "person", "namespace": namespace}]}]
    objects = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "person", "namespace": namespace}},
               *grant("Role", "RoleBinding", rules, True), *grant("ClusterRole", "ClusterRoleBinding", cluster_rules, False)]
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    token = cluster.kubectl("-n", namespace, "create", "token", "person", "--duration=1h").strip()
    path = os.path.join(cluster.dir, f"{namespace}-person.kubeconfig")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**cluster.config, "users": [{"name": "test", "user": {"token": token}}]}, file)
    return path
