"""What is told of a held-out part: known answers, standard errors against theory, and what is not told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lam_env.core.catalogue import EVENTS, MORE, NLL, PRECISION, RECALL, RIGHT, TOP1, UNITS, Metric, metric
from lam_env.core.events import ActionLog, Protocol, Vocabulary
from lam_env.evaluation.comparison import estimate_of
from lam_env.evaluation.metrics import Scored, scored
from lam_env.evaluation.predictions.held_out import MOST_ACTIONS, MOST_USERS, HeldOutRows, held_out_scores
from lam_env.evaluation.results import result_rows
from lam_env.evaluation.statistics import Interval
from lam_env.logs.decision_points import decision_points, split_by_day

NAMES = ("none", "a", "b", "c")


def predicted(n: int, right: float = 0.6, seed: int = 0) -> tuple[Scored, np.ndarray]:
    """n events of three actions, of which the likeliest, said to be .8, is right so often; and which were known."""
    rng = np.random.default_rng(seed)
    said, known = rng.integers(1, 4, n), rng.random(n) < right
    probs = np.full((n, 4), 0.1)
    probs[:, 0] = 0
    probs[np.arange(n), said] = 0.8
    target = np.where(known, said, said % 3 + 1)
    return scored(probs, target, (1, 2, 3)), known


def rows(n: int, unit: np.ndarray, hour: np.ndarray | None = None, user: np.ndarray | None = None) -> HeldOutRows:
    return HeldOutRows(unit, unit, hour, user, (1, 2, 3))


def test_scores_by_hour_and_action_worked_out_by_hand() -> None:
    of, known = predicted(400)
    hour = np.arange(400) % 4 + 7
    found = held_out_scores(of, rows(400, np.arange(400) // 20, hour), NAMES)
    assert found[UNITS.id] == 20
    for h in range(7, 11):
        assert found[TOP1.at("hour", f"{h:02}").id] == pytest.approx(known[hour == h].mean())
        assert found[EVENTS.at("hour", f"{h:02}").id] == 100
    assert TOP1.at("hour", "06").id not in found
    assert sum(found[EVENTS.at("action", name).id] for name in NAMES[1:]) == 400
    assert found["pred.recall@action:a"] == pytest.approx(known[of.target == 1].mean())
    assert found["pred.precision@action:a"] == pytest.approx(known[of.likeliest == 1].mean())
    assert found[RIGHT.at("surest", "100 %").id] == pytest.approx(known.mean())
    assert {m.id for m in MORE} <= found.keys()


def test_every_score_is_in_the_catalogue_and_in_its_range() -> None:
    of, _ = predicted(300)
    found = held_out_scores(of, rows(300, np.arange(300) // 30, np.arange(300) % 24, np.arange(300) % 3), NAMES)
    for key, value in found.items():
        low, high = metric(key).range
        assert low <= value <= high
        assert metric(key).id == key


@pytest.mark.parametrize("each", [1, 10])
def test_the_standard_error_is_that_of_independent_units(each: int) -> None:
    """Of days whose events are all alike it is that of so many days, whatever is in a day."""
    of, known = predicted(400)
    again = np.repeat(np.arange(400), each)
    twice = of._replace(**{k: v[again] for k, v in of._asdict().items() if isinstance(v, np.ndarray)})
    found = held_out_scores(twice, rows(400 * each, again), NAMES)
    assert found[TOP1.sd.id] == pytest.approx(known.std(ddof=1) / 20, rel=0.15)
    assert found[UNITS.id] == 400


def part_of(found: dict[str, float], one: Metric) -> Interval:
    estimate = estimate_of(result_rows(found, "home", "prior", 0, variant="log"), "prior", one)
    assert estimate is not None
    return estimate


def test_a_part_s_interval_is_over_the_days_that_have_it() -> None:
    """Of 7 days: one event at 3:00, right; on three days one at 9:00, right; the others at 12:00."""
    day = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6])
    hour = np.array([3, 9, 12, 12, 9, 12, 9, 12, 12, 12, 12, 12])
    probs = np.tile([0.0, 0.7, 0.2, 0.1], (len(day), 1))
    target = np.where(hour == 12, 2, 1)
    found = held_out_scores(scored(probs, target, (1, 2)), rows(len(day), day, hour), NAMES)
    assert part_of(found, TOP1.at("hour", "03")) == (1.0, 1.0, 1.0)
    assert part_of(found, TOP1.at("hour", "09")) == pytest.approx((1.0, 0.025 ** (1 / 3), 1.0))
    assert part_of(found, TOP1.at("hour", "12")) == pytest.approx((0.0, 0.0, 1 - 0.025 ** (1 / 7)))
    assert part_of(found, RECALL.at("action", "a")) == pytest.approx((1.0, 0.025 ** (1 / 3), 1.0))
    assert PRECISION.at("action", "b").id not in found  # it is never the likeliest
    assert found[RIGHT.at("surest", "10 %").units.id] == 1


def test_a_part_s_standard_error_is_that_of_its_days() -> None:
    day = np.r_[np.arange(400), np.arange(20)]
    of, known = predicted(420)
    found = held_out_scores(of, rows(420, day, np.r_[np.full(400, 7), np.full(20, 8)]), NAMES)
    assert found[TOP1.at("hour", "08").units.id] == 20
    assert found[TOP1.at("hour", "08").sd.id] == pytest.approx(known[400:].std(ddof=1) / 20**0.5, rel=0.15)


def test_a_user_s_interval_is_over_their_own_days() -> None:
    of, _ = predicted(40, right=1)
    user, day = np.arange(40) // 20, np.arange(40) // 4 % 5
    found = held_out_scores(of, HeldOutRows(user, day, None, user, (1, 2, 3)), NAMES)
    assert found[UNITS.id] == 2
    assert part_of(found, TOP1.at("user", "0")) == pytest.approx((1.0, 0.025 ** (1 / 5), 1.0))


def test_draws_are_the_same_for_all_predictors() -> None:
    """Paired: one that is right where the other is wrong has the same error to the last digits."""
    one, _ = predicted(200)
    other = one._replace(rank=1 - np.minimum(one.rank, 1), given=1 - one.given)
    mine, theirs = (held_out_scores(of, rows(200, np.arange(200) // 10), NAMES) for of in (one, other))
    assert mine[TOP1.id] == pytest.approx(1 - theirs[TOP1.id])
    assert mine[TOP1.sd.id] == pytest.approx(theirs[TOP1.sd.id], rel=1e-9)


def test_one_unit_has_no_standard_error() -> None:
    of, _ = predicted(50)
    found = held_out_scores(of, rows(50, np.zeros(50, int)), NAMES)
    assert found[UNITS.id] == 1
    assert not [key for key in found if key.startswith("sd.")]


def test_of_many_users_the_extremes_are_told() -> None:
    n = 40
    of, known = predicted(20 * n)
    user = np.arange(20 * n) // n + 100
    known = known.reshape(20, n).mean(1)
    found = held_out_scores(of, rows(20 * n, np.arange(20 * n) // 8, None, user), NAMES)
    told = {int(k.partition(":")[2]): v for k, v in found.items() if k.startswith(TOP1.at("user", "").id)}
    assert len(told) == MOST_USERS
    assert min(told.values()) == pytest.approx(known.min())
    assert max(told.values()) == pytest.approx(known.max())
    assert all(value == pytest.approx(known[name - 100]) for name, value in told.items())
    assert f"sd.{NLL.at('user', str(next(iter(told)))).id}" in found


@pytest.mark.parametrize(("streams", "names"), [(1, ["ann", "ben"]), (2, ["ann", "\t"])])
def test_users_are_called_as_in_their_log(streams: int, names: list[str]) -> None:
    log = dataclasses.replace(log_of(streams), meta={"users": names})
    points = decision_points(log, soon=False)
    told = HeldOutRows.of(log, points, points.target > 0)
    of = scored(np.full((len(told.unit), 4), 0.25), points.target[points.target > 0], told.columns)
    users = [key for key in held_out_scores(of, told, NAMES) if key.startswith(TOP1.at("user", "").id)]
    assert sorted(users) == sorted(TOP1.at("user", name).id for name in ("ann", "ben" if streams == 1 else "1"))


def test_nothing_is_told_of_nothing() -> None:
    of, _ = predicted(10)
    none = of._replace(**{k: v[:0] for k, v in of._asdict().items() if isinstance(v, np.ndarray)})
    assert held_out_scores(none, rows(0, np.zeros(0, int)), NAMES) == {}


def test_a_part_in_which_nobody_acts_has_calibration_alone() -> None:
    of = scored(np.tile([0.7, 0.1, 0.1, 0.1], (9, 1)), np.zeros(9, int))
    found = held_out_scores(of, HeldOutRows(np.arange(9) // 3, np.arange(9), np.arange(9), None, ()), NAMES)
    assert {"pred.ece", "pred.brier", UNITS.id, RIGHT.at("surest", "50 %").id} <= found.keys()
    assert TOP1.id not in found


def test_thousands_of_actions_keep_few_columns() -> None:
    n, a = 60, 5000
    rng = np.random.default_rng(0)
    target = rng.integers(1, a, n)
    probs = np.full((n, a), 1 / a, np.float32)
    names = [str(i) for i in range(a)]
    points_rows = HeldOutRows(np.arange(n), np.arange(n), None, None, tuple(np.unique(target)[:MOST_ACTIONS].tolist()))
    of = scored(probs, target, points_rows.columns)
    assert of.kept.shape == (n, MOST_ACTIONS)
    found = held_out_scores(of, points_rows, names)
    assert found["pred.macro_roc_auc"] == pytest.approx(0.5)
    assert len([k for k in found if k.startswith("pred.f1@action:")]) == MOST_ACTIONS


def log_of(streams: int) -> ActionLog:
    n = 60 * streams
    columns = {
        "world": np.repeat(np.arange(streams), 60),
        "time": np.tile(np.arange(60) * 6 * 3600 + 1800, streams),
        "user": np.arange(n) % 2,
        "kind": np.zeros(n, int),
        "token": np.arange(n) % 3 + 1,
        "value": np.full(n, np.nan),
    }
    protocol = Protocol("each" if streams > 1 else "days")
    return ActionLog.from_columns(columns, Vocabulary(NAMES), timer=None, protocol=protocol, meta={})


def test_days_of_one_stream_are_drawn_and_else_streams() -> None:
    one, several = log_of(1), log_of(4)
    points = decision_points(one, soon=False)
    *_, test = split_by_day(points)
    found = HeldOutRows.of(one, points, test)
    assert found.unit.tolist() == found.day.tolist()
    assert found.user is not None
    assert found.user[:2].tolist() == points.user[1:][test[:-1]][:2].tolist()  # of what follows
    assert found.hour is not None
    assert set(found.hour.tolist()) == {0, 6, 12, 18}
    points = decision_points(several, soon=False)
    found = HeldOutRows.of(several, points, np.ones(len(points), bool))
    assert found.unit.tolist() == points.world.tolist()
