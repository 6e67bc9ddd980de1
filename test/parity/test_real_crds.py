# SPDX-License-Identifier: Apache-2.0
"""The whole cycle with the CRDs that the projects publish, instead of the small ones of test/crds."""
import os
import sys

import pytest

import corpus

TEST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TEST, "integration"), os.path.join(TEST, "support")]

from cluster import OWN_CRDS, Cluster  # noqa: E402
from cycle import run_cycle  # noqa: E402
from operator_process import Operator  # noqa: E402
from rights import grant  # noqa: E402
from traced import SAMPLES, Scene  # noqa: E402

FILES = ("inference.networking.k8s.io_inferencepools.v1.5.0.yaml", "inference.networking.x-k8s.io_inferencepools.v1.4.0.yaml",
         "llm-d.ai_modelservices.yaml", "leaderworkerset.x-k8s.io_leaderworkersets.json",
         "disaggregatedset.x-k8s.io_disaggregatedsets.json", "serving.kserve.io_llminferenceservices.json")


@pytest.fixture
def cluster():
    made = Cluster()
    try:
        for file in FILES:
            made.kubectl("apply", "--server-side", "-f", os.path.join(corpus.CORPUS, "crds", file))
        made.install_crds(OWN_CRDS)
        grant(made)
        yield made
    finally:
        made.stop()


def test_the_cycle_with_the_real_crds(cluster):
    cluster.api.create("namespace", {"metadata": {"name": "real"}})
    running = []
    try:
        run_cycle(Scene(cluster, "real", *sorted(SAMPLES)), lambda: running.append(Operator(cluster).wait_ready()))
    finally:
        for operator in running:
            operator.stop()
