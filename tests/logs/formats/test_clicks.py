"""Clicks by sessions in the forms in which they are published, and what is wrong with files that hold none."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interval_logs import write
from outside import CLICKS, needs

from lam_env.core.events import LogError
from lam_env.logs.decision_points import decision_points
from lam_env.logs.formats.clicks import load
from lam_env.logs.streams import split_by_protocol

HEADER = "SessionId\tItemId\tTime"
# session 9 begins first, and its last click comes after all of session 1
ROWS = ("1\t21\t1396861000.5", "1\t22\t1396861010.9", "9\t22\t1396860000", "9\t21\t1396869000", "9\t23\t1396869001")
ITEMS = [["22", "21", "23"], ["21", "22"]]


def items(log):
    """The items of each session, in order."""
    return [[log.vocabulary.actions[t] for t in log.token[log.world == world]] for world in log.worlds]


def test_each_session_is_a_stream_in_the_order_in_which_they_began(tmp_path):
    log, left_out = load(write(tmp_path, "clicks.tsv", HEADER, *ROWS))
    assert items(log) == ITEMS
    assert log.meta["start"] == "2014-04-07"
    assert log.time[log.world == 1].tolist() == [8 * 3600 + 56 * 60 + 40, 8 * 3600 + 56 * 60 + 50]  # UTC, on a Monday
    assert (log.protocol.split, log.timer, log.intervals, left_out) == ("streams", None, False, {})
    assert (log.meta["zone"], log.meta["streams"]) == ("UTC", "sessions")


@pytest.mark.parametrize(
    ("header", "sign"),
    [
        ("session_id,item_id,timestamp", ","),
        ("Session ID;Item;Time", ";"),
        ("session_id:token\titem_id:token\ttimestamp:float", "\t"),
    ],
)
def test_names_and_signs_of_other_preparations(tmp_path, header, sign):
    rows = [row.replace("\t", sign) for row in ROWS]
    assert items(load(write(tmp_path, "clicks.csv", header, *rows))[0]) == ITEMS


def test_the_file_of_the_challenge_has_no_header_and_a_category(tmp_path):
    rows = ("1,2014-04-07T10:51:09.277Z,214536502,0", "1,2014-04-07T10:54:09.868Z,214536500,S")
    rows += ("2,2014-04-07T13:56:37.614Z,214662742,0",)
    (tmp_path / "clicks.dat.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    log, _ = load(str(tmp_path / "clicks.dat.gz"), zone="Europe/Amsterdam")
    assert items(log) == [["214536502", "214536500"], ["214662742"]]
    assert log.time[0] == 12 * 3600 + 51 * 60 + 9


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.permutations(ROWS))
def test_rows_may_be_in_any_order(tmp_path, rows):
    log, _ = load(write(tmp_path, "clicks.tsv", HEADER, *rows))
    assert items(log) == ITEMS


def test_repeated_and_empty_lines_are_counted_and_visitors_may_be_streams_of_their_own(tmp_path):
    log, left_out = load(write(tmp_path, "clicks.tsv", HEADER, *ROWS, "", ROWS[0]), split="per_user")
    assert left_out == {"empty line(s)": 1, "row(s) like an earlier one": 1}
    assert (log.protocol.split, log.meta["users"]) == ("each", ["1", "9"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            (),
            "f.tsv, line 1: clicks have columns SessionId, ItemId and Time; there are none",
        ),
        (("SessionId\tTime", "1\t1396861000"), "line 1: clicks have columns .*; there are sessionid, time"),
        ((HEADER,), "f.tsv: a header and no rows"),
        ((HEADER, "1\t21"), "f.tsv, line 2: 2 cells but 3 columns"),
        ((HEADER, "1\t21\tlater"), "f.tsv, line 2: 'later' is not an ISO 8601 time"),
        ((HEADER, "\t21\t1396861000"), "f.tsv, line 2: the user has no name"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "f.tsv", *lines))
    assert "\n" not in str(caught.value)


def test_files_that_test_are_sessions_of_their_own(tmp_path):
    """Their numbers begin anew."""
    train = write(tmp_path, "train.tsv", HEADER, *ROWS)
    test = write(tmp_path, "test.tsv", HEADER, "1\t22\t1396870000", "1\t23\t1396870001")
    log, _ = load(train, test=test)
    assert items(log) == [*ITEMS, ["22", "23"]]
    assert (log.protocol.split, log.protocol.test) == ("streams", 2)


@needs(CLICKS)
def test_the_published_split_of_the_clicks():
    log, left_out = load(str(CLICKS / "train_full.tsv.gz"), test=str(CLICKS / "test.tsv.gz"))
    points = decision_points(log, soon=False)
    train, valid, test = split_by_protocol(log, points)
    assert test.sum() == 13_568 - 3_416  # all but a session's first
    assert (train | valid).sum() == 70_278 - sum(left_out.values()) - 17_794
    assert len(np.unique(points.world[valid])) == 17_794 // 8


@needs(CLICKS)
@pytest.mark.parametrize(
    ("file", "rows", "sessions", "items"),
    [("train_full.tsv.gz", 70_277, 17_794, 2_933), ("test.tsv.gz", 13_568, 3_416, 1_771)],
)
def test_the_published_clicks(file, rows, sessions, items):
    log, left_out = load(str(CLICKS / file))
    assert (len(log), len(log.worlds), len(log.vocabulary.actions) - 1) == (rows, sessions, items)
    assert sum(left_out.values()) == (file == "train_full.tsv.gz")  # one click is there twice
    first = log.time[np.searchsorted(log.world, log.worlds)]
    assert (np.diff(first) >= 0).all()
