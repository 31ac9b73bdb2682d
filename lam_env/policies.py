"""Policies that commands are given by name: the tuned policy of a run folder, a kit agent that needs no learning, or `module:Class` of one's own."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lam_env import registry
from lam_env.contracts import Policy
from lam_env.errors import UserError
from lam_env.events import Vocabulary
from lam_env.launch.local import one_line
from lam_env.runs import RunFolder
from lam_env.settings import UNTRAINED


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


def scenario_of(run: str) -> Any:
    """The scenario of a run folder, with that run's settings of its world."""
    config, folder = RunFolder.open(run).config(), Path(run)
    world = config.get("world")
    if not isinstance(config.get("scenario"), str) or not isinstance(world, dict):
        raise UserError(f"{run}: its config.json holds no settings; give another run")
    from lam_env.twin import TABLES, read_tables

    tables = {"tables": read_tables(folder / TABLES)} if (folder / TABLES).is_file() else {}
    return registry.scenario(config["scenario"])(**world, **tables)
