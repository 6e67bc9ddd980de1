# SPDX-License-Identifier: Apache-2.0
"""OnNextChange in patch mode: our edit comes after that of the person on whose rollout it rides."""
from test_rollout import place, server, traced, wait_row  # noqa: F401
from waiting import wait_for


def template_of(replica_set):
    return replica_set["spec"]["template"]


def sets_of_the_person(scene):
    """Of the template with the person's change and without ours."""
    return [s for s in scene.api.list("replicaset", scene.namespace) if "scripted-kubelet/ready-after" in template_of(s)["metadata"].get("annotations", {})
            and "--otlp-traces-endpoint" not in str(template_of(s)["spec"]["containers"][0]["args"])]


def test_pods_that_were_new_when_it_came_are_counted(place, operator):  # noqa: F811
    scene = place({"policy": "OnNextChange"}, server("a-decode", replicas=4))
    wait_row(scene, "a-decode", "WaitingForChange")
    with operator.running[-1].frozen():
        # none of the new pods is Ready before the end of the test, so the person's rollout stands at its first step: 2 of 4
        scene.api.merge("deployment", "a-decode", scene.namespace,
                        {"spec": {"template": {"metadata": {"annotations": {"scripted-kubelet/ready-after": "1h"}}}}})
        wait_for(lambda: scene.api.get("deployment", "a-decode", scene.namespace)["status"].get("updatedReplicas") == 2, 60, "two pods are new")
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60, "our edit follows")
    told, = wait_for(lambda: scene.events("a-decode", "RidesLate"), 30, "an event tells what that costs")
    assert told["note"] == "2 of 4 replicas had been replaced already and are once more"
    person, = sets_of_the_person(scene)
    wait_for(lambda: sets_of_the_person(scene)[0]["spec"]["replicas"] == 0, 60, "they go")
    made = [e for e in scene.api.list("event", scene.namespace)
            if e["reason"] == "SuccessfulCreate" and e["regarding"]["name"] == person["metadata"]["name"]]
    assert len(made) == 2, "no others were made for nothing"
