"""Jobs in this process, or in processes of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, TypeVar

from lam_env.core.errors import UserError, hint, own_fault
from lam_env.core.progress import Report
from lam_env.launch import Launcher

T = TypeVar("T")
Message = tuple[str, int, int, str]  # of a job's report
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def one_thread() -> None:
    """Numpy and torch use one thread unless told otherwise, also in processes to come. Call it before they load."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


_queue: Queue[Message | None] | None = None


class WorkerDiedError(UserError):
    """A worker process ended in the middle of its job."""


def _start(queue: Queue[Message | None]) -> None:
    global _queue
    _queue = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _report(stage: str, done: int, total: int, note: str) -> None:
    if _queue is not None:
        _queue.put((stage, done, total, note))


def run_job(job: Callable[..., T], args: tuple[object, ...], report: Report = _report) -> T:
    """Whatever a job raises arrives as a plain UserError: one line, and always fit to be sent between processes."""
    try:
        return job(*args, report)
    except MemoryError:
        raise UserError("out of memory; take workers=1, or fewer people or days") from None
    except (Exception, SystemExit) as error:
        raise UserError(own_fault(error) or one_line(error)) from None


def one_line(error: BaseException) -> str:
    """A user's error as it stands; of any other its type, message and place in the code."""
    words = " ".join(str(error).split())[:400]
    if isinstance(error, UserError):
        return words
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {words}{place}{hint(error)}"


def check(address: str | None) -> None:
    """Processes of this machine have no address."""
    if address is not None:
        raise UserError(f"ray.address={address}: is for launcher=ray")


class LocalLauncher(Launcher):
    """One worker: jobs run in this process, when somebody waits for them. More are processes, spawned and never forked;
    when the block is left by an error or an interrupt they are ended at once."""

    def __init__(self, workers: int, progress: Report, address: str | None = None, gpu: bool = False):
        self.workers, self.progress = workers, progress
        self._pool: ProcessPoolExecutor | None = None
        self._pending: deque[tuple[Future[Any], Callable[..., object], tuple[object, ...]]] = deque()

    def __enter__(self) -> LocalLauncher:
        one_thread()  # read when a worker loads numpy; more threads than cores are slower
        if self.workers > 1:
            context = multiprocessing.get_context("spawn")
            self._messages: Queue[Message | None] = context.Queue()
            self._pool = ProcessPoolExecutor(self.workers, context, _start, (self._messages,))
            self._listener = threading.Thread(target=self._listen, daemon=True)
            self._listener.start()
        return self

    def _listen(self) -> None:
        with contextlib.suppress(EOFError, OSError):  # the queue was closed
            while (message := self._messages.get()) is not None:
                self.progress(*message)

    def submit(self, job: Callable[..., T], *args: object) -> Future[T]:
        if self._pool is None:
            future: Future[T] = Future()
            self._pending.append((future, job, args))
            return future
        with _interrupts_later(), _deaths_explained():
            return self._pool.submit(run_job, job, args)

    def finished(self, waiting: set[Future[Any]]) -> set[Future[Any]]:
        while self._pending and not any(f.done() for f in waiting):
            self._next()
        return super().finished(waiting)

    def result(self, future: Future[T]) -> T:
        while self._pending and not future.done():
            self._next()
        with _deaths_explained():
            return future.result()

    def _next(self) -> None:
        future, job, args = self._pending.popleft()
        try:
            future.set_result(run_job(job, args, self.progress))
        except Exception as error:  # handed to whoever asks for the result, as a pool does
            future.set_exception(error)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        processes = list((getattr(self._pool, "_processes", None) or {}).values())
        if kind is None:
            self._pool.shutdown()
            self._messages.put(None)
            self._listener.join(timeout=2)
            return
        self._messages.cancel_join_thread()  # a process that is ended may hold the queue's lock for ever
        for process in processes:
            process.terminate()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.join(timeout=0.5)
            if process.is_alive():
                process.kill()


LAUNCHER = LocalLauncher


@contextlib.contextmanager
def _deaths_explained() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool:
        raise WorkerDiedError(
            "a worker process was killed, most likely because memory ran out; take workers=1, or fewer people or days"
        ) from None


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
