"""The hidden state tells exactly what the player will do, and what advice is worth."""

import numpy as np
import pytest
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.hidden import Decision, Worth, latent, plan

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.envs.recording import simulate_log
from lam_env.logs.decision_points import decision_points

GAME = Game()
WORDS, V = GAME.game.words, GAME.vocabulary
A = len(V)


def worlds(seeds, scenario=GAME):
    row = ObservationRows(1, scenario.vocabulary).row(0)
    for seed in seeds:
        yield scenario.make_world(Streams(seed), row)


def test_chances_add_up_with_and_without_advice():
    for world in worlds(range(30)):
        ended = False
        while not ended:
            decision = Decision(world)
            assert sum(decision.chances().values()) == pytest.approx(1.0)
            p = decision.chances()
            for a in np.flatnonzero(world.row.mask)[1:].tolist():
                told = decision.chances(a)
                assert sum(told.values()) == pytest.approx(1.0)
                assert told[a] > p.get(a, 0.0)
                assert 0 < decision.annoys(a, p) < 1
            assert all(x == 0 or world.row.mask[a] or a >= WORDS.easier for a, x in p.items())
            ended = world.step(0)


@pytest.fixture(scope="module")
def seen():
    log, hidden = simulate_log(GAME, list(range(400)), 30, latent=True)
    return decision_points(log, soon=False), hidden


def test_the_closed_form_is_what_happens(seen):
    """Frequencies of each action are its mean chance, also where the chance is high and where it is low."""
    points, hidden = seen
    assert len(points) == len(hidden)
    assert (points.target > 0).all()  # the player always answers
    p = hidden[:, : A - 1].astype(float)
    assert p.sum(1) == pytest.approx(1.0, abs=5e-3)  # as float16 has it
    happened = np.eye(A)[points.target][:, 1:]
    assert happened.mean(0) == pytest.approx(p.mean(0), abs=4.5 * np.sqrt(0.25 / len(p)))
    for low, high in ((0.01, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        at = (p > low) & (p <= high)
        spread = np.sqrt((p[at] * (1 - p[at])).sum()) / at.sum()
        assert happened[at].mean() == pytest.approx(p[at].mean(), abs=4.5 * spread + 1e-3)
    entropy = -(p * np.log(p.clip(1e-9))).sum(1).mean()
    nll = -np.log(p[np.arange(len(p)), points.target - 1].clip(1e-9)).mean()
    assert nll == pytest.approx(entropy, rel=0.03)


def test_what_advice_does_is_what_the_closed_form_says():
    expected, happened = [], []
    for world in worlds(range(300)):
        ended, k = False, 0
        while not ended:
            may = np.flatnonzero(world.row.mask)[1:]
            k += 1
            advised = int(may[(7 * k + world.sessions) % len(may)]) if k % 2 else 0
            if advised:
                expected.append(Decision(world).chances(advised)[advised])
                before = world.tally.followed
            ended = world.step(advised)
            if advised:
                happened.append(world.tally.followed - before)
    e = np.array(expected)
    spread = np.sqrt((e * (1 - e)).sum()) / len(e)
    assert len(e) > 3000
    assert np.mean(happened) == pytest.approx(e.mean(), abs=4.5 * spread)


def test_names_fit_and_everything_is_finite():
    for world in worlds(range(5)):
        found, worth = latent(world), plan(world)
        assert found.shape == (len(GAME.latent_names),)
        assert worth.shape == (2 * A,)
        assert np.isfinite(found).all()
        assert np.isfinite(worth).all()
        assert not worth[np.tile(np.asarray(world.row.mask), 2) == 0].any()


def mean_worth(name, **state):
    values = []
    for world in worlds(range(60)):
        world.step(0)
        if world.now >= world.end or world.moment == 3:
            continue
        for key, value in state.items():
            setattr(world.player, key, value)
        values.append(plan(world)[V.action(name)])
    return np.mean(values)


def test_resting_is_worth_more_to_the_tired():
    def worth(fatigue):
        values = []
        for world in worlds(range(30)):
            world.player.fatigue = fatigue
            k, shares = WORDS.activities.index("rest"), {0: 1.0}
            values.append(sum(Worth(world).activity(k, shares)) - sum(Worth(world).activity(0, shares)))
        return np.mean(values)

    assert worth(0.8) > worth(0.0) + 0.1


def test_ease_is_worth_something_to_those_who_lose_and_challenge_to_those_who_win():
    assert mean_worth("easier", gear=-2.0) > 0 > mean_worth("harder", gear=-2.0)
    assert mean_worth("easier", gear=2.0) < 0 < mean_worth("harder", gear=2.0)


def test_logging_out_is_worth_more_late():
    early, late = [], []
    for world in worlds(range(60)):
        world.step(0)
        if world.now >= world.end or world.moment == 3 or not world.plays:
            continue
        for hours, found in ((-2.0, early), (1.5, late)):
            world.traits.bed = (world.now / 3600 % 24 - hours) if world.now / 3600 % 24 > 8 else 24 - hours
            found.append(plan(world)[WORDS.leave])
    assert np.mean(late) > 0 > np.mean(early)


def test_who_is_annoyed_easily_is_better_left_alone():
    assert mean_worth("story", rate=0.9) < mean_worth("story", rate=0.0)
