"""A resident: lives by a routine, puts the home in order for what they do, and answers what the agent did."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lam_env.core.behaviour_tables import BehaviourTables
from lam_env.core.rng import Packed, Streams, lognormal, packed
from lam_env.core.shared import Fixed
from lam_env.core.units import DAY, HOUR
from lam_env.sim.routine import Act
from lam_env.sim.user import Habits, User

from ..climate import SLOT
from ..devices import ALL_LIGHTS, HERE, NONE
from ..house import AWAY, House
from .dislikes import WINDOWS
from .outings import routine_of
from .personas import PersonaTraits
from .wants import ITEMS, LOADS, PLACES, RESTLESS, WANTS, Item, Rules, leaving_rules_of, meaning, rules_of

AHEAD = 6  # acts of the plan that a resident looks ahead (seen by the oracle alone)
ASLEEP = "sleep"
COINS = 2048  # draws for the choices of a day: 16 for each of 128 acts


class Later(NamedTuple):
    """Something to see to besides what the act began with."""

    time: int  # [s] when
    item: Item
    since: int  # [s] when it became so


# What comes of reaching for a device. None: nothing to do, nothing seen; else a token was raised, and the item comes
# back where it has to be reached for again.
Attend = Callable[["Resident", Item], tuple[()] | tuple[Item] | None]


class Resident(User):
    """One person of a home.

    The plan of activities is a function of chance alone; only what is touched depends on the home and so on the agent.
    `wants` maps devices to the states that are right for what the resident is doing now.
    """

    __slots__ = (
        *("persona", "tables", "traits", "routine", "habits", "rules", "leaving_rules", "rooms", "like"),
        *("level", "coming", "act", "doing", "since", "room", "asleep", "leaving", "wants", "todo", "later"),
        *("generation", "also", "before", "left", "last", "reach_time", "coins", "chances", "_coins", "_delays"),
        *("_drawn", "_acts", "_chances", "_world", "_attend", "_plan", "trust_params", "trust", "habituation"),
    )

    def __init__(
        self,
        world: House,
        attend: Attend,
        index: int,
        name: str,
        tables: BehaviourTables,
        traits: PersonaTraits,
        streams: Streams,
    ):
        super().__init__(index)
        actor = f"resident{index}"
        self.trust_params = world.params.trust
        if world.params.households == "differ":
            self.trust_params = self.trust_params.own(streams(actor, "trust"))
        self.trust, self.habituation = self.trust_params.start, 0.0
        self.routine = routine_of(tables, name, streams, actor)
        tables = self.routine.tables
        self.persona, self.tables, self.traits = name, tables, traits
        self.habits = [meaning(a) for a in tables.activities]
        self._coins, self._delays = streams(actor, "coins"), streams(actor, "delays")
        self._drawn: dict[int, Packed] = {}
        tastes = streams(actor, "tastes")
        self.rules = rules_of(world, traits, tastes)
        self.leaving_rules = leaving_rules_of(world, traits, tastes)
        home = world.home
        bedroom = "bedroom" if index < 2 else "nursery"
        rooms = {k: home.room(r, "bathroom" if r == "laundry" else "living") for k, (r, _) in WANTS.items()}
        rooms |= {act: home.devices[d].room for act, kind in PLACES.items() if (d := home.only(kind)) != NONE}
        self.rooms = Fixed(rooms | dict.fromkeys(("sleep", "dress", "wake"), home.room(bedroom, "bedroom")))
        self.like = traits.comfort_setpoint
        self.level = 2 if self.like >= 21.0 else 1  # of heating that is liked
        self._plan: Iterator[Act] | None = None  # begins when the world does
        self.coming: deque[Act] = deque()
        self.act = Act(world.start, world.start, -1, 0, world.start // DAY)
        self._acts, self._chances = -1, packed(np.zeros(0))
        self.coins, self.chances = self.coins_of(self.act), self.chances_of(self.act)
        self.doing = ASLEEP
        self.since = world.start  # of `doing`
        self.room = self.rooms["sleep"]
        self.asleep = True
        self.wants: dict[int, tuple[int, ...]] = {}
        self.todo: list[Item] = []
        self.later: dict[int, Later] = {}  # by device
        self.generation = 0
        self.leaving = False
        self.reach_time = world.start  # [s] of the reach for the first item of todo
        self.also, self.before, self.left = "", "", -1  # further wants; the act before; the room just left
        self.last: dict[str, int] = {}  # activity -> when it was last over [s]
        self._world, self._attend = world, attend

    # -- habits -------------------------------------------------------------------------------------------------------

    def behave(self, world: House) -> Habits:
        """The acts of the plan, one after the other."""
        self._look_ahead()
        while True:
            yield self.coming[0].start
            self._look_ahead()
            self.begin(world, self.coming.popleft())

    def _look_ahead(self) -> None:
        if self._plan is None:
            self._plan = self.routine.acts(self._world.start)
        while len(self.coming) <= AHEAD:
            self.coming.append(next(self._plan))

    def begin(self, world: House, act: Act) -> None:
        """Start the next act of the plan."""
        world.accrue()
        before = self.doing
        self.act, self.since = act, act.start
        self.coins, self.chances = self.coins_of(act), self.chances_of(act)
        if act.activity < 0:  # a pause: the resident stays there, and finishes what was still to be seen to
            self.asleep = False
            return
        self.generation += 1
        self.todo = []
        self.later.clear()
        doing = self.habits[act.activity]
        self.last[before] = act.start
        self.doing, self.before, self.also, self.left = doing, before, "", -1
        if before in LOADS and before != doing:
            device, p = LOADS[before]
            if self.coins[15] < p:
                world.load(device)
        if doing == "laundry":
            world.load("washer")
        self.leaving = False
        if self.room == AWAY:
            if doing != "out":
                self._arrive(world)
            return
        self.asleep = doing == ASLEEP
        self.leaving = doing == "out"
        self.enter(world, before, "wake" if before == ASLEEP != doing and not self._sleeps_next() else "")

    def _sleeps_next(self) -> bool:
        """Back to bed after this act?"""
        return next((self.habits[a.activity] == ASLEEP for a in self.coming if a.activity >= 0), False)

    def enter(self, world: House, before: str, also: str) -> None:
        """Go to where the act takes place and list what has to be seen to. `also`: wants of waking or returning."""
        room, old = self.rooms[self.doing], self.room
        self.room, self.also, self.left = room, also, old if old != room else -1
        if old != room:
            world.notice(old, room)
        self.wants = {}
        todo: list[Item] = []
        if old != room and old >= 0:
            self._leave(world, old, before, todo)
        if also:
            self._want(world, also, todo)
        self._want(world, self.doing, todo)
        if not self.asleep and not self.leaving:
            self._want_warmth(world, todo)
        self.todo = todo
        now, doing = world.now, self.doing
        if todo or self.leaving:
            self.reach_at(now + 1 + self.delay(63, world.params.reaction, world.params.reaction_sd))
        if doing in ITEMS:
            world.call_at(now + 2 + int(4 * self.coins[12]), self._use, self.generation)
        if doing in RESTLESS:
            self._stir_later(world, 0)
        if old != room:
            world.sensor_event(room, self.index)
        elif before == ASLEEP != doing:
            world.sensor_event(world.item_sensors["bed"], self.index)

    def _use(self, generation: int) -> None:
        """Sitting down, opening the fridge, ...: the sensor of what is used fires."""
        if generation == self.generation:
            self._world.sensor_event(self._world.item_sensors[ITEMS[self.doing]], self.index)

    def _stir_later(self, world: House, count: int) -> None:
        u = self.chances[40 + count % 20]
        time = world.now + int(60 * RESTLESS[self.doing] * (0.3 + 1.4 * u))
        if time < self.act.end:
            world.call_at(time, self._stir, (self.generation, count))

    def _stir(self, when: tuple[int, int]) -> None:
        """Moving about in the room: the motion sensor fires."""
        generation, count = when
        if generation == self.generation and self.room >= 0:
            self._world.sensor_event(self.room, self.index)
            self._stir_later(self._world, count + 1)

    def _leave(self, world: House, room: int, before: str, todo: list[Item]) -> None:
        if world.sleeper_in(room):
            self._darken(world, room, todo)
            return
        if world.others_in(room, self):
            return
        if self.coins[13] < self.leaving_rules.get(before, 0.0):
            self._add(world, world.home.only(before), 0, (0,), todo)
        if self.coins[14] < self.traits.tidiness:
            self._darken(world, room, todo)

    def _darken(self, world: House, room: int, todo: list[Item]) -> None:
        for light in world.home.lights[room]:
            self._add(world, light, 0, (0,), todo)

    def rules_at(self, time: int) -> Rules:
        """Those of the window of the day."""
        return self.rules[time % DAY * WINDOWS // DAY]

    def _want(self, world: House, key: str, todo: list[Item]) -> None:
        room, coins = self.room, self.coins
        for rule in self.rules_at(world.now)[key]:
            coin, device, state, ok, holds, seek, if_loaded, p = rule
            if p < 1.0 and coins[coin] >= p:
                continue
            if holds and not holds(world, room, self):
                continue
            if device >= 0:
                if if_loaded and device not in world.loaded:
                    continue
                self.wants[device] = ok
                if seek:
                    self._add(world, device, state, ok, todo)
            elif device == ALL_LIGHTS or not (state and world.sleeper_in(room)):  # whom light would wake
                for item in rule.items(world, room, self.index, self.leaving):
                    if device == HERE:
                        self.wants[item.device] = ok
                    if seek:
                        self._add(world, *item, todo)

    def _want_warmth(self, world: House, todo: list[Item]) -> None:
        device = world.heating
        if device == NONE:
            return
        self.wants[device] = (1, 2) if self.level == 1 else (2,)
        if world.indoor < self.like - 0.7:
            self._add(world, device, self.level, self.wants[device], todo)

    def _add(self, world: House, device: int, state: int, ok: tuple[int, ...], todo: list[Item]) -> None:
        """Something to see to, if it is not right, or right only because the agent has just made it so."""
        if world.states[device] not in ok or (
            world.agent_acts_on[device] is not None and world.shadow[device] not in ok
        ):
            todo.append(Item(device, state, ok))
        elif world.shadow[device] not in ok:
            world.shadow[device] = state  # without the agent the resident would now have put it right

    # -- coming and going ---------------------------------------------------------------------------------------------

    def _arrive(self, world: House) -> None:
        """Coming home: unlock, open the door, go where the act takes place."""
        lock = world.home.only("lock")
        self.todo = [] if lock == NONE else [Item(lock, 0, (0,))]
        self.reach_at(world.now + 1)
        world.call_at(world.now + 15, self._come_in, self.generation)

    def _come_in(self, generation: int) -> None:
        if generation == self.generation:
            self._pass_door(self._world.home.room("hall"))
            self._world.call_at(self._world.now + 5, self._settle, generation)

    def _settle(self, generation: int) -> None:
        if generation == self.generation:
            self._world.accrue()
            self.asleep = self.doing == ASLEEP
            self.enter(self._world, "return", "return")

    def _depart(self, generation: int) -> None:
        if generation == self.generation:
            self._pass_door(AWAY)

    def _pass_door(self, room: int) -> None:
        world = self._world
        world.accrue()
        old, self.room = self.room, room
        world.notice(old, room)
        world.sensor_event(len(world.home.rooms), self.index)

    # -- chance -------------------------------------------------------------------------------------------------------

    def coins_of(self, act: Act) -> array[float]:
        """(16,) uniform numbers for the choices of an act: 0-9 wants, 10-12 wants of waking and returning, 13 and 14
        what is left behind, 15 the rest."""
        day, first = act.day, act.ordinal * 16 % COINS
        if day not in self._drawn:
            self._drawn = {d: coins for d, coins in self._drawn.items() if d >= self.act.day}
            self._drawn[day] = packed(self._coins.block(day * COINS, COINS))
        return self._drawn[day][first : first + 16]

    def chances_of(self, act: Act) -> array[float]:
        """(64,) uniform numbers for the reactions of an act; drawn for 32 acts at once."""
        acts = (act.day << 4) + (act.ordinal >> 5)
        if acts != self._acts:
            self._acts, self._chances = acts, packed(self._delays.block(acts << 11, 1 << 11))
        first = (act.ordinal & 31) << 6
        return self._chances[first : first + 64]

    def delay(self, slot: int, median: float, sd: float) -> int:
        """A reaction time [s] of this act; `slot`: a device, 32 more for an override, 40 to 59 also stirring, 62 dusk,
        63 the first reach."""
        return int(lognormal(self.chances[slot], median, sd))

    # -- touching and answering ---------------------------------------------------------------------------------------

    def reach_at(self, time: int) -> None:
        self.reach_time = time
        self._world.call_at(time, self.reach, self.generation)

    def reach(self, generation: int) -> None:
        """See to the next item; one SimPy event, at most one touch."""
        if generation != self.generation:
            return
        world = self._world
        todo = self.todo
        while todo:
            again = self._attend(self, todo.pop(0))
            if again is None:
                continue
            if again:
                todo.insert(0, again[0])
            break
        if todo:
            wait = 1 + self.delay(todo[0].device, world.params.burst_gap, world.params.burst_sd)
            self.reach_at(world.now + wait)
        elif self.leaving:
            world.call_at(world.now + 5, self._depart, self.generation)

    def feel(self, what: str) -> None:
        """Trust after an assist, an override, a rejection or a nuisance."""
        params = self.trust_params
        self.trust = min(1.0, max(0.0, self.trust + getattr(params, what)))
        if what == "assist":
            self.habituation = min(0.5, self.habituation + params.habituation)

    def feel_climate(self, world: House, dusk_or_dawn: bool) -> None:
        """It is too cold or too warm, or has got dark or light."""
        off = self.like - 0.5 - world.indoor
        if off <= 0:
            off = world.indoor - self.like - 1.5
        if off > 0 and world.heating != NONE:
            world.utility_totals["cold"] += off * SLOT / 60
            world.cold_hours += off * SLOT / HOUR
            if off > 0.5 and not self.leaving:
                self._warm_or_cool(world)
        if dusk_or_dawn and not self.leaving and self.act.activity >= 0 and world.dark(self.room):
            if any(light in self.wants for light in world.home.lights[self.room]):
                return
            for light, level in world.lamps(self.room, 2, self.index):
                world.accrue()
                item = Item(light, level, (1, 2))
                self.wants[light] = item.ok
                if not world.states[light] and not world.sleeper_in(self.room):
                    self._see_to(world, item, 1 + self.delay(62, 60.0, 0.8))

    def _warm_or_cool(self, world: House) -> None:
        """Go to the thermostat, in a while."""
        level = world.states[world.heating]
        if world.indoor < self.like:
            target, ok = self.level, tuple(range(self.level, 3))
        else:
            target, ok = max(level - 1, 0), tuple(range(max(level, 1)))
        if level not in ok:
            low, high = world.params.heat_delay
            self._see_to(world, Item(world.heating, target, ok), int(low + (high - low) * self.coins[15]))

    def _see_to(self, world: House, item: Item, wait: int) -> None:
        """Something new to see to while an act goes on (dusk, cold)."""
        world.accrue()
        self.wants[item.device] = item.ok
        if item.device not in self.later:
            self._see_at(world.now + wait, item)

    def _see_at(self, time: int, item: Item) -> None:
        self.later[item.device] = Later(time, item, self._world.now)
        self._world.call_at(time, self._see, (self.generation, item))

    def _see(self, what: tuple[int, Item]) -> None:
        generation, item = what
        if generation != self.generation:
            return
        del self.later[item.device]
        if self._attend(self, item):  # put back what a machine did, now by hand
            self._see_at(self._world.now + 7, item)
