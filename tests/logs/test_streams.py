"""Logs of many short streams, and which of them are held out."""

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.agents.counting.online import counting
from lam_env.agents.predictors.pretrain import pretrain
from outside import PLAYS, RUNS, needs

from lam_env.core.events import LogError, Protocol
from lam_env.logs.decision_points import decision_points, split_by_day
from lam_env.logs.formats import mobile_plays, slay_the_spire
from lam_env.logs.streams import RecordedStream, log_of_streams, split_by_protocol, split_by_stream

BEGAN = datetime.datetime(2020, 1, 8, 12)  # a Wednesday


def streams(n, length=4, **meta):
    names = tuple("ab"[i % 2] for i in range(length))
    made = [RecordedStream(BEGAN + datetime.timedelta(days=i), np.arange(length) * 600, names) for i in range(n)]
    return log_of_streams(made, "test", **meta)


def test_a_world_for_each_stream_from_the_monday_before():
    log = streams(3)
    assert log.worlds.tolist() == [0, 1, 2]
    assert log.meta["start"] == "2020-01-06"
    assert log.time[0] == 2 * 86_400 + 12 * 3600
    assert log.protocol == Protocol("streams")


def test_no_timer_fills_the_quiet_between_two_visits():
    made = [RecordedStream(BEGAN, np.array([0, 10**6]), ("a", "b"))] * 2
    assert len(decision_points(log_of_streams(made, "test"))) == 4


def test_whole_streams_are_held_out_and_last_rows_are_no_targets():
    log = streams(20)
    points = decision_points(log)
    train, valid, test = split_by_protocol(log, points)
    assert np.unique(points.world[train]).tolist() == list(range(14))
    assert np.unique(points.world[valid]).tolist() == [14, 15]
    assert np.unique(points.world[test]).tolist() == [16, 17, 18, 19]
    assert (points.target[train | valid | test] > 0).all()
    assert (train | valid | test).sum() == 20 * 3


@given(st.integers(10, 60), st.integers(2, 6))
def test_parts_do_not_overlap(n, length):
    log = streams(n, length)
    points = decision_points(log)
    parts = np.stack(split_by_stream(points))
    assert parts.sum(0).max() == 1
    assert all(part.any() for part in parts)
    sizes = [len(np.unique(points.world[part])) for part in parts]
    assert sum(sizes) == n
    assert sizes[0] == int(0.7 * n + 1e-9)


def test_only_streams_with_enough_to_say_are_judged():
    names = [("play_1",) * 5 + ("gap",) * 2, ("play_1",) * 4 + ("gap",) * 9] * 10
    made = [RecordedStream(BEGAN, np.arange(len(n)), n) for n in names]
    log = log_of_streams(made, "test", word="play_", least=5)
    points = decision_points(log)
    worlds = np.unique(points.world[np.any(split_by_protocol(log, points), axis=0)])
    assert worlds.tolist() == list(range(0, 20, 2))


def test_other_logs_are_split_by_day_as_before():
    log = dataclasses.replace(streams(10), protocol=Protocol("days"))
    points = decision_points(log)
    for a, b in zip(split_by_protocol(log, points), split_by_day(points), strict=True):
        assert np.array_equal(a, b)


def test_of_simulated_worlds_the_last_eighth_validates():
    log = dataclasses.replace(streams(16), protocol=Protocol("worlds"))
    points = decision_points(log)
    train, valid, test = split_by_protocol(log, points)
    assert np.unique(points.world[valid]).tolist() == [14, 15]
    assert np.array_equal(train, ~valid)
    assert not test.any()


def test_too_few_streams():
    log = streams(9)
    with pytest.raises(LogError, match=r"9 streams .* are too few"):
        split_by_protocol(log, decision_points(log))


def of_file(path, importer):
    log, _ = importer(str(path))
    points = decision_points(log)
    return (
        points,
        *(points.select(part) for part in split_by_protocol(log, points)[:2]),
        split_by_protocol(log, points)[2],
    )


def top1_and_nll(predictor, points, test):
    """Over real actions: the column of none left out."""
    p = predictor.read(points).next[test][:, 1:].astype(np.float64)
    p /= p.sum(1, keepdims=True)
    target = points.target[test] - 1
    return (p.argmax(1) == target).mean(), -np.log(p[np.arange(len(p)), target]).mean()


@needs(RUNS)
@pytest.mark.parametrize(
    ("name", "top1", "nll"), [("most_frequent", 0.164, 2.724), ("markov1", 0.447, 1.483), ("markov3", 0.518, 1.291)]
)
def test_counting_reproduces_the_reference_of_the_runs(name, top1, nll):
    points, train, valid, test = of_file(RUNS, slay_the_spire.load)
    found = top1_and_nll(counting(name).fit(train, valid), points, test)
    assert found == pytest.approx((top1, nll), abs=0.01)


@pytest.mark.slow
@needs(RUNS, PLAYS)
@pytest.mark.parametrize(
    ("path", "importer", "top1", "nll"),
    [
        (RUNS, slay_the_spire.load, 0.597, 1.034),
        (RUNS, slay_the_spire.load_fine, 0.295, 3.12),
        (PLAYS, mobile_plays.load, 0.284, 2.02),
    ],
)
def test_the_network_is_as_good_as_the_reference(path, importer, top1, nll):
    points, train, valid, test = of_file(path, importer)
    found = top1_and_nll(pretrain(train, valid), points, test)
    assert found[0] > top1 - 0.005  # names: .295 to .320 by seed
    assert found[1] < nll + 0.005
