"""Sections made from results.csv and learning curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lam_env.config.convert import count
from lam_env.core.catalogue import JUDGE, LIFT, NLL, PREDICTION, REWARD, TERM, TOP1, UTILITY_TERM, Metric
from lam_env.evaluation.comparison import added, best_counting, estimate_of, runs_of, share_of_oracle
from lam_env.evaluation.credibility import Credibility
from lam_env.evaluation.estimates import FEWEST, difference, estimate_metric, in_text
from lam_env.evaluation.log_predictors import best_predictor, few_units, notes_on_parts
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import (
    FLOOR,
    KNOWING,
    MARK,
    PRIOR,
    TUNED,
    Figure,
    Grid,
    Section,
    colours,
    html_table,
    of_table,
)
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.statistics import Interval
from lam_env.evaluation.tables import LADDER, VARIANTS, holds, score_table
from lam_env.logs.fidelity import counted

_PREDICTION = (
    "How well the next action is known before it happens. Top-1, top-3, macro-F1 and NLL are given that the person"
    " acts; ECE counts doing nothing too."
)
_REWARD = (
    "The feedback reward is what an agent can hear; the true utility is hidden from it and judges it. Reward and"
    " utility are per person and day."
)


def rows_in(run: RunFiles, variant: str) -> list[ResultRow]:
    return [r for r in run.rows if r.variant == variant]


def shown_agent(run: RunFiles) -> str:
    """Whom the page is about: the tuned policy, or else the agent of most lift that knows nothing hidden."""
    mine = rows_in(run, run.variant)
    lifts = {a: float(np.mean(runs)) for a in {r.agent for r in mine} if (runs := runs_of(mine, a, LIFT)) is not None}
    if TUNED in lifts or not lifts:
        return TUNED
    fair = {a: v for a, v in lifts.items() if a not in (FLOOR, MARK, KNOWING)}
    return max(sorted(fair or lifts), key=lambda a: (fair or lifts)[a])


def tiles(run: RunFiles) -> list[tuple[str, str, str]]:
    """(what, value, more) of the page's head: of a real log who predicts it best, then whether its twin is credible,
    then what is won. Shares of one evaluation seed are not told: a single day may win all that there is."""
    log, mine, agent = rows_in(run, "log"), rows_in(run, run.variant), shown_agent(run)
    out = []
    if (best := best_predictor(log)) is not None:
        few = few_units(log)
        by = f"by {best}, the best on the log" + (f"; {few} alone" if few else "")
        for metric, what, form in ((TOP1, "next event of the log known", ".0%"), (NLL, f"NLL [{NLL.unit}]", ".3g")):
            if (known := estimate_of(log, best, metric)) is not None:
                out.append(_tile(what, known, form, by))
    credible = Credibility.of(mine)
    if credible.failed:
        what = f"of {credible.gates} gates of credibility are failed by the twin, for whom all below is won"
        out.append((what, str(len(credible.failed)), ", ".join(credible.failed)))
    seeds = len({r.seed for r in mine if r.agent == agent})
    few = "" if seeds >= FEWEST else f"{count(seeds, 'evaluation seed')}, so no interval"
    for metric, what, form in (
        (TOP1, f"next action known, by {agent}", ".0%" if seeds > 1 else ".2f"),
        (LIFT, f"lift in true utility, {LIFT.unit}", "+.3g"),
    ):
        if (estimate := estimate_of(mine, agent, metric)) is not None:
            out.append(_tile(what, estimate, form, few))
    if (share := share_of_oracle(mine, agent)) is not None and agent != MARK and seeds > 1:
        out.append(_tile("of what the oracle wins", share, ".0%", few))
        if (best := best_counting(mine)) not in (None, agent) and (more := added(mine, agent, str(best))) is not None:
            out.append(_tile(f"of it more than {best}, the best counting row", more.of, "+.1%", few))
    return out


def _tile(what: str, estimate: Interval, form: str, more: str) -> tuple[str, str, str]:
    value, low, high = (format(part, form) for part in estimate)
    return what, value, "; ".join(filter(None, (f"{low} to {high}" if low != high else "", more)))


def overview(run: RunFiles) -> Section:
    """Everybody's lift at a glance."""
    mine = rows_in(run, run.variant)
    agents = dict.fromkeys(r.agent for r in mine if r.metric == LIFT.id)
    lifts = {a: estimate_metric(runs, LIFT) for a in agents if (runs := runs_of(mine, a, LIFT)) is not None}
    head = ("overview", "What acting is worth")
    if not lifts:
        return Section(*head, missing="No agent was judged against doing nothing in this run.")
    with_lines = any(e.low != e.high for e in lifts.values())
    lines = "lines are 95 % intervals over seeds" if with_lines else f"no intervals of fewer than {FEWEST} seeds"
    text = f"Lift is the hidden true utility won over the same people on the same seeds without an agent; {lines}."
    text = " ".join(filter(None, (Credibility.of(mine).warning(), text)))
    figure = _of_lifts("f-lift", "Lift over doing nothing", lifts, f"true utility won, {LIFT.unit}", shown_agent(run))
    return Section(*head, text=text, figures=(Figure(*figure, "Each agent's lift. Zero is doing nothing."),), half=True)


def _of_lifts(id_: str, title: str, lifts: Mapping[str, Interval], words: str, marked: str = "") -> tuple[str, Grid]:
    """A figure of lifts, and the same as a table."""
    rows = [[name, in_text(e, ".3g")] for name, e in lifts.items()]
    return charts.intervals(id_, title, lifts, words, marked), html_table("lift", ("agent", "lift"), rows)


def tables(run: RunFiles, figures: Sequence[Metric]) -> Iterator[Section]:
    """Prediction and reward, and the scenario's key figures."""
    s, all_of_them = run.scenario, tuple(VARIANTS)
    for id_, title, metrics, variants, about, missing in (
        ("prediction", "Prediction", PREDICTION, all_of_them, _PREDICTION, "No agent of this run predicts."),
        ("reward", "Reward", REWARD, all_of_them, _REWARD, "No agent has acted in this run."),
        ("figures", "Key figures", figures, (run.variant,), "", "The run holds no key figures."),
    ):
        grids = []
        for variant in variants:
            if holds(mine := rows_in(run, variant), metrics):
                table = score_table(mine, s, title.lower(), variant, figures=figures if id_ == "figures" else ())
                grids.append(of_table(table, VARIANTS[variant], (shown_agent(run),)))
        notes = tuple(notes_on_parts(rows_in(run, "log"))) if metrics is PREDICTION else ()
        yield Section(id_, title, about, tuple(grids), notes=notes, missing="" if grids else missing)


def ladder(run: RunFiles, order: Sequence[str]) -> Section:
    """The same greedy rule, told more and more."""
    head = ("ladder", "What knowing is worth")
    names = {r.variant.removeprefix(LADDER) for r in run.rows if r.variant.startswith(LADDER)}
    lifts = {}
    for rung in [*(n for n in order if n in names), *sorted(names.difference(order))]:
        if values := [r.value for r in rows_in(run, LADDER + rung) if r.metric == LIFT.id]:
            lifts[rung] = estimate_metric(values, LIFT)
    if not lifts:
        return Section(*head, missing="The information ladder is judged where a run takes all agents.")
    figure = Figure(*_of_lifts("f-ladder", "Information ladder", lifts, "lift"), "Lift by what is known.")
    return Section(
        *head, text="The same greedy rule, told more and more of what is hidden.", figures=(figure,), half=True
    )


def curves(run: RunFiles) -> Section:
    """Reward along fine-tuning, and accuracy, which a frozen prior keeps, and a tuned one should."""
    head = ("curves", "Learning curves")
    trained = {training: points for training, points in sorted(run.curves.items()) if len(points) > 1}
    if not trained:
        return Section(*head, missing="No agent of this run was trained long enough to leave a learning curve.")
    ends = [[f"{a}, seed {seed}", f"{ps[0][1]:.4g}", f"{ps[-1][1]:.4g}"] for (a, seed), ps in trained.items()]
    series, steps = [(agent, points) for (agent, _), points in trained.items()], "environment steps"
    drawn = charts.line_chart("f-curve", "Reward while training", series, steps, "feedback reward per step")
    caption = "Mean feedback reward per step since the point before, exploration included."
    reward = Figure(drawn, html_table("reward", ("training", "first point", "last point"), ends), caption)
    mine, names = rows_in(run, run.variant), dict.fromkeys(name for name, _ in series)
    known = {a: float(np.mean(runs)) for a in names if (runs := runs_of(mine, a, TOP1)) is not None}
    if not known:
        note = "No accuracy is drawn: the trained agents of this run do not predict."
        return Section(*head, figures=(reward,), notes=(note,))
    last = max(points[-1][0] for points in trained.values())
    checked = {name: points for (name, _), points in sorted(run.accuracy.items()) if name in known}
    flat = [(name, checked.get(name, [(0.0, v), (last, v)])) for name, v in known.items()]
    look = colours(TUNED)
    drawn = charts.line_chart("f-accuracy", "Accuracy while training", flat, steps, "top-1", (0.0, 1.0), colours=look)
    rows = [[name, f"{points[0][1]:.3f}", f"{points[-1][1]:.3f}"] for name, points in flat]
    caption = "Top-1 on the evaluation worlds. A frozen predictor keeps it while the policy learns: its line is the one"
    caption += " value measured."
    if checked:
        caption += " Of one that is tuned it is that of its checks, on the rows of the log that validate."
    accuracy = Figure(drawn, html_table("top-1", ("agent", "before", "after"), rows), caption)
    return Section(*head, figures=(reward, accuracy))


def tuned(run: RunFiles) -> Section:
    """The prior's own threshold policy against the policy fine-tuned on it."""
    head = ("tuned", "Prior against fine-tuned")
    mine = rows_in(run, run.variant)
    first = next((a for a in (PRIOR, "plugin_context", "plugin") if runs_of(mine, a, JUDGE) is not None), None)
    if first is None or runs_of(mine, TUNED, JUDGE) is None:
        return Section(*head, missing=f"It takes both {PRIOR} (or a plug-in) and {TUNED} among the agents.")
    rows = []
    for metric in (TOP1, *REWARD):
        a, b = runs_of(mine, first, metric), runs_of(mine, TUNED, metric)
        if a is None or b is None:
            continue
        change = in_text(difference(b, a, metric), "+.3g") if a.shape == b.shape else ""
        rows.append([metric.heading, *(f"{np.mean(x):.4g}" for x in (a, b)), change])
    table = html_table("means, and the difference paired by seed", ("", first, TUNED, "difference"), rows)
    pairs = _by_seed(mine, first, TUNED)
    drawn = charts.slopes("f-slopes", f"{first} and {TUNED} seed by seed", pairs, (first, TUNED), "true utility")
    data = html_table("true utility", ("seed", first, TUNED), [[name, f"{a:.4g}", f"{b:.4g}"] for name, a, b in pairs])
    caption = (
        "True utility per person and day; a line for each evaluation seed, whose people are the same on both sides."
    )
    return Section(*head, tables=(table,), figures=(Figure(drawn, data, caption),))


def _by_seed(rows: Sequence[ResultRow], first: str, second: str, most: int = 30) -> list[tuple[str, float, float]]:
    values: dict[str, dict[int, list[float]]] = {first: {}, second: {}}
    for r in rows:
        if r.agent in values and r.metric == JUDGE.id:
            values[r.agent].setdefault(r.seed, []).append(r.value)
    both = sorted(values[first].keys() & values[second].keys())[:most]
    return [(f"seed {s}", float(np.mean(values[first][s])), float(np.mean(values[second][s]))) for s in both]


def terms(run: RunFiles, weights: Mapping[str, float]) -> Section:
    """What reward and utility are made of, for a few agents side by side."""
    head = ("terms", "Reward terms")
    mine = rows_in(run, run.variant)
    about = shown_agent(run)
    agents = [a for a in dict.fromkeys((FLOOR, PRIOR, about, MARK)) if runs_of(mine, a, JUDGE) is not None]
    figures = []
    for family, title in ((TERM, "Feedback reward by term"), (UTILITY_TERM, "True utility by term")):
        if family is TERM and not weights:
            continue
        amounts: dict[str, dict[str, list[float]]] = {}  # term -> agent -> of each run
        for r in mine:
            if (name := family.name(r.metric)) and r.agent in agents:
                amounts.setdefault(name, {a: [] for a in agents})[r.agent].append(r.value)
        groups = {}
        for name, each in amounts.items():
            weight = weights.get(name, 1.0) if family is TERM else 1.0
            worth = {a: weight * float(np.mean(values)) for a, values in each.items() if values}
            if any(abs(v) > 1e-9 for v in worth.values()):
                groups[name] = worth
        if groups:
            largest = max(abs(v) for g in groups.values() for v in g.values())
            large = {k: g for k, g in groups.items() if max(map(abs, g.values())) > 0.01 * largest}
            few = " Terms below a hundredth of the largest are in the table alone." if len(large) < len(groups) else ""
            rows = [[k, *(f"{g[a]:.3g}" if a in g else "" for a in agents)] for k, g in groups.items()]
            id_, words = f"f-{family.prefix[:-1]}", "weighted, per person and day"
            drawn, data = (
                charts.bars(id_, title, large, words, colours(about)),
                html_table(title, ("term", *agents), rows),
            )
            figures.append(Figure(drawn, data, f"{title}: weight times amount, per person and day.{few}"))
    return Section(*head, figures=tuple(figures), missing="" if figures else "The run holds no reward terms.")


def gates_section(run: RunFiles) -> Section:
    """Is the simulated resident like the log that it was calibrated to?"""
    head = ("gates", "Is the simulated person credible?")
    if not run.gates:
        why = "Fidelity gates compare people calibrated to a log with that log; this run has no such log."
        return Section(*head, missing=why)
    passed, of = counted(run.gates)
    columns, tables = ("statistic", "log", "simulated", "accept", "passed", "note"), []
    for title, apart in (("fidelity", False), ("counted apart", True)):
        mine = [g for g in run.gates if g.apart == apart]
        rows = [[g.name, _numbers(g.source), _numbers(g.simulated), g.accept, g.verdict, g.note] for g in mine]
        tables += [html_table(title, columns, rows, words=True)] if rows else []
    return Section(*head, text=f"{passed} of {of} gates passed.", tables=tuple(tables))


def _numbers(values: Sequence[float]) -> str:
    return " / ".join("–" if math.isnan(v) else f"{v:.3g}" for v in values) or "–"
