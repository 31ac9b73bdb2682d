"""One table of all real logs of a suite: a row for each, with the best row that counts, the pool, the pool with trees,
and, where a file of them is named, figures by others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lam_env.core.catalogue import EVENTS, NLL, TOP1, TOP3
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import BROKEN, read_json, reason
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.tables import Provenance, Table
from lam_env.experiment.jobs import COSTS
from lam_env.suites.suite import SuiteRun

LEARNED = ("prior", "prior_boosted")  # rows of the pool, without trees and with them; their parts begin with the first
COLUMNS = ("log", "events", "best counting row", "pool", "pool with trees", "reference", "CPU s")


class Figures(NamedTuple):
    """`nll` in nats; NaN: not told."""

    name: str
    top1: float
    top3: float
    nll: float

    @property
    def text(self) -> str:
        numbers = " / ".join("-" if np.isnan(v) else f"{v:.3f}".removeprefix("0") for v in self[1:])
        return f"{self.name} {numbers}" if self.name not in LEARNED else numbers


def table_of_logs(
    runs: Sequence[tuple[SuiteRun, Sequence[ResultRow], Path]],
    reference: str | None,
    about: Provenance,
    absent: Sequence[str] = (),
) -> Table:
    """`runs`: each with its rows and its folder; `reference`: the folder in which figures by others lie; `absent`:
    which logs are left out, and why."""
    lines = []
    for run, rows, folder in runs:
        judged = {agent: _means(rows, agent) for agent in dict.fromkeys(row.agent for row in rows)}
        counting = [f for agent, f in judged.items() if agent.partition(".")[0] not in LEARNED]
        cells = [_least(counting), *(judged.get(name) for name in LEARNED)]
        cells.append(_by_others(Path(reference) / run.reference) if reference and run.reference else None)
        events = max((row.value for row in rows if row.metric == EVENTS.id), default=np.nan)
        seconds = _seconds(folder)
        lines.append(
            (
                run.name,
                f"{events:,.0f}",
                *(each.text if each else "" for each in cells),
                f"{np.mean(seconds):,.0f}" if seconds else "",
            )
        )
    seeds = sorted({len(run.settings.seed) for run, *_ in runs})
    notes = (
        f"Cells: {TOP1.heading} / {TOP3.heading} / {NLL.heading} [nats] of the events held out, which `events` counts.",
        f"Training seeds a log: {' or '.join(map(str, seeds))} (means). Of rows that count: the least NLL in the test.",
        "CPU s: of a seed's training of pool and trees, and of what they say of the test.",
        *(["Reference: the model of least NLL among those of others by the same protocol."] if reference else []),
        *(f"Left out: {each}." for each in absent),
        *about.lines(),
    )
    return Table("all logs", COLUMNS, tuple(lines), notes)


def _means(rows: Sequence[ResultRow], agent: str) -> Figures:
    """Of all training seeds."""
    each = [[r.value for r in rows if (r.agent, r.metric) == (agent, m.id)] for m in (TOP1, TOP3, NLL)]
    return Figures(agent, *(float(np.mean(values)) if values else np.nan for values in each))


def _least(figures: Sequence[Figures]) -> Figures | None:
    return min((f for f in figures if np.isfinite(f.nll)), key=lambda f: f.nll, default=None)


def _by_others(path: Path) -> Figures | None:
    """The best of a JSON file that holds, under `models` or `results`, top1, top3 and nll by model."""
    if not path.exists():
        return None
    try:
        data = read_json(path)
        models: Mapping[str, Mapping[str, float]] = data.get("models") or data["results"]
        return _least([Figures(name, m["top1"], m["top3"], m["nll"]) for name, m in models.items()])
    except BROKEN as error:
        raise UserError(f"reference: {path}: cannot be read ({reason(error)}); give another folder") from None


def _seconds(folder: Path) -> list[float]:
    """CPU seconds of each training seed."""
    by_seed = dict[str, float]()
    for file in sorted(folder.glob(f"{COSTS}-*.json")):
        if made := re.fullmatch(r".*-pretrain_on_log-.*-(\d+)|.*-predict_on_log-.*-prior-(\d+)", file.stem):
            seed = made[1] or made[2]
            by_seed[seed] = by_seed.get(seed, 0.0) + float(read_json(file))
    return list(by_seed.values())
