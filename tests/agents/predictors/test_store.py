"""Predictors on disk: what comes back is what went in; anything else is refused in one line."""

import dataclasses
import json
import os
import pickle
import struct

import numpy as np
import pytest
import torch
from forged import Evil, resign
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.settings import CORES, PredictorSettings
from lam_env.agents.predictors.store import ModelError, load, save

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import BAG, DecisionPoints

VOCABULARY = Vocabulary(("none", "light", "tv"), sensors=("hall",), readings=("lamp",), patience=(0, 300, 600))


def points(n=25):
    rng = np.random.default_rng(0)
    tokens = np.zeros((n, BAG), np.int64)
    tokens[:, -1] = rng.integers(0, 4, n)
    zero = np.zeros(n, np.float32)
    context = rng.normal(5, 2, (n, 1)).astype(np.float32)
    time = np.arange(n) * 300
    return DecisionPoints(
        VOCABULARY,
        zero.astype(np.int32),
        time,
        zero + 300,
        zero,
        tokens,
        context,
        tokens[:, -1] % 3,
        None,
        zero.astype(np.int16),
    )


def made(**settings):
    settings = PredictorSettings(**{"hidden": 8, "embedding": 4, "context": 6, **settings})
    return Predictor(VOCABULARY, Featuriser.fit(points(), settings.recency), settings, timer=600)


def test_who_shares_a_stream_is_kept(tmp_path):
    shared = dataclasses.replace(points(), users=3)
    predictor = Predictor(VOCABULARY, Featuriser.fit(shared), PredictorSettings(hidden=8, embedding=4), timer=600)
    save(predictor, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.featuriser.users == 3
    np.testing.assert_array_equal(again.read(shared).next, predictor.read(shared).next)


def test_a_predictor_from_before_there_were_users_is_told_of_nobody(folder):
    change_config(folder, lambda c: c.pop("users"))
    assert load(folder).featuriser.users == 0


@pytest.fixture
def folder(tmp_path):
    save(made(), tmp_path / "model")
    return tmp_path / "model"


def change_config(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    resign(folder)


def refused(folder, says):
    with pytest.raises(ModelError, match=says) as caught:
        load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"core": c} for c in CORES] + [{"members": 2, "recency": True}], ids=str)
def test_comes_back_the_same(tmp_path, settings):
    predictor = made(**settings)
    save(predictor, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.settings == predictor.settings
    assert (again.vocabulary, again.timer) == (VOCABULARY, 600)
    for a, b in zip(predictor.read(points()), again.read(points()), strict=True):
        np.testing.assert_array_equal(a, b)
    said, _ = again.step(again.start(1), points().select([0]), np.ones(1, bool))
    np.testing.assert_allclose(said.next, again.read(points()).next[:1], atol=1e-5)


def test_saving_twice_gives_the_same_bytes(tmp_path):
    predictor = made()
    for name in "ab":
        save(predictor, tmp_path / name)
    for file in ("model.safetensors", "config.json", "manifest.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_saving_replaces_and_leaves_nothing_beside(folder):
    other = made(hidden=16)
    save(other, folder)
    assert load(folder).settings.hidden == 16
    assert os.listdir(folder.parent) == ["model"]
    assert sorted(os.listdir(folder)) == ["config.json", "manifest.json", "model.safetensors"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_model(folder, monkeypatch, step):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(UserError, match=r"model: cannot be written \(disk full\); make room"):
        save(made(hidden=16), folder)
    monkeypatch.undo()
    assert load(folder).settings.hidden == 8
    assert os.listdir(folder.parent) == ["model"]


def test_no_model_here(tmp_path):
    refused(tmp_path, "no manifest.json")
    refused(tmp_path / "nowhere", "no model here")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("how", ["cut", "flipped", "gone", "empty"])
def test_a_changed_file_is_refused(folder, name, how):
    content = bytearray((folder / name).read_bytes())
    if how == "gone":
        (folder / name).unlink()
    else:
        content[len(content) // 2] ^= 1
        kept = {"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[how]
        (folder / name).write_bytes(kept)
    refused(folder, "sha256 differs" if how != "gone" else "not a readable model")


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_in_disguise_is_never_run(folder, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = folder / "model.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Evil()))
    else:
        torch.save({"weights": Evil()}, path)
    resign(folder)
    refused(folder, "not a readable model")
    assert not (tmp_path / "PWNED").exists()


def test_a_header_longer_than_the_file_is_refused(folder):
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    resign(folder)
    refused(folder, "not a readable model")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["settings"].update(hidden=9), "does not hold the arrays"),
        (lambda c: c["settings"].update(hidden=10**9), "hidden = 1000000000"),
        (lambda c: c["settings"].update(hidden=2048, embedding=1024, members=64), "does not hold the arrays"),
        (lambda c: c["settings"].update(hidden="8"), "hidden is no whole number"),
        (lambda c: c["settings"].update(hidden=True), "hidden is no whole number"),
        (lambda c: c["settings"].update(more=1), "settings are not those"),
        (lambda c: c["settings"].update(core="exec"), "core 'exec' is unknown"),
        (lambda c: c["vocabulary"]["actions"].pop(), "patience"),
        (lambda c: c["vocabulary"].update(actions="none"), "actions is no list"),
        (lambda c: c.update(mean=[0.0]), "do not fit"),
        (lambda c: c.update(sd=[1.0, 0.0, 1.0]), "do not fit"),
        (lambda c: c.update(mean=[1e999, 0.0, 0.0]), "is no number"),
        (lambda c: c.update(mean=[1e300, 0.0, 0.0]), "1e.300 does not fit into float32"),
        (lambda c: c.update(timer=0), "timer is no number"),
        (lambda c: c.update(timer="600"), "timer is no number"),
        (lambda c: c.update(timer=True), "timer is no number"),
        (lambda c: c.update(users=-1), "users is no number"),
        (lambda c: c.update(users=2), "does not hold the arrays"),
        (lambda c: c.pop("timer"), "not a readable model"),
        (lambda c: c.pop("settings"), "not a readable model"),
    ],
)
def test_a_forged_config_is_refused(folder, change, says):
    change_config(folder, change)
    refused(folder, says)


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    predictor = made()
    with torch.no_grad():
        predictor.nets[0].next.bias[0] = float("nan")
    save(predictor, tmp_path / "model")
    refused(tmp_path / "model", "not finite")


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"format": 99}',
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 3}',
        '{"format": 4}',
        '{"format": 4, "sha256": 3}',
    ],
)
def test_a_broken_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_text(content)
    refused(folder, "model")


def test_the_manifest_says_what_made_it(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == 4
    assert set(manifest["versions"]) == {"lam_env", "torch", "numpy"}
