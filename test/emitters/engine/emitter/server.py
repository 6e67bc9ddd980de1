# SPDX-License-Identifier: Apache-2.0
"""The OpenAI-compatible server of an engine emitter: no model, the same doors."""
import http.server
import json
import os
import signal
import socket
import sys
import threading
import time

from emitter import versions

BODY_LIMIT = 8 << 20
REQUESTS = ("/v1/completions", "/v1/chat/completions", "/generate")


class Engine:
    def __init__(self, host, port, model, tracer, counter="vllm:request_success_total"):
        """`counter`: the name of the metric that counts what was served; None: /metrics is not served."""
        self.host, self.port, self.model, self.tracer = host or "0.0.0.0", port, model, tracer
        self.counter, self.served = counter, 0

    def load(self):
        """As a model server: nothing listens until the model is there. A signal ends the wait."""
        started = time.time_ns()
        time.sleep(float(os.environ.get("EMITTER_LOAD_SECONDS", "0")))
        if self.tracer:
            self.tracer.loading(started)

    def answer(self, path, request, headers, started):
        prompt = request.get("prompt") or " ".join(str(m.get("content")) for m in request.get("messages", []))
        usage = {"prompt_tokens": max(1, len(str(prompt)) // 4),
                 "completion_tokens": int(request.get("max_tokens") or request.get("max_completion_tokens") or 16)}
        time.sleep(float(os.environ.get("EMITTER_REQUEST_SECONDS", "0.01")))
        self.served += 1
        if self.tracer:
            self.tracer.request(headers, request, started, usage)
        answer = {"id": f"cmpl-{started:x}", "model": self.model, "usage": usage}
        if request.get("kv_transfer_params"):
            answer["kv_transfer_params"] = {"do_remote_prefill": True, "remote_engine_id": socket.gethostname()}
        if path.endswith("chat/completions"):
            return {**answer, "object": "chat.completion",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}]}
        return {**answer, "object": "text_completion", "choices": [{"index": 0, "finish_reason": "stop", "text": "ok"}]}

    def get(self, path):
        """(status, content type, body)"""
        if path in ("/health", "/ping", "/health_generate"):
            return 200, "text/plain", b""
        if path == "/v1/models":
            model = {"id": self.model, "object": "model"}
            return 200, "application/json", json.dumps({"object": "list", "data": [model]}).encode()
        if path == "/version" and versions.behaviour().engine == "vllm":
            return 200, "application/json", json.dumps({"version": versions.told()}).encode()
        if path == "/metrics" and self.counter:
            if self.tracer:
                self.tracer.scrape(path)
            text = f"{self.counter}{{model_name=\"{self.model}\"}} {self.served}\n"
            return 200, "text/plain; version=0.0.4", text.encode()
        return 404, "application/json", b'{"detail":"Not Found"}'


def handler(engine):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def reply(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.reply(*engine.get(self.path.partition("?")[0]))

        def do_POST(self):
            started = time.time_ns()
            length = int(self.headers.get("Content-Length") or 0)
            if self.path not in REQUESTS or length > BODY_LIMIT:
                self.close_connection = True
                self.reply(413 if length > BODY_LIMIT else 404, "application/json", b"{}")
                return
            try:
                request = json.loads(self.rfile.read(length) or b"{}")
                body = engine.answer(self.path, request, self.headers, started)
            except (ValueError, TypeError, AttributeError) as wrong:
                self.reply(400, "application/json", json.dumps({"error": str(wrong)}).encode())
                return
            self.reply(200, "application/json", json.dumps(body).encode())

        def log_message(self, *_):
            pass

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def checked():
    """With EMITTER_CHECK a command line is only judged."""
    if os.environ.get("EMITTER_CHECK"):
        print("emitter: the command line is fine", file=sys.stderr, flush=True)
        raise SystemExit(0)


def serve(engine):
    def stop(*_):
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        engine.load()
        server = Server((engine.host, engine.port), handler(engine))
        print(f"INFO: Application startup complete on {engine.host}:{server.server_port}", file=sys.stderr, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        signal.pause()
    finally:
        if engine.tracer:
            engine.tracer.close()
