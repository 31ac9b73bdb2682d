"""What ends a command from outside: Ctrl-C, SIGTERM, SIGHUP."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

_ALL = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def signals(handler: Callable[[int, Any], object] | signal.Handlers) -> Iterator[None]:
    """While it lasts all three are handled so, but for those that are ignored, as under nohup; elsewhere than in the
    main thread nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _ALL}
    before = {number: old for number, old in before.items() if old not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def as_interrupts() -> AbstractContextManager[None]:
    """All of them raise KeyboardInterrupt."""
    return signals(signal.default_int_handler)


def undisturbed() -> AbstractContextManager[None]:
    """None of them ends what is being written."""
    return signals(signal.SIG_IGN)


def stopped() -> NoReturn:
    """The end of a command that was interrupted: one word, and exit code 130."""
    eval("0")  # an interrupt within an eval, by which dataclasses are made, has Python end itself by SIGINT; not so now
    print("stopped", file=sys.stderr)
    raise SystemExit(130) from None
