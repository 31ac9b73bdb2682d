"""A player's moods, power and choices: known answers and bounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lam_env.scenarios.game.hidden import MOODS
from lam_env.scenarios.game.params import FLOW_WITHOUT_CHALLENGE, GameParams
from lam_env.scenarios.game.player.player import AGE, HARDEST, STALE, Player
from lam_env.scenarios.game.player.traits import Traits, gumbels
from lam_env.scenarios.game.rules.compiled import MOST_PLAYS, NEVER, Compiled, logistic
from lam_env.scenarios.game.rules.rules import RULES

from lam_env.core.rng import Streams

PARAMS = GameParams()
GAME = Compiled(RULES, PARAMS)
N = GAME.n
ACTS = {a.name: k for k, a in enumerate(RULES.activities)}
SILENT = [0.0] * (N + 2)


def traits(seed=0, params=PARAMS):
    return Traits(Streams(seed)("player", "traits"), params, N, len(RULES.lines), len(RULES.classes))


def player(seed=0, game=GAME, **state):
    p = Player(game, traits(seed, game.params))
    for name, value in state.items():
        setattr(p, name, value)
    return p


def play(p, name, won=True, minutes=10.0):
    k = ACTS[name]
    return p.play(k, minutes, won, p.flows()[k], p.excess())


# who they are


def test_personas_are_dirichlet_and_everything_else_has_its_mean_and_spread():
    many = [traits(s) for s in range(3000)]
    persona = np.array([t.persona for t in many])
    assert persona.sum(1) == pytest.approx(1.0)
    assert persona.mean(0) == pytest.approx(0.25, abs=0.02)
    assert persona.std(0) == pytest.approx(math.sqrt(0.25 * 0.75 / 5), abs=0.01)  # of Dirichlet(1, 1, 1, 1)
    skill = np.array([t.skill for t in many])
    assert (skill.mean(), skill.std()) == pytest.approx((0, 1), abs=0.05)
    assert np.mean([t.hardcore for t in many]) == pytest.approx(0.25, abs=0.03)
    assert {t.class_ for t in many} == set(range(len(RULES.classes)))
    assert abs(np.corrcoef(skill, persona[:, 0])[0, 1]) < 0.05


def test_a_player_is_a_function_of_the_seed():
    def told(t):
        return [getattr(t, name) for name in Traits.__slots__]

    assert told(traits(3)) == told(traits(3))
    assert told(traits(3)) != told(traits(4))


def test_tastes_drift_from_one_persona_to_another():
    t = traits(1)
    assert t.at(0.0) == pytest.approx(t.persona)
    assert t.at(1.0) == pytest.approx(t.later)
    assert sum(t.at(0.3)) == pytest.approx(1.0)


def test_the_table_of_gumbel_draws_has_their_distribution():
    table = np.array(gumbels(64))
    assert table[:64] == pytest.approx(table[-64:])
    assert table.mean() == pytest.approx(0.57722, abs=1e-3)
    assert table.std() == pytest.approx(math.pi / math.sqrt(6), abs=2e-3)
    assert abs(np.corrcoef(table[:-1], table[1:])[0, 1]) < 0.01


# power, flow, winning


def test_flow_is_greatest_where_challenge_meets_power():
    p = player(boredom=0.0)
    for k, b in enumerate(p.bare):
        expected = FLOW_WITHOUT_CHALLENGE if b is None else math.exp(-((b + p.excess()) ** 2))
        assert p.flows()[k] == pytest.approx(expected)


def test_boredom_takes_flow_and_fatigue_takes_power():
    p = player()
    fresh = p.flows()
    p.boredom = 0.5
    assert p.flows() == pytest.approx([f * (1 - STALE * 0.5) for f in fresh])
    before = p.excess()
    p.fatigue = 0.5
    assert p.excess() > before


def test_levels_make_the_game_harder_and_gear_and_builds_make_it_easier():
    p = player()
    start = p.excess()
    p.level = 5
    assert p.excess() == pytest.approx(start + 4 * RULES.need)
    p.gear = 4 * RULES.need
    assert p.excess() == pytest.approx(start)
    line = max(range(4), key=lambda i: sum(GAME.fits[p.traits.class_][i]))
    before = list(p.bare)
    p.raise_line(line)
    changes = [0.0 if b is None else b - a for a, b in zip(before, p.bare, strict=True)]
    assert min(changes) < 0
    assert max(changes) <= 0


def test_a_point_in_what_suits_the_class_is_worth_more():
    mage = next(s for s in range(99) if RULES.classes[traits(s).class_].name == "mage")
    gains = {}
    for i, line in enumerate(RULES.lines):
        p = player(mage)
        before = p.bare[ACTS["story"]]
        p.raise_line(i)
        gains[line.name] = before - p.bare[ACTS["story"]]
    assert max(gains, key=gains.get) == "arcana"


# choice


def test_appeal_is_the_sum_that_the_design_names():
    p = player(2, fatigue=0.4)
    p.habit = [0.1 * i for i in range(N)]
    p.previous = ACTS["dungeon"]
    flows = p.flows()
    for k, a in enumerate(RULES.activities):
        if a.level > 1:
            assert p.appeal(flows, SILENT)[k] < NEVER / 2
            continue
        w, name = p.persona, RULES.classes[p.traits.class_]
        follows = RULES.follows.get(("dungeon", a.name), 0) + name.follows.get(("dungeon", a.name), 0)
        expected = PARAMS.beta * (
            PARAMS.taste * sum(x * t for x, t in zip(w, a.tags, strict=True))
            + PARAMS.flow * flows[k] + PARAMS.habit * p.habit[k] + PARAMS.follows * follows
            + PARAMS.quest * (a.name == "story")  # the first quest
            - PARAMS.weary * 0.4 * (a.effort - 6 * a.relief)
        ) + p.traits.liking[k]  # fmt: skip
        assert p.appeal(flows, SILENT)[k] == pytest.approx(expected)


def test_the_tired_rest_and_the_untired_do_not():
    def share(fatigue):
        p = player(fatigue=fatigue)
        x = np.array(p.appeal(p.flows(), SILENT))
        return (np.exp(x) / np.exp(x).sum())[ACTS["rest"]]

    assert share(0.9) > 3 * share(0.0)


def test_the_hazard_of_a_sessions_end_falls_with_the_plays_and_rises_at_night():
    p = player()
    hazards = [logistic(p.leaving(n, 10.0, -1.0)) for n in range(1, MOST_PLAYS)]
    assert all(a >= b for a, b in zip(hazards, hazards[1:], strict=False))
    assert p.leaving(3, 10.0, 2.0) == pytest.approx(p.leaving(3, 10.0, -1.0) + 2 * PARAMS.sleepy)
    assert p.leaving(3, 10.0, 99.0) == p.leaving(3, 10.0, 4.0)


def test_the_prototypes_hazard_for_somebody_in_the_middle():
    p = player()
    p.traits.ends, p.fatigue, p.frustration, p.boredom = 0.0, 0.3, 0.3, 0.3
    for n, expected in ((1, 0.30), (2, 0.30 * 2**-0.55), (10, 0.30 * 10**-0.55)):
        assert logistic(p.leaving(n, 1.0, -1.0)) == pytest.approx(expected)


def test_who_is_pleased_or_tied_stays_and_who_is_annoyed_leaves():
    p = player()
    usual = p.quitting(3, 4, 2.0)
    for name, value, sign in (("satisfaction", 0.9, -1), ("bond", 0.5, -1), ("annoyance", 0.5, 1), ("late", 2.0, 1)):
        assert (player(**{name: value}).quitting(3, 4, 2.0) - usual) * sign > 0
    assert p.quitting(9, 4, 2.0) < usual < p.quitting(3, 4, 20.0)


# advice


def test_persuasion_grows_with_trust_and_wears_out():
    assert player(trust=1.0, rate=0.0).persuasion(1) == pytest.approx(PARAMS.beta * PARAMS.advice)
    assert player(trust=1.0, rate=1.0).persuasion(1) == pytest.approx(PARAMS.beta * PARAMS.advice * (1 - PARAMS.tire))
    assert player(trust=0.0).persuasion(1) == 0


def test_irritation_grows_with_the_rate_of_suggestions():
    calm, nagged = player(rate=0.15), player(rate=0.9)
    assert logistic(calm.irritation(False)) < 0.1 < logistic(nagged.irritation(False))
    assert nagged.irritation(True) > nagged.irritation(False)


def test_annoyance_costs_more_trust_than_being_ignored_and_silence_heals():
    trust = {}
    for how in ((True, False), (False, False), (False, True)):
        p = player()
        p.answer(*how)
        trust[how] = p.trust
    assert trust[False, True] < trust[False, False] < trust[True, False]
    p = player(trust=0.2)
    for _ in range(50):
        p.hear(False)
    assert 0.3 < p.trust < PARAMS.trust
    assert p.rate == 0


# moods


def test_rest_relieves_and_effort_tires():
    p = player(fatigue=0.5)
    play(p, "rest")
    assert p.fatigue == pytest.approx(0.25)
    play(p, "boss")
    assert p.fatigue > 0.25


def test_losing_frustrates_and_winning_consoles():
    p = player()
    for i in range(3):
        play(p, "grind", won=False)
        assert p.losses == i + 1
    frustrated = p.frustration
    assert frustrated > 0.4
    play(p, "grind")
    assert p.losses == 0
    assert p.frustration < frustrated


def test_sameness_bores_and_variety_does_not():
    same, varied = player(), player()
    for i in range(12):
        play(same, "explore")
        play(varied, ("explore", "story", "craft", "side_quest")[i % 4])
    assert same.boredom > 2 * varied.boredom


def test_guild_ties_and_dungeons_arm():
    p = player(level=9)
    play(p, "guild")
    assert p.bond > 0.05
    play(p, "dungeon")
    assert p.gear >= 0.1
    for _ in range(99):
        play(p, "craft")
    assert p.gear <= RULES.need * (p.level - 1) + RULES.gear_lead + 1e-9


def test_quests_open_one_after_another():
    p = player()
    assert p.opened == [0]
    assert play(p, "story") >= 1  # arrival
    assert {RULES.quests[i].name for i in p.opened} == {"errands", "old_mine", "far_coast"}
    assert p.quest_share == pytest.approx(1 / len(RULES.quests))


def test_time_away_rests():
    p = player(fatigue=0.9, boredom=0.9, frustration=0.9, annoyance=0.9, bond=0.9, late=2.0)
    p.away(10.0)
    assert p.fatigue < 0.2
    assert p.frustration < 0.3
    assert 0.5 < p.boredom < 0.9
    assert 0.8 < p.bond < 0.9


def test_freshness_as_a_reading():
    assert [AGE[i] for i in (0, 1, 2, 3, 4, 7, 8, 31)] == [0, 1, 2, 2, 3, 3, 4, 5]
    p = player()
    play(p, "story")
    play(p, "grind")
    assert (p.fresh[ACTS["grind"]], p.fresh[ACTS["story"]], p.fresh[ACTS["boss"]]) == (0, 1, 31)


def test_difficulty_can_be_changed_once_a_session_and_has_ends():
    assert player(changed=True).tuning() == (NEVER, NEVER)
    assert player(difficulty=-HARDEST).tuning()[0] == NEVER
    assert player(difficulty=HARDEST).tuning()[1] == NEVER
    assert player(frustration=0.9).tuning()[0] > player().tuning()[0]
    assert player(win_share=0.99).tuning()[1] > player().tuning()[1]


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.booleans(), st.floats(0.5, 180)), max_size=60),
    st.lists(st.tuples(st.booleans(), st.booleans()), max_size=20),
)
def test_moods_stay_within_bounds_whatever_happens(seed, plays, answers):
    p = player(seed)
    for name, won, minutes in plays:
        play(p, name, won, minutes)
    for followed, annoyed in answers:
        p.hear(True)
        p.answer(followed, annoyed)
        p.judge_advice(1.0 if followed else -1.0)
    for mood in (*MOODS, "rate", "win_share"):
        assert 0 <= getattr(p, mood) <= 1, mood
    assert sum(p.habit) <= 1 + 1e-9
    assert all(0 <= w <= 1 for w in p.wins)
    assert 0 <= p.quest_share <= 1
    assert all(0 <= f <= 1 for f in p.flows())
    p.away(1e5)
    assert all(math.isfinite(x) for x in p.appeal(p.flows(), SILENT))
