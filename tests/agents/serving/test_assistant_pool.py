"""A pool served to a household whose log it has learned: it says what it says of the log, and acts seldom."""

import dataclasses
import functools

import numpy as np
import pytest
from bags import log_of
from lam_env.agents.counting.persons import Persons
from lam_env.agents.predictors.likelihood import blocks_of
from lam_env.agents.predictors.pool import Pool
from lam_env.agents.predictors.pooling import fit_pool
from lam_env.agents.predictors.settings import PredictorSettings
from lam_env.agents.predictors.store import load, save
from lam_env.agents.serving.assistant import Assistant, serve
from lam_env.agents.serving.household import HouseholdState
from lam_env.agents.thresholded import unfitted
from lives import PLACES, lives
from plain_log import plain_log

from lam_env.core.units import DAY
from lam_env.logs.decision_points import decision_points, split_by_day
from lam_env.logs.formats import table

HELD_OUT = 16  # first day that neither trains nor validates, of 21


@functools.cache
def made(folder):
    """The log, and the pool that has learned its first days."""
    path = folder / "log.csv"
    path.write_text(plain_log(0), encoding="utf-8")
    log, _ = table.FORMATS["csv"](str(path))

    def parts(log):
        points = decision_points(log, soon=False)
        train, valid, _ = split_by_day(points)
        return points.select(train), points.select(valid)

    events, timed = parts(dataclasses.replace(log, timer=None)), parts(log)
    assert events[1].time.max() < HELD_OUT * DAY
    settings = PredictorSettings.for_log(len(events[0]), True, passes=3, hidden=8, members=2)
    return log, fit_pool(*events, settings, timed)


@pytest.fixture(scope="module")
def log_and_pool(tmp_path_factory):
    return made(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def held_out(log_and_pool):
    """Its last days, by themselves, from a midnight on: an assistant, too, decides when its stream begins."""
    log, _ = log_and_pool
    late = log.select(log.time >= HELD_OUT * DAY)
    return dataclasses.replace(late, start=(HELD_OUT * DAY,), end=(int(late.time[-1]),))


def test_it_says_what_it_says_of_the_log_and_acts_no_oftener_than_she_does(log_and_pool, held_out, tmp_path):
    log, pool = log_and_pool
    points = decision_points(held_out, soon=False)
    read = pool.read(points)
    assert pool.timer == log.timer == 300
    save(pool, tmp_path / "model")
    assistant = serve(unfitted(load(tmp_path / "model")))
    assert type(assistant) is Assistant
    assistant.reset(HELD_OUT * DAY)
    acted, said = 0, []
    events = zip(points.time.tolist(), points.tokens[:, -1].tolist(), points.user.tolist(), strict=True)
    for time, token, user in events:
        assistant.observe(time=time, user=user, action=log.vocabulary.actions[token] if token else None)
        suggestion = assistant.suggest()
        said.append((list(suggestion.probabilities.values()), list(suggestion.soon.values())))
        acted += suggestion.action != "none"
    for part, name in zip(zip(*said, strict=True), ("next", "soon"), strict=True):
        np.testing.assert_allclose(part, getattr(read, name), atol=1e-4)
    events = int((points.tokens[:, -1] > 0).sum())
    assert 50 < events < len(points) / 10
    assert 0 < acted <= events
    # what it goes by is that she acts when she does
    due = points.target > 0
    chance = 1 - read.next[:, 0]
    assert chance[due].mean() > 5 * chance[~due].mean()


def test_it_goes_on_counting_while_it_serves(log_and_pool):
    """A new routine of every half hour is known after some days, without another fit."""
    _, pool = log_and_pool
    assistant = Assistant(unfitted(pool))
    assistant.reset(0)
    chance = []
    for n in range(1, 4 * 48):
        assistant.observe(time=1800 * n - 1)
        chance.append(assistant.suggest().probabilities["tv.on"])
        assistant.observe(time=1800 * n, action="tv.on")
    assert np.mean(chance[-20:]) > 0.1 > 0.01 > chance[0]
    fresh = Assistant(unfitted(pool))
    fresh.reset(0)
    fresh.observe(time=1799)
    assert fresh.suggest().probabilities["tv.on"] == pytest.approx(chance[0])


def test_a_person_is_known_again_after_a_restart(tmp_path):
    """Counts and weights of her own are kept with the rest, and she is served what the log would be told."""
    log = lives(6, 10)
    pool = Pool(None, Persons.fit(log, blocks_of(log, 5))[0], np.array([0, 1]))
    stays = lives(1, 8, seed=9)
    # an assistant decides when its stream begins, too
    hers = log_of([[], *stays.tokens[:, -1:].tolist()], np.r_[0, stays.time], vocabulary=PLACES)
    read = pool.read(hers).next[1:]
    assistant = Assistant(unfitted(pool))
    assistant.reset(0)
    for i, (time, token) in enumerate(zip(stays.time.tolist(), stays.tokens[:, -1].tolist(), strict=True)):
        if i == 20:
            assistant.save(tmp_path / "her")
            assistant = Assistant(unfitted(pool))
            assistant.load_state_dict(HouseholdState.load(tmp_path / "her", pool, "home").state)
        assistant.observe(time=time, action=PLACES.actions[token])
        said = list(assistant.suggest().probabilities.values())
        np.testing.assert_allclose(said, read[i], atol=1e-6)
