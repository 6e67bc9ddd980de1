# SPDX-License-Identifier: Apache-2.0
"""A rollout of ours that makes no progress: told after the patience that its probes ask for, and what it means for the others."""
from test_rollout import annotate, place, rolling, server, traced, wait_row  # noqa: F401
from waiting import Late, holds_for, wait_for

NOT_READY_WITH_US = {"scripted-kubelet/never-ready-if-arg": "--otlp-traces-endpoint"}
LOADS_S = 2400  # what the probe of startup allows
PULL_S = 600    # for the image


def wait_row_later(scene, name, reason, running, step_s):
    """That time passes; once more where it had not seen the last move of the pods before."""
    for _ in range(5):
        running.let_pass(step_s)
        try:
            return wait_row(scene, name, reason, 20)
        except Late:
            continue
    return wait_row(scene, name, reason, 20)


def test_a_rollout_without_progress_pauses_the_others(place, operator):  # noqa: F811
    slow = server("a-decode", annotations=NOT_READY_WITH_US)
    slow["spec"]["template"]["spec"]["containers"][0]["startupProbe"] = {
        "exec": {"command": ["true"]}, "periodSeconds": 10, "failureThreshold": LOADS_S // 10}
    scene = place({}, slow, start=lambda: operator(clock=0))
    running = operator.running[-1]
    wait_row(scene, "a-decode", "RollingOut")
    scene.api.create("deployment", server("b-decode", image="vllm/vllm-openai:v0.22.1"), scene.namespace)
    wait_row(scene, "b-decode", "WaitingForRollout")
    running.let_pass(LOADS_S)
    holds_for(lambda: scene.row("a-decode")["reason"] == "RollingOut", 2, "a model that loads for 40 minutes is no failure")
    row = wait_row_later(scene, "a-decode", "Stalled", running, LOADS_S + PULL_S + 60)
    assert row["state"] == "Failed" and row["message"].startswith("1 of 1 replicas are new and 1 ready, ")
    assert f"({LOADS_S + PULL_S} s)" in row["message"]
    wait_row(scene, "b-decode", "PausedOnFailure")
    scene.wait_condition("RolledOut", "False", "Stalled")
    wait_for(lambda: scene.events("a-decode", "Stalled"), 20, "an event says so")
    holds_for(lambda: traced(scene, "deployment", "a-decode") and not traced(scene, "deployment", "b-decode"), 1, "nothing is taken back, nothing begun")
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"rollout": {"pauseOnFailure": False}}})
    wait_for(lambda: traced(scene, "deployment", "b-decode"), 60, "somebody said to go on")
    wait_row(scene, "b-decode", "Injected")
    assert scene.row("a-decode")["reason"] == "Stalled" and traced(scene, "deployment", "a-decode")
    annotate(scene, "a-decode", inject="false")
    wait_for(lambda: not traced(scene, "deployment", "a-decode") and not rolling(scene, "a-decode"), 60, "a person takes the write back")
    assert "refusedImages" not in scene.tracing()["status"], "what is slow says nothing of its image"
