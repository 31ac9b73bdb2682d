"""The neural predictor: reading equals stepping for every core, streams do not touch, features by hand."""

import numpy as np
import pytest
import torch
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor, one_thread
from lam_env.agents.predictors.settings import CORES, PredictorSettings

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.logs.epochs import BAG, Epochs

VOCABULARY = Vocabulary(("none", "light", "tv", "door"), sensors=("hall",), readings=("temperature", "lamp"))


def random_log(seed=0, lengths=(70, 1, 45), vocabulary=VOCABULARY):
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    tokens = np.zeros((n, BAG), np.int64)
    for i, size in enumerate(rng.choice([0, 1, 1, 3, BAG], n)):
        if size:
            tokens[i, BAG - size :] = rng.integers(1, vocabulary.n_tokens, size)
    gaps = [np.r_[0, rng.integers(0, 20_000, k - 1)] for k in lengths]
    return Epochs(
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


def untrained(epochs, seed=0, **settings):
    settings = PredictorSettings(**{"hidden": 24, "embedding": 8, "context": 9, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        predictor = Predictor(epochs.vocabulary, Featuriser.fit(epochs, settings.recency), settings)
        with torch.no_grad():  # large weights, so that memory matters and a slip shows
            for p in predictor.nets.parameters():
                p.mul_(1.5)
    return predictor


def stepped(predictor, epochs):
    starts = np.r_[epochs.starts(), len(epochs)]
    lengths = np.diff(starts)
    state = predictor.start(len(lengths))
    out = [np.full(part.shape, np.nan) for part in predictor.read(epochs)]
    for t in range(lengths.max()):
        active = t < lengths
        rows = starts[:-1] + np.where(active, t, 0)
        prediction, state = predictor.step(state, epochs.select(rows), active)
        for part, new in zip(out, prediction, strict=True):
            part[rows[active]] = new[active]
    return out


@pytest.mark.parametrize("settings", [{}, {"members": 2, "recency": True}], ids=["plain", "ensemble+recency"])
@pytest.mark.parametrize("core", CORES)
def test_reading_equals_stepping(core, settings):
    epochs = random_log()
    predictor = untrained(epochs, core=core, **settings)
    for read, step in zip(predictor.read(epochs), stepped(predictor, epochs), strict=True):
        np.testing.assert_allclose(step, read, atol=1e-4)


@pytest.mark.parametrize("core", CORES)
def test_shapes_and_probabilities(core):
    epochs = random_log()
    predictor = untrained(epochs, core=core, members=2)
    read = predictor.read(epochs)
    assert read.next.shape == read.soon.shape == (len(epochs), 4)
    assert read.hidden.shape == (len(epochs), predictor.n_hidden) == (len(epochs), 48)
    np.testing.assert_allclose(read.next.sum(1), 1, atol=1e-5)
    assert read.soon.min() >= 0
    assert read.soon.max() <= 1
    assert predictor.read(epochs, hidden=False).hidden is None
    assert len(predictor.read(epochs.select(slice(0, 0))).next) == 0


@pytest.mark.parametrize("core", ["lstm", "gru", "transformer"])
def test_a_core_with_memory_remembers_and_worlds_do_not_touch(core):
    epochs = random_log(lengths=(20, 20))
    predictor = untrained(epochs, core=core)
    changed = epochs.select(np.arange(40))
    changed.tokens[0, -1] = 1 + epochs.tokens[0, -1] % 4
    before, after = predictor.read(epochs).next, predictor.read(changed).next
    assert np.abs(before[3] - after[3]).max() > 1e-6
    np.testing.assert_array_equal(before[20:], after[20:])


def test_the_mlp_has_no_memory():
    epochs = random_log(lengths=(20,))
    predictor = untrained(epochs, core="mlp")
    np.testing.assert_allclose(predictor.read(epochs).next[7:8], predictor.read(epochs.select([7])).next, atol=1e-6)


def test_reading_is_the_same_in_stretches_and_in_any_company():
    epochs = random_log(lengths=(1100, 5))
    predictor = untrained(epochs)
    alone = predictor.read(epochs.select(slice(0, 1100))).next
    np.testing.assert_allclose(predictor.read(epochs).next[:1100], alone, atol=1e-6)


@pytest.mark.parametrize("core", CORES)
def test_inactive_streams_keep_their_state_and_the_state_given_stays(core):
    epochs = random_log(lengths=(30,))
    predictor = untrained(epochs, core=core, recency=True)
    state = predictor.start(2)
    _, state = predictor.step(state, epochs.select([0, 0]), np.ones(2, bool))
    kept = state.copy()
    _, after = predictor.step(state, epochs.select([1, 1]), np.array([True, False]))
    for name, old in vars(kept).items():
        np.testing.assert_array_equal(getattr(state, name), old)
        np.testing.assert_array_equal(getattr(after, name)[1], old[1])
    assert any((getattr(after, name)[0] != old[0]).any() for name, old in vars(kept).items())


@pytest.mark.parametrize("core", CORES)
def test_reset_makes_rows_fresh(core):
    epochs = random_log(lengths=(30,))
    predictor = untrained(epochs, core=core, recency=True)
    state = predictor.start(3)
    for i in range(12):
        _, state = predictor.step(state, epochs.select([i, i, i]), np.ones(3, bool))
    after = predictor.reset(state, np.array([False, True, False]))
    for name, fresh in vars(predictor.start(3)).items():
        np.testing.assert_array_equal(getattr(after, name)[1], fresh[1])
        np.testing.assert_array_equal(getattr(after, name)[[0, 2]], getattr(state, name)[[0, 2]])


def test_what_was_said_is_not_changed_by_the_next_step():
    epochs = random_log(lengths=(30,))
    predictor = untrained(epochs)
    said, state = predictor.step(predictor.start(1), epochs.select([0]), np.ones(1, bool))
    kept = [part.copy() for part in said]
    predictor.step(state, epochs.select([1]), np.ones(1, bool))
    for part, copy in zip(said, kept, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_refresh_takes_new_weights():
    epochs = random_log(lengths=(5,))
    predictor = untrained(epochs)
    old, _ = predictor.step(predictor.start(1), epochs.select([0]), np.ones(1, bool))
    with torch.no_grad():
        predictor.nets[0].next.bias[1] += 3
    predictor.refresh()
    new, _ = predictor.step(predictor.start(1), epochs.select([0]), np.ones(1, bool))
    assert new.next[0, 1] > old.next[0, 1]
    np.testing.assert_allclose(new.next, predictor.read(epochs.select([0])).next, atol=1e-5)


def test_features_by_hand():
    epochs = random_log(lengths=(50,))
    featuriser = Featuriser.fit(epochs)
    x = featuriser.read(epochs)
    assert x.shape == (50, featuriser.size)
    hour = epochs.time // 60 % 1440 / 1440 * 2 * np.pi
    np.testing.assert_allclose(x[:, 0], np.sin(hour), atol=1e-6)
    np.testing.assert_allclose(x[:, 8], epochs.time // 86_400 % 7 >= 5)
    numbers = x[:, 9:]  # log gap, log duration and the readings, standardised
    np.testing.assert_allclose(numbers.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(numbers.std(0), 1, atol=1e-3)
    wait = np.log1p(epochs.gap)
    np.testing.assert_allclose(numbers[:, 0], (wait - wait.mean()) / wait.std(), atol=1e-4)


def test_a_reading_that_never_changes_stays_finite():
    epochs = random_log()
    epochs.context[:, 1] = 7
    assert np.isfinite(Featuriser.fit(epochs).read(epochs)).all()
    assert (Featuriser.fit(epochs).read(epochs)[:, -1] == 0).all()


def test_recency_by_hand():
    epochs = random_log(lengths=(4,))
    day = 86_400
    epochs.time[:] = [100, 700, day + 100, day + 700]
    epochs.tokens[:] = 0
    epochs.tokens[0, -2:] = (1, 1)
    epochs.tokens[2, -1] = 1
    x = Featuriser.fit(epochs, recency=True).read(epochs)
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
    with pytest.raises(UserError, match="unknown settings"):
        PredictorSettings.for_log(2_000, hiden=17)
