"""python -m lam_env.benchmark suite=throughput out=FOLDER

Published measurements, made from the data in SUITES.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lam_env.config import cli_errors, parse, setting
from lam_env.errors import UserError
from lam_env.progress import Progress
from lam_env.values import suggestion

if TYPE_CHECKING:
    from lam_env.evaluation.results import Row
    from lam_env.evaluation.tables import Table

YARDSTICK = "CartPole-v1"  # every figure stands beside one environment of this id, measured in turn with it
WARM_UP = 100  # untimed steps of a batch: the steps after its first reset are costlier than those that follow


@dataclass(frozen=True)
class Entry:
    """One measurement: a Gymnasium id, how many copies step as a batch (0: a single environment), and who acts."""

    env: str
    copies: int = 0
    actions: str = "none"  # none | random: uniform, whether possible or not
    scale: int = 1  # measured over so many times `steps`, where steps are cheap

    @property
    def name(self) -> str:
        return f"{self.env} {f'batch of {self.copies}' if self.copies else 'single'} {self.actions}"


SUITES: dict[str, tuple[Entry, ...]] = {
    "throughput": (
        Entry(YARDSTICK, actions="random"),
        Entry(YARDSTICK, 1024, "random", scale=50),
        Entry("lam/SmartHome-v0"),
        Entry("lam/SmartHome-v0", actions="random"),
        Entry("lam/SmartHome-v0", 16, scale=2),
        Entry("lam/SmartHome-v0", 256, scale=2),
    ),
}


@dataclass(frozen=True)
class BenchmarkSettings:
    """Measure one suite and write its table."""

    suite: str = setting("throughput", f"what to measure; there is {', '.join(SUITES)}")
    out: str | None = setting(None, "folder to write (default: the next free runs/benchmark-N)")
    steps: int = setting(20_000, "environment steps of one measurement", low=1)
    repeats: int = setting(5, "rounds through the suite; the medians are shown", low=1)


@dataclass(frozen=True)
class Figure:
    """One measurement. Rates are per second of CPU time of this process.

    An epoch of a world ends by something that happens in it; the follow-up epoch at the same instant after an agent's act is a step, but no
    epoch of the world. `ratio`: steps against those of the single yardstick in the same round.
    """

    entry: Entry
    steps: float
    epochs: float
    ratio: float


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(BenchmarkSettings, argv, "python -m lam_env.benchmark")
        if settings.suite not in SUITES:
            there_are = f"there is {', '.join(SUITES)}"
            raise UserError(f"no suite {settings.suite!r}; {suggestion(settings.suite, list(SUITES), there_are)}")
        run(settings, " ".join(["python -m lam_env.benchmark", *argv]))
    return 0


def run(settings: BenchmarkSettings, command: str) -> None:
    """Measure, print, and write <suite>.csv and <suite>.md."""
    from rich import print as show

    from lam_env.evaluation import results
    from lam_env.runs import RunFolder, choose

    path = choose(settings.out, "benchmark")
    began = time.time()
    with Progress() as progress:
        rounds = measure(SUITES[settings.suite], settings.steps, settings.repeats, progress)
    table = table_of(rounds, settings.suite, command, time.time() - began)
    show(table.rich())
    path.mkdir(parents=True, exist_ok=True)
    results.write(path / f"{settings.suite}.csv", rows_of(rounds))
    RunFolder(path).write_text(f"{settings.suite}.md", table.markdown())
    print(f"written: {path}")


def measure(
    entries: Sequence[Entry],
    steps: int,
    repeats: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[list[Figure]]:
    """Figures (repeats, entries). The entries take turns, so that a change of the machine's load meets all of them."""
    yardstick = next(i for i, e in enumerate(entries) if e.env == YARDSTICK and not e.copies)
    players = [Batch(e) if e.copies else Single(e) for e in entries]
    rounds = []
    for r in range(repeats):
        timed = []
        for i, (entry, player) in enumerate(zip(entries, players, strict=True)):
            timed.append(player.play(steps * entry.scale, seed=r))
            progress("measure", r * len(entries) + i + 1, repeats * len(entries))
        of_yardstick = timed[yardstick][0]
        rounds.append([Figure(e, s, n, s / of_yardstick) for e, (s, n) in zip(entries, timed, strict=True)])
    for player in players:
        player.env.close()
    return rounds


class Single:
    """One environment as `gymnasium.make` gives it, over whole episodes with their resets."""

    def __init__(self, entry: Entry):
        import gymnasium

        self.env: Any = gymnasium.make(entry.env)
        self.entry = entry

    def play(self, steps: int, seed: int) -> tuple[float, float]:
        """(steps, epochs) per CPU second."""
        actions = _actions(self.entry, int(self.env.action_space.n), steps, seed).tolist()
        env = self.env
        env.reset(seed=seed)
        began = time.process_time()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        rate = steps / (time.process_time() - began)
        return rate, rate * (1 - self._follow_ups(actions, seed) / steps)

    def _follow_ups(self, actions: list[int], seed: int) -> int:
        """How many of these steps lead to a follow-up epoch: counted apart from what is timed."""
        if not any(actions) or not _has_epochs(self.env.observation_space):
            return 0
        found = 0
        self.env.reset(seed=seed)
        for action in actions:
            observation, _, terminated, truncated, _ = self.env.step(action)
            found += bool(observation["epoch"][4])
            if terminated or truncated:
                self.env.reset()
        return found


class Batch:
    """Copies that step together, as `gymnasium.make_vec` gives them; it goes on where the last round has ended."""

    def __init__(self, entry: Entry):
        import gymnasium

        self.env: Any = gymnasium.make_vec(entry.env, entry.copies, vectorization_mode="vector_entry_point")
        self.entry = entry
        space: Any = self.env.single_action_space
        self.n_actions = int(space.n)
        self.env.reset(seed=0)
        self._steps(_actions(entry, self.n_actions, WARM_UP * entry.copies, 0))

    def play(self, steps: int, seed: int) -> tuple[float, float]:
        """(steps, epochs) of worlds per CPU second."""
        n = self.entry.copies
        actions = _actions(self.entry, self.n_actions, -(-steps // n) * n, seed)
        began = time.process_time()
        follow_ups = self._steps(actions)
        rate = len(actions) / (time.process_time() - began)
        return rate, rate * (1 - follow_ups / len(actions))

    def _steps(self, actions: Any) -> int:
        """Take them; returns how many lead to a follow-up epoch."""
        counts, found = self.entry.actions != "none" and _has_epochs(self.env.single_observation_space), 0
        for row in actions.reshape(-1, self.entry.copies):
            observation, *_ = self.env.step(row)
            if counts:
                found += int((observation["epoch"][:, 4] > 0).sum())
        return found


def _has_epochs(space: Any) -> bool:
    from gymnasium.spaces import Dict

    return isinstance(space, Dict) and "epoch" in space.spaces


def _actions(entry: Entry, n_actions: int, steps: int, seed: int) -> Any:
    import numpy as np

    if entry.actions == "none":
        return np.zeros(steps, np.int64)
    rng = np.random.default_rng(seed)
    return rng.integers(0, n_actions, steps)


def rows_of(rounds: Sequence[Sequence[Figure]]) -> list[Row]:
    """Every measurement as lines of results; `seed` is the round."""
    from lam_env.evaluation.results import Row

    rows = []
    for r, figures in enumerate(rounds):
        for f in figures:
            where = (f.entry.env, f"batch {f.entry.copies}" if f.entry.copies else "single", f.entry.actions, 0, r)
            rows += [Row(*where, "steps_per_cpu_s", f.steps), Row(*where, "epochs_per_cpu_s", f.epochs)]
            rows.append(Row(*where, "ratio_to_cartpole", f.ratio))
    return rows


def table_of(rounds: Sequence[Sequence[Figure]], suite: str, command: str, seconds: float) -> Table:
    from lam_env.evaluation.tables import About, Table, versions

    lines = []
    for figures in zip(*rounds, strict=True):
        steps = [f.steps for f in figures]
        lines.append(
            (
                figures[0].entry.name,
                f"{statistics.median(steps) / 1e3:,.1f}",
                f"{min(steps) / 1e3:,.1f} - {max(steps) / 1e3:,.1f}",
                f"{statistics.median(f.epochs for f in figures) / 1e3:,.1f}",
                f"{statistics.median(f.ratio for f in figures):.2f}",
            )
        )
    columns = ("thousands per CPU second", "steps", "least - most", "epochs", "of CartPole")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    about = About(command, f"{os.cpu_count()} cores{load}", seconds, versions())
    notes = (
        f"Medians of {len(rounds)} rounds in which the environments take turns, in one process.",
        f"Single: with the resets of its episodes. Batch: steps of all its worlds together, after the first {WARM_UP}.",
        "Epochs: steps less the follow-up steps at one instant.",
        f"Of CartPole: steps against those of one {YARDSTICK} in the same round.",
        *about.lines(),
    )
    return Table(suite, columns, tuple(lines), notes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
