# SPDX-License-Identifier: Apache-2.0
import itertools
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "support")]

from node_cluster import NodeCluster  # noqa: E402

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster():
    """One cluster with a real node, shared by all tests; each works in namespaces of its own."""
    c = NodeCluster()
    yield c
    c.stop()


@pytest.fixture
def namespaces(cluster):
    """Makes namespaces: namespaces(annotations={…}, labels={…}); all go with the test."""
    made = []

    def make(annotations=None, labels=None):
        name = f"e{next(numbers)}"
        cluster.api.create("namespace", {"metadata": {"name": name, "annotations": annotations or {}, "labels": labels or {}}})
        made.append(name)
        return name

    yield make
    for name in made:
        cluster.kubectl("delete", "namespace", name, "--wait=false", check=False)


@pytest.fixture
def namespace(namespaces):
    return namespaces()
