"""Clicks in sessions of an online shop: session, item and time of each, as the RecSys Challenge 2015 (YOOCHOOSE) and
those who prepare it for session-based recommenders write them (GRU4Rec, Hidasi et al., ICLR 2016; session-rec).

Columns are found by name (SessionId, ItemId, Time, in any spelling of `USUAL`) between tabs, commas or semicolons. A
file without names, as yoochoose-clicks.dat is one, has session, time and item in its first columns. Anything else is
left alone: the category follows from the item, and tells a special offer from a brand at best.

A session is a stream, and the last sessions test. One of a single click has nothing to predict, but says where people
begin. Rows may be in any order. Times are seconds since 1970 or ISO 8601; they are UTC unless `zone` says where the
shop's visitors are.
"""

from __future__ import annotations

import re

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.formats import table
from lam_env.logs.input.headers import Usual, called, header, told
from lam_env.logs.input.records import parts_of

USUAL: Usual = {
    "user": ("sessionid", "session"),
    "action": ("itemid", "item", "productid"),
    "time": ("time", "timestamp", "eventtime"),
}


def load(
    path: str,
    *,
    zone: str | None = None,
    wrong_rows: str | None = None,
    split: str | None = None,
    test: str | None = None,
    valid: str | None = None,
) -> tuple[ActionLog, dict[str, int]]:
    """Files -> their clicks (one tick = 1 s) and how many lines were left out, by reason. The others: as in
    `table.load`."""
    (file, _), *_ = parts_of(path, valid, test)
    sign, names = header(file)
    columns = called(names, USUAL)
    if len(names) > 2 and re.match(r"\d{4}-\d\d-\d\dt", names[1]):
        columns = {"user": "1", "time": "2", "action": "3"}
    if len(columns) < len(USUAL):
        there_are = f"there are {', '.join(names)[:160] or 'none'}"
        raise LogError(f"{file.name}, line 1: clicks have columns SessionId, ItemId and Time; {there_are}")
    return table.load(
        "csv",
        path,
        zone=zone or "UTC",
        columns=told(columns),
        sep=sign,
        wrong_rows=wrong_rows,
        sort=True,
        split=split or "sessions",
        test=test,
        valid=valid,
    )


FORMATS = {"clicks": load}
