"""Character sheets of Dungeons & Dragons (dnddata by B. Ogan Mancarci): which class, or second class, one takes.

A tab-separated table with a header; of the columns, `NEEDED` are read. A character (`character`) counts once, with her
first sheet (for the second class, the first that shows one); characters stand in order of that sheet's date. The state
is what stands on the sheet beside the class: race, background, the six abilities, level. A second class is chosen among
all but the first.
"""

from __future__ import annotations

import csv
import datetime
import math
from collections import Counter
from pathlib import Path

import numpy as np

from lam_env.core.events import LogError
from lam_env.logs.choices import Choices
from lam_env.logs.formats.files import read_lines
from lam_env.logs.formats.records import existing

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
    """The first sheet of each character on which she has so many classes, in order of date."""
    path = existing(path, "table of sheets")
    left_out: Counter[str] = Counter()
    reader = csv.reader((line for _, line in read_lines(path)), delimiter="\t", strict=True)
    try:
        header = next(reader, [])
        if missing := [name for name in NEEDED if name not in header]:
            raise LogError(
                f"{path.name}, line 1: no column {', '.join(missing)}; is this a tab-separated table of sheets?"
            )
        found: dict[str, tuple[datetime.datetime, Sheet]] = {}
        for number, cells in enumerate(reader, 2):
            if len(cells) != len(header):
                raise LogError(f"{path.name}, row {number}: {len(cells)} cells but {len(header)} columns; correct it")
            sheet = dict(zip(header, cells, strict=True))
            if (reason := _unusable(sheet, classes)) is not None:
                left_out[reason] += 1
                continue
            when, who = datetime.datetime.fromisoformat(sheet["date"][:19]), sheet["character"]
            if who in found:
                left_out["another sheet of the same character"] += 1
            if who not in found or when < found[who][0]:
                found[who] = (when, sheet)
    except csv.Error as error:
        raise LogError(f"{path.name}: broken table ({error}); export it again") from None
    if not found:
        raise LogError(f"{path.name}: holds no usable sheet; it needs {', '.join(NEEDED)}")
    return [sheet for _, sheet in sorted(found.values(), key=lambda pair: pair[0])], left_out


def _unusable(sheet: Sheet, classes: int) -> str | None:
    try:
        datetime.datetime.fromisoformat(sheet["date"][:19])
        level, scores = float(sheet["level"]), [float(sheet[name]) for name in ABILITIES]
    except ValueError:
        return "no date, level or ability"
    if not LEVELS[0] <= level <= LEVELS[1]:
        return "a level outside 1 to 20"
    if not all(SCORES[0] <= s <= SCORES[1] for s in scores):
        return "an ability outside 1 to 30"
    if not sheet["justClass"].strip():
        return "no class"
    return None if len(sheet["justClass"].split("|")) >= classes else "one class only"


def _choices(sheets: list[Sheet], left_out: Counter[str], second: bool) -> Choices:
    kept, taken, first = list[Sheet](), list[str](), list[str]()
    often = Counter(name for sheet in sheets for name in set(sheet["justClass"].split("|")))
    known = {name for name, count in often.items() if count >= min(OFTEN, len(sheets) / 50)}
    for sheet in sheets:
        classes = sheet["justClass"].split("|")
        if not set(classes[: 1 + second]) <= known:
            left_out["a class of one's own"] += 1
        elif second and classes[0] == classes[1]:
            left_out["the same class twice"] += 1
        else:
            kept.append(sheet)
            taken.append(classes[int(second)])
            first.append(classes[0])
    if not kept:
        raise LogError("sheets: none of them holds such a choice; give a longer table")
    options = ("none", *sorted(known))
    offered = np.tile(np.arange(1, len(options)), (len(kept), 1))
    if second:
        mine = np.array([options.index(name) - 1 for name in first])
        offered[np.arange(len(kept)), mine] = -1
    chosen = np.array([options.index(name) - 1 for name in taken])
    held, things = _held(kept, first if second else None)
    scores = np.array([[float(sheet[name]) for name in ABILITIES] for sheet in kept])
    level = np.array([float(sheet["level"]) for sheet in kept])
    rank = scores - scores.mean(1, keepdims=True)
    columns = [np.ones(len(kept)), *(scores.T - 13) / 3, *(rank == rank.max(1, keepdims=True)).T, *rank.T / 3]
    numbers = [
        "one",
        *ABILITIES,
        *(f"best is {name}" for name in ABILITIES),
        *(f"{name} above mean" for name in ABILITIES),
    ]
    columns += [np.log(level) - math.log(5)]
    numbers.append("level")
    context = np.stack(columns, 1).astype(np.float32)
    features = np.zeros((*offered.shape, 0), np.float32)
    return Choices(options, tuple(numbers), things, (), offered, chosen, np.arange(len(kept)), context, held, features)


def _held(sheets: list[Sheet], first: list[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n, S) race, background and, where given, first class as 0 and 1."""
    bags = [
        {f"race {s['processedRace'] or 'other'}", f"background {s['background'].strip() or 'none'}"} for s in sheets
    ]
    for bag, name in zip(bags, first or (), strict=False):
        bag.add(f"first {name}")
    often = Counter(name for bag in bags for name in bag)
    things = tuple(sorted(name for name, count in often.items() if count >= min(OFTEN, len(sheets) / 50)))
    return np.array([[name in bag for name in things] for bag in bags], np.float32).reshape(
        len(sheets), len(things)
    ), things
