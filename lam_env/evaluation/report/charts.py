"""The figures of the report. Each function gives the SVG of one; `id_` must be the page's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

from lam_env.evaluation.estimates import in_text
from lam_env.evaluation.report.svg import (
    SIZE,
    WIDTH,
    Scale,
    axis_below,
    axis_left,
    fitting,
    key,
    number,
    picture,
    polyline,
    room_for,
    scale,
    tag,
    text,
    tooltip,
)
from lam_env.evaluation.statistics import Interval

ROW = 19.0  # height of a labelled row
LEAST_CELL = 13.0  # of a matrix: a number of two digits fits above it
COLOURS = ("a", "b", "c", "d", "n")  # classes, in the order of series where nothing else is said
Colours = Mapping[str, str]  # name -> class
Series = tuple[str, Sequence[tuple[float, float]]]


def _colours(names: Iterable[str], fixed: Colours | None) -> dict[str, str]:
    """A class for each name: its fixed one, or the next that no other name here has."""
    names = list(names)
    of = {name: fixed[name] for name in names if name in fixed} if fixed else {}
    free = cycle([c for c in COLOURS if c not in of.values()] or COLOURS)
    return {name: of.get(name) or next(free) for name in names}


def intervals(id_: str, title: str, estimates: Mapping[str, Interval], words: str, marked: str = "") -> str:
    """A dot with its interval for each name; the one that is `marked` stands out."""
    left = room_for(estimates) + 8  # letters that stand out are wider
    x = scale([v for e in estimates.values() for v in e], left, WIDTH - 10, zero=True)
    bottom = 6 + ROW * len(estimates)
    body = [axis_below(x, bottom, 4, words)]
    for i, (name, e) in enumerate(estimates.items()):
        y = 6 + ROW * (i + 0.5)
        colour, look = ("a", "label strong") if name == marked else ("n", "label")
        body.append(text(left - 6, y + 4, fitting(name, left - 8), "end", look))
        line = tag("line", x1=x(e.low), x2=x(e.high), y1=y, y2=y, class_=f"whisker {colour}")
        dot = tag("circle", cx=x(e.value), cy=y, r=4.5, class_=f"fill {colour}")
        body.append(tag("g", tooltip(f"{name}: {in_text(e, '.3g')}") + line + dot))
    best = max(estimates, key=lambda name: estimates[name].value)
    summary = f"{len(estimates)} agents; the highest is {best} with {estimates[best].value:.3g}."
    return picture("".join(body), bottom + 37, title, summary, id_)


def line_chart(
    id_: str,
    title: str,
    series: Sequence[Series],
    below: str,
    beside: str,
    y_range: tuple[float, float] | None = None,
    x_ticks: Sequence[tuple[float, str]] = (),
    colours: Colours | None = None,
) -> str:
    """Curves; those of one name (further training seeds) share a colour."""
    of = _colours(dict.fromkeys(name for name, _ in series), colours)
    points = [p for _, ps in series for p in ps]
    top, bottom, left = 42.0, 190.0, 46.0
    xs = [p[0] for p in points]
    x = Scale(min(xs), max(max(xs), min(xs) + 1e-9), left, WIDTH - 14)
    y = Scale(*y_range, bottom, top) if y_range else scale([p[1] for p in points], bottom, top)
    ticks = [t for t, _ in x_ticks] or None
    body = [axis_left(y, left, WIDTH - 14, beside), axis_below(x, bottom, top, below, ticks, [w for _, w in x_ticks])]
    for name, ps in series:
        end = tooltip(f"{name}: {number(ps[-1][1])} at {number(ps[-1][0])}")
        body.append(tag("g", end + polyline(((x(a), y(b)) for a, b in ps), f"curve {of[name]}")))
    body.append(key(left, 30, list(of.items())))
    ends = "; ".join(f"{name} goes from {number(ps[0][1])} to {number(ps[-1][1])}" for name, ps in series)
    return picture("".join(body), bottom + 39, title, f"{ends}.", id_)


def bars(
    id_: str, title: str, groups: Mapping[str, Mapping[str, float]], words: str, colours: Colours | None = None
) -> str:
    """For each label a bar of each series: label -> series -> value."""
    of = _colours(dict.fromkeys(name for group in groups.values() for name in group), colours)
    names = list(of)
    left, thick = room_for(groups), 9.0
    step = thick * len(names) + 8
    values = [v for group in groups.values() for v in group.values()]
    x, top = scale(values, left, WIDTH - 12, zero=True), 20.0
    bottom = top + step * len(groups)
    body = [axis_below(x, bottom, top, words), key(left, 12, list(of.items()))]
    for i, (label, group) in enumerate(groups.items()):
        y = top + step * i + 4
        body.append(text(left - 6, y + thick * len(names) / 2 + 4, fitting(label, left), "end"))
        for k, name in enumerate(names):
            if name not in group:
                continue
            a, b = sorted((x(0), x(group[name])))
            bar = {"x": a, "y": y + thick * k, "width": max(b - a, 0.8), "height": thick - 1}
            value = tooltip(f"{label}, {name}: {group[name]:.3g}")
            body.append(tag("rect", value, **bar, class_=f"fill {of[name]}"))
    largest = max(groups, key=lambda label: max(map(abs, groups[label].values())))
    return picture("".join(body), bottom + 37, title, f"{len(groups)} rows; the largest is {largest}.", id_)


def diagonal(
    id_: str,
    title: str,
    series: Sequence[tuple[str, Sequence[float], Sequence[float], Sequence[float]]],
    colours: Colours | None = None,
) -> str:
    """A reliability diagram: (name, confidence, accuracy, how many) each; a dot's area is how many fell there."""
    left, top, side = 52.0, 26.0, 250.0
    x, y = Scale(0, 1, left, left + side), Scale(0, 1, top + side, top)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    body = [
        axis_left(y, left, left + side, "how often it happened", ticks),
        axis_below(x, top + side, top, "how likely it was said to be", ticks),
    ]
    body.append(tag("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="even"))
    of = _colours([name for name, *_ in series], colours)
    for name, confidence, accuracy, many in series:
        colour, most = of[name], max(many)
        body.append(polyline([(x(c), y(a)) for c, a in zip(confidence, accuracy, strict=True)], f"curve thin {colour}"))
        for c, a, n in zip(confidence, accuracy, many, strict=True):
            words, radius = f"{name}: said {c:.0%}, happened {a:.0%}, {n:,.0f} times", 2.5 + 6.5 * (n / most) ** 0.5
            body.append(tag("circle", tooltip(words), cx=x(c), cy=y(a), r=radius, class_=f"fill dot {colour}"))
    body.append(key(left + 150, SIZE, list(of.items())))
    first, confidence, accuracy, _ = series[0]
    _, c, a = max((abs(c - a), c, a) for c, a in zip(confidence, accuracy, strict=True))
    farthest = f"Farthest off, {first} said {c:.0%} and it happened {a:.0%}."
    summary = f"On the diagonal what is said to be likely happens as often. {farthest}"
    return picture("".join(body), top + side + 39, title, summary, id_)


def matrix(id_: str, title: str, names: Sequence[str], counts: Sequence[Sequence[float]]) -> str:
    """Rows what was done, columns what was expected, both in the order of `names`; shades are shares of the row."""
    left = room_for(names, max(150.0, WIDTH - 26 - LEAST_CELL * len(names))) + 20
    cell = min(18.0, (WIDTH - left - 6) / len(names))
    top, body = 20.0, [text(2, SIZE, "did, downwards; expected, across", class_="axis")]
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        y = top + cell * (i + 1)
        label = fitting(name, left - 20)
        body.append(text(left - 22, y + cell / 2 + 4, label, "end"))
        body.append(text(left - 4, y + cell / 2 + 4, str(i + 1), "end", "tick"))
        body.append(text(left + cell * (i + 0.5), top + cell - 4, str(i + 1), "middle", "tick"))
        total = sum(row)
        for k, n in enumerate(row):
            box = {"x": left + cell * k, "y": y, "width": cell - 1, "height": cell - 1}
            body.append(tag("rect", "", **box, class_="cell"))
            if n:
                count = tooltip(f"did {name}, expected {names[k]}: {n:,.0f} of {total:,.0f}")
                shade, colour = f"opacity:{max(0.06, n / total):.2f}", "a" if i == k else "w"
                body.append(tag("rect", count, **box, style=shade, class_=f"fill {colour}"))
    right = sum(row[i] for i, row in enumerate(counts)) / max(1, sum(map(sum, counts)))
    summary = f"{right:.0%} lie on the diagonal, where what was expected was done."
    return picture("".join(body), top + cell * (len(names) + 1) + 4, title, summary, id_)


def heat(id_: str, title: str, rows: Mapping[str, Sequence[float]]) -> str:
    """For each label its counts by hour of the day (24,); shades are shares of its largest."""
    left, top, height = room_for(rows, 200) + 6, 8.0, 15.0
    cell = (WIDTH - left - 6) / 24
    body = []
    for i, (name, row) in enumerate(rows.items()):
        y = top + height * i
        body.append(text(left - 6, y + height / 2 + 3, fitting(name, left - 6), "end"))
        for hour, n in enumerate(row):
            box = {"x": left + cell * hour, "y": y, "width": cell - 1, "height": height - 1}
            shade = f"opacity:{max(0.06, n / max(1, *row)):.2f}" if n else None
            told = tooltip(f"{name}, {hour}:00: {n:,.0f}")
            body.append(tag("rect", told, **box, style=shade, class_="fill b" if n else "cell"))
    bottom = top + height * len(rows)
    body += [text(left + cell * h, bottom + 13, str(h), "start", "tick") for h in range(0, 24, 3)]
    body.append(text(left, bottom + 29, "hour of the day", class_="axis"))
    busiest = max(rows, key=lambda name: max(rows[name]) / max(1, sum(rows[name])))
    return picture("".join(body), bottom + 34, title, f"{len(rows)} actions; {busiest} has the surest hour.", id_)


def slopes(id_: str, title: str, pairs: Sequence[tuple[str, float, float]], names: tuple[str, str], beside: str) -> str:
    """Each pair a line from its first value to its second."""
    top, bottom, left, right = 40.0, 210.0, 110.0, 310.0
    y = scale([v for _, a, b in pairs for v in (a, b)], bottom, top)
    body = [axis_left(y, 56.0, 360.0, beside)]
    for where, name, colour in ((left, names[0], "b"), (right, names[1], "a")):
        body.append(text(where, bottom + 18, fitting(name, 170), "middle", f"label strong {colour}"))
    for label, a, b in pairs:
        line = tag("line", x1=left, y1=y(a), x2=right, y2=y(b), class_="whisker n")
        dots = [
            tag("circle", cx=at, cy=y(v), r=4, class_=look)
            for at, v, look in ((left, a, "fill b"), (right, b, "fill a"))
        ]
        body.append(tag("g", "".join([tooltip(f"{label}: {a:.3g}, then {b:.3g}"), line, *dots])))
    summary = f"{names[1]} lies above {names[0]} in {sum(b > a for _, a, b in pairs)} of {len(pairs)}."
    return picture("".join(body), bottom + 26, title, summary, id_)
