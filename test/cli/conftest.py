# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

import cli

sys.path.insert(0, os.path.join(cli.ROOT, "test/scenario"))

from pki import Pki  # noqa: E402


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.server = made.leaf("server")  # one for all servers of the session
    return made


@pytest.fixture
def vllm():
    """A model server as YAML text."""
    return cli.dump(cli.deployment())
