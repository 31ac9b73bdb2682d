"""Advice: what it is worth, how acceptance is learned, and that numpy and torch say the same."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.advice.agent import COPY_COST, COPY_GAIN, AdviceAgent, CopyPlugIn, plugin_follow, plugin_own
from lam_env.agents.advice.plugin import (
    FEATURES,
    LATELY,
    OF_KIND,
    PERSONAL,
    AdvicePlugIn,
    AnswerModel,
    fit_logit,
    lately,
    prices,
    willingness,
    worth,
)
from lam_env.agents.fine_tuning.features import PlainFeatures, PriorFeatures
from lam_env.agents.fine_tuning.heads import NEVER, TEMPERATURE, AdviceHead, head_for
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.saved import load_policy, save_policy
from lam_env.agents.memory.heard import ACCEPTED, ANSWERS, COUNTS, OVERRIDDEN, REJECTED
from lam_env.agents.plugin import PlugInAgent, plugin_context
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.simple import Silent
from lam_env.agents.thresholded import Thresholded, with_best_threshold
from people import (
    BUS,
    BY_OWN,
    CAR,
    N_READINGS,
    VOCABULARY,
    WALK,
    WEIGHTS,
    WILLING,
    A,
    Best,
    Knowing,
    Trips,
    log_of_trips,
    training_of_trips,
)
from people import acceptance as true_acceptance

from lam_env.core.contracts import Prediction
from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.observation import DAY_PARTS
from lam_env.evaluation.rollout import rollout

# -- readings that say something of each action


def test_values_are_the_kinds_that_speak_of_every_action():
    readings = (
        "rain",
        "own.bus",
        "half.car",
        "own.car",
        "other.tram",
        "ours.car",
        "ours.bus",
        "car",
        ".bus",
        "own.none",
    )
    v = Vocabulary(("none", "car", "bus"), (), readings)
    assert v.values() == {"own": (3, 1), "ours": (5, 6)}
    assert Vocabulary(("none", "car"), (), ("x.y", "temperature")).values() == {}
    dotted = Vocabulary(("none", "tv.on", "tv.off"), (), ("own.tv.off", "own.tv.on", "tv.on"))
    assert dotted.values() == {"own": (1, 0)}
    assert VOCABULARY.values() == {"external": (1, 2, 3), "own": (4, 5, 6)}


def test_worths_are_told_per_action_and_none_is_worth_nothing():
    context = np.arange(2 * N_READINGS, dtype=np.float32).reshape(2, N_READINGS)
    found = worth(context, VOCABULARY)
    assert list(found) == ["external", "own"]
    assert found["own"].tolist() == [[0, 4, 5, 6], [0, 11, 12, 13]]
    assert found["external"].tolist() == [[0, 1, 2, 3], [0, 8, 9, 10]]


def test_what_acceptance_rests_on():
    p = np.array([[0.2, 0.7, 0.1, 0.0]])
    own = np.array([[0.0, 5.0, -100.0, 100.0]])
    accepted, refused = np.array([[0, 2, 1, 0.0]]), np.array([[0, 0, 0, 7.0]])
    counts = np.zeros((1, COUNTS, 4))
    counts[0, ANSWERS + ACCEPTED], counts[0, ANSWERS + REJECTED], counts[0, ANSWERS + OVERRIDDEN] = 3, 1, 6
    x = willingness(p, own, accepted, refused, np.array([[0.4]]), counts)
    assert x.shape == (1, 4, len(FEATURES))
    assert x[0, :, 0].tolist() == [1] * 4
    assert x[0, :, 1].tolist() == [0, 0.5, -3, 3]
    assert x[0, :, 2] == pytest.approx(np.log(p[0] + 1e-4), rel=1e-5)
    assert x[0, :, 3] == pytest.approx([np.log(0.7001)] * 4)
    assert x[0, :, 4] == pytest.approx([0.4] * 4)
    assert x[0, :, 5:OF_KIND] == pytest.approx(np.log(np.tile([4.0, 8.0], (4, 1))))
    assert x[0, :, OF_KIND:] == pytest.approx(np.log(np.tile([4.0, 8.0], (4, 1))))


def test_a_reading_may_tell_how_often_a_person_was_advised():
    context = np.array([[5.0, 0.25], [6.0, 0.5]], np.float32)
    assert lately(context, Vocabulary(("none", "go"), (), ("rain", LATELY))).tolist() == [[0.25], [0.5]]
    assert lately(context, Vocabulary(("none", "go"), (), ("rain", "snow"))).tolist() == [[0], [0]]


# -- answers


def test_answers_give_back_what_they_were_made_from():
    """Following and annoyance as logits with an intercept by action; answers are rewarded with .1 or -.5."""
    rng, n = np.random.default_rng(3), 40_000
    x = np.concatenate([np.ones((n, 1)), rng.normal(size=(n, len(FEATURES) - 1))], 1)
    advised, by = rng.integers(1, 4, n), np.array([0.0, -1.0, 0.0, 1.0])
    followed = rng.random(n) < 1 / (1 + np.exp(-(0.5 * x[:, 2] + by[advised])))
    annoyed = rng.random(n) < 1 / (1 + np.exp(-(x[:, 4] - 1.0)))
    found = AnswerModel.fit(x, advised, followed * 1.0, np.where(annoyed, -0.5, 0.1), A, 5)
    assert (found.best, found.worst) == (0.1, -0.5)
    assert found.follow[2] == pytest.approx(0.5, abs=0.05)
    assert np.diff(found.follow_by[1:]) == pytest.approx([1.0, 1.0], abs=0.1)
    assert found.upset[4] == pytest.approx(1.0, abs=0.05)
    assert not found.follow[5:].any()
    assert not found.upset[5:].any()
    shown = np.zeros((1, A, len(FEATURES)))
    shown[..., 0], shown[..., 4] = 1.0, 1.0  # annoyed half of the time
    assert found.price(shown)[0, 1:] == pytest.approx([-0.2] * 3, abs=0.02)


@given(st.floats(-1, 0), st.integers(0, 5))
def test_where_all_answers_are_paid_alike_that_is_their_price(paid, n):
    x = np.random.default_rng(n).normal(size=(n, len(FEATURES)))
    found = AnswerModel.fit(x, np.ones(n, int), np.zeros(n), np.full(n, paid), A, PERSONAL)
    price = found.price(np.zeros((1, A, len(FEATURES))))
    assert np.isfinite(price).all()
    assert (price <= 0).all()
    assert (price >= paid).all()
    often = AnswerModel.fit(
        np.ones((900, len(FEATURES))), np.ones(900, int), np.zeros(900), np.full(900, paid), A, PERSONAL
    )
    assert often.price(np.ones((1, A, len(FEATURES))))[0, 1] == pytest.approx(paid, abs=0.02)


# -- the logit


def test_the_logit_finds_known_coefficients():
    rng, beta = np.random.default_rng(0), np.array([-0.5, 1.5, 0.7, -1.0])
    x = np.concatenate([np.ones((40_000, 1)), rng.normal(size=(40_000, 3))], 1)
    y = (rng.random(len(x)) < 1 / (1 + np.exp(-x @ beta))).astype(float)
    assert fit_logit(x, y) == pytest.approx(beta, abs=0.06)
    loose = fit_logit(x[:200], y[:200], ridge=1e-9)
    assert np.abs(fit_logit(x[:200], y[:200], ridge=100.0)).max() < np.abs(loose).max()


@given(
    st.lists(st.tuples(st.floats(-30, 30), st.floats(-10, 0), st.sampled_from([0.0, 1.0])), min_size=1, max_size=30),
    st.sampled_from(["as drawn", "all yes", "all no", "separable"]),
)
def test_the_logit_is_finite_and_the_best_whatever_the_answers(rows, kind):
    data = np.array(rows)
    x, y = np.concatenate([np.ones((len(data), 1)), data[:, :2]], 1), data[:, 2]
    y = {"as drawn": y, "all yes": np.ones(len(y)), "all no": np.zeros(len(y)), "separable": (x[:, 1] > 0) * 1.0}[kind]
    beta = fit_logit(x, y)
    assert np.isfinite(beta).all()
    p = 1 / (1 + np.exp(-(x @ beta)))
    assert x.T @ (y - p) == pytest.approx(beta, abs=1e-3)  # the gradient of the penalised likelihood is zero


def test_one_sided_answers_pull_one_way():
    x = np.ones((50, 1))
    assert fit_logit(x, np.ones(50))[0] > 2
    assert fit_logit(x, np.zeros(50))[0] < -2
    assert fit_logit(np.zeros((1, 3)), np.zeros(1)).tolist() == [0, 0, 0]


# -- numpy and torch say the same


def observations(n=64, seed=0):
    rng = np.random.default_rng(seed)
    mask = (rng.random((n, A)) < 0.7).astype(np.int8)
    mask[:, 0] = 1
    epoch = np.zeros((n, 5), np.int64)
    epoch[:, 0], epoch[:, 2] = rng.integers(0, 10**6, n), rng.integers(0, 3, n)
    return {
        "tokens": rng.integers(0, A, (n, 16)),
        "epoch": epoch,
        "clock": rng.normal(size=(n, 4)).astype(np.float32),
        "context": (20 * rng.normal(size=(n, N_READINGS))).astype(np.float32),
        "since": (1e5 * rng.random((n, VOCABULARY.n_tokens))).astype(np.float32),
        "feedback": rng.integers(0, 9, (n, 2 * A)).astype(np.float32),
        "heard": rng.integers(0, 9, (n, DAY_PARTS * len(VOCABULARY.feedback) * A)).astype(np.float32),
        "action_mask": mask,
    }


def features(vocabulary=VOCABULARY):
    predictor = Knowing()
    predictor.vocabulary = vocabulary
    return PriorFeatures(predictor, np.zeros(N_READINGS), np.ones(N_READINGS))


def any_answers(seed=0):
    rng = np.random.default_rng(seed)
    return AnswerModel(*(rng.normal(size=n) for n in (len(FEATURES), A) * 2), best=0.05, worst=-0.3)


TOLD = Vocabulary(
    VOCABULARY.actions, VOCABULARY.sensors, (LATELY, *VOCABULARY.readings[1:]), VOCABULARY.feedback
)  # of how often, not of rain


@pytest.mark.parametrize("weights", [{"own": 0.3, "external": -0.2}, {"own": 0.3}, {}])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("vocabulary", [VOCABULARY, TOLD], ids=["rain", "told"])
def test_the_head_starts_as_the_plug_in(weights, seed, vocabulary):
    seen, made = observations(seed=seed), features(vocabulary)
    seen["context"][:, 0] = np.random.default_rng(seed).random(64)
    plugin = AdvicePlugIn(made.predictor, any_answers(seed), weights, 0.15)
    head = AdviceHead(made.layout)
    head.start_from(plugin)
    vector, carry = made(seen, None, None)
    values = plugin.scores(seen, carry.said)
    logits = head(torch.from_numpy(vector)).detach().numpy()
    possible = seen["action_mask"] > 0
    np.testing.assert_allclose(logits[possible], values[possible] / TEMPERATURE, atol=2e-3, rtol=1e-4)
    assert (logits[~possible] == NEVER).all()
    assert np.isneginf(values[~possible]).all()
    assert not logits[:, 0].any()
    best = np.sort(values, 1)
    clear = best[:, -1] - best[:, -2] > 1e-3
    assert np.array_equal(logits.argmax(1)[clear], values.argmax(1)[clear])
    assert np.array_equal(plugin.predict(seen)[0], values.argmax(1))


def test_a_policy_that_advises_comes_back_from_disk(tmp_path):
    predictor = Predictor(VOCABULARY, Featuriser.fit(log_of_trips()), PredictorSettings(hidden=8, embedding=4))
    made = PriorFeatures(predictor, np.zeros(N_READINGS), np.full(N_READINGS, 2.0))
    head = AdviceHead(made.layout, (8,))
    head.start_from(AdvicePlugIn(predictor, any_answers(), WEIGHTS, 0.3))
    save_policy(TunedPolicy(made, head), tmp_path / "policy")
    again = load_policy(tmp_path / "policy", predictor)
    assert type(again.head) is AdviceHead
    assert again.features.layout == made.layout
    seen = observations()
    assert torch.equal(again.logits(seen, None, None)[0], TunedPolicy(made, head).logits(seen, None, None)[0])


def test_the_head_may_learn_away_from_it():
    made, seen = features(), observations()
    head = AdviceHead(made.layout)
    head.start_from(AdvicePlugIn(made.predictor, any_answers(), WEIGHTS, 0.1))
    vector = torch.from_numpy(made(seen, None, None)[0])
    torch.log_softmax(head(vector), 1)[:, 1].clamp_min(-50).sum().backward()
    assert all(bool(p.grad.abs().sum() > 0) for name, p in head.named_parameters() if "correction.0" not in name)
    assert head_for("advise") is AdviceHead
    with pytest.raises(UserError, match="no policy head for interaction 'command'; there are anticipate, advise"):
        head_for("command")


def test_where_nothing_is_valued_advice_is_worth_its_nag():
    readings = tuple(f"r{i}" for i in range(N_READINGS))
    v = Vocabulary(VOCABULARY.actions, VOCABULARY.sensors, readings, VOCABULARY.feedback)
    made, seen = features(v), observations()
    assert (made.layout.worths, made.layout.rest) == ((), (5 + COUNTS) * A + 1)
    plugin = AdvicePlugIn(made.predictor, AnswerModel.alike(A), {}, 0.2)
    head = AdviceHead(made.layout)
    head.start_from(plugin)
    vector, carry = made(seen, None, None)
    possible = seen["action_mask"][:, 1:] > 0
    assert plugin.scores(seen, carry.said)[:, 1:][possible] == pytest.approx(-0.2)
    shy = -0.2 / TEMPERATURE - np.log(A)  # advice begins with a handicap, or all would leave before anything is learned
    assert head(torch.from_numpy(vector)).detach().numpy()[:, 1:][possible] == pytest.approx(shy)


def test_the_layout_says_where_things_are():
    made, seen = features(), observations()
    vector, _ = made(seen, None, None)
    layout, plain = made.layout, PlainFeatures(VOCABULARY, np.zeros(N_READINGS), np.ones(N_READINGS))
    assert layout.worths == ("external", "own")
    assert vector.shape[1] == layout.size == (7 + COUNTS) * A + 1 + layout.n_rest
    offered = worth(seen["context"], VOCABULARY)
    assert np.array_equal(vector[:, layout.worth : layout.worth + A], offered["external"])
    assert np.array_equal(vector[:, layout.worth + A : layout.worth + 2 * A], offered["own"])
    assert np.array_equal(vector[:, layout.rest : layout.rest + 6].sum(1), np.ones(64))  # the part of the day
    assert plain.layout.worths == ()
    assert plain(seen, None, None)[0].shape[1] == plain.layout.size


# -- in worlds whose people answer with known probability


def mean_return(policy, **settings):
    scenario = Trips(days=10.0, **settings)
    return np.mean([t["reward.return"] for t in rollout(policy, scenario, list(range(50, 62)))])


def test_prices_are_the_rewards():
    assert prices(training_of_trips()) == ({"external": 0.1, "own": 0.1}, 0.1)
    bare = training_of_trips()
    bare.reward_weights = {"own": 2.0}
    assert prices(bare) == ({"external": 0.0, "own": 2.0}, 0.0)


def test_the_plug_in_learns_acceptance_and_comes_near_the_best():
    policy = AdviceAgent().fit(training_of_trips())
    seen = observations(512)
    seen["context"][:, 4:] = np.random.default_rng(1).uniform(-10, 20, (512, 3))
    p = np.tile([0, 0.9, 0.1, 0.0], (512, 1))
    own = worth(seen["context"], VOCABULARY)["own"]
    found = policy.answers.acceptance(
        willingness(p, own, *np.split(seen["feedback"], 2, 1), np.zeros((512, 1)), policy.counts.by_kind(seen))
    )
    error = (found - true_acceptance(worth(seen["context"], VOCABULARY)["own"]))[:, [BUS, WALK]]
    assert np.abs(error).mean() < 0.06
    assert policy.answers.follow[1] == pytest.approx(BY_OWN, abs=0.35)
    assert not policy.answers.follow[PERSONAL:].any()
    none, best, own = mean_return(Silent()), mean_return(Best()), mean_return(policy)
    assert none == 0
    assert best > 10
    assert own > 0.95 * best
    assert WILLING < 0


def test_the_plug_ins_of_the_table_are_those_that_advise():
    whole, online = PlugInAgent().fit(training_of_trips()), plugin_context().fit(training_of_trips())
    assert type(whole) is type(online) is AdvicePlugIn
    assert not whole.answers.follow[PERSONAL:].any()
    assert online.answers.follow[5:OF_KIND].all()
    assert not online.answers.follow[OF_KIND:].any()
    assert mean_return(online) > 0.9 * mean_return(Best())
    narrow = plugin_own().fit(training_of_trips())
    assert narrow.weights == {"own": 0.1}
    assert 0 < mean_return(narrow) < mean_return(whole)  # it does not see what others would save


def test_one_that_copies_copies_and_helps_nobody():
    policy = plugin_follow().fit(training_of_trips())
    assert type(policy) is CopyPlugIn
    seen = observations()
    seen["action_mask"][:] = 1
    said, _ = policy.predict(seen)
    assert said.tolist() == [CAR if person % 2 == 0 else BUS for person in seen["epoch"][:, 2]]
    p = np.tile([[0.0, 0.9, 0.1, 0.0]], (64, 1))
    assert policy.scores(seen, Prediction(p))[0].tolist() == pytest.approx(
        [0, 0.9 * COPY_GAIN - 0.1 * COPY_COST, -0.35, -COPY_COST]
    )
    assert mean_return(policy) < 0
    plain = with_best_threshold(Knowing(), training_of_trips())
    assert (type(plain), plain.threshold) == (Thresholded, 0.0)
    assert plain.predict(seen)[0].tolist() == said.tolist()  # a predictor alone can only copy
    seen["action_mask"][:, 1:] = 0
    assert not plain.predict(seen)[0].any()


@pytest.mark.parametrize(("nag", "talks"), [(0.0, True), (0.5, True), (5.0, False)])
def test_what_advice_costs_is_respected(nag, talks):
    policy = AdviceAgent().fit(training_of_trips(nag=nag))
    assert policy.nag == pytest.approx(nag)
    totals = rollout(policy, Trips(days=5.0, nag=nag), list(range(50, 58)))
    best = rollout(Best(nag), Trips(days=5.0, nag=nag), list(range(50, 58)))
    silence, its = (np.mean([t["feedback.noop_rate"] for t in found]) for found in (totals, best))
    assert (silence < 1) == talks
    # a word that would move nothing may be left unsaid
    assert silence == pytest.approx(its, abs=0.1)
    assert np.mean([t["reward.return"] for t in totals]) >= 0
