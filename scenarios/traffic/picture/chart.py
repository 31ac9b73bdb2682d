"""The chart of the day: departures by car and the queue over the clock, and when people want to have arrived."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lam_env.envs.scene import Item, Line, Polygon, Rectangle, Text, text_width

from .view import ChartView, TrafficView

LEFT, TOP, WIDTH, HEIGHT = 12.0, 432.0, 670.0, 156.0
BIN = 1 / 12  # [h]
X0, X1 = LEFT + 40, LEFT + WIDTH - 44  # where the plot begins and ends
Y0, Y1 = TOP + 48, TOP + HEIGHT - 24  # top and ground of the plot


def nice(value: float) -> int:
    """The top of an axis: a round number, at least 4, whose half is a whole one."""
    power = 10 ** math.floor(math.log10(max(value, 4)))
    return next(int(k * power) for k in (1, 2, 4, 6, 10) if value <= k * power and k * power >= 4)


def clock_label(hour: float) -> str:
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"


def bin_count(chart: ChartView) -> int:
    """To the end of the longest series, and a quarter of an hour beyond the window."""
    ends = [math.ceil((chart.window[1] - chart.start) / BIN + 3)] if chart.window else []
    return min(288, max(12, *ends, chart.bins))


def day_chart(view: TrafficView) -> Iterator[Item]:
    """The card; empty axes where there is nothing to show."""
    yield Rectangle(LEFT, TOP, WIDTH, HEIGHT, 10, fill="panel", stroke="track", group="chart")
    yield Text(LEFT + 14, TOP + 19, "Departures by car", 10.5, bold=True, fill="muted", group="chart")
    chart = view.chart or ChartView(math.floor(view.hour), (0,) * 36)
    n = bin_count(chart)
    wide = (X1 - X0) / n
    most = nice(max((*chart.today, *chart.yesterday, 1)))
    longest = nice(max((*chart.queue, *chart.queue_yesterday, 1)))
    yield from _window(chart, n)
    yield from _axes(chart, n, most, longest)
    yield from _steps(chart.yesterday, wide, most)
    before = _line(chart.queue_yesterday, wide, longest)
    if any(chart.queue_yesterday):
        yield Polygon(before, closed=False, stroke="load_high", stroke_width=1.2, opacity=0.45)
    label = _caption(chart)  # of the first bar
    for i, count in enumerate(chart.today):
        if count:
            high = (Y1 - Y0) * count / most
            bar = (X0 + i * wide + 0.12 * wide, Y1 - high, 0.76 * wide, high, min(2, high / 2))
            yield Rectangle(*bar, fill="vehicle", label=label, group="chart")
            label = ""
    line = _line(chart.queue, wide, longest)
    if len(line) > 1 and max(chart.queue) > 0:
        yield Polygon((*line, (line[-1][0], Y1), (line[0][0], Y1)), fill="load_high", opacity=0.1)
        yield Polygon(line, closed=False, stroke="load_high", stroke_width=2.2)
    now = (view.hour - chart.start) / BIN
    if 0 <= now <= n:
        x = X0 + now * wide
        yield Line(x, Y0 - 2, x, Y1, stroke="text", stroke_width=1.4)
        yield Polygon(((x - 4, Y0 - 6), (x + 4, Y0 - 6), (x, Y0)), fill="text")
    if not any((*chart.today, *chart.yesterday)):
        x, y, words = (X0 + X1) / 2, (Y0 + Y1) / 2 + 4, "no departures yet"
        yield Text(x, y, words, 10.5, anchor="middle", fill="muted", group="chart")
    yield from _legend(chart)


def _line(series: tuple[float, ...], wide: float, longest: int) -> tuple[tuple[float, float], ...]:
    return tuple((X0 + (i + 0.5) * wide, Y1 - (Y1 - Y0) * q / longest) for i, q in enumerate(series))


def _caption(chart: ChartView) -> str:
    """The chart in a sentence."""
    words = []
    rows = (("today", chart.today, "cars"), ("yesterday", chart.yesterday, "cars"), ("queue", chart.queue, "waiting"))
    for name, series, unit in rows:
        if series and max(series) > 0:
            peak = series.index(max(series))
            words.append(f"{name} at most {series[peak]:.0f} {unit} at {clock_label(chart.start + peak * BIN)}")
    return ", ".join(words)


def _window(chart: ChartView, n: int) -> Iterator[Item]:
    if chart.window is None:
        return
    ends = [min(max((hour - chart.start) / BIN / n, 0.0), 1.0) for hour in chart.window]
    left, right = (X0 + (X1 - X0) * end for end in ends)
    if right > left:
        yield Rectangle(left, Y0 - 2, right - left, Y1 - Y0 + 2, fill="accent", opacity=0.16)
        for x in (left, right):
            yield Line(x, Y0 - 2, x, Y1, stroke="accent", stroke_width=1, opacity=0.7)
        words = f"to arrive {clock_label(chart.window[0])}–{clock_label(chart.window[1])}"
        half = text_width(words, 9.5) / 2
        middle = min(max((left + right) / 2, X0 + half), X1 - half)
        yield Text(middle, Y0 - 8, words, 9.5, anchor="middle", fill="accent", group="chart")


def _axes(chart: ChartView, n: int, most: int, longest: int) -> Iterator[Item]:
    for share in (0.0, 0.5, 1.0):
        y = Y1 - (Y1 - Y0) * share
        yield Line(X0, y, X1, y, stroke="track", stroke_width=1)
        yield Text(X0 - 7, y + 3.4, f"{most * share:.0f}", 9.5, anchor="end", fill="muted", group="chart")
        if any((*chart.queue, *chart.queue_yesterday)):
            yield Text(X1 + 7, y + 3.4, f"{longest * share:.0f}", 9.5, fill="hot", group="chart")
    hours = n * BIN
    step = next(s for s in (0.5, 1.0, 2.0, 3.0, 6.0) if hours / s <= 10 or s == 6.0)
    mark = math.ceil(chart.start / step - 1e-9) * step
    while mark <= chart.start + hours + 1e-9:
        x = X0 + (X1 - X0) * (mark - chart.start) / hours
        yield Line(x, Y1, x, Y1 + 4, stroke="muted", stroke_width=1)
        yield Text(x, Y1 + 15, clock_label(mark), 9.5, anchor="middle", fill="muted", group="chart")
        mark += step


def _steps(series: tuple[int, ...], wide: float, most: int) -> Iterator[Item]:
    """Outline of a series of bars."""
    if not any(series):
        return
    points = [(X0, Y1)]
    for i, count in enumerate(series):
        y = Y1 - (Y1 - Y0) * count / most
        points += [(X0 + i * wide, y), (X0 + (i + 1) * wide, y)]
    points.append((X0 + len(series) * wide, Y1))
    yield Polygon(tuple(points), fill="muted", opacity=0.16)
    yield Polygon(tuple(points), closed=False, stroke="muted", stroke_width=1.2)


def _legend(chart: ChartView) -> Iterator[Item]:
    x, y = LEFT + WIDTH - 14, TOP + 19
    entries = [
        ("today", "vehicle", chart.today),
        ("yesterday", "muted", chart.yesterday),
        ("queue", "load_high", (*chart.queue, *chart.queue_yesterday)),
    ]
    for word, role, series in reversed(entries):
        if not any(series):
            continue
        x -= text_width(word, 10)
        yield Text(x, y, word, 10, fill="muted", group="chart")
        x -= 18
        if word == "today":
            yield Rectangle(x, y - 8, 12, 9, 1.5, fill=role)
        elif word == "yesterday":
            yield Rectangle(x, y - 8, 12, 9, 1.5, fill=role, opacity=0.16)
            yield Rectangle(x, y - 8, 12, 9, 1.5, stroke=role, stroke_width=1.2)
        else:
            yield Line(x, y - 3.5, x + 12, y - 3.5, stroke=role, stroke_width=2.4)
        x -= 16
