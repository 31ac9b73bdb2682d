"""config=demo: a run of a minute or two, from nothing."""

from pathlib import Path

import pytest

from lam_env.commands.run import main
from lam_env.config.cli import parse
from lam_env.core.catalogue import LIFT
from lam_env.core.errors import UserError
from lam_env.evaluation.results import read
from lam_env.experiment.inputs import agents_of, usual
from lam_env.experiment.policies import scenario_made
from lam_env.experiment.settings import RunSettings


def demo(*words: str) -> RunSettings:
    return parse(RunSettings, ["config=demo", *words], "run", usual)


def test_it_takes_nothing_over_and_every_budget_is_below_the_usual_one() -> None:
    small, full = demo(), parse(RunSettings, [], "run", usual)
    assert (small.model, small.logs, small.scenario) == (None, None, "smart_home")
    assert (small.log.worlds, small.log.days) < (full.log.worlds, full.log.days)
    assert small.train.steps < full.train.steps
    assert small.train.trial < full.train.trial
    assert small.eval.seeds < full.eval.seeds
    assert small.world.days < full.world.days  # type: ignore[attr-defined]


def test_it_judges_one_that_counts_and_one_that_learns_between_nothing_and_everything() -> None:
    settings = demo()
    agents = agents_of(settings, scenario_made(settings.scenario, settings.world))
    assert agents == ["none", "plugin_kind", "ppo_prior", "oracle"]


def test_the_command_line_wins_and_a_file_of_that_name_is_one_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo("train.steps=7").train.steps == 7
    (tmp_path / "demo").write_text("train: {steps: 9}\n")
    monkeypatch.chdir(tmp_path)
    assert demo().train.steps > 9
    assert parse(RunSettings, ["config=./demo"], "run", usual).train.steps == 9
    with pytest.raises(UserError, match="config='demos': cannot be read"):
        parse(RunSettings, ["config=demos"], "run", usual)


def test_help_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "kit's own: demo" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_its_rows_stand_in_the_right_order(tmp_path: Path, seed: int) -> None:
    """Doing nothing, counting, learning, knowing everything."""
    assert main(["config=demo", f"seed={seed}", f"out={tmp_path / 'run'}"]) == 0
    lift: dict[str, list[float]] = {}
    for row in read(tmp_path / "run" / "results.csv"):
        if (row.variant, row.metric) == ("sim", LIFT.id):
            lift.setdefault(row.agent, []).append(row.value)
    means = {agent: sum(each) / len(each) for agent, each in lift.items()}
    assert 0 < means["plugin_kind"] < means["ppo_prior"] < means["oracle"]
