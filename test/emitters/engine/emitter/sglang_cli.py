# SPDX-License-Identifier: Apache-2.0
"""SGLang's launcher with its strictness (LLMD.md §1.6): no --collect-detailed-traces, and a name of its own."""
import argparse
import sys

from emitter import server, tracing, versions

# The flags of the corpus and of llm-d's guides; an unknown one is exit 2, as with any argparse.
VALUES = ("--model-path", "--served-model-name", "--log-level", "--disaggregation-mode", "--disaggregation-transfer-backend",
          "--disaggregation-bootstrap-port", "--tensor-parallel-size", "--tp-size", "--tp", "--dp-size", "--context-length",
          "--dtype", "--kv-cache-dtype", "--mem-fraction-static", "--dist-init-addr", "--nnodes", "--node-rank",
          "--chunked-prefill-size", "--page-size", "--attention-backend", "--trace-modules", "--watchdog-timeout")
SWITCHES = ("--enable-metrics", "--log-requests", "--trust-remote-code", "--skip-server-warmup", "--enable-trace",
            "--disable-radix-cache", "--enable-dp-attention")


def parse(args, behaviour):
    parser = argparse.ArgumentParser(prog="launch_server.py")
    for name in VALUES:
        parser.add_argument(name)
    for name in SWITCHES:
        parser.add_argument(name, action="store_true")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=30000)
    parser.add_argument("--uvicorn-access-log-exclude-prefixes", nargs="*")
    parser.add_argument(behaviour.endpoint_flag, dest="endpoint", default="localhost:4317")
    return parser.parse_args(args)


def main(args=None):
    behaviour = versions.behaviour()
    options = parse(sys.argv[1:] if args is None else args, behaviour)
    if options.enable_trace and not behaviour.packages:
        raise RuntimeError("opentelemetry package is not installed!!! Please not enable tracing or install opentelemetry")
    server.checked()
    tracer = tracing.Tracer(options.endpoint, behaviour) if options.enable_trace else None
    server.serve(server.Engine(options.host, options.port, options.served_model_name or options.model_path, tracer,
                               "sglang:num_requests_total" if options.enable_metrics else None))


def command():
    """`sglang serve …` is another door to the same server."""
    if sys.argv[1:2] != ["serve"]:
        sys.exit("usage: sglang serve --model-path MODEL")
    main(sys.argv[2:])
