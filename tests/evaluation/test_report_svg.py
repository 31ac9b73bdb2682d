"""Figures as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.evaluation.report import charts
from lam_env.evaluation.report.svg import WIDTH, Scale, fitting, number, scale, tag
from lam_env.evaluation.statistics import Interval

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<b>&\"x'"


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))


FIGURES: dict[str, Callable[[str], str]] = {
    "intervals": lambda name: charts.intervals(
        "f", name, {name: Interval(1, 0, 2), "none": Interval(0, 0, 0)}, "lift", (name,)
    ),
    "lines": lambda name: charts.line_chart("f", name, [(name, [(0.0, 1.0), (5.0, -2.0)])], "steps", "reward"),
    "flat line": lambda name: charts.line_chart("f", name, [(name, [(0.0, 0.0), (0.0, 0.0)])], "steps", "reward"),
    "bars": lambda name: charts.bars("f", name, {name: {"a": 1.0, name: -2.0}, "x": {"a": 0.0}}, "weighted"),
    "diagonal": lambda name: charts.diagonal("f", name, [(name, [0.1, 0.9], [0.2, 0.5], [3, 100])]),
    "matrix": lambda name: charts.matrix("f", name, [name, "b"], [[3, 1], [0, 0]]),
    "heat": lambda name: charts.heat("f", name, {name: [0.0] * 23 + [3.0], "never": [0.0] * 24}),
    "slopes": lambda name: charts.slopes("f", name, [("seed 0", 1.0, 2.0)], (name, "tuned"), "utility"),
}


@pytest.mark.parametrize("draw", [
    lambda names: charts.matrix("f", "f", names, [[1.0] * len(names)] * len(names)),
    lambda names: charts.heat("f", "f", {name: [1.0] * 24 for name in names}),
])  # fmt: skip
def test_names_of_a_home_s_actions_are_whole(draw: Callable[[list[str]], str]) -> None:
    names = [f"coffee_machine.start_brewing{k:1}" for k in range(10)]
    written = {e.text for e in read(draw(names)).iter(f"{SVG}text")}
    assert set(names) <= written


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("name", ["prior", NASTY, "an agent with a name that is much too long to be written"])
def test_a_figure_is_sound_says_what_it_shows_and_stays_inside(kind: str, name: str) -> None:
    root = read(FIGURES[kind](name))
    ids = root.attrib["aria-labelledby"].split()
    told = {e.attrib["id"]: e.text for e in root if "id" in e.attrib}
    assert root.attrib["role"] == "img"
    assert told[ids[0]] == name
    assert len(told[ids[1]] or "") > 10
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == WIDTH
    for e in root.iter():
        for key, most in (("x", width), ("cx", width), ("x1", width), ("x2", width), ("y", height), ("cy", height)):
            if key in e.attrib:
                assert -1 <= float(e.attrib[key]) <= most + 1, ET.tostring(e)
    for e in root.iter(f"{SVG}text"):  # letters are 6.4 units wide, about
        room = len(e.text or "") * 6.4
        left = (
            float(e.attrib["x"]) - {"start": 0, "middle": room / 2, "end": room}[e.attrib.get("text-anchor", "start")]
        )
        assert left > -8, e.text
    assert not any("style" in e.attrib and "colo" in e.attrib["style"] for e in root.iter())  # themes colour by class


def test_a_number_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        tag("circle", r=float("nan"))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_few_and_inside(low: float, span: float) -> None:
    found = scale([low, low + span], 0, 100)
    ticks = found.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(found.low - 1e-6 * span <= t <= found.high + 1e-6 * span for t in ticks)
    assert all(-0.01 <= found(t) <= 100.01 for t in ticks)


def test_a_scale_shows_zero_where_it_should() -> None:
    found = scale([3.0, 5.0], 0, 10, zero=True)
    assert found.low == 0
    assert found(0) == 0
    assert scale([2.0, 2.0], 0, 10)(2.0) == 5
    assert Scale(0, 10, 100, 0)(10) == 0


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (-5, "−5"), (300_000, "300k"), (1_500_000, "1.5M"), (1000, "1000")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_names_are_cut_in_the_middle() -> None:
    assert fitting("kitchen.dishwasher.running", 100) == "kitche…running"
    assert fitting("markov1", 100) == "markov1"


def test_the_reliability_figure_says_where_it_is_worst() -> None:
    said = read(charts.diagonal("f", "x", [("prior", [0.1, 0.9], [0.2, 0.5], [3, 100])])).find(f"{SVG}desc")
    assert said is not None
    assert "prior said 90% and it happened 50%" in str(said.text)


def test_no_two_of_a_figure_have_one_colour() -> None:
    both = [(name, [0.1], [0.2], [3]) for name in ("prior", "markov1")]
    root = read(charts.diagonal("f", "x", both, {"prior": "b"}))
    dots = {dot.get("class") for dot in root.iter(f"{SVG}circle")}
    assert len(dots) == 2
    assert any("b" in str(look).split() for look in dots)


def test_a_dot_stands_where_its_value_is() -> None:
    root = read(charts.intervals("f", "x", {"a": Interval(0, -1, 1), "b": Interval(10, 9, 11)}, "lift"))
    a, b = (float(e.attrib["cx"]) for e in root.iter(f"{SVG}circle"))
    zero = [float(e.attrib["x1"]) for e in root.iter(f"{SVG}line") if e.attrib["class"] == "zero"]
    assert zero == [pytest.approx(a, abs=0.1)]
    assert b > a
