# SPDX-License-Identifier: Apache-2.0
"""Golden renderings: cases/NAME.yaml holds values, cases/NAME.want.yaml what helm makes of them, without the CRD.

`pytest test/chart --update` writes them anew; the difference is for a person to read.
"""
import pathlib
import re

import pytest

import chart

CASES = pathlib.Path(__file__).resolve().parent / "cases"
NAMES = sorted(p.name.removesuffix(".yaml") for p in CASES.glob("*.yaml") if not p.name.endswith(".want.yaml"))


def without_crd(text):
    parts = re.split(r"^---\n", text, flags=re.M)
    return "---\n".join(p for p in parts if not re.search(r"^kind: CustomResourceDefinition$", p, re.M))


@pytest.mark.parametrize("name", NAMES)
def test_rendering(name, update):
    got = without_crd(chart.template((CASES / f"{name}.yaml").read_text(encoding="utf-8")))
    want = CASES / f"{name}.want.yaml"
    if update:
        want.write_text(got, encoding="utf-8")
    assert got == want.read_text(encoding="utf-8"), f"pytest test/chart --update writes {want.name} anew"


def test_every_rendering_belongs_to_a_case():
    assert [p.name for p in CASES.glob("*.want.yaml") if p.name.removesuffix(".want.yaml") not in NAMES] == []


@pytest.mark.parametrize("name", NAMES)
def test_lint(name):
    done = chart.helm("lint", "--strict", chart.CHART, values=(CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    assert done.returncode == 0, done.stdout + done.stderr
