"""eval.folds: predictors learn from the first days, some more each time, and are tested on the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plain_log import plain_log

from lam_env.commands.predict import main
from lam_env.core.catalogue import EVENTS, TOP1
from lam_env.core.events import ActionLog
from lam_env.evaluation.comparison import estimate_of, runs_of
from lam_env.evaluation.results import read
from lam_env.logs.streams import folds

Fails = Callable[..., str]
WORDS = ["logs=log.csv", "format=csv", "agents=markov1", "predictor.passes=1", "predictor.hidden=8", "workers=1"]
WORDS += ["predictor.members=1", "predictor.parts=nets,counts", "eval.folds=3", "out=out"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("log.csv").write_text(plain_log(0), encoding="utf-8")
        assert main(WORDS) == 0
    return folder / "out"


def test_a_fold_stands_in_the_place_of_a_seed(run: Path) -> None:
    rows = read(run / "results.csv")
    assert {row.seed for row in rows} == {1, 2, 3}
    assert {row.agent for row in rows} == {"markov1", "prior", "prior.nets", "prior.counts"}
    tested = runs_of(rows, "markov1", EVENTS)
    assert tested is not None
    whole = ActionLog.load(run / "log" / "real")
    sizes = [len(whole), *(len(part) for part in folds(whole, 3))]
    assert tested.ravel().tolist()[1:] == np.diff(sizes[1:]).tolist()  # each tests on what its log has more


def test_tables_have_mean_and_interval_over_folds(run: Path) -> None:
    rows, tables = read(run / "results.csv"), (run / "tables.md").read_text()
    scores, estimate = runs_of(rows, "markov1", TOP1), estimate_of(rows, "markov1", TOP1)
    assert scores is not None
    assert estimate is not None
    assert estimate.value == pytest.approx(scores.mean())
    assert estimate.low < scores.mean() < estimate.high
    assert f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]" in tables
    assert "folds 1 to 3; mean [95 % interval over folds]" in tables


def test_tables_are_headed_by_the_log_and_the_report_says_which_fold_its_pictures_are_of(run: Path) -> None:
    tables, page = (run / "tables.md").read_text(), (run / "report.html").read_text(encoding="utf-8")
    assert tables.startswith("# log.csv (csv)\n")
    assert "**log.csv (csv): prediction**" in tables
    assert "smart_home" not in tables
    assert "Of the last of 3 folds, which learns from the most days." in page
    assert "<title>out" in page


def test_each_fold_has_a_predictor_of_its_own(run: Path) -> None:
    made = sorted(path.name for path in (run / "model").iterdir())
    assert made == ["prior-real-1", "prior-real-2", "prior-real-3"]
    kept = {(run / "model" / name / "counts.safetensors").read_bytes() for name in made}
    assert len(kept) == 3


def test_a_finished_run_is_not_made_again(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lam_env.experiment import jobs
    from lam_env.experiment.logs import real as real_logs

    before = (run / "results.csv").read_bytes()
    for module, job in ((jobs, "pretrain_on_log"), (real_logs, "predict_on_log")):
        monkeypatch.setattr(module, job, lambda *a: pytest.fail("made again"))
    monkeypatch.chdir(run.parent)
    assert main(WORDS) == 0
    assert (run / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("eval.folds=2",), "eval.folds: folds are of predictions on a real log"),
        (("predict=yes", "logs=log.csv", "format=csv", "eval.folds=9"), "too few for 9 folds"),
        (("predict=yes", "logs=log.csv", "format=csv", "eval.folds=2", "split=users"), "leave folds away"),
        (("predict=yes", "logs=log.csv", "format=csv", "eval.folds=-1"), "eval.folds"),
    ],
)
def test_folds_that_make_no_sense_are_one_line(fails: Fails, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "log.csv").write_text(plain_log(0))
    assert said in fails(*words)


def test_times_of_order_alone_are_not_moved(fails: Fails, tmp_path: Path) -> None:
    text = "\n".join(["number,action", *(f"{i},{'abc'[i % 3]}" for i in range(60))])
    (tmp_path / "log.csv").write_text(text + "\n")
    words = ("predict=yes", "logs=log.csv", "format=csv", "columns=order:number,action:action")
    assert "has no times to move: give drop or repeat" in fails(*words, "predictor.augment=repeat,shift")
    assert "augment 'fog' is unknown" in fails(*words, "predictor.augment=fog")
