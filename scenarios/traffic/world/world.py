"""The world of traffic: days on which everybody decides, departs, is held up by the others, and learns."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams

from ..params import TrafficParams
from ..roads.loading import Loading, Trip
from ..roads.supply import REFERENCE, Supply
from ..units import DAY, HOUR, MINUTE
from ..words import FOLLOWED, PRETRIP, REFUSED
from . import outcome, profile, shocks
from .diary import Diary
from .morning import buses, can_load, load, ride_all, ride_in_turn
from .profile import Flow, Profile
from .state import TrafficState
from .travellers import ASLEEP, DECIDING, READY, UNDER_WAY, WAITING

EVENING = 23 * HOUR  # [ms of the day] when the day is looked back on
SMOOTHING = 0.2  # weight of today in what is published
LATELY = 21  # [days] of the burn-in in which costs are worked out: what is published forgets the rest


class TrafficWorld(TrafficState):
    """Lets the days of a region go by."""

    def __init__(
        self,
        params: TrafficParams,
        supply: Supply,
        streams: Streams,
        row: ObservationRow,
        *,
        beliefs: tuple[Profile, Profile],
        day: int = 0,
        record: bool = False,
        reveal: Any = None,
    ):
        """`beliefs`: what people think at first of working days and weekends; `day`: on which the episode starts."""
        super().__init__(params, supply, streams, row, beliefs, day, record)
        self.loading = Loading(self.env, self.links)
        self.bus = supply.bus(params)
        routes = [[[self.links[k] for k in path] for path in ways] for ways in supply.paths]
        self._routes = [[ways[w] for w in supply.way.tolist()] for ways in routes]  # by pair and option
        self.yesterday = list(beliefs)
        self.diaries: deque[Diary] = deque(maxlen=2)  # of the last days, if they are recorded
        self._rains, self._shut = streams("weather", "rain"), shocks.closed_ways(supply)
        self._closed = self._shut[:, supply.way][self.people.pair]  # (N, O) options that a closure takes away
        self.share = 1.0
        self._last_time, self._last_late = np.zeros(params.travellers), np.zeros(params.travellers)
        self._accepts: list[float] = []
        self._natural: list[int] = []  # what each would do today
        self.departs_at_once = can_load(supply, self.links) and not record  # pictures show who is where
        self._asking: list[tuple[int, int]] = []  # when [ms] who will be asked today, the next one last
        self._leaving: list[int] = []  # who travels today, in the order in which they have decided
        self._shift = np.array([round(s * MINUTE) for s in supply.shift[supply.slot].tolist()])  # of each option [ms]
        self._burn_in()
        self.begin_to_watch()
        self.end = (self.first_day + params.days) * DAY
        self.people.place, self.people.until = ASLEEP, self.now
        self.add(self.people)
        self.reveal = reveal
        self.run_until_decision()

    # -- days ---------------------------------------------------------------------------------------------------------

    def _burn_in(self) -> None:
        fast = can_load(self.supply, self.links)
        for _ in range(self.params.burn_in):
            self._wake()
            if fast:
                self._whole_day()
            else:
                self._leaving = np.flatnonzero(self.people.goes).tolist()
                self._depart()
                self._run_to(self.day * DAY + EVENING)
            self.look_back()
        self._run_to(self.first_day * DAY)

    def _run_to(self, time: int) -> None:
        """Run what is scheduled before a time; nobody is asked in it."""
        queue = self.env.queue
        while queue and queue[0][0] < time:
            self.now = queue[0][0]
            self.env.step()
        self.now = self.env.now = time

    def _whole_day(self) -> None:
        people, supply = self.people, self.supply
        who = np.flatnonzero(people.goes)
        way = supply.way[self.chosen[who]]
        car = ~supply.is_bus[way]
        drivers, riders = who[car], who[~car]
        ends, self._flows = load(supply, self.links, self.departs[drivers], people.pair[drivers], way[car])
        self._flows = [Flow(f.enter, f.exit, drivers[f.who]) for f in self._flows]
        self.arrives[drivers], self.extra[drivers] = ends, 0.0
        if len(riders):
            self.arrives[riders], self.extra[riders], self.loads = ride_all(supply, self.params, self.departs[riders])

    def _wake(self) -> None:
        """Night: what today will be like, and what everybody will do without advice."""
        people, day = self.people, self.day
        self.rain, self.share, self.tight = shocks.share_of(self.params, self._rains, day, self.first_day)
        for k, link in enumerate(self.links):
            link.changes.clear()  # those of yesterday
            link.log = []
            share = self.share * (self.tight if k == self.supply.tight else 1.0)
            begins, ends = max(day * DAY, math.ceil(max(link.last_exit, 0))), day * DAY + DAY
            if share < 1 and begins < ends:  # who is still under way from yesterday is not slowed down again
                link.restrict(begins, ends, share)
        people.wake(day, None if self.tight else self._closed)
        self.reference = (day * 1440 + REFERENCE[self.weekend]) * MINUTE
        self.advice, self.followed[:] = [0] * self.params.travellers, False
        self.departs = self.reference + self._shift[people.natural] + people.offset
        self.chosen[:] = people.natural
        self._natural = people.natural.tolist()
        self.loads = np.zeros(buses(self.params))
        self._flows = []

    # -- what people do on a day, in `Travellers.behave` --------------------------------------------------------------

    def wake_up(self) -> None:
        """Readings of the day, and when each of the advised will be asked."""
        self._wake()
        people, n = self.people, self.people.n_advised
        self._accepts = people.draws("accept", self.day).tolist()
        self._inform()
        self._leaving = (n + np.flatnonzero(people.goes[n:])).tolist()
        who = np.flatnonzero(people.goes[:n])
        ahead = np.rint((people.asks[who] + 10 * people.draws("ask", self.day)[who]) * MINUTE).astype(np.int64)
        self._asking = sorted(zip((self.reference - ahead).tolist(), who.tolist(), strict=True), reverse=True)
        self._wait()

    def _wait(self) -> None:
        """For the next question, or for the hour at which all have decided."""
        people = self.people
        if self._asking:
            people.place, people.until = WAITING, self._asking[-1][0]
        else:
            people.place, people.until = READY, self.reference - round(people.lead * MINUTE)

    def _inform(self) -> None:
        """Readings and masks of the day, for everybody at once."""
        people, n, weekend = self.people, self.people.n_advised, self.weekend
        yesterday, published = self.yesterday[weekend], self.published[weekend]
        way, slot = self.supply.way, self.supply.slot
        shared = [float(self.rain)]  # then whole minutes, as in all that is published
        for table in (yesterday.time + yesterday.extra, published.external):
            shared += np.rint(np.tensordot(self.supply.share, table, 1)[way, slot]).tolist()
        self.shared_readings(shared + [0.0] * len(way))
        who = np.flatnonzero(people.goes[:n])  # who stays at home hears nothing new
        each, usual = np.arange(len(who)), people.last[who]
        time, extra, external = people.by_option(published.tables, who)
        cost = people.costs(time, extra, who)
        with np.errstate(invalid="ignore"):
            own = cost[each, usual][:, None] - cost
        own[~np.isfinite(own)] = 0.0
        external = external[each, usual][:, None] - external
        times = np.stack([people.arrive[who], self._last_time[who], self._last_late[who]], 1)
        self.own_readings(np.concatenate((np.rint(times), usual[:, None] + 1, np.rint(own), np.rint(external)), 1), who)
        mask = self._memory.mask
        mask[:, 1:] = people.possible[:n] & (people.muted_until[:n] < self.day)[:, None]
        if not self.tight:
            mask[:, 1:] &= ~self._closed[:n]
        mask[:, 0] = 1

    # -- a traveller --------------------------------------------------------------------------------------------------

    def ask_next(self) -> None:
        self.people.place = DECIDING
        self.ask(self._asking.pop()[1], PRETRIP)

    def decide(self, action: int) -> None:
        self.courses[0].hear(action)  # one life for all of them

    def choose(self, action: int) -> None:
        """The traveller who was asked decides, having been advised so (0: not)."""
        people, i = self.people, self.person
        option = self._natural[i]
        answers = -1
        if action:
            self.advice[i], self.answer_to[i] = action, self.agent_acts
            answers = self.agent_acts
            self.utility_totals["interruption"] += 1
            self.earn_from(i, "nag")
            self.tally.advice += 1
            people.trust[i] -= self.params.trust_shown
            if action - 1 != option:  # advice to do what they would do anyway is only an interruption
                if self._accepts[i] < people.accepts(i, action - 1):
                    option = action - 1
                    self.followed[i] = True
                    self.tally.followed += 1
                    self.earn_from(i, "follow")
                    self.feedback_event(i, FOLLOWED, action, answers, 1.0, True)
                else:
                    self.tally.refused += 1
                    self.earn_from(i, "refuse")
                    self.feedback_event(i, REFUSED, action, answers, -1.0, False)
        if option != self._natural[i]:
            self.chosen[i] = option
            self._count_move(self._natural[i], option)
            self.departs[i] += self._shift.item(option) - self._shift.item(self._natural[i])
        self.user_event(i, option + 1, answers)
        self._leaving.append(i)
        self._wait()

    def _count_move(self, left: int, taken: int) -> None:
        """Who has followed already makes the same advice worth less to the next."""
        context, first = self.row.context, self.shared - len(self.supply.way)
        self.reading(first + left, context[first + left] - 1.0)
        self.reading(first + taken, context[first + taken] + 1.0)

    # -- the roads ----------------------------------------------------------------------------------------------------

    def set_off(self) -> None:
        """All have decided and nobody has departed. What happens before the evening, when nobody decides, needs no
        events."""
        self.people.place, self.people.until = UNDER_WAY, self.day * DAY + EVENING
        alone = not self.env.queue  # nobody is under way since yesterday, nobody wants to look in between
        if not (self.departs_at_once and alone and self._all_at_once()):
            self._depart()

    def _depart(self) -> None:
        pairs, options, departs = self.people.pair.tolist(), self.chosen.tolist(), self.departs.tolist()
        for i in self._leaving:
            route = self._routes[pairs[i]][options[i]]
            if route:
                self.loading.depart(departs[i], i, route, self._arrived)
            else:
                self.call_at(departs[i], self._board, i)

    def _all_at_once(self) -> bool:
        """The day as events would have it, to the last bit; False, and nothing done, if a trip would last into the
        evening."""
        people, supply, evening = self.people, self.supply, self.day * DAY + EVENING
        who = np.array(self._leaving, np.int64)
        way = supply.way[self.chosen[who]]
        bus = supply.is_bus[way]
        drivers, riders = who[~bus], who[bus]
        ends, flows = load(supply, self.links, self.departs[drivers], people.pair[drivers], way[~bus], in_turn=True)
        riders = riders[np.argsort(self.departs[riders], kind="stable")]
        if ends.max(initial=0) >= evening or self.departs[riders].max(initial=0) >= evening:
            return False
        self._flows = [Flow(f.enter, f.exit, drivers[f.who]) for f in flows]
        self.loading.pass_by(len(drivers), [flow.exit for flow in flows])
        self.arrives[drivers], self.extra[drivers] = ends, 0.0
        if len(riders):
            assert self.bus is not None
            rides = ride_in_turn(self.bus, self.params, self.departs[riders])
            self.arrives[riders], self.extra[riders], self.loads = rides
        return True

    def _arrived(self, trip: Trip) -> None:
        i = trip.index
        self.arrives[i], self.extra[i] = trip.end, 0.0

    def _board(self, i: int) -> None:
        assert self.bus is not None
        ride = self.bus.board(int(self.departs[i]))
        self.arrives[i] = ride.arrival
        self.loads[round(ride.departure % DAY / (self.params.headway * MINUTE))] += 1
        standing = ride.perceived - self.bus.ride_time
        self.extra[i] = (standing + (self.params.wait - 1) * ride.wait) / MINUTE

    # -- looking back -------------------------------------------------------------------------------------------------

    def look_back(self) -> None:
        """In the evening: what the day came to, and what people remember of it."""
        people, supply, params = self.people, self.supply, self.params
        went = np.flatnonzero(people.goes)
        # who is still under way (a full circle of spatial queues never moves again) is counted until now
        self.arrives = np.where(self.arrives < self.departs, self.day * DAY + EVENING, self.arrives)
        time = (self.arrives - self.departs) / MINUTE
        late = (self.arrives - self.reference) / MINUTE - people.arrive
        flows = self.flows()
        if self._record:
            self.diaries.append(Diary.of(self, flows))
        soon = self.day >= self.first_day - LATELY
        weight = params.alpha + np.where(late > 0, params.gamma, -params.beta) if soon else None
        today = profile.of_day(supply, params, self.reference, self.links, flows, weight, self.loads)
        weekend = self.weekend
        if soon:
            bus = supply.is_bus[supply.way[self.chosen]]
            terms = self._costs(time, late, bus)
            cost: np.ndarray = sum(terms.values(), start=np.zeros(len(time)))
            if self.day >= self.first_day:
                advised, passed = np.array(self.advice) > 0, self.day - self.first_day
                for name, each in terms.items():
                    self.utility_totals[name] += float(each[went].sum())
                tight = self.links[supply.tight], flows[supply.tight]
                self.tally.end_day(passed, went, time, late, cost, bus, advised, *tight)
                outcome.answer(self, today, cost, time, advised)
            elif len(went):
                self.cost_unadvised[weekend].append(float(cost[went].mean()))
        if not self.tight:  # nobody has been there: what was known of it is all that is known
            today.keep(self.published[weekend], self._shut)
        people.settle(self.day, self.chosen, self.followed, time, self.extra, today)
        self.yesterday[weekend] = today
        self.published[weekend].towards(today, SMOOTHING)
        self._last_time[went], self._last_late[went] = time[went], late[went]
        self.day += 1
        people.place, people.until = ASLEEP, self.day * DAY

    def _costs(self, time: np.ndarray, late: np.ndarray, bus: np.ndarray) -> dict[str, np.ndarray]:
        """What today's trip cost everybody [min], by the terms of utility; `time`, `late` [min], `bus` (N,). Sums are
        in this order: another would change them in the last bit."""
        early_cost, late_cost = self.people.schedule_cost(late)
        return {
            "travel": self.params.alpha * time,
            "discomfort": self.extra,
            "early": early_cost,
            "late": late_cost,
            "mode": np.where(bus, self.people.dislikes_bus, 0.0),
        }
