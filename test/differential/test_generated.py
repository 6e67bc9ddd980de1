# SPDX-License-Identifier: Apache-2.0
"""Random start scripts and argument lists. What is edited is edited right; what is plain is edited.

GENERATED=N tries more of each; a failure prints the seed and the container.
"""
import os
import random
import subprocess

import pytest

import compare
import generate
import launchtool

COUNT = int(os.environ.get("GENERATED", "80"))


def describe(seed, container, answer):
    return f"seed {seed}: {container}\n{answer}"


@pytest.mark.parametrize("batch", range(4))
def test_scripts_are_edited(tool, box, batch):
    for seed in range(batch, COUNT, 4):
        container, program = generate.script(random.Random(seed))
        answer = tool.inject(container)
        assert answer["add"]["status"] == "OK", describe(seed, container, answer)
        assert answer["program"] == program and answer["add"]["reverted"], describe(seed, container, answer)
        try:
            compare.check(box, container, answer, launchtool.FLAGS[program], same_output=False)
        except AssertionError as error:
            raise AssertionError(describe(seed, container, answer)) from error


@pytest.mark.parametrize("batch", range(4))
def test_damaged_scripts_are_never_edited_wrongly(tool, box, batch):
    edited = 0
    for seed in range(batch, 2 * COUNT, 4):
        r = random.Random(1000000 + seed)
        container, _ = generate.script(r)
        where = "args" if container.get("args") else "command"
        container = {**container, where: container[where][:-1] + [generate.damaged(r, container[where][-1])]}
        answer = tool.inject(container)
        if answer["add"]["status"] != "OK":
            assert answer["add"]["message"]
            continue
        edited += 1
        assert answer["add"]["reverted"], describe(seed, container, answer)
        try:
            compare.check(box, container, answer, launchtool.FLAGS[answer["program"]], minimum=0, parsed=False, same_output=False)
        except subprocess.TimeoutExpired:
            continue  # the damage made it wait for ever
        except AssertionError as error:
            raise AssertionError(describe(seed, container, answer)) from error
    assert edited > COUNT // 16  # the damage leaves enough to judge


@pytest.mark.parametrize("make", [generate.exec_form, generate.go_form, generate.forwarding])
def test_argument_lists_are_edited(tool, box, make):
    for seed in range(COUNT // 2):
        container, program = make(random.Random(2000000 + seed))
        answer = tool.inject(container)
        assert answer["add"]["status"] == "OK", describe(seed, container, answer)
        assert answer["program"] == program and answer["add"]["reverted"], describe(seed, container, answer)
        try:
            compare.check(box, container, answer, launchtool.FLAGS[program], same_output=False)
        except AssertionError as error:
            raise AssertionError(describe(seed, container, answer)) from error
