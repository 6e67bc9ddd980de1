# SPDX-License-Identifier: Apache-2.0
"""What goes through comes out as it was: bytes where nothing is edited, meaning where it is."""
import json
import os
import random
import subprocess

import pytest
import yaml

import cli
from cli import deployment, dump, inject, run

OTHER = """\
# a comment   with  spaces
apiVersion: v1
kind: ConfigMap
metadata: {name: c}   # odd style
data:
  mode: 0755
  "on": 'yes'
  text: >-
    folded

    text
"""


def test_untouched_documents_keep_every_byte(vllm):
    text = OTHER + "---\n" + vllm + "---\n# only a comment\n---\n" + OTHER.replace("name: c", "name: d")
    out = inject(text).out
    assert out.startswith(OTHER + "---\n")
    assert out.endswith("---\n# only a comment\n---\n" + OTHER.replace("name: c", "name: d"))
    assert "--otlp-traces-endpoint" in out


@pytest.mark.parametrize("text", [
    OTHER, "", "# nothing\n", "---\n---\n", "a: 1", "a: 1\r\n---\r\nb: 2\r\n", "\ufeffa: é\n", "- 1\n- 2\n", "just text\n",
    "a: 1\n...\n---\nb: 2\n...\n# end\n", "%YAML 1.1\n---\na: 1\n", '{"a": 1}\n{"b":  2}\n', '{"a": 1}', "x: &a [1]\ny: *a\n"])
@pytest.mark.parametrize("command", ["inject", "uninject"])
def test_what_is_no_workload_passes_byte_for_byte(command, text):
    result = run(command, "-f", "-", stdin=text)
    assert (result.code, result.raw, result.err) == (cli.OK, text.encode(), "")


@pytest.mark.parametrize("edge", ["", "---\n", "# head\n", "# head\n---\n", "%YAML 1.1\n---\n"])
@pytest.mark.parametrize("tail", [
    "", "...\n", "---\n", "...\n---\nb: 1\n", "---\n# c\nb: 1", "...\n%YAML 1.1\n---\nb: 1\n"])
def test_markers_around_an_edited_document(vllm, edge, tail):
    text = edge + vllm + tail
    result = inject(text)
    wanted = inject(text, "-o", "json").json_values()
    assert inject(result.out, "-o", "json").json_values() == wanted
    assert len(wanted) == (2 if "b: 1" in tail else 1) and wanted[1:] in ([], [{"b": 1}])
    assert "--otlp-traces-endpoint=http://otel-collector:4317" in cli.container(wanted[0])["args"]
    assert result.out.endswith(tail.removeprefix("...\n")) and result.out.count("...\n") == tail.count("...\n")
    assert ("comments are lost in 1 edited document" in result.err) == edge.startswith("# head")


def test_uninject_gives_the_meaning_back(vllm):
    injected = inject(vllm).out
    assert yaml.safe_load(run("uninject", "-f", "-", stdin=injected).out) == yaml.safe_load(vllm)


def test_uninject_gives_the_bytes_back_in_our_own_style(vllm):
    ours = run("uninject", "-f", "-", stdin=inject(vllm).out).out
    assert run("uninject", "-f", "-", stdin=inject(ours).out).out == ours


def test_inject_twice_is_inject_once(vllm):
    once = inject(vllm).raw
    assert inject(once).raw == once


@pytest.mark.parametrize("source, kept", [
    ("0755", 493), ("0o17", 15), ("0x1F", 31), ("0b11", 3), ("1_000", 1000), ("yes", True), ("off", False), ("~", None),
    ("1.10", 1.1), ("9007199254740993", 9007199254740993), ("2001-12-14", "2001-12-14"), ("1:30", "1:30"),
    ("'0755'", "0755"), ('"yes"', "yes"), ("!!str 12", "12"), ("1e3", 1000.0)])
def test_scalars_of_edited_documents_mean_what_kubectl_reads(source, kept):
    text = dump(deployment()).replace("metadata:\n", f"metadata:\n  x: {source}\n", 1)
    tree = inject(text, "-o", "json").json_values()[0]
    assert tree["metadata"]["x"] == kept and type(tree["metadata"]["x"]) is type(kept)


@pytest.mark.parametrize("number", ["1.10", "9007199254740993", "1e3", "123456789012345678901234567890", "0.1000", "-0.0", "1E+2"])
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_numbers_keep_their_text(number, form):
    tree = deployment()
    tree["metadata"]["x"] = "NUMBER"
    text = json.dumps(tree) if form == "json" else dump(tree)
    out = inject(text.replace('"NUMBER"', number).replace("NUMBER", number)).out
    assert f': {number}' in out.replace('":', '": ') and "--otlp-traces-endpoint" in out


AWKWARD = ["", " ", "a ", "yes", "No", "y", "null", "~", "0755", "0x1F", "1e3", "1_0", ".5", "1:30", "2001-12-14", "-", "--", "- x",
           "a: b", "a:", "a #b", "#", "[x]", "{x}", "*x", "&x", "!x", "%x", "@x", "`x", "|", ">", "'", '"', "it's", 'a"b', "a\\b",
           "\n", "a\n", "a\nb", "a\n\n", " a\nb\n", "\ta\nb", "a\n b\n", "a\n\n\nb\n", "\na", "a\rb", "a\r\nb", "\t", "é", "漢字",
           "\x85", "\u2028", "\ufeff", "\x7f", "\x01", "😀", "=", "<<", "...", "---", "---\na", "a\n---\n", ".inf", ".NaN", "a, b",
           "?", "? a", ":", "$(X)", "{{ .x }}", "x" * 5000, "a\t#b", "a\n\tb\n", "a \n b", "\\n", "''", "a'\n"]


def test_every_awkward_string_survives_and_reads_alike_elsewhere():
    """Also as key, as an element and nested; PyYAML is the second reader."""
    random.seed(4317)
    tree = deployment()
    tree["metadata"]["x"] = AWKWARD + [{s: s} for s in AWKWARD] + [[s] for s in AWKWARD] + [{s: {s: [s, {}]}} for s in AWKWARD]
    for _ in range(300):
        text = "".join(random.choice("ab \n\t:#-'\"\\é{[,&*!|>%@`~0.") for _ in range(random.randrange(1, 12)))
        tree["metadata"]["x"].append({text: [text, {text: text}]})
    wanted = inject(json.dumps(tree), "-o", "json").json_values()
    result = inject(json.dumps(tree), "-o", "yaml")
    assert result.documents() == wanted
    assert wanted[0]["metadata"]["x"] == tree["metadata"]["x"]
    assert inject(result.out, "-o", "json").json_values() == wanted


def test_deployments_in_a_list_are_edited_in_it():
    items = [deployment("a"), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}, deployment("b")]
    tree = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
    for text in (dump(tree), json.dumps(tree)):
        result = inject(text).documents()[0]
        assert [i["kind"] for i in result["items"]] == ["Deployment", "Service", "Deployment"]
        assert result["items"][1] == items[1]
        for i in (0, 2):
            assert "--otlp-traces-endpoint=http://otel-collector:4317" in cli.container(result["items"][i])["args"]
        assert run("uninject", "-f", "-", stdin=inject(text).out).documents() == [tree]


def test_items_of_a_typed_list_need_no_kind():
    items = [deployment("a")]
    del items[0]["kind"], items[0]["apiVersion"]
    tree = {"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items}
    result = inject(json.dumps(tree)).json_values()[0]
    assert "tracing.llm-d.io/ledger" in result["items"][0]["metadata"]["annotations"]
    assert "kind" not in result["items"][0]


def test_json_in_is_json_out():
    compact = json.dumps(deployment("a"), separators=(",", ":"))
    indented = json.dumps(deployment("b"), indent=2)
    result = inject(compact + "\n" + indented + "\n")
    assert [v["metadata"]["name"] for v in result.json_values()] == ["a", "b"]
    assert result.out.splitlines()[0].startswith('{"apiVersion":"apps/v1"')
    assert len(result.out.splitlines()) > 10
    assert inject(compact, "-o", "yaml").out.startswith("---\napiVersion: apps/v1\n")


def test_yaml_in_json_out(vllm):
    assert inject(vllm + "---\n" + OTHER, "-o", "json").json_values()[1]["data"]["mode"] == 493


def test_patch_output_applies(vllm):
    rows = [json.loads(line) for line in inject(vllm + "---\n" + OTHER, "-o", "patch").out.splitlines()]
    assert [(r["kind"], r["name"], r["namespace"], r["document"]) for r in rows] == [("Deployment", "decode", "default", 1)]
    ops = rows[0]["patch"]
    assert {op["op"] for op in ops} == {"test", "add"}
    assert any(op["path"] == "/spec/template/spec/containers/0/args/2" for op in ops)


def test_files_and_directories_in_order(tmp_path):
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    (folder / "b.yaml").write_text(dump(deployment("b")))
    (folder / "a.yml").write_text(dump(deployment("a")))
    (folder / "c.json").write_text(json.dumps(deployment("c")))
    (folder / "x.txt").write_text("not: read\n  at all")
    (folder / "below" / "d.yaml").write_text(dump(deployment("d")))
    (tmp_path / "z.yaml").write_text(dump(deployment("z")))
    names = [d["metadata"]["name"] for d in run("inject", "-f", str(tmp_path / "z.yaml"), "-f", str(folder)).documents()]
    assert names == ["z", "a", "b", "c"]
    names = [d["metadata"]["name"] for d in run("inject", "-R", "-f", str(folder)).documents()]
    assert sorted(names) == ["a", "b", "c", "d"]


def test_a_kubectl_plugin_by_its_name(tmp_path, vllm):
    link = tmp_path / "kubectl-llmd_tracing"
    os.symlink(cli.BINARY, link)
    done = subprocess.run([link, "--help"], text=True, capture_output=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: kubectl llmd-tracing COMMAND")
    assert subprocess.run([link, "inject", "-f", "-"], input=vllm, text=True, capture_output=True).stdout == inject(vllm).out


def test_a_hundred_thousand_namespaces():
    text = "".join(f"---\n{{metadata: {{namespace: a{i}}}}}\n" for i in range(100000))
    assert inject(text).out == text
