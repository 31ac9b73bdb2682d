"""A region as it stands: its travellers, what each does today, and what is published."""

from __future__ import annotations

import numpy as np

from lam_env.core.observation import ObservationRow
from lam_env.core.rng import Streams
from lam_env.sim.persons import PersonalWorld

from ..params import REWARD_WEIGHTS, UTILITY_WEIGHTS, TrafficParams
from ..roads.supply import Supply
from ..units import DAY
from ..words import vocabulary
from .profile import Flow, Profile
from .tally import DayTally
from .travellers import Travellers


class TrafficState(PersonalWorld):
    """One region with its travellers. A tick is 1 ms.

    Readings of everybody: rain; of each option yesterday's time door to door as it felt, `time.*`, what one more
    traveller costs the others, `cost.*` (smoothed over days), and how many of the advised have moved to it today, less
    those who have moved away, `moved.*`. A traveller's own: wanted arrival today and lateness of the last trip [min
    after the wish], its time, the usual option (an action), and per option what it is expected to save the traveller
    (`own.*`) and the others (`external.*`), against the usual one. Minutes all.
    """

    second, quick = 1000, True
    reference: int  # [ms] from which today's arrivals are counted

    def __init__(
        self,
        params: TrafficParams,
        supply: Supply,
        streams: Streams,
        row: ObservationRow,
        beliefs: tuple[Profile, Profile],
        day: int,
        record: bool,
    ):
        words, shared = vocabulary(supply.names)
        first = day + -(-params.burn_in // 7) * 7  # the burn-in may not begin before time 0
        self.params, self.supply, self.first_day = params, supply, first
        self.people = Travellers(params, supply, streams, beliefs)
        super().__init__(
            streams,
            row,
            words,
            self.people.n_advised,
            shared,
            start=(first - params.burn_in) * DAY,
            end=first * DAY,
            reward_weights=REWARD_WEIGHTS,
            utility_weights=UTILITY_WEIGHTS,
            record=record,
        )
        self.links = supply.links()
        self.tally = DayTally(params, self.people.n_advised)
        self.published = [b.copy() for b in beliefs]  # of working days and weekends, smoothed
        # mean cost of a trip [min] on each of the last days of the burn-in, working days and weekends apart
        self.cost_unadvised: tuple[list[float], list[float]] = [], []
        self.day = first - params.burn_in
        self.rain, self.tight = False, 1.0  # today: whether it rains, share of the tight link's capacity
        n = params.travellers
        self.advice = [0] * n  # action advised today, 0 if none
        self.answer_to = [0] * n  # event of that advice
        self.followed = np.zeros(n, bool)  # (N,) whether today's advice was followed
        self.chosen = np.zeros(n, np.int64)  # (N,) option of today
        self.departs = np.zeros(n, np.int64)  # (N,) [ms]
        self.arrives = np.zeros(n)  # (N,) [ms]
        self.extra = np.zeros(n)  # (N,) discomfort of today's trip [min]
        self._flows: list[Flow] = []  # of a day without events

    @property
    def weekend(self) -> int:
        """1 at a weekend, else 0: which of two tables is today's."""
        return int(self.day % 7 >= 5)

    def flows(self) -> list[Flow]:
        """Today's, of each link, so far."""
        return self._flows or [Flow.of(link) for link in self.links]
