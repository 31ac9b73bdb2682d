"""results.csv: comes back as it was written, appears whole, and is checked when read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.catalogue import CATALOGUE
from lam_env.core.errors import UserError
from lam_env.evaluation import results
from lam_env.evaluation.results import ResultRow, ResultsError

HEAD = "scenario,variant,agent,train_seed,seed,metric,value\n"
ROWS = [
    ResultRow("home", "sim", "prior", 0, 100, "pred.top1", 0.5),
    ResultRow("home", "gamma=0", "ppo", 3, 101, "utility.lift", -2.0),
]

names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
metrics = st.one_of(st.sampled_from(list(CATALOGUE)), names.map("kpi.{}".format))
rows = st.lists(
    st.builds(
        ResultRow,
        names,
        names,
        names,
        st.integers(0, 9),
        st.integers(0, 999),
        metrics,
        st.floats(-1e9, 1e9).map(lambda v: float(f"{v:.10g}")),
    ),
    unique_by=lambda r: r[:-1],
)


def test_the_file_is_plain_text_and_the_same_each_time(tmp_path: Path) -> None:
    results.write(tmp_path / "a.csv", [*ROWS, ResultRow("home", "sim", "x", 0, 1, "kpi.m", 1 / 3)])
    expected = (
        HEAD
        + "home,sim,prior,0,100,pred.top1,0.5\nhome,gamma=0,ppo,3,101,utility.lift,-2.0\n"
        + "home,sim,x,0,1,kpi.m,0.3333333333\n"
    )
    assert (tmp_path / "a.csv").read_bytes().decode() == expected


@given(rows)
def test_rows_come_back(tmp_path_factory: pytest.TempPathFactory, written: list[ResultRow]) -> None:
    path = tmp_path_factory.getbasetemp() / "roundtrip.csv"
    results.write(path, written)
    assert results.read(path) == written
    before = path.read_bytes()
    results.write(path, results.read(path))
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.csv"
    results.write(path, ROWS)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"results.csv: cannot be written \(No space"):
        results.write(path, [ROWS[0]._replace(seed=7)])
    assert results.read(path) == ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must be scenario,variant"),
        ("scenario,agent\n", "the first line must be"),
        (HEAD + "home,sim,prior,0,100,pred.top1\n", "line 2: 6 fields, expected 7"),
        (HEAD + "home,sim,prior,0,100,kpi.m,0.5\nhome,sim,prior,zero,100,kpi.m,0.5\n", "line 3: invalid literal"),
        (HEAD + "home,sim,prior,0,100,kpi.m,high\n", "line 2: could not convert"),
        (HEAD + "home,sim,prior,0,100,kpi.m,nan\n", r"kpi\.m of prior in home/sim, seeds 0 and 100 is nan"),
        (HEAD + "home,sim,prior,0,100,kpi.m,1\n" * 2, "stands there twice"),
        (HEAD + "home,,prior,0,100,kpi.m,1\n", "an empty or unprintable name"),
        (HEAD + "\n", "line 2: 0 fields"),
        (HEAD + "home,sim,prior,0,100,pred.tpo1,1\n", "no metric 'pred.tpo1'; did you mean 'pred.top1'"),
    ],
)
def test_a_file_that_is_no_results_says_where(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "results.csv"
    path.write_text(text)
    with pytest.raises(ResultsError, match=message) as error:
        results.read(path)
    assert str(path) in str(error.value)
    assert "; delete the file, and the command that made it makes it again" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("absent.csv", "binary"):
        with pytest.raises(ResultsError, match="cannot be read"):
            results.read(tmp_path / name)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_not_written(tmp_path: Path, value: float) -> None:
    with pytest.raises(ResultsError, match=r"utility\.lift of ppo"):
        results.write(tmp_path / "a.csv", [ROWS[1]._replace(value=value)])
    assert not (tmp_path / "a.csv").exists()


def test_rows_of_a_run() -> None:
    made = results.result_rows({"pred.top1": 0.5, "pred.nll": 2}, "home", "prior", seed=100)
    assert made == [ROWS[0], ROWS[0]._replace(metric="pred.nll", value=2.0)]
