"""Differences between two runs as a table, in words, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from lam_env.config.convert import count
from lam_env.core.catalogue import UNITS
from lam_env.core.errors import cut
from lam_env.evaluation.comparison import scores_of
from lam_env.evaluation.contrast import Contrast, Pair, Side, apart_trained
from lam_env.evaluation.estimates import in_text
from lam_env.evaluation.statistics import Interval
from lam_env.evaluation.tables import Table, digits_of, span, units_said

COLUMNS = ("agent", "A", "B", "B - A [95 %]", "P(B better)")
LONGEST = 20  # characters of a name that 80 columns hold
FIELDS = ("variant", "agent_a", "agent_b", "metric", "a", "b", "difference", "low", "high", "p_better", "paired")


def table_of(found: Sequence[Contrast], title: str) -> Table:
    """A row for each score, below its agent. Who is the same in both stands there only where nobody differs."""
    same = _same(found)
    shown = [each for each in found if each.agents not in same] or found
    pairs, rows = list(dict.fromkeys(each.agents for each in shown)), list[tuple[str, ...]]()
    for pair in pairs:
        name = _named(pair)
        name = name if len(name) <= LONGEST else cut(name, LONGEST - 5)
        rows += [(name, "", "", "", "")] if len(pairs) > 1 else []
        for each in (one for one in shown if one.agents == pair):
            form = f",.{digits_of([Interval(v, v, v) for v in (each.a, each.b)])}f"
            chance = "" if each.better is None else f"{each.better:.2f}"
            name = "  " * (len(pairs) > 1) + each.metric.heading
            rows.append((name, format(each.a, form), format(each.b, form), in_text(each.of, f"+z{form}"), chance))
    return Table(title, COLUMNS, tuple(rows), tuple(units_said(list(dict.fromkeys(each.metric for each in shown)))))


def _named(pair: Pair) -> str:
    return pair[0] if pair[0] == pair[1] else " / ".join(pair)


def reading(found: Sequence[Contrast], over: str, more: str) -> list[str]:
    """Who is better, by the first score of each pair. `over`: what there is so much of ("10 evaluation seeds"); `more`:
    what narrows an interval, or makes one."""
    same, told, lines = _same(found), set[Pair](), []
    for each in found:
        if each.agents in same or each.agents in told:
            continue
        told.add(each.agents)
        x, y = each.agents
        a, b = "A's" if x == y else f"A's {x}", f"B's {y}"
        what = f"{each.metric.heading} {_in_words(each.of)}"
        if each.better is None:
            lines.append(f"{b} is not told apart from {a}: {what} has no interval of {over}; {more}.")
        elif each.of.low <= 0 <= each.of.high:
            lines.append(f"{b} cannot be told apart from {a}: {what}, with {over}; {more}.")
        else:
            which = "better" if each.better > 0.5 else "worse"
            lines.append(f"{b} is {which} than {a}: {what}, with {over}.")
    return lines + ([f"The same in A and B, to the last digit: {', '.join(map(_named, same))}."] if same else [])


def _in_words(of: Interval) -> str:
    """With the digits of a table, or with as many as it takes not to be 0."""
    form = f"+z,.{digits_of([of])}f"
    return in_text(of, "+.1e" if float(f"{of.value:.3f}") == 0 and not of.low <= 0 <= of.high else form)


def _same(found: Sequence[Contrast]) -> list[Pair]:
    """Those that have the same scores throughout."""
    differ = {each.agents for each in found if not each.same}
    return list(dict.fromkeys(each.agents for each in found if each.agents not in differ))


def met_in_words(a: Side, b: Side, pairs: Sequence[Pair], paired: bool) -> list[str]:
    """What both were judged on, what of it has no pair, and what no interval holds."""
    lines = [_events(a, b, pairs, paired) if a.is_log else _people(a, b, paired)]
    if paired:
        lines += _without_pair("evaluation", a.seeds(), b.seeds())
        if any(apart_trained(a, b, pair) for pair in pairs):
            lines.append("Trainings are on other seeds, and paired in their order.")
        for one, other in dict.fromkeys((frozenset(a.trained(x)), frozenset(b.trained(y))) for x, y in pairs):
            lines += _without_pair("training", one, other) if min(len(one), len(other)) > 1 and one & other else []
    once = [n for n, side in zip("AB", (a, b), strict=True) if max(len(side.trained(x)) for x in side.agents()) == 1]
    if once:
        which = "each" if len(once) == 2 else f"in {once[0]}"
        lines.append(f"One training {which}: how others would come out (seed=0,1,2) is in no interval.")
    return lines


def _people(a: Side, b: Side, paired: bool) -> str:
    both = sorted(a.seeds() & b.seeds())
    on = f"on evaluation seed{'s' if len(both) > 1 else ''} {span(both)}"
    if paired:
        return f"Same people and luck: {on} doing nothing scores alike. Differences are paired."
    why = f"{on} doing nothing scores otherwise" if both else "no evaluation seed is in both"
    return f"Other people or luck: {why}. Differences are unpaired."


def _events(a: Side, b: Side, pairs: Sequence[Pair], paired: bool) -> str:
    if paired:
        return f"Same events held out. Differences are paired by {'day or stream' if a.on_log else 'fold'}."
    sides = zip("AB", (a, b), zip(*pairs, strict=True), strict=True)
    name, agent = next((name, agent) for name, side, agents in sides for agent in agents if not side.by_unit(agent))
    return f"{name} keeps no sums by day of {agent}: an earlier version made it. Differences are unpaired."


def _without_pair(what: str, one: AbstractSet[int], other: AbstractSet[int]) -> list[str]:
    left = [(name, sorted(seeds)) for name, seeds in (("A", one - other), ("B", other - one)) if seeds]
    words = " and ".join(f"{span(seeds)} of {name}" for name, seeds in left)
    return [f"Left out, having no pair: {what} seeds {words}."] if left else []


def amount(a: Side, b: Side, pair: Pair, paired: bool) -> tuple[str, str]:
    """Of what an interval is made, and how to have more of it: as `reading` takes them."""
    if a.on_log:
        units = [
            int(v) for side, agent in ((a, pair[0]), (b, pair[1])) for v in scores_of(side.rows, agent, UNITS).values()
        ]
        return _number(units, "day(s) or stream(s)"), "a longer log narrows it"
    seeds = [len(a.seeds() & b.seeds())] if paired else [len(a.seeds()), len(b.seeds())]
    if a.is_log:
        return _number(seeds, "fold"), "more folds narrow it (eval.folds=)"
    trained = [len(a.trained(pair[0])), len(b.trained(pair[1]))]
    of = f" and {_number(trained, 'training')}" if max(trained) > 1 else ""
    return f"{_number(seeds, 'evaluation seed')}{of}", "more narrow it (eval.seeds=, seed=)"


def _number(of: Iterable[int], what: str) -> str:
    *first, last = dict.fromkeys(of)
    return "".join(f"{n:,} and " for n in first) + count(last, what)


def as_csv(found: Iterable[tuple[str, bool, Contrast]]) -> str:
    """A line for each score, in numbers; each with its variant and whether it is paired. Without an interval its cells
    are empty."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(FIELDS)
    for variant, paired, each in found:
        sure = [] if each.better is None else [each.of.low, each.of.high, each.better]
        numbers = [f"{value:.10g}" for value in (each.a, each.b, each.of.value, *sure)] + [""] * (3 - len(sure))
        out.writerow((variant, *each.agents, each.metric.id, *numbers, "yes" if paired else "no"))
    return text.getvalue()
