"""An agent whose training differs in one setting or two, as a row of its own: `ppo_scratch@steps=20000`, `ppo_prior@gamma=0`."""

from __future__ import annotations

from typing import Any

from lam_env.config.convert import suggestion
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.envs.scenario import Scenario

# what may differ, and its bounds, included
SETTINGS: dict[str, tuple[type, float, float]] = {"steps": (int, 1, 1e12), "gamma": (float, 0, 1)}


def split(name: str) -> tuple[str, dict[str, Any]]:
    """The agent's own name, and what differs. UserError says what is wrong with it."""
    base, *given = [name] if ":" in name else name.split("@")  # one's own is a module's attribute
    trained = [a for a in registry.agent_names() if "steps" in registry.agent_needs(a)] if given else []
    if given and base not in trained:
        raise UserError(f"agent {name}: {base} has no settings of training; {' and '.join(trained)} have")
    found: dict[str, Any] = {}
    for each in given:
        key, _, value = each.partition("=")
        if key not in SETTINGS:
            known = ", ".join(f"{k}=" for k in SETTINGS)
            raise UserError(
                f"agent {name}: unknown setting {key!r}; {suggestion(key, list(SETTINGS), f'there are {known}')}"
            )
        kind, low, high = SETTINGS[key]
        try:
            found[key] = kind(value)
        except ValueError:
            raise UserError(f"agent {name}: {key} must be a number, not {value!r}; write {key}={high:g}") from None
        if not low <= found[key] <= high:
            raise UserError(f"agent {name}: {key} must be {low:g} to {high:g}, not {value}")
    return base, found


def needs_of(scenario: Scenario, name: str) -> tuple[str, ...]:
    """What an agent has to be given, be it the kit's, one of your own, or one of the scenario's, which say `needs = ("prior",)` if they need
    anything."""
    own = scenario.baselines() | scenario.rungs() | scenario.exploits()
    found: tuple[str, ...] = getattr(own[name], "needs", ()) if name in own else registry.agent_needs(split(name)[0])
    return found
