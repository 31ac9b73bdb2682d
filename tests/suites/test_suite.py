"""Suites are data: every entry can be built, and a file that is wrong is one line."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.experiment.agent_spec import split
from lam_env.experiment.inputs import agents_of, check_seeds
from lam_env.experiment.policies import scenario_made
from lam_env.experiment.settings import ALL, ALWAYS
from lam_env.suites import suite as suites

RUNS = [(name, run) for name in suites.names() for run in suites.load(name).runs]
every_run = pytest.mark.parametrize(("suite", "run"), RUNS, ids=[f"{name}-{run.name}" for name, run in RUNS])


@every_run
def test_every_entry_can_be_built(suite: str, run: suites.SuiteRun) -> None:
    """Its world is made, its agents are known and can be made, its seeds are different ones."""
    s = run.settings
    scenario = scenario_made(s.scenario, s.world)
    check_seeds(s.seed)
    agents = agents_of(s, scenario)
    assert set(ALWAYS) <= set(agents)
    assert set(s.agents) - {ALL} <= set(agents)
    own = scenario.baselines() | scenario.exploits()
    for name in (split(agent)[0] for agent in agents):
        assert callable(own[name] if name in own else registry.agent(name))
        if name not in own:
            inspect.signature(registry.agent(name)).bind()
    assert scenario.make_world is not None
    assert s.out is None
    assert not s.agent


def test_the_published_suites_are_what_is_said_of_them() -> None:
    quick, full, default = (suites.load(name) for name in ("quick", "full", "default"))
    assert {(r.settings.agents, len(r.settings.seed)) for r in default.runs} == {((), 8)}
    assert sorted(r.settings.scenario for r in default.runs) == registry.scenario_names()
    whole = [r for r in full.runs if ALL in r.settings.agents]
    for runs in (quick.runs, whole):
        assert sorted(r.settings.scenario for r in runs) == registry.scenario_names()
    assert all(r.settings.agents == (ALL,) for r in quick.runs)
    assert {(r.settings.eval.seeds, len(r.settings.seed)) for r in quick.runs} == {(3, 1)}
    assert "Reduced budgets" in quick.about
    assert {(r.settings.eval.seeds, len(r.settings.seed)) for r in full.runs} == {(10, 3)}
    trained_on = {(r.label, r.settings.world.households, r.settings.eval.world) for r in full.runs[1:4]}
    assert trained_on == {
        ("alike", "alike", ()),
        ("alike-among-differ", "alike", ("households=differ",)),
        ("differ-among-alike", "differ", ("households=alike",)),
    }


def test_quick_spends_less_than_full_everywhere() -> None:
    full = [run for run in suites.load("full").runs if ALL in run.settings.agents]
    for small, whole in zip(suites.load("quick").runs, full, strict=True):
        one, other = small.settings, whole.settings
        assert one.scenario == other.scenario
        assert one.log.worlds * one.log.days < other.log.worlds * other.log.days
        assert one.train.steps < other.train.steps
        assert one.eval.seeds * one.eval.worlds < other.eval.seeds * other.eval.worlds


def test_settings_are_on_top_of_the_scenarios_own() -> None:
    s = suites.settings_of({"scenario": "game", "log": {"worlds": 30}})
    usual = registry.scenario("game").defaults
    assert (s.log.worlds, s.log.days, s.eval.worlds) == (30, usual["log.days"], usual["eval.worlds"])


@pytest.mark.parametrize(
    ("label", "of_run", "variant"),
    [
        ("", "sim-later", "sim-later"),
        ("x", "sim", "x"),
        ("x", "sim-later", "x-later"),
        ("x", "exploit", "exploit x"),
        ("x", "ladder:plan", "ladder:plan x"),
    ],
)
def test_a_label_tells_variants_apart(label: str, of_run: str, variant: str) -> None:
    assert suites.SuiteRun("r", suites.settings_of({}), label).variant(of_run) == variant


GOOD = "runs:\n  - scenario: game\n"
WRONG = {
    "cannot be read": b"\xff\xfe",
    "is not YAML": b"{",
    "expected about, runs, measurements, got [1]": b"[1]",
    "no key 'run'; did you mean 'runs'?": b"run: []",
    "give either runs or measurements": b"about: x",
    "runs: expected a list of entries": b"runs: 3",
    "runs is empty: give at least one entry": b"runs: []",
    "measurements is empty: give at least one entry": b"runs: [{scenario: game}]\nmeasurements:",
    "runs[0]: names no scenario; give one, or the real logs": b"runs: [{agents: [none]}]",
    "runs[1]: names no scenario": (GOOD + "  - {name: mine, agents: [none]}\n").encode(),
    "runs[0]: give a name, which its folder gets": b"runs: [{logs: a.csv, format: csv, predict: yes}]",
    "runs[0].label: expected printable text, got ['a']": b"runs: [{scenario: game, label: [a]}]",
    "runs[0].reference: expected printable text, got 3": b"runs: [{scenario: game, reference: 3}]",
    "two runs are called game": (GOOD + "  - scenario: game\n").encode(),
    "runs[0]: '../x' is no name for a folder": b"runs: [{name: ../x, scenario: game}]",
    "game: no setting 'evals'": b"runs: [{scenario: game, evals: 3}]",
    "game: eval.seeds": b"runs: [{scenario: game, eval: {seeds: 0}}]",
    "gam: no scenario 'gam'; did you mean 'game'?": b"runs: [{scenario: gam}]",
    "mine: no scenario 'gam'; did you mean 'game'?": b"runs: [{name: mine, scenario: gam}]",
    "which a file may not; give agent= on the command line": b"runs: [{name: x, scenario: 'os:system'}]",
    "agents names Python code": b"runs: [{scenario: game, agents: ['a:B']}]",
    "agent names Python code": b"runs: [{scenario: game, agent: [x]}]",
    "out is the command's to say": b"runs: [{scenario: game, out: /tmp/x}]",
    "measurements[0].copys": b"measurements: [{env: x, copys: 3}]",
}


@pytest.mark.parametrize(("said", "text"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, said: str, text: bytes) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        suites.load(str(path))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_of_a_file_that_is_not_there_it_is_said_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"nope\.yaml: cannot be read \(No such file or directory\); give a YAML file, or one of .*quick",
    ):
        suites.load(str(tmp_path / "nope.yaml"))


def test_a_run_on_a_real_log_needs_no_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("runs: [{name: home, logs: a.csv, format: csv, predict: yes}]")
    (run,) = suites.load(str(tmp_path / "mine.yaml")).runs
    assert (run.name, run.label, run.settings.logs) == ("home", "home", "a.csv")


def test_a_file_of_ones_own_is_a_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD)
    suite = suites.load(str(tmp_path / "mine.yaml"))
    assert (suite.name, [r.name for r in suite.runs]) == ("mine", ["game"])
