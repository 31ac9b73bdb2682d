"""One's own agents: tried on next to nothing before a run begins, so that a fault costs seconds, and watched in it."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import sys
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from lam_env.core import registry
from lam_env.core.contracts import Keeper, Observation, Policy, PredictionCeiling, Training, complete, keeps
from lam_env.core.errors import UserError
from lam_env.core.files.manifest import write_manifest
from lam_env.core.files.outputs import replace
from lam_env.core.progress import Report
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.envs.play import play
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment import models
from lam_env.experiment.agent_spec import training_in
from lam_env.experiment.policies import scenario_made
from lam_env.launch.child import alive, kit_at_work
from lam_env.launch.job import blamed, one_line
from lam_env.logs.decision_points import decision_points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lam_env.config.cli import Group
    from lam_env.core.behaviour_tables import BehaviourTables

STEPS = 64  # of fine-tuning


class Tried(NamedTuple):
    """What a run has to know of an agent whose code only runs in other processes."""

    needs: tuple[str, ...]
    source: str | None  # SHA-256 of its module's file


def source_of(module: str) -> str | None:
    """SHA-256 of the file of a module that has been imported; None where it has none."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None


class WatchedWorlds(LamVectorEnv):
    """Worlds whose every step is a sign of life."""

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        alive()
        return super().step(actions)


def watched(policy: Policy) -> Policy:
    """The policy, each of whose answers is a sign of life."""

    def predict(*observed: Any) -> tuple[np.ndarray, Any]:
        answer = policy.predict(*observed)
        alive()
        return answer

    return cast(Policy, dataclasses.replace(complete(policy), predict=predict))


def _takes(function: Callable[..., Any], given: Sequence[Any], otherwise: str, remedy: str = "") -> None:
    """UserError where a function cannot be called with these."""
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        raise UserError(f"{otherwise}: {error}{remedy}") from None
    except ValueError:  # compiled code may have no signature
        pass


def try_own(name: str, of: str, world: Group, tables: Sequence[BehaviourTables], report: Report) -> Tried:
    """A job: `try_agent` in the scenario called `of` with these settings."""
    return try_agent(scenario_made(of, world, tables), name)


def try_agent(scenario: Scenario, name: str) -> Tried:
    """Fits an agent to two worlds' day and takes two steps with it. UserError says what is wrong with it."""
    try:
        made_of, needs = registry.agent(name), registry.agent_needs(name)
        _takes(made_of, (), "it is made without arguments", "; give its __init__ defaults")
        agent = made_of()
        if "latent" in needs and not scenario.latent_names:
            raise UserError(f"it needs the hidden state, and {scenario.id} has no latent_names")
        if "dislikes" in needs and scenario.dislikes is None:
            raise UserError(f"it needs to know how dislikes are drawn, and {scenario.id} has no dislikes")
        training = small_training(scenario)
        training.prior = training.prior if "prior" in needs else None
        with models.cut_short(STEPS):
            policy, _ = models.fitted(agent, training)
        if isinstance(policy, PredictionCeiling):
            raise UserError("it only predicts: give an agent that acts")
        wanted = "predict(self, observation, state=None, episode_start=None, deterministic=False)"
        _takes(policy.predict, ({}, None, np.ones(1, bool), True), f"its predict cannot be called as {wanted}")
        if keeps(agent):
            policy = _again(agent, name, training)
        for n in (3, 1):  # batches of two sizes: a shape that is right by chance is wrong in the other
            _two_steps(watched(policy), scenario, n)
        return Tried(needs, source_of(name.partition(":")[0]))
    except registry.RegistryError:  # it says which agent it is about
        raise
    except (Exception, SystemExit) as error:  # whatever a stranger's code raises
        raise UserError(f"agent {name}: {one_line(error)}") from None


@kit_at_work()
def small_training(scenario: Scenario, worlds: int = 2, days: int = 1, **predictor: Any) -> Training:
    """What an agent learns from, made of next to nothing; the last world validates. `predictor`: its settings."""
    log, _ = simulate_log(scenario, world_seeds(Use.TRYING, worlds), days)
    points = decision_points(log)
    first = points.world < (worlds - 1) * points.people
    train, valid = points.select(first), points.select(~first)
    settings = models.predictor_settings(len(train), **({"hidden": 16, "passes": 1} | predictor))
    return training_in(
        scenario,
        train,
        valid,
        WatchedWorlds,
        log=log,
        prior=models.pretrain(train, valid, settings),
        tuning=TrainSettings(steps=STEPS),
        adapter=models.adapter,
    )


def keep(agent: Keeper, folder: Path) -> None:
    """What an agent has learned, as its `save` writes it; UserError says what is wrong with that."""

    def fill(part: Path) -> None:
        part.mkdir()
        with blamed("save"):
            agent.save(part)
        write_manifest(part, 1)

    folder.parent.mkdir(parents=True, exist_ok=True)
    replace(folder, fill)


def _again(agent: Keeper, name: str, training: Training) -> Policy:
    """What an agent has learned, saved and loaded."""
    with TemporaryDirectory() as parent:
        keep(agent, folder := Path(parent) / "kept")
        with blamed("load"):
            policy, _ = models.fitted(registry.agent(name)(), dataclasses.replace(training, handed_out=[]), folder)
    if isinstance(policy, PredictionCeiling):
        raise UserError("load: it only predicts: give what acts")
    return policy


def _two_steps(policy: Policy, scenario: Scenario, n: int) -> None:
    def choose(observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, object]:
        answer: object = policy.predict(observation, state, start, True)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise UserError(f"predict must return (actions, state), not {type(answer).__name__}")
        return answer

    env = LamVectorEnv(n, scenario, reveal=complete(policy).reveal, autoreset_mode="Disabled")
    list(islice(play(choose, env, world_seeds(Use.TRYING, n)), 2))
