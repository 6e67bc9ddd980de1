# SPDX-License-Identifier: Apache-2.0
"""values.schema.json: a value that would have no effect, or a wrong one, is refused with a message that names it."""
import pytest
import yaml

import chart

# values, and what the message has to say
REFUSED = [
    ("resorces: {}", "additional properties 'resorces' not allowed"),
    ("image: {repo: x}", "at '/image': additional properties 'repo' not allowed"),
    ("image: {digest: sha256:12}", "at '/image/digest': 'sha256:12' does not match"),
    ("image: {pullPolicy: Sometimes}", "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"),
    ("global: {imageRegistry: 'https://mirror.example'}", "at '/global/imageRegistry'"),
    ("namespaces: team-a", "at '/namespaces': got string, want array"),
    ("namespaces: [Team]", "at '/namespaces/0': 'Team' does not match"),
    ("namespaces: [a, a]", "at '/namespaces'"),
    ("defaults: {sampling: {rato: '1'}}", "at '/defaults/sampling': additional properties 'rato' not allowed"),
    ("defaults: {sampling: {ratio: 0.1}}", "at '/defaults/sampling/ratio': got number, want string"),
    ("defaults: {sampling: {ratio: '10%'}}", "at '/defaults/sampling/ratio': '10%' does not match"),
    ("defaults: {sampling: {sampler: always_on}}", "at '/defaults/sampling/sampler': value must be 'parentbased_traceidratio'"),
    ("defaults: {collector: {mode: DaemonSet}}", "at '/defaults/collector/mode': value must be one of 'Auto'"),
    ("defaults: {backend: {jaeger: {maxTrace: 5}}}", "at '/defaults/backend/jaeger': additional properties 'maxTrace' not allowed"),
    ("defaults: {spec: {}}", "at '/defaults': additional properties 'spec' not allowed"),
    ("policy: {maxRation: '1'}", "at '/policy': additional properties 'maxRation' not allowed"),
    ("policy: {maxRatio: '2'}", "at '/policy/maxRatio': '2' does not match"),
    ("policy: {allowedModes: [Sidecar]}", "at '/policy/allowedModes/0': value must be one of"),
    ("operator: {logLevel: trace}", "at '/operator/logLevel': value must be one of"),
    ("operator: {removalGrace: soon}", "at '/operator/removalGrace': 'soon' does not match"),
    ("operator: {maxConcurrent: 0}", "at '/operator/maxConcurrent': minimum: got 0, want 1"),
    ("extraArgs: [run]", "at '/extraArgs/0': 'run' does not match"),
    ("extraEnv: [{value: x}]", "at '/extraEnv/0': missing property 'name'"),
    ("extraVolumeMounts: [{name: x}]", "at '/extraVolumeMounts/0': missing property 'mountPath'"),
    ("resources: {limit: {}}", "at '/resources': additional properties 'limit' not allowed"),
    ("podAnnotations: {a: 1}", "at '/podAnnotations/a': got number, want string"),
    ("livenessProbe: {httpGet: {}}", "at '/livenessProbe': additional properties 'httpGet' not allowed"),
    ("tolerations: [{efect: NoSchedule}]", "at '/tolerations/0': additional properties 'efect' not allowed"),
    ("affinity: {nodeAfinity: {}}", "at '/affinity': additional properties 'nodeAfinity' not allowed"),
    ("topologySpreadConstraints: [{maxSkew: 1}]", "at '/topologySpreadConstraints/0': missing properties"),
    ("rbac: {secret: true}", "at '/rbac': additional properties 'secret' not allowed"),
    ("crds: {keep: 'yes'}", "at '/crds/keep': got string, want boolean"),
    ("uninstall: {rever: true}", "at '/uninstall': additional properties 'rever' not allowed"),
    ("podDisruptionBudget: {minAvailable: 1}", "at '/podDisruptionBudget': additional properties 'minAvailable' not allowed"),
    ("podDisruptionBudget: {maxUnavailable: 0}", "at '/podDisruptionBudget/maxUnavailable'"),
    ("networkPolicy: {egress: {apiServerPorts: []}}", "at '/networkPolicy/egress/apiServerPorts': minItems"),
    ("metrics: {serviceMonitor: {enable: true}}", "at '/metrics/serviceMonitor': additional properties 'enable' not allowed"),
    ("replicas: 2", "additional properties 'replicas' not allowed"),
    ("enableFromTracing: true", "enableFromTracing needs namespaces"),
    ("serviceAccount: {create: false}", "serviceAccount.name is needed"),
]


@pytest.mark.parametrize("values, message", REFUSED, ids=[values for values, _ in REFUSED])
def test_refused(values, message):
    done = chart.helm("template", "x", chart.CHART, values=values)
    assert done.returncode != 0
    assert message in done.stderr


def test_values_of_an_umbrella_chart_pass():
    assert chart.render({"global": {"somebodyElse": {"x": 1}, "imageRegistry": ""}})


def walk(schema, values, path=""):
    """Paths of values that the schema describes, and paths of the schema that have no value."""
    for key, child in schema.get("properties", {}).items():
        if "$ref" in child or child.get("type") != "object" or not child.get("properties"):
            if not isinstance(values, dict) or key not in values:
                yield f"{path}.{key}"
        else:
            yield from walk(child, values.get(key, {}), f"{path}.{key}")


def test_each_value_of_the_schema_stands_in_values_yaml():
    with open(f"{chart.CHART}/values.schema.json", encoding="utf-8") as file:
        schema = yaml.load(file, chart.LOADER)
    with open(f"{chart.CHART}/values.yaml", encoding="utf-8") as file:
        values = yaml.load(file, chart.LOADER)
    pod_knobs = ("affinity", "policy")  # maps whose members are all optional
    assert [p for p in walk(schema, values) if p.split(".")[1] not in pod_knobs] == []
