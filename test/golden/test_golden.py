# SPDX-License-Identifier: Apache-2.0
"""Each case through the engine alone and through the command line; what is made is what stands in the folder."""
import json
import subprocess

import pytest
import yaml

import cases
import engine

BINARY = engine.ROOT / "build" / engine.VARIANT / "llmd-tracing"


def cli(command, case, path, *more):
    settings = ["--settings", str(case.settings)] if case.settings else []
    done = subprocess.run([BINARY, command, "-f", str(path), *settings, *more], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def same(got, want):
    assert [engine.meaning(doc) for doc in got] == [engine.meaning(doc) for doc in want]


@pytest.mark.parametrize("name", cases.names())
def test_engine(plan_engine, name):
    case = cases.Case(name)
    docs, lines = cases.run(plan_engine, case)
    assert lines == case.explanation()
    same(docs, case.want())


@pytest.mark.parametrize("name", cases.names())
def test_command_line(name):
    case = cases.Case(name)
    injected = cli("inject", case, case.folder / "in.yaml", "-o", "yaml")
    same([doc for doc in yaml.load_all(injected, Loader=cases.LOADER) if doc is not None], case.want())
    removed = cli("uninject", case, case.folder / "want.yaml", "-o", "yaml")
    same([doc for doc in yaml.load_all(removed, Loader=cases.LOADER) if doc is not None], case.docs)
    rows = json.loads(cli("explain", case, case.folder / "in.yaml", "-o", "json"))
    # What nothing leads to, the command line takes as meant because it was named.
    named = [row for row in rows if row["evidence"] == "named on the command line"]
    lines = [line for row in rows if row not in named for line in engine.story(row)]
    wanted = [line for line in case.explanation().splitlines() if line]
    assert lines == wanted if not named else set(lines) <= set(wanted)
    assert all(container["decision"] == "skip" for row in named for container in row["containers"])


def test_there_is_a_case_of_each_kind_and_component():
    seen = set()
    for name in cases.names():
        case = cases.Case(name)
        text = case.explanation()
        for doc in case.docs:
            seen.add(doc["kind"])
        for word in ("vllm", "sglang", "epp", "routing-proxy"):
            if f"({word}): inject" in text:
                seen.add(word)
    assert seen >= {"Deployment", "StatefulSet", "ReplicaSet", "LeaderWorkerSet", "DisaggregatedSet", "ModelService",
                    "Pod", "vllm", "sglang", "epp", "routing-proxy"}
