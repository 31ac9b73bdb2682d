"""Days in SUMO: each a process of its own, several at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lam_env.core.errors import UserError

from ..roads.supply import Supply
from ..units import HOUR
from ..world.world import EVENING
from .files import build_files, write_headways, write_trips
from .plans import Plans

DRIVE = Path(__file__).with_name("drive.py")


@dataclass(frozen=True)
class Simulation:
    """SUMO with the network of a scenario. Made by `sumo`, gone with its folder when the block is left."""

    supply: Supply
    net: Path  # SUMO's file of the network
    drop: float  # share of capacity that is lost out of a queue

    def arrivals(self, plans: Plans) -> np.ndarray:
        """(n,) [ms after midnight]; of bus passengers as in the plans. Who never arrives is counted until the evening,
        as in the world."""
        arrives = plans.arrives.astype(float)
        arrives[plans.drives] = EVENING
        with tempfile.TemporaryDirectory(dir=self.net.parent) as folder:
            headways, trips = Path(folder) / "headways.xml", Path(folder) / "trips.xml"
            write_headways(self.supply.network, plans.share, self.drop, headways)
            write_trips(self.supply.network, plans, trips)
            # -P: modules beside the program are not taken for installed ones
            words = [sys.executable, "-P", str(DRIVE), str(self.net), str(headways), str(trips), str(EVENING // 1000)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise UserError(f"SUMO failed on day {plans.day}: {said[-1][:300]}")
        for trip, time in json.loads(done.stdout.splitlines()[-1]).items():
            arrives[int(trip)] = time * 1000
        return arrives

    def capacity(self, link: int) -> float:
        """[veh/h] that leave the link while a queue stands on it: of vehicles that come at once, the first tenth left
        out."""
        network = self.supply.network
        n = int(np.clip(10 * network.capacity[link], 3, 200))  # of the least capacity a day's worth would be too many
        start = np.zeros(n)
        plans = Plans(0, (1.0,) * network.links, ((link,),), start, start, start, np.zeros(n, np.int64), start)
        ends = np.sort(self.arrivals(plans))[n // 10 :]
        ends = ends[ends < EVENING]
        if len(ends) < 2:
            raise UserError(f"link {link} lets nobody pass within a day; take more world.travellers")
        return float((len(ends) - 1) * HOUR / (ends[-1] - ends[0]))

    def all_arrivals(self, days: Sequence[Plans], workers: int) -> Iterator[np.ndarray]:
        """Of every day, in order, `workers` at a time."""
        pool = ThreadPoolExecutor(workers)  # a thread does nothing but wait for its process
        try:
            yield from pool.map(self.arrivals, days)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def sumo(supply: Supply, drop: float = 0.0) -> Iterator[Simulation]:
    """SUMO for the networks whose links have queues; UserError if it is not there."""
    if supply.model == "bpr":
        raise UserError(
            f"{supply.network.name} has delay functions, whose capacity is not that of a queue; "
            "take world.network=corridor, bottleneck or grid, and no world.link_model=bpr"
        )
    with tempfile.TemporaryDirectory(prefix="sumo-") as folder:
        paths = [path for ways in supply.paths for path in ways if path]
        paths += [(supply.tight,)]  # measured alone
        yield Simulation(supply, build_files(supply.network, paths, Path(folder)), drop)
