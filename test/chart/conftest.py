# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="write the golden renderings anew")


@pytest.fixture
def update(request):
    return request.config.getoption("--update")
