"""The trial of advice: whom it moves, what answers are rewarded with, and worths that no reading tells."""

import dataclasses

import numpy as np
import pytest
from lam_env.agents.advice.agent import AdviceAgent
from lam_env.agents.advice.experiment import AdviceAnswers, Counts, try_advice
from lam_env.agents.advice.plugin import FEATURES, OF_KIND, SCALE, AnswerModel
from people import A, Trips, TripsWorld, training_of_trips
from people import acceptance as true_acceptance
from scripted import Saying, ScriptedEnv

from lam_env.core.contracts import Training
from lam_env.core.events import FEEDBACK, SENSOR, Vocabulary
from lam_env.core.seeds import Use
from lam_env.envs.vector import LamVectorEnv


def answers(given):
    """What persons answer in a trial of six worlds."""
    trial = try_advice(given, worlds=6)
    return trial.x, trial.followed


def test_a_trial_hears_who_accepts_what():
    x, y = answers(training_of_trips(days=20.0))
    assert x.shape == (len(y), len(FEATURES))
    assert set(y.tolist()) == {0.0, 1.0}
    assert len(y) > 800
    own = SCALE * x[:, 1]
    for low, high in ((-10, -5), (-5, 5), (5, 12), (12, 20)):
        here = (own >= low) & (own < high)
        assert y[here].mean() == pytest.approx(true_acceptance(own[here]).mean(), abs=0.1)
    again = answers(training_of_trips(days=20.0))
    assert np.array_equal(x, again[0])
    assert not np.array_equal(x[:100], answers(training_of_trips(seed=1, days=20.0))[0][:100])


def test_answers_are_those_of_the_person_who_was_told():
    """Others are asked before a person answers: the counts of answers must be that person's own."""
    x, y = answers(training_of_trips(people=5))
    count = np.exp(x[:, 5:OF_KIND]) - 1  # accepted and refused
    of_kind = np.exp(x[:, OF_KIND:]) - 1
    assert (of_kind <= count + 1e-2).all()
    assert (of_kind < count - 0.5).any()
    assert np.allclose(count, np.round(count), atol=1e-2)
    assert count.sum(1).max() < len(y) / 10  # of five persons in six worlds, of which some hear thrice the mean


def test_answers_are_counted_once_and_what_says_nothing_of_acceptance_not_at_all():
    given, envs = training_of_trips(), []

    def make_worlds(n, **options):
        envs.append(LamVectorEnv(n, Trips(days=10.0), **options))
        return envs[-1]

    given.make_worlds = make_worlds
    _, y = answers(given)
    tokens = []
    for world in envs[0].worlds:
        last = {e.user: e.time for e in world.records if e.kind == SENSOR}
        tokens += [e.token for e in world.records if e.kind == FEEDBACK and e.time < last[e.user]]
    took, left, same = (tokens.count(token) for token in range(3))
    assert (sum(y), len(y)) == (took, took + left)
    assert min(took, left, same) > 50


def test_where_nobody_answers_nothing_is_learned():
    class Mute(TripsWorld):
        def feedback_event(self, *args):
            pass

    class Deaf(Trips):
        World = Mute

    deaf = training_of_trips()
    deaf.make_worlds = lambda n, **options: LamVectorEnv(n, Deaf(), **options)
    x, y = answers(deaf)
    assert (x.shape, y.tolist()) == ((1, len(FEATURES)), [0.0])
    assert AdviceAgent().fit(deaf).answers.follow.tolist() == [0.0] * len(FEATURES)


def test_answers_are_paid_as_the_reward_term_of_their_name(monkeypatch):
    monkeypatch.setattr("lam_env.agents.advice.experiment.DECISIONS", 3_000)  # what is learned of them does not matter
    given = training_of_trips()
    given.reward_weights = {**given.reward_weights, "accept": 0.1, "refuse": -0.5, "rain": 7.0}
    trial = try_advice(given, worlds=2)
    assert set(trial.paid.tolist()) == {0.1, -0.5}
    assert np.array_equal(trial.paid == 0.1, trial.followed == 1)
    made = AdviceAgent().fit(given).answers
    assert (made.best, made.worst) == (0.1, -0.5)
    assert not try_advice(training_of_trips(), worlds=2).paid.any()


def test_some_are_told_much_and_some_little():
    given, envs = training_of_trips(), []

    def make_worlds(n, **options):
        envs.append(LamVectorEnv(n, Trips(days=5.0), **options))
        return envs[-1]

    given.make_worlds = make_worlds
    try_advice(given, worlds=12)
    advice = sorted(world.agent_acts for world in envs[0].worlds)
    assert advice[-1] > 3 * advice[0]


# -- worths that no reading tells


def counted(ends, context, pays):
    """What a trial in such worlds counts. `context` (n, C) is seen all the time."""
    vocabulary, n = Vocabulary(("none", "a", "b"), (), ("x", "y", "z")), len(ends)
    seen = {
        "tokens": np.zeros((n, 16), np.int64),
        "epoch": np.zeros((n, 5), np.int64),
        "context": np.asarray(context, np.float32),
        "clock": np.zeros((n, 4), np.float32),
        "action_mask": np.ones((n, 3), np.int8),
        "feedback": np.zeros((n, 6), np.float32),
        "heard": np.zeros((n, 0), np.float32),
    }
    prior, env = Saying(vocabulary, [0.6, 0.2, 0.2]), ScriptedEnv(ends, lambda t: seen, pays)
    training = Training(vocabulary, "advise", None, None, lambda n, **_: env, {"nag": -0.1}, prior=prior)
    return try_advice(training, n).counts


def test_rewards_are_discounted_along_each_world():
    rewards = np.array([[1.0, 10], [2, 20], [4, 0]])
    found = counted([3, 2], np.zeros((2, 3)), lambda t, actions: rewards[t]).gained
    # less what is expected, which is the same all the time: 1 + .97 (2 + .97 x 4), 10 + .97 x 20, 2 + .97 x 4, 20 and 4
    assert (found - found[-1]).tolist() == pytest.approx([6.7036 - 4, 29.4 - 4, 5.88 - 4, 16, 0])


def test_what_the_situation_explains_is_no_surprise():
    context = np.random.default_rng(0).normal(size=(5000, 3))
    found = counted([1] * 5000, context, lambda t, actions: context @ [1.0, -2.0, 0.0] + 5 + 0.7 * (actions > 0))
    silent = found.advised == 0
    assert 0.1 < silent.mean() < 0.9
    assert np.abs(found.gained[silent]).max() < 0.05
    assert found.gained[~silent] == pytest.approx(0.7, abs=0.05)


def nobody():
    """Answers of nobody."""
    return np.zeros((1, len(FEATURES))), np.zeros(1, int), np.zeros(1), np.zeros(1)


def test_a_counted_worth_gives_back_what_advice_came_to():
    """By construction: acceptance .5, p .2, so advice turns .3 of the .8: a worth of w brings .375 w less the nag."""
    rng, n, nag = np.random.default_rng(1), 60_000, 0.1
    advised = rng.integers(0, 4, n)
    true = np.array([0.0, 1.0, 0.2, -0.5])
    gained = (0.5 - 0.2) / 0.8 * true[advised] - nag * (advised > 0) + rng.normal(0, 0.5, n)
    counts = Counts(advised, np.zeros((n, len(FEATURES))), np.full(n, 0.8), gained)
    assert AdviceAnswers(*nobody(), 4, counts).worths(AnswerModel.alike(4), nag) == pytest.approx(true, abs=0.05)


def test_what_is_hardly_tried_is_held_near_the_mean():
    rng, n = np.random.default_rng(2), 4000
    advised = np.where(np.arange(n) < 8, 3, rng.integers(0, 3, n))
    gained = rng.normal(0, 1.0, n) + 5 * (advised == 3) * (np.arange(n) % 2)  # by chance four of eight were lucky
    counts = Counts(advised, np.zeros((n, len(FEATURES))), np.ones(n), gained)
    raw = gained[advised == 3].mean() - gained[advised == 0].mean()
    assert abs(AdviceAnswers(*nobody(), 4, counts).worths(AnswerModel.alike(4), 0.0)[3]) < raw


def test_where_readings_tell_nothing_is_counted():
    trial = try_advice(training_of_trips(), worlds=2)
    assert trial.counts is None
    assert not trial.worths(AnswerModel.alike(A), 0.1).any()


def test_a_trial_takes_no_more_worlds_than_it_has_room_for():
    """Where a life has one decision, so many decision points are as many worlds: some were evaluation worlds."""
    given, asked = training_of_trips(), []
    lives = given.train.world // given.train.people
    given.train = given.train.select(np.r_[True, lives[1:] != lives[:-1]])

    class AskedError(Exception):
        pass

    def make_worlds(n, **options):
        asked.append(n)
        raise AskedError

    given.make_worlds, given.vocabulary = make_worlds, dataclasses.replace(given.vocabulary, readings=())
    with pytest.raises(AskedError):
        try_advice(given)
    assert asked == [Use.PLUGIN_TRIAL.room]
