"""python -m lam_env look export.csv

Shows what a log of your own holds, before anybody believes it: its format and columns as guessed, the first rows as
read, users, days, rates, hours and actions, and the command that predicts from it.
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lam_env.config.cli import cli_errors, parse
from lam_env.config.convert import count
from lam_env.core.errors import UserError
from lam_env.experiment.logs.file import LogFile, options
from lam_env.launch.job import one_thread
from lam_env.logs.input.records import paths_of

if TYPE_CHECKING:
    from lam_env.logs.look.columns import Proposal
    from lam_env.logs.look.formats import Reading

INDENT = "  "


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        words = [word if "=" in word or word.startswith("-") else f"logs={word}" for word in argv]
        settings = parse(LogFile, words, "python -m lam_env look")
        if settings.logs is None:
            raise UserError("which file? Write lam look FILE, or logs=FILE")
        for line in told(settings.logs, settings):
            print(line if _unicode() else line.translate(_PLAIN))
    return 0


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")


_PLAIN = {ord(bar): sign for bar, sign in zip("▁▂▃▄▅▆▇█", "..::++##", strict=True)}


def told(logs: str, settings: LogFile) -> Iterator[str]:
    """All that is to be said of a file, or of several, of which the first tells the format; UserError where they can
    be read in no way."""
    from lam_env.logs.look import formats

    path, *more = paths_of(logs)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    yield f"{path}: {_size(path)}" + (f", and {count(len(more), 'file')} more" if more else "")
    how, name = options(settings), settings.format
    if name is None and "columns" not in how and (found := formats.that_read(path, **how)):
        name, *others = found
        yield f"format={name} reads it" + (f" (so do {', '.join(others)})" if others else "")
    if name is None:
        yield from _as_table(path, logs, how)
    else:
        yield from about(logs, formats.read_somehow(logs, name, **how), how)


def _as_table(path: Path, logs: str, how: Mapping[str, Any]) -> Iterator[str]:
    """Of a file that no format reads as it is."""
    from lam_env.logs.look import columns, formats

    kind = formats.kind_of(path)
    proposal = None if kind is None else columns.propose(path, kind)
    if proposal is None or not (proposal.settings or "columns" in how):
        why = "no format of the kit reads it as it is, and it does not look like a table with times and actions"
        raise UserError(f"{path}: {why}; say format=, and columns= of a table: lam look --help")
    yield "no format reads it as it is; as a table it seems to hold:"
    yield from _columns_said(proposal)
    full = {**proposal.settings, **how}
    assert kind is not None
    yield from about(logs, formats.read_somehow(logs, kind, **full), full)


def _columns_said(proposal: Proposal) -> list[str]:
    head = f"{count(len(proposal.columns), 'column')}, separated by {proposal.sep or 'comma'}, "
    lines = [head + ("called by its first line" if proposal.header else "without a header line (columns by number)")]
    width = max(len(column.name) for column in proposal.columns)
    for column in proposal.columns:
        examples = ", ".join(column.cells)
        role = "action" if column.role in ("thing", "state") else column.role
        lines.append(f"{column.name[:24]:{min(24, width)}}  {role or '-':8}  {examples}"[:76])
    if proposal.ambiguous is not None:
        lines.append(f"its times fit time_format={proposal.ambiguous} as well: say which is right")
    return [INDENT + line for line in lines]


def about(logs: str, reading: Reading, how: Mapping[str, Any]) -> Iterator[str]:
    """What the log of a file holds, read with the settings `how` and what it asked for, and the command that predicts
    from it."""
    from lam_env.logs import coverage, habits, tables
    from lam_env.logs.look import formats, summary

    log = reading.log
    users, names, days = summary.users_of(log), log.vocabulary.actions[1:], len(coverage.days_of(log).number)
    who = "session" if log.meta.get("streams") == "sessions" else "user"
    counted = [(sum(n for _, n in users), "event"), (len(users), who), (len(names), "action")]
    counted += [(days, "day")] if coverage.has_clock(log) else []
    yield ""
    yield ", ".join(count(n, what) for n, what in counted)
    lines = [*coverage.said(log, reading.left_out), *tables.streams_said(log)]
    if "zone" in reading.how and "zone" not in how:
        lines.append(f"its times need a time zone; {formats.ZONE} is taken here: say yours, zone=Europe/Berlin")
    if len(users) > 1 and who == "user":
        shown = ", ".join(f"{name} {n:,}" for name, n in users[: summary.USERS])
        lines.append(f"users: {shown}" + (", ..." if len(users) > summary.USERS else ""))
    for line in lines:
        yield from textwrap.wrap(line, 80, initial_indent=INDENT, subsequent_indent=2 * INDENT)
    of = f" of {users[0][0]}" if len(users) > 1 and who == "user" and len(log.worlds) > 1 else ""
    own = habits.of_busiest(log) if summary.has_hours(log) else None
    for title, part in (
        ("first rows, as read", summary.first_rows(log)),
        ("rates", summary.rates(log)),
        ("hours of the day", summary.hour_profile(log)),
        ("actions", summary.action_table(log)),
        (f"habits{of}", [] if own is None else habits.words(own)),
        ("names that may mean one thing", [f"{a} / {b}" for a, b in summary.alike(names)[: summary.ALIKE]]),
    ):
        if part:
            yield from ("", title, *(INDENT + line for line in part))
    yield from ("", "next", INDENT + command(logs, reading))


def command(logs: str, reading: Reading) -> str:
    """What predicts from the log of these files."""
    told = {"logs": logs, "format": reading.format, **reading.how}
    return " ".join(["lam predict", *(shlex.quote(f"{key}={_text(value)}") for key, value in told.items())])


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "yes" if value is True else str(value)


def _size(path: Path) -> str:
    if path.is_dir():
        return f"a folder of {count(sum(1 for _ in path.iterdir()), 'file')}"
    size = float(path.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
