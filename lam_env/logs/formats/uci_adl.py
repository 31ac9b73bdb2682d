"""UCI "ADLs Recognition Using Binary Sensors": two homes, labelled by hand, with one resident each.

Ordonez, de Toledo and Sanchis, Sensors 13: 5460-5477 (2013). Two kinds of tables, told apart by their headers:
activities (*_ADLs.txt), and firings of sensors (*_Sensors.txt), which are called by location, type and place. Both have
a start and an end on the clock on the wall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input.files import read_lines
from lam_env.logs.input.records import EMPTY, existing
from lam_env.logs.input.spans import Span, cells_of, is_rule, log_of_spans, wall_time

TIMES = ["start time", "end time"]
HEADERS = ([*TIMES, "activity"], [*TIMES, "location", "type", "place"])


def load(path: str, *, zone: str | None = None) -> tuple[ActionLog, dict[str, int]]:
    """A table -> its activities or firings (intervals, one tick = 1 s) and how many lines were left out, by reason.
    `zone`: where the home was, for nights in which the clock changes."""
    file = existing(path)
    left_out: Counter[str] = Counter()
    return log_of_spans(list(_spans(file, left_out)), file.name, zone=zone, left_out=left_out)


FORMATS = {"uci_adl": load}


def _spans(file: Path, left_out: Counter[str]) -> Iterator[Span]:
    lines = read_lines(file)
    columns = [cell.lower() for cell in cells_of(next(lines, (1, ""))[1])]
    if columns not in HEADERS:
        known = " or ".join(f"Start time, End time, {', '.join(names[2:]).title()}" for names in HEADERS)
        raise LogError(f"{file.name}, line 1: no header {known}; is this a UCI ADL file?")
    for number, line in lines:
        where, cells = f"{file.name}, line {number}", cells_of(line)
        if not cells:
            left_out[EMPTY] += 1
        elif is_rule(cells):
            continue
        elif len(cells) != len(columns):
            raise LogError(f"{where}: {len(cells)} cells but {len(columns)} columns; correct the line")
        else:
            yield Span(wall_time(cells[0], where), wall_time(cells[1], where), " ".join(cells[2:]))
