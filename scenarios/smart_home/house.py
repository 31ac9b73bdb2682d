"""The house as a thing: states of its devices, its climate, and what both cost the people in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.core.shared import Fixed
from lam_env.core.units import DAY, HOUR
from lam_env.sim.world import World

from .climate import DARK, SLOT, SUN, Climate
from .devices import ITEMS, NIGHT, NONE, build_home
from .params import REWARD_WEIGHTS, UTILITY_WEIGHTS, HomeParams

AWAY = -1  # in the place of a room
HOURS = SLOT / HOUR
HOT = 600  # [s] that boiled water stays hot
NO_MATTER = (0,)  # states that do for a light that nobody thinks of
RUNS = {"dishwasher": (2 * HOUR, 1.0), "washer": (5400, 0.8), "kettle": (HOT, 0.1)}  # [s], [kWh]


class Occupant(Protocol):
    """What a house knows of somebody who lives in it."""

    room: int  # or AWAY
    asleep: bool
    wants: dict[int, tuple[int, ...]]  # per device, the states that are right for what they do now


@dataclass(slots=True)
class AgentAct:
    """An effective act of the agent that nobody has answered yet."""

    id: int  # by which it is answered
    action: int
    device: int
    state: int  # that it has made
    before: int  # state before it
    time: int  # [s]


class House(World):
    """Devices, climate and accounts of one home; the people in it act on it through `set` and `load`.

    `shadow` holds, per device, the state it would have if the agent had done nothing: an assist is counted only
    where somebody would have had to reach for the device without the agent, so undoing and redoing earns nothing.
    `agent_acts_on`: per device, the agent's act that nobody has answered yet.
    """

    __slots__ = (
        *("params", "home", "residents", "states", "shadow", "loaded", "automation", "item_sensors"),
        *("agent_acts_on", "climate", "indoor", "sun", "price", "power", "kwh", "peak", "cold_hours", "_accrued"),
        *("_held", "_runs_until", "heating", "_tv", "_lock", "_music", "_tv_room", "_n_lights", "_thermal"),
        *("_cool", "_up", "_lit", "_taken"),
    )
    residents: Sequence[Occupant]
    quick = True

    def __init__(
        self,
        params: HomeParams,
        streams: Streams,
        row: ObservationRow,
        start: int,
        record: bool,
    ):
        home = build_home(params.rooms, params.devices)
        super().__init__(
            streams,
            row,
            home.vocabulary,
            start=start,
            end=start + params.days * DAY,
            timer=params.timer,
            reward_weights=REWARD_WEIGHTS,
            utility_weights=UTILITY_WEIGHTS,
            record=record,
        )
        self.params, self.home, self._n_lights = params, home, sum(map(len, home.lights))
        self.item_sensors = Fixed({name: len(home.rooms) + 1 + i for i, name in enumerate(ITEMS)})
        self.states = [NIGHT.get(d.kind.name, 0) for d in home.devices]
        self.shadow = list(self.states)
        self.agent_acts_on: list[AgentAct | None] = [None] * len(home.devices)
        self.loaded: set[int] = set()
        self.automation = True
        self._runs_until: dict[int, int] = {}
        self._held: list[int] = []  # devices on which the agent acted at this instant
        self.power = 0.0  # [kW] of what is on, heating aside
        self.kwh, self.peak, self.cold_hours = 0.0, 0.0, 0.0
        self.indoor = params.setpoints[0] + 0.5
        self.climate = Climate(params, streams)
        self.next_tick = start // SLOT * SLOT + SLOT
        self._accrued = start
        p = params
        self._thermal = p.setpoints, p.time_constant, p.heater_rise, p.solar_rise, p.heater_power
        self.heating, self._tv, self._lock, self._music = map(home.only, ("heating", "tv", "lock", "music"))
        self._tv_room = NONE if self._tv == NONE else home.devices[self._tv].room
        # [C]; half a kelvin is not noticed, and where the home does not heat it is not blamed
        self._cool = p.setpoints[1] - 0.5 if self.heating != NONE else -math.inf
        # rooms as bits: where nobody sleeps, where the lamp burns, where somebody is
        self._up = sum(1 << i for i, room in enumerate(home.rooms) if room not in ("bedroom", "nursery"))
        self._lit = self._taken = 0
        self._first_readings()
        row.mask[0] = 1
        self._refresh_masks()

    def _first_readings(self) -> None:
        home, climate, channel = self.home, self.climate, self.home.n_channels
        for device, state in enumerate(self.states):
            self.reading(device, state)
        for loaded in home.loaded.values():
            self.reading(loaded, 0.0)
        self.reading(channel + 5, 1.0)
        climate.load(self.now // DAY)
        slot = self.now % DAY // SLOT
        outside = climate.readings(slot)
        self.price, self.sun = climate.slots[slot][2], outside[1]
        for i, value in enumerate([round(self.indoor, 1), *outside]):
            self.reading(channel + i, value)

    # -- time ---------------------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Ten minutes of climate and heating.

        RC model: dT/dt = (T_out - T) / RC + rise * duty + solar gain; the thermostat is proportional within .5 K.
        """
        climate, now, indoor = self.climate, self.now, self.indoor
        self.next_tick = now + SLOT
        slot = now % DAY // SLOT
        if not slot:
            climate.load(now // DAY)
        outdoor, sun, self.price, news = climate.slots[slot]
        _, time_constant, heater_rise, solar_rise, heater_power = self._thermal
        duty = self.duty
        self.indoor = new = indoor + HOURS * (
            (outdoor - indoor) / time_constant + heater_rise * duty + solar_rise * 2 * sun
        )
        power = self.power + duty * heater_power
        if power:
            self._spend(power * HOURS)
            if power > self.peak:
                self.peak = power
        dusk_or_dawn, first = False, self.home.n_channels
        if int(10 * new) != int(10 * indoor):
            self.reading(first, int(10 * new) / 10)
        for channel, value in news:
            self.reading(first + channel, value)
            if channel == SUN:
                dusk_or_dawn = (value < DARK) != (self.sun < DARK)
                self.sun = value
        self._sense()
        self.feel_climate(dusk_or_dawn)

    @property
    def duty(self) -> float:
        """Share of its power at which the heating runs; one that is not the home's keeps the normal temperature."""
        gap = self._thermal[0][self.states[self.heating] if self.heating != NONE else 1] - self.indoor
        return 0.0 if gap <= 0 else 1.0 if gap >= 0.5 else 2 * gap

    def _sense(self) -> None:
        """Reward for what presence sensors, devices and thermometer show to be wrong, which counts for ten minutes."""
        taken, minutes = self._taken, SLOT / 60
        if self.indoor < self._cool and (up := taken & self._up):
            self.earn("cold", (self._cool - self.indoor) * up.bit_count() * minutes)
        if empty := self._lit & ~taken:
            self.earn("lamps", empty.bit_count() * minutes)
        if self._tv != NONE and self.states[self._tv] and not taken >> self._tv_room & 1:
            self.earn("unwatched", minutes)
        if not taken and self._lock != NONE and not self.states[self._lock]:
            self.earn("unlocked", minutes)

    def _spend(self, kwh: float) -> None:
        self.kwh += kwh
        money = kwh * self.price
        self.utility_totals["energy"] += money
        self.earn("energy", money)

    def feel_climate(self, dusk_or_dawn: bool) -> None:
        """What people make of the climate."""

    def finish(self) -> None:
        self.accrue()

    def accrue(self) -> None:
        """Book discomfort up to now, for the state of the home since the last change."""
        now = self.now
        if now <= self._accrued:
            return
        minutes = (now - self._accrued) / 60
        self._accrued = now
        states, totals = self.states, self.utility_totals
        asleep, awake = 0, []  # how many sleep, and the rooms of those who do not
        for r in self.residents:
            room = r.room
            if room == AWAY:
                continue
            if r.asleep:
                asleep += 1
                if self._lit >> room & 1 and not any(o.room == room and not o.asleep for o in self.residents):
                    totals["asleep_light"] += minutes
            else:
                awake.append(room)
                if self.lacks_light(r):
                    totals["dark"] += minutes
        if empty := self._lit & ~self._taken:
            for _ in range(empty.bit_count()):
                totals["lamps"] += minutes
        if self._tv != NONE and states[self._tv] and self._tv_room not in awake:
            totals["unwatched"] += minutes
        if not awake:
            if self._lock != NONE and not states[self._lock]:
                totals["unlocked"] += minutes
            if asleep and self._music != NONE and states[self._music]:
                totals["asleep_music"] += minutes * asleep

    # -- what holds now -----------------------------------------------------------------------------------------------

    def dark(self, room: int, resident: Occupant | None = None) -> bool:
        if self.sun < DARK:
            return True
        blinds = self.home.blinds.get(room)
        return blinds is not None and bool(self.states[blinds]) and self.sun * 0.1 < DARK

    def lacks_light(self, resident: Occupant) -> bool:
        """Is nothing lit where somebody wants light?"""
        room = resident.room
        if self._lit >> room & 1:
            return False
        for lamp in self.home.lights[room]:  # noqa: SIM110 -- as below
            if 0 not in resident.wants.get(lamp, NO_MATTER):
                return True
        return False

    def lamps(self, room: int, state: int, person: int) -> tuple[tuple[int, int], ...]:
        """(light, state) that a person puts lights of a room into who wants it dark (0), dim (1) or bright (2): all, to
        have it dark; else one that burns, or the main one where it is to be bright, and for dim light one of the others
        that each has a liking for."""
        lights = self.home.lights[room]
        if not state:
            return tuple((light, 0) for light in lights)
        if not lights:
            return ()
        light = next(filter(self.states.__getitem__, lights), -1) if len(lights) > 1 else lights[0]
        if light < 0:
            light = lights[0] if state > 1 else lights[1 + person % (len(lights) - 1)]
        return ((light, state if self.home.devices[light].commands[state] else 2),)

    def bright(self, room: int, resident: Occupant) -> bool:
        return self.sun >= DARK

    def evening(self, room: int, resident: Occupant) -> bool:
        return not 6 <= self.now // HOUR % 24 < 17

    def something_loaded(self, room: int, resident: Occupant) -> bool:
        return bool(self.loaded)

    def last_up(self, room: int, resident: Occupant) -> bool:
        """Nobody else is at home and awake."""
        for r in self.residents:  # noqa: SIM110 -- as below
            if not r.asleep and r is not resident and r.room != AWAY:
                return False
        return True

    def sleeper_in(self, room: int) -> bool:
        for r in self.residents:  # noqa: SIM110 -- half the time of `any`, and asked often
            if r.asleep and r.room == room:
                return True
        return False

    def notice(self, *rooms: int) -> None:
        """Presence sensors of rooms that somebody has entered or left."""
        taken = [r.room for r in self.residents]
        for room in rooms:
            channel = self.home.presence + room
            if room >= 0 and self.row.context[channel] != (room in taken):
                self.reading(channel, float(room in taken))
                self._taken ^= 1 << room

    def others_in(self, room: int, resident: Occupant) -> bool:
        for r in self.residents:  # noqa: SIM110 -- as above
            if r.room == room and r is not resident:
                return True
        return False

    # conditions of the tables of wants, by name; each is asked of a world, a room and the person in it
    conditions: ClassVar[dict[str, Callable[[House, int, Occupant], bool]]] = {
        "dark": dark,
        "bright": bright,
        "evening": evening,
        "loaded": something_loaded,
        "last": last_up,
    }

    # -- changes of devices -------------------------------------------------------------------------------------------

    def set(self, device: int, state: int) -> None:
        """Change a device's state, by whomever."""
        self.accrue()
        powers = self.home.powers[device]
        self.power += powers[state] - powers[self.states[device]]
        self.states[device] = state
        self.reading(device, state)
        if device < self._n_lights:  # lights are the first devices
            room = self.home.devices[device].room
            lit = state or any(self.states[light] for light in self.home.lights[room])
            self._lit = self._lit | 1 << room if lit else self._lit & ~(1 << room)
        if state and (kind := self.home.devices[device].kind.name) in RUNS:
            duration, kwh = RUNS[kind]
            self._spend(kwh)
            self._runs_until[device] = self.now + duration
            self.call_at(self.now + duration, self._run_down, device)
            if device in self.loaded:
                self.loaded.discard(device)
                self.reading(self.home.loaded[device], 0.0)
        self._refresh_mask(device)

    def _run_down(self, device: int) -> None:
        """A kettle cools, a machine has finished."""
        if self.now != self._runs_until[device]:
            return  # it was started again meanwhile
        self.machine_done(device)
        self.states[device] = self.shadow[device] = 0
        self.reading(device, 0)
        self._refresh_mask(device)

    def machine_done(self, device: int) -> None:
        """What people make of a machine that has run its course."""

    def load(self, name: str) -> None:
        """Put something into a dishwasher or washer."""
        for device in self.home.meant(name):
            if device not in self.loaded and not self.states[device]:
                self.loaded.add(device)
                self.reading(self.home.loaded[device], 1.0)
                self._refresh_mask(device)

    def release(self) -> None:
        for device in self._held:
            self._refresh_mask(device)
        self._held.clear()

    def _refresh_masks(self) -> None:
        for device in range(len(self.home.devices)):
            self._refresh_mask(device)

    def _refresh_mask(self, device: int) -> None:
        """Commands of a device that would change something."""
        if not self.automation:
            return
        home, mask, states = self.home, self.row.mask, self.states
        free = device not in home.loaded or device in self.loaded
        for state, action in home.commands[device]:
            mask[action] = free and state != states[device]
