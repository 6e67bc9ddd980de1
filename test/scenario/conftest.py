# SPDX-License-Identifier: Apache-2.0
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fake_api import FakeApi  # noqa: E402
from pki import Pki  # noqa: E402
from tools import Watch, bookmark, listing, write_kubeconfig  # noqa: E402


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


class Silence:
    """A server that sends a bookmark on each watch and then never another byte, the connection staying up."""

    def __init__(self, pki, folder):
        self.api = FakeApi(pki, self.script)
        self.watch = Watch(write_kubeconfig(folder, self.api), "v1", "configmaps")

    def script(self, exchange):
        if not exchange.is_watch:
            exchange.reply(listing(10))
            return
        exchange.head()
        exchange.events(bookmark(20))
        exchange.hold()


@pytest.fixture(scope="session", autouse=True)
def silence(pki, tmp_path_factory):
    """Begins with the session, so that its minute and a half passes beside the other tests."""
    s = Silence(pki, tmp_path_factory.mktemp("silence"))
    yield s
    with s.watch:
        pass
    s.api.stop()
