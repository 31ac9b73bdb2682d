"""How far a long job is: a bar with steps/s and time left on a terminal, one line a stage elsewhere."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

Report = Callable[[str, int, int, str], None]  # (stage, done, total, note): how a long job says how far it is


def silent(stage: str, done: int, total: int, note: str) -> None:
    """A `Report` for those whom nobody watches."""


def say(text: str, indent: str = "  ") -> None:
    """Prints a note below a line; on a terminal it is broken between words to its width."""
    lines = [indent + text]
    if sys.stdout.isatty():
        wrapper = textwrap.TextWrapper(shutil.get_terminal_size().columns, indent, 2 * indent)
        wrapper.break_long_words = wrapper.break_on_hyphens = False
        lines = wrapper.wrap(text)
    print("\n".join(lines))


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

    A stage begins at its first call and ends when `done` reaches `total`. `total` 0: unknown. The name of a stage may
    end in what it is counted in, "train [steps]".
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._ended: set[str] = set()

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._bars = _bars(self._stream)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int, note: str = "") -> None:
        now = time.monotonic()
        if stage not in self._began or (stage in self._ended and done < total):
            self._began[stage] = (now, done)
            self._ended.discard(stage)
            self._tasks.pop(stage, None)
        began, first = self._began[stage]
        name, _, unit = stage.removesuffix("]").partition(" [")
        rate = (done - first) / (now - began) if now > began else 0.0
        steps = f"{rate:{',.0f' if rate >= 10 else '.2g'}}{unit and ' '}{unit}/s" if rate else ""
        if self._bars is not None:
            self._bars.start()  # again and again does no harm; never, where there is nothing to tell
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(name, total=total or None, rate="", note="")
            self._bars.update(self._tasks[stage], completed=done, total=total or None, rate=steps, note=note)
        if total and done >= total and stage not in self._ended:
            self._ended.add(stage)
            if self._bars is None:
                details = ", ".join(part for part in (f"{now - began:.1f} s", steps, note) if part)
                print(f"{name}: {total:,} {unit or 'done'} ({details})", file=self._stream, flush=True)


NAME, BAR, PERCENT, RATE, TIME = 24, 10, 5, 17, 7  # widths of the columns, with which 80 columns have 10 for the note


def _bars(stream: TextIO) -> Bars:
    """One row a stage, of columns as wide as they are told: left alone, a long note shrinks the bar to nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column

    def of(width: int) -> Column:
        return Column(width=width, no_wrap=True, overflow="ellipsis")

    console = Console(file=stream)
    note = max(console.width - NAME - BAR - PERCENT - RATE - TIME - 7, 1)  # less the spinner and what lies between
    return Bars(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", table_column=of(NAME)),
        BarColumn(bar_width=BAR),
        TextColumn("{task.percentage:>3.0f} %", table_column=of(PERCENT)),
        TextColumn("{task.fields[rate]}", justify="right", table_column=of(RATE)),
        TimeRemainingColumn(elapsed_when_finished=True, table_column=of(TIME)),
        TextColumn("{task.fields[note]}", markup=False, table_column=of(note)),
        console=console,
    )
