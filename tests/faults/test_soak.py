"""Worlds that run for very long, or hold very many: finite numbers, and no more memory than at first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import MANY

from lam_env.core import registry
from lam_env.envs.vector import LamVectorEnv

STEPS = 200 * MANY  # of all worlds of a batch together: 2 million
WIDE = min(1024, max(4, MANY // 10))
LONG = min(365, max(2, MANY // 27))  # [days]
CROWD = min(5000, max(20, MANY // 2))  # travellers
MEMORY = 256 << 20  # [bytes] that the second half of a run may add
CHECKS = 50  # of all that is seen, spread over a run
SCENARIOS = registry.scenario_names()

pytestmark = pytest.mark.faults


def held() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soaked(env: LamVectorEnv, steps: int | None) -> tuple[int, int, int]:
    """Steps (of the batch; None: until each world's episode is over), episodes, and the memory added by the second
    half of them (by all but the first tenth where it is not known how many they are)."""
    draws, n = np.random.default_rng(0), env.num_envs
    observation, _ = env.reset(seed=1)
    done = episodes = 0
    warm = held()
    while done < steps if steps is not None else not env.finished.all():
        possible = draws.random(observation["action_mask"].shape) * (observation["action_mask"] > 0)
        actions = np.where(draws.random(n) < 0.3, possible.argmax(1), 0)
        observation, reward, ended, cut, info = env.step(actions)
        done, episodes = done + 1, episodes + int((ended | cut).sum())
        assert np.isfinite(reward).all()
        check_totals(info)
        if done % max(1, (steps or 10_000) // CHECKS) == 0:
            assert env.observation_space.contains(observation)
            assert all(np.isfinite(column).all() for column in observation.values())
        if done == (steps // 2 if steps is not None else 500):
            warm = held()
    return done, episodes, held() - warm


def check_totals(info: dict[str, Any]) -> None:
    """Of episodes that are over."""
    for name, value in info.get("final_info", info).items():
        if isinstance(value, dict):
            check_totals(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            assert np.isfinite(value).all(), name


def told(what: str, found: tuple[int, int, int], n: int) -> None:
    done, episodes, more = found
    print(f"{what}: {done * n:,} steps, {episodes:,} episodes over, {more / 1e6:+.1f} MB after warm-up")
    assert more < MEMORY


@pytest.mark.parametrize("name", SCENARIOS)
def test_many_steps_of_many_worlds(name: str) -> None:
    env = LamVectorEnv(WIDE, name)
    told(f"{name}, {WIDE:,} worlds", soaked(env, -(-STEPS // WIDE)), WIDE)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("smart_home", {"days": LONG, "residents": 4}),
        ("traffic", {"days": LONG}),
        ("game", {"days": LONG}),
        ("traffic", {"days": 2, "burn_in": 2, "travellers": CROWD}),
    ],
    ids=["year of four residents", "year of traffic", "year of a game", "crowd"],
)
def test_an_episode_that_is_long_or_large(
    name: str, settings: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    env = LamVectorEnv(1, name, autoreset_mode="Disabled", **settings)
    found = soaked(env, None)
    assert found[1] == 1
    told(f"{name} with {settings}", found, 1)
