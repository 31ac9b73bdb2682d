"""results.csv: one line per score, the one source of every table and figure."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lam_env.core.catalogue import metric
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import read_text, reason
from lam_env.core.files.outputs import replace

_AGAIN = "delete the file, and the command that made it makes it again from the scores it has kept"
_DIGITS = 10  # significant digits kept: enough for any table, fewer than platforms differ in


class ResultsError(UserError):
    """Results that cannot be read or may not be written."""


class ResultRow(NamedTuple):
    """One score."""

    scenario: str  # the world, by name
    variant: str  # where it was judged, and what else differs: "sim", "log", "twin", "gamma=0"
    agent: str  # the row of the tables
    train_seed: int  # of its training; 0 of an agent that does not train
    seed: int  # of the people it was judged among; of a log the number of the fold
    metric: str  # an id of the catalogue of metrics, or a term or key figure of the world
    value: float  # with ten significant digits


def read(path: str | os.PathLike[str]) -> list[ResultRow]:
    """The rows of a file, each checked."""
    try:
        lines = list(csv.reader(io.StringIO(read_text(path), newline="")))
    except FileNotFoundError:
        raise ResultsError(
            f"{path}: cannot be read (there is no such file); the command that makes it has not been run"
        ) from None
    except (OSError, ValueError, csv.Error) as error:
        raise ResultsError(f"{path}: cannot be read ({reason(error)}); {_AGAIN}") from None
    if not lines or tuple(lines[0]) != ResultRow._fields:
        raise ResultsError(f"{path}: the first line must be {','.join(ResultRow._fields)}; {_AGAIN}")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        where = f"{path} line {number}"
        if len(line) != len(ResultRow._fields):
            raise ResultsError(f"{where}: {len(line)} fields, expected {len(ResultRow._fields)}; {_AGAIN}")
        try:
            rows.append(ResultRow(line[0], line[1], line[2], int(line[3]), int(line[4]), line[5], float(line[6])))
        except ValueError as error:
            raise ResultsError(f"{where}: {error}; {_AGAIN}") from None
    try:
        _check(rows, str(path))
    except ResultsError as error:
        raise ResultsError(f"{error}; {_AGAIN}") from None
    return rows


def write(path: str | os.PathLike[str], rows: Iterable[ResultRow]) -> None:
    """All rows in their order; the file appears whole or not at all. ResultsError: one of them may not stand there."""
    rows, path = list(rows), Path(path)
    _check(rows, str(path))

    def fill(part: Path) -> None:
        with open(part, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(ResultRow._fields)
            out.writerows((*row[:-1], repr(float(f"{row.value:.{_DIGITS}g}"))) for row in rows)

    replace(path, fill)


def result_rows(
    scores: dict[str, float], scenario: str, agent: str, seed: int, train_seed: int = 0, variant: str = "sim"
) -> list[ResultRow]:
    """The rows of one run's scores."""
    return [ResultRow(scenario, variant, agent, train_seed, seed, name, float(v)) for name, v in scores.items()]


def _check(rows: Iterable[ResultRow], where: str) -> None:
    keys = set()
    for row in rows:
        key = row[:-1]
        name = f"{row.metric} of {row.agent} in {row.scenario}/{row.variant}, seeds {row.train_seed} and {row.seed}"
        if not all(isinstance(t, str) and t and t.isprintable() for t in (*key[:3], row.metric)):
            raise ResultsError(f"{where}: an empty or unprintable name in {key}")
        try:
            metric(row.metric)
        except UserError as error:
            raise ResultsError(f"{where}: {name}: {error}") from None
        if not math.isfinite(row.value):
            raise ResultsError(f"{where}: {name} is {row.value}")
        if key in keys:
            raise ResultsError(f"{where}: {name} stands there twice")
        keys.add(key)
