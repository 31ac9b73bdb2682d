"""Logs that say what came after what, but not when."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env import log_of_order
from lam_env.commands.run import main
from lam_env.core.events import READING, USER, LogError
from lam_env.logs.coverage import STEP, said
from lam_env.logs.decision_points import day_of_target, decision_points
from lam_env.logs.formats.table import FORMATS
from lam_env.logs.streams import split_by_protocol

ANSWERS = "pos,who,what\n10,ben,x\n1,anna,a\n2,anna,b\n9,ben,y\n3,anna,a\n"


@pytest.fixture
def read(tmp_path):
    def read(text, kind="csv", **options):
        (tmp_path / "x").write_text(text)
        return FORMATS[kind](str(tmp_path / "x"), **options)

    return read


def done(log):
    """What each stream does, in order."""
    return [[log.vocabulary.actions[t] for t in log.token[log.world == w]] for w in log.worlds]


def test_each_user_is_a_stream_and_all_that_a_clock_shows_is_constant(read):
    log, left_out = read(ANSWERS, columns="order:pos,user:who,action:what")
    assert (done(log), log.meta["users"], left_out) == ([["a", "b", "a"], ["y", "x"]], ["anna", "ben"], {})
    assert log.time.tolist() == [0, STEP, 2 * STEP, 0, STEP]
    assert (log.protocol.split, log.timer, log.intervals) == ("each", None, False)
    assert (log.meta["clock"], "start" in log.meta, "zone" in log.meta) == ("order", False, False)
    points = decision_points(log, soon=False)
    assert len(np.unique(points.time % (7 * 86_400))) == 1
    assert np.unique(points.gap).tolist() == [0, STEP]  # 0 at a stream's first
    assert said(log, {}) == ["order alone, without a clock: hour, weekday and gap are off"]


def test_without_a_column_rows_are_in_the_order_of_the_file(read):
    log, _ = read("ben,x\nanna,a\nben,y\nanna,b\nanna,b\n", columns="user:1,action:2")
    assert done(log) == [["a", "b", "b"], ["x", "y"]]  # what is done twice is done twice
    assert said(log, {})[1] == "no column of time, day or order is named: rows are in the order of the file"
    lines = "".join(json.dumps({"what": a}) + "\n" for a in "abba")
    assert done(read(lines, "jsonl", columns="action:what")[0]) == [["a", "b", "b", "a"]]


def test_as_one_stream_all_are_in_one_order(read):
    log, _ = read(ANSWERS, columns="order:pos,user:who,action:what", split="days")
    assert (done(log), log.timer) == ([["a", "b", "a", "y", "x"]], None)
    assert log.user.tolist() == [0, 0, 0, 1, 1]


def test_readings_are_at_the_time_of_what_was_done_before(read):
    rows = "a,user,\nhot,reading,1\nb,user,\nhot,reading,2\nhot,reading,3\na,user,\n"
    log, _ = read("what,kind,number\n" + rows, columns="action:what,kind:kind,value:number")
    assert log.time.tolist() == [0, 0, STEP, STEP, STEP, 2 * STEP]
    assert log.kind.tolist() == [USER, READING, USER, READING, READING, USER]
    assert decision_points(log, soon=False).context[:, 0].tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("order:what,action:who", {}, "line 2: order 'x' is not a finite number"),
        ("order:pos,action:what", {"zone": "UTC"}, "zone without a column of time says nothing"),
        ("action:what", {"sort": True, "time_format": "%Y"}, "time_format, sort without a column of time"),
        ("order:pos,time:pos,action:what", {}, "order is for rows that do not say when"),
        ("order:pos,duration:pos,action:what", {}, "duration without a time; name the column of time"),
        ("order:pos,minute:pos,action:what", {}, "day and minute go together"),
        ("order:pos", {}, "no column action"),
    ],
)
def test_what_makes_no_sense_without_a_clock(read, columns, options, message):
    with pytest.raises(LogError, match=message):
        read(ANSWERS, columns=columns, **options)
    with pytest.raises(LogError, match="line 2: order ''; it must be a number"):
        read("pos,what\n,a\n", columns="order:pos,action:what")


STREAMS = st.lists(st.lists(st.sampled_from("abc"), max_size=9), min_size=1, max_size=5)


@given(STREAMS)
def test_streams_come_back_as_they_are(streams):
    if len({action for actions in streams for action in actions}) < 2:
        return
    log, left_out = log_of_order(((f"u{i}", actions) for i, actions in enumerate(streams)), "f", split="users")
    assert (done(log), left_out) == ([actions for actions in streams if actions], {})
    assert (log.time // STEP).tolist() == [i for actions in streams for i in range(len(actions))]


def test_splits_are_by_events():
    log, _ = log_of_order([("a", "xy" * 10), ("b", "yx" * 20)], "f")
    points = decision_points(log, soon=False)
    train, valid, test = split_by_protocol(log, points)
    assert [[int(part[points.world == w].sum()) for part in (train, valid, test)] for w in (0, 1)] == [
        [13, 1, 5],  # of 19 and 39: nothing comes before the first event of a stream
        [27, 3, 9],
    ]
    assert day_of_target(points)[test].min() == day_of_target(points)[valid & (points.world == 0)].max() + 7


def test_a_run_predicts_what_comes_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("who,what\n" + "".join(f"u{i // 6},{'abc'[i % 3]}\n" for i in range(240)))
    tiny = ["agents=markov2_clock,time_table", "predictor.passes=1", "predictor.hidden=8", "workers=1"]
    told = ["logs=x.csv", "format=csv", "columns=user:who,action:what", "split=days", "predict=yes"]
    assert main([*told, *tiny, "out=out"]) == 0
    out = capsys.readouterr().out
    assert "x.csv: 240 events, 3 actions\n  order alone" in out
    assert "predictors learn from 190 events, and are tested on the last 49 events" in out
    assert "split=days: all that is done is one stream; the last events test" in out
