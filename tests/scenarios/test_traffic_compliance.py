"""What moves whom: travellers who are alike are those of before, others differ as the literature says they do."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.params import TrafficParams
from lam_env.scenarios.traffic.roads.supply import build_supply
from lam_env.scenarios.traffic.world.compliance import BUS, CAR, EARLIER, KINDS, LATER, ROUTE, WILLING, changes
from scipy.special import logit, ndtr
from travellers import people_of

from lam_env.envs.single import LamEnv

GOLDEN = Path(__file__).parents[1] / "golden" / "make.py"
# SHA-256 of the golden day of travellers who are all alike, but for what the agent is paid
ALIKE = "368afec5934b39e6d4b0a631d935f0edb2cd79f5dc109d908e2dc74a8ce93e2e"
PAID = ("reward.", "term.")
MOVED = ("gain", "habit", "heed", "trust", "mute_below")


def lived(advise=lambda observation, env: 0, **settings):
    env = LamEnv("traffic", burn_in=14, **settings)
    observation, _ = env.reset(seed=0)
    seen, done = [observation], False
    while not done:
        observation, _, _, done, _ = env.step(advise(observation, env))
        seen.append(observation)
    return env.world, seen


def willing_to(people, kind):
    """(N,) log-odds that a change of this kind alone adds."""
    asks = changes(people.supply)[1]
    return people.compliance.willing[:, np.flatnonzero((asks == np.eye(len(KINDS))[kind]).all(1))[0]]


def test_the_golden_day_of_travellers_who_are_alike_goes_as_it_always_went():
    spec = importlib.util.spec_from_file_location("golden_make", GOLDEN)
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    lines = make.playthrough("traffic", people="alike").splitlines()
    played = "\n".join(line for line in lines if not line.startswith(PAID))
    assert hashlib.sha256(played.encode()).hexdigest() == ALIKE, "travellers who are alike have changed"


def test_without_advice_it_makes_no_difference():
    (one, seen), (other, seen_there) = (lived(days=2, people=people) for people in ("alike", "differ"))
    assert one.utility_totals == other.utility_totals
    for a, b in zip(seen, seen_there, strict=True):
        assert all(np.array_equal(a[key], b[key]) for key in a)


def test_who_is_alike_follows_by_the_settings():
    people = people_of(people="alike")
    p = people.params
    assert not people.compliance.willing.any()
    for i in range(20):
        option = int(np.flatnonzero(people.possible[i] & (np.arange(people.possible.shape[1]) != people.last[i]))[-1])
        gain = people.cost[i, people.natural[i]] - people.cost[i, option]
        x = p.accept + p.accept_form + p.accept_trust * (p.trust - 0.5) + p.accept_gain * np.clip(gain, -25, 25)
        assert logit(people.accepts(i, option)) == pytest.approx(x - p.accept_habit * people.strength(i))


def test_weights_differ_around_those_of_the_settings():
    people = people_of(travellers=4000)
    p = TrafficParams()
    for name, mean in zip(MOVED, (p.accept_gain, p.accept_habit, p.accept_trust, p.trust, p.mute_below), strict=True):
        each = getattr(people.compliance, name)
        assert each.mean() == pytest.approx(mean, rel=0.05)
        assert each.min() > 0
        assert each.std() > 0.1 * mean
    assert (people.compliance.trust > people.compliance.mute_below).all()  # nobody is born mute
    assert np.array_equal(people.trust, people.compliance.trust)


def test_fewest_would_change_the_mode_and_most_the_route():
    """77 % another route, 56 % another time, 16 % another mode (Barfield et al. 1991)."""
    assert ndtr(WILLING[[ROUTE, EARLIER, LATER, BUS]]) == pytest.approx([0.77, 0.56, 0.56, 0.16], abs=0.005)
    people = people_of(travellers=4000)
    bus, earlier, later, route = (willing_to(people, kind).mean() for kind in (BUS, EARLIER, LATER, ROUTE))
    assert bus < earlier - 1 < route - 1.5
    assert later == pytest.approx(earlier, abs=0.15)


def test_openness_couples_what_moves_a_person():
    people = people_of(travellers=4000)
    own = people.compliance
    kinds = [willing_to(people, kind) for kind in KINDS]
    with_it = np.corrcoef([*kinds, np.log(own.gain), np.log(own.heed), logit(own.trust)])
    assert with_it == pytest.approx(0.5 + 0.5 * np.eye(len(with_it)), abs=0.06)
    for against in (own.habit, own.mute_below):
        assert np.corrcoef(kinds[ROUTE], np.log(against))[0, 1] == pytest.approx(-0.5, abs=0.06)


def test_what_a_change_asks_for():
    supply = build_supply(SCENARIO().params)
    number, asks = changes(supply)
    for left, taken, kinds in [
        ("car.main.0", "car.main.0", []),
        ("car.main.0", "bus.line.0", [BUS]),
        ("bus.line.0", "car.slow.0", [CAR]),
        ("car.main.0", "car.main.-10", [EARLIER]),
        ("bus.line.-10", "bus.line.+20", [LATER]),
        ("car.slow.+10", "car.main.+10", [ROUTE]),
        ("car.main.+10", "car.slow.-30", [EARLIER, ROUTE]),
        ("car.main.0", "bus.line.+10", [BUS, LATER]),
    ]:
        row = asks[number[supply.names.index(left), supply.names.index(taken)]]
        assert np.flatnonzero(row).tolist() == kinds


def test_roads_without_a_bus_ask_for_no_other_mode():
    asks = changes(build_supply(SCENARIO(network="two_route").params))[1]
    assert not asks[:, [BUS, CAR]].any()
    assert asks[:, ROUTE].any()


def test_who_is_more_willing_follows_more_and_only_where_it_is_asked():
    people = people_of()
    own, names = people.compliance, people.supply.names
    i = int(np.flatnonzero(people.has_car)[0])
    people.natural[i] = people.last[i] = names.index("car.main.0")
    before = people.acceptance(i, names.index("car.main.0"))
    own.willing[i, own.change[names.index("car.main.0"), names.index("bus.line.0")]] += 2
    after = people.acceptance(i, names.index("car.main.0"))
    assert np.flatnonzero(after != before).tolist() == [names.index("bus.line.0")]
    assert after[names.index("bus.line.0")] > before[names.index("bus.line.0")]


def test_trust_comes_back_to_a_person_s_own_level():
    world, _ = lived(days=1)
    people, n = world.people, world.people.n_advised
    people.trust[:n] = 0.5
    world.advice = [0] * people.n
    before = people.trust.copy()
    world.followed[:] = False
    world.look_back()
    rose = np.flatnonzero(people.trust[:n] > before[:n])
    low = people.compliance.trust[:n] <= 0.5
    assert len(rose)
    assert not low[rose].any()
    share = (people.trust[rose] - 0.5) / (people.compliance.trust[rose] - 0.5)
    assert share == pytest.approx(world.params.trust_silence)


def test_each_switches_the_advice_off_at_their_own_threshold():
    world, _ = lived(days=1)
    people, n = world.people, world.people.n_advised
    people.trust[:] = 0.25
    world.advice = [1] * people.n
    world.followed[:] = False
    world.look_back()
    mutes = people.compliance.mute_below[:n] > 0.25
    assert 0.2 < mutes.mean() < 0.8
    went = people.goes[:n]
    assert np.array_equal((people.muted_until[:n] >= 0)[went], mutes[went])


def test_answers_that_an_agent_sees_are_those_of_the_person_asked():
    told = {}

    def advise(observation, env):
        person, a = env.world.person, len(env.vocabulary)
        seen = observation["feedback"]
        assert seen.sum() == told.get(person, 0)
        action = int(np.flatnonzero(observation["action_mask"])[-1]) if person % 2 else 0
        if action and action - 1 != env.world.people.natural[person]:
            told[person] = told.get(person, 0) + 1
        assert not seen[[0, a]].any()
        return action

    lived(advise, days=3)
    assert len(told) > 50


def test_extremes_of_the_settings_stay():
    sure = people_of(trust=1.0, mute_below=0.0)
    assert (sure.compliance.trust == 1).all()
    assert not sure.compliance.mute_below.any()


def test_other_worlds_have_other_people():
    one, same, other = (people_of(seed).compliance for seed in (1, 1, 2))
    assert np.array_equal(one.willing, same.willing)
    assert not np.array_equal(one.willing, other.willing)
