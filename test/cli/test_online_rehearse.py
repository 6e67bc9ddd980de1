# SPDX-License-Identifier: Apache-2.0
"""`rehearse`: which pods it makes, what it makes of their ends, and that none of them stays."""
import json
import signal
import subprocess

import pytest

import cli
from test_online import INTERRUPTED, Cluster
from fake_api import FakeApi
from tools import listing, write_kubeconfig

PODS = "/api/v1/namespaces/shop/pods"
IMAGE = "mirror.corp/ai/engine@sha256:" + "ab" * 32
GOOD = json.dumps({"engine": "vllm", "installed": True, "version": "0.23.0", "flag": True, "missing": []})
BAD = json.dumps({"engine": "vllm", "installed": True, "version": "0.16.0", "flag": True, "missing": ["opentelemetry.sdk.trace: ModuleNotFoundError: x"]})
EPP_HELP = "Usage of epp:\n      --pool-name string\n      --drain-timeout duration\n      --tracing\n"


def ended(message="", code=0, **more):
    return {"phase": "Succeeded", "containerStatuses": [{"name": "rehearsal", "imageID": "x@sha256:" + "cd" * 32, "state": {
        "terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "message": message, **more}}}]}


class Shop(Cluster):
    """Pods that end as `status(pod)` says; `others` are there already."""

    def __init__(self, status=lambda pod: ended(GOOD), deployments=(), others=(), log="", refuse=None):
        super().__init__(deployments, self.answer)
        self.status, self.others, self.log, self.refuse = status, others, log, refuse
        self.made, self.deleted = {}, []

    def answer(self, exchange):
        name = exchange.path[len(PODS) + 1:]
        if not exchange.path.startswith(PODS):
            return False
        if exchange.method == "POST" and self.refuse:
            exchange.refuse(403, "Forbidden", self.refuse)
        elif exchange.method == "POST":
            pod = json.loads(exchange.body)
            self.made[pod["metadata"]["name"]] = pod
            exchange.reply(pod, 201)
        elif exchange.method == "DELETE":
            self.deleted.append(name)
            exchange.reply({})
        elif name.endswith("/log"):
            exchange.reply(self.log, headers={"Content-Type": "text/plain"})
        elif name:
            pod = self.made[name]
            exchange.reply({**pod, "status": self.status(pod)})
        else:
            exchange.reply(listing(1, *self.others))
        return True


def rehearse(pki, folder, shop, *args):
    with FakeApi(pki, shop, pki.server) as api:
        return cli.run("rehearse", "-n", "shop", *args, "--kubeconfig", write_kubeconfig(folder, api))


def one(pki, folder, shop, image=IMAGE, component="vllm"):
    result = rehearse(pki, folder, shop, "--image", image, "--component", component, "-o", "json")
    rows = json.loads(result.out)["images"]
    assert len(rows) == 1 and rows[0]["image"] == image and rows[0]["component"] == component
    return result.code, rows[0]


@pytest.mark.parametrize("component, status, log, code, verdict, words", [
    ("vllm", ended(GOOD), "", cli.OK, "Traceable", "vllm 0.23.0"),
    ("vllm", ended(BAD), "", cli.DIFFERENT, "LacksPackages", "opentelemetry.sdk.trace"),
    ("vllm", ended("", 1), "", cli.DIFFERENT, "Inconclusive", "ended with 1"),
    ("epp", ended(), EPP_HELP, cli.OK, "Traceable", "--tracing"),
    ("epp", ended(), EPP_HELP.replace("--tracing", "--other"), cli.DIFFERENT, "RefusesFlag", "no --tracing"),
    ("routing-proxy", ended("", 2), "Usage\n  --vllm-port string\n", cli.DIFFERENT, "RefusesFlag", "no --tracing"),
])
def test_each_end_has_its_verdict_and_leaves_no_pod(pki, tmp_path, component, status, log, code, verdict, words):
    shop = Shop(lambda pod: status, log=log)
    got, row = one(pki, tmp_path, shop, component=component)
    assert (got, row["verdict"]) == (code, verdict) and words in row["message"], row
    assert row["digest"] == "sha256:" + "cd" * 32
    assert len(shop.made) == 1 and shop.deleted == list(shop.made)


def test_every_image_of_the_namespace_once_where_it_already_is(pki, tmp_path):
    deployments = [cli.deployment(name, "shop", image=image, labels={"llm-d.ai/inference-serving": "true"})
                   for name, image in (("a", IMAGE), ("b", IMAGE), ("c", "mirror.corp/other:prod"))]
    for tree in deployments:
        tree["metadata"].update(uid="u", resourceVersion="5")
        tree["spec"]["template"]["metadata"] = {"labels": {"llm-d.ai/inference-serving": "true"}}
    others = [{"metadata": {"name": f"p{node}"}, "spec": {"nodeName": node, "containers": [{"name": "x", "image": image}]}, "status": {"phase": phase}}
              for node, image, phase in (("n1", IMAGE, "Running"), ("n1", IMAGE, "Running"), ("n2", IMAGE, "Pending"), ("n3", "other", "Running"))]
    shop = Shop(lambda pod: ended(GOOD), deployments, others)
    result = rehearse(pki, tmp_path, shop)
    assert result.code == cli.OK, result.out + result.err
    assert [line.split()[:3] for line in result.out.splitlines()[1::2]] == [["Traceable", "vllm", "Unverified"]] * 2, result.out
    assert "Deployment/a, Deployment/b" in result.out
    placed = {pod["spec"]["containers"][0]["image"]: pod["spec"].get("affinity") for pod in shop.made.values()}
    assert placed["mirror.corp/other:prod"] is None
    terms = placed[IMAGE]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [t["matchFields"][0]["values"] for t in terms] == [["n1"]]
    assert sorted(shop.deleted) == sorted(shop.made)


def test_one_workload_by_its_name(pki, tmp_path):
    trees = [cli.deployment(name, "shop", image="m/" + name, annotations={"tracing.llm-d.io/inject": "true"}) for name in ("a", "b")]
    for tree in trees:
        tree["metadata"].update(uid="u", resourceVersion="5")
    shop = Shop(deployments=trees)
    assert rehearse(pki, tmp_path, shop, "deployment/b").code == cli.OK
    assert [p["spec"]["containers"][0]["image"] for p in shop.made.values()] == ["m/b"]
    for words in ("deploy/b", "deployment.apps/b", "b"):
        shop = Shop(deployments=trees)
        assert rehearse(pki, tmp_path, shop, words).code == cli.OK, words
        assert [p["spec"]["containers"][0]["image"] for p in shop.made.values()] == ["m/b"], words
    assert rehearse(pki, tmp_path, Shop(deployments=trees), "sts/b").code == cli.NOT_FOUND
    result = rehearse(pki, tmp_path, Shop(deployments=trees), "c")
    assert result.code == cli.NOT_FOUND and "c is not there" in result.err


def test_what_the_api_server_refuses_is_told(pki, tmp_path):
    shop = Shop(refuse='pods "x" is forbidden: exceeded quota: small')
    code, row = one(pki, tmp_path, shop)
    assert (code, row["verdict"]) == (cli.DIFFERENT, "Inconclusive") and "exceeded quota: small" in row["message"]
    assert shop.deleted == []


def test_a_pod_that_was_left_behind_is_deleted(pki, tmp_path):
    def pod(name, time, **labels):
        return {"metadata": {"name": name, "creationTimestamp": time, "labels": labels}, "spec": {}, "status": {}}
    label = {"tracing.llm-d.io/rehearsal": "true"}
    shop = Shop(others=[pod("old", "2020-01-01T00:00:00Z", **label), pod("fresh", "2100-01-01T00:00:00Z", **label), pod("mine", "2020-01-01T00:00:00Z")])
    assert one(pki, tmp_path, shop)[0] == cli.OK
    assert sorted(shop.deleted) == sorted(["old", *shop.made])


def test_ctrl_c_deletes_the_pod(pki, tmp_path):
    shop = Shop(lambda pod: {"phase": "Running"})
    with FakeApi(pki, shop, pki.server) as api:
        command = [cli.BINARY, "rehearse", "-n", "shop", "--image", IMAGE, "--component", "vllm", "--kubeconfig", write_kubeconfig(tmp_path, api)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            api.wait_for(lambda exchanges: any(e.path.startswith(PODS + "/") for e in exchanges), "a look at the pod")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert process.returncode == INTERRUPTED and "interrupted" in err
    assert shop.deleted == list(shop.made) != []


def server(node, ready=True, **more):
    probe = {"readinessProbe": {"httpGet": {"path": "/health", "port": 8200}}}
    return {"metadata": {"name": "p0"}, "spec": {"nodeName": node, "containers": [{"name": "x", "image": IMAGE, **probe}]},
            "status": {"phase": "Running", "podIP": "10.0.0.7", "containerStatuses": [{"name": "x", "ready": ready, "imageID": "m/x@sha256:" + "ef" * 32}]}, **more}


class Asked(Shop):
    """One whose running server answers `said`, through the API server's proxy."""

    def __init__(self, said, **more):
        super().__init__(others=[server("n1")], **more)
        self.said, self.asked = said, []

    def answer(self, exchange):
        if exchange.path == f"{PODS}/p0:8200/proxy/version":
            self.asked.append(exchange.path)
            exchange.reply(self.said)
            return True
        return super().answer(exchange)


@pytest.mark.parametrize("said, verdict, version, words", [
    ({"version": "0.23.0"}, "Inconclusive", "0.23.0", "only a rehearsal in a pod can tell"),
    ({"version": "0.10.1"}, "RefusesFlag", "0.10.1", "its old engine only"),
    ({"detail": "no"}, "Inconclusive", "", "does not tell its version"),
])
def test_a_running_server_is_asked_and_no_pod_made(pki, tmp_path, said, verdict, version, words):
    shop = Asked(said)
    result = rehearse(pki, tmp_path, shop, "--running", "--image", IMAGE, "--component", "vllm", "-o", "json")
    row, = json.loads(result.out)["images"]
    assert (result.code, row["verdict"], row["version"]) == (cli.DIFFERENT, verdict, version) and words in row["message"], row
    assert len(shop.asked) == 1 and not shop.made and not shop.deleted


def test_no_server_is_ready_to_be_asked(pki, tmp_path):
    result = rehearse(pki, tmp_path, Shop(others=[server("n1", ready=False)]), "--running", "--image", IMAGE, "--component", "vllm", "-o", "json")
    row, = json.loads(result.out)["images"]
    assert result.code == cli.DIFFERENT and "no vLLM of it is Ready" in row["message"], row


def test_where_no_pod_could_run_its_server_tells_a_part(pki, tmp_path):
    shop = Asked({"version": "0.23.0"}, refuse='pods "x" is forbidden: exceeded quota: small')
    code, row = one(pki, tmp_path, shop)
    assert (code, row["verdict"], row["version"], row["digest"]) == (cli.DIFFERENT, "Inconclusive", "0.23.0", "sha256:" + "ef" * 32)
    assert len(shop.asked) == 1


def node(name, images=(), ready=True, **spec):
    return {"metadata": {"name": name}, "spec": spec, "status": {
        "conditions": [{"type": "Ready", "status": str(ready)}], "images": [{"names": list(images)}]}}


def test_a_node_that_lists_the_image_is_preferred_where_no_pod_runs(pki, tmp_path):
    class Nodes(Shop):
        def answer(self, exchange):
            if exchange.path != "/api/v1/nodes":
                return super().answer(exchange)
            exchange.reply(listing(1, node("n0"), node("n1", [IMAGE], ready=False), node("n2", [IMAGE], unschedulable=True), node("n3", [IMAGE]), kind="NodeList"))
            return True
    shop = Nodes()
    assert one(pki, tmp_path, shop)[0] == cli.OK
    pod, = shop.made.values()
    term, = pod["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [f["values"] for f in term["preference"]["matchFields"]] == [["n3"]]


@pytest.mark.parametrize("args, words", [
    (("--image", "x"), "--component"), (("--component", "epp"), "--image"), (("--image", "x", "--component", "never"), "none of vllm"),
    (("w", "--image", "x", "--component", "epp"), "either"), (("w", "v"), "unexpected argument"),
])
def test_options_that_contradict_each_other(args, words):
    result = cli.run("rehearse", *args)
    assert result.code == cli.INVALID and words in result.err
