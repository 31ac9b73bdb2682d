"""The gates of play logs: what passes, what fails, what cannot be measured."""

import numpy as np
import pytest

from lam_env.core.events import LogError
from lam_env.logs import fidelity
from lam_env.logs.play.fidelity import play_gates
from lam_env.logs.play.sessions import Plays

HOUR, DAY = 3600, 86_400


def population(seed=0, players=3000, on=0.6, back=0.5, gap=20.0, spread=1.5):
    """Sessions whose end grows less likely, and log-normal gaps."""
    rng = np.random.default_rng(seed)
    player, time = [], []
    for i in range(players):
        t, here = float(rng.uniform(0, 30 * DAY)), True
        keen = rng.beta(1, 2)
        while here:
            n = 1
            while True:
                player.append(i)
                time.append(int(t))
                if rng.random() > 1 - (1 - on) * n**-0.5 or n > 200:
                    break
                t, n = t + 60, n + 1
            here = rng.random() < back + 0.4 * keen
            t += HOUR * (0.6 + gap * np.exp(spread * rng.standard_normal()))
    order = np.lexsort((time, player))
    time = np.array(time)[order]
    return Plays(np.array(player)[order], time, np.zeros(len(time)), int(time.max()))


SOURCE = population()


def by_name(report):
    return {gate.metric_id.removeprefix("fidelity.plays."): gate for gate in report}


def test_a_log_is_like_itself_and_like_another_draw():
    assert all(gate.passed for gate in play_gates(SOURCE, SOURCE))
    assert [g.metric_id for g in play_gates(SOURCE, population(1)) if g.passed is False] == []


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"gap": 60.0}, "gap_hours"),
        ({"spread": 0.3}, "gap_hours"),
        ({"on": 0.2}, "hazard"),
        ({"on": 0.95}, "plays_per_session"),
        ({"back": 0.1}, "returned_by"),
    ],
)
def test_people_who_live_otherwise_fail_where_they_differ(change, fails):
    assert by_name(play_gates(SOURCE, population(2, **change)))[fails].passed is False


def test_a_rising_hazard_fails_even_without_a_source():
    """Everybody plays exactly three times and stops."""
    n = 300
    time = np.concatenate([i * DAY + np.array([0, 60, 120, 30 * HOUR, 30 * HOUR + 60]) for i in range(n)])
    same = Plays(np.repeat(np.arange(n), 5), time, np.zeros(5 * n), int(time.max()))
    assert by_name(play_gates(None, same))["hazard"].passed is False


def test_without_a_source_the_usual_ranges_hold():
    report = by_name(play_gates(None, SOURCE))
    assert report["returned_by"].passed is None
    assert "no log" in report["returned_by"].note
    assert report["hazard"].passed is True
    assert report["hazard"].source == ()
    assert report["plays_per_session"].passed is not None


def test_what_a_log_does_not_tell_is_not_measured():
    short = Plays(np.array([0, 0, 1]), np.array([0, 60, 0]), np.zeros(3), 60)
    report = by_name(play_gates(SOURCE, short))
    assert report["gap_hours"].passed is None
    assert report["returned_by"].passed is None
    assert "too short" in report["gap_hours"].note


def test_the_report_is_a_table():
    text = fidelity.fidelity_table(play_gates(SOURCE, SOURCE)).splitlines()
    assert len(text) == 2 + 7
    assert all(line.count("|") == 7 for line in text)


def test_useless_logs_are_refused():
    one = Plays(np.zeros(2, int), np.array([0, 5]), np.zeros(2), 5)
    with pytest.raises(LogError, match="fidelity, simulated: a single player"):
        play_gates(SOURCE, one)
    with pytest.raises(LogError, match="fidelity, source: a single player"):
        play_gates(one, SOURCE)
