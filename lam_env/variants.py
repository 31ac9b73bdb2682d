"""An agent whose training differs in one setting or two, as a row of its own: `ppo_scratch@steps=20000`, `ppo_prior@gamma=0`."""

from __future__ import annotations

from typing import Any

from lam_env.errors import UserError
from lam_env.values import suggestion

# what may differ, and its bounds, included
SETTINGS: dict[str, tuple[type, float, float]] = {"steps": (int, 1, 1e12), "gamma": (float, 0, 1)}
TRAINED = ("ppo_scratch", "ppo_prior")  # the agents that have these settings


def split(name: str) -> tuple[str, dict[str, Any]]:
    """The agent's own name, and what differs. UserError says what is wrong with it."""
    base, *given = [name] if ":" in name else name.split("@")  # one's own is a module's attribute
    if given and base not in TRAINED:
        raise UserError(f"agent {name}: {base} has no settings of training; {' and '.join(TRAINED)} have")
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
