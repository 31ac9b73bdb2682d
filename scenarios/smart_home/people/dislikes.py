"""What a household wants, but not from a machine, and how households differ in it.

No study gives a probability by command and hour. Taken from the literature are the order of the kinds of command and
that households fall into classes; every number here is an assumption.

- Security is not handed over gladly: it is one of four barriers in homes with automation (Brush et al. 2011, Home
  automation in the wild, CHI), and ceding autonomy is the main risk that 1,025 UK homeowners see (Wilson, Hargreaves
  and Hauxwell-Baldwin 2017, Energy Policy 103:72). To unlock and to disarm is riskier than to lock and to arm.
- Blinds: 74 % of adjustments were the users' own, and most offices switched the automatic mode off (Meerbeek et al.
  2014, Building and Environment 77:66); people "were more willing to accept automatic blind opening than closing", and
  each kept to the same way with lights and blinds (Reinhart and Voss 2003, Lighting Research & Technology 35:243).
- Heating that learns is corrected where it is not understood (Yang and Newman 2012, 2013, UbiComp; Alan et al. 2016,
  It is too hot, CHI).
- Appliances are welcome to choose their time (Coskun, Kaner and Bostan 2018, International Journal of Design 12:7).
- Segments: 709 utility customers fall into four, from unpersuaded to owners (Sanguinetti, Karlin and Ford 2018, Energy
  Research & Social Science 46:274).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lam_env.core.dislikes import NEVER, Dislikes

from ..devices import Home, build_home

WINDOWS = 4  # of the day, six hours each: night, morning, afternoon, evening

# device kind and state -> share of households that dislike it in a window
RATES = {
    "lock.unlocked": 0.30,
    "alarm.disarmed": 0.28,
    "blinds.closed": 0.26,
    "blinds.open": 0.22,
    "heating.warm": 0.22,
    "tv.on": 0.22,
    "music.on": 0.22,
    "heating.normal": 0.20,
    "heating.eco": 0.20,
    "alarm.armed": 0.18,
    "light.dim": 0.16,
    "lock.locked": 0.15,
    "kettle.hot": 0.15,
    "light.on": 0.14,
    "music.off": 0.14,
    "light.off": 0.12,
    "tv.off": 0.12,
    "dishwasher.running": 0.12,
    "washer.running": 0.12,
}


class Openness(NamedTuple):
    """A class of households."""

    share: float
    factor: float  # on all rates; the mean over households is 1


OPENNESS = (Openness(0.3, 0.4), Openness(0.4, 1.0), Openness(0.3, 1.6))  # welcoming, usual, reserved


class Habitual(NamedTuple):
    """A dislike that households have in hours of their own, nearly all of them where `p` is near 1."""

    command: str  # device kind and state; "*" stands for any state
    since: int  # [h] of the day
    until: int  # [h]
    p: float  # probability that a household has it


HABITUAL = (
    Habitual("lock.unlocked", 0, 24, 0.9),
    Habitual("music.on", 0, 10, 0.85),
    Habitual("tv.on", 0, 16, 0.8),
    Habitual("kettle.hot", 14, 24, 0.8),
    Habitual("light.off", 20, 24, 0.6),
    Habitual("blinds.*", 0, 9, 0.4),
    Habitual("heating.warm", 0, 24, 0.3),
    Habitual("alarm.*", 0, 24, 0.3),
)


@lru_cache
def dislikes_of(rooms: int, households: str, scale: float, own: str = "") -> Dislikes:
    """How dislikes are drawn in `build_home(rooms, own)`, where households `differ` or are `alike`; `scale` is on all
    probabilities."""
    return (_differing if households == "differ" else _alike)(build_home(rooms, own), scale)


def _differing(home: Home, scale: float) -> Dislikes:
    kinds = list(RATES)
    of_action = [kinds.index(_kind(home, a)) for a in range(1, len(home.vocabulary))]
    cells = np.full((WINDOWS, len(home.vocabulary)), NEVER)
    cells[:, 1:] = np.array(of_action) * WINDOWS + np.arange(WINDOWS)[:, None]
    p = np.array([[scale * c.factor * rate for rate in RATES.values()] for c in OPENNESS]).clip(0, 1)
    return Dislikes(cells, np.array([c.share for c in OPENNESS]), p.repeat(WINDOWS, 1), len(home.vocabulary))


def _alike(home: Home, scale: float) -> Dislikes:
    cells = np.full((24, len(home.vocabulary)), NEVER)
    for cell, (command, since, until, _) in enumerate(HABITUAL):
        for action in range(1, len(home.vocabulary)):
            if command in (kind := _kind(home, action), f"{kind.partition('.')[0]}.*"):
                cells[since:until, action] = cell
    p = np.array([[h.p * scale for h in HABITUAL]]).clip(0, 1)
    return Dislikes(cells, np.ones(1), p, len(home.vocabulary))


def _kind(home: Home, action: int) -> str:
    kind = home.devices[home.device_of[action]].kind
    return f"{kind.name}.{kind.states[home.state_of[action]]}"
