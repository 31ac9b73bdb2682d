"""What each column of a table is: `columns=time:last_changed,action:{entity_id}.{state}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from lam_env.config.convert import suggestion
from lam_env.core.events import LogError

NEEDED = ("time", "action")
ROLES = {
    "time": "when, or when it began",
    "end": "when it ended: the log is one of activities",
    "order": "what came after what, by number, where nothing says when",
    "day": "number of the day",
    "minute": "minute of that day",
    "weekday": "its day of the week, 0 being a Monday (else day 0 is one)",
    "user": "who",
    "action": "what was done",
    "kind": "user (default), agent, sensor, reading, feedback",
    "value": "a number: a reading, a rating",
    "duration": "how long it took [s], or with its unit, as {minutes} min: the log is one of activities",
    "home": "which of several homes",
}
CALLED = (*NEEDED, "user", "end", "kind", "value", "duration", "home")  # columns that may be called as their roles are
EXAMPLE = "columns=time:last_changed,action:{entity_id}.{state}"

_COLUMN = re.compile(r"{((?:{{|}}|[^{}])*)}(?!})")  # of a template


class Template(NamedTuple):
    """Text of a row's cells: `parts` are columns, in odd places, between words as they stand."""

    parts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.parts[1::2]

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns without which the text says nothing: all, where more than blanks join them (`{device}.{state}`)."""
        return self.columns if len(self.parts) > 3 and "".join(self.parts[::2]).strip() else ()

    def of(self, cells: Mapping[str, pa.Array]) -> pa.Array:
        """(n,) text; null where a cell of it is none."""
        if len(self.parts) == 3 and not self.parts[0] and not self.parts[2]:
            return cells[self.parts[1]]
        joined = [cells[part] if i % 2 else part for i, part in enumerate(self.parts)]
        return pc.binary_join_element_wise(*joined, "")


Roles = Mapping[str, Template]


def columns_of(roles: Roles) -> list[str]:
    """All columns that are read."""
    return sorted({column for template in roles.values() for column in template.columns})


def roles_of(text: str, known: Mapping[str, str] = ROLES, example: str = EXAMPLE) -> Roles:
    """The columns that `columns=` names, by role; `known`: the roles that there are."""
    roles: dict[str, Template] = {}
    for one in re.split(r",(?=\s*\w+\s*:)", text):
        role, colon, told = (part.strip() for part in one.partition(":"))
        if role not in known:
            there_are = f"there are {', '.join(known)}"
            raise LogError(f"columns={text[:80]}: no role {role!r}; {suggestion(role, list(known), there_are)}")
        if not colon or not told or role in roles:
            why = "is given twice" if role in roles else "has no column"
            raise LogError(f"columns={text[:80]}: {role} {why}; write {example}")
        parts = _COLUMN.split(told)
        if len(parts) == 1:
            parts = ["", told, ""]
        if {"{", "}"} & set("".join(re.sub("{{|}}", "", part) for part in parts)):
            why = f"a brace of {role} has no partner; a brace of a column's name is written twice, {{{{ or }}}}"
            raise LogError(f"columns={text[:80]}: {why}")
        parts = [part.replace("{{", "{").replace("}}", "}") for part in parts]
        roles[role] = Template(tuple(part.strip().lower() if i % 2 else part for i, part in enumerate(parts)))
    return roles


def quoted(column: str) -> str:
    """Its name as `columns=` has it."""
    return column.replace("{", "{{").replace("}", "}}")


def usual(names: Iterable[str]) -> Roles:
    """Of columns that are called as their roles are."""
    return {name: Template(("", name, "")) for name in names if name in CALLED}


def numbered(roles: Roles) -> int:
    """The largest number among columns that are called by number, as those of a file without a header are; else 0."""
    columns = [column for template in roles.values() for column in template.columns]
    return max(map(int, columns)) if columns and all(column.isdecimal() for column in columns) else 0


def has_clock(roles: Roles) -> bool:
    """Does a column say when? Else the order is all that is known."""
    return not {"time", "day"}.isdisjoint(roles)


def check(where: str, roles: Roles, names: Sequence[str], told: bool) -> None:
    """LogError where roles name columns that are not there, or too little is known. told: `columns=` says the roles."""
    for template in roles.values():
        for column in template.columns:
            if column not in names:
                there_are = f"there are {', '.join(names)[:160]}"
                raise LogError(f"{where}: no column {column[:40]!r}; {suggestion(column, list(names), there_are)}")
    needed = ("action",) if told else NEEDED  # where columns= names no time, the order is all that is known
    if missing := [name for name in needed if name not in roles]:
        if len(names) == 1 and (sep := re.search(r"[;\t|]", names[0])):
            word = {"\t": "tab", ";": "semicolon", "|": "bar"}[sep[0]]
            raise LogError(f"{where}: one column only, {names[0][:60]!r}; settings: sep={word}")
        raise LogError(
            f"{where}: no column {', '.join(missing)}; the log needs time,action[,user][,duration][,value][,kind]"
            f"[,home], or say which they are: {EXAMPLE}; there are {', '.join(names)[:160]}"
        )
    if len(set(names)) != len(names):
        raise LogError(f"{where}: a column name occurs twice; rename one")
    if "end" in roles and "duration" in roles:
        raise LogError(f"{where}: an end and a duration both say how long; name one of them")
    if ("day" in roles) != ("minute" in roles) or ("day" in roles and {"time", "end"} & set(roles)):
        raise LogError(f"{where}: day and minute go together, in place of time and end")
    if has_clock(roles) and "order" in roles:
        raise LogError(f"{where}: order is for rows that do not say when; leave it away, and sort=yes sorts by time")
    if not has_clock(roles) and (length := {"end", "duration"} & set(roles)):
        raise LogError(f"{where}: {length.pop()} without a time; name the column of time, or leave it away")
