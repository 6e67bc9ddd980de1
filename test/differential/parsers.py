# SPDX-License-Identifier: Apache-2.0
"""How the programs read their flags: models of vLLM's parser (CPython's argparse under it), of
SGLang's, and of Go's flag and pflag packages. Each gives {flag: value} or raises Refused."""
import argparse
import re


class Refused(Exception):
    """The program would exit with a usage error."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message)


# Options that are no plain "one value" store. Everything else in the command lines of the tests is.
PLUS = ("--lora-modules", "--served-model-name", "--collect-detailed-traces", "--allowed-origins",
        "--middleware", "--uvicorn-access-log-exclude-prefixes")
SWITCHES = """--trust-remote-code --enforce-eager --enable-expert-parallel --enable-lora --enable-dbo
--enable-auto-tool-choice --enable-ep-weight-filter --enable-cumem-allocator --enable-metrics --enable-trace
--enable-prefix-caching --no-enable-prefix-caching --async-scheduling --no-async-scheduling --numa-bind
--disable-uvicorn-access-log --disable-log-requests --no-enable-log-requests --disable-hybrid-kv-cache-manager
--no-disable-hybrid-kv-cache-manager --disable-sliding-window --data-parallel-hybrid-lb --mm-encoder-only
--data-parallel-multi-port-external-lb --log-requests --headless --disable-log-stats""".split()
TRACING = ("--otlp-traces-endpoint", "--otlp-metrics-endpoint", "--collect-detailed-traces", "--config",
           "--model", "--model-path", "--port", "--host", "--gpu-memory-utilization", "--max-num-batched-tokens")
DETAILED = ("model", "worker", "all", "model,worker", "worker,model", "model,all", "all,model", "worker,all",
            "all,worker")


def _names(words):
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name = re.split("[=.]", word, maxsplit=1)[0].replace("_", "-")
            if re.fullmatch(r"--[a-z0-9-]+", name):
                yield name


def _parser(words, positional):
    parser = _Parser(add_help=False)
    known = set(TRACING) | set(PLUS) | set(SWITCHES)
    # An abbreviation of a known option is not an option of its own.
    own = {n for n in _names(words) if not any(k != n and k.startswith(n) for k in known)}
    for name in sorted(known | own):
        if name in SWITCHES:
            parser.add_argument(name, action="store_true")
        elif name in PLUS:
            parser.add_argument(name, nargs="+", choices=DETAILED if name == "--collect-detailed-traces" else None)
        else:
            parser.add_argument(name)
    if positional:
        parser.add_argument("model_tag", nargs="?")
    return parser


def _underscores(words):
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word.partition("=")
            yield name.replace("_", "-") + equals + value
        else:
            yield word


def _model_first(words):
    """`vllm serve --model X` is rewritten to `vllm serve X`."""
    for i, word in enumerate(words):
        if word == "--model":
            return [*words[i + 1:i + 2], *words[:i], *words[i + 2:]]
        if word.startswith("--model="):
            return [word.removeprefix("--model="), *words[:i], *words[i + 1:]]
    return words


def vllm_serve(words, config=()):
    """`words` stand behind `vllm serve`; `config` is what the file of --config holds, as words."""
    words = _model_first(list(words))
    if "--config" in words:
        if words.count("--config") > 1 or words[-1] == "--config":
            raise Refused("--config")
        at = words.index("--config")
        in_cli = not words[0].startswith("-")
        if not in_cli and "--model" not in config:
            raise Refused("No model specified")
        rest = words[:at] + words[at + 2:]
        words = rest[:1] + list(config) + rest[1:] if in_cli else list(config) + rest
    elif words and words[0].startswith("-") and any(n == "--served-model-name" for n in _names(words)):
        raise Refused("the model should be the first positional argument")
    return vars(_parser(words, True).parse_args(list(_underscores(words))))


def vllm_module(words):
    return vars(_parser(words, True).parse_args(list(_underscores(words))))


def sglang(words):
    return vars(_parser(words, False).parse_args(list(words)))


GO_SWITCHES = """tracing secure-serving metrics-endpoint-auth enable-pprof health-checking enable-cert-reload
ha-enable-leader-election zap-devel secure-proxy enable-prefiller-sampling enable-ssrf-protection streaming
prefiller-use-tls""".split()


def _go(words, stops_at_word):
    flags = {}
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            if stops_at_word:
                break
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals and name in GO_SWITCHES:
            value = "true"
        elif not equals:
            if not words:
                raise Refused(f"flag needs an argument: {word}")
            value = words.pop(0)
        if name in GO_SWITCHES and value not in ("true", "false", "1", "0", "t", "f"):
            raise Refused(f"invalid boolean value for {word}")
        flags[name] = value
    return flags


def go_flag(words):
    """Go's flag package: stops at the first bare word. GAIE EPP up to v1.2."""
    return _go(words, True)


def pflag(words):
    """spf13/pflag: bare words may stand anywhere."""
    return _go(words, False)
