"""A process that does jobs for another one, which watches it and may end it at any time."""

from __future__ import annotations

import contextlib
import math
import mmap
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lam_env.core.errors import UserError, plain
from lam_env.core.progress import Note, Report
from lam_env.launch.job import one_line, run_job

T = TypeVar("T")
RETRIES = 3  # times that a job is begun again whose process was lost
WATCH = 0.1  # [s] between two looks at a process
SIGN = 0.2  # [s] between two signs of life at least
FROM_OUTSIDE = tuple(-getattr(signal, name) for name in ("SIGKILL", "SIGTERM") if hasattr(signal, name))


class Limits(NamedTuple):
    """What a job may take that runs code of the user's own."""

    memory: float  # [bytes]
    timeout: float  # [s] without a sign of life

    @classmethod
    def of(cls, gib: float | None, timeout: float) -> Limits:
        """`gib`: None for half of the machine's memory."""
        if gib is None and hasattr(os, "sysconf"):
            return cls(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2, timeout)
        return cls(math.inf if gib is None else gib * 2**30, timeout)


class DiedError(UserError):
    """A process ended in the middle of its job, or was to. `outside`: something else ended it, as the kernel does when
    memory runs out."""

    def __init__(self, why: str, outside: bool = False):
        super().__init__(why)
        self.outside = outside


# -- in the process ----------------------------------------------------------------------------------------------------


class _Line:
    """The line to whoever watches this process, and how it is found out that the process was copied by os.fork."""

    def __init__(self, connection: Connection):
        self.connection, self.pid, self.said = connection, os.getpid(), 0.0
        self._copied = mmap.mmap(-1, 1)  # shared with copies
        self._lock = threading.RLock()  # what is sent may import something, which is a sign of life

    def say(self, kind: str, what: object = None) -> None:
        """A sign of life. A copy of the process gets no further than here."""
        if os.getpid() != self.pid:
            self._copied[0] = 1
            os._exit(1)
        if self._copied[0]:
            self._copied[0] = 0
            raise UserError("os.fork copied its process, and the copy went on with the run; use multiprocessing")
        now = time.monotonic()
        if kind != "alive" or now - self.said > SIGN:
            self.said = now
            with self._lock:
                self.connection.send((kind, what))

    def report(self, stage: str, done: int, total: int, note: str = "") -> None:
        if isinstance(note, Note):  # nothing of the user's own classes is sent: they stay in this process
            note = Note(plain(note), {str(k): float(v) for k, v in note.values.items()}, int(note.step))
        self.say("report", (plain(str(stage)), int(done), int(total), note if type(note) is Note else plain(str(note))))


_line: _Line | None = None


def alive() -> None:
    """Says that the job of this process goes on, where somebody watches it."""
    if _line is not None:
        _line.say("alive")


@contextlib.contextmanager
def kit_at_work() -> Iterator[None]:
    """While it lasts no code of the user's own is at work, and the time without a sign of life does not count."""
    if _line is None:
        yield
        return
    _line.say("resting")
    try:
        yield
    finally:
        _line.say("begun")


class _Imports:
    """Finds no module, but says that one is looked for: large libraries take long where a machine is busy."""

    def find_spec(self, *_: object) -> None:
        if _line is not None and os.getpid() == _line.pid:
            _line.say("alive")


class _Plain:
    """An output to which text goes without escapes."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(plain(text))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _serve(connection: Connection, own: bool) -> None:
    """Does one job after the other. `own`: of the user's own code, in a process group that can be ended as one."""
    global _line
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if own:
        if hasattr(os, "setsid"):
            os.setsid()
        out: Any = _Plain(sys.stdout), _Plain(sys.stderr)
        sys.stdout, sys.stderr = out
        sys.meta_path.insert(0, _Imports())
    threading.Thread(target=_end_with_parent, args=(own,), daemon=True).start()
    _line = line = _Line(connection)
    while True:
        try:
            job, args = connection.recv()
            line.say("begun")
            answer: tuple[str, object] = ("done", run_job(job, args, line.report))
        except EOFError:
            return
        except UserError as error:
            answer = ("failed", error)
        except BaseException as error:  # meant to end the process: no signal of the user's comes here
            answer = ("failed", (DiedError if own else UserError)(one_line(error)))
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        try:
            line.say(*answer)
        except Exception as error:  # what cannot be sent, or a copy that came back meanwhile
            line.say("failed", UserError(one_line(error)))


def _end_with_parent(own: bool) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        if own and hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


# -- beside it ---------------------------------------------------------------------------------------------------------


class Child:
    """The process, seen by whoever watches it. `own`: it runs code of the user's own."""

    def __init__(self, own: bool = False):
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self.own, self.at_work, self._over = own, False, False
        self._process = context.Process(target=_serve, args=(theirs, own))
        with _interrupts_later():
            self._process.start()
        theirs.close()

    def do(self, job: Callable[..., T], args: tuple[object, ...], report: Report, limits: Limits | None = None) -> T:
        """What the job returns, or its error; DiedError where the process does not live to the end of it."""
        self.at_work, last = True, None
        try:
            self._connection.send((job, args))
            while True:
                if self._connection.poll(WATCH):
                    kind, what = self._connection.recv()
                    if kind == "resting":
                        last = None
                    elif kind == "begun" or last is not None:
                        last = time.monotonic()
                    if kind == "report":
                        report(*what)
                    elif kind == "failed":
                        self.at_work = False
                        raise what
                    elif kind == "done":
                        self.at_work = False
                        return what
                elif not self._process.is_alive() and not self._connection.poll():
                    raise EOFError
                if limits is not None:
                    self._check(limits, last)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise self._death() from None

    def _check(self, limits: Limits, last: float | None) -> None:
        if last is not None and time.monotonic() - last > limits.timeout:  # None: the kit is at work
            words = "no predict answered, no step of its worlds and no progress"
            raise DiedError(f"{words} for {limits.timeout:g} s, so it was ended; agent.timeout=SECONDS allows more")
        if (taken := _memory(self._process.pid)) > limits.memory:
            most = f"{taken / 2**30:.2f} GiB of memory, of {limits.memory / 2**30:.2f}"
            raise DiedError(f"its process took {most}, so it was ended; agent.memory=GIB allows more")

    def _death(self) -> DiedError:
        self._process.join(1)
        code = self._process.exitcode
        if code is None:
            return DiedError("its process has closed its line to the run")
        if code >= 0:
            return DiedError(f"its process ended itself with exit code {code} in the middle of its work")
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if code in FROM_OUTSIDE:
            why = "most likely because memory ran out; take workers=1, or fewer people or days"
            return DiedError(f"its process was killed ({name}), {why}", outside=True)
        return DiedError(f"its process crashed ({name}), most likely in compiled code")

    def kill(self) -> None:
        """At once, with all that it has started."""
        pid = self._process.pid
        if self.own and not self._over and pid is not None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        self._process.kill()

    def end(self) -> None:
        """Kills it, and forgets it: by whoever has watched it."""
        self.kill()
        self._process.join()
        self._connection.close()
        self._over = True


def apart(
    limits: Limits, job: Callable[..., T], args: tuple[object, ...], report: Report, make: Callable[..., Child] = Child
) -> T:
    """A job: does another one, of the user's own code, in a process of its own. Only where something else has ended
    that process is it begun again: what ends by its own doing would do so again."""
    for again in range(RETRIES + 1):
        child = make(own=True)
        try:
            return child.do(job, args, report, limits)
        except DiedError as died:
            if again == RETRIES or not died.outside:
                raise
        finally:
            child.end()
    raise AssertionError


def _memory(pid: int | None) -> int:
    """Of a process [bytes]; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """A process spawned here never sees an interrupt from the keyboard, not even while it is starting."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
