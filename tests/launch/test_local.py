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
from lam_env.launch.child import RETRIES, Limits
from lam_env.launch.job import one_line
from lam_env.launch.local import LocalLauncher

# jobs must be importable by name in a spawned process
MODULE = """
import importlib.util, os, signal, time
from pathlib import Path
from lam_env.core.errors import UserError
from lam_env.core.progress import Note
from lam_env.launch.child import alive, kit_at_work


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


def die(folder, times, report):
    if len(list(Path(folder).iterdir())) >= times:
        return "done"
    (Path(folder) / str(os.getpid())).touch()
    os.kill(os.getpid(), signal.SIGKILL)


def leave(report):
    os._exit(0)


def crash(report):
    os.kill(os.getpid(), signal.SIGSEGV)


def stop(report):
    raise KeyboardInterrupt


def hang(report):
    time.sleep(100_000)


def rest(report):
    with kit_at_work():
        time.sleep(4)
        os._exit(7)


def load(report):
    for i in range(20):
        time.sleep(0.2)
        importlib.util.find_spec(f"no_such_module_{i}")
    os._exit(7)


def leak(report):
    taken = []
    while True:
        taken.append(b"x" * 10_000_000)


def fork(report):
    for _ in range(2):
        os.fork()
    while True:
        alive()


def hold(folder, report):
    pid = os.fork()
    if not pid:
        time.sleep(100_000)
    return pid


def speak(report):
    report("\x1b[2Jtrain", 1, 1, Note("\x1b]0;title\x07good", {"a": 1}, 2))
    print("\x1b[31mred\x1b[0m\x07")
    raise ValueError("\x1b[1mbold\x1b[0m")


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
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    (tmp_path / "died").mkdir()
    with LocalLauncher(2, nothing) as launcher:
        omp, blas, pid = launcher.call(jobs.environment)
        assert (omp, blas) == ("1", "1")
        assert pid != os.getpid()
        other = launcher.submit(jobs.double, 4)
        with pytest.raises(UserError, match=r"lost 4 times.*was killed \(SIGKILL\).*workers=1"):
            launcher.call(jobs.die, str(tmp_path / "died"), 100)
        assert len(list((tmp_path / "died").iterdir())) == 1 + RETRIES
        assert launcher.result(other) == 8  # nobody else is lost with it


def test_a_job_whose_process_is_lost_is_begun_again(jobs: Any, tmp_path: Path) -> None:
    for kind, limits in (("worker", None), ("own", Limits.of(None, LONG))):
        (tmp_path / kind).mkdir()
        with LocalLauncher(2, nothing) as launcher:
            assert launcher.result(launcher.submit(jobs.die, str(tmp_path / kind), 2, limits=limits)) == "done"
        assert len(list((tmp_path / kind).iterdir())) == 2


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leave", "ended itself with exit code 0"),
        ("crash", r"crashed \(SIGSEGV\)"),
        ("stop", "KeyboardInterrupt"),
        ("hang", r"no predict answered.* for 1 s, so it was ended; agent.timeout="),
        ("leak", r"GiB of memory, of 0.30, so it was ended; agent.memory="),
        ("fork", "os.fork copied its process"),
    ],
)
def test_own_code_that_does_not_end_as_it_should_is_named_and_the_others_go_on(
    jobs: Any, workers: int, name: str, said: str
) -> None:
    limits = Limits.of(0.3, 1 if name == "hang" else LONG)
    with LocalLauncher(workers, nothing) as launcher:
        future = launcher.submit(getattr(jobs, name), limits=limits)
        others = [launcher.submit(jobs.double, i) for i in range(3)]
        with pytest.raises(UserError, match=said):
            launcher.result(future)
        assert [launcher.result(other) for other in others] == [0, 2, 4]


@pytest.mark.parametrize("name", ["rest", "load"])
def test_time_that_the_kit_takes_or_an_import_is_not_counted(jobs: Any, name: str) -> None:
    with LocalLauncher(1, nothing) as launcher, pytest.raises(UserError, match="exit code 7"):
        launcher.result(launcher.submit(getattr(jobs, name), limits=Limits.of(None, 2)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_what_own_code_has_started_ends_with_it(jobs: Any) -> None:
    with LocalLauncher(1, nothing) as launcher:
        pid = launcher.result(launcher.submit(jobs.hold, "", limits=Limits.of(None, LONG)))
        assert eventually(lambda: not alive(pid))


def test_text_of_own_code_comes_without_escapes(jobs: Any, capfd: pytest.CaptureFixture[str]) -> None:
    told = []
    with (
        pytest.raises(UserError, match=r"^ValueError: bold \("),
        LocalLauncher(1, lambda *message: told.append(message)) as launcher,
    ):
        launcher.result(launcher.submit(jobs.speak, limits=Limits.of(None, LONG)))
    assert "red\n" in capfd.readouterr().out
    assert told == [("train", 1, 1, "good")]
    assert told[0][-1].values == {"a": 1.0}


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
