"""Players calibrated to a log: it is played again, moods still count, and what is no log or table is refused."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from lam_env.scenarios.game import Game, cohort
from lam_env.scenarios.game.calibration import calibration
from lam_env.scenarios.game.calibration.calibration import calibrate_game, simulate_lives
from lam_env.scenarios.game.params import GameParams
from lam_env.scenarios.game.player.player import Player
from lam_env.scenarios.game.player.traits import Traits
from lam_env.scenarios.game.rules.compiled import Compiled, logistic
from lam_env.scenarios.game.rules.rules import RULES
from outside import PLAYS, needs

from lam_env.commands import run
from lam_env.core.events import LogError
from lam_env.core.rng import Streams
from lam_env.envs.single import LamEnv
from lam_env.logs.formats import mobile_plays
from lam_env.logs.play.draw import draw
from lam_env.logs.play.fidelity import play_gates
from lam_env.logs.play.sessions import hazard, play_statistics, plays_of, sessions_of
from lam_env.logs.play.tables import GapPart, PlayTables

FLAT = (0.0,) * 7
KNOWN = PlayTables(
    ends=(-0.3, -0.5, 0.5),
    leaves=(0.6, -0.5, -0.2, 0.4),
    gaps=(GapPart("lognormal", 0.7, 12.0, 1.6), GapPart("normal", 0.3, 23.0, 2.0)),
    pauses=(10.0, 40.0, 300.0),
    hours=(1 / 24,) * 24,
    arrivals=(0.0, 30.0),
    days=60.0,
    shift=FLAT,
)
PARAMS = GameParams()


def lived(players=300, first=0, **changes):
    tables = dataclasses.replace(KNOWN, **changes)
    return simulate_lives(Compiled(RULES, PARAMS, tables), range(first, first + players), tables)


def write(path, plays):
    rows = zip(plays.player.tolist(), (plays.time + 1_400_000_000).tolist(), strict=True)
    path.write_text("player,score,time\n" + "".join(f"{p},{(p * 7 + t) % 900},{t}\n" for p, t in rows))
    return path


# -- a log's behaviour is found again in the game ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def source():
    return draw(KNOWN, 4000, np.random.default_rng(3))


@pytest.fixture(scope="module")
def tables(source):
    return calibrate_game(source, RULES, PARAMS, plays=10_000)


def apart(source, lived):
    """Largest distance of hazards after plays that 100 sessions of both have, and of gap quantiles by the log's."""
    a, b = play_statistics(source), play_statistics(lived)
    reach = min((sessions_of(x).plays >= 20).sum() for x in (source, lived))
    seen = slice(None) if reach >= 100 else slice(5)
    return (
        np.abs(np.subtract(a["hazard"], b["hazard"]))[seen].max(),
        np.abs(np.divide(b["gap_hours"], a["gap_hours"]) - 1).max(),
    )


def test_the_calibrated_game_plays_as_the_log_did(source, tables):
    players = simulate_lives(Compiled(RULES, PARAMS, tables), range(4000), tables)
    hazards, gaps = apart(source, players)
    assert hazards < 0.05
    assert gaps < 0.15
    assert [g.name for g in play_gates(source, players) if g.passed is False] == []


def test_without_the_correction_moods_move_the_hazards(source, tables):
    raw = simulate_lives(Compiled(RULES, PARAMS, KNOWN), range(4000), KNOWN)
    assert apart(source, raw)[0] > 0.05
    assert max(map(abs, tables.shift)) > 0.2


def test_the_same_log_gives_the_same_tables(source):
    few = draw(KNOWN, 300, np.random.default_rng(3))
    assert calibrate_game(few, RULES, PARAMS, plays=500) == calibrate_game(few, RULES, PARAMS, plays=500)


@pytest.mark.parametrize(("players", "plays"), [(100, 20_000), (4000, 30_000)])
def test_a_round_is_as_large_as_the_log_needs_and_is_told(monkeypatch, players, plays):
    few, told, met = draw(KNOWN, players, np.random.default_rng(3)), [], []
    monkeypatch.setattr(calibration, "FULL", 1)
    monkeypatch.setattr(calibration, "LATER", 1)
    monkeypatch.setattr(calibration, "TIMES", min(3, plays / len(few.time)))
    monkeypatch.setattr(
        calibration, "simulate_lives", lambda game, seeds, tables, tell: met.append(len(seeds)) or tell(1) or few
    )
    calibrate_game(few, RULES, PARAMS, progress=lambda *said: told.append(said))
    assert met == [pytest.approx(plays / few.counts.mean(), abs=1)] * 2
    for i in (1, 2):
        stage = f"calibrate, round {i} of 2 [players]"
        assert [done for name, done, _ in told if name == stage] == [0, 1, met[0]]


@pytest.mark.slow
@needs(PLAYS)
def test_the_published_log_is_played_again():
    source = plays_of(mobile_plays.load(str(PLAYS))[0])
    tables = calibrate_game(source, RULES, PARAMS)
    players = simulate_lives(Compiled(RULES, PARAMS, tables), range(26_000), tables)
    a, b = play_statistics(source), play_statistics(players)
    hazards = np.abs(np.subtract(a["hazard"], b["hazard"]))
    assert hazards[:-1].max() < 0.03
    assert hazards[-1] < 0.06  # some 130 sessions are so long: two standard errors
    assert np.abs(np.divide(b["gap_hours"], a["gap_hours"]) - 1).max() < 0.10
    assert all(g.passed for g in play_gates(source, players))


# -- the world plays its tables ----------------------------------------------------------------------------------------


def test_sessions_end_and_players_leave_as_the_tables_say():
    at_once = lived(100, ends=(30.0, 0.0, 0.0), leaves=(-30.0, 0.0, 0.0, 0.0), days=10.0, arrivals=(0.0, 1.0))
    assert set(sessions_of(at_once).plays) == {1}
    assert at_once.counts.mean() > 3
    gone = lived(leaves=(30.0, 0.0, 0.0, 0.0))
    assert set(sessions_of(gone).number) == {1}


def test_the_shift_moves_the_hazard_of_its_play_alone():
    plain, moved = (sessions_of(lived(900, shift=s)).plays for s in (FLAT, (0.0, 8.0, *FLAT[2:])))
    assert hazard(moved, (1,)) == pytest.approx(hazard(plain, (1,)), abs=0.06)
    assert hazard(moved, (2,)) > 0.95


def test_players_own_effects_spread_them():
    def spread(s):
        plays = lived(250, ends=(-1.0, 0.0, s), leaves=(-3.0, 0.0, 0.0, 0.0), days=12.0, arrivals=(0.0, 1.0))
        cut = sessions_of(plays)
        means = np.bincount(cut.player, cut.plays) / np.maximum(1, np.bincount(cut.player))
        return np.log(means[means > 0]).std()

    assert spread(1.5) > 1.3 * spread(0.0)


def test_gaps_are_the_tables_but_for_the_night():
    part = GapPart("normal", 1.0, 48.0, 1.0)
    gaps = sessions_of(lived(150, gaps=(part,), leaves=(-4.0, 0.0, 0.0, 0.0))).gap
    gaps = gaps[~np.isnan(gaps)]
    assert len(gaps) > 500
    assert np.median(gaps) == pytest.approx(48, abs=1)
    assert gaps.mean() == pytest.approx(48, abs=1)
    short = sessions_of(lived(9, gaps=(GapPart("lognormal", 1.0, 0.01, 0.1),), leaves=(-3.0, 0.0, 0.0, 0.0))).gap
    assert np.nanmin(short) > KNOWN.minutes / 60


def test_a_stretch_makes_gaps_of_a_length_longer():
    gaps = (GapPart("normal", 0.5, 24.0, 1.0), GapPart("normal", 0.5, 96.0, 1.0))
    changes = {"gaps": gaps, "leaves": (-4.0, 0.0, 0.0, 0.0), "stretch": ((24.0, 1.0), (96.0, 1.25))}
    drawn = sessions_of(lived(150, **changes)).gap
    assert np.nanmedian(drawn[drawn < 60]) == pytest.approx(24, abs=1)
    assert np.nanmedian(drawn[drawn > 60]) == pytest.approx(120, abs=3)


def test_lives_are_cut_off_where_the_log_ends():
    plays = lived(40, leaves=(-30.0, 0.0, 0.0, 0.0), arrivals=(0.0, 40.0))
    assert plays.end == KNOWN.days * 86_400
    assert plays.time.max() <= plays.end
    assert plays.time[plays.first].max() > 30 * 86_400
    assert (plays.length > 0).all()
    assert np.array_equal(plays.time, lived(40, leaves=(-30.0, 0.0, 0.0, 0.0), arrivals=(0.0, 40.0)).time)


def test_moods_still_count_beside_calibrated_hazards():
    game = Compiled(RULES, PARAMS, KNOWN)
    traits = Traits(Streams(1)("player", "traits"), PARAMS, game.n, 3, len(RULES.classes), game.own)
    calm, bored = Player(game, traits), Player(game, traits)
    bored.boredom = bored.annoyance = 0.9
    assert logistic(bored.leaving(3, 10.0, -1.0)) > logistic(calm.leaving(3, 10.0, -1.0)) + 0.1
    assert bored.quitting(2, 3, 1.0) > calm.quitting(2, 3, 1.0) + 0.5
    assert calm.quitting(9, 3, 1.0) < calm.quitting(2, 3, 1.0) == calm.quitting(2, 3, 99.0)
    bored.satisfaction = 0.9
    assert bored.quitting(2, 3, 1.0) < calm.quitting(2, 3, 1.0)


def test_who_is_nagged_leaves_a_calibrated_game_sooner(tmp_path):
    path = tmp_path / "tables.json"
    KNOWN.save(path)
    stayed = {}
    for nag in (False, True):
        env, days = LamEnv("game", tables=str(path), days=10), []
        for seed in range(80):
            observation, _ = env.reset(seed=seed)
            ended = False
            while not ended:
                open_ = np.flatnonzero(observation["action_mask"])
                observation, _, *ends, _ = env.step(int(open_[-1]) if nag else 0)
                ended = any(ends)
            days.append(env.world.tally.left)
        stayed[nag] = np.mean(np.array(days) < 0)
    assert stayed[True] < stayed[False] - 0.03


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not readable play tables"),
        ('{"activities": ["sleep"], "durations": {}}', "and this is none"),
        ("[]", "and this is none"),
        ('{"a": 1}', "and this is none"),
        ('{"gaps": []}', "not of this version .ends is missing"),
        (json.dumps({**KNOWN.to_json(), "shift": []}), "not corrected for the moods"),
        (json.dumps({**KNOWN.to_json(), "shift": [1.0]}), "shift has 7 numbers"),
        (json.dumps({**KNOWN.to_json(), "ends": [1e9, 0, 0]}), "log-odds"),
        (json.dumps({**KNOWN.to_json(), "days": 10**400}), "not of this version"),
        (json.dumps({**KNOWN.to_json(), "stretch": [[5.0, 1.0], [20.0, 0.2]]}), "keep their order"),
        (json.dumps({**KNOWN.to_json(), "stretch": [[5.0]]}), "not of this version"),
        (
            json.dumps({**KNOWN.to_json(), "gaps": [{"kind": "lognormal", "weight": 1, "center": 1, "spread": 1e3}]}),
            "no log can show",
        ),
    ],
)
def test_tables_that_are_none_are_one_line(tmp_path, monkeypatch, capsys, text, message):
    monkeypatch.chdir(tmp_path)
    Path("t.json").write_text(text)
    with pytest.raises(LogError, match=message):
        Game(tables="t.json")
    for main, argv in (
        (run.main, ["scenario=game", "world.tables=t.json"]),
        (cohort.main, ["players=5", "world.tables=t.json"]),
    ):
        with pytest.raises(SystemExit) as stop:
            main(argv)
        assert stop.value.code == 2
        (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
        assert line.startswith("error: world.tables=t.json: ")
        assert line.endswith("python -m lam_env.scenarios.game.cohort plays=LOG out=FILE makes such tables")
    assert [p.name for p in tmp_path.iterdir()] == ["t.json"]


@pytest.mark.parametrize(("path", "message"), [("nope.json", "no such file"), (".", "it is a folder")])
def test_tables_that_cannot_be_read_are_told_in_words(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LogError, match=f"^world.tables={path}: .*{message}") as caught:
        Game(tables=path)
    assert "Errno" not in str(caught.value)


HEAD = "player,score,time\n"


@pytest.mark.parametrize(
    ("text", "argv", "message"),
    [
        (HEAD + "1,5,1400000000\n1,60,1400090000\n", [], "a single player"),
        (
            HEAD + "".join(f"{i},5,{1_400_000_000 + i}\n" for i in range(99)),
            [],
            "one play a player (of 99): nothing to estimate",
        ),
        (HEAD + "1,5,1400000000\n", [], "give a log of at least 2 players who come back, 30 returns"),
        (HEAD + "".join(f"{i},{i % 2 * 99},{1_400_000_000 + i}\n" for i in range(99)), [], "one play a player"),
        (HEAD + "1,5,1400000000\n1,99,1400090000\n2,5,1400000000\n", [], "1 returns"),
        ("not a log\n", [], "no column"),
        (HEAD, ["plays=none.csv"], "plays=none.csv: no such file; give a log of plays"),
        (HEAD, ["format=nothing"], "no log format 'nothing'"),
        (HEAD, ["days=3"], "as many days as the log has"),
        (HEAD, ["world.tables=t.json"], "leave one of them out"),
        (HEAD, ["out=nowhere/t.json"], "there is no folder"),
        (HEAD, ["plays=null", "out=t.json"], "nothing is calibrated"),
    ],
)
def test_a_log_that_gives_no_players_is_one_line(tmp_path, monkeypatch, capsys, text, argv, message):
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text(text)
    with pytest.raises(SystemExit) as stop:
        cohort.main(["plays=p.csv", "out=out.json", *argv])
    assert stop.value.code == 2
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert message in line
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]


def test_the_command_calibrates_reports_and_writes_what_a_game_takes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibration, "FULL", 1)
    monkeypatch.setattr(calibration, "LATER", 0)
    monkeypatch.setattr(calibration, "PLAYERS", 300)
    path = write(tmp_path / "p.csv", draw(KNOWN, 400, np.random.default_rng(4)))
    assert cohort.main([f"plays={path}", f"out={tmp_path / 't.json'}", "players=300"]) == 0
    said = capsys.readouterr().out
    for text in ("plays of 400 players", "a session ends with play n", "300 players of the game", "Made by `python -m"):
        assert text in said
    assert said.count("\n| ") == 8
    assert Game(tables=str(tmp_path / "t.json")).game.tables == PlayTables.load(tmp_path / "t.json")
