"""What people believe before the burn-in: mornings as another population has known them for long.

Who learns calmly from empty roads takes months to come near equilibrium; from here the burn-in has only to settle who
does what.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams

from ..params import TrafficParams, is_file
from ..roads.supply import build_supply
from ..words import vocabulary
from . import profile
from .profile import Profile
from .world import TrafficWorld

TRAVELLERS, DAYS = 300, 200
ADVICE = ("accept", "adopt", "trust", "mute", "rating")  # settings of how advice is answered begin so


def typical(params: TrafficParams) -> tuple[Profile, Profile]:
    """Working days and weekends, of a population of our own choice: the same for all worlds of these settings."""
    # what has nothing to do with it must not make it anew
    plain = TrafficParams(network=params.network, link_model=params.link_model)
    plainly = {k: getattr(plain, k) for k in ("days", "form", "people", "shock", "shock_day", "shock_days")}
    plainly |= {f.name: getattr(plain, f.name) for f in fields(plain) if f.name.startswith(ADVICE)}
    # on many roads few people are no crowd: beliefs would not be those of a larger population
    travellers = max(TRAVELLERS, params.travellers) if is_file(params.network) else TRAVELLERS
    return _settled(replace(params, travellers=travellers, burn_in=DAYS, advised=0.1, **plainly))


@lru_cache(maxsize=16)
def _settled(params: TrafficParams) -> tuple[Profile, Profile]:
    supply = build_supply(params)
    free = profile.empty(supply, params)
    row = ObservationRows(1, vocabulary(supply.names)[0]).row(0)
    world = TrafficWorld(params, supply, Streams(0), row, beliefs=(free, free))
    return world.published[0], world.published[1]
