"""Travellers of the traffic world before their first trip, for the tests."""

from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.roads.supply import build_supply
from lam_env.scenarios.traffic.world import profile
from lam_env.scenarios.traffic.world.travellers import Travellers

from lam_env.core.rng import Streams


def people_of(seed=0, **settings):
    """On an empty network, after they woke on day 0. `settings`: of the scenario."""
    params = SCENARIO(**settings).params
    supply = build_supply(params)
    free = profile.empty(supply, params)
    people = Travellers(params, supply, Streams(seed), (free, free))
    people.wake(0)
    return people
