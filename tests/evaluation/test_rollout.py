"""Rollouts of policies in fresh worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.play import check_actions
from lam_env.envs.vector import LamVectorEnv
from lam_env.evaluation.rollout import add_lift, per_seed, rollout


class Always:
    """One action, whatever happens; counts what it is shown."""

    def __init__(self, action: int):
        self.action, self.starts, self.calls = action, [], 0
        self.states: list[Any] = []

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        self.calls += 1
        self.starts.append(np.asarray(episode_start).copy())
        self.states.append(state)
        return np.full(len(observation["epoch"]), self.action), self.calls


@pytest.fixture(scope="module")
def home() -> Any:
    return registry.scenario("smart_home")(days=1)


def test_a_rollout_gives_every_world_its_own_totals(home: Any) -> None:
    policy = Always(0)
    together = rollout(policy, home, [11, 12])
    assert together == [*rollout(Always(0), home, [11]), *rollout(Always(0), home, [12])]
    assert together[0] != together[1]
    for totals in together:
        assert totals["feedback.noop_rate"] == 1.0
        assert {"reward.return", "utility.total"} <= set(totals)
    assert policy.starts[0].all()
    assert not policy.starts[1].any()
    assert policy.states[:3] == [None, 1, 2]


def test_acting_is_seen_in_the_totals(home: Any) -> None:
    action = home.vocabulary.actions.index(next(a for a in home.vocabulary.actions if a.endswith(".on")))
    busy = rollout(Always(action), home, [11])[0]
    assert busy["feedback.noop_rate"] == 0.0
    assert busy["reward.return"] != rollout(Always(0), home, [11])[0]["reward.return"]


def test_progress_ends_at_the_last_day(home: Any) -> None:
    told: list[Any] = []
    rollout(Always(0), home, [11, 12, 13], progress=lambda *message: told.append(message), stage="judge x")
    assert told[0] == ("judge x", 0, 3, "")  # world-days
    assert told[-1][:3] == ("judge x", 3, 3)
    assert all(done <= total for _, done, total, _ in told)


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (np.zeros((2, 1), int), r"shape \(2, 1\); it must be \(2,\)"),
        (np.zeros(2), "type float64; it must be integers"),
        (np.array([0, 7]), "action 7, outside the space: 0 to 4"),
        (np.array([-1, 0]), "action -1, outside the space"),
        (None, r"shape \(\)"),
        (["a", "b"], "it must be integers"),
    ],
)
def test_actions_that_are_none_are_named(actions: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_actions(actions, 2, 5)


def test_good_actions_pass_as_they_are() -> None:
    assert check_actions([0, 4], 2, 5).tolist() == [0, 4]
    assert check_actions(np.array([1, 2], np.uint8), 2, 5).tolist() == [1, 2]


def test_a_reward_or_figure_that_is_not_finite_is_named(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(home, "kpis", lambda world: {"warmth": float("nan")})
        with pytest.raises(UserError, match=r"kpi\.warmth is nan"):
            rollout(Always(0), home, [11])
    step = LamVectorEnv.step

    def poisoned(self: Any, actions: Any) -> Any:
        observation, rewards, *rest = step(self, actions)
        return observation, np.where(actions == 1, np.nan, rewards), *rest

    monkeypatch.setattr(LamVectorEnv, "step", poisoned)
    rollout(Always(0), home, [11])
    with pytest.raises(UserError, match="the reward of action 1 is nan; look at the scenario's reward terms"):
        rollout(Always(1), home, [11])


def test_scores_of_a_seed_are_means_over_its_worlds() -> None:
    totals = [{"reward.return": float(i), "feedback.accept_rate": 0.1 * i} for i in range(4)]
    found = per_seed(totals, [5, 9])
    assert found[5]["reward.return"] == 0.5
    assert found[9]["feedback.accept_rate"] == pytest.approx(0.25)


def test_lift_is_paired_by_seed_and_shared_by_the_oracles_mean() -> None:
    def scores(*values: float) -> dict[int, dict[str, float]]:
        return {s: {"utility.total": v} for s, v in enumerate(values)}

    judged = {"none": scores(1, 2), "x": scores(4, 4), "oracle": scores(5, 10)}
    add_lift(judged)
    assert [judged["x"][s]["utility.lift"] for s in (0, 1)] == [3, 2]
    assert [judged["x"][s]["utility.share_of_oracle"] for s in (0, 1)] == [3 / 6, 2 / 6]
    assert judged["none"][1]["utility.share_of_oracle"] == 0
    helpless = {"none": scores(1, 2), "oracle": scores(1, 2)}
    add_lift(helpless)
    assert "utility.share_of_oracle" not in helpless["oracle"][0]


def test_worlds_that_take_the_place_of_finished_ones_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    game, seeds = registry.scenario("game")(days=4), list(range(30, 43))
    for policy in (Always(0), game.baselines()["flow"](None)):
        together = rollout(policy, game, seeds)
        monkeypatch.setattr("lam_env.evaluation.rollout.AT_ONCE", 3)
        assert rollout(policy, game, seeds) == together
        monkeypatch.undo()
