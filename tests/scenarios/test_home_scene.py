"""The smart home's floor plans and pictures."""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.smart_home import floorplan
from lam_env.scenarios.smart_home.floorplan import (
    HEIGHT,
    OUTSIDE,
    WIDTH,
    adjacency,
    doors,
    entrance,
    layout,
    rooms,
)
from lam_env.scenarios.smart_home.picture.scene import home_scene
from lam_env.scenarios.smart_home.picture.view import DeviceView, HomeEventView, HomeView, PersonView
from pictures import cards_around, is_drawn_alike, is_plain_data, takes_little, texts_are_readable, texts_have_room

from lam_env.envs.pixels import rgb_array
from lam_env.envs.scene import PALETTES, Rectangle
from lam_env.envs.terminal import ansi

SIZES = range(4, 9)
DOOR = 0.9  # [m], width of a door

# floor plans


@pytest.mark.parametrize("n", SIZES)
def test_rooms_fill_the_home_without_overlap(n):
    plan = layout(n)
    assert tuple(plan) == rooms(n) == floorplan.ROOMS[:n]
    assert sum(r.width * r.height for r in plan.values()) == pytest.approx(WIDTH * HEIGHT)
    for a, b in itertools.combinations(plan.values(), 2):
        wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        deep = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        assert min(wide, deep) < 1e-6
    assert all(r.x >= 0 and r.y >= 0 for r in plan.values())
    assert all(r.x + r.width <= WIDTH + 1e-6 and r.y + r.height <= HEIGHT + 1e-6 for r in plan.values())


@pytest.mark.parametrize("n", SIZES)
def test_doors_lie_in_the_shared_wall(n):
    plan = layout(n)
    assert set(doors(n)) == adjacency(n) | {(OUTSIDE, entrance(n))}
    for (a, b), door in doors(n).items():
        for room in {a, b} - {OUTSIDE}:
            r = plan[room]
            across, along = (door.x, door.y) if door.upright else (door.y, door.x)
            sides = (r.x, r.x + r.width) if door.upright else (r.y, r.y + r.height)
            low, size = (r.y, r.height) if door.upright else (r.x, r.width)
            assert min(abs(across - side) for side in sides) < 1e-6, (a, b)
            assert low + DOOR / 2 <= along <= low + size - DOOR / 2, (a, b)


def test_homes_of_four_have_no_hall():
    assert "hall" not in layout(4)
    assert [entrance(n) for n in SIZES] == ["living", "hall", "hall", "hall", "hall"]


@pytest.mark.parametrize("call", [lambda: layout(3), lambda: adjacency(9)])
def test_homes_that_do_not_exist_are_refused(call):
    with pytest.raises(ValueError, match="floor plan"):
        call()


# views


def devices(n, **states):
    door = entrance(n)
    places = {"tv": "living", "music": "living", "kettle": "kitchen", "dishwasher": "kitchen", "lock": door}
    places |= {"alarm": door, "thermostat": door, "washer": "laundry" if n == 8 else "bathroom"}
    rest = {"lock": "locked", "thermostat": "21.0"}
    found = [DeviceView(k, room, states.get(k, rest.get(k, "off"))) for k, room in places.items()]
    windows = [room for room in rooms(n) if room in ("bedroom", "living", "study", "nursery")]
    return (*found, *(DeviceView("blinds", room, states.get("blinds", "open")) for room in windows))


def view(n=6, **more):
    states = more.pop("states", {})
    settings = {"clock": "Tue 18:42", "hour": 18.7, "sun": 0.0, "outdoor": 7.4, "indoor": 21.3} | more
    return HomeView(rooms(n), devices=devices(n, **states), **settings)


NAMES = st.sampled_from(["Anna", "Bo", "Christopher", "Maximiliana Alexandra", "Wu", "Émile"])
DOING = st.sampled_from(["", "cooking", "watching television with a friend", "getting ready for bed", "toilet"])


@st.composite
def views(draw):
    n = draw(st.sampled_from(SIZES))
    here = rooms(n)
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    crowd = draw(st.booleans())
    room = draw(st.sampled_from(here))
    people = tuple(
        PersonView(
            name,
            room if crowd else draw(st.sampled_from((None, *here))),
            draw(DOING),
            draw(st.booleans()),
            draw(st.sampled_from((None, 0.0, 0.4, 1.0))),
            draw(st.sampled_from(("", "relaxed", "absolutely furious"))),
        )
        for name in names
    )
    event = st.builds(
        HomeEventView, st.just("18:42"), st.sampled_from((*names, "agent", "clock")), DOING.filter(bool),
        st.sampled_from(("", "accepted", "overridden", "missed")),
    )  # fmt: skip
    return HomeView(
        here,
        draw(st.sampled_from(("Tue 18:42", "Wed 00:00"))),
        draw(st.sampled_from((0.0, 7.5, 12.0, 18.9, 23.9))),
        draw(st.sampled_from((0.0, 0.25, 1.0))),
        draw(st.sampled_from((-21.5, 3.0, 35.0))),
        21.3,
        lights={r: draw(st.integers(0, 2)) for r in here},
        temperatures=dict.fromkeys(here, 20.9) if draw(st.booleans()) else {},
        people=people,
        devices=devices(
            n, tv="on", music="on", kettle="hot", dishwasher=draw(st.sampled_from(("ready", "running"))),
            blinds=draw(st.sampled_from(("open", "closed"))), alarm="armed",
            thermostat=draw(st.sampled_from(("19.5", "eco", "normal"))),
        ),
        automation=draw(st.booleans()),
        tariff=draw(st.sampled_from((None, 0.34))),
        tariff_level=draw(st.sampled_from(("", "low", "normal", "high"))),
        energy=draw(st.sampled_from((0.0, 1234.5))),
        cost=draw(st.sampled_from((None, 512.33))),
        score=draw(st.sampled_from((None, -1234.5))),
        events=tuple(draw(st.lists(event, max_size=7))),
        action=draw(st.sampled_from(("", "living light dim", "set the heating of the whole house to nineteen"))),
        action_room=draw(st.sampled_from(("", *here))),
    )  # fmt: skip


@given(views())
def test_texts_never_overlap_and_stay_in_the_picture(shown):
    texts_have_room(home_scene(shown))


@given(views())
def test_every_card_holds_its_texts(shown):
    picture = home_scene(shown)
    cards = [i for i in picture.items if isinstance(i, Rectangle) and i.group == "panel"]
    assert len(cards) == 4
    assert all(b.y - (a.y + a.height) >= 4 for a, b in itertools.pairwise(cards))
    for text in picture.texts():
        left, top, _, _ = text.box()
        if left > cards[0].x and top > cards[0].y:
            assert len(cards_around(text, cards)) == 1, text


@given(views())
def test_every_device_and_lamp_is_in_the_picture(shown):
    labels = " | ".join(item.label for item in home_scene(shown).items)
    for device in shown.devices:
        word = {"lock": "front door", "alarm": "alarm"}.get(device.kind, f"{device.room} {device.kind}")
        assert f"{word} {device.state}" in labels
    for room, level in shown.lights.items():
        assert f"{room} light {('off', 'dim', 'on')[level]}" in labels


@settings(max_examples=15)
@given(views())
def test_pictures_are_plain_data(shown):
    is_plain_data(home_scene(shown), 200_000)


@pytest.mark.parametrize("change", [
    {"people": (PersonView("Anna", "attic"),)},
    {"people": tuple(PersonView(name, None) for name in "ABCDE")},
    {"devices": (DeviceView("tv", "attic", "on"),)},
    {"devices": (DeviceView("sauna", "bathroom", "on"),)},
    {"rooms": ("kitchen", "bedroom")},
    {"rooms": ("kitchen", "bedroom", "hall", "living")},
])  # fmt: skip
def test_views_of_impossible_homes_are_refused(change):
    with pytest.raises(ValueError, match=r"home view|floor plan"):
        dataclasses.replace(view(), **change)


# what is shown

EVENING = {
    "people": (
        PersonView("Anna", "living", "watching TV", trust=0.8),
        PersonView("Ben", "bedroom", "asleep", True, 0.3),
    ),
    "lights": {"living": 1, "kitchen": 2},
    "events": (
        HomeEventView("18:41", "agent", "living light dim", "accepted"),
        HomeEventView("18:40", "Anna", "TV on"),
    ),
    "states": {"tv": "on", "kettle": "hot"},
    "action": "living light dim",
    "action_room": "living",
}


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("sun", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("n", [4, 8])
def test_every_text_is_readable_where_it_stands(theme, sun, n):
    texts_are_readable(home_scene(view(n, sun=sun, **EVENING)), theme)


def pixels(room, shown, n=6, theme="dark"):
    """The floor of a room as drawn: its middle, without its walls and its furniture."""
    r, image = layout(n)[room], rgb_array(home_scene(shown), 960, theme)
    x, y, w, h = (round(54 * v) for v in r)
    return image[82 + y + round(0.6 * h) : 82 + y + round(0.9 * h), 30 + x + 10 : 30 + x + w - 10].astype(float)


def test_light_makes_a_room_brighter_and_warmer():
    off, dim, on = (pixels("study", view(lights={"study": level})) for level in (0, 1, 2))
    assert off.mean() + 20 < dim.mean() < on.mean() - 20
    assert (off[..., 0] - off[..., 2]).mean() < (on[..., 0] - on[..., 2]).mean() - 20


def test_day_lights_the_rooms_and_blinds_darken_them():
    night, day = pixels("study", view(sun=0.0)), pixels("study", view(sun=1.0, hour=12.0))
    closed = pixels("study", view(sun=1.0, hour=12.0, states={"blinds": "closed"}))
    assert night.mean() + 40 < closed.mean() < day.mean() - 15


@pytest.mark.parametrize("states", [
    {"tv": "on"}, {"music": "on"}, {"kettle": "hot"}, {"dishwasher": "running"}, {"dishwasher": "ready"},
    {"washer": "running"}, {"lock": "unlocked"}, {"alarm": "armed"}, {"thermostat": "17.0"}, {"blinds": "closed"},
])  # fmt: skip
@pytest.mark.parametrize("n", [4, 8])
def test_every_device_looks_different_in_another_state(n, states):
    before, after = rgb_array(home_scene(view(n, sun=1.0))), rgb_array(home_scene(view(n, sun=1.0, states=states)))
    assert (before != after).any(axis=2).sum() > 15


def lock_colour(shown):
    return next(i.stroke for i in home_scene(shown).items if i.label.startswith("front door"))


def test_an_open_door_of_an_empty_home_is_a_warning():
    out, at_home = (PersonView("Anna", None),), (PersonView("Anna", "hall"),)
    assert lock_colour(view(people=out, states={"lock": "unlocked"})) == "warning"
    assert lock_colour(view(people=at_home, states={"lock": "unlocked"})) == "caution"
    assert lock_colour(view(people=out)) == "ok"


def test_people_are_named_where_they_are():
    picture = home_scene(view(8, people=(PersonView("Anna", "study", "reading"), PersonView("Ben", None, "at work"))))
    plan = layout(8)["study"]
    (anna,) = [t for t in picture.texts() if t.text == "Anna" and t.x < 700]
    assert plan.x <= (anna.x - 30) / 54 <= plan.x + plan.width
    assert plan.y <= (anna.y - 82) / 54 <= plan.y + plan.height
    assert "Ben: at work" in {t.text for t in picture.texts() if t.y > 82 + 54 * HEIGHT}


def test_the_agents_act_is_framed_and_told():
    told = home_scene(view(**EVENING))
    quiet = home_scene(view(**EVENING | {"action": "", "action_room": ""}))

    def frames(picture):
        return [i for i in picture.items if isinstance(i, Rectangle) and i.stroke == "agent"]

    assert (len(frames(told)), len(frames(quiet))) == (1, 0)
    assert {t.text for t in told.texts() if t.group == "Agent"} == {"Agent", "on", "living light dim"}
    assert "waits" in {t.text for t in quiet.texts()}
    assert "switched off" in {t.text for t in home_scene(view(automation=False)).texts()}


def test_at_most_five_events_are_shown():
    events = tuple(HomeEventView(f"18:{i:02}", "clock", f"thing {i}") for i in range(9))
    shown = [t.text for t in home_scene(view(events=events)).texts() if t.text.startswith("thing")]
    assert shown == [f"thing {i}" for i in range(5)]


def test_sun_by_day_and_moon_by_night():
    def labels(hour, sun):
        return {i.label for i in home_scene(view(hour=hour, sun=sun)).items}

    assert "sun" in labels(12.0, 1.0)
    assert "moon" in labels(2.0, 0.0)
    assert not {"sun", "moon"} <= labels(12.0, 1.0)


def test_the_terminal_tells_the_same():
    drawn = " ".join(ansi(home_scene(view(**EVENING)), columns=100).split())
    there = ("Tue 18:42", "7.4 °C outside", "Kitchen", "Anna", "watching TV", "18:41", "living tv on", "Ben asleep")
    assert [words for words in (*there, "kitchen light on", "21.3 °C") if words not in drawn] == []


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_no_figure_is_cut_in_a_terminal(columns):
    shown = view(tariff=0.34, tariff_level="normal", power=1.23, energy=123.4, cost=12.5, score=-112.5, **EVENING)
    drawn = ansi(home_scene(shown), columns)
    picture, told = drawn.split("sky: ")
    told = " ".join(told.split())
    for name, value in (
        ("indoors", "21.3 °C"), ("power", "1.23 kW"), ("tariff, normal", "0.34"),
        ("energy", "123.4 kWh"), ("cost", "12.50"), ("return", "-112.5"),
    ):  # fmt: skip
        assert (f"{name} {value}" in told) != (name in picture and value in picture), name


def test_drawing_takes_little():
    takes_little(home_scene, view(8, **EVENING), 6_000, 16_000)


def test_one_view_gives_one_picture():
    is_drawn_alike(home_scene, view(8, **EVENING))
