# SPDX-License-Identifier: Apache-2.0
"""Bad input: refused at a ceiling, named by file, document and place, and nothing printed."""
import os
import re
import subprocess

import pytest

import cli
from cli import deployment, dump, inject, run

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 10)}]\n" for i in range(9))
KIB, MIB = 1024, 1024 * 1024


def stopped_after(result):
    return int(re.search(r"stopped after (\d+) bytes", result.err)[1])


@pytest.mark.parametrize("text, most_read", [
    ("[" * 160 * KIB, 24 * KIB),
    ("{" * 160 * KIB, 24 * KIB),
    ('{"a":' * 40000, 24 * KIB),
    ("- " * 80000, 24 * KIB),
    (BOMB, 8 * KIB),
    ("a: " + "x" * 6 * MIB, 4 * MIB + 64 * KIB),
    ("- x\n" * 900000, 4 * 400000 + 64 * KIB),
    ("{\"a\": \"" + "x" * 5 * MIB + "\"}", 5 * MIB + KIB),
    ("%A\n" * 20000, 24 * KIB),
], ids=["brackets", "braces", "json", "dashes", "alias bomb", "long scalar", "many nodes", "long json", "directives"])
def test_ceilings(text, most_read):
    result = inject(text)
    assert (result.code, result.raw) == (cli.LIMIT, b"")
    assert result.err.count("\n") == 1 and result.err.startswith("llmd-tracing: -: ")
    assert stopped_after(result) <= most_read


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.yaml"
    with open(path, "wb") as stream:
        stream.truncate(50 * MIB)
    result = run("inject", "-f", str(path))
    assert (result.code, result.raw) == (cli.LIMIT, b"")
    assert str(path) in result.err and stopped_after(result) == 0


def test_a_huge_pipe_is_read_up_to_the_ceiling():
    process = subprocess.Popen([cli.BINARY, "inject", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    taken = 0
    line = b"# " + b"x" * 65533 + b"\n"
    try:
        for _ in range(50 * 16):
            taken += os.write(process.stdin.fileno(), line)
    except BrokenPipeError:
        pass
    with_err = process.stderr.read().decode()
    assert process.wait() == cli.LIMIT and process.stdout.read() == b""
    assert 16 * MIB <= taken <= 16 * MIB + 256 * KIB
    assert int(re.search(r"stopped after (\d+) bytes", with_err)[1]) <= 16 * MIB + 64 * KIB


@pytest.mark.parametrize("text, words", [
    ("a: 1\n---\nspec:\n  x: 1\n  y: 2\n  x: 3\n", ["document 2", "line 6", "spec.x", "duplicate key"]),
    ('{"a": {"b": 1, "b": 2}}', ["document 1", "duplicate key", '"b"']),
    (b"a: \xff\n", ["invalid UTF-8", "byte 3"]),
    (b'{"a": "\xc0\x80"}', ["UTF-8"]),
    ("a: [1\n", ["document 1", "line 2"]),
    ("a: .inf\n", ["line 1", "a: ", ".inf"]),
    ("a: 1\nb: *nope\n", ["line 2", "b: ", "alias"]),
    ("? [a]\n: b\n", ["line 1", "key"]),
    ("a: \"\\0\"\n", ["line 1", "NUL"]),
    ("\x01: 1\n", ["line 1", "control"]),
    ("a: &x [*x]\n", ["line 1"]),
    ("a: 1\n...\nb: 1\n", ["document 2", "line 3"]),  # kubectl would lose the second
])
def test_broken_input_is_named(text, words):
    result = inject(text)
    assert (result.code, result.raw) == (cli.INVALID, b"")
    for word in ["llmd-tracing: -: ", *words]:
        assert word in result.err


def test_a_broken_workload_is_named_by_its_path(tmp_path):
    broken = deployment("bad", "ns")
    broken["spec"]["template"]["spec"]["containers"] = {"name": "x"}
    path = tmp_path / "w.yaml"
    path.write_text(dump(deployment(), broken))
    result = run("inject", "-f", str(path))
    assert (result.code, result.raw) == (cli.INVALID, b"")
    for word in (f"{path}: document 2", "Deployment/ns/bad", "containers"):
        assert word in result.err


def test_nothing_is_printed_when_the_last_document_is_broken(vllm):
    assert inject(vllm + "---\na: [\n").raw == b""


@pytest.mark.parametrize("args, code, words", [
    ((), cli.INVALID, ["usage"]),
    (("frobnicate",), cli.INVALID, ["frobnicate"]),
    (("inject",), cli.INVALID, ["-f"]),
    (("inject", "-f"), cli.INVALID, ["-f"]),
    (("inject", "file.yaml"), cli.INVALID, ["file.yaml", "-f"]),
    (("inject", "-f", "-", "--nope"), cli.INVALID, ["inject: unknown option --nope (--help lists them)"]),
    (("inject", "-f", "-", "-o", "xml"), cli.INVALID, ["xml", "yaml, json, patch, kustomize, text"]),
    (("diff", "-f", "-", "-o", "json"), cli.INVALID, ["json"]),
    (("inject", "-f", "/nonexistent/x.yaml"), cli.NOT_FOUND, ["/nonexistent/x.yaml"]),
    (("inject", "-f", "-", "-f", "-"), cli.INVALID, ["once"]),
    (("inject", "-f", "-", "--settings", "/nonexistent/s.yaml"), cli.NOT_FOUND, ["/nonexistent/s.yaml"]),
    (("inject", "-f", "-", "-o=xml"), cli.INVALID, ["-o xml:"]),
    (("inject", "-f", "-", "-n", ""), cli.INVALID, ['-n "": no name of a namespace']),  # an unset variable in a script
    (("uninject", "--cluster", "-n", ""), cli.INVALID, ['-n "": no name of a namespace']),
    (("render", "--namespace=Team_A"), cli.INVALID, ['-n "Team_A"', "small letters"]),
    (("render", "-n", "a" * 64), cli.INVALID, ["no name of a namespace"]),
    (("render", "-n", "-o", "json"), cli.INVALID, ['-n "-o"']),
    (("run", "--namespaces", "a, b"), cli.INVALID, ['--namespaces " b": no name of a namespace']),
])
def test_misuse(args, code, words):
    result = run(*args)
    assert (result.code, result.raw) == (code, b"")
    for word in words:
        assert word in result.err


@pytest.mark.parametrize("text, words", [
    ("a:\n\tb: 1\n", ["line 2 column 1", "a tab"]),
    ("a: {{ .Values.x }}\n", ["line 1", "helm template"]),
    ("{{- if .Values.x }}\na: 1\n{{- end }}\n", ["line 1", "helm template"]),
])
def test_what_is_often_no_yaml_says_what_to_do(text, words):
    result = inject(text)
    assert (result.code, result.raw) == (cli.INVALID, b"")
    for word in words:
        assert word in result.err


def test_what_stands_around_has_to_be_a_list(tmp_path):
    """`kubectl get deployment NAME -o yaml` prints one object, which would have no effect."""
    path = tmp_path / "one.yaml"
    path.write_text(dump(deployment()))
    result = run("render", "--around", str(path))
    assert (result.code, result.raw) == (cli.INVALID, b"") and f"{path}: no List" in result.err


@pytest.mark.parametrize("namespaces", [("shop", "shop"), ("a", "b")])
def test_a_kustomize_patch_that_would_be_applied_twice(namespaces):
    """Kustomize finds what it patches by kind and name."""
    first, second = (deployment("decode", namespace) for namespace in namespaces)
    result = inject(dump(first, deployment("other"), second), "-o", "kustomize")
    assert (result.code, result.raw) == (cli.INVALID, b"")
    for word in ("-: document 1", "-: document 3", f"Deployment/{namespaces[1]}/decode"):
        assert word in result.err


def test_a_kustomize_patch_without_a_name():
    """A target that names nothing is every workload of that kind."""
    tree = deployment()
    tree["metadata"] = {"generateName": "decode-"}
    result = inject(dump(deployment("other"), tree), "-o", "kustomize")
    assert (result.code, result.raw) == (cli.INVALID, b"") and "-: document 2" in result.err and "metadata.name" in result.err


def test_a_directory_of_too_many_files(tmp_path):
    """None is passed over in silence; what is no manifest does not count."""
    for i in range(10001):
        (tmp_path / f"{i}.yaml").touch()
    result = run("inject", "-f", str(tmp_path))
    assert (result.code, result.raw) == (cli.LIMIT, b"") and "10000" in result.err
    for i in range(3):
        (tmp_path / f"{i}.yaml").rename(tmp_path / f"{i}.txt")
    assert run("inject", "-f", str(tmp_path)).code == cli.OK


def test_an_empty_directory_is_not_found(tmp_path):
    result = run("inject", "-f", str(tmp_path))
    assert result.code == cli.NOT_FOUND and str(tmp_path) in result.err


POLICY = {"allowedEndpoints": ["https://*.corp.example:4317"], "allowedImages": ["registry.corp.example/*"], "maxRatio": "0.5"}


def with_policy(tmp_path, command, spec, policy=None):
    settings, rules = tmp_path / "settings.yaml", tmp_path / "policy.yaml"
    settings.write_text(dump({"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"}, "spec": spec}))
    rules.write_text(dump(POLICY if policy is None else policy))
    files = () if command == "render" else ("-f", "-")
    return run(command, *files, "--settings", str(settings), "--policy", str(rules), stdin=dump(deployment()))


@pytest.mark.parametrize("command", ["inject", "diff", "explain", "check", "render"])
@pytest.mark.parametrize("spec, complaint", [
    ({"backend": {"type": "OTLP", "otlp": {"endpoint": "https://evil.example:4317"}}}, "spec.backend.otlp.endpoint: \"https://evil.example:4317\" is not allowed"),
    ({"collector": {"image": "ghcr.io/evil/otel:1"}}, "spec.collector.image: \"ghcr.io/evil/otel:1\" is not allowed"),
    ({"sampling": {"ratio": "1"}}, "spec.sampling.ratio: \"1\" is more than the administrator's policy allows; the highest is 0.5"),
])
def test_a_tracing_outside_of_the_policy(tmp_path, command, spec, complaint):
    result = with_policy(tmp_path, command, spec)
    assert (result.code, result.raw) == (cli.DENIED, b"") and complaint in result.err and "settings.yaml" in result.err


def test_a_tracing_within_the_policy(tmp_path):
    result = with_policy(tmp_path, "inject", {})
    assert result.code == cli.OK and "0.5" in result.out, "the default ratio follows the policy"


def test_a_policy_with_an_unknown_key(tmp_path):
    result = with_policy(tmp_path, "inject", {}, {"allowedHosts": []})
    assert result.code == cli.INVALID and "--policy" in result.err and "policy.yaml: allowedHosts: no such key" in result.err


def test_taking_back_asks_no_policy(tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text(dump({"apiVersion": "tracing.llm-d.io/v1alpha1", "kind": "Tracing", "metadata": {"name": "llm-d"},
                              "spec": {"backend": {"type": "OTLP", "otlp": {"endpoint": "http://169.254.169.254:4317"}}}}))
    assert run("inject", "-f", "-", "--settings", str(settings), stdin=dump(deployment())).code == cli.DENIED
    assert run("uninject", "-f", "-", "--settings", str(settings), stdin=dump(deployment())).code == cli.OK


@pytest.mark.parametrize("flag, text, complaint", [
    ("--settings", "sampling: {ratio: '7'}", "spec.sampling.ratio: \"7\" is more than 1"),
    ("--settings", "sampler: x", "spec.sampler: no such field"),
    ("--settings", "", "file.yaml: expected one document, found 0"),
    ("--policy", "allowedHosts: []", "allowedHosts: no such key"),
    ("--policy", "allowedModes: [Deployment]", "the defaults (--settings): spec.collector.mode: \"Auto\" is not allowed"),
    ("--policy", "allowedImages: [registry.corp.example/*]", "the defaults (--settings): spec.collector.image: "),
])
def test_the_operator_does_not_start_on_wrong_files(tmp_path, flag, text, complaint):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    result = run("run", flag, str(path), "--kubeconfig", "/nonexistent")
    assert result.code in (cli.INVALID, cli.DENIED) and complaint in result.err.replace('\\"', '"'), result.err
