"""A plain picture of a network: roads as wide as what is on them, and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lam_env.envs.scene import Line, Scene, Text

if TYPE_CHECKING:
    from .world import TrafficWorld


def sketch(world: TrafficWorld) -> Scene:
    network = world.supply.network
    xy = np.zeros((network.nodes, 2)) if network.xy is None else network.xy
    place = (xy - xy.min(0)) / max(float(np.ptp(xy, axis=0).max()), 1e-9) * 80 + (10, 20)
    shapes: list[Line | Text] = []
    for k, link in enumerate(world.links):
        (a, b), (c, d) = place[network.tail[k]].tolist(), place[network.head[k]].tolist()
        shapes.append(Line(a, b, c, d, stroke="muted", stroke_width=0.5 + len(link.inside) / 20))
    minute = world.now // 60_000
    shapes.append(
        Text(
            10,
            8,
            f"day {world.day - world.first_day + 1}  {minute // 60 % 24:02}:{minute % 60:02}",
            size=5.0,
            fill="text",
        )
    )
    return Scene(100, 60, tuple(shapes))
