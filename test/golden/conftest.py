# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import engine  # noqa: E402


@pytest.fixture(scope="session")
def plan_engine():
    running = engine.Engine()
    yield running
    running.close()
