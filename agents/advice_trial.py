"""A trial of advice given at random: whom it moves, and where no reading tells, what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lam_env.contracts import Training

from .advice import FEATURES, AdvicePlugIn, moved, prices
from .carry import USER, listen
from .trial import TRIAL_SEED

EPOCHS = 10_000  # that a trial has, about; where worths are counted, `COUNTED` times as many
COUNTED = 8
RANDOM, SELDOM = (
    0.5,
    0.2,
)  # share of random advice, and where worths are counted: there the rest is silence, against which they are counted
AHEAD = 0.97  # discount by epoch of the rewards that are set down to advice


@dataclass
class Heard:
    """What persons have answered: `x` (n, F) what their acceptance rests on, `answered` (n,) the action, `y` (n,) whether they followed. Where worths are counted, of every
    epoch: `advised` (m,) the action, `given` (m, F) the features of that action, `changes` (m,) 1 - p of it, and `gained` (m,) the rewards from there on,
    less what is to be expected in such a situation without advice."""

    x: np.ndarray
    answered: np.ndarray
    y: np.ndarray
    n_actions: int
    advised: np.ndarray | None = None
    given: np.ndarray | None = None
    changes: np.ndarray | None = None
    gained: np.ndarray | None = None

    def worths(self, beta: np.ndarray, lean: np.ndarray, nag: float) -> np.ndarray:
        """(A,) such that moved worth - nag is in the mean what advice was followed by in this trial, less what silence was.

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
            accepted = 1 / (1 + np.exp(-(self.given[rows[a]] @ beta + lean[a]).clip(-30, 30)))
            found[a] = (e + nag) / max(float(moved(accepted, 1 - self.changes[rows[a]]).mean()), 0.05)
        return found


def try_advice(training: Training, worlds: int | None = None) -> Heard:
    """Advise in `worlds` fresh worlds, by default so many that a trial has enough epochs. Half of the advice is what a plug-in would give whose
    advice is always followed, half is any: it must be seen what is refused. Where no reading tells worths, the rest is silence."""
    vocabulary, a = training.vocabulary, len(training.vocabulary)
    counts = not vocabulary.values()
    if worlds is None:
        lives = max(1, len(np.unique(training.train.world // training.train.people)))
        worlds = max(2, round(EPOCHS * (COUNTED if counts else 1) * lives / max(1, len(training.train))))
    env = training.make_env(worlds, autoreset=False)
    observation, _ = env.reset(seed=TRIAL_SEED + 500 + 10_000_000 * training.seed)
    rng, rows = np.random.default_rng(training.seed), np.arange(worlds)
    trusting = AdvicePlugIn(training.prior, np.zeros(len(FEATURES)), *prices(training))
    state, start = None, np.ones(worlds, bool)
    open_: dict[tuple[int, int], tuple[np.ndarray, int, float, float]] = {}  # the last advice that each has had
    found: list[tuple[np.ndarray, int, float]] = []
    book: list[tuple[np.ndarray, ...]] = []
    while not env.finished.all():
        state = listen(training.prior, observation, state, start)
        p, feedback, user = state.said.next, observation["feedback"], observation["epoch"][:, USER]
        for i in np.flatnonzero(~env.finished).tolist():
            if (asked := open_.pop((i, int(user[i])), None)) is not None:
                x, action, accepted, refused = asked
                if feedback[i, action] > accepted or feedback[i, a + action] > refused:
                    found.append((x, action, float(feedback[i, action] > accepted)))
        any_ = np.where(observation["action_mask"] > 0, rng.random((worlds, a)), -1.0)
        any_[:, 0] = -0.5
        values, rests_on = trusting.judge(observation, p)
        trusted = rng.random(worlds) < (1 - SELDOM if counts else RANDOM)
        actions = np.where(trusted, values.argmax(1), any_.argmax(1))
        x = rests_on[rows, actions]
        for i in np.flatnonzero((actions > 0) & ~env.finished).tolist():
            action = int(actions[i])
            open_[i, int(user[i])] = (x[i], action, feedback[i, action], feedback[i, a + action])
        before, running = observation, ~env.finished
        observation, rewards, _, start, _ = env.step(actions)
        if counts:
            situation = np.concatenate([before["context"], before["clock"]], 1)
            book.append(tuple(k[running] for k in (rows, actions, x, 1 - p[rows, actions], situation, rewards)))
    heard = Heard(np.zeros((1, len(FEATURES))), np.zeros(1, int), np.zeros(1), a)
    if found:
        heard.x, heard.answered, heard.y = (np.array(part) for part in zip(*found, strict=True))
    if counts:
        world, heard.advised, heard.given, heard.changes, situation, rewards = map(
            np.concatenate, zip(*book, strict=True)
        )
        heard.gained = _surprise(_returns(world, rewards), situation, heard.advised == 0)
    return heard


def _returns(world: np.ndarray, rewards: np.ndarray) -> np.ndarray:
    """(m,) discounted rewards of each world from each of its epochs on; rows in order of time."""
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
