"""Items that people took, in order: a user on a line or on many, and RecBole's files with a header."""

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interval_logs import write
from outside import PURCHASES, needs

from lam_env.core.events import LogError
from lam_env.logs.coverage import has_clock
from lam_env.logs.formats.purchases import load

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
RATINGS = ("ann\tB2\t4.0\t881250949", "ben\tB1\t3\t881250950", "ann\tB1\t5\t881250948")
names = st.integers(0, 10**6).map(str)


def items(log):
    """The items of each user, in order."""
    users = log.meta["users"]
    return {users[w]: [log.vocabulary.actions[t] for t in log.token[log.world == w]] for w in log.worlds}


@pytest.mark.parametrize(
    "lines",
    [
        ("1 7", "1 8", "1 7", "2 9", "2 7"),
        ("1 7 8 7", "2 9 7"),
        ("2\t9", "1\t7\t8", "2\t7", "1\t7"),
    ],
)
def test_a_user_on_a_line_or_on_many(tmp_path, lines):
    log, left_out = load(write(tmp_path, "x.txt", *lines))
    assert items(log) == {"1": ["7", "8", "7"], "2": ["9", "7"]}
    assert (has_clock(log), log.protocol.split, log.timer, left_out) == (False, "each", None, {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(names, st.lists(names, min_size=1, max_size=6), min_size=2, max_size=5))
def test_no_item_is_lost_whatever_lines_it_stands_on(tmp_path, bought):
    rows = [f"{user} {item}" for i in range(6) for user, taken in bought.items() for item in taken[i : i + 1]]
    assert items(load(write(tmp_path, "x.txt", *rows))[0]) == bought


def test_recbole_says_when(tmp_path):
    log, left_out = load(write(tmp_path, "x.inter", INTER, *RATINGS))
    assert items(log) == {"ann": ["B1", "B2"], "ben": ["B1"]}
    assert log.value.tolist() == [5, 4, 3]
    assert (log.meta["start"], log.meta["zone"], log.protocol.split) == ("1997-12-01", "UTC", "each")
    assert left_out == {}


def test_recbole_without_a_timestamp_is_order_alone_and_whole_users_may_test(tmp_path):
    lines = ["\t".join(line.split("\t")[:2]) for line in (INTER, *RATINGS)]
    log, _ = load(write(tmp_path, "x.inter", *lines), split="users")
    assert items(log) == {"ann": ["B2", "B1"], "ben": ["B1"]}
    assert (has_clock(log), log.protocol.split) == (False, "streams")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "f.txt: no user events"),
        (("1 7", "2"), "f.txt, line 2: user 2 without an item; correct the line"),
        (("1 7", "2 tea"), "f.txt, line 2: 'tea'; user and items are whole numbers from 0, below those of times"),
        (("196\t242\t3\t881250949",), "f.txt, line 1: '881250949'; user and items are whole numbers"),
        (
            ("user_id:token\titem_id_list:token_seq", "1\t7 8"),
            "line 1: purchases have columns user_id:token and item_id",
        ),
        ((INTER, "ann\tB1\t3"), "f.txt, line 2: 3 cells but 4 columns"),
        (
            (INTER, RATINGS[0].replace("881250949", "1997")),
            "f.txt, line 2: time '1997' is a number, but not of",
        ),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "f.txt", *lines))
    assert "\n" not in str(caught.value)


def test_what_users_took_later_may_be_a_file_that_tests(tmp_path):
    train, later = write(tmp_path, "a.txt", "1 7 8", "2 9"), write(tmp_path, "b.txt", "1 9", "2 7", "1 8")
    log, _ = load(train, test=later)
    taken = [[log.vocabulary.actions[t] for t in log.token[log.world == w]] for w in log.worlds]
    assert taken == [["7", "8"], ["9"], ["9", "8"], ["7"]]
    assert (log.protocol.split, log.protocol.test) == ("each", 2)


def test_settings_that_say_nothing(tmp_path):
    path = write(tmp_path, "x.txt", "1 7 8", "", "2 9")
    assert load(path)[1] == {"empty line(s)": 1}
    with pytest.raises(LogError, match="does not say when, so zone=UTC says nothing; leave it away"):
        load(path, zone="UTC")


@needs(PURCHASES)
def test_the_published_purchases():
    log, left_out = load(str(PURCHASES))
    assert (len(log), len(log.worlds), len(log.vocabulary.actions) - 1, left_out) == (287_107, 31_013, 23_715, {})
    with gzip.open(PURCHASES, "rt") as lines:
        first = [line.split()[1] for line in lines if line.startswith("1 ")]
    assert items(log)["1"] == first
