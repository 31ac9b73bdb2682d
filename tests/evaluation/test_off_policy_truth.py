"""Off-policy estimates against the simulator: what each policy's act would have brought is found in a branch of the
world at the decision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lam_env.agents.carry import update
from lam_env.agents.counting.online import counting

from lam_env.core import registry
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import LamEnv
from lam_env.evaluation.decisions import Decisions, asked_again, record_decisions
from lam_env.experiment.logs.decisions import evaluate_policy, logged
from lam_env.logs.decision_points import decision_points

THRESHOLDS = (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)


class Greedy:
    """Does what is likeliest next if it is likely enough."""

    def __init__(self, predictor: Any, threshold: float):
        self.predictor, self.threshold = predictor, threshold

    def _likely(self, observation: Any, state: Any, start: Any) -> tuple[np.ndarray, Any]:
        state = update(self.predictor, observation, state, start)
        p = np.where(observation["action_mask"] > 0, state.said.next, 0.0)
        p[:, 0] = 0.0
        return p, state

    def predict(self, observation: Any, state: Any = None, start: Any = None, deterministic: bool = True) -> Any:
        p, state = self._likely(observation, state, start)
        return np.where(p.max(1) >= self.threshold, p.argmax(1), 0), state


class Sampled(Greedy):
    """By chance, around it."""

    def probabilities(self, observation: Any, state: Any = None, start: Any = None) -> Any:
        p, state = self._likely(observation, state, start)
        logits = np.where(p > 0.02, (p - self.threshold) / 0.15, -np.inf)
        logits[:, 0] = 0.0
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True), state


def truths(decisions: Decisions, scenario: Scenario, seeds: list[int], chosen: np.ndarray) -> np.ndarray:
    """(n, k) reward after each logged decision had policy k's act `chosen` (n, k) been taken, the people and their luck
    being the same."""
    rows = decisions.rows
    token, world = decisions.log.token[rows], decisions.log.world[rows]
    found = np.repeat(decisions.log.value[rows][:, None].astype(float), chosen.shape[1], 1)
    for i, seed in enumerate(seeds):
        env = LamEnv(scenario)
        env.reset(seed=seed)
        for row in np.flatnonzero(world == i).tolist():
            for other in np.unique(chosen[row][chosen[row] != token[row]]).tolist():
                found[row, chosen[row] == other] = env.branch().step(other)[1]
            reward = env.step(int(token[row]))[1]
            assert reward == pytest.approx(decisions.log.value[rows[row]], abs=1e-4)
    return found


@pytest.fixture(scope="module")
def home() -> tuple[Scenario, list[Greedy], list[int], Decisions]:
    """Households of the smart home for a day; ten policies, from one that acts at nearly every decision point to one
    that hardly acts; a log of a sampled one."""
    scenario = registry.scenario("smart_home")(days=1)
    log, _ = simulate_log(scenario, list(range(4)), 14)
    points = decision_points(log, soon=False)
    predictor = counting("markov3").fit(points, points)
    seeds = [3_000_000 + i for i in range(96)]
    decisions = record_decisions(Sampled(predictor, 0.3), scenario, seeds, explore=0.1)
    return scenario, [Greedy(predictor, threshold) for threshold in THRESHOLDS], seeds, decisions


@pytest.mark.slow
def test_doubly_robust_estimates_lie_within_5_percent_of_the_simulators_truth_for_9_of_10_policies(home: Any) -> None:
    """The more a policy differs from the logged one the more decisions it takes: of 32 households, 8 of these 10."""
    scenario, policies, seeds, decisions = home
    chosen = np.stack([asked_again(decisions, policy)[0].argmax(1) for policy in policies], 1)
    truth = truths(decisions, scenario, seeds, chosen).mean(0)
    found = [evaluate_policy(decisions, policy)[0] for policy in policies]
    errors = np.abs(np.array([f.dr.value for f in found]) / truth - 1)
    for row in zip(THRESHOLDS, truth, [f.dr for f in found], errors, strict=True):
        print(*row)  # shown by pytest -s
    assert (errors < 0.05).mean() >= 0.9
    within = [f.dr.low <= true <= f.dr.high for f, true in zip(found, truth, strict=True)]
    assert np.mean(within) >= 0.9


@pytest.mark.slow
def test_what_is_answered_later_needs_a_window(home: Any) -> None:
    """An act is answered minutes later. Decision by decision the boldest policy looks best; it is the worst of the
    three when it acts in fact. With twelve decisions' rewards, an hour or so, it looks worst."""
    scenario, policies, seeds, decisions = home
    three = [policies[k] for k in (0, 6, 9)]
    alone, later = ([evaluate_policy(decisions, p, window=w)[0].gain.value for p in three] for w in (1, 12))
    fresh = [seed + 500_000 for seed in seeds]
    acting = [logged(record_decisions(policy, scenario, fresh))[0].value for policy in three]
    print(alone, later, acting)
    assert np.argmax(alone) == np.argmin(later) == np.argmin(acting) == 0


class Tilted:
    """Any possible action, doing nothing `odds` times as often as each other."""

    def __init__(self, odds: float):
        self.odds = odds

    def probabilities(self, observation: Any, state: Any = None, start: Any = None) -> Any:
        p = (observation["action_mask"] > 0).astype(float)
        p[:, 0] *= self.odds
        return p / p.sum(1, keepdims=True), state


@pytest.mark.slow
def test_per_decision_sampling_agrees_with_playing_the_other_policy() -> None:
    """The first three pieces of advice to players, whom advice changes: logged at random, asked of a policy that is
    mostly silent."""
    scenario = registry.scenario("game")(days=2)
    log = record_decisions(Tilted(1.0), scenario, list(range(500)), seed=1)
    other = Tilted(5.0)
    _, estimated = evaluate_policy(log, other, deterministic=False, horizon=3)  # type: ignore[arg-type]
    _, in_fact = logged(record_decisions(other, scenario, list(range(5000, 5500)), seed=2), horizon=3)
    half = [(interval.high - interval.low) / 2 for interval in (estimated.value, in_fact.value)]
    assert abs(estimated.value.value - in_fact.value.value) < np.hypot(*half)
    assert 50 < estimated.effective < 500
