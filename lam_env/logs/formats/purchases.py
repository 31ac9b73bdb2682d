"""What people bought, rated or took, in order, as recommenders are given it; an item is an action of its user.

Two forms, told by the first line:
- user and items by number between blanks, in order of time, a user on one line or on many, as SASRec (Kang and
  McAuley, ICDM 2018) and BERT4Rec have them. Nothing says when, so the order is all that is known;
- RecBole's atomic files (.inter): tabs, and a header that types its columns, such as user_id:token, item_id:token,
  rating:float, timestamp:float [s since 1970]. A rating is the value of its event. Without a timestamp rows are in
  order. Times are UTC unless `zone` says where people are.

Each user is a stream, whose last events test; many leave the very last one out alone, and split=users leaves whole
users out. What an item is (.item) and who its user (.user) is left
alone: neither is an event.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.formats import table
from lam_env.logs.input.headers import Usual, called, header, told
from lam_env.logs.input.records import filled, parts_of
from lam_env.logs.input.wrong_rows import Unread
from lam_env.logs.local_time import LEAST_NUMBER
from lam_env.logs.tables import files_named, log_of_order, parts_said

NEEDED: Usual = {"user": ("userid", "user"), "action": ("itemid", "item")}
MORE: Usual = {"time": ("timestamp",), "value": ("rating",)}


def load(
    path: str,
    *,
    zone: str | None = None,
    wrong_rows: str | None = None,
    split: str | None = None,
    test: str | None = None,
    valid: str | None = None,
) -> tuple[ActionLog, dict[str, int]]:
    """Files -> their purchases (one tick = 1 s, or in order) and how many lines were left out, by reason. The
    others: as in `table.load`."""
    files = parts_of(path, valid, test)
    source = files_named([(file.name, part) for file, part in files])
    sign, names = header(files[0][0])
    columns = called(names, {**NEEDED, **MORE}) if any(":" in name for name in names) else {}
    timed = "time" in columns
    if zone is not None and not timed:
        raise LogError(f"{source}: it does not say when, so zone={zone[:40]} says nothing; leave it away")
    if not columns:
        return _in_order(files, source, split, wrong_rows == "skip")
    if not set(NEEDED) <= set(columns):
        there_are = f"there are {', '.join(names)[:160]}"
        raise LogError(f"{source}, line 1: purchases have columns user_id:token and item_id:token; {there_are}")
    zone, split = zone or "UTC" if timed else None, split or "per_user"
    return table.load(
        "csv",
        path,
        zone=zone,
        columns=told(columns),
        sep=sign,
        wrong_rows=wrong_rows,
        sort=timed,
        split=split,
        test=test,
        valid=valid,
    )


FORMATS = {"purchases": load}


def _in_order(
    files: Sequence[tuple[Path, int]], source: str, split: str | None, skip: bool
) -> tuple[ActionLog, dict[str, int]]:
    left_out, unread = Counter[str](), Unread()
    bought: dict[tuple[str, int], list[str]] = {}
    for file, part in files:
        for user, items in unread.each(filled(file, left_out), partial(_bought, file), skip):
            bought.setdefault((user, part), []).extend(items)
    streams = [(user, items) for (user, _), items in bought.items()]
    notes = parts_said([(file.name, part) for file, part in files])
    parts, out = [part for _, part in bought], left_out + unread.counted
    return log_of_order(streams, source, parts=parts, left_out=out, split=split, notes=notes)


def _bought(file: Path, numbered: tuple[int, str]) -> tuple[str, list[str]]:
    """User and items of a line."""
    number, line = numbered
    user, *items = cells = line.split()
    for cell in cells:  # much else is numbers between blanks: a column of times tells it
        if not re.fullmatch(r"\d{1,9}", cell, re.ASCII) or int(cell) >= LEAST_NUMBER:
            what = "user and items are whole numbers from 0, below those of times; another table is format=csv"
            raise LogError(f"{file.name}, line {number}: {cell[:40]!r}; {what}")
    if not items:
        raise LogError(f"{file.name}, line {number}: user {user} without an item; correct the line")
    return user, items
