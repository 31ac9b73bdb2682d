"""Pools side by side on one log: intervals by hand, and that what is compared is what the runs have scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paired import ROWS, interval, losses, main
from plain_log import plain_log

from lam_env.commands import predict
from lam_env.core.catalogue import NLL
from lam_env.evaluation.results import read


@given(st.floats(-5, 5), st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_what_is_the_same_on_all_days_has_no_width(gap: float, day: list[int]) -> None:
    assert interval(np.full(len(day), gap), np.array(day), 50) == pytest.approx((gap, gap, gap), abs=1e-9)


def test_days_are_drawn_whole() -> None:
    # two days: of four equal pairs of draws one has twice the first day and one twice the second
    mean, low, high = interval(np.array([1.0, 1.0, -1.0, -1.0]), np.array([7, 7, 9, 9]))
    assert (mean, low, high) == (0, -1, 1)
    # events of one day that differ cancel out
    assert interval(np.array([1.0, -1.0] * 6), np.repeat(np.arange(6), 2)) == (0, 0, 0)


def test_more_days_are_surer() -> None:
    def width(days: int) -> float:
        _, low, high = interval(np.tile([1.0, -1.0], days // 2), np.arange(days))
        return high - low

    assert width(40) == pytest.approx(2 * 1.96 / 40**0.5, rel=0.15)
    assert width(10) > width(40) > width(160)


def test_what_is_compared_is_what_the_runs_have_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text(plain_log(0), encoding="utf-8")
    tiny = ["predictor.passes=1", "predictor.members=1", "predictor.parts=nets,counts", "workers=1", "agents=prior"]
    for name, hidden in (("narrow", 4), ("wide", 8)):
        predict.main(["logs=log.csv", "format=csv", f"out={name}", f"predictor.hidden={hidden}", *tiny])
    told, day = losses(Path("wide"))
    scores = {row.agent: row.value for row in read(Path("wide/results.csv")) if row.metric == NLL.id}
    assert set(told) == set(ROWS)
    for row in ROWS:
        assert len(told[row]) == len(day)
        assert told[row].mean() == pytest.approx(scores[row], abs=1e-4)
    capsys.readouterr()
    main(["wide", "wide", "narrow"])
    first, same, other = capsys.readouterr().out.splitlines()
    assert first == f"wide: prior {scores['prior']:.3f}, prior.nets {scores['prior.nets']:.3f}"
    assert same == "wide: prior +0.000 [+0.000, +0.000], prior.nets +0.000 [+0.000, +0.000]"
    assert other.startswith("narrow: prior ")
    assert other != same.replace("wide", "narrow")
