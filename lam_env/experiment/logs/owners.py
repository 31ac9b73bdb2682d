"""Whose are the events of a home's log that name nobody? Told by how people move in simulated homes of its devices."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.progress import Report
from lam_env.core.seeds import Use, world_seeds
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.experiment.logs.real import in_the_home
from lam_env.logs.owners import Moves, told_apart, ways

HOMES, DAYS = 16, 28  # simulated, from which is learned how people move
HIDDEN = 5  # of so many named events one is hidden, to try what is made of it
TWO = {"residents": 2}


class Owned(NamedTuple):
    """log: all its events are one of two people's. unnamed (n,) bool: which events of people and sensors named nobody.
    right: the share of every fifth named one, `tried` of them, that is given rightly where its name is hidden."""

    log: ActionLog
    unnamed: np.ndarray
    right: float
    tried: int


def owned(log: ActionLog, nobody: str, report: Report) -> Owned:
    """A log of commands of two people; events whose user is called `nobody` go to whom they are likeliest of.
    UserError where it is no such log."""
    names = log.meta.get("users")
    if not isinstance(names, list) or len(names) != 3 or nobody not in names:
        users = ", ".join(map(str, names[:5])) if isinstance(names, list) else "not named"
        raise UserError(
            f"nobody={nobody}: it has to be one of three users, the other two live there; users are {users}"
        )
    if log.intervals or log.protocol.split != "days":
        raise UserError(
            f"nobody={nobody}: only commands of a home, read as one stream, are told apart; give split=days"
        )
    seeds = world_seeds(Use.TRAINING_LOG, HOMES)
    scenario = _home_of(log)
    theirs, _ = simulate_log(scenario, seeds, DAYS, progress=report)
    own = {ours: name for name, ours in (scenario.synonyms or {}).items()}
    learned = in_the_home(theirs, log.vocabulary, None, own)
    if learned is None:
        raise UserError(f"nobody={nobody}: the log shares no two actions with a simulated home; leave nobody= away")
    people = [i for i in range(3) if names[i] != nobody]
    number = np.array([people.index(i) if i in people else -1 for i in range(3)])
    home = Moves.of(log, int(log.worlds[0]))
    home = home._replace(user=number[home.user])
    known = ways([Moves.of(learned, int(w)) for w in learned.worlds], log.vocabulary.n_tokens)
    unnamed = home.user < 0
    hidden = np.flatnonzero(~unnamed)[::HIDDEN]
    less = home.user.copy()
    less[hidden] = -1
    tried = (told_apart(home._replace(user=less), known) > 0.5) == home.user
    p = told_apart(home, known)
    user = np.maximum(number[log.user], 0)
    user[Moves.rows(log, int(log.worlds[0]))] = np.where(unnamed, p > 0.5, home.user)
    meta = {**log.meta, "users": [names[i] for i in people]}
    told = dataclasses.replace(log, columns={**log.columns, "user": user.astype(np.int16)}, meta=meta)
    return Owned(told, unnamed, float(tried[hidden].mean()), len(hidden))


def _home_of(log: ActionLog) -> Scenario:
    """A home of two with the log's devices, as its names tell them."""
    names = (*log.vocabulary.actions[1:], *log.vocabulary.sensors)
    for scenario in map(registry.scenario, registry.scenario_names()):
        if (found := scenario.proposal(names)) is None or len(found.left_out) == len(names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "devices.yaml"
            path.write_text(found.text, encoding="utf-8")
            for rooms in range(5, 9):  # the smallest that has them all
                try:
                    return scenario(devices=str(path), rooms=rooms, **TWO)
                except UserError as error:
                    why = error
            raise why
    raise UserError("no scenario has devices by the names of this log, so that nobody can be told apart by them")
