"""Logs of decisions: an action log in which every decision of the agent stands, none included, with its probability and reward; and beside
it what the agent had sensed at each (`contexts.parquet`), so that another policy can be asked what it would have done."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lam_env.core.contracts import FullPolicy, Observation, Policy, complete
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, ActionLog, Event, LogError
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


@dataclasses.dataclass(frozen=True)
class Decisions:
    """`log`: an action log whose agent events, n of them, are the decisions: `prob` with which each was chosen, `value` the reward after it (NaN: never
    known). `observation`: what was sensed at each, arrays (n, ...) as the environment gives them."""

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
        rows = self.rows
        people = self.log.people
        return self.log.world[rows].astype(np.int64) * max(1, people) + (self.log.user[rows] if people else 0)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """`events.parquet`, `log.json` and `contexts.parquet` in `folder`, whole or not at all."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = Path(folder)
        new = folder.with_name(folder.name + ".new")
        self.log.save(new)
        try:
            lists = {
                name: pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(array)), array.shape[1])
                for name, array in self.observation.items()
                if array.shape[1]
            }
            pq.write_table(pa.table(lists), new / CONTEXTS, compression="zstd")
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(new, folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Decisions:
        """LogError says in one line what a folder lacks."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = Path(folder)
        if not folder.is_dir():
            raise LogError(f"{folder}: no such folder; record one with python -m lam_env record")
        log = ActionLog.load(folder)
        check_probabilities(folder, log)
        if not (folder / CONTEXTS).is_file():
            raise LogError(
                f"{folder}: has no {CONTEXTS}, what was sensed at each decision; record it with python -m lam_env record"
            )
        spaces, n = observation_space(log.vocabulary), int((log.kind == AGENT).sum())
        observation = {}
        try:
            table = pq.read_table(folder / CONTEXTS)
            for name, space in spaces.items():
                width = int(np.prod(space.shape or (0,)))
                flat = table[name].combine_chunks().flatten() if width else pa.array([], pa.float32())
                observation[name] = flat.to_numpy().astype(space.dtype).reshape(n, width)
        except (OSError, KeyError, ValueError, TypeError, AttributeError, pa.ArrowInvalid) as error:
            said = " ".join(str(error).split())[:160]
            raise LogError(f"{folder / CONTEXTS}: does not fit the log ({said}); record it again") from None
        return cls(log, observation)


def check_probabilities(where: Path, log: ActionLog) -> None:
    """LogError unless every decision has a probability above 0 and an action that the vocabulary knows."""
    rows = np.flatnonzero(log.kind == AGENT)
    prob, token = log.prob[rows], log.token[rows]
    if not len(rows):
        raise LogError(f"{where}: holds no decision of an agent; record one with python -m lam_env record")
    if (token < 0).any() or (token >= len(log.vocabulary)).any():
        raise LogError(f"{where}: holds agent actions that its vocabulary does not know; record it again")
    if np.isnan(prob).all():
        raise LogError(
            f"{where}: no probabilities in the log; record one under a sampled policy with python -m lam_env record"
        )
    wrong = ~((prob > 0) & (prob <= 1 + 1e-6))
    if wrong.any():
        first = prob[wrong][0]
        raise LogError(
            f"{where}: {int(wrong.sum()):,} of {len(rows):,} decisions were chosen with probability {first:g}; it must lie above 0 and not above 1"
        )
    if np.isnan(log.value[rows]).all():
        raise LogError(f"{where}: no rewards in the log; record one with python -m lam_env record")


def probabilities(
    policy: FullPolicy, observation: Observation, state: Any, start: np.ndarray, deterministic: bool = False
) -> tuple[np.ndarray, Any]:
    """(N, A) with which a policy chooses, and its state. One that cannot say (`contracts.FullPolicy`), or `deterministic`, chooses what it predicts."""
    n, a = observation["action_mask"].shape
    if not deterministic and policy.probabilities is not None:
        p, state = policy.probabilities(observation, state, start)
        return np.asarray(p, float), state
    chosen, state = policy.predict(observation, state, start, True)
    chosen = check_actions(chosen, n, a)
    chosen = np.where(
        observation["action_mask"][np.arange(n), chosen] > 0, chosen, 0
    )  # an impossible one is carried out as none
    return (np.arange(a) == chosen[:, None]).astype(float), state


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

    The reward of a decision is what is earned until the next one; where a world asks many persons, what is earned from a person until she is asked
    again, and not known for her last.
    """
    n, stream, drawn, full = len(seeds), Stream(key_of(seed, "logged policy")), 0, complete(policy)
    env = LamVectorEnv(n, scenario, record=True, reveal=full.reveal, autoreset=False)
    crowd = scenario.personal and scenario.n_users > 1
    kept: list[dict[str, np.ndarray]] = []
    worlds: list[np.ndarray] = []
    asked: list[np.ndarray] = []
    earned: list[np.ndarray] = []
    hidden = {"latent", "plan"}  # a privileged policy's; nobody else may be asked on it

    def choose(observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, Any]:
        nonlocal drawn
        p, state = probabilities(full, observation, state, start)
        possible = observation["action_mask"] > 0
        p = (1 - explore) * p + explore * possible / possible.sum(1, keepdims=True)
        actions = sample_decision(p, stream.block(drawn, n))
        drawn += n
        running = np.flatnonzero(~env.finished)
        for i in running.tolist():
            _note(env.worlds[i], int(actions[i]), float(p[i, actions[i]]))
        asked.append(env.turns()[0][running].astype(np.int64))
        return actions, state

    for step in play(choose, env, seeds):
        kept.append({k: v[step.running] for k, v in step.observation.items() if k not in hidden})
        worlds.append(np.flatnonzero(step.running))
        earned.append((env.turns()[1] if crowd else step.rewards)[step.running])
        done = sum(w.now - w.start for w in env.worlds)
        total = sum(w.end - w.start for w in env.worlds)
        progress("record", done * 100 // total, 100, f"{sum(map(len, worlds)):,} decisions")
    world = np.concatenate(worlds)
    reward = np.concatenate(earned)
    if crowd:
        reward = _credited(worlds, asked, earned)
    order = np.argsort(world, kind="stable")
    log = log_of(env.worlds)
    log = _with_rewards(log, reward[order])
    return Decisions(log, {k: np.concatenate([o[k] for o in kept])[order] for k in kept[0]})


def _note(world: World, action: int, prob: float) -> None:
    """A world records acts by itself; a decision to do nothing is written here."""
    world.prob = prob
    if not action and world.records is not None:
        world.records.append(Event(world.now, world.person, AGENT, 0, prob=prob))


def sample_decision(p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(N,) actions by probabilities p (N, A) and uniform numbers u (N,); never one of probability 0."""
    up_to = np.cumsum(p, 1)
    chosen = (up_to < u[:, None] * up_to[:, -1:]).sum(1)
    return np.asarray(chosen)


def _credited(worlds: list[np.ndarray], asked: list[np.ndarray], earned: list[np.ndarray]) -> np.ndarray:
    """What a person's decision has brought is known when she is asked again: `earned[t]` tells it of whoever is asked at t + 1."""
    last: dict[tuple[int, int], int] = {}
    reward = np.full(sum(map(len, worlds)), np.nan)
    row, before = 0, dict[int, float]()
    for here, who, credit in zip(worlds, asked, earned, strict=True):
        for world, person, more in zip(here.tolist(), who.tolist(), credit.tolist(), strict=True):
            if (world, person) in last:
                reward[last[world, person]] = before[world]
            last[world, person] = row
            before[world] = more
            row += 1
    return reward


def _with_rewards(log: ActionLog, reward: np.ndarray) -> ActionLog:
    """Rewards in the place of the decisions' values; `answers` count decisions to do nothing, as they stand in the log."""
    value, answers = log.value.copy(), log.answers.copy()
    for world in log.worlds:
        here = slice(*np.searchsorted(log.world, (world, world + 1)).tolist())
        acts = np.flatnonzero(log.token[here][log.kind[here] == AGENT] > 0)
        mine = answers[here]
        answers[here] = np.where(mine >= 0, acts[mine.clip(0)] if len(acts) else -1, -1)
    rows = log.kind == AGENT
    if rows.sum() != len(reward):
        raise UserError(
            f"the log holds {int(rows.sum()):,} of {len(reward):,} decisions; was an impossible action chosen?"
        )
    value[rows] = reward
    return dataclasses.replace(log, columns={**log.columns, "value": value, "answers": answers})


def asked_again(
    decisions: Decisions, policy: Policy, deterministic: bool = True
) -> tuple[np.ndarray, np.ndarray | None]:
    """(n, A) with which another policy would have chosen in the logged contexts, and how it would sample them if it says so. Its memory hears the logged events."""
    world, observation = decisions.log.world[decisions.rows], decisions.observation
    first = np.flatnonzero(np.r_[True, world[1:] != world[:-1]])
    length = np.diff(np.r_[first, len(world)])
    found = np.zeros(observation["action_mask"].shape)
    full = complete(policy)
    soft = None if full.probabilities is None else np.zeros(found.shape)
    state: Any = None
    for t in range(int(length.max())):
        rows = first + np.minimum(
            t, length - 1
        )  # a world that has ended shows its last decision point again; nobody looks
        batch = {k: v[rows] for k, v in observation.items()}
        p, state = probabilities(full, batch, state, np.full(len(rows), t == 0))
        running = t < length
        if soft is not None:
            soft[rows[running]] = p[running]
            if deterministic:  # what is equally good is equally likely
                p = (p >= p.max(1, keepdims=True)).astype(float)
                p /= p.sum(1, keepdims=True)
        found[rows[running]] = p[running]
    return found, soft
