"""Logs of persons, each with a few places of their own among many."""

import numpy as np
from bags import log_of

from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY, HOUR

PLACES = Vocabulary(("none", *(f"p{i}" for i in range(99))))


def lives(people=6, days=30, seed=0, quiet=0.0, own=8, places=PLACES):
    """Each person goes from home to one of `own` places of theirs and back: on weekdays at eight to work."""
    rng = np.random.default_rng(seed)
    bags, times, worlds = [], [], []
    for person in range(people):
        theirs = 1 + rng.permutation(len(places) - 1)[:own]
        for day in range(days):
            out = theirs[1] if day % 7 < 5 else theirs[2 + rng.integers(own - 2)]
            for hour, place in ((8, out), (18, theirs[0]), (20, theirs[2 + rng.integers(2)]), (22, theirs[0])):
                bags.append([] if rng.random() < quiet else [int(place)])
                times.append(day * DAY + hour * HOUR)
                worlds.append(person)
    return log_of(bags, times, worlds, places)
