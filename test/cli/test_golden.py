# SPDX-License-Identifier: Apache-2.0
"""Every golden case of the plan engine through the command line: the same result as without a shell."""
import json
import pathlib

import pytest
import yaml

import cli
from cli import run

CASES = pathlib.Path(cli.ROOT, "test/golden/cases")
NAMES = sorted(path.parent.name for path in CASES.glob("*/in.yaml"))
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text):
    return [document for document in yaml.load_all(text, Loader=LOADER) if document is not None]


def arguments(name):
    settings = CASES / name / "settings.yaml"
    return ("--settings", str(settings)) if settings.is_file() else ()


def injected(name, *more):
    result = run("inject", "-f", str(CASES / name / "in.yaml"), *arguments(name), *more)
    assert result.code == cli.OK, result.err
    return result.out


def test_there_are_cases():
    assert len(NAMES) > 30


@pytest.mark.parametrize("name", NAMES)
def test_inject(name):
    assert load(injected(name)) == load((CASES / name / "want.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_json_and_yaml_say_the_same(name):
    """Read by ourselves, since PyYAML takes `y` for text and kubectl for true."""
    result = run("inject", "-f", str(CASES / name / "in.yaml"), *arguments(name), "-o", "json")
    again = run("inject", "-f", "-", *arguments(name), "-o", "json", stdin=injected(name))
    assert result.json_values() == again.json_values()


@pytest.mark.parametrize("name", NAMES)
def test_uninject_gives_the_original_back(name):
    original = load((CASES / name / "in.yaml").read_text(encoding="utf-8"))
    back = run("uninject", "-f", "-", *arguments(name), stdin=injected(name))
    clean = run("uninject", "-f", str(CASES / name / "in.yaml"), *arguments(name))
    assert back.code == clean.code == cli.OK
    assert load(back.out) == load(clean.out)
    if "tracing.llm-d.io/ledger" not in (CASES / name / "in.yaml").read_text(encoding="utf-8"):
        assert load(back.out) == original


@pytest.mark.parametrize("name", NAMES)
def test_inject_again_changes_nothing(name):
    once = injected(name)
    assert run("inject", "-f", "-", *arguments(name), stdin=once).out == once
    assert run("diff", "-f", "-", *arguments(name), stdin=once).code == cli.OK


@pytest.mark.parametrize("name", NAMES)
def test_patch_makes_the_same_object(name):
    path = CASES / name / "in.yaml"
    documents = [d for d in yaml.load_all(path.read_text(encoding="utf-8"), Loader=LOADER)]
    for line in run("inject", "-f", str(path), *arguments(name), "-o", "patch").out.splitlines():
        row = json.loads(line)
        for op in row["patch"]:
            apply(documents[row["document"] - 1], op)
    assert [d for d in documents if d is not None] == load(injected(name))


def apply(tree, op):
    """One operation of RFC 6902, as far as patches of ours need."""
    *way, last = [token.replace("~1", "/").replace("~0", "~") for token in op["path"].split("/")[1:]]
    for token in way:
        tree = tree[int(token)] if isinstance(tree, list) else tree[token]
    if isinstance(tree, list):
        index = len(tree) if last == "-" else int(last)
        if op["op"] == "add":
            assert index <= len(tree)
            tree.insert(index, op["value"])
        elif op["op"] == "remove":
            del tree[index]
        elif op["op"] == "replace":
            tree[index] = op["value"]
        else:
            assert op["op"] == "test" and tree[index] == op["value"], op
    elif op["op"] == "add":
        tree[last] = op["value"]
    elif op["op"] == "remove":
        del tree[last]
    elif op["op"] == "replace":
        assert last in tree
        tree[last] = op["value"]
    else:
        assert op["op"] == "test" and tree[last] == op["value"], op
