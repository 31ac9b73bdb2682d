"""One mesoscopic simulation in libsumo, which allows one in a process: run as a program, by `simulation.py`.

python drive.py NETWORK HEADWAYS TRIPS UNTIL prints arrivals [s] as JSON, {vehicle: time}; who is still under way at
UNTIL [s] is left out.
"""

from __future__ import annotations

import json
import sys

OPTIONS = (
    *("--mesosim", "--meso-multi-queue", "false"),  # a road is one queue, first in first out
    *("--time-to-teleport", "-1"),  # who waits waits: nobody is lifted out of a queue
    *("--no-step-log", "--no-warnings", "--xml-validation", "never", "--xml-validation.net", "never"),
)
LAG = 2  # [s] after the gate: a second on the exit, and the step at whose end it is known


def main(network: str, headways: str, trips: str, until: str) -> None:
    import libsumo

    arrived = {}
    libsumo.start(["sumo", "-n", network, "-a", headways, "-r", trips, *OPTIONS])
    while libsumo.simulation.getMinExpectedNumber() > 0 and libsumo.simulation.getTime() < float(until):
        libsumo.simulationStep()
        for vehicle in libsumo.simulation.getArrivedIDList():
            arrived[vehicle] = libsumo.simulation.getTime() - LAG
    libsumo.close()
    print(json.dumps(arrived))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # one line for whoever reads it
        sys.exit(f"{type(error).__name__}: {' '.join(str(error).split())}")
