# SPDX-License-Identifier: Apache-2.0
"""Every launch form of cases.yaml: found as it is, edited, and run before and after."""
import os

import pytest
import yaml

import compare
import launchtool

with open(os.path.join(os.path.dirname(__file__), "cases.yaml"), encoding="utf-8") as table:
    CASES = yaml.safe_load(table)


def check_find(found, expected):
    for key, value in (expected or {}).items():
        assert found[key] == value, found


@pytest.mark.parametrize("name", CASES)
def test_launch_form(tool, box, name):
    case = CASES[name]
    answer = tool.inject(case, case.get("assume", ""))
    add = answer["add"]
    if case.get("expect", "inject") != "inject":
        assert add["status"] == "Invalid", answer
        assert (answer["form"] == "opaque") == (case["expect"] == "opaque" and "form" not in case), answer
        assert case.get("why", "") in add["message"], add
        assert answer["program"] == case.get("program", answer["program"])
        flags = launchtool.FLAGS.get(answer["program"], launchtool.VLLM_FLAGS)
        assert " ".join(flags) in add["message"], add
        return
    assert add["status"] == "OK", answer
    assert (answer["program"], answer["form"]) == (case["program"], case["form"])
    assert answer["model"] == case.get("model", answer["model"])
    assert add["reverted"], add
    check_find(answer["find"][0], case.get("find"))
    check_find(answer["find"][1], case.get("find_tracing"))
    if not case.get("run", True):
        return
    compare.check(box, case, answer, launchtool.FLAGS[answer["program"]], case.get("changed", 1),
                  case.get("parsed", True), not case.get("prints"))


REPLACEMENTS = {
    "equals": ({"args": ["--pool-name", "p", "--tracing=false", "--v=1"]}, ["--tracing=false"], False),
    "switch": ({"args": ["--pool-name", "p", "--tracing"]}, ["--tracing"], False),
    "two words at the end": ({"args": ["--pool-name", "p", "--tracing", "false"]}, ["--tracing", "false"], False),
    "two words, more behind": ({"args": ["--pool-name", "p", "--tracing", "false", "--v=1"]}, ["--tracing", "false"], True),
    "single dash": ({"args": ["-pool-name", "p", "-tracing=false"]}, ["-tracing=false"], False),
    "twice": ({"args": ["--pool-name=p", "--tracing=true", "--v=1", "--tracing=false"]}, ["--tracing=false"], False),
    "in command": ({"command": ["/app/epp", "--tracing=false"], "args": ["--pool-name=p"]}, ["--tracing=false"], False),
    "in a script": ({"command": ["/bin/sh", "-c", "exec /app/epp --tracing='false' \\\n --pool-name p # --tracing=no"]},
                    ["--tracing=false"], False),
    "two words in a script": ({"command": ["/bin/sh", "-c", "/app/epp --pool-name p --tracing \\\n false\n"]},
                              ["--tracing", "false"], False),
}


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_replacement(tool, box, name):
    container, old, stops = REPLACEMENTS[name]
    answer = tool.ask(container, "epp", find=[launchtool.TRACING_FLAG],
                      replace={"flag": launchtool.TRACING_FLAG, "token": "--tracing=true"})
    found = answer["find"][0]
    assert (found["presence"], found["stops_parser"]) == ("present", stops)
    assert found["value"] == (None if old == ["--tracing"] else "false")
    assert answer["replace"]["status"] == "OK" and answer["replace"]["reverted"], answer
    if old != ["--tracing"]:
        compare.check_replaced(box, container, answer, old, ["--tracing=true"], [compare.parsers.go_flag] if stops else [])


def test_replacement_across_both_lists_is_refused(tool):
    container = {"command": ["/app/epp", "--pool-name=p", "--tracing"], "args": ["false"]}
    replace = tool.ask(container, replace={"flag": launchtool.TRACING_FLAG, "token": "--tracing=true"})["replace"]
    assert replace["status"] == "Invalid" and "write --tracing=true in its place" in replace["message"]


def test_absent_flag_is_not_found(tool):
    replace = tool.ask({"command": ["/app/epp", "--v=1"]}, replace={"flag": launchtool.TRACING_FLAG, "token": "--tracing=true"})
    assert replace["replace"]["status"] == "NotFound"
