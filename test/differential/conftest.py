# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import launchtool  # noqa: E402
import sandbox  # noqa: E402

SHARED = os.environ.get("SHARED") or os.path.join(launchtool.ROOT, "../shared")
collect_ignore = [] if os.path.isdir(os.path.join(SHARED, "corpus")) else ["test_corpus.py"]


@pytest.fixture(scope="session")
def tool():
    tool = launchtool.LaunchTool()
    yield tool
    tool.close()


@pytest.fixture(scope="session")
def box(tmp_path_factory):
    return sandbox.Sandbox(tmp_path_factory.mktemp("sandbox"))
