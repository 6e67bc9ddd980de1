# SPDX-License-Identifier: Apache-2.0
"""The chart's rights on a real node, read off the audit log of all that these tests have done; hence it comes last."""
import json
import re

import yaml

from cluster import OTEL_CRD, sample
from collector_operator import CollectorOperator
from every_right import every_sample, use_every_right, without_cr
from installed import USER
from rights import refused, unused

# What is off in the chart as it comes: some tests of these have it, test_rehearsal.py what is about pods.
EVERYTHING = {"rbac": {"secrets": True, "rehearse": True}}
PORTS = {"app_port": "8000", "internal_port": "8200"}
ROLES = ("prefill", "decode")  # another sample has an endpoint picker of the name that its own would have


def without_pods(text):
    """There are no GPUs here, and what a write needs is the object."""
    return re.sub(r"replicas: \d+", "replicas: 0", text)


def stand_in_for_modelservice(cluster, namespace):
    """What its controller would have made of modelservice.yaml: children, and a status that names them."""
    base, service = list(yaml.safe_load_all(sample("modelservice.yaml")))[:2]
    live, status = cluster.api.get("modelservice", service["metadata"]["name"], namespace), {"eppReady": "0/0", "eppAvailable": 0}
    owner = [{"apiVersion": live["apiVersion"], "kind": live["kind"], "name": live["metadata"]["name"], "uid": live["metadata"]["uid"], "controller": True}]
    for role in ROLES:
        text = re.sub(r'\{\{ "(\w+)" \| getPort \}\}', lambda m: PORTS[m[1]], base["data"][f"{role}Deployment"])
        child, name, labels = yaml.safe_load(text), f"qwen-{role}", {"llm-d.ai/inferenceServing": "true", "llm-d.ai/model": "qwen", "llm-d.ai/role": role}
        child["metadata"] = {"name": name, "labels": labels, "ownerReferences": owner}
        child["spec"] |= {"replicas": 0, "selector": {"matchLabels": labels}}
        child["spec"]["template"]["metadata"] = {"labels": labels}
        cluster.apply(json.dumps(child), namespace)
        status |= {f"{role}DeploymentRef": name, f"{role}Ready": "0/0", f"{role}Available": 0}
    cluster.api.merge("modelservice", "qwen", namespace, {"status": status}, "/status")


def test_nothing_was_refused_and_nothing_is_granted_in_vain(installed, namespaces):
    cluster = installed.cluster

    def requests():
        return cluster.audit.requests(user=USER)

    installed.upgrade("--set", "rbac.secrets=true")
    cluster.install_crds(OTEL_CRD)
    with_cr = every_sample(cluster, namespaces(), without_pods)
    stand_in_for_modelservice(cluster, with_cr.namespace)
    plain, stored = without_cr(cluster, namespaces(), namespaces(), without_pods)
    running = CollectorOperator(cluster).start()
    try:
        use_every_right(with_cr, stored, plain, requests)
    finally:
        running.stop()
        cluster.kubectl("delete", "crd", "opentelemetrycollectors.opentelemetry.io")
        installed.upgrade()
    assert refused(requests()) == []
    assert unused(requests(), EVERYTHING) == []
