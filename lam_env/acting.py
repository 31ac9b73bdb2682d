"""Whoever can act without being trained first: the tuned policy of a run folder, or an agent that needs no training."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from lam_env import registry
from lam_env.contracts import Observation, Policy
from lam_env.envs.scenario import Scenario
from lam_env.errors import UserError
from lam_env.evaluation.episode import Expect
from lam_env.launch.local import one_line
from lam_env.policies import scenario_of
from lam_env.runs import RunFolder
from lam_env.settings import UNTRAINED
from lam_env.values import suggestion


class NoTraining:
    """In the place of what agents learn from: whoever asks for more than the seed needs training."""

    def __init__(self, name: str, seed: int = 0):
        self.seed = seed
        self._name = name

    def __getattr__(self, what: str) -> Any:
        raise UserError(
            f"agent={self._name}: needs training (it asks for {what}); give the folder of a run, or an agent that needs none"
        )


def untrained(scenario: Scenario, name: str, seed: int = 0) -> Policy:
    """A new policy of an agent that needs no training: never acting, random, or one of the scenario's own."""
    own = scenario.baselines() | scenario.rungs() | scenario.exploits()
    names = [*UNTRAINED, *own]
    if name not in names:
        able = [other for other in names if _needs_none(scenario, other)]
        hint = suggestion(name, able, f"without training there are {', '.join(able)}")
        raise UserError(f"agent={name}: neither a run folder nor an agent that needs no training; {hint}")
    nothing: Any = NoTraining(name, seed)
    if name in own:
        if getattr(own[name], "needs", ()):
            raise UserError(f"agent={name}: builds on a trained predictor; give the folder of a run")
        return own[name](nothing)
    policy: Policy = registry.agent(name)().fit(nothing)
    return policy


def _needs_none(scenario: Scenario, name: str) -> bool:
    try:
        untrained(scenario, name)
    except UserError:
        return False
    return True


@dataclass(frozen=True)
class Saved:
    """What a run has left that can act: its scenario as it was, the tuned policy, and the predictor it rests on."""

    scenario: Scenario
    policy: Policy
    predictor: Any


def saved(path: str, world: Any = None) -> Saved:
    """The tuned policy of a run; one line says what is missing or wrong."""
    folder = RunFolder.open(path)
    try:
        scenario = scenario_of(folder, world)
        for part, stage in ((folder.prior, "pre-training"), (folder.policy, "fine-tuning (agent ppo_prior)")):
            if not part.is_dir():
                raise UserError(
                    f"{path}: has no model/{part.name}; the run has not got through {stage}, give one that has"
                )
        predictor = load_predictor(folder)
        policy = importlib.import_module("lam_env.agents.saved").load_policy(folder.policy, predictor)
    except UserError:
        raise
    except Exception as error:  # a stranger's files
        raise UserError(f"{path}: {one_line(error)}") from None
    if predictor.vocabulary != scenario.vocabulary:
        raise UserError(f"{path}: its policy is of another world; leave world.* away")
    return Saved(scenario, policy, predictor)


def load_predictor(folder: RunFolder) -> Any:
    return importlib.import_module("lam_env.agents.predictors.store").load(folder.prior)


def expectation(predictor: Any) -> Expect:
    """What a predictor says of the next action, carried through one episode of one world."""
    listen, carry = importlib.import_module("lam_env.agents.carry").listen, None

    def expect(observation: Observation, start: np.ndarray) -> np.ndarray:
        nonlocal carry
        carry = listen(predictor, observation, carry, start)
        said: np.ndarray = carry.said.next[0]
        return said

    return expect
