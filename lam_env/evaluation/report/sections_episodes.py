"""Sections made from what judging has kept: calibration, confusions, hours, single acts, failures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from lam_env.config.cli import command_line
from lam_env.core.catalogue import UTILITY, UTILITY_TERM
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import FLOOR, KNOWING, PRIOR, TUNED, Figure, Section, colours, html_table
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.report.recorder import Judged, Predictions, lifts
from lam_env.evaluation.report.sections_scores import shown_agent
from lam_env.evaluation.tables import VARIANTS

OLD = "This run folder does not hold what it is made of; runs made by this version do."
LOOK = {"acts": "a", "accepted": "c", "refused": "w"}
SHOWN_ACTIONS, SHOWN_PAIRS, SHOWN_EPISODES = 14, 12, 6


def one(records: Mapping[tuple[str, int], Judged], agent: str) -> Judged | None:
    """The record of an agent's first training seed."""
    seeds = sorted(seed for name, seed in records if name == agent)
    return records[agent, seeds[0]] if seeds else None


def _predictions(run: RunFiles, *agents: str) -> tuple[str, Predictions, list[str], str] | None:
    """(agent, its predictions, names of actions, on what) of the first of these that predicts."""
    sources = (run.judged, "sim", "all evaluation worlds"), (run.on_log, "log", VARIANTS["log"])
    for records, variant, over in sources:
        for agent in agents:
            record = one(records, agent)
            if record is not None and record["predictions"].get(variant):
                return agent, record["predictions"][variant], [str(a) for a in record["actions"]], over
    return None


def _which_fold(run: RunFiles) -> str:
    """What a caption says where a run has folds: each writes the same files of predictions, so the last one's stay."""
    judge = run.config.get("eval")
    folds = judge.get("folds") if isinstance(judge, dict) else None
    return f" Of the last of {folds} folds, which learns from the most days." if folds and not run.judged else ""


def calibration(run: RunFiles) -> Section:
    """A reliability diagram."""
    head = ("calibration", "Can its probabilities be believed?")
    first = _predictions(run, PRIOR, TUNED, shown_agent(run), "plugin", "plugin_context")
    second = _predictions(run, KNOWING) or _predictions(run, "markov1", "markov2", "markov3")
    series = []
    for agent, predictions, *_ in filter(None, (first, second)):
        bins = predictions["reliability"]
        series.append((agent, bins["confidence"], bins["accuracy"], bins["decisions"]))
    if not series:
        return Section(*head, missing=OLD if not run.judged and not run.on_log else "No agent of this run predicts.")
    drawn = charts.diagonal("f-reliability", "Reliability diagram", series, colours(shown_agent(run)))
    rows = [
        [name, f"{c:.3f}", f"{a:.3f}", f"{n:,.0f}"]
        for name, cs, accuracy, many in series
        for c, a, n in zip(cs, accuracy, many, strict=True)
    ]
    data = html_table("bins", ("agent", "said", "happened", "decisions"), rows)
    caption = "Of the likeliest outcome, doing nothing included: said against happened, in 15 bins over all decision"
    caption += " points. Larger dots hold more decision points." + _which_fold(run)
    return Section(*head, figures=(Figure(drawn, data, caption),), half=True)


def confusion(run: RunFiles) -> Section:
    """Which action is taken for which."""
    head = ("confusion", "What is taken for what")
    order = (PRIOR, TUNED, shown_agent(run), "plugin", "plugin_context", KNOWING, "markov3", "markov2", "markov1")
    first = _predictions(run, *order)
    if first is None or not first[1]["counts"]:
        return Section(*head, missing=OLD if not run.judged and not run.on_log else "No agent of this run predicts.")
    agent, predictions, names, over = first
    counts, often = Counter[tuple[int, int]](), Counter[int]()  # of pairs that there are: a log may have 30,000 actions
    for did, expected, n in predictions["counts"]:
        counts[did, expected] += n
        often[did] += n
    best = sorted(often, key=lambda a: (-often[a], a))[:SHOWN_ACTIONS]
    square = [[float(counts[a, b]) for b in best] for a in best]
    drawn = charts.matrix("f-confusion", f"Confusion of {agent} by action", [names[a] for a in best], square)
    pairs = sorted(((a, b) for a, b in counts if a != b), key=lambda pair: (-counts[pair], pair))[:SHOWN_PAIRS]
    rows = [[names[a], names[b], f"{counts[a, b]:,.0f}", f"{counts[a, b] / often[a]:.0%}"] for a, b in pairs]
    columns = ("what was done", "was expected", "times", "of such acts")
    table = html_table("most frequent mistakes", columns, rows, words=True)
    recall = [[names[a], f"{often[a]:,.0f}", f"{counts[a, a] / often[a]:.0%}"] for a in best]
    caption = f"The {len(best)} most frequent actions, given that the person acts; a cell's shade is its share"
    caption += " of the row, purple where it was right." + _which_fold(run)
    return Section(
        *head,
        text=f"Likeliest action of {agent} against what was done, over {over}.",
        figures=(Figure(drawn, html_table("by action", ("action", "times", "known"), recall), caption),),
        tables=(table,) if rows else (),
    )


def hours_section(run: RunFiles) -> Section:
    """By the hour of the day."""
    head = ("hours", "By hour of the day")
    agent = shown_agent(run)
    mine, base = one(run.judged, agent), one(run.judged, FLOOR)
    if mine is None or not mine["hours"]:
        return Section(*head, missing=OLD)
    hours, notes = mine["hours"], []
    kinds = [k for k in LOOK if k in hours]

    def drawn(id_: str, title: str, series: Mapping[str, Sequence[float]], beside: str, look: charts.Colours) -> str:
        points = [(name, [(float(h), float(v)) for h, v in enumerate(of)]) for name, of in series.items()]
        ticks = [(float(h), str(h)) for h in (0, 6, 12, 18, 23)]
        return charts.line_chart(id_, title, points, "hour of the day", beside, x_ticks=ticks, colours=look)

    rows = [[f"{h}:00", *(f"{hours[k][h]:.3g}" for k in kinds)] for h in range(24)]
    svg = drawn("f-acts", f"What {agent} does by hour", {k: hours[k] for k in kinds}, "per person and day", LOOK)
    caption = f"Acts of {agent} and how they were taken, at the hour of the answer."
    figures = [Figure(svg, html_table("acts", ("hour", *kinds), rows), caption)]
    if "utility" in hours and base is not None and "utility" in base["hours"]:
        lift = [a - b for a, b in zip(hours["utility"], base["hours"]["utility"], strict=True)]
        svg = drawn("f-hours", "Lift by hour", {agent: lift}, "true utility won", {})
        rows = [[f"{h}:00", f"{lift[h]:.3g}", f"{hours['reward'][h]:.3g}"] for h in range(24)]
        caption = "True utility won over doing nothing, per person and day, at the hour at which it came about."
        figures.append(Figure(svg, html_table("lift", ("hour", "lift", "reward"), rows), caption))
    elif "utility" not in hours:
        why = "True utility has no hour here: what people get is booked when they are asked again."
        notes.append(f"{why} The scenario's own key figures are of whole episodes.")
    if "accepted" not in hours:
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
    answers, rows = [k for k in ("accepted", "refused") if k in done], []
    for a in order:
        times = done["acts"][a]
        rows.append(
            [str(mine["actions"][a]), f"{times:,}", f"{times / total:.0%}", *(f"{done[k][a]:,}" for k in answers)]
        )
    text = f"{agent}: {total:,} acts in {mine['episodes']['judged']:,} episodes; the most frequent {len(rows)} kinds."
    table = html_table("acts by kind", ("action", "times", "of all", *answers), rows)
    return Section(*head, text=text, tables=(table,), half=True)


def failures(run: RunFiles) -> Section:
    """The worst episodes, and by what they fell behind."""
    head = ("failures", "Failure cases")
    agent = shown_agent(run)
    mine, base = one(run.judged, agent), one(run.judged, FLOOR)
    if mine is None or base is None:
        return Section(*head, missing=OLD)
    ranked = sorted(lifts(mine, base))
    if not ranked or agent == FLOOR:
        return Section(*head, missing="No episode can be compared with one without an agent.")
    own, other = mine["episodes"], base["episodes"]
    names = [k for k in own if UTILITY_TERM.name(k) and k in other]
    rows = []
    for lift, i, k in ranked[:SHOWN_EPISODES]:
        moved = sorted((own[n][i] - other[n][k], UTILITY_TERM.name(n)) for n in names)
        why = ", ".join(f"{name} {change:+.3g}" for change, name in moved[:3] if change < -1e-6) or "nothing got worse"
        rows.append([str(own["world"][i]), f"{lift:+.3g}", f"{own[UTILITY.id][i]:.3g}", f"{own['acts'][i]:,}", why])
    worse = sum(lift < 0 for lift, _, _ in ranked)
    text = f"{worse:,} of {len(ranked):,} episodes of {agent} went worse than without an agent."
    if own["judged"] > len(ranked):
        text += f" (Kept one by one are {len(ranked):,} of {own['judged']:,}.)"
    columns = ("world", "lift", "utility", "acts", "what got worse, against no agent")
    table = html_table("the episodes of least lift", columns, rows, words=True)
    command = command_line(
        "python -m lam_env watch", [f"scenario={run.scenario}", f"agent={run.path}", f"seed={rows[0][0]}"]
    )
    notes = (f"The number of a world is its seed. To watch one: `{command}`",) if agent == TUNED else ()
    return Section(*head, text=text, tables=(table,), notes=notes)
