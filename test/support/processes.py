# SPDX-License-Identifier: Apache-2.0
"""Processes that a test starts must not outlive it, however the test ends."""
import ctypes
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """For preexec_fn: SIGTERM comes when the test run is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
