# SPDX-License-Identifier: Apache-2.0
"""Another version of the operator, with other rules, over two hundred traced workloads: it says what is outdated and writes no pod template."""
import collections

import pytest

from api import containers_of
from fleet import Shape, has_ledger, server
from online import online
from operator_process import NEXT, USER
from switched import Switched
from waiting import wait_for

FLEET, PLACES, CONFLICT = 200, 4, 4
SHAPES = (Shape("decode", replicas=0), Shape("prefill", "StatefulSet", replicas=0))
THEN, NOW = "--collect-detailed-traces=all", "--collect-detailed-traces"  # by the rules of before, and of NEXT


class Fleet:
    """Of workloads without pods, which are as traced as others: what is about them is the template."""

    def __init__(self, cluster, namespaces):
        self.cluster, self.api = cluster, cluster.api
        self.places = [Switched(cluster, namespaces()) for _ in range(PLACES)]
        for place in self.places:
            for i in range(FLEET // PLACES):
                shape = SHAPES[i % 2]
                self.api.create(shape.kind.lower(), server(f"w-{i}", shape), place.namespace)
            place.switch("true")

    def objects(self):
        return {(p.namespace, o["metadata"]["name"]): o for p in self.places for kind in ("deployment", "statefulset")
                for o in self.api.list(kind, p.namespace) if o["metadata"]["name"].startswith("w-")}

    def wait_rows(self, timeout=180, **wanted):
        """Every row was looked at and says what it should."""
        def told():
            rows = [r for p in self.places for r in p.tracing().get("status", {}).get("workloads") or []]
            assert collections.Counter(r.get("reason") for r in rows) == wanted, [r for r in rows if r.get("reason") not in wanted][:3]
            return True
        wait_for(told, timeout, f"{wanted}")


class Untouched:
    """What the operator writes from now on to workloads, and what becomes of their templates."""

    def __init__(self, fleet):
        self.fleet, self.since, self.before = fleet, fleet.cluster.audit.position(), fleet.objects()

    def check(self, *written):
        """Those, once each, and no others; what met another's write (409) was tried again."""
        namespaces = {p.namespace for p in self.fleet.places}
        tried = [r for r in self.fleet.cluster.audit.writes(self.since, USER)
                 if r.namespace in namespaces and r.resource in ("deployments", "statefulsets") and r.name.startswith("w-")]
        assert {(r.namespace, r.name) for r in tried} == set(written)
        assert sorted((r.namespace, r.name) for r in tried if r.code != 409) == sorted(written), tried
        now = self.fleet.objects()
        assert [k for k, o in self.before.items() if k not in written and now[k]["spec"] != o["spec"]] == []


def args_of(fleet, place, name, kind="deployment"):
    return containers_of(fleet.api.get(kind, name, place.namespace)["spec"]["template"])["modelserver"]["args"]


@pytest.fixture
def fleet(cluster, namespaces, operator):
    made = Fleet(cluster, namespaces)
    first = operator()
    made.wait_rows(Injected=FLEET)
    assert len(made.objects()) == FLEET and all(has_ledger(o) for o in made.objects().values())
    first.stop()
    return made


def test_other_rules_over_two_hundred_workloads_and_back(fleet, operator):
    here, there = fleet.places[:2]
    untouched = Untouched(fleet)
    second = operator(binary=NEXT)
    fleet.wait_rows(PlanOutdated=FLEET)
    assert "newer rules or defaults would change something" in here.row("w-0")["message"]
    untouched.check()

    # what comes new is by the new rules; of the others one, since a person has seen what that would change
    fleet.api.create("deployment", server("w-new", SHAPES[0]), here.namespace)
    fleet.wait_rows(PlanOutdated=FLEET, Injected=1)
    assert NOW in args_of(fleet, here, "w-new")
    by_old_rules = online(fleet.cluster, "approve", "w-0", "--yes", "-n", there.namespace)
    assert by_old_rules.code == CONFLICT and "another version than this one" in by_old_rules.err, by_old_rules.err
    done = online(fleet.cluster, "approve", "w-0", "--yes", "-n", there.namespace, binary=NEXT)
    assert done.code == 0 and THEN in done.out, done.err
    fleet.wait_rows(PlanOutdated=FLEET - 1, Injected=2)
    assert NOW in args_of(fleet, there, "w-0") and THEN in args_of(fleet, there, "w-2")
    untouched.check((here.namespace, "w-new"), (there.namespace, "w-0"))
    second.stop()

    untouched = Untouched(fleet)
    operator()
    fleet.wait_rows(Injected=FLEET - 1, LedgerNewer=2)
    untouched.check()
    assert NOW in args_of(fleet, there, "w-0"), "what newer rules wrote is not an older operator's to change"

    # taking back needs no rules
    there.switch("false")
    wait_for(lambda: not any(has_ledger(o) for (namespace, _), o in fleet.objects().items() if namespace == there.namespace), 120, "taken back")
    assert args_of(fleet, there, "w-0") == ["m"] == args_of(fleet, there, "w-1", "statefulset")
