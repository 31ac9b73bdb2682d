"""What `render` shows of a world, in Gymnasium's modes."""

from __future__ import annotations

import numpy as np

from lam_env.core.errors import UserError
from lam_env.envs.pixels import rgb_array
from lam_env.envs.scenario import Scenario
from lam_env.envs.scene import Scene
from lam_env.sim.world import World

MODES = ("ansi", "rgb_array", "rgb_array_list", "human")
Frame = np.ndarray | list[np.ndarray] | str | None


def check_mode(mode: str | None) -> str | None:
    if mode is not None and mode not in MODES:
        raise UserError(f"render_mode {mode!r}: there are {', '.join(MODES)}")
    return mode


class Renderer:
    """Pictures of one world. `mode` "rgb_array_list": those of all steps since it was last asked, with what the
    scenario shows between two decision points, such as the rush of a day whose decisions fall before it."""

    def __init__(self, scenario: Scenario, mode: str | None):
        self.scenario, self.mode = scenario, mode
        self._scenes: list[Scene] = []  # not drawn yet

    def begin(self, world: World) -> None:
        """After a reset."""
        self._scenes = [self.scenario.scene(world)] if self.mode == "rgb_array_list" else []

    def step(self, world: World, before: int) -> None:
        """After a step that began at the tick `before`."""
        if self.mode == "rgb_array_list":
            self._scenes += self.scenario.scenes(world, before)

    def render(self, world: World) -> Frame:
        if self.mode is None:
            return None
        if self.mode == "rgb_array_list":
            scenes, self._scenes = self._scenes, []
            return [rgb_array(scene) for scene in scenes]
        if self.mode == "rgb_array":
            return rgb_array(self.scenario.scene(world))
        text = self.scenario.text(world)
        if self.mode == "human":
            print(text)
            return None
        return text
