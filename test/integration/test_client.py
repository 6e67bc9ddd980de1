# SPDX-License-Identifier: Apache-2.0
"""The client (k8sclient/) alone against the real API server, by its tools."""
import json
import os
import sys

import pytest

from cluster import OWN_CRDS, ROOT
from waiting import wait_for

sys.path.insert(0, os.path.join(ROOT, "test/scenario"))

from tools import Tool, Watch, requests  # noqa: E402

COUNT = 1000
WIDGETS = {"metadata": {"name": "widgets.client.test"},
           "spec": {"group": "client.test", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


def state(lines):
    """What a store would hold after these events: name to resourceVersion."""
    store, listed = {}, None
    for line in lines:
        word, *rest = line.split(" ")
        if word == "LIST_BEGIN":
            assert listed is None, "a list inside a list"
            listed = {}
        elif word == "LIST_ITEM":
            listed[rest[0]] = rest[1].removeprefix("rv=")
        elif word == "LIST_ABORT":
            listed = None
        elif word == "LIST_END":
            store, listed = listed, None
        elif word == "PUT":
            store[rest[0]] = rest[1].removeprefix("rv=")
        elif word == "DELETE":
            store.pop(rest[0], None)
    return store


def actual(cluster, namespace):
    return {f"{namespace}/{o['metadata']['name']}": o["metadata"]["resourceVersion"]
            for o in cluster.api.list("configmap", namespace)}


def configmap(name, value="x"):
    return {"metadata": {"name": name}, "data": {"value": value}}


def churn(cluster, namespace, first, count):
    """Makes, changes and deletes; the last of each is left."""
    for i in range(first, first + count):
        cluster.api.create("configmap", configmap(f"c{i}"), namespace)
        cluster.api.merge("configmap", f"c{i}", namespace, {"data": {"value": "y"}})
        if i % 2:
            cluster.api.delete("configmap", f"c{i}", namespace)


@pytest.mark.parametrize("words", [(), ("--streaming",), ("--metadata",)], ids=["list", "streaming list", "metadata"])
def test_a_thousand_objects(cluster, namespace, words):
    for i in range(COUNT):
        cluster.api.create("configmap", configmap(f"m{i}"), namespace)
    with Watch(cluster.kubeconfig, "v1", "configmaps", "-n", namespace, *words) as watch:
        watch.wait_for("LIST_END", timeout=60)
        assert state(watch.words()) == actual(cluster, namespace)
        churn(cluster, namespace, 0, 20)
        wait_for(lambda: state(watch.words()) == actual(cluster, namespace), what="the store follows")
        lines = watch.stop()
    assert sum(line.startswith("LIST_BEGIN") for line in lines) == 1
    assert watch.metric("llmd_tracing_watch_skipped_total") == 0
    assert watch.metric("rest_client_requests_total", code="200") == (1 if words == ("--streaming",) else 2)


def test_the_api_server_restarts(own_cluster):
    """Nothing is lost and nothing stays that is gone, over a quick and a slow restart."""
    cluster = own_cluster(crds=(OWN_CRDS,))
    with Watch(cluster.kubeconfig, "v1", "configmaps", "-n", "default") as watch:
        watch.wait_for("LIST_END")
        churn(cluster, "default", 0, 10)
        cluster.control("restart-apiserver")
        wait_for(lambda: cluster.api.list("namespace"), what="the API server answers")
        churn(cluster, "default", 10, 10)
        wait_for(lambda: state(watch.words()) == actual(cluster, "default"), 60, "the store after a restart")
        cluster.control("stop-apiserver")
        watch.wait_for("LIST_END", "TROUBLE")
        cluster.control("start-apiserver")
        wait_for(lambda: cluster.api.list("namespace"), what="the API server answers")
        churn(cluster, "default", 20, 10)
        wait_for(lambda: state(watch.words()) == actual(cluster, "default"), 60, "the store after a stop")
        watch.stop()


def test_a_kind_that_comes_late_and_goes(own_cluster):
    cluster = own_cluster(crds=(OWN_CRDS,))
    with Watch(cluster.kubeconfig, "client.test/v1", "widgets") as watch:
        watch.wait_for("ABSENT")
        cluster.api.create("customresourcedefinition", WIDGETS)
        wait_for(lambda: any(c["type"] == "Established" and c["status"] == "True" for c in cluster.api.get(
            "customresourcedefinition", "widgets.client.test").get("status", {}).get("conditions") or []), what="the kind is served")
        watch.kick()
        watch.wait_for("ABSENT", "LIST_END")
        cluster.api.request("POST", "/apis/client.test/v1/namespaces/default/widgets",
                            {"apiVersion": "client.test/v1", "kind": "Widget", "metadata": {"name": "w"}})
        watch.wait_for("PUT default/w")
        cluster.api.delete("customresourcedefinition", "widgets.client.test")
        watch.wait_for("PUT default/w", "DELETE default/w", "ABSENT", timeout=60)
        watch.stop()


def account(cluster, namespace, folder, user):
    """A kubeconfig of a ServiceAccount's token, and the token."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", "reader")
    token = cluster.kubectl("-n", namespace, "create", "token", "reader").strip()
    path = os.path.join(str(folder), "kubeconfig")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                   "clusters": [{"name": "k", "cluster": {"server": cluster.server, "certificate-authority": cluster.ca}}],
                   "users": [{"name": "u", "user": user(token)}]}, out)
    return path


def test_a_service_account_gets_its_right_late(cluster, namespace, tmp_path):
    config = account(cluster, namespace, tmp_path, lambda token: {"token": token})
    with Watch(config, "v1", "configmaps", "-n", namespace) as watch:
        watch.wait_for("DENIED")
        cluster.kubectl("-n", namespace, "create", "role", "reader", "--verb=list,watch", "--resource=configmaps")
        cluster.kubectl("-n", namespace, "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")

        def kicked():
            watch.kick()
            return any(line.startswith("LIST_END") for line in watch.words())
        wait_for(kicked, what="a list after the right was given")
        watch.stop()


def test_a_token_file_that_is_put_right(cluster, namespace, tmp_path):
    """The API server refuses the first token; a 401 is all it takes to find the new one."""
    token_file = tmp_path / "token"

    def user(token):
        token_file.write_text("not-a-token")
        user.good = token
        return {"tokenFile": str(token_file)}
    config = account(cluster, namespace, tmp_path, user)
    where = f"/api/v1/namespaces/{namespace}/configmaps"
    refused = requests(config, "GET", where)
    assert (refused.results[0].status, refused.results[0].code) == ("Denied", 401)
    token_file.write_text(user.good)
    allowed = requests(config, "GET", where)
    assert (allowed.results[0].code, allowed.results[0].reason) == (403, "Forbidden"), "known by now, but without rights"


def test_writes(cluster, namespace):
    where = f"/api/v1/namespaces/{namespace}/configmaps"
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", **configmap("w")})
    stale = json.dumps([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}])
    done = requests(cluster.kubeconfig, "POST", where, "application/json", body, "POST", where, "application/json", body,
                    "PATCH", where + "/w", "application/json-patch+json", stale,
                    "PATCH", where + "/w?fieldManager=t", "application/apply-patch+yaml", body,
                    "PATCH", where + "/w", "application/json-patch+json", '[{"op":"test","path":"/data/value","value":"no"}]',
                    "DELETE", where + "/w", "DELETE", where + "/w")
    assert [(r.status, r.code, r.reason) for r in done.results] == [
        ("OK", 201, ""), ("Conflict", 409, "AlreadyExists"), ("Conflict", 409, "Conflict"), ("OK", 200, ""),
        ("Invalid", 422, "Invalid"), ("OK", 200, ""), ("NotFound", 404, "NotFound")]
    assert not any(r.ambiguous for r in done.results)
