"""The last job of a run: keeps a few episodes for its report, as traces."""

from __future__ import annotations

from collections.abc import Iterator

from lam_env.core.errors import UserError
from lam_env.core.files.inputs import read_json
from lam_env.core.progress import Report
from lam_env.envs.scenario import Scenario
from lam_env.evaluation.episode import Moment, episode
from lam_env.evaluation.report.elements import FLOOR, MARK, TUNED
from lam_env.evaluation.report.reader import understood
from lam_env.evaluation.report.recorder import Judged, as_now, file_of, replay_file, worth_watching
from lam_env.evaluation.report.trace import Played, trace
from lam_env.experiment.acting import untrained
from lam_env.experiment.jobs import RunContext
from lam_env.experiment.models import expectation
from lam_env.experiment.policies import predictor_of, tuned


def all_there(work: RunContext) -> bool:
    """Whether the folder holds every trace that `keep_replays` would write."""
    _, chosen = _chosen(work, work.scenario())
    return all((work.run.path / replay_file(k)).is_file() for k in range(len(chosen)))


def keep_replays(work: RunContext, report: Report) -> None:
    """Traces of the tuned policy's episodes; where there is none, of the oracle's, or of nobody's."""
    scenario = work.judged()
    agent, chosen = _chosen(work, scenario)
    if not chosen:
        return
    predictor = predictor_of(work.run) if work.run.prior.is_dir() else None
    policy = tuned(work.run) if agent == TUNED else None
    for k, (kind, seed) in enumerate(chosen):

        def play(telling: bool, seed: int = seed) -> Iterator[Moment]:
            expect = expectation(predictor) if telling and predictor is not None else None
            return episode(policy or untrained(scenario, agent), scenario, seed, expect)

        whose = "prior" if predictor is not None else None
        about: Played = {"kind": kind, "agent": agent, "seed": seed, "predictor": whose}
        work.run.write_json(replay_file(k), trace(play, scenario, about))
        report("replay", k + 1, len(chosen), f"{kind} episode of {agent}")


def _chosen(work: RunContext, scenario: Scenario) -> tuple[str, list[tuple[str, int]]]:
    """Whose episodes, and which: (kind, world seed)."""
    agent = _shown(work, scenario)
    mine = _record(work, agent)
    return agent, worth_watching(mine, _record(work, FLOOR)) if mine is not None else []


def _shown(work: RunContext, scenario: Scenario) -> str:
    seed = work.settings.seed[0]
    if work.run.policy.is_dir() and (work.run.path / file_of(TUNED, seed)).is_file():
        return TUNED
    return MARK if MARK in scenario.baselines() and _record(work, MARK) else FLOOR


def _record(work: RunContext, agent: str) -> Judged | None:
    path = work.run.path / file_of(agent, work.settings.seed[0] if agent == TUNED else 0)
    if not path.is_file():
        return None
    with understood(path):
        record: Judged = as_now(read_json(path))
    if "episodes" not in record:
        raise UserError(f"{path}: holds no episodes; run again")
    return record
