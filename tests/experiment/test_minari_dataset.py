"""Datasets of Minari: what is loaded again is what has happened, with the probability of each choice."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from documents import TEXTS, blocks
from policies import refused

from lam_env import LamEnv, to_minari
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.decisions import record_decisions
from lam_env.evaluation.rollout import rollout
from lam_env.experiment import minari_dataset
from lam_env.experiment.acting import policy_of, untrained
from lam_env.experiment.policies import scenario_of
from lam_env.experiment.run_folder import RunFolder

minari = pytest.importorskip("minari", reason="needs the extra [minari]")

WORLDS = {
    "lam/SmartHome-v1": {"days": 1},
    "lam/Traffic-v1": {"travellers": 12, "days": 3, "burn_in": 7},
    "lam/Game-v2": {},
}
every_world = pytest.mark.parametrize("name", WORLDS)
HOME = "lam/SmartHome-v1"


@pytest.fixture(autouse=True)
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    return tmp_path / "datasets"


def make(name: str, **more: Any) -> Any:
    return gym.make(name, **{**WORLDS[name], **more})


@every_world
def test_what_is_loaded_came_to_what_the_kits_rollout_says_and_plays_again_to_the_bit(name: str) -> None:
    env = make(name)
    to_minari("oracle", env, "my/own-v0", episodes=2)
    dataset, seeds = minari.load_dataset("my/own-v0"), world_seeds(Use.DECISIONS, 2)
    scenario = env.unwrapped.scenario
    judged = rollout(untrained(scenario, "oracle"), scenario, seeds)
    again = dataset.recover_environment()
    assert dataset.total_episodes == 2
    for episode, about, expected in zip(dataset, dataset.storage.get_episode_metadata(range(2)), judged, strict=True):
        assert about["totals"] == {k: v for k, v in expected.items() if k in about["totals"]}
        observation, _ = again.reset(seed=about["seed"])
        assert set(episode.observations) == set(observation)  # nothing of what the oracle was shown
        credits = [0.0]
        for t, action in enumerate(episode.actions.tolist()):
            for part, value in observation.items():
                stored = episode.observations[part][t]
                assert (stored.dtype, stored.tobytes()) == (value.dtype, value.tobytes())
            observation, reward, terminated, truncated, info = again.step(action)
            assert [reward, terminated, truncated] == [
                part[t] for part in (episode.rewards, episode.terminations, episode.truncations)
            ]
            credits.append(info.get("credit", 0.0))
        assert terminated or truncated
        assert info["totals"] == about["totals"]
        if scenario.personal:
            assert episode.infos["credit"].tolist() == credits
        assert (episode.infos["prob"][:-1] == 1).all()
        assert np.isnan(episode.infos["prob"][-1])


def test_choices_by_chance_are_those_of_a_recorded_log(small_run: Path) -> None:
    """The tuned policy, sampled, in the world of its run."""
    scenario = scenario_of(RunFolder.open(str(small_run)))
    policy = policy_of(str(small_run), scenario.vocabulary)
    seeds = world_seeds(Use.DECISIONS, 3, 4)
    log = record_decisions(policy, scenario, seeds, explore=0.2, seed=4).log
    dataset = to_minari(str(small_run), make(HOME), "home-v3", episodes=3, explore=0.2, seed=4)
    rows = log.kind == 1
    prob = np.concatenate([episode.infos["prob"][:-1] for episode in dataset])
    np.testing.assert_array_equal(np.concatenate([episode.actions for episode in dataset]), log.token[rows])
    np.testing.assert_allclose(prob, log.prob[rows], rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([e.rewards for e in dataset]), log.value[rows], rtol=1e-6)
    assert len({round(p, 6) for p in prob}) > 5


def test_a_policy_of_ones_own_explores_with_the_probability_that_is_noted() -> None:
    class Quiet:
        def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False):
            return np.zeros(len(observation["epoch"]), int), state

    for episode in to_minari(Quiet(), make(HOME), "quiet-v0", episodes=2, explore=0.5):
        possible = episode.observations["action_mask"][:-1].sum(1)
        expected = 0.5 / possible + 0.5 * (episode.actions == 0)
        np.testing.assert_allclose(episode.infos["prob"][:-1], expected)
        assert 0 < (episode.actions > 0).mean() < 0.6


def test_many_episodes_are_written_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = to_minari("none", make(HOME), "whole-v0", episodes=3)
    monkeypatch.setattr(minari_dataset, "TOGETHER", 2)
    parts = to_minari("none", make(HOME), "parts-v0", episodes=3)
    assert whole.total_steps == parts.total_steps == sum(len(episode.actions) for episode in parts)
    for one, other in zip(whole, parts, strict=True):
        assert one.observations["epoch"].tobytes() == other.observations["epoch"].tobytes()
        assert one.rewards.tobytes() == other.rewards.tobytes()
    seeds = [about["seed"] for about in parts.storage.get_episode_metadata(range(3))]
    assert seeds == list(world_seeds(Use.DECISIONS, 3))


def test_a_number_of_steps_cuts_episodes_off() -> None:
    (episode,) = to_minari("none", make(HOME, max_episode_steps=5), "short-v0", episodes=1)
    assert episode.truncations.tolist() == [False] * 4 + [True]
    assert not episode.terminations.any()
    assert len(episode.observations["epoch"]) == 6


def test_parts_of_an_observation_without_numbers_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of people who never answer: what was heard of them is nothing."""
    tea = next(block.text for block in blocks(TEXTS["docs/how_to/own_world.md"]) if block.note.startswith("file"))
    (tmp_path / "silent_tea.py").write_text(tea.replace('feedback=("accept", "reject"),', ""), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    env = gym.make(HOME, scenario="silent_tea:Tea", days=1)
    to_minari("none", env, "tea-v0", episodes=1)
    (episode,) = dataset = minari.load_dataset("tea-v0")
    assert set(env.observation_space) - set(episode.observations) == {"heard"}
    assert dataset.recover_environment().unwrapped.scenario.id == "tea"
    assert len(episode.actions) > 20


class Stumbling:
    """Gives up in the second step."""

    steps = 0

    def predict(self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False):
        self.steps += 1
        if self.steps == 2:
            raise KeyError("gone")
        return np.zeros(len(observation["epoch"]), int), state


def test_of_an_episode_that_fails_nothing_is_left(datasets: Path) -> None:
    with pytest.raises(KeyError, match="gone"):
        to_minari(Stumbling(), make(HOME), "my/home-v0", episodes=1)
    assert not (datasets / "my" / "home-v0").exists()
    assert len(to_minari("none", make(HOME), "my/home-v0", episodes=1)) == 1


def test_what_cannot_be_is_told_in_one_line_and_nothing_is_written(
    datasets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make(HOME)
    to_minari("none", env, "taken-v0", episodes=1)
    before = sorted(datasets.rglob("*"))
    for says, policy, where, name, more in (
        (
            "/taken-v0 is there already; give another id, or delete it: minari delete taken-v0$",
            "none",
            env,
            "taken-v0",
            {},
        ),
        ("'no version' is no id of a dataset; give one such as 'my/home-v0'$", "none", env, "no version", {}),
        ("'home' is no id of a dataset", "none", env, "home", {}),
        ("the environment is one made without gymnasium.make; give ", "none", LamEnv(days=1), "a-v0", {}),
        ("the environment is CartPoleEnv; give gymnasium.make", "none", gym.make("CartPole-v1"), "a-v0", {}),
        ("the environment is LamVectorEnv; give gymnasium.make", "none", LamVectorEnv(1), "a-v0", {}),
        ("dict has no predict; give a policy, or its name", {}, env, "a-v0", {}),
        ("agent=nobody: neither a run folder nor an agent that needs no training", "nobody", env, "a-v0", {}),
        ("0 episodes, explore 0.0; give at least 1", "none", env, "a-v0", {"episodes": 0}),
        ("explore 2; give at least 1, and a share from 0 to 1", "none", env, "a-v0", {"explore": 2}),
    ):
        refused(says, to_minari, policy, where, name, **more)
    monkeypatch.setitem(sys.modules, "minari.storage", None)
    monkeypatch.setitem(sys.modules, "minari", None)
    refused(r"^to_minari needs Minari: pip install 'lam-env\[minari\]'$", to_minari, "none", env, "a-v0")
    assert sorted(datasets.rglob("*")) == before
