"""Episodes of a policy as a dataset of Minari: what other people's offline learners read."""

from __future__ import annotations

import dataclasses
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lam_env.core.contracts import Policy, acts, complete
from lam_env.core.errors import UserError
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.batch_info import infos_of
from lam_env.envs.play import Step, play
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.decisions import Sampling
from lam_env.experiment.acting import policy_of

if TYPE_CHECKING:
    import gymnasium
    from minari import MinariDataset

TOGETHER = 16  # worlds whose observations are in memory at a time


def to_minari(
    policy: Policy | str,
    env: gymnasium.Env[Any, Any],
    dataset_id: str,
    episodes: int = 16,
    *,
    explore: float = 0.0,
    seed: int = 0,
) -> MinariDataset:
    """Episodes of a policy among the people of `env` as a Minari dataset, which `minari.load_dataset` opens.

    policy: what has `predict`, or its name: `none`, `random`, another of the scenario's that needs no training, a run's
    folder, `module:Class`. One with `probabilities` is sampled; with probability `explore` any possible action is
    taken. env: as `gymnasium.make` makes it, and the dataset's `recover_environment` again; of its wrappers only a
    limit of steps counts. episodes: one in each of as many worlds, those that `lam record` has of this seed.

    `infos` of an episode of T steps, each (T + 1,): `prob`, with which probability action t was chosen (NaN after the
    last); where decisions are persons', `credit` as the environment says it beside observation t. Metadata of an
    episode: its world's `seed`, and what it came to (`totals` of `LamEnv`). UserError without Minari, for an id that
    cannot be or that is taken, and for what is no policy; then nothing is written. Parts of an observation without
    numbers (`heard`, where a scenario has no feedback) are left out.
    """
    target, own, spec = _checked(dataset_id, env)
    if episodes < 1 or not 0 <= explore <= 1:
        raise UserError(f"to_minari: {episodes} episodes, explore {explore}; give at least 1, and a share from 0 to 1")
    full, seeds = complete(_acting(policy, own.scenario)), world_seeds(Use.DECISIONS, episodes, seed)
    sampling, space = Sampling(full, explore, seed), cast(Any, own.observation_space)
    space = type(space)({name: part for name, part in space.items() if part.shape != (0,)})  # Arrow holds no empty rows
    how: dict[str, Any] = {
        "reveal": tuple({*own.reveal, *full.reveal}),
        "autoreset_mode": "Disabled",
        "max_episode_steps": spec.max_episode_steps,
    }
    try:
        dataset = _empty(dataset_id, spec, space, policy if isinstance(policy, str) else type(policy).__name__)
        for first in range(0, episodes, TOGETHER):
            some = seeds[first : first + TOGETHER]
            worlds = LamVectorEnv(len(some), own.scenario, **how)
            steps, probs = zip(*((step, sampling.prob) for step in play(sampling, worlds, some)), strict=True)
            dataset.update_dataset_from_buffer(_buffers(steps, np.stack(probs), some, list(space)))
            totals = [{"totals": found} for found in _totals(steps, len(some))]
            dataset.storage.update_episode_metadata(totals, range(first, first + len(some)))
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return dataset


def _checked(dataset_id: str, env: Any) -> tuple[Path, LamEnv, Any]:
    """Where the dataset will lie, the environment without its wrappers, and Gymnasium's spec of it."""
    try:
        from minari.dataset.minari_dataset import parse_dataset_id
        from minari.storage import get_dataset_path
    except ModuleNotFoundError:
        raise UserError("to_minari needs Minari: pip install 'lam-env[minari]'") from None
    own = getattr(env, "unwrapped", env)
    if not isinstance(own, LamEnv) or env.spec is None:
        what = "one made without gymnasium.make" if isinstance(own, LamEnv) else type(own).__name__
        raise UserError(f"to_minari: the environment is {what}; give gymnasium.make('lam/SmartHome-v1') or another")
    try:
        parse_dataset_id(dataset_id)
    except (ValueError, TypeError):  # the latter without a version
        raise UserError(f"to_minari: {dataset_id!r} is no id of a dataset; give one such as 'my/home-v0'") from None
    target = get_dataset_path(dataset_id)
    if target.exists():
        raise UserError(
            f"to_minari: {target} is there already; give another id, or delete it: minari delete {dataset_id}"
        )
    return target, own, dataclasses.replace(env.spec, additional_wrappers=())  # a limit of steps is none of them


def _acting(policy: Policy | str, scenario: Scenario) -> Policy:
    if isinstance(policy, str):
        return policy_of(policy, scenario.vocabulary, "environment", scenario)
    if not acts(policy):
        raise UserError(f"to_minari: {type(policy).__name__} has no predict; give a policy, or its name")
    return policy


def _buffers(steps: Sequence[Step[Any]], probs: np.ndarray, seeds: Sequence[int], keys: Sequence[str]) -> list[Any]:
    """An episode of each world. `probs` (T, N): of the actions taken; `keys`: the parts of an observation to keep."""
    from minari.data_collector.episode_buffer import EpisodeBuffer

    shown = {k: np.stack([*(step.observation[k] for step in steps), steps[-1].after[k]]) for k in keys}
    named = ("actions", "rewards", "terminated", "ended", "running")
    actions, rewards, terminated, ended, running = (np.stack([getattr(s, name) for s in steps]) for name in named)
    credit = np.stack([step.info["credit"] for step in steps]) if "credit" in steps[0].info else None
    buffers = []
    for i, seed in enumerate(seeds):
        n = int(running[:, i].sum())
        infos = {"prob": [*probs[:n, i].tolist(), float("nan")]}  # lists: an array (T,) Minari does not read again
        if credit is not None:
            infos["credit"] = [0.0, *credit[:n, i].tolist()]
        buffers.append(
            EpisodeBuffer(
                seed=seed,
                observations={k: v[: n + 1, i] for k, v in shown.items()},
                actions=actions[:n, i],
                rewards=rewards[:n, i].tolist(),
                terminations=terminated[:n, i].tolist(),
                truncations=(ended & ~terminated)[:n, i].tolist(),
                infos=infos,
            )
        )
    return buffers


def _totals(steps: Sequence[Step[Any]], n: int) -> list[dict[str, float]]:
    """Each episode's; empty where it was cut off by a number of steps."""
    found: list[dict[str, float]] = [{} for _ in range(n)]
    for step in steps:
        if step.ended.any():
            for i, info in enumerate(infos_of(step.info, n)):
                found[i] = info.get("totals", found[i])
    return found


def _empty(dataset_id: str, spec: Any, space: Any, policy: str) -> MinariDataset:
    """A dataset without episodes. Arrow, as the kit's own logs are, needs nothing that it has not."""
    import minari

    with warnings.catch_warnings():  # of author and description, which are whoever's who publishes it
        warnings.filterwarnings("ignore", ".* is set to None")
        return minari.create_dataset_from_buffers(
            dataset_id, [], env=spec, observation_space=space, algorithm_name=policy, data_format="arrow"
        )
