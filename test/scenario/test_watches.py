# SPDX-License-Identifier: Apache-2.0
"""Lists and watches against a server that misbehaves, over real connections. The rules themselves: test_watch_machine."""
import gzip
import json

import pytest
from fake_api import FakeApi
from tools import Watch, bookmark, event, item, listing, write_kubeconfig


def serve(lists, watches):
    """The n-th list and the n-th watch get the n-th of their scripts, later ones the last."""
    counts = {"list": 0, "watch": 0}

    def script(exchange):
        kind, scripts = ("watch", watches) if exchange.is_watch else ("list", lists)
        counts[kind] += 1
        scripts[min(counts[kind], len(scripts)) - 1](exchange)
    return script


def gives(version, *items, **metadata):
    return lambda exchange: exchange.reply(listing(version, *items, **metadata))


def streams(*events, end=lambda exchange: exchange.hold()):
    def script(exchange):
        exchange.head()
        exchange.events(*events)
        end(exchange)
    return script


def refuses(*args, **more):
    return lambda exchange: exchange.refuse(*args, **more)


def resumes(*events):
    """As a real server: what came after the resourceVersion that is asked for."""
    def script(exchange):
        since = int(exchange.query["resourceVersion"])
        streams(*[e for e in events if int(e["object"]["metadata"]["resourceVersion"]) > since])(exchange)
    return script


ERROR_410 = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
FIRST = ["LIST_BEGIN reset=0", "LIST_ITEM n/a rv=5", "LIST_END rv=10"]
A = item("a", 5)


def watch(pki, folder, script, *until, words=("v1", "configmaps")):
    """The events up to `until`, the exchanges, and the tool."""
    with FakeApi(pki, script) as api:
        with Watch(write_kubeconfig(folder, api), *words) as tool:
            tool.wait_for(*until)
            events = tool.stop()
    return events, api.exchanges, tool


def versions(exchanges):
    """What each request asked for."""
    return [("watch " if e.is_watch else "list ") + e.query.get("resourceVersion", "-") for e in exchanges]


def test_list_and_watch(pki, tmp_path):
    events, exchanges, tool = watch(pki, tmp_path, serve([gives(10, A)], [
        streams(event("ADDED", "b", 11), event("MODIFIED", "b", 12), event("DELETED", "b", 13))]), "DELETE")
    assert events == FIRST + ["PUT n/b rv=11", "PUT n/b rv=12", "DELETE n/b rv=13"]
    assert versions(exchanges) == ["list 0", "watch 10"]
    query = exchanges[1].query
    assert query["allowWatchBookmarks"] == "true" and 300 <= int(query["timeoutSeconds"]) <= 600
    assert exchanges[1].headers["accept-encoding"] == "identity"
    assert tool.metric("llmd_tracing_watch_events_total", type="put") == 2
    assert tool.metric("rest_client_requests_total", code="200", method="GET") == 2
    assert tool.metric("rest_client_request_duration_seconds_count") == 0


def test_scope_and_selectors(pki, tmp_path):
    _, exchanges, _ = watch(pki, tmp_path, serve([gives(10)], [streams(event("ADDED", "b", 11))]), "PUT",
                            words=("apps/v1", "deployments", "-n", "team a", "-l", "a in (b,c)", "-f", "metadata.name=x",
                                   "--metadata"))
    for exchange, suffix in zip(exchanges, ("List", "")):
        assert exchange.path == "/apis/apps/v1/namespaces/team%20a/deployments"
        assert exchange.query["labelSelector"] == "a in (b,c)" and exchange.query["fieldSelector"] == "metadata.name=x"
        assert exchange.headers["accept"].startswith(
            f"application/json;as=PartialObjectMetadata{suffix};g=meta.k8s.io;v=v1")


def test_pages(pki, tmp_path):
    events, exchanges, _ = watch(pki, tmp_path, serve([
        gives(10, A, **{"continue": "x/="}), gives(10, **{"continue": "y"}), gives(10, item("b", 6))], [streams()]),
        "LIST_END")
    assert events == ["LIST_BEGIN reset=0", "LIST_ITEM n/a rv=5", "LIST_ITEM n/b rv=6", "LIST_END rv=10"]
    assert [e.query.get("continue") for e in exchanges[:3]] == [None, "x/=", "y"]
    assert "resourceVersion" not in exchanges[1].query and exchanges[1].query["limit"] == "500"


def test_events_in_single_bytes(pki, tmp_path):
    text = "".join(json.dumps(event("ADDED", name, 11 + i)) + "\n" for i, name in enumerate("bcd"))

    def script(exchange):
        exchange.head()
        for byte in text.encode():
            exchange.chunk(bytes([byte]))
        exchange.hold()
    events, _, _ = watch(pki, tmp_path, serve([gives(10, A)], [script]), "PUT n/d")
    assert events == FIRST + ["PUT n/b rv=11", "PUT n/c rv=12", "PUT n/d rv=13"]


@pytest.mark.parametrize("end", [
    lambda e: (e.chunk('{"type":"ADDED","object":{"metada'), e.cut()),
    lambda e: (e.chunk('{"type":"ADDED","object":{"metada'), e.end()),
    lambda e: (e.send("40\r\n{\"type\":"), e.cut()),
    lambda e: e.reset(),
    lambda e: e.end(),
], ids=["inside an event", "inside an event, cleanly", "inside a chunk", "reset", "cleanly"])
def test_a_watch_that_ends(pki, tmp_path, end):
    """F1, F2: it goes on from the last event; no list, nothing lost, nothing twice."""
    events, exchanges, _ = watch(pki, tmp_path, serve([gives(10, A)], [
        streams(event("ADDED", "b", 11), end=end), resumes(event("ADDED", "b", 11), event("ADDED", "c", 12))]), "PUT n/c")
    assert [e for e in events if not e.startswith(("TROUBLE", "ALIVE"))] == FIRST + ["PUT n/b rv=11", "PUT n/c rv=12"]
    # A reset may destroy what has arrived but was not read.
    assert versions(exchanges) in (["list 0", "watch 10", "watch 11"], ["list 0", "watch 10", "watch 10"])


@pytest.mark.parametrize("gone", [streams(ERROR_410), refuses(410, "Expired"), refuses(410, "Gone")],
                         ids=["event", "HTTP", "HTTP, old"])
def test_gone(pki, tmp_path, gone):
    """F5, F6: both shapes of 410."""
    events, exchanges, _ = watch(pki, tmp_path, serve([gives(10, A), gives(20, item("b", 15))], [gone, streams()]),
                                 "LIST_END rv=10", "LIST_END rv=20")
    assert events == FIRST + ["LIST_BEGIN reset=0", "LIST_ITEM n/b rv=15", "LIST_END rv=20"]
    assert versions(exchanges)[:3] == ["list 0", "watch 10", "list 10"]


def test_etcd_restored(pki, tmp_path):
    """F21: the newest list is older than what was seen."""
    too_large = refuses(504, "Timeout", causes=[{"reason": "ResourceVersionTooLarge"}])
    events, exchanges, tool = watch(pki, tmp_path, serve([gives(10, A), too_large, gives(7, A)], [refuses(410, "Expired"), streams()]),
                                 "LIST_END rv=7")
    assert events == FIRST + ["LIST_BEGIN reset=1", "LIST_ITEM n/a rv=5", "LIST_END rv=7"]
    assert versions(exchanges)[:4] == ["list 0", "watch 10", "list 10", "list -"]
    assert any("resourceVersions went back" in line for line in tool.log)


def test_429_on_a_watch(pki, tmp_path):
    """F9: the server's time, no list."""
    events, exchanges, _ = watch(pki, tmp_path, serve([gives(10, A)], [
        refuses(429, "TooManyRequests", headers={"Retry-After": "1"}), streams(event("ADDED", "b", 11))]), "PUT")
    assert events == FIRST + ["TROUBLE no", "ALIVE", "PUT n/b rv=11"]
    assert versions(exchanges) == ["list 0", "watch 10", "watch 10"]


def test_a_list_that_breaks_off(pki, tmp_path):
    def half(exchange):
        text = json.dumps(listing(10, A, item("b", 6)))
        exchange.head()
        exchange.chunk(text[:-30])
        exchange.cut()
    events, _, _ = watch(pki, tmp_path, serve([half, gives(10, A)], [streams()]), "LIST_END")
    assert events[:3] == ["LIST_BEGIN reset=0", "LIST_ITEM n/a rv=5", "LIST_ABORT"]
    assert events[3].startswith("TROUBLE") and events[4:] == ["ALIVE"] + FIRST


def test_a_watch_that_is_compressed(pki, tmp_path):
    """F42: a clear error, and asked again without compression."""
    def zipped(exchange):
        exchange.head(headers={"Content-Encoding": "gzip"})
        exchange.chunk(gzip.compress(json.dumps(event("ADDED", "b", 11)).encode()))
        exchange.hold()
    events, exchanges, _ = watch(pki, tmp_path, serve([gives(10, A)], [zipped, streams(event("ADDED", "b", 11))]), "PUT")
    assert events[:3] == FIRST and "compressed its answer" in events[3] and events[-1] == "PUT n/b rv=11"
    assert {e.headers["accept-encoding"] for e in exchanges} == {"identity"}


def test_the_server_restarts(pki, tmp_path):
    """F10: connections are refused for a while; the watch goes on where it was, without a list."""
    first = FakeApi(pki, serve([gives(10, A)], [streams(event("ADDED", "b", 11))]))
    with Watch(write_kubeconfig(tmp_path, first), "v1", "configmaps") as tool:
        tool.wait_for("PUT n/b")
        first.stop()
        tool.wait_for("PUT n/b", "TROUBLE")
        with FakeApi(pki, serve([], [streams(event("ADDED", "c", 12))]), port=first.port) as second:
            tool.wait_for("PUT n/c")
            events = tool.stop()
    assert [e for e in events if not e.startswith("TROUBLE")] == FIRST + ["PUT n/b rv=11", "ALIVE", "PUT n/c rv=12"]
    assert versions(second.exchanges) == ["watch 11"]


def test_absent_until_kicked(pki, tmp_path):
    """F23"""
    absent = lambda exchange: exchange.reply("404 page not found\n", 404, {"Content-Type": "text/plain"})
    with FakeApi(pki, serve([absent, gives(10, A)], [streams()])) as api:
        with Watch(write_kubeconfig(tmp_path, api), "x.io/v1", "xs") as tool:
            tool.wait_for("ABSENT")
            tool.kick()
            tool.wait_for("LIST_END")
            events = tool.stop()
    assert events == ["ABSENT 404 page not found", "ALIVE"] + FIRST


def test_denied(pki, tmp_path):
    """F24"""
    events, _, _ = watch(pki, tmp_path, serve([refuses(403, "Forbidden", "no list for you")], []), "DENIED")
    assert events == ["DENIED no list for you"]


def test_nonsense_between_events(pki, tmp_path):
    """F18"""
    events, _, tool = watch(pki, tmp_path, serve([gives(10, A)], [
        streams({"type": "STRANGE", "object": A}, {"object": A}, {"type": "ADDED", "object": {"metadata": {}}},
                event("ADDED", "b", 11))]), "PUT")
    assert events == FIRST + ["PUT n/b rv=11"]
    assert tool.metric("llmd_tracing_watch_skipped_total") == 3


def test_an_item_beyond_the_ceiling(pki, tmp_path):
    """F31: skipped, counted, and the rest comes."""
    events, _, tool = watch(pki, tmp_path, serve([gives(10, item("big", 4, data="x" * (17 << 20)), A)], [
        streams({"type": "ADDED", "object": item("big", 11, data="x" * (17 << 20))}, event("ADDED", "b", 12))]), "PUT")
    assert events == FIRST + ["PUT n/b rv=12"]
    assert tool.metric("llmd_tracing_watch_skipped_total", reason="list item too large") == 1
    assert tool.metric("llmd_tracing_watch_skipped_total", reason="event too large") == 1


def test_a_streaming_list(pki, tmp_path):
    events, exchanges, _ = watch(pki, tmp_path, serve([], [streams(
        event("ADDED", "a", 5), bookmark(10, **{"k8s.io/initial-events-end": "true"}), event("ADDED", "b", 11))]), "PUT",
        words=("v1", "configmaps", "--streaming"))
    assert events == FIRST + ["PUT n/b rv=11"]
    assert exchanges[0].query["sendInitialEvents"] == "true"
    assert exchanges[0].query["resourceVersionMatch"] == "NotOlderThan"


@pytest.mark.parametrize("first", [refuses(422, "Invalid"), refuses(400, "BadRequest"),
                                   streams(event("ADDED", "a", 5), bookmark(9))], ids=["422", "400", "ignored"])
def test_a_streaming_list_that_the_server_does_not_have(pki, tmp_path, first):
    """F14"""
    events, exchanges, _ = watch(pki, tmp_path, serve([gives(10, A)], [first, streams()]), "LIST_END",
                                 words=("v1", "configmaps", "--streaming"))
    assert events[-3:] == FIRST
    assert versions(exchanges)[:2] == ["watch 0", "list 0"]


def test_zz_silence_is_noticed(silence):
    """F12, F13: a bookmark, then not a byte while the connection stays up: a new one within a minute and a half.

    The watch began with the session, so most of the waiting has passed beside the other tests.
    """
    silence.watch.wait_for("LIST_END", "TROUBLE", "ALIVE", timeout=120)
    events = silence.watch.stop()
    assert events[:2] == ["LIST_BEGIN reset=0", "LIST_END rv=10"]
    assert events[2].startswith("TROUBLE not a byte for ") and events[3] == "ALIVE"
    watches = [e for e in silence.api.exchanges if e.is_watch]
    assert versions(watches[:2]) == ["watch 10", "watch 20"]
    assert watches[0].connection != watches[1].connection
