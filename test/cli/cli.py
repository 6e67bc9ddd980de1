# SPDX-License-Identifier: Apache-2.0
"""The binary, run as a user runs it."""
import json
import os
import subprocess

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.join(ROOT, "build", os.environ.get("VARIANT", "release"), "llmd-tracing")
OK, DIFFERENT, INVALID, NOT_FOUND, DENIED, LIMIT = 0, 1, 2, 3, 6, 8


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.raw = done.stdout
        self.err = done.stderr.decode("utf-8", "replace")

    @property
    def out(self):
        return self.raw.decode("utf-8")

    def documents(self):
        return [document for document in yaml.safe_load_all(self.out) if document is not None]

    def json_values(self):
        decoder, values, at = json.JSONDecoder(), [], 0
        while at < len(self.out.rstrip()):
            value, at = decoder.raw_decode(self.out, at)
            values.append(value)
            while at < len(self.out) and self.out[at].isspace():
                at += 1
        return values


def run(*args, stdin="", cwd=None):
    data = stdin if isinstance(stdin, bytes) else stdin.encode("utf-8")
    return Result(subprocess.run([BINARY, *args], input=data, capture_output=True, cwd=cwd))


def inject(text, *args):
    return run("inject", "-f", "-", *args, stdin=text)


def deployment(name="decode", namespace=None, container="vllm", image="docker.io/vllm/vllm-openai:v0.23.0",
               command=("vllm", "serve"), args=("org/model", "--port=8000"), labels=None, annotations=None, **more):
    metadata = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = annotations
    labels = labels or {"app": name}
    spec = {"name": container, "image": image, **more}
    if command:
        spec["command"] = list(command)
    if args:
        spec["args"] = list(args)
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [spec]}}}}


def dump(*documents):
    return yaml.safe_dump_all(documents, sort_keys=False)


def container(document):
    return document["spec"]["template"]["spec"]["containers"][0]
