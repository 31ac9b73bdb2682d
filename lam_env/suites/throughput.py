"""Measuring how fast things are: environments, single and batched, and fine-tuning in them, by turns in one process.

All rates are per second of this process's CPU time, and stand beside that of a yardstick measured in the same round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gymnasium
import numpy as np
from gymnasium.spaces import Dict, Discrete

YARDSTICK = "CartPole-v1"  # every figure stands beside one environment of this id, measured in turn with it
# PPO on a frozen prior, and with one that is tuned; sb3-contrib's RecurrentPPO with an LSTM of the same width
LEARNERS = ("ppo_prior", "ppo_prior@tune=full", "recurrent_ppo")
WARM_UP = 100  # untimed steps of a batch: the steps after its first reset are costlier than those that follow


@dataclass(frozen=True)
class Entry:
    """One measurement: a Gymnasium id, how many copies step as a batch (0: a single environment), and who acts.

    Actions of `LEARNERS`: what is measured is fine-tuning, rollouts and updates.
    """

    env: str
    copies: int = 0
    actions: str = "none"  # none | random: uniform, whether possible or not | one of `LEARNERS`
    scale: int = 1  # measured over so many times `steps`, where steps are cheap

    @property
    def name(self) -> str:
        return f"{self.env} {f'batch of {self.copies}' if self.copies else 'single'} {self.actions}"


@dataclass(frozen=True)
class Measurement:
    """One measurement. Rates are per second of CPU time of this process.

    `points`: decision points of worlds, which are steps less the follow-up decisions at the same instant after an act.
    `ratio`: steps against those of the single yardstick in the same round. `share`: of the time that the environment's
    own steps took.
    """

    entry: Entry
    steps: float
    points: float
    ratio: float
    share: float = 1.0


def measure(
    entries: Sequence[Entry],
    steps: int,
    repeats: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[list[Measurement]]:
    """Figures (repeats, entries). The entries take turns, so that a change of the machine's load meets all of them."""
    yardstick = next(i for i, e in enumerate(entries) if e.env == YARDSTICK and not e.copies)
    players = [measured_by(e) for e in entries]
    rounds = []
    for r in range(repeats):
        rates = []
        for i, (entry, player) in enumerate(zip(entries, players, strict=True)):
            rates.append((*player.play(steps * entry.scale, seed=r), player.share))
            progress("measure", r * len(entries) + i + 1, repeats * len(entries))
        of_yardstick = rates[yardstick][0]
        each = zip(entries, rates, strict=True)
        rounds.append([Measurement(e, s, n, s / of_yardstick, share) for e, (s, n, share) in each])
    for player in players:
        player.env.close()
    return rounds


def measured_by(entry: Entry) -> FineTuning | BatchMeasurement | Single:
    """What plays an entry."""
    if entry.actions in LEARNERS:
        return FineTuning(entry)
    return BatchMeasurement(entry) if entry.copies else Single(entry)


class Single:
    """One environment as `gymnasium.make` gives it, over whole episodes with their resets."""

    share = 1.0

    def __init__(self, entry: Entry):
        self.env: gymnasium.Env = gymnasium.make(entry.env)
        self.entry = entry

    def play(self, steps: int, seed: int) -> tuple[float, float]:
        """(steps, decision points) per CPU second."""
        env, actions = self.env, _actions(self.entry, self.env.action_space, steps, seed).tolist()
        env.reset(seed=seed)
        began = time.process_time()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        rate = steps / (time.process_time() - began)
        return rate, rate * (1 - self._follow_ups(actions, seed) / steps)

    def _follow_ups(self, actions: list[int], seed: int) -> int:
        """How many of these steps lead to a follow-up decision: counted apart from what is timed."""
        if not any(actions) or not _has_decisions(self.env.observation_space):
            return 0
        count = 0
        self.env.reset(seed=seed)
        for action in actions:
            observation, _, terminated, truncated, _ = self.env.step(action)
            count += bool(observation["epoch"][4])
            if terminated or truncated:
                self.env.reset()
        return count


class BatchMeasurement:
    """Copies that step together, as `gymnasium.make_vec` gives them; it goes on where the last round has ended."""

    share = 1.0

    def __init__(self, entry: Entry):
        self.env = gymnasium.make_vec(entry.env, entry.copies, vectorization_mode="vector_entry_point")
        self.entry = entry
        self.env.reset(seed=0)
        self._steps(_actions(entry, self.env.single_action_space, WARM_UP * entry.copies, 0))

    def play(self, steps: int, seed: int) -> tuple[float, float]:
        """(steps, decision points) of worlds per CPU second."""
        n = self.entry.copies
        actions = _actions(self.entry, self.env.single_action_space, -(-steps // n) * n, seed)
        began = time.process_time()
        follow_ups = self._steps(actions)
        rate = len(actions) / (time.process_time() - began)
        return rate, rate * (1 - follow_ups / len(actions))

    def _steps(self, actions: np.ndarray) -> int:
        """Take them; returns how many lead to a follow-up decision."""
        acts, count = self.entry.actions != "none" and _has_decisions(self.env.single_observation_space), 0
        for row in actions.reshape(-1, self.entry.copies):
            observation, *_ = self.env.step(row)
            if acts:
                count += int((observation["epoch"][:, 4] > 0).sum())
        return count


class FineTuning:
    """PPO from a prior, as agents/fine_tuning/ppo.py has it, without the trials of its heads, or a guest's; it goes on
    where the last round has ended.

    The prior has its default width but has learned little: a step costs the same whatever it says. `share`: of the last
    `play`'s time that went into the environment.
    """

    share = 0.0

    def __init__(self, entry: Entry):
        from lam_env.core import registry
        from lam_env.experiment import models
        from lam_env.experiment.agent_check import small_training

        width = models.predictor_settings(1_000_000)
        kwargs = gymnasium.spec(entry.env).kwargs
        scenario = registry.scenario(kwargs["scenario"])()
        training = small_training(scenario, 4, 7, hidden=width.hidden, readout=width.readout)
        self.model, self.env = models.learner(training, entry.copies, entry.actions)
        self._spent, self._follow_ups, self._step = 0.0, 0, self.env.step
        vars(self.env)["step"] = self._timed

    def _timed(self, actions: np.ndarray) -> tuple[object, ...]:
        began = time.process_time()
        observation, *rest = self._step(actions)
        self._spent += time.process_time() - began
        self._follow_ups += int((observation["epoch"][:, 4] > 0).sum())
        return observation, *rest

    def play(self, steps: int, seed: int) -> tuple[float, float]:
        """(steps, decision points) of worlds per CPU second; whole rollouts, so more steps than asked for."""
        self._spent, self._follow_ups, before = 0.0, 0, self.model.num_timesteps
        began = time.process_time()
        self.model.learn(steps, reset_num_timesteps=False)
        seconds = time.process_time() - began
        self.share = self._spent / seconds
        done = self.model.num_timesteps - before
        return done / seconds, (done - self._follow_ups) / seconds


def _has_decisions(space: gymnasium.Space) -> bool:
    return isinstance(space, Dict) and "epoch" in space.spaces


def _actions(entry: Entry, space: gymnasium.Space, steps: int, seed: int) -> np.ndarray:
    assert isinstance(space, Discrete)
    if entry.actions == "none":
        return np.zeros(steps, np.int64)
    rng = np.random.default_rng(seed)
    return rng.integers(0, space.n, steps)
