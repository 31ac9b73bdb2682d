"""Traffic as text for a terminal of 80 columns and 24 lines: the same facts as the picture."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .chart import BIN, bin_count, clock_label
from .view import ChartView, FiguresView, LinkView, TrafficView, TravellerView

LINES, ROADS, MARGIN = 24, 6, 11
_BARS = " ▁▂▃▄▅▆▇█"


def traffic_text(view: TrafficView, columns: int = 80) -> str:
    """Lines no longer than `columns` (at least 60), no more than 24."""
    if columns < 60:
        raise ValueError(f"traffic text: {columns} columns; it needs at least 60")
    left = f"{view.clock}   day {view.day} of {view.days}"
    lines = [left + view.network.rjust(columns - len(left)), "─" * columns]
    c = view.counts
    lines.append(f"{c.at_home} at home   {c.on_road} on the road   {c.on_bus} by bus   {c.arrived} arrived")
    lines += ["", *_roads(view.links), ""]
    if view.chart is not None:
        lines += [*_chart(view.chart, view.hour, columns), ""]
    lines += [*_traveller(view.traveller), *textwrap.wrap(_today(view.figures), columns, subsequent_indent="  ")]
    room = LINES - len(lines) - 1
    if room > 0:
        lines += ["", *(f"{e.clock}  {e.who}{':' if e.who == 'agent' else ''} {e.text}" for e in view.events[:room])]
    return "\n".join(_cut(line.rstrip(), columns) for line in lines) + "\n"


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: columns - 1] + "…"


def _roads(links: Sequence[LinkView]) -> Iterator[str]:
    """The roads in their order; of many, the fullest."""
    yield f"{'road':20} {'load':10}  time"
    fullest = sorted(range(len(links)), key=lambda k: (links[k].queue, links[k].load), reverse=True)[:ROADS]
    for link in (links[k] for k in sorted(fullest)):
        bar = "█" * min(10, round(10 * link.load)) if link.load > 0 else ""
        if link.closed:
            state = "closed"
        elif link.mode == "bus":
            state = f"{link.time:.0f} min   {link.load:.0%} of the seats, {link.queue} at the stop"
        else:
            time = "–" if link.time is None else f"{link.time:.0f} min"
            usual = "" if link.free_time is None else f" (free: {link.free_time:.0f})"
            state = f"{time}{usual}   {link.queue} queue" if link.queue else f"{time}{usual}"
        yield f"{link.name:20.20} {bar:░<10}  {state}"
    if len(links) > ROADS:
        yield f"and {len(links) - ROADS} more roads, less full"


def _chart(chart: ChartView, hour: float, columns: int) -> Iterator[str]:
    """Rows of bars, one column for five minutes or more."""
    bins = bin_count(chart)
    each = -(-bins // (columns - MARGIN))  # bins in a column
    width = -(-bins // each)
    top = max((*chart.today, *chart.yesterday, 1))
    longest = max((*chart.queue, *chart.queue_yesterday, 1))
    rows = (
        ("today", chart.today, top, "cars"),
        ("yesterday", chart.yesterday, top, "cars"),
        ("queue", chart.queue, longest, "wait"),
        ("  yesterday", chart.queue_yesterday, longest, "wait"),
    )
    yield "departures by car every 5 minutes, and how many cars queue"
    for name, series, most, unit in rows:
        if not any(series):
            continue
        columns_of = (series[i : i + each] for i in range(0, len(series), each))
        bars = "".join(_BARS[-(-8 * round(max(part)) // round(most))] for part in columns_of)
        peak = series.index(max(series))
        words = f"  most {series[peak]:.0f} {unit}, {clock_label(chart.start + peak * BIN)}"
        yield f"{name:{MARGIN}}{bars:{width}}" + (words if MARGIN + width + len(words) <= columns else "")
    yield " " * MARGIN + _axis(chart, each, width)
    now = int((hour - chart.start) / BIN) // each
    if 0 <= now < width:
        yield " " * (MARGIN + now) + "▲ now"


def _axis(chart: ChartView, each: int, width: int) -> str:
    """Clock times under the bars."""
    cells = [" "] * width
    step = 6 if each == 1 else 12  # bins between two marks
    for i in range(0, width * each, step * each):
        text, at = clock_label(chart.start + i * BIN), i // each
        if at + len(text) <= width:
            cells[at : at + len(text)] = text
    return "".join(cells)


def _traveller(who: TravellerView | None) -> Iterator[str]:
    if who is None:
        yield "nobody is setting out"
        return
    when = f"asked at {who.clock}" if who.clock else "now asked"
    trust = "" if who.trust is None else f", trust {who.trust:.2f}"
    yield f"{when}: {who.name}{trust}; usually {who.habit}"
    advice = f"advice: {who.advice}" if who.advice else "no advice" if who.answer else "no advice yet"
    answer = f"; {who.answer}" if who.answer else ""
    yield f"  {advice}{answer}" + (f" ({who.tone})" if who.tone else "")


def _today(figures: FiguresView) -> str:
    words = []
    if figures.cost is not None:
        usual = "" if figures.usual_cost is None else f" (usual {figures.usual_cost:.1f})"
        words.append(f"cost {figures.cost:.1f} min{usual}")
    if figures.delay is not None:
        words.append(f"delay {figures.delay:.1f} min")
    if figures.peak_queue:
        words.append(f"longest queue {figures.peak_queue}")
    if figures.acceptance is not None:
        words.append(f"{figures.acceptance:.0%} of the advice followed")
    words += [f"{share:.0%} by {mode}" for mode, share in figures.shares.items()]
    return "today: " + (", ".join(words) or "no departures yet")
