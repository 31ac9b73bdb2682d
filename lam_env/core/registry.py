"""Names -> scenarios, agents, importers: found by folder, by entry point, or given as `module:Attribute`.

There is no central list. A package in scenarios/ that binds `SCENARIO`, a module in agents/ or in one of its packages
with a dictionary `AGENTS`, a module in lam_env/logs/formats/ with a dictionary `FORMATS` or `CHOICES`, one in
lam_env/tracking/ with `SINKS` is found because it is there; another distribution adds its own by the entry-point groups
"lam_env.scenarios", "lam_env.agents" and "lam_env.tracking". Sources are read, not imported, to learn the names, so
that a list or a misspelt name never waits for torch.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lam_env.config.convert import short, suggestion
from lam_env.core.contracts import Importer, Sink, acts, learns, needs_said
from lam_env.core.errors import OWN_SCENARIOS, UserError, hint

if TYPE_CHECKING:
    from lam_env.envs.scenario import Scenario
    from lam_env.logs.choices import Choices

T = TypeVar("T")
NEEDS = {"log", "prior", "steps", "latent", "dislikes"}  # what an agent may need
PRIOR = ("prior",)  # who says nothing is given it


class RegistryError(UserError):
    """A name that stands for nothing, or whose module cannot be imported."""


@dataclass(frozen=True)
class Registry(Generic[T]):
    """One kind of thing. Modules of `package` bind `variable`: the thing, or (`many`) a dict of name -> thing."""

    kind: str
    package: str
    variable: str
    many: bool = True
    deep: bool = False  # modules in packages of `package` count too

    def names(self) -> list[str]:
        return sorted(self._places()[0])

    @cache  # noqa: B019 -- as below
    def constants(self, variable: str) -> dict[str, object]:
        """What modules bind `variable` to in plain words, by the names of their things, where they do."""
        by_module, modules = {}, set(map(str, self._places()[0].values()))
        for module, path in _modules(self.package, self.deep):
            text = path.read_text(encoding="utf-8") if module in modules else ""
            for node in ast.parse(text).body if variable in text else ():
                if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _binds(node, variable):
                    try:
                        by_module[module] = ast.literal_eval(node.value)
                    except ValueError:
                        raise RegistryError(f"{path}: write {variable} as words in quotes, not computed") from None
        return {name: by_module[str(place)] for name, place in self._places()[0].items() if str(place) in by_module}

    def get(self, name: str) -> T:
        """What `name` stands for; imports its module, and only that."""
        if names_code(name):
            module, _, attribute = name.partition(":")
            return _attribute(self.kind, module, attribute, here=True)
        places, broken = self._places()
        if name not in places:
            known = sorted(places)
            message = f"no {self.kind} {name!r}; {suggestion(name, known, '')}".rstrip("; ")
            left_out = "".join(f" ({path} was left out: {why})" for path, why in broken.items())
            raise RegistryError(f"{message}; there are: {', '.join(known) or 'none'}{left_out}")
        place = places[name]
        if isinstance(place, EntryPoint):
            module, _, attribute = place.value.partition(":")
            return _attribute(self.kind, module, attribute or self.variable)
        thing = _attribute(self.kind, place, self.variable)
        return thing[name] if self.many else thing

    @cache  # noqa: B019 -- a frozen record at module level, one a kind of thing
    def _places(self) -> tuple[dict[str, str | EntryPoint], dict[str, str]]:
        """name -> module or entry point; and the sources that could not be read, with the reason."""
        places: dict[str, str | EntryPoint] = {}
        broken: dict[str, str] = {}

        def add(name: str, place: str | EntryPoint) -> None:
            if name in places:
                where = [p.value if isinstance(p, EntryPoint) else p for p in (places[name], place)]
                raise RegistryError(f"{self.kind} {name!r} is defined twice: in {where[0]} and in {where[1]}")
            places[name] = place

        for module, path in _modules(self.package, self.deep):
            try:
                names = self._read(module, path)
            except (SyntaxError, UnicodeDecodeError) as error:
                broken[str(path)] = f"{type(error).__name__}: {error}"
                continue
            for name in names:
                add(name, module)
        for entry in entry_points(group=self.package):
            add(entry.name, entry)
        return places, broken

    def _read(self, module: str, path: Path) -> list[str]:
        """The names that a source defines, without importing it where it says them in plain words."""
        text = path.read_text(encoding="utf-8")
        if self.variable not in text:
            return []
        for node in ast.parse(text, str(path)).body:
            if not _binds(node, self.variable):
                continue
            if not self.many:
                return [module.rpartition(".")[2]]
            value = getattr(node, "value", None)
            keys = [getattr(k, "value", None) for k in value.keys] if isinstance(value, ast.Dict) else [None]
            if all(isinstance(k, str) for k in keys):
                return [str(k) for k in keys]
            return list(_attribute(self.kind, module, self.variable))
        return []


_SCENARIOS: Registry[type[Scenario]] = Registry("scenario", "lam_env.scenarios", "SCENARIO", many=False)
_AGENTS: Registry[object] = Registry("agent", "lam_env.agents", "AGENTS", deep=True)
IMPORTERS: Registry[Importer] = Registry("log format", "lam_env.logs.formats", "FORMATS")
# what reads the choices of a format: path -> choices, and what was left out
CHOICES: Registry[Callable[[str], tuple[Choices, dict[str, int]]]] = Registry(
    "format of choices", "lam_env.logs.formats", "CHOICES"
)
SINKS: Registry[Callable[[Path, Mapping[str, object]], Sink]] = Registry("tracker", "lam_env.tracking", "SINKS")


def names_code(name: str) -> bool:
    """Whether it is `module:Attribute`, and no folder with a colon in its name: a path, a time, a Windows drive."""
    module, colon, attribute = name.partition(":")
    return bool(colon) and not (set("/\\") & set(name) or module[:1].isdigit() or attribute[:1].isdigit())


def scenario_names() -> list[str]:
    return _SCENARIOS.names()


def scenario_version(name: str) -> int:
    """Of its worlds, `VERSION` beside `SCENARIO`: another where the same seed and actions give something else."""
    version = _SCENARIOS.constants("VERSION").get(name, 0)
    assert isinstance(version, int)
    return version


def scenario(name: str) -> type[Scenario]:
    """The scenario called `name`, or `module:Attribute`."""
    kind = _SCENARIOS.get(name)
    if not isinstance(kind, type) or not hasattr(kind, "Params"):
        raise RegistryError(f"scenario {name!r}: give a subclass of lam_env.Scenario that has Params, its settings")
    if not (isinstance(kind.Params, type) and dataclasses.is_dataclass(kind.Params)):
        what = getattr(kind.Params, "__name__", short(kind.Params))
        raise RegistryError(
            f"scenario {name!r}: Params is {what}; give a frozen dataclass, each field a lam_env.setting"
        )
    empty = [f.name for f in dataclasses.fields(kind.Params) if f.default is f.default_factory is dataclasses.MISSING]
    if empty:
        raise RegistryError(f"scenario {name!r}: Params has no value for {', '.join(empty)}; give each field a default")
    return kind


def agent_names(interaction: str | None = None, without: Collection[str] = ()) -> list[str]:
    """Agents' names, less those for another `interaction`, and less those that need what it is `without`."""
    for_one, needs = _AGENTS.constants("INTERACTION"), _AGENTS.constants("NEEDS")
    unable = {name for name, what in needs.items() if isinstance(what, tuple | list) and set(without) & set(what)}
    return [a for a in _AGENTS.names() if interaction in (None, for_one.get(a, interaction)) and a not in unable]


def counting_agents() -> list[str]:
    """The kit's agents that count and learn nothing: their modules say `COUNTING = True`."""
    return sorted(name for name, counts in _AGENTS.constants("COUNTING").items() if counts)


def agent_meanings() -> dict[str, str]:
    """What each of the kit's agents is, for people to read: their modules say `MEANINGS`."""
    said = _AGENTS.constants("MEANINGS")
    return {name: texts[name] for name, texts in said.items() if isinstance(texts, dict) and name in texts}


def agent_needs(name: str) -> tuple[str, ...]:
    """What an agent has to be given (`lam_env.Agent`): of the kit's as its module says, of others as they say."""
    constants = _AGENTS.constants("NEEDS") if not names_code(name) else {}
    try:
        needs = constants[name] if name in constants else needs_said(_AGENTS.get(name), PRIOR)
    except RegistryError:  # said when it is fitted: no other agent has to fail with it
        return PRIOR
    if not isinstance(needs, tuple) or not set(needs) <= NEEDS:
        raise RegistryError(f"agent {name!r}: needs {needs!r}; give a tuple of {', '.join(sorted(NEEDS))}")
    return needs


def agent(name: str) -> Callable[..., Any]:
    """What makes the agent called `name`, or `module:Attribute` (a class, a function, or a ready agent)."""
    maker = _AGENTS.get(name)
    if inspect.isroutine(maker) and (asked := _required(maker)):
        what = f"is a function that asks for {', '.join(asked)}"
        raise RegistryError(f"agent {name!r} {what}: give a class with predict or fit, or a function that makes one")
    if callable(maker):
        return maker
    if acts(maker) or learns(maker):
        return lambda: maker
    raise RegistryError(f"agent {name!r} is a {type(maker).__name__}: give a class or object with predict or fit")


def _required(function: Callable[..., object]) -> list[str]:
    """The parameters without which it cannot be called."""
    of = inspect.Parameter
    known = inspect.signature(function).parameters.values()
    return [p.name for p in known if p.default is of.empty and p.kind not in (of.VAR_POSITIONAL, of.VAR_KEYWORD)]


def _modules(package: str, deep: bool = False) -> Iterator[tuple[str, Path]]:
    """Modules and packages in a package, `deep` those in its packages too: dotted name, source. Nothing is imported."""
    spec = importlib.util.find_spec(package)
    for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        for path in sorted(folder.rglob("*.py") if deep else (*folder.glob("*.py"), *folder.glob("*/__init__.py"))):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if name and not any(part.startswith(("_", ".")) for part in name.split(".")):
                yield f"{package}.{name}", path


def _binds(node: ast.stmt, variable: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any((a.asname or a.name) == variable for a in node.names)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(t, ast.Name) and t.id == variable for t in targets)


def _attribute(kind: str, module: str, attribute: str, here: bool = False) -> Any:
    """`attribute` (dots allowed) of `module`; `here`: the current folder may hold the module."""
    if here:
        if kind == "scenario" and (package := module.partition(".")[0]) != "lam_env":
            OWN_SCENARIOS[package] = f"{module}:{attribute}"
        sys.path[:0] = [os.getcwd()] if os.getcwd() not in sys.path else []
    if not module or not attribute or module.startswith("."):
        raise RegistryError(f"{kind} {module + ':' + attribute!r}: write module:Attribute")
    if module.endswith(".py"):
        name = f"{module.removesuffix('.py')}:{attribute}"
        raise RegistryError(f"{kind} {module + ':' + attribute!r}: write {name}, the module without .py")
    try:
        thing: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises
        message = f"{kind}: {module} cannot be imported: {type(error).__name__}: {error}{hint(error)}"
        if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
            message += "; is there a file of that name in this folder?" if here else ""
        raise RegistryError(message) from error
    for part in attribute.split("."):
        if not hasattr(thing, part):
            its = getattr(thing, "__dict__", {})  # a number has none
            names = [name for name, value in its.items() if getattr(value, "__module__", "") == module]
            raise RegistryError(f"{kind}: {module} has no {attribute}; {suggestion(part, names, '')}".rstrip("; "))
        thing = getattr(thing, part)
    return thing
