"""The picture of traffic."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lam_env.scenarios.traffic.picture.roads import band, load_role
from lam_env.scenarios.traffic.picture.scene import traffic_scene
from lam_env.scenarios.traffic.picture.text import traffic_text
from lam_env.scenarios.traffic.picture.view import (
    ChartView,
    CountsView,
    FiguresView,
    LinkView,
    NodeView,
    TrafficEventView,
    TrafficView,
    TravellerView,
    VehicleView,
)
from lam_env.scenarios.traffic.roads import synthetic
from pictures import cards_around, is_drawn_alike, is_plain_data, takes_little, texts_are_readable, texts_have_room

from lam_env.envs.pixels import rgb_array
from lam_env.envs.scene import PALETTES, Circle, Polygon, Rectangle, Scene, Text, contrast, palette
from lam_env.envs.terminal import ansi

NETWORKS = {
    "corridor": synthetic.corridor,
    "bottleneck": synthetic.bottleneck,
    "two_route": synthetic.two_route,
    "braess": synthetic.braess,
    **{f"grid_{n}": lambda n=n: synthetic.grid_network(n) for n in range(2, 6)},
}
NAMES = {
    "corridor": ("main road", "bridge", "slow road", "bus"),
    "bottleneck": ("entry road", "tunnel"),
    "two_route": ("main road", "", "side road", ""),
    "braess": ("north-west", "south-west", "", "link road", ""),
}


def town():
    """24 crossings, irregularly placed, with roads each way between near ones: the size of Sioux Falls."""
    at = [(i * 0.7549 % 1, i * 0.5698 % 1) for i in range(24)]
    near = [sorted(range(24), key=lambda k, i=i: math.dist(at[i], at[k]))[1:4] for i in range(24)]
    pairs = sorted({(i, k) for i in range(24) for k in near[i]} | {(k, i) for i in range(24) for k in near[i]})
    return tuple(NodeView(x, y, str(i + 1)) for i, (x, y) in enumerate(at)), tuple(LinkView(a, b) for a, b in pairs)


def parts(name):
    """Nodes and links of a network by name."""
    if name == "town":
        return town()
    net = NETWORKS[name]()
    words = NAMES.get(name, ("",) * net.links)
    ends = {0: ("Home", "home"), 1: ("Work", "work")} if name in NAMES else {}
    nodes = tuple(
        NodeView(float(x), float(y), *ends.get(i, (str(i + 1), "crossing"))) for i, (x, y) in enumerate(net.xy)
    )
    links = tuple(
        LinkView(int(net.tail[i]), int(net.head[i]), net.mode[i], words[i], free_time=float(net.free_flow_time[i]),
                 time=float(net.free_flow_time[i]), capacity=float(net.capacity[i]))
        for i in range(net.links)
    )  # fmt: skip
    return nodes, links


ALL = (*NETWORKS, "town")


def view(name="corridor", link=None, **more):
    """A view; `link` maps indices to changes of links."""
    nodes, links = parts(name)
    links = tuple(dataclasses.replace(a, **(link or {}).get(i, {})) for i, a in enumerate(links))
    return TrafficView(name, nodes, links, **{"clock": "Tue 07:42", "hour": 7.7, "day": 12, "days": 60} | more)


PEAK = {
    "link": {0: {"load": 0.55}, 1: {"load": 1.15, "queue": 46, "time": 24.0}, 2: {"load": 0.2}, 3: {"load": 0.7}},
    "vehicles": (VehicleView(0, 0.4), VehicleView(2, 0.5, advised=True), VehicleView(3, 0.3, "bus", 23)),
    "traveller": TravellerView("Mara", "car, 07:20", "bus, 07:48", "takes the bus", "accepted", 0.72, (0, 1), (3,)),
    "counts": CountsView(118, 91, 17, 74),
    "figures": FiguresView(41.2, 44.8, 9.4, 61, 0.63, {"car": 0.71, "bus": 0.29}),
    "events": (
        TrafficEventView("07:42", "agent", "bus 07:48 to Mara", "accepted"),
        TrafficEventView("07:41", "Jon", "leaves by car"),
        TrafficEventView("07:40", "agent", "earlier to Lea", "refused"),
    ),
    "chart": ChartView(6.0, (0, 2, 9, 21, 28), (1, 3, 12, 25, 30, 12, 4), (0.0, 0.0, 4.0, 20.0, 46.0), (8.5, 9.0)),
}

WORDS = st.sampled_from(
    ["", "bus, 07:48", "car over the main road and the old bridge, leaving 20 minutes earlier than usual"]
)
WHO = st.sampled_from(["Mara", "Maximiliana Alexandra", "Wu", "agent"])
SERIES = st.lists(st.integers(0, 3000), max_size=60).map(tuple)


@st.composite
def views(draw):
    nodes, links = parts(draw(st.sampled_from(ALL)))
    n = len(links)
    busy = st.tuples(st.sampled_from((0.0, 0.4, 0.8, 1.0, 1.6)), st.sampled_from((0, 0, 1, 30, 4000)), st.booleans())
    states = draw(st.lists(busy, min_size=n, max_size=n))
    late = draw(st.sampled_from((0.0, 0.3, 99.0)))
    links = tuple(
        dataclasses.replace(a, load=load, queue=queue, closed=closed, time=a.time and a.time + late)
        for a, (load, queue, closed) in zip(links, states, strict=True)
    )
    people = draw(st.sampled_from((None, 0, 12345)))
    some = st.lists(st.integers(0, n - 1), max_size=4).map(tuple)
    vehicle = st.builds(VehicleView, st.integers(0, n - 1), st.sampled_from((0.0, 0.45, 0.5, 1.0)),
                        st.sampled_from(("car", "bus")), st.sampled_from((1, 23, 100)), st.booleans())  # fmt: skip
    tone = st.sampled_from(("", "accepted", "refused", "ignored"))
    traveller = st.builds(
        TravellerView,
        WHO,
        WORDS,
        WORDS,
        WORDS,
        tone,
        st.sampled_from((None, 0.0, 0.5, 1.0)),
        some,
        some,
        st.sampled_from(("", "06:41")),
    )
    number = st.sampled_from((None, 0.0, 44.8, 1234.5))
    figures = st.builds(FiguresView, number, number, number, st.sampled_from((None, 0, 12345)),
                        st.sampled_from((None, 0.0, 1.0)),
                        st.sampled_from(({}, {"car": 1.0}, {"car": 0.7, "bus": 0.25, "bicycle": 0.05})))  # fmt: skip
    chart = st.builds(ChartView, st.sampled_from((0.0, 6.0, 17.25)), SERIES, SERIES, SERIES,
                      st.sampled_from((None, (8.5, 9.0), (6.0, 6.2), (20.0, 21.0))), SERIES)  # fmt: skip
    event = st.builds(TrafficEventView, st.just("07:42"), WHO, WORDS.filter(bool), tone)
    count = st.sampled_from((0, 7, 99999))
    return TrafficView(
        draw(st.sampled_from(("corridor", "The traffic of a city with a very long name indeed"))),
        tuple(dataclasses.replace(node, people=people) for node in nodes),
        links,
        draw(st.sampled_from(("Tue 07:42", "Wed 00:00"))),
        draw(st.sampled_from((0.0, 6.0, 7.5, 12.75, 19.5, 23.9))),
        draw(st.sampled_from((1, 1000))),
        1000,
        vehicles=tuple(draw(st.lists(vehicle, max_size=12))),
        traveller=draw(st.none() | traveller),
        counts=draw(st.builds(CountsView, count, count, count, count)),
        figures=draw(figures),
        events=tuple(draw(st.lists(event, max_size=9))),
        chart=draw(st.none() | chart),
    )


# any view


def corners(item):
    if isinstance(item, Rectangle):
        return [] if item.soft else [(item.x, item.y), (item.x + item.width, item.y + item.height)]
    if isinstance(item, Circle):
        r = item.radius
        return [(item.x - r, item.y - r), (item.x + r, item.y + r)]
    return list(item.points) if isinstance(item, Polygon) else [(item.x1, item.y1), (item.x2, item.y2)]


@settings(max_examples=50)
@given(views())
def test_texts_never_overlap_and_nothing_leaves_the_picture(shown):
    picture = traffic_scene(shown)
    texts_have_room(picture)
    for item in picture.items:
        if not isinstance(item, Text) and item.fill != "dark":  # the roofs of the horizon run on beyond the edge
            for x, y in corners(item):
                assert -1 <= x <= picture.width + 1, item
                assert -1 <= y <= picture.height + 1, item


@settings(max_examples=50)
@given(views())
def test_every_card_holds_its_texts(shown):
    picture = traffic_scene(shown)
    cards = [i for i in picture.items if isinstance(i, Rectangle) and i.group in ("map", "chart", "panel") and i.stroke]
    assert len(cards) == 6
    for text in picture.texts():
        assert len(cards_around(text, cards)) == (text.group != "sky"), text


@settings(max_examples=15)
@given(views())
def test_pictures_are_plain_data(shown):
    is_plain_data(traffic_scene(shown), 500_000)


@settings(max_examples=15)
@given(views(), st.sampled_from((40, 80, 120)))
def test_any_view_can_be_written_in_a_terminal(shown, columns):
    lines = ansi(traffic_scene(shown), columns).splitlines()
    assert max(map(len, lines)) <= columns
    assert shown.clock in "\n".join(lines)


@settings(max_examples=40)
@given(views(), st.sampled_from((60, 80, 120)))
def test_any_view_fits_into_80_columns_and_24_lines_as_text(shown, columns):
    lines = traffic_text(shown, columns).splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 24
    assert lines[0].startswith(shown.clock)
    assert f"{shown.counts.at_home} at home" in lines[2]


def test_a_terminal_that_is_too_narrow_is_refused():
    with pytest.raises(ValueError, match="59 columns; it needs at least 60"):
        traffic_text(view(), 59)


@pytest.mark.parametrize("change", [
    {"nodes": ()},
    {"nodes": (NodeView(0, 0, kind="castle"),)},
    {"links": (LinkView(0, 7),)},
    {"links": (LinkView(1, 1),)},
    {"links": (LinkView(0, 1, "tram"),)},
    {"vehicles": (VehicleView(4, 0.5),)},
    {"vehicles": (VehicleView(0, 0.5, "tank"),)},
    {"traveller": TravellerView("Mara", "car", tone="angry")},
    {"traveller": TravellerView("Mara", "car", habit_links=(9,))},
    {"chart": ChartView(6.0, (1,) * 300)},
])  # fmt: skip
def test_impossible_views_are_refused(change):
    with pytest.raises(ValueError, match="traffic view"):
        dataclasses.replace(view(), **change)


# what is shown


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("hour", [2.0, 6.5, 12.0])
@pytest.mark.parametrize("name", ["corridor", "grid_4", "town"])
def test_every_text_is_readable_where_it_stands(theme, hour, name):
    texts_are_readable(traffic_scene(view(name, hour=hour, **PEAK)), theme)


@pytest.mark.parametrize("theme", PALETTES)
def test_loads_and_vehicles_stand_out_from_the_ground_and_letters_from_buses(theme):
    colours = palette(theme, traffic_scene(view()).roles)
    for ground in ("panel", "land"):
        for role in ("load_low", "load_mid", "load_high", "transit", "vehicle"):
            assert contrast(colours[role], colours[ground]) >= 3  # the minimum for graphics (WCAG 2.2, 1.4.11)
    assert contrast(colours["on_colour"], colours["transit"]) >= 4.5


def test_more_load_is_wider_and_redder():
    loads = (0.0, 0.2, 0.5, 0.7, 0.89, 0.95, 1.2)
    widths = [band(load, 10.0) for load in loads]
    assert widths == sorted(set(widths))
    assert [load_role(load) for load in loads] == ["load_low"] * 3 + ["load_mid"] * 2 + ["load_high"] * 2
    drawn = []
    for load in (0.3, 0.7, 1.2):
        picture = traffic_scene(view("braess", {3: {"load": load}}))
        (road,) = [i for i in picture.items if i.label.startswith("link road")]
        drawn.append((road.stroke, road.stroke_width))
    assert [role for role, _ in drawn] == ["load_low", "load_mid", "load_high"]
    assert drawn[0][1] < drawn[1][1] < drawn[2][1]


@pytest.mark.parametrize("name", ["corridor", "grid_4", "town"])
@pytest.mark.parametrize("change", [{"load": 0.8}, {"closed": True}, {"queue": 30}])
@pytest.mark.parametrize("link", [0, -1])
def test_every_change_of_a_link_is_seen(name, change, link):
    n = len(view(name).links)
    before, after = (rgb_array(traffic_scene(view(name, links))) for links in ({}, {link % n: change}))
    assert (before != after).any(axis=2).sum() > 40


def cars(picture):
    return [i for i in picture.items if isinstance(i, Polygon) and i.fill in ("vehicle", "agent")]


def test_a_queue_grows_car_by_car():
    few, more, many = (len(cars(traffic_scene(view("corridor", {1: {"queue": q}})))) for q in (3, 12, 2000))
    assert more - few == 9
    assert more < many < 100  # a long queue fills its part of the road
    words = {t.text for t in traffic_scene(view("corridor", {1: {"queue": 2000}})).texts()}
    assert "2000 waiting" in words


def test_a_closed_road_is_marked_and_told():
    def closed(shown):
        picture = traffic_scene(shown)
        signs = [i for i in picture.items if isinstance(i, Circle) and i.fill == "warning"]
        return len(signs), "closed" in {t.text for t in picture.texts()}, "link road closed" in ansi(picture)

    assert closed(view("braess", {3: {"closed": True}})) == (1, True, True)
    assert closed(view("braess")) == (0, False, False)


def test_a_bus_line_looks_like_none_of_the_roads():
    strokes = {i.stroke for i in traffic_scene(view("corridor")).items if isinstance(i, Polygon)}
    other = {i.stroke for i in traffic_scene(view("braess")).items if isinstance(i, Polygon)}
    assert "transit" in strokes
    assert "transit" not in other
    picture = traffic_scene(view(**PEAK))
    assert "23" in {t.text for t in picture.texts() if t.group == "buses"}


def test_vehicles_are_where_they_are_said_to_be():
    places = []
    for position in (0.1, 0.5, 0.9):
        (one,) = cars(traffic_scene(view("corridor", vehicles=(VehicleView(0, position, advised=True),))))[:1]
        assert one.fill == "agent"
        places.append(one.points[0][0])
    assert places == sorted(places)


def test_the_usual_route_and_that_of_the_advice_are_marked():
    marked = [i.stroke for i in traffic_scene(view(**PEAK)).items if isinstance(i, Polygon) and i.stroke_width > 15]
    assert (marked.count("user"), marked.count("agent")) == (2, 1)
    words = {t.text for t in traffic_scene(view(**PEAK)).texts() if t.group == "legend"}
    assert {"usual route", "advised route", "bus line", "queue"} <= words


def test_the_chart_shows_departures_of_today_up_to_now():
    picture = traffic_scene(view(**PEAK))
    bars = [i for i in picture.items if isinstance(i, Rectangle) and i.fill == "vehicle" and i.y > 432 and i.width > 8]
    legend = [i for i in bars if i.y < 470]
    heights = [i.height for i in bars if i not in legend and i.x < 690]
    assert heights == sorted(heights)
    assert len(heights) == 4
    assert "to arrive 08:30–09:00" in {t.text for t in picture.texts()}
    assert "today at most 28 cars at 06:20" in " ".join(ansi(picture).split())


def test_night_is_darker_than_day():
    noon, night = (rgb_array(traffic_scene(view(hour=hour)), theme="light")[70:420, 14:680] for hour in (12.0, 2.0))
    assert night.mean() + 15 < noon.mean()


def test_costs_are_compared_with_the_usual_ones():
    def role(cost):
        picture = traffic_scene(view(figures=FiguresView(cost, 44.8)))
        return next(t.fill for t in picture.texts() if t.text == f"{cost:.1f} min")

    assert (role(41.2), role(44.8), role(50.0)) == ("ok", "text", "warning")


def test_the_terminal_tells_the_same():
    drawn = " ".join(ansi(traffic_scene(view(**PEAK)), columns=80).split())
    for words in ("Tue 07:42", "day 12 of 60", "corridor", "Home", "Work", "slow road", "24 min (+14)", "46 waiting",
                  "Mara", "trust 0.72", "300 in all", "118 91 17 74", "41.2 min", "9.4 min", "63%", "car 71%  bus 29%",
                  "bus with 23 on board", "bus 07:48 to Mara accepted"):  # fmt: skip
        assert " ".join(words.split()) in drawn, words


def test_as_text_no_figure_is_lost():
    drawn = traffic_text(view(**PEAK))
    for words in ("Tue 07:42   day 12 of 60", "corridor", "118 at home   91 on the road   17 by bus   74 arrived",
                  "bridge               ██████████  24 min (free: 10)   46 queue", "70% of the seats, 0 at the stop",
                  "most 28 cars, 06:20", "most 30 cars, 06:20", "most 46 wait, 06:20", "▲ now",
                  "now asked: Mara, trust 0.72; usually car, 07:20", "advice: bus, 07:48; takes the bus (accepted)",
                  "cost 41.2 min (usual 44.8), delay 9.4 min, longest queue 61", "71% by car, 29% by bus",
                  "63% of the", "07:42  agent: bus 07:48 to Mara", "07:41  Jon leaves by car"):  # fmt: skip
        assert words in drawn, words
    closed = traffic_text(view("braess", {3: {"closed": True}}))
    assert "link road            ░░░░░░░░░░  closed" in closed
    many = traffic_text(view("town", {7: {"load": 0.5}}))
    assert f"and {len(town()[1]) - 6} more roads, less full" in many
    assert "█████░░░░░" in many


def test_large_networks_are_drawn_with_few_shapes():
    n = 30
    net = synthetic.grid_network(n)
    nodes = tuple(NodeView(float(x), float(y)) for x, y in net.xy)
    links = tuple(LinkView(int(a), int(b), load=0.5) for a, b in zip(net.tail, net.head, strict=True))
    picture = traffic_scene(TrafficView("large", nodes, links, "Mon 08:00", 8.0))
    assert len(picture.items) < Scene.MAX_ITEMS


def test_drawing_takes_little():
    takes_little(traffic_scene, view("town", **PEAK), 70_000, 18_000)


def test_one_view_gives_one_picture():
    is_drawn_alike(traffic_scene, view("town", **PEAK))
