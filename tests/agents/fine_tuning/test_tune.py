"""Tuning the predictor with the policy: batches are stretches in which nothing is lost, and what should move does."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning import learner as module
from lam_env.agents.fine_tuning.features import encoder_of
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.saved import fingerprint, load_policy, save_policy
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.pool import Pool
from people import training_of_trips
from pools import pool_of

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.evaluation.rollout import rollout
from lam_env.experiment.agent_check import small_training

TUNED = TrainSettings(
    steps=512, envs=4, rollout=128, batch=128, epochs=2, days=1, trial=2, start="uniform", tune="full"
)
WORLDS = {
    "smart_home": {"days": 1},
    "traffic": {"days": 3, "travellers": 40, "burn_in": 7},
    "game": {"days": 2},
    "trips": {},
}


@functools.cache
def made(name, core="lstm"):
    if name == "trips":
        given = training_of_trips(days=2.0)
        from lam_env.agents.predictors.pretrain import pretrain
        from lam_env.agents.predictors.settings import PredictorSettings

        settings = PredictorSettings(hidden=16, embedding=4, readout=8, core=core, passes=1)
        return dataclasses.replace(given, prior=pretrain(given.train, given.valid, settings))
    scenario = registry.scenario(name)(**WORLDS[name])
    return small_training(scenario, days=3, core=core, heads=2, context=6, readout=8)


def training(name, core="lstm", **tuning):
    return dataclasses.replace(made(name, core), tuning=dataclasses.replace(TUNED, **tuning))


def bold(head, seed=1):
    """With random weights, so that what the predictor says makes a difference."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.03)


def learning(given):
    """A learner with a rollout that has not been learned from."""
    agent = PPOAgent()
    model = agent.learner(given, encoder_of(given, prior=True))
    bold(model.policy.head)
    _, callback = model._setup_learn(given.steps, None)
    if given.train.people > 1:
        from lam_env.agents.fine_tuning.rollout_buffer import Turns

        callback = Turns()
        callback.init_callback(model)
        callback.on_training_start({}, {})
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    return model


CASES = [(name, "lstm") for name in WORLDS] + [("smart_home", "gru"), ("smart_home", "transformer")]


@pytest.mark.parametrize(("name", "core"), CASES)
def test_before_an_update_a_stretch_says_what_was_said_step_by_step(name, core):
    model = learning(training(name, core))
    model.policy.set_training_mode(True)
    ratios, seen = [], 0
    for batch in model.rollout_buffer.get(100):
        _, log_prob, _ = model.policy.evaluate_actions(batch.observations, batch.actions)
        ratios.append(float((log_prob - batch.old_log_prob).abs().max().detach()))
        seen += len(batch.actions)
        assert len(batch.actions) < 100 + 64
    assert max(ratios) < 1e-5
    assert seen == model.rollout_buffer.scored().sum()
    spread = torch.cat([b.old_log_prob for b in model.rollout_buffer.get(None)]).std()
    assert spread > 0.05  # the policy distinguishes


@pytest.mark.parametrize("name", ["smart_home", "trips"])
def test_a_stretch_is_of_one_stream_and_in_order(name):
    model = learning(training(name))
    buffer, packing = model.rollout_buffer, model.policy.packing
    places = []
    for batch in buffer.get(64):
        s = batch.observations
        stream, at = packing.stream(s.rows), packing.at(s.rows)
        episode, steps = at[:, 0], at[:, 1]
        begins = torch.unique_consecutive(torch.stack([stream, episode], 1), dim=0)
        assert len(begins) <= len(s.at)
        same = (stream[1:] == stream[:-1]) & (episode[1:] == episode[:-1]) & (steps[1:] >= steps[:-1])
        assert int((~same).sum()) <= len(s.at) - 1
        places += list(zip(stream.tolist(), episode.tolist(), steps.tolist(), s.log_prob.tolist(), strict=True))
    assert len(set(places)) >= 0.95 * len(places) == 0.95 * buffer.scored().sum()


@pytest.mark.parametrize(("name", "core"), CASES)
def test_a_predictor_that_does_not_move_stays_at_no_distance_from_the_frozen_one(name, core):
    agent = PPOAgent()
    given = training(name, core, predictor_rate=0.0, steps=2000, epochs=1)
    model = agent.learner(given, encoder_of(given, prior=True))
    distances = []
    train = model.train

    def noting():
        train()
        distances.append(float(model.policy.noted["kl_prior"]))

    model.train = noting
    model.learn(given.steps)
    assert len(distances) > 1  # rollouts, over which its own memory goes on
    assert max(map(abs, distances)) < 1e-6


def gradients(model, names):
    model.policy.set_training_mode(True)
    (batch,) = model.rollout_buffer.get(None)
    values, log_prob, terms = model.policy.evaluate_actions(batch.observations, batch.actions)
    step = model.policy.step
    found = {}
    for what, loss in (("actor", log_prob.sum()), ("critic", values.sum()), ("terms", terms.sum())):
        for name in names:
            parameter = dict(step.nets[0].named_parameters())[name]
            got = torch.autograd.grad(loss, parameter, retain_graph=True, allow_unused=True)[0]
            found[what, name] = 0.0 if got is None else float(got.abs().sum())
    return found


def test_gradients_flow_back_in_time_from_the_actor_alone():
    found = gradients(learning(training("smart_home")), ["core.weight_hh_l0", "embed.weight", "readout.weight"])
    assert all(size > 0 for (what, _), size in found.items() if what != "critic")
    assert all(size == 0 for (what, _), size in found.items() if what == "critic")


@pytest.mark.parametrize(
    ("tune", "moved"),
    [("readout", {"readout", "next", "soon"}), ("full", {"readout", "next", "soon", "embed", "core"})],
)
def test_what_is_tuned_moves_and_nothing_else(tune, moved):
    given = training("smart_home", tune=tune, predictor_rate=1.0)
    before = fingerprint(given.prior)
    agent = PPOAgent()
    model = agent.learner(given, encoder_of(given, prior=True))
    old = {k: v.clone() for k, v in model.policy.step.nets[0].state_dict().items()}
    model.learn(512)
    new = model.policy.step.nets[0].state_dict()
    assert {k.split(".")[0] for k in old if not torch.equal(old[k], new[k])} == moved
    assert torch.equal(model.policy.frozen.nets[0].next.weight, old["next.weight"])
    assert fingerprint(given.prior) == before  # the prior is shared by other agents


def test_one_optimizer_has_groups_of_rates():
    model = PPOAgent().learner(training("smart_home", predictor_rate=0.0), encoder_of(training("smart_home"), True))
    before = {k: v.clone() for k, v in model.policy.step.state_dict().items()}
    head = {k: v.clone() for k, v in model.policy.head.state_dict().items()}
    model.learn(512)
    after = model.policy.step.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert not all(torch.equal(head[k], v) for k, v in model.policy.head.state_dict().items())


@pytest.mark.parametrize("learner", ["ppo", "a2c"])
@pytest.mark.parametrize("name", WORLDS)
def test_a_tuned_policy_is_an_ordinary_one(name, learner, tmp_path):
    given = training(name, learner=learner, predictor_rate=1.0, certain=0.0)
    agent = PPOAgent()
    policy = agent.fit(given)
    assert isinstance(policy.predictor, Predictor)
    names = {"log_ratio_start", "kl_prior", "replay_nll"}
    assert all(names <= set(point.more) for point in agent.curve)
    assert all(0 <= point.more["top1"] <= 1 for point in agent.curve if "top1" in point.more)
    if learner == "ppo":
        assert all(point.more["log_ratio_start"] < 1e-4 for point in agent.curve)
    save_policy(policy, tmp_path / "policy")
    again = load_policy(tmp_path / "policy", given.prior)
    assert again.with_prior
    assert fingerprint(again.predictor) == fingerprint(policy.predictor)
    scenario = registry.scenario(name)(**WORLDS[name]) if name != "trips" else None
    if scenario is not None:
        totals = [rollout(p, scenario, [7, 8]) for p in (policy, again)]
        assert totals[0] == totals[1]


def test_the_networks_of_a_pool_are_tuned_and_its_counts_stay(tmp_path):
    given = training("smart_home", predictor_rate=1.0, certain=0.0, kl=0.0, replay=0.0)
    pool = pool_of(given.train)
    given = dataclasses.replace(given, prior=pool)
    model = learning(given)
    model.policy.set_training_mode(True)
    worst = 0.0
    for batch in model.rollout_buffer.get(128):
        _, log_prob, _ = model.policy.evaluate_actions(batch.observations, batch.actions)
        worst = max(worst, float((log_prob - batch.old_log_prob).abs().max().detach()))
    assert worst < 1e-5
    assert gradients(model, ["core.weight_hh_l0"])["actor", "core.weight_hh_l0"] > 0
    policy = PPOAgent().fit(given)
    assert isinstance(policy.predictor, Pool)
    assert policy.predictor.counts is pool.counts
    assert np.array_equal(policy.predictor.weights, pool.weights)
    save_policy(policy, tmp_path / "policy")
    assert fingerprint(load_policy(tmp_path / "policy", pool).predictor) == fingerprint(policy.predictor)


def test_the_log_is_replayed_by_number():
    given = training("smart_home")
    from lam_env.agents.fine_tuning.recurrent.replay import Replay
    from lam_env.agents.predictors.torch_step import TorchStep

    step = TorchStep(given.prior)
    replays = [Replay(given, given.prior, torch.device("cpu")) for _ in range(2)]
    losses = [[float(replay.loss(step).detach()) for _ in range(5)] for replay in replays]
    assert losses[0] == losses[1]
    assert len(set(losses[0])) == 5
    assert 0 < np.mean(losses[0]) < 10


def test_frozen_is_the_default_and_has_no_predictor_in_the_policy():
    given = training("smart_home", tune="frozen")
    model = PPOAgent().learner(given, encoder_of(given, prior=True))
    assert type(model.policy) is module.HeadPolicy
    assert TrainSettings().tune == "frozen"


def test_a_predictor_without_networks_is_refused():
    from people import Knowing

    given = dataclasses.replace(training("trips"), prior=Knowing())
    with pytest.raises(UserError, match="need a neural predictor"):
        PPOAgent().fit(given)
