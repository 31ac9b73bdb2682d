"""Households that differ: rates as declared, openness, one household a seed, and nothing new where they are alike."""

import dataclasses
import functools
import hashlib

import numpy as np
import pytest
from lam_env.scenarios.smart_home import SmartHome
from lam_env.scenarios.smart_home.people.dislikes import HABITUAL, OPENNESS, RATES, WINDOWS

from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Stream, Streams

HOUR = 3_600
N = 400


@functools.cache
def scenario_of(households, dislikes):
    return SmartHome(households=households, dislikes=dislikes)


def world_of(seed, households="differ", dislikes=1.0):
    scenario = scenario_of(households, dislikes)
    return scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0))


@functools.cache
def households():
    """(N, C) which cells each household dislikes, and their worlds."""
    worlds = [world_of(seed) for seed in range(N)]
    return np.array([[w._disliked[c] for c in range(w.dislikes.p.shape[1])] for w in worlds]), worlds


def test_every_command_of_a_home_has_a_rate():
    for rooms in (4, 8):
        scenario = SmartHome(rooms=rooms)
        assert (scenario.dislikes.cells[:, 1:] >= 0).all()
        assert set(scenario.dislikes.cells[:, 1:].ravel()) == set(range(WINDOWS * len(RATES)))
        assert (scenario.dislikes.cells[:, 0] == -1).all()  # to do nothing is never disliked


def test_rates_over_many_households_are_those_declared():
    disliked, _ = households()
    found = disliked.reshape(N, len(RATES), WINDOWS).mean((0, 2))
    assert found == pytest.approx(list(RATES.values()), abs=0.045)  # three standard errors of 400 households
    assert disliked.mean() == pytest.approx(np.mean(list(RATES.values())), abs=0.01)


def test_less_welcome_by_kind_as_the_literature_has_it():
    for worse, better in (
        ("lock.unlocked", "lock.locked"), ("alarm.disarmed", "alarm.armed"), ("blinds.closed", "blinds.open"),
        ("lock.unlocked", "light.on"), ("heating.warm", "light.on"), ("tv.on", "tv.off"), ("light.on", "light.off"),
    ):  # fmt: skip
        assert RATES[worse] > RATES[better]


def test_openness_couples_the_cells_of_a_household():
    """Independent cells would give the number of dislikes the variance sum p (1 - p)."""
    many = households()[0].sum(1)
    p = np.repeat(list(RATES.values()), WINDOWS)
    between = sum(c.share * (c.factor - 1) ** 2 for c in OPENNESS) * p.sum() ** 2
    assert sum(c.share * c.factor for c in OPENNESS) == pytest.approx(1.0)
    assert many.var() == pytest.approx((p * (1 - p)).sum() + between, rel=0.25)
    assert many.var() > 2 * (p * (1 - p)).sum()


def test_scaled_to_nothing_and_to_everything():
    for scale, which in ((0.0, set()), (100.0, set(range(WINDOWS * len(RATES))))):
        for seed in range(5):
            assert {c for c, has in world_of(seed, dislikes=scale)._disliked.items() if has} == which


@pytest.mark.parametrize("how", ["differ", "alike"])
def test_one_seed_is_one_household_whatever_the_agent_does(how):
    for seed in range(3):
        still, busy = world_of(seed, households=how), world_of(seed, households=how)
        before = [r.trust_params for r in busy.residents]
        for i in range(300):
            can = np.flatnonzero(np.array(busy.row.mask))
            busy.step(int(can[i % len(can)]) if i % 3 == 0 else 0)
        times = [still.start + h * HOUR for h in range(24)]
        for action in range(len(still.vocabulary)):
            assert [still.minds_at(action, t) for t in times] == [busy.minds_at(action, t) for t in times]
        assert [r.trust_params for r in still.residents] == before
        assert [r.rules for r in still.residents] == [r.rules for r in busy.residents]


def test_where_households_are_alike_dislikes_are_as_they_were():
    """Each dislike of the table is had where its own draw is below its probability."""
    for seed in range(40):
        world, draws = world_of(seed, households="alike"), Streams(seed)("home", "dislikes")
        has = [h for i, h in enumerate(HABITUAL) if draws.uniform(i) < h.p]
        for action, name in enumerate(world.vocabulary.actions):
            device, _, state = name.rpartition(".")
            kind = device.rpartition(".")[2]
            own = [h for h in has if h.command in (f"{kind}.{state}", f"{kind}.*")]
            for hour in range(24):
                minds = world.minds_at(action, world.start // 86_400 * 86_400 + hour * HOUR)
                assert minds == any(h.since <= hour < h.until for h in own)


def test_where_households_are_alike_days_go_as_they_did_before_they_could_differ():
    """Of days in which somebody acts at random: sha256 of all events, trust and utility, to the bit."""
    scenario = scenario_of("alike", 1.0)
    row = ObservationRows(1, scenario.vocabulary).row(0)
    world, draws = scenario.make_world(Streams(8), row, record=True), Stream(1)
    for i in range(3000):
        can = np.flatnonzero(np.array(row.mask))
        world.step(int(can[int(draws.uniform(2 * i) * len(can))]) if draws.uniform(2 * i + 1) < 0.1 else 0)
    found = repr((world.records, [r.trust for r in world.residents], world.utility_totals))
    assert world.agent_acts > 30
    assert hashlib.sha256(found.encode()).hexdigest()[:16] == "d0c2a38818373bd6"


def test_where_households_are_alike_residents_have_one_taste_and_the_trust_of_the_settings():
    world = world_of(0, households="alike")
    for r in world.residents:
        assert r.trust_params == world.params.trust
        assert all(rules is r.rules[0] for rules in r.rules)


def test_tastes_differ_by_window_about_those_of_the_whole_day():
    """The same draws for the whole day as where all are alike; a smaller one of each window besides."""
    by_window = []
    for seed in range(60):
        differ, alike = world_of(seed), world_of(seed, households="alike")
        for r, same in zip(differ.residents, alike.residents, strict=True):
            for key, rules in same.rules[0].items():
                for j, rule in enumerate(rules):
                    if 0.02 < rule.p < 0.98:
                        p = np.array([window[key][j].p for window in r.rules])
                        by_window.append(np.log(p / (1 - p)) - np.log(rule.p / (1 - rule.p)))
    found = np.array(by_window)
    assert found.mean() == pytest.approx(0.0, abs=0.03)
    assert 0.4 < found.std() < 0.6
    windows = found[:, :, None] * found[:, None]
    assert np.abs(windows.mean(0)[~np.eye(WINDOWS, dtype=bool)]).max() < 0.02  # each window for itself


def test_residents_differ_in_trust():
    _, worlds = households()
    trust = [r.trust_params for w in worlds for r in w.residents]
    usual = worlds[0].params.trust
    for field in ("start", "override", "threshold"):
        values = np.array([getattr(t, field) for t in trust])
        assert len(set(values)) > N
        assert np.median(values) == pytest.approx(getattr(usual, field), rel=0.05)
    assert all(t.threshold < t.start and t.threshold < t.restart and t.override < 0 for t in trust)
    assert [r.trust for w in worlds for r in w.residents] == [t.start for t in trust]
    never = dataclasses.replace(usual, threshold=0.0, start=1.0, override=0.0)
    assert never.own(Stream(1)) == never  # who never switches off does not begin to


def test_the_hidden_state_says_what_is_disliked_now():
    scenario = SmartHome(days=1)
    row = ObservationRows(1, scenario.vocabulary, len(scenario.latent_names), False).row(0)
    world = scenario.make_world(Streams(5), row, reveal=("latent",))
    first, a = scenario.dislikes.latent, len(scenario.vocabulary)
    assert scenario.latent_names[first : first + a] == tuple(f"disliked.{n}" for n in scenario.vocabulary.actions)
    seen = set()
    for _ in range(300):
        world.step(0)
        told = list(map(bool, row.latent[first : first + a]))
        assert told == [world.minds(action) for action in range(a)]
        seen.add(tuple(told))
    assert len(seen) > 1
