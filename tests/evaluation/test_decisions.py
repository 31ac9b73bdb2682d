"""Logs of decisions: what is recorded is what has happened, with its probability, and comes back from disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lam_env.core import registry
from lam_env.core.events import AGENT, FEEDBACK, LogError
from lam_env.envs.single import LamEnv
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.decisions import CONTEXTS, Decisions, asked_again, record_decisions, sample_decision
from lam_env.logs.decision_points import decision_points

WORLDS = {
    "smart_home": {"days": 1},
    "traffic": {"travellers": 30, "days": 3, "burn_in": 7},
    "game": {},
}
SEEDS = [11, 12]


def agent(name: str) -> Any:
    return registry.agent(name)().fit(SimpleNamespace(seed=0))


@pytest.fixture(scope="module", params=WORLDS)
def recorded(request: pytest.FixtureRequest) -> tuple[Any, Decisions]:
    scenario = registry.scenario(request.param)(**WORLDS[request.param])
    return scenario, record_decisions(agent("random"), scenario, SEEDS, seed=5)


def test_every_decision_stands_in_the_log_none_included_with_its_probability(recorded: tuple[Any, Decisions]) -> None:
    _, found = recorded
    rows, mask = found.rows, found.observation["action_mask"]
    token = found.log.token[rows]
    assert (token == 0).any()
    assert (token > 0).any()
    assert (mask[np.arange(len(rows)), token] == 1).all()
    np.testing.assert_allclose(found.log.prob[rows], 1 / mask.sum(1), rtol=1e-6)
    np.testing.assert_array_equal(found.log.time[rows] // found.log.ticks_per_second, found.observation["epoch"][:, 0])


def test_taking_the_same_actions_gives_the_same_contexts_rewards_and_people(recorded: tuple[Any, Decisions]) -> None:
    scenario, found = recorded
    rows = found.rows
    crowd = scenario.n_users > 1 and scenario.personal
    for i, seed in enumerate(SEEDS):
        env = LamEnv(scenario, record=True)
        observation, _ = env.reset(seed=seed)
        for row in np.flatnonzero(found.log.world[rows] == i).tolist():
            for name, array in found.observation.items():
                np.testing.assert_array_equal(array[row], observation[name])
            observation, reward, *ends, info = env.step(int(found.log.token[rows[row]]))
            if not crowd:
                assert found.log.value[rows[row]] == pytest.approx(reward, abs=1e-5)
        assert any(ends)
        assert info["masked"] == 0
        # the events are those of a log that leaves doing nothing out; what answers an act still answers it
        assert env.world is not None
        plain = env.world.records
        assert plain is not None
        mine = list(found.log.select(found.log.world == i).events())
        kept = [e for e in mine if e.kind != AGENT or e.token]
        assert [(e.time, e.user, e.kind, e.token) for e in kept] == [(e.time, e.user, e.kind, e.token) for e in plain]
        acts, said = [e for e in plain if e.kind == AGENT], [e for e in mine if e.kind == AGENT]
        answered = [(acts[e.answers], said[f.answers]) for e, f in zip(plain, kept, strict=True) if e.answers >= 0]
        assert answered or not any(e.kind == FEEDBACK and e.answers >= 0 for e in plain)
        assert all((a.time, a.token) == (b.time, b.token) for a, b in answered)


def test_in_a_crowd_a_decision_is_paid_when_the_person_is_asked_again() -> None:
    scenario = registry.scenario("traffic")(**WORLDS["traffic"])
    found = record_decisions(agent("random"), scenario, SEEDS[:1], seed=5)
    reward, user = found.log.value[found.rows], found.log.user[found.rows]
    for person in np.unique(user):
        mine = reward[user == person]
        assert np.isnan(mine[-1])  # that of the last decision is not known
        assert np.isfinite(mine[:-1]).all()
    env = LamVectorEnv(1, scenario, autoreset_mode="Disabled")
    _, info = env.reset(seed=SEEDS[:1])
    credited: dict[int, list[float]] = {}
    for token in found.log.token[found.rows]:
        credited.setdefault(int(info["person"][0]), []).append(info["credit"][0])
        *_, info = env.step(np.array([int(token)]))
    for person, credits in credited.items():
        np.testing.assert_allclose(reward[user == person][:-1], credits[1:], atol=1e-5)
    assert len(np.unique(found.trajectory)) == len(np.unique(user))


def test_a_log_of_decisions_is_a_log_from_which_one_can_train() -> None:
    scenario = registry.scenario("smart_home")(days=1)
    found = record_decisions(agent("random"), scenario, SEEDS[:1], seed=5)
    without = found.log.select((found.log.kind != AGENT) | (found.log.token > 0))
    one, other = decision_points(found.log), decision_points(without)
    np.testing.assert_array_equal(one.tokens, other.tokens)
    np.testing.assert_array_equal(one.target, other.target)


def test_it_comes_back_from_disk(recorded: tuple[Any, Decisions], tmp_path: Path) -> None:
    _, found = recorded
    found.save(tmp_path / "log")
    back = Decisions.load(tmp_path / "log")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log"]
    assert back.log.vocabulary == found.log.vocabulary
    for name, column in found.log.columns.items():
        np.testing.assert_array_equal(back.log.columns[name], column)
    assert set(back.observation) == set(found.observation)
    for name, array in found.observation.items():
        np.testing.assert_array_equal(back.observation[name], array)
        assert back.observation[name].dtype == array.dtype


def test_the_same_seed_gives_the_same_log_and_another_other_choices() -> None:
    scenario = registry.scenario("smart_home")(days=1)
    logs = [record_decisions(agent("random"), scenario, [3], explore=0.5, seed=seed).log for seed in (1, 1, 2)]
    for name in logs[0].columns:
        np.testing.assert_array_equal(logs[0].columns[name], logs[1].columns[name])
    assert len(logs[0]) != len(logs[2]) or (logs[0].token != logs[2].token).any()


def test_exploring_gives_every_possible_action_a_chance() -> None:
    scenario = registry.scenario("smart_home")(days=1)
    found = record_decisions(agent("none"), scenario, [3], explore=0.2, seed=1)
    rows, possible = found.rows, found.observation["action_mask"].sum(1)
    expected = np.where(found.log.token[rows] > 0, 0.2 / possible, 0.8 + 0.2 / possible)
    np.testing.assert_allclose(found.log.prob[rows], expected, rtol=1e-6)
    share = (found.log.token[rows] > 0).mean()
    assert share == pytest.approx((0.2 * (possible - 1) / possible).mean(), abs=0.04)


def test_a_policy_asked_again_in_its_own_log_says_what_it_did(recorded: tuple[Any, Decisions]) -> None:
    _, found = recorded
    target, soft = asked_again(found, agent("random"), deterministic=False)
    assert soft is not None
    chosen = target[np.arange(len(found)), found.log.token[found.rows]]
    np.testing.assert_allclose(chosen, found.log.prob[found.rows], rtol=1e-6)
    still, none_said = asked_again(found, agent("none"))
    assert (still[:, 0] == 1).all()
    assert none_said is None


class Counting:
    """Does the action whose number is how often it has been asked in this world, if that is possible; anything else is
    no act."""

    def predict(self, observation: Any, state: Any = None, start: Any = None, deterministic: bool = True) -> Any:
        n = len(observation["epoch"])
        state = np.zeros(n, np.int64) if state is None else state
        state = np.where(start, 0, state) + 1
        return state % observation["action_mask"].shape[1], state


def test_the_memory_of_a_policy_asked_again_runs_along_each_world(recorded: tuple[Any, Decisions]) -> None:
    _, found = recorded
    target, _ = asked_again(found, Counting())
    world, mask = found.log.world[found.rows], found.observation["action_mask"]
    nth = np.concatenate([np.arange(1, (world == i).sum() + 1) for i in range(len(SEEDS))]) % mask.shape[1]
    rows = np.arange(len(nth))
    assert (target.argmax(1) == np.where(mask[rows, nth] > 0, nth, 0)).all()


def test_sampling_takes_what_the_probabilities_say() -> None:
    p = np.tile([0.2, 0.0, 0.5, 0.3], (5, 1))
    assert sample_decision(p, np.array([1e-9, 0.19, 0.21, 0.69, 1 - 1e-9])).tolist() == [0, 0, 2, 2, 3]
    assert sample_decision(np.array([[0.0, 1.0, 0.0]]), np.array([0.5])).tolist() == [1]


# -- what cannot be used -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Decisions:
    return record_decisions(agent("random"), registry.scenario("game")(), SEEDS, seed=5)


def with_column(found: Decisions, name: str, values: Any) -> Decisions:
    column = found.log.columns[name].copy()
    column[found.rows] = values
    return dataclasses.replace(found, log=dataclasses.replace(found.log, columns={**found.log.columns, name: column}))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("prob", np.nan, "no probabilities in the log; record one"),
        ("prob", 0.0, "chosen with probability 0; it must lie above 0"),
        ("prob", 1.5, "chosen with probability 1.5"),
        ("token", 999, "is none of this vocabulary"),
        ("value", np.nan, "no rewards in the log"),
    ],
)
def test_says_in_one_line_what_is_wrong_with_a_log(
    small: Decisions, tmp_path: Path, column: str, value: float, said: str
) -> None:
    with_column(small, column, value).save(tmp_path / "log")
    with pytest.raises(LogError, match=said) as caught:
        Decisions.load(tmp_path / "log")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "log") in str(caught.value)


def test_says_which_part_is_missing_or_does_not_fit(small: Decisions, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no such folder"):
        Decisions.load(tmp_path / "nothing")
    small.log.save(tmp_path / "log")
    with pytest.raises(LogError, match=f"has no {CONTEXTS}"):
        Decisions.load(tmp_path / "log")
    half = Decisions(small.log, {k: v[: len(v) // 2] for k, v in small.observation.items()})
    half.save(tmp_path / "half")
    with pytest.raises(LogError, match="does not fit the log"):
        Decisions.load(tmp_path / "half")
    small.log.select(small.log.kind != AGENT).save(tmp_path / "acts")
    with pytest.raises(LogError, match="no decision of an agent"):
        Decisions.load(tmp_path / "acts")
    (tmp_path / "log" / CONTEXTS).write_text("no parquet")
    with pytest.raises(LogError, match="does not fit the log"):
        Decisions.load(tmp_path / "log")
