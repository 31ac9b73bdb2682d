"""What more is told of predictions on a log: by action, hour and user, and where they are surest."""

from __future__ import annotations

from lam_env.core.catalogue import MORE, RIGHT, TOP1
from lam_env.evaluation.log_predictors import best_predictor
from lam_env.evaluation.predictions.breakdown import breakdowns, parts_of_group
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import Figure, Section, html_table, of_table
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.tables import VARIANTS, holds, score_table

_HOURS = [(float(h), str(h)) for h in (0, 6, 12, 18, 23)]


def more_of_predictions(run: RunFiles) -> Section:
    """Of the log's held-out part: all other scores, and the best predictor in its parts."""
    head = ("more", "More of the predictions on the log")
    rows = [r for r in run.rows if r.variant == "log"]
    best = best_predictor(rows)
    if best is None or not holds(rows, MORE[:1]):
        return Section(*head, missing="No log was predicted in this run, or by an older version.")
    called = VARIANTS["log"]
    tables = [score_table(rows, run.scenario, "more of predictions", "log", called=called), *breakdowns(rows)]
    surest = {a: parts_of_group(rows, a, "surest") for a in dict.fromkeys((best, "markov1", "most_frequent"))}
    figures = []
    if curves := {
        a: [(float(n.removesuffix(" %")), e[RIGHT.id]) for n, e in p.items()] for a, p in surest.items() if p
    }:
        words = ("decision points on which it acts [%]", "share that is right")
        drawn = charts.line_chart("f-surest", "Coverage and accuracy", list(curves.items()), *words, (0.0, 1.0))
        cells = [[a, f"{share:.0f} %", f"{right:.3f}"] for a, points in curves.items() for share, right in points]
        caption = "Who acts only where the likeliest action is likely enough is right more often."
        figures.append(Figure(drawn, html_table("surest", ("agent", "surest", "right"), cells), caption))
    if hours := {int(h): each for h, each in sorted(parts_of_group(rows, best, "hour").items())}:
        points = [(float(h), each[TOP1.id]) for h, each in hours.items()]
        words = ("hour of the day", TOP1.heading)
        drawn = charts.line_chart("f-known", "Known by hour", [(best, points)], *words, (0.0, 1.0), _HOURS)
        cells = [[f"{h}:00", f"{each[TOP1.id]:.3f}"] for h, each in hours.items()]
        caption = f"How often {best} knows what happens, by the hour at which it does."
        figures.append(Figure(drawn, html_table("by hour", ("hour", TOP1.heading), cells), caption))
    text = "Being right: the likeliest action happens, at any decision point. By action: one against the rest, the mean"
    text += " of the most frequent ones."
    return Section(*head, text=text, tables=tuple(of_table(t, t.title) for t in tables), figures=tuple(figures))
