"""Kinds of devices that simulated people know how to use."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from lam_env.core.units import MINUTE


@dataclass(frozen=True)
class Kind:
    """A kind of device; ValueError where a command names no state."""

    name: str
    states: tuple[str, ...]  # by number
    effort: float  # cost of a manual touch, in touches
    patience: int  # [s] for which an anticipation stays good
    power: float = 0.0  # [kW] in the highest state
    commands: tuple[int, ...] = ()  # states that can be commanded; empty: all

    def __post_init__(self) -> None:
        if not all(0 <= state < len(self.states) for state in self.commands):
            raise ValueError(f"{self.name}: commands {self.commands} name states that it does not have")


LIGHT = Kind("light", ("off", "dim", "on"), 1.0, 5 * MINUTE, 0.012)
KINDS = {"light": LIGHT, "lamp": dataclasses.replace(LIGHT, commands=(0, 2))} | {  # a lamp cannot be dimmed
    k.name: k
    for k in (
        Kind("blinds", ("open", "closed"), 1.5, 15 * MINUTE),
        Kind("heating", ("eco", "normal", "warm"), 1.5, 60 * MINUTE),
        Kind("lock", ("unlocked", "locked"), 1.0, 15 * MINUTE),
        Kind("alarm", ("disarmed", "armed"), 1.0, 15 * MINUTE),
        Kind("tv", ("off", "on"), 1.0, 5 * MINUTE, 0.1),
        Kind("music", ("off", "on"), 1.0, 5 * MINUTE, 0.02),
        Kind("kettle", ("idle", "hot"), 0.6, 5 * MINUTE, 0.0, (1,)),
        Kind("dishwasher", ("idle", "running"), 1.0, 120 * MINUTE, 0.0, (1,)),
        Kind("washer", ("idle", "running"), 1.0, 120 * MINUTE, 0.0, (1,)),
    )
}
