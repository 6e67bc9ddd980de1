# SPDX-License-Identifier: Apache-2.0
"""Would a container's command line run? Asked of the emitters' own parsers, by the image of the container."""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib

import emitters
from emitter import sglang_cli, versions, vllm_cli

ROOT = pathlib.Path(__file__).resolve().parents[2]


def images():
    """hack/images as a module: its table says which program each image starts."""
    loader = importlib.machinery.SourceFileLoader("images", str(ROOT / "hack/images"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("images", loader))
    loader.exec_module(module)
    return module


ENTRYPOINTS = {name.rpartition("/")[2]: kind[1] for name, kind, _ in images().EMITTERS}


def argv(container):
    """What the kubelet would start: the image's entrypoint stands where the container has no command."""
    entrypoint = ENTRYPOINTS.get(versions.split(container.get("image", ""))[0], [])
    return [str(word) for word in (container.get("command") or entrypoint) + (container.get("args") or [])]


def python_module(words):
    return words[2] if words[0].rpartition("/")[2] in ("python", "python3") and words[1:2] == ["-m"] else None


def program(words):
    """(parser, its arguments), or None for what no emitter stands for: scripts and other people's programs."""
    name = words[0].rpartition("/")[2] if words else ""
    if name == "vllm" and words[1:2] == ["serve"]:
        return "vllm", words[1:]
    if name in ("python", "python3") and python_module(words) == "vllm.entrypoints.openai.api_server":
        return "module", words[3:]
    if name in ("python", "python3") and python_module(words) == "sglang.launch_server":
        return "sglang", words[3:]
    if name in ("pd-sidecar", "epp", "llm-d-inference-sim"):
        return name, words[1:]
    return None


def parsed(kind, arguments, image):
    """The options, or an exception."""
    behaviour = versions.behaviour(image)
    if kind == "sglang":
        return sglang_cli.parse(arguments, behaviour)
    options = vllm_cli.parse(arguments, subcommands=kind == "vllm")
    vllm_cli.check_tracing(options, behaviour)
    return options


def verdict(container):
    """None when it would run, a sentence when it would not; LookupError when nobody here can tell."""
    found = program(argv(container))
    if found is None:
        raise LookupError(container.get("name"))
    kind, arguments = found
    image = container.get("image", "")
    if kind in ("pd-sidecar", "epp", "llm-d-inference-sim"):
        done = emitters.run([kind, *arguments], image, EMITTER_CHECK="1")
        return None if "the command line is fine" in done.stderr else done.stderr
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parsed(kind, arguments, image)
    except (Exception, SystemExit) as refused:  # argparse exits, the checks raise: both end an engine
        return f"{refused}: {said.getvalue()[-300:]}"
    return None


def containers(value):
    """Every container of a manifest, in order."""
    if isinstance(value, list):
        for item in value:
            yield from containers(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("containers", "initContainers") and isinstance(item, list):
                yield from (entry for entry in item if isinstance(entry, dict))
            yield from containers(item)
