"""A log in the words of a home, and the days a twin is made from."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from outside import HOMES, needs

from lam_env.commands.run import main
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, FEEDBACK, READING, SENSOR, USER, ActionLog, Event, Protocol, Vocabulary
from lam_env.core.rng import Streams
from lam_env.core.units import DAY
from lam_env.evaluation.report.recorder import ABOUT
from lam_env.evaluation.results import read
from lam_env.experiment.inputs import RealLog, real_log
from lam_env.experiment.logs.real import in_the_home, persons, resident_log, training_days
from lam_env.experiment.policies import scenario_of
from lam_env.experiment.run_folder import RunFolder
from lam_env.experiment.settings import RunSettings
from lam_env.logs.calibrate import calibrate
from lam_env.logs.decision_points import decision_points, split_by_day

HOME = Vocabulary(("none", "lamp.on", "lamp.off", "heat.on"), ("hall", "bath"), ("sun",), patience=(1, 2, 3, 4))
THEIRS = Vocabulary(("none", "dance", "lamp.off", "lamp.on"), ("bath", "garden"), ("rain", "sun"), ("accept",))
ACTIVITIES = Vocabulary(("none", "eat", "sleep", "work"))


def log_of(*rows: tuple[int, int], vocabulary: Vocabulary = THEIRS) -> ActionLog:
    """(kind, token) each, a minute apart."""
    return ActionLog.from_events(
        [Event(60 * i, 0, kind, token, 2.5) for i, (kind, token) in enumerate(rows)], vocabulary
    )


def test_events_are_said_in_the_words_of_the_home_and_the_unknown_is_left_out() -> None:
    log = log_of(
        (USER, 1), (USER, 2), (USER, 3), (AGENT, 3), (SENSOR, 0), (SENSOR, 1), (READING, 0), (READING, 1), (FEEDBACK, 0)
    )
    mapped = in_the_home(log, HOME, 600)
    assert mapped is not None
    assert mapped.vocabulary == HOME
    assert mapped.timer == 600
    assert list(zip(mapped.kind.tolist(), mapped.token.tolist(), mapped.time.tolist(), strict=True)) == (
        [(USER, 2, 60), (USER, 1, 120), (AGENT, 1, 180), (SENSOR, 1, 240), (READING, 0, 420)]
    )
    assert set(mapped.value.tolist()) == {2.5}


@pytest.mark.parametrize("actions", [("none", "dance", "sing"), ("none", "dance", "lamp.on")])
def test_a_log_without_two_commands_of_the_home_cannot_live_there(actions: tuple[str, ...]) -> None:
    assert in_the_home(log_of((USER, 1), (USER, 2), vocabulary=Vocabulary(actions)), HOME, 600) is None


def activities(days: int) -> ActionLog:
    """Somebody who sleeps, eats twice and works."""
    plan = ((1, 2, 6 * 3600), (8, 1, 1800), (10, 3, 6 * 3600), (19, 1, 2400))
    events = [Event(d * DAY + h * 3600 + 97 * d % 600, 0, USER, a, float(n)) for d in range(days) for h, a, n in plan]
    return ActionLog.from_events(events, ACTIVITIES, intervals=True)


@pytest.mark.parametrize("days", [10, 20, 33])
def test_training_days_end_where_validation_begins(days: int) -> None:
    log = activities(days)
    part = training_days(log)
    points = decision_points(log, soon=False)
    train, valid, _ = split_by_day(points)
    # targets of training rows start on the days kept, those of validation rows after them
    start = (points.time - points.duration).astype(np.int64)
    last = int(part.time.max()) // DAY
    assert {int(start[i + 1]) // DAY for i in np.flatnonzero(train)} <= set(range(last + 1))
    assert min(int(start[i + 1]) // DAY for i in np.flatnonzero(valid)) == last + 1
    assert len(part) < len(log)


def test_tables_survive_their_file_and_somebody_lives_by_them(tmp_path: Path) -> None:
    tables = calibrate(activities(20))
    (tmp_path / "tables.json").write_text(json.dumps([tables.to_json()]))
    (again,) = RunFolder(tmp_path).tables()
    a, b = resident_log(tables, 10), resident_log(again, 10)
    assert a.vocabulary == b.vocabulary
    for name, column in a.columns.items():
        np.testing.assert_array_equal(column, b.columns[name])
    assert a.vocabulary.actions == ("none", *tables.activities)
    assert {int(t) // DAY for t in a.time} >= set(range(1, 9))


@pytest.mark.parametrize("data", [{}, [], [1], [{"activities": ["eat"]}, 2], calibrate(activities(20)).to_json()])
def test_tables_that_are_no_list_of_habits_are_refused_in_one_line(data: object, tmp_path: Path) -> None:
    (tmp_path / "tables.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"tables.json: cannot be read \(.*; give another run$"):
        RunFolder(tmp_path).tables()


TINY = ["predictor.passes=1", "predictor.hidden=8", "train.steps=256", "eval.seeds=2", "eval.worlds=1"]
TINY += ["world.days=1", "log.worlds=2", "log.days=2", "agents=prior", "workers=1", "train.trial=2"]


def becomes_a_twin(tmp_path: Path, *log: str) -> None:
    """A run on a log of activities, and one that goes on from it."""
    out, after = tmp_path / "out", tmp_path / "after"
    main([*TINY, *log, f"out={out}"])
    rows = read(out / "results.csv")
    assert {r.variant for r in rows} == {"log", "twin", "twin-later"}
    assert {r.agent for r in rows if r.variant == "twin"} == {"resident", "none", "prior", "oracle"}
    assert {p.name for p in (out / "model").iterdir()} == {"prior", "prior-real"}
    assert "trained on simulated, tested on real" in (out / "tables.md").read_text()
    again(out, *TINY, *log)
    main([*(w for w in TINY if not w.startswith(("predictor", "log"))), f"model={out}", f"out={after}"])
    assert {r.variant for r in read(after / "results.csv")} == {"twin", "twin-later"}
    assert (after / "tables.json").read_bytes() == (out / "tables.json").read_bytes()


def again(out: Path, *words: str) -> None:
    """A run that is finished is left as it is, with the time and the gates that it has."""
    before = {name: (out / name).read_bytes() for name in ("config.json", "results.csv", "tables.md")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lam_env.experiment.logs.real.gates", lambda *_: pytest.fail("gates are found twice"))
        main([*words, f"out={out}"])
    assert {name: (out / name).read_bytes() for name in before} == before


def csv_of(later: dict[str, int], days: int = 14) -> str:
    """Days of each, who does all so many hours later than the first."""
    monday, names = datetime.datetime(2025, 3, 3, tzinfo=datetime.UTC), ACTIVITIES.actions
    rows = []
    for who, hours in later.items():
        for event in activities(days).events():
            when = monday + datetime.timedelta(seconds=event.time, hours=hours)
            rows.append(f"{when.isoformat()},{who},{names[event.token]},{event.value}")
    return "\n".join(["time,user,action,duration", *sorted(rows)])


def test_a_log_of_activities_becomes_a_twin_in_which_agents_are_judged(tmp_path: Path) -> None:
    (tmp_path / "ben.csv").write_text(csv_of({"ben": 0}))
    becomes_a_twin(tmp_path, f"logs={tmp_path / 'ben.csv'}", "format=csv", "zone=UTC")


def test_two_people_become_a_home_of_two_each_with_habits_and_gates_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "both.csv").write_text(csv_of({"anna": 0, "ben": 3}))
    becomes_a_twin(tmp_path, f"logs={tmp_path / 'both.csv'}", "format=csv", "zone=UTC")
    run = RunFolder(tmp_path / "out")
    assert run.config()["world"]["residents"] == 2  # type: ignore[index]
    for shown in ("anna: wake-up sd", "ben: wake-up sd", "anna: trained on simulated", "ben: trained on simulated"):
        assert shown in (tmp_path / "out" / "tables.md").read_text()
    gates = json.loads((tmp_path / "out" / ABOUT).read_text())["gates"]
    said = {r.metric: r.value for r in read(tmp_path / "out" / "results.csv") if r.agent == "resident"}
    assert said == {
        metric: float(all(g["passed"] for g in gates if g["metric_id"] == metric and g["passed"] is not None))
        for metric in {g["metric_id"] for g in gates if g["passed"] is not None}
    }
    log = ActionLog.load(run.log / "real")
    assert len(persons(log)) == 2
    first, second = (resident_log(tables, 30) for tables in run.tables())
    hours = []
    for simulated, own in zip((first, second), persons(log).values(), strict=True):
        work = simulated.vocabulary.action("work")
        hours.append(simulated.time[simulated.token == work].astype(float) % DAY / 3600)
        np.testing.assert_allclose(np.median(hours[-1]), np.median(own.time[own.token == work] % DAY / 3600), atol=0.5)
    assert 2.5 < np.median(hours[1]) - np.median(hours[0]) < 3.5
    scenario = scenario_of(run)
    lives = [tables for _, tables, _ in scenario.people(Streams(1))]  # type: ignore[attr-defined]
    assert [one.to_json() for one in lives] == [one.to_json() for one in run.tables()]


def stays_of(path: Path, homes: dict[str, str], days: int = 20, **settings: object) -> tuple[RealLog, str]:
    """Of people who are at work by day, at home by night, and once at each of three shops; and their home by name."""
    rows = ["user,place,arrival,departure"]
    for who, home in homes.items():
        for day in range(1, days + 1):
            rows.append(f"{who},work,2025-03-{day:02}T08:{day:02}:00Z,2025-03-{day:02}T17:00:00Z")
            if day in (5, 9, 13):
                rows.append(f"{who},shop{day},2025-03-{day:02}T17:10:00Z,2025-03-{day:02}T18:00:00Z")
            rows.append(f"{who},{home},2025-03-{day:02}T18:{day:02}:00Z,2025-03-{day + 1:02}T07:50:00Z")
    path.write_text("\n".join(rows))
    said = RunSettings(logs=str(path), format="stays", zone="UTC", **settings)  # type: ignore[arg-type]
    found = real_log(said, registry.scenario("smart_home")())
    assert found is not None
    return found, ",".join(one.home for one in found.tables)


def test_a_log_of_stays_is_somebody_who_is_out_at_places_and_rare_ones_count_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, home = stays_of(tmp_path / "stays.csv", {"ann": "flat", "ben": "house"}, user="ann")
    assert home == "flat"
    assert found.log.vocabulary.actions == ("none", "flat", "work", "elsewhere")
    said = capsys.readouterr().out
    assert "left out: 43 events of another user" in said
    assert "home is flat; what is done there is a persona's, for stays do not tell it" in said
    assert "3 places of fewer than 10 stays count as elsewhere: 7 % of the stays" in said


def test_people_of_one_home_each_have_a_likeness_and_those_of_two_homes_are_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stays_of(tmp_path / "one.csv", {"ann": "flat", "ben": "flat"})[1] == "flat,flat"
    found, home = stays_of(tmp_path / "two.csv", {"ann": "flat", "ben": "house"})
    assert (home, found.acts) == ("", False)
    assert "shop5" in found.log.vocabulary.actions
    assert (
        "no one home: they live at flat, house, so they are predicted and nobody acts; user=NAME reads one of them"
        in " ".join(capsys.readouterr().out.split())
    )


def test_stays_of_a_few_days_make_no_likeness(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"give a longer log \(a twin needs about ten days\)$"):
        stays_of(tmp_path / "few.csv", {"ann": "flat"}, days=7)


def test_persons_are_streams_by_their_names_each_up_to_its_own_end() -> None:
    one = activities(12)
    columns = {name: np.concatenate([column, column]) for name, column in one.columns.items()}
    columns["world"] = np.repeat([0, 1], len(one))
    log = ActionLog.from_columns(
        columns,
        ACTIVITIES,
        intervals=True,
        end=(12 * DAY, 13 * DAY),
        protocol=Protocol("each"),
        meta={"users": ["a", "b"]},
    )
    found = persons(log)
    assert [(who, len(part), part.end) for who, part in found.items()] == [
        ("a", len(one), (12 * DAY,)),
        ("b", len(one), (13 * DAY,)),
    ]
    for part in found.values():
        assert training_days(part).time.tolist() == training_days(one).time.tolist()


@pytest.mark.slow
@needs(HOMES)
def test_a_real_home_becomes_a_twin_in_which_agents_are_judged(tmp_path: Path) -> None:
    becomes_a_twin(tmp_path, f"logs={HOMES}", "format=casas_xes", "home=hh102")
