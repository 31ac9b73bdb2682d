"""Days by number, minutes of them and weekdays, in place of times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from lam_env.core.events import LogError
from lam_env.core.units import DAY, MINUTE
from lam_env.logs.input.numbers import up_to
from lam_env.logs.local_time import NO_OFFSET, SECOND, Clocks, Where

MONDAY = 4 * DAY  # [s since 1970] of the first one
_MOST = {"day": 29_999, "minute": 1439, "weekday": 6}


def times_of_days(cells: Mapping[str, pa.Array], where: Where) -> tuple[Clocks, np.ndarray]:
    """The times, and how many days (n,) later than numbered each row's day is counted, so that it is of its `weekday`,
    0 being a Monday: 0 where there is none."""
    told = {role: up_to(role, cells[role], most, where) for role, most in _MOST.items() if role in cells}
    day = np.floor(told["day"])
    later = (told["weekday"] - day) % 7 if "weekday" in told else np.zeros(len(day))
    time = (MONDAY + (day + later) * DAY + told["minute"] * MINUTE) * SECOND
    return Clocks(time.astype(np.int64), np.full(len(day), NO_OFFSET, np.int64)), later.astype(np.int8)


def check_weekdays(later: np.ndarray, user: np.ndarray, where: Where) -> None:
    """LogError where days of one user (n,) int are of weekdays that do not fit each other: not equally much `later`."""
    _, first, inverse = np.unique(user, return_index=True, return_inverse=True)
    for i in np.flatnonzero(later != later[first][inverse])[:1].tolist():
        before = where(int(first[inverse[i]]))
        raise LogError(f"{where(i)}: its weekday does not fit its day, as that of {before} has it; correct one")
