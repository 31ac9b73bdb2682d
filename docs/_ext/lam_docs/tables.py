"""Tables of worlds, commands and files, read off the code. What is between backticks is code."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from lam_env.__main__ import commands, sentence
from lam_env.config import cli
from lam_env.config.help import Group, Setting, settings_of
from lam_env.core import registry
from lam_env.core.catalogue import CATALOGUE
from lam_env.core.events import COLUMNS, Event
from lam_env.envs.single import LamEnv
from lam_env.envs.spaces import KEYS, Meaning, meaning, observation_space

from .sources import remarks

SETTING = ("setting", "type", "default", "meaning")
_ALL = 4  # so many names of one meaning are listed; of more, the first and the last


class Table(NamedTuple):
    """A table of a page."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def spaces(name: str) -> list[Table]:
    """What an agent of a world may do and what it senses, in the world of the default settings; and the keys that an
    observation has with `reveal`. A tick is told as what it is there."""
    world = registry.scenario(name)()
    words, means = world.vocabulary, world.meanings()
    actions = [(numbers, names, m.text) for numbers, names, m in _groups(words.actions, means["action"])]
    headings: tuple[str, ...] = ("number", "action", "meaning")
    if world.interaction == "anticipate":
        headings = (*headings[:2], "good for [s]", headings[2])
        actions = [
            (str(i), f"`{name}`", f"{patience:,}" if i else "", _of(name, means["action"]).text)
            for i, (name, patience) in enumerate(zip(words.actions, words.patience, strict=True))
        ]
    tables = [Table(f"Actions: `Discrete({len(words)})`", headings, actions)]
    usual, every = observation_space(words), observation_space(words, len(world.latent_names), plan=True)
    for title, asked_for in (("Observation: `Dict`", False), ("Only with `reveal`, beside these", True)):
        keys = [(k, m, every[k]) for k, m in KEYS.items() if k in every.spaces and (k not in usual.spaces) == asked_for]
        rows = [(f"`{k}`", _shape(box.shape), str(box.dtype), *_told(m, _bounds(box))) for k, m, box in keys]
        rows = [tuple(re.sub(r"\bticks\b", _tick(name), cell) for cell in row) for row in rows]
        tables.append(Table(title, ("key", "shape", "dtype", "range", "unit", "meaning"), rows))
    readings = [(n, names, *_told(m)) for n, names, m in _groups(words.readings, means["reading"])]
    tables.append(Table("Readings, in `context`", ("place", "reading", "range", "unit", "meaning"), readings))
    sensors = [(n, names, m.text) for n, names, m in _groups(words.sensors, means["sensor"], len(words))]
    tables.append(Table("Sensors, in `tokens` beside the actions", ("token", "sensor", "meaning"), sensors))
    feedback = [(n, names, _value(m), m.text) for n, names, m in _groups(words.feedback, means["feedback"])]
    return [*tables, Table("Feedback, counted in `heard`", ("place", "feedback", "value", "meaning"), feedback)]


def rewards(name: str) -> list[Table]:
    """What the agent is paid for, and the hidden utility by which it is judged."""
    world = registry.scenario(name)()
    means = world.meanings()
    kinds = (("Reward, which the agent is paid", "reward"), ("Utility, which no agent is shown", "utility"))
    return [
        Table(title, ("term", "price", "each", "meaning"), [
            (f"`{term}`", f"{weight:.4g}", _each(means[kind][term]), means[kind][term].text)
            for term, weight in getattr(world, f"{kind}_weights").items()
        ])
        for title, kind in kinds
    ]  # fmt: skip


def figures(name: str) -> list[Table]:
    """Key figures of a world, those of the tables first."""
    world = registry.scenario(name)
    order = dict.fromkeys((*world.key_figures, *world.figures))
    rows = [(f"`{f}`", world.key_figures.get(f, ""), *_told(world.figures[f])) for f in order]
    return [Table("Key figures", ("name", "in tables", "range", "unit", "meaning"), rows)]


def agents(name: str) -> list[Table]:
    """A world's own agents; without a name the kit's, which are judged in every world."""
    if not name:
        return _kit_agents()
    world = registry.scenario(name)()
    means = world.meanings()["agent"]
    kinds = (
        ("Baselines, and agents that know what is hidden", world.baselines()),
        ("Information ladder", world.rungs()),
    )
    kinds += (("Exploits, which have to end below doing nothing", world.exploits()),)
    rows = [(title, [(f"`{a}`", means[a].text) for a in own]) for title, own in kinds]
    return [Table(title, ("agent", "what it does"), own) for title, own in rows if own]


def _kit_agents() -> list[Table]:
    """By what their modules say of them: who counts, who needs what."""
    texts, counting = registry.agent_meanings(), set(registry.counting_agents())
    rest, counts, learns, told = titles = (
        "They do nothing, or act on what others have learned",
        "They count and learn nothing: counting rows",
        "They learn by reinforcement",
        "They are told what no agent is told",
    )
    rows: dict[str, list[tuple[str, ...]]] = {title: [] for title in titles}
    for name in registry.agent_names():
        needs = set(registry.agent_needs(name))
        kind = counts if name in counting else learns if "steps" in needs else rest
        rows[told if needs & {"latent", "dislikes"} else kind].append((f"`{name}`", texts[name]))
    return [Table(title, ("agent", "what it does"), own) for title, own in rows.items()]


def command_list(_: str) -> list[Table]:
    """All commands, each with its sentence."""
    return [Table("", ("command", "what it does"), [(f"`lam {c}`", sentence(s)) for c, s in commands().items()])]


def some_settings(words: str) -> list[Table]:
    """Those of a command's settings that are named after its module."""
    module, *names = words.split()
    rows = {row[0].strip("`"): row for table in command(module).tables for row in table.rows}
    if unknown := [name for name in names if name not in rows]:
        raise ValueError(f"{module} has no setting {', '.join(unknown)}")
    return [Table("", SETTING, [rows[name] for name in names])]


def worlds(_: str) -> list[Table]:
    """The worlds side by side."""
    rows = []
    for name in registry.scenario_names():
        world = registry.scenario(name)()
        asked = "each person" if world.personal else "all as one"
        rows.append(
            (f"`{name}`", world.interaction, asked, f"{world.n_users:,}", f"{world.days:g}", f"{len(world.vocabulary)}")
        )
    return [Table("", ("scenario", "an act is to", "decisions are of", "people", "days", "actions"), rows)]


def settings(name: str) -> list[Table]:
    """Settings of a world."""
    return [_table("Settings", settings_of(registry.scenario(name).Params(), "world."))]


def events(_: str) -> list[Table]:
    """Columns of the table of events."""
    said = remarks(Event)
    rows = [(f"`{name}`", dtype.__name__, said[name][1]) for name, dtype in COLUMNS.items()]
    return [Table("", ("column", "type", "meaning"), rows)]


def metrics(_: str) -> list[Table]:
    """What a run may write, besides terms and key figures of worlds."""
    rows = [(f"`{m.id}`", m.heading, m.unit, _span(*m.range), m.better) for m in CATALOGUE.values()]
    return [Table("", ("metric", "in tables", "unit", "range", "better"), rows)]


class Command(NamedTuple):
    """A command as its `--help` has it."""

    usage: str
    about: str
    tables: list[Table]


def command(module: str) -> Command:
    """Of a module with a `main`: what it does, and its settings, a table for each group of them."""
    loaded, said, shown = importlib.import_module(module), io.StringIO(), list[Group]()

    def keep(instance: Group, prog: str) -> str:
        shown.append(instance)
        return ""

    with mock.patch.object(cli, "help_text", keep), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        loaded.main(["--help"])
    usage, _, about = (loaded.__doc__ or "").partition("\n\n")
    groups: dict[str, list[Setting]] = {}
    for setting in settings_of(shown[0]) if shown else ():
        groups.setdefault(setting.name.partition(".")[0] if "." in setting.name else "", []).append(setting)
    alone = [s for prefix, some in groups.items() if len(some) == 1 or not prefix for s in some]
    tables = [_table("Settings", alone)] if alone else []
    tables += [_table(f"`{prefix}.*`", some) for prefix, some in groups.items() if prefix and len(some) > 1]
    return Command(usage, " ".join(about.split()), tables)


def fields(name: str) -> list[Table]:
    """Fields of a class, `module:Class`, by what its source says beside them."""
    cls = pkgutil.resolve_name(name)
    return [
        Table("", ("name", "type", "meaning"), [(f"`{k}`", f"`{t}`", text) for k, (t, text) in remarks(cls).items()])
    ]


def _table(title: str, found: Iterable[Setting]) -> Table:
    rows = [(f"`{s.name}`", s.kind, f"`{s.value}`" if s.value else "", s.doc + s.limits) for s in found]
    return Table(title, SETTING, rows)


def _tick(name: str) -> str:
    """The unit of a world's time."""
    env = LamEnv(name)
    env.reset(seed=0)
    return {1: "s", 1000: "ms"}[env.world.second]


def _of(name: str, known: Mapping[str, Any]) -> Any:
    found = meaning(name, known)
    if found is None:
        raise ValueError(f"the scenario's meanings() say nothing of {name}")
    return found


def _groups(names: Sequence[str], known: Mapping[str, Any], first: int = 0) -> Iterator[tuple[str, str, Any]]:
    """(numbers, names, meaning) of neighbours that mean the same."""
    start = 0
    for end in range(1, len(names) + 1):
        if end < len(names) and _of(names[end], known) == _of(names[start], known):
            continue
        some = [f"`{name}`" for name in names[start:end]]
        told = ", ".join(some) if len(some) <= _ALL else f"{some[0]} … {some[-1]}"
        number = f"{first + start}" if len(some) == 1 else f"{first + start} to {first + end - 1}"
        yield number, told, _of(names[start], known)
        start = end


def _told(what: Meaning, bounds: tuple[float, float] | None = None) -> tuple[str, str, str]:
    return _span(*(bounds or (what.low, what.high))), what.unit, what.text


def _span(low: float, high: float) -> str:
    if math.isfinite(low) and math.isfinite(high):
        return f"{low:,g} to {high:,g}"
    return f"from {low:,g}" if math.isfinite(low) else f"to {high:,g}" if math.isfinite(high) else "any"


def _value(what: Meaning) -> str:
    """The numbers that come with a word of feedback, where some do."""
    return _told(what)[0] if math.isfinite(what.low) else ""


def _bounds(box: Any) -> tuple[float, float]:
    if not hasattr(box, "low"):
        return 0, 1
    low, high = float(np.min(box.low)), float(np.max(box.high))
    return low, math.inf if high > 2**60 else high


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _each(term: Any) -> str:
    return term.unit or "event"


Made = Callable[[str], list[Table]]
DIRECTIVES: dict[str, Made] = {
    "lam-agents": agents,
    "lam-commands": command_list,
    "lam-events": events,
    "lam-fields": fields,
    "lam-figures": figures,
    "lam-metrics": metrics,
    "lam-rewards": rewards,
    "lam-settings": settings,
    "lam-some-settings": some_settings,
    "lam-spaces": spaces,
    "lam-worlds": worlds,
}
