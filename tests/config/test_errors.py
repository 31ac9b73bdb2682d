"""What a command says of settings that are wrong, and with which code it ends."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lam_env.config.cli import ConfigError, cli_errors, override, parse, setting
from lam_env.config.convert import nearest_first, suggestion
from lam_env.core.errors import UserError
from lam_env.experiment.settings import RunSettings


def test_cli_errors_prints_one_line_and_leaves_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done, cli_errors():
        raise UserError("first\nsecond")
    assert done.value.code == 2
    assert capsys.readouterr().err == "error: first second\n"


def test_cli_errors_leaves_programming_errors_alone_and_reports_an_interrupt() -> None:
    @cli_errors()
    def main(error: BaseException) -> None:
        raise error

    with pytest.raises(ZeroDivisionError):
        main(ZeroDivisionError())
    with pytest.raises(SystemExit) as done:
        main(KeyboardInterrupt())
    assert done.value.code == 130


@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP"])
def test_a_command_that_is_told_to_end_ends_as_with_an_interrupt(sent: str, capsys: pytest.CaptureFixture[str]) -> None:
    number = getattr(signal, sent)
    before = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        with pytest.raises(SystemExit) as done, cli_errors():
            signal.raise_signal(number)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert (done.value.code, capsys.readouterr().err) == (130, "stopped\n")


def test_a_command_that_is_to_outlive_its_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with cli_errors():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


IN_EVAL = "def stop():\n    raise KeyboardInterrupt\n"  # and eval("stop()"): after it Python may end itself by SIGINT
SENT = "import signal\ndef stop():\n    signal.raise_signal(signal.SIGINT)\n"


def test_a_program_of_ones_own_that_loads_the_kit_keeps_its_interrupts(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import lam_env\n")
    (tmp_path / "mine" / "__main__.py").write_text("import signal\nprint(signal.getsignal(signal.SIGINT).__name__)\n")
    done = subprocess.run([sys.executable, "-m", "mine"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "default_int_handler\n"


@pytest.mark.parametrize("module", ["lam_env", "lam_env.run"])
@pytest.mark.parametrize("call", ["stop()", "eval('stop()')"])
@pytest.mark.parametrize("loaded", ["ast", "numpy"])  # the first thing that the kit loads, and the first large one
def test_an_interrupt_while_a_command_is_loaded_is_no_traceback(
    module: str, call: str, loaded: str, tmp_path: Path
) -> None:
    (tmp_path / f"{loaded}.py").write_text(f"{SENT}{call}\n")
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (130, "stopped\n")


def test_an_interrupt_while_a_class_is_made_ends_a_command_as_any_other(tmp_path: Path) -> None:
    code = f"from lam_env.config.cli import cli_errors\n{IN_EVAL}with cli_errors():\n    eval('stop()')"
    (tmp_path / "a_command.py").write_text(code)
    words = [sys.executable, "-m", "a_command"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "stopped\n")


@pytest.mark.parametrize("module", ["", ".run"])
def test_help_whose_reader_has_seen_enough_is_no_traceback(module: str) -> None:
    command = f"{sys.executable} -m lam_env{module} --help | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_text_of_others_is_printed_without_its_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), cli_errors():
        raise UserError("a \x1b[31mred\x1b[0m \x1b]0;title\x07word\x08 \x9b2Jé\x1b(B")
    assert capsys.readouterr().err == "error: a red word éB\n"


SCRIPT = """
import sys
from dataclasses import dataclass
from lam_env.config.cli import cli_errors, parse, setting
@dataclass(frozen=True)
class S:
    steps: int = setting(1, "Steps.")
with cli_errors():
    parse(S, sys.argv[1:], "prog")
"""


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("step=3", 2), ("steps=3", 0)])
def test_a_command_answers_without_a_traceback(argument: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, argument], capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if code else 0)


def test_defaults_of_what_was_chosen_hold_where_nothing_else_is_said(tmp_path):
    def base(settings):
        return override(RunSettings(), {"log.days": 3, "seed": (7,)} if settings.out == "here" else {})

    def parsed(*argv):
        return parse(RunSettings, argv, "run", base)

    assert parsed().log.days == RunSettings().log.days
    assert (parsed("out=here").log.days, parsed("out=here").seed) == (3, (7,))
    assert parsed("out=here", "log.days=5").log.days == 5
    (tmp_path / "my.yaml").write_text("log:\n  days: 4\n")
    assert parsed("out=here", f"config={tmp_path / 'my.yaml'}").log.days == 4


def test_a_message_that_begins_with_its_setting_does_not_say_it_twice() -> None:
    @dataclass(frozen=True)
    class Span:
        first: int = setting(1, "First.")

        def __post_init__(self) -> None:
            if self.first % 2 == 0:
                raise ValueError(f"world.first must be odd, not {self.first}")

    with pytest.raises(ConfigError, match=r"^world\.first must be odd, not 4$"):
        override(Span(), {"first": "4"}, prefix="world")


def test_a_tuple_of_so_many_numbers_takes_so_many() -> None:
    @dataclass(frozen=True)
    class Delay:
        delay: tuple[float, float] = setting((1.0, 2.0), "Shortest and longest.", low=0)

    assert override(Delay(), {"delay": "3,4.5"}).delay == (3.0, 4.5)
    assert override(Delay(), {"delay": [3, 4]}).delay == (3.0, 4.0)
    for text in ("3", "1,2,3", ""):
        with pytest.raises(ConfigError, match=r"delay: expected 2 numbers with commas between them, got \["):
            override(Delay(), {"delay": text})
    with pytest.raises(ConfigError, match="delay: expected at least 0"):
        override(Delay(), {"delay": "1,-2"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("world.zzzz", "--help lists them"),  # that others begin with world. too makes them no likelier
        ("log.worls", "did you mean 'log.worlds'?"),
        ("log.x", "there are log.worlds, log.days"),
        ("residents", "did you mean 'world.residents'?"),
        ("foo.residents", "did you mean 'world.residents'?"),
        ("world.reward.override", "--help lists them"),  # not one of trust, which has one that is called so
        ("world.override", "--help lists them"),
        ("world.trus.override", "did you mean 'world.trust.override'?"),
        ("world.rooms.x", "did you mean 'world.rooms'?"),
    ],
)
def test_a_wrong_name_is_looked_for_in_its_group(name: str, said: str) -> None:
    known = ["log.worlds", "log.days", *(f"world.{k}" for k in ("residents", "rooms", "days", "a", "b", "c", "d"))]
    known.append("world.trust.override")
    assert suggestion(name, known, "--help lists them") == said


def test_where_there_is_no_help_the_names_are_said_nearest_first() -> None:
    names = ["batch", "envs", "epochs", "gamma", "lr", "steps", "tune"]
    many = dataclasses.make_dataclass("Many", [(n, int, setting(0, "A number.")) for n in names], frozen=True)
    with pytest.raises(ConfigError) as error:
        override(many(), {"zepstz": 1}, "train")
    said = str(error.value).removeprefix("no setting 'train.zepstz'; there are ").split(", ")
    assert sorted(said) == [f"train.{name}" for name in names]
    assert set(said[:2]) == {"train.steps", "train.epochs"}
    with pytest.raises(ConfigError, match=r"'zepstz'; see the manual$"):
        override(many(), {"zepstz": 1}, listed="see the manual")
    known = [f"n{i}" for i in range(35)]
    assert nearest_first("n7", known).startswith("there are n7, ")
    assert nearest_first("n7", known).endswith(" and 5 more")


def test_what_is_paid_is_told_to_be_no_setting() -> None:
    own, trust = (
        dataclasses.make_dataclass("Params", [(n, int, setting(0, "A number."))], frozen=True)
        for n in ("reward_rate", "trust_override")
    )
    with pytest.raises(ConfigError, match=r"did you mean 'world\.reward_rate'"):
        override(own(), {"reward_rat": 1}, "world")
    with pytest.raises(ConfigError, match=r"'world\.reward\.override'; what a reward is worth is no setting but"):
        override(trust(), {"reward.override": 1}, "world")


@pytest.mark.skipif(sys.platform == "win32", reason="closes a pipe")
@pytest.mark.parametrize("argv", [["lam_env"], ["lam_env", "run", "--help"], ["lam_env.run", "--print-config"]])
def test_whoever_closes_the_pipe_hears_nothing_more(argv: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes where no space is left")
@pytest.mark.parametrize("argv", [["lam_env.run", "--help"], ["lam_env", "watch", "moments=200"]])
def test_where_no_space_is_left_a_command_says_so_in_one_line(argv: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", *argv], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: the output cannot be written (No space left on device)")
