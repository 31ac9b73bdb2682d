"""Whatever has happened to a file, its reader takes it, or says in one line what is wrong: nothing else."""

from __future__ import annotations

import gzip
import json
import random
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mutations import changed
from patience import MANY
from readers import READERS
from samples import write_samples

from lam_env.core.errors import UserError
from lam_env.core.files.manifest import MANIFEST, write_manifest

FEW = 100  # changed inputs of each reader with every test; MANY in the loop
LONGEST, MEMORY = 5, 1 << 30  # [s of CPU time] of one input; [bytes] that all of a reader's may add
LONGEST_LINE = 2_000  # characters that somebody reads


class HangError(BaseException):
    """It takes too long."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, small_run: Path) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, small_run)
    return folder


class Found(NamedTuple):
    """`wrong`: what happened, and the number of the first input with which it did."""

    read: int
    refused: int
    wrong: dict[str, int]


def fuzzed(name: str, root: Path, times: int) -> Found:
    wrong: dict[str, int] = {}
    seen = Counter[bool]()
    for i in range(times):
        with one_changed(name, root, i) as path, limited():
            said = outcome(name, root, path)
        seen[said is None] += 1
        if said:
            wrong.setdefault(said, i)
    return Found(seen[True], times - seen[True] - len(wrong), wrong)


def outcome(name: str, root: Path, path: Path) -> str | None:
    """None: it was read; "": it was refused in one line; or what went wrong."""
    reader = READERS[name]
    try:
        found: Any = reader.read(root, path)
    except UserError as error:
        told = str(error)
        fits = len(told.splitlines()) == 1 and len(told) < LONGEST_LINE
        return "" if fits else f"a message of {len(told.splitlines())} lines, {len(told)} signs, {place(error)}"
    except (Exception, HangError) as error:
        return f"{type(error).__name__} {place(error)}"
    if reader.count is not None:
        content = path.read_bytes()
        there, told_of = reader.count(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content, found)
        if there != told_of:
            return f"rows unaccounted for: {there} there, {told_of} kept or counted"
    return None


def place(error: BaseException) -> str:
    """The last lines of the kit that it came through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/" not in f.filename]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[:-4:-1])


@contextmanager
def one_changed(name: str, root: Path, i: int) -> Iterator[Path]:
    """Of the reader's files one, as the `i`th mishap leaves it."""
    draw, files = random.Random(f"{name} {i}"), READERS[name].files
    path = root / draw.choice(list(files))
    beside = path.parent / MANIFEST
    before = {p: p.read_bytes() for p in (path, beside) if p.exists()}
    packed = path.suffix == ".gz"
    plain = gzip.decompress(before[path]) if packed else before[path]
    path.write_bytes(changed(plain, files[str(path.relative_to(root))], draw, packed))
    if beside in before and path != beside and draw.random() < 0.8:  # by a tool that writes a manifest that fits
        write_manifest(path.parent, json.loads(before[beside])["format"])
    try:
        yield path
    finally:
        for p, content in before.items():
            p.write_bytes(content)


@contextmanager
def limited() -> Iterator[None]:
    """HangError after so long; what else the machine does does not count."""

    def stop(*_: object) -> None:
        raise HangError(f"more than {LONGEST} s")

    was = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, was)


@pytest.mark.parametrize("name", READERS)
def test_changed_input_is_read_or_refused_in_one_line(root: Path, name: str) -> None:
    found = fuzzed(name, root, FEW)
    assert found.wrong == {}
    assert found.refused > 0


@pytest.mark.faults
@pytest.mark.parametrize("name", READERS)
def test_much_changed_input_is_read_or_refused_in_one_line(root: Path, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = fuzzed(name, root, MANY)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    print(
        f"{name}: {MANY} changed inputs, {found.read} read, {found.refused} refused, {len(found.wrong)} wrong,", end=" "
    )
    print(f"{more / 1e6:.0f} MB more memory")
    assert found.wrong == {}
    assert more < MEMORY
