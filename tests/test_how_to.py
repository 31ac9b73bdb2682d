"""What the pages in docs/how_to/ say works, from them alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from documents import agents_of, blocks, follow, reader
from lam_env.scenarios.smart_home.kinds import KINDS

from lam_env.config.cli import parse
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.check import check_scenario
from lam_env.envs.single import LamEnv
from lam_env.evaluation import results
from lam_env.evaluation.report.recorder import replay_file
from lam_env.experiment.inputs import agents_of as agents_to_judge
from lam_env.experiment.settings import RunSettings

DOCS = Path(__file__).parents[1] / "docs" / "how_to"
SCENARIO = (DOCS / "own_world.md").read_text(encoding="utf-8")
TEA = next(block.text for block in blocks(SCENARIO) if block.note.startswith("file"))


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with reader(tmp_path_factory.mktemp("scenario")) as folder:
        follow(SCENARIO)
        yield folder


def test_every_agent_that_a_new_scenario_can_have_is_judged_in_it(scenario: Path) -> None:
    kit = registry.agent_names("anticipate", without=("latent", "dislikes"))
    assert agents_of(scenario / "tea" / "results.csv", "sim") == set(kit)
    assert not set(kit) & {"informed", "ladder_activity", "known"}


def test_a_new_scenario_has_a_report_and_nothing_fails(scenario: Path) -> None:
    assert "kettle.on" in (scenario / "tea" / "report.html").read_text(encoding="utf-8")
    failed = json.loads((scenario / "tea" / "report" / "about.json").read_text(encoding="utf-8"))["failed"]
    assert failed == {}
    assert (scenario / "tea" / replay_file(0)).is_file()


def test_who_asks_for_the_ceiling_of_a_scenario_that_shows_nothing_is_told_why_there_is_none(scenario: Path) -> None:
    tea = registry.scenario("tea:Tea")()
    with pytest.raises(
        UserError, match=r"^no agent 'informed' in tea: it reads the hidden state, which is none without latent_names$"
    ):
        agents_to_judge(RunSettings(scenario="tea:Tea", agents=("informed",)), tea)


def test_other_prices_change_what_is_paid_and_nothing_else(scenario: Path) -> None:
    totals = []
    for kind in ("smart_home", "careful_home:CarefulHome"):
        env, rng, over = LamEnv(registry.scenario(kind)(days=1)), np.random.default_rng(0), False
        observation, _ = env.reset(seed=0)
        while not over:
            possible = np.flatnonzero(observation["action_mask"])
            observation, _, *ends, info = env.step(rng.choice(possible) if rng.random() < 0.1 else 0)
            over = any(ends)
        totals.append(info["totals"])
    usual, careful = totals
    assert usual["term.override"] > 0
    assert careful.pop("reward.return") == pytest.approx(usual.pop("reward.return") - 3 * usual["term.override"])
    assert careful == usual


def test_a_scenario_of_another_length_is_made_anew(scenario: Path) -> None:
    class Counting(registry.scenario("tea:Tea")):
        def __init__(self, *, extra: int = 0, **settings: object):
            super().__init__(**settings)
            self.cups, self.extra = self.params.days * self.params.cups, extra

    longer = Counting(extra=3, cups="2", days=4).with_params(days=9)
    assert (longer.days, longer.params.cups, longer.cups, longer.extra) == (9, 2, 18, 3)


def test_people_are_the_same_as_generators_and_as_processes_of_simpy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with reader(tmp_path):
        follow((DOCS / "own_person.md").read_text(encoding="utf-8"))
    assert capsys.readouterr().out.splitlines() == ["[True, False]", "True"]


def test_what_the_page_on_other_libraries_shows_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pettingzoo", reason="needs the extra [pettingzoo]")
    pytest.importorskip("minari", reason="needs the extra [minari]")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "datasets"))
    page = (DOCS / "other_libraries.md").read_text(encoding="utf-8")
    with reader(tmp_path):
        follow(page)
    returns = [[float(word) for word in line.split()] for line in capsys.readouterr().out.splitlines()]
    assert [len(words) for words in returns] == [2, 2]
    assert all(0 < prob < 1 for _, prob in returns)
    assert (tmp_path / "datasets" / "my" / "home-v0").is_dir()
    shown = set(re.findall(r"`(\w+\.py)`", page))
    assert shown <= {path.name for path in (DOCS.parents[1] / "examples").glob("*.py")}


def test_the_rule_of_the_shop_is_worth_the_same_however_it_is_told(tmp_path: Path) -> None:
    """As a column of its table, and as a class: weights are the same."""
    with reader(tmp_path) as folder:
        follow((DOCS / "logged_decisions.md").read_text(encoding="utf-8"))
    rows = {(row.agent, row.metric): row.value for row in results.read(folder / "judged" / "off_policy.csv")}
    assert {agent for agent, _ in rows} == {"p_rule", "random", "always:b", "rule:Rule"}
    assert rows["p_rule", "off_policy.snips"] == rows["rule:Rule", "off_policy.snips"]
    ages = range(18, 80)
    truth = sum(age / 100 if age > 30 else 0.3 for age in ages) / len(ages)
    assert rows["rule:Rule", "off_policy.dr"] == pytest.approx(truth, abs=0.05)


MORE = "n_users = 1\n    "


@pytest.mark.parametrize(("was", "becomes", "told"), [
    ("row.mask[0] = row.mask[KETTLE_ON] = 1", "pass", r"a world writes row\.mask\[0\] = 1, from the start"),
    ("mask[KETTLE_ON] = 1", "mask[0] = 1", r"nothing is ever possible: a world writes row\.mask\[action\] = 1"),
    ("def act(", "def acts(", r"TeaWorld\.act is missing: say what an action of the agent does"),
    ("def scene(", "def picture(", r"scene is missing: give a lam_env\.Scene of the world"),
    ("def make_world(", "def world(", r"make_world is missing: give a lam_env\.World"),
    ("n_users = 1", "pass", "n_users is missing: give the number of people in a world"),
    ("Params = TeaParams", "pass", r"give a subclass of lam_env\.Scenario that has Params"),
    ('constant_ok = ("epoch.user",)', "pass", r"constant_ok may except them\): epoch\.user$"),
    ("self.answer(good=True)", "self.by_agent = None", r"no acceptance .*: say it by feedback_event\(.+ good=True\)"),
    ("self.answer(good=False)", "self.by_agent = None", r"no refusal .*: say it by feedback_event\(.+ good=False\)"),
    ("KETTLE_ON, self.by_agent,", "KETTLE_ON, self.agent_acts,", "its id is `agent_acts` while `act` is called"),
    ("ACCEPT if good", "7 if good", "feedback 7 is recorded, and the vocabulary holds 2"),
    ("user_event(0, ", "user_event(1, ", "an event of user 1 is recorded, and n_users is 1"),
    ('key_figures = {"cups"', 'key_figures = {"mugs"', "key_figures that kpis does not give: mugs"),
    ("n_users = 1", MORE + "days = 3.0", r"an episode of 4 days lasts 3\.0; `days` has to be one of its settings"),
    ("n_users = 1", MORE + 'latent_names = ("thirst",)', r"a world writes row\.latent where `reveal` holds \"latent\""),
    ("n_users = 1", MORE + 'ladder = {"+ state": "ladder_activity"}',
     "its ladder holds ladder_activity, which is no agent here, for want of latent_names"),
])  # fmt: skip
def test_what_a_scenario_lacks_is_told_in_one_line(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    assert was in TEA
    with reader(tmp_path):
        Path("other_tea.py").write_text(TEA.replace(was, becomes), encoding="utf-8")
        with pytest.raises(UserError, match=told) as caught:
            check_scenario("other_tea:Tea")
    assert "\n" not in str(caught.value)


def test_a_new_importer_is_read_and_says_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with reader(tmp_path):
        follow((DOCS / "own_importer.md").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert "diary.txt: 56 events, 14 days, 4 actions" in printed
    assert "left out: 1 line of comment" in printed
    assert {"markov1", "prior"} <= agents_of(tmp_path / "diary" / "results.csv", "log")


def test_a_file_of_settings_names_no_importer_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("format: diary:load\n", encoding="utf-8")
    with pytest.raises(UserError, match="format names Python code, which a file may not"):
        parse(RunSettings, [f"config={tmp_path / 'run.yaml'}"], "run")


def test_a_log_of_ones_own_is_predicted_without_a_conversion(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with reader(tmp_path):
        follow((DOCS / "own_log.md").read_text(encoding="utf-8"))
        assert agents_of(tmp_path / "export" / "results.csv", "log") >= {"most_frequent", "markov1", "prior"}
        assert agents_of(tmp_path / "anna" / "results.csv", "twin") == {
            "resident",
            "none",
            "plugin",
            "oracle",
        }
    said = capfd.readouterr().out
    assert "84 events, 1 user, 6 actions, 14 days" in said  # lam look
    assert "84 events, 14 days, 6 actions" in said
    assert "left out: 14 states without a meaning (unavailable, unknown, null, undef, nan)" in said
    assert "left out: 84 events of another user" in said
    assert "home is annas flat; " in said


HOME = (DOCS / "own_home.md").read_text(encoding="utf-8")


def test_a_log_of_ones_own_devices_acts_in_a_home_that_has_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with reader(tmp_path):
        follow(HOME)
        assert agents_of(tmp_path / "flat" / "results.csv", "sim") >= {"none", "plugin", "oracle"}
        guess = Path("guess.yaml").read_text(encoding="utf-8")
    (shown,) = (block.text for block in blocks(HOME) if block.language == "yaml")
    assert yaml.safe_load(guess) == yaml.safe_load(shown)
    said = " ".join(capfd.readouterr().out.split())
    assert "# Left out: switch.coffee_machine.off, vacuum.robot.cleaning, vacuum.robot.docked, " in guess
    assert "94 of 135 user events are commands of the scenario's home; the others are left out: " in said


def test_the_page_has_every_kind_of_device_and_its_states() -> None:
    rows = [line.split("|")[1:3] for line in HOME.splitlines() if line.startswith("| `")]
    told = {kind: states for kinds, states in rows for kind in re.findall(r"`(\w+)`", kinds)}
    assert list(told) == list(KINDS)
    for name, kind in KINDS.items():
        commands = kind.commands or range(len(kind.states))
        assert {kind.states[state] for state in commands} <= set(re.findall(r"\w+", told[name]))


def test_the_page_names_every_format_and_no_other() -> None:
    text = (DOCS / "log_formats.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.partition("## Logs as they are")[2].splitlines() if "|" in line][2:]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    tables = set(re.findall(r"\b(csv|tsv|jsonl|parquet)\b", text))
    assert named | tables == {name for name in registry.IMPORTERS.names() if not name.startswith("dnd")}
