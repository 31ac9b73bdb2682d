"""What a page is made of: sections with tables, figures and sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lam_env.evaluation.comparison import BASELINE, ORACLE
from lam_env.evaluation.tables import Table

FLOOR, MARK, KNOWING, PRIOR, TUNED = BASELINE, ORACLE, "informed", "prior", "ppo_prior"
_INTERVAL = re.compile(r"^(.*?) (\[.*\])$")


@dataclass(frozen=True)
class TableCell:
    """A cell and, smaller, its interval."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; the first column names the row. `marked`: rows that stand out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    notes: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    words: bool = False  # its cells are words: set to the left

    @property
    def wide(self) -> bool:
        """Whether a phone shows each row as a card, as its columns do not fit beside each other there."""
        return len(self.columns) > 4 and not self.words


@dataclass(frozen=True)
class Figure:
    """A picture as SVG, the same as a table, and what is to be seen in it."""

    svg: str
    data: Grid
    caption: str


@dataclass(frozen=True)
class Section:
    """`missing`: why it is left out; it then has no parts."""

    id: str
    title: str
    text: str = ""
    tables: tuple[Grid, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    missing: str = ""
    half: bool = False  # two of them fit beside each other


def colours(agent: str) -> dict[str, str]:
    """The same agent has the same colour in all figures."""
    return {MARK: "d", KNOWING: "d", FLOOR: "n", PRIOR: "b", agent: "a"}


def html_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    marked: Sequence[str] = (),
    words: bool = False,
) -> Grid:
    """A table of texts; what stands in brackets at the end of a cell is its interval."""

    def cell(text: str) -> TableCell:
        match = _INTERVAL.match(text)
        return TableCell(match[1], match[2]) if match else TableCell(text)

    cells = tuple(tuple(map(cell, row)) for row in rows)
    return Grid(title, tuple(columns), cells, tuple(notes), tuple(marked), words)


def of_table(table: Table, title: str, marked: Sequence[str] = ()) -> Grid:
    return html_table(title, table.columns, table.rows, table.notes[:1], marked)
