# SPDX-License-Identifier: Apache-2.0
"""Waiting for conditions: the only way in which these tests let time pass."""
import time

STEP_S = 0.05
PATIENCE = 3  # a machine may be that much busier than the one for which bounds were chosen; who succeeds waits no longer


class Late(AssertionError):
    pass


def wait_for(condition, timeout=30, what=None, patience=PATIENCE):
    """Calls condition until it gives something true, and returns that.

    An AssertionError or LookupError in it counts as "not yet"; its text is shown when time is up. One that waits
    within a condition, for what may as well come of the next try, has a patience of 1.
    """
    timeout *= patience
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
            last = result
        except (AssertionError, LookupError, ConnectionError) as error:
            last = error
        if time.monotonic() > deadline:
            raise Late(f"not within {timeout} s: {what or condition.__name__}; last seen: {last!r}")
        time.sleep(STEP_S)


def holds_for(condition, seconds, what=None):
    """The condition is true now and stays so for this long: for what must not happen.

    It may say itself what went wrong, by an AssertionError of its own.
    """
    deadline = time.monotonic() + seconds
    while True:
        assert condition(), what or condition.__name__
        if time.monotonic() > deadline:
            return
        time.sleep(STEP_S)
