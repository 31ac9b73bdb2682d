"""The choice model on problems whose answer is known, beside its baselines, on disk, and by command."""

import dataclasses
import json

import numpy as np
import pytest
import spire
import torch
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.development import judge, store
from lam_env.agents.development.__main__ import main
from lam_env.agents.development.model import ChoiceModel, fit_choices
from lam_env.agents.development.network import ChoiceSettings, OfferBatch
from lam_env.agents.files import ModelError
from outside import RUNS, SHEETS, needs

from lam_env.core.errors import UserError
from lam_env.logs.choices import Choices
from lam_env.logs.formats.dnd_sheets import class_choices
from lam_env.logs.formats.spire_cards import card_choices

QUICK = ChoiceSettings(members=1, passes=8, hidden=8, embedding=4, rank=2)


def drawn(n=3000, seed=0, liking=(0.0, 1.0, 0.0, -1.0), turn=0.0, pull=0.0, offer=3):
    """Choices of `offer` among "none" and three builds by a known softmax: liking, + turn x context for build 1, + pull
    where build 2 is held already. And the true probabilities."""
    rng = np.random.default_rng(seed)
    offered = np.stack([np.sort(rng.choice(4, offer, replace=False)) for _ in range(n)])
    context = np.stack([np.ones(n), rng.standard_normal(n)], 1).astype(np.float32)
    held = (rng.random((n, 1)) < 0.5).astype(np.float32)
    score = np.array(liking)[offered] + turn * context[:, 1:] * (offered == 1) + pull * held * (offered == 2)
    p = np.exp(score) / np.exp(score).sum(1, keepdims=True)
    chosen = (p.cumsum(1) > rng.random((n, 1))).argmax(1)
    names = ("none", "sword", "bow", "staff")
    traits = np.zeros((n, offer, 1), np.float32)
    made = Choices(names, ("one", "x"), ("bow",), ("t",), offered, chosen, np.arange(n), context, held, traits)
    return made, p


def entropy(p):
    return float(-(p * np.log(np.maximum(p, 1e-300))).sum(1).mean())


@pytest.mark.parametrize(("turn", "pull"), [(0.0, 0.0), (2.0, 0.0), (0.0, 3.0), (1.5, 2.0)])
def test_it_comes_near_the_truth(turn, pull):
    choices, p = drawn(turn=turn, pull=pull)
    train, valid, test = choices.split()
    found = judge.scores(fit_choices(train, valid, QUICK).probabilities(test), test.chosen)
    assert found["nll"] == pytest.approx(judge.scores(p[-len(test) :], test.chosen)["nll"], abs=0.03)
    frequent = judge.scores(judge.most_frequent(train, test), test.chosen)["nll"]
    if turn or pull:
        assert found["nll"] < frequent - 0.03


def test_a_logit_without_slopes_cannot_see_the_context():
    choices, _ = drawn(turn=2.0)
    train, valid, test = choices.split()
    plain = judge.scores(fit_choices(train, valid, judge.LOGIT).probabilities(test), test.chosen)["nll"]
    own = judge.scores(fit_choices(train, valid, judge.INTERACTIONS).probabilities(test), test.chosen)["nll"]
    assert own < plain - 0.05


@given(st.integers(1, 4), st.integers(0, 50))
def test_probabilities_are_those_of_a_distribution_over_the_offered_set(offer, seed):
    choices, _ = drawn(30, seed, offer=offer)
    wider = np.pad(choices.offered, ((0, 0), (0, 1)), constant_values=-1)
    features = np.pad(choices.features, ((0, 0), (0, 1), (0, 0)))
    padded = dataclasses.replace(choices, offered=wider, features=features)
    model = ChoiceModel(padded.names(), QUICK)
    p = model.probabilities(padded)
    assert p[:, -1].max() == 0
    assert p.sum(1) == pytest.approx(np.ones(30))
    assert p[:, :-1] == pytest.approx(model.probabilities(choices))


def test_the_order_on_offer_does_not_matter():
    choices, _ = drawn(50)
    model = ChoiceModel(choices.names(), QUICK)
    turned = dataclasses.replace(
        choices,
        offered=choices.offered[:, ::-1].copy(),
        chosen=2 - choices.chosen,
        features=choices.features[:, ::-1].copy(),
    )
    assert model.probabilities(turned)[:, ::-1] == pytest.approx(model.probabilities(choices))


def test_the_same_seed_gives_the_same_weights_and_no_global_state_is_touched():
    train, valid, test = drawn(400)[0].split()
    before = torch.random.get_rng_state()
    a, b, c = (fit_choices(train, valid, QUICK, seed).probabilities(test) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert torch.equal(before, torch.random.get_rng_state())


def test_progress_is_told_to_the_end():
    told = []
    train, valid, _ = drawn(200)[0].split()
    fit_choices(train, valid, dataclasses.replace(QUICK, members=2), progress=lambda *said: told.append(said))
    assert {said[0] for said in told} == {"development 1/2 [passes]", "development 2/2 [passes]"}
    assert all(done <= total for _, done, total, _ in told)
    assert told[-1][1] == told[-1][2]


def test_members_are_averaged():
    train, valid, test = drawn(300)[0].split()
    model = fit_choices(train, valid, dataclasses.replace(QUICK, members=2))
    with torch.no_grad():
        each = [torch.softmax(net(OfferBatch(test)).double(), -1).numpy() for net in model.networks]
    assert model.probabilities(test) == pytest.approx(np.mean(each, axis=0))


def test_what_it_does_not_know_is_refused():
    choices, _ = drawn(60)
    model = ChoiceModel(choices.names(), QUICK)
    other = dataclasses.replace(choices, options=("none", "sword", "bow", "wand"))
    with pytest.raises(UserError, match="options are not those"):
        model.probabilities(other)
    with pytest.raises(UserError, match="0 to validate"):
        fit_choices(choices, choices.select(np.zeros(60, bool)))


@pytest.mark.parametrize(
    "change", [{"members": 0}, {"passes": 0}, {"dropout": 1.0}, {"learning_rate": 0.0}, {"rank": -1}, {"batch": 0}]
)
def test_settings_that_make_no_sense(change):
    with pytest.raises(UserError, match="development: "):
        ChoiceSettings(**change)


# -- the rows beside it ------------------------------------------------------------------------------------------------


def test_scores_by_hand():
    p = np.array([[0.5, 0.25, 0.25], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0]])
    found = judge.scores(p, np.array([0, 1, 1]))
    assert found["top1"] == pytest.approx((1 + 0.5 + 0) / 3)  # a tie of two shares the hit
    assert found["top3"] == 1
    assert found["nll"] == pytest.approx((np.log(2) - np.log(0.4) - np.log(1e-12)) / 3)


def test_uniform_and_pick_rates_by_hand():
    choices, _ = drawn(4000)
    p = judge.uniform(choices)
    assert (p == 1 / 3).all()
    assert judge.scores(p, choices.chosen)["nll"] == pytest.approx(np.log(3))
    rates = judge.pick_rates(choices)
    assert rates[1] > rates[0] > rates[3]
    assert judge.most_frequent(choices, choices).sum(1) == pytest.approx(np.ones(len(choices)))


def test_boosting_where_it_is_installed():
    pytest.importorskip("lightgbm")
    choices, p = drawn(turn=2.0)
    train, _, test = choices.split()
    found = judge.boosting(train, test, 0)
    assert found.sum(1) == pytest.approx(np.ones(len(test)))
    assert judge.scores(found, test.chosen)["nll"] < judge.scores(judge.most_frequent(train, test), test.chosen)["nll"]
    assert judge.scores(found, test.chosen)["nll"] > entropy(p[-len(test) :]) - 0.05


def test_without_boosting_its_row_is_left_out(monkeypatch):
    monkeypatch.setattr(judge, "boosting_there", lambda: False)
    parts = drawn(200)[0].split()
    found = judge.evaluation_rows(*parts, QUICK, 0, lambda *_: None)
    assert list(found) == ["uniform", "most_frequent", "logit", "logit_interactions", "choice_model"]
    assert all(p.shape == parts[2].offered.shape for p in found.values())


# -- on disk -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    train, valid, test = drawn(200)[0].split()
    model = fit_choices(train, valid, dataclasses.replace(QUICK, members=2))
    store.save(model, tmp_path / "m")
    return model, test, tmp_path / "m"


def test_a_saved_model_says_the_same(saved):
    model, test, folder = saved
    assert np.array_equal(store.load(folder).probabilities(test), model.probabilities(test))
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "manifest.json", "model.safetensors"]


def test_a_changed_or_missing_model_is_refused(saved, tmp_path):
    _, _, folder = saved
    with pytest.raises(ModelError, match="no model here"):
        store.load(tmp_path / "none")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(ModelError, match="sha256 differs"):
        store.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"options": ["none"]},
        {"options": "none"},
        {"settings": {}},
        {"settings": dataclasses.asdict(QUICK) | {"hidden": 10**6}},
        {"settings": dataclasses.asdict(QUICK) | {"members": "2"}},
    ],
)
def test_a_config_that_does_not_fit_is_refused(saved, change):
    from lam_env.agents.files import to_json, write_folder

    _, _, folder = saved
    config = json.loads((folder / "config.json").read_text())
    content = {
        "config.json": to_json(config | change),
        "model.safetensors": (folder / "model.safetensors").read_bytes(),
    }
    write_folder(folder, content, store.FORMAT)
    with pytest.raises(ModelError):
        store.load(folder)


# -- the command -------------------------------------------------------------------------------------------------------


def runs(path, n=30):
    rng = np.random.default_rng(0)
    made = []
    for i in range(n):
        cards = [str(c) for c in rng.permutation(["Clash", "Flex", "Havoc"])]
        picked = "Flex" if i % 3 else "SKIP"
        choice = {"picked": picked, "not_picked": [c for c in cards if c != picked], "floor": 1}
        made.append(spire.run(1_546_376_628 + i * 10_000, card_choices=[choice]))
    return spire.write(path, *made)


def test_the_command_prints_the_table_and_how_it_was_made(tmp_path, capsys):
    path = runs(tmp_path / "r.jsonl")
    assert main([f"path={path}", "members=1", "passes=2", "seed=0,1"]) == 0
    told = capsys.readouterr()
    assert "30 choices among 3 options" in told.out
    for row in ("uniform", "most_frequent", "logit", "logit_interactions", "choice_model"):
        assert f"| {row} | " in told.out
    assert "21 choices of 21, 3 choices of 3 and 6 choices of 6" in told.out
    assert "training seeds 0, 1" in told.out
    assert f"Made by `python -m lam_env.agents.development path={path} members=1 passes=2 seed=0,1`" in told.out
    assert "development: " in told.err  # progress


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "give the file of the choices"),
        (["path=none"], "path=none: no such file"),
        (["path=r.jsonl", "format=slay"], "no format 'slay'"),
        (["path=r.jsonl", "seed="], "give one or several"),
        (["path=r.jsonl", "seed=1,1"], "give one or several"),
        (["path=r.jsonl", "members=0"], "at least 1"),
        (["path=r.jsonl", "format=dnd_class"], "no column"),
        (["path=few.jsonl"], "path=few.jsonl: choices: 4 runs"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    runs(tmp_path / "r.jsonl")
    runs(tmp_path / "few.jsonl", 4)
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line


# -- the published choices ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@needs(RUNS)
def test_cards_are_predicted_better_than_by_the_reference():
    """The reference: a logit with top-1 .5905 and NLL .9862."""
    train, valid, test = card_choices(RUNS)[0].split()
    found = judge.scores(fit_choices(train, valid).probabilities(test), test.chosen)
    assert found["top1"] > 0.68
    assert found["nll"] < 0.80


@pytest.mark.slow
@needs(SHEETS)
def test_classes_are_predicted_better_than_by_frequency():
    train, valid, test = class_choices(SHEETS)[0].split()
    found = judge.scores(fit_choices(train, valid).probabilities(test), test.chosen)
    assert found["top1"] > 0.5
    assert found["nll"] < judge.scores(judge.most_frequent(train, test), test.chosen)["nll"] - 1
