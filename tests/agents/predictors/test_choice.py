"""Of several settings those are taken that read best what training has left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from lam_env.agents.predictors import pretrain as module
from lam_env.agents.predictors.likelihood import mean_nll
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.pretrain import left_out_nll, pretrain
from lam_env.agents.predictors.settings import PredictorSettings

from lam_env.core.events import Vocabulary
from lam_env.core.units import HOUR
from lam_env.experiment.jobs import candidates
from lam_env.experiment.settings import PredictorChoice, RunSettings
from lam_env.logs.decision_points import BAG, DecisionPoints

QUICK = PredictorSettings(hidden=8, embedding=8, window=16, batch=4, passes=6, learning_rate=1e-2, autocast=False)
BAD = dataclasses.replace(QUICK, dropout=0.9, embedding_dropout=0.95, weight_decay=9.0)


def circle(length: int, first: int = 0) -> DecisionPoints:
    """Three actions in turn, one an hour."""
    token = (np.arange(length) + first) % 3 + 1
    tokens = np.zeros((length, BAG), np.int64)
    tokens[:, -1] = token
    zero, user = np.zeros(length, np.float32), np.zeros(length, np.int16)
    words = Vocabulary(("none", "light", "tv", "door"))
    time = (np.arange(length) + first) * HOUR
    context = np.zeros((length, 0), np.float32)
    target = np.r_[token[1:], 0]
    return DecisionPoints(words, user.astype(np.int32), time, zero, zero, tokens, context, target, None, user)


TRAIN, VALID = circle(240), circle(60, 240)


def weights(predictor: Predictor) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in predictor.nets.parameters()]


@pytest.mark.parametrize("blocks", [0, 4])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_better_one_is_taken_wherever_it_stands(blocks: int, order: tuple[int, int]) -> None:
    good, bad = (dataclasses.replace(s, blocks=blocks, members=2) for s in (QUICK, BAD))
    first, second = (([good, bad])[i] for i in order)
    taken = pretrain(TRAIN, VALID, first, seed=3, others=[second])
    assert taken.settings.dropout == good.dropout
    assert weights(taken) == weights(pretrain(TRAIN, VALID, good, seed=3))
    assert left_out_nll(taken, TRAIN, VALID) < left_out_nll(pretrain(TRAIN, VALID, bad, seed=3), TRAIN, VALID)


def test_the_score_is_that_of_rows_that_validate() -> None:
    made = pretrain(TRAIN, VALID, QUICK)
    reading = TRAIN.with_columns({k: np.concatenate([v, VALID.columns()[k]]) for k, v in TRAIN.columns().items()})
    said = made.read(reading).next[len(TRAIN) :]
    assert left_out_nll(made, TRAIN, VALID) == pytest.approx(mean_nll(said, VALID.target))


def test_each_member_is_asked_of_what_it_left_out_alone() -> None:
    made, read = pretrain(TRAIN, VALID, dataclasses.replace(QUICK, blocks=4, members=2)), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "mean_nll", lambda said, target: read.append(len(target)) or float(len(read)))
        found = left_out_nll(made, TRAIN, VALID)
    assert len(read) == 2
    assert found == pytest.approx(np.average([1.0, 2.0], weights=read))
    assert sum(read) <= len(TRAIN) + len(VALID)


def test_one_of_each_is_one_and_several_are_all_pairs() -> None:
    def found(**chosen: tuple[float, ...]) -> list[tuple[float, float]]:
        settings = dataclasses.replace(RunSettings(), predictor=PredictorChoice(**chosen))
        return [(s.dropout, s.weight_decay) for s in candidates(settings, 1000)]

    usual = PredictorSettings.for_log(1000)
    assert found() == [(usual.dropout, usual.weight_decay)]
    assert found(dropout=(0.5,)) == [(0.5, usual.weight_decay)]
    assert found(dropout=(0.1, 0.2), weight_decay=(0.0, 0.5)) == [(0.1, 0.0), (0.1, 0.5), (0.2, 0.0), (0.2, 0.5)]
