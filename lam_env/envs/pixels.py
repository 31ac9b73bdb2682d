"""A scene as pixels, through Pillow."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lam_env.envs.scene import RGB, Circle, Item, Line, Polygon, Rectangle, Scene, Text, palette

Colour = tuple[int, ...]  # RGB, or RGBA
SMOOTH = 2  # pixels drawn per pixel shown, along each side


@lru_cache(maxsize=256)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), size)


@lru_cache(maxsize=64)
def _glow(strength: int) -> Image.Image:
    """Opacity of a soft rectangle: `strength` in the middle, falling as (1 - d^2)^2 to none at the ellipse in it."""
    along = np.linspace(-1, 1, 65) ** 2
    far = np.minimum(1.0, along[:, None] + along[None, :])
    return Image.fromarray((strength * (1 - far) ** 2).astype(np.uint8))


class _Painter:
    """Paints items on an image `scale` times the scene's size."""

    def __init__(self, image: Image.Image, colours: dict[str, RGB], scale: float):
        self.image, self.colours, self.scale = image, colours, scale
        # On an RGB image the mode "RGBA" blends by opacity, at five times the cost of plain painting.
        self.plain, self.blending = ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA")
        self.draw = self.plain

    def paint(self, item: Item) -> None:
        if item.opacity <= 0:
            return
        self.draw = self.plain if item.opacity >= 1 else self.blending
        fill, stroke = self._colour(item.fill, item.opacity), self._colour(item.stroke, item.opacity)
        width = max(1, round(item.stroke_width * self.scale))
        if isinstance(item, Text):
            self._text(item, self._colour(item.fill or "text", item.opacity))
        elif isinstance(item, Rectangle):
            self._rectangle(item, fill, stroke, width)
        elif isinstance(item, Circle):
            self._circle(item, fill, stroke, width)
        elif isinstance(item, Line):
            self._stroke([(item.x1, item.y1), (item.x2, item.y2)], stroke, width, item.opacity >= 1)
        else:
            self._polygon(item, fill, stroke, width)

    def _colour(self, role: str | None, opacity: float) -> Colour | None:
        if role is None:
            return None
        colour = self.colours[role]
        return colour if opacity >= 1 else (*colour, round(255 * opacity))

    def _rectangle(self, item: Rectangle, fill: Colour | None, stroke: Colour | None, width: int) -> None:
        k = self.scale
        left, top = round(item.x * k), round(item.y * k)
        right, bottom = round((item.x + item.width) * k) - 1, round((item.y + item.height) * k) - 1
        if right < left or bottom < top:
            return
        size = right - left + 1, bottom - top + 1
        radius, width = min(item.radius * k, (size[0] - 1) / 2, (size[1] - 1) / 2), width if stroke else 0
        if item.soft:
            self._veil(item, (left, top), _glow(round(item.opacity * 255)).resize(size))
        elif radius >= 1:
            self.draw.rounded_rectangle((left, top, right, bottom), radius, fill, stroke, width)
        elif item.opacity < 1 and not stroke:
            self._veil(item, (left, top), Image.new("L", size, round(item.opacity * 255)))
        else:
            self.draw.rectangle((left, top, right, bottom), fill, stroke, width)

    def _veil(self, item: Rectangle, corner: tuple[int, int], mask: Image.Image) -> None:
        if item.fill:
            self.image.paste(self.colours[item.fill], corner, mask)

    def _circle(self, item: Circle, fill: Colour | None, stroke: Colour | None, width: int) -> None:
        x, y, r = item.x * self.scale, item.y * self.scale, item.radius * self.scale
        if r > 0:
            self.draw.ellipse((x - r, y - r, x + r, y + r), fill, stroke, width if stroke else 0)

    def _polygon(self, item: Polygon, fill: Colour | None, stroke: Colour | None, width: int) -> None:
        if item.closed and fill:
            self.draw.polygon([(x * self.scale, y * self.scale) for x, y in item.points], fill)
        if stroke:
            points = [*item.points, item.points[0]] if item.closed else list(item.points)
            self._stroke(points, stroke, width, item.opacity >= 1)

    def _stroke(self, points: list[tuple[float, float]], stroke: Colour | None, width: int, round_ends: bool) -> None:
        if not stroke:
            return
        scaled = [(x * self.scale, y * self.scale) for x, y in points]
        self.draw.line(scaled, stroke, width, "curve" if len(scaled) > 2 else None)
        if round_ends and width > 2:  # Pillow cuts lines off square; a web page is asked for round ends too
            for x, y in (scaled[0], scaled[-1]):
                r = width / 2 - 0.5
                self.draw.ellipse((x - r, y - r, x + r, y + r), stroke)

    def _text(self, item: Text, fill: Colour | None) -> None:
        if item.text and fill:
            font = _font(max(4, round(item.size * self.scale)), item.bold)
            anchor = {"start": "ls", "middle": "ms", "end": "rs"}[item.anchor]
            self.draw.text((item.x * self.scale, item.y * self.scale), item.text, fill, font, anchor)


def rgb_array(scene: Scene, width: int = 960, theme: str = "dark") -> np.ndarray:
    """The scene as pixels (H, W, 3) uint8; H follows from the scene's shape."""
    colours = palette(theme, scene.roles)
    if width < 1:
        raise ValueError(f"draw: width {width}; a picture has at least one pixel")
    height = max(1, round(width * scene.height / scene.width))
    image = Image.new("RGB", (width * SMOOTH, height * SMOOTH), colours[scene.background])
    painter = _Painter(image, colours, width * SMOOTH / scene.width)
    for item in scene.items:
        painter.paint(item)
    return np.array(image.reduce(SMOOTH))
