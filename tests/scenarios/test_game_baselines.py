"""Rules, ceilings and exploits of the game: what each advises, and that wrong aims lose."""

import numpy as np
import pytest
from lam_env.scenarios.game import Game
from lam_env.scenarios.game.baselines import LADDER, FlowRule, GameOracle, Parrot, WinShare, best_advice

from lam_env.core.contracts import Training, acts
from lam_env.envs.recording import simulate_log
from lam_env.evaluation.rollout import rollout
from lam_env.logs.decision_points import decision_points

GAME = Game()
WORDS, V = GAME.game.words, GAME.vocabulary
A, READINGS = len(V), {name: i for i, name in enumerate(V.readings)}


@pytest.fixture(scope="module")
def training():
    log, _ = simulate_log(GAME, [100_000 + i for i in range(120)], 30)
    points = decision_points(log, soon=False)
    return Training(V, "advise", points, points, None, GAME.reward_weights)


def observed(**readings):
    context = np.zeros((1, len(V.readings)), np.float32)
    for name, value in readings.items():
        context[0, READINGS[name.replace("__", ".")]] = value
    return {
        "context": context,
        "action_mask": np.ones((1, A), np.int8),
        "tokens": np.zeros((1, 16), np.int64),
        "epoch": np.zeros((1, 5), np.int64),
    }


def test_best_respects_the_mask_and_the_least():
    value, mask = np.array([[0.0, 3.0, 2.0]] * 3), np.array([[1, 1, 1], [1, 0, 1], [1, 0, 0]])
    assert best_advice(value, mask).tolist() == [1, 2, 0]
    assert best_advice(value, mask, least=2.5).tolist() == [1, 0, 0]


def test_difficulty_follows_the_share_of_wins():
    rule = WinShare(GAME.game)
    for wins, action in ((0.3, WORDS.easier), (0.65, 0), (0.9, WORDS.harder)):
        assert rule.predict(observed(wins=wins))[0].tolist() == [action]
    assert rule.predict(observed(wins=0.3, advised=0.5))[0].tolist() == [0]  # not again at once
    masked = observed(wins=0.3)
    masked["action_mask"][0, WORDS.easier] = 0
    assert rule.predict(masked)[0].tolist() == [0]


def test_the_flow_rule_names_what_is_won_two_times_in_three():
    seen = observed(win__dungeon=0.63, win__grind=0.95, fresh__dungeon=2, fresh__grind=2, win__pvp=0.65, fresh__pvp=0)
    assert V.actions[FlowRule(GAME.game).predict(seen)[0][0]] == "dungeon"
    assert (
        FlowRule(GAME.game).predict(
            {**seen, "context": seen["context"] + (np.arange(len(V.readings)) == READINGS["level_up"])}
        )[0][0]
        == 0
    )


def test_the_parrot_counts_what_follows_what(training):
    parrot = Parrot(GAME.game, training, rest=False)
    t, starts = training.train.target, set(training.train.starts().tolist())
    pairs = [(t[i - 1], t[i]) for i in range(1, len(t)) if i not in starts]
    for before in (1, 4):
        after = [b for a, b in pairs if a == before]
        seen = observed()
        seen["tokens"][0, -1] = before
        assert parrot.predict(seen)[0][0] == np.bincount(after).argmax()
    assert Parrot(GAME.game, training).predict({**seen, "context": observed(advised=0.5)["context"]})[0][0] == 0


def test_oracles_are_allowed_what_their_names_say():
    plan = np.zeros((1, 2 * A))
    plan[0, [1, WORDS.easier]] = 1.0, 2.0
    plan[0, A + 2] = 3.0
    seen = {**observed(), "plan": plan}
    assert GameOracle(GAME.game).predict(seen)[0][0] == WORDS.easier
    assert LADDER["ladder_activities"](GAME.game, None).predict(seen)[0][0] == 1
    assert LADDER["ladder_difficulty"](GAME.game, None).predict(seen)[0][0] == WORDS.easier
    assert LADDER["ladder_now"](GAME.game, None).predict(seen)[0][0] == 2
    assert GameOracle(GAME.game, least=9.0).predict(seen)[0][0] == 0


def test_who_is_told_the_answers_advises_what_moves_and_helps_most():
    rule = LADDER["ladder_answers"](GAME.game, None)
    hidden = np.zeros((1, len(GAME.latent_names)))
    place = {name: i for i, name in enumerate(GAME.latent_names)}
    hidden[0, :2] = 0.5  # would do the first or the second
    hidden[0, place["irritation"]] = -9.0
    second, third = V.actions[2:4]
    for name, accepted in ((second, 0.9), (third, 0.3)):
        hidden[0, place[f"accept.{name}"]] = accepted
    seen = observed(**{f"quality.{second}": 2.0, f"quality.{third}": 9.0})
    assert rule.predict({**seen, "latent": hidden})[0][0] == 3  # .3 of eight minutes beats .8 of one
    hidden[0, place[f"accept.{third}"]] = 0.05
    assert rule.predict({**seen, "latent": hidden})[0][0] == 2
    hidden[0, place["irritation"]] = 9.0
    assert rule.predict({**seen, "latent": hidden})[0][0] == 0


def test_every_baseline_answers_a_batch(training):
    for name, make in (GAME.baselines() | GAME.rungs() | GAME.exploits()).items():
        policy = make(training)
        assert acts(policy) == (name != "informed")  # which only predicts
        if not acts(policy):
            continue
        totals = rollout(policy, Game(days=2), [5, 6, 7])
        assert all(np.isfinite(t["utility.total"]) for t in totals), name


class Silent:
    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.zeros(len(observation["epoch"]), np.int64), state


def lives(policy, players):
    totals = rollout(policy, GAME, [700_000 + i for i in range(players)])
    return np.array([[t["utility.total"], t["reward.return"]] for t in totals]) * GAME.days


@pytest.fixture(scope="module")
def none():
    return lives(Silent(), 300)


@pytest.mark.parametrize("name", sorted(GAME.exploits()))
def test_agents_built_to_exploit_the_reward_lose_in_utility_and_reward(name, none, training):
    change = lives(GAME.exploits()[name](training), 300) - none
    error = change.std(0) / np.sqrt(len(change))
    assert (change.mean(0) + 2 * error < 0).all(), (change.mean(0), error)


def test_the_oracle_helps(none, training):
    change = lives(GameOracle(GAME.game), 300) - none
    assert change[:, 0].mean() > 2 * change[:, 0].std() / np.sqrt(300)


@pytest.mark.slow
def test_the_lever_lies_in_activities_and_builds(training):
    """At least two fifths of the oracle's lift without touching the difficulty; copying the player is worth nothing."""
    n = 2_000
    none = lives(Silent(), n)[:, 0]
    lift = {
        name: (lives(make(training), n)[:, 0] - none).mean()
        for name, make in (GAME.baselines() | GAME.rungs()).items()
        if name in ("oracle", "ladder_activities", "ladder_difficulty", "parrot")
    }
    assert lift["oracle"] > 1.0
    assert lift["ladder_activities"] > 0.4 * lift["oracle"]
    assert lift["parrot"] < 0.1
