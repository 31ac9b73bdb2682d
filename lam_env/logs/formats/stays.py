"""Stays of people at places: who, where, from when to when. A stay is an activity of its user, named by the place.

Columns are found by name, in any spelling of `USUAL`, between tabs, commas or semicolons, in one of two forms:

- arrival and departure: times, ISO 8601 or seconds since 1970;
- days and minutes, as visits of GeoLife are published (Hong et al., Transportation Research C, doi
  10.1016/j.trc.2023.104315; Wang et al., arXiv:2308.15197): start_day, the day since the user's first, start_min, the
  minute of it, weekday (0: Monday), and duration [min]. end_day and end_min repeat the duration, and are not read: in
  37 of 16,622 stays they are a day later, and reach into the next stay.

Each user is a stream, whose last days test. Rows may be in any order. Coordinates, where there are some, are left
alone: what is predicted is a place, by its name. What lies between two stays, a trip, is no stay.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import MINUTE
from lam_env.logs.formats import table
from lam_env.logs.input.batches import Batch, csv_batches
from lam_env.logs.input.headers import called, header
from lam_env.logs.input.numbers import amounts
from lam_env.logs.input.records import existing
from lam_env.logs.input.roles import Template
from lam_env.logs.input.rows import Rows
from lam_env.logs.tables import one_home

PERSON = {"user": ("userid", "user"), "action": ("locationid", "location", "placeid", "place")}
TIMES = {
    "time": ("arrival", "arrivaltime", "arrivedat", "starttime", "startedat"),
    "end": ("departure", "departuretime", "departedat", "leaving", "endtime", "finishedat"),
}
DAYS = {"day": ("startday",), "minute": ("startmin", "startminute"), "duration": ("duration",)}
WEEKDAY = {"weekday": ("weekday",)}


def load(
    path: str, *, home: str | None = None, zone: str | None = None, split: str | None = None
) -> tuple[ActionLog, dict[str, int]]:
    """A file -> its stays (intervals, one tick = 1 s) and how many lines were left out, by reason. `zone`: where it
    was; `split`: as in `log_of_table`."""
    file = existing(path)
    one_home(file.name, home)
    sign, names = header(file)
    columns = called(names, PERSON | TIMES)
    if len(columns) == len(PERSON | TIMES):
        told = ",".join(f"{role}:{column}" for role, column in columns.items())
        return table.load("csv", path, zone=zone, columns=told, sep=sign, sort=True, split=split)
    columns = called(names, PERSON | DAYS | WEEKDAY)
    if not set(PERSON | DAYS) <= set(columns):
        forms = "user, place, arrival and departure, or user_id, location_id, start_day, start_min and duration"
        raise LogError(f"{file.name}, line 1: stays have columns {forms}; there are {', '.join(names)[:160] or 'none'}")
    return _by_day(file, sign, names, columns, zone, split)


FORMATS = {"stays": load}


def _by_day(
    file: Path, sign: str, names: list[str], columns: dict[str, str], zone: str | None, split: str | None
) -> tuple[ActionLog, dict[str, int]]:
    left_out: Counter[str] = Counter()
    rows = Rows(file.name, {role: Template(("", role, "")) for role in columns}, (), None, left_out)
    for number, cells in csv_batches(file, sign, names, True, left_out, sorted(set(columns.values()))):
        told = {role: cells[column] for role, column in columns.items()}
        minutes, _ = amounts("duration", told["duration"], lambda i, n=number: f"{file.name}, line {n[i]}")
        rows.add(Batch(number, told | {"duration": pa.array(minutes * MINUTE, from_pandas=True).cast(pa.string())}))
    return rows.log(None, zone, True, split)
