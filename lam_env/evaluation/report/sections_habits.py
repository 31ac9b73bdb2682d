"""What a real log tells of somebody's habits, and what an agent would be worth to her."""

from __future__ import annotations

from lam_env.core.catalogue import LIFT
from lam_env.evaluation.comparison import runs_of
from lam_env.evaluation.estimates import estimate_metric, in_text
from lam_env.evaluation.report import charts
from lam_env.evaluation.report.elements import Figure, Grid, Section, html_table
from lam_env.evaluation.report.reader import RunFiles
from lam_env.evaluation.report.sections_scores import rows_in, shown_agent
from lam_env.logs.fidelity import counted
from lam_env.logs.habits import LATELY, Habits, clock, of_busiest
from lam_env.logs.look.summary import predictable, users_of
from lam_env.logs.statistics import streams

SHOWN = 12  # rows of a table or a picture


def habits_section(run: RunFiles) -> Section:
    """Of the person with most events."""
    head = ("habits", "What are the habits?")
    if run.log is None:
        return Section(*head, missing="The run was not made from a real log, or does not hold it.")
    found = of_busiest(run.log)
    if found is None:
        return Section(*head, missing="The log is too short, or without a clock: there are no days to compare.")
    profile = dict(list(found.profile.items())[:SHOWN])
    columns = ("action", *(str(hour) for hour in range(24)))
    data = html_table("events by hour", columns, [[a, *(f"{n:,}" for n in row)] for a, row in profile.items()])
    drawn = charts.heat("f-habits", "When it is done", {a: row.tolist() for a, row in profile.items()})
    caption = "The most frequent actions by the hour at which they begin; a row is darkest at its own busiest hour."
    text = f"From {found.days} days of the log; told is only what stands out from chance."
    if len(several := streams(run.log)) > 1:
        text += f" It holds {len(several):,} streams: these are the habits of the busiest ({users_of(run.log)[0][0]})."
    notes = (*worth(run), *(line[:1].upper() + line[1:] + "." for line in predictable(several, True)))
    return Section(*head, text=text, figures=(Figure(drawn, data, caption),), tables=tables(found), notes=notes)


def tables(found: Habits) -> tuple[Grid, ...]:
    """Anchors of the day, what follows what, what is otherwise at weekends and lately."""
    anchors = [
        [f"{a.action} ends" if a.ends else a.action, clock(a.hour), f"{a.spread * 60:.0f} min", f"{a.share:.0%}"]
        for a in found.anchors[:SHOWN]
    ]
    sequels = [[s.before, s.after, f"{s.share:.0%}", f"{s.usual:.0%}"] for s in found.sequels[:SHOWN]]
    changes = [
        [c.action, when, f"{c.here:.1f}", f"{c.there:.1f}"]
        for when, contrasts in (("weekend", found.weekend), (f"last {LATELY} days", found.lately))
        for c in contrasts[:SHOWN]
    ]
    made = (
        html_table("anchors of the day", ("action", "about", "give or take", "on days"), anchors, words=True),
        html_table("what follows what", ("after", "comes", "of its times", "of all events"), sequels, words=True),
        html_table("what is otherwise", ("action", "when", "a day then", "on other days"), changes, words=True),
    )
    return tuple(grid for grid in made if grid.rows)


def worth(run: RunFiles) -> list[str]:
    """What an agent wins for her simulated likeness, after how far that can be believed."""
    agent = shown_agent(run)
    won = runs_of(rows_in(run, "twin"), agent, LIFT)
    if won is None:
        return []
    met, of = counted(run.gates)
    lift = in_text(estimate_metric(won, LIFT), "+.3g")
    return [
        f"Her simulated likeness meets {met} of {of} gates of credibility: believe the rest as far.",
        f"There `{agent}` wins {lift} {LIFT.unit} over doing nothing.",
    ]
