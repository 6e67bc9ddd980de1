# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))  # processes, waiting

import telemetry  # noqa: E402


@pytest.fixture(scope="session")
def backend(tmp_path_factory):
    """Collector and Jaeger with the default configuration."""
    running = telemetry.Telemetry(tmp_path_factory.mktemp("telemetry"))
    yield running
    running.stop()


@pytest.fixture
def telemetry_of(tmp_path_factory):
    """Makes some with other settings: telemetry_of(spec), further options are those of `llmd-tracing render`."""
    made = []

    def make(spec, *options):
        made.append(telemetry.Telemetry(tmp_path_factory.mktemp("telemetry"), spec, *options))
        return made[-1]

    yield make
    for running in made:
        running.stop()
