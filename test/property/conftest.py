# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "golden"))
sys.path.insert(0, str(HERE))
import engine  # noqa: E402


@pytest.fixture(scope="session")
def plan_engine():
    running = engine.Engine()
    yield running
    running.close()
