"""Pools on disk: what comes back is what went in; counts and weights that are none are refused in one line."""

import dataclasses
import json
import os
import pickle

import numpy as np
import pytest
import safetensors.numpy
from bags import VOCABULARY, random_log, stepped
from forged import Evil, resign
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.pool import Pool
from lam_env.agents.predictors.store import ModelError, known, load, save
from pools import pool_of, pool_of_persons

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary

TEA = Vocabulary(("none", "tea", "tv", "door"), VOCABULARY.sensors, patience=(0, 300, 600, 900))
LOG = random_log(0, 80, quiet=0.4, vocabulary=TEA, timer=600)
BOTH = pytest.mark.parametrize("acts", [False, True], ids=["events alone", "timer"])


@BOTH
@pytest.mark.parametrize("settings", [{}, {"core": "transformer"}, {"members": 3, "blocks": 5}], ids=str)
def test_comes_back_the_same(tmp_path, settings, acts):
    pool = pool_of(LOG, acts, **settings)
    save(pool, tmp_path / "model")
    files = ["config.json", "counts.safetensors", "manifest.json", "model.safetensors"]
    assert sorted(os.listdir(tmp_path / "model")) == files
    again = load(tmp_path / "model")
    assert isinstance(again, Pool)
    assert (again.vocabulary, again.timer, again.networks.timer) == (TEA, 600, 600)
    assert again.networks.settings == pool.networks.settings
    assert known(again) == known(pool)
    other = random_log(1, 60, quiet=0.4, vocabulary=TEA, timer=600)
    for one, two in zip(pool.read(other), again.read(other), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(stepped(again, other).next, pool.read(other).next, atol=1e-4)


def test_a_pool_gives_way_to_networks_alone_and_the_other_way_round(tmp_path):
    pool = pool_of(LOG)
    for made in (pool, pool.networks, pool):
        save(made, tmp_path / "model")
        assert type(load(tmp_path / "model")) is type(made)
        assert (tmp_path / "model" / "counts.safetensors").exists() == isinstance(made, Pool)


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in "ab":
        save(pool_of(LOG), tmp_path / name)
    for file in os.listdir(tmp_path / "a"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["format"] == 4
    assert set(manifest["sha256"]) == {"config.json", "counts.safetensors", "model.safetensors"}


# -- what is no pool ---------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    save(pool_of(LOG), tmp_path / "model")
    return tmp_path / "model"


def refused(folder, says):
    with pytest.raises(ModelError, match=says) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def cell(row, value):
    def changed(array):
        array[row] = value
        return array

    return changed


NO_TABLE, NO_OUTCOMES, NO_COUNTS = "is no table of counts", "holds outcomes that are none", "numbers that are no counts"
ARRAYS = [
    ("next.keys", lambda a: a[::-1].copy(), NO_TABLE),
    ("next.keys", lambda a: np.r_[a[:1], a[:-1]], NO_TABLE),
    ("next.keys", lambda a: a[:-1], NO_TABLE),
    ("acts.keys", lambda a: a.astype(np.int32), NO_TABLE),
    ("acts.keys", lambda a: a[:, None], NO_TABLE),
    ("acts.keys", lambda a: np.array(a[0]), NO_TABLE),
    ("next.first", lambda a: a[::-1].copy(), NO_TABLE),
    ("next.first", lambda a: a + 1, NO_TABLE),
    ("next.first", cell(-1, 1 << 40), NO_TABLE),
    ("next.first", cell(1, -1), NO_TABLE),
    ("acts.first", lambda a: a[:0], NO_TABLE),
    ("next.outcomes", lambda a: a[:-1], NO_TABLE),
    ("next.outcomes", cell(0, -1), NO_OUTCOMES),
    ("next.outcomes", cell(-1, 4), NO_OUTCOMES),
    ("acts.outcomes", cell(-1, 2), NO_OUTCOMES),
    ("next.outcomes", lambda a: a[::-1].copy(), NO_OUTCOMES),
    ("next.counts", lambda a: a.astype(np.float64), NO_TABLE),
    ("next.counts", lambda a: a[:-1], NO_TABLE),
    ("next.counts", cell(0, -1), NO_COUNTS),
    ("next.counts", cell(0, 0), NO_COUNTS),
    ("acts.counts", cell(0, np.nan), NO_COUNTS),
    ("acts.counts", cell(0, np.inf), NO_COUNTS),
    ("acts.counts", lambda a: a * 0 + np.float32(3e38), NO_COUNTS),
    ("weights", lambda a: np.r_[a, 0].astype(np.float32), "weights are no shares"),
    ("weights", lambda a: a * 2, "weights are no shares"),
    ("weights", lambda a: np.array([1.5, -0.5], np.float32), "weights are no shares"),
    ("weights", lambda a: a * np.nan, "weights are no shares"),
    ("weights", lambda a: a.reshape(2, 1), "weights are no shares"),
]


@pytest.mark.parametrize(("name", "change", "says"), ARRAYS, ids=[f"{i} {name}" for i, (name, *_) in enumerate(ARRAYS)])
def test_forged_counts_are_refused(folder, name, change, says):
    path = folder / "counts.safetensors"
    arrays = safetensors.numpy.load(path.read_bytes())
    arrays[name] = change(arrays[name].copy())
    path.write_bytes(safetensors.numpy.save(arrays))
    resign(folder)
    refused(folder, says)


@pytest.mark.parametrize(
    ("pool", "says"),
    [
        ({"next": {"": 0.0}}, "pool: next is no number from"),
        ({"next": {"": -1.0}}, "pool: next is no number from"),
        ({"next": {"": 1e300}}, "pool: next is no number from"),
        ({"next": {"": 1e-300}}, "pool: next is no number from"),
        ({"next": {"": 8}}, "pool: next is no number from"),
        ({"next": {"": 1.0, "quiet last": "8"}}, "pool: next is no number from"),
        ({"next": 8.0}, "pool: next has not the factors of its levels"),
        ({"next": {}}, "pool: next has not the factors of its levels"),
        ({"next": {"quiet last": 1.0}}, "pool: next has not the factors of its levels"),
        ({"next": {"": 1.0, "moon": 1.0}}, "pool: next has not the factors of its levels"),
        ({"next": {"": 1.0}, "acts": None}, "pool: acts has not the factors of its levels"),
        ({"acts": 1.0}, "pool: acts are no counts"),
        ({"next": 1.0, "more": 1.0}, "pool: next, more are no counts"),
        ({}, "are no counts"),
        ({"persons": 1.0}, "not a readable model"),
        ({"persons": 1.0, "next": 1.0}, "pool: persons, next are no counts"),
        (["next"], "not a readable model"),
        (3, "not a readable model"),
    ],
    ids=str,
)
def test_a_forged_config_is_refused(folder, pool, says):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "pool": pool}))
    resign(folder)
    refused(folder, says)


def test_counts_of_another_vocabulary_are_refused(folder, tmp_path):
    large = dataclasses.replace(TEA, actions=(*TEA.actions, "bath"), patience=(*TEA.patience, 300), sensors=("hall",))
    save(pool_of(random_log(0, 80, vocabulary=large)), tmp_path / "other")
    (folder / "counts.safetensors").write_bytes((tmp_path / "other" / "counts.safetensors").read_bytes())
    resign(folder)
    refused(folder, "next holds outcomes that are none")


@pytest.mark.parametrize("how", ["cut", "flipped", "gone", "empty"])
def test_a_changed_file_is_refused(folder, how):
    path = folder / "counts.safetensors"
    content = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes({"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[how])
    refused(folder, "sha256 differs" if how != "gone" else "not a readable model")


@pytest.mark.parametrize("missing", ["weights", "next.counts", "acts.keys"])
def test_arrays_that_are_missing(folder, missing):
    path = folder / "counts.safetensors"
    arrays = safetensors.numpy.load(path.read_bytes())
    del arrays[missing]
    path.write_bytes(safetensors.numpy.save(arrays))
    resign(folder)
    refused(folder, "not a readable model")


def test_a_pickle_in_disguise_is_never_run(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "counts.safetensors").write_bytes(pickle.dumps(Evil()))
    resign(folder)
    refused(folder, "not a readable model")
    assert not (tmp_path / "PWNED").exists()


def test_networks_without_counts_come_back_without_them(folder):
    """The counts of a pool are read only where the config speaks of one."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "pool": None}))
    resign(folder)
    assert isinstance(load(folder), Predictor)


# -- persons, without networks -----------------------------------------------------------------------------------------


@pytest.fixture
def of_persons(tmp_path):
    save(pool_of_persons(), tmp_path / "model")
    return tmp_path / "model"


def test_persons_come_back_the_same(of_persons):
    pool, again = pool_of_persons(), load(of_persons)
    assert sorted(os.listdir(of_persons)) == ["config.json", "counts.safetensors", "manifest.json"]
    assert known(again) == known(pool)
    with pytest.raises(UserError, match="has no networks"):
        _ = again.networks
    points = random_log(1, 60)
    np.testing.assert_array_equal(again.read(points).next, pool.read(points).next)
    np.testing.assert_allclose(stepped(again, points).next, pool.read(points).next, atol=1e-6)
    # networks take their place, and the other way round
    save(pool_of(LOG), of_persons)
    assert load(of_persons).nets is not None
    save(pool, of_persons)
    assert load(of_persons).nets is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights", lambda a: a[:-1]),
        ("weights", lambda a: a.astype(np.float32)),
        ("weights", lambda a: a * np.nan),
        ("covariance", lambda a: a[:, :-1].copy()),
        ("covariance", lambda a: a + np.inf),
    ],
)
def test_forged_weights_of_persons_are_refused(of_persons, name, change):
    path = of_persons / "counts.safetensors"
    arrays = safetensors.numpy.load(path.read_bytes())
    arrays[f"persons.{name}"] = change(arrays[f"persons.{name}"])
    path.write_bytes(safetensors.numpy.save(arrays))
    resign(of_persons)
    refused(of_persons, "persons holds weights that are none")
