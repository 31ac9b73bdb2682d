"""A trial of advice given at random: whom it moves, and where no reading tells, what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lam_env.core.contracts import Training
from lam_env.core.events import FEEDBACK, Event
from lam_env.core.seeds import Use, world_seeds

from ..carry import USER, PredictorState, update
from .plugin import FEATURES, AdvicePlugIn, AnswerModel, moved, prices

DECISIONS = 30_000  # that a trial has, about; where worths are counted, `COUNTED` times as many
COUNTED = 8
RANDOM = 0.5  # share of random advice
SELDOM = 0.2  # and where worths are counted: there the rest is silence, against which they are counted
AHEAD = 0.97  # discount by decision point of the rewards that are set down to advice


class Counts(NamedTuple):
    """Where worths are counted, of every decision point: `advised` (m,) the action, `x` (m, F) its features, `changes`
    (m,) 1 - p of it, `gained` (m,) the rewards from there on, less what is to be expected there without advice."""

    advised: np.ndarray
    x: np.ndarray
    changes: np.ndarray
    gained: np.ndarray


@dataclass(frozen=True)
class AdviceAnswers:
    """What persons answered: `x` (n, F) what their acceptance rests on, `action` (n,) what was advised, `followed` (n,)
    whether they followed, `paid` (n,) what the answer was rewarded with, as the reward term of its name pays."""

    x: np.ndarray
    action: np.ndarray
    followed: np.ndarray
    paid: np.ndarray
    n_actions: int
    counts: Counts | None = None

    def worths(self, answers: AnswerModel, nag: float) -> np.ndarray:
        """(A,) such that moved worth - nag + what the answer is rewarded with is in the mean what advice was followed
        by in this trial, less what silence was. 0 where readings tell.

        Effects are shrunk towards their mean by how uncertain each is (empirical Bayes, Efron and Morris 1975).
        """
        worths = np.zeros(self.n_actions)
        if self.counts is None:
            return worths
        advised, x, changes, gained = self.counts
        rows = {a: mine for a in range(1, self.n_actions) if (mine := advised == a).sum() > 1}
        if not rows:
            return worths
        silent = gained[advised == 0].mean()
        effect = np.array([gained[mine].mean() - silent for mine in rows.values()])
        error = np.array([gained[mine].var() / mine.sum() for mine in rows.values()])
        middle = np.average(effect, weights=1 / np.maximum(error, 1e-9))
        between = max(0.0, effect.var() - error.mean())
        effect = middle + (effect - middle) * between / np.maximum(between + error, 1e-9)
        for (a, mine), e in zip(rows.items(), effect.tolist(), strict=True):
            of_a = x[mine].astype(float)
            turned = moved(answers.acceptance(of_a, a), 1 - changes[mine])
            worths[a] = (e + nag - answers.price(of_a, a).mean()) / max(float(turned.mean()), 0.05)
        return worths


class _Advice(NamedTuple):
    """The last advice to a person, and how often they had accepted and refused that action before."""

    x: np.ndarray
    action: int
    accepted: float
    refused: float
    act: int  # its number among the world's acts of the agent


def try_advice(training: Training, worlds: int | None = None) -> AdviceAnswers:
    """Advise in `worlds` fresh worlds, by default so many that a trial has enough decision points.

    Half of the advice is what a plug-in would give whose advice is always followed, half is any: what is refused must
    be seen too. Some worlds are told much and some little, as those may answer differently. Where no reading tells
    worths, all are told alike, and the rest is silence.
    """
    vocabulary, a = training.vocabulary, len(training.vocabulary)
    counts = not vocabulary.values()
    if worlds is None:
        lives = max(1, len(np.unique(training.train.world // training.train.people)))
        enough = round(DECISIONS * (COUNTED if counts else 1) * lives / max(1, len(training.train)))
        worlds = min(max(2, enough), Use.PLUGIN_TRIAL.room)
    env = training.make_worlds(worlds, autoreset_mode="Disabled", record=True)
    observation, _ = env.reset(seed=world_seeds(Use.PLUGIN_TRIAL, worlds, training.seed))
    rng, rows = np.random.default_rng(training.seed), np.arange(worlds)
    talkative = np.ones(worlds) if counts else rng.random(worlds)
    trusting = AdvicePlugIn(training.prior, AnswerModel.alike(a), *prices(training))
    rewards_of = _AnswerRewards(training)
    state: PredictorState | None = None
    start = np.ones(worlds, bool)
    latest: dict[tuple[int, int], _Advice] = {}  # by world and person
    answers: list[tuple[np.ndarray, int, float, float]] = []
    book: list[tuple[np.ndarray, ...]] = []
    while not env.finished.all():
        state = update(training.prior, observation, state, start)
        p, feedback, user = state.said.next, observation["feedback"], observation["epoch"][:, USER]
        for i in np.flatnonzero(~env.finished).tolist():
            if (last := latest.pop((i, int(user[i])), None)) is not None:
                follows = feedback[i, last.action] > last.accepted
                if follows or feedback[i, a + last.action] > last.refused:
                    paid = rewards_of.answer(i, env.worlds[i].records, last.act)
                    answers.append((last.x, last.action, float(follows), paid))
        any_ = np.where(observation["action_mask"] > 0, rng.random((worlds, a)), -1.0)
        any_[:, 0] = -0.5
        values, rests_on = trusting.judge(observation, p)
        trusted = rng.random(worlds) < (1 - SELDOM if counts else RANDOM)
        actions = np.where(trusted, values.argmax(1), any_.argmax(1))
        actions[rng.random(worlds) >= talkative] = 0
        x = rests_on[rows, actions]
        for i in np.flatnonzero((actions > 0) & ~env.finished).tolist():
            b = int(actions[i])
            latest[i, int(user[i])] = _Advice(x[i], b, feedback[i, b], feedback[i, a + b], env.worlds[i].agent_acts)
        before, running = observation, ~env.finished
        observation, rewards, _, start, _ = env.step(actions)
        if counts:
            situation = np.concatenate([before["context"], before["clock"]], 1)
            book.append(tuple(k[running] for k in (rows, actions, x, 1 - p[rows, actions], situation, rewards)))
    counted = None
    if counts:
        world, advised, x, changes, situation, rewards = map(np.concatenate, zip(*book, strict=True))
        counted = Counts(advised, x, changes, _surprise(_returns(world, rewards), situation, advised == 0))
    if not answers:
        return AdviceAnswers(np.zeros((1, len(FEATURES))), np.zeros(1, int), np.zeros(1), np.zeros(1), a, counted)
    features, action, followed, paid_for = (np.array(part) for part in zip(*answers, strict=True))
    return AdviceAnswers(features, action, followed, paid_for, a, counted)


class _AnswerRewards:
    """What the answers in recorded worlds are rewarded with: as the reward term that is called like the feedback. The
    first feedback on an advice is the person's answer."""

    def __init__(self, training: Training):
        self.pays = [training.reward_weights.get(name, 0.0) for name in training.vocabulary.feedback]
        self._read: dict[int, int] = {}  # world -> how much of its log has been read
        self._first: dict[tuple[int, int], float] = {}

    def answer(self, i: int, records: Sequence[Event], act: int) -> float:
        """Of the answer to the advice that is the agent's act of that number in world i; `records`: its log so far."""
        for event in records[self._read.get(i, 0) :]:
            if event.kind == FEEDBACK:
                self._first.setdefault((i, event.answers), self.pays[event.token])
        self._read[i] = len(records)
        return self._first.get((i, act), 0.0)


def _returns(world: np.ndarray, rewards: np.ndarray) -> np.ndarray:
    """(m,) discounted rewards of each world from each of its decision points on; rows in order of time."""
    returns, later = np.zeros(len(rewards)), np.zeros(int(world.max(initial=0)) + 1)
    for i in range(len(rewards) - 1, -1, -1):
        later[world[i]] = returns[i] = rewards[i] + AHEAD * later[world[i]]
    return returns


def _surprise(returns: np.ndarray, situation: np.ndarray, silent: np.ndarray, ridge: float = 10.0) -> np.ndarray:
    """Returns less what a ridge regression on the situation expects, fitted where nobody advised: chance that has
    nothing to do with advice."""
    z = (situation - situation.mean(0)) / np.maximum(situation.std(0), 1e-6)
    z = np.concatenate([np.ones((len(z), 1)), z], 1)
    there = z[silent]
    beta = np.linalg.solve(there.T @ there + ridge * np.eye(z.shape[1]), there.T @ returns[silent])
    expected: np.ndarray = z @ beta
    return returns - expected
