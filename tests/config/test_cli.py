"""Settings from key=value and files: what is read, what is refused, and in which words."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.config.cli import ConfigError, as_yaml, command_line, override, parse, setting, to_dict
from lam_env.config.help import help_text
from lam_env.experiment.settings import RunSettings


@dataclass(frozen=True)
class Train:
    steps: int = setting(150_000, "Environment steps of fine-tuning.", low=0)
    preset: Literal["frozen", "full"] = setting("frozen", "What is trained.")
    lr: float | None = setting(None, "Learning rate.", low=0.0, high=1.0)


@dataclass(frozen=True)
class Run:
    """Simulate, train, judge."""

    scenario: str = setting("home", "Which world.")
    agents: tuple[str, ...] = setting(("none", "prior"), "Who plays.", code=True)
    agent: str | None = setting(None, "Your own agent, as module:Attribute.", code=True)
    seeds: tuple[int, ...] = setting((0,), "Evaluation seeds.")
    shares: tuple[float, ...] | None = setting(None, "Shares.")
    fast: bool = setting(False, "Skip what takes long.")
    train: Train = setting(Train(), "Training.")
    world: dict[str, Any] = setting({}, "Parameters of the scenario.")


@dataclass(frozen=True)
class Params:
    residents: int = setting(2, "People.", low=1)
    first: int = 1
    last: int = 9
    table: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError("first lies after last")


def run(*argv: str) -> Run:
    return parse(Run, argv, "prog")


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("train.steps=1e5", "train.steps", 100_000),
        ("train.steps=100_000", "train.steps", 100_000),
        ("train.steps=0", "train.steps", 0),
        ("train.lr=3e-4", "train.lr", 3e-4),
        ("train.lr=1", "train.lr", 1.0),
        ("train.lr=none", "train.lr", None),
        ("train.preset=full", "train.preset", "full"),
        ("seeds=0,1,2", "seeds", (0, 1, 2)),
        ("seeds=[3, 4]", "seeds", (3, 4)),
        ("seeds=", "seeds", ()),
        ("shares=.5,1", "shares", (0.5, 1.0)),
        ("shares=null", "shares", None),
        ("agents=none,prior", "agents", ("none", "prior")),
        ("agents=none", "agents", ("none",)),
        ("agent=none", "agent", "none"),
        ("agent=null", "agent", None),
        ("agent=pkg.mod:Thing", "agent", "pkg.mod:Thing"),
        ("fast=on", "fast", True),
        ("fast=False", "fast", False),
        ("scenario=a=b", "scenario", "a=b"),
        ("world.residents=3", "world", {"residents": "3"}),
        ("world.demand.peak=3", "world", {"demand.peak": "3"}),
    ],
)
def test_reads(argument: str, path: str, value: object) -> None:
    found: Any = run(argument)
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("train.step=3", "no setting 'train.step'; did you mean 'train.steps'?"),
        ("steps=3", "no setting 'steps'; did you mean 'train.steps'?"),
        ("qqq=3", "no setting 'qqq'; --help lists them"),
        ("train.steps.x=3", "no setting 'train.steps.x'; did you mean 'train.steps'?"),
        ("train=3", "train is a group of settings: give one of train.steps, train.preset, train.lr"),
        ("world=3", "world is a group of settings: write world.KEY=value"),
        ("train.steps=many", "train.steps: expected a whole number, got 'many'"),
        ("train.steps=1.5", "train.steps: expected a whole number, got '1.5'"),
        ("train.steps=1e400", "train.steps: '1e400' is too large a number"),
        ("train.steps=1e30", "train.steps: '1e30' is too large a number"),
        ("train.steps=-1", "train.steps: expected at least 0, got '-1'"),
        ("train.lr=2", "train.lr: expected at least 0.0 and at most 1.0, got '2'"),
        ("train.lr=nan", "train.lr: expected a number, got 'nan'"),
        ("train.preset=ful", "train.preset: expected one of frozen, full, got 'ful'; did you mean 'full'?"),
        ("seeds=0,x", "seeds: expected a whole number, got 'x'"),
        ("scenario=", "scenario: a name or path is empty; give one, or leave scenario= away"),
        ("config=", "config: a name or path is empty; give one, or leave config= away"),
        ("agents=none,,prior", "agents: a name or path is empty; give one, or leave agents= away"),
        ("fast=maybe", "fast: expected true or false, got 'maybe'"),
        ("foo", "'foo' is no setting: write key=value, or --help for the list"),
        ("--fast=1", "'--fast=1' is no setting: write fast=..., or --help for the list"),
        ("a\nb=1", "'a\\nb=1' holds a sign that cannot be printed"),
    ],
)
def test_refuses_in_one_line(argument: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(argument)
    assert str(error.value) == message


def test_the_last_of_two_wins_and_the_command_line_wins_over_files(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("train: {steps: 5, lr: 1e-3}\nseeds: [1, 2]\ntrain.preset: full\nworld: {residents: 4}\n")
    settings = run("train.steps=6", "train.steps=7", f"config={file}", "world.rooms=2")
    assert settings.train == Train(7, "full", 0.001)
    assert settings.seeds == (1, 2)
    assert settings.world == {"residents": 4, "rooms": "2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agent: some.module:Agent", "names Python code, which a file may not"),
        ("agent: prior", "names Python code, which a file may not"),
        ("agents: [none, 'some.module:Agent']", "names Python code, which a file may not"),
        ("agents: os:system", "names Python code, which a file may not"),
        ("scenario: !!python/object/apply:os.system [x]", "is not YAML"),
        ("train: [", "is not YAML"),
        ("[" * 5000, "nested too deep, or holds itself"),
        ("- 1", "expected lines of 'key: value'"),
        ("train.step: 1", "did you mean 'train.steps'?"),
        ("train.steps: true", "expected a whole number, got True"),
        ("train.steps: [1]", "expected a whole number, got [1]"),
        ("scenario: 2024-01-01", "expected printable text"),
        ("1: 2", "the name of a setting is a word"),
        ("a: &a {x: &b [1]}\n" + "".join(f"k{i}: {{a: *a, b: *a}}\n" for i in range(600)), "more than"),
        ("world: &w {x: *w}", "nested too deep, or holds itself"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        run(f"config={file}")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("name", ["absent.yaml", "", "binary"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cannot be read|is not YAML"):
        run(f"config={tmp_path / name}")


def test_override_checks_a_free_form_group_later() -> None:
    assert override(Params(), {"residents": "3"}, prefix="world") == Params(residents=3)
    with pytest.raises(ConfigError, match=r"no setting 'world.resident'; did you mean 'world.residents'\?"):
        override(Params(), {"resident": "3"}, prefix="world")
    with pytest.raises(ConfigError, match=r"world.table cannot be set this way"):
        override(Params(), {"table": "3"}, prefix="world")


def test_values_are_put_in_together_before_the_dataclass_checks_them() -> None:
    assert override(Params(), {"first": "20", "last": "30"}).first == 20
    with pytest.raises(ConfigError, match=r"world\.first=20: first lies after last"):
        override(Params(), {"first": "20"}, prefix="world")


def test_defaults_are_not_shared() -> None:
    run().world["x"] = 1
    assert run().world == {}


def test_groups_in_a_file_may_lie_within_groups(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("world: {a: {b: {c: {d: 1}}}}\n")
    assert run(f"config={file}").world == {"a.b.c.d": 1}


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",[]"), min_size=1).filter(
    lambda t: t.lower() not in ("null", "none")
)
runs = st.builds(
    Run,
    scenario=words,
    agents=st.lists(words.filter(lambda t: ":" not in t)).map(tuple),
    seeds=st.lists(st.integers(-(2**62), 2**62)).map(tuple),
    shares=st.none() | st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple),
    fast=st.booleans(),
    train=st.builds(
        Train,
        steps=st.integers(0, 2**62),
        preset=st.sampled_from(["frozen", "full"]),
        lr=st.none() | st.floats(0, 1),
    ),
)


@given(runs)
def test_values_come_back_from_text_and_from_plain_data(settings: Run) -> None:
    assert override(Run(), to_dict(settings)) == settings
    argv = []
    for key, value in [(k, v) for k, v in to_dict(settings).items() if k != "train"] + [
        (f"train.{k}", v) for k, v in to_dict(settings.train).items()
    ]:
        if key in ("world", "agent"):
            continue
        argv.append(
            f"{key}="
            + ("null" if value is None else ",".join(map(str, value)) if isinstance(value, list) else str(value))
        )
    assert run(*argv) == settings


@given(runs)
def test_what_print_config_writes_is_a_config_file(tmp_path_factory: pytest.TempPathFactory, settings: Run) -> None:
    file = tmp_path_factory.getbasetemp() / "printed.yaml"
    file.write_text(as_yaml(settings), encoding="utf-8")
    assert run(f"config={file}") == settings


def test_print_config_shows_code_as_a_comment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        run("agent=a:B", "--print-config")
    assert done.value.code == 0
    assert capsys.readouterr().out.startswith("# agent: a:B (command line only)\n")


keys = st.sampled_from(
    ["train.steps", "train.lr", "seeds", "agents", "fast", "world.x", "config", "train", "world", "--help", ""]
)


@given(st.lists(st.text() | st.builds("{}={}".format, keys | st.text(), st.text())))
def test_any_command_line_is_settings_or_one_line(argv: list[str]) -> None:
    asks_to_print = {"--help", "-h", "--print-config"} & set(argv)
    try:
        settings: object = run(*argv)
    except (ConfigError, SystemExit) as left:
        settings = left
    if isinstance(settings, ConfigError):
        assert len(str(settings).splitlines()) == 1
    elif asks_to_print:
        assert isinstance(settings, SystemExit)
        assert settings.code == 0
    else:
        assert isinstance(settings, Run)


@pytest.mark.parametrize(("columns", "most"), [(80, 80), (64, 64), (300, 120)])
def test_help_fits_the_terminal(columns: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    page = help_text(RunSettings(), "lam run")
    assert most - 12 < max(map(len, page.splitlines())) <= most


def test_help_shows_every_setting_with_its_value_and_sentence() -> None:
    page = help_text(Run(world=Params()), "prog")
    assert page.startswith("usage: prog [key=value ...]")
    for text in (
        "train.steps=150000",
        "Environment steps of fine-tuning.",
        ". One of frozen, full",
        "world.residents=2",
    ):
        assert text in page
    assert max(map(len, page.splitlines())) <= 120


def settled(*argv: str) -> Run:
    return parse(Run, argv, "prog", lambda settings: Run(world=Params()))


def test_a_group_is_the_same_from_a_file_and_from_the_command_line_and_holds_types(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("world: {residents: 3, last: 9}\n")
    settings = settled("world.residents=3")
    assert settings == settled(f"config={file}")
    assert settings.world == Params(residents=3)
    assert to_dict(settings)["world"] == {"residents": 3, "first": 1, "last": 9}


def test_what_is_printed_of_a_group_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settled("world.residents=3", "--print-config")
    (tmp_path / "a.yaml").write_text(capsys.readouterr().out)
    assert settled(f"config={tmp_path / 'a.yaml'}") == settled("world.residents=3")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("world.residents=0", "world.residents: expected at least 1, got '0'"),
        ("world.resident=1", "no setting 'world.resident'; did you mean 'world.residents'?"),
        ("world.first=10", "world.first=10: first lies after last"),
        ("world.table=1", "world.table cannot be set this way: it is no number, word or list of them"),
    ],
)
def test_a_wrong_setting_of_a_group_is_one_line(argument: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settled(argument)
    assert str(error.value) == message


def test_help_asks_for_the_groups_only_beside_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    asked = []

    def base(settings: Run) -> Run:
        asked.append(settings.scenario)
        return Run(world=Params())

    for argv in (["--help"], ["scenario=home2", "-h"]):
        with pytest.raises(SystemExit):
            parse(Run, argv, "prog", base)
    assert asked == ["home2"]
    first, second = capsys.readouterr().out.split("usage:")[1:]
    assert "world.residents" not in first
    assert "world.residents=2" in second


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])), max_size=4))
def test_a_command_is_said_as_a_shell_takes_it(words: list[str]) -> None:
    assert shlex.split(command_line("python -m lam_env predict", words))[4:] == words


def test_what_needs_no_quotes_has_none() -> None:
    said = command_line("lam predict", ["logs=a.csv", "time_format=%d.%m.%Y %H:%M"])
    assert said == "lam predict logs=a.csv 'time_format=%d.%m.%Y %H:%M'"
