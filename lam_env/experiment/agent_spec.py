"""An agent whose training differs in some of `train.*`, as a row of its own: `ppo_scratch@steps=20000`, `ppo_prior@gamma=0`."""

from __future__ import annotations

from lam_env.config.cli import override, to_dict
from lam_env.core import registry
from lam_env.core.contracts import needs_said
from lam_env.core.errors import UserError
from lam_env.core.tuning import TrainSettings
from lam_env.envs.scenario import Scenario
from lam_env.experiment.settings import RunSettings


def split(name: str) -> tuple[str, dict[str, str]]:
    """The agent's own name, and what differs. UserError says what is wrong with it."""
    base, *given = [name] if ":" in name else name.split("@")  # one's own is a module's attribute
    trained = [a for a in registry.agent_names() if "steps" in registry.agent_needs(a)] if given else []
    if given and base not in trained:
        raise UserError(f"agent {name}: {base} has no settings of training; {' and '.join(trained)} have")
    found = {key: value for key, _, value in (each.partition("=") for each in given)}
    try:
        override(TrainSettings(), found)
    except UserError as error:
        raise UserError(f"agent {name}: {error}") from None
    return base, found


def defaults_of(scenario: Scenario | type[Scenario]) -> tuple[RunSettings, list[tuple[str, dict[str, str]]]]:
    """A scenario's settings of a run, and its exceptions for single agents ("ppo_scratch@batch": 512), each as `split` gives it."""
    said = scenario.defaults
    exceptions = [split(f"{key}={value}") for key, value in said.items() if "@" in key]
    return override(RunSettings(), {key: value for key, value in said.items() if "@" not in key}), exceptions


def tuning_of(train: TrainSettings, scenario: Scenario, name: str) -> TrainSettings:
    """How an agent is tuned: as its name says, else as the run does. A scenario's exception is one to its own default: it ends where the run
    has another value."""
    base, differs = split(name)
    usual, exceptions = defaults_of(scenario)
    given, default = to_dict(train), to_dict(usual.train)
    own = {k: v for agent, said in exceptions if agent == base for k, v in said.items() if given[k] == default[k]}
    return override(train, own | differs, "train")


def needs_of(scenario: Scenario, name: str) -> tuple[str, ...]:
    """What an agent has to be given, be it the kit's, one of your own, or one of the scenario's, which say `needs = ("prior",)` if they need
    anything."""
    own = scenario.baselines() | scenario.rungs() | scenario.exploits()
    return needs_said(own[name]) if name in own else registry.agent_needs(split(name)[0])
