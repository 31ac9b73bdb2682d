"""The world of a smart home: devices, climate, residents, and what they make of the agent's acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lam_env.rng import Streams
from lam_env.sim.rows import Row
from lam_env.sim.world import World

from .climate import DARK, SLOT, Climate
from .devices import FEEDBACK, ITEMS, build_home, initial_states, possible
from .params import REWARD_WEIGHTS, UTILITY_WEIGHTS, HomeParams
from .resident import ALL_LIGHTS, AWAY, HERE, Item, Resident
from .wants import DISLIKES

ACCEPT, OVERRIDE, REJECT, RATING, SWITCH_OFF, NUISANCE = range(len(FEEDBACK))
BLAME = 3 * 3600  # [s]
HOURS = SLOT / 3600
HOT = 600  # [s] that boiled water stays hot
RUNS = {"dishwasher": (7200, 1.0), "washer": (5400, 0.8), "kettle": (HOT, 0.1)}  # [s], [kWh]
REST = {"lock": 1}  # states in which nothing is wasted, where that is not 0
NEUTRAL = ("alarm", "blinds")  # never a waste


@dataclass
class AgentAct:
    """An effective act of the agent that nobody has answered yet."""

    id: int
    action: int
    device: int
    state: int
    before: int
    time: int


class HomeWorld(World):
    """One home with its residents.

    `shadow` holds, per device, the state it would have if the agent had done nothing: an assist is counted only
    where she would have had to reach for the device without the agent, so undoing and redoing earns nothing.
    """

    def __init__(
        self,
        params: HomeParams,
        streams: Streams,
        row: Row,
        people: list[tuple[str, Any, Any]],
        *,
        start: int,
        record: bool,
        reward_weights: dict[str, float] | None = None,
        reveal: Any = None,
    ):
        home = build_home(params.rooms)
        super().__init__(
            streams,
            row,
            home.vocabulary,
            start=start,
            end=start + params.days * 86_400,
            timer=params.timer,
            reward_weights=reward_weights or REWARD_WEIGHTS,
            utility_weights=UTILITY_WEIGHTS,
            record=record,
        )
        self.params, self.home = params, home
        self._device_index = {d.name: d.index for d in home.devices} | {"*.light": HERE, "ALL.light": ALL_LIGHTS}
        self.item_sensors = {name: len(home.rooms) + 1 + i for i, name in enumerate(ITEMS)}
        self.states = initial_states(home)
        self.power = 0.0  # [kW] of what is on, heating aside
        self._powers = home.powers
        self.shadow = list(self.states)
        self.loaded: set[int] = set()
        self.agent_acts_on: list[AgentAct | None] = [None] * len(home.devices)
        self.last_agent_act: list[AgentAct | None] = [None] * len(home.devices)
        self.automation, self.switch_offs = True, 0
        self.counts = dict.fromkeys(
            ("manual", "assists", "overrides", "rejections", "nuisances", "woken", "light_on", "first_good"), 0
        )
        self.kwh, self.peak, self.cold_hours = 0.0, 0.0, 0.0
        self.indoor = params.setpoints[0] + 0.5
        self.climate = Climate(params, streams)
        self.next_tick = start // SLOT * SLOT + SLOT
        self._accrued = start
        self._held: list[int] = []
        self._heating = home.by_name["heating"]
        self._tv_room = home.devices[home.by_name["tv"]].room
        dislikes = streams("home", "dislikes")
        self._dislikes = [
            (pattern, a, b) for i, (pattern, a, b, p) in enumerate(DISLIKES) if dislikes.uniform(i) < p * params.dislikes
        ]
        self._minds = {a: self._windows(name) for a, name in enumerate(home.vocabulary.actions)}
        self._ratings = streams("home", "ratings")
        self.residents = [Resident(self, i, *person, streams) for i, person in enumerate(people)]
        self._first_readings()
        row.mask[:] = possible(home, self.states, self.loaded)
        for resident in self.residents:
            self.env.process(resident.behave(self))
        self.reveal = reveal
        if reveal:
            reveal(self)

    def _windows(self, action: str) -> tuple[tuple[int, int], ...]:
        """Hours of day in which this household does not want a machine to do an action."""
        device, _, state = action.rpartition(".")
        kind = device.rpartition(".")[2]
        names = {action, f"*.{kind}.{state}", f"*.{kind}.*", f"{kind}.*"}
        return tuple((a, b) for pattern, a, b in self._dislikes if pattern in names)

    def minds(self, action: int) -> bool:
        """Does the household dislike that a machine does this now?"""
        return self.minds_at(action, self.now)

    def minds_at(self, action: int, time: int) -> bool:
        hour = time // 3600 % 24
        return any(a <= hour < b for a, b in self._minds[action])

    # -- time --------------------------------------------------------------------------------------------------------

    def release(self) -> None:
        for device in self._held:
            self._refresh_mask(device)
        self._held.clear()

    def _first_readings(self) -> None:
        for device, state in enumerate(self.states):
            self.reading(device, state)
        for channel in self.home.loaded.values():
            self.reading(channel, 0.0)
        self.reading(self.home.n_channels + 5, 1.0)
        climate, first = self.climate, self.home.n_channels
        climate.load(self.now // 86_400)
        slot = self.now % 86_400 // SLOT
        self.price = climate.slots[slot][2]
        self.sun = climate.shown[slot][1]
        self.reading(first, round(self.indoor, 1))
        for i, value in enumerate(climate.shown[slot]):
            self.reading(first + 1 + i, value)

    def advance(self) -> None:
        """Ten minutes of climate and heating.

        RC model: dT/dt = (T_out - T) / RC + rise * duty + solar gain; the thermostat is proportional within half a kelvin.
        """
        p, climate, first, grid = self.params, self.climate, self.home.n_channels, self.now
        self.next_tick += SLOT
        slot = grid % 86_400 // SLOT
        if not slot:
            climate.load(grid // 86_400)
        outdoor, sun, self.price = climate.slots[slot]
        indoor = self.indoor
        gap = p.setpoints[self.states[self._heating]] - indoor
        duty = 0.0 if gap <= 0 else 1.0 if gap >= 0.5 else 2 * gap
        new = indoor + HOURS * ((outdoor - indoor) / p.time_constant + p.heater_rise * duty + p.solar_rise * 2 * sun)
        self.indoor = new
        power = self.power + duty * p.heater_power
        if power:
            self._spend(power * HOURS)
            if power > self.peak:
                self.peak = power
        if int(10 * new) != int(10 * indoor):
            self.reading(first, int(10 * new) / 10)
        was = self.sun
        for channel, value in climate.news[slot]:
            self.reading(first + 1 + channel, value)
            if channel == 1:
                self.sun = value
        self._feel_climate((was < DARK) != (self.sun < DARK))

    def _spend(self, kwh: float) -> None:
        self.kwh += kwh
        money = kwh * self.price
        self.utility_totals["energy"] += money
        self.earn("energy", money)

    def _feel_climate(self, dusk_or_dawn: bool) -> None:
        indoor = self.indoor
        for r in self.residents:
            if r.room == AWAY or r.asleep:
                continue
            off = r.like - 0.5 - indoor
            if off <= 0:
                off = indoor - r.like - 1.5
            if off > 0:
                self.utility_totals["cold"] += off * SLOT / 60
                self.cold_hours += off * SLOT / 3600
                if off > 0.5 and not r.leaving:
                    self._warm_or_cool(r)
            if dusk_or_dawn and not r.leaving and r.act.activity >= 0 and self.dark(r.room):
                light = self.home.lights[r.room]
                if light not in r.wants:
                    item = Item(light, 2, (1, 2))
                    r.wants[light] = item.ok
                    if not self.states[light] and not self.sleeper_in(r.room):
                        r.see_to(self, item, 1 + r.delay(62, 60.0, 0.8))

    def _warm_or_cool(self, r: Resident) -> None:
        """She goes to the thermostat, in a while."""
        level = self.states[self._heating]
        if self.indoor < r.like:
            target, ok = r.level, tuple(range(r.level, 3))
        else:
            target, ok = max(level - 1, 0), tuple(range(max(level, 1)))
        if level not in ok:
            low, high = self.params.heat_delay
            r.see_to(self, Item(self._heating, target, ok), int(low + (high - low) * r.coin(15)))

    def finish(self) -> None:
        self.accrue()

    def accrue(self) -> None:
        """Book discomfort up to now, for the state of the home since the last change."""
        minutes = (self.now - self._accrued) / 60
        if minutes <= 0:
            return
        self._accrued = self.now
        states, totals, home = self.states, self.utility_totals, self.home
        watched = awake_home = False
        asleep = 0
        for r in self.residents:
            room = r.room
            if room == AWAY:
                continue
            light = states[room]  # lights are the first devices, one a room
            if r.asleep:
                asleep += 1
                if light and not any(o.room == room and not o.asleep for o in self.residents):
                    totals["asleep_light"] += minutes
            else:
                awake_home = True
                if room == self._tv_room:
                    watched = True
                if not light and 0 not in r.wants.get(room, (0,)):
                    totals["dark"] += minutes
        if not watched and states[home.by_name["tv"]]:
            totals["unwatched"] += minutes
        if not awake_home:
            if not states[home.by_name["lock"]]:
                totals["unlocked"] += minutes
            if asleep and states[home.by_name["music"]]:
                totals["asleep_music"] += minutes * asleep

    # -- state of the home -------------------------------------------------------------------------------------------

    def dark(self, room: int) -> bool:
        blinds = self.home.blinds.get(room)
        return self.sun * (0.1 if blinds is not None and self.states[blinds] else 1.0) < DARK

    def condition(self, when: str, room: int, resident: Resident) -> bool:
        if when == "dark":
            return self.dark(room)
        if when == "bright":
            return self.sun >= DARK
        if when == "evening":
            return not 6 <= self.now // 3600 % 24 < 17
        if when == "loaded":
            return bool(self.loaded)
        return not any(r is not resident and r.room != AWAY and not r.asleep for r in self.residents)  # last

    def device(self, name: str) -> int:
        """Index of a device; HERE and ALL_LIGHTS for its names in the tables of wants."""
        return self._device_index[name]

    def sleeper_in(self, room: int) -> bool:
        return any(r.asleep and r.room == room for r in self.residents)

    def others_in(self, room: int, resident: Resident) -> bool:
        return any(r is not resident and r.room == room for r in self.residents)

    def set(self, device: int, state: int) -> None:
        """Change a device's state, by whomever."""
        self.accrue()
        kind = self.home.devices[device].kind.name
        powers = self._powers[device]
        self.power += powers[state] - powers[self.states[device]]
        self.states[device] = state
        self.reading(device, state)
        if state and kind in RUNS:
            duration, kwh = RUNS[kind]
            self._spend(kwh)
            self.call_at(self.now + duration, self._run_down, device)
            if device in self.loaded:
                self.loaded.discard(device)
                self.reading(self.home.loaded[device], 0.0)
        self._refresh_mask(device)

    def _run_down(self, event: Any) -> None:
        """A kettle cools, a machine has finished."""
        device = event.value
        self.states[device] = self.shadow[device] = 0
        self.reading(device, 0)
        self._refresh_mask(device)

    def load(self, name: str) -> None:
        device = self._device_index[name]
        if device not in self.loaded and not self.states[device]:
            self.loaded.add(device)
            self.reading(self.home.loaded[device], 1.0)
            self._refresh_mask(device)

    def _refresh_mask(self, device: int) -> None:
        if not self.automation:
            return
        state, mask = self.states[device], self.row.mask
        free = device not in self.home.loaded or device in self.loaded
        for s, action in enumerate(self.home.devices[device].commands):
            if action:
                mask[action] = s != state and free

    # -- coming and going -------------------------------------------------------------------------------------------

    def arrive(self, resident: Resident) -> None:
        """She comes home: unlocks, opens the door, goes where she wants to be."""
        resident.todo = [Item(self.home.by_name["lock"], 0, (0,))]
        resident.reach_at(self.now + 1)
        self.call_at(self.now + 15, self._come_in, (resident, resident.generation))

    def _come_in(self, event: Any) -> None:
        resident, generation = event.value
        if generation == resident.generation:
            self._pass_door(resident, self.home.room("hall"))
            self.call_at(self.now + 5, self._settle, (resident, generation))

    def _settle(self, event: Any) -> None:
        resident, generation = event.value
        if generation == resident.generation:
            self.accrue()
            resident.asleep = resident.doing == "sleep"
            resident.enter(self, "return", "return")

    def depart(self, event: Any) -> None:
        resident, generation = event.value
        if generation == resident.generation:
            self._pass_door(resident, AWAY)

    def _pass_door(self, resident: Resident, room: int) -> None:
        self.accrue()
        resident.room = room
        self.sensor_event(len(self.home.rooms), resident.index)

    # -- what residents do to devices -----------------------------------------------------------------------------

    def attend(self, resident: Resident, item: Item) -> tuple[()] | tuple[Item] | None:
        """She reaches for a device. None: nothing to do, nothing seen; else a token was raised, and the item comes back
        where she has to reach again."""
        device, state, ok = item
        if self.states[device] not in ok:
            if state and device in self.home.loaded and device not in self.loaded:
                return None
            self.touch(resident, device, state, ok)
            return ()
        act = self.agent_acts_on[device]
        if act is None or self.shadow[device] in ok:
            return None
        if self.minds(act.action) and act.before not in ok:
            self._reject(resident, act)
            return (item,)
        self._assist(resident, act)
        return None

    def touch(self, resident: Resident, device: int, state: int, ok: tuple[int, ...]) -> None:
        """She does it by hand: a correction of the agent, or something that it might have done."""
        kind = self.home.devices[device].kind
        action = self.home.devices[device].commands[state]
        broken = self.last_agent_act[device]
        self.utility_totals["touch"] += kind.effort
        self.counts["manual"] += 1
        answers = -1
        if broken is not None and self.shadow[device] in ok:
            answers = broken.id
            self.counts["overrides"] += 1
            self.utility_totals["override"] += 1
            self.earn("override")
            self.feedback_event(resident.index, OVERRIDE, broken.action, broken.id, -1.0, False)
            self._feel(resident, "override", broken)
        else:
            self.earn("miss")
        self.agent_acts_on[device] = self.last_agent_act[device] = None
        self.shadow[device] = state
        self.set(device, state)
        if kind.name == "light" and state:
            self.counts["light_on"] += 1
        self.user_event(resident.index, action, answers)

    def _assist(self, resident: Resident, act: AgentAct) -> None:
        self.counts["assists"] += 1
        self.shadow[act.device] = act.state
        self.agent_acts_on[act.device] = self.last_agent_act[act.device] = None
        self.earn("assist")
        self.feedback_event(resident.index, ACCEPT, act.action, act.id, 1.0, True)
        self._feel(resident, "assist", act)

    def _reject(self, resident: Resident, act: AgentAct) -> None:
        """Right, but not by a machine: she puts it back, and will do it herself."""
        self.counts["rejections"] += 1
        self.counts["manual"] += 1
        self.utility_totals["touch"] += self.home.devices[act.device].kind.effort
        self.utility_totals["rejection"] += 1
        self.earn("rejection")
        self.feedback_event(resident.index, REJECT, act.action, act.id, -1.0, False)
        self.agent_acts_on[act.device] = self.last_agent_act[act.device] = None
        self.set(act.device, act.before)
        undo = self.home.devices[act.device].commands[act.before]
        self._feel(resident, "rejection", act)
        self.user_event(resident.index, undo or act.action, act.id)

    # -- what residents make of the agent ------------------------------------------------------------------------

    def act(self, action: int) -> None:
        device, state = self.home.device_of[action], self.home.state_of[action]
        done = AgentAct(self.agent_acts, action, device, state, self.states[device], self.now)
        self.agent_acts_on[device] = self.last_agent_act[device] = done
        self.set(device, state)
        for command in self.home.devices[device].commands:  # one act per device per instant
            if command:
                self.row.mask[command] = 0
        self._held.append(device)
        kind = self.home.devices[device].kind
        self.call_at(self.now + kind.patience, self._expire, done)
        for r in self.residents:
            if r.room == AWAY or kind.name == "heating":
                continue  # heating is felt, not seen: `_feel_climate`
            ok = r.wants.get(device)
            if ok is None or state in ok:
                continue
            if r.asleep:
                wakes = (kind.name == "light" and device == self.home.lights[r.room]) or kind.name in ("music", "tv")
                if not wakes or not state:
                    continue
                self.counts["woken"] += 1
                self.utility_totals["woken"] += 1
            wait = 1 + r.delay(32 + device, self.params.override_delay * (1 + r.habituation) * r.traits.tolerance, 0.5)
            self.call_at(self.now + wait, self._override, (r, done))

    def _override(self, event: Any) -> None:
        resident, act = event.value
        ok = resident.wants.get(act.device)
        if resident.room == AWAY or ok is None or self.states[act.device] != act.state or act.state in ok:
            return
        if self.last_agent_act[act.device] is act:
            self.shadow[act.device] = ok[0]
            self.touch(resident, act.device, ok[0], ok)

    def _expire(self, event: Any) -> None:
        """Its patience is over and nobody had use for it."""
        act: AgentAct = event.value
        if self.agent_acts_on[act.device] is not act:
            return
        self.agent_acts_on[act.device] = None
        kind = self.home.devices[act.device].kind.name
        unwelcome = any(
            r.room != AWAY and act.state not in r.wants.get(act.device, (act.state,)) for r in self.residents
        )
        if kind == "heating":  # it is felt later: what follows is put down to the agent for some hours more
            self.call_at(self.now + BLAME, self._forget, act)
        else:
            self._forget(event)
        if unwelcome or kind in NEUTRAL or act.state == REST.get(kind, 0):
            return
        self.counts["nuisances"] += 1
        self.earn("nuisance")
        self.feedback_event(0, NUISANCE, act.action, act.id, -0.05, None)
        for r in self.residents:
            if r.room != AWAY and not r.asleep:
                self._feel(r, "nuisance", act)

    def _forget(self, event: Any) -> None:
        """The state of the device is now nobody's doing."""
        act: AgentAct = event.value
        if self.last_agent_act[act.device] is act:
            self.last_agent_act[act.device] = None
            self.shadow[act.device] = self.states[act.device]

    def _feel(self, resident: Resident, what: str, act: AgentAct) -> None:
        resident.feel(what)
        if what != "nuisance":
            u = self._ratings.uniform(act.time * 64 + act.device)
            if u < resident.traits.talkativeness:
                u /= resident.traits.talkativeness
                wrong = u < self.params.rating_noise
                value = 1.0 if (what == "assist") != wrong else -1.0
                self.call_at(self.now + 1 + int(u * self.params.rating_delay), self._rate, (resident, act, value))
        if resident.trust < resident.trust_params.threshold and self.automation:
            self._switch_off(resident)

    def _rate(self, event: Any) -> None:
        resident, act, value = event.value
        self.earn("rating", value)
        self.feedback_event(resident.index, RATING, act.action, act.id, value, None)

    def _switch_off(self, resident: Resident) -> None:
        self.automation = False
        self.switch_offs += 1
        self.earn("switched_off")
        self.feedback_event(resident.index, SWITCH_OFF, 0, -1, -5.0, None)
        self.row.mask[1:] = 0
        self.reading(self.home.n_channels + 5, 0.0)
        if self.switch_offs < resident.trust_params.give_up:
            self.call_at(self.now + resident.trust_params.off_time, self._switch_on)

    def _switch_on(self, event: Any) -> None:
        self.automation = True
        self.row.mask[:] = possible(self.home, self.states, self.loaded)
        self.reading(self.home.n_channels + 5, 1.0)
        for r in self.residents:
            r.trust = max(r.trust, r.trust_params.restart)
