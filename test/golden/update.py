#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes want.yaml and explain.txt of the named cases (all without names) anew, for review with git diff."""
import sys

import yaml

import cases
import engine


class Text(str):
    """A script: written as a block."""


def dressed(value):
    if isinstance(value, dict):
        return {key: dressed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [dressed(item) for item in value]
    return Text(value) if isinstance(value, str) and "\n" in value else value


yaml.SafeDumper.add_representer(
    Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|"))


def main():
    plan_engine = engine.Engine()
    for name in sys.argv[1:] or cases.names():
        case = cases.Case(name)
        docs, lines = cases.run(plan_engine, case)
        with open(case.folder / "want.yaml", "w", encoding="utf-8") as out:
            yaml.dump_all([dressed(doc) for doc in docs], out, Dumper=yaml.SafeDumper, sort_keys=False, width=10000,
                          allow_unicode=True)
        (case.folder / "explain.txt").write_text(lines, encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
