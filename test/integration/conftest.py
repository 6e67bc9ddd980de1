# SPDX-License-Identifier: Apache-2.0
import itertools
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "support")]

from cluster import OWN_CRDS, TEST_CRDS, Cluster  # noqa: E402
from operator_process import Operator  # noqa: E402
from rights import grant  # noqa: E402

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster():
    """A cluster with every CRD of the tests, shared by all tests; each works in namespaces of its own."""
    c = Cluster()
    try:
        c.install_crds(TEST_CRDS, OWN_CRDS)
        grant(c)
        yield c
    finally:
        c.stop()


@pytest.fixture
def own_cluster():
    """Makes clusters of the test's own: own_cluster(*flags, crds=(folders…))."""
    made = []

    def make(*flags, crds=(OWN_CRDS,)):
        c = Cluster(*flags)
        made.append(c)
        c.install_crds(*crds)
        grant(c)
        return c

    yield make
    for c in made:
        c.stop()


@pytest.fixture
def namespaces(cluster):
    """Makes namespaces: namespaces(cluster=…, **annotations); all go with the test."""
    made = []

    def make(on=cluster, annotations=None):
        name = f"t{next(numbers)}"
        on.api.create("namespace", {"metadata": {"name": name, "annotations": annotations or {}}})
        made.append((on, name))
        return name

    yield make
    for on, name in made:
        if on.process.poll() is None:
            on.kubectl("delete", "namespace", name, "--wait=false", check=False)


@pytest.fixture
def namespace(namespaces):
    return namespaces()


@pytest.fixture
def operator(cluster):
    """Starts the operator: operator(*flags, on=cluster). It is stopped, and must end cleanly, with the test."""
    running = []

    def start(*flags, on=cluster, ready=True, **how):
        o = Operator(on, *flags, **how)
        running.append(o)
        return o.wait_ready() if ready else o

    start.running = running
    yield start
    for o in running:
        print(f"--- operator log (end)\n{o.log()[-6000:]}")
    for o in running:
        o.stop()
