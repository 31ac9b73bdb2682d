"""Players who differ in how they take advice, and players who are alike."""

import numpy as np
import pytest
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.params import GameParams
from lam_env.scenarios.game.player.advised import ALL, MOST, OWN, PATIENCE, TRUST, Advised
from lam_env.scenarios.game.player.traits import Traits
from lam_env.scenarios.game.rules.compiled import BUILDS, DIFFICULTY, KINDS, STOPPING

from lam_env.core.events import AGENT
from lam_env.core.observation import ObservationRows
from lam_env.core.rng import Streams

DIFFER, ALIKE = Game(people="differ"), Game(people="alike")
PARAMS, WORDS, KIND = GameParams(), DIFFER.game.words, DIFFER.game.kinds


def world_of(seed, scenario=DIFFER, record=False):
    return scenario.make_world(Streams(seed), ObservationRows(1, scenario.vocabulary).row(0), record=record)


def live(world, choose=lambda world: 0):
    while not world.step(choose(world)):
        pass
    return world


@pytest.fixture(scope="module")
def many():
    return [Advised.drawn(Streams(s)("player", "advised"), PARAMS, KIND) for s in range(3000)]


# -- kinds


def test_an_activity_is_of_the_kind_of_its_greatest_tag():
    kinds = {name: KINDS[KIND[a]] for a, name in enumerate(DIFFER.vocabulary.actions) if a}
    assert kinds["grind"] == "achieve"
    assert (kinds["explore"], kinds["guild"], kinds["pvp"]) == ("explore", "social", "kill")
    assert set(KIND[WORDS.first_line : WORDS.first_line + WORDS.n_lines]) == {BUILDS}
    assert (KIND[WORDS.easier], KIND[WORDS.harder], KIND[WORDS.leave]) == (DIFFICULTY, DIFFICULTY, STOPPING)
    assert len(KIND) == len(DIFFER.vocabulary)
    assert set(KIND) == set(range(len(KINDS)))


# -- who they are


def test_advice_weighs_as_much_in_the_mean_and_differs_by_kind_and_person(many):
    heed = np.array([[a.heed[KIND.index(k)] for k in range(1, len(KINDS))] for a in many])
    assert heed.max() == MOST
    log = np.log(heed[(heed < MOST).all(1)])
    assert np.log(heed).mean() == pytest.approx(-(OWN**2 + ALL**2) / 2, abs=0.08)
    assert 0.75 < heed.mean() <= 1.0  # the cap takes a little
    among = np.corrcoef(log.T)[np.triu_indices(len(KINDS) - 1, 1)]
    assert 0 < among.mean() < 0.3  # some heed all kinds more than others do, but kinds are mostly their own
    first = [a.heed for a in many[:50]]
    assert all(h[a] == h[b] for h in first for a in range(len(h)) for b in range(len(h)) if KIND[a] == KIND[b])


def test_trust_patience_and_weariness_have_their_mean_and_spread(many):
    trust, patience, weary = (np.array([getattr(a, name) for a in many]) for name in ("trust", "patience", "weary"))
    assert (trust.mean(), trust.std()) == pytest.approx((PARAMS.trust, TRUST), abs=0.02)
    assert (patience.mean(), patience.std()) == pytest.approx((0, PATIENCE), abs=0.05)
    assert weary.mean() == pytest.approx(1.0, abs=0.04)
    assert ((trust >= 0) & (trust <= 1)).all()
    assert np.abs(np.corrcoef([trust, patience, weary])[np.triu_indices(3, 1)]).max() < 0.06


def test_it_comes_from_draws_of_its_own():
    """All else about a player is the same, whichever way they take advice."""
    for seed in range(20):
        one, other = world_of(seed), world_of(seed, ALIKE)
        assert [getattr(one.traits, n) for n in Traits.__slots__] == [
            getattr(other.traits, n) for n in Traits.__slots__
        ]
        assert one.player.advised.heed != other.player.advised.heed


def test_whom_nobody_advises_lives_as_those_who_are_alike():
    for seed in range(25):
        one, other = (live(world_of(seed, scenario, record=True)) for scenario in (DIFFER, ALIKE))
        assert repr(one.records) == repr(other.records)
        assert (one.reward_totals, one.utility_totals) == (other.reward_totals, other.utility_totals)


def test_players_who_are_alike_take_advice_as_the_settings_say():
    player = world_of(3, ALIKE).player
    assert player.trust == PARAMS.trust
    pushes = {player.persuasion(a) for a in range(1, len(ALIKE.vocabulary))}
    assert pushes == {PARAMS.beta * PARAMS.advice * PARAMS.trust}
    assert player.irritation(False) == PARAMS.annoy - player.traits.patience


# -- what it does


def followed_by_kind(scenario, players=250):
    """(players, kinds) share of advice that was followed though it would not have been done anyway."""
    done, told = np.zeros((players, len(KINDS))), np.zeros((players, len(KINDS)))
    for seed in range(players):
        world, k, ended = world_of(seed, scenario), 0, False
        while not ended:
            k += 1
            may = [a for a, m in enumerate(world.row.mask) if m and a]
            advised = may[(5 * k + seed) % len(may)] if may and k % 4 == 0 else 0
            before = world.tally.followed, world.tally.parroted
            ended = world.step(advised)
            if advised and world.tally.parroted == before[1]:
                told[seed, KIND[advised]] += 1
                done[seed, KIND[advised]] += world.tally.followed - before[0]
    return done, told


def test_what_was_followed_before_tells_what_will_be():
    """By kind, the share of advice that players followed goes with how much it weighs for them."""
    done, told = followed_by_kind(DIFFER)
    heed = np.array(
        [[world_of(s).player.advised.heed[KIND.index(k, 1)] for k in range(len(KINDS))] for s in range(250)]
    )
    enough = told[:, :4] >= 3
    share = (done[:, :4] / told[:, :4].clip(1))[enough]
    assert np.corrcoef(share, np.log(heed[:, :4][enough]))[0, 1] > 0.4


def test_impatient_players_are_annoyed_more():
    def annoyed(sign):
        total = 0
        for seed in range(60):
            world = world_of(seed)
            world.player.advised = Advised(DIFFER.game.alike, PARAMS.trust, sign * 1.5)
            total += live(world, lambda w: 1 if w.row.mask[1] else 0).tally.annoyed
        return total

    assert annoyed(-1) > 1.3 * annoyed(1)


def test_advice_never_drives_away_from_what_it_names():
    """However weary somebody is of it."""
    player = world_of(1).player
    player.advised, player.rate = Advised(DIFFER.game.alike, 1.0, weary=9.0), 1.0
    assert player.persuasion(1) == 0.0


def test_a_recorded_life_is_a_function_of_the_seed():
    one, other = (live(world_of(5, record=True), lambda w: 1 if w.row.mask[1] else 0) for _ in range(2))
    assert any(e.kind == AGENT for e in one.records)
    assert repr(one.records) == repr(other.records)
