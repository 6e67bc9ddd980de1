# SPDX-License-Identifier: Apache-2.0
"""Requests against a server that misbehaves: retries of GETs, never of writes, and what is said about each."""
import email.utils
import gzip
import os
import threading
import time

import pytest
from fake_api import FakeApi
from tools import requests, write_kubeconfig

PATCH = ("PATCH", "/x", "application/merge-patch+json", '{"a":1}')


def run(pki, folder, script, *words, options=()):
    """The tool's run against a script, and the exchanges."""
    with FakeApi(pki, script) as api:
        done = requests(write_kubeconfig(folder, api), *words, options=options)
    return done, api.exchanges


def in_turn(*scripts):
    """The n-th request gets the n-th script, all later ones the last."""
    return lambda exchange: scripts[min(exchange.number, len(scripts)) - 1](exchange)


def fine(exchange):
    exchange.reply({"kind": "X", "number": exchange.number})


def test_what_is_sent(pki, tmp_path):
    done, exchanges = run(pki, tmp_path, fine, "GET", "/x?a=b", *PATCH)
    assert [r.status for r in done.results] == ["OK", "OK"]
    get, patch = exchanges
    assert get.target == "/x?a=b" and patch.method == "PATCH" and patch.body == b'{"a":1}'
    assert get.headers["user-agent"] == f"llmd-tracing/unknown (linux/{'amd64' if os.uname().machine == 'x86_64' else 'arm64'})"
    assert get.headers["accept"] == "application/json"
    assert get.headers["accept-encoding"] == "identity"
    assert get.headers["host"] == f"127.0.0.1:{get.api.port}"
    assert patch.headers["content-type"] == "application/merge-patch+json"
    for exchange in exchanges:
        assert "expect" not in exchange.headers and "authorization" not in exchange.headers
    assert get.connection == patch.connection, "the connection is used again"
    assert done.metric("rest_client_requests_total", code="200", method="GET") == 1
    assert done.metric("rest_client_requests_total", code="200", method="PATCH") == 1
    assert done.metric("rest_client_request_duration_seconds_count", verb="PATCH") == 1


def later(seconds):
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize("refuse", [
    lambda e: e.refuse(429, "TooManyRequests", headers={"Retry-After": "1"}),
    lambda e: e.refuse(503, "ServiceUnavailable", headers={"Retry-After": later(2)}),
    lambda e: e.refuse(429, "TooManyRequests", retryAfterSeconds=1),
    lambda e: e.refuse(500, "InternalError", headers={"Retry-After": "1"}),
    lambda e: e.cut(),
    lambda e: e.reset(),
    lambda e: (e.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), e.cut()),
    lambda e: (e.head(200), e.chunk('{"kind":'), e.cut()),
    lambda e: (e.head(200, Connection="close"), e.send('{"kind":"X"'), e.cut()),
    lambda e: (e.reply(gzip.compress(b'{"kind":"X"}'), headers={"Content-Encoding": "gzip"})),
], ids=["429", "503 date", "429 in the body", "500", "cut", "reset", "short", "cut chunk", "cut without length", "gzip"])
def test_a_get_is_tried_again(pki, tmp_path, refuse):
    done, exchanges = run(pki, tmp_path, in_turn(refuse, fine), "GET", "/x")
    assert done.results[0].status == "OK" and '"number": 2' in done.results[0].body
    assert len(exchanges) == 2
    assert done.metric("rest_client_request_retries_total", verb="GET") == 1


@pytest.mark.parametrize("code, reason, status", [
    (500, "InternalError", "Retry"), (503, "", "Retry"), (429, "TooManyRequests", "Retry"), (404, "NotFound", "NotFound"),
    (403, "Forbidden", "Denied"), (410, "Expired", "Gone"), (422, "Invalid", "Invalid"), (409, "Conflict", "Conflict"),
])
def test_a_get_that_is_refused_without_retry_after(pki, tmp_path, code, reason, status):
    done, exchanges = run(pki, tmp_path, lambda e: e.refuse(code, reason, "the server's words"), "GET", "/x")
    assert (done.results[0].status, done.results[0].code, done.results[0].reason) == (status, code, reason)
    assert done.results[0].error == "GET /x: the server's words"
    assert len(exchanges) == 1


def test_a_wait_longer_than_the_time_left_is_not_begun(pki, tmp_path):
    done, exchanges = run(pki, tmp_path, lambda e: e.refuse(429, headers={"Retry-After": "99999999"}), "GET", "/x")
    assert done.results[0].status == "Retry" and done.results[0].retry_after == 600000
    assert len(exchanges) == 1


@pytest.mark.parametrize("refuse, status, ambiguous", [
    (lambda e: e.refuse(429, headers={"Retry-After": "1"}), "Retry", False),
    (lambda e: e.refuse(409, "AlreadyExists"), "Conflict", False),
    (lambda e: e.refuse(422, "Invalid"), "Invalid", False),
    (lambda e: e.refuse(500, "InternalError", headers={"Retry-After": "1"}), "Retry", True),
    (lambda e: e.refuse(504, "Timeout"), "Retry", True),
    (lambda e: e.cut(), "Retry", True),
    (lambda e: e.reset(), "Retry", True),
    (lambda e: (e.send("HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{"), e.cut()), "Retry", True),
    (lambda e: (e.head(201, Connection="close"), e.send('{"kind":'), e.cut()), "Retry", True),
], ids=["429", "409", "422", "500", "504", "cut", "reset", "201 cut", "201 cut without length"])
@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT"])
def test_a_write_is_never_tried_again(pki, tmp_path, method, refuse, status, ambiguous):
    done, exchanges = run(pki, tmp_path, refuse, method, *PATCH[1:])
    assert (done.results[0].status, done.results[0].ambiguous) == (status, ambiguous)
    assert len(exchanges) == 1


def test_a_write_on_a_pooled_connection_that_dies_is_sent_once(pki, tmp_path):
    """libcurl would send it again by itself on a new connection."""
    done, exchanges = run(pki, tmp_path, in_turn(fine, lambda e: e.cut()), "GET", "/x", *PATCH)
    assert [e.method for e in exchanges] == ["GET", "PATCH"]
    assert exchanges[0].connection == exchanges[1].connection
    assert done.results[1].status == "Retry" and done.results[1].ambiguous


def test_a_write_that_never_left(pki, tmp_path):
    with FakeApi(pki, fine) as api:
        config = write_kubeconfig(tmp_path, api)
    done = requests(config, *PATCH)
    assert done.results[0].status == "Retry" and not done.results[0].ambiguous and done.results[0].code == 0
    assert done.metric("rest_client_requests_total", code="<error>", method="PATCH") == 1


def test_delete_without_a_body(pki, tmp_path):
    done, exchanges = run(pki, tmp_path, fine, "DELETE", "/x")
    assert done.results[0].status == "OK" and exchanges[0].method == "DELETE"


def test_the_cause_is_told_where_somebody_acts_on_it(pki, tmp_path):
    done, _ = run(pki, tmp_path, lambda e: e.refuse(403, "Forbidden", causes=[{"reason": "NamespaceTerminating"}]), *PATCH)
    assert (done.results[0].status, done.results[0].reason) == ("Denied", "NamespaceTerminating")


def test_redirects_are_not_followed(pki, tmp_path):
    done, exchanges = run(pki, tmp_path, lambda e: e.reply("", 302, {"Location": "/y"}), "GET", "/x")
    assert done.results[0].status == "Invalid" and done.results[0].code == 302
    assert len(exchanges) == 1


def test_an_answer_that_stays_compressed_is_a_clear_error(pki, tmp_path):
    zipped = gzip.compress(b"{}")
    done, exchanges = run(pki, tmp_path, lambda e: e.reply(zipped, headers={"Content-Encoding": "gzip"}), "GET", "/x",
                          options=("--timeout", "1000"))
    assert done.results[0].status == "Retry" and "compressed its answer although it was asked not to" in done.results[0].error
    assert all(e.headers["accept-encoding"] == "identity" for e in exchanges)


def test_no_answer_in_time(pki, tmp_path):
    done, exchanges = run(pki, tmp_path, lambda e: e.hold(), "GET", "/x", *PATCH, options=("--timeout", "400"))
    assert [(r.status, r.ambiguous) for r in done.results] == [("Retry", False), ("Retry", True)]
    assert sorted(e.method for e in exchanges) == ["GET", "PATCH"]


def test_an_answer_beyond_the_ceiling(pki, tmp_path):
    def endless(exchange):
        exchange.head()
        exchange.chunk('{"x":"')
        for _ in range(65):
            exchange.chunk(b"x" * (1 << 20))
        exchange.chunk('"}')
        exchange.end()
    done, exchanges = run(pki, tmp_path, endless, "GET", "/x")
    assert done.results[0].status == "Limit" and "larger than" in done.results[0].error
    assert len(exchanges) == 1


def test_only_so_many_at_once(pki, tmp_path):
    lock, gate = threading.Lock(), threading.Event()
    now, most = [0], [0]

    def count(exchange):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == 16:
                gate.set()
        # All sixteen have to be there before any is answered.
        assert gate.wait(30)
        with lock:
            now[0] -= 1
        exchange.reply({"kind": "X"})

    done, exchanges = run(pki, tmp_path, count, "*48", "GET", "/x")
    assert len(done.results) == len(exchanges) == 48 and {r.status for r in done.results} == {"OK"}
    assert most[0] == 16


def test_a_warning_is_logged_once(pki, tmp_path):
    def warn(exchange):
        exchange.reply({"kind": "X"}, headers={"Warning": f'299 - "{exchange.path[1:]} is deprecated"'})
    done, _ = run(pki, tmp_path, warn, "GET", "/a", "GET", "/a", "GET", "/b")
    assert done.log.count("a is deprecated") == 1 and done.log.count("b is deprecated") == 1


def test_a_proxy_of_the_kubeconfig(pki, tmp_path):
    def proxy(exchange):
        assert exchange.method == "CONNECT"
        exchange.send("HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")
    with FakeApi(pki, fine) as api, FakeApi(pki, proxy, tls=False) as middle:
        config = write_kubeconfig(tmp_path, api, {"certificate-authority": pki.ca[0], "proxy-url": middle.url})
        done = requests(config, *PATCH)
    assert [e.target for e in middle.exchanges] == [f"127.0.0.1:{api.port}"] and not api.exchanges
    assert done.results[0].status == "Retry" and not done.results[0].ambiguous


def test_a_server_behind_a_prefix(pki, tmp_path):
    with FakeApi(pki, fine) as api:
        done = requests(write_kubeconfig(tmp_path, api, url=api.url + "/k8s/c-1/"), "GET", "/api/v1/x?a=b")
    assert done.results[0].status == "OK" and api.exchanges[0].target == "/k8s/c-1/api/v1/x?a=b"
