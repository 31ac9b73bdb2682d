"""Policies on disk: what comes back is what went in; anything else is refused in one line."""

import dataclasses
import json
import os
import pickle
import struct

import numpy as np
import pytest
import torch
from bags import random_log
from forged import Evil, resign
from lam_env.agents.fine_tuning.features import PlainFeatures, PriorFeatures
from lam_env.agents.fine_tuning.heads import AnticipationHead, PlainHead
from lam_env.agents.fine_tuning.policy import TunedPolicy
from lam_env.agents.fine_tuning.saved import load_policy, save_policy
from lam_env.agents.predictors import store
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.network import Predictor
from lam_env.agents.predictors.pool import Pool
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.predictors.store import ModelError
from pools import pool_of

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.core.observation import ObservationRows

VOCABULARY = Vocabulary(
    ("none", "lamp.on", "lamp.off", "tv.on"), ("hall",), ("lamp", "heat"), patience=(0, 300, 300, 900)
)
MEAN, SCALE = np.array([0.5, 20.0]), np.array([0.5, 2.0])


def randomised(module, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return module


def made_predictor(seed=0, vocabulary=VOCABULARY):
    numbers = np.zeros(2 + len(vocabulary.readings), np.float32)
    settings = PredictorSettings(hidden=8, embedding=4)
    predictor = Predictor(vocabulary, Featuriser(vocabulary, numbers, numbers + 1), settings)
    randomised(predictor.nets, seed)
    return predictor


def made_policy(predictor, hidden=(8,), seed=1):
    features = PriorFeatures(predictor, MEAN, SCALE)
    return TunedPolicy(features, randomised(AnticipationHead(features.layout, hidden), seed))


def observations(n=20):
    """(n, ...) with numbers of all kinds."""
    rng, rows = np.random.default_rng(0), ObservationRows(n, VOCABULARY)
    rows.epoch[:, 0] = rng.integers(0, 10**6, n)
    rows.epoch[:, 1] = rng.integers(0, 300, n)
    rows.epoch[:, 3] = 1
    rows.events[:, 0, -1] = rng.integers(0, VOCABULARY.n_tokens, n)
    rows.context[:] = rng.normal(10, 5, rows.context.shape)
    rows.feedback[:] = rng.integers(0, 3, rows.feedback.shape)
    rows.mask[:] = rng.integers(0, 2, rows.mask.shape)
    return rows.observe()


@pytest.fixture(scope="module")
def predictor():
    return made_predictor()


@pytest.fixture
def folder(tmp_path, predictor):
    save_policy(made_policy(predictor), tmp_path / "policy")
    return tmp_path / "policy"


def refused(folder, predictor, says):
    with pytest.raises(ModelError, match=says) as caught:
        load_policy(folder, predictor)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("hidden", [(8,), (), (16, 4)], ids=str)
def test_comes_back_the_same(tmp_path, hidden):
    predictor = made_predictor()
    policy = made_policy(predictor, hidden)
    save_policy(policy, tmp_path / "policy")
    store.save(predictor, tmp_path / "prior")
    again = load_policy(tmp_path / "policy", store.load(tmp_path / "prior"))
    expected, _ = policy.logits(observations(), None, None)
    found, _ = again.logits(observations(), None, None)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert (expected[:, 1:] > -1e8).any()
    np.testing.assert_array_equal(again.predict(observations())[0], policy.predict(observations())[0])


def test_saving_twice_gives_the_same_bytes(tmp_path, predictor):
    for name in "ab":
        save_policy(made_policy(predictor), tmp_path / name)
    for file in ("policy.safetensors", "policy.json", "manifest.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_saving_replaces_and_leaves_nothing_beside(folder, predictor):
    save_policy(made_policy(predictor, (4,)), folder)
    assert (
        load_policy(folder, predictor).head.state_dict().keys() == made_policy(predictor, (4,)).head.state_dict().keys()
    )
    assert os.listdir(folder.parent) == ["policy"]
    assert sorted(os.listdir(folder)) == ["manifest.json", "policy.json", "policy.safetensors"]


@pytest.mark.parametrize("step", ["pathlib.Path.write_bytes", "os.fsync", "os.replace"])
def test_a_save_that_fails_leaves_the_old_policy(folder, predictor, monkeypatch, step):
    before = (folder / "policy.safetensors").read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(step, fail)
    with pytest.raises(UserError, match=r"policy: cannot be written \(disk full\)"):
        save_policy(made_policy(predictor, seed=5), folder)
    monkeypatch.undo()
    load_policy(folder, predictor)
    assert (folder / "policy.safetensors").read_bytes() == before
    assert os.listdir(folder.parent) == ["policy"]


def test_a_save_that_fails_at_the_last_step_brings_the_old_policy_back(folder, predictor, monkeypatch):
    replace, calls = os.replace, []

    def fail_second(a, b):
        calls.append(a)
        if len(calls) == 2:
            raise OSError("disk full")
        replace(a, b)

    monkeypatch.setattr("os.replace", fail_second)
    with pytest.raises(UserError, match=r"policy: cannot be written \(disk full\)"):
        save_policy(made_policy(predictor, seed=5), folder)
    load_policy(folder, predictor)
    assert os.listdir(folder.parent) == ["policy"]


def test_only_policies_with_a_prior_are_saved(tmp_path):
    features = PlainFeatures(VOCABULARY, MEAN, SCALE)
    with pytest.raises(UserError, match="only policies with a prior"):
        save_policy(TunedPolicy(features, PlainHead(features.layout)), tmp_path / "policy")
    assert not (tmp_path / "policy").exists()


def test_no_policy_here(tmp_path, predictor):
    refused(tmp_path, predictor, "no manifest.json")
    refused(tmp_path / "nowhere", predictor, "no model here")


def test_another_prior_is_refused(folder):
    renamed = dataclasses.replace(VOCABULARY, actions=("none", "lamp.on", "lamp.off", "radio.on"))
    refused(folder, made_predictor(seed=3), "another prior")
    refused(folder, made_predictor(vocabulary=renamed), "another prior")


@pytest.mark.parametrize("name", ["policy.safetensors", "policy.json"])
@pytest.mark.parametrize("how", ["cut", "flipped", "gone", "empty", "folder"])
def test_a_changed_file_is_refused(folder, predictor, name, how):
    content = bytearray((folder / name).read_bytes())
    (folder / name).unlink()
    if how == "folder":
        (folder / name).mkdir()
    elif how != "gone":
        content[len(content) // 2] ^= 1
        kept = {"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[how]
        (folder / name).write_bytes(kept)
    refused(folder, predictor, "not a readable policy" if how in ("gone", "folder") else "sha256 differs")


def test_a_pipe_does_not_hang(folder, predictor):
    (folder / "policy.json").unlink()
    os.mkfifo(folder / "policy.json")
    refused(folder, predictor, "a pipe or a device, no file")


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_in_disguise_is_never_run(folder, predictor, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = folder / "policy.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Evil()))
    else:
        torch.save({"weights": Evil()}, path)
    resign(folder)
    refused(folder, predictor, "not a readable policy")
    assert not (tmp_path / "PWNED").exists()


def test_a_header_longer_than_the_file_is_refused(folder, predictor):
    (folder / "policy.safetensors").write_bytes(struct.pack("<Q", 2**62) + b"{}")
    resign(folder)
    refused(folder, predictor, "not a readable policy")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update(hidden=[9]), "does not hold the arrays"),
        (lambda c: c.update(hidden=[8192] * 16), "does not hold the arrays"),
        (lambda c: c.update(hidden=[10**9]), "holds no widths"),
        (lambda c: c.update(hidden=[True]), "holds no widths"),
        (lambda c: c.update(hidden=[8] * 17), "no list"),
        (lambda c: c.update(hidden="8"), "no list"),
        (lambda c: c.update(head="exec"), "no such head"),
        (lambda c: c.update(head=[]), "not a readable policy"),
        (lambda c: c["layout"].update(n_rest=10**9), "layout"),
        (lambda c: c.update(mean=[0.0]), "do not fit"),
        (lambda c: c.update(mean="no"), "not a readable policy"),
        (lambda c: c.update(mean=[1e999, 0.0]), "is no number"),
        (lambda c: c.update(mean=[10**400, 0]), "not a readable policy"),
        (lambda c: c.update(scale=[1.0, 0.0]), "not positive"),
        (lambda c: c.update(scale=[1.0, float("nan")]), "is no number"),
        (lambda c: c.update(prior=3), "another prior"),
        (lambda c: c.pop("scale"), "not a readable policy"),
    ],
)
def test_a_forged_description_is_refused(folder, predictor, change, says):
    about = json.loads((folder / "policy.json").read_text())
    change(about)
    (folder / "policy.json").write_text(json.dumps(about))
    resign(folder)
    refused(folder, predictor, says)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, "1" * 5000])
def test_a_description_that_is_none_is_refused(folder, predictor, text):
    (folder / "policy.json").write_text(text)
    resign(folder)
    refused(folder, predictor, "not a readable policy")


def test_weights_that_are_not_numbers_are_refused(tmp_path, predictor):
    policy = made_policy(predictor)
    with torch.no_grad():
        next(policy.head.parameters()).view(-1)[0] = float("nan")
    save_policy(policy, tmp_path / "policy")
    refused(tmp_path / "policy", predictor, "not finite")


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"format": 99}', "[" * 100_000, '{"format": 1}', '{"format": 1, "sha256": 3}']
)
def test_a_broken_manifest_is_refused(folder, predictor, content):
    (folder / "manifest.json").write_text(content)
    refused(folder, predictor, "model|policy")


def test_the_manifest_says_what_made_it(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["format"] == 3
    assert set(manifest["versions"]) == {"lam_env", "torch", "numpy"}


def test_a_policy_on_a_pool_comes_back_and_knows_its_pool(tmp_path):
    log = random_log(0, 60, quiet=0.5, vocabulary=VOCABULARY, timer=900)
    pool = pool_of(log)
    policy = made_policy(pool)
    save_policy(policy, tmp_path / "policy")
    again = load_policy(tmp_path / "policy", pool_of(log))
    one, other = policy.predict(observations())[0], again.predict(observations())[0]
    np.testing.assert_array_equal(one, other)
    assert len(set(one.tolist())) > 1
    others = [pool_of(log, acts=False), pool.networks, pool.given_acts]
    others += [Pool(pool.networks, pool.counts, pool.weights[::-1], pool.acts)]
    counts = pool_of(random_log(1, 60, quiet=0.5, vocabulary=VOCABULARY, timer=900))
    others += [Pool(pool.networks, counts.counts, pool.weights, pool.acts)]
    for other in others:
        refused(tmp_path / "policy", other, "another prior")
