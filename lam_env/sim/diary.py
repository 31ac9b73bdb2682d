"""The log that somebody's life leaves: what a resident does, as an activity log."""

from __future__ import annotations

from lam_env.core.events import USER, ActionLog, Event, Vocabulary
from lam_env.core.units import DAY, HOUR, MINUTE
from lam_env.sim.routine import IDLE, Routine


def activity_log(routine: Routine, days: int, start_day: int = 0, world: int = 0, user: int = 0) -> ActionLog:
    """The named acts of whole days as intervals; the person is asleep the midnight before."""
    tables = routine.tables
    first, last = start_day * DAY, (start_day + days) * DAY
    named = [name for name in tables.activities if name not in tables.unseen]
    token = [named.index(name) + 1 if name in named else 0 for name in tables.activities]
    events: list[Event] = []
    open_at: dict[int, int] = {}  # activity that may go on -> its place in events
    for act in routine.acts(max(0, first - 20 * HOUR), asleep=any(routine.wakes)):
        if act.start >= last:
            break
        if act.activity == IDLE or not token[act.activity]:
            if act.end - act.start >= MINUTE:
                open_at.clear()
        elif act.start >= first:
            if act.activity in open_at:
                i = open_at[act.activity]
                events[i] = events[i]._replace(value=float(act.end) - events[i].time)
                continue
            if tables.activities[act.activity] in tables.holds:
                open_at[act.activity] = len(events)
            events.append(Event(act.start, user, USER, token[act.activity], float(act.end - act.start), world=world))
    return ActionLog.from_events(events, Vocabulary(("none", *named)), intervals=True, end=(last,))
