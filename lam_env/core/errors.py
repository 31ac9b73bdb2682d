"""The one root of errors that are the user's to mend: a command prints them as one line and exits with 2."""

from __future__ import annotations

import re
import traceback
from collections.abc import Container
from pathlib import Path

EXTRAS = {"sb3_contrib": "contrib"}  # module that an agent may import -> the extra of the kit that brings it
_LONGEST = 1_000  # characters of a message
# of a terminal: control sequences, whole strings such as a window's title, and two-letter ones
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b.?"
)
OWN_SCENARIOS: dict[str, str] = {}  # the package or module of a user's own scenario -> its name, "tea:Tea"


class UserError(ValueError):
    """Something given from outside cannot be used; the message is one line: what, where, what to do. One that quotes
    what is very long is cut in its middle."""

    def __init__(self, message: object = ""):
        super().__init__(cut(" ".join(str(message).splitlines())))


class UnwritableError(UserError):
    """A file of the run cannot be written, be it that the disk is full or that its folder is gone: nothing goes on."""


def cut(text: str, most: int = _LONGEST) -> str:
    """Its beginning and its end, where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} ... {text[-most // 3 :]}"


def plain(text: str) -> str:
    """Text of somebody else's code, without what would steer a terminal."""
    text = _ESCAPE.sub("", text)
    return text if text.isprintable() else "".join(c for c in text if c.isprintable() or c in "\n\r\t")


def hint(error: BaseException) -> str:
    """Where a module is missing that an extra of the kit brings: how to install it."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return f"; pip install 'lam-env[{EXTRAS[missing]}]'" if missing in EXTRAS else ""


def own_fault(error: BaseException) -> str | None:
    """One line where an error passed through the module of a user's own scenario, with the last line there, be it the
    scenario's or an agent's; None: it did not."""
    if isinstance(error, UserError) or (found := last_place(error, OWN_SCENARIOS)) is None:
        return None
    module, place = found
    text = " ".join(str(error).split())[:400]
    kind = type(error).__name__
    return f"in the module of scenario {OWN_SCENARIOS[module]}: {kind}: {text} ({place}){hint(error)}"


def last_place(error: BaseException, own: Container[str]) -> tuple[str, str] | None:
    """The last line that an error came through in one of these top-level modules: the module, and where in its file."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__")).partition(".")[0]
        if module in own:
            return module, f"{frame.f_code.co_qualname}, {Path(frame.f_code.co_filename).name} line {line}"
    return None
