# SPDX-License-Identifier: Apache-2.0
"""The emitters as programs on this machine: `hack/images parts`."""
import functools
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


@functools.cache
def folder():
    done = subprocess.run([sys.executable, ROOT / "hack/images", "parts"], check=True, text=True, stdout=subprocess.PIPE)
    return pathlib.Path(done.stdout.strip())


def site():
    return folder() / "site"
