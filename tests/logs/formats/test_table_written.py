"""How programs write CSV files: decimal commas, lines before the header, encodings, rows that do not fit."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.core.events import LogError
from lam_env.logs.coverage import said
from lam_env.logs.formats.table import FORMATS
from lam_env.logs.input.csv_files import BEFORE, SEPARATORS, CsvFile, csv_rows
from lam_env.logs.input.records import EMPTY

TIMES = [f"2026-01-0{5 + i // 3}T{h:02d}:00:00" for i, h in enumerate((7, 12, 19, 7, 12, 19))]
NAMES = ("tea", "tv", "bed")


def table(sep=";", head="time{0}action{0}value", row="{1}{0}{2}{0}{3}", values=range(6)):
    rows = (
        row.format(sep, time, NAMES[i % 3], value) for i, (time, value) in enumerate(zip(TIMES, values, strict=True))
    )
    return "".join(line + "\n" for line in (head.format(sep), *rows))


@given(st.lists(st.integers(-99_999, 99_999), min_size=6, max_size=6))
def test_decimal_commas_are_read_where_no_comma_separates(tmp_path_factory, cents):
    path = tmp_path_factory.mktemp("commas") / "x.csv"
    told = [f"{'-' * (n < 0)}{abs(n) // 100},{abs(n) % 100:02d}" for n in cents]
    for word, sign in SEPARATORS.items():
        if word == "comma":
            continue
        path.write_text(table(sign, values=told))
        log, left_out = FORMATS["csv"](str(path), zone="UTC", sep=word)
        assert log.value.tolist() == pytest.approx([n / 100 for n in cents], rel=1e-6)
        assert left_out == {}
        assert f"decimal commas: {told[0]} is read as {told[0].replace(',', '.')}" in said(log, left_out)


@pytest.mark.parametrize(("cell", "seconds"), [("90,5", 90.5), ("1,5 min", 90), ("2", 2), ("0,5 h", 1800), (",5", 0.5)])
def test_a_duration_with_a_decimal_comma(read, cell, seconds):
    log, _ = read(table(head="time{0}action{0}duration", values=[cell] * 6), sep=";")
    assert log.value.tolist() == [seconds] * 6


@pytest.mark.parametrize(
    ("sep", "cell"), [(",", '"21,5"'), (",", '"1,234"'), (";", "1.234,5"), (";", "1,234,567"), (";", "1 234,5")]
)
def test_a_number_that_may_be_another_is_refused(read, sep, cell):
    with pytest.raises(LogError, match=r"line 2: value '.*' is not a finite number; write it as 1234\.5"):
        read(table(sep, values=[cell] * 6), sep=sep)


def test_names_and_times_keep_their_commas(read):
    log, _ = read(table(row="{1},25{0}{2} 1,5{0}{3}"), sep=";")
    assert log.vocabulary.actions[1:] == ("bed 1,5", "tea 1,5", "tv 1,5")
    assert len(log) == 6


@pytest.mark.parametrize("first", ["sep=;\n", '"sep=;"\r\n', "SEP=;\n"])
def test_excels_first_line_says_the_sign(read, first):
    log, left_out = read(first + table())
    assert (len(log), left_out) == (6, {BEFORE: 1})
    log, _ = read("sep=,\n" + table(), sep=";")  # what is said wins
    assert len(log) == 6


def test_lines_before_the_header_are_counted_and_those_below_keep_their_numbers(read):
    above = "Report of Ann's home\n\nfrom;to\n2026-01-05;2026-01-06\n"
    log, left_out = read(above + table(), sep=";")
    assert (log.value.tolist(), left_out) == ([0, 1, 2, 3, 4, 5], {BEFORE: 4})
    with pytest.raises(LogError, match="line 11: value 'much' is not"):
        read(above + table(values=[1, 2, 3, 4, 5, "much"]), sep=";")
    with pytest.raises(LogError, match="line 1: no column time, action; the log needs"):
        read(above, sep=";")


def test_a_table_without_its_header_is_not_searched_for_one(read):
    rows = table().partition("\n")[2]
    log, left_out = read(rows, sep=";", columns="time:1,action:2")
    assert (len(log), left_out) == (6, {})


@pytest.mark.parametrize("head", ["time{0}action{0}value{0}{0}", "time{0}action{0}value"])
def test_columns_and_rows_that_are_empty_at_the_end(read, head):
    log, left_out = read(table(head=head, row="{1}{0}{2}{0}{3}{0}{0}") + ";;;;\n;;;;\n", sep=";")
    assert (log.value.tolist(), left_out) == ([0, 1, 2, 3, 4, 5], {EMPTY: 2})
    assert "columns that are left alone: 4, 5" in said(log, left_out)


def test_a_column_without_a_name_is_called_by_its_number(read):
    log, _ = read(table(",", head="{0}time{0}action", row="n{3}{0}{1}{0}{2}"), columns="time:time,action:{1}.{action}")
    assert log.vocabulary.actions[1] == "n0.tea"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("encoding", "told"), [("cp1252", "cp1252"), ("utf-16", None), ("utf-16-le", "utf-16-le")])
def test_letters_of_other_encodings(read, pack, encoding, told):
    text = "Zeit;Gerät;Wert\n" + table(row="{1}{0}Küche {2}{0}{3}").partition("\n")[2]
    log, left_out = read(
        pack(text.encode(encoding)), sep=";", columns="time:zeit,action:gerät,value:wert", encoding=told
    )
    assert (log.vocabulary.actions[1:], left_out) == (("Küche bed", "Küche tea", "Küche tv"), {})


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (
            "time,action\n1,Küche\n".encode("cp1252"),
            None,
            "line 2: not UTF-8; save it as UTF-8, or is it",
        ),
        (b"time,action\n1,\x81\n", "cp1252", "line 2: not in cp1252; say another encoding="),
        ("time,action\n1,a\n".encode("utf-16") + b"x", None, "line 3: not in utf-16"),
        (b"", "windows", "encoding=windows: there is none of that name; cp1252 is Windows'"),
        (b"", "rot13", "encoding=rot13: there is none of that name"),
    ],
)
def test_what_is_in_no_such_encoding(read, content, encoding, message):
    with pytest.raises(LogError, match=message) as caught:
        read(content, encoding=encoding)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "option"),
    [("jsonl", {"sep": ";"}), ("parquet", {"sep": ";"})],
)
def test_what_only_a_csv_has(read, kind, option):
    with pytest.raises(LogError, match=f"{next(iter(option))}=.* is for format=csv; leave it away"):
        read("", kind, **option)


WRONG = "2026-01-06T08:00:00;tea\n", "2026-01-06T08:00:00;tea;1;2\n"


@pytest.mark.parametrize("wrong", WRONG)
def test_a_row_with_a_cell_too_many_or_too_few_is_refused_or_counted(read, wrong):
    lines = table().splitlines(keepends=True)
    text = "".join((*lines[:5], wrong, *lines[5:], wrong))
    with pytest.raises(LogError, match=r"line 6: \d cells but 3 columns; correct the line, or say wrong_rows=skip"):
        read(text, sep=";")
    log, left_out = read(text, sep=";", wrong_rows="skip")
    why = "row(s) with a cell too many or too few, the first in line 6"
    assert (log.value.tolist(), left_out) == ([0, 1, 2, 3, 4, 5], {why: 2})
    _, left_out = read(text.replace("bed;5", "bed;much"), sep=";", wrong_rows="skip")
    assert {why.partition(" is not")[0] for why in left_out} == {
        why,
        "row(s) that cannot be read, the first in x.csv, line 8: value 'much'",  # lines keep their numbers
    }


def test_a_mark_that_is_not_closed_is_no_row_to_skip(read):
    with pytest.raises(LogError, match="line 8: broken CSV"):
        read(table() + '2026-01-06T20:00:00;"tea;1\n' + table().partition("\n")[2], sep=";", wrong_rows="skip")


def test_what_is_skipped_is_told_to_be_no_text_in_one_line(read):
    text = b"action,note\n" + b"tea,\n" * 200 + b"tv,\xff,x\n"
    with pytest.raises(LogError, match="line 202: not in utf-8"):
        read(text, columns="action:action", wrong_rows="skip", zone=None)


CELLS = st.lists(st.lists(st.sampled_from(["a", 'b"', "c\nd", ""]), min_size=1, max_size=4), min_size=1, max_size=30)


@given(CELLS)
def test_every_row_is_read_or_counted(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    quoted = (",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in ["tea", *cells]) for cells in rows)
    path.write_text("action,note\ntv,\n" + "".join(f"{row}\n" for row in quoted), newline="")
    log, left_out = FORMATS["csv"](str(path), columns="action:action", wrong_rows="skip")
    within = left_out.pop(next((why for why in left_out if why.startswith("line(s) read")), ""), 0)
    fit = np.array([len(cells) == 1 for cells in rows])
    assert (len(log), sum(left_out.values())) == (1 + fit.sum(), (~fit).sum())
    assert within == sum(cell.count("\n") for cells in rows for cell in cells)
    if not fit.all():
        lines = [end for end, _ in csv_rows(CsvFile(path))]
        assert f"the first in line {lines[1 + int(fit.argmin())] + 1}" in next(iter(left_out))
