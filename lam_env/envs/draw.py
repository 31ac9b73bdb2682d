"""Draws a scene: pixels through Pillow, or text for a terminal."""

from lam_env.envs.pixels import rgb_array
from lam_env.envs.terminal import ansi

__all__ = ["ansi", "rgb_array"]
