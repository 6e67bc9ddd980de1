# SPDX-License-Identifier: Apache-2.0
"""Which kinds are served: both forms of discovery, their failures, and a CRD that comes and goes."""
import threading

from fake_api import FakeApi
from tools import Tool, item, listing, write_kubeconfig

KINDS = ("/services/v1", "a.io/as/v1,v1beta1", "b.io/bs/v1")


def aggregated(**served):
    """a_io={"v1": ["as"]}; a version whose value is None is stale."""
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": [
        {"metadata": {"name": group.replace("_", ".")}, "versions": [
            {"version": version, "freshness": "Stale" if resources is None else "Current",
             "resources": [{"resource": r} for r in resources or []]} for version, resources in versions.items()]}
        for group, versions in served.items()]}


def crd(name, version):
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def discovery(folder, api, *words):
    return Tool("discovery_tool", "--kubeconfig", write_kubeconfig(folder, api), *words, *KINDS)


def test_aggregated(pki, tmp_path):
    with FakeApi(pki, lambda e: e.reply(aggregated(a_io={"v1beta1": ["as"], "v2": ["as"]}))) as api:
        with discovery(tmp_path, api) as tool:
            tool.wait_for("/services")
            assert tool.stop() == ["/services=v1 a.io/as=v1beta1 b.io/bs=absent"]
    assert [e.path for e in api.exchanges] == ["/apis"]
    assert "as=APIGroupDiscoveryList" in api.exchanges[0].headers["accept"]


def test_a_server_without_the_aggregated_form(pki, tmp_path):
    def old(exchange):
        if exchange.path == "/apis":
            exchange.reply({"kind": "APIGroupList", "groups": [
                {"name": "a.io", "versions": [{"version": "v1beta1"}, {"version": "v1"}]}]})
        elif exchange.path == "/apis/a.io/v1beta1":
            exchange.reply({"kind": "APIResourceList", "groupVersion": "a.io/v1beta1", "resources": [{"name": "as"}]})
        else:
            exchange.refuse(404, "NotFound")
    with FakeApi(pki, old) as api:
        with discovery(tmp_path, api) as tool:
            tool.wait_for("/services")
            assert tool.stop() == ["/services=v1 a.io/as=v1beta1 b.io/bs=absent"]
    assert [e.path for e in api.exchanges] == ["/apis", "/apis/a.io/v1", "/apis/a.io/v1beta1"]


def test_what_is_stale_or_fails_stays_as_it_was(pki, tmp_path):
    answers = [lambda e: e.reply(aggregated(a_io={"v1": ["as"]})), lambda e: e.reply(aggregated(a_io={"v1": None})),
               lambda e: e.refuse(500, "InternalError"), lambda e: e.reply("<html>"),
               lambda e: e.reply(aggregated(a_io={"v1beta1": ["as"]}))]
    with FakeApi(pki, lambda e: answers[e.number - 1](e)) as api:
        with discovery(tmp_path, api) as tool:
            tool.wait_for("/services")
            for asked in range(2, 6):
                tool.kick()
                api.wait_for(lambda exchanges, n=asked: len(exchanges) == n, f"question {asked}")
            tool.wait_for("/services", "/services")
            lines = tool.stop()
    assert lines == ["/services=v1 a.io/as=v1 b.io/bs=absent", "/services=v1 a.io/as=v1beta1 b.io/bs=absent"]
    assert sum("cannot tell which kinds are served" in line for line in tool.log) == 2


def test_a_crd_comes_and_goes(pki, tmp_path):
    """F23: its watch says when; while nothing happens nothing is asked."""
    served = {"v1": []}

    def script(exchange):
        if exchange.path == "/apis":
            exchange.reply(aggregated(a_io=dict(served)))
        elif not exchange.is_watch:
            exchange.reply(listing(10, crd("others.z.io", 5)))
        else:
            exchange.head()
            exchange.events({"type": "ADDED", "object": crd("others.z.io", 11)})
            served["v1"] = ["as"]
            exchange.events({"type": "ADDED", "object": crd("as.a.io", 12)})
            exchange.api.wait_for(lambda exchanges: went.is_set(), "the first answer")
            served["v1"] = []
            exchange.events({"type": "DELETED", "object": crd("as.a.io", 13)})
            exchange.hold()

    went = threading.Event()
    with FakeApi(pki, script) as api:
        with discovery(tmp_path, api, "--cluster") as tool:
            tool.wait_for("/services=v1 a.io/as=v1 ")
            with api.changed:
                went.set()
                api.changed.notify_all()
            tool.wait_for("/services=v1 a.io/as=v1 ", "/services=v1 a.io/as=absent")
            lines = tool.stop()
    assert lines[-2:] == ["/services=v1 a.io/as=v1 b.io/bs=absent", "/services=v1 a.io/as=absent b.io/bs=absent"]
    watched = [e for e in api.exchanges if "customresourcedefinitions" in e.path]
    assert all("PartialObjectMetadata" in e.headers["accept"] for e in watched)


def test_no_right_to_watch_crds(pki, tmp_path):
    def script(exchange):
        if exchange.path == "/apis":
            exchange.reply(aggregated(a_io={"v1": ["as"]}))
        else:
            exchange.refuse(403, "Forbidden")
    with FakeApi(pki, script) as api:
        with discovery(tmp_path, api, "--cluster") as tool:
            tool.wait_for("/services")
            api.wait_for(lambda exchanges: any("customresource" in e.path for e in exchanges), "the list of CRDs")
            assert tool.stop() == ["/services=v1 a.io/as=v1 b.io/bs=absent"]
