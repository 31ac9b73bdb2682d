"""What judging keeps for the report."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from lam_env.core import registry
from lam_env.evaluation import rollout as rollout_module
from lam_env.evaluation.metrics import prediction_metrics, scored
from lam_env.evaluation.report.recorder import (
    MOST_EPISODES,
    RolloutRecorder,
    about_of,
    evaluation_record,
    file_of,
    gates_of,
    lifts,
    prediction_record,
    worth_watching,
)
from lam_env.evaluation.rollout import rollout
from lam_env.logs.fidelity import Gate

SEEDS = [2_000_000, 2_000_001, 2_001_000, 2_001_001]


class Busy:
    """The first possible action whenever the minute is even."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> Any:
        even = (observation["epoch"][:, 0] // 60) % 20 == 0
        return np.where(even, observation["action_mask"][:, 1:].argmax(1) + 1, 0), state


@pytest.fixture(scope="module")
def home() -> Any:
    return registry.scenario("smart_home")(days=1)


@pytest.fixture(scope="module")
def watched(home: Any) -> tuple[RolloutRecorder, list[dict[str, float]]]:
    watch = RolloutRecorder(home, len(SEEDS))
    return watch, rollout(Busy(), home, SEEDS, watch=watch)


def test_watching_changes_nothing(home: Any, watched: tuple[RolloutRecorder, list[dict[str, float]]]) -> None:
    assert rollout(Busy(), home, SEEDS) == watched[1]


def test_hours_add_up_to_the_episodes(home: Any, watched: tuple[RolloutRecorder, list[dict[str, float]]]) -> None:
    watch, totals = watched
    hours, acted = watch.by_hour(home.n_users), watch.by_action()
    mean = {k: float(np.mean([t[k] for t in totals])) for k in totals[0]}
    assert watch.person_days == len(SEEDS)
    assert sum(hours["utility"]) == pytest.approx(mean["utility.total"], rel=1e-3)
    assert sum(hours["reward"]) == pytest.approx(mean["reward.return"], rel=1e-3)
    assert sum(hours["acts"]) == pytest.approx(mean["kpi.agent_acts"], rel=1e-3)
    assert sum(acted["acts"]) == watch.acts.sum() == round(mean["kpi.agent_acts"] * len(SEEDS) * home.n_users)
    refused = mean["kpi.overrides"] + mean["kpi.rejections"]
    assert sum(hours["refused"]) == pytest.approx(refused, rel=0.02)
    assert sum(acted["refused"]) > 0
    assert all(len(v) == 24 for v in hours.values())


def test_worlds_that_take_each_others_place_are_told_apart(
    home: Any, watched: tuple[RolloutRecorder, list[dict[str, float]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_module, "AT_ONCE", 3)
    watch = RolloutRecorder(home, len(SEEDS))
    assert rollout(Busy(), home, SEEDS, watch=watch) == watched[1]
    assert watch.points.tolist() == watched[0].points.tolist()
    assert watch.acts.tolist() == watched[0].acts.tolist()
    assert watch.by_action() == watched[0].by_action()
    usual = watched[0].by_hour(home.n_users)
    for name, hours in watch.by_hour(home.n_users).items():
        assert hours == pytest.approx(usual[name], rel=1e-4, abs=1e-9), name


def test_by_night_less_is_heard_than_by_day(home: Any, watched: tuple[RolloutRecorder, list[dict[str, float]]]) -> None:
    points = watched[0].by_hour(home.n_users)["decisions"]
    assert sum(points[1:4]) < sum(points[18:21])


@pytest.mark.parametrize(("name", "more"), [("traffic", {"travellers": 30, "burn_in": 5}), ("game", {})])
def test_where_people_are_asked_one_by_one_only_what_can_be_known_is_kept(name: str, more: dict[str, int]) -> None:
    scenario = registry.scenario(name)(days=2, **more)
    watch = RolloutRecorder(scenario, 3)
    totals = rollout(Busy(), scenario, [2_000_000, 2_000_001, 2_000_002], watch=watch)
    found = evaluation_record("busy", 0, scenario, [2_000_000, 2_000_001, 2_000_002], totals, watch, {}, 3)
    assert "utility" not in found["hours"]
    assert ("accepted" in found["hours"]) == (scenario.n_users == 1)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_agents_file(home: Any, watched: tuple[RolloutRecorder, list[dict[str, float]]]) -> None:
    watch, totals = watched
    found = evaluation_record("own_agents:Bold", 3, home, SEEDS, totals, watch, {}, 2)
    e = found["episodes"]
    assert e["world"] == SEEDS
    assert e["utility.total"] == pytest.approx([t["utility.total"] for t in totals], rel=1e-4)
    assert e["utility.touch"] == pytest.approx([t["utility.touch"] for t in totals], rel=1e-4)
    assert e["acts"] == watch.acts.tolist()
    assert found["actions"][0] == "none"
    assert len(json.dumps(found)) < 8_000


def test_of_very_many_episodes_the_first_of_each_seed_are_kept(home: Any) -> None:
    n, seeds = 3 * MOST_EPISODES, 10
    watch = RolloutRecorder(home, n)
    totals = [{"reward.return": 0.0, "utility.total": float(i), "kpi.x": 1.0} for i in range(n)]
    found = evaluation_record("a", 0, home, range(n), totals, watch, {}, seeds)["episodes"]
    assert found["judged"] == n
    assert len(found["world"]) == MOST_EPISODES
    assert found["world"][:2] == [0, 1]
    assert found["world"][100] == n // seeds
    assert "kpi.x" not in found


@pytest.mark.parametrize("agent", ["own_agents:Bold", "ppo_prior@gamma=0.9", "../up", "a b"])
def test_files_have_names_that_any_system_takes(agent: str) -> None:
    name = file_of(agent, 4)
    assert name.startswith("report/judged-")
    assert not set(name.removeprefix("report/")) & set('/\\:*?"<>| @')
    assert name.endswith("-4.json")


def test_what_is_kept_of_predictions() -> None:
    probs = np.array([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.0, 0.1, 0.9]])
    target = np.array([1, 2, 2, 1])
    found = prediction_record(scored(probs, target))
    assert found["counts"] == [[1, 1, 1], [1, 2, 1], [2, 1, 1], [2, 2, 1]]  # given an action
    bins = found["reliability"]
    assert sum(bins["decisions"]) == 4
    gap = np.abs(np.array(bins["confidence"]) - bins["accuracy"]) * bins["decisions"]
    assert gap.sum() / 4 == pytest.approx(prediction_metrics(probs, target)["pred.ece"], rel=1e-4)
    assert prediction_record(scored(probs, np.zeros(4, int)))["counts"] == []
    assert prediction_record(scored(probs[:0], target[:0])) == {}


def episodes(worlds: list[int], utility: list[float], acts: list[int]) -> dict[str, Any]:
    return {"episodes": {"world": worlds, "utility.total": utility, "acts": acts, "decisions": acts}}


def test_lifts_are_of_the_same_worlds() -> None:
    mine, base = episodes([1, 2, 3], [5.0, 1.0, 9.0], [0, 0, 0]), episodes([3, 1], [4.0, 5.5], [0, 0])
    assert sorted(lifts(mine, base)) == [(-0.5, 0, 1), (5.0, 2, 0)]


def test_a_typical_and_the_worst_episode_are_worth_watching() -> None:
    worlds = list(range(8))
    mine = episodes(worlds, [-9.0, 1, 2, 3, 4, 5, 6, 50], [99, 1, 2, 7, 3, 1, 1, 99])
    base = episodes(worlds, [0.0] * 8, [0] * 8)
    assert worth_watching(mine, base) == [("typical", 3), ("worst", 0)]
    assert worth_watching(mine, None) == [("first", 0)]
    same = episodes(worlds, [0.0] * 8, [0] * 8)
    assert [kind for kind, _ in worth_watching(same, base)] == ["typical"]


def test_gates_become_plain_json_and_numbers_that_are_none_come_back_as_such() -> None:
    gate = Gate("wake-up", "g", (math.nan, 1.0), (math.inf,), "< 2", None, "too few")
    told = about_of([gate], {"a": "why"})
    plain = {"name": "wake-up", "metric_id": "g", "source": [None, 1.0], "simulated": [None], "accept": "< 2"}
    told = json.loads(json.dumps(told, allow_nan=False))
    assert told == {"gates": [{**plain, "passed": None, "note": "too few"}], "failed": {"a": "why"}}
    (back,) = gates_of(told)
    assert (back.source[1], back.name, back.passed, back.verdict) == (1.0, "wake-up", None, "not measured")
    assert np.isnan([back.source[0], back.simulated[0]]).all()
    with pytest.raises(ValueError, match="simulated is no number"):
        gates_of({"gates": [{**told["gates"][0], "simulated": ["many"]}]})
