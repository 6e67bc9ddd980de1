# SPDX-License-Identifier: Apache-2.0
"""The cases of SHARED/corpus, and the binary run over them."""
import functools
import glob
import json
import os
import subprocess

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get("SHARED") or os.path.join(ROOT, "../shared")
CORPUS = os.path.join(SHARED, "corpus")
BINARY = os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"), "llmd-tracing")
LISTS = ("containers", "initContainers")


def off_files():
    """Case name to the file with tracing off."""
    found = {}
    for path in sorted(glob.glob(os.path.join(CORPUS, "modelservice/*/off.yaml"))
                       + glob.glob(os.path.join(CORPUS, "router/*/off.yaml"))):
        found[os.path.basename(os.path.dirname(path))] = path
    for path in sorted(glob.glob(os.path.join(CORPUS, "guides/*.yaml"))):
        found[os.path.basename(path)[:-len(".yaml")]] = path
    return found


def on_file(case):
    path = os.path.join(os.path.dirname(off_files()[case]), "on.yaml")
    return path if os.path.exists(path) else None


def run(*args, stdin=None):
    done = subprocess.run([BINARY, *args], input=stdin, text=True, capture_output=True)
    assert done.returncode == 0, f"{' '.join(args)}: exit {done.returncode}\n{done.stderr}"
    return done.stdout


def parse(text):
    return [document for document in yaml.load_all(text, Loader=loader()) if document]


@functools.cache
def loader():
    """Safe, with libyaml where it is built in; only the speed differs."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def off_text(case):
    with open(off_files()[case], encoding="utf-8") as stream:
        return stream.read()


@functools.cache
def settings_arguments(case, directory):
    import settings
    spec = settings.SETTINGS.get(case)
    if spec is None:
        return ()
    path = os.path.join(directory, f"{case}.settings.yaml")
    with open(path, "w", encoding="utf-8") as stream:
        yaml.safe_dump({"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing",
                        "metadata": {"name": "llm-d"}, "spec": spec}, stream)
    return ("--settings", path)


def inject(case, directory):
    return run("inject", "-f", "-", *settings_arguments(case, str(directory)), stdin=off_text(case))


def explain(text):
    return json.loads(run("explain", "-f", "-", "-o", "json", stdin=text))


def containers(documents):
    """(kind, name, path of the list, container name) to the container, of every pod template."""
    found = {}
    for document in documents:
        for path, container in _find(document, ()):
            key = (document.get("kind"), (document.get("metadata") or {}).get("name"), *path)
            assert key not in found, key
            found[key] = container
    return found


def _find(node, path):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in LISTS and isinstance(value, list):
                yield from ((path + (key, c.get("name")), c) for c in value if isinstance(c, dict))
            else:
                yield from _find(value, path + (key,))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _find(value, path + (index,))
