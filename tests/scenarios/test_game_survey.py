"""Surveys: what they tell is true in the mean, so what is paid with them is true flow, and nobody can farm them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.params import COUNTED, LONGEST, REWARD_WEIGHTS
from lam_env.scenarios.game.words import SATISFIED, SURVEY
from lam_env.scenarios.game.world.survey import MOMENTS, USUAL, Session, recalled
from lam_env.scenarios.game.world.world import GameWorld

from lam_env.core.events import FEEDBACK
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams


def lived(seed, scenario, choose=lambda world: 0, record=False):
    world = scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0), record=record)
    while not world.step(choose(world)):
        pass
    return world


def busy(world):
    """Advises something at two decisions in three."""
    may = [a for a, m in enumerate(world.row.mask) if m]
    return may[(world.now // 7) % len(may)] if world.now % 3 else 0


def answers(world, token):
    return [e for e in world.records if e.kind == FEEDBACK and e.token == token]


# -- an answer


@given(st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_an_answer_is_a_share_of_moments(share, u):
    k = recalled(share, u) * MOMENTS
    assert k == pytest.approx(round(k))
    assert 0 <= k <= MOMENTS


@pytest.mark.parametrize("share", [0.0, 0.07, 0.5, 0.93, 1.0])
def test_an_answer_is_true_in_the_mean_and_as_uncertain_as_few_moments(share):
    told = np.array([recalled(share, (i + 0.5) / 20_000) for i in range(20_000)])
    assert told.mean() == pytest.approx(share, abs=1e-3)
    assert told.var() == pytest.approx(share * (1 - share) / MOMENTS, abs=1e-3)


def test_what_is_owed_is_what_was_paid_too_little():
    session = Session()
    session.add(20.0, 0.9, 20.0, 0.5)
    session.add(30.0, 0.4, 10.0, 0.5)  # only ten of them count
    assert session.share() == pytest.approx(0.6)
    assert session.owed(0.6) == pytest.approx(0.6 * 30 - 15)
    assert Session().share() == 0.0


# -- what it comes to


class Watched(GameWorld):
    """Sums up what is true of its sessions: minutes that count times flow, and days away times satisfaction."""

    true_flow = true_stay = 0.0

    def _end_session(self):
        session = self._session
        self.true_flow += session.flow / session.minutes * session.counted if session.minutes else 0.0
        self.paid_flow = self.reward_totals["quality"]  # of sessions that ended
        super()._end_session()

    def begin_session(self):
        if self.sessions:
            self.true_stay += min(self.gap / 24, LONGEST) * self.player.satisfaction
        super().begin_session()


def excess(scenario, players, choose):
    """(players, 2) what is paid with surveys less what is true: flow [min] and satisfaction [days]."""
    found = []
    for seed in range(players):
        w = Watched(scenario.game, Streams(seed), ObservationRows(1, scenario.vocabulary).row(0))
        while not w.step(choose(w)):
            pass
        pay = w.reward_totals
        found.append(
            (w.paid_flow + pay["survey"] - w.true_flow, USUAL * pay["return"] + pay["satisfied"] - w.true_stay)
        )
    return np.array(found)


@pytest.mark.parametrize("choose", [lambda w: 0, busy])
@pytest.mark.parametrize("asked", [0.3, 1.0])
def test_with_surveys_what_is_paid_is_true_in_the_mean(asked, choose):
    """Whoever advises; without them it is not."""
    found = excess(Game(survey=asked, days=10), 400, choose)
    error = found.std(0) / np.sqrt(len(found))
    assert (np.abs(found.mean(0)) < 3 * error).all(), (found.mean(0), error)
    assert error[0] < 3.0  # of about 60 minutes


def test_without_surveys_flow_is_not_told_truly():
    found = excess(Game(survey=0.0, days=10), 400, lambda w: 0)[:, 0]
    assert abs(found.mean()) > 4 * found.std() / np.sqrt(len(found))


def test_the_two_terms_are_priced_like_those_that_they_correct():
    w = REWARD_WEIGHTS
    assert w["survey"] == w["quality"]
    assert w["return"] == pytest.approx(USUAL * w["satisfied"])


# -- no farm


def test_whether_somebody_is_asked_is_chance_alone():
    """The same sessions are asked about whatever is advised, so nobody can earn more answers by other means."""
    scenario = Game(survey=0.3, days=10)
    silent, advised = ([lived(s, scenario, how, True) for s in range(80)] for how in (lambda w: 0, busy))
    shares = []
    for worlds in (silent, advised):
        ended = sum(len(w.tally.per_session) for w in worlds)
        asked = sum(len(answers(w, SURVEY)) for w in worlds)
        shares.append(asked / ended)
        assert asked == sum(len(answers(w, SATISFIED)) for w in worlds)
    assert shares == pytest.approx([0.3, 0.3], abs=0.08)


def test_a_survey_answers_no_advice_and_changes_no_life():
    asked, unasked = (lived(12, Game(survey=p), busy, True) for p in (1.0, 0.0))
    told = [*answers(asked, SURVEY), *answers(asked, SATISFIED)]
    assert told
    assert all(e.answers == -1 and 0 <= e.value <= 1 for e in told)
    assert repr([e for e in asked.records if e not in told]) == repr(unasked.records)  # not a number is no equal
    assert asked.utility_totals == unasked.utility_totals
    assert unasked.reward_totals["survey"] == unasked.reward_totals["satisfied"] == 0


def test_what_a_survey_pays_is_bounded():
    """By the minutes that count: nothing is cut off, which would be a bias."""
    worlds = [lived(seed, Game(survey=0.5), busy, True) for seed in range(30)]
    told = [len(answers(w, SURVEY)) for w in worlds]
    assert max(told) > 2
    for w, n in zip(worlds, told, strict=True):
        assert abs(w.reward_totals["survey"]) <= 2 * COUNTED * n / 0.5  # a session lies in two days at most
