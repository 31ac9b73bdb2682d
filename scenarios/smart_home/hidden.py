"""What agents do not see: the hidden state, and what will be wanted. For `informed`, oracles and diagnosis.

`latent` is the state that the generator's next draws depend on: what each resident does and since when, how they tend
to act in it, their needs and the mean times of their clock anchors; and what the household now does not want a machine
to do. It holds no draw that the future has not yet shown:
whether somebody will be tidy this time is in `plan` alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.sim.routine import Act
from lam_env.sim.world import write_hidden

from .devices import NONE, Home
from .house import AWAY
from .people.resident import ASLEEP, Resident
from .people.wants import WANTS, Item
from .world import HomeWorld

DOING = tuple(WANTS)
RECENT = ("toilet", "drink", "snack", "groom", "shower", "clean", "laundry")  # log time since
ANCHORS = 12  # clock anchors of a resident that are shown, in the order of the tables
HORIZON = HOUR  # [s] how far ahead `plan` looks at most
LIGHT_SAVED = 0.2  # a touch at the light also ends about 12 s in the dark


def latent_names(home: Home, residents: int) -> tuple[str, ...]:
    names = [f"{n}.{a}" for n in ("due", "disliked") for a in home.vocabulary.actions]
    for i in range(residents):
        names += [f"{i}.{n}" for n in (*DOING, "idle", "asleep", "away", "leaving", "elapsed", "hours", "to_come")]
        names += [f"{i}.in.{r}" for r in home.rooms]
        names += [f"{i}.since.{n}" for n in RECENT] + [f"{i}.anchor{k}" for k in range(ANCHORS)]
        names += [f"{i}.{n}" for n in ("like", "thrift", "tidiness", "tolerance", "pending")]
    return tuple(names)


def revealing(what: Sequence[str]) -> Callable[[HomeWorld], None]:
    """Writes `row.latent`, `row.plan` or both."""
    return partial(write_hidden, tuple(what), latent, plan)


def latent(world: HomeWorld) -> list[float]:
    """The hidden state, in the order of `latent_names`."""
    values = [0.0] * len(world.vocabulary)
    for r in world.residents:
        for action, p in due(world, r):
            values[action] = max(values[action], p)
    values += map(float, world.disliked())
    for r in world.residents:
        values += _resident(world, r)
    return values


def _resident(world: HomeWorld, r: Resident) -> list[float]:
    now, home = world.now, world.home
    one = [0.0] * len(DOING)
    one[DOING.index(r.doing)] = 1.0
    elapsed = now - r.since
    one += [float(r.act.activity < 0), float(r.asleep), float(r.room == AWAY), float(r.leaving)]
    one += [math.log1p(elapsed), elapsed / HOUR, float(elapsed < 90)]
    one += [float(r.room == k) for k in range(len(home.rooms))]
    one += [math.log1p((now - r.last.get(n, now - DAY)) / 600) for n in RECENT]
    hours = [anchor.hour for anchor in r.tables.anchors[:ANCHORS]]
    one += [math.tanh(((hour - now / HOUR % 24 + 12) % 24 - 12) / 2) for hour in hours]
    one += [0.0] * (ANCHORS - len(hours))
    pending = max((math.log1p(now - later.since) + 0.1 for later in r.later.values()), default=0.0)
    return [*one, r.like - 20.0, r.traits.thrift, r.traits.tidiness, r.traits.tolerance, pending]


def due(world: HomeWorld, r: Resident) -> list[tuple[int, float]]:
    """(action, a resident's probability of it) for what the present act calls for and the home is not."""
    if r.room == AWAY or r.act.activity < 0:
        return []
    chances: list[tuple[Item, float]] = []
    rules = r.rules_at(world.now)
    for key in (r.doing, r.also) if r.also else (r.doing,):
        for rule in rules[key]:
            if not rule.seek or (rule.holds and not rule.holds(world, r.room, r)):
                continue
            for item in rule.items(world, r.room, r.index, r.leaving):
                d = item.device
                if world.states[d] not in item.ok and (d not in world.home.loaded or d in world.loaded):
                    chances.append((item, rule.p))
    for light in world.home.lights[r.left] if r.left >= 0 and not world.others_in(r.left, r) else ():
        if world.states[light]:
            chances.append((Item(light, 0, (0,)), r.traits.tidiness))
    if r.before in r.leaving_rules and world.states[world.home.only(r.before)]:
        chances.append((Item(world.home.only(r.before), 0, (0,)), r.leaving_rules[r.before]))
    if _cold(world, r) and world.states[world.heating] < r.level and not r.asleep:
        chances.append((Item(world.heating, r.level, ()), 0.9))
    chances += [(later.item, 1.0) for later in r.later.values()]
    return [(world.home.devices[item.device].commands[item.state], p) for item, p in chances]


def _cold(world: HomeWorld, r: Resident) -> bool:
    """Would they turn the heating up?"""
    return world.heating != NONE and world.indoor < r.like - 0.7


def needs(world: HomeWorld) -> list[tuple[int, Item, Resident]]:
    """(time [s], item, resident) that residents will reach for, in order of time, up to the horizon.

    What is pending now is exact; later acts are read off the plan with their own coins, in the home as it is now.
    """
    now, reaches = world.now, []
    for r in world.residents:
        reaches += [(max(now, r.reach_time) + 7 * k, item, r) for k, item in enumerate(r.todo)]
        reaches += [(later.time, later.item, r) for later in r.later.values()]
        room, before = r.room, r.doing
        for act in r.coming:
            if act.start > now + HORIZON:
                break
            if act.activity < 0 or act.start < now:
                continue
            doing = r.habits[act.activity]
            items, room = foresee(world, r, act, doing, before, room)
            reaches += [(act.start + 13 + 7 * k, item, r) for k, item in enumerate(items)]
            before = doing
    return sorted(reaches, key=lambda reach: reach[0])


def foresee(world: HomeWorld, r: Resident, act: Act, doing: str, before: str, room: int) -> tuple[list[Item], int]:
    """What is seen to when a coming act starts, in the home as it is now, and the room that the resident is then in."""
    home, to, coins = world.home, r.rooms[doing], r.coins_of(act)
    items: list[Item] = []
    if room == AWAY and doing != "out" and (lock := home.only("lock")) != NONE:
        items.append(Item(lock, 0, (0,)))
    if room >= 0 and room != to and not world.others_in(room, r):
        if coins[13] < r.leaving_rules.get(before, 0.0):
            items.append(Item(home.only(before), 0, (0,)))
        if coins[14] < r.traits.tidiness:
            items += [Item(light, 0, (0,)) for light in home.lights[room]]
    keys = ["return"] if room == AWAY else []
    keys += ["wake"] if before == ASLEEP != doing and r.coming[-1] is not act else []
    for key in (*keys, doing):
        for rule in r.rules_at(act.start)[key]:
            if not rule.seek or (rule.p < 1.0 and coins[rule.coin] >= rule.p):
                continue
            if rule.holds and not rule.holds(world, to, r):
                continue
            if not rule.if_loaded or rule.device in world.loaded:
                items += rule.items(world, to, r.index, doing == "out")
    if doing not in (ASLEEP, "out") and _cold(world, r):
        items.append(Item(world.heating, r.level, tuple(range(r.level, 3))))
    return items, AWAY if doing == "out" else to


def plan(world: HomeWorld) -> list[float]:
    """(2 A,): per action, the utility [touches] of doing it now, by what will be wanted of its device first (0:
    nothing); then the same without regard to harm, dislikes and what is forgotten."""
    home, now = world.home, world.now
    values, wishes = [0.0] * len(world.vocabulary), [0.0] * len(world.vocabulary)
    mask = world.row.mask
    reached: set[int] = set()
    for time, item, r in needs(world):
        d = item.device
        if d in reached:
            continue
        reached.add(d)
        kind = home.devices[d].kind
        action = home.devices[d].commands[item.state]
        lead = time - now
        if not action or world.states[d] in item.ok or not mask[action] or lead > kind.patience:
            continue
        if world.shadow[d] in item.ok:
            continue
        value = kind.effort + (LIGHT_SAVED if kind.name == "light" and item.state else 0.0)
        wishes[action] = value
        if world.minds_at(action, time):
            value = -1.5 - kind.effort
        elif kind.name == "heating" and item.state:
            value += 0.06 * max(0.0, min(3.0, r.like - world.indoor)) * lead / MINUTE / 2
        values[action] = value - _harm(world, d, item.state, lead / MINUTE)
    _tidy_up(world, values, reached)
    return values + wishes


def _harm(world: HomeWorld, device: int, state: int, minutes: float) -> float:
    """What it would cost somebody, in the `minutes` from now until it is wanted."""
    kind, harm = world.home.devices[device].kind.name, 0.0
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


def _tidy_up(world: HomeWorld, values: list[float], reached: set[int]) -> None:
    """What is forgotten: nobody will reach for it, but it costs."""
    home, mask = world.home, world.row.mask
    present = [r for r in world.residents if r.room != AWAY]
    taken = {r.room for r in present}
    tv, lock = home.only("tv"), home.only("lock")
    forgotten = [(lamp, 0, 0.3) for room, lamps in enumerate(home.lights) if room not in taken for lamp in lamps]
    forgotten += [(tv, 0, 1.0)] if tv != NONE and home.devices[tv].room not in taken else []
    forgotten += [(lock, 1, 0.5)] if all(r.asleep for r in present) else []
    forgotten += [(world.heating, 0, 0.5)] if not present else []
    for device, state, value in forgotten:
        if device == NONE:
            continue
        action = home.devices[device].commands[state]
        if mask[action] and device not in reached:
            values[action] = max(values[action], value)
