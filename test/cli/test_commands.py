# SPDX-License-Identifier: Apache-2.0
"""What each command says and returns, and how objects of one input bear on each other."""
import copy
import json
import os
import re

import pytest
import yaml

import cli
from cli import container, deployment, dump, inject, run

TRACING = {"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
           "spec": {"sampling": {"ratio": "0.25"}}}
OLD = "docker.io/vllm/vllm-openai:v0.10.0"


def tracing(ratio, namespace=None):
    tree = copy.deepcopy(TRACING)
    tree["spec"]["sampling"]["ratio"] = ratio
    if namespace:
        tree["metadata"]["namespace"] = namespace
    return tree


def ratio(document):
    return next(e["value"] for e in container(document)["env"] if e["name"] == "OTEL_TRACES_SAMPLER_ARG")


def test_inject_gives_flags_env_and_ledger(vllm):
    result = inject(vllm)
    tree = result.documents()[0]
    env = {e["name"]: e.get("value") for e in container(tree)["env"]}
    assert result.code == cli.OK
    assert container(tree)["args"][:2] == ["org/model", "--port=8000"]
    assert "--otlp-traces-endpoint=http://otel-collector:4317" in container(tree)["args"]
    assert env["OTEL_SERVICE_NAME"] == "vllm-decode" and env["OTEL_TRACES_SAMPLER_ARG"] == "1.0"
    assert json.loads(tree["metadata"]["annotations"]["tracing.llm-d.io/ledger"])["v"] == 1


def test_settings_file_and_settings_in_the_input(tmp_path):
    a, b = deployment("a", "one"), deployment("b", "two")
    result = inject(dump(a, tracing("0.5", "two"), b)).documents()
    assert (ratio(result[0]), ratio(result[2])) == ("1.0", "0.5")
    path = tmp_path / "s.yaml"
    path.write_text("# mine\n---\n" + dump(tracing("0.125")))
    result = inject(dump(a, tracing("0.5", "two"), b), "--settings", str(path)).documents()
    assert (ratio(result[0]), ratio(result[2])) == ("0.125", "0.125")


def test_objects_without_namespace_are_of_n(tmp_path):
    text = dump(deployment("a"), tracing("0.5", "mine"))
    assert ratio(inject(text).documents()[0]) == "1.0"
    assert ratio(inject(text, "-n", "mine").documents()[0]) == "0.5"


@pytest.mark.parametrize("spec, words", [
    ({"sampling": {"ratio": "2"}}, ["spec.sampling.ratio"]),
    ({"sampling": {"ratio": 0.5}}, ["spec.sampling.ratio"]),
    ({"sampling": {"sampler": "always_on"}}, ["spec.sampling.sampler"]),
    ({"samplin": {}}, ["spec.samplin", "spec.sampling"]),
    ({"collector": {"mode": "External", "endpoint": "http://x:4318"}}, ["spec.collector.endpoint", "4318"]),
])
def test_bad_settings_are_named(tmp_path, spec, words):
    tree = {**TRACING, "spec": spec}
    path = tmp_path / "s.yaml"
    path.write_text(dump(tree))
    for result in (inject(dump(deployment()), "--settings", str(path)), inject(dump(deployment(), tree))):
        assert (result.code, result.raw) == (cli.INVALID, b"")
        for word in words:
            assert word in result.err
    assert str(path) in inject(dump(deployment()), "--settings", str(path)).err
    assert "document 2" in inject(dump(deployment(), tree)).err


def test_settings_have_to_be_a_tracing(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(dump(deployment()))
    result = inject(dump(deployment()), "--settings", str(path))
    assert result.code == cli.INVALID and "Tracing" in result.err


def test_two_tracings_of_one_namespace_are_refused():
    result = inject(dump(deployment(), tracing("0.5"), tracing("0.1")))
    assert result.code == cli.INVALID and "second Tracing" in result.err


def pool(namespace):
    return {"apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool",
            "metadata": {"name": "pool", "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": "m"}}, "targetPorts": [{"number": 8000}],
                     "endpointPickerRef": {"name": "picker", "port": {"number": 9002}}}}


def test_surroundings_are_found_per_namespace():
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "picker", "namespace": "one"},
               "spec": {"selector": {"app": "picker"}}}
    epp = deployment("picker", "one", "epp", "registry.example/my/own:7", None, ("--pool-name=pool", "--tracing=false"))
    stray = deployment("stray", "two", labels={"app": "m"})
    rows = json.loads(run("explain", "-f", "-", "-o", "json",
                          stdin=dump(epp, deployment("m", "one"), stray, service, pool("one"))).out)
    evidence = {row["object"]: row["evidence"] for row in rows}
    assert "pool" in evidence["Deployment/one/picker"]
    assert "pool" in evidence["Deployment/one/m"]
    assert "pool" not in evidence["Deployment/two/stray"]


def test_explain_json_has_the_documented_members(vllm):
    row = json.loads(run("explain", "-f", "-", "-o", "json", stdin=vllm).out)[0]
    assert row["object"] == "Deployment/default/decode" and row["document"] == 1
    first = row["containers"][0]
    assert {"object", "path", "container", "component", "decision", "reason", "message", "edits"} <= first.keys()
    assert (first["container"], first["component"], first["decision"], first["reason"]) == ("vllm", "vllm", "inject", "Injected")
    assert first["path"] == "/spec/template/spec"
    for edit in first["edits"]:
        assert edit["path"].startswith("/spec/template/spec/containers/0/") and edit["what"] and edit["why"]


def test_explain_text_tells_what_and_why(vllm):
    out = run("explain", "-f", "-", stdin=vllm).out
    assert "Deployment/default/decode" in out and "vllm (vllm): inject" in out
    assert "--otlp-traces-endpoint=http://otel-collector:4317" in out and "because" in out


@pytest.mark.parametrize("annotations, reason", [
    ({"tracing.llm-d.io/inject": "false"}, "OptedOut"),
])
def test_an_opt_out_wins_over_the_named_file(annotations, reason):
    text = dump(deployment(annotations=annotations))
    assert inject(text).out == text
    assert json.loads(run("explain", "-f", "-", "-o", "json", stdin=text).out)[0]["reason"] == reason


def test_what_kserve_renders_is_left_alone():
    tree = deployment()
    tree["metadata"]["ownerReferences"] = [{"apiVersion": "serving.kserve.io/v1alpha1", "kind": "LLMInferenceService",
                                            "name": "x", "uid": "u", "controller": True}]
    text = dump(tree)
    assert inject(text).out == text
    assert json.loads(run("explain", "-f", "-", "-o", "json", stdin=text).out)[0]["reason"] == "KServeOwned"


def test_check_fails_when_something_is_left_out(vllm):
    assert run("check", "-f", "-", stdin=vllm).code == cli.OK
    result = run("check", "-f", "-", stdin=vllm + "---\n" + dump(deployment("old", image=OLD)))
    assert result.code == cli.DIFFERENT and "EngineTooOld" in result.out
    assert result.out.endswith("1 traced, 1 left out\n")
    assert run("check", "-f", "-", stdin="a: [").code == cli.INVALID
    nginx = dump(deployment("web", container="web", image="nginx:1", command=None, args=None))
    assert run("check", "-f", "-", stdin=nginx).code == cli.OK


@pytest.mark.parametrize("command", ["explain", "check"])
@pytest.mark.parametrize("text", ["", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n"])
def test_an_input_without_a_workload_is_told(command, text):
    result = run(command, "-f", "-", stdin=text)
    assert result.code == cli.OK and "no object of the input is of a kind that can be traced" in result.err


def test_inject_warns_of_what_it_leaves_out():
    text = dump(deployment("old", image=OLD))
    result = inject(text)
    assert (result.code, result.out) == (cli.OK, text)
    assert "Deployment/default/old" in result.err and "EngineTooOld" in result.err


def test_diff_shows_and_applies(tmp_path, vllm):
    result = run("diff", "-f", "-", stdin=vllm)
    assert result.code == cli.DIFFERENT
    lines = result.out.splitlines()
    assert lines[0].startswith("# PendingRestart: ") and lines[1].startswith("--- ") and lines[2].startswith("+++ ")
    ours = run("uninject", "-f", "-", stdin=inject(vllm).out).out
    assert apply_unified(ours.splitlines(), lines[3:]) == inject(ours).out.splitlines()
    again = run("diff", "-f", "-", stdin=inject(vllm).out)
    assert (again.code, again.raw) == (cli.OK, b"")


def apply_unified(old, lines):
    """Applies hunks strictly: context and removals must match."""
    new, at = [], 0
    for line in lines:
        head = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", line)
        if head:
            start = int(head[1]) - (0 if head[2] == "0" else 1)
            new += old[at:start]
            at = start
            assert len(new) + 1 == int(head[3])
        elif line[:1] in (" ", "-"):
            assert old[at] == line[1:]
            at += 1
            new += [line[1:]] if line[0] == " " else []
        else:
            assert line[0] == "+"
            new.append(line[1:])
    return new + old[at:]


def test_a_long_diff_has_several_hunks():
    tree = deployment()
    one, two = container(tree), copy.deepcopy(container(tree))
    two["name"] = "vllm2"
    one["env"] = [{"name": f"V{i}", "value": "x"} for i in range(60)]
    tree["spec"]["template"]["spec"]["containers"].append(two)
    ours = run("uninject", "-f", "-", stdin=inject(dump(tree)).out).out
    lines = run("diff", "-f", "-", stdin=ours).out.splitlines()
    assert sum(line.startswith("@@") for line in lines) >= 3
    assert apply_unified(ours.splitlines(), lines[3:]) == inject(ours).out.splitlines()


def of_kind(kind, **spec):
    tree = deployment()
    template = tree["spec"]["template"]
    if kind == "LeaderWorkerSet":
        return {**tree, "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": kind,
                "spec": {"leaderWorkerTemplate": {"size": 4, "workerTemplate": template}, **spec}}
    return {**tree, "kind": kind, "spec": {**tree["spec"], **spec}}


@pytest.mark.parametrize("tree, words", [
    (of_kind("Deployment"), "1 pod will be replaced"),
    (of_kind("Deployment", replicas=3), "3 pods will be replaced"),
    (of_kind("Deployment", replicas=0), "no pod is replaced by itself"),
    (of_kind("StatefulSet", replicas=3, updateStrategy={"type": "OnDelete"}), "no pod is replaced by itself"),
    (of_kind("StatefulSet", replicas=3, updateStrategy={"rollingUpdate": {"partition": 2}}), "1 pod will be replaced"),
    (of_kind("LeaderWorkerSet", replicas=2), "8 pods will be replaced"),
])
def test_diff_tells_what_it_costs(tree, words):
    told = [line for line in run("diff", "-f", "-", stdin=dump(tree)).out.splitlines() if line.startswith("#")]
    assert told == [f"# PendingRestart: {tree['kind']}/default/decode: {words}"]


def test_render_prints_what_the_operator_creates(tmp_path):
    documents = run("render", "-n", "shop").documents()
    kinds = {(d["kind"], d["metadata"]["name"]) for d in documents}
    assert {("Service", "otel-collector"), ("Deployment", "otel-collector"), ("Service", "jaeger-collector")} <= kinds
    for document in documents:
        assert document["metadata"]["namespace"] == "shop"
        assert document["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "llmd-tracing"
    assert run("render", "-n", "shop", "-o", "json").json_values() == documents
    assert any(d["kind"] == "OpenTelemetryCollector" for d in run("render", "--cr").documents())
    path = tmp_path / "s.yaml"
    path.write_text(dump({**TRACING, "spec": {"collector": {"replicas": 3}}}))
    replicas = {d["metadata"]["name"]: d["spec"].get("replicas") for d in run("render", "--settings", str(path)).documents()
                if d["kind"] == "Deployment"}
    assert replicas["otel-collector"] == 3


def test_help_names_every_command_and_option():
    out = run("--help").out
    for command in ("run", "inject", "uninject", "diff", "explain", "check", "render", "version"):
        assert re.search(rf"^  {command} ", out, re.MULTILINE)
        result = run(command, "--help")
        assert result.code == cli.OK and "usage:" in result.out
    assert run("version").out.startswith("llmd-tracing ") and run("--version").out == run("version").out


def test_short_options_take_their_value_as_kubectl_does(vllm):
    ways = [("-f=-", "-n=shop", "-o=json"), ("-f-", "-nshop", "-ojson"), ("-f", "-", "-n", "shop", "-o", "json")]
    assert len({run("explain", *way, stdin=vllm).raw for way in ways}) == 1


def test_the_manual_names_every_command_option_and_exit_code():
    with open(os.path.join(cli.ROOT, "docs/cli.md"), encoding="utf-8") as stream:
        manual = stream.read()
    for command in re.findall(r"^  (\w+) ", run("--help").out, re.MULTILINE):
        assert f"`{command}`" in manual
        if command not in ("run", "version"):
            for option in re.findall(r"--[a-z-]+", run(command, "--help").out.split("\n\n", 2)[2]):
                assert option in manual, option
    for code in (0, 1, 2, 3, 6, 7, 8, 70):
        assert re.search(rf"^\| {code} \|", manual, re.MULTILINE), code


def test_ours_is_readable_by_others(vllm):
    assert yaml.safe_load(inject(vllm).out) == json.loads(inject(vllm, "-o", "json").out)


def test_kustomize_is_the_patch_without_the_ledger(vllm):
    """The same operations as `patch` has, as a Component that Git can hold; once it is applied there is nothing to add."""
    component = yaml.safe_load(inject(vllm, "-o", "kustomize").out)
    assert component["kind"] == "Component"
    patch, = component["patches"]
    tree = yaml.safe_load(vllm)
    assert patch["target"] == {"group": "apps", "version": "v1", "kind": "Deployment", "name": tree["metadata"]["name"]}
    every = json.loads(inject(vllm, "-o", "patch").out)["patch"]
    assert yaml.safe_load(patch["patch"]) == [o for o in every if o["op"] != "test" and not o["path"].startswith("/metadata/")]
    empty = inject("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "-o", "kustomize")
    assert empty.code == cli.OK and yaml.safe_load(empty.out)["patches"] == []


def test_a_kustomize_patch_finds_one_workload():
    """Kustomize takes the name for a regular expression of the whole, in which a point is any character."""
    names = ["qwen.decode", "qwen-decode", "qwen1decode"]
    component = yaml.safe_load(inject(dump(*(deployment(name) for name in names)), "-o", "kustomize").out)
    targets = [patch["target"]["name"] for patch in component["patches"]]
    assert [[name for name in names if re.fullmatch(target, name)] for target in targets] == [[name] for name in names]
