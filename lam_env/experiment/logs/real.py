"""What the processes of a run do with a real log: judge predictors on its held-out part, and the person whose habits it
gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np

from lam_env.config.cli import Group, override, to_dict
from lam_env.config.convert import count
from lam_env.core import registry
from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.catalogue import NLL_GAP, NLL_GAP_SD, TOP1
from lam_env.core.contracts import ActionPredictor, Said
from lam_env.core.errors import UserError
from lam_env.core.events import AGENT, READING, SENSOR, USER, ActionLog, Protocol, Vocabulary
from lam_env.core.progress import Report
from lam_env.core.rng import Streams
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.units import DAY
from lam_env.envs.recording import simulate_log
from lam_env.evaluation.log_predictors import WHOLE
from lam_env.evaluation.metrics import Scored, scored, scores_of
from lam_env.evaluation.predictions.held_out import HeldOutRows, held_out_scores
from lam_env.evaluation.report.reader import read_about
from lam_env.evaluation.report.recorder import Judged, file_of, prediction_record, unit_record
from lam_env.evaluation.statistics import sd_over
from lam_env.experiment import models
from lam_env.experiment.jobs import RunContext, costed, of_seed, other_homes, parts_of, prior_path, training_points
from lam_env.experiment.score_store import Scores
from lam_env.launch import Launcher
from lam_env.logs.calibrate import calibrate
from lam_env.logs.decision_points import decision_points, split_by_day
from lam_env.logs.fidelity import Gate, gates
from lam_env.logs.likeness import further_gates
from lam_env.logs.streams import split_by_protocol
from lam_env.sim.diary import activity_log
from lam_env.sim.routine import Routine

LIFE_DAYS = 120  # of simulated life that are compared with a real log
DEVICE_WORLDS, DEVICE_DAYS = 4, 30
TRANSFER_DAYS = 70  # of simulated life that a predictor is trained on, to be tested on the log
FEW = 5  # actions that a line can name
_NAMES = {USER: "actions", AGENT: "actions", SENSOR: "sensors", READING: "readings"}  # of a `Vocabulary`
World = TypeVar("World", bound=Group)  # settings of a home


@costed
def predict_on_log(work: RunContext, log_name: str, name: str, seed: int, report: Report) -> dict[str, Scores]:
    """Prediction scores on the held-out days or streams of the run's real log, by the protocol of real logs, which is
    of events alone. By row of the tables: with the prior come its parts."""
    log = dataclasses.replace(ActionLog.load(work.run.log / log_name), timer=None)
    points = decision_points(log, soon=False)
    parts = split_by_protocol(log, points)
    test, report = parts[2], of_seed(report, work, seed) if name == "prior" else report
    total = int(test.sum())
    said: Iterable[dict[str, Said]]
    if name == "prior":
        predictor, boosting = models.load_predictor(prior_path(work, log_name, seed)), parts_of(work.settings, log)
        others = other_homes(work, points)
        said = models.read_held_out(predictor, points, parts, "boosting" in boosting, seed, report, others)
    else:
        report(f"score {name}", 0, total, "")  # counts of a large log take a while too
        fitted = registry.agent(name)().predictor(*training_points(work, log_name, timer=False))
        said = ({name: p} for p in models.blocks(fitted, points, test))
    rows = HeldOutRows.of(log, points, test)
    actions, scores = list(log.vocabulary.actions), dict[str, dict[str, float]]()
    judged = _scored(_told(said, report, name, total), points.target[test], rows.columns)
    for row, each in judged.items():
        scores[row] = held_out_scores(each, rows, actions)
        by_variant = {"log": prediction_record(each)}
        record: Judged = {"agent": row, "train_seed": seed, "actions": actions, "predictions": by_variant}
        record["by_unit"] = unit_record(each, rows.unit)
        work.run.write_json(file_of(f"{row}-log", seed), record)
    for part, whole in WHOLE.items():
        if part in judged and whole in judged:
            gap = judged[part].losses - judged[whole].losses
            scores[part] |= {NLL_GAP.id: float(gap.mean()), NLL_GAP_SD.id: sd_over(rows.unit, gap)}
    return {row: {0: of_row} for row, of_row in scores.items()}  # there is one test part, whatever the training seed


def _told(said: Iterable[dict[str, Said]], report: Report, name: str, total: int) -> Iterator[dict[str, Said]]:
    """The same pieces; `report` hears of how many rows they were."""
    done = 0
    report(f"score {name}", done, total, "")
    for piece in said:
        yield piece
        done += len(next(iter(piece.values())))
        report(f"score {name}", done, total, "")


def _scored(said: Iterable[dict[str, Said]], target: np.ndarray, columns: tuple[int, ...] = ()) -> dict[str, Scored]:
    """Of pieces, (b, A) by row of the tables, and what followed (n,); `columns` as in `scored`."""
    pieces, at = dict[str, list[Scored]](), 0
    for piece in said:
        here = slice(at, at + len(next(iter(piece.values()))))
        for row, p in piece.items():
            pieces.setdefault(row, []).append(scored(p, target[here], columns))
        at = here.stop
    return {row: Scored.joined(parts) for row, parts in pieces.items()}


# -- a twin: simulated residents calibrated to a log ------------------------------------------------------------------


def with_residents(world: World, n: int) -> World:
    """A world's settings where n people are calibrated: they live there, unless an unusual number is asked for;
    UserError where there is no room for them."""
    usual = to_dict(type(world)())["residents"]
    return override(world, {"residents": n}, "world") if to_dict(world)["residents"] == usual else world


def persons(log: ActionLog) -> dict[str, ActionLog]:
    """By name, the log of each person, of whom each is a stream; its last days test."""
    ends, out = log.end or (None,) * len(log.worlds), dict[str, ActionLog]()
    for i, (world, end) in enumerate(zip(log.worlds.tolist(), ends, strict=True)):
        name = log.user_name(i) if len(ends) > 1 else "0"  # of one stream it is never shown
        one = log.select(log.world == world, None if end is None else [end])
        out[str(i) if name in out else name] = dataclasses.replace(one, protocol=Protocol())
    return out


def resident_log(tables: BehaviourTables, days: int, seed: int = Use.TWIN.first) -> ActionLog:
    """An activity log of somebody with these habits."""
    return activity_log(Routine(tables, Streams(seed), "resident0"), days)


def training_days(log: ActionLog) -> ActionLog:
    """The part of a log that its protocol trains on: what begins before the first validation day."""
    points = decision_points(log, soon=False)
    _, valid, _ = split_by_day(points)
    first = int((points.time - points.duration)[np.flatnonzero(valid)[0] + 1]) // DAY * DAY
    return log.select(log.time < first * log.ticks_per_second)


def in_the_home(
    log: ActionLog, vocabulary: Vocabulary, timer: int | None, synonyms: Mapping[str, str] | None = None
) -> ActionLog | None:
    """A log of device commands in the vocabulary and with the timer of a scenario's home, so that predictors learn what
    they will meet there; None where they share no two actions. What the home does not know is left out. `synonyms`:
    what the log calls otherwise -> its name in the vocabulary.
    """
    place: dict[tuple[int, int], int] = {}  # (kind, token) in the log -> token in the home
    for kind in (USER, AGENT, SENSOR, READING):
        own, homes = (getattr(v, _NAMES[kind]) for v in (log.vocabulary, vocabulary))
        known = {name: i for i, name in enumerate(homes)}
        said = [(synonyms or {}).get(name, name) for name in own]
        place |= {(kind, i): known[name] for i, name in enumerate(said) if name in known}
    if len({token for (kind, _), token in place.items() if kind == USER}) < 3:  # none, and two to tell apart
        return None
    tokens = [place.get(key, -1) for key in zip(log.kind.tolist(), log.token.tolist(), strict=True)]
    token = np.array(tokens, np.int16)
    ours = log.select(token >= 0)
    columns = {**ours.columns, "token": token[token >= 0]}
    return dataclasses.replace(ours, columns=columns, vocabulary=vocabulary, timer=timer)


def unknown_actions(log: ActionLog, vocabulary: Vocabulary, synonyms: Mapping[str, str] | None = None) -> str:
    """The actions of a log's people that a vocabulary does not know, the most frequent first; `synonyms` as in
    `in_the_home`."""
    names = log.vocabulary.actions
    times = np.bincount(log.token[log.kind == USER], minlength=len(names))
    order = [i for i in np.argsort(-times, kind="stable").tolist() if times[i]]
    unknown = [i for i in order if (synonyms or {}).get(names[i], names[i]) not in vocabulary.actions]
    more = f" and {count(len(unknown) - FEW, 'more action')}" if len(unknown) > FEW else ""
    return ", ".join(f"{names[i]} ({times[i]:,})" for i in unknown[:FEW]) + more


def predict_transfer(work: RunContext, seed: int, who: str, report: Report) -> dict[str, float]:
    """Top-1 on a person's held-out days: of a predictor trained on their simulated likeness, calibrated to the training
    days alone (TSTR), of the one trained on the log, and of a time table of theirs."""

    def progress(stage: str, done: int, total: int, note: str) -> None:
        report("train on the simulated resident", done, total, note)

    log = ActionLog.load(work.run.log / "real")
    one = persons(log)[who]
    world = one.world[0]
    both = training_points(work, "real")
    train, valid = (part.select(part.world == world) for part in both)
    points = decision_points(log, soon=False)
    parts = split_by_protocol(log, points)
    test = parts[2] & (points.world == world)
    simulated = decision_points(resident_log(calibrate(training_days(one)), TRANSFER_DAYS), soon=False)
    simulated = dataclasses.replace(simulated, vocabulary=log.vocabulary)
    young = simulated.time < TRANSFER_DAYS * 6 // 7 * DAY
    settings, device = models.predictor_settings(len(train)), work.settings.device
    prior = models.load_predictor(prior_path(work, "real", seed))
    fitted: dict[str, ActionPredictor] = {
        "tstr": models.pretrain(simulated.select(young), simulated.select(~young), settings, seed, device, progress),
        "time_table": registry.agent("time_table")().predictor(train, valid),
    }
    target = points.target[test]
    said = {name: scored(predictor.read(points).next[test], target) for name, predictor in fitted.items()}
    read = models.read_held_out(prior, points, (*parts[:2], test), False, seed, progress)
    said["real"] = _scored(read, target)["prior"]
    return {name: scores_of(each)[TOP1.id] for name, each in said.items()}


def fidelity(work: RunContext, log: ActionLog, launcher: Launcher, progress: Report) -> list[Gate]:
    """The gates of credibility, line by line: each calibrated resident against their part of the log."""
    seeds, people, report = world_seeds(Use.TWIN, DEVICE_WORLDS), persons(log), []
    devices, _ = simulate_log(work.scenario(), seeds, DEVICE_DAYS, progress=progress, stage="simulate the twin")
    for i, ((who, one), tables) in enumerate(zip(people.items(), work.run.tables(), strict=True)):
        own = devices.select((devices.kind == USER) & (devices.user == i))
        transfer = launcher.call(predict_transfer, work, work.settings.seed[0], who)
        simulated = resident_log(tables, LIFE_DAYS)
        found = gates(one, simulated, own, 1, transfer) + further_gates(one, simulated)
        report += [dataclasses.replace(g, name=f"{who}: {g.name}") for g in found] if len(people) > 1 else found
    return report


def gates_before(run: Path) -> list[Gate]:
    """Those that an earlier command has found for a run; what cannot be read is found anew."""
    with suppress(UserError):
        return read_about(run).gates
    return []


def passed(report: Sequence[Gate]) -> dict[str, float]:
    """Of each gate that is judged 1 or 0; of several residents all have to pass."""
    worst_last = sorted(report, key=lambda gate: gate.passed is False)
    return {gate.metric_id: float(gate.passed) for gate in worst_last if gate.passed is not None}
