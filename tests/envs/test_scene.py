"""Scenes: palettes, measuring text, plain data, pixels and terminal text."""

import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import scene_of_data

from lam_env.envs.pixels import rgb_array
from lam_env.envs.scene import (
    PALETTES,
    ROLES,
    Circle,
    Line,
    Polygon,
    Rectangle,
    Scene,
    SceneError,
    Text,
    arc,
    contrast,
    flat,
    luminance,
    palette,
    shorten,
    text_width,
)
from lam_env.envs.signs import figure
from lam_env.envs.terminal import ansi

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)
ROLE = st.sampled_from(sorted(ROLES))
NUMBER = st.integers(0, 200).map(lambda n: n / 2)
COMMON = {"fill": ROLE | st.none(), "stroke": ROLE | st.none(), "opacity": st.sampled_from((0.25, 1.0)), "label": ASCII}
ITEM = st.one_of(
    st.builds(Rectangle, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, st.booleans(), **COMMON),
    st.builds(Line, NUMBER, NUMBER, NUMBER, NUMBER, **COMMON),
    st.builds(Circle, NUMBER, NUMBER, NUMBER, **COMMON),
    st.builds(Polygon, st.lists(st.tuples(NUMBER, NUMBER), min_size=2, max_size=6).map(tuple), st.booleans(), **COMMON),
    st.builds(Text, NUMBER, NUMBER, ASCII, st.sampled_from((8.0, 12.0)), st.sampled_from(("start", "middle", "end")),
              st.booleans(), fill=ROLE | st.none(), group=ASCII),
)  # fmt: skip
SCENE = st.builds(Scene, st.just(100.0), st.just(60.0), st.lists(ITEM, max_size=8).map(tuple), title=ASCII)


def scene(*items, width=100.0, height=50.0):
    return Scene(width, height, items)


# palettes


TEXT_ROLES = ("text", "muted", "agent", "user", "accent", "ok", "warning", "caution", "hot", "cold")
SURFACE_ROLES = ("page", "panel", "plate")


@pytest.mark.parametrize("theme", PALETTES)
def test_every_text_role_is_readable_on_every_surface(theme):
    colours = PALETTES[theme]
    low = {(t, s): contrast(colours[t], colours[s]) for t in TEXT_ROLES for s in SURFACE_ROLES}
    assert {pair: round(ratio, 2) for pair, ratio in low.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("ground", ["person0", "person1", "person2", "person3", "agent"])
def test_letters_are_readable_on_the_colours_of_people_and_agent(theme, ground):
    assert contrast(PALETTES[theme]["on_colour"], PALETTES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", PALETTES)
def test_loads_stand_out_from_a_panel(theme):
    for role in ("load_low", "load_mid", "load_high"):
        assert (
            contrast(PALETTES[theme][role], PALETTES[theme]["panel"]) >= 3
        )  # the minimum for graphics (WCAG 2.2, 1.4.11)


def test_a_scenario_brings_colours_of_its_own():
    kettle = Scene(100, 50, (Rectangle(0, 0, 100, 50, fill="copper"),), roles={"copper": ("b87333", "8c5a2b")})
    for theme, colour in (("light", (0xB8, 0x73, 0x33)), ("dark", (0x8C, 0x5A, 0x2B))):
        assert at(rgb_array(kettle, 100, theme), 50, 25) == colour
        assert palette(theme, kettle.roles) == PALETTES[theme] | {"copper": colour}
    assert scene_of_data(json.loads(json.dumps(kettle.to_json()))) == kettle
    assert "48;2;140;90;43" in ansi(kettle, colour=True)
    with pytest.raises(SceneError, match="'copper'"):
        Scene(100, 50, kettle.items)


@pytest.mark.parametrize(
    "roles", [{"copper": ("b87333",)}, {"copper": ("b87333", "red")}, {"c;": ("b87333", "8c5a2b")}]
)
def test_a_colour_that_is_none_is_refused_in_one_line(roles):
    with pytest.raises(SceneError, match="colour role") as error:
        Scene(100, 50, (), roles=roles)
    assert "\n" not in str(error.value)


def test_contrast_of_known_colours():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)  # the well-known limit on white
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)


def test_themes_have_the_same_roles():
    assert {theme: set(colours) for theme, colours in PALETTES.items()} == dict.fromkeys(PALETTES, ROLES)


# text


@given(ASCII, st.booleans())
def test_text_width_is_that_of_the_font(text, bold):
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{name}", 100)
    font_width = font.getlength(text, features=["-kern", "-liga"])
    assert text_width(text, 100, bold) == pytest.approx(font_width, abs=0.6 * len(text))


@given(ASCII, st.integers(0, 200), st.booleans())
def test_shortened_text_fits_and_begins_alike(text, width, bold):
    cut = shorten(text, 10, width, bold)
    assert cut == "" or text_width(cut, 10, bold) <= width
    assert cut == text or text.startswith(cut.removesuffix("…"))
    if text_width(text, 10, bold) <= width:
        assert cut == text


def test_anchors_move_the_box_of_a_text():
    boxes = [Text(50, 20, "hello", 10, anchor).box() for anchor in ("start", "middle", "end")]
    width = text_width("hello", 10)
    assert [b[0] for b in boxes] == pytest.approx([50, 50 - width / 2, 50 - width])
    assert all(b[2] - b[0] == pytest.approx(width) and b[1] < 20 < b[3] for b in boxes)


# data


@given(SCENE)
def test_a_scene_survives_json(picture):
    assert scene_of_data(json.loads(json.dumps(picture.to_json()))) == picture


def test_json_leaves_out_what_is_default():
    (row,) = scene(Circle(1, 2, 3, fill="sun")).to_json()["items"]
    assert row == {"kind": "circle", "x": 1, "y": 2, "radius": 3, "fill": "sun"}


def test_an_unknown_role_is_named():
    with pytest.raises(SceneError, match="'purplish'"):
        scene(Line(0, 0, 1, 1, stroke="purplish"))


def test_flat_keeps_the_order():
    a, b, c = Circle(0, 0, 1), Circle(1, 0, 1), Circle(2, 0, 1)
    assert flat(a, [b, c], (), a) == (a, b, c, a)


@given(st.integers(0, 360), st.integers(1, 360))
def test_an_arc_keeps_its_distance_and_its_ends(start, sweep):
    points = np.array(arc(5, 7, 3, start, start + sweep)) - (5, 7)
    np.testing.assert_allclose(np.hypot(*points.T), 3)
    ends = np.radians([start, start + sweep])
    np.testing.assert_allclose(points[[0, -1]], 3 * np.stack([np.cos(ends), np.sin(ends)], 1), atol=1e-9)


# pixels


def at(image, x, y):
    return tuple(int(v) for v in image[y, x])


def test_shape_follows_the_scene():
    image = rgb_array(scene(), width=320)
    assert image.shape == (160, 320, 3)
    assert image.dtype == np.uint8
    assert (image == PALETTES["dark"]["page"]).all()


@pytest.mark.parametrize("theme", PALETTES)
def test_a_rectangle_fills_its_pixels_and_no_others(theme):
    image = rgb_array(scene(Rectangle(10, 20, 30, 10, fill="warning")), width=200, theme=theme)
    inside = np.zeros((100, 200), bool)
    inside[40:60, 20:80] = True
    assert (image[inside] == PALETTES[theme]["warning"]).all()
    assert (image[~inside] == PALETTES[theme]["page"]).all()


def test_later_items_lie_on_earlier_ones():
    low, high = Rectangle(0, 0, 100, 50, fill="ok"), Circle(50, 25, 10, fill="sun")
    assert at(rgb_array(scene(low, high), 100), 50, 25) == PALETTES["dark"]["sun"]
    assert at(rgb_array(scene(high, low), 100), 50, 25) == PALETTES["dark"]["ok"]


@pytest.mark.parametrize("radius", [0, 5])
def test_opacity_blends(radius):
    image = rgb_array(scene(Rectangle(0, 0, 100, 50, radius, fill="star", opacity=0.5)), 100)
    expected = (np.array(PALETTES["dark"]["page"]) + 255) / 2
    np.testing.assert_allclose(image[25, 50], expected, atol=1.5)


def test_nothing_is_seen_at_opacity_none():
    marks = (Rectangle(0, 0, 9, 9, fill="sun", opacity=0.0), Text(5, 20, "hi", opacity=0.0))
    np.testing.assert_array_equal(rgb_array(scene(*marks), 100), rgb_array(scene(), 100))


def test_a_soft_rectangle_fades_to_its_edges():
    image = rgb_array(scene(Rectangle(0, 0, 100, 50, fill="star", soft=True)), 200).astype(int)
    along = image[50, 100:, 0]
    assert along[0] > 250
    assert (np.diff(along) <= 0).all()
    assert at(image, 0, 0) == at(image, 199, 99) == PALETTES["dark"]["page"]


def test_edges_are_smoothed():
    image = rgb_array(scene(Circle(50, 25, 20, fill="star")), 100)
    shades = set(np.unique(image[:, :, 0])) - {255, PALETTES["dark"]["page"][0]}
    assert len(shades) >= 3


def test_an_open_polygon_is_not_filled():
    corner = ((10, 10), (90, 10), (90, 40))
    image = rgb_array(scene(Polygon(corner, closed=False, fill="sun", stroke="ok", stroke_width=2)), 100)
    assert at(image, 80, 20) == PALETTES["dark"]["page"]
    assert at(image, 50, 10) == PALETTES["dark"]["ok"]


@pytest.mark.parametrize("anchor", ["start", "middle", "end"])
def test_a_text_stays_in_its_box(anchor):
    text = Text(50, 30, "Kitchen", 12, anchor)
    changed = (rgb_array(scene(text), 400) != PALETTES["dark"]["page"]).any(axis=2)
    rows, columns = np.nonzero(changed)
    left, top, right, bottom = (4 * v for v in text.box())
    assert len(rows) > 200
    assert left - 4 <= columns.min() < left + 12
    assert right - 12 < columns.max() <= right + 4
    assert top - 2 <= rows.min()
    assert rows.max() <= bottom + 2


@given(SCENE)
def test_any_scene_can_be_drawn_and_twice_alike(picture):
    first = rgb_array(picture, 60)
    assert first.shape == (36, 60, 3)
    np.testing.assert_array_equal(first, rgb_array(picture, 60))


@pytest.mark.parametrize("draw", [rgb_array, ansi])
def test_an_unknown_theme_is_refused(draw):
    with pytest.raises(ValueError, match="no theme 'sepia'"):
        draw(scene(), theme="sepia")


def test_sizes_that_hold_nothing_are_refused():
    with pytest.raises(ValueError, match="width 0"):
        rgb_array(scene(), width=0)
    with pytest.raises(ValueError, match="19 columns"):
        ansi(scene(), columns=19)


# terminal


def box(x, y, width, height, **more):
    return Rectangle(x, y, width, height, stroke="muted", group="rooms", **more)


def test_rooms_and_names_in_a_terminal():
    picture = scene(
        box(0, 0, 50, 45), box(50, 0, 49, 45), Text(25, 26, "hall", 8, "middle"), Text(75, 26, "attic", 8, "middle")
    )
    lines = ansi(picture, columns=30).splitlines()
    assert lines[0] == "┌──────────────┬─────────────┐"
    assert lines[5] == "│     hall     │    attic    │"
    assert lines[11] == "└──────────────┴─────────────┘"


def test_lines_that_belong_together_stay_in_order():
    words = ["first", "second", "third", "fourth"]
    picture = scene(box(0, 0, 99, 49), *(Text(5, 12 + 3 * i, w, 6) for i, w in enumerate(words)))
    rows = [line.strip("│ ") for line in ansi(picture, columns=30).splitlines()]
    assert [row for row in rows if row in words] == words


def test_what_finds_no_room_stands_below():
    picture = scene(
        box(0, 0, 30, 49), Text(3, 20, "a very long sentence", 8, group="notes"),
        Circle(60, 20, 3, fill="sun", label="the sun", group="sky"),
    )  # fmt: skip
    lines = ansi(picture, columns=30).splitlines()
    assert "notes: a very long sentence" in lines
    assert "sky: the sun" in lines
    assert any("…" in line for line in lines)


@given(st.lists(st.tuples(NUMBER, NUMBER, st.text("abcdefg", min_size=2, max_size=9)), max_size=9))
def test_every_text_can_be_read(texts):
    picture = scene(box(20, 10, 60, 30), *(Text(x, y, word, 7, group="g") for x, y, word in texts))
    drawn = " ".join(ansi(picture, columns=40).split())
    for _, _, word in texts:
        assert word in drawn


FIGURE = st.tuples(st.text("abcdef", min_size=2, max_size=9), st.integers(10, 10**8).map(str))


@given(st.lists(FIGURE, min_size=1, max_size=6, unique_by=(lambda f: f[0], lambda f: f[1])), st.integers(24, 90))
def test_a_figure_is_never_parted_from_its_name(cells, columns):
    cards = (box(40, 4, 55, 40), Text(42, 10, "Figures", 4))
    figures = (figure(42 + 18 * (i % 3), 16 + 12 * (i // 3), *cell, 99.0, gap=6) for i, cell in enumerate(cells))
    drawn = ansi(scene(*cards, *itertools.chain(*figures)), columns)
    words = re.split(r"[\s│;]+", drawn)
    assert "…" not in drawn
    assert sorted(words.count(word) for cell in cells for word in cell) == [1] * 2 * len(cells)
    alone = [value for name, value in cells if f"{name} {value}" not in " ".join(drawn.replace("│", "").split())]
    lines = (line.split("│")[1].split() for line in drawn.splitlines() if line.count("│") == 2)
    rows = [row for row in lines if row]
    for value in alone:  # it stands under its name
        above, row = next(pair for pair in itertools.pairwise(rows) if value in pair[1])
        assert above[row.index(value)] == dict(map(reversed, cells))[value]


def test_colour_changes_no_letter_and_stays_readable():
    picture = scene(Rectangle(0, 0, 100, 50, fill="star"), Text(50, 25, "hello", 10, "middle", fill="star"))
    plain, coloured = ansi(picture, columns=40), ansi(picture, columns=40, colour=True)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()
    back, front = re.search(r"48;2;(\d+;\d+;\d+);38;2;(\d+;\d+;\d+)m[^\x1b]*hello", coloured).groups()
    assert contrast(*(tuple(int(v) for v in part.split(";")) for part in (back, front))) >= 4.5
