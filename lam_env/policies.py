"""Policies that commands are given by name: the tuned policy of a run folder, a kit agent that needs no learning, or `module:Class` of one's own."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

from lam_env import registry
from lam_env.config import override, to_dict
from lam_env.contracts import Policy
from lam_env.envs.scenario import Scenario
from lam_env.errors import UserError
from lam_env.events import Vocabulary
from lam_env.launch.local import one_line
from lam_env.runs import RunFolder
from lam_env.settings import UNTRAINED
from lam_env.tables import BehaviourTables


def policy_of(name: str, vocabulary: Vocabulary | None = None, of: str = "log") -> Policy:
    """UserError says in one line why there is none. `vocabulary`: that of the `of`, which the policy must speak."""
    if name in UNTRAINED:
        made: Policy = registry.agent(name)().fit(SimpleNamespace(seed=0))
        return made
    if ":" in name:
        return _own(name)
    folder = RunFolder.open(name)
    for path, stage in ((folder.prior, "pre-training"), (folder.policy, "fine-tuning (agent ppo_prior)")):
        if not path.is_dir():
            raise UserError(f"{name}: has no model/{path.name}; the run has not got through {stage}, give one that has")
    prior = importlib.import_module("lam_env.agents.predictors.store").load(folder.prior)
    if vocabulary is not None and prior.vocabulary != vocabulary:
        raise UserError(f"{name}: its policy has another vocabulary than the {of}; take a run in the same world")
    found: Policy = importlib.import_module("lam_env.agents.saved").load_policy(folder.policy, prior)
    return found


def _own(name: str) -> Policy:
    try:
        agent: Any = registry.agent(name)()
    except registry.RegistryError:  # it says which agent it is about
        raise
    except (Exception, SystemExit) as error:  # whatever a stranger's code raises
        raise UserError(f"policy {name}: {one_line(error)}") from None
    if not hasattr(agent, "predict"):
        raise UserError(
            f"policy {name}: has no predict; what learns first is judged by python -m lam_env.run agent={name}"
        )
    policy: Policy = agent
    return policy


def scenario_made(name: str, world: Any, tables: BehaviourTables | None = None) -> Scenario:
    """The scenario with these settings of its worlds. `tables`: habits of a calibrated resident."""
    made: Scenario = registry.scenario(name)(**to_dict(world), **({} if tables is None else {"tables": tables}))
    return made


def world_of(folder: RunFolder, named: str | None = None) -> Any:
    """The settings of a run's worlds. What is no scenario of this installation is code, which a file may not name: `named` is the scenario that the command names."""
    config = folder.config()
    name, world = config.get("scenario"), config.get("world")
    if not isinstance(name, str) or not isinstance(world, dict):
        raise UserError(f"{folder.path}: its config.json holds no settings; give another run")
    if name != named and name not in registry.scenario_names():
        raise UserError(f"{folder.path}: is a run of {name[:60]!r}, which is no scenario of this installation")
    return override(registry.scenario(name).Params(), world, "world")


def scenario_of(folder: RunFolder, world: Any = None) -> Scenario:
    """The scenario of a run as it was, or with other settings of its worlds."""
    params = world_of(folder) if world is None else world
    return scenario_made(str(folder.config()["scenario"]), params, folder.tables())
