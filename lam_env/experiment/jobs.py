"""What the processes of a run do: pre-train, and fit and judge one agent. All that they need lies in the run folder."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import numpy as np

from lam_env.config.cli import lasting
from lam_env.core import registry
from lam_env.core.contracts import Candidate, Checkpoints, PredictionCeiling, Reader, Training, keeps, learns
from lam_env.core.errors import UnwritableError, UserError
from lam_env.core.events import ActionLog
from lam_env.core.progress import Report, say
from lam_env.core.seeds import Use, eval_seeds, world_seeds
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.evaluation.metrics import prediction_metrics, scored
from lam_env.evaluation.report.recorder import (
    Judged,
    Predictions,
    RolloutRecorder,
    evaluation_record,
    file_of,
    prediction_record,
)
from lam_env.evaluation.rollout import per_seed, rollout
from lam_env.evaluation.tables import versions
from lam_env.experiment import models
from lam_env.experiment.agent_check import WatchedWorlds, keep, source_of, watched
from lam_env.experiment.agent_spec import agents_of_scenario, needs_of, split, training_in, trains_once, tuning_of
from lam_env.experiment.policies import judged_in, scenario_made
from lam_env.experiment.run_folder import RunFolder, seen_from_here
from lam_env.experiment.score_store import Scores
from lam_env.experiment.settings import OTHERS, PRETRAIN, RunSettings
from lam_env.launch.child import kit_at_work
from lam_env.logs.decision_points import DecisionPoints, decision_points
from lam_env.logs.streams import to_learn_from

if TYPE_CHECKING:
    from lam_env.experiment.models import PredictorSettings

P = ParamSpec("P")
T = TypeVar("T")


COSTS = "report/cpu"  # how the files begin that say what jobs on a real log have cost


@dataclass(frozen=True)
class RunContext:
    """What the processes of a run are given: its settings, and the folder in which all else is found."""

    settings: RunSettings = field(hash=False)  # the folder tells runs apart
    folder: str

    def scenario(self) -> Scenario:
        return scenario_made(self.settings.scenario, self.settings.world, self.run.tables())

    def judged(self) -> Scenario:
        """The scenario whose worlds agents are judged in."""
        return judged_in(self.scenario(), self.settings.eval.world)

    @property
    def run(self) -> RunFolder:
        return RunFolder(seen_from_here(self.folder))


def costed(job: Callable[Concatenate[RunContext, P], T]) -> Callable[Concatenate[RunContext, P], T]:
    """A job on a log, of whose CPU seconds the run's folder is told where that is a real one: runs in worlds leave the
    same bytes. Of one that was stopped and went on, those of its last process."""

    @functools.wraps(job)
    def told(work: RunContext, *args: P.args, **more: P.kwargs) -> T:
        began = time.process_time()
        done = job(work, *args, **more)
        named = [str(arg) for arg in args if isinstance(arg, str | int)]
        if work.settings.logs is None:
            return done
        work.run.write_json(f"{COSTS}-{'-'.join([job.__name__, *named])}.json", time.process_time() - began)
        return done

    return cast(Callable[Concatenate[RunContext, P], T], told)


def simulate_training_log(work: RunContext, report: Report) -> None:
    """One log for all training seeds: `seed` draws networks and fine-tuning; its first one also the worlds."""
    s = work.settings
    seeds = list(world_seeds(Use.TRAINING_LOG, s.log.worlds, s.seed[0]))
    log, _ = simulate_log(work.scenario(), seeds, s.log.days, progress=report)
    dataclasses.replace(log, meta={**log.meta, "seeds": seeds, "days": s.log.days}).save(work.run.log / "train")


@lru_cache(maxsize=2)
def training_points(work: RunContext, log_name: str, timer: bool = True) -> tuple[DecisionPoints, DecisionPoints]:
    """Decision points of the run's log that train and that validate: whole worlds of a simulated one, days or streams
    of a real one. `timer`: with those of its timer."""
    log = ActionLog.load(work.run.log / log_name)
    return to_learn_from(log if timer else dataclasses.replace(log, timer=None))


@lru_cache(maxsize=2)
@kit_at_work()
def judging_points(work: RunContext) -> tuple[DecisionPoints, np.ndarray]:
    """Decision points of the evaluation worlds without an agent, and their hidden state; world i is the batch's."""
    scenario, e = work.judged(), work.settings.eval
    seeds = eval_seeds(range(e.seeds), e.worlds, e.split)
    log, latent = simulate_log(scenario, seeds, int(scenario.days), latent=bool(scenario.latent_names))
    return decision_points(log, soon=False), latent if latent is not None else np.zeros((0, 0))


@lru_cache(maxsize=1)
@kit_at_work()
def later_points(work: RunContext) -> DecisionPoints | None:
    """The training worlds in later weeks; None where the training log was not simulated, or where a world is one
    person's life: one that begins later is another life."""
    scenario, e = work.scenario(), work.settings.eval
    if scenario.personal and scenario.n_users == 1:
        return None
    meta: dict[str, Any] = ActionLog.load(work.run.log / "train").meta
    if "seeds" not in meta:
        return None
    seeds = [meta["seeds"][i % len(meta["seeds"])] for i in range(e.seeds * e.worlds)]
    log, _ = simulate_log(scenario, seeds, int(scenario.days), first_day=meta["days"])
    return decision_points(log, soon=False)


def other_homes(work: RunContext, points: DecisionPoints) -> tuple[DecisionPoints, DecisionPoints] | None:
    """Of the homes that the predictor of these `points` starts from, those that train and that validate; None where
    there are none, or the log is no real one."""
    if not work.settings.predictor.start or not (work.run.log / OTHERS).is_dir():
        return None
    log = ActionLog.load(work.run.log / OTHERS)
    if log.vocabulary != points.vocabulary:  # that of a simulated likeness
        return None
    train, valid = to_learn_from(log)
    return dataclasses.replace(train, users=points.users), dataclasses.replace(valid, users=points.users)


@kit_at_work()
def training_of(work: RunContext, name: str, seed: int, report: Report) -> Training:
    """What an agent learns from; with the pre-trained predictor if it is to build on one."""
    scenario, s = work.scenario(), work.settings
    train, valid = training_points(work, "train")

    def hidden_log() -> tuple[DecisionPoints, np.ndarray]:
        seeds, stage = world_seeds(Use.HIDDEN_LOG, s.log.worlds, seed), "simulate, hidden state"
        log, latent = simulate_log(scenario, seeds, s.log.days, latent=True, progress=report, stage=stage)
        assert latent is not None
        return decision_points(log), latent

    prior_folder = prior_path(work, "train", seed)
    start = Path(s.model or "") / "model" / "policy"
    return training_in(
        scenario,
        train,
        valid,
        WatchedWorlds,
        log=ActionLog.load(work.run.log / "train"),
        prior=models.load_predictor(prior_folder) if "prior" in needs_of(scenario, name) else None,
        tuning=s.train,
        passes=s.predictor.passes,
        agent=name.partition("@")[0],
        seed=seed,
        device=s.device,
        progress=report,
        adapter=models.adapter,
        hidden_log=hidden_log,
        informed=prior_folder.with_name(prior_folder.name.replace("prior", "informed")),
        # an earlier run's policy rests on that run's prior, which is the first seed's here
        start=start if s.model and seed == s.seed[0] and start.is_dir() else None,
    )


def prior_path(work: RunContext, log_name: str, seed: int) -> Path:
    """The first seed's prior is the run's; those of further seeds and of a real log stand beside it."""
    name = "prior" if seed == work.settings.seed[0] else f"prior-seed{seed}"
    return work.run.path / "model" / (name if log_name == "train" else f"{name}-{log_name}")


def parts_of(settings: RunSettings, log: ActionLog) -> tuple[str, ...]:
    """What the predictor of a log is made of."""
    usual = "nets" if log.protocol.split == "worlds" else "nets,counts,boosting"
    return tuple((settings.predictor.parts or usual).split(","))


CHOSEN = ("dropout", "weight_decay")  # settings of which several may be given, to choose by what is left out


def candidates(settings: RunSettings, rows: int, pooled: bool = False) -> list[PredictorSettings]:
    """Of the neural predictor, for a log of so many rows; `pooled`: as a part among others."""
    every = dataclasses.asdict(settings.predictor).items()
    given = {k: v for k, v in every if k not in ("parts", "start", "labels") and v not in (None, ())}
    names = [name for name in CHOSEN if name in given]
    chosen = itertools.product(*(given.pop(name) for name in names))
    return [models.predictor_settings(rows, pooled, **given, **dict(zip(names, each, strict=True))) for each in chosen]


def _say_chosen(settings: RunSettings, taken: PredictorSettings) -> None:
    names = [name for name in CHOSEN if len(getattr(settings.predictor, name)) > 1]
    if names:
        say(f"best on what was left out: {', '.join(f'predictor.{n}={getattr(taken, n):g}' for n in names)}")


def of_seed(report: Report, work: RunContext, seed: int) -> Report:
    """Names the training seed where there are several: their jobs run side by side."""
    return report if len(work.settings.seed) == 1 else _named(report, f", seed {seed}")


def _named(report: Report, what: str) -> Report:
    return lambda stage, done, total, note: report(stage + what, done, total, note)


@costed
def pretrain_on_log(work: RunContext, log_name: str, seed: int, report: Report) -> None:
    """Fit the predictor of a log and save it."""
    log, device = ActionLog.load(work.run.log / log_name), work.settings.device
    report, kept = of_seed(report, work, seed), _checkpoints(work, PRETRAIN, seed, log_name)
    timed = training_points(work, log_name)
    if "counts" in parts_of(work.settings, log):
        # of a recorded log the parts know the moments at which something happened
        apart = log.timer is not None and log.protocol.split != "worlds"
        train, valid = training_points(work, log_name, timer=False) if apart else timed
        chosen, *others = candidates(work.settings, len(train) + len(valid), pooled=True)
        start = None
        if (homes := other_homes(work, train)) is not None:
            first, *more = candidates(work.settings, sum(map(len, homes)), pooled=True)
            told = _named(report, " in other homes")
            start = models.pretrain(*homes, first, seed, device, told, others=more)
        timed_too = timed if apart else None
        made = models.fit_pool(train, valid, chosen, timed_too, seed, device, report, kept, others, start)
        if why := models.why_no_networks(made):
            say(f"no networks: {why}")
        elif (members := made.networks.settings.members) < chosen.members:
            say(f"few days: {members} networks in place of {chosen.members}, each of which leaves one day out")
        if made.nets is not None:
            _say_chosen(work.settings, made.nets.settings)
        models.save_predictor(made, prior_path(work, log_name, seed))
        return
    chosen, *others = candidates(work.settings, len(timed[0]))
    nets = models.pretrain(*timed, chosen, seed, device, report, kept, others)
    _say_chosen(work.settings, nets.settings)
    models.save_predictor(nets, prior_path(work, log_name, seed))


def _checkpoints(work: RunContext, row: str, seed: int, source: str) -> Checkpoints:
    """Of a row's training. `source`: what it is made of, besides settings, versions and seed."""
    belongs = {"settings": lasting(work.settings), "versions": versions(), "row": row, "seed": seed, "source": source}
    return models.checkpoints(work.run.checkpoints(row, seed), belongs, work.settings.checkpoints)


def fit_agent(work: RunContext, name: str, training: Training) -> Candidate:
    """The policy of an agent, or what only predicts: one of the scenario's own, of agents/, or module:Class."""
    scenario = work.scenario()
    if (own := agents_of_scenario(scenario).get(name)) is not None:
        return own(training)
    base, differs = split(name)
    agent = registry.agent(base)()
    training = dataclasses.replace(training, tuning=tuning_of(training.tuning, scenario, name))
    if learns(agent):  # who does not, has none to keep, and keeping them loads torch
        training.checkpoints = _checkpoints(work, name, training.seed, source_of(type(agent).__module__) or "")
    if differs:  # such a policy is trained from its beginning
        training.start = None
    policy, curve = models.fitted(agent, training)
    if curve:
        work.run.write_curve(name, training.seed, curve)
    if keeps(agent) and registry.names_code(name) and training.seed == work.settings.seed[0]:
        try:
            keep(agent, work.run.own(name))
        except UnwritableError:
            raise
        except UserError as error:  # it was tried, and its scores are worth more
            say(f"{name}: no model of it is kept: {error}")
    return policy


def fit_and_judge(work: RunContext, name: str, seed: int, report: Report) -> dict[str, Scores]:
    """Scores per variant ("", "later") of one agent; a fine-tuned policy with a prior is saved."""
    scenario = work.scenario()
    if not trains_once(scenario, name):
        report = of_seed(report, work, seed)
    policy = fit_agent(work, name, training_of(work, name, seed, _named(report, f" of {name}")))
    if registry.names_code(name) and not isinstance(policy, PredictionCeiling):
        policy = watched(policy)
    if not isinstance(policy, PredictionCeiling) and name == "ppo_prior" and seed == work.settings.seed[0]:
        models.save_policy(policy, work.run.policy)
    seeds = list(range(work.settings.eval.seeds))
    scores: Scores = {s: {} for s in seeds}
    predictions = dict[str, Predictions]()
    actions = list(scenario.vocabulary.actions)
    record: Judged = {"agent": name, "train_seed": seed, "actions": actions, "predictions": predictions}
    if not isinstance(policy, PredictionCeiling):
        batch = eval_seeds(seeds, work.settings.eval.worlds, work.settings.eval.split)
        scenario = work.judged()
        watch = RolloutRecorder(scenario, len(batch))
        acting = models.on_device(policy, work.settings.device)
        totals = rollout(acting, scenario, batch, progress=report, stage=f"judge {name}", watch=watch)
        scores = per_seed(totals, seeds)
        record = evaluation_record(name, seed, scenario, batch, totals, watch, predictions, len(seeds))
    by_variant = {"": scores}
    predictor, see = getattr(policy, "predictor", None), getattr(policy, "see", None)
    if predictor is not None:
        points, latent = judging_points(work)
        as_read = points if see is None else see(points, latent)
        predictions["sim"] = _add_prediction(work, scores, predictor, points, as_read)
        if see is None and (later := later_points(work)) is not None:
            by_variant["later"] = {s: {} for s in seeds}
            _add_prediction(work, by_variant["later"], predictor, later, later)
    work.run.write_json(file_of(name, seed), record)
    return by_variant


def _add_prediction(
    work: RunContext, scores: Scores, predictor: Reader, points: DecisionPoints, as_read: DecisionPoints
) -> Predictions:
    """`pred.*` of each evaluation seed, on the log of its worlds without an agent, which the predictor reads as
    `as_read`. Returns what the report shows of all of them."""
    probabilities = predictor.read(as_read).next
    has_target = np.r_[points.world[1:] == points.world[:-1], False]
    batch = points.world // (work.settings.eval.worlds * points.people)
    for k, seed in enumerate(scores):
        rows = has_target & (batch == k)
        scores[seed] |= prediction_metrics(probabilities[rows], points.target[rows])
    return prediction_record(scored(probabilities[has_target], points.target[has_target]))
