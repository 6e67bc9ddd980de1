# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

TEST = pathlib.Path(__file__).resolve().parents[1]
for folder in ("support", "telemetry", "emitters/engine"):
    sys.path.insert(0, str(TEST / folder))

import parts  # noqa: E402

sys.path.append(str(parts.site()))

import emitters  # noqa: E402
import telemetry  # noqa: E402


@pytest.fixture(scope="session")
def backend(tmp_path_factory):
    running = telemetry.Telemetry(tmp_path_factory.mktemp("telemetry"))
    yield running
    running.stop()


@pytest.fixture
def yard(tmp_path):
    made = emitters.Yard(tmp_path)
    yield made
    made.stop()
