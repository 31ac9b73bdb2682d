"""Parameters of the smart home, with units and sources.

Where no source is named, the value is that of a prototype world in which the order of agents came out and the gates of
credibility held (see ARCHITECTURE.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lam_env.sim.user import TrustParams

PERSONAS = ("early_commuter", "shift_worker", "home_worker", "retired", "family", "student")

REWARD_WEIGHTS = {
    "assist": 1.0,  # she would have reached for it, and it was done
    "override": -2.0,  # she had to correct what the agent did
    "rejection": -1.5,  # right, but she does not want a machine to do it
    "miss": -0.2,  # she did by hand what the agent could have done
    "nuisance": -0.05,  # something switched on that nobody used within its patience
    "rating": 1.0,  # explicit thumbs, +1 or -1
    "energy": -2.0,  # money [EUR]
    "switched_off": -5.0,  # she switched the automation off
}

UTILITY_WEIGHTS = {
    "touch": -1.0,  # manual touches, weighted by effort of the device
    "override": -0.5,  # on top of the touch
    "rejection": -1.5,
    "woken": -5.0,
    "dark": -1.0,  # [min] in the dark with light wanted
    "asleep_light": -3.0,  # [min] of light in a room where somebody sleeps
    "asleep_music": -2.0,  # [min]
    "lamps": -0.02,  # [min] of a lamp that burns in an empty room: what it looks like to those who pay
    "unwatched": -0.3,  # [min] TV on and nobody in the room
    "unlocked": -0.03,  # [min] unlocked with nobody home or everybody asleep
    "cold": -0.06,  # [K min] below (or 1 K above) what she likes, per resident
    "energy": -2.0,  # money [EUR]
}

TARIFFS = ("flat", "time_of_use", "hourly")


@dataclass(frozen=True)
class HomeParams:
    """Settings of a smart home."""

    residents: int = field(default=2, metadata={"doc": "people who live in the home, 1 to 4"})
    rooms: int = field(default=5, metadata={"doc": "rooms, 4 to 8"})
    days: int = field(default=7, metadata={"doc": "length of an episode [days]"})
    timer: int = field(default=300, metadata={"doc": "quiet time after which an epoch is raised [s]"})
    personas: tuple[str, ...] = field(default=PERSONAS, metadata={"doc": "personas that residents are drawn from"})
    tariff: str = field(default="time_of_use", metadata={"doc": "price of electricity: flat, time_of_use or hourly"})
    season: float = field(default=15.0, metadata={"doc": "day of the year at day 0 (15: mid January)"})
    dislikes: float = field(default=1.0, metadata={"doc": "scale of the households' standing dislikes (0: none)"})
    trust: TrustParams = TrustParams()

    # reactions [s], lognormal: median and sd of the logarithm
    reaction: float = 12.0
    reaction_sd: float = 0.5
    burst_gap: float = 6.0  # between the corrections of one burst
    burst_sd: float = 0.4
    override_delay: float = 25.0
    heat_delay: tuple[float, float] = (120.0, 600.0)  # at the thermostat, uniform
    rating_delay: int = 1800  # up to so long after what is rated
    rating_noise: float = 0.1  # probability of a thumb in the wrong direction

    # the home; RC model of one zone, values of a small, fairly insulated flat
    time_constant: float = 30.0  # RC [h]
    heater_rise: float = 3.5  # K/h that full heating adds
    solar_rise: float = 0.5  # K/h at full sun with open blinds
    setpoints: tuple[float, float, float] = (17.0, 20.0, 22.0)  # eco, normal, warm [C]
    heater_power: float = 2.5  # [kW], electric (heat pump at mean COP already in)
    price: float = 0.30  # [EUR/kWh] on average

    def __post_init__(self) -> None:
        if not 1 <= self.residents <= 4:
            raise ValueError(f"world.residents must be 1 to 4, not {self.residents}")
        if not 4 <= self.rooms <= 8:
            raise ValueError(f"world.rooms must be 4 to 8, not {self.rooms}")
        if self.tariff not in TARIFFS:
            raise ValueError(f"world.tariff must be one of {', '.join(TARIFFS)}, not {self.tariff!r}")
        unknown = [p for p in self.personas if p not in PERSONAS]
        if unknown or not self.personas:
            raise ValueError(f"world.personas: unknown persona {unknown}; there are {', '.join(PERSONAS)}")
        if self.days < 1 or self.timer < 1:
            raise ValueError("world.days and world.timer must be at least 1")
