"""python -m lam_env record policy=runs/smart_home-1

Records a log of decisions. People meet a policy that chooses by chance, and every choice is written down with its
probability, its reward and what was sensed. `python -m lam_env off_policy` tells from it what others would have earned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lam_env.config.cli import cli_errors, command_line, parse, setting
from lam_env.config.convert import count
from lam_env.core.errors import UserError
from lam_env.core.progress import Progress, say_command
from lam_env.core.seeds import Use, world_seeds
from lam_env.experiment.run_folder import new_folder
from lam_env.launch.job import one_thread


@dataclass(frozen=True)
class RecordSettings:
    """Record a log of decisions under a sampled policy."""

    policy: str = setting(
        "",
        "who acts, sampled where it says probabilities: a run folder (its tuned policy, in the world of that run), or"
        " any other agent that lam watch takes",
        code=True,
    )
    scenario: str | None = setting(None, "the scenario, by name (default: that of the run, or smart_home)", code=True)
    explore: float = setting(
        0.02, "share of decisions that are any possible action, so that every one has a probability", low=0, high=1
    )
    worlds: int = setting(16, "worlds, one episode in each", low=1, high=10_000)
    days: int | None = setting(None, "days of an episode (default: the run's)", low=1)
    seed: int = setting(0, "draws the worlds and the choices", low=0, high=Use.DECISIONS.seeds - 1)
    out: str | None = setting(None, "folder of the log (default: the next free runs/decisions-<n>)")


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        settings = parse(RecordSettings, argv, "python -m lam_env record")
        if not settings.policy:
            raise UserError("policy= is missing: give a run folder, such as policy=runs/smart_home-1")
        record(settings, command_line("python -m lam_env record", argv))
    return 0


def record(settings: RecordSettings, command: str) -> None:
    """Everything that can be wrong is found before anything is simulated; the folder is written whole or not at all."""
    s = settings
    with new_folder(s.out, "decisions") as path:
        _record(s, command, path)


def _record(s: RecordSettings, command: str, path: Path) -> None:
    import dataclasses

    from lam_env.evaluation.decisions import record_decisions
    from lam_env.evaluation.tables import versions
    from lam_env.experiment.acting import policy_of, scenario_for, world_for

    scenario = scenario_for(s.policy, *world_for(s.policy, s.scenario))
    policy = policy_of(s.policy, scenario.vocabulary, "world", scenario)
    if s.days is not None:
        scenario = scenario.with_params(days=s.days)
    seeds = list(world_seeds(Use.DECISIONS, s.worlds, s.seed))
    with Progress() as progress:
        decisions = record_decisions(policy, scenario, seeds, explore=s.explore, seed=s.seed, progress=progress)
    about = {"scenario": scenario.id, "policy": s.policy, "explore": s.explore, "seeds": seeds, "days": scenario.days}
    log = dataclasses.replace(decisions.log, meta={**about, "command": command, "versions": versions()})
    path.parent.mkdir(parents=True, exist_ok=True)
    dataclasses.replace(decisions, log=log).save(path)
    acts = int((log.token[decisions.rows] > 0).sum())
    print(f"{path}: {count(len(decisions), 'decision')} in {count(s.worlds, 'world')}, {acts:,} of them actions")
    print("what another policy would have earned:")
    say_command("python -m lam_env off_policy", [f"log={path}", f"policy={s.policy}"])
