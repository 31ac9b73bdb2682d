"""The world of traffic: vehicles, pairing, calm, shocks, and days that are right whoever computes them."""

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.params import NETWORKS
from lam_env.scenarios.traffic.world.morning import can_load, load

from lam_env.core.events import READING
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.envs.single import LamEnv

MINUTE = 60_000


def world_of(seed=0, record=False, **settings):
    scenario = SCENARIO(**settings)
    return scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0), record=record)


def play(world, advise=None, points=10**9):
    """To the end, or for some decision points, each of which `advise(world)` answers."""
    for _ in range(points):
        if world.step(advise(world) if advise else 0):
            break
    return world


def anything(world):
    """Some possible action, by person and day."""
    mask = np.flatnonzero(np.array(world.row.mask))
    return int(mask[(world.person * 7 + world.day) % len(mask)])


def mean_cost(seeds, **settings):
    found = [play(world_of(seed, **settings)) for seed in seeds]
    return float(np.mean([w.tally.figures(w.people.trust)["mean_cost"] for w in found]))


@pytest.mark.parametrize("link_model", ["point", "spatial", "bpr"])
def test_vehicles_are_conserved_and_nobody_overtakes(link_model):
    world = world_of(link_model=link_model, burn_in=7, days=3)
    while True:
        inside = sum(len(link.inside) for link in world.links)
        on_a_road = world.loading.departed - world.loading.arrived
        assert inside == on_a_road
        assert all(link.entered == link.left + len(link.inside) for link in world.links)
        for link in world.links:
            exits = [exit for _, exit, _ in link.log]
            assert exits == sorted(exits)
        if world.step(anything(world)):
            break
    assert on_a_road == 0


def test_who_travels_arrives_on_the_same_day():
    world = world_of(days=2)
    evening = world.look_back
    seen = []

    def look():
        went = np.flatnonzero(world.people.goes)
        seen.append((world.arrives[went] > world.departs[went]).all())
        assert (world.arrives[went] < world.day * 86_400_000 + 23 * 3_600_000).all()
        evening()

    world.look_back = look
    play(world)
    assert seen == [True, True]


def test_the_same_seed_and_actions_give_the_same_world():
    a, b = (play(world_of(3, record=True, days=2), anything) for _ in range(2))
    assert repr(a.records) == repr(b.records)
    assert a.utility() == b.utility()


def test_other_agents_meet_the_same_people_days_and_weather():
    def lives(advise):
        world, found = world_of(4, days=12), []
        day = -1
        while not world.step(advise(world) if advise else 0):
            if world.day != day:
                day = world.day
                people = world.people
                found.append((day, world.rain, people.goes.tolist(), people.kind.tolist(), people.offset.tolist()))
        return found, world.people.preferred.tolist(), world.utility()

    (one, tastes, cost), (other, same_tastes, other_cost) = lives(None), lives(anything)
    assert one == other
    assert tastes == same_tastes
    assert cost != other_cost


def test_a_day_at_once_is_the_day_by_events():
    """The twin that runs the burn-in against SimPy, in the queue and on the bus."""
    world = world_of(days=1)
    people = world.people
    evening, compared = world.env.queue, []

    def compare(none):
        who = np.flatnonzero(people.goes & ~world.supply.is_bus[world.supply.way[world.chosen]])
        ways = world.supply.way[world.chosen[who]]
        ends, flows = load(world.supply, world.links, world.departs[who], people.pair[who], ways)
        compared.append(np.abs(ends - world.arrives[who]).max())
        k = world.supply.tight
        assert len(flows[k].enter) == len(world.links[k].log)
        assert np.abs(flows[k].exit - [e for _, e, _ in world.links[k].log]).max() <= 2

    world.call_at(world.day * 86_400_000 + 20 * 3_600_000, compare)
    assert evening
    play(world)
    assert compared[0] <= 2  # [ms]: rounding where vehicles tie


CROWD = {"travellers": 1500, "slots": 3, "slot": 1.0}  # where many vehicles come to a link in the same millisecond


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rain": 1.0},
        {"shock": "closure", "shock_day": 1},
        {"network": "grid"},
        {"network": "bottleneck", **CROWD},
        {"network": "grid", **CROWD},
    ],
)
def test_days_without_events_are_those_of_events_to_the_last_bit(settings, monkeypatch):
    """A world that is recorded, or looked at while people travel, takes events; others do without. Nobody can tell."""
    made = {"burn_in": 7, "days": 3} | settings
    fast, slow = world_of(5, **made), world_of(5, **made)
    assert slow.departs_at_once
    slow.departs_at_once = False
    for _ in range(10**9):
        assert fast.person == slow.person
        ended = fast.step(anything(fast))
        assert slow.step(anything(slow)) == ended
        if ended:
            break
    assert not any(link.log for link in fast.links)
    assert any(link.log for link in slow.links)
    for name in ("departs", "arrives", "extra", "loads"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name))
    for one, other in zip(fast.flows(), slow.flows(), strict=True):
        for name in ("enter", "exit", "who"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    for one, other in zip(fast.links, slow.links, strict=True):
        assert (one.entered > 0, one.last_exit) == (other.entered > 0, other.last_exit)
    assert fast.loading.arrived == slow.loading.arrived
    assert fast.utility_totals == slow.utility_totals
    assert fast.reward_totals == slow.reward_totals
    assert np.array_equal(fast.published[0].external, slow.published[0].external)


def test_burn_in_by_events_and_at_once_end_alike(monkeypatch):
    fast = world_of(1, burn_in=14, days=1)
    assert can_load(fast.supply, fast.links)
    monkeypatch.setattr("lam_env.scenarios.traffic.world.world.can_load", lambda *a: False)
    slow = world_of(1, burn_in=14, days=1)
    assert (fast.people.habit == slow.people.habit).mean() > 0.99
    assert np.allclose(fast.published[0].time, slow.published[0].time, atol=0.5)


def test_calm_revision_stays_near_equilibrium_and_everybody_revising_collapses():
    """Best replies to yesterday (no noise, no memory): calm or all at once."""
    reply = {"theta": 3.0, "learning": 1.0, "hearsay": 1.0, "days": 15}
    calm = mean_cost([0, 1], **reply)
    rush = mean_cost([0, 1], revision=1.0, bearable=0.01, **reply)
    assert calm < 45
    assert rush > calm + 8


def test_without_an_agent_mornings_stay_as_they_were():
    worlds = [play(world_of(seed, days=42)) for seed in range(2)]
    for world in worlds:
        first, _, last = (part[0] / part[1] for part in world.tally.parts)
        assert abs(last - first) < 3


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_runs(network):
    world = play(world_of(network=network, travellers=60, burn_in=14, days=4), anything)
    figures = world.tally.figures(world.people.trust)
    assert all(np.isfinite(v) for v in figures.values())
    assert world.loading.departed == world.loading.arrived > 0
    if network != "corridor":
        assert figures["bus_share"] == 0


def test_a_drop_in_capacity_costs_time_while_it_lasts():
    how = {"days": 12, "shock_day": 3, "shock_days": 4, "rain": 0.0}
    calm, shocked = (play(world_of(2, shock=shock, **how)) for shock in ("none", "capacity"))
    assert shocked.utility() < 1.05 * calm.utility()
    assert calm.utility() < 0


def test_a_closed_road_is_no_option_and_opens_again():
    world, seen = world_of(days=6, shock="closure", shock_day=1, shock_days=2), {}
    main = world.supply.way == 0
    while True:
        on_main = bool(main[world.chosen[world.people.goes]].any())
        seen.setdefault(world.day - world.first_day, (bool(np.array(world.row.mask)[1:][main].any()), on_main))
        if world.step(0):
            break
    for day in range(5):
        assert seen[day][1] == (day not in (1, 2))
        assert not (seen[day][0] and day in (1, 2))
    assert any(possible for possible, _ in seen.values())


def test_a_storm_is_seen_in_the_readings():
    env = LamEnv("traffic", shock="weather", shock_day=0, shock_days=2, rain=0.0, days=3)
    observation, _ = env.reset(seed=0)
    rain = {}
    done = False
    while not done:
        rain[env.world.day - env.world.first_day] = observation["context"][0]
        observation, _, _, done, _ = env.step(0)
    assert rain == {0: 1.0, 1: 1.0, 2: 0.0}


def test_asked_once_a_trip_before_anybody_departs():
    world = world_of(days=3)
    asked = {}
    while True:
        day = world.day
        assert (day, world.person) not in asked
        asked[day, world.person] = world.now
        assert world.now < world.reference + world.supply.shift[0] * MINUTE - world.params.slot / 2 * MINUTE
        if world.step(0) or world.day >= world.end // 86_400_000:
            break
    assert len({p for _, p in asked}) > 0.9 * world.people.n_advised
    assert max(p for _, p in asked) < world.people.n_advised


def test_readings_stand_in_the_log_as_they_stand_in_the_row():
    world = world_of(record=True, days=3)
    shared, told = world.shared, {}
    k = 0
    for _ in range(300):
        for event in world.records[k:]:
            if event.kind == READING:
                told[event.user, event.token] = event.value
        k = len(world.records)
        for c, value in enumerate(np.array(world.row.context)):
            user = -1 if c < shared else world.person
            assert told.get((user, c), 0.0) == value
        world.step(0)
