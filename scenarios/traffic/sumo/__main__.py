"""python -m lam_env.scenarios.traffic.sumo [key=value ...]

The same advice, the same order of policies? Simulates an episode under each policy, drives its car trips through SUMO
too, and compares.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from lam_env.config.cli import cli_errors, command_line, parse, setting, to_dict
from lam_env.config.convert import suggestion
from lam_env.core.errors import UserError
from lam_env.core.progress import Progress

from ..baselines import BASELINES, Make
from ..exploits import EXPLOITS
from ..params import TrafficParams
from ..scenario import Traffic
from .compare import Judged, compare_days, text_table, verdict
from .files import find_sumo
from .plans import Anything, NoAdvice, Plans, days_of
from .simulation import Simulation, sumo

PROGRAM = "python -m lam_env.scenarios.traffic.sumo"
POLICIES: dict[str, Make] = {
    "none": lambda supply, params: NoAdvice(),
    "random": lambda supply, params: Anything(),
    **BASELINES,
    **EXPLOITS,
}


@dataclass(frozen=True)
class SumoSettings:
    """Drive the same days' plans through the kit's queues and through SUMO, and compare the order of policies."""

    policies: tuple[str, ...] = setting(
        ("none", "random", "habit", "fastest", "oracle_so", "oracle_batch", "oracle"), "policies to compare, by id"
    )
    seed: tuple[int, ...] = setting((0,), "worlds, one for each seed", low=0)
    world: Any = setting({}, "settings of the traffic scenario")
    drop: float = setting(
        0.0, "share of a link's capacity that is lost in SUMO while a queue stands before it", low=0, high=0.9
    )
    workers: int = setting(min(2, os.cpu_count() or 1), "simulations of SUMO at a time", low=1, high=64)


def main(argv: Sequence[str]) -> int:
    with cli_errors():
        settings = parse(SumoSettings, argv, PROGRAM, lambda s: SumoSettings(world=TrafficParams(days=5)))
        if not settings.policies or not settings.seed:
            raise UserError("policies, seed: give at least one of each, such as policies=none,oracle seed=0")
        for name in settings.policies:
            if name not in POLICIES:
                there_are = f"there are {', '.join(POLICIES)}"
                raise UserError(f"no policy {name!r}; {suggestion(name, list(POLICIES), there_are)}")
        scenario = Traffic(**to_dict(settings.world))
        find_sumo()  # before anything long
        began = time.time()
        with Progress() as progress, sumo(scenario.supply, settings.drop) as simulation:
            report = run(settings, scenario, simulation, progress)
        print(report)
        print(f"{time.time() - began:.0f} s; SUMO {version('eclipse-sumo')}, {command_line(PROGRAM, argv)}")
    return 0


def run(settings: SumoSettings, scenario: Traffic, simulation: Simulation, progress: Progress) -> str:
    """The report: capacities, the table and the verdict."""
    params, link = scenario.params, scenario.supply.tight
    capacity = float(scenario.supply.network.capacity[link])
    measured = simulation.capacity(link)
    seeds = sorted(set(settings.seed))
    planned = _plans(settings.policies, scenario, seeds, progress)
    days = [plans for of_policy in planned.values() for _, plans in of_policy]
    driven = []
    for k, arrives in enumerate(simulation.all_arrivals(days, settings.workers)):
        driven.append(arrives)
        progress("SUMO [days]", k + 1, len(days))
    judged, ends = list[Judged](), iter(driven)
    for name, of_policy in planned.items():
        judged.append(compare_days(name, params, [(seed, plans, next(ends)) for seed, plans in of_policy]))
    who = f"{params.travellers} travellers, {params.days} days, seeds {', '.join(map(str, seeds))}"
    head = f"{params.network}: {who}; minutes a trip"
    tight = f"capacity of the bottleneck: {capacity:.1f} vehicles/h here, {measured:.1f} measured in SUMO"
    return "\n".join([head, tight, "", text_table(judged), "", *verdict(judged, seeds)])


def _plans(
    policies: Sequence[str], scenario: Traffic, seeds: Sequence[int], progress: Progress
) -> dict[str, list[tuple[int, Plans]]]:
    """By policy: (seed, plans of a day)."""
    names, length = list(dict.fromkeys(policies)), int(scenario.params.days)
    total, before = len(names) * len(seeds) * length, 0
    planned: dict[str, list[tuple[int, Plans]]] = {name: [] for name in names}
    for name in names:
        for seed in seeds:

            def over(days: int, before: int = before, name: str = name) -> None:
                progress("simulate [days]", before + min(days, length), total, name)

            policy = POLICIES[name](scenario.supply, scenario.params)
            planned[name] += [(seed, plans) for plans in days_of(scenario, policy, seed, over)]
            before += length
    return planned


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
