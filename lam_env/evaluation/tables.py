"""Tables made from rows of results: Markdown for documents, rich for the terminal."""

from __future__ import annotations

import csv
import dataclasses
import io
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from lam_env.config.convert import count
from lam_env.core.catalogue import (
    JUDGE,
    LIFT,
    MORE,
    PREDICTION,
    REWARD,
    RIGHT,
    SHARE_OF_ORACLE,
    SUMMARY,
    TOP1,
    UNITS,
    Metric,
)
from lam_env.core.progress import say
from lam_env.evaluation.comparison import (
    BASELINE,
    ORACLE,
    added,
    best_counting,
    estimate_of,
    exhausted,
    idle,
)
from lam_env.evaluation.estimates import FEWEST, at_an_end, in_text
from lam_env.evaluation.results import ResultRow, ResultsError
from lam_env.evaluation.statistics import Interval

if TYPE_CHECKING:
    from rich.table import Table as RichTable

LADDER = "ladder:"  # how the variants of its rungs begin
VARIANTS = {  # headings, in the order of the tables
    "sim": "fresh simulated people",
    "sim-later": "the training worlds, later weeks",
    "log": "the held-out part of the log",
    "twin": "the home's simulated twin",
    "twin-later": "the twin's training worlds, later weeks",
    "exploit": "agents built to win the reward without helping: each must lie below none",
}
SELECTIVE = tuple(
    dataclasses.replace(RIGHT.at("surest", share), heading=f"right, surest {share}")
    for share in ("25 %", "50 %", "75 %")
)
COLUMNS: dict[str, Sequence[Metric]] = {  # kind of table -> its metrics
    "summary": SUMMARY,
    "prediction": PREDICTION,
    "more of predictions": (*MORE, *SELECTIVE),
    "reward": REWARD,
}
WIDTH = 100  # [columns] of what is not a terminal
_PACKAGES = ("lam-env", "torch", "numpy", "gymnasium", "stable-baselines3", "simpy")


@dataclass(frozen=True)
class Provenance:
    """How results were made; stands under every table."""

    command: str = ""
    device: str = ""
    seconds: float | None = None  # wall time
    versions: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""  # what has to be known about them

    def lines(self) -> list[str]:
        parts = [f"{name} {number}" for name, number in self.versions.items()]
        parts += [self.device] if self.device else []
        parts += [f"{self.seconds:,.0f} s wall time"] if self.seconds is not None else []
        made = [", ".join(parts) + "."] if parts else []
        return [*filter(None, [self.remark]), *made, *([f"Made by `{self.command}`."] if self.command else [])]


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """A heading-less Markdown table with its title above and its notes below."""

        def line(cells: Iterable[str]) -> str:
            return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"

        rule = "| --- |" + " ---: |" * (len(self.columns) - 1)
        parts = [f"**{self.title}**", "", line(self.columns), rule, *map(line, self.rows)]
        return "\n".join([*parts, "", *(f"{note}  " for note in self.notes)]).rstrip() + "\n"

    def csv(self) -> str:
        """Comma-separated; the notes stand below as lines that begin with #."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue() + "".join(f"# {note}\n" for note in self.notes)

    def latex(self) -> str:
        """A `table` of the package booktabs; the title is its caption, the notes stand below."""

        def line(cells: Iterable[str]) -> str:
            return " & ".join(map(_tex, cells)) + r" \\"

        columns = "l" + "r" * (len(self.columns) - 1)
        parts = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_tex(self.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
        ]
        parts += [r"\toprule", line(self.columns), r"\midrule", *map(line, self.rows), r"\bottomrule", r"\end{tabular}"]
        return "\n".join([*parts, *(rf"\par\footnotesize {_tex(note)}" for note in self.notes), r"\end{table}"]) + "\n"

    def only(self, columns: Iterable[str]) -> Table:
        """With these of its columns, by their names."""
        places = [self.columns.index(name) for name in columns]
        rows = (tuple(row[i] for i in places) for row in self.rows)
        return dataclasses.replace(self, columns=tuple(self.columns[i] for i in places), rows=tuple(rows))

    def with_failed(self, agents: Iterable[str]) -> Table:
        """With a row for each agent that has no scores because it failed."""
        there = {row[0] for row in self.rows}
        rows = [(a, "failed", *[""] * (len(self.columns) - 2)) for a in agents if a not in there]
        return dataclasses.replace(self, rows=(*self.rows, *rows))

    def show(self) -> None:
        """On the screen; where the output is none, the title is not broken, and notes are to 80 columns."""
        from rich.console import Console

        console = Console()
        if console.is_terminal:
            console.print(self.rich())
            return
        print(self.title)
        Console(width=WIDTH).print(dataclasses.replace(self, title="", notes=()).rich())
        for note in self.notes:
            say(note, "")

    def rich(self) -> RichTable:
        """For `rich.print`."""
        from rich.markup import escape
        from rich.table import Table as RichTable

        title, caption = escape(self.title) or None, escape("\n".join(self.notes)) or None
        table = RichTable(title=title, caption=caption, caption_justify="left")
        for i, name in enumerate(self.columns):
            table.add_column(escape(name), justify="right" if i else "left", no_wrap=not i)
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def _tex(text: str) -> str:
    """With what TeX takes for its own written out."""
    return "".join(_TEX.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)


def score_table(
    rows: Iterable[ResultRow],
    scenario: str,
    kind: str,
    variant: str = "sim",
    about: Provenance | None = None,
    intervals: Sequence[Metric] | None = None,
    figures: Sequence[Metric] = (),
    called: str | None = None,
) -> Table:
    """Agents as rows, in the order in which they first appear; metrics as columns, those that exist.

    `kind`: one of COLUMNS, or another where `figures` are the columns, as a scenario has them. A cell is the
    interquartile mean of all runs, on a log the mean, and its 95 % interval (`comparison.estimate_of`). `intervals`:
    the metrics that have one (default: all). `called`: how the title begins, in place of scenario and variant.
    """
    mine = [r for r in rows if (r.scenario, r.variant) == (scenario, variant)]
    metrics = [m for m in figures or COLUMNS[kind] if holds(mine, [m])]
    if not metrics:
        raise ResultsError(f"no {kind} scores of {scenario!r}, variant {variant!r}, among the results")
    columns = {m.id: m.heading for m in metrics}
    agents = list(dict.fromkeys(r.agent for r in mine if r.metric in columns))
    cells: dict[str, dict[str, str]] = {a: {} for a in agents}
    exact = False
    for metric in metrics:
        scores = {a: each for a in agents if (each := estimate_of(mine, a, metric)) is not None}
        digits = digits_of(scores.values())
        shown = intervals is None or metric in intervals
        exact = exact or (shown and any(at_an_end(each, metric) for each in scores.values()))
        for agent, each in scores.items():
            cells[agent][metric.id] = _cell(each, digits, shown)
    compared = _over_counting(mine, agents, columns, cells, intervals is None) if kind in ("summary", "reward") else []
    body = tuple((a, *(cells[a].get(c, "") for c in columns)) for a in agents)
    notes = (
        _notes(mine, agents, intervals is None or bool(intervals), exact)
        + compared
        + units_said(metrics)
        + (about or Provenance()).lines()
    )
    title = f"{called or f'{scenario} ({variant})'}: {kind}"
    return Table(title, ("agent", *columns.values()), body, tuple(notes))


def brief_table(rows: Iterable[ResultRow], scenario: str, variant: str = "sim") -> Table:
    """What 80 columns hold of agents that act: how well they know what comes next, and, with intervals, what they win.
    Who never acts wins nothing, and is named below."""
    mine = [r for r in rows if (r.scenario, r.variant) == (scenario, variant)]
    never, agents = idle(mine), list(dict.fromkeys(r.agent for r in mine if r.metric in (TOP1.id, JUDGE.id)))
    won = LIFT if holds(mine, [LIFT]) else JUDGE
    columns = [m for m in (TOP1, won, SHARE_OF_ORACLE) if holds(mine, [m])]
    found = {(a, m): e for m in columns for a in agents if (e := estimate_of(mine, a, m)) is not None}
    digits = {TOP1: 3, won: digits_of(e for (_, m), e in found.items() if m == won), SHARE_OF_ORACLE: 2}

    def cell(agent: str, metric: Metric) -> str:
        estimate = found.get((agent, metric))
        return _cell(estimate, digits[metric], metric != TOP1) if estimate is not None else ""

    body = tuple((a, *(cell(a, m) for m in columns)) for a in agents if a not in never)
    words = [f"{a} ({TOP1.heading} {known})" if (known := cell(a, TOP1)) else a for a in never]
    notes = [f"Never act, so they win nothing: {', '.join(words)}."] if never else []
    notes += _notes(mine, agents, True) + _exhausted(mine) + units_said(columns)
    return Table(f"{scenario} ({variant}): in brief", ("agent", *(m.heading for m in columns)), body, tuple(notes))


def _over_counting(
    rows: Sequence[ResultRow],
    agents: Sequence[str],
    columns: dict[str, str],
    cells: Mapping[str, dict[str, str]],
    intervals: bool,
) -> list[str]:
    """Adds the columns that hold each agent against the best counting row; returns what is said of them."""
    notes, best = [], best_counting(rows)
    found = {a: d for a in agents if best and a not in (best, BASELINE) and (d := added(rows, a, best)) is not None}
    if found:
        columns["over"] = "over best counting row"
        for agent, difference in found.items():
            cells[agent]["over"] = _cell(difference.of, 3, intervals)
            if difference.chance is not None:
                columns["above"] = "P(above 0)"
                cells[agent]["above"] = f"{difference.chance:.2f}"
        unit = "in shares of the oracle's lift" if any(r.agent == ORACLE for r in rows) else "in true utility"
        chance = "; P: that its mean is above 0" if "above" in columns else ""
        notes.append(
            f"The best counting row of these is {best}; over it: the mean difference paired by seed, {unit}{chance}."
        )
    return notes + _exhausted(rows)


def _exhausted(rows: Sequence[ResultRow]) -> list[str]:
    names = ", ".join(exhausted(rows))
    return [f"Reward exhausted: {names} earn the oracle's feedback reward or more, and help less."] if names else []


def holds(rows: Iterable[ResultRow], metrics: Iterable[Metric]) -> bool:
    """Whether there is a score of any of them."""
    ids = {m.id for m in metrics}
    return any(r.metric in ids for r in rows)


def versions() -> dict[str, str]:
    """The versions that results depend on; asks the installed metadata and imports nothing."""
    out = {"Python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            out[name] = version(name)
    return out


def units_said(metrics: Sequence[Metric]) -> list[str]:
    """What headings leave out: units, and where less is better."""
    units = dict.fromkeys(m.unit for m in metrics if m.unit)
    listed = [f"{', '.join(m.heading for m in metrics if m.unit == unit)} [{unit}]" for unit in units]
    less = [m.heading for m in metrics if m.better == "lower"]
    parts = [f"Units: {'; '.join(listed)}."] if listed else []
    parts += [f"Less is better: {', '.join(less)}."] if less else []
    return [" ".join(parts)] if parts else []


def _notes(rows: Sequence[ResultRow], agents: Sequence[str], intervals: bool, exact: bool = False) -> list[str]:
    """`exact`: on a log, some interval is that of a share of 0 or 1."""
    runs = {a: {(r.train_seed, r.seed) for r in rows if r.agent == a} for a in agents}
    most = max(runs.values(), key=len)
    fewest, trained, seeds = min(map(len, runs.values())), sorted({t for t, _ in most}), sorted({s for _, s in most})
    number = f"{len(most)}" if fewest == len(most) else f"{fewest} to {len(most)}"
    training = [f"training seeds {span(trained)}"] if len(trained) > 1 else []
    method = "interquartile mean"
    units = [int(r.value) for r in rows if r.metric == UNITS.id]
    if units and len(seeds) > 1:
        method = "mean [95 % interval over folds]" if intervals and len(seeds) >= FEWEST else "mean"
    elif units and max(units) < FEWEST:
        method = f"mean; on {count(max(units), 'day(s) or stream(s)')}: of fewer than {FEWEST} there are no intervals"
    elif units and intervals:
        over = f"{max(units):,} days or streams that test, drawn with replacement"
        ends = "; of shares of 0 and 1 the exact one, Clopper-Pearson" if exact else ""
        method = f"mean [95 % interval over {over}: t with bootstrap standard error{ends}]"
    elif intervals and len(seeds) < FEWEST:
        method += f"; no intervals of fewer than {FEWEST} evaluation seeds"
    elif intervals:
        method += ", of shares the ratio of means [95 % interval over seeds: t with bootstrap standard error]"
    gaps = missing_seeds(runs)
    incomplete = [f"Incomplete: {'; '.join(gaps)}."] if gaps else []
    what = "fold" if units and seeds != [0] else "evaluation seed"
    judged = [f"{what}{'s' if len(seeds) > 1 else ''} {span(seeds)}"]
    if units and seeds == [0]:  # one log has one last part, which no seed chooses
        judged = []
    runs_of_each = [f"Runs an agent: {number}; {', '.join(training + judged)}"] if training or judged else []
    line = "; ".join([*runs_of_each, method])
    return [f"{line[0].upper()}{line[1:]}.", *incomplete]


def missing_seeds(runs: Mapping[str, Iterable[tuple[int, int]]]) -> list[str]:
    """Evaluation seeds that some agent has and another lacks. `runs`: agent -> (training seed, evaluation seed)."""
    everybody = {seed for seeds in runs.values() for _, seed in seeds}
    lacks: dict[tuple[str, tuple[int, ...]], list[int]] = {}
    for agent, seeds in runs.items():
        for trained in sorted({t for t, _ in seeds}):
            if missing := everybody - {s for t, s in seeds if t == trained}:
                lacks.setdefault((agent, tuple(sorted(missing))), []).append(trained)
    return [
        f"{agent} lacks evaluation seeds {span(missing)} of training seeds {span(trained)}"
        for (agent, missing), trained in lacks.items()
    ]


def span(numbers: Sequence[int]) -> str:
    """Numbers in few words, "0 to 9"."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


def digits_of(estimates: Iterable[Interval]) -> int:
    """Decimals of a column: three significant digits of its largest value, at most three."""
    largest = max((abs(e.value) for e in estimates), default=0.0)
    return 3 if largest < 10 else 2 if largest < 100 else 1 if largest < 1000 else 0


def _cell(estimate: Interval, digits: int, intervals: bool) -> str:
    form = f",.{digits}f"
    return in_text(estimate, form) if intervals else format(estimate.value, form)
