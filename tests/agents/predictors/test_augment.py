"""Augmented rows: what stays, what changes, and that only training sees them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.predictors import training as module
from lam_env.agents.predictors.augment import JITTER, KINDS, SHARE, SHIFT, TIMES, augmented
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.pretrain import pretrain
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.predictors.training import Chunks

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.decision_points import BAG, DecisionPoints

QUICK = PredictorSettings(hidden=8, embedding=8, window=16, batch=4, passes=2, autocast=False)


def points(worlds: int = 2, length: int = 200, apart: int = HOUR, seed: int = 0) -> DecisionPoints:
    rng = np.random.default_rng(seed)
    n = worlds * length
    token = rng.integers(1, 4, (worlds, length))
    tokens = np.zeros((n, BAG), np.int64)
    tokens[:, -1] = token.ravel()
    target = np.concatenate([token[:, 1:], np.zeros((worlds, 1), int)], 1).ravel()
    time = np.tile(np.arange(length) * apart, worlds) + DAY
    gap = np.where(np.arange(n) % length, apart, 0).astype(np.float32)
    zero = np.zeros(n, np.float32)
    world = np.repeat(np.arange(worlds), length).astype(np.int32) * 3
    words = Vocabulary(("none", "light", "tv", "door"))
    return DecisionPoints(
        words, world, time, gap, zero, tokens, zero[:, None][:, :0], target, None, zero.astype(np.int16)
    )


some = st.lists(st.sampled_from(KINDS), unique=True)


@given(some, st.integers(0, 50), st.sampled_from([60, HOUR]))
def test_whatever_is_done_the_rows_are_those_of_a_log(kinds: list[str], seed: int, apart: int) -> None:
    before = points(apart=apart)
    after = augmented(before, kinds, np.random.default_rng(seed))
    assert len(after)
    for world in np.unique(after.world):
        assert (np.diff(after.time[after.world == world]) >= 0).all()
    assert (after.time >= 0).all()
    assert (after.gap >= 0).all()
    # what followed is what did: pairs of a token and its target are pairs of the log
    pairs = {*zip(before.tokens[:, -1].tolist(), before.target.tolist(), strict=True)}
    assert {*zip(after.tokens[:, -1].tolist(), after.target.tolist(), strict=True)} <= pairs
    assert after.tokens.dtype == before.tokens.dtype
    assert after.gap.dtype == np.float32


@given(st.lists(st.sampled_from(TIMES), unique=True), st.integers(0, 50))
def test_moved_times_leave_all_else_and_gaps_fit_them(kinds: list[str], seed: int) -> None:
    before = points()
    after = augmented(before, kinds, np.random.default_rng(seed))
    for name in ("tokens", "target", "duration", "world", "user"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    first = np.isin(np.arange(len(after)), after.starts())
    np.testing.assert_allclose(after.gap[~first], np.diff(after.time)[~first[1:]])
    assert (after.gap[first] == 0).all()


def test_jitter_moves_rows_and_shift_moves_days() -> None:
    before, rng = points(worlds=1, length=20_000, apart=3 * HOUR), np.random.default_rng(0)
    moved = augmented(before, ["jitter"], rng).time - before.time
    assert moved.std() == pytest.approx(JITTER, rel=0.05)
    moved = augmented(before, ["shift"], rng).time - before.time
    assert moved.std() == pytest.approx(SHIFT, rel=0.05)
    days = before.time // DAY
    assert all(len(np.unique(moved[days == day])) == 1 for day in range(1, 50))


def test_events_are_missed_and_written_twice_by_their_share() -> None:
    before, rng = points(worlds=2, length=20_000), np.random.default_rng(0)
    missed, twice = augmented(before, ["drop"], rng), augmented(before, ["repeat"], rng)
    assert 1 - len(missed) / len(before) == pytest.approx(SHARE, rel=0.1)
    assert len(twice) / len(before) - 1 == pytest.approx(SHARE, rel=0.1)
    again = (np.diff(twice.time) == 0) & (np.diff(twice.world) == 0)
    assert (twice.gap[1:][again] == 0).all()
    # a gap lasts over what was missed, and none is lost but after the last row
    inside = np.r_[False, np.diff(missed.world) == 0]
    np.testing.assert_allclose(missed.gap[inside], np.diff(missed.time)[inside[1:]])
    assert missed.gap[missed.starts()].tolist() == [t - DAY for t in missed.time[missed.starts()].tolist()]


def test_a_row_alone_is_not_missed() -> None:
    one = points(worlds=1, length=1)
    assert all(len(augmented(one, ["drop"], np.random.default_rng(seed))) == 1 for seed in range(100))


def test_nothing_is_drawn_where_nothing_is_augmented() -> None:
    train, rngs = points(), [np.random.default_rng(0) for _ in range(2)]
    data = [Chunks(train, Featuriser.fit(train), QUICK, torch.device("cpu")) for _ in range(2)]
    data[1].train = points(seed=1)  # nobody looks at it again
    for one, other in zip(data[0].batches(rngs[0]), data[1].batches(rngs[1]), strict=True):
        assert torch.equal(one[0], other[0])
    assert rngs[0].bit_generator.state == rngs[1].bit_generator.state
    assert torch.equal(data[0].tokens, torch.from_numpy(train.tokens))


def test_each_pass_has_other_rows_which_are_all_trained_on() -> None:
    train, rng = points(), np.random.default_rng(0)
    settings = dataclasses.replace(QUICK, augment=KINDS)
    data, seen = Chunks(train, Featuriser.fit(train), settings, torch.device("cpu")), []
    for _ in range(2):
        batches = data.batches(rng)
        rows = torch.cat([rows[real] for rows, real in batches])
        assert sorted(rows.tolist()) == list(range(len(data.target)))
        seen.append(data.features.clone())
    assert seen[0].shape != seen[1].shape or not torch.equal(*seen)


def test_validation_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    train, valid, read = points(), points(worlds=1, seed=1), []
    inner = module.Predictor.read

    def watched(self: module.Predictor, rows: DecisionPoints, hidden: bool = True) -> object:
        read.append(rows)
        return inner(self, rows, hidden)

    monkeypatch.setattr(module.Predictor, "read", watched)
    pretrain(train, valid, dataclasses.replace(QUICK, augment=KINDS))
    assert read
    for rows in read:
        for name in ("time", "gap", "tokens", "target"):
            np.testing.assert_array_equal(getattr(rows, name)[-len(valid) :], getattr(valid, name))


def test_the_same_seed_is_the_same_to_the_byte_and_differs_from_none() -> None:
    train, valid = points(), points(worlds=1, seed=1)

    def weights(*kinds: str) -> list[bytes]:
        predictor = pretrain(train, valid, dataclasses.replace(QUICK, augment=kinds), seed=3)
        return [p.detach().numpy().tobytes() for p in predictor.nets.parameters()]

    assert weights(*KINDS) == weights(*KINDS)
    assert len({tuple(weights(*kinds)) for kinds in ((), ("jitter",), ("drop",), ("repeat",))}) == 4


@pytest.mark.parametrize("wrong", [{"augment": ("fog",)}, {"weight_decay": -1.0}, {"weight_decay": float("nan")}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=rf"predictor: {next(iter(wrong))}"):
        PredictorSettings(**wrong)
