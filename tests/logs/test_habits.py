"""What somebody does day after day: known lives come out, and chance does not."""

from __future__ import annotations

import numpy as np
import pytest

from lam_env.core.events import USER, ActionLog, Vocabulary
from lam_env.core.units import HOUR
from lam_env.logs import habits as h
from lam_env.logs.coverage import ORDER
from lam_env.logs.statistics import streams

NAMES = ("none", "sleep", "tea", "walk", "tv")
SLEEP, TEA, WALK, TV = 1, 2, 3, 4


def log_of(rows: list[tuple[float, int]], lengths: list[float] | None = None, **meta: object) -> ActionLog:
    """Events at hours since Monday 00:00, with lengths [h]."""
    order = sorted(range(len(rows)), key=lambda i: rows[i][0])
    columns: dict[str, object] = {"time": [int(rows[i][0] * HOUR) for i in order], "token": [rows[i][1] for i in order]}
    columns |= {"kind": [USER] * len(rows), "user": [0] * len(rows)}
    if lengths is not None:
        columns["value"] = [lengths[i] * HOUR for i in order]
    return ActionLog.from_columns(columns, Vocabulary(NAMES), intervals=lengths is not None, meta=dict(meta))


def found(log: ActionLog) -> h.Habits:
    (part,) = streams(log)
    one = h.habits(part, log.vocabulary.actions)
    assert one is not None
    return one


def test_an_hour_that_is_kept_is_an_anchor_over_midnight_too():
    rng = np.random.default_rng(0)
    rows = [(24 * d + 24 + late, SLEEP) for d, late in enumerate(rng.normal(0, 0.5, 40))]
    rows += [(24 * d + hour, TV) for d in range(40) for hour in rng.uniform(0, 24, 3)]
    (anchor,) = found(log_of(rows)).anchors
    assert anchor.action == "sleep"
    assert min(anchor.hour, 24 - anchor.hour) < 0.4
    assert anchor.spread == pytest.approx(0.5, abs=0.2)
    assert anchor.share > 0.9
    assert not anchor.ends


def test_the_end_of_what_is_long_is_an_anchor_too():
    rows = [(24 * d + 23, SLEEP) for d in range(20)] + [(24 * d + 12, TEA) for d in range(20)]
    anchors = found(log_of(rows, [8.0] * 20 + [0.1] * 20)).anchors
    assert [(a.action, a.ends, round(a.hour, 2)) for a in anchors] == [
        ("sleep", True, 7.0),
        ("tea", False, 12.0),
        ("sleep", False, 23.0),
    ]
    assert all(a.spread < 0.01 for a in anchors)


@pytest.mark.parametrize("seed", range(5))
def test_chance_has_no_habits(seed: int):
    rng = np.random.default_rng(seed)
    rows = list(zip(rng.uniform(0, 24 * 60, 900).tolist(), rng.integers(1, 5, 900).tolist(), strict=True))
    one = found(log_of(rows))
    assert one.anchors == one.sequels == []
    assert one.lately == one.weekend == []


def test_what_follows_what():
    rows = [(24 * d + hour + k / 10, a) for d in range(10) for hour in (8, 14) for k, a in enumerate((TEA, WALK))]
    rows += [(24 * d + hour, a) for d in range(10) for hour, a in ((11, TV), (17, TV), (20, TV), (21, SLEEP))]
    pairs = {(s.before, s.after): s for s in found(log_of(rows)).sequels}
    assert pairs["tea", "walk"].share == 1
    assert pairs["tea", "walk"].times == 20
    assert pairs["tea", "walk"].usual == pytest.approx(20 / len(rows))
    assert ("walk", "tea") not in pairs


def test_what_changed_lately_and_what_weekends_are_like():
    rows = [(24 * d + 8 + k, TEA) for d in range(56) for k in range(1 if d < 42 else 4)]
    rows += [(24 * d + 20 + k, TV) for d in range(56) for k in range(3 if d % 7 >= 5 else 1)]
    one = found(log_of(rows))
    (late,) = one.lately
    assert (late.action, late.here, late.there) == ("tea", 4.0, 1.0)
    (free,) = one.weekend
    assert (free.action, free.here, free.there) == ("tv", 3.0, 1.0)
    assert late.sure > h.SURE
    said = "\n".join(h.words(one))
    assert "in the last 14 days more tea: 4.0 a day, 1.0 otherwise" in said
    assert "at weekends more tv: 3.0 a day, 1.0 otherwise" in said


def test_a_change_that_may_be_chance_is_not_told():
    rng = np.random.default_rng(1)
    rows = [(24 * d + 8 + k / 10, TEA) for d in range(56) for k in range(int(rng.poisson(2)))]
    rows += [(24 * d + 20, TV) for d in range(56)]
    assert not [c for c in found(log_of(rows)).lately if c.action == "tea"]


def test_too_short_a_log_and_one_without_a_clock_tell_nothing():
    short = log_of([(24 * d + 8, TEA) for d in range(h.LEAST_DAYS - 1)])
    assert h.of_busiest(short) is None
    assert h.of_busiest(log_of([(168 * i, TEA) for i in range(30)], clock=ORDER)) is None
    assert h.of_busiest(log_of([(24 * d + 8, TEA) for d in range(h.LEAST_DAYS)])) is not None


def test_words_are_few_and_in_the_order_of_the_day():
    rows = [(24 * d + hour, a) for d in range(20) for hour, a in ((7.5, TEA), (9, WALK), (20, TV), (23, SLEEP))]
    lines = h.words(found(log_of(rows)), most=2)
    assert lines[0] == "07:30  tea, give or take 0 min: on 100% of days"
    assert [line[:5] for line in lines[:4]] == ["07:30", "09:00", "20:00", "23:00"]
    assert len(lines) <= 4 + 2
    assert h.clock(23.999) == "00:00"


def test_hours_are_counted_by_action():
    one = found(log_of([(24 * d + 8.5, TEA) for d in range(9)]))
    assert one.profile["tea"].tolist() == [9 if hour == 8 else 0 for hour in range(24)]
    assert one.days == 9
