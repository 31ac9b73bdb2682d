"""Run histories of the game Slay the Spire: what its player did, floor by floor. JSONL, gzipped or not.

A run is a stream (`world`), and runs are numbered in order of time. A run file tells the order of what was done, not
when: the first event bears the time at which the run began, each further one a second more. Floors count from 1; what
was chosen before (at floor 0) and what lies beyond the recorded path are left out. Runs say their local time; where one
does not, `zone` tells it, or UTC.

`slay_the_spire` has 27 actions (a card taken, a rest, a room entered, ...); `slay_the_spire_fine` names cards, relics,
items and events.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lam_env.core.events import ActionLog, LogError
from lam_env.core.files.inputs import BROKEN, reason
from lam_env.core.units import DAY
from lam_env.logs.coverage import sound_rows
from lam_env.logs.input.records import existing, objects
from lam_env.logs.local_time import (
    EPOCH,
    LAST,
    LEAST_NUMBER,
    SECOND,
    UNIVERSAL,
    Clocks,
    check_no_dates,
    local_times,
    microseconds,
)
from lam_env.logs.streams import RecordedStream, log_of_streams

Run = dict[str, Any]  # JSON
NEEDED = (
    *("character_chosen", "path_per_floor", "path_taken", "card_choices", "campfire_choices", "event_choices"),
    *("timestamp", "victory"),
)
NO_CARD = ("SKIP", "Singing Bowl")  # the bowl gives health in place of a card
SHOPS = {"items_purchased": "item_purchase_floors", "items_purged": "items_purged_floors"}
IGNORED = ("ignored", "leave", "skipped")  # events of which nothing was taken
LONGEST = 7 * DAY  # [s] of play; more is a damaged number


def load(path: str, *, zone: str | None = None, fine: bool = False) -> tuple[ActionLog, dict[str, int]]:
    """A file of runs -> their log and what was left out. The log tells what kind of thing was done, and `fine` the
    names of cards, relics, items and events."""
    name = Path(path).name
    runs, left_out = read_runs(path)
    foreign = [i for i, run in enumerate(runs) if not run.get("local_time")]
    if zone is not None and not foreign:
        raise LogError(f"{name}: all runs say their local time, so zone={zone[:40]} says nothing; leave it away")
    at = [began(run) for run in runs]
    if foreign:
        clocks = Clocks(np.array([microseconds(at[i])[0] for i in foreign]), np.full(len(foreign), UNIVERSAL))
        local = local_times(clocks, zone or "UTC", lambda i: f"{name}, run {foreign[i] + 1} in time")
        for i, wall in zip(foreign, local.wall.tolist(), strict=True):
            at[i] = EPOCH + datetime.timedelta(microseconds=wall)
    streams = []
    for run, when in zip(runs, at, strict=True):
        names, skipped = run_events(run, fine)
        left_out += skipped
        streams.append(RecordedStream(when, np.arange(len(names)), tuple(names)))
    told = {f"run(s) without a local time, read in {zone or 'UTC'}": len(foreign)}
    return log_of_streams(streams, name, told=told), dict(left_out)


load_fine = partial(load, fine=True)
FORMATS = {"slay_the_spire": load, "slay_the_spire_fine": load_fine}


def read_runs(path: str | Path) -> tuple[list[Run], Counter[str]]:
    """The runs of a file in order of time, each with the fields `NEEDED`, and what was left out."""
    path = existing(path, "file of runs")
    runs, left_out = list[Run](), Counter[str]()
    for number, record in objects(path, left_out, "run"):
        run: Run = record
        where = f"{path.name}, line {number}"
        if missing := [name for name in NEEDED if name not in run]:
            raise LogError(f"{where}: no field {', '.join(missing)}; is this a run history of Slay the Spire?")
        try:
            began(run)
            run_events(run, fine=True)
        except BROKEN as error:
            why = f"{type(error).__name__}: {reason(error, 80)}"
            raise LogError(f"{where}: not a run history ({why}); remove the line") from None
        runs.append(run)
    if not runs:
        raise LogError(f"{path.name}: the file is empty; it needs one run a line")
    ended = np.array([int(float(run["timestamp"])) for run in runs])
    check_no_dates(ended, lambda _: path.name)
    code: dict[str, int] = {}  # of each different run
    same = [code.setdefault(json.dumps(run, sort_keys=True), len(code)) for run in runs]
    shown = np.array([microseconds(began(run))[0] // SECOND for run in runs])
    keep, reasons = sound_rows([ended, shown], np.array(same))  # the two clocks of a run
    left_out += Counter({why.replace("row(s)", "run(s)"): count for why, count in reasons.items()})
    kept = [runs[i] for i in np.flatnonzero(keep).tolist()]
    return sorted(kept, key=lambda run: float(run["timestamp"])), left_out


def began(run: Run) -> datetime.datetime:
    """Time at which a run began: local, or UTC where the file does not say its local time."""
    length, stamp = float(run.get("playtime") or 0), float(run["timestamp"])
    if not 0 <= length <= LONGEST:
        raise ValueError(f"a playtime of {length:g} s")
    if not LEAST_NUMBER <= stamp < LAST:
        raise ValueError(f"a timestamp of {stamp:g}, not in seconds since 1970")
    if text := run.get("local_time"):
        end = datetime.datetime.strptime(str(text), "%Y%m%d%H%M%S")
    else:
        end = datetime.datetime.fromtimestamp(stamp, datetime.UTC).replace(tzinfo=None)
    return end - datetime.timedelta(seconds=round(length))


def base(card: str) -> str:
    """A card without its upgrades: "Bash+1" -> "Bash"."""
    return str(card).partition("+")[0]


def run_events(run: Run, fine: bool) -> tuple[list[str], Counter[str]]:
    """The actions of a run in order, and what of it was left out."""
    here: dict[int, list[str]] = defaultdict(list)
    for floor, name in _on_floors(run, fine):
        here[int(floor)].append(name)
    neow = f"NEOW_{run.get('neow_bonus') or 'NONE'}" if fine else "NEOW"
    actions = [f"CHAR_{run['character_chosen']}", neow]
    left_out = Counter[str]()
    taken, relics = iter(run["path_taken"]), iter(run.get("boss_relics") or [])
    for floor, room in enumerate(run["path_per_floor"], 1):
        if room is None:  # between two acts: a boss relic is offered after the first and the second
            if (offer := next(relics, None)) is not None:
                actions.append(_boss_relic(offer, fine))
        elif (symbol := next(taken, None)) is not None:
            actions.append(f"PATH_{symbol}")
        else:
            left_out["room(s) without a symbol"] += 1
        actions += here.pop(floor, [])
    left_out["symbol(s) without a room"] += len(list(taken))
    left_out["boss relic(s) without an act that ends"] += len(list(relics))
    for what, floors in SHOPS.items():
        bought, where = (len(run.get(name) or []) for name in (what, floors))
        left_out[f"item(s) of {what} without a floor"] += max(0, bought - where)
        left_out[f"floor(s) of {floors} without an item"] += max(0, where - bought)
    if before := len(here.pop(0, [])):
        left_out["choice(s) before the first floor"] += before
    if beyond := sum(map(len, here.values())):
        left_out["event(s) beyond the recorded path"] += beyond
    return [*actions, "WIN" if run["victory"] else "DEATH"], +left_out


def _on_floors(run: Run, fine: bool) -> Iterator[tuple[float, str]]:
    """(floor, action): on a floor cards come first, then fire, event, shop, potions."""
    for choice in run["card_choices"]:
        card = choice["picked"]
        if card in NO_CARD:
            yield choice["floor"], "CARD_SKIP"
        else:
            yield choice["floor"], f"CARD_{base(card)}" if fine else "CARD_TAKE"
    for fire in run["campfire_choices"]:
        data = f":{base(fire['data'])}" if fine and "data" in fire else ""
        yield fire["floor"], f"CAMP_{fire['key']}{data}"
    for event in run["event_choices"]:
        answer = str(event["player_choice"])
        if fine:
            yield event["floor"], f"EVENT_{event['event_name']}:{answer}"
        else:
            yield event["floor"], "EVENT_IGNORE" if answer.lower() in IGNORED else "EVENT_TAKE"
    bought = run.get("items_purchased") or []
    for floor, item in zip(run.get("item_purchase_floors") or [], bought, strict=False):
        yield floor, f"BUY_{base(item)}" if fine else "BUY"
    for floor, card in zip(run.get("items_purged_floors") or [], run.get("items_purged") or [], strict=False):
        yield floor, f"PURGE_{base(card)}" if fine else "PURGE"
    for floor in run.get("potions_floor_usage") or []:
        yield floor, "POTION"


def _boss_relic(offer: dict[str, object], fine: bool) -> str:
    relic = offer.get("picked")
    if relic in (None, "SKIP"):
        return "BOSSRELIC_SKIP"
    return f"BOSSRELIC_{relic}" if fine else "BOSSRELIC_TAKE"
