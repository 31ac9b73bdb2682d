"""Who may import whom, read from the sources; and what must stay cheap, small and safe."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools import find_packages

from lam_env.__main__ import commands

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"lam_env": ROOT / "lam_env", "lam_env.agents": ROOT / "agents", "lam_env.scenarios": ROOT / "scenarios"}

# part of the kit -> the parts it may import (besides itself and level 0)
ALLOWED = {
    "level 0": set(),
    "sim": set(),
    "logs": set(),
    "envs": {"sim", "logs"},
    "scenarios": {"sim", "logs", "envs"},
    "agents": {"logs", "envs"},
    "evaluation": {"logs", "envs"},
    "launch": set(),
    "tracking": {"launch"},
    "experiment": {"sim", "logs", "envs", "evaluation", "launch", "tracking"},  # level 3 by name, and through its door
    "suites": {"sim", "logs", "envs", "evaluation", "launch", "experiment"},
    "top": {"sim", "logs", "envs", "evaluation", "launch", "experiment", "suites"},  # commands
}
# keeps the state of numpy's global generator, from which Stable-Baselines3 draws
KEEPER = "lam_env.agents.fine_tuning.checkpoint_callback"
INTERRUPTS = "lam_env.core.interrupts"  # evaluates a constant, which has Python forget an interrupt within an eval
COPIES = "lam_env.envs.moment"  # pickles for copies within the process; it never reads bytes from elsewhere
REGISTRY = "lam_env.core.registry"  # it names packages, in which it looks
DOOR = "lam_env.experiment.models"  # the one module of the kit that imports agents, inside functions
# outside packages that only some parts may import; `lazily`: inside a function, so that loading the part is cheap
OUTSIDE = {
    "simpy": {"sim", "scenarios"},
    "gymnasium": {"envs", "scenarios", "agents", "evaluation", "suites", "top"},
    "torch": {"agents"},
    "stable_baselines3": {"agents"},
    "safetensors": {"agents"},
    "lightgbm": {"agents"},
    "sklearn": {"agents", "logs"},
    "ray": {"launch"},
    "libsumo": {"scenarios"},
    "tensorboard": {"tracking"},
    "wandb": {"tracking"},
    "pettingzoo": {"envs"},
    "minari": {"experiment"},
}
LAZY_ONLY = {
    "level 0": {"pyarrow", "yaml", "rich"},
    "launch": {"ray"},
    "agents": {"lightgbm", "sklearn"},
    "logs": {"sklearn"},
    "scenarios": {"libsumo"},
    "tracking": {"tensorboard", "wandb"},
    "experiment": {"minari"},
}
# gymnasium is none of them: importing the kit registers its environments, and there is no other way to do that
HEAVY = {"torch", "sklearn", "ray", "stable_baselines3", "matplotlib", "pyarrow", "simpy", "tensorboard", "wandb"}


def sources() -> list[tuple[str, Path]]:
    """(dotted module, file) of everything that is shipped."""
    out = []
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            out.append((".".join([package, *parts]).removesuffix(".__init__"), path))
    return out


SOURCES = sources()
by_file = pytest.mark.parametrize(("module", "path"), SOURCES, ids=[m for m, _ in SOURCES])


def part_of(module: str) -> str:
    """Which row of the table a module of the kit belongs to."""
    names = module.split(".")
    if len(names) == 1:
        return "top"
    if names[1] in ("core", "config"):
        return "level 0"
    return names[1] if names[1] in ALLOWED else "top"


def imports(module: str, path: Path) -> list[tuple[str, bool, int]]:
    """(absolute module, whether at run time on loading, line); imports for type checkers only are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    out: list[tuple[str, bool, int]] = []

    def walk(node: ast.AST, loading: bool) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for child in node.orelse:
                walk(child, loading)
            return
        if isinstance(node, ast.Import):
            out.extend((a.name, loading, node.lineno) for a in node.names)
        if isinstance(node, ast.ImportFrom):
            head = node.module or ""
            if node.level:
                head = ".".join(
                    [*package.split(".")[: len(package.split(".")) - node.level + 1], *filter(None, [head])]
                )
            out.append((head, loading, node.lineno))
            if head == "lam_env":  # `from lam_env import registry` names a module
                out.extend((f"lam_env.{a.name}", loading, node.lineno) for a in node.names)
        if isinstance(node, ast.Constant):  # `import_module("lam_env.x")`, entry points
            named = re.match(r"(lam_env(\.\w+)+)[.:\w]*$", str(node.value))
            out.extend([(named[1], False, node.lineno)] if named else [])
        inside = loading and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            walk(child, inside)

    walk(tree, True)
    return out


def wrong_imports(module: str, path: Path) -> list[str]:
    part = part_of(module)
    out = []
    for target, loading, line in imports(module, path):
        top = target.split(".")[0]
        where = f"{path.name}:{line}: {part} imports {target}"
        if top in ("agents", "scenarios"):
            out.append(f"{where}: write lam_env.{target}")
        elif top == "lam_env":
            other = part_of(target) if target != "lam_env" else "level 0"
            through = module == DOOR and other == "agents" and not loading
            packages = ("lam_env.agents", "lam_env.scenarios", "lam_env.logs.formats", "lam_env.tracking")
            named = module == REGISTRY and target in packages
            if other not in ALLOWED[part] | {part, "level 0"} and not through and not named:
                out.append(where)
        elif part not in OUTSIDE.get(top, {part}):
            out.append(where)
        elif loading and top in LAZY_ONLY.get(part, set()):
            out.append(f"{where}: only inside a function")
    return out


@by_file
def test_imports_point_downwards(module: str, path: Path) -> None:
    assert wrong_imports(module, path) == []


@pytest.mark.parametrize(
    ("module", "text", "wrong"),
    [
        ("lam_env.core.rng", "import numpy", 0),
        ("lam_env.core.rng", "import torch", 1),
        ("lam_env.core.rng", "def f():\n    import torch", 1),
        ("lam_env.core.events", "import pyarrow", 1),
        ("lam_env.core.events", "def f():\n    import pyarrow.parquet", 0),
        ("lam_env.core.contracts", "if TYPE_CHECKING:\n    from lam_env.logs.decision_points import DecisionPoints", 0),
        ("lam_env.core.contracts", "from lam_env.logs.decision_points import DecisionPoints", 1),
        ("lam_env.sim.world", "import simpy\nfrom lam_env.core.rng import Streams\nfrom .user import User", 0),
        ("lam_env.sim.world", "from lam_env.logs import decision_points", 1),
        ("lam_env.envs.env", "import gymnasium\nfrom lam_env.sim.world import World", 0),
        ("lam_env.envs.env", "import torch", 1),
        ("lam_env.scenarios.home.world", "from ...agents import prior", 1),
        ("lam_env.scenarios.home.world", "from .. import traffic", 0),
        ("lam_env.scenarios.home.world", "from scenarios import traffic", 1),
        ("lam_env.agents.prior", "import torch\nfrom lam_env.envs import env", 0),
        ("lam_env.agents.prior", "from lam_env.scenarios.home import world", 1),
        ("lam_env.agents.prior", "import lam_env.scenarios.home", 1),
        ("lam_env.evaluation.report", "from lam_env.agents import prior", 1),
        ("lam_env.launch.cluster", "import ray", 1),
        ("lam_env.launch.cluster", "def f():\n    import ray", 0),
        ("lam_env.run", "from lam_env.core import registry", 0),
        ("lam_env.run", "from lam_env import agents", 1),
        ("lam_env.run", "from lam_env.scenarios import smart_home", 1),
        ("lam_env.run", "import_module('lam_env.agents.prior')", 1),
        ("lam_env.run", "import_module(f'lam_env.agents.{name}')", 1),
        ("lam_env.run", "'python -m lam_env.run'", 0),
        ("lam_env.experiment.models", "def f():\n    from lam_env.agents import prior", 0),
        ("lam_env.experiment.models", "from lam_env.agents import prior", 1),
    ],
)
def test_the_import_rules_themselves(tmp_path: Path, module: str, text: str, wrong: int) -> None:
    path = tmp_path / "source.py"
    path.write_text(text)
    assert len(wrong_imports(module, path)) == wrong


MODULES = {module for module, _ in SOURCES}


def imported_modules(module: str, path: Path) -> set[str]:
    """Our modules that a source names in an import wherever it stands: in a function or for type checkers only, too."""
    package = (module if path.name == "__init__.py" else module.rpartition(".")[0]).split(".")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            head = ".".join([*base, *filter(None, [node.module])])
            names = {f"{head}.{a.name}" for a in node.names}
            found |= (names & MODULES) or {head}
    return (found & MODULES) - {module, "lam_env"}  # all import the kit's own package, which says what it holds


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, in one line each circle."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = list(graph[start])
        while ahead:
            if (module := ahead.pop()) not in seen:
                seen.add(module)
                ahead += graph[module]
        return seen

    reach = {module: reached(module) for module in graph}
    return sorted({" ".join(sorted({b for b in found if a in reach[b]})) for a, found in reach.items() if a in found})


def test_no_module_imports_one_that_imports_it() -> None:
    assert circles({module: imported_modules(module, path) for module, path in SOURCES}) == []


@pytest.mark.parametrize(
    "text",
    [
        "from .core.errors import UserError",
        "from .core import errors",
        "import lam_env.core.errors",
        "def f():\n    from lam_env.core.errors import UserError",
        "if TYPE_CHECKING:\n    from lam_env.core import errors",
    ],
)
def test_a_circle_is_seen_wherever_the_import_stands(tmp_path: Path, text: str) -> None:
    path = tmp_path / "source.py"
    path.write_text(text)
    assert imported_modules("lam_env.other", path) == {"lam_env.core.errors"}


def test_circles_themselves() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"f"}, "f": {"e", "a"}}
    assert circles(graph) == ["b c", "e f"]


@by_file
def test_no_file_is_longer_than_400_lines(module: str, path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


_GENERATORS = {"Generator", "SeedSequence", "PCG64", "Philox", "BitGenerator", "default_rng"}


def unsafe(tree: ast.AST) -> list[str]:
    """Loading that runs a stranger's code, and random numbers of a global generator."""
    out = []
    forked = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("fork_rng" in ast.unparse(item) for item in node.items)
        for inner in ast.walk(node)
    }
    stores: set[ast.AST] = set()
    for node in ast.walk(tree):
        name = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [str(node.module)] if isinstance(node, ast.ImportFrom) and not node.level else []
        out += [
            m for m in modules if m.split(".")[0] in ("pickle", "cloudpickle", "dill", "joblib", "shelve", "random")
        ]
        if name.startswith(("np.random.", "numpy.random.")) and name.split(".")[2] not in _GENERATORS:
            out.append(name)
        if isinstance(node, ast.AnnAssign):
            stores.add(node.target)  # a settings group may be called eval; that is no call of the builtin
        if name in ("torch.load", "yaml.load", "yaml.unsafe_load", "eval", "exec") and node not in stores:
            out.append(name)
        if name == "torch.manual_seed" and node not in forked:
            out.append("torch.manual_seed outside `with torch.random.fork_rng()`")
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("random.default_rng") and not node.args:
            out.append("default_rng() without a seed")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            out.append("allow_pickle")
    return out


@by_file
def test_nothing_unpickles_and_nothing_draws_from_a_global_generator(module: str, path: Path) -> None:
    found = unsafe(ast.parse(path.read_text(encoding="utf-8")))
    known = {COPIES: ["pickle"], KEEPER: ["np.random.get_state", "np.random.set_state"], INTERRUPTS: ["eval"]}
    assert sorted(found) == known.get(module, [])


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("import pickle", 1),
        ("from random import choice", 1),
        ("np.random.rand(3)", 1),
        ("np.random.Generator(np.random.PCG64(3))", 0),
        ("np.random.default_rng()", 1),
        ("np.random.default_rng(3)", 0),
        ("torch.load('x')", 1),
        ("np.load('x', allow_pickle=True)", 1),
        ("np.load('x', allow_pickle=False)", 0),
        ("model.eval()", 0),
        ("torch.manual_seed(3)", 1),
        ("with torch.random.fork_rng():\n    torch.manual_seed(3)", 0),
    ],
)
def test_the_safety_rules_themselves(text: str, n: int) -> None:
    assert len(unsafe(ast.parse(text))) == n


def test_the_kit_names_no_scenario_and_no_agent_by_importing_it() -> None:
    """Every module of agents/ and scenarios/ says on its own that it is no top-level package."""
    for name in ("agents", "scenarios"):
        text = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {name}"
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
        assert f"ImportError: import lam_env.{name}, not {name}" in done.stderr


def test_every_folder_of_code_is_a_package_and_is_shipped() -> None:
    setup = subprocess.run(
        [sys.executable, "-c", "import setuptools; setuptools.setup = lambda **k: print(*k['packages']); import setup"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folders = {module if path.name == "__init__.py" else module.rpartition(".")[0] for module, path in SOURCES}
    assert set(setup.stdout.split()) == folders
    assert folders >= set(FOLDERS) | {f"lam_env.{name}" for name in find_packages(str(ROOT / "lam_env"))}


@pytest.mark.parametrize("module", ["lam_env", *(name for name, _ in SOURCES if part_of(name) == "level 0")])
def test_level_0_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*({{m.split('.')[0] for m in sys.modules}} & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_top_level_holds_packages_and_four_modules() -> None:
    top = {path.name for path in (ROOT / "lam_env").glob("*.py")}
    assert top == {"__init__.py", "__main__.py", "run.py", "benchmark.py"}
    sides = [len([m for _, m in SOURCES if m.parent == folder]) for folder in {path.parent for _, path in SOURCES}]
    assert max(sides) <= 17  # modules side by side, __init__ among them


@pytest.mark.parametrize("command", sorted(commands()))
@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("no_such.setting=1", 2), ("nonsense", 2)])
def test_help_and_configuration_errors_load_nothing_heavy(command: str, argument: str, code: int) -> None:
    """`-X importtime` lists every module loaded, whatever way the command ends."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lam_env", command, argument],
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = {
        line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "import time:" in line
    }
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert done.returncode == code
    assert len(said) == (1 if code else 0)
    assert not loaded & (HEAVY - {"simpy", "pyarrow"})
