"""Rows that cannot be read are refused, or left out and counted: of tables, and of formats that are made of lines."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.input.numbers import clocks
from lam_env.logs.input.wrong_rows import unreadable
from lam_env.logs.look.formats import importer_of

UNREAD = [
    ("x,anna,tea,1,2,user", "x.csv, line 4: 'x' is not an ISO 8601 time with date and hour"),
    ("2026-01-06T08:00:00,,tea,1,2,user", "x.csv, line 4: the user has no name"),
    ("2026-01-06T08:00:00,anna,tea,much,2,user", "x.csv, line 4: value 'much' is not a finite number"),
    ("2026-01-06T08:00:00,anna,tea,1,-2,user", "x.csv, line 4: a duration of -2 s"),
    ("2026-01-06T08:00:00,anna,tea,1,2,robot", "x.csv, line 4: unknown kind 'robot'"),
]


@pytest.mark.parametrize(("wrong", "why"), UNREAD)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_row_that_makes_no_sense_is_refused_or_counted(read, kind, wrong, why):
    names = ["time", "user", "action", "value", "duration", "kind"]
    rows = [f"2026-01-{day:02d}T07:00:00,anna,tea,1,2,user" for day in range(5, 9)]
    rows = [*rows[:2], wrong, *rows[2:], wrong]
    text = "\n".join([",".join(names), *rows]) + "\n"
    if kind == "jsonl":
        objects = (dict(zip(names, row.split(","), strict=True)) for row in rows)
        text, why = "\n".join(map(json.dumps, objects)), why.replace("x.csv, line 4", "x.jsonl, line 3")
    with pytest.raises(LogError, match=f"^{why}.*, or say wrong_rows=skip$"):
        read(text, kind)
    log, left_out = read(text, kind, wrong_rows="skip")
    assert len(log) == 4
    ((reason, n),) = left_out.items()
    assert n == 2
    assert reason.startswith(f"row(s) that cannot be read, the first in {why}")


def test_lines_that_are_no_objects_are_left_out_likewise(read):
    text = '{"time": 1767592800, "action": "tea"}\n[]\n{"time": 1767592900, "action": "tv"}\n{"time": 5}\n'
    text += '{"time": 1767592950, "action": "tv"}\n'
    log, left_out = read(text, "jsonl", wrong_rows="skip")
    assert (len(log), left_out) == (
        3,
        {"row(s) that cannot be read, the first in x.jsonl, line 2: not a JSON object": 2},
    )


def test_what_most_rows_are_is_no_mistake_of_a_row(read):
    with pytest.raises(LogError, match=r"line 2: '5.1.2026'.*; 2 of 3 rows cannot be read, more than wrong_rows=skip"):
        read("time,action\n5.1.2026,tea\n6.1.2026,tea\n2026-01-07T07:00,tv\n", wrong_rows="skip")


@given(st.lists(st.sampled_from(["2026-01-05T07:00:00", "nothing", "1767592800"]), max_size=40))
def test_the_rows_that_are_kept_are_those_that_can_be_read(cells):
    column = pa.array(cells, pa.string())
    sound = [cell != "nothing" for cell in cells]
    if 2 * sum(sound) < len(cells):
        with pytest.raises(LogError):
            unreadable(len(cells), lambda some: clocks(column.take(pa.array(some)), None, str))
        return
    wrong, first = unreadable(len(cells), lambda some: clocks(column.take(pa.array(some)), None, str))
    assert (~wrong).tolist() == sound
    assert (first is None) == all(sound)


FORMS = {
    "stays": "user,place,arrival,departure\n" + "änn,home,2026-01-05T07:00,2026-01-05T08:00\n" * 2 + "änn,home\n",
    "clicks": "SessionId,ItemId,Time\n1,ä,1767592800\n1,b,1767592900\n1,b\n",
    "purchases": "user_id:token\titem_id:token\n1\tä\n1\tb\n1\n",
}


@pytest.mark.parametrize(("name", "text"), FORMS.items())
def test_tables_under_usual_names_take_the_same_settings(tmp_path, name, text):
    path = tmp_path / "x"
    path.write_bytes(text.encode("cp1252"))
    settings = {"zone": "Europe/Berlin"} if name != "purchases" else {}
    load = importer_of(name, {})
    with pytest.raises(LogError, match=r"x, line \d: .*, or say wrong_rows=skip"):
        load(str(path), encoding="cp1252", **settings)
    log, left_out = load(str(path), encoding="cp1252", wrong_rows="skip", **settings)
    assert (len(log) in (1, 2), sum(left_out.values()) >= 1) == (True, True)
    assert any(why.startswith("row(s) with a cell too many or too few, the first in line") for why in left_out)


@pytest.mark.parametrize(
    ("name", "text", "out"),
    [
        ("purchases", "1 7 8\n2 x\n2 9\n", "line 2: 'x'"),
        ("answers", "1\n7\n1\n2\n7\n0\n1\n7\n0\n", "line 4: 2 answers"),
    ],
)
def test_lines_of_an_order_likewise(tmp_path, name, text, out):
    path, load = tmp_path / "x", importer_of(name, {})
    path.write_bytes(text.encode("utf-16-le"))
    with pytest.raises(LogError, match=f"x, {out}.*, or say wrong_rows=skip"):
        load(str(path), encoding="utf-16-le")
    log, left_out = load(str(path), encoding="utf-16-le", wrong_rows="skip")
    assert len(log.worlds) == 2
    ((reason, n),) = left_out.items()
    assert (n, reason.startswith(f"row(s) that cannot be read, the first in x, {out}")) == (1, True)
