"""Networks that are stepped in torch, from flat rows, say what they say when they are stepped in NumPy."""

import functools

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning.features import PriorFeatures
from lam_env.agents.fine_tuning.recurrent.packed import DeviceState, PackedFeatures, Packing, advance
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.predictors.torch_step import TorchStep
from people import Trips
from pools import pool_of

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.recording import simulate_log
from lam_env.envs.vector import LamVectorEnv
from lam_env.logs.decision_points import decision_points

CPU = torch.device("cpu")
PEOPLE = 5
SCENARIOS = {
    "persons": lambda: Trips(days=1.0, people=PEOPLE),
    "home": lambda: registry.scenario("smart_home")(days=1),
    "game": lambda: registry.scenario("game")(days=2),
}


@functools.cache
def made(name):
    scenario = SCENARIOS[name]()
    return scenario, decision_points(simulate_log(scenario, [0, 1, 2, 3], 2)[0])


def network(points, core, **more):
    more = {"hidden": 8, "embedding": 4, "readout": 8, "heads": 2, "context": 5, **more}
    settings = PredictorSettings(core=core, **more)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Predictor(points.vocabulary, Featuriser.fit(points, settings.recency), settings, points.timer)


PREDICTORS = {
    "lstm": lambda points: network(points, "lstm"),
    "lstm without readout": lambda points: network(points, "lstm", readout=0),
    "two gru, recency": lambda points: network(points, "gru", members=2, recency=True),
    "transformer": lambda points: network(points, "transformer", recency=True),
    "mlp": lambda points: network(points, "mlp"),
    "pool": lambda points: pool_of(points, acts=False),
    "pool that says when": lambda points: pool_of(points),
}


def encoders(predictor):
    c = len(predictor.vocabulary.readings)
    numbers = np.zeros(c, np.float32), np.ones(c, np.float32)
    return PriorFeatures(predictor, *numbers), PackedFeatures(predictor, *numbers)


def walk(scenario, n, steps, seed=3):
    """Observations of random agents, and which episodes begin with them."""
    rng = np.random.default_rng(seed)
    env = LamVectorEnv(n, scenario, max_episode_steps=61)
    observation, _ = env.reset(seed=seed)
    start = np.ones(n, bool)
    for _ in range(steps):
        yield observation, start
        possible = observation["action_mask"] * rng.random(observation["action_mask"].shape)
        acts = np.where(rng.random(n) < 0.3, possible.argmax(1), 0)
        observation, _, terminated, truncated, _ = env.step(acts)
        start = terminated | truncated


@pytest.mark.parametrize("name", PREDICTORS)
@pytest.mark.parametrize("where", SCENARIOS)
def test_rows_hold_all_that_a_step_needs(where, name):
    scenario, points = made(where)
    predictor, n = PREDICTORS[name](points), 3
    plain, packed = encoders(predictor)
    step, packing = TorchStep(predictor), Packing(packed)
    state = DeviceState.fresh(step, n * points.people, CPU)
    carries, episodes, stayed = [None, None], 0, 0
    for observation, start in walk(scenario, n, 150):
        expected, carries[0] = plain(observation, carries[0], start)
        rows, carries[1] = packed(observation, carries[1], start)
        assert rows.shape == (n, packed.size)
        stepped = advance(step, packing, state, torch.from_numpy(rows))
        again = advance(step, packing, state, torch.from_numpy(rows), keep=False)  # nothing new has been heard
        assert not again.here.any()
        assert torch.equal(again.word, stepped.word)
        word = step.mixed(stepped.word, *packing.counts(torch.from_numpy(rows)))
        np.testing.assert_allclose(packing.vector(torch.from_numpy(rows), word), expected, atol=2e-5)
        episodes, stayed = episodes + int(start.sum()), stayed + int((~stepped.here).sum())
    assert episodes > n  # some of them began anew
    assert stayed or where != "home" or "when" in name  # follow-ups, at which networks are not stepped


def test_an_encoder_that_begins_anew_does_not_go_on_with_old_memory():
    scenario, points = made("home")
    predictor = network(points, "lstm")
    _, packed = encoders(predictor)
    step, packing = TorchStep(predictor), Packing(packed)
    state, words = DeviceState.fresh(step, 2, CPU), []
    for _ in range(2):
        carry, said = None, []
        for observation, start in walk(scenario, 2, 20):
            rows, carry = packed(observation, carry, start)
            said.append(advance(step, packing, state, torch.from_numpy(rows)).word)
        words.append(torch.stack(said))
    assert torch.equal(*words)


def test_more_streams_than_a_row_can_number_are_refused(monkeypatch):
    scenario, points = made("persons")
    _, packed = encoders(network(points, "lstm"))
    monkeypatch.setattr("lam_env.agents.fine_tuning.recurrent.packed.MOST_STREAMS", 4)
    with pytest.raises(UserError, match="take fewer worlds"):
        for observation, start in walk(scenario, 3, 60):
            packed(observation, None, start)


def test_a_state_grows_without_losing_what_it_holds():
    scenario, points = made("persons")
    predictor, n = network(points, "gru"), 2
    _, packed = encoders(predictor)
    step, packing = TorchStep(predictor), Packing(packed)
    whole, grown = DeviceState.fresh(step, n * PEOPLE, CPU), DeviceState.fresh(step, 1, CPU)
    carry = None
    for observation, start in walk(scenario, n, 60):
        rows, carry = packed(observation, carry, start)
        rows = torch.from_numpy(rows)
        grown = grown.grown(step, int(packing.stream(rows).max()) + 1)
        assert torch.equal(advance(step, packing, whole, rows).word, advance(step, packing, grown, rows).word)


def test_nothing_is_dropped_out_while_the_learner_trains():
    _, points = made("home")
    for core in ("lstm", "transformer"):
        step = TorchStep(network(points, core, dropout=0.5, embedding_dropout=0.5, input_dropout=0.5))
        step.train(True)
        tokens, features = torch.zeros(1, 1, 6), torch.ones(1, 1, step.n_features)
        words = [step(step.fresh(1, CPU), tokens, features)[0] for _ in range(2)]
        assert torch.equal(*words)
        assert not step.nets[0].training
        assert step.nets[0].core.training == (core == "lstm")  # cuDNN has gradients of a core that trains only
