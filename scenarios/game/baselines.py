"""Policies that know what the game is: counting and rules of thumb, and oracles. All see one player at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lam_env.core.contracts import Policy, Prediction, PredictionCeiling, Training
from lam_env.logs.decision_points import DecisionPoints

from .hidden import STATE
from .params import REWARD_WEIGHTS as W
from .rules.compiled import Compiled

RESTED = 0.12  # rate of suggestions below which a rule with a cool-down speaks again: about every tenth decision


def best_advice(value: np.ndarray, mask: np.ndarray, least: float = 0.0) -> np.ndarray:
    """(N,) the possible action of greatest value (N, A); none where no value is above `least`."""
    value = np.where(mask > 0, value, -np.inf)
    value[:, 0] = least
    chosen: np.ndarray = value.argmax(1)
    return chosen


class Advisor:
    """A policy that remembers nothing; subclasses give `advice`."""

    def __init__(self, game: Compiled, training: Training | None = None):
        self.words, self.vocabulary, self.n = game.words, game.words.vocabulary, len(game.words.vocabulary)
        self.place = {name: i for i, name in enumerate(self.vocabulary.readings)}

    def advice(self, observation: Any) -> np.ndarray:
        """(N,) actions."""
        raise NotImplementedError

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[np.ndarray, Any]:
        return self.advice(observation), state

    def reading(self, observation: Any, name: str) -> np.ndarray:
        """(N,) of one name."""
        values: np.ndarray = observation["context"][:, self.place[name]]
        return values

    def rested(self, observation: Any, chosen: np.ndarray) -> np.ndarray:
        """(N,) what is chosen where there has been no advice for a while, else none."""
        return np.where(self.reading(observation, "advised") < RESTED, chosen, 0)


class Parrot(Advisor):
    """Advises what most often follows the last action in the training log: much followed, and no help.

    `rest`: with a cool-down.
    """

    def __init__(self, game: Compiled, training: Training | None = None, rest: bool = True):
        super().__init__(game)
        self.rest = rest
        self.counts = np.zeros((self.vocabulary.n_tokens, self.n))
        if training is not None:
            points = training.train
            before = np.r_[0, points.target[:-1]]
            before[points.starts()] = 0
            np.add.at(self.counts, (before, points.target), 1)

    def advice(self, observation: Any) -> np.ndarray:
        likely = self.counts[observation["tokens"][:, -1]] + 1e-6
        chosen = best_advice(likely, observation["action_mask"])
        return self.rested(observation, chosen) if self.rest else chosen


class WinShare(Advisor):
    """Dynamic difficulty adjustment by the win share lately, to keep it between .5 and .8."""

    def advice(self, observation: Any) -> np.ndarray:
        wins, mask = self.reading(observation, "wins"), observation["action_mask"]
        chosen = np.where(wins < 0.5, self.words.easier, np.where(wins > 0.8, self.words.harder, 0))
        chosen = self.rested(observation, chosen)
        return np.where(mask[np.arange(len(wins)), chosen] > 0, chosen, 0)


class FlowRule(Advisor):
    """What is won about two times in three, when it has been a while."""

    def __init__(self, game: Compiled, training: Training | None = None):
        super().__init__(game)
        names = self.words.activities
        self.hard = [k + 1 for k in self.words.hard]
        self.wins = [self.place[f"win.{names[k]}"] for k in self.words.hard]
        self.fresh = [self.place[f"fresh.{names[k]}"] for k in self.words.hard]

    def advice(self, observation: Any) -> np.ndarray:
        context, mask = observation["context"], observation["action_mask"]
        value = np.full(mask.shape, -np.inf)
        known = (context[:, self.fresh] >= 1) & (context[:, self.fresh] < 5)  # not the last one, but not forgotten
        value[:, self.hard] = np.where(known, 0.25 - np.abs(context[:, self.wins] - 0.65), -np.inf)
        chosen = self.rested(observation, best_advice(value, mask))
        return np.where(self.reading(observation, "level_up") == 0, chosen, 0)


class PlayChances:
    """The ceiling of prediction: the generator's own chances, exact."""

    def __init__(self, game: Compiled):
        self.vocabulary, self.n = game.words.vocabulary, len(game.words.vocabulary)

    def read(self, points: DecisionPoints) -> Prediction:
        p = np.zeros((len(points), self.n))
        p[:, 1:] = points.context[:, : self.n - 1]
        return Prediction(p / p.sum(1, keepdims=True).clip(1e-9))


def informed(game: Compiled) -> PredictionCeiling:
    """It reads the hidden state in the place of the context."""
    return PredictionCeiling(PlayChances(game), lambda points, latent: dataclasses.replace(points, context=latent))


class KnownChances(Advisor):
    """Advises the likeliest by the generator's own chances, with a cool-down: no help."""

    reveal = ("latent",)

    def advice(self, observation: Any) -> np.ndarray:
        p = np.concatenate([np.zeros((len(observation["latent"]), 1)), observation["latent"][:, : self.n - 1]], 1)
        return self.rested(observation, best_advice(p, observation["action_mask"]))


class ToldAnswers(Advisor):
    """Told how this player takes advice: the true chance of each action with and without it, and how soon it annoys.
    What actions are worth it reads as all agents do, and advises what the reward then pays best for at once."""

    reveal = ("latent",)

    def __init__(self, game: Compiled, training: Training | None = None):
        super().__init__(game)
        self.ignored = game.params.annoy_ignored
        self.irritation = 2 * (self.n - 1) + STATE.index("irritation")

    def advice(self, observation: Any) -> np.ndarray:
        hidden, context, last = observation["latent"], observation["context"], self.n - 1
        p, accepted = hidden[:, :last], hidden[:, last : 2 * last]
        worth = sum(W[kind] * context[:, channels] for kind, channels in self.vocabulary.values().items())
        gain = worth - (p * worth).sum(1, keepdims=True)
        moved = (accepted - p).clip(0) / (1 - p).clip(0.01)  # of what they would not do anyway
        irritation = hidden[:, self.irritation, None]
        annoyed = p / (1 + np.exp(-irritation)) + (1 - p) / (1 + np.exp(-irritation - self.ignored))
        answer = W["follow"] * accepted + W["ignore"] * (1 - accepted)
        value = moved * gain + W["nag"] + annoyed * W["annoyed"] + (1 - annoyed) * answer
        return best_advice(np.concatenate([np.zeros((len(value), 1)), value], 1), observation["action_mask"])


class GameOracle(Advisor):
    """Greedy on the hidden state: at each decision the advice whose expected change of utility is greatest
    (`hidden.plan`), if it is above `least`, since advice wears out. `only`: "difficulty" or "activities" (with builds);
    `now`: by the play at hand alone.

    It looks ahead through a linear value of the state after, not by planning: a mark, what myopic advice can
    win, and not proved to be the best.
    """

    reveal = ("plan",)

    def __init__(
        self, game: Compiled, training: Training | None = None, only: str = "", now: bool = False, least: float = 0.05
    ):
        super().__init__(game)
        self.least, self.now = least, now
        tuning = np.isin(np.arange(self.n), (self.words.easier, self.words.harder))
        self.allowed = tuning if only == "difficulty" else ~tuning if only == "activities" else np.ones(self.n, bool)

    def advice(self, observation: Any) -> np.ndarray:
        value = observation["plan"][:, self.n :] if self.now else observation["plan"][:, : self.n]
        return best_advice(np.where(self.allowed, value, -np.inf), observation["action_mask"], self.least)


Make = Callable[[Compiled, Training], Policy]
BASELINES: dict[str, Make] = {
    "parrot": Parrot,
    "winshare": WinShare,
    "flow": FlowRule,
    "oracle": GameOracle,
}
LADDER: dict[str, Make] = {
    "ladder_chances": lambda game, training: KnownChances(game),
    "ladder_answers": ToldAnswers,
    "ladder_now": lambda game, training: GameOracle(game, now=True),
    "ladder_difficulty": lambda game, training: GameOracle(game, only="difficulty"),
    "ladder_activities": lambda game, training: GameOracle(game, only="activities"),
}
