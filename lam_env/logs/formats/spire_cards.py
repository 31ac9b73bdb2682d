"""Card choices of Slay the Spire as `Choices`: which of the offered cards a player takes into the deck, or none.

The state is what the player could know: everything up to the choice, and of the room only the fight that came before
it. Gold and the most health are those of the floor before (some relics change them with a card that is taken).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lam_env.core.casts import narrow
from lam_env.core.events import LogError
from lam_env.core.files.inputs import BROKEN
from lam_env.logs.choices import Choices
from lam_env.logs.formats.slay_the_spire import NO_CARD, Run, base, read_runs

STARTERS = {  # the decks that the game hands out
    "IRONCLAD": {"Strike_R": 5, "Defend_R": 4, "Bash": 1},
    "THE_SILENT": {"Strike_G": 5, "Defend_G": 5, "Survivor": 1, "Neutralize": 1},
    "DEFECT": {"Strike_B": 4, "Defend_B": 4, "Zap": 1, "Dualcast": 1},
}
CURSED = 10  # ascension level from which the deck holds a curse
ACTS = (17, 34, 51)  # last floors of the acts
RARELY = 50  # choices in whose state a thing must occur to be told apart; 2 % of them where that is less
TRAITS = ("held", "held already", "held twice", "upgraded", "others upgraded")
ROOMS = {"monster": ("M",), "elite": ("E",), "boss": ("B", "BOSS")}


class DeckState:
    """What a run's player holds, as it changes."""

    def __init__(self, run: Run):
        self.run = run
        self.deck = Counter(STARTERS.get(run["character_chosen"], {}))
        if int(run.get("ascension_level") or 0) >= CURSED:
            self.deck["AscendersBane"] += 1
        self.relics: set[str] = set()
        self.upgraded: Counter[str] = Counter()
        self.made = self.skipped = 0
        self.last = -1.0  # floor of the choice before

    def change(self, kind: str, what: str) -> None:
        if kind == "relic":
            self.relics.add(str(what))
        elif kind == "upgrade":
            self.upgraded[base(what)] += 1
        else:
            self.deck[base(what)] += 1 if kind == "gain" else -1

    def numbers(self, floor: float, offered: int) -> dict[str, float]:
        """The state as numbers of about unit scale."""
        run, here = self.run, int(floor)
        before = max(0, here - 2)
        health, most, gold = (_at(run, f"{name}_per_floor", before) for name in ("current_hp", "max_hp", "gold"))
        fights = {int(f["floor"]): f for f in run.get("damage_taken") or []}
        fight = fights.get(here, {})
        rooms = run["path_per_floor"]
        room = rooms[here - 1] if 0 < here <= len(rooms) else None
        cards = +self.deck
        act = sum(here > last for last in ACTS)
        basic = {kind: sum(cards[f"{kind}_{c}"] for c in "RGB") for kind in ("Strike", "Defend")}
        starter = STARTERS.get(run["character_chosen"], {})
        size = sum(cards.values())
        scaled = {"one": 1.0} | {f"is {c}": float(run["character_chosen"] == c) for c in STARTERS}
        scaled |= {"floor": here / 25 - 1, "floor^2": (here / 25 - 1) ** 2, "first floors": float(here < 3)}
        scaled |= {f"act {k + 1}": float(act == k) for k in range(3)} | {"floor in act": (here - 1) % 17 / 17}
        scaled |= {"deck": (size - 18) / 6, "deck^2": ((size - 18) / 6) ** 2}
        scaled |= {"added": (size - sum(starter.values()) - 4) / 6}
        scaled |= {"health": health / max(1.0, most) - 0.6, "most health": most / 80 - 1, "gold": gold / 200 - 0.5}
        scaled |= {name: float(room in symbols) for name, symbols in ROOMS.items()}
        scaled |= {"damage": float(fight.get("damage", 0)) / 20 - 0.5, "turns": float(fight.get("turns", 0)) / 5 - 1}
        scaled |= {"second here": float(floor == self.last), "offered": offered - 4.0}
        scaled |= {"strikes": (basic["Strike"] - 3) / 2, "defends": (basic["Defend"] - 3) / 2}
        scaled |= {"relics": len(self.relics) / 8 - 1, "skipped": self.skipped / 3 - 1, "made": self.made / 8 - 1}
        scaled |= {"upgrades": sum(self.upgraded.values()) / 3 - 1}
        scaled |= {"ascension": int(run.get("ascension_level") or 0) / 20 - 1}
        return scaled


def card_choices(path: str | Path) -> tuple[Choices, dict[str, int]]:
    """A file of runs -> the card choices of all runs, in order of time, and what was left out."""
    runs, left_out = read_runs(path)
    offers, chosen, group, numbers, bags, traits = [], [], [], [], [], []
    for index, run in enumerate(runs):
        try:
            for state, floor, cards, taken in _walk(run):
                if not cards:
                    left_out["choice(s) without a card on offer"] += 1
                    continue
                offers.append(["none", *cards])
                chosen.append(1 + cards.index(taken) if taken else 0)
                group.append(index)
                numbers.append(state.numbers(floor, len(cards) + 1))
                bags.append({**+state.deck, **{f"relic {name}": 1 for name in state.relics}})
                traits.append([_traits(state, card) for card in offers[-1]])
        except BROKEN as error:
            raise LogError(f"{Path(path).name}, run {index + 1} in time: not a run history ({error!r:.80})") from None
    if not offers:
        raise LogError(f"{Path(path).name}: holds no card choice; give runs that got beyond the first fight")
    often = Counter(name for bag in bags for name in bag)
    things = sorted(name for name, count in often.items() if count >= min(RARELY, len(bags) / 50))
    options = ("none", *sorted({base(card) for offer in offers for card in offer[1:]}))
    column, n, k = {name: i for i, name in enumerate(options)}, len(offers), max(map(len, offers))
    offered, features = np.full((n, k), -1), np.zeros((n, k, len(TRAITS)), np.float32)
    for i, (offer, of_options) in enumerate(zip(offers, traits, strict=True)):
        offered[i, : len(offer)] = [column[base(card)] for card in offer]
        features[i, : len(offer)] = of_options
    held = np.array([[bag.get(name, 0) for name in things] for bag in bags], np.float32).reshape(n, len(things))
    context = narrow(
        f"{Path(path).name}: a number of a run", [list(row.values()) for row in numbers], np.float32, LogError
    )
    names = (options, tuple(numbers[0]), tuple(things), TRAITS)
    return Choices(*names, offered, np.array(chosen), np.array(group), context, held, features), dict(left_out)


CHOICES = {"slay_the_spire": card_choices}


def _walk(run: Run) -> Iterator[tuple[DeckState, float, list[str], str | None]]:
    """(state before the choice, floor, cards on offer, card taken or None) of each card choice."""
    changes: list[tuple[float, int, str, str | Run]] = [(c["floor"], 1, "choice", c) for c in run["card_choices"]]
    for kind, floors, items in (
        ("gain", "item_purchase_floors", "items_purchased"),
        ("lose", "items_purged_floors", "items_purged"),
    ):
        changes += [(f, 0, kind, i) for f, i in zip(run.get(floors) or [], run.get(items) or [], strict=False)]
    for fire in run["campfire_choices"]:
        done = {"SMITH": "upgrade", "PURGE": "lose"}.get(fire["key"])
        if done and "data" in fire:
            changes.append((fire["floor"], 0, done, fire["data"]))
    for event in run["event_choices"]:  # an event may hand out the card that was chosen: it comes after the choice
        changes += [(event["floor"], 2, "gain", c) for c in event.get("cards_obtained") or []]
        for what in ("cards_removed", "cards_transformed"):
            changes += [(event["floor"], 2, "lose", c) for c in event.get(what) or []]
    changes += [(r["floor"], 2, "relic", r["key"]) for r in run.get("relics_obtained") or []]
    bosses = zip(run.get("boss_relics") or [], ACTS, strict=False)
    changes += [(f, 2, "relic", r["picked"]) for r, f in bosses if r.get("picked") not in (None, "SKIP")]
    state = DeckState(run)
    for floor, _, kind, item in sorted(changes, key=lambda change: change[:2]):
        if not isinstance(item, dict):
            state.change(kind, item)
            continue
        taken = None if item["picked"] in NO_CARD else str(item["picked"])
        cards = sorted({str(c) for c in (item["picked"], *item["not_picked"]) if c not in NO_CARD})
        yield state, floor, cards, taken
        state.made, state.last = state.made + 1, floor
        if taken is None:
            state.skipped += 1
        else:
            state.change("gain", taken)


def _traits(state: DeckState, card: str) -> list[float]:
    if card == "none":
        return [0.0] * len(TRAITS)
    n = max(0, state.deck[base(card)])
    return [np.log1p(n), n > 0, n > 1, "+" in card, state.upgraded[base(card)] > 0]


def _at(run: Run, name: str, index: int) -> float:
    values = run.get(name) or [0]
    return float(values[min(index, len(values) - 1)])
