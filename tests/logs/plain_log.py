"""A made log of the commands of a household, as a csv file of one's own would hold them.

Two people, three weeks, some 14 commands a day. A routine's commands come within a minute, in an order that is chance.
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

MONDAY = datetime.datetime(2024, 1, 8, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
DAYS = 21
WITHIN = 60  # [s] between the first and the last command of a routine, at most


class Routine(NamedTuple):
    """`at`: usual time [h]; `spread`: its standard deviation [min]; `chance` that it is done on a day."""

    user: str
    weekend: bool
    at: float
    spread: float
    chance: float
    commands: tuple[str, ...]


HABITS = (
    Routine("ada", False, 6.6, 8, 0.95, ("bedroom.light.on", "heating.up")),
    Routine("ada", False, 6.9, 8, 0.95, ("kitchen.light.on", "coffee.on", "radio.on")),
    Routine("ada", False, 7.7, 10, 0.95, ("kitchen.light.off", "radio.off")),
    Routine("ben", False, 8.7, 20, 0.9, ("heating.down", "door.lock")),
    Routine("ben", False, 17.5, 30, 0.85, ("hall.light.on",)),
    Routine("ada", False, 18.3, 20, 0.9, ("kitchen.light.on", "hall.light.off")),
    Routine("ben", False, 20.0, 25, 0.9, ("tv.on", "living.light.on")),
    Routine("ben", False, 22.3, 30, 0.95, ("tv.off", "living.light.off")),
    Routine("ada", False, 23.1, 12, 0.95, ("bedroom.light.off",)),
    Routine("ada", True, 8.8, 30, 0.95, ("bedroom.light.on", "heating.up")),
    Routine("ben", True, 9.6, 30, 0.9, ("kitchen.light.on", "coffee.on", "radio.on")),
    Routine("ada", True, 11.5, 40, 0.8, ("kitchen.light.off", "vacuum.start")),
    Routine("ben", True, 15.0, 60, 0.7, ("coffee.on",)),
    Routine("ada", True, 19.0, 30, 0.9, ("tv.on", "living.light.on")),
    Routine("ben", True, 22.0, 30, 0.95, ("tv.off", "living.light.off")),
    Routine("ada", True, 23.2, 8, 0.95, ("bedroom.light.off",)),
)


def plain_log(seed: int) -> str:
    """The text of a csv file: time, user, action."""
    rng = np.random.default_rng(seed)
    lines = list[tuple[datetime.datetime, str, str]]()
    for day in range(DAYS):
        for habit in HABITS:
            begins, done = habit.at * 3600 + rng.normal() * habit.spread * 60, rng.random() < habit.chance
            if done and habit.weekend == (day % 7 >= 5):
                for seconds, command in zip(rng.uniform(0, WITHIN, len(habit.commands)), habit.commands, strict=True):
                    at = MONDAY + datetime.timedelta(days=day, seconds=int(begins + seconds))
                    lines.append((at, habit.user, command))
    return "\n".join(["time,user,action", *(f"{at.isoformat()},{who},{what}" for at, who, what in sorted(lines)), ""])


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(plain_log(int(sys.argv[1])), encoding="utf-8")
