# SPDX-License-Identifier: Apache-2.0
"""vLLM's command line with vLLM's strictness (LLMD.md §1.1): what kills the engine kills the emitter."""
import argparse
import pathlib
import re
import sys

import yaml

from emitter import server, tracing, versions

FLAGS = pathlib.Path(__file__).with_name("vllm_flags.txt")
MODULES = ("model", "worker", "all")
DETAILED = MODULES + tuple(f"{a},{b}" for a in MODULES for b in MODULES if a != b)
CONVERT = {"port": int, "tensor_parallel_size": int, "pipeline_parallel_size": int, "data_parallel_size": int}
ARITY = {
    "one": {},
    "many": {"nargs": "+"},
    "maybe": {"nargs": "?", "const": True},
    "switch": {"action": argparse.BooleanOptionalAction},
    "flag": {"action": "store_true"},
}


def log(level, text):
    print(f"{level} {text}", file=sys.stderr, flush=True)


def add_flags(parser):
    for line in FLAGS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        arity, *names = line.split()
        how = dict(ARITY[arity])
        destination = names[0].lstrip("-").replace("-", "_")
        if destination in CONVERT:
            how["type"] = CONVERT[destination]
        if destination == "collect_detailed_traces":
            how["choices"] = DETAILED
        parser.add_argument(*names, default=None, **how)


def parser_for(subcommands):
    parser = argparse.ArgumentParser(prog="vllm")
    if not subcommands:
        add_flags(parser)
        return parser
    parser.add_argument("-v", "--version", action="version", version="emitter")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve")
    serve.add_argument("model_tag", nargs="?")
    add_flags(serve)
    return parser


def model_first(args):
    """`vllm serve … --model X …` is `vllm serve X …`, with a warning; some orders are refused."""
    for at, arg in enumerate(args):
        if arg == "--model" or arg.startswith("--model="):
            log("WARNING", "With `vllm serve`, you should provide the model as a positional argument")
            width = 1 if "=" in arg else 2
            model = arg.partition("=")[2] if width == 1 else (args[at + 1:] or [""])[0]
            args = ["serve", model, *args[1:at], *args[at + width:]]
            break
    names = {arg.partition("=")[0].replace("_", "-") for arg in args}
    if len(args) > 1 and args[1].startswith("-") and "--served-model-name" in names and "--config" not in names:
        raise ValueError("`model` should be provided as the first positional argument when using `vllm serve`. "
                         "i.e. `vllm serve <model> --<arg> <value>`.")
    return args


def from_config(args):
    """The words of --config FILE stand right after `serve [model]`, so that the command line wins."""
    if args.count("--config") > 1:
        raise ValueError("More than one config file specified!")
    at = args.index("--config")
    if at + 1 >= len(args):
        raise ValueError("No config file specified! Please check your command-line arguments.")
    settings = yaml.safe_load(pathlib.Path(args[at + 1]).read_text(encoding="utf-8")) or {}
    words = []
    for key, value in settings.items():
        if isinstance(value, bool):
            words += [f"--{key}"] if value else []
        elif isinstance(value, list):
            words += [f"--{key}", *map(str, value)] if value else []
        elif key != "model" or args[0] != "serve":
            words += [f"--{key}", str(value)]
    rest = args[:at] + args[at + 2:]
    if rest[:1] != ["serve"]:
        return words + rest
    in_command = len(args) > 1 and not args[1].startswith("-")
    if not in_command and "model" not in settings:
        raise ValueError("No model specified! Please specify model in command-line or config file.")
    model = rest[1] if in_command else str(settings["model"])
    return ["serve", model, *words, *rest[2 if in_command else 1:]]


def normalise(args):
    """`_` is `-` in a flag's name; -O3 and --a.b=c are other spellings of plain flags."""
    words, nested, seen, at = [], {}, set(), 0
    while at < len(args):
        arg = args[at]
        at += 1
        if re.match(r"-O.", arg):
            words += ["--optimization-level", arg[2:].lstrip("=")]
            continue
        if not arg.startswith("--") or arg == "--":
            words.append(arg)
            continue
        name, equals, value = arg.partition("=")
        name, dot, below = name.partition(".")
        name = name.replace("_", "-")
        if dot:
            if not equals:
                value, at = (args[at] if at < len(args) else ""), at + 1
            nested.setdefault(name, {})[below] = value
            continue
        if name in seen:
            log("WARNING", f"Found duplicate keys {name}")
        seen.add(name)
        words.append(name + equals + value)
    for name, value in nested.items():
        words += [name, yaml.safe_dump(value)]
    return words


def parse(args, subcommands=True):
    if args[:1] == ["serve"]:
        args = model_first(list(args))
    if "--config" in args:
        args = from_config(list(args))
    return parser_for(subcommands).parse_args(normalise(args))


def check_tracing(options, behaviour):
    """What vLLM's configuration refuses. Each message is the one that people search for."""
    if options.otlp_traces_endpoint and not behaviour.packages:
        if behaviour.v0_fallback:
            log("WARNING", "--otlp-traces-endpoint is not supported by the V1 Engine. Falling back to V0.")
        raise ValueError("OpenTelemetry is not available. Unable to configure 'otlp_traces_endpoint'. "
                         "Ensure OpenTelemetry packages are installed. Original error:\n"
                         "ModuleNotFoundError: No module named 'opentelemetry'")
    if options.collect_detailed_traces and not options.otlp_traces_endpoint:
        raise ValueError("collect_detailed_traces requires `--otlp-traces-endpoint` to be set.")
    if options.otlp_traces_endpoint and behaviour.broken_any:
        raise AttributeError("type object 'Any' has no attribute 'SERVER'")


def run(options):
    behaviour = versions.behaviour()
    check_tracing(options, behaviour)
    server.checked()
    tracer = tracing.Tracer(options.otlp_traces_endpoint, behaviour) if options.otlp_traces_endpoint else None
    named = options.served_model_name or [getattr(options, "model_tag", None) or options.model or "facebook/opt-125m"]
    server.serve(server.Engine(options.host, 8000 if options.port is None else options.port, named[0], tracer))


def main():
    run(parse(sys.argv[1:]))


def module_main():
    """python3 -m vllm.entrypoints.openai.api_server: no subcommand, no positional model."""
    run(parse(sys.argv[1:], subcommands=False))
