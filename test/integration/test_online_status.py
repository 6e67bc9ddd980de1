# SPDX-License-Identifier: Apache-2.0
"""`status`, `approve` and `retry` against the real API server and a running operator."""
import signal
import subprocess

from online import online
from operator_process import BINARY
from test_rollout import place, server, traced, wait_row  # noqa: F401
from waiting import wait_for

INVALID, NOT_FOUND, CONFLICT, INTERRUPTED = 2, 3, 4, 130


def test_a_person_sees_approves_and_watches(place, operator, tmp_path):  # noqa: F811
    scene = place({"policy": "OnApproval"}, server("a-decode"), server("solo", "StatefulSet", role="prefill"))
    cluster, where = scene.cluster, ("-n", scene.namespace)
    wait_row(scene, "a-decode", "WaitingForApproval")
    wait_row(scene, "solo", "WaitingForApproval")
    scene.wait_condition("PendingRestart", "True", "WaitingForApproval")
    text = online(cluster, "status", *where).out
    assert f"namespace {scene.namespace}: Ready False since " in text and "PendingRestart True: WaitingForApproval: 2 pods of 2 workloads" in text
    assert "Deployment/a-decode: Pending, WaitingForApproval since " in text and "; 1 of 1 ready; PendingRestart: 1 pods" in text
    assert f"next: a person has to say so: kubectl llmd-tracing approve Deployment/a-decode -n {scene.namespace}" in text
    assert "vllm (vllm): not traced\n" in text

    shown = operator.running[-1].metrics()
    assert shown['llmd_tracing_workloads{state="Pending",reason="WaitingForApproval"}'] == shown["llmd_tracing_pending_restarts"] == 2
    assert shown['llmd_tracing_longest_wait_seconds{reason="WaitingForApproval"}'] > 0
    assert shown["llmd_tracing_conflicts_total"] == shown["llmd_tracing_reverts_total"] == shown['llmd_tracing_rollouts{phase="stalled"}'] == 0

    # nobody can be asked, there is no such workload: nothing is written
    assert online(cluster, "approve", "a-decode", *where).code == INVALID
    assert online(cluster, "approve", "decode", *where).code == NOT_FOUND
    assert "tracing.llm-d.io/approve" not in scene.api.get("deployment", "a-decode", scene.namespace)["metadata"].get("annotations", {})

    log = tmp_path / "watch"
    with open(log, "w", encoding="utf-8") as out:
        command = [BINARY, "status", "-w", *where, "--kubeconfig", cluster.kubeconfig]
        watch = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: "PendingRestart: 1 pods" in log.read_text(encoding="utf-8"), 30)
        done = online(cluster, "approve", "deploy/a-decode", "--yes", *where)
        assert done.code == 0, done.err
        assert "+        - --otlp-traces-endpoint=http://otel-collector:4317" in done.out and "PendingRestart: 1 pods will be replaced" in done.out
        wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "approved")
        wait_for(lambda: "Deployment/a-decode: Injected since " in log.read_text(encoding="utf-8"), 60, "the watch shows it")
        watch.send_signal(signal.SIGINT)
        assert watch.wait(20) == INTERRUPTED
    finally:
        watch.kill()
        watch.wait()
    again = online(cluster, "approve", "a-decode", "--yes", *where)
    assert again.code == CONFLICT and "nothing waits for approval: it is Injected" in again.err

    # the last server of its role: one word is not enough
    assert online(cluster, "approve", "sts/solo", "--yes", *where).code == 0
    wait_row(scene, "solo", "WouldEmptyRole")
    refused = online(cluster, "approve", "sts/solo", "--yes", *where)
    assert refused.code == CONFLICT and "approve --accept-outage" in refused.err
    assert online(cluster, "approve", "sts/solo", "--yes", "--accept-outage", *where).code == 0
    wait_for(lambda: traced(scene, "statefulset", "solo"), 60, "a person accepts the outage")
    scene.wait_condition("Ready", "True")
    shown = operator.running[-1].metrics()
    assert shown['llmd_tracing_workloads{state="Injected",reason="Injected"}'] == 2 and shown["llmd_tracing_pending_restarts"] == 0
    assert shown['llmd_tracing_workloads{state="Pending",reason="WaitingForApproval"}'] == 0, "a series that was shown goes to 0"
    report = online(cluster, "status", *where, "-o", "json").json
    assert {(w["name"], w["part"], w["state"], w["containers"][0]["traced"]) for w in report["workloads"]} == {
        ("a-decode", "decode", "Injected", True), ("solo", "prefill", "Injected", True)}
    assert online(cluster, "retry", *where).out == f"namespace {scene.namespace}: nothing is given up on\n"

    # and the same of taking it back
    scene.switch("false")
    wait_row(scene, "solo", "WouldEmptyRole")
    assert online(cluster, "approve", "solo", "--yes", "--accept-outage", *where).code == 0
    wait_for(lambda: not traced(scene, "statefulset", "solo"), 60, "taken back")
