"""A trial of advice given at random: whom it moves, and where no reading tells, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from lam_env.core.contracts import Training
from lam_env.core.events import FEEDBACK
from lam_env.core.seeds import Use, world_seeds

from ..carry import USER, update
from .plugin import FEATURES, AdvicePlugIn, AnswerModel, moved, prices

DECISIONS = 30_000  # that a trial has, about; where worths are counted, `COUNTED` times as many
COUNTED = 8
RANDOM, SELDOM = (
    0.5,
    0.2,
)  # share of random advice, and where worths are counted: there the rest is silence, against which they are counted
AHEAD = 0.97  # discount by decision point of the rewards that are set down to advice


@dataclass
class AdviceAnswers:
    """What persons have answered: `x` (n, F) what their acceptance rests on, `answered` (n,) the action, `y` (n,) whether they followed, `paid` (n,) what
    the answer was rewarded with, as the reward term of its name pays. Where worths are counted, of every
    decision point: `advised` (m,) the action, `given` (m, F) the features of that action, `changes` (m,) 1 - p of it, and `gained` (m,) the rewards from there on,
    less what is to be expected in such a situation without advice."""

    x: np.ndarray
    answered: np.ndarray
    y: np.ndarray
    paid: np.ndarray
    n_actions: int
    advised: np.ndarray | None = None
    given: np.ndarray | None = None
    changes: np.ndarray | None = None
    gained: np.ndarray | None = None

    def worths(self, answers: AnswerModel, nag: float) -> np.ndarray:
        """(A,) such that moved worth - nag + what the answer is rewarded with is in the mean what advice was followed by in this trial, less what silence was.

        Effects are shrunk towards their mean by how uncertain each is (empirical Bayes, Efron and Morris 1975). 0 where readings tell.
        """
        found = np.zeros(self.n_actions)
        if self.advised is None or self.given is None or self.changes is None or self.gained is None:
            return found
        silent = self.gained[self.advised == 0].mean()
        tried = [a for a in range(1, self.n_actions) if (self.advised == a).sum() > 1]
        rows = {a: self.advised == a for a in tried}
        effect = np.array([self.gained[rows[a]].mean() - silent for a in tried])
        error = np.array([self.gained[rows[a]].var() / rows[a].sum() for a in tried])
        if not tried:
            return found
        middle = np.average(effect, weights=1 / np.maximum(error, 1e-9))
        between = max(0.0, effect.var() - error.mean())
        effect = middle + (effect - middle) * between / np.maximum(between + error, 1e-9)
        for a, e in zip(tried, effect.tolist(), strict=True):
            x = self.given[rows[a]].astype(float)
            turned = moved(answers.acceptance(x, a), 1 - self.changes[rows[a]])
            found[a] = (e + nag - answers.price(x, a).mean()) / max(float(turned.mean()), 0.05)
        return found


def try_advice(training: Training, worlds: int | None = None) -> AdviceAnswers:
    """Advise in `worlds` fresh worlds, by default so many that a trial has enough decision points. Half of the advice is what a plug-in would give whose
    advice is always followed, half is any: it must be seen what is refused. Some worlds hear much and some little. Where no reading tells worths, all hear alike, and the rest is silence."""
    vocabulary, a = training.vocabulary, len(training.vocabulary)
    counts = not vocabulary.values()
    if worlds is None:
        lives = max(1, len(np.unique(training.train.world // training.train.people)))
        wanted = round(DECISIONS * (COUNTED if counts else 1) * lives / max(1, len(training.train)))
        worlds = min(max(2, wanted), Use.PLUGIN_TRIAL.room)
    env = training.make_worlds(worlds, autoreset_mode=AutoresetMode.DISABLED, record=True)
    observation, _ = env.reset(seed=world_seeds(Use.PLUGIN_TRIAL, worlds, training.seed))
    rng, rows = np.random.default_rng(training.seed), np.arange(worlds)
    talkative = (
        np.ones(worlds) if counts else rng.random(worlds)
    )  # who is told much and who is told little may answer differently
    trusting = AdvicePlugIn(training.prior, AnswerModel.alike(a), *prices(training))
    answers = _Answered(training)
    state, start = None, np.ones(worlds, bool)
    open_: dict[tuple[int, int], tuple[np.ndarray, int, float, float, int]] = {}  # the last advice that each has had
    found: list[tuple[np.ndarray, int, float, float]] = []
    book: list[tuple[np.ndarray, ...]] = []
    while not env.finished.all():
        state = update(training.prior, observation, state, start)
        p, feedback, user = state.said.next, observation["feedback"], observation["epoch"][:, USER]
        for i in np.flatnonzero(~env.finished).tolist():
            if (asked := open_.pop((i, int(user[i])), None)) is not None:
                x, action, accepted, refused, act = asked
                if feedback[i, action] > accepted or feedback[i, a + action] > refused:
                    followed = float(feedback[i, action] > accepted)
                    found.append((x, action, followed, answers.reward(i, env.worlds[i], act)))
        any_ = np.where(observation["action_mask"] > 0, rng.random((worlds, a)), -1.0)
        any_[:, 0] = -0.5
        values, rests_on = trusting.judge(observation, p)
        trusted = rng.random(worlds) < (1 - SELDOM if counts else RANDOM)
        actions = np.where(trusted, values.argmax(1), any_.argmax(1))
        actions[rng.random(worlds) >= talkative] = 0
        x = rests_on[rows, actions]
        for i in np.flatnonzero((actions > 0) & ~env.finished).tolist():
            action = int(actions[i])
            act = env.worlds[i].agent_acts
            open_[i, int(user[i])] = (x[i], action, feedback[i, action], feedback[i, a + action], act)
        before, running = observation, ~env.finished
        observation, rewards, _, start, _ = env.step(actions)
        if counts:
            situation = np.concatenate([before["context"], before["clock"]], 1)
            book.append(tuple(k[running] for k in (rows, actions, x, 1 - p[rows, actions], situation, rewards)))
    heard = AdviceAnswers(np.zeros((1, len(FEATURES))), np.zeros(1, int), np.zeros(1), np.zeros(1), a)
    if found:
        heard.x, heard.answered, heard.y, heard.paid = (np.array(part) for part in zip(*found, strict=True))
    if counts:
        world, heard.advised, heard.given, heard.changes, situation, rewards = map(
            np.concatenate, zip(*book, strict=True)
        )
        heard.gained = _surprise(_returns(world, rewards), situation, heard.advised == 0)
    return heard


class _Answered:
    """What the answers in recorded worlds are rewarded with: as the reward term that is called like the feedback. The first feedback on an advice is her answer."""

    def __init__(self, training: Training):
        self.pays = [training.reward_weights.get(name, 0.0) for name in training.vocabulary.feedback]
        self._read: dict[int, int] = {}  # world -> how much of its log has been read
        self._first: dict[tuple[int, int], float] = {}

    def reward(self, i: int, world: Any, act: int) -> float:
        """Of the answer to the advice that is the agent's act of that number in world i."""
        records = world.records
        for event in records[self._read.get(i, 0) :]:
            if event.kind == FEEDBACK:
                self._first.setdefault((i, event.answers), self.pays[event.token])
        self._read[i] = len(records)
        return self._first.get((i, act), 0.0)


def _returns(world: np.ndarray, rewards: np.ndarray) -> np.ndarray:
    """(m,) discounted rewards of each world from each of its decision points on; rows in order of time."""
    found, later = np.zeros(len(rewards)), np.zeros(int(world.max(initial=0)) + 1)
    for i in range(len(rewards) - 1, -1, -1):
        later[world[i]] = found[i] = rewards[i] + AHEAD * later[world[i]]
    return found


def _surprise(returns: np.ndarray, situation: np.ndarray, silent: np.ndarray, ridge: float = 10.0) -> np.ndarray:
    """Returns less what a ridge regression on the situation expects, fitted where nobody advised: chance that has nothing to do with advice."""
    z = (situation - situation.mean(0)) / np.maximum(situation.std(0), 1e-6)
    z = np.concatenate([np.ones((len(z), 1)), z], 1)
    there = z[silent]
    beta = np.linalg.solve(there.T @ there + ridge * np.eye(z.shape[1]), there.T @ returns[silent])
    expected: np.ndarray = z @ beta
    return returns - expected
