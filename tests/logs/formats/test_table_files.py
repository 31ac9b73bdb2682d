"""Several files as one log, and files that say themselves which part they are; files that are not read to their end."""

import gzip
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from lam_env.core.events import LogError
from lam_env.logs.coverage import said
from lam_env.logs.decision_points import decision_points
from lam_env.logs.formats.table import load
from lam_env.logs.input import arrow_csv
from lam_env.logs.input.csv_files import CsvFile, csv_batches
from lam_env.logs.streams import split_by_protocol

HEAD = "time,user,action\n"


def rows(first, days, user="anna", acts="ab"):
    """Three events a day."""
    return "".join(
        f"2026-01-{first + d:02d}T{7 + 4 * h:02d}:00:00,{user},{acts[(d + h) % len(acts)]}\n"
        for d in range(days)
        for h in range(3)
    )


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(files, path, **options):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return load("csv", path, zone="UTC", **options)

    return read


def parts(log):
    """(events, streams) that train, validate and test."""
    points = decision_points(log, soon=False)
    return [(int(mask.sum()), len(np.unique(points.world[mask]))) for mask in split_by_protocol(log, points)]


@pytest.mark.parametrize("path", ["jan1.csv,jan2.csv", "jan*.csv", "jan2.csv,jan1.csv"])
def test_files_of_one_home_are_one_log(read, path):
    files = {"jan1.csv": HEAD + rows(1, 10), "jan2.csv": HEAD + rows(10, 11, acts="ba"), "other.csv": "x"}
    log, left_out = read(files, path)
    whole, _ = read({"whole.csv": HEAD + rows(1, 20)}, "whole.csv")
    assert log.time.tolist() == whole.time.tolist()
    assert (log.token == whole.token).all()
    assert left_out == {"row(s) like an earlier one": 3}  # the day that is in both
    assert (log.timer, log.protocol) == (300, whole.protocol)


def test_each_file_has_to_be_in_order_and_a_fault_names_its_file(read):
    files = {"a.csv": HEAD + rows(1, 3), "b.csv": HEAD + rows(9, 1) + rows(4, 1)}
    with pytest.raises(LogError, match=r"^b.csv, line 5: its time is before"):
        read(files, "a.csv,b.csv")
    with pytest.raises(LogError, match=r"^b.csv, line 3: 'soon' is not"):
        read(files | {"b.csv": HEAD + rows(9, 1)[: len(rows(9, 1)) // 3] + "soon,anna,a\n"}, "a.csv,b.csv")


def test_other_columns_and_a_file_that_is_not_there(read):
    files = {"a.csv": HEAD + rows(1, 3), "b.csv": "time,user,action,kind\n"}
    with pytest.raises(LogError, match=r"^b.csv: has not the columns of a.csv \(kind\); give them the same"):
        read(files, "a.csv,b.csv")
    with pytest.raises(LogError, match=r"none\.csv: no such file"):
        read(files, "a.csv,none.csv")
    with pytest.raises(LogError, match=r"valid=a\.csv validates, and nothing tests; give test= too"):
        read(files, "a.csv", valid="a.csv")


@pytest.mark.parametrize("valid", [None, "valid.csv"])
def test_a_published_split_is_kept(read, valid):
    files = {"train.csv": HEAD + rows(1, 8), "test.csv": HEAD + rows(8, 3), "valid.csv": HEAD + rows(20, 2)}
    log, left_out = read(files, "train.csv", test="test.csv", valid=valid)
    assert left_out == {}  # what is in both parts stays in both
    # of a file's first event nothing tells, nor of those of a day that does not train
    assert parts(log) == ([(23, 1), (5, 1), (8, 1)] if valid else [(20, 1), (3, 1), (8, 1)])
    assert (log.timer, len(log.worlds)) == (None, 3 if valid else 2)
    note = "test.csv tests, and trains nothing; " + (valid or "the last eighth of the rest") + " validates"
    assert note in said(log, {})


def test_users_of_a_test_file_are_others_than_those_of_the_same_name(read):
    train = "".join(rows(d, 1, f"u{d}") for d in range(1, 17))
    files = {"train.csv": HEAD + train, "test.csv": HEAD + rows(20, 1, "u1") + rows(21, 1, "u99")}
    for split in ("users", "sessions"):
        log, _ = read(files, "train.csv", test="test.csv", split=split)
        assert parts(log) == [(28, 14), (4, 2), (4, 2)]
        assert log.time[log.world >= log.protocol.test].min() >= 19 * 86_400
    log, _ = read(files | {"train.csv": HEAD + rows(1, 9, "u1")}, "train.csv", test="test.csv", split="per_user")
    assert parts(log) == [(20, 1), (6, 1), (4, 2)]
    assert [log.user_name(world) for world in log.worlds] == ["u1", "u1", "u99"]


def test_nothing_that_tests_is_learned_from_in_another_order_either(read):
    """Sessions of the test file that began before those of the others come last all the same."""
    files = {"train.csv": HEAD + rows(10, 1, "s1") + rows(11, 1, "s2"), "test.csv": HEAD + rows(1, 1, "s3", "cd")}
    log, _ = read(files, "train.csv", test="test.csv", split="sessions")
    points = decision_points(log, soon=False)
    test = split_by_protocol(log, points)[2]
    assert {log.vocabulary.actions[t] for t in points.target[test]} == {"c", "d"}
    assert not {3, 4} & set(points.target[~test].tolist())


ENDS = """
import sys
from collections import Counter
from pathlib import Path
from lam_env.logs.input.csv_files import CsvFile, csv_batches

batches = csv_batches(CsvFile(Path(sys.argv[1])), ["x", "y"], False, Counter(), ["x"])
next(batches)
if sys.argv[2] == "closed":
    batches.close()
sys.exit(2)
"""


@pytest.mark.parametrize("how", ["closed", "left open"])
def test_python_may_end_while_a_long_table_is_read(tmp_path, how):
    """Arrow's threads read ahead, and would abort the process where they ask for the interpreter then."""
    (tmp_path / "a.csv").write_text("a,b\n" * 3_000_000)
    done = subprocess.run([sys.executable, "-c", ENDS, tmp_path / "a.csv", how], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("skip", [False, True])
def test_a_long_file_that_is_cut_short_holds_up_nobody(tmp_path, monkeypatch, skip):
    monkeypatch.setattr(arrow_csv, "PATIENCE", 1e9)
    path, left_out = tmp_path / "a.csv.gz", Counter()
    path.write_bytes(gzip.compress(b"a,b\n" * 1_000_000)[:-100])
    with pytest.raises(LogError, match=r"a\.csv\.gz: the gzip file is cut short; copy it again"):
        list(csv_batches(CsvFile(path), ["x", "y"], False, left_out, ["x"], skip))
