# SPDX-License-Identifier: Apache-2.0
"""Others who write workloads: policies that refuse, tools that apply from Git and put their version back."""
import pytest

from operator_process import USER
from traced import LEDGER, Scene, is_traced
from waiting import holds_for, wait_for

POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]
  validations: [{{expression: "!has(object.metadata.annotations) || !('{ledger}' in object.metadata.annotations)", message: no tracing here{reason}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec:
  policyName: {name}
  validationActions: [Deny]
  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}}}
"""


@pytest.fixture
def policy(cluster, namespace):
    """A policy of the cluster against our writes in the namespace."""
    def install(reason):
        cluster.apply(POLICY.format(name=namespace, ledger=LEDGER, reason=reason))
        probe = ("-n", namespace, "annotate", "deployment/qwen-epp", f"{LEDGER}=x", "--dry-run=server")
        wait_for(lambda: cluster.kubectl(*probe, check=False).returncode != 0, 30, "the policy is in force")

    def remove():
        cluster.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", namespace, "--ignore-not-found")
    install.remove = remove
    yield install
    remove()


def attempts(cluster, since, namespace, name="qwen-epp"):
    return [r.code for r in cluster.audit.writes(since, USER) if (r.namespace, r.name) == (namespace, name)]


@pytest.mark.parametrize("reason, code", [("", 422), (", reason: Forbidden", 403)], ids=["invalid", "forbidden"])
def test_what_a_policy_refuses_is_not_tried_again(cluster, namespace, operator, policy, reason, code):
    scene = Scene(cluster, namespace, "pd.yaml").wait_settled()
    policy(reason)
    since = cluster.audit.position()
    operator()
    scene.switch("true")
    wait_for(lambda: scene.row("qwen-epp")["reason"] == "DeniedByPolicy", 60, "DeniedByPolicy is shown")
    assert "no tracing here" in scene.row("qwen-epp")["message"]
    policy.remove()
    probe = ("-n", namespace, "annotate", "deployment/qwen-epp", f"{LEDGER}=x", "--dry-run=server")
    wait_for(lambda: cluster.kubectl(*probe, check=False).returncode == 0, 30, "the policy is gone")
    holds_for(lambda: attempts(cluster, since, namespace) == [code], 2, "one attempt, and no other by itself")
    cluster.kubectl("-n", namespace, "annotate", "deployment/qwen-epp", "tracing.llm-d.io/retry=1")
    wait_for(lambda: is_traced(scene.api, scene.workloads[2], namespace), 60, "traced once somebody asks")
