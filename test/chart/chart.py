# SPDX-License-Identifier: Apache-2.0
"""The chart, rendered by the real helm."""
import json
import os
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test/support"))
from cluster import tool  # noqa: E402

CHART = os.path.join(ROOT, "charts/llmd-tracing")
RELEASE = "llmd-tracing"
NAMESPACE = "llmd-system"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def helm(*args, values=None):
    """A finished `helm ARGS`, with values as YAML or an object."""
    with tempfile.TemporaryDirectory(prefix="llmd-helm-") as home:
        if values is not None:
            path = os.path.join(home, "values.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(values if isinstance(values, str) else json.dumps(values))
            args += ("--values", path)
        env = {**os.environ, **{f"HELM_{what}_HOME": home for what in ("CACHE", "CONFIG", "DATA")}}
        return subprocess.run([tool("helm"), *args], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env=env)


def template(values=None, release=RELEASE, namespace=NAMESPACE):
    """What `helm template` prints."""
    done = helm("template", release, CHART, "--namespace", namespace, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def render(values=None, **where):
    """The rendered objects; hooks are among them."""
    return [d for d in yaml.load_all(template(values, **where), Loader=LOADER) if d]


def of_kind(objects, *kinds):
    return [o for o in objects if o["kind"] in kinds]


def named(objects, kind, name=RELEASE):
    found = [o for o in of_kind(objects, kind) if o["metadata"]["name"] == name and "helm.sh/hook" not in o["metadata"].get("annotations", {})]
    assert len(found) == 1, f"{kind} {name}: {len(found)} of them"
    return found[0]


def access(values=None, **where):
    """The ServiceAccount and its rights: what a test that runs the operator outside of a pod applies."""
    return of_kind(render(values, **where), "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
