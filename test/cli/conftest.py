# SPDX-License-Identifier: Apache-2.0
import pytest

import cli


@pytest.fixture
def vllm():
    """A model server as YAML text."""
    return cli.dump(cli.deployment())
