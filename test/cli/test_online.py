# SPDX-License-Identifier: Apache-2.0
"""Commands that talk to a cluster, where a real API server cannot be made to misbehave at will."""
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

import cli

sys.path.insert(0, os.path.join(cli.ROOT, "test/scenario"))

from fake_api import FakeApi  # noqa: E402
from tools import listing, write_kubeconfig  # noqa: E402

DENIED, UNREACHABLE, INTERRUPTED = 6, 7, 130
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


def injected(name, version="5"):
    """As the API server holds it."""
    tree = cli.inject(cli.dump(cli.deployment(name, "shop"))).documents()[0]
    tree["metadata"].update(uid="u-" + name, resourceVersion=version, generation=1)
    return tree


class Cluster:
    """A namespace `shop` with these Deployments; `hook(exchange)` may answer first, by returning True."""

    def __init__(self, deployments, hook=lambda exchange: False):
        self.deployments, self.hook = {d["metadata"]["name"]: d for d in deployments}, hook
        self.patches = []

    def __call__(self, exchange):
        if self.hook(exchange):
            return
        if exchange.path == "/version":
            exchange.reply({"major": "1", "minor": "37"})
        elif exchange.path == "/api/v1/namespaces/shop":
            exchange.reply({"kind": "Namespace", "metadata": {"name": "shop", "uid": "n", "resourceVersion": "1"}})
        elif exchange.path == DEPLOYMENTS:
            exchange.reply(listing(9, *self.deployments.values()))
        elif exchange.path.startswith(DEPLOYMENTS + "/"):
            self.answer_one(exchange, exchange.path.rsplit("/", 1)[1])
        else:
            exchange.refuse(404, "NotFound", "the server could not find the requested resource")

    def answer_one(self, exchange, name):
        held = self.deployments[name]
        if exchange.method == "PATCH":
            patch = json.loads(exchange.body)
            self.patches.append((name, patch))
            if patch[0]["value"] != held["metadata"]["resourceVersion"]:
                exchange.refuse(409, "Conflict", "the object has been modified")
                return
            held = {**held, "metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "10"}}
            self.deployments[name] = held
        exchange.reply(held)


def run(pki, folder, script, *args):
    with FakeApi(pki, script, pki.server) as api:
        result = cli.run(*args, "--kubeconfig", write_kubeconfig(folder, api))
        return result, [(e.method, e.target) for e in api.exchanges]


def uninject(pki, folder, script, *args):
    return run(pki, folder, script, "uninject", "--cluster", "-n", "shop", *args)


def test_a_conflict_is_read_and_planned_again(pki, tmp_path):
    cluster = Cluster([injected("decode")])
    cluster.deployments["decode"] = injected("decode", "6")  # somebody wrote after our list

    def stale(exchange):
        if exchange.path != DEPLOYMENTS:
            return False
        exchange.reply(listing(5, injected("decode", "5")))
        return True
    cluster.hook = stale
    result, _ = uninject(pki, tmp_path, cluster)
    assert (result.code, result.out.splitlines()[0]) == (cli.OK, "Deployment/shop/decode: taken back")
    assert [p[0]["value"] for _, p in cluster.patches] == ["5", "6"]


def test_a_conflict_that_does_not_end_is_told(pki, tmp_path):
    def conflict(exchange):
        if exchange.method != "PATCH":
            return False
        exchange.refuse(409, "Conflict", "the object has been modified")
        return True
    result, targets = uninject(pki, tmp_path, Cluster([injected("decode")], conflict))
    assert result.code == cli.DIFFERENT and "Deployment/shop/decode: left: Conflict" in result.out
    assert sum(method == "PATCH" for method, _ in targets) == 5


def test_a_list_that_expires_between_two_pages_begins_anew(pki, tmp_path):
    asked = []

    def pages(exchange):
        if exchange.path != DEPLOYMENTS:
            return False
        asked.append(exchange.query.get("continue"))
        if asked[-1] == "next" and len(asked) == 2:
            exchange.refuse(410, "Expired", "The provided continue parameter is too old")
        elif asked[-1] is None:
            exchange.reply(listing(9, injected("a"), **{"continue": "next"}))
        else:
            exchange.reply(listing(9, injected("b")))
        return True
    cluster = Cluster([injected("a"), injected("b")], pages)
    result, _ = uninject(pki, tmp_path, cluster)
    assert asked == [None, "next", None, "next"]
    assert result.code == cli.OK and result.out.splitlines()[-1].startswith("2 taken back")


def test_a_server_that_does_not_know_us(pki, tmp_path):
    result, targets = uninject(pki, tmp_path, lambda exchange: exchange.refuse(401, "Unauthorized", "Unauthorized"))
    assert result.code == DENIED and "does not accept the credentials" in result.err
    assert len(targets) == 1


def test_a_version_that_may_not_be_read_says_nothing_about_the_rest(pki, tmp_path):
    def refuse(exchange):
        if exchange.path != "/version":
            return False
        exchange.refuse(403, "Forbidden", "no")
        return True
    result, _ = uninject(pki, tmp_path, Cluster([injected("decode")], refuse))
    assert result.code == cli.OK and "1 taken back" in result.out


def test_nobody_listens(pki, tmp_path):
    with FakeApi(pki, lambda exchange: None, pki.server) as api:
        kubeconfig = write_kubeconfig(tmp_path, api)
    result = cli.run("uninject", "--cluster", "--kubeconfig", kubeconfig)
    assert result.code == UNREACHABLE and "cannot be reached" in result.err and kubeconfig in result.err


def test_ctrl_c_ends_a_wait(pki, tmp_path):
    with FakeApi(pki, lambda exchange: exchange.hold(), pki.server) as api:
        command = [cli.BINARY, "uninject", "--cluster", "--kubeconfig", write_kubeconfig(tmp_path, api)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            api.wait_for(lambda exchanges: exchanges, "the first request")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (INTERRUPTED, "") and "interrupted" in err


def test_ctrl_c_lets_a_write_end_and_begins_no_other(pki, tmp_path):
    started, release = [], threading.Event()

    def slow(exchange):
        if exchange.method == "PATCH":
            started.append(exchange.path)
            assert release.wait(20)
        return False
    with FakeApi(pki, Cluster([injected("a"), injected("b")], slow), pki.server) as api:
        command = [cli.BINARY, "uninject", "--cluster", "-n", "shop", "--kubeconfig", write_kubeconfig(tmp_path, api)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            api.wait_for(lambda exchanges: any(e.method == "PATCH" for e in exchanges), "a write")
            process.send_signal(signal.SIGINT)
            release.set()
            out, _ = process.communicate(timeout=20)
    assert process.returncode == INTERRUPTED and started == [DEPLOYMENTS + "/a"]
    assert out.splitlines()[0] == "Deployment/shop/a: taken back"


@pytest.mark.parametrize("args, words", [
    (("-f", "-"), ["--cluster reads no files"]),
    (("-R",), ["--cluster reads no files"]),
    (("-o", "yaml"), ["text or json"]),
    (("-A", "-n", "x"), ["only one of them"]),
])
def test_options_that_contradict_each_other(args, words):
    result = cli.run("uninject", "--cluster", *args)
    assert result.code == cli.INVALID
    for word in words:
        assert word in result.err


@pytest.mark.parametrize("option", ["-A", "--dry-run", "--force", "--context=x", "--kubeconfig=x"])
def test_options_of_a_cluster_alone(option):
    result = cli.run("uninject", "-f", "-", option)
    assert result.code == cli.INVALID and "--cluster" in result.err


def test_no_kubeconfig(tmp_path):
    env = {k: v for k, v in os.environ.items() if k not in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST")}
    done = subprocess.run([cli.BINARY, "uninject", "--cluster"], capture_output=True, text=True, env={**env, "HOME": str(tmp_path)})
    assert done.returncode == cli.NOT_FOUND and "--kubeconfig" in done.stderr
