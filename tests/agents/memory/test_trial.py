"""Trials in which households answer: what is set down of an act, and in whose worlds."""

import dataclasses

import numpy as np
import pytest
import torch
from lam_env.agents.fine_tuning.features import PriorFeatures
from lam_env.agents.fine_tuning.heads import AnticipationHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.start import PlugInMemoryAgent, untried_head
from lam_env.agents.memory import trial
from lam_env.agents.memory.heard import ACCEPTED, ANSWERS, IN_VAIN, OVERRIDDEN, REJECTED
from lam_env.agents.memory.network import OUTCOMES, AnswerNet
from scripted import Saying

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import FEEDBACK
from lam_env.core.tuning import TrainSettings
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment.agent_check import small_training

HEARD = slice(OUTCOMES + 3, None)  # the counts among the features, as logarithms


@pytest.fixture(scope="module")
def training():
    made = small_training(registry.scenario("smart_home")(days=1, households="alike"))
    return dataclasses.replace(made, tuning=TrainSettings(steps=1, trial=2))


def policy_of(training):
    features = PriorFeatures(training.prior, np.zeros(len(training.vocabulary.readings)), np.ones(1))
    return TunedPolicy(features, untried_head(training, features), 1)


def test_each_act_is_set_down_with_the_answer_that_it_got(training):
    envs = []

    def make_worlds(n, **more):
        envs.append(LamVectorEnv(n, registry.scenario("smart_home")(days=1, households="alike"), **more))
        return envs[-1]

    given = dataclasses.replace(training, make_worlds=make_worlds)
    found = trial.try_acts(policy_of(given), given, 4, first=6)
    words = given.vocabulary.feedback
    assert len(found.x) == len(found.action) == len(found.answer) == sum(w.agent_acts for w in envs[0].worlds) > 50
    assert set(found.world.tolist()) <= {6, 7, 8, 9}
    for outcome, word in ((ACCEPTED, "accept"), (REJECTED, "reject"), (OVERRIDDEN, "override")):
        logged = {
            (i, e.answers)
            for i, w in enumerate(envs[0].worlds)
            for e in w.records
            if e.kind == FEEDBACK and words[e.token] == word
        }
        assert abs((found.answer == outcome).sum() - len(logged)) <= 0.1 * len(logged) + 2  # an act may get two
    assert (found.answer == IN_VAIN).any()


def test_in_every_second_household_what_is_refused_goes_on(training):
    found = trial.try_acts(policy_of(training), training, 8)
    refused = np.expm1(found.x[:, HEARD])[:, ANSWERS + REJECTED :].sum(1)  # of its kind, before the act
    deaf = found.world % 2 == 1
    assert refused[deaf].mean() > refused[~deaf].mean() > 0
    again = trial.try_acts(policy_of(training), training, 8)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def test_rounds_are_in_worlds_of_their_own_and_each_acts_by_what_the_one_before_has_learned(training, monkeypatch):
    asked, acted = [], []

    def try_acts(policy, given, worlds, first=0):
        asked.append((worlds, first))
        rng = np.random.default_rng(first)
        n = 64
        return trial.ActAnswers(
            rng.normal(size=(n, trial.AnswerNet(3).hidden.in_features - 8)).astype(np.float32),
            rng.integers(0, 3, n),
            rng.integers(0, OUTCOMES, n),
            first + rng.integers(0, worlds, n),
        )

    monkeypatch.setattr(trial, "try_acts", try_acts)
    net = AnswerNet(3)
    learned = trial.learn_answers(lambda net: acted.append(net), net, training)
    assert asked == [(trial.WORLDS, k * trial.WORLDS) for k in range(trial.ROUNDS)]
    assert acted[0] is net
    assert learned is not net


def test_what_it_has_learned_is_a_policy_of_its_own_row(training, monkeypatch):
    monkeypatch.setattr(trial, "WORLDS", 8)
    one, two = (PlugInMemoryAgent().fit(training) for _ in range(2))
    assert type(one.head) is AnticipationHead
    pairs = zip(one.head.state_dict().values(), two.head.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not any(p.requires_grad for p in one.head.answers.parameters())
    plain = dataclasses.replace(training, tuning=TrainSettings(start="silent"))
    with pytest.raises(UserError, match=r"train\.start=silent is for plain heads"):
        PlugInMemoryAgent().fit(plain)


def test_where_nothing_is_likely_enough_nothing_is_tried_and_the_guess_stays(training):
    quiet = dataclasses.replace(training, prior=Saying(training.vocabulary, np.eye(len(training.vocabulary))[0]))
    quiet.prior.n_hidden = 0
    features = PriorFeatures(quiet.prior, np.zeros(len(training.vocabulary.readings)), np.ones(1))
    features.vector = lambda observation, said: np.zeros((len(observation["epoch"]), features.layout.size), np.float32)
    policy = TunedPolicy(features, untried_head(quiet, features))
    found = trial.try_acts(policy, quiet, 2)
    assert [len(part) for part in found] == [0] * 4
    net = AnswerNet(len(training.vocabulary))
    made = trial.fit(net, found)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), made.parameters(), strict=True))
