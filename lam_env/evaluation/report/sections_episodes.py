"""Sections made from what judging has kept: calibration, confusions, hours, single acts, failures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lam_env.core.catalogue import UTILITY, UTILITY_TERM
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import FLOOR, KNOWING, PRIOR, TUNED, Figure, Section, colours, html_table
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.report.recorder import lifts
from lam_env.evaluation.report.sections_scores import shown_agent

OLD = "This run folder does not hold what it is made of; runs made by this version do."
LOOK = {"acts": "a", "accepted": "c", "refused": "w"}
SHOWN_ACTIONS, SHOWN_PAIRS, SHOWN_EPISODES = 14, 12, 6


def one(found: Mapping[tuple[str, int], dict[str, Any]], agent: str) -> dict[str, Any] | None:
    """What is kept of an agent's first training seed."""
    seeds = sorted(seed for name, seed in found if name == agent)
    return found[agent, seeds[0]] if seeds else None


def _predictions(run: RunFiles, *agents: str) -> tuple[str, dict[str, Any], list[str]] | None:
    """(agent, what is kept of its predictions, names of actions) of the first of these that predicts."""
    for found, variant in ((run.judged, "sim"), (run.on_log, "log")):
        for agent in agents:
            data = one(found, agent)
            if data is not None and data["predictions"].get(variant):
                return agent, data["predictions"][variant], [str(a) for a in data["actions"]]
    return None


def calibration(run: RunFiles) -> Section:
    """A reliability diagram."""
    head = ("calibration", "Can its probabilities be believed?")
    whom = (PRIOR, TUNED, shown_agent(run), "plugin", "plugin_context")
    first, ceiling, counts = (
        _predictions(run, *whom),
        _predictions(run, KNOWING),
        _predictions(run, "markov1", "markov2", "markov3"),
    )
    series = []
    for found in (first, ceiling or counts):
        if found is not None:
            bins = found[1]["reliability"]
            series.append((found[0], bins["confidence"], bins["accuracy"], bins["epochs"]))
    if not series:
        return Section(*head, missing=OLD if not run.judged and not run.on_log else "No agent of this run predicts.")
    drawn = charts.diagonal("f-reliability", "Reliability diagram", series, colours(shown_agent(run)))
    rows = [
        [name, f"{c:.3f}", f"{a:.3f}", f"{n:,.0f}"]
        for name, cs, accuracy, many in series
        for c, a, n in zip(cs, accuracy, many, strict=True)
    ]
    data = html_table("bins", ("agent", "said", "happened", "decisions"), rows)
    caption = "Of the likeliest outcome, doing nothing included: said against happened, in 15 bins over all evaluation decision points. Larger dots hold more decision points."
    return Section(*head, figures=(Figure(drawn, caption, data),), half=True)


def confusion(run: RunFiles) -> Section:
    """Which action is taken for which."""
    head = ("confusion", "What is taken for what")
    found = _predictions(
        run, PRIOR, TUNED, shown_agent(run), "plugin", "plugin_context", KNOWING, "markov3", "markov2", "markov1"
    )
    if found is None or not found[1]["counts"]:
        return Section(*head, missing=OLD if not run.judged and not run.on_log else "No agent of this run predicts.")
    agent, kept, names = found
    counts = np.zeros((len(names), len(names)))
    for did, expected, n in kept["counts"]:
        counts[did, expected] += n
    often = counts.sum(1)
    best = [int(a) for a in np.argsort(-often, kind="stable")[:SHOWN_ACTIONS] if often[a]]
    drawn = charts.matrix(
        "f-confusion", f"Confusion of {agent} by action", [names[a] for a in best], counts[np.ix_(best, best)].tolist()
    )
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:SHOWN_PAIRS]
    pairs = [divmod(int(k), len(names)) for k in order]
    rows = [
        [names[a], names[b], f"{wrong[a, b]:,.0f}", f"{wrong[a, b] / often[a]:.0%}"] for a, b in pairs if wrong[a, b]
    ]
    table = html_table("most frequent mistakes", ("she did", "was expected", "times", "of such acts"), rows, words=True)
    recall = [[names[a], f"{often[a]:,.0f}", f"{counts[a, a] / often[a]:.0%}"] for a in best]
    caption = f"The {len(best)} most frequent actions, given that the person acts; a cell's shade is its share of the row, purple where it was right."
    return Section(
        *head,
        text=f"Likeliest action of {agent} against what was done, over all evaluation worlds.",
        figures=(Figure(drawn, caption, html_table("by action", ("action", "times", "known"), recall)),),
        tables=(table,) if rows else (),
    )


def hours_section(run: RunFiles) -> Section:
    """By the hour of the day."""
    head = ("hours", "By hour of the day")
    agent = shown_agent(run)
    mine, base = one(run.judged, agent), one(run.judged, FLOOR)
    if mine is None or not mine["hours"]:
        return Section(*head, missing=OLD)
    found, figures = mine["hours"], []
    clock = [(0.0, "0"), (6.0, "6"), (12.0, "12"), (18.0, "18"), (23.0, "23")]
    names = {"acts": "acts", "accepted": "accepted", "refused": "refused"}
    shown = [k for k in names if k in found]
    series = [(names[k], [(float(h), float(v)) for h, v in enumerate(found[k])]) for k in shown]
    rows = [[f"{h}:00", *(f"{found[k][h]:.3g}" for k in shown)] for h in range(24)]
    drawn = charts.line_chart(
        "f-acts",
        f"What {agent} does by hour",
        series,
        "hour of the day",
        "per person and day",
        x_ticks=clock,
        colours=LOOK,
    )
    figures.append(
        Figure(
            drawn,
            f"Acts of {agent} and how they were taken, at the hour at which that was heard.",
            html_table("acts", ("hour", *shown), rows),
        )
    )
    notes = []
    if "utility" in found and base is not None and "utility" in base["hours"]:
        lift = [a - b for a, b in zip(found["utility"], base["hours"]["utility"], strict=True)]
        series = [(agent, [(float(h), float(v)) for h, v in enumerate(lift)])]
        drawn = charts.line_chart(
            "f-hours", "Lift by hour", series, "hour of the day", "true utility won", x_ticks=clock
        )
        data = html_table(
            "lift",
            ("hour", "lift", "reward"),
            [[f"{h}:00", f"{lift[h]:.3g}", f"{found['reward'][h]:.3g}"] for h in range(24)],
        )
        figures.append(
            Figure(
                drawn,
                "True utility won over doing nothing, per person and day, at the hour at which it came about.",
                data,
            )
        )
    elif "utility" not in found:
        notes.append(
            "True utility has no hour here: what people get is booked when they are asked again. The scenario's own key figures are of whole episodes."
        )
    if "accepted" not in found:
        notes.append("Answers have no hour here: people are asked one by one, and answer later.")
    return Section(*head, figures=tuple(figures), notes=tuple(notes))


def acts(run: RunFiles) -> Section:
    """What the agent does, and how it is taken."""
    head = ("acts", "What it does")
    agent = shown_agent(run)
    mine = one(run.judged, agent)
    if mine is None:
        return Section(*head, missing=OLD)
    done, total = mine["acted"], sum(mine["acted"]["acts"])
    if not total:
        return Section(*head, missing=f"{agent} never acted.")
    order = [a for a in np.argsort(-np.array(done["acts"]), kind="stable").tolist() if done["acts"][a]][:SHOWN_ACTIONS]
    columns, rows = ["action", "times", "of all"], []
    answers = [k for k in ("accepted", "refused") if k in done]
    for a in order:
        rows.append(
            [
                str(mine["actions"][a]),
                f"{done['acts'][a]:,}",
                f"{done['acts'][a] / total:.0%}",
                *(f"{done[k][a]:,}" for k in answers),
            ]
        )
    text = f"{agent}: {total:,} acts in {mine['episodes']['judged']:,} episodes; the most frequent {len(rows)} kinds."
    return Section(*head, text=text, tables=(html_table("acts by kind", (*columns, *answers), rows),), half=True)


def failures(run: RunFiles) -> Section:
    """The worst episodes, and by what they fell behind."""
    head = ("failures", "Failure cases")
    agent = shown_agent(run)
    mine, base = one(run.judged, agent), one(run.judged, FLOOR)
    if mine is None or base is None:
        return Section(*head, missing=OLD)
    found = lifts(mine, base)
    if not found or agent == FLOOR:
        return Section(*head, missing="No episode can be compared with one without an agent.")
    names = [k for k in mine["episodes"] if UTILITY_TERM.name(k) and k in base["episodes"]]
    rows = []
    for lift, i, k in sorted(found)[:SHOWN_EPISODES]:
        moved = sorted((mine["episodes"][n][i] - base["episodes"][n][k], UTILITY_TERM.name(n)) for n in names)
        why = ", ".join(f"{name} {change:+.3g}" for change, name in moved[:3] if change < -1e-6) or "nothing got worse"
        rows.append(
            [
                str(mine["episodes"]["world"][i]),
                f"{lift:+.3g}",
                f"{mine['episodes'][UTILITY.id][i]:.3g}",
                f"{mine['episodes']['acts'][i]:,}",
                why,
            ]
        )
    worse = sum(lift < 0 for lift, _, _ in found)
    text = f"{worse:,} of {len(found):,} episodes of {agent} went worse than without an agent."
    if mine["episodes"]["judged"] > len(found):
        text += f" (Kept one by one are {len(found):,} of {mine['episodes']['judged']:,}.)"
    watched = f"python -m lam_env watch scenario={run.scenario} agent={run.path} seed={rows[0][0]}"
    table = html_table(
        "the episodes of least lift",
        ("world", "lift", "utility", "acts", "what got worse, against no agent"),
        rows,
        words=True,
    )
    return Section(
        *head,
        text=text,
        tables=(table,),
        notes=(f"The number of a world is its seed. To watch one: `{watched}`",) if agent == TUNED else (),
    )
