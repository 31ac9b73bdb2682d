"""The documentation site, as far as it can be judged without being built: its pages, and what is made from the code."""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import re
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
from lam_docs import tables
from lam_docs.sources import as_rst, inline, remarks, shown, signature

import lam_env
from lam_env import LamEnv, UserError
from lam_env.__main__ import commands
from lam_env.core import registry
from lam_env.core.events import COLUMNS, Event
from lam_env.envs.spaces import KEYS, Meaning, meaning
from lam_env.evaluation.results import ResultRow

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if "_build" not in p.parts]
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
REFERENCE = "\n".join(p.read_text(encoding="utf-8") for p in PAGES if "reference" in p.parts)
WORLDS = registry.scenario_names()
SMALL = {"traffic": {"travellers": 20, "burn_in": 7, "days": 3}, "smart_home": {"days": 1}, "game": {"days": 7}}
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(DOCS)))
every_world = pytest.mark.parametrize("world", WORLDS)


# -- pages ---------------------------------------------------------------------------------------------------------


def entries(page: Path) -> list[str]:
    """What the toctrees of a page name, from the site's folder on."""
    blocks = re.findall(r"^:::\{(?:toctree|lam-pages)\}\n(.*?)^:::$", page.read_text(encoding="utf-8"), re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]
    return [(page.parent / line).relative_to(DOCS).as_posix() for line in lines]


def test_every_page_is_in_a_toctree_and_what_the_reference_names_is_there() -> None:
    named = {entry for page in PAGES for entry in entries(page)} | {"index"}
    there = [p.relative_to(DOCS).with_suffix("").as_posix() for p in (*PAGES, *NOTEBOOKS)]
    assert [p for p in there if not any(fnmatch(p, entry) for entry in named)] == []
    assert set(entries(DOCS / "reference" / "index.md")) <= set(there)


@every_page
def test_no_html_comment_is_shown(page: Path) -> None:
    assert "<!--" not in shown(page.read_text(encoding="utf-8"), len(page.relative_to(DOCS).parts) - 1)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_python_that_was_not_run(path: Path) -> None:
    cells = [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    assert len(cells) > 3
    for cell in cells:
        compile("".join(cell["source"]), path.name, "exec")
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_pictures_are_small() -> None:
    sizes = {p.name: p.stat().st_size for p in (DOCS / "_static").glob("*.gif")}
    assert {f"{world}{theme}.gif" for world in ("home", "traffic", "game") for theme in ("", "-dark")} == set(sizes)
    assert max(sizes.values()) < 1_000_000
    assert sum(sizes.values()) < 3_100_000


# -- text ----------------------------------------------------------------------------------------------------------


def test_a_comment_that_names_a_file_is_the_caption_of_its_block() -> None:
    page = "a\n<!-- file: x.py -->\n```python\n# <!-- kept -->\n```\n"
    page += "<!-- run with: y=1 -->\n```bash\nls\n```\n<!-- z -->\nb"
    told = "a\n```{code-block} python\n:caption: x.py\n\n# <!-- kept -->\n```\n```bash\nls\n```\nb"
    assert shown(page) == told


def test_an_interval_is_not_broken() -> None:
    assert shown("| .1 [-.2, +0.3] | [a, b] |") == "| .1 [-.2,\N{NO-BREAK SPACE}+0.3] | [a, b] |"
    code = "```python\nx = [0, 1]\n```\n"
    assert shown(code) == code


def test_links_that_leave_the_site_are_words() -> None:
    assert shown("[a](../README.md#b) [c](d.md) [e](https://doi.org/1)") == "a [c](d.md) [e](https://doi.org/1)"
    assert shown("[a](../d.md) [b](../../x)", depth=1) == "[a](../d.md) b"


@pytest.mark.parametrize(
    ("text", "rst"),
    [
        ("a `b` c", "a ``b`` c"),
        ("`b`s of *_net, |x|", r"``b``\ s of \*_net, \|x\|"),
        ("(`a`, `b`)", "(``a``, ``b``)"),
        ("name_ and a_b", r"name\_ and a_b"),
    ],
)
def test_docstrings_stand_as_they_are_written(text: str, rst: str) -> None:
    assert inline(text).replace("(\\ ", "(") == rst


def test_lines_that_explain_names_become_lists() -> None:
    lines = ["What it is.", "", "one: a", "two: b", "  and c", "", "Both:", '  `x`    d', '  `y`    e']  # fmt: skip
    out = [line for line in as_rst(lines) if line]
    assert out == ["What it is.", "* ``one``: a", "* ``two``: b and c", "Both:", "* ``x``: d", "* ``y``: e"]


def test_signatures_have_short_names() -> None:
    told = "(a: dict[str, ~numpy.ndarray] = <factory>, b: ~x.y.Z = <function A.<lambda>>, c: int = 1)"
    assert signature(told) == "(a: dict[str, ndarray] = ..., b: Z = ..., c: int = 1)"


class Said:
    a: int = 1  # beside
    # above
    b: str
    c: float


def test_what_stands_beside_a_field_explains_it() -> None:
    assert remarks(Said) == {"a": ("int", "beside"), "b": ("str", "above"), "c": ("float", "")}


@pytest.mark.parametrize("cls", [Event, ResultRow])
def test_every_column_of_a_file_is_explained(cls: type) -> None:
    assert all(text for _, text in remarks(cls).values())
    assert set(remarks(Event)) == set(COLUMNS)


# -- reference -----------------------------------------------------------------------------------------------------


def named() -> list[str]:
    """Dotted names of what the reference shows."""
    alone = re.findall(r"^\.\. auto(?:class|function|exception|data):: (\S+)", REFERENCE, re.M)
    members = re.findall(r"^\.\. automodule:: (\S+)\n   :members: (.+)$", REFERENCE, re.M)
    return [*alone, *(f"{module}.{name}" for module, names in members for name in names.split(", "))]


def test_every_public_name_is_in_the_reference_once() -> None:
    public = [name.removeprefix("lam_env.") for name in named() if name.count(".") == 1]
    assert sorted(public) == sorted(set(lam_env.__all__) - {"__version__"})


@pytest.mark.parametrize("name", named())
def test_what_the_reference_shows_has_a_docstring(name: str) -> None:
    thing = pkgutil.resolve_name(name)
    if isinstance(thing, int):  # it has its type's docstring: the page says what it is
        assert re.search(rf"^\.\. autodata:: {re.escape(name)}\n\n   \w", REFERENCE, re.M)
        return
    parts = vars(thing).items() if inspect.isclass(thing) else ()
    callable_ = {k: v for k, v in parts if not k.startswith("_") and (callable(v) or isinstance(v, property))}
    own = {k: v for k, v in callable_.items() if inspect.isfunction(v) or isinstance(v, property)}
    assert [k for k, v in {"": thing, **own}.items() if not inspect.getdoc(v)] == []
    assert not (thing.__doc__ or "").startswith(f"{thing.__name__}(")  # what dataclasses write by themselves


def test_every_command_is_in_the_reference() -> None:
    shown_ = re.findall(r"^## lam (\w+)\n\n:::\{lam-command\} lam_env\.commands\.(\w+)$", REFERENCE, re.M)
    assert sorted(a for a, b in shown_ if a == b) == sorted(commands())


def directives(page: Path) -> list[tuple[str, str]]:
    """(name, arguments) of what a page asks of the code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = re.findall(r"^:::\{(lam-[\w-]+)\} ?([^\n]*)\n", text, re.M)
    return [(name, words) for name, words in found if name not in ("lam-doors", "lam-pages")]


ASKED_FOR = sorted({found for page in PAGES for found in directives(page)})


@pytest.mark.parametrize(("name", "words"), ASKED_FOR, ids=map(" ".join, ASKED_FOR))
def test_what_a_page_asks_of_the_code_is_there(name: str, words: str) -> None:
    made = tables.command(words).tables if name == "lam-command" else tables.DIRECTIVES[name](words)
    for table in made:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.headings)}


def test_each_table_is_asked_for_once() -> None:
    """Whoever needs one of them elsewhere gives a link."""
    every = [found for page in PAGES for found in directives(page)]
    assert [found for found in ASKED_FOR if every.count(found) > 1] == []
    of_worlds = {(f"lam-{part}", w) for part in ("spaces", "rewards", "figures", "agents", "settings") for w in WORLDS}
    assert of_worlds <= set(ASKED_FOR)
    for world in WORLDS:
        assert {words for _, words in directives(DOCS / "worlds" / f"{world}.md")} == {world}


@every_page
def test_who_reads_a_page_without_the_site_is_told_where_its_tables_are(page: Path) -> None:
    bodies = re.findall(r"^:::\{lam-(?!doors|pages)[^\n]*\n(.*?)^:::$", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len(bodies) == len(directives(page))
    told = r"Made from the code( \([^\n]+\))?: on the built site \(`make docs`\)(, or `[^`]+`)?\.\n"
    assert [body for body in bodies if not re.fullmatch(told, body)] == []


def test_a_setting_that_no_command_has_is_refused() -> None:
    with pytest.raises(ValueError, match="watch has no setting colour"):
        tables.some_settings("lam_env.commands.watch theme colour")


def test_every_agent_of_the_kit_is_told_once() -> None:
    rows = [row for table in tables.agents("") for row in table.rows]
    assert sorted(row[0].strip("`") for row in rows) == registry.agent_names()
    assert all(len(text) > 5 for _, text in rows)
    counting = tables.agents("")[1]
    assert {row[0].strip("`") for row in counting.rows} == set(registry.counting_agents())


def test_every_command_is_listed_with_its_sentence() -> None:
    (table,) = tables.command_list("")
    assert [row[0] for row in table.rows] == [f"`lam {name}`" for name in commands()]
    assert all(len(text) > 10 for _, text in table.rows)


def test_what_pages_call_by_its_module_has_a_docstring() -> None:
    """Agents and scenarios among them: `lam_env.x.y`, or a file of theirs."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in PAGES)
    dotted = set(re.findall(r"\b(lam_env(?:\.\w+)+)", text))
    files = set(re.findall(r"`((?:lam_env|agents|scenarios)/[\w/]+\.py)`", text))
    assert {"lam_env.scenarios.game", "scenarios/game/scenario.py"} <= dotted | files
    things = {name: pkgutil.resolve_name(name) for name in dotted if not name.endswith(".__main__")}
    assert [
        name for name, thing in things.items() if not isinstance(thing, int | str) and not inspect.getdoc(thing)
    ] == []
    sources = {name: ast.parse((DOCS.parent / name).read_text(encoding="utf-8")) for name in files}
    assert [name for name, tree in sources.items() if not ast.get_docstring(tree)] == []


@every_world
def test_a_world_and_its_agents_have_docstrings(world: str) -> None:
    own = registry.scenario(world)
    assert inspect.getdoc(own)
    assert inspect.getdoc(inspect.getmodule(own))


def test_a_command_is_told_as_its_help_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = tables.command("lam_env.commands.watch")
    assert told.usage.startswith("python -m lam_env watch")
    rows = {row[0]: row[1:] for table in told.tables for row in table.rows}
    assert rows["`theme`"] == ("name", "`light`", "colours of the GIF. One of light, dark")
    assert rows["`seed`"][0] == "whole number or null"
    assert "watch" not in capsys.readouterr().out


# -- worlds --------------------------------------------------------------------------------------------------------


@every_world
def test_every_name_of_a_world_has_a_meaning_and_nothing_else_has(world: str) -> None:
    own = registry.scenario(world)()
    words, means = own.vocabulary, {**own.meanings(), "figure": own.figures}
    agents = {**own.baselines(), **own.rungs(), **own.exploits()}
    names = {"action": words.actions, "reading": words.readings, "sensor": words.sensors, "feedback": words.feedback}
    names |= {"reward": own.reward_weights, "utility": own.utility_weights, "agent": agents, "figure": figures(world)}
    assert set(names) == set(means)
    for kind, all_ in names.items():
        assert [name for name in all_ if meaning(name, means[kind]) is None] == []
        unused = [k for k in means[kind] if not any(fnmatch(name, k) for name in all_)]
        assert unused == []


def figures(world: str) -> list[str]:
    """Key figures of an episode of the usual length."""
    env = LamEnv(world, **{k: v for k, v in SMALL[world].items() if k != "days"})
    env.reset(seed=0)
    while env.world.now == env.world.start:
        env.step(0)
    return list(env.scenario.kpis(env.world))


@every_world
def test_readings_are_what_their_meaning_says(world: str) -> None:
    env = LamEnv(world, **SMALL[world])
    means, readings = env.scenario.meanings()["reading"], env.vocabulary.readings
    low, high = np.array([(m.low, m.high) for m in (means_of(name, means) for name in readings)]).T
    rng = np.random.default_rng(0)
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        assert set(observation) <= set(KEYS)
        for _ in range(150):
            seen = observation["context"]
            wrong = (seen < low) | (seen > high)
            assert [(readings[i], seen[i]) for i in wrong.nonzero()[0]] == []
            possible = observation["action_mask"].nonzero()[0]
            observation, _, *over, _ = env.step(int(rng.choice(possible)) if rng.random() < 0.3 else 0)
            if any(over):
                break


def means_of(name: str, known: dict[str, Meaning]) -> Meaning:
    found = meaning(name, known)
    assert found is not None
    return found


@every_world
def test_tables_count_all_that_there_is(world: str) -> None:
    own = registry.scenario(world)()
    sensed = LamEnv(world, **SMALL[world]).observation_space
    actions, observation, revealed, readings, sensors, feedback = tables.spaces(world)
    for table, n in ((actions, len(own.vocabulary)), (readings, len(own.vocabulary.readings))):
        assert re.findall(r"\d+", table.rows[-1][0])[-1] == str(n - 1)
    assert [row[0].strip("`") for row in observation.rows] == [k for k in KEYS if k in sensed.spaces]
    assert [row[0].strip("`") for row in (*observation.rows, *revealed.rows)] == list(KEYS)
    assert not re.search(r"\bticks?\b", " ".join(cell for row in observation.rows for cell in row))
    assert sensors.rows[0][0].split()[0] == str(len(own.vocabulary))
    assert [row[1] for row in feedback.rows] == [f"`{word}`" for word in own.vocabulary.feedback]
    every = [*tables.spaces(world), *tables.rewards(world), *tables.figures(world), *tables.agents(world)]
    for table in (*every, *tables.settings(world)):
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.headings)}


def test_a_name_that_stands_for_two_patterns_has_the_meaning_of_the_first() -> None:
    known = {"a.b": Meaning("itself"), "a.*": Meaning("first"), "*": Meaning("rest")}
    assert [meaning(name, known) for name in ("a.b", "a.c", "d")] == list(known.values())
    assert meaning("x[1]", {"x[1]": Meaning("a name is no pattern")}) == Meaning("a name is no pattern")
    assert meaning("b", {"a": Meaning("")}) is None


def test_what_a_scenario_does_not_explain_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.scenario("game"), "meanings", lambda self: {"agent": {}, "action": {}})
    with pytest.raises(ValueError, match=r"meanings\(\) say nothing of "):
        tables.spaces("game")
    with pytest.raises(UserError, match="no scenario"):
        tables.spaces("gme")
