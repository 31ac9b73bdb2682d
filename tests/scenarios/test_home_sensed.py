"""What the home's reward pays for what sensors show: known answers, and agreement with the hidden utility."""

import numpy as np
import pytest
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.house import AWAY

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.seeds import eval_seeds
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.rollout import rollout
from lam_env.sim.routine import Act

SENSED = ("lamps", "unwatched", "unlocked", "cold")
HOUR = 3_600


def world_of(seed=0, **settings):
    scenario = SmartHome(**settings)
    return scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0))


def quiet_home(room="bedroom", indoor=25.0):
    """One resident who stays where they are; it stays as warm as it is."""
    world = world_of(residents=1, days=1)

    class Still:
        def acts(self, start):
            while True:
                yield Act(10**9, 2 * 10**9, -1, 0, 0)

    resident = world.residents[0]
    resident.routine = Still()
    old, resident.room = resident.room, AWAY if room is None else world.home.room(room)
    world.notice(old, resident.room)
    world.climate.load = lambda day: None
    world.climate.slots = [(indoor, 0.0, 0.3, ())] * 144
    world.indoor = indoor
    return world


def hour(world):
    """An hour in which nobody acts: amounts of the reward's terms that were earned."""
    before, until = dict(world.reward_totals), world.now + HOUR
    while world.now < until:
        world.step(0)
    return {k: world.reward_totals[k] - before[k] for k in SENSED if world.reward_totals[k] != before[k]}


def test_lamps_cost_in_rooms_sensed_empty():
    world = quiet_home("kitchen")
    for room in ("kitchen", "bathroom", "living"):
        world.set(world.home.lights[world.home.room(room)][0], 2)
    assert hour(world) == {"lamps": pytest.approx(120)}
    world.set(world.home.lights[world.home.room("bathroom")][0], 1)  # dim is on
    assert hour(world) == {"lamps": pytest.approx(120)}
    for room in ("bathroom", "living"):
        world.set(world.home.lights[world.home.room(room)][0], 0)
    assert hour(world) == {}


@pytest.mark.parametrize(("room", "minutes"), [("living", {}), ("kitchen", {"unwatched": 60})])
def test_a_television_costs_where_nobody_is_sensed_before_it(room, minutes):
    world = quiet_home(room)
    world.set(world.home.by_name["tv"], 1)
    assert hour(world) == pytest.approx(minutes)


@pytest.mark.parametrize(("room", "minutes"), [("bedroom", {}), (None, {"unlocked": 60})])
def test_an_unlocked_door_costs_where_nobody_is_sensed_at_home(room, minutes):
    world = quiet_home(room)
    world.set(world.home.by_name["lock"], 0)
    assert hour(world) == pytest.approx(minutes)
    world.set(world.home.by_name["lock"], 1)
    assert hour(world) == {}


@pytest.mark.parametrize(("room", "kelvin"), [("kitchen", 2.0), ("bedroom", 0.0), (None, 0.0)])
def test_cold_costs_below_normal_heating_where_somebody_is_sensed_up(room, kelvin):
    """20 C less half a kelvin; what residents like does not count, nor whether they mind."""
    world = quiet_home(room, indoor=17.5)
    world.residents[0].like = 25.0
    world.residents[0].leaving = True  # it is not seen to
    assert hour(world).get("cold", 0.0) == pytest.approx(60 * kelvin)


def test_it_is_priced_as_utility_prices_it():
    scenario = SmartHome()
    assert all(scenario.reward_weights[k] == scenario.utility_weights[k] for k in SENSED)


def test_what_is_sensed_is_what_utility_counts_over_weeks():
    """Read every ten minutes, against minutes to the second: the same amounts but for chance."""
    env = LamVectorEnv(16, "smart_home", autoreset_mode="Disabled")
    env.reset(seed=list(range(60, 76)))
    while not env.finished.all():
        env.step(np.zeros(16, np.int64))
    paid, true = ({k: sum(t[k] for t in totals) for k in SENSED} for totals in (
        [w.reward_totals for w in env.worlds], [w.utility_totals for w in env.worlds]))  # fmt: skip
    assert paid["lamps"] == pytest.approx(true["lamps"], rel=0.05)
    assert paid["unwatched"] == pytest.approx(true["unwatched"], rel=0.15)
    assert paid["unlocked"] <= true["unlocked"] + 60  # a sleeper's open door is not sensed
    assert 0 < paid["cold"] < true["cold"]  # nor who likes it warmer than normal


class Caretaker:
    """Puts off what is on in a room sensed empty, and locks when all are out: no more than the new terms ask for."""

    home = SmartHome().home

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        home, actions = self.home, np.zeros(len(observation["epoch"]), np.int64)
        for i, (context, mask) in enumerate(zip(observation["context"], observation["action_mask"], strict=True)):
            present = context[home.presence : home.presence + len(home.rooms)] > 0
            off = [d.commands[0] for d in home.devices if d.kind.name in ("light", "tv") and not present[d.room]]
            off += [] if present.any() else [home.devices[home.by_name["lock"]].commands[1]]
            actions[i] = next((a for a in off if mask[a]), 0)
        return actions, state


class Nobody:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.zeros(len(observation["epoch"]), np.int64), state


def test_whoever_does_only_what_is_sensed_serves_people_too():
    """The terms cannot be won without use: where the return rises, so does utility."""
    houses = eval_seeds([0], 4, "validation")
    none, care = (rollout(p, SmartHome(days=3), houses) for p in (Nobody(), Caretaker()))
    for metric in ("reward.return", "utility.total", "utility.unwatched", "utility.lamps"):
        assert np.mean([t[metric] for t in care]) > np.mean([t[metric] for t in none])
