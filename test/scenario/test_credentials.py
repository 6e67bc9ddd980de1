# SPDX-License-Identifier: Apache-2.0
"""Tokens, certificates and plugins that change, expire, break or are refused while the client runs."""
import base64
import json
import os
import stat

import pytest
from fake_api import FakeApi
from tools import Watch, fails_to_start, item, listing, requests, write_kubeconfig

PATCH = ("PATCH", "/x", "application/merge-patch+json", '{"a":1}')


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return str(path)


def wants(token):
    """Answers only to that token."""
    def script(exchange):
        if exchange.headers.get("authorization") == f"Bearer {token}":
            exchange.reply({"kind": "X"})
        else:
            exchange.refuse(401, "Unauthorized", "Unauthorized")
    return script


def statuses(done):
    return [r.status for r in done.results]


def test_a_token(pki, tmp_path):
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user={"token": "t"}), "GET", "/x")
    assert statuses(done) == ["OK"] and "Bearer" not in done.log


def test_a_token_file_wins_over_a_token(pki, tmp_path):
    with FakeApi(pki, wants("file")) as api:
        path = write(tmp_path / "token", " file\n")
        done = requests(write_kubeconfig(tmp_path, api, user={"token": "t", "tokenFile": path}), "GET", "/x")
    assert statuses(done) == ["OK"]


def test_a_token_stands_in_for_an_absent_file(pki, tmp_path):
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user={"token": "t", "tokenFile": str(tmp_path / "no")}), "GET", "/x")
    assert statuses(done) == ["OK"]


@pytest.mark.parametrize("words", [("GET", "/x"), PATCH], ids=["GET", "PATCH"])
def test_a_token_rotated_under_us(pki, tmp_path, words):
    """F25: a 401 makes the file be read anew, and the request goes out once more on a new connection."""
    path = write(tmp_path / "token", "old")

    def rotate(exchange):
        if exchange.number == 1:
            exchange.reply({"kind": "X"})
            return
        if exchange.number == 2:
            write(path, "new")
        wants("new")(exchange)

    with FakeApi(pki, rotate) as api:
        done = requests(write_kubeconfig(tmp_path, api, user={"tokenFile": path}), "GET", "/first", *words)
    assert statuses(done) == ["OK", "OK"]
    tokens = [e.headers["authorization"] for e in api.exchanges]
    assert tokens == ["Bearer old", "Bearer old", "Bearer new"]
    assert api.exchanges[1].connection != api.exchanges[2].connection
    assert done.metric("rest_client_requests_total", code="401") == 1


@pytest.mark.parametrize("user", [{"token": "old"}, "file", {}], ids=["static", "unchanged file", "none"])
def test_a_401_without_anything_newer_is_final(pki, tmp_path, user):
    user = {"tokenFile": write(tmp_path / "token", "old")} if user == "file" else user
    with FakeApi(pki, wants("new")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=user), "GET", "/x", *PATCH)
    assert [(r.status, r.code, r.error) for r in done.results] == [
        ("Denied", 401, "GET /x: Unauthorized"), ("Denied", 401, "PATCH /x: Unauthorized")]
    assert len(api.exchanges) == 2


@pytest.mark.parametrize("content", ["", " \n", "a\nb", None], ids=["empty", "blank", "two lines", "gone"])
def test_a_bad_token_file_never_replaces_a_good_token(pki, tmp_path, content):
    path = write(tmp_path / "token", "old")

    def spoil(exchange):
        if exchange.number == 1:
            if content is None:
                os.remove(path)
            else:
                write(path, content)
            exchange.refuse(401, "Unauthorized")
            return
        wants("old")(exchange)

    with FakeApi(pki, spoil) as api:
        done = requests(write_kubeconfig(tmp_path, api, user={"tokenFile": path}), "GET", "/x", "GET", "/x")
    assert statuses(done) == ["Denied", "OK"]
    assert done.log.count("keeping the credential that was read before") == 1


def test_files_that_are_absent_or_bad_at_the_start(pki, tmp_path):
    with FakeApi(pki, wants("t")) as api:
        for cluster, user, words in [
                (None, {"tokenFile": "/no/token"}, "read the token: /no/token: no such file or directory"),
                ({"certificate-authority": "/no/ca"}, {}, "read the certificate authority: /no/ca: no such file"),
                ({"certificate-authority": write(tmp_path / "ca", "junk")}, {}, "no whole PEM CERTIFICATE in it"),
                (None, {"tokenFile": write(tmp_path / "t", "")}, "t: empty")]:
            log = fails_to_start(write_kubeconfig(tmp_path, api, cluster, user), "GET", "/x")
            assert words in log and "use context c of " in log


def test_in_a_pod(pki, tmp_path):
    write(tmp_path / "token", "t\n")
    write(tmp_path / "ca.crt", open(pki.ca[0], encoding="utf-8").read())
    with FakeApi(pki, wants("t")) as api:
        done = requests(("--pod-dir", str(tmp_path), "127.0.0.1", str(api.port)), "GET", "/x")
    assert statuses(done) == ["OK"]


def test_a_watch_that_is_refused_reads_the_token_anew(pki, tmp_path):
    path = write(tmp_path / "token", "old")

    def script(exchange):
        if exchange.number == 1:
            assert exchange.headers["authorization"] == "Bearer old"
            write(path, "new")
            exchange.reply(listing(10, item("a", 5)))
        elif exchange.headers["authorization"] == "Bearer old":
            exchange.refuse(401, "Unauthorized")
        else:
            exchange.head()
            exchange.events({"type": "ADDED", "object": item("b", 11)})
            exchange.hold()

    with FakeApi(pki, script) as api:
        with Watch(write_kubeconfig(tmp_path, api, user={"tokenFile": path}), "v1", "configmaps") as watch:
            watch.wait_for("LIST_END rv=10", "PUT n/b")
            events = watch.stop()
    assert events == ["LIST_BEGIN reset=0", "LIST_ITEM n/a rv=5", "LIST_END rv=10", "PUT n/b rv=11"]


def as_client(name):
    def script(exchange):
        exchange.reply({"kind": "X"}) if exchange.client_name == name else exchange.refuse(401, "Unauthorized")
    return script


def test_client_certificates_from_files_and_data(pki, tmp_path):
    cert, key = pki.leaf("alice")
    data = {name: base64.b64encode(open(path, "rb").read()).decode()
            for name, path in (("client-certificate-data", cert), ("client-key-data", key))}
    with FakeApi(pki, as_client("alice")) as api:
        for user in ({"client-certificate": cert, "client-key": key}, data):
            assert statuses(requests(write_kubeconfig(tmp_path, api, user=user), "GET", "/x")) == ["OK"]


def test_a_client_certificate_that_was_rotated(pki, tmp_path):
    cert, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def install(name):
        for source, target in zip(pki.leaf(name), (cert, key)):
            write(target, open(source, encoding="utf-8").read())

    def rotate(exchange):
        if exchange.number == 1:
            install("bob")
        as_client("bob")(exchange)

    install("alice")
    with FakeApi(pki, rotate) as api:
        done = requests(write_kubeconfig(tmp_path, api, user={"client-certificate": str(cert), "client-key": str(key)}),
                        "GET", "/x")
    assert statuses(done) == ["OK"] and [e.client_name for e in api.exchanges] == ["alice", "bob"]


def test_a_certificate_authority_that_was_rotated(pki, tmp_path):
    """F26: the server comes back with a certificate of another CA; the file has it too."""
    ca = tmp_path / "ca.crt"
    write(ca, open(pki.ca[0], encoding="utf-8").read())

    def rotate(exchange):
        if exchange.number == 1:
            exchange.api.set_certificate(pki.leaf("server2", pki.other_ca))
            write(ca, open(pki.other_ca[0], encoding="utf-8").read())
        exchange.reply({"kind": "X"}, headers={"Connection": "close"})

    with FakeApi(pki, rotate) as api:
        done = requests(write_kubeconfig(tmp_path, api, {"certificate-authority": str(ca)}), "GET", "/1", "GET", "/2")
    assert statuses(done) == ["OK", "OK"] and api.refused_handshakes == 1


@pytest.mark.parametrize("content", ["", "junk", "-----BEGIN CERTIFICATE-----\nMIIB"], ids=["empty", "junk", "half"])
def test_a_bad_certificate_authority_never_replaces_a_good_one(pki, tmp_path, content):
    ca = tmp_path / "ca.crt"
    good, bad = pki.leaf("server"), pki.leaf("server2", pki.other_ca)
    write(ca, open(pki.ca[0], encoding="utf-8").read())

    def spoil(exchange):
        if exchange.number == 1:
            write(ca, content)
            exchange.api.set_certificate(bad)
        exchange.reply({"kind": "X"}, headers={"Connection": "close"})

    with FakeApi(pki, spoil, good) as api:
        original = api._serve

        def serve(sock, connection):
            original(sock, connection)
            if api.refused_handshakes:  # the file was looked at; now the old CA is right again
                api.set_certificate(good)
        api._serve = serve
        done = requests(write_kubeconfig(tmp_path, api, {"certificate-authority": str(ca)}), "GET", "/1", "GET", "/2")
    assert statuses(done) == ["OK", "OK"]
    assert "no whole PEM CERTIFICATE" in done.log or "keeping the credential" in done.log


def test_a_server_of_another_ca(pki, tmp_path):
    with FakeApi(pki, wants("t"), pki.leaf("stranger", pki.other_ca)) as api:
        done = requests(write_kubeconfig(tmp_path, api), *PATCH)
        assert statuses(done) == ["Retry"] and "certificate" in done.results[0].error
        assert not done.results[0].ambiguous, "nothing was sent"
        insecure = write_kubeconfig(tmp_path, api, {"insecure-skip-tls-verify": True}, {"token": "t"})
        assert statuses(requests(insecure, *PATCH)) == ["OK"]


def test_tls_server_name(pki, tmp_path):
    with FakeApi(pki, lambda e: e.reply({"kind": "X"}), pki.leaf("internal", san="DNS:api.internal")) as api:
        cluster = {"certificate-authority": pki.ca[0]}
        refused = requests(write_kubeconfig(tmp_path, api, cluster), "PATCH", "/x", "a/b", "{}")
        assert statuses(refused) == ["Retry"] and "SSL" in refused.results[0].error
        named = requests(write_kubeconfig(tmp_path, api, {**cluster, "tls-server-name": "api.internal"}), "GET", "/x")
        assert statuses(named) == ["OK"]
    exchange = api.exchanges[0]
    assert exchange.server_name == "api.internal"
    assert exchange.headers["host"] == f"127.0.0.1:{api.port}"


class Plugin:
    """A credential plugin: a script that notes its runs and prints what `answer` holds."""

    def __init__(self, folder, version="v1", **exec_more):
        self.runs_path, self.answer_path = folder / "runs", folder / "answer"
        self.version = "client.authentication.k8s.io/" + version
        script = folder / "plugin"
        write(script, f'#!/bin/sh\nprintf "%s %s %s\\n" "$1" "$EXTRA" "$KUBERNETES_EXEC_INFO" >> {self.runs_path}\n'
                      f'cat {self.answer_path}\n')
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        self.user = {"exec": {"apiVersion": self.version, "command": "./plugin", "args": ["arg"],
                              "interactiveMode": "IfAvailable", "env": [{"name": "EXTRA", "value": "e"}], **exec_more}}

    def answer(self, **status):
        write(self.answer_path, json.dumps({"kind": "ExecCredential", "apiVersion": self.version, "status": status}))

    def runs(self):
        return open(self.runs_path, encoding="utf-8").read().splitlines() if self.runs_path.exists() else []


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_plugin_runs_once_for_many_requests(pki, tmp_path, version):
    plugin = Plugin(tmp_path, version, provideClusterInfo=True)
    plugin.answer(token="t", expirationTimestamp="2999-01-01T00:00:00Z")
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), "*20", "GET", "/x", *PATCH)
    assert set(statuses(done)) == {"OK"} and len(done.results) == 21
    assert len(plugin.runs()) == 1
    arg, extra, info = plugin.runs()[0].split(" ", 2)
    assert (arg, extra) == ("arg", "e")
    info = json.loads(info)
    assert info["kind"] == "ExecCredential" and info["apiVersion"] == plugin.version
    assert base64.b64decode(info["spec"]["cluster"]["certificate-authority-data"]) == open(pki.ca[0], "rb").read()
    assert info["spec"]["interactive"] is False and info["spec"]["cluster"]["server"] == api.url


def test_a_plugin_s_certificate(pki, tmp_path):
    cert, key = (open(path, encoding="utf-8").read() for path in pki.leaf("carol"))
    plugin = Plugin(tmp_path)
    plugin.answer(clientCertificateData=cert, clientKeyData=key)
    with FakeApi(pki, as_client("carol")) as api:
        assert statuses(requests(write_kubeconfig(tmp_path, api, user=plugin.user), "GET", "/x")) == ["OK"]


def test_a_401_runs_the_plugin_again_but_not_for_ever(pki, tmp_path):
    plugin = Plugin(tmp_path)
    plugin.answer(token="old")

    def script(exchange):
        plugin.answer(token="new")
        wants("new" if exchange.path == "/good" else "never")(exchange)

    with FakeApi(pki, script) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), "GET", "/good", "GET", "/bad", "GET", "/bad")
    assert statuses(done) == ["OK", "Denied", "Denied"]
    assert len(plugin.runs()) == 2


def test_an_expired_credential_is_renewed(pki, tmp_path):
    plugin = Plugin(tmp_path)
    plugin.answer(token="t", expirationTimestamp="2001-01-01T00:00:00Z")
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), "GET", "/x", "GET", "/x", "GET", "/x")
    assert statuses(done) == ["OK", "OK", "OK"]
    assert len(plugin.runs()) == 1, "born expired: not run again and again"


@pytest.mark.parametrize("answer, words", [
    ("junk", "its output is not an ExecCredential"),
    ("", "run credential plugin"),
    ('{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}}', "neither a token nor"),
])
def test_a_plugin_that_prints_nonsense(pki, tmp_path, answer, words):
    plugin = Plugin(tmp_path)
    write(plugin.answer_path, answer)
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), *PATCH)
    assert done.results[0].status != "OK" and words in done.results[0].error and not api.exchanges


def test_a_plugin_that_fails(pki, tmp_path):
    plugin = Plugin(tmp_path)
    write(tmp_path / "plugin", "#!/bin/sh\necho 'log in first' >&2\nexit 3\n")
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), *PATCH)
    assert done.results[0].status == "Denied"
    assert done.results[0].error.endswith("plugin: exit code 3: log in first")


def test_a_plugin_that_takes_too_long_for_the_request(pki, tmp_path):
    """The request ends in its time, and the plugin with the client."""
    plugin = Plugin(tmp_path)
    write(tmp_path / "plugin", "#!/bin/sh\nexec sleep 1000\n")
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), *PATCH, options=("--timeout", "300"))
    assert done.results[0].status == "Retry" and done.results[0].error == "PATCH /x: no answer in time"
    assert not api.exchanges


@pytest.mark.parametrize("more, advice", [({}, "install it, or correct"), ({"installHint": "get it there"}, "get it there")])
def test_a_plugin_that_is_not_installed(pki, tmp_path, more, advice):
    plugin = Plugin(tmp_path, command="no-such-plugin", **more)
    with FakeApi(pki, wants("t")) as api:
        done = requests(write_kubeconfig(tmp_path, api, user=plugin.user), *PATCH)
    assert done.results[0].status == "Denied" and f"no-such-plugin: no such file or directory ({advice}" in done.results[0].error
