# SPDX-License-Identifier: Apache-2.0
"""A strategy that is lent for one rollout, and a person who takes back that rollout meanwhile: with the ledger goes the record of the loan."""
import pytest

from online import online
from test_pace import on_gpus
from test_rollout import place, rolling, server, traced, wait_row  # noqa: F401
from test_stall import NOT_READY_WITH_US
from waiting import wait_for

LOAN = "tracing.llm-d.io/strategy"


def unavailable(scene):
    return scene.api.get("deployment", "a-decode", scene.namespace)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]


def annotations(scene):
    return scene.api.get("deployment", "a-decode", scene.namespace)["metadata"].get("annotations", {})


@pytest.fixture
def lent(place):  # noqa: F811
    """The only pod needs more accelerators than are free, and its rollout with the lent strategy is under way, and stays so."""
    alone = on_gpus(server("a-decode", annotations=NOT_READY_WITH_US), 33)
    scene = place({"minReadyPerRole": 0, "allowStrategyOverride": True}, alone)
    scene.before = scene.api.get("deployment", "a-decode", scene.namespace)["spec"]
    wait_for(lambda: traced(scene, "deployment", "a-decode"), 60)

    def known():
        row = scene.row("a-decode")
        assert row.get("lent") == "25%" and "planHash" in row, row
        return row
    wait_for(known, 30, "the status knows it, too")
    assert LOAN in annotations(scene) and unavailable(scene) == 1
    return scene


def undo(scene):
    scene.cluster.kubectl("-n", scene.namespace, "rollout", "undo", "deployment/a-decode")
    assert LOAN not in annotations(scene)


def wait_as_before(scene):
    wait_for(lambda: unavailable(scene) == "25%" and not rolling(scene, "a-decode"), 60, "the strategy is given back")
    assert scene.api.get("deployment", "a-decode", scene.namespace)["spec"] == scene.before


@pytest.mark.parametrize("who", ["the one that lent it", "another process"])
def test_an_undo_does_not_keep_what_was_lent(lent, operator, who):
    if who == "another process":
        operator.running[-1].kill()
    undo(lent)
    if who == "another process":
        operator()
    wait_as_before(lent)
    wait_row(lent, "a-decode", "Conflicting")
    wait_for(lambda: "lent" not in lent.row("a-decode"), 30, "nothing is owed any more")


def test_taking_back_without_an_operator_knows_it_from_the_status(lent, operator):
    operator.running[-1].kill()
    undo(lent)
    told = online(lent.cluster, "uninject", "--cluster", "-n", lent.namespace, "--dry-run")
    assert f"Deployment/{lent.namespace}/a-decode: would be taken back" in told.lines and unavailable(lent) == 1
    done = online(lent.cluster, "uninject", "--cluster", "-n", lent.namespace)
    assert done.code == 0 and f"Deployment/{lent.namespace}/a-decode: taken back" in done.lines, done.out
    wait_as_before(lent)
    assert online(lent.cluster, "uninject", "--cluster", "-n", lent.namespace).lines == ["0 taken back, 0 deleted, 0 status cleared, 0 left"]


def test_what_somebody_has_changed_since_stays(lent, operator):
    operator.running[-1].kill()
    undo(lent)
    lent.api.merge("deployment", "a-decode", lent.namespace, {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": "50%"}}}})
    done = online(lent.cluster, "uninject", "--cluster", "-n", lent.namespace)
    assert done.code == 0 and not [line for line in done.lines if "a-decode" in line], done.out
    assert unavailable(lent) == "50%"
