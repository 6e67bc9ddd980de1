# SPDX-License-Identifier: Apache-2.0
"""What we print means the same to kubectl's own reader (test/yaml-oracle, which needs Go) and to PyYAML."""
import json
import math
import os
import random
import re
import subprocess

import pytest
import yaml

import cli

PIECES = ["", " ", "  ", "a", "b", "é", "漢", "😀", "\u00a0", "\u0085", "\u2028", "\ufeff", "\x7f", "\x01", "\n", "\n\n", "\t", "\r", ":", ": ",
          "-", "- ", "---", "...", "#", " #", "'", '"', "\\", "[", "]", "{", "}", ",", "&", "*", "!", "|", ">", "%", "@", "`", "?", "=", "<<",
          "~", "$", "/", ".", "0", "1", "7", "x", "e", "o", "_", "+", "y", "no", "On", "null", "true", "inf", ".nan", "0x1F", "0755", "1e3",
          "1_0", "1:30", "2001-12-14", "12:30:45", "0o7", "0b1", "--port=8000", "$(POD_IP)", "{{ .x }}", "http://x:4317", "exec a \\\n  b"]
# PyYAML follows YAML 1.1 to the letter: an exponent without a point or a sign is text there, as in the source.
NUMBERS = ["0", "-1", "8000", "1.0", "0.10", "-0.5", "9007199254740993", "18446744073709551615", "1.5e+10", "2.5E-7"]


@pytest.fixture(scope="module")
def oracle():
    folder = os.path.join(cli.ROOT, "test/yaml-oracle")
    binary = os.path.join(cli.ROOT, "build/tools/yaml-oracle")
    subprocess.run(["go", "build", "-o", binary, "."], cwd=folder, check=True)

    def ask(texts):
        done = subprocess.run([binary], input=json.dumps(texts), text=True, capture_output=True, check=True)
        return json.loads(done.stdout)
    return ask


class Number(str):
    """The text of a JSON number."""


def text(rng):
    return "".join(rng.choice(PIECES) for _ in range(rng.choice((1, 1, 2, 3, 5, 9))))


def value(rng, depth):
    kind = rng.randrange(10)
    if depth == 0 or kind < 5:
        return text(rng)
    if kind < 6:
        return rng.choice((None, True, False, Number(rng.choice(NUMBERS))))
    if kind < 8:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {text(rng): value(rng, depth - 1) for _ in range(rng.randrange(4))}


def to_json(tree):
    """JSON text in which a Number stands as it is written."""
    if isinstance(tree, Number):
        return str(tree)
    if isinstance(tree, list):
        return "[" + ",".join(map(to_json, tree)) + "]"
    if isinstance(tree, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{to_json(v)}" for k, v in tree.items()) + "}"
    return json.dumps(tree)


def same(got, want):
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(same(got[k], want[k]) for k in want)
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, float) or isinstance(got, float):
        return not isinstance(got, (str, bool)) and math.isclose(got, want, rel_tol=1e-15)
    return type(got) is type(want) and got == want


def printed(source):
    """Each value of a JSON stream as our YAML."""
    out = cli.run("inject", "-f", "-", "-o", "yaml", stdin=source).out
    assert out.startswith("---\n")
    return re.split(r"^---\n", out, flags=re.M)[1:]


@pytest.fixture(scope="module")
def trees():
    rng = random.Random(16686)
    return [{"v": value(rng, 5), text(rng): value(rng, 3)} for _ in range(1500)]


def test_kubectl_reads_what_was_meant(oracle, trees):
    source = "\n".join(map(to_json, trees))
    texts = printed(source)
    assert len(texts) == len(trees)
    for answer, tree in zip(oracle(texts), trees):
        assert "error" not in answer, answer
        assert same(json.loads(answer["json"]), json.loads(to_json(tree))), answer["yaml"]


def test_pyyaml_reads_what_was_meant(trees):
    source = "\n".join(map(to_json, trees))
    for document, tree in zip(printed(source), trees):
        assert same(yaml.safe_load(document), json.loads(to_json(tree))), document


def test_we_read_what_was_meant(trees):
    """Through YAML and back, number texts included."""
    source = "\n".join(map(to_json, trees))
    there = cli.run("inject", "-f", "-", "-o", "yaml", stdin=source).out
    back = cli.run("inject", "-f", "-", "-o", "json", stdin=there)
    for got, tree in zip(back.json_values(), trees):
        assert same(got, json.loads(to_json(tree)))
    for number in NUMBERS:
        assert f": {number}\n" in cli.run("inject", "-f", "-", "-o", "yaml", stdin='{"a": %s}' % number).out


def test_recorded_answers_are_what_the_oracle_says_today(oracle):
    for name in ("scalars", "documents"):
        with open(os.path.join(cli.ROOT, f"test/yaml-oracle/{name}.json"), encoding="utf-8") as stream:
            recorded = json.load(stream)
        assert oracle([row["yaml"] for row in recorded]) == recorded
