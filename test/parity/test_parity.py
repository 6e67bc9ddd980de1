# SPDX-License-Identifier: Apache-2.0
"""Ours against upstream's own switch, over every case of the corpus.

What on.yaml gives a container, ours gives too, in meaning; each difference is named in
differences.py with its reason. What is not ours to trace stays as it is.
"""
import collections
import copy
import functools
import json
import re

import pytest

import corpus
import meaning
from decisions import DECISIONS
from differences import RULES, explained

CASES = sorted(corpus.off_files()) or ["no corpus"]
PAIRS = [case for case in CASES if case in DECISIONS and corpus.on_file(case)] or ["no corpus"]
INJECTED = ("vllm", "sglang", "epp", "proxy flag", "proxy env")
WHOLE_OBJECT = ("KServeOwned", "Owned", "UnknownOwner", "OptedOut", "NotSelected")
COMPONENTS = {"vllm": "vllm", "sglang": "sglang", "epp": "epp", "routing-proxy": "proxy"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("settings")


def decisions(text):
    """Container name to what became of each of that name, in the words of decisions.py."""
    found = collections.defaultdict(list)
    for row in corpus.explain(text):
        for container in row["containers"]:
            found[container["container"]].append(decision(row, container))
    return found


def decision(row, container):
    component = COMPONENTS.get(container["component"])
    if container["decision"] == "inject":
        if component != "proxy":
            return component
        return "proxy flag" if any("--tracing" in edit["what"] for edit in container["edits"]) else "proxy env"
    if row["reason"] in WHOLE_OBJECT:
        return f"skip {row['reason']}"
    return "leave" if component is None else f"skip {container['reason']}"


def wanted(case):
    return {name: sorted(rows) for name, rows in DECISIONS[case].items()}


def test_every_case_is_in_the_table():
    assert sorted(DECISIONS) == [case for case in CASES if case != "kserve-llmisvc-pd"]


@pytest.mark.parametrize("case", CASES)
def test_decisions(case):
    if case == "kserve-llmisvc-pd":  # a kind that is not ours: nothing to decide
        assert corpus.run("inject", "-f", "-", stdin=corpus.off_text(case)) == corpus.off_text(case)
        return
    got = {name: sorted(rows) for name, rows in decisions(corpus.off_text(case)).items()}
    shown = {name: rows for name, rows in wanted(case).items() if name in got or rows != ["leave"] * len(rows)}
    assert got == shown


@functools.cache
def compared(case, directory):
    """(container, what, upstream's, ours, reason or None) for each thing that on.yaml changes and ours does not alike."""
    off = corpus.containers(corpus.parse(corpus.off_text(case)))
    ours = corpus.containers(corpus.parse(corpus.inject(case, directory)))
    with open(corpus.on_file(case), encoding="utf-8") as stream:
        on = corpus.containers(corpus.parse(stream.read()))
    assert on.keys() == off.keys() == ours.keys()
    return [("/".join(map(str, key)), what, want, got, explained(case, key[-1], off[key], what, want, got))
            for key, container in on.items() for what, want, got in differences(off[key], container, ours[key])]


@pytest.mark.parametrize("case", PAIRS)
def test_at_least_what_upstream_gives(case, directory):
    """Every effective flag and variable that on.yaml changes is there in ours, or is explained."""
    missing = [row for row in compared(case, directory) if row[-1] is None]
    assert not missing, "\n".join(f"{row[0]}: {row[1]}: upstream {row[2]!r}, ours {row[3]!r}" for row in missing)


def test_every_reason_is_needed(directory):
    """Lists the differences (pytest -s); a rule that explains nothing has to go."""
    found = collections.Counter()
    for case in PAIRS:
        for where, what, want, got, reason in compared(case, directory):
            print(f"{case}: {where}: {what}: upstream {want!r}, ours {got!r}: {reason}")
            found[reason] += 1
    assert found.keys() == RULES.keys()


def differences(off, on, ours):
    for read in (meaning.flags, meaning.env):
        before, upstream, mine = read(off), read(on), read(ours)
        for name, value in upstream.items():
            if before.get(name) == value or name == "OTEL_RESOURCE_ATTRIBUTES" or name.startswith(
                    "OTEL_RESOURCE_ATTRIBUTES_"):
                continue
            if mine.get(name) != value:
                yield name, value, mine.get(name)
    upstream, mine = meaning.attributes(meaning.env(on)), meaning.attributes(meaning.env(ours))
    for name, value in upstream.items():
        if mine.get(name) != value:
            yield f"attribute {name}", value, mine.get(name)


@pytest.mark.parametrize("case", CASES)
def test_the_rest_is_untouched(case, directory):
    """Containers that are not injected are equal; of the others only command, args and env differ."""
    before = corpus.parse(corpus.off_text(case))
    after = corpus.parse(corpus.inject(case, directory))
    injected = collections.Counter()
    for row in corpus.explain(corpus.off_text(case)):
        for container in row["containers"]:
            injected[container["container"]] += container["decision"] == "inject"
    old, new = corpus.containers(before), corpus.containers(after)
    assert old.keys() == new.keys()
    changed = collections.Counter()
    for key, container in old.items():
        changed[key[-1]] += container != new[key]
        assert trimmed(container) == trimmed(new[key]), key
    assert +changed == +injected
    for document in (*before, *after):
        strip(document)
    assert before == after


def trimmed(container):
    return {name: value for name, value in container.items() if name not in ("command", "args", "env")}


def strip(document):
    for container in corpus.containers([document]).values():
        container.clear()
    annotations = (document.get("metadata") or {}).get("annotations")
    if annotations is not None:
        annotations.pop("tracing.llm-d.io/ledger", None)
    if not annotations:
        (document.get("metadata") or {}).pop("annotations", None)


@pytest.mark.parametrize("case", CASES)
def test_uninject_gives_the_original_back(case, directory):
    injected = corpus.inject(case, directory)
    back = corpus.run("uninject", "-f", "-", stdin=injected)
    assert corpus.parse(back) == corpus.parse(corpus.off_text(case))
    again = corpus.run("inject", "-f", "-", *corpus.settings_arguments(case, str(directory)), stdin=injected)
    assert again == injected


def as_written(image):
    return image


def private_mirror(image):
    return "mirror.example/x/abc123:prod"


def by_digest(image):
    name = image.split("@")[0]
    name = name.rsplit(":", 1)[0] if ":" in name.rsplit("/", 1)[-1] else name
    return f"{name}@sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize("rename", [as_written, private_mirror, by_digest])
def test_nearly_all_that_can_be_traced_is(rename):
    """At least 95 % without any override; counted over the containers that the table says to inject."""
    possible = traced = 0
    missed, wrong = [], []
    for case, rows in DECISIONS.items():
        text = re.sub(r"^(\s*(?:- )?image: *)([\"']?)([^\s\"'#]+)\2", lambda m: m[1] + rename(m[3]),
                      corpus.off_text(case), flags=re.MULTILINE)
        got = decisions(text)
        for name, want in rows.items():
            able = sum(row in INJECTED for row in want)
            done = sum(row in INJECTED for row in got[name])
            if not able and done and rows[name] == ["leave"] * len(rows[name]):
                wrong.append(f"{case}: {name}: {got[name]}")
            possible += able
            traced += min(able, done)
            if done < able:
                missed.append(f"{case}: {name}: {got[name]}")
    print(f"{rename.__name__}: {traced} of {possible} traced")
    assert not wrong, "\n".join(wrong)
    assert possible > 80
    assert traced >= 0.95 * possible, "\n".join(missed)


def test_the_comparison_sees_a_loss(directory):
    """The check itself fails when ours lacks something."""
    case = "pd" if "pd" in DECISIONS and "pd" in PAIRS else PAIRS[0]
    off = corpus.containers(corpus.parse(corpus.off_text(case)))
    with open(corpus.on_file(case), encoding="utf-8") as stream:
        on = corpus.containers(corpus.parse(stream.read()))
    found = [what for key in on for what, _, _ in differences(off[key], on[key], copy.deepcopy(off[key]))]
    assert "--otlp-traces-endpoint" in found and "OTEL_SERVICE_NAME" in found


MODELSERVICES = [  # ModelService, its base configuration, how many containers have to be named
    ("nixl-xpyd-msvc", "nixl-xpyd-baseconfig", 2), ("pvc-msvc", "pvc-baseconfig", 2), ("simple-msvc", "simple-baseconfig", 1),
    ("test-msvc", "test-baseconfig", 2), ("test-msvc-hf", "test-baseconfig", 2)]


@pytest.mark.parametrize("service, base, at_least", MODELSERVICES)
def test_modelservice_samples_are_gated(service, base, at_least):
    """Images of 0.0.x, or none of ours: nothing is written to the CR, and each container says why."""
    files = [f"{corpus.CORPUS}/modelservice-cr/{name}.yaml" for name in (service, base)]
    arguments = [word for path in files for word in ("-f", path)]
    whole = ""
    for path in files:
        with open(path, encoding="utf-8") as stream:
            whole += "" if whole.endswith("\n") or not whole else "\n"
            whole += ("---\n" if whole else "") + stream.read()
    assert corpus.run("inject", *arguments) == whole
    rows = json.loads(corpus.run("explain", *arguments, "-o", "json"))
    found = [container for row in rows for container in row["containers"]]
    assert len(found) >= at_least
    for container in found:
        assert container["decision"] == "skip" and container["reason"] != "None" and container["message"]
