"""Jobs on a Ray cluster: one that is running, or one made on this machine for the while."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lam_env.core.errors import UserError
from lam_env.core.interrupts import as_interrupts
from lam_env.core.progress import Note, Report
from lam_env.launch import Launcher
from lam_env.launch.child import RETRIES, Limits, apart
from lam_env.launch.job import ONE_THREAD, one_line, run_job

if TYPE_CHECKING:
    from ray.util.queue import Queue

T = TypeVar("T")
GPU_SHARE = 0.25  # of a GPU that a job takes where networks are trained on one
PATIENCE = 5.0  # [s] for the cluster's answer
REPORT_EVERY = 0.5  # [s] between two reports of a stage
# what opens an HTTP/2 connection (RFC 9113, 3.4), and an empty SETTINGS frame: Ray's server answers with its own
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS, _TLS_ALERT = 4, 0x15
_START = "start one with `ray start --head`, or leave ray.address away for one on this machine"


def check(address: str | None) -> None:
    """UserError, if Ray is not installed or nobody answers at `address` (host:port, or auto)."""
    if importlib.util.find_spec("ray") is None:
        raise UserError("launcher=ray needs Ray: pip install 'lam-env[ray]', or take launcher=local")
    if address is None or address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise UserError(f"ray.address={address}: write HOST:PORT of the cluster's head, or auto on one of its machines")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as connection:
            connection.settimeout(PATIENCE)
            connection.sendall(_HELLO)
            answer = connection.recv(9)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError(f"ray.address={address}: no Ray cluster answers there ({why}); {_START}") from None
    if not (len(answer) > 3 and (answer[3] == _SETTINGS or answer[0] == _TLS_ALERT)):
        raise UserError(f"ray.address={address}: what answers there is no Ray cluster; {_START}")


class RayLauncher(Launcher):
    """`LocalLauncher` on a cluster: the same calls, the same results.

    `workers`: CPUs of a cluster made here; one that is running uses all it has, a job on each. Ray begins a job again,
    `RETRIES` times, when its process or machine is lost. All machines must share the run's folder, and the code.
    """

    def __init__(self, workers: int, progress: Report, address: str | None = None, gpu: bool = False):
        self.workers, self.progress, self.address, self.gpu = workers, progress, address, gpu
        self._ended = threading.Event()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> RayLauncher:
        check(self.address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
        what = "starting Ray ..." if self.address is None else f"joining Ray at {self.address} ..."
        print(what, file=sys.stderr, flush=True)  # it takes some seconds, before the first line of progress
        import ray
        from ray.util.queue import Queue

        own: dict[str, object] = {"address": self.address or "local"}
        if not self.address:  # a running cluster has its own CPUs; Ray refuses to be told
            own |= {"num_cpus": self.workers, "include_dashboard": False}
        path = os.pathsep.join([os.getcwd(), *filter(None, map(os.path.abspath, _own_paths()))])
        environment = {**ONE_THREAD, "PYTHONPATH": path}
        self._ray = ray
        try:
            ray.init(**own, runtime_env={"env_vars": environment}, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UserError(f"ray.address={self.address}: {' '.join(str(error).split())[:200]}; {_START}") from None
        self._stack.enter_context(as_interrupts())  # Ray's own handler prints its stack
        self._job = ray.remote(num_cpus=1, num_gpus=GPU_SHARE if self.gpu else 0, max_retries=RETRIES)(_run_there)
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        self._reports = Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        return self

    def _listen(self) -> None:
        from ray.util.queue import Empty

        # Ray raises SystemExit where it is shut down meanwhile
        with contextlib.suppress(self._ray.exceptions.RayError, ConnectionError, SystemExit):
            while True:
                try:
                    self.progress(*self._reports.get(timeout=0.5))
                except Empty:
                    if self._ended.is_set():
                        return

    def submit(self, job: Callable[..., T], *args: object, limits: Limits | None = None) -> Future[T]:
        if limits is not None:
            job, args = apart, (limits, job, args)
        made: Future[T] = self._job.remote(self._reports, job, args).future()
        return made

    def result(self, future: Future[T]) -> T:
        try:
            done = future.result()
        except self._ray.exceptions.RayError as lost:
            why = one_line(lost).partition(". ")[0]
            raise UserError(f"a job was lost {RETRIES + 1} times ({why}); is there enough memory?") from None
        if isinstance(done, _Failed):
            raise done.why
        return done

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ended.set()
        if kind is None:
            self._listener.join(timeout=5)
        self._ray.shutdown()  # ends what jobs are still running
        self._stack.close()


LAUNCHER = RayLauncher


def _own_paths() -> list[str]:
    """Where this process finds modules that are no part of its Python."""
    roots = (sys.prefix, sys.base_prefix, sys.exec_prefix)
    return [p for p in sys.path if p and not p.startswith(roots)]


class _Failed(NamedTuple):
    """In place of a job's result: its error, fit to travel."""

    why: UserError


def _run_there(reports: Queue, job: Callable[..., T], args: tuple[object, ...]) -> T | _Failed:
    last: dict[str, float] = {}

    def report(stage: str, done: int, total: int, note: str) -> None:
        now = time.monotonic()
        drawn = isinstance(note, Note) and note.values  # of a curve every point counts
        if drawn or done >= total or now - last.get(stage, 0.0) >= REPORT_EVERY:
            last[stage] = now
            reports.actor.put_nowait.remote((stage, done, total, note))

    try:
        return run_job(job, args, report)
    except UserError as error:
        if isinstance(error.__context__, SystemExit) and hasattr(error.__context__, "ray_terminate_msg"):
            raise error.__context__ from None  # Ray ends this process, by SIGTERM say, and begins the job again
        return _Failed(error)
