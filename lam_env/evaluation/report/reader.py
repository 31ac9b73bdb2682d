"""A run folder as the report reads it: plain files, of which any but config.json may be missing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lam_env.core.catalogue import UTILITY
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.files.inputs import BROKEN, read_json, read_text, reason
from lam_env.evaluation.report.elements import FLOOR, MARK, TUNED
from lam_env.evaluation.report.recorder import (
    ABOUT,
    FOLDER,
    ByUnit,
    Judged,
    as_now,
    file_of,
    gates_of,
    replay_file,
    worth_watching,
)
from lam_env.evaluation.report.trace import Trace
from lam_env.evaluation.results import ResultRow, read
from lam_env.logs.fidelity import Gate

MOST_BYTES = 64 << 20  # of one file


@dataclass(frozen=True)
class RunFiles:
    """`judged`, `on_log`: (agent, training seed) -> its record, of those judged in worlds and on a real log; `curves`:
    (agent, training seed) -> [(step, reward)]; `accuracy`: -> [(step, top-1)], of tuned predictors; `replays`: traces
    in their order; `gates`, `failed`: as a run wrote them; `log`: the real one, if there is one."""

    name: str
    config: dict[str, object]
    rows: list[ResultRow]
    judged: dict[tuple[str, int], Judged] = field(default_factory=dict)
    on_log: dict[tuple[str, int], Judged] = field(default_factory=dict)
    curves: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)
    replays: list[Trace] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    path: str = "RUN"
    accuracy: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)
    log: ActionLog | None = None

    @property
    def scenario(self) -> str:
        return str(self.config["scenario"])

    @property
    def variant(self) -> str:
        """The variant in which agents were judged."""
        return "twin" if any(r.variant == "twin" and r.metric == UTILITY.id for r in self.rows) else "sim"


@contextmanager
def understood(path: Path) -> Iterator[None]:
    """Whatever a changed or foreign file makes of our reading becomes one line."""
    try:
        yield
    except UserError:
        raise
    except BROKEN as error:
        why = f"{type(error).__name__}: {reason(error, 100)}"
        raise UserError(f"{path}: cannot be read ({why}); run again, or give another run") from None


def missing_replays(run: RunFiles) -> dict[str, str]:
    """Of the episodes that a finished run keeps for its page, those whose files are not there: kind -> file."""
    seeds = run.config.get("seed")
    tuned = (TUNED, seeds[0] if isinstance(seeds, list) and seeds else 0)
    agent = next((who for who in (tuned, (MARK, 0), (FLOOR, 0)) if who in run.judged), None)
    if agent is None or "replay" in run.failed or not (run.replays or run.config.get("finished")):
        return {}
    there = {str(trace.get("kind")) for trace in run.replays}
    chosen = worth_watching(run.judged[agent], run.judged.get((FLOOR, 0)))
    return {kind: replay_file(k) for k, (kind, _) in enumerate(chosen) if kind not in there}


class About(NamedTuple):
    """What a run tells besides scores."""

    gates: list[Gate]
    failed: dict[str, str]  # agent -> what went wrong with it


def read_about(path: Path) -> About:
    """Of a run's folder; nothing, where it tells nothing."""
    about = _json(path / ABOUT) if (path / ABOUT).is_file() else {}
    with understood(path / ABOUT):
        return About(gates_of(about), {name: str(why) for name, why in about.get("failed", {}).items()})


def read_run(path: Path) -> RunFiles:
    """What the folder holds. UserError where a file is there and makes no sense."""
    config = config_of(path)
    judged, on_log = dict[tuple[str, int], Judged](), dict[tuple[str, int], Judged]()
    for file in sorted((path / FOLDER).glob("judged-*.json")):
        data = _json(file)
        with understood(file):
            key = (str(data["agent"]), int(data["train_seed"]))
            (on_log if "episodes" not in data else judged)[key] = as_now(data)
    replays = [_json(file) for file in sorted((path / FOLDER).glob("replay-*.json"))]
    drawn = dict(_curve(file) for file in sorted(path.glob("curve-*.csv")))
    return RunFiles(
        path.name or str(path),
        config,
        read(path / "results.csv") if (path / "results.csv").is_file() else [],
        judged,
        on_log,
        {of: [(step, reward) for step, reward, _ in points] for of, points in drawn.items()},
        replays,
        *read_about(path),
        str(path),
        {of: told for of, points in drawn.items() if (told := [(step, top1) for step, _, top1 in points if top1 >= 0])},
        log_of(path) if config.get("logs") else None,
    )


def config_of(path: Path) -> dict[str, object]:
    """A run's settings; UserError for a folder that is none of a run."""
    if not (path / "config.json").is_file():
        raise UserError(f"{path}: not a run folder (no config.json); give the folder that a run has written")
    config = _json(path / "config.json")
    if "suite" in config:
        raise UserError(f"{path}: is a suite's: give {path}/NAME of one of its runs")
    if not isinstance(config.get("scenario"), str):
        raise UserError(
            f"{path / 'config.json'}: names no scenario; give the folder that a run has written, as it left it"
        )
    return config


def units_of(path: Path, agent: str, train_seed: int) -> ByUnit | None:
    """A predictor's sums by day or stream of the real log; None where the run's folder has none, as that of an earlier
    version."""
    if not (file := path / file_of(f"{agent}-log", train_seed)).is_file():
        return None
    with understood(file):
        if (of := _json(file).get("by_unit")) is None:
            return None
        whole, losses = (
            [list(map(int, of[key])) for key in ("unit", "events", "right")],
            list(map(float, of["losses"])),
        )
        if len({*map(len, whole), len(losses)}) > 1 or min(whole[1]) < 1:
            raise ValueError("sums by day that do not belong together")
    return {"unit": whole[0], "events": whole[1], "right": whole[2], "losses": losses}


def log_of(path: Path) -> ActionLog | None:
    """The log that a run was made from, a real one where there was one; else, as of commands that the home knows, what
    agents were trained on. None where the folder holds neither."""
    folder = next((part for name in ("real", "train") if (part := path / "log" / name).is_dir()), None)
    return None if folder is None else ActionLog.load(folder)


def _json(file: Path) -> Any:
    """A mapping, as plain as JSON is."""
    with understood(file):
        data = read_json(file, MOST_BYTES)
        if not isinstance(data, dict):
            raise ValueError("not a mapping")
        return data


def _curve(file: Path) -> tuple[tuple[str, int], list[tuple[float, float, float]]]:
    """Whose it is; steps, reward, and accuracy, -1 where none was measured."""
    with understood(file):
        rows = list(csv.DictReader(io.StringIO(read_text(file), newline="")))
        points = [(float(row["step"]), float(row["reward"]), float(row.get("top1") or -1)) for row in rows]
        return (rows[0]["agent"], int(rows[0]["train_seed"])), points
