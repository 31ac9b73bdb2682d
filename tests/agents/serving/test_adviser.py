"""The adviser on a stream of persons' events says what the policy says on the observations of their world."""

import json
import math

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning.features import PriorFeatures, standardisation
from lam_env.agents.fine_tuning.heads import AdviceHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.saved import save_policy
from lam_env.agents.predictors import store
from lam_env.agents.predictors.pretrain import pretrain
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.serving.adviser import Adviser
from people import FineTrips, Trips
from policies import refused

import lam_env
from lam_env.core import registry
from lam_env.core.events import EVERYBODY, READING, SENSOR, USER, Event
from lam_env.envs.recording import simulate_log
from lam_env.envs.single import LamEnv
from lam_env.logs.decision_points import decision_points

SCENARIOS = {
    "trips": lambda: Trips(days=2.0, people=5),
    "trips in tenths of a second": lambda: FineTrips(days=2.0, people=5),
    "traffic": lambda: registry.scenario("traffic")(travellers=60, burn_in=7, days=6),
    "game": lambda: registry.scenario("game")(days=30),
}


SEED = {"game": 33}  # of somebody who plays for long
NAG = {"game": 0.08, "traffic": 1.0}  # their worths are minutes


def tuned(scenario, seed=1, nag=-0.03):
    """A small prior, and a head with random weights that is inclined to advise."""
    log, _ = simulate_log(scenario, [1, 2], 3)
    points = decision_points(log)
    settings = PredictorSettings(hidden=8, embedding=4, passes=1, autocast=False)
    young = points.world < points.people
    prior = pretrain(points.select(young), points.select(~young), settings)
    features = PriorFeatures(prior, *standardisation(points.context))
    policy = TunedPolicy(features, AdviceHead(features.layout, (8,)))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.head.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
        policy.head.nag += nag  # such that it speaks now and then
        if not features.layout.worths:
            policy.head.flat += 0.2  # to outweigh the handicap
    return policy


@pytest.fixture(scope="module")
def policy():
    return tuned(SCENARIOS["trips"]())


@pytest.fixture
def adviser(policy):
    return Adviser(policy)


# -- the same as in a simulated world ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_simulated_stream_gives_what_the_policy_gives(name):
    scenario = SCENARIOS[name]()
    policy, env = tuned(scenario, nag=NAG.get(name, 0.15)), LamEnv(scenario, record=True)
    observation, _ = env.reset(seed=SEED.get(name, 3))
    world, names = env.world, env.vocabulary.actions
    adviser, state, heard, advised, asked, answers, done = Adviser(policy), None, 0, 0, 0, 0, False
    adviser.reset(world.start // world.second)
    while not done:
        for e in world.records[heard:]:
            adviser.observe(e._replace(time=e.time // world.second))
        heard = len(world.records)
        batch = {key: array[None] for key, array in observation.items()}
        (action,), state = policy.predict(batch, state)
        if observation["action_mask"][1:].any():
            possible = [names[a] for a in np.flatnonzero(observation["action_mask"])]
            said = adviser.suggest(world.person, possible)
            assert said == adviser.suggest(world.person, possible)  # asking changes nothing
            assert said.action == names[action]
            np.testing.assert_allclose(list(said.probabilities.values()), state.said.next[0], atol=1e-5)
            with torch.no_grad():
                expected = policy.head(torch.from_numpy(policy.features.vector(batch, state.said)))[0].numpy()
            found = np.array(list(said.values.values()))
            np.testing.assert_array_equal(np.isfinite(found), expected > -1e8)
            np.testing.assert_allclose(found[expected > -1e8], expected[expected > -1e8], atol=1e-4)
            answers += observation["feedback"].sum()
            asked, advised = asked + 1, advised + (action > 0)
        observation, _, _, done, _ = env.step(action)
    assert asked > 100
    assert 20 < advised < asked
    assert answers > 0


def test_names_say_the_same_as_events(policy):
    by_event, by_name = Adviser(policy), Adviser(policy)
    for event in (
        Event(100, EVERYBODY, READING, 0, 1.0),
        Event(100, 2, READING, 4, 7.0),
        Event(110, 2, SENSOR, 0),
        Event(110, 2, 1, 3),  # the agent's
        Event(120, 2, USER, 3, answers=0),
        Event(130, 2, SENSOR, 0),
    ):
        by_event.observe(event)
    by_name.observe(time=100, reading="rain", value=1.0)
    by_name.observe(time=100.5, user="ann", reading="own.car", value=7)
    by_name.observe(time=110, user="ann", sensor="plans")
    by_name.observe(time=120, user="ann", action="walk")
    by_name.observe(time=130, user="ann", sensor="plans")
    first, second = by_event.suggest(2), by_name.suggest("ann")
    assert first.values == second.values
    assert first.why == second.why
    assert second.worth["own"]["car"] == 7.0


# -- persons -----------------------------------------------------------------------------------------------------------


def test_what_happens_to_one_person_concerns_her_alone(policy):
    alone, among = Adviser(policy), Adviser(policy)
    for day in range(3):
        for adviser in (alone, among):
            adviser.observe(time=day * 86_400, user="ann", sensor="plans")
            adviser.observe(time=day * 86_400 + 60, user="ann", action="bus")
        among.observe(time=day * 86_400 + 70, user="bob", sensor="plans")
        among.observe(time=day * 86_400 + 80, user="bob", reading="own.car", value=-9)
        among.observe(time=day * 86_400 + 90, user="bob", action="walk")
    for adviser in (alone, among):
        adviser.observe(time=300_000, user="ann", sensor="plans")
    assert alone.suggest("ann").values == pytest.approx(among.suggest("ann").values, abs=1e-5)


def test_readings_of_everybody_reach_those_who_come_later_too(adviser):
    adviser.observe(time=0, user="ann", sensor="plans")
    adviser.observe(time=10, reading="external.bus", value=5)
    adviser.observe(time=20, user="bob", sensor="plans")
    for who in ("ann", "bob"):
        assert adviser.suggest(who).worth["external"]["bus"] == 5.0


def test_only_what_is_possible_is_advised_and_why_is_said(adviser):
    adviser.observe(time=0, user="ann", sensor="plans")
    adviser.observe(time=0, user="ann", reading="own.walk", value=500)
    best = adviser.suggest("ann")
    assert best.action != "none"
    assert best.why.startswith(f"{best.action}: done anyway with probability ")
    others = [a for a in adviser.vocabulary.actions if a != best.action]
    assert adviser.suggest("ann", others).values[best.action] == -math.inf
    nothing = adviser.suggest("ann", [])
    assert (nothing.action, nothing.why) == ("none", "none: no advice is possible")
    assert adviser.suggest("ann") == best


def test_a_number_and_its_text_are_one_person(adviser):
    adviser.observe(time=0, user=1, sensor="plans")
    assert adviser.suggest("1").values == adviser.suggest(1).values == adviser.suggest(np.int64(1)).values


def test_of_too_many_persons_whoever_was_silent_for_longest_is_forgotten(policy, monkeypatch):
    monkeypatch.setattr("lam_env.agents.serving.adviser.MOST_PEOPLE", 2)
    few, alone = Adviser(policy), Adviser(policy)
    for time, user in enumerate(("ann", "bob", "ann")):
        few.observe(time=time, user=user, sensor="plans")
        few.observe(time=time, user=user, action="bus")
    before = few.suggest("ann")
    for adviser in (few, alone):
        adviser.observe(time=60, user="cay", sensor="plans")
    assert few.suggest("cay").values == pytest.approx(alone.suggest("cay").values, abs=1e-5)
    refused("'bob' has not been asked yet", few.suggest, "bob")
    assert few.suggest("ann") == before


def test_reset_forgets_everybody(adviser):
    adviser.observe(time=500, user="ann", sensor="plans")
    adviser.reset(0)
    refused("'ann' has not been asked yet", adviser.suggest, "ann")
    adviser.observe(time=10, user="ann", sensor="plans")
    assert adviser.suggest("ann").user == "ann"


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"action": "bus"}, "say whose it is, user="),
        ({"sensor": "plans"}, "say whose it is"),
        ({"user": "ann", "action": "buss"}, "did you mean 'bus'"),
        ({"user": "ann", "action": "none"}, "give the time alone"),
        ({"user": -2, "action": "bus"}, "user: expected a name or a number from 0 on, got -2"),
        ({"user": True, "action": "bus"}, "user: expected"),
        ({"user": "", "action": "bus"}, "user: expected"),
        ({"user": 0.5, "action": "bus"}, "user: expected"),
        ({"reading": "rain", "value": math.nan}, "expected a finite number"),
        ({"user": "ann", "feedback": "accept"}, "which action"),
        ({"time": 50, "user": "ann", "action": "bus"}, "50 s before the last event"),
        ({"time": None, "user": "ann", "action": "bus"}, "give a time"),
        ({"event": Event(1, 0, USER, 1), "time": None, "user": 3}, "not both"),
        ({"event": Event(200, EVERYBODY, USER, 1), "time": None}, "say whose it is"),
    ],
    ids=str,
)
def test_a_wrong_observation_is_refused_and_changes_nothing(adviser, given, says):
    adviser.observe(time=100, user="ann", sensor="plans")
    before = adviser.suggest("ann")
    refused(says, adviser.observe, **{"time": 5000, **given})
    assert adviser.suggest("ann") == before
    adviser.observe(time=101, user="ann", sensor="plans")  # the time of what was refused has not passed


def test_advice_for_nobody_is_refused(adviser):
    refused(
        r"'ann' has not been asked yet; call observe\(time=..., user='ann', sensor='plans'\)", adviser.suggest, "ann"
    )
    adviser.observe(time=0, user="ann", action="bus")
    refused("has not been asked", adviser.suggest, "ann")
    adviser.observe(time=0, user="ann", sensor="plans")
    refused("give a list", adviser.suggest, "ann", "bus")
    refused("user: expected", adviser.suggest, ["ann"])


# -- run folders -------------------------------------------------------------------------------------------------------


def test_a_run_whose_policy_advises_is_loaded(tmp_path, policy):
    store.save(policy.features.predictor, tmp_path / "model" / "prior")
    save_policy(policy, tmp_path / "model" / "policy")
    (tmp_path / "config.json").write_text(json.dumps({"scenario": "trips", "world": {}}))
    loaded, expected = lam_env.load(tmp_path), Adviser(policy)
    for adviser in (loaded, expected):
        adviser.observe(time=0, user="ann", reading="own.bus", value=12)
        adviser.observe(time=60, user="ann", sensor="plans")
    assert loaded.suggest("ann") == expected.suggest("ann")
