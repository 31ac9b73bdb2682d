"""Pre-training: learns what there is to learn, repeats itself to the bit, keeps its best weights."""

import copy
import dataclasses
import functools
import shutil

import numpy as np
import pytest
import torch
from killed import Dying, Killed
from lam_env.agents.counting.counts import LEVELS
from lam_env.agents.counting.online import counting
from lam_env.agents.predictors import training as module
from lam_env.agents.predictors.features import Featuriser
from lam_env.agents.predictors.likelihood import mean_nll, split_of
from lam_env.agents.predictors.pretrain import pretrain
from lam_env.agents.predictors.settings import CORES, PredictorSettings
from outside import HOMES, needs

from lam_env.core.errors import UserError
from lam_env.core.events import Vocabulary
from lam_env.logs.decision_points import BAG, DecisionPoints, decision_points, split_by_day

VOCABULARY = Vocabulary(("none", "light", "tv", "door"), readings=("lamp",))
QUICK = PredictorSettings(
    hidden=16,
    embedding=8,
    window=30,
    batch=2,
    passes=8,
    learning_rate=2e-2,
    dropout=0.0,
    embedding_dropout=0.0,
    heads=2,
)


def cycle(worlds=4, length=160, seed=0):
    """Light or tv, then a quiet decision point, then always the door; what comes after the door is the one that did
    not come before it: three decision points of memory and no luck are needed."""
    rng = np.random.default_rng(seed)
    n = worlds * length
    token = np.zeros((worlds, length), np.int64)
    for w in range(worlds):
        first = rng.integers(1, 3)
        token[w] = np.resize([first, 0, 3, 3 - first, 0, 3], length)
    tokens = np.zeros((n, BAG), np.int64)
    tokens[:, -1] = token.ravel()
    target = np.concatenate([token[:, 1:], np.zeros((worlds, 1), np.int64)], 1).ravel()
    soon = np.zeros((n, 4), bool)
    soon[np.arange(n), target] = target > 0
    time = np.tile(np.arange(length) * 300, worlds)
    zero = np.zeros(n, np.float32)
    return DecisionPoints(
        VOCABULARY,
        np.repeat(np.arange(worlds), length).astype(np.int32),
        time,
        zero,
        zero,
        tokens,
        rng.normal(size=(n, 1)).astype(np.float32),
        target,
        soon,
        zero.astype(np.int16),
    )


def weights(predictor):
    return {k: v.numpy().tobytes() for k, v in predictor.nets.state_dict().items()}


@pytest.mark.parametrize("core", ["lstm", "gru", "transformer"])
def test_learns_a_cycle_that_needs_memory(core):
    train, valid = cycle(), cycle(seed=1)
    settings = dataclasses.replace(QUICK, core=core, context=16, layers=1)
    predictor = pretrain(train, valid, settings)
    read = predictor.read(valid)
    late = valid.time > 20 * 300
    assert mean_nll(read.next[late], valid.target[late]) < 0.1
    assert ((read.soon[late, 1:] > 0.5) == valid.soon[late, 1:]).mean() > 0.98


def test_the_mlp_cannot_know_what_is_past():
    train, valid = cycle(), cycle(seed=1)
    predictor = pretrain(train, valid, dataclasses.replace(QUICK, core="mlp"))
    after_door = (valid.tokens[:, -1] == 3) & (np.arange(len(valid)) % 160 < 159)
    score = mean_nll(predictor.read(valid).next[after_door], valid.target[after_door])
    assert np.log(2) - 0.05 < score < np.log(2) + 0.1


@pytest.mark.parametrize("core", CORES)
def test_same_seed_same_bytes(core):
    train, valid = cycle(2, 60), cycle(1, 60, seed=1)
    settings = dataclasses.replace(QUICK, core=core, passes=2, dropout=0.2, input_dropout=0.2, average=0.9, members=2)
    torch.manual_seed(1)
    first = weights(pretrain(train, valid, settings, seed=5))
    torch.manual_seed(2)
    assert weights(pretrain(train, valid, settings, seed=5)) == first
    assert weights(pretrain(train, valid, settings, seed=6)) != first


def test_a_network_that_knows_another_home_learns_a_short_log_at_once():
    elsewhere = pretrain(cycle(), cycle(seed=1), QUICK)
    few, valid = cycle(1, 30, seed=2), cycle(1, 60, seed=3)
    short = dataclasses.replace(QUICK, passes=1, hidden=8)  # the shape is that of the start
    alone, begun = pretrain(few, valid, short), pretrain(few, valid, short, start=elsewhere)
    score = [mean_nll(each.read(valid).next, valid.target) for each in (alone, begun)]
    assert begun.settings.hidden == QUICK.hidden
    assert score[1] < score[0] - 0.5


def test_each_network_begins_with_one_of_the_start_and_leaves_that_as_it_was():
    two = dataclasses.replace(QUICK, passes=1, members=2)
    start = pretrain(cycle(2, 60), cycle(1, 60, seed=1), two)
    before = weights(start)
    still = dataclasses.replace(QUICK, passes=1, members=3)
    made = pretrain(cycle(1, 8), cycle(1, 8, seed=1), still, start=start)  # an update or two at a low rate
    assert weights(start) == before
    for member, net in enumerate(made.nets):
        mine = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
        near = [
            float((mine - torch.nn.utils.parameters_to_vector(other.parameters()).detach()).abs().max())
            for other in start.nets
        ]
        assert np.argmin(near) == member % 2
        assert 0 < min(near) < 0.02


@functools.cache
def undisturbed(core):
    """Weights, and how many batches there were."""
    whole = Watched()
    return weights(pretrain(*KEPT, kept_settings(core), 5, checkpoints=whole)), whole.asked


KEPT = cycle(4, 60), cycle(1, 60, seed=1)


class Watched:
    """In the place of checkpoints: never due."""

    asked = 0

    def begin(self, start):
        return None

    def due(self):
        self.asked += 1
        return False


def kept_settings(core):
    average = 0.9 if core == "lstm" else 0.0
    return dataclasses.replace(QUICK, core=core, passes=3, dropout=0.2, average=average, members=2)


@pytest.mark.parametrize(
    ("core", "ats"), [("lstm", (3, 4, 5, 12, 9)), ("gru", (9,)), ("transformer", (19,)), ("mlp", (31,))]
)
def test_pre_training_that_was_killed_ends_with_the_same_bytes(core, ats, tmp_path):
    """In the middle of a pass and between two, in the first network and in the second: 2 x 3 passes of 6 batches."""
    expected, batches = undisturbed(core)
    assert batches == 36
    for at in ats:
        with pytest.raises(Killed):
            pretrain(*KEPT, kept_settings(core), 5, checkpoints=Dying(tmp_path, at))
    again = Dying(tmp_path)
    assert weights(pretrain(*KEPT, kept_settings(core), 5, checkpoints=again)) == expected
    assert not again.from_start
    assert again.asked == batches - sum((at - 1) // 2 * 2 for at in ats)


def test_checkpoints_of_another_log_or_seed_are_not_gone_on_with(tmp_path, capsys):
    train, valid = cycle(4, 60), cycle(1, 60, seed=1)
    settings = dataclasses.replace(QUICK, passes=2)
    for given, seed in (((cycle(4, 60, seed=2), valid), 5), ((train, cycle(1, 60, seed=2)), 5), ((train, valid), 6)):
        with pytest.raises(Killed):
            pretrain(train, valid, settings, 5, checkpoints=Dying(tmp_path, 4))
        again = Dying(tmp_path)
        pretrain(*given, settings, seed, checkpoints=again)
        assert again.from_start
        assert capsys.readouterr().err.endswith("(start differs): this training begins anew\n")
        shutil.rmtree(tmp_path)


def test_members_differ():
    nets = pretrain(cycle(2, 60), cycle(1, 60), dataclasses.replace(QUICK, passes=1, members=2)).nets
    assert not torch.equal(nets[0].next.weight, nets[1].next.weight)


def test_the_global_generator_and_the_threads_are_left_alone():
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    pretrain(cycle(2, 60), cycle(1, 60), dataclasses.replace(QUICK, passes=1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_keeps_the_best_weights(monkeypatch):
    scores = iter([3.0, 1.0, 2.0, 2.0, 9.0])
    seen = []

    def scripted(p, target):
        seen.append(p.copy())
        return next(scores)

    monkeypatch.setattr(module, "mean_nll", scripted)
    train, valid = cycle(2, 60), cycle(1, 60, seed=1)
    settings = dataclasses.replace(QUICK, window=5, patience=25)  # two passes are at least as many updates
    predictor = pretrain(train, valid, settings)
    assert len(seen) == 4
    np.testing.assert_allclose(predictor.read(split_of(train, valid).reading).next[-60:], seen[1], atol=1e-6)


def test_training_does_not_stop_on_the_plateau_of_the_marginal(monkeypatch):
    # the marginal of the cycle has 1.33 nats
    scores, seen = iter([1.4, *[1.39] * 4, 1.2, *[1.3] * 9]), []
    monkeypatch.setattr(module, "mean_nll", lambda p, target: seen.append(next(scores)) or seen[-1])
    monkeypatch.setattr(module, "marginal_nll", lambda *of: 1.33)
    pretrain(cycle(2, 60), cycle(1, 60, seed=1), dataclasses.replace(QUICK, window=5, patience=25, passes=14))
    assert seen[-3:] == [1.2, 1.3, 1.3]


def test_progress_is_told():
    told = []
    pretrain(cycle(2, 60), cycle(1, 60), dataclasses.replace(QUICK, passes=3), progress=lambda *a: told.append(a))
    assert {stage for stage, *_ in told} == {"pre-training"}
    assert all(0 <= done <= total for _, done, total, _ in told)
    assert "validation NLL" in told[-1][3]


def test_every_row_is_trained_on_once_a_pass():
    train = cycle(3, 100)
    settings = dataclasses.replace(QUICK, window=16, burn_in=5)
    data = module.Chunks(train, Featuriser.fit(train), settings, torch.device("cpu"))
    rng = np.random.default_rng(0)
    first = [torch.cat([rows[real] for rows, real in data.batches(rng)]) for _ in range(2)]
    for rows in first:
        assert sorted(rows.tolist()) == list(range(300))
    assert first[0].tolist() != first[1].tolist()
    for rows, _ in data.batches(rng):
        assert rows.shape[1] <= 16 + 5
        assert (train.world[rows.numpy()] == train.world[rows.numpy()][:, :1]).all()


@pytest.mark.parametrize(("most", "read"), [(120, 100), (10, 50), (200, 200)])
def test_validation_reads_whole_worlds(monkeypatch, most, read):
    rows = []
    monkeypatch.setattr(module, "mean_nll", lambda p, target: rows.append(len(target)) or 1.0)
    pretrain(cycle(2, 60), cycle(4, 50), dataclasses.replace(QUICK, passes=1, valid_rows=most))
    assert set(rows) == {read}


def test_a_log_without_soon_will_do():
    train = dataclasses.replace(cycle(2, 60), soon=None)
    predictor = pretrain(train, train, dataclasses.replace(QUICK, passes=1))
    assert np.isfinite(predictor.read(train).next).all()


def test_the_soon_head_learns_without_shaping_the_trunk():
    train, valid = cycle(), cycle(seed=1)
    settings = dataclasses.replace(QUICK, soon_weight=0.0, average=0.0)
    with_soon = pretrain(train, valid, settings)
    without = pretrain(dataclasses.replace(train, soon=None), valid, settings)
    # the clip of the gradient's norm is shared, so near and not equal
    a, b = with_soon.read(valid), without.read(valid)
    assert abs(mean_nll(a.next, valid.target) - mean_nll(b.next, valid.target)) < 0.05
    assert ((a.soon[:, 1:] > 0.5) == valid.soon[:, 1:]).mean() > 0.9


@pytest.mark.parametrize("empty", ["train", "valid"])
def test_an_empty_log_is_refused(empty):
    log = cycle(1, 20)
    parts = {"train": log, "valid": log, empty: log.select(slice(0, 0))}
    with pytest.raises(UserError, match="give a longer log"):
        pretrain(parts["train"], parts["valid"], QUICK)


def test_a_broken_reading_ends_in_one_line():
    log = cycle(1, 40)
    log.context[3] = np.nan
    with pytest.raises(UserError, match="diverged"):
        pretrain(log, log, dataclasses.replace(QUICK, passes=1))


def test_trains_in_single_precision_where_the_processor_knows_no_bfloat16(monkeypatch):
    in_single = weights(pretrain(cycle(), cycle(seed=1), dataclasses.replace(QUICK, passes=1, autocast=False)))

    class Unable(torch.nn.LSTM):
        def forward(self, x, *args):
            if torch.is_autocast_enabled("cpu"):
                raise RuntimeError("could not create a primitive descriptor for the LSTM forward propagation primitive")
            return super().forward(x, *args)

    module.bfloat16_on.cache_clear()
    with monkeypatch.context() as without:
        without.setattr(torch.nn, "LSTM", Unable)
        fallen_back = weights(pretrain(cycle(), cycle(seed=1), dataclasses.replace(QUICK, passes=1)))
    module.bfloat16_on.cache_clear()
    assert fallen_back == in_single


# the published protocol on a real home: label of the next activity, hh104 of CASAS

REFERENCE = {  # top-1, NLL
    "most_frequent": (0.231, 2.452),
    "time_table": (0.256, 2.352),
    "markov1": (0.419, 2.017),
    "markov2": (0.419, 1.961),
    "markov3": (0.423, 1.965),
    "markov2_clock": (0.442, 1.927),
}


@pytest.fixture(scope="module")
def hh104():
    from lam_env.logs.formats.casas_xes import load

    points = decision_points(load(str(HOMES), home="hh104")[0])
    return points, *split_by_day(points)


def top1_and_nll(p, target):
    """Over real labels: the column of none left out."""
    p = p[:, 1:] / p[:, 1:].sum(1, keepdims=True)
    return (p.argmax(1) == target - 1).mean(), mean_nll(p, target - 1)


@needs(HOMES)
def test_the_split_of_hh104(hh104):
    points, *parts = hh104
    assert [int(part.sum()) for part in parts] == [1920, 281, 640]
    assert len(points.vocabulary) == 18


@needs(HOMES)
@pytest.mark.parametrize("name", LEVELS)
def test_counting_reproduces_the_reference(hh104, name):
    points, train, valid, test = hh104
    predictor = counting(name).fit(points.select(train), points.select(valid))
    top1, score = top1_and_nll(predictor.read(points).next[test], points.target[test])
    assert top1 == pytest.approx(REFERENCE[name][0], abs=0.02)
    assert score == pytest.approx(REFERENCE[name][1], abs=0.02)


@pytest.mark.slow
@needs(HOMES)
def test_the_lstm_reaches_the_reference(hh104):
    points, train, valid, test = hh104
    read = []
    for seed in range(3):
        predictor = pretrain(points.select(train), points.select(valid), seed=seed)
        read.append(predictor.read(points).next[test])
    scores = np.array([top1_and_nll(p, points.target[test]) for p in read]).mean(0)
    print("lstm, mean of 3 seeds: top-1, NLL", scores)
    assert scores[0] >= 0.457
    assert scores[1] <= 1.76
    together = top1_and_nll(np.mean(read, axis=0), points.target[test])
    print("ensemble of 3: top-1, NLL", together)
    assert together[0] >= 0.47
    assert together[1] <= 1.72


def test_networks_that_could_not_be_kept_are_not_trained():
    points = cycle()
    names = ("none", *(f"a{i}" for i in range(29_999)))
    many = dataclasses.replace(points, vocabulary=Vocabulary(names, readings=("lamp",)))
    large = dataclasses.replace(QUICK, hidden=2048, readout=2048, members=3)
    with pytest.raises(UserError, match=r"29,999 actions make networks of 1\.6 GiB, and 1 GiB is the most") as caught:
        pretrain(many, many, large)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("core", CORES)
def test_an_update_of_all_weights_in_one_is_that_of_torchs_optimiser(core: str) -> None:
    points = cycle(worlds=1, length=120)
    settings = dataclasses.replace(QUICK, core=core, average=0.9, weight_decay=0.1, autocast=False)
    featuriser = Featuriser.fit(points, settings.recency)
    torch.manual_seed(0)
    net = module.PredictorNetwork(VOCABULARY.n_tokens, len(VOCABULARY), featuriser.size, settings).train()
    theirs, mean = copy.deepcopy(net), copy.deepcopy(net)
    chunks = module.Chunks(points, featuriser, settings, torch.device("cpu"))
    fit = module.Fit(net, chunks, VOCABULARY, np.random.default_rng(0))
    optimiser = torch.optim.AdamW(theirs.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    for rows, real in (chunks.batches(np.random.default_rng(0)) * 3)[:5]:
        fit._step(rows, real, 1.0)
        optimiser.zero_grad()
        module.chunk_loss(theirs, chunks, rows, real).backward()
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimiser.step()
        share = 1 - min(0.9, (2 + fit.updates) / (11 + fit.updates))
        with torch.no_grad():
            for a, b in zip(mean.parameters(), theirs.parameters(), strict=True):
                a.lerp_(b, share)
        fit.updates += 1
    fit._look(split_of(points, points), points.target)
    for made, reference in ((net, theirs), (fit.judge.nets[0], mean)):
        for a, b in zip(made.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=0)
