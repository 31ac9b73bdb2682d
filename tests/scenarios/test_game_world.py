"""A player's world: decisions, sessions, what advice moves and what it does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.calibration import gates
from lam_env.scenarios.game.params import LONGEST
from lam_env.scenarios.game.words import CHOICE, LEVEL_UP
from lam_env.scenarios.game.world.calendar import next_session

from lam_env.config.cli import ConfigError
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams
from lam_env.core.units import DAY
from lam_env.envs.single import LamEnv

GAME = Game()
WORDS, V = GAME.game.words, GAME.vocabulary
HOUR = 3600


def world_of(seed, scenario=GAME, **how):
    rows = ObservationRows(
        1, scenario.vocabulary, len(scenario.latent_names) if "latent" in how.get("reveal", ()) else 0
    )
    return scenario.make_world(Streams(seed), rows.row(0), **how)


def live(world, choose=lambda world: 0):
    """Steps to the end."""
    while not world.step(choose(world)):
        pass


def possible(world):
    return [a for a, m in enumerate(world.row.mask) if m]


def long_lived(n=3, least=40, **settings):
    """Seeds of players who play a lot."""
    scenario, found, seed = Game(**settings), [], 0
    while len(found) < n:
        world = world_of(seed, scenario)
        live(world)
        if world.tally.plays >= least:
            found.append(seed)
        seed += 1
    return found


LONG = long_lived()


def recorded(seed, choose=lambda world: 0, scenario=GAME):
    world = world_of(seed, scenario, record=True)
    live(world, choose)
    return world


# decisions


def test_each_question_is_answered_by_one_action_at_the_same_instant():
    for seed in LONG:
        events = [e for e in recorded(seed).records if e.kind in (SENSOR, USER)]
        assert [e.kind for e in events] == [SENSOR, USER] * (len(events) // 2)
        for asked, act in zip(events[::2], events[1::2], strict=True):
            assert asked.time == act.time
            line = WORDS.first_line <= act.token < WORDS.first_line + WORDS.n_lines
            assert line == (asked.token == LEVEL_UP)
            assert asked.token in (CHOICE, LEVEL_UP)


def test_what_may_be_advised_is_what_the_player_may_do():
    lines = list(range(WORDS.first_line, WORDS.first_line + WORDS.n_lines))
    for seed in LONG:
        world, ended = world_of(seed), False
        while not ended:
            may = possible(world)
            if world.moment == 3:
                assert may == [0, *lines]
            else:
                assert not set(may) & set(lines)
                assert (WORDS.leave in may) == (world.plays > 0)
                opened = [k + 1 for k, a in enumerate(GAME.game.rules.activities) if a.level <= world.player.level]
                assert may[1 : len(opened) + 1] == opened
                tune = {WORDS.easier, WORDS.harder} & set(may)
                assert bool(tune) != world.player.changed
            ended = world.step(0)


def test_the_track_of_activities_masks_the_difficulty_for_the_agent_alone():
    scenario, changed = Game(track="activities"), 0
    for seed in range(60):
        world, ended = world_of(seed, scenario, record=True), False
        while not ended:
            assert not {WORDS.easier, WORDS.harder} & set(possible(world))
            ended = world.step(WORDS.easier)  # carried out as none
        assert world.tally.offers == 0
        changed += sum(e.kind == USER and e.token >= WORDS.easier for e in world.records)
    assert changed  # the player changes it


def test_difficulty_changes_once_a_session_at_most():
    total, alike = 0, Game(people="alike")  # all of them take such advice
    for seed in LONG:
        world = recorded(seed, lambda w: WORDS.easier if w.row.mask[WORDS.easier] else 0, alike)
        session, changes = 0, {}
        for e in world.records:
            if e.kind == USER and e.token == WORDS.leave:
                session += 1
            if e.kind == USER and e.token >= WORDS.easier:
                changes[session] = changes.get(session, 0) + 1
        assert set(changes.values()) <= {1}
        total += len(changes)
        assert -2 <= world.player.difficulty <= 2
    assert total > 1


def test_builds_are_points_at_level_ups():
    for seed in LONG:
        world = recorded(seed)
        assert sum(world.player.points) == world.player.level - 1


# luck: paired whatever is advised


def test_advice_moves_no_draw():
    """The likings' draws at (session, plays) are the same whoever advises."""
    world, other = world_of(LONG[0]), world_of(LONG[0])
    silent, noisy = {}, {}

    def note(found):
        def choose(w):
            found[w.sessions, w.plays, w.moment] = w._play_draws.bits(8 * (128 * w.sessions + w.plays))
            return 0 if found is silent else possible(w)[-1]

        return choose

    live(world, note(silent))
    live(other, note(noisy))
    assert len(silent.keys() & noisy.keys()) > 10
    assert all(silent[k] == noisy[k] for k in silent.keys() & noisy.keys())


def test_advice_to_do_what_is_done_anyway_changes_nothing_but_the_mood():
    """Until somebody is annoyed the same happens: the choice is a maximum, and advice only raises one of its terms."""
    silent = recorded(LONG[0])
    acts = [e.token for e in silent.records if e.kind == USER]
    world = world_of(LONG[0], record=True)
    for act in acts[:5]:
        if act == WORDS.leave:
            break
        world.step(act)
        assert world.anyway == act
        assert [e.token for e in world.records if e.kind == USER][-1] == act
    assert world.tally.parroted == world.tally.offers > 0
    assert world.tally.followed == world.tally.offers


def test_a_step_tells_what_would_have_been_done_anyway():
    """Where advice is not followed, that is done; where it is, it is known whether it changed anything."""
    changed = 0
    for seed in range(40):
        twin, world = world_of(seed, record=True), world_of(seed, record=True)
        twin.step(0)
        alone = next(e.token for e in twin.records if e.kind == USER)
        advised = next(a for a in possible(world)[1:] if a != alone)
        world.step(advised)
        assert world.anyway == alone
        did = next(e.token for e in world.records if e.kind == USER)
        assert did in (alone, advised)
        changed += did == advised
    assert 5 < changed < 40


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 2**32))
def test_whatever_is_advised_a_life_is_sound(seed, salt):
    world = world_of(seed, Game(days=4), record=True)
    k, ended, before = salt, False, world.now
    while not ended:
        k = (k * 1103515245 + 12345) % 2**31
        ended = world.step(k // 65536 % len(V))
        assert before <= world.now <= world.end
        before = world.now
        assert np.isfinite(np.asarray(world.row.context)).all()
    totals = {**world.reward_totals, **world.utility_totals}
    assert all(np.isfinite(v) for v in totals.values())
    assert world.tally.offers == sum(e.kind == AGENT for e in world.records)
    answers = [e for e in world.records if e.kind == FEEDBACK and e.token < 3]
    assert len(answers) == world.tally.offers
    assert world.utility_totals["flow"] <= 4 * world.traits.healthy + world.traits.healthy


# sessions and lives


def test_players_live_in_sessions_and_leave_for_good():
    worlds = [world_of(s) for s in range(150)]
    for w in worlds:
        live(w)
        assert w.now == w.end == w.start + 30 * DAY
        assert len(w.tally.per_session) in (w.tally.sessions, w.tally.sessions - 1)
        assert w.reward_totals["churn"] == w.terminated
        came_back = [min(gap / 24, LONGEST) for gap in w.tally.gaps[: w.tally.sessions - 1]]
        assert w.reward_totals["return"] == pytest.approx(sum(came_back))
    gone = np.mean([w.terminated for w in worlds])
    assert 0.4 < gone < 0.95


def test_sessions_begin_while_people_are_awake():
    hours = []
    for seed in range(200):
        hours += [e.time / HOUR % 24 for e in recorded(seed).records if e.kind == SENSOR]
    counts = np.histogram(hours, 24, (0, 24))[0] / len(hours)
    assert counts[2:6].sum() < 0.06
    assert counts[17:23].sum() > 0.4


@given(st.integers(0, 10**7), st.lists(st.floats(0.0, 0.999999), min_size=4, max_size=4), st.integers(0, 20))
def test_players_come_back_later(now, u, seed):
    world = world_of(seed)
    assert next_session(now, u, world.traits, GAME.game) >= now + 600


def test_an_agent_that_keeps_quiet_is_no_agent():
    a, b = recorded(LONG[0]), recorded(LONG[0], lambda w: len(V) - 1 if not w.row.mask[len(V) - 1] else 0)
    assert a.records == b.records


def test_late_play_is_counted_after_bedtime():
    late = [w for w in (recorded(s) for s in range(60)) if w.tally.late > 0]
    assert late
    for w in late:
        assert w.utility_totals["late"] == pytest.approx(w.tally.late)
        assert w.tally.late <= w.tally.minutes


def test_flow_minutes_are_capped_a_day():
    scenario = Game(end=0.02, end_power=0.0, end_spread=0.0, sleepy=0.0, days=2)
    world = world_of(3, scenario)
    live(world)
    assert world.tally.minutes > 2 * world.traits.healthy
    assert world.utility_totals["flow"] <= 3 * world.traits.healthy


def test_readings_tell_how_things_stand_and_a_record_changes_nothing():
    for seed in LONG:
        plain, kept = world_of(seed), world_of(seed, record=True)
        ended = False
        while not ended:
            assert np.array_equal(plain.row.context, kept.row.context)
            p = plain.player
            r = dict(zip(V.readings, plain.row.context.tolist(), strict=True))
            assert r["level"] == p.level
            assert r["plays"] == plain.plays
            assert r["start"] == (plain.moment == 0)
            assert r["level_up"] == (plain.moment == 3)
            assert [r[f"points.{x.name}"] for x in GAME.game.rules.lines] == p.points
            assert [r[f"win.{GAME.game.rules.names[k]}"] for k in WORDS.hard] == pytest.approx(
                [p.wins[k] for k in WORDS.hard]
            )
            assert sum(v for k, v in r.items() if k.startswith("class.")) == 1
            ended = kept.step(0)
            assert plain.step(0) == ended
    assert {e.token for e in kept.records if e.kind == READING} <= set(range(len(V.readings)))


def test_taste_drift_changes_what_is_liked_in_the_end():
    drifting = Game(drift=1.0)
    for seed in LONG:
        world = world_of(seed, drifting)
        persona = list(world.traits.persona)
        live(world)
        share = (world.began - world.start) / (world.end - world.start)  # as the last session began
        now = [(1 - share) * a + share * b for a, b in zip(persona, world.traits.later, strict=True)]
        assert world.player.persona == pytest.approx(now)
        assert world.traits.persona == persona


LASTING = {"churn": -30.0, "gap_hours": 0.3, "gap_long": 0.0, "days": 12}  # players who come every day


def keenness(drift, seeds):
    """How well what each plays in the first and in the last third of life matches the persona that they drift to."""
    scenario = Game(drift=drift, **LASTING)
    tags, found = np.array(scenario.game.tags), []
    for seed in seeds:
        world = recorded(seed, scenario=scenario)
        match = tags @ np.array(world.traits.later)
        part = [(time - world.start) * 3 // (12 * DAY) for time, *_ in world.timeline]
        found.append(
            [np.mean([match[k] for p, (_, k, *_) in zip(part, world.timeline, strict=True) if p == i]) for i in (0, 2)]
        )
    return np.array(found)


def test_players_whose_tastes_drift_play_other_things_in_the_end():
    """Beside the same players whose tastes stay."""
    seeds = range(40)
    steady, half, whole = (keenness(drift, seeds) for drift in (0.0, 0.5, 1.0))
    assert abs((whole - steady)[:, 0].mean()) < 0.05  # the first days are nearly the same
    for moved, least in ((half, 0.02), (whole, 0.05)):
        change = (moved - steady)[:, 1]
        assert change.mean() > max(least, 2 * change.std() / np.sqrt(len(seeds)))


def test_drifting_players_stay_as_long():
    seeds = range(9_000_000, 9_000_500)
    steady, drifting = (gates.live(Game(drift=drift).game, seeds) for drift in (0.0, 1.0))
    assert np.abs(drifting.retention - steady.retention).max() < 0.05
    assert drifting.retention[[1, 7]] == pytest.approx(steady.retention[[1, 7]], abs=0.03)
    assert drifting.flow == pytest.approx(steady.flow, abs=0.05)
    assert np.median(drifting.per_session) == pytest.approx(np.median(steady.per_session), abs=1)


def test_days_begin_on_the_day_that_is_asked_for():
    env = LamEnv("game")
    observation, _ = env.reset(seed=1, options={"day": 5})
    assert 5 * DAY < observation["epoch"][0] < 6 * DAY + 5 * HOUR


# faults


@pytest.mark.parametrize(("given", "what"), [
    ({"track": "nothing"}, "track"),
    ({"drift": 2}, "drift: expected .* 1"),
    ({"days": 0}, "days: expected at least 1"),
    ({"gap_hours": 0.7, "gap_long": 0.7}, "together at most 1"),
    ({"tracks": "all"}, "did you mean 'world.track'"),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(given, what):
    with pytest.raises(ConfigError, match=what) as caught:
        Game(**given)
    assert "\n" not in str(caught.value)
