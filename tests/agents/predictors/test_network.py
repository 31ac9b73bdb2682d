"""The neural predictor: reading equals stepping for every core, streams do not touch, features by hand."""

import dataclasses

import numpy as np
import pytest
import torch
from bags import stepped
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import one_thread
from lam_env.agents.predictors.settings import CORES, PredictorSettings
from pools import untrained

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import BAG, DecisionPoints

VOCABULARY = Vocabulary(("none", "light", "tv", "door"), sensors=("hall",), readings=("temperature", "lamp"))


def random_log(seed=0, lengths=(70, 1, 45), vocabulary=VOCABULARY):
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    tokens = np.zeros((n, BAG), np.int64)
    for i, size in enumerate(rng.choice([0, 1, 1, 3, BAG], n)):
        if size:
            tokens[i, BAG - size :] = rng.integers(1, vocabulary.n_tokens, size)
    gaps = [np.r_[0, rng.integers(0, 20_000, k - 1)] for k in lengths]
    return DecisionPoints(
        vocabulary,
        world=np.repeat(np.arange(len(lengths)), lengths).astype(np.int32),
        time=np.concatenate([50_000 + np.cumsum(g) for g in gaps]).astype(np.int64),
        gap=np.concatenate(gaps).astype(np.float32),
        duration=rng.integers(0, 5000, n).astype(np.float32),
        tokens=tokens,
        context=rng.normal(20, 3, (n, len(vocabulary.readings))).astype(np.float32),
        target=rng.integers(0, len(vocabulary), n),
        soon=rng.random((n, len(vocabulary))) < 0.2,
        user=np.zeros(n, np.int16),
    )


@pytest.mark.parametrize("settings", [{}, {"members": 2, "recency": True}], ids=["plain", "ensemble+recency"])
@pytest.mark.parametrize("core", CORES)
def test_reading_equals_stepping(core, settings):
    points = random_log()
    predictor = untrained(points, core=core, **settings)
    for read, step in zip(predictor.read(points), stepped(predictor, points), strict=True):
        np.testing.assert_allclose(step, read, atol=1e-4)


def test_who_did_it_is_an_input_where_people_share_a_stream():
    points = random_log()
    who = np.arange(len(points)) % 3
    shared = dataclasses.replace(points, user=who.astype(np.int16), users=3)
    alone, told = Featuriser.fit(points), Featuriser.fit(shared)
    assert told.size == alone.size + 3
    np.testing.assert_array_equal(told.read(shared)[:, : alone.size], alone.read(points))
    np.testing.assert_array_equal(told.read(shared)[:, alone.size :], np.eye(3)[who])
    predictor = untrained(shared, recency=True)
    np.testing.assert_allclose(stepped(predictor, shared)[0], predictor.read(shared).next, atol=1e-4)
    other = dataclasses.replace(shared, user=((who + 1) % 3).astype(np.int16))
    assert np.abs(predictor.read(other).next - predictor.read(shared).next).max() > 1e-6


@pytest.mark.parametrize("core", CORES)
def test_shapes_and_probabilities(core):
    points = random_log()
    predictor = untrained(points, core=core, members=2)
    read = predictor.read(points)
    assert read.next.shape == read.soon.shape == (len(points), 4)
    assert read.hidden.shape == (len(points), predictor.n_hidden) == (len(points), 48)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-5)
    assert read.soon.min() >= 0
    assert read.soon.max() <= 1
    assert predictor.read(points, hidden=False).hidden is None
    assert len(predictor.read(points.select(slice(0, 0))).next) == 0


@pytest.mark.parametrize("core", ["lstm", "gru", "transformer"])
def test_a_core_with_memory_remembers_and_worlds_do_not_touch(core):
    points = random_log(lengths=(20, 20))
    predictor = untrained(points, core=core)
    changed = points.select(np.arange(40))
    changed.tokens[0, -1] = 1 + points.tokens[0, -1] % 4
    before, after = predictor.read(points).next, predictor.read(changed).next
    assert np.abs(before[3] - after[3]).max() > 1e-6
    np.testing.assert_array_equal(before[20:], after[20:])


def test_the_mlp_has_no_memory():
    points = random_log(lengths=(20,))
    predictor = untrained(points, core="mlp")
    np.testing.assert_allclose(predictor.read(points).next[7:8], predictor.read(points.select([7])).next, atol=1e-6)


def test_reading_is_the_same_in_stretches_and_in_any_company():
    points = random_log(lengths=(1100, 5))
    predictor = untrained(points)
    alone = predictor.read(points.select(slice(0, 1100))).next
    np.testing.assert_allclose(predictor.read(points).next[:1100], alone, atol=1e-6)


@pytest.mark.parametrize("core", CORES)
def test_inactive_streams_keep_their_state_and_the_state_given_stays(core):
    points = random_log(lengths=(30,))
    predictor = untrained(points, core=core, recency=True)
    state = predictor.start(2)
    _, state = predictor.step(state, points.select([0, 0]), np.ones(2, bool))
    kept = state.copy()
    _, after = predictor.step(state, points.select([1, 1]), np.array([True, False]))
    for name, old in vars(kept).items():
        np.testing.assert_array_equal(getattr(state, name), old)
        np.testing.assert_array_equal(getattr(after, name)[1], old[1])
    assert any((getattr(after, name)[0] != old[0]).any() for name, old in vars(kept).items())


@pytest.mark.parametrize("core", CORES)
def test_reset_makes_rows_fresh(core):
    points = random_log(lengths=(30,))
    predictor = untrained(points, core=core, recency=True)
    state = predictor.start(3)
    for i in range(12):
        _, state = predictor.step(state, points.select([i, i, i]), np.ones(3, bool))
    after = predictor.reset(state, np.array([False, True, False]))
    for name, fresh in vars(predictor.start(3)).items():
        np.testing.assert_array_equal(getattr(after, name)[1], fresh[1])
        np.testing.assert_array_equal(getattr(after, name)[[0, 2]], getattr(state, name)[[0, 2]])


def test_what_was_said_is_not_changed_by_the_next_step():
    points = random_log(lengths=(30,))
    predictor = untrained(points)
    said, state = predictor.step(predictor.start(1), points.select([0]), np.ones(1, bool))
    kept = [part.copy() for part in said]
    predictor.step(state, points.select([1]), np.ones(1, bool))
    for part, copy in zip(said, kept, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_refresh_takes_new_weights():
    points = random_log(lengths=(5,))
    predictor = untrained(points)
    old, _ = predictor.step(predictor.start(1), points.select([0]), np.ones(1, bool))
    with torch.no_grad():
        predictor.nets[0].next.bias[1] += 3
    predictor.refresh()
    new, _ = predictor.step(predictor.start(1), points.select([0]), np.ones(1, bool))
    assert new.next[0, 1] > old.next[0, 1]
    np.testing.assert_allclose(new.next, predictor.read(points.select([0])).next, atol=1e-5)


def test_features_by_hand():
    points = random_log(lengths=(50,))
    featuriser = Featuriser.fit(points)
    x = featuriser.read(points)
    assert x.shape == (50, featuriser.size)
    hour = points.time // 60 % 1440 / 1440 * 2 * np.pi
    np.testing.assert_allclose(x[:, 0], np.sin(hour), atol=1e-6)
    np.testing.assert_allclose(x[:, 8], points.time // 86_400 % 7 >= 5)
    numbers = x[:, 9:]  # log gap, log duration and the readings, standardised
    np.testing.assert_allclose(numbers.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(numbers.std(0), 1, atol=1e-3)
    wait = np.log1p(points.gap)
    np.testing.assert_allclose(numbers[:, 0], (wait - wait.mean()) / wait.std(), atol=1e-4)


def test_a_reading_that_never_changes_stays_finite():
    points = random_log()
    points.context[:, 1] = 7
    assert np.isfinite(Featuriser.fit(points).read(points)).all()
    assert (Featuriser.fit(points).read(points)[:, -1] == 0).all()


def test_recency_by_hand():
    points = random_log(lengths=(4,))
    day = 86_400
    points.time[:] = [100, 700, day + 100, day + 700]
    points.tokens[:] = 0
    points.tokens[0, -2:] = (1, 1)
    points.tokens[2, -1] = 1
    x = Featuriser.fit(points, recency=True).read(points)
    v = VOCABULARY.n_tokens
    ago, today = x[:, -2 * v :][:, 1], x[:, -v:][:, 1]
    np.testing.assert_allclose(ago, np.log1p([0, 10, 0, 10]) / np.log1p(7 * 1440), atol=1e-6)
    np.testing.assert_allclose(today, np.log1p([2, 2, 1, 1]), atol=1e-6)
    np.testing.assert_allclose(x[:, -2 * v :][:, 2], 1)  # never seen


def test_one_thread_gives_the_threads_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="inside"), one_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError("inside")
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"core": "rnn"}, "choose one of lstm"),
        ({"schedule": "step"}, "cosine or constant"),
        ({"hidden": 0}, "hidden = 0"),
        ({"members": 1000}, "members = 1000"),
        ({"dropout": 1.0}, "dropout"),
        ({"burn_in": -1}, "burn_in"),
        ({"burn_in": 2**40}, "burn_in = .* must lie in 0 to 8,192"),
        ({"valid_rows": 2**70}, "valid_rows"),
        ({"core": "transformer", "hidden": 30}, "multiple of heads"),
    ],
)
def test_bad_settings_are_refused(bad, says):
    with pytest.raises(UserError, match=says):
        PredictorSettings(**bad)


def test_presets_follow_the_size_of_the_log():
    small, large = PredictorSettings.for_log(2_000), PredictorSettings.for_log(300_000)
    assert small.dropout > large.dropout
    assert small.window < large.window
    assert PredictorSettings.for_log(300).batch == 2 < small.batch
    assert PredictorSettings.for_log(2_000, hidden=17).hidden == 17
    with pytest.raises(UserError, match="no setting 'predictor"):
        PredictorSettings.for_log(2_000, hiden=17)
