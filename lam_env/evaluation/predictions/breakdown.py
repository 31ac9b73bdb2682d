"""The best predictor of a log in its parts: by action, by hour of the day and by user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lam_env.core.catalogue import EVENTS, GROUPS, OF_ACTION, OF_GROUP, RIGHT, Metric
from lam_env.evaluation.comparison import estimate_of
from lam_env.evaluation.estimates import in_text
from lam_env.evaluation.log_predictors import best_predictor
from lam_env.evaluation.results import ResultRow
from lam_env.evaluation.tables import Table

_COLUMNS: dict[str, tuple[Metric, ...]] = dict(zip(GROUPS, (OF_ACTION, OF_GROUP, OF_GROUP, (RIGHT,)), strict=True))
_WORDS = {
    "action": "the most frequent actions",
    "hour": "by hour of the day",
    "user": "the users (or streams) least and best known",
    "surest": "right where it is surest",
}
_NOTES = {
    "action": "Precision and recall of the likeliest action, where somebody acts."
    " Intervals are over the days or streams that have it.",
    "hour": "The hour at which it happens. Intervals are over the days or streams on which something does.",
    "user": "Intervals are over a user's own days. Of many the extremes are further apart than the users are.",
    "surest": "Of so many decision points, those with the likeliest action of highest probability: where an agent that"
    " acts on it would be right.",
}


def parts_of_group(rows: Sequence[ResultRow], agent: str, group: str) -> dict[str, dict[str, float]]:
    """name -> id of a metric of the group -> mean over training seeds, in the order of the rows."""
    out: dict[str, dict[str, list[float]]] = {}
    for metric in _COLUMNS[group]:
        head = metric.at(group, "").id
        for row in rows:
            if row.agent == agent and row.metric.startswith(head):
                out.setdefault(row.metric.removeprefix(head), {}).setdefault(metric.id, []).append(row.value)
    return {name: {m: sum(v) / len(v) for m, v in each.items()} for name, each in out.items()}


def breakdowns(rows: Sequence[ResultRow]) -> Iterator[Table]:
    """A table for each group that there is. `rows` of the variant "log"."""
    agent = best_predictor(rows)
    for group in GROUPS if agent is not None else ():
        assert agent is not None
        metrics, mine = _COLUMNS[group], [r for r in rows if r.agent == agent]
        parts = parts_of_group(mine, agent, group)
        if group == "hour":
            parts = dict(sorted(parts.items()))
        lines = []
        for name in parts:
            each = [(m, estimate_of(mine, agent, m.at(group, name))) for m in metrics]
            lines.append((name, *("" if e is None else in_text(e, ",.0f" if m is EVENTS else ".3f") for m, e in each)))
        if lines:
            columns = (group, *(m.heading for m in metrics))
            yield Table(f"{agent}: {_WORDS[group]}", columns, tuple(lines), (_NOTES[group],))
