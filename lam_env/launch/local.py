"""Jobs in this process, or in processes of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

Report = Callable[[str, int, int, str], None]
_queue: Any = None


def _start(queue: Any) -> None:
    global _queue
    _queue = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _report(stage: str, done: int, total: int, note: str) -> None:
    if _queue is not None:
        _queue.put((stage, done, total, note))


def _run(job: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return job(*args, _report)


class LocalLauncher:
    """`submit(job, *args)` calls `job(*args, report)` and gives a Future; `report(stage, done, total, note)` reaches the
    parent's progress. One worker: the job runs in this process, at once. Processes are spawned, never forked."""

    def __init__(self, workers: int, progress: Report):
        self.workers, self.progress = workers, progress
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> LocalLauncher:
        if self.workers > 1:
            context = multiprocessing.get_context("spawn")
            self._messages = context.Queue()
            self._pool = ProcessPoolExecutor(self.workers, context, _start, (self._messages,))
            self._listener = threading.Thread(target=self._listen, daemon=True)
            self._listener.start()
        return self

    def _listen(self) -> None:
        while (message := self._messages.get()) is not None:
            self.progress(*message)

    def submit(self, job: Callable[..., Any], *args: Any) -> Future[Any]:
        if self._pool is not None:
            return self._pool.submit(_run, job, args)
        future: Future[Any] = Future()
        try:
            future.set_result(job(*args, self.progress))
        except Exception as error:  # handed to whoever asks for the result, as a pool does
            future.set_exception(error)
        return future

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                with contextlib.suppress(OSError):
                    process.terminate()
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        self._messages.put(None)
        self._listener.join(timeout=2)
