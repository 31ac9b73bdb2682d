"""The vocabulary of traffic: what can be done, sensed and answered."""

from __future__ import annotations

from functools import lru_cache

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY

PRETRIP = 0
SENSORS = ("pretrip",)
FOLLOWED, REFUSED, RATING, MUTED = range(4)
FEEDBACK = ("accept", "refuse", "rating", "mute")
RAIN, ARRIVE, TIME, LATE, USUAL = "rain", "arrive", "last.time", "last.late", "usual"


@lru_cache(maxsize=64)
def vocabulary(names: tuple[str, ...]) -> tuple[Vocabulary, int]:
    """Names of all that can be done and sensed, for options of these names; and how many readings everybody shares."""
    shared = (RAIN, *(f"{kind}.{name}" for kind in ("time", "cost", "moved") for name in names))
    own = (ARRIVE, TIME, LATE, USUAL, *(f"{kind}.{name}" for kind in ("own", "external") for name in names))
    actions = ("none", *names)
    return Vocabulary(actions, SENSORS, shared + own, FEEDBACK, (DAY,) * len(actions)), len(shared)
