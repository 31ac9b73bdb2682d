"""Statistics of many lives: known answers, the command, and whether the default players are credible."""

import numpy as np
import pytest
from lam_env.scenarios.game.calibration.gates import Cohort, cohort_gates, live
from lam_env.scenarios.game.cohort import main, report
from lam_env.scenarios.game.params import GameParams
from lam_env.scenarios.game.rules.compiled import Compiled
from lam_env.scenarios.game.rules.rules import RULES
from lam_env.scenarios.game.world.tally import PlayTally
from lam_env.scenarios.game.world.world import GameWorld

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.logs.play.sessions import hazard, top_share


def sessions(n=10_000):
    """Plays of sessions whose hazard of ending falls as .4 / sqrt(plays)."""
    found, left = [], float(n)
    for plays in range(1, 60):
        ending = left * 0.4 / np.sqrt(plays)
        found += [plays] * round(ending)
        left -= ending
    return np.array(found)


def cohort(**changes):
    retention = np.zeros(30)
    retention[[0, 1, 7, 29]] = 1.0, 0.40, 0.17, 0.05
    made = {
        "days": 30, "retention": retention, "plays": np.r_[np.full(90, 4), np.full(10, 46)],
        "per_session": sessions(),
        "gaps": np.r_[np.full(30, 5.0), np.full(30, 22.0), np.full(25, 90.0), np.full(15, 450.0)],
        "level_7": np.full(100, 4), "flow": 0.5, "minutes": 1e4,
    }  # fmt: skip
    return Cohort(**{**made, **changes})


def passed(**changes):
    return {g.name: g.passed for g in cohort_gates(cohort(**changes))}


def test_hazards_and_shares_have_known_answers():
    assert hazard(np.array([1, 1, 2, 4]), (1,)) == 0.5
    assert hazard(np.array([1, 1, 2, 4]), (2,)) == 0.5
    assert hazard(np.array([1, 1, 2, 4]), (4,)) == 1.0
    assert np.isnan(hazard(np.array([1]), (2,)))
    assert top_share(np.array([1] * 9 + [9])) == 0.5


def test_each_gate_can_fail():
    good = passed()
    assert [name for name, ok in good.items() if not ok] == []
    for changes, name in (
        ({"retention": np.zeros(30)}, "D7"),
        ({"plays": np.full(100, 4)}, "share of plays of the top 10 %"),
        ({"per_session": np.full(100, 3)}, "plays a session: median, p95"),
        ({"per_session": np.array([1, 20, 20, 20, 20])}, "session ends after play 1/2/3/5/10/20"),
        ({"gaps": np.full(100, 22.0)}, "gap between sessions [h]: p25, p50, p75, p90"),
    ):
        assert not passed(**changes)[name]
    assert "| NO |" in report(cohort(retention=np.zeros(30)))


def test_short_cohorts_have_no_later_gates():
    names = {g.name for g in cohort_gates(cohort(days=10, retention=np.zeros(10)))}
    assert "D7" in names
    assert "D30" not in names


def test_a_tally_tells_on_which_days_somebody_played():
    t = PlayTally()
    for day in (0, 0, 1, 7):
        t.session(day)
    t.play(10.0, 0.5)
    t.end(1)
    found = t.figures(30)
    assert (found["d1"], found["d7"], found["d30"]) == (1.0, 1.0, 0.0)
    assert found["flow_share"] == 0.5
    assert found["sessions"] == 4
    assert "d30" not in t.figures(7)


def test_the_command(capsys):
    assert main(["players=60", "days=8", "world.end=0.4"]) == 0
    said = capsys.readouterr().out
    for text in ("day of life", "plays a session: median", "session ends after play 1/2/3", "| D7 |", "CPU time"):
        assert text in said


@pytest.mark.parametrize(("argument", "what"), [
    ("players=0", "players: expected at least 1"),
    ("player=9", "did you mean 'players'"),
    ("world.track=none", "world.track"),
])  # fmt: skip
def test_what_does_not_fit_is_one_line(argument, what, capsys):
    with pytest.raises(SystemExit) as stop:
        main([argument])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert what in line


@pytest.mark.slow
def test_the_default_players_are_credible():
    found = cohort_gates(live(Compiled(RULES, GameParams()), range(6_000_000, 6_007_500)))
    assert [f"{g.name}: {g.simulated}" for g in found if not g.passed] == []


@pytest.mark.slow
def test_the_predictability_ladder_stands():
    """Most frequent < Markov-1 < truth, and the truth between .45 and .8."""
    from lam_env.scenarios.game import Game

    from lam_env.envs.recording import simulate_log
    from lam_env.logs.decision_points import decision_points

    game = Game()
    log, hidden = simulate_log(game, list(range(1200)), 30, latent=True)
    points, n = decision_points(log, soon=False), len(game.vocabulary)
    t, before = points.target, np.r_[0, points.target[:-1]]
    before[points.starts()] = 0
    train = points.world < 800
    counts = np.zeros((n, n))
    np.add.at(counts, (before[train], t[train]), 1)
    test = ~train
    most = (np.bincount(t[train]).argmax() == t[test]).mean()
    markov = (counts[before[test]].argmax(1) == t[test]).mean()
    truth = (hidden[test, : n - 1].argmax(1) + 1 == t[test]).mean()
    assert most < markov - 0.05 < markov < truth - 0.03
    assert 0.45 <= truth <= 0.8


@pytest.mark.parametrize("seed", range(8))
def test_who_is_not_observed_lives_the_same_life(seed):
    game = Compiled(RULES, GameParams())
    lives = []
    for observed in (True, False):
        world = GameWorld(game, Streams(seed), ObservationRows(1, game.words.vocabulary).row(0), observed=observed)
        times = [world.now]
        while not world.step(0):
            times.append(world.now)
        kept = [getattr(world.tally, name) for name in PlayTally.__slots__]
        lives.append((times, kept, world.reward_totals, world.utility_totals))
        assert any(world.row.context) is any(world.row.mask) is observed
    assert lives[0] == lives[1]
