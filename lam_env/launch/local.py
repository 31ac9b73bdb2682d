"""Jobs in this process, or in processes of this machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from lam_env.core.errors import UserError
from lam_env.core.progress import Report
from lam_env.launch import Launcher
from lam_env.launch.child import RETRIES, Child, DiedError, Limits, apart
from lam_env.launch.job import one_thread, run_job

T = TypeVar("T")


def check(address: str | None) -> None:
    """Processes of this machine have no address."""
    if address is not None:
        raise UserError(f"ray.address={address}: is for launcher=ray")


class LocalLauncher(Launcher):
    """One worker: jobs run in this process, when somebody waits for them. More are processes, spawned and never forked,
    each with a thread here that watches it; a job whose process was lost is begun again, `RETRIES` times. When the
    block is left by an error or an interrupt they are ended at once."""

    def __init__(self, workers: int, progress: Report, address: str | None = None, gpu: bool = False):
        self.workers, self.progress = workers, progress
        self._threads: ThreadPoolExecutor | None = None
        self._pending: deque[tuple[Future[Any], Callable[[], object]]] = deque()
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._children, self._idle = set[Child](), list[Child]()
        self._ended = False

    def __enter__(self) -> LocalLauncher:
        one_thread()  # read when a worker loads numpy; more threads than cores are slower
        if self.workers > 1:
            self._threads = ThreadPoolExecutor(self.workers)
        return self

    def submit(self, job: Callable[..., T], *args: object, limits: Limits | None = None) -> Future[T]:
        if self._threads is not None:
            return self._threads.submit(run_job, self._in_worker, (job, args, limits), self._tell)
        future: Future[T] = Future()
        if limits is not None:
            job, args = apart, (limits, job, args)
        self._pending.append((future, partial(run_job, job, args, self.progress)))
        return future

    def finished(self, waiting: set[Future[Any]]) -> set[Future[Any]]:
        while self._pending and not any(f.done() for f in waiting):
            self._next()
        return super().finished(waiting)

    def result(self, future: Future[T]) -> T:
        while self._pending and not future.done():
            self._next()
        return future.result()

    def _next(self) -> None:
        from threadpoolctl import threadpool_limits

        future, work = self._pending.popleft()
        try:
            with threadpool_limits(1):  # as in a worker: with other threads sums have another order
                future.set_result(work())
        except Exception as error:  # handed to whoever asks for the result, as a pool does
            future.set_exception(error)

    # -- in a thread of its own ----------------------------------------------------------------------------------------

    def _in_worker(self, job: Callable[..., T], args: tuple[object, ...], limits: Limits | None, report: Report) -> T:
        if limits is not None:
            return apart(limits, job, args, report, self._made)
        for again in range(RETRIES + 1):
            try:
                with self._borrowed() as child:
                    return child.do(job, args, report)
            except DiedError as died:
                if again == RETRIES:
                    raise UserError(f"a job was lost {again + 1} times: {died}") from None
        raise AssertionError

    def _tell(self, stage: str, done: int, total: int, note: str) -> None:
        with self._telling:
            self.progress(stage, done, total, note)

    def _made(self, own: bool = False) -> Child:
        with self._lock:
            if self._ended:
                raise UserError("stopped")
            child = Child(own)
            self._children.add(child)
        return child

    @contextmanager
    def _borrowed(self) -> Iterator[Child]:
        """A process that has nothing to do, or a new one; whatever is not at rest afterwards is ended."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or self._made()
        try:
            yield child
        finally:
            if child.at_work:
                child.end()
            else:
                self._idle.append(child)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._threads is None:
            return
        if kind is None:
            self._threads.shutdown()
        with self._lock:
            self._ended = True
        for child in self._children:
            child.kill()  # whoever watches it ends
        self._threads.shutdown(cancel_futures=True)
        for child in self._children:
            child.end()


LAUNCHER = LocalLauncher
