# SPDX-License-Identifier: Apache-2.0
"""Every container of the rendered upstream manifests (SHARED/corpus): run before and after.

Collected only where the corpus is; the launch forms themselves are in cases.yaml.
"""
import glob
import os

import pytest
import yaml

import compare
import kubelet
import launchtool
import parsers

CORPUS = os.path.join(os.environ.get("SHARED") or os.path.join(launchtool.ROOT, "../shared"), "corpus")
# What an image is known to run when the container has args only, by the end of its basename.
IMAGES = [("inference-sim", "simulator"), ("routing-sidecar", "sidecar"), ("disagg-sidecar", "sidecar"),
          ("disagg-sidecar-dev", "sidecar"), ("endpoint-picker", "epp"), ("inference-scheduler", "epp"),
          ("epp", "epp"), ("sglang", "sglang"), ("vllm-openai", "vllm"), ("vllm-gaudi", "vllm"),
          ("vllm-rbln-rhel9", "vllm"), ("llm-d-xpu", "vllm"), ("llm-d-cuda", "vllm"), ("llm-d", "vllm")]
REFUSED = {  # container name: part of the reason; nothing else of those images may be refused
    "main": "eval", "vllm-worker": "no command of the script", "vllm-render": "other than `vllm serve`",
    "vllm-server": "other than `vllm serve`", "vllm-sim": "inference-sim"}


def containers():
    for path in sorted(glob.glob(os.path.join(CORPUS, "*", "**", "*.yaml"), recursive=True)):
        name = os.path.relpath(path, CORPUS)
        if name.startswith("crds") or name.endswith("on.yaml"):
            continue
        with open(path, encoding="utf-8") as stream:
            for document in yaml.safe_load_all(stream):
                for container in find(document):
                    yield name, container


def find(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                yield from (c for c in value if isinstance(c, dict) and (c.get("command") or c.get("args")))
            else:
                yield from find(value)
    elif isinstance(node, list):
        for value in node:
            yield from find(value)


def environment(container):
    env = {}
    for entry in container.get("env") or []:
        value = str(entry.get("value", "")) if "valueFrom" not in entry else "10.0.0.1"
        env[entry["name"]] = kubelet.expand(value, env)
    return env


def assumed(image):
    basename = (image or "").split("/")[-1].split(":")[0].split("@")[0]
    return next((program for end, program in IMAGES if basename.endswith(end)), "")


CASES = {}
for _file, _container in containers():
    _words = {k: _container[k] for k in ("command", "args") if _container.get(k)}
    _case = {**_words, "env": environment(_container), "assume": assumed(_container.get("image"))}
    if _case not in CASES.values():
        CASES[f"{_file}:{_container.get('name')}:{len(CASES)}"] = {**_case, "name": _container.get("name")}


def test_corpus_is_read():
    assert len(CASES) > 80


@pytest.mark.parametrize("name", CASES)
def test_container(tool, box, name):
    case = CASES[name]
    answer = tool.inject(case, case["assume"])
    add = answer["add"]
    if add["status"] != "OK":
        known = REFUSED.get(case["name"], "")
        assert answer["program"] in ("other", "simulator") or not case["assume"] or known in add["message"] and known
        return
    assert add["reverted"]
    tracing = answer["find"][1]
    if tracing["presence"] == "present" and answer["program"] == "epp":
        answer = tool.ask(case, case["assume"], replace={"flag": launchtool.TRACING_FLAG, "token": "--tracing=true"})
        assert answer["replace"]["status"] == "OK" and answer["replace"]["reverted"], answer
        # Where Go's flag package stops, a replacement is not harmless: such images are gated.
        skipped = [parsers.go_flag] if tracing["stops_parser"] else []
        compare.check_replaced(box, case, answer, answer["replace"]["edit"]["old_tokens"], ["--tracing=true"], skipped)
        return
    compare.check(box, case, answer, launchtool.FLAGS[answer["program"]], parsed="{{" not in str(case))
