"""One episode, moment by moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lam_env.core import registry
from lam_env.core.events import AGENT, FEEDBACK, READING, USER, Event
from lam_env.evaluation.episode import EventFormatter, Moment, episode, likeliest
from lam_env.evaluation.rollout import rollout


class Greedy:
    """The first possible action at every seventh decision point."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        state = (state or 0) + 1
        first = observation["action_mask"][:, 1:].argmax(1) + 1
        return np.where(state % 7 == 0, first, 0), state


@pytest.fixture(scope="module")
def home() -> Any:
    return registry.scenario("smart_home")(days=1)


def totals(home: Any, moments: list[Moment]) -> float:
    return float(moments[-1].world.utility()) / home.n_users


def test_an_episode_is_the_one_that_is_judged(home: Any) -> None:
    moments = list(episode(Greedy(), home, 2_000_000))
    judged = rollout(Greedy(), home, [2_000_000])[0]
    assert totals(home, moments) == pytest.approx(judged["utility.total"], rel=1e-12)
    acts = sum(m.action > 0 for m in moments)
    assert moments[-1].world.agent_acts == acts > 0
    assert [m.time for m in moments] == sorted(m.time for m in moments)


def test_every_record_is_told_once_and_acts_follow_the_moment_of_their_choice(home: Any) -> None:
    moments = list(episode(Greedy(), home, 3))
    events = [e for m in moments for e in m.since]
    records = list(moments[-1].world.records or ())
    assert [e[:4] for e in events] == [e[:4] for e in records[len(records) - len(events) :]]
    for now, after in zip(moments, moments[1:], strict=False):
        done = [e.token for e in after.since if e.kind == AGENT]
        assert done == ([now.action] if now.action else [])


def test_an_impossible_action_is_told_as_none(home: Any) -> None:
    class Impossible:
        def predict(self, observation: Any, *rest: Any) -> Any:
            return observation["action_mask"].argmin(1), None

    for k, m in enumerate(episode(Impossible(), home, 3)):
        assert m.action == 0
        if k > 20:
            break


def test_whoever_predicts_hears_each_moment_in_order(home: Any) -> None:
    heard = []

    def expect(observation: Any, start: np.ndarray) -> np.ndarray:
        heard.append((int(observation["epoch"][0, 0]), bool(start[0])))
        return np.full(len(home.vocabulary), 1 / len(home.vocabulary))

    moments = list(episode(Greedy(), home, 3, expect))
    assert [t for t, _ in heard] == [m.time for m in moments[:-1]]
    assert [s for _, s in heard][:2] == [True, False]
    assert moments[-1].expected is None
    assert moments[0].expected is not None


def test_the_likeliest_actions_leave_none_and_the_impossible_out(home: Any) -> None:
    p = np.zeros(len(home.vocabulary))
    p[[0, 4, 2]] = 0.7, 0.2, 0.1
    v = home.vocabulary.actions
    assert likeliest(p, home.vocabulary) == [(v[4], 0.2), (v[2], 0.1)]


def test_what_happened_in_words(home: Any) -> None:
    v = home.vocabulary
    told = EventFormatter(home)
    events = (
        Event(0, 0, AGENT, 3),
        Event(1, 0, READING, 0, 1.0),
        Event(2, 1, USER, 2),
        Event(3, 1, FEEDBACK, v.feedback.index("override"), answers=0),
        Event(4, 0, FEEDBACK, v.feedback.index("rating"), value=-1.0),
    )
    assert told(events) == [
        ("agent", v.actions[3]),
        ("Ben", v.actions[2]),
        ("feedback", f"Ben: override ({v.actions[3]})"),
        ("feedback", "Ada: rating -1"),
    ]
    assert told((Event(5, 0, AGENT, 1), Event(6, 0, FEEDBACK, v.feedback.index("accept"), answers=1)))[1] == (
        "feedback",
        f"Ada: accept ({v.actions[1]})",
    )
