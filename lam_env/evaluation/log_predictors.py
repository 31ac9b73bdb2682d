"""What is to be said of the predictors of a real log: which is best, and whether a part beats its whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lam_env.config.convert import count
from lam_env.core.catalogue import EVENTS, NLL, NLL_GAP, NLL_GAP_SD, TOP1, UNITS
from lam_env.evaluation.comparison import estimate_of, runs_of
from lam_env.evaluation.estimates import FEWEST, in_text
from lam_env.evaluation.results import ResultRow

ALWAYS = ("markov_online",)  # its counts go on
LEAST = 0.001  # [nats] what is less is nothing
# the predictor that each row is a part of, and is held against
WHOLE = {"prior.nets": "prior", "prior.counts": "prior", "prior.boosting": "prior_boosted", "prior": "prior_boosted"}


def notes_on_counts(rows: Sequence[ResultRow]) -> list[str]:
    """Which rows of a real log learn while they are tested."""
    names = list(dict.fromkeys(r.agent for r in rows))
    pooled = ("prior", "prior.counts", "prior_boosted") if "prior.counts" in names else ()
    counting = [name for name in names if name in (*ALWAYS, *pooled)]
    return [f"Counts go on in the test, by what has happened until then: {', '.join(counting)}."] if counting else []


def best_predictor(rows: Sequence[ResultRow]) -> str | None:
    """Whose NLL is least; None where nobody predicts."""
    names = {r.agent for r in rows}
    means = {a: float(np.mean(runs)) for a in names if (runs := runs_of(rows, a, NLL)) is not None}
    return min(sorted(means), key=lambda a: means[a]) if means else None


def few_units(rows: Sequence[ResultRow]) -> str:
    """How many days or streams test, where they are too few to say how sure a score is; else, or of folds, empty."""
    most = int(max((r.value for r in rows if r.metric == UNITS.id), default=FEWEST))
    return count(most, "day(s) or stream(s)") if most < FEWEST and len({r.seed for r in rows}) == 1 else ""


def notes_on_parts(rows: Sequence[ResultRow]) -> list[str]:
    """A line for each part that says more than the whole which it belongs to, by more than a standard deviation; of
    few days or streams there is none to go by."""
    notes: list[str] = []
    for name in () if few_units(rows) else dict.fromkeys(r.agent for r in rows):
        gap, sd = (runs_of(rows, name, metric) for metric in (NLL_GAP, NLL_GAP_SD))
        if gap is not None and sd is not None and np.mean(gap) < -max(np.mean(sd), LEAST):
            by = f"{-np.mean(gap):.3f} nats" + (f" (sd {np.mean(sd):.3f})" if np.mean(sd) >= LEAST else "")
            remedy = "; predictor.parts=nets leaves the other parts out" if name == "prior.nets" else ""
            whole = WHOLE.get(name, "its whole")
            notes.append(f"WARNING: {name} beats {whole}, of which it is a part, by {by}{remedy}.")
    return notes


def best_in_words(rows: Sequence[ResultRow]) -> str:
    """Two lines, each with its interval, or three without; `rows` of the variant "log"."""
    best = best_predictor(rows)
    if best is None:
        return "No predictor was judged on the log."
    top1, nll, events = estimate_of(rows, best, TOP1), estimate_of(rows, best, NLL), runs_of(rows, best, EVENTS)
    assert top1 is not None
    assert nll is not None
    of = "" if events is None else f"{np.atleast_2d(events).mean(0).sum():,.0f} "  # of all folds together
    known = f"It knows {in_text(top1, '.0%')} of the next {of}events."
    few = few_units(rows)
    unsure = f"\nTested on {few} alone: too few to tell how it does on others." if few else ""
    return f"Best on the log: {best}, NLL {in_text(nll, '.3g')} nats.\n{known}{unsure}"
