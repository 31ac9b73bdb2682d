"""What agents do not see: a traveller's true chances, and what advice is worth. For `informed`, oracles and diagnosis.

`latent` is the state that the generator's next draws depend on, put as the probabilities themselves: `p.*` of each
option without advice, exact, so that `informed` need not be learned; `accept.*` of following advice to it by somebody
who was about to do the usual; then trust, past ratings and strength of habit. It holds no draw of today.

`plan` knows more: what the traveller is about to do today, and what everybody else does who has decided already or will
decide without advice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from lam_env.sim.world import write_hidden

from .params import UTILITY_WEIGHTS
from .roads.supply import Supply
from .units import MINUTE
from .world.morning import can_load, load, ride_all
from .world.profile import at_departures
from .world.world import TrafficWorld

INTERRUPTION = -UTILITY_WEIGHTS["interruption"]  # [min] that an advice costs


def latent_names(supply: Supply) -> tuple[str, ...]:
    options = supply.names
    return (*(f"p.{n}" for n in options), *(f"accept.{n}" for n in options), "trust", "rated", "habit", "known_cost")


def revealing(what: Sequence[str]) -> Callable[[TrafficWorld], None]:
    """Writes `row.latent`, `row.plan` or both."""
    return partial(write_hidden, tuple(what), latent, plan)


def latent(world: TrafficWorld) -> np.ndarray:
    """The hidden state of the person asked, in the order of `latent_names`."""
    people, i = world.people, world.person
    usual, revising = int(people.last[i]), float(people.revising[i])
    p = revising * people.chances(np.array([i]))[0]
    p[usual] += 1 - revising
    strength = people.strength(i)
    more = [people.trust[i], people.rated[i], strength, min(people.cost[i, usual], 999.0)]
    return np.concatenate([p, people.acceptance(i, usual), more])


def plan(world: TrafficWorld) -> np.ndarray:
    """(2 A,) [min]: what each advice to the person asked is expected to be worth to all, the interruption off; then to
    that person alone."""
    people, i = world.people, world.person
    natural = int(people.natural[i])
    time, extra, external = foresee(world, i)
    own = people.costs_of(i, time, extra)
    gain = np.where(np.isfinite(own), own[natural] - own, -1e3)
    chance = people.acceptance(i, natural)
    chance[natural] = 0.0  # it would be done anyway
    both = [chance * (gain + external[natural] - external), chance * gain]
    return np.concatenate([part for worth in both for part in ([0.0], worth - INTERRUPTION)])


def foresee(world: TrafficWorld, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, discomfort and cost to others (O,) [min] of each option of one traveller, if all others do today as they
    have decided or would without advice; on networks that only events can load, by what was published."""
    people, supply, params = world.people, world.supply, world.params
    pair, slot, way = int(people.pair[i]), supply.slot, supply.way
    if not can_load(supply, world.links):
        known = world.published[world.weekend]
        tables = (known.time, known.extra, known.external)
        return tuple(t[pair, way, slot] for t in tables)
    others = people.goes.copy()
    others[i] = False
    who = np.flatnonzero(others)
    ways = way[world.chosen[who]]
    car = ~supply.is_bus[ways]
    drivers, riders = who[car], who[~car]
    ends, flows = load(supply, world.links, world.departs[drivers], people.pair[drivers], ways[car])
    late = (ends - world.reference) / MINUTE - people.arrive[drivers]
    weight = params.alpha + np.where(late > 0, params.gamma, -params.beta)
    loads = ride_all(supply, params, world.departs[riders])[2] if len(riders) else np.zeros(len(world.loads))
    at = (world.reference + supply.shift * MINUTE + people.offset[i])[:, None]  # this person's departures
    time, extra, external = at_departures(supply, params, at, world.links, flows, weight, loads, pairs=(pair,))
    return time[0, way, slot, 0], extra[0, way, slot, 0], external[0, way, slot, 0]
