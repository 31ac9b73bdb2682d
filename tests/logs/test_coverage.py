"""Which days, rows and names of a log count."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import USER, ActionLog, Event, LogError, Protocol, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs import statistics
from lam_env.logs.coverage import clean, clean_names, days_of, far_times, repeats, said, says_nothing, sound_rows
from lam_env.logs.decision_points import ABSENCE, decision_points
from lam_env.logs.streams import split_by_protocol

DAYS = np.repeat(np.arange(20), 4) * DAY + np.tile([7, 8, 18, 23], 20) * HOUR


def log_of(time, **more):
    events = [Event(int(t), 0, USER, 1 + i % 2) for i, t in enumerate(time)]
    return ActionLog.from_events(
        events, Vocabulary(("none", "a", "b")), timer=300, meta={"start": "2026-01-05"}, **more
    )


@pytest.mark.parametrize("stray", [[-226], [300], [-20_000, 9000], [-260, -261, 3000], [-226] * 8])
def test_a_few_times_far_from_all_others_are_found(stray):
    time = np.r_[DAYS, np.array(stray) * DAY]
    assert far_times(time).tolist() == [False] * len(DAYS) + [True] * len(stray)


@pytest.mark.parametrize(
    "days",
    [
        np.r_[0:20, 90:110],  # an absence of ten weeks
        np.r_[0:20, 24],  # a long weekend
        np.r_[0:20, 80],  # back from a journey
        np.r_[0:40:2, 400],  # somebody who comes now and then, and once more
        np.r_[0:20, 40, 41, 42],  # home for the weekend
        np.r_[0:300:7],  # once a week
        np.r_[0:400:30],
        np.array([0, 100, 500]),
        np.r_[0:1000, 1011, 1080],  # once more, weeks after years
        np.r_[0:400, 415:500:5, 560:640:8],  # a market that goes to sleep
        np.array([0, 1, 40]),  # too few to tell
        np.zeros(0, int),
    ],
)
def test_absences_and_sparse_logs_are_believed(days):
    assert not far_times(np.repeat(days, 2) * DAY).any()


def test_of_a_log_with_gaps_an_unset_clock_alone_is_not_believed():
    time = np.arange(20_000, 20_300, 7) * DAY
    assert not far_times(np.r_[time, 20_900 * DAY]).any()
    assert far_times(np.r_[time, 0]).tolist() == [False] * len(time) + [True]


def test_what_lies_far_off_is_told_with_its_date():
    time = np.r_[DAYS + 20_458 * DAY, 0, 2_000_000_000]
    keep, left_out = sound_rows([time], time)
    assert (keep.sum(), left_out) == (len(DAYS), {"row(s) at a time far off: 1970-01-01, 2033-05-18": 2})
    assert sound_rows([time], time, dates=False)[1] == {"row(s) at a time far off": 2}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([1.0, np.nan])), min_size=1))
def test_rows_are_kept_once_and_every_row_is_kept_or_counted(rows):
    a, b, value = (np.array(c) for c in zip(*rows, strict=True))
    keep, left_out = sound_rows([a], a, b, value, empty=b == 3)
    assert keep.sum() + sum(left_out.values()) == len(rows)
    sound = [(x, y, str(v)) for x, y, v in rows if y != 3]
    assert keep.sum() == len(set(sound))
    assert repeats(a, b, value).sum() == len(rows) - len({(x, y, str(v)) for x, y, v in rows})


@pytest.mark.parametrize(
    "state", ["unavailable", "Unknown", "NaN", "light.hall.unavailable", "hall=unknown", "Luz.NULL", "TV UNDEF"]
)
def test_states_that_say_nothing(state):
    assert says_nothing(state)


@pytest.mark.parametrize("state", ["on", "known", "unknown_person.on", "banana", "nullify", "sultan", ""])
def test_states_that_say_something(state):
    assert not says_nothing(state)


def test_one_name_has_one_form():
    forms = ["caf\u00e9 on", "cafe\u0301 on", "caf\u00e9\u00a0on", " caf\u00e9  on ", "\ufeffcaf\u00e9 on"]
    names, said = clean_names([*forms, "tea on"], "f")
    assert set(names) == {"café on", "tea on"}
    assert list(said.values()) == [4]
    assert clean("tea on") == "tea on"


def test_a_name_that_is_too_long_is_refused_before_it_meets_another():
    with pytest.raises(LogError, match=r"f: a name of 201 characters .*has at most 200"):
        clean_names(["a" * 200 + "b", "a" * 200 + "c"], "f")


def test_a_quiet_day_counts_where_worlds_are_watched_and_not_in_a_record():
    log = log_of(np.array([0, 1, 4]) * DAY)
    assert days_of(log).number.tolist() == [0, 1, 4]
    assert days_of(log).joined(log.time).tolist() == [True, False]
    assert days_of(dataclasses.replace(log, protocol=Protocol("worlds"))).number.tolist() == [0, 1, 2, 3, 4]


def test_the_span_is_told_with_its_longest_gap():
    left_out = {"empty line(s)": 1200, "row(s) of a guest": 1, "bad sum": 2}  # the last one of an importer of one's own
    told = [f"left out: {what}" for what in ("1,200 empty lines", "1 row of a guest", "2 bad sum")]
    assert said(log_of(DAYS), left_out) == ["from 2026-01-05 to 2026-01-24", *told]
    text = "from 2026-01-05 to 2026-01-14, no events on 5 days in between (at most 4 in a row, from 2026-01-09 on)"
    log = log_of(np.array([0, 1, 3, 8, 9]) * DAY)
    assert said(log, {}) == [text]
    assert said(dataclasses.replace(log, meta={}), {})[0].startswith("from day 0 to day 9, no events on 5 days")
    assert said(log.select(log.time < 0), {}) == ["no events of users"]


def test_an_absence_takes_no_day_from_the_parts_and_no_memory():
    log = log_of(np.r_[DAYS, DAYS + 90 * DAY])
    points = decision_points(log)
    train, valid, test = (int((points.target[part] > 0).sum()) for part in split_by_protocol(log, points))
    assert (train, valid, test) == (28 * 4 - 1, 4 * 4, 8 * 4)
    years = decision_points(log_of(np.r_[DAYS, DAYS + 9000 * DAY]))
    assert len(years) == len(points)
    assert points.gap.max() > 60 * DAY
    quiet = (points.time > DAYS[-1]) & (points.time < 90 * DAY)
    assert quiet.sum() == ABSENCE // 300
    watched = dataclasses.replace(log, protocol=Protocol("worlds"))
    assert decision_points(watched).gap.max() == 300


def activities(rows):
    """Rows (hour, name, length [h]) of one person."""
    names = ("breakfast", "sleep", "tv", "work")
    events = [Event(h * HOUR, 0, USER, 1 + names.index(name), float(n * HOUR)) for h, name, n in rows]
    return ActionLog.from_events(events, Vocabulary(("none", *names)), intervals=True)


def test_a_gap_of_a_century_takes_no_memory():
    rows = [(24 * d + h, a, 1) for d in (*range(9), *range(36_500, 36_510)) for h, a in ((7, "work"), (20, "tv"))]
    tracemalloc.start()
    numbers = statistics.statistics(activities(rows)).numbers
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert numbers["days"] == 19


def test_an_absence_changes_no_statistic_but_its_own_days():
    def numbers(away):
        days = [d + (away if d > 9 else 0) for d in range(20)]
        rows = [(24 * d + h + d % 3, a, 1) for d in days for h, a in ((0, "sleep"), (7, "breakfast"), (20, "tv"))]
        return statistics.statistics(activities(rows)).numbers

    home, away = numbers(0), numbers(70)
    for name in ("days", "per_day_mean", "fano", "same_after_5", "entropy_given_hour"):
        assert away[name] == pytest.approx(home[name], abs=0.01), name
    assert away["gap_cv"] == pytest.approx(home["gap_cv"], abs=0.05)


def test_a_name_moves_no_terminal():
    assert clean("\033[31mred\033[0m\a") == "[31mred [0m"
    assert clean("tea\ttime") == "tea time"
