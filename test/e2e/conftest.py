# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import itertools
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, *(os.path.join(os.path.dirname(HERE), name) for name in ("support", "integration"))]

from installed import Installed  # noqa: E402
from node_cluster import NodeCluster  # noqa: E402
from waiting import wait_for  # noqa: E402

numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "beside: has clusters of its own and takes nothing of the others'; begins with the session")


def pytest_collection_finish(session):
    """What is marked so is done one after the other, beside the rest, which waits for pods most of the time."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    for item in session.items:
        if item.get_closest_marker("beside") and not session.config.option.collectonly:
            item.obj = pool.submit(item.obj).result


@pytest.fixture(scope="session")
def cluster():
    """One cluster with a real node, shared by all tests; each works in namespaces of its own."""
    c = NodeCluster()
    yield c
    c.stop()


@pytest.fixture(scope="session")
def installed(cluster):
    """The operator, installed by helm, with every image of the tests on the node."""
    release = Installed(cluster)
    yield release
    print(f"--- operator log (end)\n{release.log()}")


def maker(cluster):
    """Makes namespaces: make(annotations={…}, labels={…})."""
    made = []

    def make(annotations=None, labels=None):
        name = f"e{next(numbers)}"
        cluster.api.create("namespace", {"metadata": {"name": name, "annotations": annotations or {}, "labels": labels or {}}})
        made.append(name)
        wait_for(lambda: cluster.api.find("serviceaccount", "default", name), 60, "pods may be created")
        return name

    yield make
    if made:
        cluster.kubectl("delete", "namespace", *made, "--wait=false", "--ignore-not-found")


@pytest.fixture
def namespaces(cluster):
    """Namespaces that go with the test."""
    yield from maker(cluster)


@pytest.fixture(scope="module")
def module_namespaces(cluster):
    """Namespaces that go with the file."""
    yield from maker(cluster)


@pytest.fixture
def namespace(namespaces):
    return namespaces()
