"""A file of plays as a log, and what is wrong with files that hold none."""

import datetime
import gzip
import zoneinfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outside import PLAYS, needs

from lam_env.core import registry
from lam_env.core.events import LogError
from lam_env.logs.coverage import AGAIN, ASTRAY, EMPTY
from lam_env.logs.formats.mobile_plays import load
from lam_env.logs.play.sessions import plays_of

DAY, T = 86_400, 1_400_000_000


def write(path, *rows, header="player,score,time"):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return str(path)


def names(log, world=0):
    return [log.vocabulary.actions[t] for t in log.token[log.world == world]]


def test_plays_gaps_and_churn(tmp_path):
    rows = [(7, 5, T), (7, 60, T + 60), (7, 1000, T + 60 + 1801), (7, 0, T + 2 * DAY), (9, 700, T + 40 * DAY)]
    log, left_out = load(write(tmp_path / "p.csv", *rows))
    assert names(log, 0) == ["PLAY_0", "PLAY_50", "GAP_6h", "PLAY_1000", "GAP_3d", "PLAY_0", "CHURN"]
    assert names(log, 1) == ["PLAY_500"]
    assert left_out == {}
    assert log.value[log.world == 0][[0, 1, 3]].tolist() == [5, 60, 1000]
    assert len(log.end) == 2


@pytest.mark.parametrize(
    ("hours", "gap"),
    [(0.5, None), (0.51, "GAP_6h"), (6, "GAP_6h"), (7, "GAP_24h"), (30, "GAP_3d"), (73, "GAP_14d"), (400, "GAP_long")],
)
def test_the_lengths_of_gaps(tmp_path, hours, gap):
    log, _ = load(write(tmp_path / "p.csv", (1, 0, T), (1, 99, T + int(hours * 3600)), (2, 20, T)))
    assert [name for name in names(log) if name.startswith("GAP")] == ([gap] if gap else [])


def test_the_files_order_and_further_columns_do_not_matter(tmp_path):
    one, _ = load(write(tmp_path / "a.csv", (1, 5, T), (1, 50, T + 9), (2, 5, T)))
    two, _ = load(
        write(tmp_path / "b.csv", (T, "x", 5, 2), (T + 9, "", 50, 1), (T, "", 5, 1), header="Time,note,score,player")
    )
    assert all(np.array_equal(one.columns[k], two.columns[k], equal_nan=True) for k in one.columns)


def test_a_zone_moves_the_clock(tmp_path):
    path = write(tmp_path / "p.csv", (1, 5, T), (1, 50, T + 9))
    assert load(path, zone="Asia/Tokyo")[0].time[0] - load(path)[0].time[0] == 9 * 3600
    assert load(path)[0].meta["zone"] == "UTC"


def test_lines_without_a_player_are_counted(tmp_path):
    (tmp_path / "p.csv").write_text(f"player,score,time\n,5,{T}\n\n1,5,{T}\n1,90,{T}\n", encoding="utf-8")
    log, left_out = load(str(tmp_path / "p.csv"))
    assert left_out == {"line(s) without a player": 1, "empty line(s)": 1}
    assert len(log) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("player,score,time\n", "holds no play"),
        ("player,time\n1,2\n", "no column score"),
        ("player,score,time\n1,2\n", "line 2: 2 cells but 3 columns"),
        ("player,score,time\nann,2,3\n", "line 2: player, score and time must be numbers"),
        ("player,score,time\n1,inf,3\n", "a score of inf"),
        ("player,score,time\n1,-2,3\n", "a score of -2"),
        ("player,score,time\n1,2,2014-01-01\n", "must be numbers"),
        ("player,score,time\n1,2,1400000000000\n", "not in seconds since 1970"),
        ("player,score,time\n1,2,20140101\n", "not in seconds since 1970"),
        ("player,score,time\n1,2,nan\n", "holds no play"),
        ("player,score,time\n1,2,2026010507\n1,2,2026010519\n", "dates without separators"),
        ("player,score,time\n99999999999999999999,2,3\n", "is no number of a player"),
        ('player,score,time\n"1,2,3\n', "broken CSV"),
        (f"player,score,time\n1,2,{T}\n", r"one play a player \(of 1\): nothing to estimate"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path, text, message):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LogError, match=message) as caught:
        load(str(tmp_path / "p.csv"))
    assert "\n" not in str(caught.value)


def test_a_cut_gzip_a_missing_file_and_an_unknown_zone(tmp_path):
    whole = gzip.compress(np.random.default_rng(0).bytes(10_000))
    (tmp_path / "p.csv.gz").write_bytes(whole[:5_000])
    with pytest.raises(LogError, match=r"cut short|not UTF-8"):
        load(str(tmp_path / "p.csv.gz"))
    with pytest.raises(LogError, match="no such file"):
        load(str(tmp_path / "none.csv"))
    path = write(tmp_path / "p.csv", (1, 5, T), (1, 50, T))
    with pytest.raises(LogError, match="unknown time zone"):
        load(path, zone="Mars/Base")


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3000), st.integers(T, T + 6 * DAY)), min_size=1))
def test_no_play_is_lost(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("p") / "p.csv", *rows, (0, 5, T), (0, 2000, T + 1))
    log, left_out = load(path)
    assert len(plays_of(log).time) + sum(left_out.values()) == len(rows) + 2
    assert set(left_out) <= {AGAIN}


def test_every_play_stands_at_its_own_local_hour(tmp_path):
    berlin, rows = zoneinfo.ZoneInfo("Europe/Berlin"), []
    for d in range(20):  # the clock is put forward on the tenth day
        day = datetime.datetime(2026, 3, 20, tzinfo=berlin) + datetime.timedelta(days=d)
        rows += [(p, 5 * p, int(day.replace(hour=h).timestamp())) for p, h in ((1, 20), (2, 7))]
    log, _ = load(write(tmp_path / "p.csv", *rows), zone="Europe/Berlin")
    plays = plays_of(log)
    assert set((plays.time[plays.player == 0] // 3600 % 24).tolist()) == {20}
    assert set((plays.time[plays.player == 1] // 3600 % 24).tolist()) == {7}


def test_the_hour_that_occurs_twice_keeps_the_order_of_plays_and_is_no_gap(tmp_path):
    first = int(datetime.datetime(2024, 10, 27, 0, 50, tzinfo=datetime.UTC).timestamp())  # 02:50, then 02:10
    log, _ = load(
        write(tmp_path / "p.csv", (1, 5, first), (1, 50, first + 1200), (1, 5, first + 5400)), zone="Europe/Paris"
    )
    assert names(log) == ["PLAY_0", "PLAY_50", "GAP_6h", "PLAY_0"]
    assert (np.diff(log.time) >= 0).all()


def test_one_late_play_makes_nobody_one_who_has_left(tmp_path):
    rows = [(p, 5 * p, T + d * DAY + p) for d in range(20) for p in range(9)]
    log, left_out = load(write(tmp_path / "p.csv", *rows, (3, 5, T + 29 * DAY), (4, 5, T + 4000 * DAY)))
    assert [why.partition(":")[0] for why in left_out] == [ASTRAY]
    assert sum(left_out.values()) == 1  # the other may well be a play, and ends a gap in the record
    assert "CHURN" not in log.vocabulary.actions


def test_days_on_which_nobody_plays_are_no_silence(tmp_path):
    rows = [(p, 5 * p, T + d * DAY + p) for d in range(20) for p in range(9)]
    after = [(p, 5 * p, T + d * DAY + p) for d in range(60, 65) for p in range(4)]
    log, left_out = load(write(tmp_path / "p.csv", *rows, *after))
    assert left_out == {}
    assert "CHURN" not in log.vocabulary.actions
    later = [(p, 5 * p, T + d * DAY + p) for d in range(65, 91) for p in range(4)]
    log, _ = load(write(tmp_path / "p.csv", *rows, *after, *later))
    assert (log.token == log.vocabulary.action("CHURN")).sum() == 5


def test_states_that_say_nothing(tmp_path):
    path = write(tmp_path / "p.csv", (1, 5, T), (1, "NaN", T + 5), (1, "unavailable", T + 5), (1, 50, T + 9))
    assert load(path)[1] == {EMPTY: 2}


def test_it_is_found_by_name():
    assert registry.IMPORTERS.get("mobile_plays") is load


@needs(PLAYS)
def test_the_published_plays():
    log, left_out = load(str(PLAYS))
    plays = plays_of(log)
    assert (len(plays.time), len(plays.first), left_out) == (153_828, 25_955, {AGAIN: 92})
