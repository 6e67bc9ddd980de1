# SPDX-License-Identifier: Apache-2.0
"""A namespace with its switch and its Tracing: what every test with a cluster does to it and reads from it."""
from waiting import wait_for

SWITCH = "tracing.llm-d.io/enabled"
LEDGER = "tracing.llm-d.io/ledger"


class Switched:
    def __init__(self, cluster, namespace):
        self.cluster, self.api, self.namespace = cluster, cluster.api, namespace

    def switch(self, value):
        """"true", "false", or None: the annotation goes."""
        how = f"{SWITCH}-" if value is None else f"{SWITCH}={value}"
        self.cluster.kubectl("annotate", "namespace", self.namespace, how, "--overwrite")

    def tracing(self):
        return self.api.get("tracing", "llm-d", self.namespace)

    def condition(self, kind):
        for c in self.tracing().get("status", {}).get("conditions", []):
            if c["type"] == kind:
                return c
        raise LookupError(f"no condition {kind}")

    def wait_condition(self, kind, status, reason=None, timeout=90):
        def holds():
            c = self.condition(kind)
            assert c["status"] == status and reason in (None, c["reason"]), c
            return c
        return wait_for(holds, timeout, f"{kind}={status} {reason or ''} in {self.namespace}")

    def row(self, name):
        """The workload's row in the Tracing's status."""
        for row in self.tracing().get("status", {}).get("workloads", []):
            if row.get("name") == name:
                return row
        raise LookupError(f"no row of {name}")


def differences(old, new, where=""):
    """Paths at which two objects differ, for messages."""
    if type(old) is not type(new):
        return [f"{where}: {old!r} became {new!r}"]
    if isinstance(old, dict):
        found = []
        for key in sorted(set(old) | set(new)):
            if key not in old:
                found.append(f"{where}/{key} is new: {new[key]!r}")
            elif key not in new:
                found.append(f"{where}/{key} is gone: {old[key]!r}")
            else:
                found += differences(old[key], new[key], f"{where}/{key}")
        return found
    if isinstance(old, list) and len(old) == len(new):
        return [d for i, (a, b) in enumerate(zip(old, new)) for d in differences(a, b, f"{where}/{i}")]
    return [] if old == new else [f"{where}: {old!r} became {new!r}"]
