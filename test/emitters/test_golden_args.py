# SPDX-License-Identifier: Apache-2.0
"""What ran before injection runs after it: every command line of the golden cases, judged by the emitters."""
import pathlib

import pytest
import yaml

import judge

CASES = sorted((pathlib.Path(__file__).resolve().parents[1] / "golden/cases").glob("*/want.yaml"))
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# There the user says of an old image that it is a new one, and is believed.
TOLD_OTHERWISE = ("settings-everything", "old-but-said-new")


def load(path):
    return list(judge.containers(list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=LOADER))))


def pairs():
    for want in CASES:
        before, after = load(want.with_name("in.yaml")), load(want)
        if len(before) != len(after):  # a ModelService gets containers that its base has
            continue
        for old, new in zip(before, after):
            if (want.parent.name, new.get("name")) == TOLD_OTHERWISE:
                continue
            if judge.argv(old) != judge.argv(new) and judge.program(judge.argv(new)):
                yield pytest.param(old, new, id=f"{want.parent.name}-{new.get('name')}")


@pytest.mark.parametrize(("before", "after"), pairs())
def test_runs_as_before(before, after):
    assert judge.verdict(before) is not None or judge.verdict(after) is None, judge.verdict(after)


def test_most_are_judged():
    """The property above is about something: engines, proxies and pickers are among the cases."""
    kinds = [judge.program(judge.argv(param.values[1]))[0] for param in pairs() if judge.verdict(param.values[0]) is None]
    assert {"vllm", "module", "sglang", "pd-sidecar", "epp"} <= set(kinds)
