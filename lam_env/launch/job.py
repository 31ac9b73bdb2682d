"""A job's errors as one line, and the threads that it computes with."""

from __future__ import annotations

import contextlib
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from lam_env.core.errors import UnwritableError, UserError, hint, own_fault, plain
from lam_env.core.progress import Report

T = TypeVar("T")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def one_thread() -> None:
    """Numpy and torch use one thread unless told otherwise, also in processes to come. Call it before they load."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)


def run_job(job: Callable[..., T], args: tuple[object, ...], report: Report) -> T:
    """Whatever a job raises arrives as a plain UserError: one line, and always fit to be sent between processes."""
    try:
        return job(*args, report)
    except MemoryError:
        raise UserError("out of memory; take workers=1, or fewer people or days") from None
    except UnwritableError as error:
        raise UnwritableError(one_line(error)) from None
    except (Exception, SystemExit) as error:
        raise UserError(own_fault(error) or one_line(error)) from None


@contextlib.contextmanager
def blamed(on: str) -> Iterator[None]:
    """Whatever a stranger's code raises is one line, which begins with whose or which it is."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise UserError(f"{on}: {one_line(error)}") from None


def one_line(error: BaseException) -> str:
    """A user's error as it stands; of any other its type, message and place in the code."""
    words = " ".join(plain(str(error)).split())[:400]
    if isinstance(error, UserError):
        return words
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {words}{place}{hint(error)}"
