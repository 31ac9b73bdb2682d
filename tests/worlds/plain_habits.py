"""The habits of one plain person, for tests of the routine and of the log that it leaves."""

from __future__ import annotations

import numpy as np

from lam_env.core.behaviour_tables import Anchor, BehaviourTables, Need

NAMES = ("sleep", "toilet", "meal", "tv", "read", "out")
SLEEP, TOILET, MEAL, TV, READ, OUT = range(6)
LENGTHS = {
    "sleep": (20, 40, 90),
    "toilet": (2, 3, 5),
    "meal": (15, 25, 40),
    "tv": (10, 40, 90),
    "read": (5, 20, 60),
    "out": (20, 60, 120),
}


def make(**more: object) -> BehaviourTables:
    hourly = np.zeros((24, 6))
    hourly[:, TV], hourly[:, READ] = 2.0, 1.0
    follow = np.ones((6, 6))
    np.fill_diagonal(follow, 0.0)
    plain = {
        "activities": NAMES,
        "anchors": (
            Anchor("sleep", 7.0, 0.5, ends=True),
            Anchor("sleep", 23.0, 0.5),
            Anchor("meal", 12.5, 0.3),
        ),
        "needs": (Need("toilet", 3.0, 4.0, asleep=0.25),),
        "durations": {k: tuple(map(float, v)) for k, v in LENGTHS.items()},
        "hourly": hourly,
        "follow": follow,
        "pauses": (1.0, 5.0),
        "pause": 0.3,
        "away": ("out",),
    }
    return BehaviourTables(**{**plain, **more})  # type: ignore[arg-type]
