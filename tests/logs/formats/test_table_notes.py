"""What the first lines say of a table besides its events, and where a fault is found."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.core.units import HOUR
from lam_env.logs.coverage import said
from lam_env.logs.input import files
from lam_env.logs.input.csv_files import CsvFile, line_of

HEAD = "time,action,value,note\n"
ROWS = "2026-01-05T07:00:00,a,nan,x\n2026-01-05T08:00:00,b,2,y\n2026-01-05T09:00:00,c.idle,NaN,z\n"


def test_a_value_that_is_no_number_costs_the_value_and_not_the_event(read):
    log, left_out = read(HEAD + ROWS)
    assert (len(log), left_out) == (3, {})
    assert np.isnan(log.value).tolist() == [True, False, True]
    assert "2 values of nan, read as none" in said(log, left_out)
    _, left_out = read(HEAD + ROWS.replace("NaN", "unavailable"))  # a state that tells of nothing
    assert left_out == {"state(s) without a meaning (unavailable, unknown, null, undef, nan)": 1}


def test_a_duration_that_is_no_number_is_none(read):
    rows = "".join(f"2026-01-05T{h:02d}:00:00,{a},{d}\n" for h, a, d in ((7, "a", 60), (8, "b", 60), (9, "b", "nan")))
    log, left_out = read("time,action,duration\n" + rows)
    assert (log.value.tolist(), left_out) == ([60, 60], {"activity(ies) without a duration": 1})


def test_columns_that_are_left_alone_are_named(read):
    told = {"columns": "time:time,action:action"}
    assert "columns that are left alone: value, note" in said(*read(HEAD + ROWS, **told))
    assert "columns that are left alone: note" in said(*read(HEAD + ROWS))
    line = '{"time": "2026-01-05T0%d:00:00", "Action": "%s", "room": "hall"}\n'
    log, _ = read(line % (7, "a") + line % (8, "b"), "jsonl")
    assert "columns that are left alone: room" in said(log, {})
    assert log.vocabulary.actions == ("none", "a", "b")  # their names in any case of letters


def test_a_table_without_a_user_is_of_one_person(read):
    assert read(HEAD + ROWS)[0].meta["users"] == ["0"]


def test_states_to_ignore_that_are_none_are_named(read):
    log, left_out = read(HEAD + ROWS, ignore=("Idle", "stand.by"))
    assert (len(log), left_out) == (2, {"line(s) of states to ignore": 1})
    assert "ignore=stand.by: no action ends so" in said(log, left_out)


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_and_milliseconds_since_1970(read, unit):
    at = [1767596400 * unit, 1767600000 * unit, 1767600000 * unit + unit // 2]
    log, _ = read("time,action\n" + "".join(f"{t},{a}\n" for t, a in zip(at, "aba", strict=True)))
    assert (log.time - log.time[0]).tolist() == [0, HOUR, HOUR]
    mixed, _ = read("time,action\n1767596400,a\n1767600000000,b\n1767600000000,a\n")
    assert mixed.time.tolist() == log.time.tolist()


@pytest.mark.parametrize("time", ["5.1.2026 07:00", "1767596400000000", "tomorrow"])
def test_a_time_of_another_form_is_told_of_forms(read, time):
    with pytest.raises(LogError, match=r"line 2: .*time_format="):
        read(f"time,action\n{time},a\n")


def test_weekdays_have_to_fit_the_days_of_a_user(read):
    told = {"columns": "day:d,minute:m,weekday:w,action:a,user:u", "zone": None, "sort": True}
    rows = ["0,0,3,a,x", "8,0,4,b,x", "0,0,6,a,y"]  # each has a day 0 of their own
    log, _ = read("d,m,w,a,u\n" + "\n".join(rows), split="per_user", **told)
    assert (log.time // (24 * HOUR)).tolist() == [3, 11, 6]
    with pytest.raises(LogError, match=r"line 5: its weekday does not fit its day, as that of x\.csv, line 2"):
        read("d,m,w,a,u\n" + "\n".join([*rows, "3,0,0,b,x"]), **told)


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (b"PK\x03\x04....", "a zip archive, or a spreadsheet; unpack it"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PAR1....", "a Parquet file; settings: format=parquet"),
    ],
)
def test_what_is_no_text_is_told_what_it_is(read, begin, message):
    with pytest.raises(LogError, match=rf"^x.csv: {message}"):
        read(begin + bytes(100))


@pytest.mark.parametrize("fault", ["soon,b,,", "2026-01-05T09:00,b,,,,,"])
def test_a_fault_below_line_breaks_within_cells_is_told_by_its_line(read, fault):
    text = HEAD + '2026-01-05T07:00,a,,"x\ny\n\nz"\n\n2026-01-05T08:00,b,,""\n' + fault + "\n"
    with pytest.raises(LogError, match=r"^x.csv, line 8: "):
        read(text)


@given(st.lists(st.lists(st.sampled_from(["a", "b\nc", '"', "\r\n", ""]), min_size=2, max_size=2), max_size=8))
def test_the_line_of_each_row(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    line, lines = 1, []
    with open(path, "w", newline="") as file:
        for cells in rows:
            text = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"
            file.write(text)
            lines.append(line)
            line += text.count("\n")
    assert [line_of(CsvFile(path), row) for row in range(1, len(rows) + 1)] == lines
    assert line_of(CsvFile(path), len(rows) + 5) == len(rows) + 5


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_long_file_says_how_far_it_is_and_a_short_one_nothing(read, monkeypatch, pack):
    said = []
    rows = "".join(
        f"2026-01-{1 + i // 1440:02d}T{i // 60 % 24:02d}:{i % 60:02d}:00,{'ab'[i % 2]},,{i}\n" for i in range(40_000)
    )
    with files.watched(lambda *report: said.append(report)):
        read(pack((HEAD + rows).encode()))
        assert said == []
        monkeypatch.setattr(files, "LONG", 1 << 16)
        monkeypatch.setattr(files, "STEP", 1 << 16)
        log, _ = read(pack((HEAD + rows).encode()))
    assert len(log) == 40_000
    stages, done, total, _ = zip(*said, strict=True)
    assert set(stages) == {"read x.csv [bytes]"}
    assert list(done) == sorted(set(done))
    assert done[-1] == total[-1]
    assert len(done) > 1
