"""python -m lam_env.simulate scenario=game worlds=100_000 days=30

A log of many people, whom nobody advises or serves, in parts that are simulated side by side: `part=000000/`, each an `ActionLog` folder with its
events in Parquet. A part is written whole or not at all, and the same command makes those that are missing.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lam_env import launch, registry
from lam_env.config import cli_errors, parse, setting, to_dict
from lam_env.errors import UserError
from lam_env.launch.local import Report, one_thread
from lam_env.progress import Progress
from lam_env.runs import CONFIG, RunFolder, choose
from lam_env.settings import LAUNCHER, RaySettings

SEED = 1 << 40  # of the first world: no training and no table meets these
SEEDS_APART = 1 << 32
AT_ONCE = 2_000  # person-days that a process holds as objects before they become columns
MOST_WAITING = 1_024  # parts handed to the launcher before others are done
MOST_PARTS = 1_000_000
MAY_DIFFER = ("workers", "launcher", "ray", "out")  # from the command that a folder was begun with


@dataclass(frozen=True)
class SimulateSettings:
    """Simulate a log of many people, in parts, on one machine or many."""

    scenario: str = setting("smart_home", "the scenario, by name", code=True)
    worlds: int = setting(100, "worlds: homes, towns or players", low=1, high=SEEDS_APART)
    days: int = setting(28, "days of each", low=1, high=3650)
    part: int = setting(100, "worlds in a part: one job, and one file", low=1, high=1_000_000)
    seed: int = setting(0, "draws the worlds", low=0, high=999_999)
    out: str | None = setting(
        None, "folder of the log (default: the next free runs/log-<n>); the same command goes on in it"
    )
    workers: int = setting(2, "processes; the log is the same with any number", low=1, high=64)
    launcher: Literal["local", "ray"] = setting("local", LAUNCHER)
    ray: RaySettings = RaySettings()
    world: dict[str, Any] = setting(
        {}, "settings of the scenario, such as world.residents=3; scenario=NAME --help lists them"
    )


class Made(NamedTuple):
    """A part: its events, and the most memory [MiB] its process has had."""

    events: int
    memory: int


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(SimulateSettings, argv, "python -m lam_env.simulate", _groups)
        simulate(settings, " ".join(["python -m lam_env.simulate", *argv]))
    return 0


def _groups(settings: SimulateSettings) -> dict[str, Any]:
    return {"world": registry.scenario(settings.scenario).Params()}


def simulate(settings: SimulateSettings, command: str) -> None:
    """Makes the parts that are missing, and says how many events there are, how fast they came and in how much memory."""
    s = settings
    scenario = _scenario(s)
    parts = -(-s.worlds // s.part)
    if parts > MOST_PARTS:
        raise UserError(
            f"part={s.part}: makes {parts:,} parts of {s.worlds:,} worlds, of {MOST_PARTS:,} at most; take more"
        )
    launch.check(s.launcher, s.ray.address)
    folder = RunFolder(choose(s.out, "log", again=True))
    with folder.locked():
        _check_same(folder, s)
        folder.write_config({**to_dict(s), "command": command, "log": "parts"})
        missing = [i for i in range(parts) if not (part_of(folder.path, i) / "log.json").is_file()]
        began = time.monotonic()
        print(f"{s.scenario}: {s.worlds:,} worlds of {s.days} days in {parts:,} parts -> {folder.path}")
        made = _make(s, folder.path, missing, parts)
        seconds = time.monotonic() - began
        events, size = _whole(folder.path, parts)
        person_days = s.worlds * s.days * scenario.n_users
        folder.write_text("simulated.json", json.dumps({"parts": parts, "events": events, "bytes": size}) + "\n")
    print(f"{folder.path}: {events:,} events of {person_days:,} person-days in {parts:,} parts, {size / 1e6:,.1f} MB")
    if made:
        new = sum(m.events for m in made)
        print(
            f"{new / seconds:,.0f} events a second ({seconds:,.1f} s); at most {max(m.memory for m in made):,} MiB a process"
        )


def _scenario(s: SimulateSettings) -> Any:
    return registry.scenario(s.scenario)(**{**s.world, "days": s.days})


def part_of(path: Path, i: int) -> Path:
    """A name from which tools that read partitioned Parquet make a column."""
    return path / f"part={i:06d}"


def _check_same(folder: RunFolder, s: SimulateSettings) -> None:
    if not (folder.path / CONFIG).exists():
        return
    before, now = folder.config(), json.loads(json.dumps(to_dict(s)))
    if before.get("log") != "parts":
        raise UserError(f"out={folder.path}: already holds a run; give another folder or leave `out` away")
    for name, value in now.items():
        if name not in MAY_DIFFER and before.get(name) != value:
            raise UserError(
                f"out={folder.path}: already holds a log with other settings ({name} is {before.get(name)}, not {value});"
                " give another folder or leave `out` away"
            )


def _make(s: SimulateSettings, path: Path, missing: Sequence[int], parts: int) -> list[Made]:
    """The missing parts, by the launcher's jobs; no more wait for it than it can ever be at work on."""
    made: list[Made] = []
    if not missing:
        return made
    with Progress() as progress, launch.make(s.launcher, s.workers, progress, s.ray.address, False) as launcher:
        progress("simulate [parts]", parts - len(missing), parts, "")
        rest = iter(missing)
        waiting: set[Future[Any]] = set()

        def more() -> Iterator[Future[Any]]:
            for i in rest:
                yield launcher.submit(make_part, s, str(path.absolute()), i)
                if len(waiting) + 1 >= MOST_WAITING:
                    return

        for future in more():
            waiting.add(future)
        while waiting:
            done = launcher.finished(waiting)
            waiting -= done
            made += [launcher.result(future) for future in done]
            for future in more():
                waiting.add(future)
            progress(
                "simulate [parts]", parts - len(missing) + len(made), parts, f"{sum(m.events for m in made):,} events"
            )
    return made


def make_part(s: SimulateSettings, path: str, i: int, report: Report) -> Made:
    """A job: simulates and writes part i."""
    import numpy as np

    from lam_env.envs.record import simulate_log

    scenario = _scenario(s)
    first, last = i * s.part, min(s.worlds, (i + 1) * s.part)
    seeds = [SEED + SEEDS_APART * s.seed + k for k in range(first, last)]
    n = max(1, AT_ONCE // (s.days * scenario.n_users))
    logs = [simulate_log(scenario, seeds[k : k + n], s.days)[0] for k in range(0, len(seeds), n)]
    columns = {name: np.concatenate([log.columns[name] for log in logs]) for name in logs[0].columns}
    columns["world"] = np.concatenate([log.world + np.int32(k * n) for k, log in enumerate(logs)])
    start, end = tuple(t for log in logs for t in log.start), tuple(t for log in logs for t in log.end)
    about = {"scenario": s.scenario, "first_world": first, "seed": s.seed, "world": s.world}
    whole = dataclasses.replace(logs[0], columns=columns, start=start, end=end, meta=about)
    whole.save(part_of(Path(path), i))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Made(len(columns["time"]), most >> (20 if sys.platform == "darwin" else 10))


def _whole(path: Path, parts: int) -> tuple[int, int]:
    """Events and bytes of all parts."""
    import pyarrow.parquet as pq

    files = [part_of(path, i) / "events.parquet" for i in range(parts)]
    return sum(pq.read_metadata(f).num_rows for f in files), sum(f.stat().st_size for f in files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
