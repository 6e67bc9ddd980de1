# SPDX-License-Identifier: Apache-2.0
"""Golden cases: folders with in.yaml, want.yaml, explain.txt and, where needed, settings.yaml."""
import pathlib

import yaml

import engine

CASES = pathlib.Path(__file__).resolve().parent / "cases"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def names():
    return sorted(path.name for path in CASES.iterdir() if (path / "in.yaml").is_file())


def load(path):
    with open(path, encoding="utf-8") as stream:
        return [doc for doc in yaml.load_all(stream, Loader=LOADER) if doc is not None]


class Case:
    def __init__(self, name):
        self.folder = CASES / name
        self.name = name
        self.docs = load(self.folder / "in.yaml")
        settings = self.folder / "settings.yaml"
        self.settings = settings if settings.is_file() else None
        self.tracing = load(settings)[0] if self.settings else None

    def want(self):
        return load(self.folder / "want.yaml")

    def explanation(self):
        return (self.folder / "explain.txt").read_text(encoding="utf-8")

    def requests(self, docs=None):
        """(index, object, further members of its request) of each document."""
        docs = self.docs if docs is None else docs
        for index, obj in enumerate(docs):
            yield index, obj, {"tracing": self.tracing, "around": docs}


def run(plan_engine, case):
    """What the engine makes of a case: documents, lines of explain.txt."""
    docs, lines = [], []
    for _, obj, more in case.requests():
        answer = plan_engine.inject(obj, **more)
        docs.append(answer["object"])
        if answer["explain"]["reason"] != "NotAWorkload":
            lines += engine.story(answer["explain"])
    return docs, "\n".join(lines) + "\n"
