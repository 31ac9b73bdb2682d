"""Trying a custom agent on next to nothing before a run begins, so that a fault costs seconds."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np

from lam_env.core import registry
from lam_env.core.contracts import Observation, Policy, Training, complete
from lam_env.core.errors import UserError
from lam_env.core.seeds import Use, world_seeds
from lam_env.core.tuning import TrainSettings
from lam_env.envs.play import play
from lam_env.envs.recording import simulate_log
from lam_env.envs.scenario import Scenario
from lam_env.envs.vector import LamVectorEnv
from lam_env.experiment import models
from lam_env.launch.local import one_line
from lam_env.logs.decision_points import decision_points

STEPS = 64  # of fine-tuning


def try_agent(scenario: Scenario, name: str) -> None:
    """Fits an agent to two worlds' day and takes two steps with it. UserError says what is wrong with it."""
    try:
        agent, needs = registry.agent(name)(), registry.agent_needs(name)
        if "latent" in needs and not scenario.latent_names:
            raise UserError(f"it needs the hidden state, and {scenario.id} has no latent_names")
        training = small_training(scenario)
        training.prior = training.prior if "prior" in needs else None
        with models.cut_short(STEPS):
            policy, _ = models.fitted(agent, training)
        for n in (3, 1):  # batches of two sizes: a shape that is right by chance is wrong in the other
            _two_steps(policy, scenario, n)
    except registry.RegistryError:  # it says which agent it is about
        raise
    except (Exception, SystemExit) as error:  # whatever a stranger's code raises
        raise UserError(f"agent {name}: {one_line(error)}") from None


def small_training(scenario: Scenario, worlds: int = 2, days: int = 1, **predictor: object) -> Training:
    """What an agent learns from, made of next to nothing; the last world validates. `predictor`: its settings."""
    log, _ = simulate_log(scenario, world_seeds(Use.TRYING, worlds), days)
    points = decision_points(log)
    first = points.world < (worlds - 1) * points.people
    train, valid = points.select(first), points.select(~first)
    settings = models.predictor_settings(len(train), **{"hidden": 16, "passes": 1, **predictor})
    return Training(
        points.vocabulary,
        scenario.interaction,
        train,
        valid,
        partial(LamVectorEnv, scenario=scenario),
        scenario.reward_weights,
        log=log,
        prior=models.pretrain(train, valid, settings),
        tuning=TrainSettings(steps=STEPS),
        adapter=models.adapter,
    )


def _two_steps(policy: Policy, scenario: Scenario, n: int) -> None:
    def choose(observation: Observation, state: object, start: np.ndarray) -> tuple[np.ndarray, object]:
        answer: object = policy.predict(observation, state, start, True)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise UserError(f"predict must return (actions, state), not {type(answer).__name__}")
        return answer

    env = LamVectorEnv(n, scenario, reveal=complete(policy).reveal, autoreset_mode="Disabled")
    list(islice(play(choose, env, world_seeds(Use.TRYING, n)), 2))
