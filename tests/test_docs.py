"""The documentation is true: its code runs, its names exist, its numbers are those of the code."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from documents import ROOT, TEXTS, agents_of, blocks, every_document, follow, prose, reader, save
from lam_env.agents.development import __main__ as development
from lam_env.scenarios.game import cohort
from lam_env.scenarios.traffic.sumo import __main__ as sumo
from published import Published, pages, published

from lam_env.commands import compare, look, off_policy, play_report, record, report, simulate, watch
from lam_env.config import cli as config
from lam_env.core import registry
from lam_env.experiment.settings import ALWAYS, PredictSettings, RunSettings
from lam_env.suites import suite as suites
from lam_env.suites.settings import BenchmarkSettings


def commands(document: str) -> list[list[str]]:
    """Words of the lines of bash blocks, without comments."""
    lines = [line for b in blocks(document) if b.language == "bash" for line in b.text.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def section(document: str, heading: str) -> str:
    return document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def cells(text: str) -> list[list[str]]:
    """The rows of a document's tables, without headings and rules."""
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in row] for row in rows]
    rules = [i for i, row in enumerate(rows) if set("".join(row)) <= set("-: ")]
    return [row for i, row in enumerate(rows) if i not in rules and i + 1 not in rules]


def code(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", prose(text))


def in_place(words: list[str]) -> tuple[str, list[str]] | None:
    """(module, arguments) of a command of the kit."""
    if words[:1] == ["lam"]:
        return f"lam_env.commands.{words[1]}", words[2:]
    if len(words) > 3 and Path(words[0]).name == "python" and words[1:3] == ["-m", "lam_env"]:
        return f"lam_env.commands.{words[3]}", words[4:]
    if len(words) > 2 and Path(words[0]).name == "python" and words[1] == "-m" and words[2].startswith("lam_env."):
        return words[2], words[3:]
    return None


# -- the documentation is executed ----------------------------------------------------------------------------------

JOURNEY = (
    "README.md",
    "docs/start/five_minutes.md",
    "docs/how_to/own_agent.md",
    "docs/how_to/own_loop.md",
    "docs/worlds/traffic.md",
    "docs/worlds/game.md",
    "docs/how_to/serving.md",
    "docs/how_to/off_policy.md",
    "docs/how_to/many_people.md",
)  # each goes on with what those before it have left


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a reader has done all that these pages say."""
    with reader(tmp_path_factory.mktemp("reader")) as folder:
        for page in JOURNEY:
            follow(TEXTS[page])
        yield folder


def test_following_the_pages_gives_the_rows_that_they_promise(followed: Path) -> None:
    first, log, own, learner = (
        followed / "runs" / run / "results.csv" for run in ("smart_home-1", "smart_home-2", "my_agent", "smart_home-3")
    )
    assert agents_of(first, "sim") == {*ALWAYS, "plugin", "ppo_prior"}
    assert {"markov1", "prior"} <= agents_of(log, "log")
    assert agents_of(log, "twin") == {*ALWAYS, "markov1", "resident"}  # the gates judge the resident
    assert agents_of(own, "sim") == {*ALWAYS, "my_agent:MyAgent"}
    assert agents_of(learner, "sim") == {*ALWAYS, "my_learner:MyLearner"}
    assert agents_of(followed / "runs" / "learner" / "results.csv", "sim") == {*ALWAYS, "my_learner:MyLearner"}
    assert agents_of(followed / "shy" / "results.csv", "sim") >= {"none", "shy:Shy"}


def test_ones_own_agents_are_kept_and_watched(followed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (followed / "my_agent.gif").read_bytes()[:3] == b"GIF"
    assert watch.main(["agent=my_learner:MyLearner@runs/smart_home-3", "moments=2"]) == 0
    assert "stopped after 2 moments" in capsys.readouterr().out


def test_a_run_leaves_what_the_page_says(followed: Path) -> None:
    named = re.findall(r"^  (\S+)", TEXTS["docs/reference/files.md"], re.M)
    assert {"config.json", "results.csv", "tables.md", "tables.json", "model/policy/"} <= set(named)
    runs = [followed / "runs" / run for run in ("smart_home-1", "smart_home-2", "my_agent")]
    for name in named:
        assert any((r / name).is_dir() if name.endswith("/") else (r / name).is_file() for r in runs), name
    left = {p.relative_to(r).parts[0] for r in runs for p in r.rglob("*")}
    assert left <= {Path(name).parts[0] for name in named}


def test_the_own_agent_of_the_page_learns_from_the_log(followed: Path) -> None:
    space: dict[str, type] = {}
    exec((followed / "my_agent.py").read_text(encoding="utf-8"), space)
    from lam_env.core.contracts import Training
    from lam_env.core.events import Vocabulary

    tokens = np.zeros((40, 6), np.int64)
    tokens[:, -1] = np.arange(40) % 2 + 1
    rows = type("Rows", (), {"tokens": tokens, "target": np.where(tokens[:, -1] == 1, 2, 0)})
    vocabulary = Vocabulary(("none", "a.on", "a.off"))
    fitted = space["MyAgent"]().fit(Training(vocabulary, "anticipate", rows, rows, lambda n: None))
    seen = {
        "epoch": np.array([[0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]),
        "tokens": np.array([[0, 1], [0, 2], [0, 1], [0, 1]]),
        "action_mask": np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 0]]),
    }
    # after token 1 the person does 2; not after 2, nor when nothing is new, nor where it is impossible
    assert fitted.predict(seen)[0].tolist() == [2, 0, 0, 0]


@pytest.mark.parametrize("picture", ["home.png", "traffic.png"])
def test_the_pictures_are_drawn_as_contributing_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: str
) -> None:
    from PIL import Image

    (text,) = (b.text for b in blocks(TEXTS["CONTRIBUTING.md"]) if picture in b.text)
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "CONTRIBUTING.md", "exec"), {})
    shipped = ROOT / "docs" / "_static" / picture
    assert shipped.stat().st_size < 200_000
    with Image.open(tmp_path / picture) as made, Image.open(shipped) as there:
        assert made.size == there.size  # not more: every change of the world moves the people in it


# -- commands ----------------------------------------------------------------------------------------------------------


@every_document
def test_commands_are_commands(name: str, tmp_path: Path) -> None:
    """Those of the kit take their settings; make has the targets; files that are run exist."""
    with reader(tmp_path):
        save(TEXTS[name])
        _check_commands(name)


def _check_commands(name: str) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    makefile = " ".join(re.findall(r"`make ([\w -]+)`", TEXTS[name])).split()
    for words in commands(TEXTS[name]):
        while re.fullmatch(r"\w+=\S*", words[0]) or words[0] == "export":
            words = words[1:] or ["true"]
        if words[0] == "make":
            makefile += [word for word in words[1:] if "=" not in word]
        elif (found := in_place(words)) is not None:
            _understood(*found)
        elif words[0].endswith("python") and not words[1].startswith("-"):
            assert (ROOT / words[1]).is_file(), words
        else:
            assert words[0] in ("true", "python3", ".venv/bin/python"), words
    assert set(makefile) <= set(targets)


def _understood(module: str, argv: list[str]) -> None:
    if module == "lam_env.benchmark":
        suites.load(config.parse(BenchmarkSettings, argv, module).suite)
    elif module == "lam_env.commands.report":
        assert config.parse(report.ReportSettings, argv, module).run
    elif module == "lam_env.commands.compare":
        runs = [word for word in argv if "=" not in word]
        compared = config.parse(compare.CompareSettings, [word for word in argv if word not in runs], module)
        assert len(runs) == 2 or len(compared.agents) == 2
    elif module == "lam_env.commands.new":
        assert argv[0] == "scenario"
        assert argv[1].isidentifier()
    elif module == "lam_env.commands.simulate":
        wanted = config.parse(simulate.SimulateSettings, argv, module)
        registry.scenario(wanted.scenario)(**wanted.world)
    elif module == "lam_env.commands.look":
        assert config.parse(look.LookSettings, [f"logs={argv[0]}", *argv[1:]], module).logs
    elif module == "lam_env.commands.predict":
        assert config.parse(PredictSettings, argv, module).format in registry.IMPORTERS.names()
    elif module == "lam_env.commands.watch":
        watched = config.parse(watch.WatchSettings, argv, module)
        if watched.scenario is not None:  # else it is that of the run which the agent names
            registry.scenario(watched.scenario)(**watched.world)
        assert watched.gif is None or watched.gif.endswith(".gif")
    elif module == "lam_env.scenarios.traffic.sumo":
        chosen = config.parse(sumo.SumoSettings, argv, module)
        assert set(chosen.policies) <= set(sumo.POLICIES)
        registry.scenario("traffic")(**chosen.world)
    elif module == "lam_env.agents.development":
        assert config.parse(development.DevelopmentSettings, argv, module).format in registry.CHOICES.names()
    elif module == "lam_env.scenarios.game.cohort":
        assert config.parse(cohort.CohortSettings, argv, module).format in registry.IMPORTERS.names()
    elif module == "lam_env.commands.record":
        assert config.parse(record.RecordSettings, argv, module).policy
    elif module == "lam_env.commands.off_policy":
        of = config.parse(off_policy.OffPolicySettings, argv, module)
        assert of.log or of.table
    elif module == "lam_env.commands.play_report":
        assert config.parse(play_report.PlayReportSettings, argv, module).format in registry.IMPORTERS.names()
    else:
        settings = config.parse(RunSettings, argv, module)
        files = ("tables",)  # which a command before it writes
        registry.scenario(settings.scenario)(**{k: v for k, v in settings.world.items() if k not in files})
        own = settings.format is not None and ":" in settings.format  # of the file that the document has saved
        assert own or settings.format in (None, *registry.IMPORTERS.names())


def test_the_readme_is_one_screen_after_another() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 120


def test_the_plain_lines_are_those_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(PY)", ".venv/bin/python")
    makefile = makefile.replace("$(PYTHON)", "python3").replace(" --disable-pip-version-check", "")
    done = [line.strip().removesuffix(" $(ARGS)").split() for line in makefile.splitlines() if line.startswith("\t")]
    done = [[w.strip("'") for w in words] for words in done]
    (plain,) = (b.text for b in blocks(TEXTS["docs/start/install.md"]) if "pip install" in b.text)
    lines = [shlex.split(line) for line in plain.splitlines() if not line.startswith("export")]
    assert len(lines) == 4
    for words in lines:
        assert words in done


# -- names and numbers -------------------------------------------------------------------------------------------------


def _settings() -> dict[str, object]:
    """Every setting and its default."""
    home = registry.scenario("smart_home").Params()
    found: dict[str, object] = {}

    def walk(values: dict[str, object], head: str) -> None:
        for key, value in values.items():
            if isinstance(value, dict) and value:
                walk(value, f"{head}{key}.")
            else:
                found[head + key] = value

    walk(config.to_dict(RunSettings()) | {"world": config.to_dict(home)}, "")
    return found


@every_document
def test_settings_written_as_key_and_value_exist(name: str) -> None:
    worlds = [config.to_dict(registry.scenario(name).Params()) for name in registry.scenario_names()]
    known = {*_settings(), *(f"world.{key}" for world in worlds for key in world), "config", "suite", "key"}
    modules = (sumo.SumoSettings(), development.DevelopmentSettings(), play_report.PlayReportSettings())
    modules += (report.ReportSettings(), watch.WatchSettings(), look.LookSettings(), BenchmarkSettings())
    modules += (compare.CompareSettings(),)
    for own in (*modules, cohort.CohortSettings(), record.RecordSettings(), off_policy.OffPolicySettings()):
        known |= set(config.to_dict(own))
    groups = {key.split(".")[0] for key in known}
    for quoted in code(TEXTS[name]):
        for key, value in re.findall(r"(?:^|\s)([a-z_.]+)=(\S*)", quoted):
            assert key in known, quoted
            assert value or key == "model", quoted
        if re.fullmatch(r"[a-z]+\.[a-z_]+", quoted) and quoted.split(".")[0] in groups - {"config", "log", "model"}:
            assert quoted in known or (ROOT / quoted).exists() or hasattr(registry, quoted), quoted


def enforced() -> dict[str, set[str]]:
    """Room -> the rooms that it may import besides level 0, as test_architecture.py has it."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    (allowed,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ALLOWED"
    )
    parts: dict[str, set[str]] = ast.literal_eval(allowed)
    level_0, top = parts.pop("level 0"), parts.pop("top")
    return {**parts, "core": level_0, "config": level_0, "commands": top}


def test_the_rooms_of_the_architecture_are_those_that_are_enforced() -> None:
    rows = cells(section(TEXTS["ARCHITECTURE.md"], "Rooms and who may import whom"))
    assert {code(room)[0]: set(code(may)) for _, room, _, may in rows} == enforced()
    levels = {code(room)[0]: int(level) for level, room, _, _ in rows}
    for room, may in enforced().items():
        assert all(levels[other] < levels[room] for other in may), room
        assert (ROOT / "lam_env" / room).is_dir() or (ROOT / room).is_dir(), room
    assert set(levels) >= {p.parent.name for p in (ROOT / "lam_env").glob("*/__init__.py")}


# -- links, files, the table, words ------------------------------------------------------------------------------------


@every_document
def test_links_and_files_exist(name: str) -> None:
    text = prose(TEXTS[name])
    links = re.findall(r"\]\(([^)#]+)\)", text)
    local = [link for link in links if not link.startswith("https://")]
    quoted = [q for q in code(text) if re.fullmatch(r"(tests|agents|lam_env|scenarios|docs)/[\w/.]*", q)]
    for path in (*((ROOT / name).parent / link for link in local), *(ROOT / q for q in quoted)):
        assert path.exists(), path


TABLES = [table for text in pages().values() for table in published(text)]


@pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.suite}-{t.scenario}-{t.variant}")
def test_a_published_table_says_how_it_was_made(table: Published) -> None:
    rows = cells(table.text)
    assert {"none", "oracle"} <= {row[0].strip("`* ") for row in rows}
    made = re.search(r"Made by `(python -m lam_env\.\w+ ?[^`]*)`", table.text)
    assert made is not None
    command = in_place(shlex.split(made[1]))
    assert command is not None
    _understood(*command)
    for what in (r"Runs an agent: \d+", r"evaluation seeds \d+", r"Python 3\.\d+", r"torch \d", r", (cpu|cuda)\b"):
        assert re.search(what, table.text), what
