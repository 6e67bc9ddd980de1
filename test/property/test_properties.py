# SPDX-License-Identifier: Apache-2.0
"""What always holds (DESIGN §4.7), over every document of every golden case and over generated workloads."""
import copy
import random

import pytest

import cases
import exact
import workloads
from exact import Number

GENERATED = 210
LEDGER = "tracing.llm-d.io/ledger"
WORKLOADS = {"Deployment", "StatefulSet", "ReplicaSet", "LeaderWorkerSet", "DisaggregatedSet", "ModelService", "Pod"}


class Subject:
    """One object and what its plan is made with."""

    def __init__(self, plan_engine, obj, tracing=None, around=()):
        self.engine = plan_engine
        self.obj = exact.exact(obj)
        self.more = {"tracing": tracing, "around": list(around), "explicit": True}

    def plan(self, obj, **request):
        line = exact.dumps({"object": obj, **self.more, **request})
        answer = exact.loads(self.engine.raw(line))
        assert "error" not in answer, answer
        return answer

    def inject(self, obj=None, **request):
        return self.plan(self.obj if obj is None else obj, want="inject", **request)

    def remove(self, obj, **request):
        return self.plan(obj, want="remove", **request)


def golden():
    for name in cases.names():
        case = cases.Case(name)
        for index, obj in enumerate(case.docs):
            if obj.get("kind") in WORKLOADS and obj["apiVersion"] != "acme.example/v1":
                yield pytest.param((name, index), id=f"{name}-{index}")


@pytest.fixture(params=[*golden(), *[pytest.param(seed, id=f"generated-{seed}") for seed in range(GENERATED)]])
def subject(request, plan_engine):
    if isinstance(request.param, int):
        return Subject(plan_engine, workloads.workload(request.param))
    name, index = request.param
    case = cases.Case(name)
    return Subject(plan_engine, case.docs[index], case.tracing, case.docs)


def same(got, want):
    assert exact.canonical(got) == exact.canonical(want)


def test_idempotent(subject):
    done = subject.inject()["object"]
    again = subject.inject(done)
    assert not again["changes"] and again["patch"] == []
    same(again["object"], done)


def test_exact_removal(subject):
    done = subject.inject()["object"]
    same(subject.remove(done)["object"], subject.obj)


def test_removing_from_an_untouched_object_does_nothing(subject):
    answer = subject.remove(subject.obj)
    assert not answer["changes"] and answer["patch"] == []


def test_the_patch_is_the_edit(subject):
    answer = subject.inject()
    same(exact.apply(subject.obj, answer["patch"]), answer["object"])
    back = subject.remove(answer["object"])
    same(exact.apply(answer["object"], back["patch"]), back["object"])


def test_a_patch_does_not_apply_where_a_touched_value_is_another(subject):
    answer = subject.inject()
    if not answer["template_changes"] or not list(workloads.containers(subject.obj)):
        return
    other = copy.deepcopy(subject.obj)
    for row in workloads.containers(other):
        row["name"] += "-other"
    with pytest.raises((AssertionError, KeyError, IndexError, TypeError)):
        exact.apply(other, answer["patch"])


def test_replicas_belong_to_autoscalers(subject):
    """HPA, KEDA and llm-d's own autoscaler write them; we never do, neither when it comes nor when it goes."""
    there = subject.inject()
    for row in there["patch"] + subject.remove(there["object"])["patch"]:
        assert "replicas" not in exact.tokens(row["path"]) and '"replicas"' not in exact.dumps(row.get("value")), row


def test_the_pristine_hash_sees_others_edits_and_not_ours(subject):
    there = subject.inject()
    assert subject.inject(there["object"])["pristine"] == there["pristine"]
    if not there["injected"]:
        return
    for spec in workloads.pod_specs(there["object"]):
        spec["terminationGracePeriodSeconds"] = Number("77")
    assert subject.inject(there["object"])["pristine"] != there["pristine"]


def stripped(obj):
    """Without everything that a plan may touch."""
    obj = copy.deepcopy(obj)
    annotations = obj["metadata"].get("annotations")
    if annotations:
        annotations.pop(LEDGER, None)
    if not annotations:
        obj["metadata"].pop("annotations", None)
    for spec in workloads.pod_specs(obj):
        for key in ("initContainers", "containers"):
            rows = spec.get(key) or []
            for row in rows:
                for member in ("command", "args", "env"):
                    row.pop(member, None)
            if obj["kind"] == "ModelService" and all(set(row) == {"name"} for row in rows):
                spec.pop(key, None)
    return obj


def test_nothing_else_is_touched(subject):
    same(stripped(subject.inject()["object"]), stripped(subject.obj))


def effective(rows):
    """Kubelet's reading: the last of a name."""
    return {row["name"]: row for row in rows or []}


def by_name(obj):
    return [(index, row["name"], row) for index, spec in enumerate(workloads.pod_specs(obj))
            for key in ("initContainers", "containers") for row in spec.get(key) or []]


def test_the_user_wins_in_env_and_no_name_is_doubled(subject):
    done = {(index, name): row for index, name, row in by_name(subject.inject()["object"])}
    for index, name, row in by_name(subject.obj):
        before = row.get("env") or []
        after = done[(index, name)].get("env") or []
        for key, entry in effective(before).items():
            same(effective(after)[key], entry)
        for key in {entry["name"] for entry in after}:
            count = sum(entry["name"] == key for entry in after)
            assert count == max(1, sum(entry["name"] == key for entry in before)), key


def test_helpers_stand_before_their_use(subject):
    for row in workloads.containers(subject.inject()["object"]):
        seen = set()
        for entry in row.get("env") or []:
            if entry["name"] == "OTEL_RESOURCE_ATTRIBUTES" and "$(" in entry.get("value", ""):
                for helper in ("NAMESPACE", "NODE_NAME", "POD_NAME"):
                    assert f"OTEL_RESOURCE_ATTRIBUTES_{helper}" in seen
            seen.add(entry["name"])


def test_a_vllm_pair_is_never_split(subject):
    for row in workloads.containers(subject.inject()["object"]):
        text = " ".join((row.get("command") or []) + (row.get("args") or []))
        if "--collect-detailed-traces=all" in text:
            assert "--otlp-traces-end" in text or "--otlp_traces_end" in text


def test_a_skipped_container_gets_nothing(subject):
    answer = subject.inject()
    done = {(index, name): row for index, name, row in by_name(answer["object"])}
    skipped = {row["container"] for row in answer["explain"]["containers"] if row["decision"] == "skip"}
    taken = {row["container"] for row in answer["explain"]["containers"] if row["decision"] == "inject"}
    for index, name, row in by_name(subject.obj):
        if name in skipped - taken:
            same(done[(index, name)], row)
    for row in answer["explain"]["containers"]:
        assert (row["decision"] == "inject") == bool(row["edits"]), row


def shuffled(value, rng):
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: shuffled(value[key], rng) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, rng) for item in value]
    return value


def test_key_order_is_nothing(subject):
    done = subject.inject()["object"]
    other = shuffled(subject.obj, random.Random(1))
    same(subject.inject(other)["object"], done)
    assert not subject.inject(shuffled(done, random.Random(2)))["changes"]


def tracing(subject, **spec):
    made = copy.deepcopy(subject.more["tracing"]) or {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing",
                                                      "metadata": {"name": "llm-d"}, "spec": {}}
    made["spec"].update(spec)
    return made


def test_a_changed_ratio_is_one_value_a_container(subject):
    done = subject.inject()["object"]
    other = tracing(subject, sampling={"ratio": "0.125"})
    answer = subject.inject(done, tracing=other)
    changed = [row for row in answer["patch"] if row["op"] != "test"]
    for row in changed:
        assert row["op"] == "replace", row
        assert row["path"].endswith("ledger") or row["value"] == "0.125", row
    same(answer["object"], subject.inject(tracing=other)["object"])
    same(subject.remove(answer["object"], tracing=other)["object"], subject.obj)
    assert not answer["changes_lists"]


@pytest.mark.parametrize("spec", [{"components": {"vllm": {"detailedTraces": "none"}}},
                                  {"components": {"vllm": {"enabled": False}, "epp": {"enabled": False}}},
                                  {"components": {"vllm": {"serviceNames": {"default": "x"}}}}])
def test_a_changed_policy_gives_what_it_would_have_given_first(subject, spec):
    done = subject.inject()["object"]
    other = tracing(subject, **spec)
    there = subject.inject(done, tracing=other)["object"]
    same(there, subject.inject(tracing=other)["object"])
    same(subject.inject(there)["object"], done)
    same(subject.remove(there, tracing=other)["object"], subject.obj)


def served(value):
    """What the API server makes of an object: nulls and empty lists go, apiVersion of fieldRef is filled in."""
    if isinstance(value, dict):
        made = {key: served(item) for key, item in value.items() if item is not None}
        for key in ("command", "args", "env", "initContainers"):
            if made.get(key) == []:
                del made[key]
        if "fieldPath" in made:
            made.setdefault("apiVersion", "v1")
        if set(made) == {"name", "value"} and made["value"] == "":
            del made["value"]
        return made
    if isinstance(value, list):
        return [served(item) for item in value]
    return value


def test_the_api_servers_defaults_change_nothing(subject):
    done = served(subject.inject()["object"])
    assert not subject.inject(done, take_updates=False)["changes"]
    back = subject.remove(done)["object"]
    same(served(back), served(subject.obj))


def injected_containers(obj, done):
    before = {(index, name): row for index, name, row in by_name(obj)}
    for index, name, row in by_name(done):
        old = before.get((index, name))
        if old is not None and exact.canonical(old) != exact.canonical(row):
            yield old, row


def test_what_the_user_adds_later_survives(subject):
    done = subject.inject()["object"]
    goal = copy.deepcopy(subject.obj)
    for old, row in injected_containers(goal, done):
        old["env"] = [*(old.get("env") or []), {"name": "LATER", "value": "1"}]
        row["env"] = [*(row.get("env") or []), {"name": "LATER", "value": "1"}]
        old["newField"] = row["newField"] = {"big": Number("18446744073709551616")}
    goal["metadata"]["labels"] = done["metadata"]["labels"] = {"later": "1"}
    again = subject.inject(done)
    assert not again["template_changes"], again["patch"]
    same(subject.remove(done)["object"], goal)
    same(subject.remove(again["object"])["object"], goal)


def test_a_value_that_the_user_changed_stays(subject):
    done = subject.inject()["object"]
    goal = copy.deepcopy(subject.obj)
    for old, row in injected_containers(goal, done):
        names = {entry["name"] for entry in old.get("env") or []}
        for entry in row.get("env") or []:
            if entry["name"] == "OTEL_SERVICE_NAME" and entry["name"] not in names:
                entry["value"] = "by-hand"
                old["env"] = [*(old.get("env") or []), dict(entry)]
    same(subject.remove(done)["object"], goal)
    again = subject.inject(done)["object"]
    same(subject.remove(again)["object"], goal)


def test_what_somebody_took_away_is_put_back(subject):
    """A client-side apply resets args and keeps env and ledger."""
    done = subject.inject()["object"]
    reset = copy.deepcopy(done)
    for old, row in injected_containers(subject.obj, reset):
        for member in ("command", "args"):
            if member in old:
                row[member] = copy.deepcopy(old[member])
            else:
                row.pop(member, None)
    same(subject.inject(reset, take_updates=False)["object"], done)
    same(subject.remove(reset)["object"], subject.obj)


def test_the_loss_of_the_ledger_makes_everything_the_users(subject):
    """kubectl rollout undo with a ledger that is gone: nothing is added twice, nothing is taken away."""
    done = subject.inject()["object"]
    lost = copy.deepcopy(done)
    (lost["metadata"].get("annotations") or {}).pop(LEDGER, None)
    again = subject.inject(lost)
    assert not again["template_changes"]
    assert not subject.remove(lost)["changes"]


def test_new_defaults_wait(subject):
    """The same words of the user, other defaults of the operator: held back, until the workload itself changes."""
    first = subject.inject(hash="aaaaaaaaaaaaaaaa")
    done = first["object"]
    newer = tracing(subject, sampling={"ratio": "0.0625"})
    held = subject.inject(done, tracing=newer, hash="aaaaaaaaaaaaaaaa", take_updates=False)
    taken = subject.inject(done, tracing=newer, hash="aaaaaaaaaaaaaaaa", take_updates=True)
    assert not held["changes"] and held["outdated"] == taken["changes"]
    asked = subject.inject(done, tracing=newer, hash="bbbbbbbbbbbbbbbb", take_updates=False)
    assert asked["template_changes"] == taken["template_changes"]
    assert subject.remove(done, hash="aaaaaaaaaaaaaaaa", take_updates=False)["changes"] == first["changes"]
    if not taken["template_changes"] or not list(injected_containers(subject.obj, done)):
        return
    for _, row in injected_containers(subject.obj, done):
        row["env"] = [*(row.get("env") or []), {"name": "LATER", "value": "1"}]
    own = subject.inject(done, tracing=newer, hash="aaaaaaaaaaaaaaaa", take_updates=False)
    assert own["template_changes"]


@pytest.mark.parametrize("ledger", ['{"v":2}', "{", '{"v":1}', ""])
def test_a_ledger_that_cannot_be_read_is_left_alone(subject, ledger):
    done = subject.inject()["object"]
    if LEDGER not in (done["metadata"].get("annotations") or {}):
        return
    done["metadata"]["annotations"][LEDGER] = ledger
    for answer in (subject.inject(done), subject.remove(done)):
        assert not answer["changes"] and answer["patch"] == []
        assert answer["explain"]["reason"] == ("LedgerNewer" if '"v":2' in ledger else "BadLedger")
        assert answer["ledger_newer"] == ('"v":2' in ledger)
