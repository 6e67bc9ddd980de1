# SPDX-License-Identifier: Apache-2.0
"""`status`, `approve` and `retry` where what a cluster holds and answers can be made up."""
import copy
import hashlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading

import pytest

import cli

sys.path.insert(0, os.path.join(cli.ROOT, "test/scenario"))

from fake_api import TIMEOUT, FakeApi  # noqa: E402
from tools import listing, write_kubeconfig  # noqa: E402

CONFLICT, INTERRUPTED = 4, 130
SHOP = "namespaces/shop"
LISTS = {"deployment": f"/apis/apps/v1/{SHOP}/deployments", "statefulset": f"/apis/apps/v1/{SHOP}/statefulsets",
         "tracing": f"/apis/tracing.llm-d.io/v1alpha1/{SHOP}/tracings", "service": f"/api/v1/{SHOP}/services",
         "pool": f"/apis/inference.networking.k8s.io/v1/{SHOP}/inferencepools"}
SINCE = "2026-01-01T00:00:00Z"


def held(tree, version="5"):
    """As the API server holds it, with both replicas up."""
    tree["metadata"].update(uid=tree["metadata"]["name"], namespace="shop", resourceVersion=version, generation=1)
    tree["spec"]["replicas"] = 2
    tree["status"] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    return tree


def server(name, role="decode", **more):
    return cli.deployment(name, "shop", labels={"app": "vllm", "llm-d.ai/role": role, "llm-d.ai/inference-serving": "true"}, **more)


def injected(tree):
    return cli.inject(cli.dump(tree)).documents()[0]


def epp():
    return cli.deployment("picker", "shop", "epp", "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0", None, ("--pool-name=pool",),
                          labels={"app": "epp"}, annotations={"tracing.llm-d.io/inject": "true"})


def plan_hash(tree, *args):
    """Of the plan's edits, as the operator takes it (controller/consent.h)."""
    explained = cli.run("explain", "-f", "-", "-o", "json", *args, stdin=cli.dump(tree)).json_values()[0][0]
    edits = [e for c in explained["containers"] for e in c["edits"]]
    edits.append({"path": "/metadata/annotations/tracing.llm-d.io~1ledger", "what": "add the ledger"})
    return hashlib.sha256("".join(f"{e['path']}\n{e['what']}\n" for e in edits).encode()).hexdigest()[:16]


def row(kind, name, state, reason, message="", **more):
    return {"kind": kind, "name": name, "state": state, "reason": reason, "message": message, "since": SINCE, **more}


def condition(kind, status, reason, message):
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE}


class Shop:
    def __init__(self, *workloads, rows=(), conditions=(), denied=(), **status):
        self.objects = {"deployment": [w for w in workloads if w["kind"] == "Deployment"],
                        "statefulset": [w for w in workloads if w["kind"] == "StatefulSet"],
                        "service": [{"metadata": {"name": "picker", "uid": "s", "resourceVersion": "2"}, "spec": {"selector": {"app": "epp"}}}],
                        "pool": [{"metadata": {"name": "pool", "uid": "p", "resourceVersion": "3"}, "spec": {
                            "selector": {"matchLabels": {"app": "vllm"}}, "endpointPickerRef": {"name": "picker", "failureMode": "FailOpen"}}}],
                        "tracing": [] if rows is None else [{"metadata": {"name": "llm-d", "uid": "t", "resourceVersion": "4", "generation": 1}, "spec": {},
                                                             "status": {"observedGeneration": 1, "conditions": list(conditions), "workloads": list(rows), **status}}]}
        for objects in self.objects.values():
            for o in objects:
                o["metadata"]["namespace"] = "shop"
        self.denied, self.patches, self.conflict = denied, {}, False

    def __call__(self, exchange):
        kinds = {path: kind for kind, path in LISTS.items()}
        parent, _, name = exchange.path.rpartition("/")
        if exchange.path == "/version":
            exchange.reply({"major": "1", "minor": "37"})
        elif exchange.path == f"/api/v1/{SHOP}":
            exchange.reply({"kind": "Namespace", "metadata": {"name": "shop", "uid": "n", "resourceVersion": "1",
                                                              "annotations": {"tracing.llm-d.io/enabled": "true"}}})
        elif exchange.path in kinds and kinds[exchange.path] in self.denied:
            exchange.refuse(403, "Forbidden", f"cannot list {kinds[exchange.path]}s")
        elif exchange.path in kinds:
            exchange.reply(listing(9, *self.objects[kinds[exchange.path]]))
        elif exchange.path == LISTS["tracing"] + "/llm-d" and self.objects["tracing"]:
            exchange.reply(self.objects["tracing"][0])
        elif exchange.method == "PATCH" and parent in kinds and self.conflict:
            exchange.refuse(409, "Conflict", "the object has been modified")
        elif exchange.method == "PATCH" and parent in kinds:
            self.patches[name] = json.loads(exchange.body)["metadata"]
            exchange.reply({"metadata": {"name": name}})
        else:
            exchange.refuse(404, "NotFound", "the server could not find the requested resource")


def run(pki, folder, shop, *args):
    with FakeApi(pki, shop, pki.server) as api:
        return cli.run(*args, "-n", "shop", "--kubeconfig", write_kubeconfig(folder, api))


READY = condition("Ready", "True", "Ready", "collector and back end are ready and every workload is done")


def scene():
    decode, prefill, big = held(injected(server("decode"))), held(server("prefill", "prefill")), held(server("rolling"))
    rolling = held(injected(big))
    rolling["status"].update(updatedReplicas=1, readyReplicas=1, availableReplicas=1)
    old = held(server("too-old", image="docker.io/vllm/vllm-openai:v0.3.0"))
    other = cli.deployment("web", "shop", "web", "nginx:1.27", None, None)
    return Shop(
        decode, prefill, rolling, old, held(injected(epp())), held(other),
        rows=[row("Deployment", "decode", "Injected", "Injected", "vllm: traced"),
              row("Deployment", "picker", "Injected", "Injected", "epp: traced"),
              row("Deployment", "prefill", "Pending", "WaitingForApproval", "waiting for the annotation", restarts=2, pendingHash="x"),
              row("Deployment", "rolling", "Pending", "RollingOut", "2 pods are being replaced", rolling=True),
              row("Deployment", "too-old", "Skipped", "EngineTooOld", "vllm: v0.3.0 knows no such flag"),
              row("StatefulSet", "sglang", "Conflicting", "Conflicting", "undone by others twice within 24 hours")],
        conditions=[condition("Enabled", "True", "Annotated", "the namespace is annotated"),
                    condition("Ready", "False", "SomeFailed", "1 of 6 workloads could not be written"),
                    condition("PendingRestart", "True", "WaitingForApproval", "2 pods of 1 workloads will be replaced: Deployment/prefill"),
                    condition("Conflicting", "True", "UndoneByOthers", "others undo the injection of StatefulSet/sglang")],
        denied=["statefulset"], spans={"heard": "2/3"})


GOLDEN = """\
namespace shop: Ready False since 2026-01-01T00:00:00Z: SomeFailed: 1 of 6 workloads could not be written
  PendingRestart True: WaitingForApproval: 2 pods of 1 workloads will be replaced: Deployment/prefill
  Conflicting True: UndoneByOthers: others undo the injection of StatefulSet/sglang
  spans heard of 2/3 traced containers
  note: GET /apis/apps/v1/namespaces/shop/statefulsets?limit=100: cannot list statefulsets

pool pool
  epp      Deployment/picker: Injected since 2026-01-01T00:00:00Z; 2 of 2 ready
           epp (epp): traced as llm-d-router/epp
  decode   Deployment/decode: Injected since 2026-01-01T00:00:00Z; 2 of 2 ready
           vllm (vllm): traced as vllm-decode
  prefill  Deployment/prefill: Pending, WaitingForApproval since 2026-01-01T00:00:00Z; 2 of 2 ready; PendingRestart: 2 pods
           vllm (vllm): not traced
           why: waiting for the annotation
           next: a person has to say so: kubectl llmd-tracing approve Deployment/prefill -n shop
  decode   Deployment/rolling: Pending, RollingOut since 2026-01-01T00:00:00Z; 1 of 2 ready
           vllm (vllm): traced as vllm-decode
           why: 2 pods are being replaced
           next: traced when all 2 replicas are new and ready (1 are new, 1 ready); given up on after 600 s without progress
  decode   Deployment/too-old: Skipped, EngineTooOld since 2026-01-01T00:00:00Z; 2 of 2 ready
           vllm (vllm): not traced: EngineTooOld: MESSAGE
           why: vllm: v0.3.0 knows no such flag
           next: Upgrade the image, or name its true version under spec.images.

without a pool
  -        StatefulSet/sglang: Conflicting since 2026-01-01T00:00:00Z
           why: undone by others twice within 24 hours
           next: ADVICE
"""


def test_the_tree(pki, tmp_path):
    done = run(pki, tmp_path, scene(), "status")
    assert done.code == cli.OK, done.err
    told = run(pki, tmp_path, scene(), "status", "-o", "json").json_values()[0]
    old = next(w for w in told["pools"][0]["workloads"] if w["name"] == "too-old")["containers"][0]
    advice = told["workloads"][0]["next"]  # begins with the words of docs/reasons.md
    assert advice.endswith(". Then: kubectl llmd-tracing retry StatefulSet/sglang -n shop")
    assert done.out.splitlines() == GOLDEN.replace("MESSAGE", old["message"]).replace("ADVICE", advice).splitlines()


def test_the_same_as_json(pki, tmp_path):
    told = run(pki, tmp_path, scene(), "status", "-o", "json").json_values()[0]
    assert set(told) == {"namespace", "annotation", "conditions", "counters", "spansHeard", "notes", "pools", "workloads"}
    assert (told["namespace"], told["annotation"], told["spansHeard"]) == ("shop", "true", "2/3")
    workloads = {w["name"]: w for p in told["pools"] for w in p["workloads"]}
    assert list(workloads) == ["picker", "decode", "prefill", "rolling", "too-old"]
    assert workloads["rolling"]["replicas"] == {"wanted": 2, "updated": 1, "ready": 1}
    assert {k: workloads["prefill"][k] for k in ("part", "state", "reason", "restarts", "since")} == {
        "part": "prefill", "state": "Pending", "reason": "WaitingForApproval", "restarts": 2, "since": SINCE}
    assert {k: workloads["decode"]["containers"][0][k] for k in ("name", "component", "traced", "service", "decision")} == {
        "name": "vllm", "component": "vllm", "traced": True, "service": "vllm-decode", "decision": "inject"}
    assert [w["name"] for w in told["workloads"]] == ["sglang"]


@pytest.mark.parametrize("shop, words", [
    (Shop(held(server("decode")), rows=None), ["Ready Unknown", "there is no Tracing", "Deployment/decode: Unseen; 2 of 2 ready"]),
    (Shop(rows=(), conditions=[READY], observedGeneration=0), ["the status is about older settings"]),
    (Shop(rows=(), conditions=[READY]), ["Ready True since", "no component of llm-d is in this namespace"]),
    (Shop(held(server("decode")), rows=[row("Deployment", "decode", "Pending", "SomethingNewer", "words")], conditions=[READY]),
     ["Pending, SomethingNewer", "why: words"]),
], ids=["no operator", "old status", "empty", "a newer operator"])
def test_what_else_there_may_be(pki, tmp_path, shop, words):
    done = run(pki, tmp_path, shop, "status")
    assert done.code == cli.OK, done.err
    for word in words:
        assert word in done.out


def test_when_a_refused_write_is_tried_again(pki, tmp_path):
    """By itself at a time, or only when a person asks; and a person may always ask."""
    command = "kubectl llmd-tracing retry Deployment/{} -n shop"
    shop = Shop(held(server("later")), held(server("never")),
                rows=[row("Deployment", "later", "Failed", "Denied", "may not patch", retryTime="2026-01-01T00:05:00Z"),
                      row("Deployment", "never", "Failed", "Refused", "is invalid", refusedFor="1///1/v1")])
    later, never = run(pki, tmp_path, shop, "status").out.partition("Deployment/never")[::2]
    assert f"next: tried again at 2026-01-01T00:05:00Z, or at once by: {command.format('later')}\n" in later
    assert "tried again" not in never and command.format("never") in never
    report = {w["name"]: w for p in json.loads(run(pki, tmp_path, shop, "status", "-o", "json").out)["pools"] for w in p["workloads"]}
    assert report["later"]["retryTime"] == "2026-01-01T00:05:00Z" and "retryTime" not in report["never"]


def waiting(pending=None, reason="WaitingForApproval", version="5", **more):
    decode = held(server("decode"), version)
    return Shop(decode, rows=[row("Deployment", "decode", "Pending", reason, "words of the operator", restarts=2,
                                  pendingHash=pending or plan_hash(server("decode")))], **more)


def test_what_was_shown_is_approved(pki, tmp_path):
    shop = waiting()
    done = run(pki, tmp_path, shop, "approve", "deployment/decode", "-y")
    assert done.code == cli.OK, done.err
    hash_ = plan_hash(server("decode"))
    assert shop.patches == {"decode": {"annotations": {"tracing.llm-d.io/approve": hash_}, "resourceVersion": "5"}}
    assert "+++ Deployment/shop/decode (as planned)" in done.out and "+        - --otlp-traces-endpoint=" in done.out
    assert done.out.endswith(f"PendingRestart: 2 pods will be replaced\nDeployment/shop/decode: approved ({hash_})\n")


TOLD = {"ratio": "1.0", "where": "Root", "detailedTraces": "all"}
NAMED = {"components": {"vllm": {"serviceNames": {"decode": "our-decode"}}}}
PICKER_ALONE = {"components": {"vllm": {"enabled": False}, "epp": {"serviceName": "our-picker"}}}
KNOWN = {"images": [{"match": "mirror.example/*", "component": "vllm"}]}
BOOST = {"sampling": {"ratio": "0.1", "boost": {"ratio": "0.5", "until": "2099-01-01T00:00:00Z"}}}


@pytest.mark.parametrize("tree, spec, effective, as_if, shown", [
    (server("decode"), {}, {"ratio": "1.0", "where": "Root", "detailedTraces": "model"},
     {"components": {"vllm": {"detailedTraces": "model"}}}, "--collect-detailed-traces=model"),
    (server("decode"), {}, {"ratio": "0.2", "where": "Pods"}, {"sampling": {"ratio": "0.2", "where": "Pods"},
                                                               "components": {"vllm": {"detailedTraces": "none"}}}, "'0.2'"),
    (server("decode"), {"components": {"vllm": {"detailedTraces": "worker"}}}, {"ratio": "1.0", "where": "Root", "detailedTraces": "worker"},
     {"components": {"vllm": {"detailedTraces": "worker"}}}, "--collect-detailed-traces=worker"),
    (epp(), BOOST, {"ratio": "0.5", "where": "Root", "detailedTraces": "all"}, {"sampling": {"ratio": "0.5"}}, "'0.5'"),
    (epp(), BOOST, {"ratio": "0.1", "where": "Root", "detailedTraces": "all"}, {"sampling": {"ratio": "0.1"}}, "'0.1'"),
    (server("decode"), {}, {**TOLD, **NAMED}, NAMED, "our-decode"),
    (epp(), {}, {**TOLD, **PICKER_ALONE}, PICKER_ALONE, "our-picker"),
    (server("decode", image="mirror.example/engine:7", command=None), {"images": [{"match": "nothing/*", "version": "9"}]}, {**TOLD, **KNOWN}, KNOWN,
     "--otlp-traces-endpoint"),
    (server("decode"), {}, {**TOLD, "endpoint": "http://10.0.0.7:4317"}, {"collector": {"mode": "External", "endpoint": "http://10.0.0.7:4317"}},
     "--otlp-traces-endpoint=http://10.0.0.7:4317"),
], ids=["defaults", "none of it", "said", "boosted", "not boosted any more", "a name", "a component that is off", "images", "a collector elsewhere"])
def test_the_operators_own_settings_are_planned_with(pki, tmp_path, tree, spec, effective, as_if, shown):
    settings = tmp_path / "as-if.yaml"
    settings.write_text(cli.dump({"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": as_if}))
    hash_, name = plan_hash(tree, "--settings", settings), tree["metadata"]["name"]
    shop = Shop(held(tree), rows=[row("Deployment", name, "Pending", "WaitingForApproval", restarts=2, pendingHash=hash_)], effective=effective)
    shop.objects["tracing"][0]["spec"] = spec
    done = run(pki, tmp_path, shop, "approve", name, "-y")
    assert done.code == cli.OK, done.err
    assert shown in done.out.replace('"', "'") and shop.patches[name]["annotations"] == {"tracing.llm-d.io/approve": hash_}


@pytest.mark.parametrize("shop, args, code, words", [
    (waiting("0123456789abcdef"), (), CONFLICT, "is not what the operator says (0123456789abcdef)"),
    (waiting(reason="WaitingForTurn"), (), CONFLICT, "nothing waits for approval: it is Pending, WaitingForTurn: words of the operator"),
    (waiting(reason="WouldEmptyRole"), (), CONFLICT, "words of the operator. Or: approve --accept-outage"),
    (Shop(held(server("decode")), rows=[row("Deployment", "decode", "Injected", "Injected")]), (), CONFLICT, "it is Injected, Injected"),
    (Shop(held(server("decode")), rows=None), (), cli.NOT_FOUND, "has no Tracing"),
    (Shop(rows=None, denied=["tracing"]), (), cli.DENIED, "cannot list tracings"),
    (Shop(rows=[row("Deployment", "decode", "Pending", "WaitingForApproval", pendingHash="0123456789abcdef")]), (), cli.NOT_FOUND, "is not there"),
    (Shop(rows=[row("Deployment", "other", "Pending", "WaitingForTurn")]), (), cli.NOT_FOUND, "it has Deployment/other"),
    (Shop(rows=[row(k, "decode", "Pending", "WaitingForTurn") for k in ("Deployment", "StatefulSet")]), (), cli.INVALID, "say Kind/name"),
])
def test_what_is_not_approved(pki, tmp_path, shop, args, code, words):
    done = run(pki, tmp_path, shop, "approve", "decode", "--yes", *args)
    assert (done.code, shop.patches) == (code, {}), done.err
    assert words in done.err


def test_nobody_is_there_to_say_yes(pki, tmp_path):
    shop = waiting()
    done = run(pki, tmp_path, shop, "approve", "decode")
    assert (done.code, shop.patches) == (cli.INVALID, {}) and "--yes" in done.err and "--otlp-traces-endpoint" in done.out


def test_somebody_wrote_meanwhile(pki, tmp_path):
    shop = waiting()
    shop.conflict = True
    done = run(pki, tmp_path, shop, "approve", "decode", "--yes")
    assert done.code == CONFLICT and "Deployment/shop/decode: " in done.err and "approved" not in done.out


class Terminal:
    """The command with a terminal as standard input or output."""

    def __init__(self, pki, folder, shop, *args, out=False):
        self.api = FakeApi(pki, shop, pki.server)
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([cli.BINARY, *args, "-n", "shop", "--kubeconfig", write_kubeconfig(folder, self.api)], stdin=slave,
                                        stdout=slave if out else subprocess.PIPE, stderr=subprocess.PIPE)
        os.close(slave)
        self.shown = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.communicate()
        os.close(self.master)
        self.api.stop()

    def read_until(self, word, stream=None):
        """From the terminal, or from a pipe of the command."""
        source = self.master if stream is None else stream.fileno()
        while word not in self.shown:
            assert select.select([source], [], [], TIMEOUT)[0], f"no {word} in {self.shown}"
            more = os.read(source, 65536)
            assert more, f"no {word} in {self.shown}"
            self.shown += more

    def end(self):
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, (out or b"").decode(), err.decode()


@pytest.mark.parametrize("answer, code, approved", [(b"y\n", cli.OK, True), (b"n\n", CONFLICT, False), (b"\n", CONFLICT, False)])
def test_a_person_is_asked(pki, tmp_path, answer, code, approved):
    shop = waiting()
    with Terminal(pki, tmp_path, shop, "approve", "decode") as terminal:
        terminal.read_until(b"Approve this? [y/N] ", terminal.process.stderr)
        assert shop.patches == {}
        os.write(terminal.master, answer)
        done, out, _ = terminal.end()
    assert (done, bool(shop.patches), "approved" in out) == (code, approved, approved)
    assert "--otlp-traces-endpoint" in out, "what it is about is shown first"


def test_ctrl_c_is_a_no(pki, tmp_path):
    shop = waiting()
    with Terminal(pki, tmp_path, shop, "approve", "decode") as terminal:
        terminal.read_until(b"[y/N] ", terminal.process.stderr)
        terminal.process.send_signal(signal.SIGINT)
        assert (terminal.end()[0], shop.patches) == (INTERRUPTED, {})


class Watched(Shop):
    """What is watched stirs when `moved` is set."""

    def __init__(self, *workloads, **more):
        super().__init__(*workloads, **more)
        self.moved = threading.Event()

    def __call__(self, exchange):
        if not exchange.is_watch:
            super().__call__(exchange)
            return
        exchange.head()
        while exchange.path == LISTS["tracing"] and not self.moved.wait(0.1) and not exchange.api.stopping.is_set():
            continue
        if exchange.path == LISTS["tracing"] and self.moved.is_set():
            exchange.events({"type": "MODIFIED", "object": self.objects["tracing"][0]})
        exchange.hold()

    def move(self, *rows):
        self.objects["tracing"][0]["status"]["workloads"] = list(rows)
        self.objects["tracing"][0]["metadata"]["resourceVersion"] = "11"
        self.moved.set()


def test_a_terminal_is_drawn_anew(pki, tmp_path):
    shop = Watched(held(server("decode")), held(server("prefill", "prefill")), conditions=[READY],
                   rows=[row("Deployment", n, "Pending", "WaitingForTurn", "words") for n in ("decode", "prefill")])
    with Terminal(pki, tmp_path, shop, "status", "-w", out=True) as terminal:
        terminal.read_until(b"next: written when those before it are through\r\n  prefill")
        terminal.shown = b""
        shop.move(row("Deployment", "decode", "Pending", "RollingOut", "words"), row("Deployment", "prefill", "Pending", "WaitingForRollout", "words"))
        terminal.read_until(b"WaitingForRollout")
        assert terminal.shown.count(b"\033[H") == 1 and b"namespace shop: Ready True" in terminal.shown and b"RollingOut" in terminal.shown
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end()[0] == INTERRUPTED


@pytest.mark.parametrize("output", ["text", "json"])
def test_elsewhere_what_is_new_is_added(pki, tmp_path, output):
    shop = Watched(held(server("decode")), held(server("prefill", "prefill")), conditions=[READY],
                   rows=[row("Deployment", n, "Pending", "WaitingForTurn", "words") for n in ("decode", "prefill")])
    with Terminal(pki, tmp_path, shop, "status", "-w", "-o", output) as terminal:
        terminal.read_until(b"Deployment/prefill" if output == "text" else b"}\n", terminal.process.stdout)
        terminal.shown = b""
        shop.move(row("Deployment", "decode", "Pending", "RollingOut", "words"), row("Deployment", "prefill", "Pending", "WaitingForTurn", "words"))
        terminal.read_until(b"RollingOut", terminal.process.stdout)
        terminal.process.send_signal(signal.SIGINT)
        code, rest, _ = terminal.end()
    new = terminal.shown.decode() + rest
    assert code == INTERRUPTED
    if output == "json":
        states = {w["name"]: w["reason"] for w in json.loads(new)["pools"][0]["workloads"]}
        assert states == {"decode": "RollingOut", "prefill": "WaitingForTurn"}
    else:
        assert new.count("Deployment/") == 1 and "Deployment/decode: Pending, RollingOut" in new and "namespace shop" not in new


def test_watching_ends_in_time(pki, tmp_path):
    done = run(pki, tmp_path, Watched(conditions=[READY]), "status", "-w", "--timeout", "1s")
    assert done.code == cli.OK and done.out.count("namespace shop") == 1


@pytest.mark.parametrize("reason, want", [
    ("WouldEmptyRole", {"tracing.llm-d.io/accept-outage"}),
    ("WaitingForApproval", {"tracing.llm-d.io/accept-outage", "tracing.llm-d.io/approve"})])
def test_an_outage_is_accepted(pki, tmp_path, reason, want):
    shop = waiting(reason=reason)
    assert run(pki, tmp_path, shop, "approve", "decode", "--yes", "--accept-outage").code == cli.OK
    assert set(shop.patches["decode"]["annotations"]) == want


def test_retry_of_all_that_is_given_up(pki, tmp_path):
    rows = [row("Deployment", "a", "Conflicting", "Conflicting"), row("Deployment", "b", "Failed", "Refused"), row("Deployment", "c", "Injected", "Injected"),
            row("StatefulSet", "d", "Pending", "WaitingForTurn"), row("Deployment", "e", "Skipped", "ImageRefused")]
    shop = Shop(rows=rows)
    done = run(pki, tmp_path, shop, "retry")
    assert done.code == cli.OK and done.out.splitlines() == ["Deployment/shop/a: asked to try again (it was Conflicting: Conflicting)",
                                                             "Deployment/shop/b: asked to try again (it was Failed: Refused)",
                                                             "Deployment/shop/e: asked to try again (it was Skipped: ImageRefused)"]
    first = copy.deepcopy(shop.patches)
    assert set(first) == {"a", "b", "e"} and all(set(p) == {"annotations"} and set(p["annotations"]) == {"tracing.llm-d.io/retry"} for p in first.values())
    assert run(pki, tmp_path, shop, "retry", "sts/d").code == cli.OK
    for words in ("deploy/a", "deployment.apps/a", "Deployments.v1.apps/a"):
        assert run(pki, tmp_path, shop, "retry", words).code == cli.OK, words
    for words in ("deployment.batch/a", "deployment./a", "deployment.v2.apps/a", "sts.apps/a"):
        assert run(pki, tmp_path, shop, "retry", words).code == cli.NOT_FOUND, words
    assert set(shop.patches) == {"a", "b", "d", "e"} and shop.patches["a"] != first["a"], "the same word again would not count"
    assert run(pki, tmp_path, Shop(rows=rows[2:4]), "retry").out == "namespace shop: nothing is given up on\n"
    assert run(pki, tmp_path, Shop(rows=None), "retry").code == cli.NOT_FOUND


def test_ctrl_c_asks_for_no_other_try(pki, tmp_path):
    shop, release = Shop(rows=[row("Deployment", name, "Failed", "Refused") for name in "ab"]), threading.Event()

    def slow(exchange):
        assert exchange.method != "PATCH" or release.wait(TIMEOUT)
        shop(exchange)
    with FakeApi(pki, slow, pki.server) as api:
        command = [cli.BINARY, "retry", "-n", "shop", "--kubeconfig", write_kubeconfig(tmp_path, api)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            api.wait_for(lambda exchanges: any(e.method == "PATCH" for e in exchanges), "a write")
            process.send_signal(signal.SIGINT)
            release.set()
            out, err = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, set(shop.patches), out.splitlines()) == (
        INTERRUPTED, {"a"}, ["Deployment/shop/a: asked to try again (it was Failed: Refused)"]) and "interrupted" in err


@pytest.mark.parametrize("args, words", [
    (("approve",), "name it as Kind/name"), (("approve", "a", "b"), 'unexpected argument "b"'),
    (("status", "--timeout", "3s"), "--timeout goes with --watch"), (("status", "a"), 'unexpected argument "a"')])
def test_command_lines(args, words):
    done = cli.run(*args)
    assert done.code == cli.INVALID and words in done.err
