# SPDX-License-Identifier: Apache-2.0
"""The whole cycle of the main job over a Scene: annotated, traced, changed, un-annotated, as before."""
from traced import is_traced
from waiting import wait_for


CHANGE = {"sampling": {"where": "Pods", "ratio": "0.25"}}


def run_cycle(scene, start_operator):
    scene.wait_settled()
    start_operator()
    scene.switch("true")
    scene.wait_traced().wait_rolled_out()
    scene.wait_condition("Ready", "True")
    change_settings(scene)
    scene.switch(None)
    scene.wait_as_before()
    wait_cleaned_up(scene)


def change_settings(scene):
    """A setting changes and every workload follows, without losing or repeating anything."""
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": CHANGE})
    for w in scene.workloads:
        def followed(w=w):
            obj = scene.api.get(w.kind, w.name, scene.namespace)
            text = str(obj["spec"])
            assert "'0.25'" in text and "'1.0'" not in text, f"{w.name} does not sample 0.25"
            return is_traced(scene.api, w, scene.namespace)
        wait_for(followed, 60, f"{w.name} follows the settings")
    scene.wait_rolled_out()


def wait_cleaned_up(scene, keeps_tracing=True):
    """Collector and back end are gone; a Tracing that the user edited stays."""
    for kind, name in (("deployment", "otel-collector"), ("deployment", "jaeger"), ("service", "otel-collector"),
                       ("service", "jaeger-collector"), ("configmap", "otel-collector-config")):
        wait_for(lambda kind=kind, name=name: scene.api.find(kind, name, scene.namespace) is None, 60, f"{kind} {name} is gone")
    if keeps_tracing:
        assert scene.tracing()["spec"] == CHANGE
    else:
        wait_for(lambda: scene.api.find("tracing", "llm-d", scene.namespace) is None, 60, "the Tracing is gone")
