"""A SUMO network that carries what the kit's point queues carry.

A link of the kit is two edges: a road, and at its end a short gate where the capacity is. In SUMO's mesoscopic model
(Eissfeldt 2004, after Gawron 1998) vehicles enter and leave a stretch of an edge no closer to each other than a
headway, tau + length of a vehicle / speed, shared among the lanes. So the tau of a gate is what gives it its capacity;
that of a road is SUMO's default. What differs from the kit is the queue: it takes up road, moves at the speed of gaps,
spills back, and (`drop`) may let fewer out than the gate would carry. Behind the last gate lies an exit, since the
headway holds only between edges. All drive alike: SUMO's roads of one lane know no overtaking, and behind drivers of
different speeds the bottleneck would starve.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text

from ..roads.network import RoadNetwork
from ..units import HOUR
from .plans import Plans

SPEED = 15.0  # [m/s] on an empty road; SUMO's files give speeds to 1 cm/s
VEHICLE = 7.5  # [m] SUMO's default car, 5.0, and gap, 2.5
GATE = 30.0  # [m]
EXIT = SPEED  # [m] a second
LANE = 1200.0  # [veh/h] for which a road has a lane; it carries 2,200 at SUMO's default tau, 1,600 out of a jam
UNIT = 1000.0  # [m] of the drawing; lengths are given by times
MISSING = "SUMO is not installed: pip install eclipse-sumo libsumo, which are the extra [sumo] of lam-env"


def find_sumo() -> Path:
    """The folder of SUMO's programs."""
    if any(importlib.util.find_spec(name) is None for name in ("sumo", "libsumo")):
        raise UserError(MISSING)
    home = getattr(importlib.import_module("sumo"), "SUMO_HOME", None)
    if home is None:  # something else of this name
        raise UserError(MISSING)
    return Path(home) / "bin"


def lanes(capacity: float) -> int:
    return max(1, math.ceil(capacity / LANE))


def write_network(network: RoadNetwork, paths: Sequence[Sequence[int]], folder: Path) -> None:
    """nodes.xml, edges.xml and connections.xml of the links that `paths` use; link k becomes the edges k and k.gate."""
    assert network.xy is not None  # the synthetic ones have it
    used = sorted({k for path in paths for k in path})
    ends = sorted({int(network.head[path[-1]]) for path in paths if path})
    xy = network.xy * UNIT
    nodes = [_tag("node", id=n, x=x, y=y) for n, (x, y) in enumerate(xy.tolist())]
    edges, connections = [], []
    for k in used:
        tail, head = int(network.tail[k]), int(network.head[k])
        length = float(network.free_flow_time[k]) * 60 * SPEED
        gate = min(GATE, length / 2)
        x, y = (0.1 * xy[tail] + 0.9 * xy[head]).tolist()
        nodes.append(_tag("node", id=f"{k}.gate", x=x, y=y))
        same = {"numLanes": lanes(float(network.capacity[k])), "speed": SPEED}
        road = {"from": tail, "to": f"{k}.gate", "length": f"{length - gate:.2f}"}
        edges.append(_tag("edge", id=k, type=f"road{k}", **road, **same))
        out = {"from": f"{k}.gate", "to": head, "length": gate}
        edges.append(_tag("edge", id=f"{k}.gate", type=f"gate{k}", **out, **same))
    for n in ends:
        x, y = xy[n].tolist()
        nodes.append(_tag("node", id=f"exit{n}", x=x + EXIT, y=y + EXIT))
        most = max(lanes(float(network.capacity[k])) for k in used if int(network.head[k]) == n)
        edges.append(_tag("edge", id=f"exit{n}", **{"from": n}, to=f"exit{n}", length=EXIT, numLanes=most, speed=SPEED))
    ways = [_edges(network, path) for path in paths if path]
    for a, b in sorted({pair for way in ways for pair in zip(way, way[1:], strict=False)}):
        connections.append(_tag("connection", **{"from": a}, to=b))
    for name, tags in (("nodes", nodes), ("edges", edges), ("connections", connections)):
        _write(folder / f"{name}.xml", name, tags)


def write_headways(network: RoadNetwork, share: Sequence[float], drop: float, path: Path) -> None:
    """Headways on a day on which there is this share of each link's capacity, of which `drop` is lost out of a queue.

    A closed link is one that nobody's plan uses.
    """
    tags = []
    for k, part in enumerate(share):
        headway = lanes(float(network.capacity[k])) * (HOUR / 1000) / (float(network.capacity[k]) * (part or 1.0))
        tau = f"{headway - VEHICLE / SPEED:.4f}"
        gate = _tag("meso", tauff=tau, taufj=tau, taujf=tau, taujj=tau)  # free or jammed here, and behind
        tags.append(f'<type id="gate{k}">{gate}</type>')
        if drop:  # vehicles come out of the queue on the road onto a gate that is free
            road = _tag("meso", taujf=f"{headway / (1 - drop) - VEHICLE / SPEED:.4f}")
            tags.append(f'<type id="road{k}">{road}</type>')
    _write(path, "additional", tags)


def write_trips(network: RoadNetwork, plans: Plans, path: Path) -> None:
    """Whoever drives, in the order of departure; a vehicle's id is the trip's index."""
    tags = [_tag("vType", id="car", length=VEHICLE - 2.5, minGap=2.5, speedFactor=1, speedDev=0)]
    for number in np.unique(plans.path[plans.drives]).tolist():
        tags.append(_tag("route", id=f"path{number}", edges=" ".join(_edges(network, plans.paths[number]))))
    for i in np.argsort(plans.departs, kind="stable").tolist():
        if plans.path[i] >= 0:
            depart = f"{plans.departs[i] / 1000:.3f}"
            route = f"path{plans.path[i]}"
            tags.append(_tag("vehicle", id=i, type="car", route=route, depart=depart, departSpeed="max"))
    _write(path, "routes", tags)


def build_files(network: RoadNetwork, paths: Sequence[Sequence[int]], folder: Path) -> Path:
    """SUMO's own file of the network, made by its netconvert."""
    program, made = find_sumo() / "netconvert", folder / "network.net.xml"
    write_network(network, paths, folder)
    words = [str(program), "-n", "nodes.xml", "-e", "edges.xml", "-x", "connections.xml", "-o", made.name]
    words += ["--no-internal-links", "--no-turnarounds", "--xml-validation", "never"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"netconvert could not build {network.name}: {' '.join(done.stderr.split())[:300]}")
    return made


def _edges(network: RoadNetwork, path: Sequence[int]) -> list[str]:
    """SUMO's edges of a path of links."""
    return [*(edge for k in path for edge in (str(k), f"{k}.gate")), f"exit{network.head[path[-1]]}"]


def _tag(name: str, **attributes: object) -> str:
    return f"<{name} {' '.join(f'{key}={quoteattr(str(value))}' for key, value in attributes.items())}/>"


def _write(path: Path, root: str, tags: Sequence[str]) -> None:
    replace_text(path, "\n".join([f"<{root}>", *tags, f"</{root}>", ""]))
