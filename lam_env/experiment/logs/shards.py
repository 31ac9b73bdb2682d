"""Parts of a large log: folders `part=000000`, each an `ActionLog` with its events in Parquet."""

from __future__ import annotations

import dataclasses
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lam_env.config.cli import Group, to_dict
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog, LogError
from lam_env.core.progress import Report
from lam_env.experiment.policies import scenario_made
from lam_env.experiment.run_folder import seen_from_here

AT_ONCE = 2_000  # person-days that a process holds as objects before they become columns


class Made(NamedTuple):
    """A part: its events, the persons whose streams they are, and the most memory [MiB] its process has had."""

    events: int
    persons: int
    memory: int


def part_of(path: Path, i: int) -> Path:
    """A name from which tools that read partitioned Parquet make a column."""
    return path / f"part={i:06d}"


def is_whole(part: Path, first_seed: int) -> bool:
    """Whether the part that begins with that world is there, as it was written."""
    try:
        return bool(ActionLog.load(part).meta["first_seed"] == first_seed)
    except (LogError, LookupError):
        return False


def make_part(path: str, i: int, name: str, world: Group, seeds: Sequence[int], report: Report) -> Made:
    """A job: simulates the worlds `seeds` of a scenario with its settings, the days among them, and writes part i."""
    import numpy as np

    from lam_env.envs.recording import simulate_log
    from lam_env.evaluation.tables import versions

    target, scenario = part_of(seen_from_here(path), i), scenario_made(name, world)
    days = int(scenario.days)
    n = max(1, AT_ONCE // (days * scenario.n_users))
    logs = [simulate_log(scenario, seeds[k : k + n], days)[0] for k in range(0, len(seeds), n)]
    columns = {name: np.concatenate([log.columns[name] for log in logs]) for name in logs[0].columns}
    columns["world"] = np.concatenate([log.world + np.int32(k * n) for k, log in enumerate(logs)])
    start, end = tuple(t for log in logs for t in log.start), tuple(t for log in logs for t in log.end)
    about = {"scenario": name, "world": to_dict(world), "first_seed": seeds[0], "versions": versions()}
    whole = dataclasses.replace(logs[0], columns=columns, start=start, end=end, meta=about)
    whole.save(target)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
    return Made(len(columns["time"]), len(seeds) * (whole.people or scenario.n_users), most)


def sizes(path: Path, parts: int) -> tuple[int, int]:
    """Events and bytes of all parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    events = size = 0
    for i in range(parts):
        file = part_of(path, i) / "events.parquet"
        try:
            events, size = events + pq.read_metadata(file).num_rows, size + file.stat().st_size
        except (OSError, pa.ArrowInvalid) as error:
            remedy = "delete its folder, and the same command makes it again"
            raise UserError(f"{file}: cannot be read ({error}); {remedy}") from None
    return events, size
