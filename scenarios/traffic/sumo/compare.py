"""Two simulators on the same plans: costs by policy, times trip by trip, and whether the policies come in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..params import TrafficParams
from .plans import Plans

Driven = Sequence[tuple[int, Plans, np.ndarray]]  # (seed, a day's plans, arrivals [ms] in SUMO)


@dataclass(frozen=True)
class Judged:
    """A policy in both. Costs are of everybody's trips, times and their correlation of those by car; minutes."""

    policy: str
    cost: tuple[float, float]  # here, in SUMO
    by_seed: np.ndarray  # (2, seeds)
    trips: int
    time: tuple[float, float]
    correlation: float  # nan where all times are equal


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
    """Kendall's tau-a: pairs in the same order less pairs in the other order, over all pairs (Kendall, Biometrika 30, 1938); 1.0 of one alone."""
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


def comparison_rows(judged: Sequence[Judged]) -> list[tuple[str, ...]]:
    """Cells of the table, the cheapest policy first."""
    found = []
    for j in sorted(judged, key=lambda j: j.cost[0]):
        r = "" if np.isnan(j.correlation) else f"{j.correlation:.3f}"
        numbers = (*j.cost, *j.time)
        found.append(
            (j.policy, *(f"{x:.2f}" for x in numbers[:2]), f"{j.trips:,}", *(f"{x:.2f}" for x in numbers[2:]), r)
        )
    return found


HEADING = ("policy", "cost here", "cost in SUMO", "car trips", "time here", "time in SUMO", "correlation")


def text_table(judged: Sequence[Judged]) -> str:
    """As lines of text."""
    cells = [HEADING, *comparison_rows(judged)]
    widths = [max(len(row[c]) for row in cells) for c in range(len(HEADING))]
    lines = [
        "  ".join(f"{x:<{w}}" if c == 0 else f"{x:>{w}}" for c, (x, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)
