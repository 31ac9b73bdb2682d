"""What was done lately counts for more: known weights, the loss, and a habit that has changed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from lam_env.agents.predictors.cores import PredictorNetwork
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.likelihood import LONG, recent
from lam_env.agents.predictors.pretrain import pretrain
from lam_env.agents.predictors.settings import HALF_LIFE, PredictorSettings
from lam_env.agents.predictors.training import Chunks, chunk_loss
from torch.nn import functional

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY
from lam_env.logs.decision_points import BAG, DecisionPoints

QUICK = PredictorSettings(hidden=8, embedding=8, readout=0, window=16, batch=4, passes=30, autocast=False, dropout=0.0)
QUICK = dataclasses.replace(QUICK, schedule="constant", embedding_dropout=0.0, half_life=1.0)


def days(*each: list[int], world: int = 0) -> DecisionPoints:
    """What is done on each day, an hour apart; the last row leads to nothing."""
    token = np.array([action for day in each for action in day])
    at = [d * DAY + k * 3600 for d, day in enumerate(each) for k in range(len(day))]
    tokens = np.zeros((len(token), BAG), np.int64)
    tokens[:, -1] = token
    zero = np.zeros(len(token), np.float32)
    target = np.r_[token[1:], 0]
    words = Vocabulary(("none", "tea", "tv"))
    of = np.full(len(token), world, np.int32)
    return DecisionPoints(
        words, of, np.array(at), zero, zero, tokens, zero[:, None][:, :0], target, None, zero.astype(np.int16)
    )


def test_a_half_life_before_the_last_day_a_row_counts_half() -> None:
    # a row counts as the day of what follows it: the day's last one leads to the next morning
    age = np.r_[49, np.repeat(np.arange(48, -1, -1), 2), 0]
    for half_life, taken in ((2.0, 25), (35.0, 35)):  # half of fifty days are more than two
        weights = recent(days(*[[1, 2]] * 50), half_life)
        assert weights is not None
        np.testing.assert_allclose(weights, 0.5 ** (age / taken), rtol=1e-5)


@given(st.integers(1, 300), st.floats(0.5, 1000))
@example(LONG + 1, 1.0)
@example(LONG + 2, 1.0)
def test_no_day_of_however_long_a_log_is_lost(length: int, half_life: float) -> None:
    weights = recent(days(*[[1]] * length), half_life)
    # the only row of a day leads to the next, so the first day has none of its own
    assert (weights is None) == (length - 1 <= LONG)
    if weights is not None:
        assert weights.min() >= 0.25
        assert weights.max() == 1
        assert (np.diff(weights) >= 0).all()


def test_several_streams_and_simulated_logs_count_alike() -> None:
    one, two = days(*[[1, 2]] * 50), days(*[[1, 2]] * 50, world=1)
    columns = {k: np.concatenate([v, two.columns()[k]]) for k, v in one.columns().items()}
    assert recent(one.with_columns(columns), 21.0) is None
    assert recent(one, 0.0) is None
    assert PredictorSettings.for_log(1000).half_life == 0
    assert PredictorSettings.for_log(1000, pooled=True).half_life == HALF_LIFE
    with pytest.raises(UserError, match="half_life = -1"):
        PredictorSettings(half_life=-1)


@pytest.mark.parametrize("half_life", [0.0, 1.0])
def test_the_loss_is_the_weighed_mean_of_the_rows(half_life: float) -> None:
    train = days([1, 2, 1], [2, 2], *[[1]] * 40, [1, 1, 2])
    settings = dataclasses.replace(QUICK, half_life=half_life)
    data = Chunks(train, Featuriser.fit(train), settings, torch.device("cpu"))
    torch.manual_seed(0)
    net = PredictorNetwork(train.vocabulary.n_tokens, 3, data.featuriser.size, settings).eval()
    rows = torch.arange(len(train))[None]
    logits, *_ = net(data.tokens[rows], data.features[rows])
    each = functional.cross_entropy(logits[0], data.target, reduction="none").detach().numpy()
    weights = recent(train, half_life)
    expected = np.average(each, weights=weights)
    assert float(chunk_loss(net, data, rows, rows >= 0).detach()) == pytest.approx(expected, rel=1e-5)


def test_a_new_habit_is_learned_before_an_old_one_is_forgotten() -> None:
    train = days(*[[1]] * 32, *[[2]] * 12)
    train = dataclasses.replace(train, tokens=np.zeros_like(train.tokens))  # no input tells which of the two holds
    told = []
    for half_life in (0.0, 6.0):
        predictor = pretrain(train, train, dataclasses.replace(QUICK, half_life=half_life, core="mlp"))
        told.append(predictor.read(train, hidden=False).next[-1])
    assert told[1][2] > told[0][2] + 0.1
