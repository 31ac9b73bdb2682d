"""Sessions and their statistics, on logs small enough to count by hand and on the published ones."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import FIGURES, PLAYS, needs

from lam_env.core.events import AGENT, USER, ActionLog, Event, LogError, Vocabulary
from lam_env.logs.formats import mobile_plays
from lam_env.logs.play.sessions import (
    Plays,
    check_usable,
    gap_quantiles,
    hazard,
    play_statistics,
    plays_of,
    retention,
    returned_by,
    sessions_of,
    top_share,
)

TARGETS = FIGURES / "game/fidelity_targets.json"
HOUR, DAY = 3600, 86_400


def plays(*players, end=None):
    """Each player a list of times [s]."""
    time = np.array([t for times in players for t in times])
    player = np.repeat(np.arange(len(players)), [len(times) for times in players])
    return Plays(player, time, np.zeros(len(time)), int(time.max()) if end is None else end)


def test_sessions_by_hand():
    cut = sessions_of(plays([0, 60, 60 + 1800, 2 * HOUR], [10]))
    assert cut.plays.tolist() == [3, 1, 1]
    assert cut.number.tolist() == [1, 2, 1]
    assert cut.start.tolist() == [0, 2 * HOUR, 10]
    assert cut.last.tolist() == [1860, 2 * HOUR, 10]
    assert cut.gap[0] == pytest.approx((2 * HOUR - 1860) / HOUR)
    assert np.isnan(cut.gap[1:]).all()


def test_exactly_the_break_is_no_gap_and_a_second_more_is():
    assert len(sessions_of(plays([0, 1800])).plays) == 1
    assert len(sessions_of(plays([0, 1801])).plays) == 2
    assert len(sessions_of(plays([0, 1801]), minutes=31).plays) == 1


def test_the_length_of_a_play_counts_from_its_end():
    long = Plays(np.zeros(2, int), np.array([0, HOUR]), np.array([3000.0, 0]), HOUR)
    assert len(sessions_of(long).plays) == 1


def test_hazard_by_hand():
    cut = sessions_of(plays([0], [0], [0, 1], [0, 1, 2, 3]))
    assert hazard(cut.plays, (1, 2, 3, 4)).tolist() == [0.5, 0.5, 0.0, 1.0]
    assert np.isnan(hazard(cut.plays, (1, 9))[1])


def test_returns_by_hand():
    p = plays([0], [0, DAY], [0, 8 * DAY], [0, DAY - 1], end=40 * DAY)
    assert returned_by(p).tolist() == [0.5, 0.25, 0.0]
    assert retention(p, (0, 1, 8)).tolist() == [1.0, 0.25, 0.25]
    late = plays([0, 2 * DAY], [5 * DAY], end=5 * DAY)  # the log cannot show whether the second comes back
    assert returned_by(late, (1, 30))[0] == 1.0
    assert np.isnan(returned_by(late, (1, 30))[1])


def test_the_share_of_the_most_active():
    assert top_share(plays(*[[0]] * 9, list(range(91))).counts) == 0.91
    assert top_share(plays([0, 1], [0]).counts) == pytest.approx(2 / 3)  # at least one player


def test_gaps_of_those_who_never_came_back():
    assert np.isnan(gap_quantiles(sessions_of(plays([0, 1], [0])))).all()


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=12), min_size=1, max_size=8))
def test_sessions_hold_every_play_once(times):
    p = plays(*[sorted(t) for t in times])
    cut = sessions_of(p)
    assert cut.plays.sum() == len(p.time)
    assert np.bincount(cut.player, cut.plays).tolist() == p.counts.tolist()
    assert (cut.gap[~np.isnan(cut.gap)] > 0.5).all()
    assert np.isnan(cut.gap).sum() == len(p.first)  # one last one each
    assert (cut.number[np.r_[True, np.diff(cut.player) != 0]] == 1).all()


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=2, max_size=9), min_size=2, max_size=6), st.integers(0, 10**6))
def test_statistics_do_not_depend_on_when_the_log_begins(times, later):
    p = plays(*[sorted(t) for t in times])
    q = dataclasses.replace(p, time=p.time + later, end=p.end + later)
    for a, b in zip(play_statistics(p).values(), play_statistics(q).values(), strict=True):
        assert a == pytest.approx(b, nan_ok=True)


def test_plays_of_a_log_leave_out_absence_and_the_agent():
    v = Vocabulary(("none", "PLAY_0", "GAP_6h", "CHURN", "dungeon", "log_out"))
    events = [Event(0, 0, USER, 1), Event(5, 0, USER, 4), Event(6, 0, AGENT, 4), Event(7, 0, USER, 5)]
    events += [Event(9, 0, USER, 2, world=1), Event(9, 0, USER, 1, world=1), Event(9, 0, USER, 3, world=1)]
    found = plays_of(ActionLog.from_events(events, v, end=(100, 90)))
    assert found.player.tolist() == [0, 0, 1]
    assert found.time.tolist() == [0, 5, 9]
    assert found.end == 100


def test_persons_of_a_world_are_players_and_ticks_are_turned_into_seconds():
    v = Vocabulary(("none", "a", "b"))
    events = [Event(0, 1, USER, 1), Event(3000, 0, USER, 2), Event(6000, 1, USER, 1)]
    log = ActionLog.from_events(events, v, people=2, ticks_per_second=1000)
    found = plays_of(log)
    assert found.player.tolist() == [0, 1, 1]
    assert found.time.tolist() == [3, 0, 6]
    one = plays_of(ActionLog.from_events([Event(0, 0, USER, 1, 5000.0)], v, intervals=True, ticks_per_second=1000))
    assert one.length.tolist() == [5.0]


def test_what_cannot_be_used_is_said():
    v = Vocabulary(("none", "GAP_6h"))
    with pytest.raises(LogError, match="the log holds none"):
        plays_of(ActionLog.from_events([Event(0, 0, USER, 1)], v))
    with pytest.raises(LogError, match="a single player"):
        check_usable(plays([0, 5]))
    with pytest.raises(LogError, match="one play a player"):
        check_usable(plays([0], [5]))
    with pytest.raises(LogError, match="not in order"):
        plays([5, 0])
    with pytest.raises(LogError, match="there are none"):
        Plays(np.zeros(0, int), np.zeros(0, int), np.zeros(0), 0)


@needs(PLAYS, TARGETS)
def test_the_published_statistics_of_mobile_plays():
    found = play_statistics(plays_of(mobile_plays.load(str(PLAYS))[0]))
    told = json.loads(TARGETS.read_text())["mobile_plays"]
    assert found["hazard"] == pytest.approx(list(told["p_end_session_by_play_index"].values()), abs=0.001)
    gaps = told["gap_between_sessions_hours"]
    assert found["gap_hours"] == pytest.approx([gaps[k] for k in ("p25", "p50", "p75", "p90")], abs=0.01)
    assert found["returned_by"] == pytest.approx(list(told["returned_on_or_after_day"].values()), abs=0.001)
    assert found["retention"] == pytest.approx([told["retention_day"][d] for d in ("1", "7", "30")], abs=0.001)
    assert found["plays_per_session"] == (2, 6, 10)
    assert found["top_share"][0] == pytest.approx(told["top10pct_share_of_plays"], abs=0.001)
    assert found["one_session"][0] == pytest.approx(told["share_one_session"], abs=0.001)
