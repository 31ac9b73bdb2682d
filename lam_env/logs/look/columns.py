"""A table that nobody has described: what separates its columns, and what seems to be in each."""

from __future__ import annotations

import csv
import datetime
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from lam_env.logs.coverage import says_nothing
from lam_env.logs.input.batches import parquet_batches, parquet_columns
from lam_env.logs.input.column_words import called, is_known, unit, words
from lam_env.logs.input.csv_files import SEPARATORS, CsvFile
from lam_env.logs.input.numbers import with_point
from lam_env.logs.input.records import objects
from lam_env.logs.input.roles import quoted, roles_of, usual
from lam_env.logs.input.states import meaning_of

ROWS = 300  # that are looked at
DEVICE = ("room", "thing", "state")  # roles of columns that are an action together
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%y%m%d", "%Y%m%d")
_FORMS = (  # the likeliest first, where several fit
    *("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%y %I:%M %p"),
    *(f"{day} {clock}" for day in _DAYS for clock in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")),
    *("%Y/%m/%d %H:%M:%S", "%d %b %Y %H:%M:%S", "%b %d %Y %H:%M:%S", "%Y-%m-%d %H:%M:%S UTC"),
    *_DAYS,
)
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?")
CLOCKS = {"time": "clock", "end": "end clock"}  # of a date: the role of the column that says its time of day
_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?")
_SOUND = 2 / 3  # of a column's cells are times, so that the others are wrong
_NAMED = 0.9  # of the cells of a column of users name one, so that the others are gaps
_PEOPLE, _OFTEN = 8, 3  # how many people a home may have, and how often each is named at least on average
_LEAST, _MOST = 3e8, 4.2e12  # seconds from 1979 on, to milliseconds of 2103


class Column(NamedTuple):
    """Its name (a number where there is no header), some different cells, and its role, "" for none."""

    name: str
    cells: tuple[str, ...]
    role: str


class Proposal(NamedTuple):
    """How a table seems to be read. sep: a word of `SEPARATORS`; time_format: None where nothing need be said;
    ambiguous: the other form that fits the times as well; unread: columns called as times are, whose times are of no
    known form."""

    sep: str
    header: bool
    columns: tuple[Column, ...]
    time_format: str | None
    ambiguous: str | None
    unread: tuple[str, ...] = ()
    people: tuple[str, ...] = ()  # columns without a role that may say who, where none is known to

    @property
    def settings(self) -> dict[str, str]:
        """What to write behind `lam predict`, by key; empty where no time and action are told."""
        by_role = {column.role: quoted(column.name) for column in self.columns if column.role}
        if "end" in by_role:
            by_role.pop("duration", None)  # both say how long
        for column in self.columns:
            if column.role in by_role and column.role == "duration" and (its := unit(column.name)) not in ("", "s"):
                by_role["duration"] = f"{{{by_role['duration']}}} {its}"
        if "thing" in by_role and ("state" in by_role or "action" not in by_role):
            parts = [by_role[role] for role in DEVICE if role in by_role]
            by_role["action"] = ".".join(f"{{{part}}}" for part in parts) if len(parts) > 1 else parts[0]
        for role, clock in CLOCKS.items():
            if clock in by_role:
                by_role[role] = f"{{{by_role[role]}}} {{{by_role[clock]}}}"
        timed = ("time", "end", "duration") if "time" in by_role else ("order",)
        may = {*timed, "user", "action", "value", "home", "kind"}
        roles = [role for role in words() if role in by_role and role in may]
        if "action" not in roles:
            return {}
        columns = ",".join(f"{role}:{by_role[role]}" for role in roles)
        more = {"sep": self.sep if self.sep != "comma" else None, "time_format": self.time_format}
        said = {key: value for key, value in more.items() if value is not None}
        found = "end" not in roles and roles_of(columns) == usual(column.name for column in self.columns)
        return said if said and found else {"columns": columns, **said}


def propose(path: Path, kind: str = "csv") -> Proposal | None:
    """How a file may be read as a table; None where it has not two columns. kind: csv, jsonl or parquet."""
    if kind != "csv":
        records = list(itertools.islice(_parquet_rows(path) if kind == "parquet" else _json_rows(path), ROWS))
        known = list(dict.fromkeys(name for record in records for name in record))
        return of_cells(known, [[one.get(name, "") for name in known] for one in records]) if len(known) > 1 else None
    file = CsvFile.of(path)
    lines = [line for _, line in itertools.islice(file.lines(), ROWS + 1) if line.strip()]
    signs = {sign: word for word, sign in SEPARATORS.items()}
    rows, sign = _cells(lines, [file.sep] if file.before else list(signs))
    if not rows:
        return None
    header = _is_header(rows)
    told = rows[0] if header else [""] * len(rows[0])
    names = [name.strip().lower() or str(i) for i, name in enumerate(told, 1)]
    return of_cells(names, rows[1:] if header else rows, header=header, sep=signs.get(sign, sign))


def _json_rows(path: Path) -> Iterator[dict[str, str]]:
    for _, record in objects(path, Counter()):
        plain = {name.lower(): value for name, value in record.items() if isinstance(value, str | int | float)}
        yield {name: str(value) for name, value in plain.items()}


def _parquet_rows(path: Path) -> Iterator[dict[str, str]]:
    for batch in parquet_batches(path, list(parquet_columns(path))):
        for row in zip(*(column.to_pylist() for column in batch.cells.values()), strict=True):
            yield {name: cell or "" for name, cell in zip(batch.cells, row, strict=True)}


def of_cells(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, header: bool = True, sep: str = "comma"
) -> Proposal:
    """The same of rows of cells."""
    cells = [[cell.strip() for cell in column] for column in zip(*rows, strict=True)] or [[] for _ in names]
    forms = [time_forms(column) for column in cells]
    plain = cells if sep == "comma" else [with_point(pa.array(column, pa.string()))[0].to_pylist() for column in cells]
    roles = _roles(names, plain, [form is not None for form in forms], header)
    at = roles.index("time") if "time" in roles else None
    clocks = [i for i, column in enumerate(cells) if not roles[i] and _are_clocks(column)]
    for role, clock in CLOCKS.items():
        day = roles.index(role) if role in roles else None
        if clocks and day is not None and {*_DAYS}.issuperset(forms[day] or ["none"]):
            joined = time_forms([f"{date} {hour}" for date, hour in zip(cells[day], cells[clocks[0]], strict=True)])
            if joined is not None:
                forms[day], roles[clocks.pop(0)] = joined, clock
    fits = forms[at] if at is not None else None
    columns = tuple(
        Column(name, tuple(dict.fromkeys(cell for cell in column if cell))[:4], role)
        for name, column, role in zip(names, cells, roles, strict=True)
    )
    named = words()["time"] if header else ()
    unread = tuple(
        n
        for n, fit, column in zip(names, forms, cells, strict=True)
        if called(n) in named and fit is None and any(column)
    )
    form, other, *_ = (*(fits or ()), None, None)
    people = tuple(
        column.name
        for column, own, fit in zip(columns, cells, forms, strict=True)
        if not column.role and "user" not in roles and fit is None and not _is_room(column.name) and _may_be_people(own)
    )
    return Proposal(sep, header, columns, form, other, () if at is not None else unread, people)


def time_forms(cells: Iterable[str]) -> tuple[str, ...] | None:
    """Which forms of strptime read all of a column: none need be said of ISO 8601 and of seconds since 1970; None where
    the column holds no times. Where a few cells are none, of the others."""
    texts = [cell for cell in cells if cell][:ROWS]
    if not texts:
        return None
    for kind in _NUMBER.fullmatch, _iso:
        sound = [text for text in texts if kind(text)]
        if _SOUND * len(texts) <= len(sound) < len(texts):
            return time_forms(sound)
    if all(_NUMBER.fullmatch(text) for text in texts):
        if all(_LEAST <= float(text) <= _MOST for text in texts):
            return ()
        whole = [form for form in ("%y%m%d", "%Y%m%d") if len({len(text) for text in texts}) == 1]
        return tuple(form for form in whole if all(_reads(form, text) for text in texts)) or None
    if all(_iso(text) for text in texts):
        return () if all(len(text) > len("2026-01-05") for text in texts) else ("%Y-%m-%d",)
    read = {form: sum(_reads(form, text) for text in texts) for form in _FORMS}
    most = max(_SOUND * len(texts), *read.values())
    return tuple(form for form, n in read.items() if n == most) or None


def _iso(text: str) -> bool:
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return False
    return re.match(r"\d{4}-\d\d-\d\d", text) is not None


def _reads(form: str, text: str) -> bool:
    try:
        return 1970 <= datetime.datetime.strptime(text, form).year <= 2100
    except ValueError:
        return False


def _cells(lines: Sequence[str], signs: Sequence[str]) -> tuple[list[list[str]], str]:
    """The rows by the sign that makes the same number of columns, at least two, of most lines; none by any. What stands
    above the first of them, and columns at the end that are empty in all, are left away."""
    best: tuple[list[list[str]], str] = ([], ",")
    for sign in signs:
        try:
            rows = list(csv.reader(lines, delimiter=sign, strict=True))
        except csv.Error:
            continue
        sizes = [len(row) for row in rows]
        most = max(set(sizes), key=sizes.count, default=0)
        above = sizes.index(most) if sizes else 0
        fit = [row for row in rows if len(row) == most]
        words = sign == " "  # a sentence has blanks too
        few = len(fit) < (1 if words else 0.9) * (len(rows) - above)
        if most < 2 or few or (best[0] and (words or most <= len(best[0][0]))):
            continue
        width = max(i for row in fit for i, cell in enumerate(row, 1) if cell.strip() or i == 1)
        header = rows[above - 1 : above] if above and len(rows[above - 1]) == width else []
        best = (_below_titles([row[:width] for row in (*header, *fit) if any(map(str.strip, row))]), sign)
    return best


def _below_titles(rows: list[list[str]]) -> list[list[str]]:
    """Without first rows of which most cells are empty, as spreadsheets have titles."""
    full = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = sorted(full)[len(full) // 2]
    return rows[next(i for i, n in enumerate(full) if 2 * n > usual) :]


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """A first row is one where no cell is a number or a time, and where it is not among the rows that follow. A column
    without a name is believed of known names alone."""
    named = {i: cell.strip() for i, cell in enumerate(rows[0]) if cell.strip()}
    plain = all(not _NUMBER.fullmatch(cell) and time_forms([cell]) is None for cell in named.values())
    known = any(map(is_known, named.values()))
    new = all(cell not in {row[i].strip() for row in rows[1:]} for i, cell in named.items())
    return plain and (known or (new and len(named) == len(rows[0])))


def _are_states(cells: Iterable[str]) -> bool:
    """Are most of them known ones, as on and off?"""
    told = [cell for cell in cells if cell and not says_nothing(cell)]
    return 2 * sum(bool(meaning_of(cell)) for cell in told) > len(told)


def _is_room(name: str) -> bool:
    return called(name) in words()["room"]


def _may_be_people(cells: Sequence[str]) -> bool:
    """Are they a few names that come again and again?"""
    named = [cell for cell in cells if cell]
    known = {*named}
    texts = not any(_NUMBER.fullmatch(name) or meaning_of(name) or says_nothing(name) for name in known)
    return texts and 2 <= len(known) <= _PEOPLE and len(named) >= _OFTEN * len(known)


def _names_users(i: int, forms: Sequence[str], cells: Sequence[str]) -> bool:
    """Does a column called as columns of users are name one in nearly every row? What may as well be called an action
    is one, unless another column is sooner."""
    form, others, actions = forms[i], {*forms[:i], *forms[i + 1 :]}, words()["action"]
    if form in actions:
        sooner = {*actions[: actions.index(form)], *words()["thing"]}
        if sooner.isdisjoint(others) or not _may_be_people(cells):
            return False
    return sum(map(bool, cells)) >= _NAMED * len(cells)


def _roles(names: Sequence[str], cells: Sequence[Sequence[str]], times: Sequence[bool], header: bool) -> list[str]:
    roles = [""] * len(names)
    forms = [called(name, is_time) for name, is_time in zip(names, times, strict=True)]
    for role, some in words().items():
        fit = [i for i, form in enumerate(forms) if not roles[i] and header and form in some]
        fit = [i for i in fit if role not in ("time", "end") or times[i]]
        fit = [i for i in fit if role != "user" or _names_users(i, forms, cells[i])]
        fit = [i for i in fit if role not in ("duration", "value") or _are_numbers(cells[i])]
        if fit:
            roles[min(fit, key=lambda i: some.index(forms[i]))] = role
    left = [i for i in range(len(names)) if not roles[i]]
    for role in ("time", "end"):
        fit = [i for i in left if times[i] and not roles[i] and (not header or forms[i] not in words()["time"])]
        if role not in roles and "time" in (*roles, role) and fit:
            roles[fit[0]] = role
    left = [i for i in left if not roles[i]]
    # what is a time, or called as something else is, is no action
    other = {word for role, some in words().items() if role != "value" for word in some} - {*words()["action"]}
    left = [i for i in left if not times[i] and not _are_clocks(cells[i]) and not (header and forms[i] in other)]
    _find_switched(roles, cells, left)
    rooms = [i for i, role in enumerate(roles) if role == "room"]
    several = [i for i in left if len(set(cells[i])) > 1] or left
    text = [i for i in several if not _are_numbers(cells[i])]
    action = [i for i, role in enumerate(roles) if role == "action" and "thing" not in roles and len({*cells[i]}) == 1]
    if action and any(len({*cells[i]}) > 1 for i in text):
        roles[action[0]] = ""  # what is always the same tells nothing
    if "action" not in roles and "thing" not in roles and (rooms or left):
        # without names, the one with most different cells is done, and the one before it does it
        fit = rooms or text or several
        best = max(fit, key=lambda i: (not header and len(set(cells[i])), i if not header or not text else -i))
        roles[best] = "action"
        if not header and "user" not in roles and (others := [i for i in several if i < best]):
            roles[others[-1]] = "user"
    for i in rooms:  # a room is of the action where it tells things apart
        things = [cells[j] for j, role in enumerate(roles) if role == "thing"]
        if roles[i] == "room" and not (things and len({*zip(cells[i], things[0], strict=True)}) > len({*things[0]})):
            roles[i] = ""
    return roles


def _find_switched(roles: list[str], cells: Sequence[Sequence[str]], left: Sequence[int]) -> None:
    """A column that holds states is the state of the thing that a column beside it names. left: columns that may be an
    action."""
    if {"thing", "state"} <= {*roles}:
        return
    may = [i for i, role in enumerate(roles) if role in ("state", "action") or i in left]
    states = [i for i in may if _are_states(cells[i]) and (roles[i] != "action" or "thing" in roles)]
    if "thing" not in roles:  # what is true or false may be of anything
        states = [i for i in states if not {"true", "false"} & {*map(meaning_of, cells[i])}]
    if not states:
        return
    state = max(states, key=lambda i: roles[i] == "state")
    if "thing" not in roles:
        named = [i for role in ("action", "room") for i, own in enumerate(roles) if own == role]
        texts = [i for i in left if i not in states and not _are_numbers(cells[i])]
        before = [i for i in texts if i < state]
        things = named[:1] if "action" in roles else before[-1:] or texts[-1:] or named[:1]
        if not things:
            return
        roles[things[0]] = "thing"
    roles[state] = "state"


def _are_clocks(cells: Iterable[str]) -> bool:
    """Are they times of day?"""
    told = [cell for cell in cells if cell]
    return bool(told) and all(map(_CLOCK.fullmatch, told))


def _are_numbers(cells: Iterable[str]) -> bool:
    return all(map(_NUMBER.fullmatch, filter(None, cells)))
