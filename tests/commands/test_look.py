"""lam look: what a file holds is shown before anybody believes it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from lam_env.commands import look, predict
from lam_env.config.cli import parse
from lam_env.core.errors import UserError
from lam_env.experiment.logs.file import read
from lam_env.experiment.settings import PredictSettings

EXPORT = ["entity_id;state;last_changed"]
EXPORT += [f"light.hall;{s};2026-01-{d:02}T{h}:00:00Z" for d in range(5, 15) for h, s in (("07", "on"), ("22", "off"))]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "my export.csv"
    path.write_text("\n".join(EXPORT), encoding="utf-8")
    return path


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert look.main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def command(said: list[str]) -> list[str]:
    """The words of the command that is proposed at the end."""
    return shlex.split("\n".join(said[said.index("next") + 1 :]).replace("\\\n", ""))


def with_zone(words: list[str]) -> list[str]:
    """The same, with what it leaves to be filled in."""
    return [word.replace("YOUR/ZONE", "UTC") for word in words]


def test_what_is_shown(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, str(export))
    text = "\n".join(said)
    assert "3 columns, separated by semicolon" in text
    assert "20 events, 1 user, 2 actions, 10 days" in text
    assert "say yours, zone=Europe/Berlin" in text
    assert all(len(line) <= 80 for line in said if str(export) not in line)
    titles = ["first rows, as read", "rates", "hours of the day", "actions", "next"]
    assert [line for line in said if line in titles] == titles


def test_the_command_reads_the_same_log(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = command(lines(capsys, str(export)))
    assert words[:2] == ["lam", "predict"]
    log, left_out = read(parse(PredictSettings, with_zone(words[2:]), "lam predict"))
    assert len(log) == 20
    assert not left_out
    with pytest.raises(UserError, match="unknown time zone 'YOUR/ZONE'; write one as zone=Europe/Berlin"):
        read(parse(PredictSettings, words[2:], "lam predict"))


def test_pairs_that_are_proposed_are_read(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, str(export))
    assert said[said.index("durations") + 1] == "  with pairs=on/off each begin and its end are one activity, 10 in all"
    later = lines(capsys, str(export), "pairs=on/off")
    assert "10 events, 1 user, 1 action, 10 days" in later
    assert "durations" not in later


def test_a_zone_that_was_said_is_kept(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(lines(capsys, str(export), "zone=UTC"))[-1] == "zone=UTC"


def test_what_is_said_wins(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = lines(capsys, str(export), "columns=time:last_changed,action:entity_id", "zone=Europe/Berlin")
    assert "20 events, 1 user, 1 action, 10 days" in said
    assert "Mon 2026-01-05 08:00:00" in "\n".join(said)
    assert "zone=Europe/Berlin" in command(said)
    assert "say yours" not in "\n".join(said)


def test_a_known_format_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.csv"
    path.write_text("time,user,action\n" + "\n".join(f"2026-01-05T0{h}:00:00Z,ann,tea" for h in (7, 8)))
    said = lines(capsys, f"logs={path}")
    assert said[1] == "format=csv reads it"
    assert command(said[:-1]) == ["lam", "predict", f"logs={path}", "format=csv", "zone=YOUR/ZONE"]
    assert "too few to predict from" in said[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which file? Write lam look FILE"),
        (["nowhere.csv"], "nowhere.csv: no such file or folder"),
        (["letter.txt"], "does not look like a table with times and actions"),
        (["letter.txt", "format=uci_adl"], "no header"),
        (["letter.txt", "format=nothing"], "no log format 'nothing'"),
        (["letter.txt", "predict=yes"], "no setting 'predict'"),
        (["."], "no format of the kit reads this folder; are its files one log? lam look './*.csv'"),
    ],
)
def test_a_fault_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "letter.txt").write_text("Dear Ann,\nall is well.\n")
    with pytest.raises(SystemExit) as stop:
        look.main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_without_unicode_the_bars_are_plain(
    export: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look, "_unicode", lambda: False)
    assert "\n".join(lines(capsys, str(export))).isascii()


def test_predict_asks_for_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        predict.main(["agents=markov1"])
    assert "logs= is missing" in capsys.readouterr().err


def test_predict_is_a_run_that_only_predicts() -> None:
    run = predict.run_of(parse(PredictSettings, ["logs=a.csv", "format=csv", "seed=1,2"], "lam predict"))
    assert run.predict
    assert (run.logs, run.format, run.seed) == ("a.csv", "csv", (1, 2))


SPREADSHEET = "Meine Wohnung;;;\n;;;\nZeit;Gerät;Zustand;Value\n" + "".join(
    f"2026-01-{d:02}T{h}:00:00;Küche;{s};21,5\n" for d in range(5, 15) for h, s in (("07", "on"), ("22", "off"))
)


def test_what_a_spreadsheet_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "heim.csv"
    path.write_text(SPREADSHEET + "2026-01-15T07:00:00;Küche;on;21;7;\n", encoding="cp1252")
    said = lines(capsys, str(path))
    assert any(line.startswith("not UTF-8: read as encoding=cp1252") and len(line) <= 80 for line in said)
    assert "20 events, 1 user, 2 actions, 10 days" in said
    shown = {
        "  decimal commas: 21,5 is read as 21.5",
        "  left out: 2 lines before the header",
        "  left out: 1 row with a cell too many or too few, the first in line 24",
    }
    assert shown <= set(said)
    assert any(line.startswith("  lam predict refuses rows that cannot be read") for line in said)
    words = command(said)
    assert {"sep=semicolon", "encoding=cp1252", "wrong_rows=skip"} <= set(words)
    words = with_zone(words)
    log, _ = read(parse(PredictSettings, words[2:], "lam predict"))
    assert log.vocabulary.actions[1:] == ("Küche.off", "Küche.on")
    with pytest.raises(UserError, match=r"line 24: 6 cells but 4 columns; correct the line, or say wrong_rows=skip"):
        read(parse(PredictSettings, [word for word in words[2:] if word != "wrong_rows=skip"], "lam predict"))


@pytest.mark.parametrize("columns", ["time;action", "Zeit;Was"])
def test_one_time_that_is_none_is_named_and_the_rest_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: str
) -> None:
    path = tmp_path / "heim.csv"
    path.write_text(f"{columns}\n05.01.2026 07:00;tea\n05.01.2026 25:70;tv\n06.01.2026 08:00;tea\n", encoding="utf-8")
    said = lines(capsys, str(path))
    assert "2 events, 1 user, 1 action, 2 days" in said
    text = " ".join(line.strip() for line in said)
    assert "left out: 1 row that cannot be read, the first in heim.csv, line 3: '05.01.2026 25:70' is not as" in text
    words = with_zone([word for word in command(said) if "=" in word])
    log, _ = read(parse(PredictSettings, words, "lam predict"))
    assert len(log) == 2
    words.remove("wrong_rows=skip")
    with pytest.raises(UserError, match=r"line 3: .*; correct one, or say wrong_rows=skip$"):
        read(parse(PredictSettings, words, "lam predict"))


def test_several_files_are_one_log(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    later = export.with_name("later.csv")
    later.write_text("\n".join(line.replace("2026-01", "2026-02") for line in EXPORT), encoding="utf-8")
    for words in ([f"logs={export},{later}"], [str(export), str(later)]):
        said = lines(capsys, *words)
        assert said[0].endswith(", and 1 file more")
        assert "40 events, 1 user, 2 actions, 20 days" in said


def test_a_list_of_devices_is_written(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = export.with_name("home.yaml")
    assert "2 of 2 names may be of devices of smart_home" in "\n".join(lines(capsys, str(export)))
    said = lines(capsys, str(export), f"devices={file}")
    assert {f"  written: {file}", f"  correct it, and say world.devices={file}"} <= set(said)
    assert "light.hall: lamp" in file.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        look.main([str(export), f"devices={file}"])
    assert "is there already" in capsys.readouterr().err


def test_of_names_in_no_known_language_the_list_is_left_to_fill_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"2026-01-05T07:0{i}:00Z,{name}" for i, name in enumerate(("Leselampa.zap", "Leselampa.vyp", "Rúra.zap"))]
    (tmp_path / "log.csv").write_text("\n".join(["time,action", *rows]), encoding="utf-8")
    assert "devices" not in lines(capsys, str(tmp_path / "log.csv"))
    file = tmp_path / "home.yaml"
    said = lines(capsys, str(tmp_path / "log.csv"), f"devices={file}")
    assert "  0 of 3 names may be of devices of smart_home; a list lets agents act there:" in said
    assert "  2 devices without a known kind or state: fill in what its comments ask" in said
    comments = file.read_text(encoding="utf-8").splitlines()
    asked = yaml.safe_load("\n".join(line[2:] for line in comments[comments.index("# rooms:") :]))
    assert asked["rooms"] == {"ROOM": {"Leselampa": "KIND", "Rúra": "KIND"}}
    assert asked["names"]["Rúra.zap"] == "Rúra.STATE"
    assert yaml.safe_load("\n".join(comments)) == {"rooms": {}, "names": {}}


def test_a_log_without_devices_has_no_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "time,user,action\n" + "\n".join(f"2026-01-05T0{h}:00:00Z,ann,{a}" for h, a in ((7, "tea"), (8, "x")))
    )
    assert "devices" not in lines(capsys, str(path))
    with pytest.raises(SystemExit):
        look.main([str(path), f"devices={tmp_path / 'home.yaml'}"])
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "home.yaml").exists()


def test_habits_of_long_names_fit_eighty_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.csv"
    what, rows = ("Schlafzimmer Rollladen vorne", "Kaffeemaschine in der Küche"), []
    for d in range(28):
        for h in range(8, 20, 2):
            at = f"2026-02-{1 + d:02}T{h:02}"
            rows.append(f"{at}:00:00Z;Licht {(d + h) % 5}")
            rows += [f"{at}:1{m}:00Z;{name}" for m, name in enumerate(what) if (d + h) % 5 < 2]
    path.write_text("\n".join(["time;action", *rows]), encoding="utf-8")
    said = lines(capsys, str(path))
    assert f"after {what[0]} comes {what[1]} in 100% (else" in " ".join(map(str.strip, said))
    assert all(len(line) <= 80 for line in said if str(path) not in line)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty; export it again"),
        (b"\n \n", "the file is empty; export it again"),
        (b"time,user,action\n", "a header and no rows; it needs lines of time, action"),
        (b"time,user,action\n2026-01-05T07:00:00Z,ann,\n", "no row has an action; it needs lines of time, action"),
        (b"a\n\0\xff\x01", "line 2: no text (a NUL byte); correct it, or give another file"),
    ],
)
def test_a_file_without_a_log_says_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (tmp_path / "log.csv").write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        look.main([str(tmp_path / "log.csv")])
    assert said in capsys.readouterr().err


def test_a_device_is_no_file_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        look.main(["/dev/null"])
    assert "/dev/null: is a pipe or a device; give the path of a file or folder" in capsys.readouterr().err
