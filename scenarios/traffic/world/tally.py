"""Key figures of an episode, counted day by day."""

from __future__ import annotations

import numpy as np

from ..params import TrafficParams
from ..roads.links import Link
from ..units import MINUTE
from .profile import Flow

PARTS = 3  # of the run: does what was gained at first last?


class DayTally:
    """Sums over the days so far. Costs are minutes of generalised cost with a minute for every advice shown."""

    def __init__(self, params: TrafficParams, n_advised: int):
        n = params.travellers
        self.days, self.n_advised, self.length = 0, n_advised, params.days
        self.advice = self.followed = self.refused = self.muted = 0  # how often
        self.losing, self.regret = 0, 0.0  # moves that cost the traveller more, and how much more [min]
        self.cost, self.trips = np.zeros(n), np.zeros(n)  # (N,) [min], and number
        self.parts = np.zeros((PARTS, 2))  # cost [min] and traveller-days of each part
        self.travel = self.delay = self.late = self.early = 0.0  # [min]
        self.bus = 0  # trips
        self.queues: list[float] = []  # longest of each day at the tight link [vehicles]

    def end_day(
        self,
        day: int,
        went: np.ndarray,
        time: np.ndarray,
        late: np.ndarray,
        cost: np.ndarray,
        bus: np.ndarray,
        advised: np.ndarray,
        link: Link,
        flow: Flow,
    ) -> None:
        """`day` of the episode; `went`: indices of those who travelled; the other arrays are (N,)."""
        felt = cost[went] + advised[went]
        self.cost[went] += felt
        self.trips[went] += 1
        part = self.parts[min(PARTS - 1, max(0, day) * PARTS // self.length)]
        part += (felt.sum(), len(cost))
        self.travel += float(time[went].sum())
        late = late[went]
        self.late += float(np.maximum(late, 0).sum())
        self.early += float(np.maximum(-late, 0).sum())
        self.bus += int(bus[went].sum())
        if len(flow.enter):
            delay = flow.exit - flow.enter - link.free_time
            self.delay += float(delay.sum()) / MINUTE
            self.queues.append(float(delay.max() / link.headway) if link.headway else 0.0)
        self.days += 1

    def moved(self, own: float) -> None:
        """Advice was followed and saved the traveller `own` minutes."""
        self.losing += own < 0
        self.regret += max(0.0, -own)

    def figures(self, trust: np.ndarray) -> dict[str, float]:
        trips, days, n = max(1.0, float(self.trips.sum())), max(1, self.days), len(self.cost)
        mean = self.cost / np.maximum(self.trips, 1)
        travelled = self.trips > 0
        advised = np.arange(n) < self.n_advised

        def of(which: np.ndarray) -> float:
            return float(self.cost[which].sum() / max(1.0, self.trips[which].sum()))

        figures = {
            "tstt": self.travel / 60 / days,  # [h] a day
            "mean_cost": float(self.cost.sum()) / trips,  # [min] a trip
            "delay": self.delay / trips,  # [min] in the queue of the tight link, a trip
            "late": self.late / trips,
            "early": self.early / trips,
            "peak_queue": float(np.mean(self.queues)) if self.queues else 0.0,
            "bus_share": self.bus / trips,
            "cost_advised": of(advised),
            "cost_background": of(~advised),
            "gini": gini(mean[travelled]),
            "advice": self.advice / (days * self.n_advised),  # per advised traveller and day
            "losing_moves": self.losing / max(1, self.followed),
            "regret": self.regret / max(1, self.followed),  # [min] per advice followed
            "muted": float(self.muted) / self.n_advised,
            "trust": float(trust[: self.n_advised].mean()),
        }
        for k, name in enumerate(("first", "middle", "last")):
            figures[f"cost_{name}"] = float(self.parts[k, 0] / max(1.0, self.parts[k, 1]))  # [min] a traveller-day
        return figures


def gini(values: np.ndarray) -> float:
    """Gini coefficient of values that are not negative, shape (n,): 0 if all are equal."""
    x = np.sort(np.asarray(values, float))
    n, total = len(x), float(x.sum())
    if n == 0 or total <= 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ x / (n * total))
