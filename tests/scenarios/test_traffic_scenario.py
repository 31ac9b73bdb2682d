"""Traffic as the kit sees it: settings, names, readings, accounts."""

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.params import REWARD_WEIGHTS, UTILITY_WEIGHTS
from lam_env.scenarios.traffic.words import FOLLOWED
from lam_env.scenarios.traffic.world.tally import gini

from lam_env.config.cli import ConfigError
from lam_env.core.errors import UserError
from lam_env.core.events import FEEDBACK
from lam_env.core.units import DAY
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv


@pytest.mark.parametrize(("settings", "what"), [
    ({"network": "london"}, "world.network must be one of corridor, bottleneck"),
    ({"link_model": "queue"}, "world.link_model: expected one of"),
    ({"shock": "flood"}, "world.shock: expected one of"),
    ({"form": "polite"}, "world.form: expected one of"),
    ({"advised": 1.5}, "world.advised: expected at least 0 and at most 1"),
    ({"advised": 0.0}, "leaves nobody to advise"),
    ({"travellers": 1}, "world.travellers: expected at least 2 and at most 20,000"),
    ({"slots": 6}, "^world.slots must be odd"),
    ({"beta": 2.0}, "^world.beta must lie between 0 and world.alpha"),
    ({"inertia": (1.0,)}, "world.inertia: expected 3 numbers"),
    ({"nests": (2.0, 1.0)}, "^world.nests must not fall, as 2,1 does: swap them"),
    ({"network": "braess", "link_model": "point"}, "braess is given by delay functions; take bpr"),
    ({"network": "bottleneck", "rush": 90}, "all pass the bottleneck, but departures span 70 min"),
    ({"network": "bottleneck", "shock": "closure"}, "bottleneck has no way around"),
    ({"revision": "often"}, "revision"),
    ({"cars": 3}, "cars"),
])  # fmt: skip
def test_settings_that_make_no_sense_are_told_in_one_line(settings, what):
    with pytest.raises((ConfigError, ValueError), match=what) as caught:
        SCENARIO(**settings)
    assert "\n" not in str(caught.value)


def test_names_can_be_read():
    names = SCENARIO().vocabulary.actions
    assert names[0] == "none"
    assert len(names) == 22
    assert {"car.main.-30", "car.slow.0", "car.main.+10", "bus.line.+30"} <= set(names)
    assert SCENARIO(network="bottleneck").vocabulary.actions[1:3] == ("car.r1.-30", "car.r1.-20")
    assert SCENARIO(slots=5, slot=7.5).vocabulary.actions[1] == "car.main.-15"


def test_every_option_has_its_readings_and_the_shared_ones_come_first():
    scenario = SCENARIO()
    readings, options = scenario.vocabulary.readings, scenario.vocabulary.actions[1:]
    for kind in ("time", "cost", "moved", "own", "external"):
        assert [r for r in readings if r.startswith(kind + ".")] == [f"{kind}.{o}" for o in options]
    env = LamEnv(scenario)
    env.reset(seed=0)
    assert readings[: env.world.shared] == tuple(
        r for r in readings if r.split(".")[0] in ("rain", "time", "cost", "moved")
    )
    assert scenario.interaction == "advise"
    assert scenario.personal


def test_who_has_moved_today_is_told_and_forgotten_at_night():
    env = LamEnv("traffic", reveal=("plan",), record=True)
    observation, _ = env.reset(seed=0)
    readings = env.scenario.vocabulary.readings
    first = readings.index(f"moved.{env.scenario.vocabulary.actions[1]}")
    oracle, seen, answered = env.scenario.baselines()["oracle"](None), 0, 0
    day = int(observation["epoch"][0]) // DAY
    for _ in range(600):
        action, _ = oracle.predict({k: v[None] for k, v in observation.items()})
        observation, *_ = env.step(int(action[0]))
        moved = observation["context"][first : first + len(env.scenario.vocabulary) - 1]
        assert moved.sum() == 0  # whoever comes to one option has left another
        if int(observation["epoch"][0]) // DAY != day:
            day, answered = int(observation["epoch"][0]) // DAY, len(env.world.records)
        today = env.world.records[answered:]
        followed = [e for e in today if e.kind == FEEDBACK and e.token == FOLLOWED]
        assert np.abs(moved).sum() <= 2 * len(followed)
        seen = max(seen, int(np.abs(moved).sum()))
    assert seen > 10


def test_savings_are_against_the_usual_option():
    env = LamEnv("traffic")
    observation, _ = env.reset(seed=0)
    readings = env.vocabulary.readings
    for _ in range(50):
        context = dict(zip(readings, observation["context"].tolist(), strict=True))
        usual = env.vocabulary.actions[int(context["usual"])]
        assert context[f"own.{usual}"] == 0
        assert context[f"external.{usual}"] == 0
        main, slow = (context[f"external.car.{way}.-10"] for way in ("main", "slow"))
        assert slow >= main  # nobody is in anybody's way on the free road
        observation, *_ = env.step(0)


def test_utility_is_generalised_cost_and_a_minute_for_every_advice():
    totals = {}
    for name, action in (("silent", 0), ("speaking", 1)):
        env = LamEnv("traffic", days=5)
        env.reset(seed=2)
        done = False
        while not done:
            *_, done, info = env.step(action)
        totals[name] = found = info["totals"]
        assert found["utility.total"] == pytest.approx(sum(found[f"utility.{k}"] for k in UTILITY_WEIGHTS))
        trips = env.world.tally.trips.sum()
        per_day = found["kpi.mean_cost"] * trips / (5 * 300)
        assert -found["utility.total"] == pytest.approx(per_day)
        assert set(env.world.reward_weights) == set(REWARD_WEIGHTS)
    paid = {term for term in REWARD_WEIGHTS if totals["silent"][f"term.{term}"] != 0}
    assert paid == {"everybody"}
    shown = totals["speaking"]["term.nag"]
    assert totals["speaking"]["utility.interruption"] == pytest.approx(-shown)
    assert shown > 0


@pytest.mark.parametrize(("day", "weekend"), [(0, 0), (5, 1)])
@pytest.mark.parametrize("action", [0, 1])
def test_reward_pays_the_advised_for_what_all_trips_have_become_cheaper_by(action, day, weekend):
    env = LamEnv("traffic", days=1, travellers=60)
    env.reset(seed=3, options={"day": day})
    world = env.world
    assert [len(days) for days in world.cost_unadvised] == [15, 6]  # of the three weeks before
    assert world.weekend == weekend
    people = world.people
    asked = int(people.goes[: people.n_advised].sum())
    done = False
    while not done:
        *_, done, info = env.step(action)
    tally = world.tally
    mean = (tally.cost.sum() - tally.advice) / tally.trips.sum()
    assert asked > 3
    paid = info["totals"]["term.everybody"] * 60  # totals are per traveller, advised or not
    assert paid == pytest.approx(asked * (np.mean(world.cost_unadvised[weekend]) - mean))


@pytest.mark.parametrize(("burn_in", "paid"), [(0, False), (14, True)])
def test_without_days_before_there_is_nothing_to_compare_with(burn_in, paid):
    env = LamEnv("traffic", days=1, travellers=60, burn_in=burn_in)
    env.reset(seed=3)
    done = False
    while not done:
        *_, done, info = env.step(0)
    assert (info["totals"]["term.everybody"] != 0) == paid


def test_reward_pays_for_what_following_changed():
    env = LamEnv("traffic", days=8)
    observation, _ = env.reset(seed=0)
    n = len(env.vocabulary) - 1
    credit, done, booked = {}, False, 0.0
    while not done:
        mask = observation["action_mask"][1:] > 0
        worth = np.where(mask, observation["context"][-n:], -np.inf)
        observation, reward, _, done, _ = env.step(int(worth.argmax()) + 1 if worth.max() > 10 else 0)
        booked += reward
        credit[env.world.person] = credit.get(env.world.person, 0.0) + env.world.credit
    total = sum(env.world.reward_weights[k] * v for k, v in env.world.reward_totals.items())
    assert booked == pytest.approx(total)
    assert sum(credit.values()) != 0
    assert env.world.reward_totals["external"] > 0  # people went where they cost others less
    assert env.world.reward_totals["own"] < 0  # and paid for it


def test_worlds_side_by_side():
    env = LamVectorEnv(2, "traffic", days=1)
    many, _ = env.reset(seed=[5, 6])
    one, _ = LamEnv("traffic", days=1).reset(seed=6)
    assert all(np.array_equal(many[k][1], one[k]) for k in one)


def test_an_action_outside_the_space_is_an_error_and_a_masked_one_is_none():
    env = LamEnv("traffic")
    observation, _ = env.reset(seed=0)
    with pytest.raises(UserError, match="not in the action space"):
        env.step(22)
    while observation["action_mask"].all():
        observation, *_ = env.step(0)
    *_, info = env.step(int(np.flatnonzero(observation["action_mask"] == 0)[0]))
    assert info["masked"] == 1
    assert env.world.tally.advice == 0


def test_key_figures():
    env = LamEnv("traffic", days=6)
    env.reset(seed=0)
    done = False
    while not done:
        *_, done, info = env.step(0)
    k = {name.removeprefix("kpi."): v for name, v in info["totals"].items() if name.startswith("kpi.")}
    assert 30 < k["mean_cost"] < 50
    assert (
        min(k["cost_advised"], k["cost_background"]) <= k["mean_cost"] <= max(k["cost_advised"], k["cost_background"])
    )
    assert 0.1 < k["bus_share"] < 0.3
    assert 20 < k["peak_queue"] < 120
    assert k["trust"] == pytest.approx(0.7, abs=0.03)
    assert k["advice"] == info["totals"]["feedback.accept_rate"] == k["losing_moves"] == 0
    assert 0 < k["gini"] < 0.3


def test_gini_of_known_distributions():
    assert gini(np.ones(7)) == 0
    assert gini(np.array([0.0, 0, 0, 1])) == pytest.approx(0.75)
    assert gini(np.array([1.0, 2, 3])) == pytest.approx(2 / 9)
    assert gini(np.array([])) == 0


def test_a_later_day_starts_on_that_weekday():
    env = LamEnv("traffic", days=2)
    times = [env.reset(seed=0, options={"day": day})[0]["epoch"][0] // 86_400 % 7 for day in (0, 3, 7)]
    assert times == [0, 3, 0]


def test_a_shock_that_comes_after_the_end_is_refused():
    with pytest.raises(UserError, match=r"world.shock_day=99: the episode ends before it, after 30 days"):
        SCENARIO(shock="capacity", shock_day=99)
    assert SCENARIO(shock_day=99).params.shock == "none"
