"""Wall-clock times as the kit's: whole seconds since a Monday 00:00, local time, that never go backwards."""

from __future__ import annotations

import datetime
import math
import numbers
import zoneinfo
from typing import Any, TypeGuard

from lam_env.core.errors import UserError
from lam_env.logs.local_time import monday_before

Time = float | datetime.datetime

_UNIX = 1_000_000_000  # [s] nobody counts from a Monday that long ago; the time is one of 1970


class Clock:
    """Accepts numbers [s since a Monday 00:00 local time], naive local datetimes, or datetimes with a time zone, which
    are turned into local ones of `zone`, the home's; where that is not known (None), they are refused.

    A stream keeps to one of the three. Datetimes count from the Monday of the week of the first. An hour that the end
    of summer time repeats takes no time where datetimes tell it apart, by their zone or by `fold=1`.
    """

    def __init__(self, zone: zoneinfo.ZoneInfo | None = None) -> None:
        self.zone = zone
        self.now = 0
        self._form: str | None = None  # of the stream's times; None: none has come
        self._monday = datetime.datetime.min
        self._latest: datetime.datetime | None = None  # in UTC, of datetimes with a time zone

    def state_dict(self) -> dict[str, object]:
        """As plain data."""
        latest = None if self._latest is None else self._latest.isoformat()
        return {"now": self.now, "form": self._form, "monday": self._monday.isoformat(), "latest": latest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.now, self._form = state["now"], state["form"]
        self._monday = datetime.datetime.fromisoformat(state["monday"])
        self._latest = None if state["latest"] is None else datetime.datetime.fromisoformat(state["latest"])

    def read(self, time: Time) -> int:
        """The time [s]; UserError if it is none or before the last one. Nothing changes until `move`."""
        form = _form_of(time)
        if self._form not in (None, form):
            raise UserError(f"time: this stream's times are {self._form}, not {form}; keep to one, or reset")
        if isinstance(time, datetime.datetime):
            seconds = self._seconds(self._local(time))
        else:
            seconds = math.floor(time)
        if self._form is not None and (back := self.now - seconds) > 0:
            raise UserError(f"time: {time} is {back} s before the last event; give events in order of time")
        return seconds

    def move(self, time: Time, seconds: int) -> None:
        """It is now `seconds`, which `read` made of `time`."""
        if self._form is None:
            self._form = _form_of(time)
            if isinstance(time, datetime.datetime):
                self._monday = monday_before(self._local(time))
        self.now = seconds
        if isinstance(time, datetime.datetime) and time.tzinfo is not None:
            self._latest = time.astimezone(datetime.UTC)

    def _local(self, time: datetime.datetime) -> datetime.datetime:
        """The same time on the home's clock."""
        if time.utcoffset() is None:
            return time
        if self.zone is None:
            remedy = 'give the zone, load(run, zone="Europe/Berlin"), or local datetimes without one'
            raise UserError(f"time: {time} has a time zone, and the home's is not known; {remedy}")
        try:
            return time.astimezone(self.zone)
        except OverflowError:
            raise UserError(f"time: {time} is no time of the home's clock; correct it") from None

    def _seconds(self, time: datetime.datetime) -> int:
        first = self._form is None
        wall = time.replace(tzinfo=None) - (monday_before(time) if first else self._monday)
        seconds = math.floor(wall.total_seconds())
        if first or seconds >= self.now:
            return seconds
        # of two times in one zone Python compares the hands of the clock, hence UTC
        repeated = time.fold == 1 if self._latest is None else time.astimezone(datetime.UTC) >= self._latest
        return self.now if repeated else seconds


def _form_of(time: object) -> str:
    if isinstance(time, datetime.datetime):
        return "naive datetimes" if time.utcoffset() is None else "datetimes with a time zone"
    if isinstance(time, bool) or not is_finite(time):
        raise UserError(f"time: expected seconds since a Monday 00:00 or a datetime, got {str(time)[:40]!r}")
    if not 0 <= float(time) < _UNIX:
        raise UserError(f"time: {time} is no number of seconds since a Monday 00:00 local time; give a datetime")
    return "seconds"


def is_finite(value: object) -> TypeGuard[float]:
    """Is it a finite real number, of any type of number?"""
    try:
        return isinstance(value, numbers.Real) and math.isfinite(value)
    except OverflowError:  # an int beyond all floats
        return False
