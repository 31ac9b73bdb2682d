"""What agents do not see: the hidden state, and what will be wanted. For ceilings (informed, oracle) and diagnosis.

`latent` is the state that the generator's next draws depend on: what each resident does and since when, how she is
given to act in it, her needs and the mean times of her clock anchors. It holds no draw that the future has not yet shown: whether
she will be tidy this time is in `plan` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lam_env.core.units import DAY
from lam_env.sim.routine import Act

from .devices import ALL_LIGHTS, HERE, Home
from .house import AWAY
from .people.resident import ASLEEP, Item, Resident
from .people.wants import LEAVING, WANTS
from .world import HomeWorld

DOING = tuple(WANTS)
RECENT = ("toilet", "drink", "snack", "groom", "shower", "clean", "laundry")  # hours since she last did
ANCHORS = 12  # clock anchors of a resident that are shown, in the order of her tables
HORIZON = 3600  # [s] how far ahead `plan` looks at most
LIGHT_SAVED = 0.2  # a touch at the light also ends about 12 s in the dark


def latent_names(home: Home, residents: int) -> tuple[str, ...]:
    names = [f"due.{a}" for a in home.vocabulary.actions]
    for i in range(residents):
        names += [f"{i}.{n}" for n in (*DOING, "idle", "asleep", "away", "leaving", "elapsed", "hours", "to_come")]
        names += [f"{i}.in.{r}" for r in home.rooms]
        names += [f"{i}.since.{n}" for n in RECENT] + [f"{i}.anchor{k}" for k in range(ANCHORS)]
        names += [f"{i}.{n}" for n in ("like", "thrift", "tidiness", "tolerance", "pending")]
    return tuple(names)


def revealing(what: Sequence[str]) -> Callable[[HomeWorld], None]:
    """Writes `row.latent`, `row.plan` or both."""

    def both(world: HomeWorld) -> None:
        world.row.latent[:] = latent(world)
        world.row.plan[:] = plan(world)

    def only_latent(world: HomeWorld) -> None:
        world.row.latent[:] = latent(world)

    def only_plan(world: HomeWorld) -> None:
        world.row.plan[:] = plan(world)

    return both if len(set(what)) == 2 else only_plan if "plan" in what else only_latent


def latent(world: HomeWorld) -> list[float]:
    """The hidden state, in the order of `latent_names`."""
    values = [0.0] * len(world.vocabulary)
    for r in world.residents:
        for action, p in due(world, r):
            values[action] = max(values[action], p)
    for r in world.residents:
        values += _resident(world, r)
    return values


def _resident(world: HomeWorld, r: Resident) -> list[float]:
    now, home = world.now, world.home
    one = [0.0] * len(DOING)
    one[DOING.index(r.doing)] = 1.0
    elapsed = now - r.since
    one += [float(r.act.activity < 0), float(r.asleep), float(r.room == AWAY), float(r.leaving)]
    one += [math.log1p(elapsed), elapsed / 3600, float(bool(elapsed < 90))]
    one += [float(r.room == k) for k in range(len(home.rooms))]
    one += [math.log1p((now - r.last.get(n, now - DAY)) / 600) for n in RECENT]
    hour = now / 3600 % 24
    for k in range(ANCHORS):
        anchors = r.tables.anchors
        ahead = (anchors[k].hour - hour + 12) % 24 - 12 if k < len(anchors) else 0.0
        one.append(math.tanh(ahead / 2))
    pending = max((math.log1p(now - since) + 0.1 for _, _, since in r.later.values()), default=0.0)
    return [*one, r.like - 20.0, r.traits.thrift, r.traits.tidiness, r.traits.tolerance, pending]


def due(world: HomeWorld, r: Resident) -> list[tuple[int, float]]:
    """(action, her probability of it) for what her present act calls for and the home is not."""
    found: list[tuple[int, float]] = []
    if r.room == AWAY or r.act.activity < 0:
        return found
    devices = world.home.devices
    for key in (r.doing, r.also) if r.also else (r.doing,):
        for _, device, state, ok, holds, seek, _, p in r.rules[key]:
            if not seek or (holds and not holds(world, r.room, r)):
                continue
            targets = [world.home.lights[r.room]] if device == HERE else [device]
            if device == ALL_LIGHTS:
                targets = [x for x in world.home.lights if x != world.home.lights[r.room] or r.leaving]
                ok = (0,)
            for d in targets:
                if world.states[d] not in ok and (d not in world.home.loaded or d in world.loaded):
                    found.append((devices[d].commands[state], p))
    if r.left >= 0 and world.states[world.home.lights[r.left]] and not world.others_in(r.left, r):
        found.append((devices[world.home.lights[r.left]].commands[0], r.traits.tidiness))
    if r.before in LEAVING:
        d = world.home.by_name["tv" if r.before == "tv" else "music"]
        if world.states[d]:
            found.append((devices[d].commands[0], r.leaving_rules[r.before]))
    if world.states[world.home.by_name["heating"]] < r.level and world.indoor < r.like - 0.7 and not r.asleep:
        found.append((devices[world.home.by_name["heating"]].commands[r.level], 0.9))
    found += [(devices[item.device].commands[item.state], 1.0) for _, item, _ in r.later.values()]
    return found


def needs(world: HomeWorld, horizon: int = HORIZON) -> list[tuple[int, Item, Resident, bool]]:
    """(time, item, resident, certain) that residents will reach for, in order of time, up to the horizon [s].

    What is pending now is exact; later acts are read off the plan with their own coins, in the home as it is now.
    """
    now, found = world.now, []
    for r in world.residents:
        for k, item in enumerate(r.todo):
            found.append((max(now, r.reach_time) + 7 * k, item, r, True))
        found += [(time, item, r, True) for time, item, _ in r.later.values()]
        room = r.room
        before = r.doing
        for act in r.coming:
            if act.start > now + horizon:
                break
            if act.activity < 0 or act.start < now:
                continue
            doing = r.habits[act.activity]
            items, room = foresee(world, r, act, doing, before, room)
            found += [(act.start + 13 + 7 * k, item, r, False) for k, item in enumerate(items)]
            before = doing
    found.sort(key=lambda n: n[0])
    return found


def foresee(world: HomeWorld, r: Resident, act: Act, doing: str, before: str, room: int) -> tuple[list[Item], int]:
    """What she will see to when a coming act starts, in the home as it is now, and the room she will be in."""
    home, to, coins = world.home, r.rooms[doing], r.coins_of(act)
    items: list[Item] = []
    if room == AWAY and doing != "out":
        items.append(Item(home.by_name["lock"], 0, (0,)))
    if room >= 0 and room != to and not world.others_in(room, r):
        if before in LEAVING and coins[13] < r.leaving_rules[before]:
            items.append(Item(home.by_name["tv" if before == "tv" else "music"], 0, (0,)))
        if coins[14] < r.traits.tidiness:
            items.append(Item(home.lights[room], 0, (0,)))
    keys = ["return"] if room == AWAY else []
    keys += ["wake"] if before == ASLEEP != doing and r.coming[-1] is not act else []
    for key in (*keys, doing):
        for coin, device, state, ok, holds, seek, if_loaded, p in r.rules[key]:
            if not seek or (p < 1.0 and coins[coin] >= p):
                continue
            if holds and not holds(world, to, r):
                continue
            if device == HERE:
                items.append(Item(home.lights[to], state, ok))
            elif device == ALL_LIGHTS:
                items += [Item(light, 0, (0,)) for light in home.lights if doing == "out" or light != home.lights[to]]
            elif not if_loaded or device in world.loaded:
                items.append(Item(device, state, ok))
    heating = home.by_name["heating"]
    if doing not in (ASLEEP, "out") and world.indoor < r.like - 0.7:
        items.append(Item(heating, r.level, tuple(range(r.level, 3))))
    return items, AWAY if doing == "out" else to


def plan(world: HomeWorld) -> list[float]:
    """(2 A,): per action, the utility [touches] of doing it now, by what will be wanted of its device first (0: nothing);
    then the same without regard to harm, dislikes and what is forgotten."""
    home, now = world.home, world.now
    values, wanted = [0.0] * len(world.vocabulary), [0.0] * len(world.vocabulary)
    mask = world.row.mask
    seen: set[int] = set()
    for time, item, r, _ in needs(world):
        d = item.device
        if d in seen:
            continue
        seen.add(d)
        device = home.devices[d]
        action = device.commands[item.state]
        lead = time - now
        if not action or world.states[d] in item.ok or not mask[action] or lead > device.kind.patience:
            continue
        if world.shadow[d] in item.ok:
            continue
        value = device.kind.effort + (LIGHT_SAVED if device.kind.name == "light" and item.state else 0.0)
        wanted[action] = value
        if world.minds_at(action, time):
            value = -1.5 - device.kind.effort
        elif device.kind.name == "heating" and item.state:
            value += 0.06 * max(0.0, min(3.0, r.like - world.indoor)) * lead / 60 / 2
        value -= _harm(world, d, item.state, lead)
        values[action] = value
    _tidy_up(world, values, seen)
    return values + wanted


def _harm(world: HomeWorld, device: int, state: int, lead: int) -> float:
    """What it would cost somebody, from now until it is wanted."""
    kind, minutes, harm = world.home.devices[device].kind.name, lead / 60, 0.0
    for r in world.residents:
        ok = r.wants.get(device)
        if r.room == AWAY or ok is None or state in ok:
            continue
        if any(i.device == device and i.state == state for i in r.todo):
            continue
        if r.asleep:
            harm += 5.0 if state and kind in ("light", "music", "tv") else 0.0
        else:
            harm += 1.5 if minutes > 0.3 else 0.3
    if kind == "tv" and state:
        harm += 0.3 * minutes
    if kind == "lock" and not state:
        harm += 0.03 * minutes
    return harm


def _tidy_up(world: HomeWorld, values: list[float], seen: set[int]) -> None:
    """What is forgotten: nobody will reach for it, but it costs."""
    home, mask = world.home, world.row.mask
    present = [r for r in world.residents if r.room != AWAY]
    for room, lamp in enumerate(home.lights):
        off = home.devices[lamp].commands[0]
        if mask[off] and lamp not in seen and not any(r.room == room for r in present):
            values[off] = max(values[off], 0.3)
    tv, lock, heating = home.by_name["tv"], home.by_name["lock"], home.by_name["heating"]
    off = home.devices[tv].commands[0]
    tv_room = home.devices[tv].room
    if mask[off] and tv not in seen and not any(r.room == tv_room for r in present):
        values[off] = max(values[off], 1.0)
    close = home.devices[lock].commands[1]
    if mask[close] and lock not in seen and all(r.asleep for r in present):
        values[close] = max(values[close], 0.5)
    eco = home.devices[heating].commands[0]
    if mask[eco] and heating not in seen and not present:
        values[eco] = max(values[eco], 0.5)
