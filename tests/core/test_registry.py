"""Names that are found because their module is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from lam_env.core import registry
from lam_env.core.registry import Registry, RegistryError

counter = iter(range(10_000))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package with a name of its own, importable."""
    folder = tmp_path / f"things{next(counter)}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [n for n in sys.modules if n.split(".")[0] == folder.name]:
        del sys.modules[name]


def agents(package: Path) -> Registry:
    return Registry("agent", package.name, "AGENTS")


def worlds(package: Path) -> Registry:
    return Registry("scenario", package.name, "SCENARIO", many=False)


def test_names_are_read_without_importing_anything(package: Path) -> None:
    (package / "slow.py").write_text("raise RuntimeError('imported')\nAGENTS = {'one': int, 'two': str}\n")
    (package / "typed.py").write_text("AGENTS: dict[str, type] = {\n  'three': float,\n}\n")
    (package / "plain.py").write_text("x = 1  # no AGENTS here\n")
    (package / "_hidden.py").write_text("AGENTS = {'hidden': int}\n")
    (package / "sub").mkdir()
    (package / "sub" / "__init__.py").write_text("AGENTS = {'four': int}\n")
    assert agents(package).names() == ["four", "one", "three", "two"]
    assert f"{package.name}.slow" not in sys.modules


def test_get_imports_only_what_is_asked_for(package: Path) -> None:
    (package / "a.py").write_text("AGENTS = {'one': int}\n")
    (package / "b.py").write_text("AGENTS = {'two': int}\n")
    assert agents(package).get("one") is int
    assert f"{package.name}.a" in sys.modules
    assert f"{package.name}.b" not in sys.modules


def test_names_that_are_computed_are_asked_of_the_module(package: Path) -> None:
    (package / "a.py").write_text("AGENTS = {f'markov{k}': int for k in (1, 2)}\n")
    assert agents(package).names() == ["markov1", "markov2"]


def test_a_scenario_is_called_as_its_folder(package: Path) -> None:
    for name, text in (("home", "from .world import SCENARIO\n"), ("road", "SCENARIO = 7\n"), ("half_done", "")):
        (package / name).mkdir()
        (package / name / "__init__.py").write_text(text)
    (package / "home" / "world.py").write_text("SCENARIO = object()\n")
    assert worlds(package).names() == ["home", "road"]
    assert worlds(package).get("road") == 7


def test_an_unknown_name_is_one_line_with_a_suggestion_and_the_list(package: Path) -> None:
    (package / "a.py").write_text("AGENTS = {'prior': int, 'oracle': int}\n")
    with pytest.raises(RegistryError) as error:
        agents(package).get("priro")
    assert str(error.value) == "no agent 'priro'; did you mean 'prior'?; there are: oracle, prior"
    with pytest.raises(RegistryError, match="no agent 'zzz'; there are: oracle, prior"):
        agents(package).get("zzz")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import not_installed_here\n", "ModuleNotFoundError: No module named"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("exit(3)\n", "SystemExit"),
    ],
)
def test_a_module_that_fails_says_which_exception(package: Path, text: str, reason: str) -> None:
    (package / "a.py").write_text(text + "AGENTS = {'one': int}\n")
    with pytest.raises(RegistryError, match=f"{package.name}.a cannot be imported: {reason}") as error:
        agents(package).get("one")
    assert error.value.__cause__ is not None


def test_a_source_that_cannot_be_read_does_not_hide_the_others(package: Path) -> None:
    (package / "a.py").write_text("AGENTS = {'one': int}\n")
    (package / "b.py").write_text("AGENTS = {'two': int\n")
    assert agents(package).get("one") is int
    with pytest.raises(RegistryError, match=r"b\.py was left out: SyntaxError"):
        agents(package).get("two")


def test_a_name_may_not_be_given_twice(package: Path) -> None:
    (package / "a.py").write_text("AGENTS = {'one': int}\n")
    (package / "b.py").write_text("AGENTS = {'one': str}\n")
    with pytest.raises(RegistryError, match=f"defined twice: in {package.name}.a and in {package.name}.b"):
        agents(package).names()


def test_entry_points_add_names(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (package / "a.py").write_text("class Mine:\n    pass\nAGENTS = {'one': int}\nSCENARIO = 5\n")
    entries = {"lam_x.agents": [EntryPoint("theirs", f"{package.name}.a:Mine", "lam_x.agents")]}
    entries["lam_x.scenarios"] = [EntryPoint("yard", f"{package.name}.a", "lam_x.scenarios")]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries.get(group, []))
    monkeypatch.setattr(registry, "_modules", lambda package, deep: iter(()))
    assert Registry("agent", "lam_x.agents", "AGENTS").get("theirs").__name__ == "Mine"
    assert Registry("scenario", "lam_x.scenarios", "SCENARIO", many=False).get("yard") == 5


def test_module_and_attribute_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"my_agent{next(counter)}"
    (tmp_path / f"{name}.py").write_text(
        "class Best:\n    def predict(self, *a): ...\n    class Inner: ...\nready = Best()\nnumber = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert registry.agent(f"{name}:Best").__name__ == "Best"
    assert registry.agent(f"{name}:Best.Inner").__name__ == "Inner"
    assert type(registry.agent(f"{name}:ready")()).__name__ == "Best"
    for wrong, message in (
        ("number", "is a int: give a class or object"),
        ("worst", f"{name} has no worst$"),
        ("number.worst", f"{name} has no number.worst$"),
        ("Bets", f"{name} has no Bets; did you mean 'Best'"),
        ("", "write module:Attribute"),
    ):
        with pytest.raises(RegistryError, match=message):
            registry.agent(f"{name}:{wrong}")
    with pytest.raises(RegistryError, match="no_such_module cannot be imported: ModuleNotFoundError"):
        registry.agent("no_such_module:Agent")


def test_what_a_module_says_of_its_things_is_read_without_importing_it(package: Path) -> None:
    (package / "a.py").write_text("raise RuntimeError\nNEEDS = ('prior', 'steps')\nAGENTS = {'one': int, 'two': str}\n")
    (package / "b.py").write_text("NEEDS: tuple[str, ...] = ()\nAGENTS = {'three': int}\n")
    (package / "c.py").write_text("from .a import NEEDS  # says nothing here\nAGENTS = {'four': int}\n")
    (package / "d.py").write_text("# NEEDS is anything\nAGENTS = {'five': int}\n")
    (package / "e.py").write_text("NEEDS = ('prior',)  # of no agent\n")
    (package / "f.py").write_text("NEEDS = ('prior',)\nAGENTS = {'six': int\n")  # cannot be read
    needs = ("prior", "steps")
    assert agents(package).constants("NEEDS") == {"one": needs, "two": needs, "three": ()}
    assert f"{package.name}.a" not in sys.modules


def test_what_a_module_says_must_be_plain(package: Path) -> None:
    (package / "a.py").write_text("NEEDS = tuple('ab')\nAGENTS = {'one': int}\n")
    with pytest.raises(RegistryError, match=r"a\.py: write NEEDS as words in quotes, not computed"):
        agents(package).constants("NEEDS")


def test_an_agent_of_another_distribution_says_itself_what_it_needs(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "a.py").write_text("class Mine:\n    needs = ()\nclass Plain: ...\nclass Odd:\n    needs = 'prior'\n")
    entries = [
        EntryPoint(name.lower(), f"{package.name}.a:{name}", "lam_x.agents") for name in ("Mine", "Plain", "Odd")
    ]
    entries.append(EntryPoint("broken", "not_here.module:Agent", "lam_x.agents"))
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    monkeypatch.setattr(registry, "_AGENTS", Registry("agent", package.name, "AGENTS"))
    assert registry.agent_needs("mine") == ()
    assert registry.agent_needs("plain") == ("prior",)
    assert registry.agent_needs(f"{package.name}.a:Mine") == ()
    assert registry.agent_needs("broken") == ("prior",)  # it fails by itself, where it is fitted
    with pytest.raises(
        RegistryError, match="agent 'odd': needs 'prior'; give a tuple of dislikes, latent, log, prior, steps"
    ):
        registry.agent_needs("odd")
    assert registry.agent_names("anticipate") == ["broken", "mine", "odd", "plain"]  # for both interactions


def test_what_the_agents_of_the_kit_need() -> None:
    needs = {name: registry.agent_needs(name) for name in registry.agent_names()}
    assert {n for n in needs if not needs[n]} == {"none", "random"}
    assert {n for n in needs if "prior" in needs[n]} >= {"prior", "plugin", "plugin_context", "ppo_prior"}
    assert {n for n in needs if "steps" in needs[n]} == {"ppo_prior", "ppo_scratch", "maskable_ppo"}
    assert {n for n in needs if "latent" in needs[n]} == {"informed", "ladder_activity"}
    assert {n for n in needs if "dislikes" in needs[n]} == {"known", "bayes"}
    every = set(registry.agent_names())
    assert every - set(registry.agent_names(without=("latent",))) == {"informed", "ladder_activity"}
    assert every - set(registry.agent_names(without=("dislikes",))) == {"known", "bayes"}


@pytest.mark.parametrize("name", [n for n in registry.agent_names() if registry.agent_needs(n) == ("log",)])
def test_who_needs_the_log_alone_has_a_predictor_of_it(name: str) -> None:
    assert callable(registry.agent(name)().predictor)


def test_a_scenario_is_one() -> None:
    with pytest.raises(
        RegistryError,
        match=r"scenario 'lam_env\.core\.registry:Registry': give a subclass of .*Scenario that has Params",
    ):
        registry.scenario("lam_env.core.registry:Registry")


def test_who_advises_is_left_out_where_one_acts_for_people() -> None:
    every, acting, advising = (set(registry.agent_names(i)) for i in (None, "anticipate", "advise"))
    assert every - acting == {"plugin_own", "plugin_follow"}
    assert every - advising == {"plugin_kind"}


def test_a_package_that_is_not_there_has_no_names() -> None:
    assert Registry("agent", "lam_env.no_such_folder", "AGENTS").names() == []


def test_an_empty_module_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in (":Agent", ".relative:Agent"):
        with pytest.raises(RegistryError, match="write module:Attribute"):
            registry.agent(name)


@pytest.mark.parametrize(
    ("names", "get"),
    [
        (registry.scenario_names, registry.scenario),
        (registry.agent_names, registry.agent),
        (registry.IMPORTERS.names, registry.IMPORTERS.get),
    ],
)
def test_every_name_of_the_kit_stands_for_something(
    names: Callable[[], list[str]], get: Callable[[str], object]
) -> None:
    assert names() == sorted(set(names()))
    for name in names():
        assert get(name) is not None


def test_a_misspelt_name_does_not_wait_for_torch() -> None:
    code = (
        "import sys; from lam_env.core import registry as r\n"
        "for ask in (r.agent, r.scenario, r.IMPORTERS.get):\n"
        "    try: ask('no such name')\n"
        "    except ValueError: pass\n"
        "    else: raise SystemExit('found')\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'ray', 'stable_baselines3'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_ready_agent_needs_predict_or_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = SimpleNamespace(fit=print)
    monkeypatch.setattr(registry, "_AGENTS", SimpleNamespace(get=lambda name: ready))
    assert registry.agent("x")() is ready


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("mine:Agent", True),
        ("my.pack:agents.Best", True),
        ("mine.py:Agent", True),
        ("prior", False),
        ("runs/2026-01-12T10:30:00", False),
        ("2026-01-12T10:30:00", False),
        ("night-10:30", False),
        ("C:\\runs\\home-1", False),
        ("C:/runs/home-1", False),
    ],
)
def test_a_folder_with_a_colon_in_its_name_is_no_code(name: str, code: bool) -> None:
    assert registry.names_code(name) == code
