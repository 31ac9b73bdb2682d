"""Two lives in one log, parted: known answers, what names are worth, and what cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lam_env.core.events import AGENT, READING, SENSOR, USER, ActionLog, Event, LogError, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.logs.owners import BINS, EDGES, FEWEST, MOST, Moves, told_apart, ways

N = 6
CIRCLES = {0: (0, 1, 2), 1: (3, 4, 5)}  # what each of two does, again and again, in tests of lives that share nothing


def life(tokens: tuple[int, ...], events: int, user: int, seed: int, hour: float = 8) -> Moves:
    """Somebody who does the same things in turn, at uneven pauses of about a minute, from an hour of each day on."""
    rng = np.random.default_rng(seed)
    pause = rng.integers(20, 100, events)
    day = np.arange(events) // 40
    time = day * DAY + int(hour * HOUR) + np.cumsum(pause) % (2 * HOUR)
    return Moves(np.sort(time), np.resize(tokens, events), np.full(events, user))


def mixed(*lives: Moves) -> Moves:
    joined = Moves(*(np.concatenate(columns) for columns in zip(*lives, strict=True)))
    order = np.argsort(joined.time, kind="stable")
    return Moves(*(column[order] for column in joined))


def partly(home: Moves, share: float, seed: int = 0) -> Moves:
    named = np.random.default_rng(seed).random(len(home.user)) < share
    return home._replace(user=np.where(named, home.user, -1))


def right(p: np.ndarray, home: Moves, said: Moves) -> float:
    return float(((p > 0.5) == home.user)[said.user < 0].mean())


def test_people_and_sensors_move_and_nothing_else() -> None:
    vocabulary = Vocabulary(("none", "lamp.on"), ("hall", "bath"), ("sun",))
    kinds = ((USER, 1, 0), (AGENT, 1, 0), (SENSOR, 1, 1), (READING, 0, 0), (SENSOR, 0, 0))
    events = [Event(10 * i, user, kind, token, 1.0) for i, (kind, token, user) in enumerate(kinds)]
    log = ActionLog.from_events(events, vocabulary, ticks_per_second=10)
    home = Moves.of(log, 0)
    assert (home.time.tolist(), home.token.tolist(), home.user.tolist()) == ([0, 2, 4], [1, 3, 2], [0, 1, 0])
    assert Moves.rows(log, 0).tolist() == [0, 2, 4]


def test_what_comes_next_and_when_adds_up_to_one() -> None:
    known = ways([mixed(life((0, 1, 2), 300, 0, 1), life((3, 4), 200, 1, 2))], N)
    mass = (np.exp(known.density.astype(float)) * np.diff(EDGES)[:, None]).sum((1, 2))
    np.testing.assert_allclose(mass, 1, atol=1e-3)
    assert known.density.shape == (N * N, BINS, N)
    assert (np.diff(known.survival, axis=1) <= 0).all()
    assert known.density[0 * N + 1].max(0).argmax() == 2  # after 0 and 1 comes 2, though 3 and 4 lie between
    assert known.density[3 * N + 4].max(0).argmax() == 3


def test_two_who_go_their_ways_are_told_apart_by_a_few_names() -> None:
    train = [mixed(life(CIRCLES[0], 400, 0, s), life(CIRCLES[1], 400, 1, 100 + s)) for s in range(3)]
    home = mixed(life(CIRCLES[0], 120, 0, 50), life(CIRCLES[1], 120, 1, 51))
    said = partly(home, 0.1)
    assert right(told_apart(said, ways(train, N)), home, said) > 0.98


def test_who_does_the_same_is_told_by_the_thread_and_not_by_the_thing() -> None:
    """Both go round 0 to 5, half a circle apart, so a thing alone says nothing."""
    circle = tuple(range(N))
    train = [mixed(life(circle, 600, 0, s), life(circle[3:] + circle[:3], 600, 1, 100 + s)) for s in range(4)]
    steady = Moves(np.arange(240) * 60, np.repeat(np.arange(120) % N, 2), np.tile([0, 1], 120))
    steady.token[1::2] = (steady.token[1::2] + 3) % N
    said = partly(steady, 0.25)
    p = told_apart(said, ways(train, N))
    assert right(p, steady, said) > 0.9


def test_hours_tell_who_it_was_where_the_things_are_the_same() -> None:
    train = [life((0, 1, 2), 400, 0, s) for s in range(2)]
    home = mixed(life((0, 1, 2), 160, 0, 7, hour=7), life((0, 1, 2), 160, 1, 8, hour=17))
    said = partly(home, 0.1)
    assert right(told_apart(said, ways(train, N)), home, said) > 0.95


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000), share=st.floats(0.2, 0.9))
def test_whoever_is_named_did_it_and_chances_are_chances(seed: int, share: float) -> None:
    home = mixed(life((0, 1, 2), 80, 0, seed), life((2, 3, 4), 80, 1, seed + 1))
    said = partly(home, share, seed)
    if min(np.bincount(said.user[said.user >= 0], minlength=2)) < FEWEST:
        return
    p = told_apart(said, ways([home], N))
    named = said.user >= 0
    assert ((p >= 0) & (p <= 1)).all()
    assert ((p > 0.5) == home.user)[named].all()


def test_swapping_the_names_swaps_the_answer() -> None:
    home = mixed(life((0, 1, 2), 60, 0, 1), life((2, 3, 4), 60, 1, 2))
    said, known = partly(home, 0.3), ways([home], N)
    other = said._replace(user=np.where(said.user < 0, -1, 1 - said.user))
    np.testing.assert_allclose(told_apart(other, known), 1 - told_apart(said, known), atol=1e-6)


@pytest.mark.parametrize("user", [np.full(60, -1), np.r_[np.zeros(50, int), np.ones(FEWEST - 1, int), -1]])
def test_people_who_are_hardly_named_are_not_told_apart(user: np.ndarray) -> None:
    home = life((0, 1, 2), 60, 0, 1)
    with pytest.raises(LogError, match="where each is named 10 times"):
        told_apart(home._replace(user=user), ways([home], N))


def test_there_may_not_be_too_much_to_tell_apart() -> None:
    with pytest.raises(LogError, match=f"at most {MOST}"):
        ways([], MOST + 1)
