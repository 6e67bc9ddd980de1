# SPDX-License-Identifier: Apache-2.0
"""Requests to other servers than the API server: no credential goes there, and little is believed of them."""
import contextlib
import http.server
import threading

import pytest
from fake_api import FakeApi
from tools import requests, write_kubeconfig


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
        size = int(self.headers.get("Content-Length", 0))
        self.rfile.read(size)
        code, headers, body = self.server.script(self)
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def server(script, address="127.0.0.1"):
    with http.server.ThreadingHTTPServer((address, 0), Handler) as httpd:
        httpd.seen, httpd.script = [], script
        httpd.url = f"http://{address}:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()


@pytest.fixture
def config(pki, tmp_path):
    """Of an API server that asks for a token and is never to be reached here."""
    with FakeApi(pki, lambda exchange: exchange.reply({})) as api:
        yield write_kubeconfig(tmp_path, api, user={"token": "secret"})
        assert api.exchanges == []


def text(body, code=200, **headers):
    return lambda handler: (code, headers, body)


def test_what_is_sent(config):
    with server(text(b"accepted 5\n")) as there:
        done = requests(config, "GET", there.url + "/metrics?a=b", "POST", there.url + "/v1", "application/json", "{}")
        assert [r.status for r in done.results] == ["OK", "OK"]
        assert done.results[0].body == "accepted 5 "
        (get, target, headers), (post, _, more) = there.seen
    assert (get, target, post) == ("GET", "/metrics?a=b", "POST")
    assert headers["traceparent"] == "t" and headers["host"] == there.url.removeprefix("http://")
    assert more["content-type"] == "application/json"
    assert "authorization" not in headers and "authorization" not in more
    assert done.metric("rest_client_requests_total") == 0, "these are figures of the API server"


def test_a_redirect_is_not_followed(config):
    with server(text(b"secret")) as target, server(text(b"", 302, Location=target.url)) as there:
        done = requests(config, "GET", there.url + "/")
        assert target.seen == []
    assert done.results[0].code == 302 and done.results[0].status == "Invalid"


def test_an_answer_has_a_ceiling(config):
    with server(text(b"x" * 5000)) as there:
        done = requests(config, "GET", there.url + "/big")
    assert done.results[0].status == "Limit" and "larger than 1000 bytes" in done.results[0].error


@pytest.mark.parametrize("code, status", [(401, "Denied"), (403, "Denied"), (404, "NotFound"), (500, "Retry"), (503, "Retry")])
def test_a_refusal_is_final(config, code, status):
    with server(text(b"no", code, **{"Retry-After": "0"})) as there:
        done = requests(config, "GET", there.url + "/")
        assert len(there.seen) == 1, "neither asked again nor with a credential"
    assert (done.results[0].code, done.results[0].status) == (code, status)


def test_nobody_there(config):
    with server(text(b"")) as there:
        url = there.url
    done = requests(config, "GET", url + "/")
    assert done.results[0].status == "Retry" and done.results[0].code == 0


def test_an_address_that_is_refused_gets_nothing(config):
    with server(text(b"secret")) as there:
        done = requests(config, "GET", there.url + "/", options=("--avoid", "127.0.0.1"))
        assert there.seen == []
    assert done.results[0].status == "Denied"
    assert "the server is at 127.0.0.1, where nothing is sent" in done.results[0].error


def test_the_environment_names_no_proxy_for_it(config, monkeypatch):
    monkeypatch.setattr("tools.environment", lambda: {"http_proxy": "http://127.0.0.1:1", "all_proxy": "http://127.0.0.1:1"})
    with server(text(b"{}")) as there:
        assert requests(config, "GET", there.url + "/").results[0].status == "OK"
