"""`lam compare`: what differs between two runs, who is better, and what is refused."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from plain_log import plain_log

from lam_env.commands import compare, predict
from lam_env.config.cli import to_dict
from lam_env.core.catalogue import EVENTS, JUDGE, LIFT, NLL, RETURN, TOP1, UNITS
from lam_env.evaluation import results
from lam_env.evaluation.report.reader import units_of
from lam_env.evaluation.results import ResultRow
from lam_env.experiment.settings import RunSettings

LUCK = (3.0, -1.0, 7.0, 0.5)  # of the people of each evaluation seed


def run(path: Path, agents: Mapping[str, float], people: float = 0, pays: float = 1, **config: Any) -> Path:
    """The folder of a run: what each agent helps. `people`: others by so much; `pays`: what its prices are."""
    name = str(config.get("scenario", "smart_home"))
    settings = {**to_dict(RunSettings()), "world": {"days": 7, "rooms": 5}, "device": "cpu", "finished": True}
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps({**settings, "versions": {"numpy": "2.4"}, **config}))
    rows = []
    for agent, help in {"none": 0.0, **agents, "oracle": 9.0}.items():
        for s, luck in enumerate(LUCK):
            own = help + 0.1 * s * bool(help)
            scores = {JUDGE: luck + people + own, LIFT: own, RETURN: pays * (luck + own)}
            rows += [ResultRow(name, "sim", agent, 0, s, m.id, v) for m, v in scores.items()]
    results.write(path / "results.csv", rows)
    return path


def told(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert compare.main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        compare.main([str(word) for word in words])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert (said.out, said.err.count("\n")) == ("", 1)
    return said.err


def numbers(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return {(row["agent_b"], row["metric"]): row for row in csv.DictReader(file)}


def test_a_run_beside_itself_is_the_same(small_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, small_run, small_run, f"out={tmp_path / 'a.csv'}")
    assert "Settings, versions and device are the same." in said
    assert "The same in A and B, to the last digit: prior, ppo_prior, oracle." in said
    found = numbers(tmp_path / "a.csv")
    assert {agent for agent, _ in found} == {"prior", "ppo_prior", "oracle"}
    assert ("ppo_prior", TOP1.id) in found
    assert {float(row["difference"]) for row in found.values()} == {0}


def test_what_differs_is_said_and_who_is_better(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = run(tmp_path / "a", {"mine": 2, "same": 1}, train={"steps": 60_000, "gamma": 0.99}, workers=1)
    b = run(tmp_path / "b", {"mine": 2.5, "same": 1, "more": 3}, train={"steps": 20_000, "gamma": 0.99}, workers=2)
    said = told(capsys, f"runs={a},{b}", f"out={tmp_path / 'c.csv'}")
    assert said.startswith(
        f"A: {a}\nB: {b}\nDiffers, A -> B:\n  train.steps: 60000 -> 20000\nIn B alone: more.\nSame people"
    )
    assert re.search(r"│ lift +│ +2.150 │ +2.650 │ +\+0.500 .*│ +1.00 │", said)
    assert "B's mine is better than A's: lift +0.500" in said
    assert "last digit: same, oracle." in said
    row = numbers(tmp_path / "c.csv")["mine", LIFT.id]
    assert [float(row[k]) for k in ("a", "b", "difference", "low", "high")] == pytest.approx(
        [2.15, 2.65, 0.5, 0.5, 0.5]
    )
    assert (float(row["p_better"]), row["paired"]) == (pytest.approx(1), "yes")


def test_settings_versions_and_device_are_told_old_and_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = run(tmp_path / "a", {"mine": 2}, seed=[0, 1], versions={"numpy": "2.3", "torch": "2.8"})
    b = run(tmp_path / "b", {"mine": 2}, seed=[0], versions={"numpy": "2.4"}, device="cuda", world={"days": 7})
    lines = told(capsys, a, b).splitlines()
    assert lines[3:8] == [
        "  device: cpu -> cuda",
        "  seed: 0,1 -> 0",
        "  versions.numpy: 2.3 -> 2.4",
        "  versions.torch: 2.8 -> not set",
        "  world.rooms: 5 -> not set",
    ]


def test_a_predictor_that_another_run_brings_is_no_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = {"passes": 7}
    a = run(tmp_path / "a", {"mine": 2}, predictor=trained)
    b = run(tmp_path / "b", {"mine": 3}, model=str(a))
    c = run(tmp_path / "c", {"mine": 3}, model="elsewhere")
    differs = "Differs, A -> B:\n  {}\nSame people"
    assert differs.format("models: B has those of A") in told(capsys, a, b)
    assert differs.format("models: A has those of B") in told(capsys, b, a)
    assert differs.format("model: not set -> elsewhere") in told(capsys, a, c)
    d = run(tmp_path / "d", {"mine": 3})
    assert "predictor.passes: 7 -> " in told(capsys, a, d)  # each has trained its own


def test_two_agents_of_one_run_and_one_of_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = run(tmp_path / "a", {"mine": 2, "yours": 1}), run(tmp_path / "b", {"theirs": 4})
    said = told(capsys, a, "agents=mine,yours")
    assert said.startswith(f"A: mine of {a}\nB: yours of {a}\nSame people")
    assert "B's yours is worse than A's mine: lift -1.000" in said
    across = told(capsys, a, b, "agents=mine,theirs")
    assert f"B: theirs of {b}\n" in across
    assert "B's theirs is better than A's mine: lift +2.000" in across
    assert "oracle is" not in across
    assert "B's none is worse than A's mine" in told(capsys, a, b, "agents=mine,none")


def test_of_other_people_differences_are_unpaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = run(tmp_path / "a", {"mine": 2}), run(tmp_path / "b", {"mine": 3}, people=0.5, world={"days": 3, "rooms": 5})
    said = told(capsys, a, b, f"out={tmp_path / 'c.csv'}")
    assert "  world.days: 7 -> 3\n" in said
    assert "doing nothing scores otherwise. Differences are unpaired." in " ".join(said.split())
    assert {row["paired"] for row in numbers(tmp_path / "c.csv").values()} == {"no"}


def test_people_who_differ_in_what_they_answer_alone_are_paired_and_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = (
        run(tmp_path / "a", {"mine": 2}),
        run(tmp_path / "b", {"mine": 3}, world={"days": 7, "rooms": 5, "dislikes": 2}),
    )
    said = " ".join(told(capsys, a, b).split())
    assert "Differences are paired. " in said
    assert "The world's settings differ: people may take what is done for them otherwise in B." in said
    assert "settings differ: people" not in told(capsys, a, a)


def test_the_same_world_with_other_prices_is_compared_but_for_its_reward(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = run(tmp_path / "a", {"mine": 2}), run(tmp_path / "b", {"mine": 3}, pays=2, scenario="prices:Dear")
    said = told(capsys, a, b, f"out={tmp_path / 'c.csv'}")
    assert "Feedback reward is left out: A and B pay by other prices." in said
    assert "lift +1.000" in said
    assert RETURN.id not in {metric for _, metric in numbers(tmp_path / "c.csv")}
    changed = run(tmp_path / "d", {"mine": 3}, pays=2)
    assert "pay by other prices" in told(capsys, a, changed)
    assert "pay by other prices" not in told(capsys, a, a)


def test_an_agent_whose_code_has_changed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, source in (("a", "1f"), ("b", "2e"), ("c", "1f")):
        folder = run(tmp_path / name, {"my_agent:MyAgent": 2}) / "cells"
        folder.mkdir()
        cell = {"kind": "sim", "agent": "my_agent:MyAgent", "train_seed": 0, "source": source, "scores": {}}
        (folder / "sim-my_agent-MyAgent-0.json").write_text(json.dumps(cell))
    assert "\n  my_agent:MyAgent: its code\n" in told(capsys, tmp_path / "a", tmp_path / "b")
    assert "its code" not in told(capsys, tmp_path / "a", tmp_path / "c")


def spoil(path: Path, **config: Any) -> Path:
    file = path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return path


def test_what_cannot_be_compared_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, c = run(tmp_path / "a", {"mine": 2}), tmp_path / "c.csv"
    assert "0 runs: say lam compare RUN_A RUN_B" in refused(capsys)
    assert "3 runs: say" in refused(capsys, a, a, a)
    assert "give two; say" in refused(capsys, a)
    assert "give one or two" in refused(capsys, a, a, "agents=a,b,c")
    assert "did you mean 'agents'" in refused(capsys, a, "agent=mine,none")
    assert "not a run folder" in refused(capsys, a, tmp_path)
    assert "is a suite's" in refused(capsys, a, spoil(run(tmp_path / "suite", {}), suite="quick"))
    assert "the run is not finished" in refused(capsys, a, spoil(run(tmp_path / "half", {}), finished=False))
    assert "no agent 'mime'; did you mean 'mine'?" in refused(capsys, a, "agents=mime,none")
    other = run(tmp_path / "other", {"mine": 2}, people=1, scenario="traffic")
    assert "is a run of smart_home, " in refused(capsys, a, other, f"out={c}")
    lone = run(tmp_path / "lone", {"yours": 2})
    rows = results.read(lone / "results.csv")
    results.write(lone / "results.csv", [r for r in rows if r.agent != "oracle"])
    assert "no agent in common" in refused(capsys, a, lone)
    results.write(lone / "results.csv", [r._replace(variant="twin") for r in rows])
    assert "of sim, those of" in refused(capsys, a, lone)
    results.write(lone / "results.csv", [])
    assert "results.csv: holds no score" in refused(capsys, a, lone)
    (lone / "results.csv").write_text("scenario,variant\nsmart_home,sim\n")
    assert "results.csv: the first line must be" in refused(capsys, a, lone)
    (lone / "results.csv").unlink()
    assert "results.csv: cannot be read" in refused(capsys, a, lone)
    assert "is a folder" in refused(capsys, a, a, f"out={tmp_path}")
    assert not c.exists()


# -- on a log ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on one log, narrow and wide."""
    folder = tmp_path_factory.mktemp("predicted")
    (folder / "log.csv").write_text(plain_log(0), encoding="utf-8")
    words = [f"logs={folder / 'log.csv'}", "format=csv", "predictor.passes=1", "predictor.members=1", "workers=1"]
    words += ["predictor.parts=nets,counts", "agents=markov1"]
    for name, hidden in (("narrow", 4), ("wide", 8)):
        assert predict.main([*words, f"out={folder / name}", f"predictor.hidden={hidden}"]) == 0
    return folder


def test_what_is_paired_by_day_is_what_the_runs_have_scored(predicted: Path) -> None:
    scores = {(r.agent, r.metric): r.value for r in results.read(predicted / "wide/results.csv")}
    for agent in ("prior", "prior.nets", "prior.counts", "markov1"):
        units = units_of(predicted / "wide", agent, 0)
        assert units is not None
        events = sum(units["events"])
        assert events == scores[agent, EVENTS.id]
        assert len(units["unit"]) > 3
        assert sum(units["losses"]) / events == pytest.approx(scores[agent, NLL.id], rel=1e-6)
        assert sum(units["right"]) / events == pytest.approx(scores[agent, TOP1.id], rel=1e-6)


def test_predictors_of_one_log_are_paired_by_day(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow, wide = predicted / "narrow", predicted / "wide"
    said = told(capsys, narrow, wide, f"out={tmp_path / 'c.csv'}")
    assert "\n  predictor.hidden: 4 -> 8\nSame events held out. Differences are paired by day" in said
    assert "last digit: markov1, prior.counts." in said
    found = numbers(tmp_path / "c.csv")
    assert {metric for _, metric in found} == {NLL.id, TOP1.id}
    row = {key: float(found["prior.nets", NLL.id][key]) for key in ("a", "b", "difference", "low", "high")}
    assert row["difference"] == pytest.approx(row["b"] - row["a"])
    assert row["low"] < row["difference"] < row["high"]
    parts = told(capsys, wide, "agents=markov1,prior.nets")
    assert "Same events held out" in parts


def test_runs_on_other_events_are_refused(predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = predicted / "narrow"
    for name, was, now in (("days", 0, 1), ("actions", "coffee.on", "tea.on")):
        copy = tmp_path / name
        shutil.copytree(one, copy, ignore=shutil.ignore_patterns("model", "log"))
        if name == "days":  # a week later
            for file in (copy / "report").glob("judged-*-log-0.json"):
                record = json.loads(file.read_text())
                later = [unit + 7 for unit in record["by_unit"]["unit"]]
                file.write_text(json.dumps({**record, "by_unit": {**record["by_unit"], "unit": later}}))
        else:
            file = copy / "results.csv"
            file.write_text(file.read_text(encoding="utf-8").replace(str(was), str(now)), encoding="utf-8")
        said = refused(capsys, one, copy, f"out={tmp_path / 'c.csv'}")
        assert (
            "hold out other events, of which no difference says who predicts better; give two runs of one log" in said
        )


def test_what_else_two_runs_on_other_logs_hold_is_compared(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [run(tmp_path / name, {"mine": 2}) for name in "ab"]
    for path, events in zip(paths, (90, 80), strict=True):
        scores = {NLL: 1.0, EVENTS: events, UNITS: 9}
        log = [ResultRow("smart_home", "log", "mine", 0, 0, m.id, v) for m, v in scores.items()]
        results.write(path / "results.csv", [*results.read(path / "results.csv"), *log])
    said = " ".join(told(capsys, *paths).split())
    assert "Predictions on the logs are not compared: their logs hold out other events" in said
    assert "The same in A and B" in said
    assert "held-out part" not in said


def test_a_run_without_sums_by_day_is_unpaired_and_damaged_ones_are_one_line(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "older"
    shutil.copytree(predicted / "wide", copy, ignore=shutil.ignore_patterns("model", "log"))
    files = list((copy / "report").glob("judged-*-log-0.json"))
    records = [json.loads(file.read_text()) for file in files]
    spoils: Iterable[tuple[Any, str]] = (([1], "sums by day"), ("x", "cannot be read"))
    for losses, why in spoils:
        for file, record in zip(files, records, strict=True):
            file.write_text(json.dumps({**record, "by_unit": {**record["by_unit"], "losses": losses}}))
        assert why in refused(capsys, predicted / "narrow", copy)
    for file, record in zip(files, records, strict=True):
        file.write_text(json.dumps({key: value for key, value in record.items() if key != "by_unit"}))
    said = told(capsys, predicted / "narrow", copy)
    assert "B keeps no sums by day of markov1: an earlier version made it." in said
    assert "prior.nets" in said
