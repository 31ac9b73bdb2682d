"""Stays of people at places: who, where, from when to when. A stay is an activity of its user, named by the place.

Columns are found by name, in any spelling of `USUAL`, between tabs, commas or semicolons, in one of two forms:

- arrival and departure: times, ISO 8601 or seconds since 1970;
- days and minutes, as visits of GeoLife are published (Hong et al., Transportation Research C, doi
  10.1016/j.trc.2023.104315; Wang et al., arXiv:2308.15197): start_day, the day since the user's first, start_min, the
  minute of it, weekday (0: Monday), and duration [min]. end_day and end_min repeat the duration, and are not read: in
  37 of 16,622 stays they are a day later, and reach into the next stay.

Each user is a stream, whose last days test. Rows may be in any order. Coordinates, where there are some, are left
alone: what is predicted is a place, by its name. What lies between two stays, a trip, is no stay.

Days and minutes are local, or those of UTC where `zone` says in which zone they were: by GeoLife's minutes its users,
most of them in Beijing, are at home from noon to midnight. Days have no date, so the offset is that of January.
"""

from __future__ import annotations

import dataclasses
import datetime

from lam_env.core.events import ActionLog, LogError
from lam_env.core.units import DAY
from lam_env.logs.formats import table
from lam_env.logs.input.headers import Usual, called, header, told
from lam_env.logs.input.records import parts_of
from lam_env.logs.local_time import zone_of
from lam_env.logs.places import PLACES

PERSON: Usual = {"user": ("userid", "user"), "action": ("locationid", "location", "placeid", "place")}
TIMES: Usual = PERSON | {
    "time": ("arrival", "arrivaltime", "arrivedat", "starttime", "startedat"),
    "end": ("departure", "departuretime", "departedat", "endtime", "finishedat"),
}
DAYS: Usual = PERSON | {"day": ("startday",), "minute": ("startmin", "startminute"), "duration": ("duration",)}
WEEKDAY: Usual = {"weekday": ("weekday",)}


def load(
    path: str,
    *,
    user: str | None = None,
    zone: str | None = None,
    wrong_rows: str | None = None,
    split: str | None = None,
    test: str | None = None,
    valid: str | None = None,
) -> tuple[ActionLog, dict[str, int]]:
    """Files -> their stays (intervals, one tick = 1 s) and how many lines were left out, by reason. `zone`: where it
    was; the others as in `table.load`."""
    (file, _), *_ = parts_of(path, valid, test)
    sign, names = header(file)
    columns = called(names, TIMES)
    if len(columns) < len(TIMES):
        columns = called(names, {**DAYS, **WEEKDAY})
        if not set(DAYS) <= set(columns):
            forms = "user, place, arrival and departure, or user_id, location_id, start_day, start_min and duration"
            raise LogError(
                f"{file.name}, line 1: stays have columns {forms}; there are {', '.join(names)[:160] or 'none'}"
            )
        columns["duration"] = f"{{{columns['duration']}}} min"
    later = 0
    if "day" in columns and zone is not None:
        later, zone = _offset(zone, file.name), None
    log, left_out = table.load(
        "csv",
        path,
        user=user,
        zone=zone,
        columns=told(columns),
        sep=sign,
        wrong_rows=wrong_rows,
        sort=True,
        split=split,
        test=test,
        valid=valid,
    )
    columns_then, end = {**log.columns, "time": log.time + later}, tuple(at + later for at in log.end)
    return dataclasses.replace(log, columns=columns_then, end=end, meta=log.meta | {PLACES: True}), left_out


def _offset(zone: str, source: str) -> int:
    """[s] by which a zone is ahead of UTC in January; a week less if it is behind, as times are from a Monday on."""
    offset = zone_of(zone, source).utcoffset(datetime.datetime(2000, 1, 1))
    return int(offset.total_seconds()) % (7 * DAY) if offset else 0


FORMATS = {"stays": load}
