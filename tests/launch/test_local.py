"""Jobs in this process and in others: results, errors, deaths, interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import LONG, eventually

from lam_env.core.errors import UserError
from lam_env.launch.local import LocalLauncher, WorkerDiedError, one_line

# jobs must be importable by name in a spawned process
MODULE = """
import os, signal, time
from lam_env.core.errors import UserError


class Odd(UserError):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def double(x, report):
    report("double", 1, 1, str(x))
    return 2 * x


def fail(kind, report):
    raise {"user": UserError("give\\nless"), "odd": Odd(1, 2), "bug": KeyError("x"), "exit": SystemExit("bye")}[kind]


def full(report):
    raise MemoryError


def environment(report):
    return os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"], os.getpid()


def die(report):
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(report):
    report("asleep", 0, 1, str(os.getpid()))
    time.sleep(100_000)
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "some_jobs.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import some_jobs  # type: ignore[import-not-found]

    yield some_jobs
    del sys.modules["some_jobs"]


def nothing(stage: str, done: int, total: int, note: str) -> None:
    """Reports nothing."""


@pytest.mark.parametrize("workers", [1, 2])
def test_results_reports_and_errors_are_the_same_with_any_number_of_workers(jobs: Any, workers: int) -> None:
    told = []
    with LocalLauncher(workers, lambda *message: told.append(message)) as launcher:
        futures = [launcher.submit(jobs.double, i) for i in range(5)]
        waiting, found = set(futures), []
        while waiting:
            done = launcher.finished(waiting)
            assert done
            waiting -= done
            found += [launcher.result(f) for f in done]
        assert sorted(found) == [0, 2, 4, 6, 8]
        for kind, said in (
            ("user", "give less"),
            ("odd", "1 and 2"),
            ("bug", "KeyError: 'x' (some_jobs.py line"),
            ("exit", "bye"),
        ):
            with pytest.raises(UserError) as caught:
                launcher.call(jobs.fail, kind)
            assert said in str(caught.value)
            assert "\n" not in str(caught.value)
        with pytest.raises(UserError, match="out of memory"):
            launcher.call(jobs.full)
    assert sorted(told) == [("double", 1, 1, str(i)) for i in range(5)]


def test_one_worker_does_a_job_only_when_somebody_waits(jobs: Any) -> None:
    told: list[Any] = []
    with LocalLauncher(1, lambda *message: told.append(message)) as launcher:
        first, second = launcher.submit(jobs.double, 1), launcher.submit(jobs.double, 2)
        assert not told
        assert launcher.finished({first, second}) == {first}
        assert not second.done()
        assert launcher.result(second) == 4


def test_workers_compute_with_one_thread_and_are_killed_with_one_line(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with pytest.raises(WorkerDiedError, match=r"was killed.*workers=1"), LocalLauncher(2, nothing) as launcher:
        omp, blas, pid = launcher.call(jobs.environment)
        assert (omp, blas) == ("1", "1")
        assert pid != os.getpid()
        launcher.call(jobs.die)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(jobs: Any, tmp_path: Path, sent: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import some_jobs\n"
        "from lam_env.launch.local import LocalLauncher\n"
        "if __name__ == '__main__':\n"
        "    with LocalLauncher(2, lambda *m: print(m[-1], flush=True)) as launcher:\n"
        "        launcher.finished({launcher.submit(some_jobs.sleep) for _ in range(2)})\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        workers = {int(parent.stdout.readline()) for _ in range(2)}
        assert len(workers) == 2
        if sent == signal.SIGINT:  # a terminal sends it to all of them
            os.killpg(parent.pid, sent)
        else:
            parent.send_signal(sent)
        parent.wait(timeout=LONG)
        assert eventually(lambda: not any(map(alive, workers)))  # in the middle of their jobs
        # only the parent says anything of the interrupt
        assert parent.stderr.read().count("KeyboardInterrupt") == (1 if sent == signal.SIGINT else 0)


def test_one_line_says_where() -> None:
    try:
        raise ZeroDivisionError("by\nzero")
    except ZeroDivisionError as error:
        said = one_line(error)
    assert said.startswith("ZeroDivisionError: by zero (test_local.py line ")
