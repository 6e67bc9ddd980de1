# SPDX-License-Identifier: Apache-2.0
"""vLLM's real argument parser and the emitter's agree: on what is taken, and on what it then says."""
import json
import pathlib
import subprocess
import sys

import pytest

import emitters
import judge
import parts
import test_golden_args
import test_strictness
from emitter import vllm_cli

FIELDS = ("model_tag", "model", "otlp_traces_endpoint", "collect_detailed_traces", "port")


def lines():
    """The words of every vLLM command line of the golden cases, before and after, and of the strictness tables."""
    found = [judge.argv(container) for param in test_golden_args.pairs() for container in param.values]
    found += [row[1] for row in test_strictness.REFUSED + test_strictness.TAKEN]
    programs = [judge.program(words) for words in found]
    return [arguments for kind, arguments in filter(None, programs) if kind in ("vllm", "module")]


def ours(words):
    try:
        options = vars(vllm_cli.parse(list(words), subcommands=words[:1] == ["serve"]))
    except (Exception, SystemExit):
        return None
    return {name: options.get(name) for name in FIELDS}


@pytest.fixture(scope="module")
def theirs():
    folder = subprocess.run([sys.executable, judge.ROOT / "hack/images", "parser"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    done = subprocess.run([sys.executable, pathlib.Path(__file__).with_name("real_parser.py")], text=True, check=True,
                          input=json.dumps(lines()), stdout=subprocess.PIPE, timeout=120,
                          env={"PYTHONPATH": f"{folder}:{emitters.ENGINE}:{parts.site()}", "PYTHONDONTWRITEBYTECODE": "1"})
    return json.loads(done.stdout)


def test_both_say_the_same(theirs):
    assert len(theirs) > 100
    for words, answer in zip(lines(), theirs):
        assert ours(words) == (None if "refused" in answer else answer), (words, answer)


def test_some_are_refused(theirs):
    assert sum("refused" in answer for answer in theirs) >= 5
