# SPDX-License-Identifier: Apache-2.0
"""A clock for one process that tests can move: patience of ten minutes and more is tried without waiting for it."""
import glob
import os

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"  # Debian: libfaketime; one folder per architecture


class Clock:
    """Wall and monotonic clock of whatever runs with env(), ahead of the machine's by what stands in a file."""

    def __init__(self, path, ahead_s=0):
        self.path, self.ahead_s = path, ahead_s
        self.forward(0)

    def forward(self, seconds):
        """Both clocks jump at the process's next look. The file is replaced, never half there."""
        self.ahead_s += seconds
        with open(f"{self.path}.new", "w", encoding="ascii") as file:
            file.write(f"+{self.ahead_s}\n")
        os.replace(f"{self.path}.new", self.path)

    def env(self):
        found = glob.glob(LIBRARY)
        assert found, f"{LIBRARY} is missing (hack/setup installs libfaketime)"
        # the sanitizers' runtime wants to be loaded first, and needs not: what it intercepts reaches this library through it
        sanitizers = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        return {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1", "ASAN_OPTIONS": sanitizers}
