"""What holds for the picture of every scenario: checks of a `Scene` that their tests share."""

import dataclasses
import itertools
import json

import numpy as np
from patience import calls

from lam_env.envs.pixels import rgb_array
from lam_env.envs.scene import Circle, Line, Polygon, Rectangle, Scene, Text, contrast, palette

KINDS = {kind.__name__.lower(): kind for kind in (Rectangle, Line, Circle, Polygon, Text)}
LEAST = 4.5  # contrast of a text to its ground: WCAG 2.1, AA


def scene_of_data(data):
    """The scene of which `Scene.to_json` made this."""
    items = []
    for row in data["items"]:
        fields = {name: value for name, value in row.items() if name != "kind"}
        if row["kind"] == "polygon":
            fields["points"] = tuple((x, y) for x, y in row["points"])
        items.append(KINDS[row["kind"]](**fields))
    roles = {role: tuple(pair) for role, pair in data["roles"].items()}
    return Scene(**{**data, "items": tuple(items), "roles": roles})


def _overlap(a, b):
    (al, at, ar, ab), (bl, bt, br, bb) = a.box(), b.box()
    return min(ar, br) - max(al, bl) > 0.5 and min(ab, bb) - max(at, bt) > 0.5


def texts_have_room(picture):
    """They never lie on each other, nor beyond the edge."""
    texts = [text for text in picture.texts() if text.text]
    assert [(a.text, b.text) for a, b in itertools.combinations(texts, 2) if _overlap(a, b)] == []
    for text in texts:
        left, top, right, bottom = text.box()
        assert 0 <= left <= right <= picture.width, text
        assert 0 <= top <= bottom <= picture.height, text


def cards_around(text, cards):
    """Those of the cards (rectangles) that hold a text whole."""
    left, top, right, bottom = text.box()
    return [c for c in cards if c.x <= left and right <= c.x + c.width and c.y <= top and bottom <= c.y + c.height]


def is_plain_data(picture, most):
    """It is the same after being written as JSON of at most so many characters."""
    assert len(json.dumps(picture.to_json())) < most
    again = scene_of_data(picture.to_json())
    assert again.to_json() == picture.to_json()
    assert [t.text for t in again.texts()] == [t.text for t in picture.texts()]


def texts_are_readable(picture, theme):
    bare = dataclasses.replace(picture, items=tuple(i for i in picture.items if not isinstance(i, Text)))
    ground = rgb_array(bare, 960, theme)
    weak, colours = [], palette(theme, picture.roles)
    for text in picture.texts():
        left, top, right, bottom = (round(v) for v in text.box())
        behind = tuple(ground[top:bottom, left:right].reshape(-1, 3).mean(0))
        ratio = contrast(colours[text.fill or "text"], behind)
        if ratio < LEAST:
            weak.append((text.text, round(ratio, 2)))
    assert weak == []


def takes_little(scene_of, shown, building, drawing):
    """Once fonts and such are loaded, it takes at most so many calls of functions."""
    picture = scene_of(shown)
    rgb_array(picture, 960)
    assert calls(lambda: scene_of(shown)) < building
    assert calls(lambda: rgb_array(picture, 960)) < drawing


def is_drawn_alike(scene_of, shown):
    first, second = (rgb_array(scene_of(shown)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
