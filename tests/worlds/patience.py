"""How tests wait, how they bound work, and how often loops go: a busy machine makes them slower, never wrong."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

LONG = 600  # [s] a last resort against waiting for ever; nothing is asserted of it
MANY = int(os.environ.get("LAM_ENV_FAULTS", "10000"))  # how often loops of faults go (make check-faults)


def eventually(happened: Callable[[], object]) -> bool:
    """Wait until it has happened; False if it has not after very long."""
    until = time.monotonic() + LONG
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def calls(work: Callable[[], object]) -> int:
    """How many Python functions `work` calls: what else the machine does changes nothing of it."""
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
