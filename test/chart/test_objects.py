# SPDX-License-Identifier: Apache-2.0
"""What the rendered objects have to agree with: the CRD, the operator's tables, options and metrics."""
import os
import re
import subprocess
import tarfile

import pytest
import yaml

import chart
from chart import named, of_kind, render

BINARY = os.path.join(chart.ROOT, "build", os.environ.get("VARIANT", "release"), "llmd-tracing")


def source(*path):
    with open(os.path.join(chart.ROOT, *path), encoding="utf-8") as file:
        return file.read()


def crd_of(values):
    return of_kind(render(values), "CustomResourceDefinition")


@pytest.mark.parametrize("values, annotations", [
    ({}, {"helm.sh/resource-policy": "keep"}),
    ({"crds": {"keep": False}}, None),
    ({"annotations": {"a": "b"}}, {"helm.sh/resource-policy": "keep", "a": "b"}),
])
def test_crd_is_the_one_of_crds(values, annotations):
    own = yaml.load(source("crds/tracing.yaml"), chart.LOADER)
    if annotations:
        own["metadata"]["annotations"] = annotations
    assert crd_of(values) == [own]


def test_without_crd():
    assert crd_of({"crds": {"install": False}}) == []


def test_package_holds_the_crd(tmp_path):
    done = chart.helm("package", chart.CHART, "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as package:
        member = package.getmember("llmd-tracing/files/tracing.yaml")
        assert member.isreg() and package.extractfile(member).read().decode() == source("crds/tracing.yaml")


IMAGES = [
    ("", "ghcr.io/llm-d/llmd-tracing", "ghcr.io/llm-d/llmd-tracing:1"),
    ("mirror.example", "ghcr.io/llm-d/llmd-tracing", "mirror.example/llm-d/llmd-tracing:1"),
    ("mirror.example/cache/", "ghcr.io/llm-d/llmd-tracing", "mirror.example/cache/llm-d/llmd-tracing:1"),
    ("mirror.example:5000", "registry:5000/llmd-tracing", "mirror.example:5000/llmd-tracing:1"),
    ("mirror.example", "localhost/llmd-tracing", "mirror.example/llmd-tracing:1"),
    ("mirror.example", "llm-d/llmd-tracing", "mirror.example/llm-d/llmd-tracing:1"),
    ("mirror.example", "llmd-tracing", "mirror.example/llmd-tracing:1"),
]


@pytest.mark.parametrize("registry, repository, want", IMAGES)
def test_image_registry(registry, repository, want):
    values = {"global": {"imageRegistry": registry}, "image": {"repository": repository, "tag": "1"}}
    pod = named(render(values), "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == want
    assert [a for a in pod["containers"][0]["args"] if a.startswith("--image-registry")] == ([f"--image-registry={registry}"] if registry else [])


def test_release_name_is_in_all_names():
    assert all("infra-llmd-tracing" in o["metadata"]["name"] for o in render(release="infra") if o["kind"] != "CustomResourceDefinition")


@pytest.mark.parametrize("key", ["defaults", "policy"])
def test_changed_file_is_a_new_pod(key):
    texts = {"defaults": ({"sampling": {"ratio": "0.1"}}, {"sampling": {"ratio": "0.2"}}), "policy": ({"maxRatio": "0.1"}, {"maxRatio": "0.2"})}
    one, two = (named(render({key: v}), "Deployment")["spec"]["template"] for v in texts[key])
    assert one["metadata"]["annotations"]["checksum/config"] != two["metadata"]["annotations"]["checksum/config"]
    assert one["spec"] == two["spec"]


def test_files_say_what_the_values_say():
    defaults = {"sampling": {"ratio": "0.10"}, "collector": {"replicas": 2}, "backend": {"jaeger": {"maxTraces": 10000000}}}
    policy = {"allowedEndpoints": ["http://*:4317"], "maxRatio": "0.5"}
    data = named(render({"defaults": defaults, "policy": policy}), "ConfigMap")["data"]
    assert yaml.safe_load(data["settings.yaml"]) == defaults and yaml.safe_load(data["policy.yaml"]) == policy
    assert "10000000" in data["settings.yaml"]  # and no 1e+07


def run_as_rendered(tmp_path, values):
    """What the operator says at its start with the rendered files and options; it gets no further than to a kubeconfig that is not there."""
    objects = render(values)
    for name, text in named(objects, "ConfigMap")["data"].items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    args = [a.replace("/etc/llmd-tracing", str(tmp_path)) for a in named(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]]
    return subprocess.run([BINARY, *args, "--kubeconfig=/nonexistent"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20).stdout


def test_the_operator_takes_options_and_files(tmp_path):
    said = run_as_rendered(tmp_path, source("test/chart/cases/everything-on.yaml"))
    assert "/nonexistent: no such file" in said


@pytest.mark.parametrize("values, words", [
    ({"policy": {"allowedImages": ["mirror.example/*"]}}, "not allowed by the administrator's policy"),
    ({"defaults": {"backend": {"type": "OTLP"}}}, "otlp"),  # a rule on several fields, which no values.schema.json can hold
])
def test_files_are_read(tmp_path, values, words):
    assert words in run_as_rendered(tmp_path, values)


def rules_of(objects, namespace=None):
    """(apiGroup, resource, verb, name or None) of all rights of a ServiceAccount's roles."""
    roles = [o for o in of_kind(objects, "ClusterRole", "Role") if o["metadata"].get("namespace") == namespace
             and not any("aggregate-to" in label for label in o["metadata"]["labels"])]
    return {(g, r, v, n) for role in roles for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"]
            for v in rule["verbs"] for n in rule.get("resourceNames", [None])}


def group(api_version):
    return api_version.rpartition("/")[0]


PLURALS = {"ConfigMap": "configmaps", "Service": "services", "NetworkPolicy": "networkpolicies", "Deployment": "deployments",
           "OpenTelemetryCollector": "opentelemetrycollectors", "PersistentVolumeClaim": "persistentvolumeclaims",
           "PodDisruptionBudget": "poddisruptionbudgets", "StatefulSet": "statefulsets"}


@pytest.mark.parametrize("mode", [{}, {"namespaces": ["team-a"]}])
def test_each_object_that_the_operator_owns_may_be_made_and_deleted(mode):
    """charts/llmd-tracing/templates/_rbac.tpl names them; inject/objects.c makes them."""
    rights = rules_of(render(mode), *mode.get("namespaces", []))
    table = source("inject/objects.c").split("owned_objects[] = {")[1].split("};")[0]
    rows = re.findall(r'\{"([^"]+)",\s*"([^"]+)",\s*"([^"]+)"', table)
    assert len(rows) == table.count("{")
    wanted = {(group(v), PLURALS[kind], verb, name) for v, kind, name in rows for verb in ("create", "delete")}
    assert wanted <= rights
    deletable = {r for r in rights if r[2] == "delete" and r[1] not in ("tracings", "pods")}
    assert deletable == {w for w in wanted if w[2] == "delete"}  # and nothing else, ever


@pytest.mark.parametrize("mode", [{}, {"namespaces": ["team-a"]}])
def test_each_watched_kind_may_be_watched(mode):
    """controller/resource.c lists what is watched."""
    rights = rules_of(render(mode), *mode.get("namespaces", []))
    rows = re.findall(r'\[RESOURCE_\w+\] = \{"([^"]+)",\s*"\w+",\s*"([a-z]+)"([^}]*)\}', source("controller/resource.c"))
    assert len(rows) > 10
    for version, plural, more in rows:
        if (plural != "namespaces" or not mode) and "RESOURCE_ON_DEMAND" not in more:
            assert {(group(version), plural, "list", None), (group(version), plural, "watch", None)} <= rights, f"{version} {plural}"


def test_namespaced_mode_has_nothing_cluster_wide():
    values = {"namespaces": ["team-a", "team-b"], "crds": {"install": False}}
    objects = render(values)
    assert all("namespace" in o["metadata"] for o in objects)
    assert rules_of(objects, "team-a") == rules_of(objects, "team-b")
    assert "--namespaces=team-a,team-b" in named(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]


@pytest.mark.parametrize("mode", ["cluster", "namespaced"])
def test_the_document_lists_what_is_granted(mode):
    rows = re.findall(r"^\| `([^`]*)` \| `([^`]*)` \| ([a-z, ]+) \| (cluster|namespaced|both) \|", source("docs/rbac.md"), re.M)
    documented = {(g.strip('"'), r, v) for g, r, verbs, where in rows for v in verbs.split(", ") if where in (mode, "both")}
    namespaces = ["team-a"] if mode == "namespaced" else []
    rights = rules_of(render({"namespaces": namespaces, "rbac": {"secrets": True, "rehearse": True}}), *namespaces)
    assert documented | {("", "secrets", "get")} == {right[:3] for right in rights}


def test_pods_only_on_demand():
    """The right to make some, and the operator's word to use it, come and go together."""
    def makes_pods(values):
        objects = render(values)
        args = named(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
        return {r[2] for r in rules_of(objects) if r[1] == "pods"} - {"list", "watch"}, "--rehearse" in args
    assert makes_pods({}) == ({"delete"}, False)  # of pods that crashed with our edit
    assert makes_pods({"rbac": {"deleteCrashedPods": False}}) == (set(), False)
    assert makes_pods({"rbac": {"rehearse": True}}) == ({"create", "get", "delete"}, True)


def test_secrets_only_on_demand():
    assert not [r for r in rules_of(render()) if r[1] == "secrets"]
    assert [r for r in rules_of(render({"rbac": {"secrets": True}})) if r[1] == "secrets"] == [("", "secrets", "get", None)]


def test_writing_a_tracing_goes_with_edit_and_reading_with_view():
    roles = {o["metadata"]["name"]: o for o in of_kind(render(), "ClusterRole")}
    aggregate = {name: {k.rpartition("-")[2] for k in o["metadata"]["labels"] if "aggregate-to" in k} for name, o in roles.items()}
    assert aggregate["llmd-tracing-edit"] == {"admin", "edit"} and aggregate["llmd-tracing-view"] == {"view"}
    assert set(roles["llmd-tracing-view"]["rules"][0]["verbs"]) == {"get", "list", "watch"}


def test_options_are_those_of_the_operator():
    known = set(re.findall(r"^  (--[a-z-]+)", subprocess.run([BINARY, "run", "--help"], text=True, stdout=subprocess.PIPE, check=True).stdout, re.M))
    assert "--health-bind" in known
    args = []
    for name in ("everything-on", "namespaced"):
        objects = render(source("test/chart/cases", f"{name}.yaml"))
        args += named(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {a.split("=")[0] for a in args if a != "run"} <= known


def test_alerts_use_metrics_that_exist():
    objects = render({"metrics": {"prometheusRule": {"enabled": True}}})
    rules = named(objects, "PrometheusRule")["spec"]["groups"][0]["rules"]
    known = set()
    for folder in ("controller", "k8sclient"):
        for file in os.listdir(os.path.join(chart.ROOT, folder)):
            if file.endswith(".c"):
                known |= set(re.findall(r'"((?:llmd_tracing|workqueue|controller_runtime|rest_client)_\w+)"', source(folder, file)))
    used = {m for r in rules for m in re.findall(r"\b((?:llmd_tracing|workqueue|controller_runtime|rest_client)_\w+)\{", r["expr"])}
    assert used and used <= known


def test_notes_tell_the_next_two_commands():
    done = chart.helm("install", "llmd-tracing", chart.CHART, "--dry-run=client", values={"namespaces": ["team-a"]})
    assert done.returncode == 0, done.stderr
    notes = done.stdout.split("NOTES:")[1]
    assert [line.strip() for line in notes.splitlines() if line.startswith("  ")] == [
        "kubectl annotate namespace team-a tracing.llm-d.io/enabled=true", "kubectl get tracing -n team-a -w"]


def test_plain_manifests_and_kustomize_base(tmp_path):
    subprocess.run([os.path.join(chart.ROOT, "hack/manifests"), str(tmp_path)], check=True, stdout=subprocess.PIPE)
    text = (tmp_path / "llmd-tracing.yaml").read_text(encoding="utf-8")
    assert "helm" not in text.lower()
    plain = [d for d in yaml.load_all(text, chart.LOADER) if d]
    assert [o["kind"] for o in plain][0] == "Namespace"
    identity = [(o["kind"], o["metadata"]["name"]) for o in plain[1:]]
    assert sorted(identity) == sorted((o["kind"], o["metadata"]["name"]) for o in render())
    assert of_kind(plain, "CustomResourceDefinition") == [yaml.load(source("crds/tracing.yaml"), chart.LOADER)]
    built = subprocess.run([chart.tool("kubectl"), "kustomize", str(tmp_path)], check=True, text=True, stdout=subprocess.PIPE).stdout
    assert sum(1 for d in yaml.load_all(built, chart.LOADER) if d) == len(plain)


SCHEMA_WORDS = {"type", "description", "properties", "items", "additionalProperties", "required", "enum", "format", "pattern", "minimum",
                "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "anyOf", "allOf", "oneOf", "not", "nullable"}


def unknown_words(schema, path=""):
    for key, value in schema.items():
        if key == "properties":
            for name, child in value.items():
                yield from unknown_words(child, f"{path}.{name}")
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            yield from unknown_words(value, f"{path}[]")
        elif key not in SCHEMA_WORDS and not key.startswith("x-kubernetes-"):
            yield f"{path}: {key}"


def test_the_crd_says_nothing_that_the_api_server_refuses():
    """A comma in an unquoted description of a flow mapping makes a key of what follows."""
    crd = yaml.load(source("crds/tracing.yaml"), chart.LOADER)
    assert list(unknown_words(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])) == []
