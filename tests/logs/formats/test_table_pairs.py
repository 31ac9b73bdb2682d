"""States that begin and end, as activities with a duration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.formats.table import load
from lam_env.logs.input.pairs import BEGIN, END, activities, words_of
from lam_env.logs.tables import Texts

STATES = """time,user,action
2026-01-05T07:00:00,anna,bed.off
2026-01-05T08:00:00,anna,tv.ON
2026-01-05T08:10:00,anna,lamp.on
2026-01-05T08:30:00,ben,tv.off
2026-01-05T09:00:00,anna,tv.off
2026-01-05T09:10:00,anna,lamp.on
2026-01-05T09:11:00,anna,lamp.off
2026-01-05T22:00:00,anna,bed.on
"""


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        (tmp_path / "x.csv").write_text(text)
        return load("csv", str(tmp_path / "x.csv"), zone="UTC", **options)

    return read


def test_a_begin_and_the_end_after_it_are_an_activity(read):
    log, left_out = read(STATES, pairs=("on/off",))
    assert log.intervals
    assert [(log.vocabulary.actions[t], v) for t, v in zip(log.token, log.value, strict=True)] == [
        ("tv", 3600),
        ("lamp", 60),  # another begin: the end of the first is lost
    ]
    assert left_out == {
        "end(s) of an activity, of which its begin tells the duration": 2,
        "begin(s) without an end": 2,
        "end(s) without a begin": 2,
    }


SWITCHED = [("anna", "lamp.on", "07:00"), ("ben", "lamp.off", "07:05"), ("ben", "lamp.on", "20:00")]
SWITCHED += [("anna", "lamp.off", "20:09"), ("anna", "bed.on", "22:00"), ("ben", "bed.on", "22:30")]
SWITCHED += [("anna", "bed.off", "23:00"), ("ben", "bed.off", "23:40")]


def test_one_switches_on_and_another_off_but_each_sleeps_alone(read):
    rows = (f"2026-01-05T{clock}:00,{who},{what}" for who, what, clock in SWITCHED)
    log, left_out = read("time,user,action\n" + "\n".join(rows), pairs=("on/off",))
    users, names = np.array(log.meta["users"]), np.array(log.vocabulary.actions)
    told = zip(users[log.world].tolist(), names[log.token].tolist(), (log.value / 60).tolist(), strict=True)
    assert set(told) == {("anna", "lamp", 5), ("ben", "lamp", 9), ("anna", "bed", 60), ("ben", "bed", 70)}
    assert left_out == {"end(s) of an activity, of which its begin tells the duration": 4}


def test_what_is_no_state_has_no_duration_and_sensors_are_no_activities(read):
    rows = "2026-01-06T08:00:00,anna,tv.on,user\n2026-01-06T08:00:01,anna,door.on,sensor\n"
    rows += "2026-01-06T08:00:02,anna,bell,user\n2026-01-06T08:00:03,anna,tv.off,\n2026-01-06T08:00:04,anna,hob=open,\n"
    log, left_out = read(
        "time,user,action,kind\n" + rows + "2026-01-06T08:00:05,anna,hob=closed,\n", pairs=("on/off", "open/closed")
    )
    assert (log.vocabulary.actions, log.vocabulary.sensors) == (("none", "hob", "tv"), ("door.on",))
    why = "row(s) that, as 'bell', end in no state of pairs; say their states in pairs or in ignore"
    assert left_out[why] == 1
    assert len(log) + sum(left_out.values()) == 6


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (("on",), "pairs=on: give two states"),
        (("on/on",), "pairs=on/on: give two states"),
        (("on/off", "off/on"), "pairs=off/on: give two states, each once"),
        (("open/closed",), "x.csv: pairs=open/closed: no action ends in open or closed; there are on/off: say them in"),
        (("an/zu",), r"pairs=an/zu: no action ends in zu, which leaves out \d rows in an; there are on/off: say"),
    ],
)
def test_pairs_that_say_nothing(read, pairs, message):
    with pytest.raises(LogError, match=message):
        read(STATES, pairs=pairs)
    with pytest.raises(LogError, match="its rows have durations, so pairs= says nothing"):
        read("time,user,action,duration\n2026-01-05T07:00:00,anna,a.on,5\n", pairs=("on/off",))
    with pytest.raises(LogError, match="zone, pairs without a column of time says nothing"):
        read("a.on\na.off\n", columns="action:1", pairs=("on/off",))


@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from(["on", "off", "up"]), st.integers(0, 1)), min_size=1))
def test_pairs_are_those_that_one_finds_row_by_row(rows):
    found = activities(
        Texts.of(f"{name}.{state}" for name, state, _ in rows),
        np.array([user for *_, user in rows]),
        np.zeros(len(rows), int),
        np.ones(len(rows), bool),
        np.arange(len(rows)) // 2,
        words_of(["on/off"]),
    )
    for name in "xy":
        ways = []
        for anybody in False, True:
            begun, ends = {}, {}
            for i, (_, state, user) in enumerate(rows):
                if rows[i][0] == name and state == "on":
                    begun[anybody or user + 2] = i
                elif rows[i][0] == name and state == "off" and (anybody or user + 2) in begun:
                    ends[begun.pop(anybody or user + 2)] = i
            ways.append(ends)
        ends = max(ways, key=len)  # of each user where there are as many
        assert {i: end for i, end in enumerate(found.following.tolist()) if end >= 0 and rows[i][0] == name} == ends
    assert found.keep.sum() + sum(found.left_out.values()) == len(rows)
    names = [found.action.known[code] for code in found.action.code]
    assert names == [name if state != "up" else f"{name}.up" for name, state, _ in rows]


def test_states_are_read_in_any_case():
    assert words_of([" Busy / FREE", "in/out"]) == {"busy": BEGIN, "free": END, "in": BEGIN, "out": END}


def test_words_of_one_meaning_begin_and_end_the_same(read):
    rows = [("Licht an", "07:00"), ("Licht aus", "07:05"), ("Herd.EIN", "08:00"), ("Herd.aus", "08:09")]
    text = "time,action\n" + "".join(f"2026-01-05T{clock}:00,{what}\n" for what, clock in rows)
    for pairs in ("an/aus",), ("on/off",), ("an/aus", "ein/aus"):
        log, _ = read(text, pairs=pairs)
        assert [(log.vocabulary.actions[t], v) for t, v in zip(log.token, log.value, strict=True)] == [
            ("Licht", 300),
            ("Herd", 540),
        ]


def test_where_most_rows_are_of_other_states_these_are_named(read):
    rows = [("Licht an", "07:00"), ("Licht aus", "07:05"), ("Tor auf", "07:06"), ("Tor zu", "07:09"), ("Gong", "09:00")]
    text = "time,action\n" + "".join(f"2026-01-05T{clock}:00,{what}\n" for what, clock in rows)
    message = "line 4: 3 rows, as 'Tor auf', end in no state of pairs, and 1 begin an activity; there are auf/zu: say"
    with pytest.raises(LogError, match=message):
        read(text, pairs=("an/aus",))
    assert [n for why, n in read(text, pairs=("an/aus", "auf/zu"))[1].items() if "as 'Gong'" in why] == [1]
    text += "2026-01-05T09:10:00,Gong\n2026-01-05T09:20:00,Gong\n"
    with pytest.raises(LogError, match=r"line 6: 3 rows, as 'Gong', .* say their states in pairs or in ignore"):
        read(text, pairs=("an/aus", "auf/zu"))
    read(text, pairs=("an/aus", "auf/zu"), ignore=("gong",))


def test_half_of_a_pair_that_never_occurs_is_told(read):
    rows = [
        ("lamp on", "07:00"),
        ("lamp off", "07:05"),
        ("tor zu", "07:06"),
        ("lamp on", "08:00"),
        ("lamp off", "08:05"),
    ]
    text = "time,action\n" + "".join(f"2026-01-05T{clock}:00,{what}\n" for what, clock in rows)
    log, left_out = read(text, pairs=("on/off", "auf/zu"))
    assert "pairs=auf/zu: no action ends in auf, which leaves out 1 row in zu" in log.meta["notes"]
    assert left_out["end(s) without a begin"] == 1
    with pytest.raises(
        LogError, match="no action ends in one of pairs' states, and then in the other; there are on/off"
    ):
        read(text, pairs=("on/zu",))
