"""python -m lam_env simulate scenario=game worlds=100_000 days=30

Simulates a log of many people whom nobody advises or serves. Its parts are made side by side: `part=000000/`, each an
`ActionLog` folder. A part is written whole or not at all; the same command with out=FOLDER makes the missing ones.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lam_env import launch
from lam_env.config.cli import cli_errors, command_line, override, parse, setting, to_dict
from lam_env.config.convert import count
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.progress import Progress
from lam_env.core.seeds import Use, world_seeds
from lam_env.experiment.logs.shards import Made, is_whole, make_part, part_of, sizes
from lam_env.experiment.policies import scenario_made
from lam_env.experiment.run_folder import CONFIG, RunFolder, check_same, new_folder
from lam_env.experiment.settings import LAUNCHER, RaySettings
from lam_env.launch.job import one_thread

MOST_WAITING = 1_024  # parts handed to the launcher before others are done
MOST_PARTS = 1_000_000


@dataclass(frozen=True)
class SimulateSettings:
    """Simulate a log of many people, in parts, on one machine or many."""

    scenario: str = setting("smart_home", "the scenario, by name", code=True)
    worlds: int = setting(100, "worlds: homes, towns or players", low=1, high=Use.SIMULATED_LOG.room)
    days: int = setting(28, "days of each", low=1, high=3650)
    part: int = setting(100, "worlds in a part: one job, and one file", low=1, high=1_000_000)
    seed: int = setting(0, "draws the worlds", low=0, high=Use.SIMULATED_LOG.seeds - 1)
    out: str | None = setting(
        None,
        "folder of the log (default: the next free runs/log-<n>); the same command with it goes on",
        may_differ=True,
    )
    workers: int = setting(2, "processes; the log is the same with any number", low=1, high=64, may_differ=True)
    launcher: Literal["local", "ray"] = setting("local", LAUNCHER, may_differ=True)
    ray: RaySettings = setting(RaySettings(), "the cluster", may_differ=True)
    world: Any = setting({}, "settings of the scenario, such as world.residents=3; scenario=NAME --help lists them")


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(SimulateSettings, argv, "python -m lam_env simulate", _usual)
        simulate_parts(settings, command_line("python -m lam_env simulate", argv))
    return 0


def _usual(settings: SimulateSettings) -> SimulateSettings:
    return SimulateSettings(world=registry.scenario(settings.scenario).Params())


def simulate_parts(settings: SimulateSettings, command: str) -> None:
    """Makes the parts that are missing, and says how many events there are, how fast they came, in how much memory."""
    from lam_env.evaluation.tables import versions

    if settings.world.days != type(settings.world)().days:
        raise UserError("world.days: is called days here")
    s = dataclasses.replace(settings, world=override(settings.world, {"days": settings.days}, "world"))
    parts = -(-s.worlds // s.part)
    scenario_made(s.scenario, s.world)
    if parts > MOST_PARTS:
        raise UserError(
            f"part={s.part}: makes {parts:,} parts of {s.worlds:,} worlds, of {MOST_PARTS:,} at most; take more"
        )
    launch.check(s.launcher, s.ray.address)
    with new_folder(s.out, "log", again=True) as path, (folder := RunFolder(path)).locked():
        if (folder.path / CONFIG).exists():
            if folder.config().get("holds") != "parts":
                raise UserError(f"out={folder.path}: already holds a run; give another folder or leave `out` away")
            check_same(folder, s, versions(), "log")
        folder.tidy()
        folder.write_config({**to_dict(s), "command": command, "versions": versions(), "holds": "parts"})
        names = {part_of(folder.path, i).name for i in range(parts)}
        if foreign := {p.name for p in folder.path.glob("part=*")} - names:
            raise UserError(f"out={folder.path}: holds {min(foreign)}, which is no part of this log; take it away")
        missing = [i for i in range(parts) if not is_whole(part_of(folder.path, i), _seeds(s, i)[0])]
        began = time.monotonic()
        whole = f"{count(s.worlds, 'world')} of {count(s.days, 'day')} in {count(parts, 'part')}"
        print(f"{s.scenario}: {whole} -> {folder.path}")
        if len(missing) < parts:
            print(f"{count(parts - len(missing), 'part')} of them there already")
        try:
            made = _make(s, folder.path, missing, parts)
        except KeyboardInterrupt:
            out = "" if s.out else f" out={folder.path}"
            print(f"the same command goes on where this one stopped:\n  {command}{out}", file=sys.stderr)
            raise
        seconds = time.monotonic() - began
        events, size = sizes(folder.path, parts)
        folder.write_text("simulated.json", json.dumps({"parts": parts, "events": events, "bytes": size}) + "\n")
    print(f"{folder.path}: {count(events, 'event')} in {count(parts, 'part')}, {size / 1e6:,.1f} MB")
    if made:
        new, days = sum(m.events for m in made), s.days * sum(m.persons for m in made)
        print(
            f"{count(new, 'event')} of {count(days, 'person-day')} in {seconds:,.1f} s, {new / seconds:,.0f} a second;"
            f" at most {max(m.memory for m in made):,} MiB a process"
        )


def _seeds(s: SimulateSettings, part: int) -> range:
    return world_seeds(Use.SIMULATED_LOG, s.worlds, s.seed)[part * s.part : (part + 1) * s.part]


def _make(s: SimulateSettings, path: Path, missing: Sequence[int], parts: int) -> list[Made]:
    """The missing parts, by the launcher's jobs."""
    made: list[Made] = []
    if not missing:
        return made
    with Progress() as progress, launch.make(s.launcher, s.workers, progress, s.ray.address, False) as launcher:
        progress("simulate [parts]", parts - len(missing), parts, "")
        rest, waiting = iter(missing), set[Future[Made]]()
        while True:
            for i in itertools.islice(rest, MOST_WAITING - len(waiting)):
                waiting.add(launcher.submit(make_part, str(path.absolute()), i, s.scenario, s.world, _seeds(s, i)))
            if not waiting:
                return made
            done = launcher.finished(waiting)
            waiting -= done
            made += [launcher.result(future) for future in done]
            note = count(sum(m.events for m in made), "event")
            progress("simulate [parts]", parts - len(missing) + len(made), parts, note)
