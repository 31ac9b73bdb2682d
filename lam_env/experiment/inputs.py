"""What a run is given from outside: agents, a log, an earlier run. All of it is checked before anything is written."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lam_env.config.cli import Group, override
from lam_env.config.convert import count, suggestion
from lam_env.core import registry
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.errors import UserError
from lam_env.core.events import KINDS, USER, ActionLog
from lam_env.core.progress import say
from lam_env.core.seeds import TRAINING_SEEDS
from lam_env.envs.recording import timer_of
from lam_env.envs.scenario import Scenario
from lam_env.envs.single import LamEnv
from lam_env.evaluation.results import ResultRow, ResultsError, read
from lam_env.evaluation.tables import LADDER, versions
from lam_env.experiment import models
from lam_env.experiment.agent_spec import defaults_of, needs_of, split, tuning_of
from lam_env.experiment.jobs import parts_of
from lam_env.experiment.logs import file
from lam_env.experiment.logs.others import other_homes
from lam_env.experiment.logs.real import in_the_home, persons, training_days, unknown_actions, with_residents
from lam_env.experiment.policies import predictor_of, tuned, world_of
from lam_env.experiment.run_folder import CONFIG, RunFolder, check_same
from lam_env.experiment.settings import ALL, ALWAYS, DEFAULT, ORDER, OTHERS, LogSettings, RunSettings
from lam_env.launch.job import one_line
from lam_env.logs.choice_weights import FEWEST
from lam_env.logs.coverage import days_of, has_clock, said
from lam_env.logs.decision_points import day_of_target, decision_points
from lam_env.logs.places import of_places, often
from lam_env.logs.streams import folds, split_by_protocol
from lam_env.logs.tables import streams_said

if TYPE_CHECKING:
    from lam_env.experiment.models import Pool, Predictor, TunedPolicy

LEAST_DAYS = 5
A_DAY = 500 * 14  # decision points of a day that pre-training reads in its passes, roughly
LACKING = {
    "latent": "it reads the hidden state, which is none without latent_names",
    "dislikes": "it is told of dislikes, which are none without dislikes",
}
TOLD = ("informed", "oracle")  # of what is hidden: the last in every table
RUNG = "ladder_"  # how agents are called that only stand on a rung of some scenario's ladder


def agents_of(settings: RunSettings, scenario: Scenario) -> list[str]:
    """The agents to judge, in the order of the tables: one's own stand before those who are told what is hidden."""
    own = list(scenario.baselines())
    known = registry.agent_names(scenario.interaction, without=scenario.lacks)
    every = [a for a in ORDER if a in known or a in own]
    known = [a for a in known if not a.startswith(RUNG) and a not in scenario.ladder.values()]
    every += [a for a in own if a not in every] + [a for a in known if a not in (*every, *own)]
    # unless one is asked for by name, these have tables of their own
    apart = [*(a for a in scenario.ladder.values() if a not in every), *scenario.exploits()]
    named = [name for name in settings.agents if name != ALL]
    for name in named:
        base, differs = split(name)
        if ":" not in name and base not in (*every, *apart):
            needs = registry.agent_needs(base) if base in registry.agent_names() else ()
            for lack in set(scenario.lacks) & set(needs):
                raise UserError(f"no agent {base!r} in {scenario.id}: {LACKING[lack]}")
            there_are = f"there are {', '.join((*every, *apart))}"
            raise UserError(f"no agent {base!r}; {suggestion(base, (*every, *apart), there_are)}")
        if differs and name not in every:  # its row comes after that of the agent from which it differs
            every.insert(every.index(base) + 1, name)
    for name in (*settings.agent, *(a for a in named if ":" in a)):
        if not registry.names_code(name):
            how = ", the module as it is imported" if ":" in name else f"; agents={name} picks one of the kit's"
            raise UserError(f"agent={name}: write module:Class for one of your own{how}")
    usual = (*DEFAULT, *(a for a in known if settings.logs and registry.agent_needs(a) == ("log",)))
    by_name = (*every, *named) if ALL in settings.agents else named or usual
    chosen = [a for a in every if a in by_name or a in ALWAYS] + [a for a in apart if a in named]
    custom = list(dict.fromkeys([*(a for a in named if ":" in a), *settings.agent]))
    for name in chosen:
        needs = () if name in own else needs_of(scenario, name)
        if "steps" in needs and (why := tuning_of(settings.train, scenario, name).misfit("prior" in needs)):
            raise UserError(f"agent {name}: {why}")
    told = [a for a in TOLD if a in chosen]
    return [a for a in chosen if a not in told] + custom + told


def predictors_of(settings: RunSettings, scenario: Scenario, agents: Sequence[str]) -> list[str]:
    """Those of `agents` that need nothing but a log, and the prior. UserError where another one is asked for by name,
    of which there would be no row."""

    def predicts(name: str) -> bool:
        return not registry.names_code(name) and (name == "prior" or needs_of(scenario, name) == ("log",))

    if others := [a for a in (*settings.agents, *settings.agent) if a != ALL and not predicts(a)]:
        there_are = ", ".join(a for a in agents_of(RunSettings(agents=(ALL,)), scenario) if predicts(a))
        raise UserError(f"agents={others[0]}: it acts, and predicts no log by itself; there are {there_are}")
    return [a for a in agents if predicts(a)]


def check_seeds(seeds: tuple[int, ...]) -> None:
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= seed < TRAINING_SEEDS for seed in seeds):
        remedy = f"give one or several different whole numbers from 0 to {TRAINING_SEEDS - 1:,}"
        raise UserError(f"seed={','.join(map(str, seeds))}: {remedy}")


def check_world(name: str, scenario: Scenario) -> None:
    """Makes a world of a scenario of one's own, which says what is wrong with it."""
    if registry.names_code(name):
        LamEnv(scenario).reset(seed=0)


def device_of(settings: RunSettings, path: Path) -> Any:
    """Where networks are trained: a run that is gone on with, in the folder `path`, stays where it was."""
    s = settings
    if s.device == "auto" and s.out is not None and (path / CONFIG).exists():
        kept = RunFolder.open(str(path)).config().get("device")
        if kept in ("cpu", "cuda"):
            return models.pick_device(str(kept), 0, 0, 1)
    return models.pick_device(s.device, s.log.worlds * s.log.days * A_DAY, s.train.steps // s.train.envs, s.train.envs)


def run_before(settings: RunSettings, path: Path, agents: Sequence[str]) -> dict[str, object] | None:
    """The config of the run in the folder `path` that is gone on with, if there is one; UserError where it was another
    run, or has rows of agents that are not among these."""
    if settings.out is None or not (path / CONFIG).exists():
        return None
    before, rows = check_same(RunFolder(path), settings, versions()), list[ResultRow]()
    with suppress(ResultsError):  # what cannot be read is made again
        rows = read(path / "results.csv")
    apart = {row.variant for row in rows if row.variant.startswith(("exploit", LADDER))}
    there = {row.agent for row in rows if row.variant not in apart}
    judged: Any = before.get("agents_judged", ())
    lost = [name for name in judged if name in there and name not in agents]
    kit = [ALL] if apart and ALL not in settings.agents else [name for name in lost if ":" not in name]
    of = {"agents": kit, "agent": [name for name in lost if ":" in name]}
    if words := [f"{setting}={','.join(names)}" for setting, names in of.items() if names]:
        remedy = f"give {' '.join(words)} too, or another folder"
        raise UserError(f"out={path}: already holds rows that this command would drop; {remedy}")
    return before


@dataclass(frozen=True)
class RealLog:
    """A log from outside. `tables`: the habits of those whose activities it holds. `acts`: its actions are
    commands of the scenario's home, in whose vocabulary it then is. `others`: of other homes, in its vocabulary."""

    log: ActionLog
    tables: tuple[BehaviourTables, ...] = ()
    acts: bool = False
    others: ActionLog | None = None

    def save(self, folder: Path, name: str) -> None:
        """Into a run's `folder` of logs."""
        self.log.save(folder / name)
        if self.others is not None:
            self.others.save(folder / OTHERS)


def real_log(settings: RunSettings, scenario: Scenario) -> RealLog | None:
    """The log that the settings name and those of other homes; UserError says what is wrong with them. Prints what they
    hold."""
    s, real = settings.predictor, _real_log(settings, scenario)
    if not s.start:
        if s.labels is not None:
            raise UserError("predictor.labels: what other homes call the same; give predictor.start=FOLDER too")
        return real
    if real is None:
        raise UserError("predictor.start: other homes begin the predictor of a real log; give logs=PATH too")
    if real.log.protocol.split != "days" or "counts" not in parts_of(settings, real.log):
        raise UserError("predictor.start: begins a home's pool alone; leave it away, or split= and predictor.parts=")
    return dataclasses.replace(real, others=other_homes(s.start, s.labels, real.log, settings.eval.folds))


def _real_log(settings: RunSettings, scenario: Scenario) -> RealLog | None:
    """The log that the settings name; UserError says what is wrong with it. Prints what it holds."""
    s = settings
    if s.eval.folds and not s.predict:
        raise UserError(
            "eval.folds: folds are of predictions on a real log, in which nobody acts: give predict=yes too"
        )
    if s.logs is None:
        if given := ["format"] * bool(s.format) + list(file.options(s)):
            raise UserError(f"{', '.join(given)}: how to read a real log; give logs=PATH too")
        if s.predict and s.model is not None:
            raise UserError("predict=yes fits predictors to a real log, and model= brings them: leave one of them away")
        if s.predict:
            raise UserError("predict=yes judges predictors on a real log: give logs=PATH too")
        return None
    if s.model is not None:
        remedy = "leave logs= away, or leave model= away to start from the log"
        raise UserError(f"model= brings the log of that run: {remedy}")
    log, left_out = file.read(s)
    events = int((log.kind == USER).sum())
    days = f", {len(days_of(log).number)} days" if has_clock(log) else ""
    print(f"{s.logs}: {events:,} events{days}, {len(log.vocabulary) - 1} actions")
    for line in [*said(log, left_out), *streams_said(log)]:
        say(line)
    if len(log.vocabulary) < 3:
        only = ", ".join(log.vocabulary.actions[1:])
        raise UserError(f"logs={s.logs}: only one action ({only}); at least two are needed to predict which comes next")
    if not has_clock(log) and {"jitter", "shift"} & set(s.predictor.augment):
        raise UserError("predictor.augment: this log knows order alone, and has no times to move: give drop or repeat")
    if s.eval.folds:
        return RealLog(_checked_folds(s.logs, log, s.eval.folds))
    if log.protocol.split in ("each", "streams"):
        streams = _checked_streams(s.logs, log)
        lives = log.intervals and log.protocol.split == "each" and not log.protocol.test
        return _activities(s.logs, streams, scenario) if lives and not s.predict else RealLog(streams)
    if scenario.personal and not s.predict:
        why = f"no real log is read into {s.scenario}, whose people are asked one by one"
        raise UserError(f"logs={s.logs}: {why}; leave logs away")
    _check_days(s.logs, log)
    if s.predict or not has_clock(log):
        return RealLog(log)
    if log.intervals:
        return _activities(s.logs, log, scenario)
    mapped = in_the_home(log, scenario.vocabulary, timer_of(scenario), scenario.synonyms)
    if mapped is None:
        return _foreign(s.logs, log, scenario)
    # its people are none of those who live in the simulated home
    mapped = dataclasses.replace(mapped, columns={**mapped.columns, "user": np.zeros(len(mapped), np.int16)})
    _check_days(s.logs, mapped, "with commands of the home ")
    n, of = int((mapped.kind == USER).sum()), int((log.kind == USER).sum())
    left = unknown_actions(log, scenario.vocabulary, scenario.synonyms)
    others = f"the others are left out: {left}" if n < of else "none is left out"
    say(f"{n:,} of {of:,} user events are commands of the scenario's home; {others}")
    return RealLog(mapped, acts=True)


def _foreign(path: str, log: ActionLog, scenario: Scenario) -> RealLog:
    """A log that shares no two actions with its scenario: an error if the scenario's settings say what is in it."""
    if scenario.synonyms is not None:
        unknown = unknown_actions(log, scenario.vocabulary, scenario.synonyms) or "one"
        why = f"it does not hold two commands of the devices that are listed, but {unknown}"
        raise UserError(f"logs={path}: {why}; list the devices by the names in the log")
    if (found := scenario.proposal(log.vocabulary.actions)) is not None:
        say(f"no agent can act: these are no actions of {scenario.id}; {found.setting}=FILE may say which they are")
    return RealLog(log)


def _check_days(path: str, log: ActionLog, which: str = "") -> None:
    use, days, unit = "to train, validate and test on", len(days_of(log).number), "day" if has_clock(log) else "event"
    if days < LEAST_DAYS:
        raise UserError(f"logs={path}: {count(days, unit)} {which}are too few {use}; give at least {LEAST_DAYS}")
    points = decision_points(dataclasses.replace(log, timer=None), soon=False)
    train, valid, test = split_by_protocol(log, points)
    if not (train.any() and valid.any() and test.any()):
        raise UserError(f"logs={path}: its events {which}lie too unevenly {use}; give a longer log")
    day, acts = day_of_target(points), points.target > 0
    learned = count(len(np.unique(day[(train | valid) & acts])), unit)
    tested = f"{count(int((test & acts).sum()), 'event')} of the last {count(len(np.unique(day[test])), 'day')}"
    if not has_clock(log):
        tested = f"the last {count(int((test & acts).sum()), 'event')}"
    say(f"predictors {which}learn from {learned}, and are tested on {tested}")


def _checked_folds(path: str, log: ActionLog, n: int) -> ActionLog:
    """A log that can be cut so. Prints what is learned from and tested on."""
    try:
        parts = folds(log, n)
    except UserError as error:
        raise UserError(f"logs={path} eval.folds={n}: {error}") from None
    for k, part in enumerate(parts, 1):
        _check_days(path, part, f"of fold {k} ")
    return log


def _checked_streams(path: str, log: ActionLog) -> ActionLog:
    """A log of many streams. Prints how many have what is held out; UserError says why there are none."""
    points = decision_points(log, soon=False)
    try:
        parts = split_by_protocol(log, points)
    except UserError as error:
        raise UserError(f"logs={path}: {error}") from None
    sizes = [len(np.unique(points.world[part])) for part in parts]
    if not all(sizes):
        raise UserError(f"logs={path}: its streams are too short to train, validate and test on; give a longer log")
    say(f"streams to train, validate and test on: {', '.join(f'{n:,}' for n in sizes)}")
    if short := len(np.unique(points.world)) - len(np.unique(points.world[np.any(parts, 0)])):
        say(f"left out: {count(short, 'stream')} too short for one event to be predicted from another")
    return log


def _activities(path: str, log: ActionLog, scenario: Scenario) -> RealLog:
    """An activity log; with the habits of its people where the scenario can house them all."""
    if "tables" not in inspect.signature(type(scenario).__init__).parameters:
        return RealLog(log)
    predicted = "so they are predicted and nobody acts"
    if (users := len(np.unique(log.user[log.kind == USER]))) > 1:
        say(f"activities of {users} people in one stream: {predicted}; split=per_user makes a likeness of each")
        return RealLog(log)
    from lam_env.logs.calibrate import calibrate

    lived, seldom = often(log, FEWEST) if of_places(log) else (log, "")
    people, tables, who = persons(lived), [], ""
    try:
        with_residents(scenario.params, len(people))
        for name, one in people.items():
            who = f"of {name}, "
            calibrate(training_days(one))  # what a predictor for the transfer test is made from
            tables.append(calibrate(one))
    except UserError as error:
        if len(people) == 1:
            raise UserError(f"logs={path}: {error} (a twin needs about ten days)") from None
        say(f"no simulated likeness of {len(people)} people, {predicted}: {who}{error}; user=NAME reads one of them")
        return RealLog(log)
    homes = list(dict.fromkeys(one.home for one in tables))
    if len(homes) > 1:
        say(f"no one home: they live at {', '.join(homes)}, {predicted}; user=NAME reads one of them")
        return RealLog(log)
    if homes[0]:
        say(f"home is {homes[0]}; what is done there is a persona's, for stays do not tell it")
    if seldom:
        say(seldom)
    return RealLog(lived, tables=tuple(tables))


@dataclass(frozen=True)
class Earlier:
    """An earlier run's models and log, loaded and therefore sound. `world`: its settings of the scenario."""

    path: str
    world: Group
    log: ActionLog
    models: dict[str, Predictor | Pool]  # by the name of the folder in model/
    policy: TunedPolicy | None = None
    tables: tuple[BehaviourTables, ...] = ()

    def copy_to(self, folder: RunFolder, same_world: bool) -> None:
        """Written anew from what was loaded: nothing else of the earlier folder comes along."""
        self.log.save(folder.log / "train")
        for name, model in self.models.items():
            if same_world or not name.startswith("informed"):
                models.save_predictor(model, folder.policy.parent / name)
        if self.policy is not None:
            models.save_policy(self.policy, folder.policy)


def usual(settings: RunSettings) -> RunSettings:
    """What holds where nothing else is said: the scenario's own settings, or those of the run that `model` names."""
    scenario = registry.scenario(settings.scenario)
    defaults = dataclasses.replace(defaults_of(scenario)[0], world=scenario.Params())
    if settings.model is None:
        return defaults
    folder = RunFolder.open(settings.model)
    _, world = world_of(folder, settings.scenario)
    log = folder.config().get("log")
    if not isinstance(log, dict):
        raise UserError(f"{folder.path}: its config.json holds no log.*; give another run")
    return dataclasses.replace(defaults, log=override(LogSettings(), log, prefix="log"), world=world)


def earlier_run(settings: RunSettings, scenario: Scenario) -> Earlier:
    """Loads log, predictors and policy of the run that `model` names; UserError where settings would have no effect."""
    path, default = Path(str(settings.model)), usual(settings)
    folder = RunFolder.open(str(path))
    if settings.log != default.log:
        raise UserError("log.* says how to simulate a log, and model= brings one: leave log.* away")
    try:
        loaded = {folder.prior.name: predictor_of(folder)}
        if not (folder.log / "train").is_dir():
            raise UserError("has no log/train, as what comes with the kit; give a run whose folder is whole")
        log = ActionLog.load(folder.log / "train")
        _check_tokens(log)
        for part in sorted(folder.prior.parent.iterdir()):
            if part.name.startswith(("prior-", "informed")) and part.is_dir():
                loaded[part.name] = models.load_predictor(part)
        policy = tuned(folder) if folder.policy.is_dir() else None
        tables = folder.tables()
    except Exception as error:  # a stranger's files
        raise UserError(f"model={path}: {one_line(error)}") from None
    if settings.predictor != default.predictor and all(f"prior-seed{s}" in loaded for s in settings.seed[1:]):
        raise UserError("predictor.* says how to train a predictor, and model= brings it: leave predictor.* away")
    for what, vocabulary in (("log", log.vocabulary), ("prior", loaded["prior"].vocabulary)):
        if vocabulary != scenario.vocabulary:
            raise UserError(f"model={path}: its {what} is of another home; give the same world.* as that run, or none")
    if log.timer != timer_of(scenario):
        what = f"its log has a timer of {log.timer}"
        raise UserError(f"model={path}: {what}; give the same world.timer as that run, or none")
    return Earlier(str(path), default.world, log, loaded, policy, tables)


def _check_tokens(log: ActionLog) -> None:
    v = log.vocabulary
    sizes = np.array([len(v), len(v), len(v.feedback), len(v.sensors), len(v.readings)])
    if len(log) == 0 or log.kind.min() < 0 or log.kind.max() >= len(KINDS):
        raise UserError("log/train: no events, or of an unknown kind; simulate it again")
    if (log.token < 0).any() or (log.token >= sizes[log.kind]).any():
        raise UserError("log/train: holds tokens that its vocabulary does not know; simulate it again")
