# SPDX-License-Identifier: Apache-2.0
"""Run with vLLM's own FlexibleArgumentParser on the path: judges command lines, as JSON on stdin and stdout.

In: [[words of `vllm …` or of the module], …]; out: for each null (taken), or what it said.
"""
import contextlib
import io
import json
import sys

from emitter import vllm_cli
from vllm.utils.argparse_utils import FlexibleArgumentParser


def parser_for(subcommands):
    parser = FlexibleArgumentParser(prog="vllm")
    if not subcommands:
        vllm_cli.add_flags(parser)
        return parser
    serve = parser.add_subparsers(dest="command", required=True).add_parser("serve")
    serve.add_argument("model_tag", nargs="?")
    vllm_cli.add_flags(serve)
    return parser


def verdict(words):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            options = vars(parser_for(words[:1] == ["serve"]).parse_args(list(words)))
    except (Exception, SystemExit) as refused:
        return {"refused": f"{refused}: {said.getvalue()[-200:]}"}
    return {name: options.get(name) for name in ("model_tag", "model", "otlp_traces_endpoint", "collect_detailed_traces", "port")}


json.dump([verdict(words) for words in json.load(sys.stdin)], sys.stdout)
