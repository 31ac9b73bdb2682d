"""predictor.start: the predictor of a log begins in other homes, whose logs are read in its words."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lam_env.agents.predictors.store import load
from plain_log import plain_log

from lam_env.commands.run import main
from lam_env.core.events import EVERYBODY, USER, ActionLog
from lam_env.evaluation.results import read
from lam_env.logs.streams import to_learn_from

TINY = ["predict=yes", "predictor.passes=1", "predictor.hidden=8", "predictor.members=1", "workers=1", "agents=prior"]
Fails = Callable[..., str]


def activities(names: tuple[str, str, str], days: int, month: int) -> str:
    """A csv file of three activities a day."""
    lines = ["time,action,duration"]
    for day in range(days):
        begin = datetime.datetime(2024, month, 1 + day)
        for hour, name in zip((7, 12, 21), names, strict=True):
            at = begin + datetime.timedelta(hours=hour, minutes=(7 * day) % 11)
            lines.append(f"{at.isoformat()},{name},{600 + 60 * (day % 5)}")
    return "\n".join(lines) + "\n"


def run(folder: Path, name: str, text: str, *more: str) -> int:
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    where = [f"logs={folder / name}.csv", "format=csv", "zone=UTC", f"out={folder / name}"]
    return main([*where, *TINY, *more])


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs of two homes; the second says otherwise what the first does, and one thing more."""
    folder = tmp_path_factory.mktemp("homes")
    assert run(folder, "one", activities(("Showering", "Eat_Lunch", "Sleep"), 10, 1)) == 0
    assert run(folder, "two", activities(("take shower", "Lawnwork", "go to bed"), 8, 3)) == 0
    return folder


@pytest.fixture(scope="module")
def started(homes: Path) -> Path:
    """The run of a third home that begins in the two."""
    begin = f"predictor.start={homes / 'one'},{homes / 'two'}"
    assert run(homes, "own", activities(("bathe", "eat", "sleep"), 6, 5), begin) == 0
    return homes / "own"


def test_other_homes_are_read_in_the_words_of_ones_own(started: Path) -> None:
    own, others = ActionLog.load(started / "log" / "real"), ActionLog.load(started / "log" / "others")
    assert others.vocabulary == own.vocabulary
    assert others.worlds.tolist() == [0, 1]
    names = [own.vocabulary.actions[token] for token in others.token]
    assert names == ["bathe", "eat", "sleep"] * 10 + ["bathe", "sleep"] * 8
    assert (others.kind == USER).all()
    assert (others.user == EVERYBODY).all()  # nobody of one's own
    train, valid = to_learn_from(others)
    assert set(train.world) == set(valid.world) == {0, 1}
    assert len(train) + len(valid) == len(others) - 2  # nothing comes after the last of a stream


def test_the_networks_begin_there_and_the_trees_learn_from_them(started: Path, homes: Path) -> None:
    shutil.copytree(homes, homes.parent / "alone", dirs_exist_ok=True)
    alone = homes.parent / "alone"
    assert run(alone, "without", (homes / "own.csv").read_text()) == 0
    one, other = (load(folder / "model" / "prior-real") for folder in (started, alone / "without"))
    same = [torch_equal(one, other, part) for part in range(2)]
    assert same == [False, True]  # networks; counts know one's own home alone
    score = {
        folder.name: {(row.agent, row.metric): row.value for row in read(folder / "results.csv")}
        for folder in (started, alone / "without")
    }
    for part in ("prior.nets", "prior.boosting"):
        assert score["own"][part, "pred.nll"] != score["without"][part, "pred.nll"]
    assert score["own"]["prior.counts", "pred.nll"] == score["without"]["prior.counts", "pred.nll"]


def torch_equal(one: object, other: object, part: int) -> bool:
    if part == 0:
        a, b = (next(iter(each.networks.nets.state_dict().values())).numpy() for each in (one, other))  # type: ignore[attr-defined]
    else:
        a, b = (each.counts.table.counts for each in (one, other))  # type: ignore[attr-defined]
    return a.shape == b.shape and bool(np.array_equal(a, b))


def test_what_is_known_and_what_is_left_out_is_said(
    homes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = activities(("bathe", "eat", "sleep"), 6, 5)
    labels = tmp_path / "labels.yaml"
    labels.write_text("sleep: [nothing]\nWC: [lawnwork]\n", encoding="utf-8")
    assert run(tmp_path, "own", text, f"predictor.start={homes / 'two'}", f"predictor.labels={labels}") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{homes / 'two'}: 16 of 24 events are known here; left out: Lawnwork (8)" in said
    labels.write_text("eat: [lawnwork]\n", encoding="utf-8")
    assert run(tmp_path, "own2", text, f"predictor.start={homes / 'two'}", f"predictor.labels={labels}") == 0
    assert f"{homes / 'two'}: 24 of 24 events are known here" in " ".join(capsys.readouterr().out.split())


def test_folds_begin_there_too(homes: Path, tmp_path: Path) -> None:
    begin = f"predictor.start={homes / 'one'}"
    assert run(tmp_path, "own", activities(("bathe", "eat", "sleep"), 9, 5), begin, "eval.folds=2") == 0
    assert sorted(path.name for path in (tmp_path / "own" / "log").iterdir()) == ["others", "real", "real-1", "real-2"]


def test_a_run_that_cannot_begin_there_is_one_line(homes: Path, tmp_path: Path, fails: Fails) -> None:
    (tmp_path / "own.csv").write_text(activities(("bathe", "eat", "sleep"), 6, 5), encoding="utf-8")
    (tmp_path / "strange.csv").write_text(activities(("knit", "weld", "sing"), 6, 5), encoding="utf-8")
    (tmp_path / "commands.csv").write_text(plain_log(0), encoding="utf-8")
    (tmp_path / "same.csv").write_text((homes / "one.csv").read_text(), encoding="utf-8")
    words = ["format=csv", "zone=UTC", *TINY]
    one = f"predictor.start={homes / 'one'}"
    for more, said in {
        ("logs=own.csv", "predictor.labels=x.yaml"): "give predictor.start=FOLDER too",
        ("logs=own.csv", "predictor.start=nowhere"): "holds no log; give the folder of a run of lam predict",
        ("logs=own.csv", one, "predictor.parts=nets"): "begins a home's pool alone",
        ("logs=own.csv", one, "split=per_user"): "begins a home's pool alone",
        ("logs=own.csv", one, "predictor.labels=nowhere.yaml"): "nowhere.yaml: cannot be read",
        ("logs=same.csv", one): "that is this log itself, which is tested on; give logs of other homes",
        ("logs=strange.csv", one): "it shares no two actions with this log; say in predictor.labels=FILE what is alike",
        ("logs=commands.csv", one): "one log is of activities, the other is not",
    }.items():
        assert said in fails(*words, *more)
    assert "begin the predictor of a real log; give logs=PATH too" in fails(one)
