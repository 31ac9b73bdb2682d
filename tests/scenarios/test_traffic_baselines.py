"""Oracles, baselines and exploits: who is above whom, and what full compliance would bring."""

import numpy as np
import pytest
from lam_env.scenarios.traffic import SCENARIO
from lam_env.scenarios.traffic.baselines import KnownAnswers, OracleOptimum, best_trip, shares
from lam_env.scenarios.traffic.hidden import foresee

from lam_env.core.contracts import acts
from lam_env.envs.single import LamEnv
from lam_env.evaluation.rollout import rollout

SEEDS = [11, 12]


class Silent:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.zeros(len(observation["epoch"]), int), state


def scores(policies, seeds=SEEDS, **settings):
    """Mean totals of each policy in the same worlds."""
    scenario = SCENARIO(**settings)
    found = {"none": rollout(Silent(), scenario, seeds)}
    for name, make in policies(scenario).items():
        if acts(policy := make(None)):
            found[name] = rollout(policy, scenario, seeds)
    return {name: {k: np.mean([t[k] for t in totals]) for k in totals[0]} for name, totals in found.items()}


@pytest.fixture(scope="module")
def table():
    return scores(lambda s: s.baselines() | s.rungs() | s.exploits())


def test_the_more_an_oracle_knows_the_more_it_brings(table):
    lift = {name: t["utility.total"] - table["none"]["utility.total"] for name, t in table.items()}
    assert lift["oracle"] > lift["oracle_batch"] > lift["oracle_so"] > 0
    assert lift["oracle"] > 2.5
    assert lift["ladder_own"] < lift["known"] < lift["oracle"]


def test_who_is_told_who_follows_is_refused_less_than_others():
    """By the same savings, told what each does or what travellers do on average."""
    scenario = SCENARIO(days=10)
    known = scenario.baselines()["known"](None)

    class Crowd(KnownAnswers):
        def advise(self, observation):
            latent = observation["latent"].copy()
            latent[:, self.n : 2 * self.n] = 0.3
            return super().advise(observation | {"latent": latent})

    told, crowd = (rollout(p, scenario, SEEDS) for p in (known, Crowd(scenario.supply, scenario.params)))
    rate = [np.mean([t["feedback.accept_rate"] for t in found]) for found in (told, crowd)]
    assert rate[0] > rate[1] + 0.15


def test_herding_and_parroting_are_worse_than_nothing(table):
    for name in ("fastest", "habit"):
        assert table[name]["utility.total"] < table["none"]["utility.total"]
        assert table[name]["reward.return"] < table["none"]["reward.return"]
    assert table["fastest"]["kpi.peak_queue"] > table["none"]["kpi.peak_queue"]


def test_every_exploit_scores_below_nothing(table):
    for name in SCENARIO().exploits():
        assert table[name]["reward.return"] < table["none"]["reward.return"], name
        assert table[name]["utility.total"] < table["none"]["utility.total"], name


def test_the_oracle_keeps_trust_and_few_lose(table):
    assert table["oracle"]["kpi.trust"] > table["fastest"]["kpi.trust"]
    assert table["oracle"]["kpi.losing_moves"] < 0.5
    assert table["oracle"]["kpi.muted"] < 0.2 * table["fastest"]["kpi.muted"]
    last, first = ((table["none"][f"kpi.cost_{k}"] - table["oracle"][f"kpi.cost_{k}"]) for k in ("last", "first"))
    assert last > 0.5 * first


def test_free_riders_do_better_than_those_who_comply():
    """At a bottleneck half of whom stagger their departures, the others find it empty."""
    found = scores(
        lambda s: {"oracle_so": lambda none: OracleOptimum(s.supply, s.params)},
        network="bottleneck",
        advised=0.5,
        accept=50.0,
        days=15,
        trust_shown=0.0,
        trust_broken=0.0,
    )
    so = found["oracle_so"]
    assert so["kpi.cost_background"] < so["kpi.cost_advised"]
    assert so["utility.total"] > found["none"]["utility.total"]


def test_full_compliance_with_staggered_departures_is_a_bound():
    every = {"advised": 1.0, "accept": 50.0, "days": 10, "trust_shown": 0.0, "trust_broken": 0.0, "rain": 0.0}
    found = scores(lambda s: {"oracle_so": lambda none: OracleOptimum(s.supply, s.params)}, **every)
    as_it_is = scores(lambda s: {"oracle_so": lambda none: OracleOptimum(s.supply, s.params)}, days=10, rain=0.0)
    gain, real = (f["oracle_so"]["utility.total"] - f["none"]["utility.total"] for f in (found, as_it_is))
    assert gain > 1.5 * real > 0
    assert found["oracle_so"]["kpi.delay"] < 0.4 * found["none"]["kpi.delay"]


def test_shares_are_what_roads_and_buses_carry():
    scenario = SCENARIO()
    quota = dict(zip(scenario.supply.names, shares(scenario.supply, scenario.params), strict=True))
    assert quota["car.main.0"] == pytest.approx(300 / 90 * 10)
    assert quota["bus.line.0"] == pytest.approx(10 * 10 / 12)
    assert quota["car.slow.0"] > 300


def test_foresight_is_right_about_a_traveller_when_nobody_else_is_told_anything():
    """What the plan foresees of the natural option is what then happens."""
    env = LamEnv("traffic", days=1)
    env.reset(seed=3)
    world = env.world
    foreseen = {}
    while world.day * 86_400_000 <= world.now < world.end:
        i = world.person
        option = int(world.people.natural[i])
        time, _, _ = foresee(world, i)
        foreseen[i] = float(time[option])
        *_, done, _ = env.step(0)
        if done:
            break
    took = {i: (world.arrives[i] - world.departs[i]) / 60_000 for i in foreseen}
    assert np.allclose([foreseen[i] for i in foreseen], [took[i] for i in foreseen], atol=0.02)


def test_external_costs_are_what_another_vehicle_does_to_the_others():
    """Against taking one traveller off the road and loading the day anew."""
    env = LamEnv("traffic", days=1, rain=0.0)
    env.reset(seed=3)
    world, people = env.world, env.world.people
    from lam_env.scenarios.traffic.world.morning import load

    went = people.goes & ~world.supply.is_bus[world.supply.way[world.chosen]]

    def total(without):
        who = np.flatnonzero(went & (np.arange(len(went)) != without))
        ends, _ = load(
            world.supply, world.links, world.departs[who], people.pair[who], world.supply.way[world.chosen[who]]
        )
        late = (ends - world.reference) / 60_000 - people.arrive[who]
        early_cost, late_cost = people.schedule_cost(late)
        cost = (ends - world.departs[who]) / 60_000 + early_cost + late_cost
        return dict(zip(who.tolist(), cost.tolist(), strict=True))

    with_all = total(-1)
    errors, sizes = [], []
    for i in np.flatnonzero(went & (world.supply.way[world.chosen] == 0))[::9]:
        fewer = total(i)
        truth = sum(with_all[k] - v for k, v in fewer.items())
        errors.append(foresee(world, int(i))[2][world.chosen[i]] - truth)
        sizes.append(truth)
    assert max(sizes) > 20
    assert np.abs(errors).mean() < 0.1 * np.mean(sizes)


def test_best_takes_only_what_is_possible_and_worth_it():
    mask = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]])
    value = np.array([[1.0, 5.0], [0.2, 0.4], [9.0, 9.0]])
    assert best_trip(value, mask).tolist() == [1, 2, 0]
    assert best_trip(value, mask, 0.5).tolist() == [1, 0, 0]
