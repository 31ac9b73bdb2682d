"""How far a long job is: a bar with steps/s and time left on a terminal, one line a stage elsewhere."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

Report = Callable[[str, int, int, str], None]  # (stage, done, total, note): how a long job says how far it is


def silent(stage: str, done: int, total: int, note: str) -> None:
    """A `Report` for those whom nobody watches."""


def say(text: str, indent: str = "  ") -> None:
    """Prints a note below a line, broken between words to the terminal's width, to 80 columns where there is none."""
    print("\n".join(_broken(text, indent, 0)))


def say_command(program: str, words: Sequence[str]) -> None:
    """Prints a command to be copied; on a terminal that is narrower it goes on in the next line, as shells take it."""
    quoted = [shlex.quote(word) for word in words]
    if os.name != "posix" or not sys.stdout.isatty():
        print(f"  {program} {' '.join(quoted)}")
        return
    whole = " ".join([program, *(word.replace(" ", "\0") for word in quoted)])  # no break within quotes
    print(" \\\n".join(_broken(whole, "  ", len(" \\"))).replace("\0", " "))


def _broken(text: str, indent: str, end: int) -> list[str]:
    """Lines of it, and of each the last `end` columns stay free."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    wrapper = textwrap.TextWrapper(columns - end, indent, 2 * indent)
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return wrapper.wrap(text)


class Note(str):
    """A note of a stage that also carries numbers, for whoever draws curves: `values` by name, at `step`."""

    values: dict[str, float]
    step: int

    def __new__(cls, text: str = "", values: Mapping[str, float] | None = None, step: int = 0) -> Note:
        note = super().__new__(cls, text)
        note.values, note.step = dict(values or {}), step
        return note

    def __reduce__(self) -> tuple[type[Note], tuple[str, dict[str, float], int]]:  # it travels between processes
        return Note, (str(self), self.values, self.step)


class Progress:
    """`with Progress() as progress: progress("train", done, total, "reward 1.2")`, as often as is handy.

    A stage begins at its first call, which says what was done before: time and rate are of the rest. It ends when
    `done` reaches `total`; then a line is left of it, and its bar goes.
    `total` 0: unknown. The name of a stage may end in what it is counted in, "train [steps]". `whole` tells how far
    all of the work is: a bar above the others, and the step that a line belongs to.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._ended: set[str] = set()
        self._step = ""

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._bars = _bars(self._stream)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def whole(self, over: int, total: int, share: float, seconds: float | None) -> None:
        """`over` of `total` steps are; `share` of the work is done; so many `seconds` are left, where anything tells.
        The step after those that are over is the one that is said to be at work."""
        if not total:
            return
        step = min(over + 1, total)
        self._step = f"[{step}/{total}] "
        if self._bars is None:
            return
        self._bars.start()
        words, until = f"step {step} of {total}", None if seconds is None else time.monotonic() + seconds
        if WHOLE not in self._tasks:
            self._tasks[WHOLE] = self._bars.add_task(words, total=1, until=until, rate="", note="")
        self._bars.update(self._tasks[WHOLE], description=words, completed=share, until=until)

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if stage not in self._began or (stage in self._ended and done < total):
            self._began[stage] = (now, done)
            self._ended.discard(stage)
        began, first = self._began[stage]
        name, _, unit = stage.removesuffix("]").partition(" [")
        rate = (done - first) / (now - began) if now - began >= SHORT else 0.0
        steps = f"{rate:{',.0f' if rate >= 10 else '.2g'}}{unit and ' '}{unit}/s" if rate else ""
        over = bool(total) and done >= total
        if self._bars is not None and stage not in self._ended:
            self._bars.start()  # again and again does no harm; never, where there is nothing to tell
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(name, total=total or None, rate="", note="")
            self._bars.update(self._tasks[stage], completed=done, total=total or None, rate=steps, note=note)
            if over:
                self._bars.remove_task(self._tasks.pop(stage))
                self._bars.refresh()  # else its bar is drawn once more below the line
        if over and stage not in self._ended:
            self._ended.add(stage)
            rest = f"the last {done - first:,} in " if 0 < first < done else ""
            taken = f"{rest}{now - began:.1f} s"
            details = ", ".join(part for part in (taken, steps, note) if part)
            counted = (unit.removesuffix("s") if total == 1 else unit) or "done"
            self._say(f"{self._step}{name}: {total:,} {counted} ({details})")

    def _say(self, line: str) -> None:
        if self._bars is None:
            print(line, file=self._stream, flush=True)
        else:
            self._bars.console.print(line, markup=False, highlight=False, no_wrap=True, overflow="ellipsis")


SHORT = 0.05  # [s] of what took less no rate is told
WHOLE = ""  # in the place of a stage's name
NAME, BAR, PERCENT, RATE, TIME = 35, 10, 5, 17, 7  # widths of the columns: with what lies between, 80
NOTE = 16  # of the last one, which stands only where there is room for so much


def _bars(stream: TextIO) -> Bars:
    """One row a stage, of columns as wide as they are told: left alone, a long note shrinks the bar to nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column
    from rich.text import Text

    class Left(TimeRemainingColumn):
        """Of a stage as its speed tells; of the whole as it is told."""

        def render(self, task: Task) -> Text:
            if "until" not in task.fields:
                return super().render(task)
            left = 0 if task.fields["until"] is None else round(task.fields["until"] - time.monotonic())
            clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}" if left > 0 else "-:--:--"
            return Text(clock, style="progress.remaining")

    def of(width: int) -> Column:
        return Column(width=width, no_wrap=True, overflow="ellipsis")

    console = Console(file=stream)
    room = console.width - NAME - BAR - PERCENT - RATE - TIME - 7  # less the spinner and what lies between
    note = [TextColumn("{task.fields[note]}", markup=False, table_column=of(room))] if room >= NOTE else []
    return Bars(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=of(NAME)),
        BarColumn(bar_width=BAR),
        TextColumn("{task.percentage:>3.0f} %", table_column=of(PERCENT)),
        TextColumn("{task.fields[rate]}", justify="right", table_column=of(RATE)),
        Left(table_column=of(TIME)),
        *note,
        console=console,
    )
