"""A log from outside: how its file is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lam_env.config.cli import setting
from lam_env.core import registry
from lam_env.core.errors import UserError
from lam_env.core.events import ActionLog
from lam_env.core.progress import Progress
from lam_env.launch.job import one_line
from lam_env.logs.input.files import watched
from lam_env.logs.input.records import paths_of
from lam_env.logs.look.formats import SETTINGS, importer_of


@dataclass(frozen=True)
class LogFile:
    """How a real log is read."""

    logs: str | None = setting(None, "a real log (file or folder) in place of a simulated one")
    format: str | None = setting(
        None,
        lambda: f"format of the real log: {', '.join(registry.IMPORTERS.names())}, or module:function of your own",
        code=True,
    )
    home: str | None = setting(None, "which home of the real log, where it holds several")
    user: str | None = setting(None, "whose part of the real log is read, where it holds several people")
    zone: str | None = setting(None, "time zone of the real log (Europe/Berlin), where its times do not say")
    columns: str | None = setting(
        None, "what is in which column of the real log, a table: time:last_changed,action:{entity_id}.{state}"
    )
    sep: str | None = setting(
        None, "what stands between the columns of the real log: a sign, or tab, semicolon, comma, bar, space"
    )
    encoding: str | None = setting(None, "what letters of the real log, a text, are in, unless it is UTF-8: cp1252")
    wrong_rows: Literal["skip"] | None = setting(
        None, "rows of the real log, a table, that cannot be read are left out (default: they are refused)"
    )
    time_format: str | None = setting(None, "form of the real log's times, in the words of strptime: %d.%m.%Y %H:%M")
    ignore: tuple[str, ...] = setting((), "states, at the end of actions of the real log, that tell of nothing")
    split: Literal["days", "per_user", "users", "sessions"] | None = setting(
        None,
        "what of the real log tests: the last days of all as one stream; of each user; whole users; the last sessions"
        " (default: days; of activities of several people, each user)",
    )
    sort: bool = setting(False, "the rows of the real log are in any order")
    pairs: tuple[str, ...] = setting(
        (), "states, at the end of actions of the real log, that begin and end an activity: on/off,begin/end"
    )
    test: str | None = setting(
        None, "files of the real log that test, where it comes in parts; logs are those to train"
    )
    valid: str | None = setting(None, "files of the real log that validate (default: the last of logs)")


def options(file: LogFile) -> dict[str, Any]:
    """Of how a log is read, what is said."""
    return {name: value for name in SETTINGS if (value := getattr(file, name))}


def read(file: LogFile) -> tuple[ActionLog, dict[str, int]]:
    """What the importer of its format returns; UserError where the file is not there or the format takes no such
    setting."""
    assert file.logs is not None
    if file.format is None:
        there_are = "|".join(registry.IMPORTERS.names())
        raise UserError(f"logs={file.logs}: say its format, format={there_are}; lam look {file.logs} guesses it")
    how = options(file)
    importer = importer_of(file.format, how)
    if not any(path.exists() for path in paths_of(file.logs)):
        raise UserError(f"logs={file.logs}: no such file or folder")
    with Progress() as progress, watched(progress):
        if not registry.names_code(file.format):
            return importer(file.logs, **how)
        try:
            found: Any = importer(file.logs, **how)
        except UserError:
            raise
        except Exception as error:  # whatever a stranger's function raises
            raise UserError(f"format={file.format}: {one_line(error)}") from None
    match found:
        case (ActionLog() as log, Mapping() as left_out):
            return log, dict(left_out)
    what = "return (log, what was left out and how often), as lam_env.log_of_rows does"
    raise UserError(f"format={file.format}: it returned {type(found).__name__}; {what}")
