"""The guard against drift: what a predictor loses while it is tuned is taken back, and said."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning import guard as module
from lam_env.agents.fine_tuning.guard import Guard, prediction_by_day
from lam_env.agents.fine_tuning.ppo import PPOAgent
from lam_env.agents.fine_tuning.saved import fingerprint
from lam_env.agents.thresholded import unfitted

from lam_env.core import registry
from lam_env.core.tuning import TrainSettings
from lam_env.experiment.agent_check import small_training

TUNED = TrainSettings(
    steps=1536, envs=4, rollout=128, batch=128, epochs=4, trial=2, start="uniform", tune="full", learning_rate=1e-2
)


@functools.cache
def made():
    return small_training(registry.scenario("smart_home")(days=1), worlds=4, days=6, readout=8, passes=6)


def training(**tuning):
    return dataclasses.replace(made(), tuning=dataclasses.replace(TUNED, **tuning))


def test_what_a_shared_critic_without_replay_spoils_is_taken_back(capsys):
    given = training(critic="shared", predictor_rate=1.0, replay=0.0, kl=0.0)
    policy = PPOAgent().fit(given)
    said = capsys.readouterr().err
    assert "drift guard, step 1,536:" in said
    assert "top-1" in said
    assert "learns at 0.5 of its first rate" in said
    assert fingerprint(policy.predictor) == fingerprint(given.prior)  # there was no better one


def test_unless_the_last_weights_are_asked_for(capsys):
    given = training(critic="shared", predictor_rate=1.0, replay=0.0, kl=0.0, keep="last")
    policy = PPOAgent().fit(given)
    assert "drift guard" not in capsys.readouterr().err
    before = prediction_by_day(unfitted(given.prior), given)["top-1"]
    assert (before - prediction_by_day(policy, given)["top-1"]).mean() > 0.01


def test_a_predictor_that_holds_its_own_is_left_alone(capsys):
    policy = PPOAgent().fit(training(predictor_rate=1e-3, trial=8, certain=0.0))
    assert "drift guard" not in capsys.readouterr().err
    lost = {
        name: float((before - after).mean())
        for (name, before), after in zip(
            prediction_by_day(unfitted(made().prior), made()).items(),
            prediction_by_day(policy, made()).values(),
            strict=True,
        )
    }
    assert max(lost.values()) < 0.005


class Learner:
    """What the guard sees of one."""

    def __init__(self):
        self.policy = torch.nn.Linear(2, 1)
        self.policy.forget = lambda: None
        groups = [{"params": [self.policy.bias]}, {"params": [self.policy.weight], "scale": 0.2}]
        self.policy.optimizer = torch.optim.Adam(groups, lr=0.1)
        self.num_timesteps = 100

    def update(self):
        self.policy.optimizer.zero_grad()
        self.policy(torch.ones(1, 2)).sum().backward()
        self.policy.optimizer.step()

    @property
    def scale(self):
        return self.policy.optimizer.param_groups[1]["scale"]


@pytest.fixture
def guarded(monkeypatch):
    """A guard, its learner, and what will be measured at the checks to come."""
    learner, told, noted = Learner(), [], []
    monkeypatch.setattr(module, "returns", lambda policy, training: np.array(told[0]["return"]))
    monkeypatch.setattr(module, "prediction_by_day", lambda policy, training: {"top-1": np.array(told[0]["top-1"])})
    guard = Guard(learner.policy, lambda module: None, training(), lambda **more: noted.append(more))
    guard.model, guard.num_timesteps = learner, 100

    def check(earned, top1):
        told[:] = [{"return": earned, "top-1": top1}]
        guard.consider()

    return guard, learner, check, noted


GOOD = [10.0, 11.0, 9.0, 10.0]


def test_weights_and_optimizer_go_back_to_the_last_good_check(guarded):
    guard, learner, check, noted = guarded
    check(GOOD, [0.8, 0.9])
    learner.update()
    check([11.0, 12.0, 10.0, 11.0], [0.8, 0.9])
    kept = {k: v.clone() for k, v in learner.policy.state_dict().items()}
    moments = {k: v["exp_avg"].clone() for k, v in learner.policy.optimizer.state_dict()["state"].items()}
    learner.update()
    check([5.0, 5.5, 5.0, 4.5], [0.8, 0.9])
    assert guard.trips == [(100, "return")]
    assert all(torch.equal(kept[k], v) for k, v in learner.policy.state_dict().items())
    state = learner.policy.optimizer.state_dict()["state"]
    assert all(torch.equal(moments[k], state[k]["exp_avg"]) for k in moments)
    assert learner.scale == 0.1
    assert [round(note["top1"], 3) for note in noted] == [0.85] * 3
    assert all(torch.equal(kept[k], v) for k, v in guard.state.items())


def test_what_is_no_larger_than_its_own_error_is_no_fall(guarded):
    guard, learner, check, _ = guarded
    check(GOOD, [0.8, 0.9])
    check([9.8, 10.8, 8.8, 9.8], [0.78, 0.88])
    assert not guard.trips
    check([9.3, 10.3, 8.3, 9.3], [0.8, 0.9])  # less than the best by more than .41
    assert guard.trips
    check(GOOD, [0.70, 0.71])
    assert [what for _, what in guard.trips] == ["return", "top-1"]
    assert learner.scale == 0.05


def test_a_guard_goes_on_from_a_checkpoint(guarded):
    guard, _, check, _ = guarded
    check(GOOD, [0.8, 0.9])
    check([1.0, 1.0, 1.0, 1.1], [0.8, 0.9])
    again, learner = Guard(Learner().policy, lambda module: None, training(), lambda **more: None), Learner()
    again.model = learner
    again.load_state_dict(guard.state_dict())
    assert again.trips == guard.trips
    assert learner.scale == 0.1
    assert again._highest == guard._highest


def test_days_of_worlds_are_what_predictions_are_measured_on():
    given = made()
    by_day = prediction_by_day(unfitted(given.prior), given)
    p = given.prior.read(given.valid).next
    assert len(by_day["top-1"]) == len(by_day["log-likelihood"]) in (6, 7)  # they begin at midnight
    acts = given.valid.target > 0
    hits = p[acts, 1:].argmax(1) + 1 == given.valid.target[acts]
    assert by_day["top-1"].mean() == pytest.approx(hits.mean(), abs=0.05)
    assert (by_day["log-likelihood"] < 0).all()
