"""Answers of students to questions of a tutor, three lines a student: how many, their skills, right (1) or wrong (0).

That is the form of the data of knowledge tracing (DKT, Piech et al., NIPS 2015; DKVMN, Zhang et al., WWW 2017), such as
ASSISTments 2009-2010. Nothing says when, so the order is all that is known.

An action is a skill and how it went, "7.right" or "7.wrong". The tutor picks the skill and the student gives the
answer, so knowledge tracing predicts whether the next one is right, given its skill s: p(s.right) / (p(s.right) +
p(s.wrong)) of what is predicted here, which also says what is asked next. With skills alone as actions only the tutor
would be predicted. Students have no names, and are numbered as they come. Each is a stream; whole students test, as in
the published splits.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lam_env.core.events import ActionLog, LogError
from lam_env.logs.input.records import filled, parts_of
from lam_env.logs.input.wrong_rows import Unread
from lam_env.logs.tables import files_named, log_of_order, parts_said

WENT = {"1": "right", "0": "wrong"}
FORM = "three lines a student: how many answers, their skills, and 1 (right) or 0 (wrong) for each, between commas"


def load(
    path: str,
    *,
    wrong_rows: str | None = None,
    split: str | None = None,
    test: str | None = None,
    valid: str | None = None,
) -> tuple[ActionLog, dict[str, int]]:
    """Files -> their answers in order, and how many lines were left out, by reason. The others: as in `table.load`;
    of a student whose lines make no sense all three are left out."""
    files = parts_of(path, valid, test)
    named = [(file.name, part) for file, part in files]
    source = files_named(named)
    left_out, unread = Counter[str](), Unread()
    students = [
        (part, answers)
        for file, part in files
        for answers in unread.each(_students(file, left_out), partial(_answers, file), wrong_rows == "skip")
    ]
    streams = ((str(i + 1), answers) for i, (_, answers) in enumerate(students))
    parts, notes = [part for part, _ in students], parts_said(named)
    return log_of_order(
        streams, source, parts=parts, left_out=left_out + unread.counted, split=split or "users", notes=notes
    )


FORMATS = {"answers": load}


def _students(file: Path, left_out: Counter[str]) -> Iterator[list[tuple[int, str]]]:
    """The lines of each, and their numbers: three, but for a file that is cut off."""
    lines = filled(file, left_out)
    while three := list(itertools.islice(lines, 3)):
        yield three


def _answers(file: Path, lines: list[tuple[int, str]]) -> list[str]:
    where = f"{file.name}, line {lines[0][0]}"
    if len(lines) < 3:
        raise LogError(f"{file.name}, line {lines[-1][0]}: the file ends within a student; there are {FORM}")
    many, skills, went = ([cell.strip() for cell in line.strip().rstrip(",").split(",")] for _, line in lines)
    if len(many) != 1 or not re.fullmatch(r"\d{1,9}", many[0], re.ASCII):
        raise LogError(f"{where}: {','.join(many)[:40]!r} is not how many answers follow; there are {FORM}")
    if not int(many[0]) == len(skills) == len(went):
        told = f"{many[0]} answers, but {len(skills)} skills and {len(went)} times right or wrong"
        raise LogError(f"{where}: {told}; correct the lines")
    if wrong := set(went) - set(WENT):
        raise LogError(f"{where}: {min(wrong)[:20]!r} is neither 1 (right) nor 0 (wrong); correct the line")
    return [f"{skill}.{WENT[how]}" for skill, how in zip(skills, went, strict=True)]
