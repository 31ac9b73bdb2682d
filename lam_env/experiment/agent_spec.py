"""An agent with other `train.*` than the run, as a row of its own: `ppo_scratch@steps=20000`, `ppo_prior@gamma=0`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lam_env.config.cli import override, to_dict
from lam_env.core import registry
from lam_env.core.contracts import Candidate, Training, needs_said
from lam_env.core.errors import UserError
from lam_env.core.tuning import OF_PRIOR, OF_TUNED, TrainSettings
from lam_env.envs.scenario import Scenario
from lam_env.experiment.settings import UNTRAINED, RunSettings
from lam_env.logs.decision_points import DecisionPoints


def split(name: str) -> tuple[str, dict[str, str]]:
    """The agent's own name, and what differs. UserError says what is wrong with it."""
    base, *words = [name] if registry.names_code(name) else name.split("@")  # one's own is a module's attribute
    trained = [a for a in registry.agent_names() if "steps" in registry.agent_needs(a)] if words else []
    if words and base not in trained:
        raise UserError(f"agent {name}: {base} has no settings of training; {', '.join(trained)} have")
    differs = {key: value for key, _, value in (word.partition("=") for word in words)}
    try:
        override(TrainSettings(), differs)
    except UserError as error:
        raise UserError(f"agent {name}: {error}") from None
    idle = [key for key in differs if key in OF_PRIOR] if words and "prior" not in registry.agent_needs(base) else []
    if idle:
        raise UserError(f"agent {name}: {idle[0]} is of agents on the prior, and {base} is on none; leave it away")
    return base, differs


def defaults_of(scenario: Scenario | type[Scenario]) -> tuple[RunSettings, list[tuple[str, dict[str, str]]]]:
    """A scenario's settings of a run, and exceptions for agents ("ppo_scratch@batch": 512) as `split` gives them."""
    defaults = scenario.defaults
    exceptions = [split(f"{key}={value}") for key, value in defaults.items() if "@" in key]
    return override(RunSettings(), {key: value for key, value in defaults.items() if "@" not in key}), exceptions


def tuning_of(train: TrainSettings, scenario: Scenario, name: str) -> TrainSettings:
    """How an agent is tuned: as its name says, else as the run does. A scenario's exception is one to its own default:
    it ends where the run has another value. UserError where the name has a setting without effect."""
    base, differs = split(name)
    usual, exceptions = defaults_of(scenario)
    of_run, default = to_dict(train), to_dict(usual.train)
    own = {k: v for agent, each in exceptions if agent == base for k, v in each.items() if of_run[k] == default[k]}
    tuned = override(train, own | differs, "train")
    if tuned.tune == "frozen" and (idle := [key for key in differs if key in OF_TUNED]):
        raise UserError(f"agent {name}: {idle[0]} is of a predictor that is tuned too; add @tune=full")
    return tuned


def training_in(
    scenario: Scenario, train: DecisionPoints, valid: DecisionPoints, worlds: Callable[..., Any], **more: Any
) -> Training:
    """A training among the people of a scenario. worlds(n, scenario=...) makes n of its worlds; `more`: what else a
    `Training` holds."""
    v, make_worlds = scenario.vocabulary, partial(worlds, scenario=scenario)
    paid, dislikes = scenario.reward_weights, scenario.dislikes
    return Training(v, scenario.interaction, train, valid, make_worlds, paid, dislikes=dislikes, **more)


def agents_of_scenario(scenario: Scenario) -> dict[str, Callable[[Training], Candidate]]:
    """What makes each of its own: baselines, rungs of the information ladder, exploits."""
    return scenario.baselines() | scenario.rungs() | scenario.exploits()


def needs_of(scenario: Scenario, name: str) -> tuple[str, ...]:
    """What an agent needs, be it the kit's, one of your own, or the scenario's, which may say `needs = ("prior",)`."""
    own = agents_of_scenario(scenario)
    return needs_said(own[name]) if name in own else registry.agent_needs(split(name)[0])


def trains_once(scenario: Scenario, name: str) -> bool:
    """Whether a further training seed gives the same agent: rules of the scenario, and what does not train."""
    return name in UNTRAINED or name in agents_of_scenario(scenario)
