"""The people: tastes, habits, memories, calm revision, and what they make of advice. One row of each array a traveller.

They are arrays and not objects because a day's costs of all options for everybody are one calculation. Every draw is a
function of (purpose, day, traveller), so the same people meet every agent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtri

from lam_env.core.rng import Streams
from lam_env.core.shared import Shared
from lam_env.sim.user import ASKED, Habits, User

from ..params import TrafficParams
from ..roads.supply import Supply
from ..units import MINUTE
from .choice import NestedLogit, inertia, sample_choice
from .compliance import compliance
from .profile import Profile

ORDINARY, SPECIAL, WEEKEND = range(3)  # kinds of day, each with a habit of its own
MOST = 25.0  # [min] beyond which a gain says no more
TOGETHER = 4096  # numbers drawn at once, for as many days as they last: few cost hardly less than many
CONTENT = 0.2  # of the probability of choosing anew is left to those who have nothing to complain of
AHEAD = (5.0, 95.0)  # [min] when they decide, before anybody can depart


@dataclass(frozen=True, eq=False)
class Drawn(Shared):
    """Numbers (days, N) of some days from `first` on."""

    first: int
    numbers: np.ndarray


_NONE = Drawn(0, np.zeros((0, 0)))


@lru_cache(maxsize=16)
def _choice(supply: Supply, params: TrafficParams) -> tuple[NestedLogit, np.ndarray]:
    return NestedLogit(supply.options, params.nests), inertia(supply.options, params.inertia)


# where they stand in their day
ASLEEP, WAITING, DECIDING, READY, UNDER_WAY = range(5)


class Region(Protocol):
    """The world as `Travellers.behave` sees it. Each of these puts the travellers into the place in which they are
    next, with the time `until` which they stay there."""

    def wake_up(self) -> None: ...
    def ask_next(self) -> None: ...
    def choose(self, action: int) -> None: ...
    def set_off(self) -> None: ...
    def look_back(self) -> None: ...


class Travellers(User):
    """N people; the first `n_advised` may be advised. O options; times in minutes after the reference."""

    def __init__(self, params: TrafficParams, supply: Supply, streams: Streams, beliefs: tuple[Profile, Profile]):
        """`beliefs`: what they think at first of working days and weekends."""
        super().__init__(0)
        self.place, self.until = ASLEEP, 0  # until when [ms], but where the agent's word is awaited
        n = params.travellers
        self.params, self.supply, self.streams, self.n = params, supply, streams, n
        self._drawn: dict[str, Drawn] = {}
        self.n_advised = round(params.advised * n)
        self.each = np.arange(n)

        def draw(name: str) -> np.ndarray:
            return streams("travellers", name).block(0, n)

        # what they are
        upto = np.cumsum(supply.share)[:-1]
        self.pair = np.searchsorted(upto, draw("places"), side="right")  # (N,) index of the pair of places
        self.has_car = (draw("car") < params.car) | (not supply.is_bus.any())  # (N,) bool
        # (N,) weekday, -1: none
        self.special_day = np.where(draw("has special") < params.special, (draw("weekday") * 5).astype(np.int64), -1)
        normal = params.spread * np.clip(ndtri(np.stack([draw("preferred"), draw("weekend")])), -2.5, 2.5)
        moved = np.where(draw("special") < 0.5, -1, 1) * (10 + 15 * draw("moved"))
        # (3, N) wanted arrival [min] by kind of day
        self.preferred = supply.preferred[self.pair] + np.stack([normal[0], normal[0] + moved, normal[1]])
        self.dislikes_bus = params.taste * ndtri(draw("taste"))  # (N,) [min]
        self.stubborn = 0.2 + 0.8 * draw("stubborn")  # (N,) 0..1
        self.jitter = params.slot * 0.95 * (draw("departure") - 0.5)  # (N,) [min] of departure within the slot
        self.lead = (params.slots + 1) / 2 * params.slot + AHEAD[0]  # [min] before the reference all have decided
        self.asks = self.lead + (AHEAD[1] - AHEAD[0]) * draw("asks")  # (N,) [min] before it they are asked

        self.compliance = compliance(params, supply, draw, n)

        # what they can do
        self.shift = supply.shift[supply.slot]  # (O,) departure [min]
        self.car_option = ~supply.is_bus[supply.way]  # (O,) bool
        self.possible = supply.offered[:, supply.way][self.pair]  # (N, O) bool
        self.possible &= ~(self.car_option & ~self.has_car[:, None])
        # (N, O) what an option costs whatever the day is like [min]
        self.against = np.where(self.car_option, 0.0, self.dislikes_bus[:, None])
        self.against[~self.possible] = np.inf

        # what they remember
        # (2, 2, N, O) [min] working days and weekends; of each, times and discomfort
        self.memory = np.stack([self.by_option(b.tables[:2]) for b in beliefs])
        self.time, self.extra = self.memory[:, 0], self.memory[:, 1]  # (2, N, O) views of it
        self.trust = self.compliance.trust.copy()  # (N,) 0..1
        self.rated = np.zeros(n)  # (N,) past ratings, -1..1
        self.muted_until = np.full(n, -1)  # (N,) day
        self.habit = np.zeros((3, n), np.int64)  # (3, N) option by kind of day
        self.streak = np.zeros((3, n))  # (3, N) how often the habit was kept
        self.left = np.full((3, n), -1)  # (3, N) the habit that was given up on advice, -1: none
        self.logit, self.inertia = _choice(supply, params)
        for kind in range(3):
            self.kind = np.full(n, kind)  # (N,) of today
            self.arrive = self.preferred[kind]  # (N,) wanted arrival of today [min]
            self.cost = self.costs(self.time[kind // 2], self.extra[kind // 2])  # (N, O) expected of today [min]
            self.habit[kind] = sample_choice(
                self.logit.probabilities(-params.theta * self.cost), streams("travellers", "first").block(kind * n, n)
            )
        self.goes, self.revises = np.zeros(n, bool), np.zeros(n, bool)  # (N,) who travels today, who chooses anew
        self.revising = np.zeros(n)  # (N,) probability of choosing anew
        self.natural = self.last = self.habit[0]  # (N,) options: today's without advice, and last time's

    def behave(self, world: Region) -> Habits:
        """Days: each of the advised is asked and decides, all set off, and in the evening they look back."""
        while True:
            if self.place == DECIDING:
                world.choose((yield ASKED))  # then somebody else is asked
            elif self.place == WAITING:
                yield self.until
                world.ask_next()
            elif self.place == READY:
                yield self.until
                world.set_off()
            elif self.place == UNDER_WAY:
                yield self.until
                world.look_back()
            else:
                yield self.until
                world.wake_up()

    def draws(self, purpose: str, day: int, make: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """(N,) uniform numbers of a day, or what `make` makes of them (always the same for a purpose)."""
        drawn = self._drawn.get(purpose, _NONE)
        if not drawn.first <= day < drawn.first + len(drawn.numbers):
            days = max(1, TOGETHER // self.n)
            numbers = self.streams("travellers", purpose).block(day * self.n, days * self.n).reshape(days, self.n)
            drawn = self._drawn[purpose] = Drawn(day, make(numbers) if make else numbers)
        of_day: np.ndarray = drawn.numbers[day - drawn.first]
        return of_day

    def __getstate__(self) -> dict[str, Any]:
        return {"index": self.index} | {k: v for k, v in vars(self).items() if k not in ("time", "extra")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.index = state.pop("index")
        vars(self).update(state)
        self.time, self.extra = self.memory[:, 0], self.memory[:, 1]  # a copy of a view is no view

    def _offsets(self, uniform: np.ndarray) -> np.ndarray:
        noise = (uniform - 0.5) * 0.05 * self.params.slot
        return np.asarray(np.rint((self.jitter + noise) * MINUTE), np.int64)

    def by_option(self, table: np.ndarray, who: slice | np.ndarray | None = None) -> np.ndarray:
        """(..., N, O) of a table (..., pairs, ways, slots), or of some of the N."""
        flat: np.ndarray = table[..., self.supply.way, self.supply.slot]
        return flat.take(self.pair if who is None else self.pair[who], -2)

    def costs(self, time: np.ndarray, extra: np.ndarray, who: slice | np.ndarray = slice(None)) -> np.ndarray:
        """(N, O) generalised cost [min] at times door to door and discomfort (N, O), infinite where not possible; or of
        some of the N."""
        p = self.params
        lag = self.shift + time
        lag += (self.jitter - self.arrive)[who, None]  # after the preferred arrival
        cost = p.alpha * time
        cost += extra
        late = p.gamma * lag
        lag *= -p.beta
        cost += np.maximum(late, lag, out=late)
        cost += self.against[who]
        return cost

    # -- a day --------------------------------------------------------------------------------------------------------

    def wake(self, day: int, closed: np.ndarray | None = None) -> None:
        """A new day: what kind it is for each, what they would do without advice. `closed`: (N, O) options that are not
        there today."""
        p, weekday = self.params, day % 7
        weekend = weekday >= 5
        self.kind = np.full(self.n, WEEKEND) if weekend else np.where(self.special_day == weekday, SPECIAL, ORDINARY)
        each = self.each
        self.arrive = self.preferred[self.kind, each]
        self.goes = self.draws("goes", day) < (p.leisure if weekend else 1 - p.home)
        self.cost = self.costs(self.time[int(weekend)], self.extra[int(weekend)])
        if closed is not None:
            self.cost = np.where(closed, np.inf, self.cost)
        self.last = self.habit[self.kind, each]
        self.offset = self.draws("late", day, self._offsets)  # [ms] after the slot's departure
        # who has little to complain of seldom thinks of something else (Simon 1955): near equilibrium there is calm
        with np.errstate(invalid="ignore"):
            of_habit = self.cost[each, self.last]
            best = np.ascontiguousarray(self.cost.T).min(0)  # thrice as fast as min(1)
            complaint = (of_habit - best) / p.bearable
        self.revising = p.revision * np.minimum(np.maximum(complaint, CONTENT), 1.0)
        self.revising[~np.isfinite(of_habit)] = 1.0
        self.revises = self.draws("revise", day) < self.revising
        who = np.flatnonzero(self.revises & self.goes)
        self.natural = self.last.copy()
        if len(who):
            self.natural[who] = sample_choice(self.chances(who), self.draws("choice", day)[who])

    def chances(self, who: np.ndarray) -> np.ndarray:
        """(len(who), O) probabilities of a choice made anew."""
        utility = self.cost.take(who, 0)
        utility *= -self.params.theta
        utility += self.inertia.take(self.last[who], 0)
        return self.logit.probabilities(utility)

    def strength(self, i: int) -> float:
        """Of the habit on this kind of day [0..1]: it has been kept for so long, by somebody so stubborn."""
        return self.stubborn.item(i) * (1 - math.exp(-self.streak.item(self.kind.item(i), i) / 5))

    def acceptance(self, i: int, natural: int) -> np.ndarray:
        """(O,) probability of following advice to each option by somebody who was about to take `natural`."""
        own = self.compliance
        with np.errstate(invalid="ignore"):  # of two options that a closure takes away
            gain = np.clip(self.cost[i, natural] - self.cost[i], -MOST, MOST)
        x = own.gain[i] * np.nan_to_num(gain, nan=0.0) + self._leaning(i) + own.willing[i, own.change[natural]]
        x[self.last[i]] += self.params.accept_last
        return np.where(self.possible[i], 1 / (1 + np.exp(-x)), 0.0)

    def accepts(self, i: int, option: int) -> float:
        """The same for one option, against the natural one."""
        own, natural = self.compliance, self.natural.item(i)
        gain = self.cost.item(i, natural) - self.cost.item(i, option)
        x = own.gain.item(i) * max(-MOST, min(MOST, gain)) + self._leaning(i)
        x += own.willing.item(i, own.change.item(natural, option))
        if option == self.last.item(i):
            x += self.params.accept_last
        return 1 / (1 + math.exp(-x))

    def _leaning(self, i: int) -> float:
        """Log-odds of following anything."""
        p, own = self.params, self.compliance
        x = p.accept + own.heed.item(i) * (self.trust.item(i) - 0.5) + p.accept_rated * self.rated.item(i)
        return x - own.habit.item(i) * self.strength(i) + (p.accept_form if p.form == "prescriptive" else 0.0)

    def costs_of(self, i: int, time: np.ndarray, extra: np.ndarray) -> np.ndarray:
        """(O,) generalised cost [min] of one traveller at times and discomfort (O,)."""
        p = self.params
        lag = self.shift + self.offset[i] / MINUTE + time - self.arrive[i]
        cost = p.alpha * time + extra + np.maximum(p.gamma * lag, -p.beta * lag)
        cost = cost + np.where(self.car_option, 0.0, self.dislikes_bus[i])
        return np.where(self.possible[i], cost, np.inf)

    def settle(
        self, day: int, chosen: np.ndarray, followed: np.ndarray, time: np.ndarray, extra: np.ndarray, today: Profile
    ) -> None:
        """In the evening: habits and memories. (N,) arrays: option taken, whether by advice, minutes and discomfort."""
        p, went = self.params, np.flatnonzero(self.goes)
        kind, weekend, took = self.kind[went], int(day % 7 >= 5), chosen[went]
        adopts = followed[went] & (self.draws("adopt", day)[went] < p.adopt)
        habit = np.where(adopts, took, self.natural[went])
        of_kind = kind * self.n + went  # a flat index is found faster than two
        habits, streaks = self.habit.reshape(-1), self.streak.reshape(-1)
        left = self.left.reshape(-1)
        instead = np.where(adopts, self.instead(went), np.where(habit == habits[of_kind], left[of_kind], -1))
        left[of_kind] = np.where(habit == instead, -1, instead)
        streaks[of_kind] = np.where(habit == habits[of_kind], streaks[of_kind] + 1, 0)
        habits[of_kind] = habit
        of_option = went * self.possible.shape[1] + took
        mine = self.memory[weekend]
        each = mine.reshape(2, -1)
        taken = each[:, of_option]
        news = self.by_option(today.tables[:2])
        news -= mine
        news *= p.hearsay
        mine += news
        each[:, of_option] = taken + p.learning * (np.stack((time[went], extra[went])) - taken)

    def instead(self, who: np.ndarray) -> np.ndarray:
        """(len(who),) the option that they would take today had nobody advised them yet: what they are about to do, or
        if that is a habit by advice, the one before."""
        kind, natural = self.kind[who], self.natural[who]
        left = self.left[kind, who]
        return np.where((left >= 0) & (natural == self.habit[kind, who]), left, natural)

    def schedule_cost(self, lag: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Costs of being early and late [min], for arrivals `lag` minutes after the preferred one."""
        return self.params.beta * np.maximum(-lag, 0), self.params.gamma * np.maximum(lag, 0)
