"""Character sheets of Dungeons & Dragons (dnddata by B. Ogan Mancarci): which class, or second class, one takes.

A tab-separated table with a header; of the columns, `NEEDED` are read. A character (`character`) counts once, with the
first sheet (for the second class, the first that shows one); characters stand in order of that sheet's date. The state
is what stands on the sheet beside the class: race, background, the six abilities, level. A second class is chosen among
all but the first.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from pathlib import Path

import numpy as np

from lam_env.core.events import LogError
from lam_env.logs.choices import Choices
from lam_env.logs.input.csv_files import read_table
from lam_env.logs.input.records import existing

ABILITIES = ("Str", "Dex", "Con", "Int", "Wis", "Cha")
NEEDED = ("character", "date", "background", "justClass", "level", "processedRace", *ABILITIES)
# characters with whom a race, background or class must occur to be told apart; 2 % of them where that is less
OFTEN = 20
LEVELS, SCORES = (1, 20), (1, 30)  # by the rules of the 5th edition

Sheet = dict[str, str]


def class_choices(path: str | Path) -> tuple[Choices, dict[str, int]]:
    """A table of sheets -> the (first) class of each character, and what was left out."""
    sheets, left_out = _sheets(Path(path), classes=1)
    return _choices(sheets, left_out, second=False), dict(left_out)


def second_class_choices(path: str | Path) -> tuple[Choices, dict[str, int]]:
    """The same of those who took a second class: which one, given the first."""
    sheets, left_out = _sheets(Path(path), classes=2)
    return _choices(sheets, left_out, second=True), dict(left_out)


CHOICES = {"dnd_class": class_choices, "dnd_second_class": second_class_choices}


def _sheets(path: Path, classes: int) -> tuple[list[Sheet], Counter[str]]:
    """The first sheet of each character with so many classes, in order of date."""
    path = existing(path, "table of sheets")
    left_out: Counter[str] = Counter()
    first: dict[str, tuple[datetime.datetime, Sheet]] = {}
    for _, cells in read_table(path, left_out, ", ".join(NEEDED), _check_columns, "\t"):
        sheet = {name: cells[name.lower()] for name in NEEDED}
        if (reason := _unusable(sheet, classes)) is not None:
            left_out[reason] += 1
            continue
        when, who = datetime.datetime.fromisoformat(sheet["date"][:19]), sheet["character"]
        if who in first:
            left_out["further sheet(s) of a character"] += 1
        if who not in first or when < first[who][0]:
            first[who] = (when, sheet)
    if not first:
        raise LogError(f"{path.name}: holds no usable sheet; it needs {', '.join(NEEDED)}")
    return [sheet for _, sheet in sorted(first.values(), key=lambda pair: pair[0])], left_out


def _check_columns(where: str, names: list[str]) -> None:
    if missing := [name for name in NEEDED if name.lower() not in names]:
        raise LogError(f"{where}: no column {', '.join(missing)}; is this a tab-separated table of sheets?")


def _unusable(sheet: Sheet, classes: int) -> str | None:
    try:
        datetime.datetime.fromisoformat(sheet["date"][:19])
        level, scores = float(sheet["level"]), [float(sheet[name]) for name in ABILITIES]
    except ValueError:
        return "sheet(s) without a date, level or ability"
    if not LEVELS[0] <= level <= LEVELS[1]:
        return "sheet(s) with a level outside 1 to 20"
    if not all(SCORES[0] <= s <= SCORES[1] for s in scores):
        return "sheet(s) with an ability outside 1 to 30"
    if not sheet["justClass"].strip():
        return "sheet(s) without a class"
    return None if len(sheet["justClass"].split("|")) >= classes else "sheet(s) with one class only"


def _choices(sheets: list[Sheet], left_out: Counter[str], second: bool) -> Choices:
    rows, classes_of = list[Sheet](), list[list[str]]()
    often = Counter(name for sheet in sheets for name in set(sheet["justClass"].split("|")))
    known = _often(often, len(sheets))
    for sheet in sheets:
        classes = sheet["justClass"].split("|")
        if not set(classes[: 1 + second]) <= set(known):
            left_out["sheet(s) with a class of one's own"] += 1
        elif second and classes[0] == classes[1]:
            left_out["sheet(s) with the same class twice"] += 1
        else:
            rows.append(sheet)
            classes_of.append(classes)
    if not rows:
        raise LogError("sheets: none of them holds such a choice; give a longer table")
    n, options = len(rows), ("none", *known)
    offered = np.tile(np.arange(1, len(options)), (n, 1))
    if second:
        offered[np.arange(n), [known.index(classes[0]) for classes in classes_of]] = -1
    chosen = np.array([known.index(classes[second]) for classes in classes_of])
    bags = [{f"race {s['processedRace'] or 'other'}", f"background {s['background'].strip() or 'none'}"} for s in rows]
    for bag, classes in zip(bags, classes_of, strict=True):
        bag |= {f"first {classes[0]}"} if second else set()
    things = _often(Counter(name for bag in bags for name in bag), n)
    held = np.array([[name in bag for name in things] for bag in bags], np.float32).reshape(n, len(things))
    scores = np.array([[float(sheet[name]) for name in ABILITIES] for sheet in rows])
    level = np.array([float(sheet["level"]) for sheet in rows])
    rank = scores - scores.mean(1, keepdims=True)
    columns = [np.ones(n), *(scores.T - 13) / 3, *(rank == rank.max(1, keepdims=True)).T, *rank.T / 3]
    numbers = ["one", *ABILITIES, *(f"best is {a}" for a in ABILITIES), *(f"{a} above mean" for a in ABILITIES)]
    context = np.stack([*columns, np.log(level) - math.log(5)], 1).astype(np.float32)
    features = np.zeros((*offered.shape, 0), np.float32)
    return Choices(options, (*numbers, "level"), things, (), offered, chosen, np.arange(n), context, held, features)


def _often(count: Counter[str], n: int) -> tuple[str, ...]:
    """The names that are told apart, of those counted on n sheets."""
    return tuple(sorted(name for name, times in count.items() if times >= min(OFTEN, n / 50)))
