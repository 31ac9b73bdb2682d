"""Logs of decisions: an action log in which every decision of the agent stands, none included, with its probability and
reward; and beside it what the agent had sensed at each (`contexts.parquet`), so that another policy can be asked what
it would have done."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lam_env.core.casts import narrow
from lam_env.core.contracts import FullPolicy, Observation, Policy, complete
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, FORMAT, ActionLog, Event, LogError
from lam_env.core.files.inputs import BROKEN, reason
from lam_env.core.files.manifest import read_files
from lam_env.core.files.outputs import replace
from lam_env.core.files.parquet import parquet_of, write_parquet
from lam_env.core.progress import Report, silent
from lam_env.core.rng import Stream, key_of
from lam_env.envs.play import check_actions, play
from lam_env.envs.recording import log_of
from lam_env.envs.scenario import Scenario
from lam_env.envs.spaces import observation_space
from lam_env.envs.vector import LamVectorEnv

if TYPE_CHECKING:
    from lam_env.sim.world import World

CONTEXTS = "contexts.parquet"
_COMMAND = "python -m lam_env record"
_RECORD = f"record one with {_COMMAND}"


@dataclasses.dataclass(frozen=True)
class Decisions:
    """`log`: an action log whose agent events, n of them, are the decisions: `prob` with which each was chosen, `value`
    the reward after it (NaN: never known). `observation`: what was sensed at each, arrays (n, ...) as the environment
    gives them."""

    log: ActionLog
    observation: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def rows(self) -> np.ndarray:
        """(n,) the log's rows of the decisions."""
        return np.flatnonzero(self.log.kind == AGENT)

    @property
    def trajectory(self) -> np.ndarray:
        """(n,) whose decisions depend on each other: a world's, or where decision points are persons', one person's."""
        rows, people = self.rows, self.log.people
        return self.log.world[rows].astype(np.int64) * max(1, people) + (self.log.user[rows] if people else 0)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """The files of the log, and `contexts.parquet`, in `folder`, whole or not at all."""
        import pyarrow as pa

        lists = {
            name: pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(array)), array.shape[1])
            for name, array in self.observation.items()
            if array.shape[1]
        }
        replace(Path(folder), lambda part: self.log.fill(part, lambda part: write_parquet(lists, part / CONTEXTS)))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Decisions:
        """LogError says in one line what a folder lacks."""
        import pyarrow as pa

        folder = Path(folder)
        if not folder.is_dir():
            raise LogError(f"{folder}: no such folder; {_RECORD}")
        if not (folder / "events.parquet").is_file():
            of_run = f" policy={folder}" if (folder / "model").is_dir() else ""
            raise LogError(
                f"{folder}: is {'a run folder' if of_run else 'a folder'}, no log of decisions; {_RECORD}{of_run}"
            )
        log = ActionLog.load(folder)
        check_probabilities(folder, log)
        if not (folder / CONTEXTS).is_file():
            raise LogError(f"{folder}: has no {CONTEXTS}, what was sensed at each decision; {_RECORD}")
        spaces, n = observation_space(log.vocabulary), int((log.kind == AGENT).sum())
        observation = {}
        try:
            table = parquet_of(read_files(folder, {CONTEXTS: 1 << 36}, FORMAT)[CONTEXTS])
            for name, space in spaces.items():
                width = int(np.prod(space.shape or (0,)))
                flat = table[name].combine_chunks().flatten() if width else pa.array([], pa.float32())
                observation[name] = narrow(name, flat.to_numpy(), np.dtype(space.dtype).type).reshape(n, width)
        except BROKEN as error:
            raise LogError(f"{folder / CONTEXTS}: does not fit the log ({reason(error)}); record it again") from None
        return cls(log, observation)


def check_probabilities(where: Path, log: ActionLog) -> None:
    """LogError unless every decision has a probability above 0 and an action that the vocabulary knows."""
    rows = np.flatnonzero(log.kind == AGENT)
    prob = log.prob[rows]
    if not len(rows):
        raise LogError(f"{where}: holds no decision of an agent; {_RECORD}")
    if np.isnan(prob).all():
        raise LogError(f"{where}: no probabilities in the log; record one under a sampled policy with {_COMMAND}")
    wrong = ~((prob > 0) & (prob <= 1 + 1e-6))
    if wrong.any():
        of, first = f"{int(wrong.sum()):,} of {len(rows):,} decisions", prob[wrong][0]
        raise LogError(f"{where}: {of} were chosen with probability {first:g}; it must lie above 0 and not above 1")
    if np.isnan(log.value[rows]).all():
        raise LogError(f"{where}: no rewards in the log; {_RECORD}")


def probabilities(
    policy: FullPolicy, observation: Observation, state: object, start: np.ndarray
) -> tuple[np.ndarray, object]:
    """(N, A) with which a policy chooses, and its state. One without `probabilities` chooses what it predicts."""
    n, a = observation["action_mask"].shape
    if policy.probabilities is not None:
        p, state = policy.probabilities(observation, state, start)
        return np.asarray(p, float), state
    actions, state = policy.predict(observation, state, start, True)
    actions = check_actions(actions, n, a)
    possible = observation["action_mask"][np.arange(n), actions] > 0  # an impossible one is carried out as none
    return (np.arange(a) == np.where(possible, actions, 0)[:, None]).astype(float), state


class Sampling:
    """Chooses by a policy's probabilities and, with probability `explore`, any possible action. `prob` (N,): with which
    the last actions were chosen."""

    def __init__(self, policy: FullPolicy, explore: float, seed: int):
        self.policy, self.explore, self.prob = policy, explore, np.zeros(0)
        self._stream, self._drawn = Stream(key_of(seed, "logged policy")), 0

    def __call__(self, observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, object]:
        """Actions (N,) and the policy's state."""
        p, state = probabilities(self.policy, observation, state, start)
        possible = observation["action_mask"] > 0
        p = (1 - self.explore) * p + self.explore * possible / possible.sum(1, keepdims=True)
        actions = sample_decision(p, self._stream.block(self._drawn, len(p)))
        self._drawn += len(p)
        self.prob = p[np.arange(len(p)), actions]
        return actions, state


def record_decisions(
    policy: Policy,
    scenario: Scenario,
    seeds: Sequence[int],
    *,
    explore: float = 0.0,
    seed: int = 0,
    progress: Report = silent,
) -> Decisions:
    """One episode in each world, acting by `policy` sampled, and with probability `explore` by any possible action.

    The reward of a decision is what is earned until the next one; where a world asks many persons, what is earned from
    a person until they are asked again, and not known for their last decision.
    """
    full = complete(policy)
    sampling = Sampling(full, explore, seed)
    env = LamVectorEnv(len(seeds), scenario, record=True, reveal=full.reveal, autoreset_mode="Disabled")
    crowd = scenario.personal and scenario.n_users > 1
    observations: list[dict[str, np.ndarray]] = []
    worlds: list[np.ndarray] = []  # this list and those below: of each step, of the worlds that were running
    persons: list[np.ndarray] = []
    rewards: list[np.ndarray] = []
    hidden = {"latent", "plan"}  # a privileged policy's; nobody else may be asked on it

    def choose(observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, object]:
        actions, state = sampling(observation, state, start)
        running = np.flatnonzero(~env.finished)
        for i in running.tolist():
            _note(env.worlds[i], int(actions[i]), float(sampling.prob[i]))
        persons.append(observation["epoch"][running, 2])
        return actions, state

    for step in play(choose, env, seeds):
        observations.append({k: v[step.running] for k, v in step.observation.items() if k not in hidden})
        worlds.append(np.flatnonzero(step.running))
        rewards.append((step.info["credit"] if crowd else step.rewards)[step.running])
        done = sum(w.now - w.start for w in env.worlds)
        total = sum(w.end - w.start for w in env.worlds)
        progress("record", done * 100 // total, 100, f"{sum(map(len, worlds)):,} decisions")
    reward = _credited(worlds, persons, rewards) if crowd else np.concatenate(rewards)
    order = np.argsort(np.concatenate(worlds), kind="stable")
    log = _with_rewards(log_of(env.worlds), reward[order])
    return Decisions(log, {k: np.concatenate([o[k] for o in observations])[order] for k in observations[0]})


def _note(world: World, action: int, prob: float) -> None:
    """A world records acts by itself; a decision to do nothing is written here."""
    world.prob = prob
    if not action and world.records is not None:
        world.records.append(Event(world.now, world.person, AGENT, 0, prob=prob))


def sample_decision(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(N,) actions by probabilities p (N, A) and uniform numbers u (N,); never one of probability 0."""
    up_to = np.cumsum(p, 1)
    return np.asarray((up_to < u[:, None] * up_to[:, -1:]).sum(1))


def _credited(worlds: list[np.ndarray], persons: list[np.ndarray], credits: list[np.ndarray]) -> np.ndarray:
    """(n,) What a person's decision has brought is known when they are asked again: `credits[t]` is that of whoever is
    asked at t + 1."""
    last: dict[tuple[int, int], int] = {}  # (world, person) -> row of the last decision
    before: dict[int, float] = {}
    world, person, credit = (np.concatenate(part).tolist() for part in (worlds, persons, credits))
    reward = np.full(len(world), np.nan)
    for row, key in enumerate(zip(world, person, strict=True)):
        if key in last:
            reward[last[key]] = before[key[0]]
        last[key], before[key[0]] = row, credit[row]
    return reward


def _with_rewards(log: ActionLog, reward: np.ndarray) -> ActionLog:
    """Rewards in the place of the decisions' values; `answers` count decisions to do nothing, as the log does."""
    value, answers = log.value.copy(), log.answers.copy()
    for world in log.worlds:
        here = slice(*np.searchsorted(log.world, (world, world + 1)).tolist())
        acts = np.flatnonzero(log.token[here][log.kind[here] == AGENT] > 0)
        mine = answers[here]
        answers[here] = np.where(mine >= 0, acts[mine.clip(0)] if len(acts) else -1, -1)
    rows = log.kind == AGENT
    if rows.sum() != len(reward):
        held = f"the log holds {int(rows.sum()):,} of {len(reward):,} decisions"
        raise UserError(f"{held}; was an impossible action chosen?")
    value[rows] = reward
    return dataclasses.replace(log, columns={**log.columns, "value": value, "answers": answers})


def asked_again(
    decisions: Decisions, policy: Policy, deterministic: bool = True
) -> tuple[np.ndarray, np.ndarray | None]:
    """(n, A) with which another policy would have chosen in the logged contexts, and how it would sample them if it
    says so. Its memory is of the logged events."""
    world, observation = decisions.log.world[decisions.rows], decisions.observation
    first = np.flatnonzero(np.r_[True, world[1:] != world[:-1]])
    length = np.diff(np.r_[first, len(world)])
    chosen, full = np.zeros(observation["action_mask"].shape), complete(policy)
    soft = None if full.probabilities is None else np.zeros(chosen.shape)
    state: object = None
    for t in range(int(length.max())):
        rows = first + np.minimum(t, length - 1)  # a world that has ended goes on showing its last decision point
        batch = {k: v[rows] for k, v in observation.items()}
        p, state = probabilities(full, batch, state, np.full(len(rows), t == 0))
        running = t < length
        if soft is not None:
            soft[rows[running]] = p[running]
            if deterministic:  # what is equally good is equally likely
                p = (p >= p.max(1, keepdims=True)).astype(float)
                p /= p.sum(1, keepdims=True)
        chosen[rows[running]] = p[running]
    return chosen, soft
