"""Progress on a terminal and in a log file."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest

from lam_env.core.progress import Progress, say, say_command


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("lam_env.core.progress.time.monotonic", lambda: now[0])
    return now


def test_a_file_gets_one_line_a_stage_and_nothing_in_between(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        for done in range(0, 2001, 500):
            progress("train", done, 2000, f"reward {done}")
            clock[0] += 1
        progress("train", 2000, 2000, "again")
        progress("judge", 0, 0, "how long is unknown")
    assert out.getvalue() == "train: 2,000 done (4.0 s, 500/s, reward 2000)\n"


def test_a_stage_that_begins_again_is_a_new_stage(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        for _ in range(2):
            progress("fit", 0, 10)
            clock[0] += 2
            progress("fit", 10, 10)
            clock[0] += 60
    assert out.getvalue() == "fit: 10 done (2.0 s, 5/s)\n" * 2


def test_a_resumed_stage_counts_only_its_own_steps(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        progress("train", 900, 1000)
        clock[0] += 1
        progress("train", 1000, 1000)
    assert out.getvalue() == "train: 1,000 done (the last 100 in 1.0 s, 100/s)\n"


def rows(out: Terminal) -> list[str]:
    shown = [re.sub(r"\x1b\[[\d;?]*\w", "", line).strip("\r") for line in out.getvalue().splitlines()]
    return [row for row in shown if row]


def test_a_terminal_shows_stage_rate_and_note_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = Terminal()
    with Progress(out) as progress:
        progress("[own] train", 0, 100, "")
        progress("[own] train", 50, 100, "[reward] 1.5")
        progress("no end in sight", 3, 0, "")
    assert any("[own] train" in row and " 50 %" in row and "[reward] 1.5" in row for row in rows(out))
    assert any("no end in sight" in row for row in rows(out))


def test_a_stage_that_is_over_leaves_a_line_and_no_bar(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with Progress(out) as progress:
        for k in range(40):
            progress(f"fit {k} [updates]", 0, 10)
            clock[0] += 2
            progress(f"fit {k} [updates]", 10, 10, "a note that is longer " * 9)
        progress("judge", 1, 10)
    shown = rows(out)
    lines = [row for row in shown if re.match(r"fit \d+: 10 updates \(2.0 s, 5 updates/s, a note", row)]
    assert len({line.split(":")[0] for line in lines}) == 40
    assert max(map(len, lines)) <= 80
    assert "fit" not in "".join(shown[shown.index(lines[-1]) + 1 :])
    assert "judge" in shown[-1]


def test_bars_stop_when_the_work_fails() -> None:
    out = Terminal()
    with pytest.raises(ZeroDivisionError), Progress(out) as progress:
        progress("train", 1, 2, "")
        raise ZeroDivisionError
    assert "\x1b[?25h" in out.getvalue()  # the cursor is shown again


def test_a_row_fits_into_eighty_columns_whatever_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with Progress(out) as progress:
        progress("fine-tune of a name that is far too long [steps]", 500, 1000, "a note that is longer " * 9)
    shown = [row for row in rows(out) if "fine-tune" in row]
    assert shown
    for row in shown:
        assert len(row.rstrip()) <= 80
        assert sum(map(row.count, "━╺╸")) == 10  # which no note shrinks
    assert " 50 %" in shown[-1]
    assert "a note" not in shown[-1]  # there is no room


def test_a_rate_says_of_what(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        progress("judge [days]", 0, 30)
        clock[0] += 1
        progress("judge [days]", 30, 30)
        progress("boosting [fits]", 0, 1)
        clock[0] += 0.01  # too short a time to tell
        progress("boosting [fits]", 1, 1)
    assert out.getvalue() == "judge: 30 days (1.0 s, 30 days/s)\nboosting: 1 fit (0.0 s)\n"


def test_a_note_is_broken_to_the_width_that_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "split=days: all that is done is one stream; the last-days test, split=per_user"
    say(f"{text} {text}")  # 80 columns where there is no terminal
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert " ".join(line.strip() for line in lines) == f"{text} {text}"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    say(text)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 30 for line in lines)
    assert [line[:4] for line in lines] == ["  sp", *["    "] * (len(lines) - 1)]
    assert " ".join(line.strip() for line in lines) == text


@pytest.mark.skipif(os.name != "posix", reason="other shells go on otherwise")
def test_a_command_is_broken_on_a_terminal_as_shells_take_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["scenario=smart_home", "model=my runs/a", "agent=my_module:MyAgent"]
    command = "python -m lam_env.run scenario=smart_home 'model=my runs/a' agent=my_module:MyAgent"
    say_command("python -m lam_env.run", words)
    assert capsys.readouterr().out == f"  {command}\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    say_command("python -m lam_env.run", words)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 40
    assert out.count("\n") > 1
    heard = subprocess.run(["sh", "-c", f'set -- {out.strip()}; echo "$*"'], capture_output=True, text=True, check=True)
    assert heard.stdout == command.replace("'", "") + "\n"
    assert "'model=my runs/a'" in out


def test_lines_say_which_step_they_belong_to(clock: list[float]) -> None:
    out = io.StringIO()
    with Progress(out) as progress:
        for over in (0, 1, 2):
            progress.whole(over, 2, over / 2, None)
            progress(f"fit {over}", 1, 1)
        progress.whole(0, 0, 1, None)  # of nothing
        progress("fit", 1, 1)
    assert [line.partition(":")[0] for line in out.getvalue().splitlines()] == [
        "[1/2] fit 0",
        "[2/2] fit 1",
        "[2/2] fit 2",
        "[2/2] fit",
    ]


def test_the_bar_of_the_whole_stands_above_the_others(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    with Progress(out) as progress:
        progress.whole(11, 31, 0.25, 3723.4)
        progress("judge", 1, 10)
    first, second = (row.rstrip() for row in rows(out)[-2:])
    assert re.fullmatch(r". step 12 of 31 +[━╺╸]{10}  25 % +1:02:03", first)
    assert "judge" in second
    clock[0] += 4000
    with Progress(late := Terminal()) as progress:
        progress.whole(11, 31, 0.25, None)
    assert "-:--:--" in rows(late)[-1]
