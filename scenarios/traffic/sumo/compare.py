"""Two simulators on the same plans: costs by policy, times trip by trip, and whether the policies come in the same
order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..params import TrafficParams
from .plans import Plans

Driven = Sequence[tuple[int, Plans, np.ndarray]]  # (seed, a day's plans, arrivals [ms] in SUMO)


@dataclass(frozen=True)
class Judged:
    """A policy in both, here and in SUMO."""

    policy: str
    cost: tuple[float, float]  # mean of everybody's trips [min]
    by_seed: np.ndarray  # (2, seeds) the same
    trips: int  # by car
    time: tuple[float, float]  # mean of trips by car [min]
    correlation: float  # of these times; nan where all are equal


def compare_days(policy: str, params: TrafficParams, driven: Driven) -> Judged:
    seeds = sorted({seed for seed, _, _ in driven})
    by_seed = np.array([_costs(params, [d for d in driven if d[0] == seed]) for seed in seeds]).T
    here = np.concatenate([plans.minutes(plans.arrives)[plans.drives] for _, plans, _ in driven])
    there = np.concatenate([plans.minutes(arrives)[plans.drives] for _, plans, arrives in driven])
    cost, there_cost = _costs(params, driven)
    varies = len(here) > 1 and np.ptp(here) > 0 and np.ptp(there) > 0
    return Judged(
        policy=policy,
        cost=(cost, there_cost),
        by_seed=by_seed,
        trips=len(here),
        time=(float(here.mean()), float(there.mean())) if len(here) else (0.0, 0.0),
        correlation=float(np.corrcoef(here, there)[0, 1]) if varies else float("nan"),
    )


def _costs(params: TrafficParams, driven: Driven) -> tuple[float, float]:
    here = np.concatenate([plans.cost(params, plans.arrives) for _, plans, _ in driven])
    there = np.concatenate([plans.cost(params, arrives) for _, plans, arrives in driven])
    return float(here.mean()), float(there.mean())


def kendall(here: np.ndarray, there: np.ndarray) -> float:
    """Kendall's tau-a: pairs in the same order less pairs in the other order, over all pairs (Kendall, Biometrika 30,
    1938); 1.0 of one alone."""
    i, j = np.triu_indices(len(here), 1)
    if not len(i):
        return 1.0
    return float((np.sign(here[i] - here[j]) * np.sign(there[i] - there[j])).mean())


def verdict(judged: Sequence[Judged], seeds: Sequence[int]) -> list[str]:
    """What the table says, in lines."""
    orders = [[j.policy for j in sorted(judged, key=lambda j: j.cost[k])] for k in (0, 1)]
    tau = kendall(*np.array([j.cost for j in judged]).T)
    lines = [f"Order by cost here:    {' < '.join(orders[0])}", f"Order by cost in SUMO: {' < '.join(orders[1])}"]
    lines.append(f"The order is {'the same' if orders[0] == orders[1] else 'not the same'} (Kendall's tau {tau:.2f}).")
    if len(seeds) > 1:
        table = np.array([j.by_seed for j in judged])  # (policies, 2, seeds)
        taus = [kendall(table[:, 0, k], table[:, 1, k]) for k in range(table.shape[2])]
        same = sum(t == 1 for t in taus)
        lines.append(f"Seed by seed: the same in {same} of {len(taus)}, tau {min(taus):.2f} at least.")
    return lines


HEADING = ("policy", "cost here", "cost in SUMO", "car trips", "time here", "time in SUMO", "correlation")


def text_table(judged: Sequence[Judged]) -> str:
    """As lines of text, the cheapest policy first."""
    cells = [HEADING]
    for j in sorted(judged, key=lambda j: j.cost[0]):
        here, there, time, there_time = (f"{x:.2f}" for x in (*j.cost, *j.time))
        r = "" if np.isnan(j.correlation) else f"{j.correlation:.3f}"
        cells.append((j.policy, here, there, f"{j.trips:,}", time, there_time, r))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(f"{x:{'>' if c else '<'}{w}}" for c, (x, w) in enumerate(zip(row, widths, strict=True))).rstrip()
        for row in cells
    )
