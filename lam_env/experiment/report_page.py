"""A run's report.html, made from the files in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lam_env.config.cli import to_dict
from lam_env.core import registry
from lam_env.core.files.outputs import write_whole

if TYPE_CHECKING:
    from lam_env.envs.scenario import Scenario
    from lam_env.envs.scene import Roles

NAME = "report.html"


def left_out(run: Path) -> list[str]:
    """A line for each part that the page lacks because its file is missing."""
    from lam_env.evaluation.report.page import AGAIN
    from lam_env.evaluation.report.reader import missing_replays, read_run

    files, lines = read_run(run), []
    if not files.rows:
        lines.append(f"left out: all scores: {run / 'results.csv'} is not there or empty. {AGAIN}")
    return lines + [
        f"left out: an episode to watch: there is no {run / file}. {AGAIN}" for file in missing_replays(files).values()
    ]


def write_report(run: Path, out: Path | None = None, scenario: Scenario | None = None) -> Path:
    """Writes the page, whole or not at all, and says where. `scenario`: the run's, if it is at hand."""
    from lam_env.evaluation.report.page import ScenarioNotes, render
    from lam_env.evaluation.report.reader import read_run, understood

    files = read_run(run)
    one: Scenario | type[Scenario] | None = scenario
    if one is None and files.scenario in registry.scenario_names():  # another scenario's code is not looked for
        one = registry.scenario(files.scenario)
    about = ScenarioNotes()
    if one is not None:
        usual = to_dict(one.Params())
        roles = {} if all("roles" in trace for trace in files.replays) else _roles_now(files.scenario)
        about = ScenarioNotes(one.figure_columns(), one.reward_weights, tuple(one.ladder), usual, roles)
    with understood(run):
        page = render(files, about)
    out = out or run / NAME
    write_whole(out, lambda part: part.write_text(page, encoding="utf-8"))
    return out


def _roles_now(name: str) -> Roles:
    """A scenario's own colours as its pictures have them now, for traces from a time when they held none."""
    from lam_env.core.seeds import Use
    from lam_env.envs.vector import LamVectorEnv

    env = LamVectorEnv(1, name)
    env.reset(seed=[Use.TEST.first])
    return env.scenario.scene(env.worlds[0]).roles
