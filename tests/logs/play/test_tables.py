"""Play behaviour estimated, drawn again and estimated once more; and held against the published log."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import PLAYS, needs

from lam_env.commands.play_report import main
from lam_env.core.events import LogError
from lam_env.logs.formats import mobile_plays
from lam_env.logs.play.draw import draw, gaps
from lam_env.logs.play.fidelity import play_gates
from lam_env.logs.play.likelihood import unseen
from lam_env.logs.play.sessions import Plays, hazard, play_statistics, plays_of, sessions_of
from lam_env.logs.play.tables import GapPart, PlayTables, estimate_play, gap_mixture

KNOWN = PlayTables(
    ends=(0.2, -0.4, 0.6),
    leaves=(0.3, -0.8, -0.3, 0.3),
    gaps=(GapPart("lognormal", 0.6, 5.0, 1.0), GapPart("normal", 0.4, 22.0, 1.5)),
    pauses=(10.0, 40.0, 300.0),
    hours=(1 / 24,) * 24,
    arrivals=(0.0, 100.0),
    days=200.0,
)


@pytest.fixture(scope="module")
def population():
    return draw(KNOWN, 6000, np.random.default_rng(0))


@pytest.fixture(scope="module")
def again(population):
    return estimate_play(population)


def test_what_was_put_in_is_found_again(again):
    assert again.ends == pytest.approx(KNOWN.ends, abs=0.1)
    assert again.leaves == pytest.approx(KNOWN.leaves, abs=0.25)
    assert again.pauses[20] == pytest.approx(40, rel=0.1)
    assert again.days == pytest.approx(200, abs=10)
    bump = again.gaps[-1]
    assert bump.weight == pytest.approx(0.4, abs=0.06)
    assert bump.center == pytest.approx(22, abs=0.5)


def test_without_a_players_own_effect_none_is_found():
    flat = dataclasses.replace(KNOWN, ends=(0.0, -0.3, 0.0), leaves=(0.0, -0.8, 0.0, 0.0))
    assert estimate_play(draw(flat, 4000, np.random.default_rng(1))).ends[2] < 0.25


def test_the_population_drawn_from_the_estimate_passes_every_gate(population, again):
    drawn = draw(again, 6000, np.random.default_rng(5))
    assert [g.name for g in play_gates(population, drawn) if g.passed is False] == []


def test_the_same_seed_draws_the_same_people():
    a, b, c = (draw(KNOWN, 50, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(a.time, b.time)
    assert not np.array_equal(a.time[:50], c.time[:50])


def test_a_hazard_without_slope_is_constant():
    never = dataclasses.replace(KNOWN, ends=(math.log(0.25 / 0.75), 0.0, 0.0))
    cut = sessions_of(draw(never, 8000, np.random.default_rng(2)))
    assert hazard(cut.plays, (1, 2, 3, 5)) == pytest.approx([0.25] * 4, abs=0.02)


@given(st.floats(0.1, 50), st.floats(0.1, 2), st.floats(0, 1), st.integers(0, 99))
def test_no_gap_is_shorter_than_the_break(center, spread, weight, seed):
    parts = (GapPart("lognormal", weight, center, spread), GapPart("normal", 1 - weight, center, spread))
    drawn = gaps(dataclasses.replace(KNOWN, gaps=parts), 200, np.random.default_rng(seed))
    assert (drawn > 0.5).all()


def test_the_mixture_has_the_quantiles_of_its_gaps():
    rng = np.random.default_rng(0)
    own = np.r_[
        0.5 + 4 * np.exp(rng.standard_normal(3000)),
        23 + 2 * rng.standard_normal(1500),
        0.5 + 150 * np.exp(rng.standard_normal(1500)),
    ]
    parts = gap_mixture(own, 0.5, np.ones(len(own)))
    assert sum(p.weight for p in parts) == pytest.approx(1)
    drawn = gaps(dataclasses.replace(KNOWN, gaps=parts), 50_000, rng)
    assert np.quantile(drawn, (0.25, 0.5, 0.75, 0.9)) == pytest.approx(
        np.quantile(own, (0.25, 0.5, 0.75, 0.9)), rel=0.1
    )


def test_a_long_gap_stands_for_those_that_the_logs_end_hides():
    time = np.array([0, 10, 0, 0]) * 86_400
    plays = Plays(np.array([0, 0, 1, 2]), time, np.zeros(4), 12 * 86_400)
    # of four sessions' ends, three lie 10 days or more before the log's
    assert unseen(sessions_of(plays), plays.end).tolist() == [4 / 3, 1, 1, 1]


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_correction_is_read_between_its_plays_and_gaps():
    plain = KNOWN.end(4)
    moved = dataclasses.replace(KNOWN, shift=(0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0), stretch=((10.0, 1.0), (1000.0, 4.0)))
    assert [moved.end(n) - KNOWN.end(n) for n in (1, 4, 7, 999)] == pytest.approx(
        [0, 1, 1 + math.log(1.4) / math.log(2), 3]
    )
    assert KNOWN.end(0) == KNOWN.end(1) > plain
    assert [moved.stretched(h) for h in (1.0, 10.0, 100.0, 5000.0)] == pytest.approx([1, 10, 200, 20_000])
    assert KNOWN.stretched(7.0) == 7.0
    assert len(moved.lines()) == len(KNOWN.lines()) + 2
    assert PlayTables.from_json(json.loads(json.dumps(moved.to_json()))) == moved


def test_tables_on_disk(tmp_path, again):
    again.save(tmp_path / "t.json")
    assert PlayTables.load(tmp_path / "t.json") == again
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends": [1, 2]}, "ends is no list of 3"),
        ({"ends": [1, 2, -1]}, "not negative"),
        ({"leaves": [1, 2, 3]}, "leaves is no list of 4"),
        ({"gaps": []}, "gaps need parts"),
        ({"gaps": [{"kind": "cauchy", "weight": 1, "center": 1, "spread": 1}]}, "gaps need parts"),
        ({"gaps": [{"kind": "normal", "weight": 0.5, "center": 1, "spread": 1}]}, "must sum to 1"),
        ({"gaps": [{"kind": "normal"}]}, "not of this version"),
        ({"hours": [1.0]}, "24 shares"),
        ({"pauses": [5, 1]}, "pauses must be rising"),
        ({"arrivals": [1]}, "arrivals must be rising"),
        ({"days": 0}, "days and minutes"),
        ({"days": float("nan")}, "NaN is no number"),
        ({"pauses": "often"}, "not of this version"),
        ({"more": 1}, "not of this version"),
        ({"shift": [0.0, 1.0]}, "shift has 7 numbers"),
        ({"leaves": [1, 2, 3, 1000]}, "log-odds"),
        ({"stretch": [[5, 1], [3, 1]]}, "rising gaps"),
        ({"stretch": [[5, -1]]}, "factors above 0"),
        ({"stretch": [[5, 1, 2]]}, "not of this version"),
        ({"gaps": [{"kind": "lognormal", "weight": 1, "center": 1, "spread": 99}]}, "no log can show"),
    ],
)
def test_bad_tables_are_refused(tmp_path, change, message):
    (tmp_path / "t.json").write_text(json.dumps({**KNOWN.to_json(), **change}))
    with pytest.raises(LogError, match=message) as caught:
        PlayTables.load(tmp_path / "t.json")
    assert "t.json" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "3", "{}", "[" * 100_000])
def test_what_is_no_table_is_refused(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(LogError):
        PlayTables.load(tmp_path / "t.json")
    with pytest.raises(LogError, match=r"none\.json: no such file"):
        PlayTables.load(tmp_path / "none.json")


def test_too_little_to_estimate():
    few = Plays(np.array([0, 0, 1]), np.array([0, 9_000, 0]), np.zeros(3), 9_000)
    with pytest.raises(LogError, match="1 returns"):
        estimate_play(few)
    with pytest.raises(LogError, match="a single player"):
        estimate_play(Plays(np.zeros(2, int), np.array([0, 9_000]), np.zeros(2), 9_000))


# -- the command -------------------------------------------------------------------------------------------------------


def write(path, population):
    rows = zip(population.player.tolist(), (population.time + 1_400_000_000).tolist(), strict=True)
    path.write_text("player,score,time\n" + "".join(f"{p},{(p * 7 + t) % 900},{t}\n" for p, t in rows))
    return path


def test_the_command_reports_and_writes_the_tables(tmp_path, population, capsys):
    path, out = write(tmp_path / "p.csv", population), tmp_path / "t.json"
    assert main([f"path={path}", f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert "plays of 6,000 players" in said
    assert said.count("| yes |") >= 6
    assert "Made by `python -m lam_env play_report path=" in said
    tables = PlayTables.load(out)
    assert tables.ends == pytest.approx(KNOWN.ends, abs=0.1)
    mobile_plays.load(str(path))[0].save(tmp_path / "log")
    assert main([f"path={path}", f"simulated={tmp_path / 'log'}"]) == 0
    assert capsys.readouterr().out.count("| yes |") == 7  # the log is like itself


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "give the file of plays"),
        (["path=none.csv"], "no such file"),
        (["path=none.csv", "out=nowhere/t.json"], "its folder is not there"),
        (["path=none.csv", "format=mobile"], "no log format 'mobile'"),
        (["path=none.csv", "simulated=none"], "not a readable log"),
        (["path=p.csv"], "a single player"),
        (["pth=p.csv"], "did you mean 'path'"),
        (["path=p.csv", "minutes=0"], "at least 1"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(tmp_path, monkeypatch, capsys, argv, message):
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("player,score,time\n1,5,1400000000\n1,60,1400090000\n")
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("error: ")
    assert message in lines[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


# -- the published log -------------------------------------------------------------------------------------------------


@needs(PLAYS)
def test_players_drawn_from_the_published_log_are_like_it():
    source = plays_of(mobile_plays.load(str(PLAYS))[0])
    drawn = draw(estimate_play(source), len(source.first), np.random.default_rng(0))
    a, b = play_statistics(source), play_statistics(drawn)
    assert np.abs(np.subtract(a["hazard"], b["hazard"])).max() < 0.03
    assert np.abs(np.divide(b["gap_hours"], a["gap_hours"]) - 1).max() < 0.10
    assert all(gate.passed for gate in play_gates(source, drawn))
