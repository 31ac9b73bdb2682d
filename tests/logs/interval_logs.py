"""What a log of intervals tells, in words, and whether it is a published log as its reference figures read it."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from protocol_logs import LOGS

from lam_env.core.events import ActionLog


def told(log: ActionLog) -> list[tuple[str, str, float]]:
    """(start, name, duration [s]) of each event; in a home of several, who it was stands before the name."""
    assert log.intervals
    monday, users = datetime.datetime.fromisoformat(str(log.meta["start"])), log.meta["users"]
    who = [f"{name} " for name in users] if users != ["0"] else [""]
    rows = [
        (
            str(monday + datetime.timedelta(seconds=e.time)),
            who[e.world if len(log.worlds) > 1 else e.user] + log.vocabulary.actions[e.token],
            e.value,
        )
        for e in log.events()
    ]
    return sorted(rows, key=lambda row: row[0])


def same_as_protocol(log: ActionLog, name: str) -> None:
    """LOGS[name], durations between whole seconds."""
    events = sorted(LOGS[name].read(), key=lambda e: e.start)
    found = told(log)
    assert [row[:2] for row in found] == [(str(e.start)[:19], " ".join(e.name.split())) for e in events]
    assert [row[2] for row in found] == pytest.approx(
        [max(0.0, (e.end - e.start).total_seconds()) for e in events], abs=1
    )


def write(folder: Path, name: str, *lines: str) -> str:
    """A file of these lines; where it is."""
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(folder / name)
