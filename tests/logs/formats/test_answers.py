"""Answers of students, three lines each, and what is wrong with files that have others."""

import gzip

import numpy as np
import pytest
from interval_logs import write
from outside import ANSWERS, needs

from lam_env.core.events import LogError
from lam_env.logs.coverage import has_clock, said
from lam_env.logs.formats.answers import load
from lam_env.logs.streams import to_learn_from

LINES = ("3", "7,7,12", "0,1,1", "2", "12,7,", "1,0,")


def answers(log):
    return [[log.vocabulary.actions[t] for t in log.token[log.world == world]] for world in log.worlds]


def test_an_action_is_a_skill_and_how_it_went(tmp_path):
    log, left_out = load(write(tmp_path, "x.csv", *LINES))
    assert answers(log) == [["7.wrong", "7.right", "12.right"], ["12.right", "7.wrong"]]
    assert (has_clock(log), log.protocol.split, log.meta["users"], left_out) == (False, "streams", ["1", "2"], {})


def test_empty_lines_are_counted_and_each_students_last_answers_may_test(tmp_path):
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress("\r\n\r\n".join(LINES).encode()))
    log, left_out = load(str(tmp_path / "x.csv.gz"), split="per_user")
    assert answers(log)[1] == ["12.right", "7.wrong"]
    assert (log.protocol.split, left_out) == ("each", {"empty line(s)": 5})


def test_whole_students_are_held_out(tmp_path):
    log, _ = load(write(tmp_path, "x.csv", *LINES * 10))
    train, valid = to_learn_from(log)
    assert not set(np.unique(train.world)) & set(np.unique(valid.world))
    assert max(*train.world, *valid.world) < 16  # of 20, the last fifth tests


def test_a_file_of_other_students_tests_and_each_file_begins_a_student(tmp_path):
    train, other = write(tmp_path, "a.csv", *LINES), write(tmp_path, "b.csv", *LINES[:3])
    log, _ = load(train, test=other)
    assert answers(log) == [["7.wrong", "7.right", "12.right"], ["12.right", "7.wrong"], answers(log)[0]]
    assert (log.protocol.test, log.meta["users"]) == (2, ["1", "2", "3"])
    assert said(log, {})[1] == "b.csv tests, and trains nothing; the last eighth of the rest validates"
    assert load(f"{train},{other}")[0].protocol.test == 0
    with pytest.raises(LogError, match=r"c.csv, line 2: the file ends within a student"):
        load(f"{write(tmp_path, 'c.csv', *LINES[:2])},{other}")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "f.csv: no user events"),
        (LINES[:2], "f.csv, line 2: the file ends within a student; there are three lines a student"),
        (("time,user,action", *LINES), "f.csv, line 1: 'time,user,action' is not how many answers follow"),
        ((*LINES[:3], "3", *LINES[4:]), "f.csv, line 4: 3 answers, but 2 skills and 2 times right or wrong"),
        ((*LINES[:2], "0,1,0.5"), "f.csv, line 1: '0.5' is neither 1 .right. nor 0 .wrong."),
        (("9" * 5000, *LINES[1:3]), "f.csv, line 1: '9{40}' is not how many"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "f.csv", *lines))
    assert "\n" not in str(caught.value)


@needs(ANSWERS)
@pytest.mark.parametrize(
    ("file", "rows", "students", "right"), [("train", 224_218, 2_921, 147_584), ("test", 101_419, 1_230, 66_833)]
)
def test_the_published_answers(file, rows, students, right):
    log, left_out = load(str(ANSWERS / f"{file}.csv.gz"))
    assert (len(log), len(log.worlds), left_out) == (rows, students, {})
    went = np.array([name.endswith(".right") for name in log.vocabulary.actions])
    assert went[log.token].sum() == right
