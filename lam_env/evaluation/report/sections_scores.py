"""Sections made from results.csv and learning curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lam_env.core.catalogue import JUDGE, KPI, LIFT, NLL, PREDICTION, REWARD, SHARE_OF_ORACLE, TERM, TOP1, UTILITY_TERM
from lam_env.evaluation.estimates import FEWEST, difference, estimate_metric, told
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import (
    CEILING,
    FLOOR,
    KNOWING,
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
from lam_env.evaluation.tables import (
    LADDER,
    VARIANTS,
    figures_table,
    holds,
    improvement_over,
    prediction_table,
    reward_table,
    runs_of,
)


def rows_in(run: RunFiles, variant: str) -> list[ResultRow]:
    return [r for r in run.rows if r.variant == variant]


def shown_agent(run: RunFiles) -> str:
    """Whom the page is about: the tuned policy, or else the agent of most lift that is no ceiling."""
    mine = rows_in(run, run.variant)
    lifts = {a: float(np.mean(found)) for a in {r.agent for r in mine} if (found := runs_of(mine, a, LIFT)) is not None}
    if TUNED in lifts or not lifts:
        return TUNED
    fair = {a: v for a, v in lifts.items() if a not in (FLOOR, CEILING, KNOWING)}
    return max(sorted(fair or lifts), key=lambda a: (fair or lifts)[a])


def tiles(run: RunFiles) -> list[tuple[str, str, str]]:
    """(what, value, more) of the page's head."""
    out = []
    mine, agent = rows_in(run, run.variant), shown_agent(run)
    wanted = (
        (TOP1, "next action known", "{:.0%}"),
        (LIFT, f"lift in true utility, {LIFT.unit}", "{:+.3g}"),
        (SHARE_OF_ORACLE, "of what the oracle wins", "{:.0%}"),
    )
    for metric, what, form in wanted:
        if (runs := runs_of(mine, agent, metric)) is not None:
            found = estimate_metric(runs, metric)
            low, high = form.format(found.low), form.format(found.high)
            out.append((what, form.format(found.value), f"{low} to {high}" if low != high else ""))
    if runs_of(mine, FLOOR, JUDGE) is not None and (chance := improvement_over(mine, agent, FLOOR)):
        out.append(("of evaluation runs better than no agent", f"{chance.value:.0%}", ""))
    if not out and (runs := runs_of(log := rows_in(run, "log"), PRIOR, TOP1)) is not None:
        out.append(("next event of the log known", f"{float(np.mean(runs)):.0%}", ""))
        if (nll := runs_of(log, PRIOR, NLL)) is not None:
            out.append((f"{NLL.heading} [{NLL.unit}]", f"{float(np.mean(nll)):.3g}", ""))
    return out


def overview(run: RunFiles) -> Section:
    """Everybody's lift at a glance."""
    mine = rows_in(run, run.variant)
    agents = dict.fromkeys(r.agent for r in mine if r.metric == LIFT.id)
    found = {a: estimate_metric(runs, LIFT) for a in agents if (runs := runs_of(mine, a, LIFT)) is not None}
    head = ("overview", "What acting is worth")
    if not found:
        return Section(*head, missing="No agent was judged against doing nothing in this run.")
    figure = charts.intervals(
        "f-lift", "Lift over doing nothing", found, f"true utility won, {LIFT.unit}", (shown_agent(run),)
    )
    return Section(
        *head,
        text="Lift is the hidden true utility won over the same people on the same seeds without an agent"
        + _of_lines(found),
        figures=(Figure(figure, "Each agent's lift. Zero is doing nothing.", _of_intervals("lift", found)),),
        half=True,
    )


def _of_lines(found: Mapping[str, Interval]) -> str:
    """What lines beside dots are, if there are any."""
    there_are = any(e.low != e.high for e in found.values())
    return "; lines are 95 % intervals over seeds." if there_are else f"; no intervals of fewer than {FEWEST} seeds."


def _of_intervals(what: str, found: Mapping[str, Interval]) -> Grid:
    rows = [[name, told(e, ".3g")] for name, e in found.items()]
    return html_table(what, ("agent", what), rows)


def tables(run: RunFiles, figures: Mapping[str, str]) -> Iterator[Section]:
    """Prediction and reward, and the scenario's key figures."""
    marked, s = (shown_agent(run),), run.scenario
    found: dict[str, list[Grid]] = {"prediction": [], "reward": [], "figures": []}
    variants = [v for v in VARIANTS if any(r.variant == v for r in run.rows)]
    for variant in variants:
        mine, title = rows_in(run, variant), VARIANTS[variant]
        if holds(mine, PREDICTION):
            found["prediction"].append(of_table(prediction_table(mine, s, variant), title, marked))
        if holds(mine, REWARD):
            found["reward"].append(of_table(reward_table(mine, s, variant), title, marked))
        if variant == run.variant and holds(mine, map(KPI.metric, figures)):
            found["figures"].append(of_table(figures_table(mine, s, figures, variant), title, marked))
    yield Section(
        "prediction",
        "Prediction",
        text="How well the next action is known before it happens. Top-1, top-3, macro-F1 and NLL are given that the person acts; ECE counts doing nothing too.",
        tables=tuple(found["prediction"]),
        missing="" if found["prediction"] else "No agent of this run predicts.",
    )
    yield Section(
        "reward",
        "Reward",
        text="The feedback reward is what an agent can hear; the true utility is hidden from it and judges it. Reward and utility are per person and day.",
        tables=tuple(found["reward"]),
        missing="" if found["reward"] else "No agent has acted in this run.",
    )
    yield Section(
        "figures",
        "Key figures",
        tables=tuple(found["figures"]),
        missing="" if found["figures"] else "The run holds no key figures of its scenario.",
    )


def ladder(run: RunFiles, order: Sequence[str]) -> Section:
    """The same greedy rule, told more and more."""
    head = ("ladder", "What knowing is worth")
    found = {}
    names = {r.variant.removeprefix(LADDER) for r in run.rows if r.variant.startswith(LADDER)}
    for rung in [*(n for n in order if n in names), *sorted(names.difference(order))]:
        mine = [r for r in run.rows if r.variant == LADDER + rung]
        values = np.array([r.value for r in mine if r.metric == LIFT.id])
        if len(values):
            found[rung] = estimate_metric(values, LIFT)
    if not found:
        return Section(*head, missing="The information ladder is judged where a run takes all agents.")
    figure = charts.intervals("f-ladder", "Information ladder", found, "lift")
    return Section(
        *head,
        text="The same greedy rule, told more and more of what is hidden.",
        figures=(Figure(figure, "Lift by what is known.", _of_intervals("lift", found)),),
        half=True,
    )


def curves(run: RunFiles) -> Section:
    """Reward along fine-tuning, and accuracy, which a frozen prior keeps."""
    head = ("curves", "Learning curves")
    series = [(agent, points) for (agent, _), points in sorted(run.curves.items()) if len(points) > 1]
    if not series:
        return Section(*head, missing="No agent of this run was trained long enough to leave a learning curve.")
    names = dict.fromkeys(name for name, _ in series)
    ends = [
        [f"{name}, seed {seed}", f"{points[0][1]:.4g}", f"{points[-1][1]:.4g}"]
        for (name, seed), points in sorted(run.curves.items())
        if len(points) > 1
    ]
    data = html_table("reward", ("training", "first point", "last point"), ends)
    drawn = charts.line_chart(
        "f-curve", "Reward while training", series, "environment steps", "feedback reward per step"
    )
    figures = [Figure(drawn, "Mean feedback reward per step since the point before, exploration included.", data)]
    notes = []
    mine = rows_in(run, run.variant)
    known = {a: float(np.mean(runs)) for a in names if (runs := runs_of(mine, a, TOP1)) is not None}
    if known:
        last = max(points[-1][0] for _, points in series)
        flat = [(name, [(0.0, v), (last, v)]) for name, v in known.items()]
        drawn = charts.line_chart(
            "f-accuracy",
            "Accuracy while training",
            flat,
            "environment steps",
            "top-1",
            (0.0, 1.0),
            colours=colours(TUNED),
        )
        rows = [[name, f"{v:.3f}", f"{v:.3f}"] for name, v in known.items()]
        caption = "Top-1 on the evaluation worlds. The predictor is frozen while the policy learns, so its accuracy cannot move: the line is the one value measured."
        figures.append(Figure(drawn, caption, html_table("top-1", ("agent", "before", "after"), rows)))
    else:
        notes.append("No accuracy is drawn: the trained agents of this run do not predict.")
    return Section(*head, figures=tuple(figures), notes=tuple(notes))


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
        change = difference(b, a, metric) if a.shape == b.shape else None
        rows.append([metric.heading, *(f"{np.mean(x):.4g}" for x in (a, b)), told(change, "+.3g") if change else ""])
    table = html_table("means, and the difference paired by seed", ("", first, TUNED, "difference"), rows)
    pairs = _by_seed(mine, first, TUNED)
    figure = charts.slopes("f-slopes", f"{first} and {TUNED} seed by seed", pairs, (first, TUNED), "true utility")
    data = html_table("true utility", ("seed", first, TUNED), [[name, f"{a:.4g}", f"{b:.4g}"] for name, a, b in pairs])
    caption = (
        "True utility per person and day; a line for each evaluation seed, whose people are the same on both sides."
    )
    return Section(*head, tables=(table,), figures=(Figure(figure, caption, data),))


def _by_seed(rows: Sequence[ResultRow], first: str, second: str, most: int = 30) -> list[tuple[str, float, float]]:
    mean: dict[str, dict[int, list[float]]] = {first: {}, second: {}}
    for r in rows:
        if r.agent in mean and r.metric == JUDGE.id:
            mean[r.agent].setdefault(r.seed, []).append(r.value)
    both = sorted(mean[first].keys() & mean[second].keys())[:most]
    return [(f"seed {s}", float(np.mean(mean[first][s])), float(np.mean(mean[second][s]))) for s in both]


def terms(run: RunFiles, weights: Mapping[str, float]) -> Section:
    """What reward and utility are made of, for a few agents side by side."""
    head = ("terms", "Reward terms")
    mine = rows_in(run, run.variant)
    agents = [
        a for a in dict.fromkeys((FLOOR, PRIOR, shown_agent(run), CEILING)) if runs_of(mine, a, JUDGE) is not None
    ]
    figures = []
    for family, title in ((TERM, "Feedback reward by term"), (UTILITY_TERM, "True utility by term")):
        if family is TERM and not weights:
            continue
        groups: dict[str, dict[str, float]] = {}
        for r in mine:
            if (name := family.name(r.metric)) and r.agent in agents:
                groups.setdefault(name, {}).setdefault(r.agent, 0.0)
                count = sum(1 for q in mine if q.agent == r.agent and q.metric == r.metric)
                groups[name][r.agent] += r.value * (weights.get(name, 1.0) if family is TERM else 1.0) / count
        groups = {
            k: {a: g[a] for a in agents if a in g} for k, g in groups.items() if any(abs(v) > 1e-9 for v in g.values())
        }
        if groups:
            largest = max(abs(v) for g in groups.values() for v in g.values())
            drawn_ones = {k: g for k, g in groups.items() if max(map(abs, g.values())) > 0.01 * largest}
            few = (
                ""
                if len(drawn_ones) == len(groups)
                else " Terms below a hundredth of the largest are in the table alone."
            )
            rows = [[k, *(f"{g[a]:.3g}" if a in g else "" for a in agents)] for k, g in groups.items()]
            drawn = charts.bars(
                f"f-{family.prefix[:-1]}", title, drawn_ones, "weighted, per person and day", colours(shown_agent(run))
            )
            figures.append(
                Figure(
                    drawn,
                    f"{title}: weight times amount, per person and day.{few}",
                    html_table(title, ("term", *agents), rows),
                )
            )
    if not figures:
        return Section(*head, missing="The run holds no reward terms.")
    return Section(*head, figures=tuple(figures))


def gates_section(run: RunFiles) -> Section:
    """Is the simulated resident like the log she was calibrated to?"""
    head = ("gates", "Is the simulated person credible?")
    if not run.gates:
        return Section(
            *head, missing="Fidelity gates compare people calibrated to a log with that log; this run has no such log."
        )
    words = {True: "yes", False: "NO", None: "not measured"}
    rows = [
        [
            str(g["name"]),
            _numbers(g["source"]),
            _numbers(g["simulated"]),
            str(g["accept"]),
            words[g["passed"]],
            str(g.get("note", "")),
        ]
        for g in run.gates
    ]
    passed = sum(g["passed"] is True for g in run.gates)
    of = sum(g["passed"] is not None for g in run.gates)
    return Section(
        *head,
        text=f"{passed} of {of} gates passed.",
        tables=(
            html_table("fidelity", ("statistic", "log", "simulated", "accept", "passed", "note"), rows, words=True),
        ),
    )


def _numbers(values: Sequence[float | None]) -> str:
    return " / ".join("–" if v is None else f"{v:.3g}" for v in values) or "–"
