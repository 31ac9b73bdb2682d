"""The page of a run, from folders made by hand."""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from html_page import Page

from lam_env.core.catalogue import KPI, SHARE
from lam_env.core.errors import UserError
from lam_env.core.events import USER, ActionLog, Protocol, Vocabulary
from lam_env.core.units import DAY, HOUR
from lam_env.evaluation.report.page import PREDICTS, ScenarioNotes, render, sections
from lam_env.evaluation.report.reader import read_run
from lam_env.evaluation.report.recorder import file_of
from lam_env.evaluation.report.sections_scores import shown_agent, tiles
from lam_env.evaluation.results import ResultRow, write

ACTIONS = ["none", "lamp.on", "lamp.off"]
BINS = {"low": [0.0], "confidence": [0.5], "accuracy": [0.75], "decisions": [8]}
UTILITY = {"none": -10.0, "prior": -5.0, "ppo_prior": -4.0, "oracle": 10.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder with a bit of everything but replays."""
    run = tmp_path / "tiny"
    (run / "report").mkdir(parents=True)
    config = {
        "scenario": "smart_home", "command": "python -m lam_env.run <x>", "device": "cpu", "seconds": 12.5, "seed": [0],
        "versions": {"numpy": "2"}, "eval": {"seeds": 2, "worlds": 2, "split": "test"}, "world": {"days": 1},
        "agents_judged": list(UTILITY), "finished": True, "logs": "log.csv", "format": "csv",
    }  # fmt: skip
    (run / "config.json").write_text(json.dumps(config))
    rows = []
    for agent, value in UTILITY.items():
        for seed in (0, 1):
            found = {
                "reward.return": value / 2,
                "utility.total": value + seed,
                "utility.lift": value + 10,
                "utility.share_of_oracle": (value + 10) / 20,
                "term.assist": 2.0,
                "term.miss": 4.0,
                "utility.touch": value,
                "kpi.trust": 0.5,
            }
            if agent in ("prior", "ppo_prior"):
                found |= {"pred.top1": 0.5, "pred.nll": 1.0}
            rows += [ResultRow("smart_home", "sim", agent, 0, seed, metric, v) for metric, v in found.items()]
    write(run / "results.csv", rows)
    for k, (agent, value) in enumerate(UTILITY.items()):
        (run / file_of(agent, 0)).write_text(json.dumps(judged(agent, [value, value - 8 * k])))
    (run / "curve-ppo_prior-0.csv").write_text(
        "agent,train_seed,step,reward\nppo_prior,0,512,-0.5\nppo_prior,0,1024,0.25\n"
    )
    gate = {
        "name": "bed time",
        "metric_id": "g",
        "source": [1.0],
        "simulated": [1.5],
        "accept": "< 2",
        "passed": True,
        "note": "",
    }
    (run / "report/about.json").write_text(json.dumps({"gates": [gate], "failed": {"own:Bad": "KeyError: <b>"}}))
    days = [(day * DAY + hour * HOUR, token) for day in range(20) for hour, token in ((8, 1), (22, 2))]
    columns = {"time": [t for t, _ in days], "token": [a for _, a in days], "kind": [USER] * 40, "user": [0] * 40}
    ActionLog.from_columns(columns, Vocabulary(tuple(ACTIONS)), protocol=Protocol("days")).save(run / "log" / "real")
    return run


def judged(agent: str, utility: list[float]) -> dict[str, Any]:
    day = [0.0] * 23 + [1.0]
    return {
        "agent": agent,
        "train_seed": 0,
        "actions": ACTIONS,
        "episodes": {
            "judged": 4, "days": 1, "world": [100, 101], "decisions": [9, 9], "acts": [3, 1],
            "reward.return": utility, "utility.total": utility, "utility.touch": utility,
        },
        "hours": {"decisions": day, "acts": day, "reward": day, "accepted": day, "refused": day, "utility": day},
        "acted": {"acts": [0, 3, 1], "accepted": [0, 2, 0], "refused": [0, 0, 1]},
        "predictions": {"sim": {"reliability": BINS, "counts": [[1, 1, 6], [1, 2, 2], [2, 2, 5]]}},
    }  # fmt: skip


ABOUT = ScenarioNotes(
    [KPI.metric("trust", "trust at the end", SHARE)], {"assist": 1.0, "miss": -0.2}, ("prior", "oracle")
)


def page(run: Path) -> Page:
    return Page(render(read_run(run), ABOUT))


def test_a_run_with_everything_has_every_section_and_no_link_leads_nowhere(folder: Path) -> None:
    found = page(folder)
    assert found.open == ["html"] or not found.open
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.links) <= set(found.ids)
    assert found.fetched == []
    wanted = (
        "asked overview prediction reward tuned curves confusion calibration acts terms hours figures failures gates"
    )
    assert set(wanted.split()) <= set(found.ids)


def test_what_is_taken_for_what_among_thirty_thousand_actions(folder: Path) -> None:
    for path in (folder / "report").glob("judged-*.json"):
        record = json.loads(path.read_text())
        record["actions"] = [*record["actions"], *(f"a{i}" for i in range(30_000))]
        for predictions in record["predictions"].values():
            predictions["counts"] += [[30_002, 5, 99], [30_002, 30_002, 1]]
        path.write_text(json.dumps(record))
    tracemalloc.start()
    text = page(folder).text
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "a29999" in text
    assert "99%" in text
    assert most < 200_000_000


def test_what_was_asked(folder: Path) -> None:
    text = page(folder).text
    for part in (
        "python -m lam_env.run <x>",
        "days=1",
        "2 evaluation seeds of 2 worlds each, split test",
        "cpu",
        "12 s",
        "numpy 2",
    ):
        assert part in text
    assert "KeyError: <b>" in text


def test_a_list_of_devices_is_not_written_out(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["world"] |= {"devices": '{"rooms": {"kitchen": {"kettle": "appliance"}}}'}
    (folder / "config.json").write_text(json.dumps(config))
    text = page(folder).text
    assert "devices=(a list: config.json has it)" in text
    assert "kettle" not in text


def test_numbers_are_those_of_the_run(folder: Path) -> None:
    text = page(folder).text
    assert "Kept one by one are 2 of 4." in text
    assert "101 -10 -20 1 touch -10" in text  # the worst episode: 10 behind none, by touches
    assert "lamp.on lamp.off 2 25%" in text  # the most frequent mistake
    assert "lamp.on 3 75% 2 0" in text  # what it does
    assert "1 of 1 gates passed." in text
    assert "bed time 1 1.5 < 2 yes" in text
    found = {what: value for what, value, _ in tiles(read_run(folder))}
    assert found["next action known, by ppo_prior"] == "50%"
    assert found["lift in true utility, per person and day"] == "+6"
    assert found["of what the oracle wins"] == "30%"
    rows = read_run(folder).rows
    counted = [r._replace(agent="plugin", value=r.value - 3) for r in rows if r.agent == "ppo_prior"]
    write(folder / "results.csv", [*rows, *counted])
    found = {what: value for what, value, _ in tiles(read_run(folder))}
    assert found["of it more than plugin, the best counting row"] == "+15.0%"


def test_a_record_of_an_earlier_version_is_read(folder: Path) -> None:
    for file in (folder / "report").glob("judged-*.json"):
        file.write_text(file.read_text().replace('"decisions"', '"epochs"'))
    run = read_run(folder)
    assert run.judged["none", 0]["episodes"]["decisions"] == [9, 9]
    assert "8" in [
        c.value
        for row in next(s for s in sections(run, ABOUT) if s.id == "calibration").figures[0].data.rows
        for c in row
    ]


def test_the_information_ladder_is_drawn_in_its_order(folder: Path) -> None:
    rows = read_run(folder).rows
    rungs = [r._replace(variant=f"ladder:{name}") for name in ("oracle", "prior") for r in rows if r.agent == "oracle"]
    write(folder / "results.csv", [*rows, *rungs])
    ladder = next(s for s in sections(read_run(folder), ABOUT) if s.id == "ladder")
    assert ladder.figures[0].data is not None
    assert [row[0].value for row in ladder.figures[0].data.rows] == ["prior", "oracle"]


def test_the_habits_of_a_real_log(folder: Path) -> None:
    section = next(s for s in sections(read_run(folder), ABOUT) if s.id == "habits")
    anchors = {row[0].value: [cell.value for cell in row[1:]] for row in section.tables[0].rows}
    assert anchors == {"lamp.on": ["08:00", "0 min", "100%"], "lamp.off": ["22:00", "0 min", "100%"]}
    assert section.figures[0].data.rows[0][9].value == "20"
    assert "From 20 days of the log" in section.text
    assert not section.notes  # nobody acted in her likeness


def test_of_several_people_it_is_said_whose_habits_these_are(folder: Path) -> None:
    path = folder / "log" / "real"
    log = ActionLog.load(path)
    half = {name: column[::2] for name, column in log.columns.items()}
    columns = {name: np.concatenate([half[name], column]) for name, column in log.columns.items()}
    columns["world"] = np.repeat([0, 1], [len(log) // 2, len(log)])
    shutil.rmtree(path)
    both = ActionLog.from_columns(columns, log.vocabulary, protocol=Protocol("each"), meta={"users": ["ann", "ben"]})
    both.save(path)
    section = next(s for s in sections(read_run(folder), ABOUT) if s.id == "habits")
    assert "It holds 2 streams: these are the habits of the busiest (ben)." in section.text


def test_what_an_agent_is_worth_to_her_comes_after_how_far_her_likeness_can_be_believed(folder: Path) -> None:
    results = folder / "results.csv"
    results.write_text(results.read_text().replace(",sim,", ",twin,"))
    section = next(s for s in sections(read_run(folder), ABOUT) if s.id == "habits")
    first, second = section.notes[:2]
    assert "meets 1 of 1 gates" in first
    assert "`ppo_prior` wins +6" in second


@pytest.mark.parametrize("lacking", ["log", "logs", "days"])
def test_without_days_of_a_real_log_there_are_no_habits(folder: Path, lacking: str) -> None:
    log = ActionLog.load(folder / "log" / "real")
    shutil.rmtree(folder / "log")
    if lacking == "days":
        log.select(log.time < 3 * DAY).save(folder / "log" / "real")
    elif lacking == "logs":
        log.save(folder / "log" / "train")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "logs": None}))
    assert next(s for s in sections(read_run(folder), ABOUT) if s.id == "habits").missing


def test_terms_are_weighed(folder: Path) -> None:
    terms = next(s for s in sections(read_run(folder), ABOUT) if s.id == "terms")
    data = terms.figures[0].data
    assert data is not None
    assert [[c.value for c in row] for row in data.rows] == [["assist", *["2"] * 4], ["miss", *["-0.8"] * 4]]


@pytest.mark.parametrize("lacking", ["results.csv", "report", "curve-ppo_prior-0.csv", "report/about.json"])
def test_what_is_missing_is_left_out_with_a_sentence(folder: Path, lacking: str) -> None:
    path = folder / lacking
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
    else:
        path.unlink()
    made = {s.id: s for s in sections(read_run(folder), ABOUT)}
    missing = {k for k, s in made.items() if s.missing}
    wanted = {
        "results.csv": {"overview", "prediction", "reward", "figures", "terms", "tuned"},
        "report": {"calibration", "confusion", "hours", "acts", "failures", "gates", "replay"},
        "curve-ppo_prior-0.csv": {"curves"},
        "report/about.json": {"gates"},
    }[lacking]
    assert wanted <= missing
    assert all(not (s.figures or s.tables) for k, s in made.items() if k in missing)
    text = page(folder).text
    for k in wanted:
        assert made[k].title in text
        assert text.count(made[k].missing) == 1  # however many sections it keeps away


def test_a_run_that_only_predicts_says_once_that_nobody_acts(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "predict": True}))
    for kept in (folder / "report").glob("*.json"):
        kept.unlink()
    made = {s.id: s.missing for s in sections(read_run(folder), ABOUT)}
    assert {made[k] for k in ("replay", "acts", "hours", "failures")} == {PREDICTS}
    assert made["calibration"] not in ("", PREDICTS)


def test_config_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"scenario": "elsewhere:Scenario"}')
    found = page(tmp_path)
    assert set(found.ids) >= {"asked", "left-out"}
    assert "Elsewhere" not in found.text


SPOILT = {
    "config.json": ["", "{", "[]", "{}", '{"scenario": 3}', "[" * 100_000],
    "results.csv": ["nonsense"],
    "curve-ppo_prior-0.csv": ["", "agent,train_seed,step,reward\na,0,x,1\n", "a\nb\n"],
    "report/about.json": ["{", '"x"'],
    "report/judged-none-0.json": ["{", "{}", "[1]", '{"agent": "none", "train_seed": NaN}'],
    "report/replay-0.json": ["{"],
}


@pytest.mark.parametrize(("name", "text"), [(k, t) for k, ts in SPOILT.items() for t in ts])
def test_a_file_that_makes_no_sense_is_named(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(UserError) as caught:
        read_run(folder)
    assert Path(name).name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_config_without_settings_says_what_to_do(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"config\.json: names no scenario; give the folder that a run has written"):
        read_run(folder)


def test_of_a_suite_it_is_said_whose_report_there_is(folder: Path) -> None:
    (folder / "config.json").write_text('{"suite": "quick", "runs": ["game"]}')
    with pytest.raises(UserError, match=f"{folder}: is a suite's: give {folder}/NAME of one of its runs"):
        read_run(folder)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run folder"):
        read_run(tmp_path)


def test_nothing_that_a_file_says_becomes_code(folder: Path) -> None:
    """Names with tags in them stay names, in text, in figures and in the replay's data."""
    evil = "</script><script>alert(1)</script>"
    data = judged("ppo_prior", [1.0, 2.0])
    data["actions"] = ["none", evil, "lamp.off"]
    (folder / "report/judged-ppo_prior-0.json").write_text(json.dumps(data))
    (folder / "report/judged-prior-0.json").write_text(json.dumps(data | {"agent": "prior"}))
    trace = {"kind": "typical", "agent": evil, "seed": 1, "predictor": None, "whole": True, "width": 9, "height": 9,
             "background": "page", "styles": [["text", None, 0, 1.0]], "items": [["t", 0, 1, 1, 5, 0, 0, evil]],
             "frames": [{"title": evil, "draw": [0]}]}  # fmt: skip
    (folder / "report/replay-0.json").write_text(json.dumps(trace))
    text = render(read_run(folder), ABOUT)
    assert evil not in text
    assert text.count("<script") == 2  # the replay's data, and the page's own
    inside = re.search(r'<script type="application/json">(.*?)</script>', text)
    assert inside is not None
    assert json.loads(inside[1]) == trace


def test_a_scenario_s_own_colours_are_on_the_page_and_nothing_else_that_stands_in_their_place(folder: Path) -> None:
    trace = {"kind": "typical", "agent": "a", "seed": 1, "predictor": None, "whole": True, "width": 9, "height": 9,
             "background": "page", "styles": [["copper", None, 0, 1.0]], "items": [["c", 0, 1, 1, 5]],
             "frames": [{"title": "kettle", "draw": [0]}], "roles": {"copper": ["b87333", "8c5a2b"]}}  # fmt: skip
    (folder / "report/replay-0.json").write_text(json.dumps(trace))
    text = render(read_run(folder), ABOUT)
    assert text.count("--s-copper: #b87333;") == text.count("--s-copper: #8c5a2b;") == 1
    now = ScenarioNotes(roles={"copper": ("b87333", "8c5a2b")})
    (folder / "report/replay-0.json").write_text(json.dumps({k: v for k, v in trace.items() if k != "roles"}))
    assert "--s-copper: #b87333;" in render(read_run(folder), now)  # a trace from before traces held colours
    muted = re.search(r"--muted: (#\w+);", render(read_run(folder), ABOUT))
    assert muted is not None
    assert f"--s-copper: {muted[1]};" in render(read_run(folder), ABOUT)  # a role that nobody knows any more
    for roles in ({"copper": ["b87333", "</style>"]}, {"x;}</style>": ["b87333", "8c5a2b"]}):
        (folder / "report/replay-0.json").write_text(json.dumps(trace | {"roles": roles}))
        with pytest.raises(ValueError, match="colour role"):
            render(read_run(folder), ABOUT)


def test_without_a_tuned_policy_the_page_is_about_the_best_that_is_no_ceiling(folder: Path) -> None:
    rows = [r for r in read_run(folder).rows if r.agent != "ppo_prior"]
    write(folder / "results.csv", rows)
    run = read_run(folder)
    assert shown_agent(run) == "prior"
    assert next(s for s in sections(run, ABOUT) if s.id == "tuned").missing


def test_every_figure_is_told_as_a_table_too(folder: Path) -> None:
    for section in sections(read_run(folder), ABOUT):
        for figure in section.figures:
            assert figure.data is not None, section.id
            assert figure.data.rows, section.id


def test_colours_of_both_themes_can_be_read() -> None:
    """Text and marks of the page's own style sheet against its surfaces (WCAG 2.2: 4.5 for text, 3 for marks)."""
    from lam_env.envs.scene import contrast
    from lam_env.evaluation.report import page as module

    style = (Path(module.__file__).parent / "style.css.j2").read_text(encoding="utf-8")
    for block in style.split("@media (prefers-color-scheme: dark)")[:2]:
        found = {
            k: (int(v[0:2], 16), int(v[2:4], 16), int(v[4:6], 16))
            for k, v in re.findall(r"--(\w+): #([0-9a-f]{6})", block)
        }
        for ground in ("page", "panel"):
            for text in ("text", "muted", "a", "b", "w", "ok"):
                assert contrast(found[text], found[ground]) >= 4.5, (text, ground)
            for mark in ("c", "d", "n", "zero"):
                assert contrast(found[mark], found[ground]) >= 3, (mark, ground)
        assert contrast(found["text"], found["mark"]) >= 4.5
