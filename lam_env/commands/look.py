"""python -m lam_env look export.csv

Shows what a log of your own holds, before anybody believes it: its format and columns as guessed, the first rows as
read, users, days, rates, hours and actions, and the command that predicts from it.
"""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lam_env.config.cli import cli_errors, parse, setting
from lam_env.config.convert import count
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.files.outputs import replace_text
from lam_env.experiment.logs.file import LogFile, options
from lam_env.launch.job import one_thread
from lam_env.logs.input.files import written_in
from lam_env.logs.input.records import existing, paths_of

if TYPE_CHECKING:
    from lam_env.core.events import ActionLog
    from lam_env.logs.look.columns import Proposal
    from lam_env.logs.look.formats import Reading

INDENT = "  "
LEAST = 2  # actions that a home may have devices for, from which on a list of them is worth while


@dataclass(frozen=True)
class LookSettings(LogFile):
    """Show what a log holds."""

    devices: str | None = setting(None, "file to write a list of the log's devices to, for a home that has them")
    nobody: str | None = setting(
        None, "what the user is called where the log names neither of two residents: says whose these events may be"
    )


def main(argv: Sequence[str]) -> int:
    one_thread()
    with cli_errors():
        files = [word for word in argv if "=" not in word and not word.startswith("-")]
        words = [word for word in argv if word not in files] + ([f"logs={','.join(files)}"] if files else [])
        settings = parse(LookSettings, words, "python -m lam_env look")
        if settings.logs is None:
            raise UserError("which file? Write lam look FILE, or logs=FILE")
        if settings.devices is not None and Path(settings.devices).exists():
            raise UserError(f"devices={settings.devices}: is there already; give the name of a new file")
        for line in told(settings.logs, settings):
            print(line if _unicode() else line.translate(_PLAIN))
    return 0


def _unicode() -> bool:
    return (sys.stdout.encoding or "").lower().startswith("utf")


_PLAIN = {ord(bar): sign for bar, sign in zip("▁▂▃▄▅▆▇█", "..::++##", strict=True)}


def told(logs: str, settings: LookSettings) -> Iterator[str]:
    """All that is to be said of a file, or of several, of which the first tells the format; UserError where they can
    be read in no way."""
    from lam_env.experiment.inputs import LEAST_DAYS
    from lam_env.logs import coverage
    from lam_env.logs.look import formats

    path, *more = paths_of(logs)
    if not path.exists():
        raise UserError(f"{path}: no such file or folder")
    if not path.is_dir() and not formats.has_text(existing(path, "file or folder")):
        raise UserError(f"{path}: the file is empty; export it again")
    yield f"{path}: {_size(path)}" + (f", and {count(len(more), 'file')} more" if more else "")
    how, name = options(settings), settings.format
    if "encoding" not in how and (encoding := formats.encoding_of(path)) is not None:
        how["encoding"] = encoding
        yield f"not UTF-8: read as encoding={encoding}; are the names below spelled right?"
    if name is None and "columns" not in how and (found := formats.that_read(path, **how)):
        name, *others = found
        yield f"format={name} reads it" + (f" (so do {', '.join(others)})" if others else "")
    if name is None:
        with written_in(how.get("encoding")):
            name, proposal = _as_table(path, how)
        if "columns" not in how:
            yield "no format reads it as it is; as a table it seems to hold:"
            yield from _columns_said(proposal, name)
        how = {**proposal.settings, **how}
    reading = formats.read_somehow(logs, name, **how)
    days = len(coverage.days_of(reading.log).number) if coverage.has_clock(reading.log) else None
    yield from about(reading, days, zone_said="zone" in how)
    yield from _owners(reading.log, settings.nobody)
    yield from _devices(reading.log, logs, settings.devices)
    yield from ("", "next", *(INDENT + line for line in command(logs, reading, "zone" in how)))
    if days is not None and days < LEAST_DAYS:
        yield f"{INDENT}(once there are {LEAST_DAYS} days: these are too few to predict from)"


def _as_table(path: Path, how: Mapping[str, Any]) -> tuple[str, Proposal]:
    """The kind of table, and what seems to be in it, of a file that no format reads as it is."""
    from lam_env.logs.look import columns, formats

    kind = formats.kind_of(path)
    proposal = None if kind is None else columns.propose(path, kind)
    if path.is_dir():
        inside = f"lam look '{path}/*.csv'"
        raise UserError(f"{path}: no format of the kit reads this folder; are its files one log? {inside}")
    if kind is None and (line := formats.line_of_nul(path)) is not None:
        raise UserError(f"{path}, line {line}: no text (a NUL byte); correct it, or give another file")
    if kind is None or proposal is None or not (proposal.settings or "columns" in how):
        why = "no format of the kit reads it as it is, and it does not look like a table with times and actions"
        raise UserError(f"{path}: {why}; say format=, and columns= of a table: lam look --help")
    return kind, proposal


def _columns_said(proposal: Proposal, kind: str) -> list[str]:
    from lam_env.logs.input.roles import quoted
    from lam_env.logs.look.columns import CLOCKS, DEVICE

    head = count(len(proposal.columns), "column")
    if kind == "csv":
        head += f", separated by {proposal.sep}"
        head += ", called by its first line" if proposal.header else ", without a header line (columns by number)"
    lines = [head]
    width, whose = max(len(column.name) for column in proposal.columns), {clock: role for role, clock in CLOCKS.items()}
    for column in proposal.columns:
        examples = ", ".join(column.cells)
        role = "action" if column.role in DEVICE else whose.get(column.role, column.role)
        lines.append(f"{column.name[:24]:{min(24, width)}}  {role or '-':8}  {examples}"[:76])
    for name in proposal.unread:
        lines.append(f"{name} is called as times are, but most are of no known form: say time_format")
    for name in proposal.people:
        lines.append(f"{name}: are these people? Then add user:{quoted(name)} to columns")
    if proposal.ambiguous is not None:
        lines.append(f"its times fit time_format={proposal.ambiguous} as well: say which is right")
    return [INDENT + line for line in lines]


def about(reading: Reading, days: int | None, zone_said: bool) -> Iterator[str]:
    """What a log holds. `days`: how many count; None of a log without a clock."""
    from lam_env.logs import coverage, habits, tables
    from lam_env.logs.look import formats, summary
    from lam_env.logs.statistics import streams

    log = reading.log
    users, names = summary.users_of(log), log.vocabulary.actions[1:]
    who = "session" if log.meta.get("streams") == "sessions" else "user"
    counted = [(sum(n for _, n in users), "event"), (len(users), who), (len(names), "action")]
    counted += [] if days is None else [(days, "day")]
    yield ""
    yield ", ".join(count(n, what) for n, what in counted)
    lines = [*coverage.said(log, reading.left_out), *tables.streams_said(log)]
    if "wrong_rows" in reading.how:
        lines.append("lam predict refuses rows that cannot be read, unless wrong_rows=skip is said")
    if "zone" in reading.how and not zone_said:
        lines.append(f"its times need a time zone; {formats.ZONE} is taken here: say yours, zone=Europe/Berlin")
    if len(users) > 1 and who == "user":
        shown = ", ".join(f"{name} {n:,}" for name, n in users[: summary.USERS])
        lines.append(f"users: {shown}" + (", ..." if len(users) > summary.USERS else ""))
    for line in lines:
        yield from _wrapped(line)
    of = f" of {users[0][0]}" if len(users) > 1 and who == "user" and len(log.worlds) > 1 else ""
    parts, hourly = streams(log), summary.has_hours(log)
    own = habits.of_busiest(log, parts) if hourly else None
    for title, part in (
        ("first rows, as read", summary.first_rows(log)),
        ("rates", summary.rates(log, parts)),
        ("hours of the day", summary.hour_profile(parts) if hourly else []),
        ("actions", summary.action_table(log)),
        (f"habits{of}", [] if own is None else habits.words(own)),
        ("durations", summary.durations(log) if reading.format in formats.TABLES else []),
        ("names that may mean one thing", [f"{a} / {b}" for a, b in summary.alike(names)[: summary.ALIKE]]),
    ):
        if part:
            yield from ("", title, *(piece for line in part for piece in _wrapped(line)))


def _wrapped(line: str) -> list[str]:
    """Indented, within 80 columns."""
    wrapper = textwrap.TextWrapper(80, INDENT, 2 * INDENT, break_long_words=False, break_on_hyphens=False)
    return wrapper.wrap(line)


def _owners(log: ActionLog, nobody: str | None) -> Iterator[str]:
    """Whose the events are that name nobody, and each one's habits then."""
    if nobody is None:
        return
    from lam_env.core.progress import Progress
    from lam_env.experiment.logs.owners import owned
    from lam_env.logs import habits
    from lam_env.logs.look import summary

    with Progress() as progress:
        found = owned(log, nobody, progress)
    every, n = len(found.unnamed), int(found.unnamed.sum())
    whose = ", ".join(f"{name} {events:,}" for name, events in summary.users_of(found.log))
    said = f"{n:,} of {every:,} events name nobody; told apart as people move in simulated homes."
    said += f" Of {found.tried:,} named ones, hidden for a try, {found.right:.0%} are given rightly."
    yield from ("", "who", *textwrap.wrap(said, 78, initial_indent=INDENT, subsequent_indent=INDENT))
    yield f"{INDENT}users then: {whose}"
    names: Any = found.log.meta["users"]
    for number, name in enumerate(names):
        own = habits.of_busiest(found.log.select(found.log.user == number))
        if own is not None and (part := habits.words(own)):
            yield from ("", f"habits of {name}", *(piece for line in part for piece in _wrapped(line)))


def _devices(log: ActionLog, logs: str, file: str | None) -> Iterator[str]:
    """Which scenario may have the devices of a log of commands; the list of them goes into a file."""
    names = (*log.vocabulary.actions[1:], *log.vocabulary.sensors)
    for scenario in registry.scenario_names() if not log.intervals else ():
        found = registry.scenario(scenario).proposal(names)
        if found is None:
            continue
        known = len(names) - len(found.left_out)
        if known < LEAST and (file is None or len(found.open) < LEAST):
            continue
        lines = [f"{known} of {len(names)} names may be of devices of {scenario}; a list lets agents act there:"]
        if file is None:
            lines.append(f"lam look {shlex.quote(logs)} devices=home.yaml")
        else:
            replace_text(Path(file), found.text)
            lines.append(f"written: {file}")
            if found.open:
                lines.append(
                    f"{count(len(found.open), 'device')} without a known kind or state: fill in what its comments ask"
                )
        lines.append(f"correct it, and say {found.setting}={file or 'home.yaml'}")
        yield from ("", "devices", *(INDENT + line for line in lines))
        return
    if file is not None:
        raise UserError(f"devices={file}: no scenario has devices by the names of this log; nothing was written")


def command(logs: str, reading: Reading, zone_said: bool) -> list[str]:
    """What predicts from the log of these files: lines of a shell, each of which fits 80 columns if its words do. A
    zone that nobody has said is left to be filled in."""
    from lam_env.logs.look.formats import YOURS

    told = {"logs": logs, "format": reading.format, **reading.how}
    if "zone" in told and not zone_said:
        told["zone"] = YOURS
    lines = ["lam predict"]
    for word in (shlex.quote(f"{key}={_text(value)}") for key, value in told.items()):
        if len(f"{INDENT}{lines[-1]} {word} \\") <= 80:
            lines[-1] += f" {word}"
        else:
            lines.append(INDENT + word)
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


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
