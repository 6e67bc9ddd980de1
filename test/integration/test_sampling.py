# SPDX-License-Identifier: Apache-2.0
"""Another ratio, and what it costs: one CPU pod (Root), a configuration (Collector), and never a model server."""
import datetime

import pytest

from api import containers_of, env_of
from traced import Scene
from waiting import wait_for


@pytest.fixture
def scene(cluster, namespace, operator):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    operator()
    scene.switch("true")
    return scene.wait_traced().wait_rolled_out()


def ratios(scene):
    """By container: engines, routing proxy and picker."""
    found = {}
    for w in scene.workloads:
        for name, container in containers_of(scene.api.get(w.kind, w.name, scene.namespace)["spec"]["template"]).items():
            if "OTEL_TRACES_SAMPLER_ARG" in env_of(container):
                found[f"{w.name}/{name}"] = env_of(container)["OTEL_TRACES_SAMPLER_ARG"]
    return found


def set_sampling(scene, **sampling):
    scene.api.merge("tracing", "llm-d", scene.namespace, {"spec": {"sampling": sampling}})


def boost(scene, ratio, **time):
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**time)
    set_sampling(scene, boost={"ratio": ratio, "until": until.strftime("%Y-%m-%dT%H:%M:%SZ")})


def test_another_ratio_restarts_no_model_server(scene):
    epp = next(w.name for w in scene.workloads if "epp" in w.name)

    def servers():
        return {w.name: scene.api.get(w.kind, w.name, scene.namespace)["spec"]["template"] for w in scene.workloads if w.name != epp}

    def generations():  # the ledger's annotation would make a new one
        return {w.name: scene.generation(w.kind, w.name) for w in scene.workloads if w.name != epp}
    before, unwritten = servers(), generations()

    def decided(ratio):
        seen = ratios(scene)
        mine = {name: value for name, value in seen.items() if name.startswith(f"{epp}/")}
        assert set(mine.values()) == {ratio}, seen
        assert {value for name, value in seen.items() if name not in mine} == {"1.0"}, seen
        return True

    def kept(percentage):
        text = str(scene.api.get("configmap", "otel-collector-config", scene.namespace)["data"])
        assert f"sampling_percentage: {percentage}" in text or f'"sampling_percentage":{percentage}' in text, text[:2000]
        return True
    set_sampling(scene, ratio="0.25")
    wait_for(lambda: decided("0.25"), 60, "the picker has the ratio")
    scene.wait_rolled_out()
    boost(scene, "0.5", hours=1)
    wait_for(lambda: decided("0.5"), 60, "boosted")
    boost(scene, "0.5", seconds=3)
    wait_for(lambda: decided("0.25"), 60, "the boost has ended by itself")
    scene.wait_rolled_out()
    assert generations() == unwritten
    set_sampling(scene, where="Collector", boost=None)
    wait_for(lambda: decided("1.0") and kept(25), 60, "the collector samples")
    scene.wait_rolled_out()
    everybody = {w: scene.generation(w.kind, w.name) for w in scene.workloads}
    set_sampling(scene, ratio="0.5")
    wait_for(lambda: kept(50), 60, "another configuration")
    wait_for(lambda: scene.tracing()["status"]["effective"]["ratio"] == "0.5", 30, "shown")
    assert everybody == {w: scene.generation(w.kind, w.name) for w in scene.workloads}
    assert servers() == before
