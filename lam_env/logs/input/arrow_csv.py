"""CSV read by Arrow, whose threads are to be done with a text before Python ends."""

from __future__ import annotations

import atexit
import contextlib
import queue
import weakref
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.csv as pa_csv

from lam_env.logs.input.files import Unpacked

PATIENCE = 60  # [s] with Arrow's threads, each of which has one block to read at most
_T = TypeVar("_T")


class _Lent:
    """A text as Arrow reads it."""

    closed = False

    def __init__(self, read: Callable[[int], memoryview]):
        self.read = read


class _Loan:
    """What Arrow's threads have of a text: they read ahead, and may hold it and its blocks longer than the reader that
    they serve. Who ends Python meanwhile aborts the process, since the last to let go asks for the interpreter."""

    def __init__(self, content: Unpacked):
        self._content, self._over, self._fault = content, False, list[Exception]()
        self._held, self._gone = dict[int, object](), queue.SimpleQueue[object]()

    def lent(self) -> pa.PythonFile:
        return pa.PythonFile(self._noted(_Lent(self._read)), mode="r")

    def _read(self, size: int) -> memoryview:
        block = b""
        try:
            block = b"" if self._over else self._content.read(size)
        except Exception as error:  # a thread of Arrow's would hold it
            self._fault.append(error)
        self._over = self._over or not block
        return self._noted(memoryview(block))

    def _noted(self, what: _T) -> _T:
        ref = weakref.ref(what, self._gone.put)  # no code of Python's, in which a thread may be put off
        self._held[id(ref)] = ref
        return what

    def end(self) -> None:
        """Waits until nothing is held any more; raises what reading has raised."""
        self._over = True
        with contextlib.suppress(queue.Empty):
            while self._held:
                del self._held[id(self._gone.get(timeout=PATIENCE))]
        for error in self._fault:
            raise error


_reading = weakref.WeakSet[Generator[pa.RecordBatch]]()


def batches_of(content: Unpacked, *options: object) -> Generator[pa.RecordBatch]:
    """What Arrow reads of a text. However it ends, no thread of Arrow has any of the text then."""
    batches = _lending(_Loan(content), options)
    _reading.add(batches)
    return batches


def _lending(loan: _Loan, options: Sequence[object]) -> Generator[pa.RecordBatch]:
    try:
        yield from iter(pa_csv.open_csv(loan.lent(), *options))  # no name for the reader, which would hold it
    finally:
        loan.end()


@atexit.register
def _end_reading() -> None:
    """Readers that nobody has closed, as those in the traceback of an error are."""
    for batches in list(_reading):
        batches.close()
