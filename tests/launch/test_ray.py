"""Jobs on Ray: the same calls and results as here, an address that does not answer, a machine that is lost."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patience import LONG, eventually

from lam_env import launch
from lam_env.core.errors import UserError
from lam_env.launch.ray import RETRIES, RayLauncher, check

with_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra [ray]")
MODULE = """
import os, signal, time
from pathlib import Path
from lam_env.core.errors import UserError


def double(x, report):
    report("double", 1, 1, str(x))
    return 2 * x


def fail(kind, report):
    raise {"user": UserError("give\\nless"), "bug": KeyError("x"), "exit": SystemExit("bye")}[kind]


def environment(report):
    return os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"], os.getpid()


def die(folder, report):
    (Path(folder) / str(os.getpid())).touch()
    os._exit(1)


def told_to_end(folder, report):
    (Path(folder) / str(os.getpid())).touch()
    if len(list(Path(folder).iterdir())) == 1:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(100_000)
    return "done"


def wait_for(folder, name, report):
    Path(folder, f"{name}-{os.getpid()}").touch()
    while not Path(folder, "go").exists():
        time.sleep(0.05)
    return name
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "jobs_on_ray.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import jobs_on_ray  # type: ignore[import-not-found]

    yield jobs_on_ray
    del sys.modules["jobs_on_ray"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def nothing(stage: str, done: int, total: int, note: str) -> None:
    """Reports nothing."""


def answering(answer: bytes) -> tuple[str, threading.Thread]:
    """The address of a server that says one thing to one caller."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as caller:
            caller.recv(100)
            caller.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return f"127.0.0.1:{server.getsockname()[1]}", thread


# -- before anything is begun ------------------------------------------------------------------------------------------


def test_ray_is_loaded_only_when_jobs_run_on_it() -> None:
    code = "import sys, lam_env.launch.ray, lam_env.run, lam_env.benchmark; print('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_where_ray_is_missing_one_sentence_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lam_env.launch.ray.importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs Ray: pip install 'lam-env\[ray\]', or take launcher=local"):
        check(None)


def test_processes_of_this_machine_have_no_address() -> None:
    launch.check("local", None)
    with pytest.raises(UserError, match="is for launcher=ray"):
        launch.check("local", "auto")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Ray were there: nothing here gets as far as to load it."""
    monkeypatch.setattr("lam_env.launch.ray.importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("lam_env.launch.ray.PATIENCE", LONG)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("address", ["nowhere", "ray://127.0.0.1:10001", ":6379", "host:port", "127.0.0.1:"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(UserError, match="write HOST:PORT"):
        check(address)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_another_server_is_no_cluster(answer: bytes) -> None:
    address, thread = answering(answer)
    with pytest.raises(UserError, match="is no Ray cluster"):
        check(address)
    thread.join()


@pytest.mark.usefixtures("installed")
def test_a_server_of_http_2_answers() -> None:
    address, thread = answering(bytes([0, 0, 6, 4, 0, 0, 0, 0, 0]) + bytes(6))
    check(address)
    thread.join()


@pytest.mark.usefixtures("installed")
def test_silence_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lam_env.launch.ray.PATIENCE", 0.1)
    says = pytest.raises(UserError, match=r"no Ray cluster answers there .*; start one with `ray start --head`")
    with socket.create_server(("127.0.0.1", 0)) as server, says:
        check(f"127.0.0.1:{server.getsockname()[1]}")


@with_ray
@pytest.mark.parametrize("module", ["run", "benchmark"])
def test_an_address_that_does_not_answer_is_one_line(tmp_path: Path, module: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    command = [sys.executable, "-m", f"lam_env.{module}", "out=out", "launcher=ray", f"ray.address=127.0.0.1:{free}"]
    command += ["suite=quick"] if module == "benchmark" else []
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: ray.address=127.0.0.1:{free}: no Ray cluster answers there (")
    assert not list(tmp_path.iterdir())


# -- on a cluster ------------------------------------------------------------------------------------------------------

quiet = pytest.mark.filterwarnings("ignore:::ray", "ignore::ResourceWarning", "ignore::FutureWarning")


@with_ray
@quiet
def test_the_start_is_announced_and_a_termination_is_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), RayLauncher(1, nothing):
        assert capsys.readouterr().err.startswith("starting Ray ...\n")
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


@with_ray
@quiet
def test_results_reports_and_errors_are_those_of_this_machine(jobs: Any, tmp_path: Path) -> None:
    told = []
    with RayLauncher(2, lambda *message: told.append(message)) as launcher:
        waiting = {launcher.submit(jobs.double, i) for i in range(5)}
        found = []
        while waiting:
            done = launcher.finished(waiting)
            assert done
            waiting -= done
            found += [launcher.result(f) for f in done]
        assert sorted(found) == [0, 2, 4, 6, 8]
        for kind, said in (("user", "give less"), ("bug", "KeyError: 'x' (jobs_on_ray.py line"), ("exit", "bye")):
            with pytest.raises(UserError) as caught:
                launcher.call(jobs.fail, kind)
            assert said in str(caught.value)
            assert "\n" not in str(caught.value)
        omp, blas, pid = launcher.call(jobs.environment)
        assert (omp, blas) == ("1", "1")
        assert pid != os.getpid()
        (tmp_path / "died").mkdir()
        with pytest.raises(UserError, match=f"a job was lost {RETRIES + 1} times"):
            launcher.call(jobs.die, str(tmp_path / "died"))
        assert len(list((tmp_path / "died").iterdir())) == RETRIES + 1
        (tmp_path / "told").mkdir()
        assert launcher.call(jobs.told_to_end, str(tmp_path / "told")) == "done"
        assert eventually(lambda: len(told) >= 5)
    assert sorted(told) == [("double", 1, 1, str(i)) for i in range(5)]


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that does no work, and two machines of one CPU each."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    made.workers = [made.add_node(num_cpus=1) for _ in range(2)]
    yield made
    made.shutdown()


@with_ray
@quiet
@pytest.mark.slow
def test_the_work_of_a_machine_that_is_lost_is_done_again_and_no_other(jobs: Any, tmp_path: Path, cluster: Any) -> None:
    folder = tmp_path / "marks"
    folder.mkdir()
    with RayLauncher(2, nothing, cluster.address) as launcher:
        assert launcher.call(jobs.double, 4) == 8
        waiting = {launcher.submit(jobs.wait_for, str(folder), name) for name in "ab"}
        assert eventually(lambda: len(list(folder.iterdir())) >= 2)
        assert sorted(p.name[0] for p in folder.iterdir()) == ["a", "b"]  # one on each machine
        pids = [int(p.name[2:]) for p in folder.iterdir()]
        cluster.remove_node(cluster.workers[0], allow_graceful=False)
        assert eventually(lambda: not all(map(alive, pids)))  # a process that outlives its machine might still answer
        (folder / "go").touch()
        assert sorted(launcher.result(f) for f in waiting) == ["a", "b"]
    begun = sorted(p.name[0] for p in folder.iterdir() if p.name != "go")
    assert begun in (["a", "a", "b"], ["a", "b", "b"])


RUN = ["log.worlds=3", "log.days=2", "predictor.passes=1", "predictor.hidden=8", "train.steps=256", "eval.seeds=2"]
RUN += ["eval.worlds=1", "world.days=1", "agents=random,timer,markov1,prior,ppo_prior"]
SUITE = """
runs:
  - scenario: smart_home
    log: {worlds: 3, days: 2}
    predictor: {passes: 1, hidden: 8}
    train: {steps: 256}
    eval: {seeds: 2, worlds: 1}
    world: {days: 1}
    agents: [random, timer, markov1, prior, ppo_prior]
"""
# command -> its words, what it leaves bit by bit, and what holds the end
COMMANDS = {
    "run": (RUN, "cells/*.json", "results.csv"),
    "benchmark": (["suite=tiny.yaml"], "smart_home/cells/*.json", "results.csv"),
    "simulate": (["worlds=40", "part=2", "days=2"], "part=*/events.parquet", "part=*/*"),
}


def workers_of(pid: int) -> list[int]:
    """The processes of Ray that do jobs, among those that this one has begun."""
    of = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            of[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    mine, before = {pid}, 0
    while len(mine) > before:
        before = len(mine)
        mine |= {child for child, parent in of.items() if parent in mine}
    return [p for p in mine if b"ray::" in Path(f"/proc/{p}/cmdline").read_bytes()]


def lose(what: str, cluster: Any) -> None:
    if what == "machine":
        cluster.remove_node(cluster.workers[0], allow_graceful=False)
    else:
        for pid in workers_of(os.getpid())[:1]:
            os.kill(pid, signal.SIGKILL)


@with_ray
@quiet
@pytest.mark.faults
@pytest.mark.parametrize("lost", ["worker", "machine"])
@pytest.mark.parametrize("module", COMMANDS)
def test_what_loses_a_worker_or_a_machine_ends_with_the_bytes_of_this_machine(
    tmp_path: Path, cluster: Any, module: str, lost: str
) -> None:
    words, parts, end = COMMANDS[module]
    (tmp_path / "tiny.yaml").write_text(SUITE)
    command = [sys.executable, "-m", "lam_env", module, *words]
    subprocess.run([*command, "out=here", "workers=1"], cwd=tmp_path, check=True, capture_output=True)
    there, before = tmp_path / "there", {}
    on_ray = [*command, "out=there", "launcher=ray", f"ray.address={cluster.address}"]
    with subprocess.Popen(on_ray, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert eventually(lambda: list(there.glob(parts)) or run.poll() is not None)
        lose(lost, cluster)
        before = {p: p.stat().st_mtime_ns for p in there.glob(parts)}
        _, said = run.communicate(timeout=LONG)
    assert run.returncode == 0, said
    assert 0 < len(before) < len(list(there.glob(parts)))
    assert {p: p.stat().st_mtime_ns for p in before} == before
    made = {p.relative_to(tmp_path / "here"): p.read_bytes() for p in (tmp_path / "here").glob(end)}
    assert {p.relative_to(there): p.read_bytes() for p in there.glob(end)} == made
    print(f"{module} that lost a {lost}: {len(before)} parts kept, {len(made)} files with the same bytes")
