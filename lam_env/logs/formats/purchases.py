"""What people bought, rated or took, in order, as recommenders are given it; an item is an action of its user.

Two forms, told by the first line:
- user and items between blanks, in order of time, a user on one line or on many, as SASRec (Kang and McAuley, ICDM
  2018) and BERT4Rec have them. Nothing says when, so the order is all that is known;
- RecBole's atomic files (.inter): tabs, and a header that types its columns, such as user_id:token, item_id:token,
  rating:float, timestamp:float [s since 1970]. A rating is the value of its event. Without a timestamp rows are in
  order. Times are UTC unless `zone` says where people are.

Each user is a stream, whose last events test; many leave the very last one out alone, and split=users leaves whole
users out. Items are numbers where the file knows no names. What an item is (.item) and who its user (.user) is left
alone: neither is an event.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.formats import table
from lam_env.logs.input.files import read_lines
from lam_env.logs.input.headers import called, header
from lam_env.logs.input.records import EMPTY, existing
from lam_env.logs.tables import log_of_order, no_zone, one_home

NEEDED = {"user": ("userid", "user"), "action": ("itemid", "item")}
MORE = {"time": ("timestamp",), "value": ("rating",)}


def load(
    path: str, *, home: str | None = None, zone: str | None = None, split: str | None = None
) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its purchases (one tick = 1 s, or in order) and how many lines were left out, by reason. `split`: as in
    `log_of_table`."""
    file = existing(path)
    one_home(file.name, home)
    sign, names = header(file)
    columns = called(names, NEEDED | MORE) if any(":" in name for name in names) else {}
    timed = "time" in columns
    no_zone(file.name, zone if not timed else None)
    if not columns:
        left_out: Counter[str] = Counter()
        return log_of_order(_lines(file, left_out).items(), file.name, left_out=left_out, split=split)
    if not set(NEEDED) <= set(columns):
        there_are = f"there are {', '.join(names)[:160]}"
        raise LogError(f"{file.name}, line 1: purchases have columns user_id:token and item_id:token; {there_are}")
    told = ",".join(f"{role}:{column}" for role, column in columns.items())
    zone = zone or "UTC" if timed else None
    return table.load("csv", path, zone=zone, columns=told, sep=sign, sort=timed, split=split or "per_user")


FORMATS = {"purchases": load}


def _lines(file: Path, left_out: Counter[str]) -> dict[str, list[str]]:
    """The items of each user, in order."""
    bought: dict[str, list[str]] = {}
    for number, line in read_lines(file):
        user, *items = line.split() or [""]
        if not user:
            left_out[EMPTY] += 1
        elif not items:
            raise LogError(f"{file.name}, line {number}: {user[:40]!r} alone; give user and items, with blanks between")
        else:
            bought.setdefault(user, []).extend(items)
    return bought
