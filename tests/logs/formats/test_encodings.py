"""Text in other letters than UTF-8, in all formats alike."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lam_env.core.errors import UserError
from lam_env.core.events import LogError
from lam_env.logs.input.files import chunks, read_lines, written_in
from lam_env.logs.look.formats import encoding_of, importer_of, that_read

ENTRY = {"when": "2026-01-05T07:00:00Z", "entity_id": "light.küche", "state": "on"}
EVENT = '<event><string key="concept:name" value="Küche"/><string key="lifecycle:transition" value="{}"/>'
EVENT += '<date key="time:timestamp" value="2026-01-05T0{}:00:00+01:00"/></event>'
TEXTS = {
    "csv": ("a.csv", "time,action\n2026-01-05T07:00:00Z,Küche\n"),
    "jsonl": ("a.jsonl", '{"time": "2026-01-05T07:00:00Z", "action": "Küche"}\n'),
    "casas_text": ("data", "2010-11-04 00:03:50 M1 ON Küche begin\n2010-11-04 00:15:08 M1 OFF Küche end\n"),
    "casas_xes": ("a.xes", f"<log><trace>{EVENT.format('start', 7)}{EVENT.format('complete', 8)}</trace></log>"),
    "uci_adl": ("a.txt", "Start time\tEnd time\tActivity\n2011-11-28 02:27:59\t2011-11-28 10:18:11\tKüche\n"),
    "kasteren": (
        "a.txt",
        "1: 'Küche'\nStart time\tEnd time\tID\n25-Feb-2008 00:20:14\t25-Feb-2008 09:20:00\t1\n",
    ),
    "mit_placelab": ("activities_data.csv", "Küche,3/28/2003,9:05:30,9:15:00\n1\nKüche\n9:05:31\n9:06:00\n"),
    "mobile_plays": ("plays.csv", "player,score,time,Größe\n" + "".join(f"1,5,140{k}000000,ü\n" for k in range(9))),
    "home_assistant": (
        "history.csv",
        "entity_id,state,last_changed\nlight.küche,off,2026-01-05T06:00:00Z\n"
        + "light.küche,on,2026-01-05T07:00:00Z\n",
    ),
    "purchases": ("a.inter", "user_id:token\titem_id:token\n1\tKüche\n1\tBad\n"),
}
CASES = [pytest.param(name, *told, id=name) for name, told in TEXTS.items()]
CASES.append(pytest.param("home_assistant", "logbook.json", json.dumps([ENTRY], ensure_ascii=False), id="logbook"))


def load(name: str, path, **how):
    zone = {} if name == "purchases" else {"zone": "Europe/Berlin"}
    return importer_of(name, how)(str(path), **zone, **how)


@pytest.mark.parametrize(("name", "file", "text"), CASES)
@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8-sig", {}), ("utf-16", {}), ("utf-16-le", {"encoding": "utf-16-le"}), ("cp1252", {"encoding": "cp1252"})],
)
def test_every_format_reads_what_is_said_or_shown(tmp_path, name, file, text, encoding, said):
    (tmp_path / "utf8").mkdir()
    (tmp_path / "utf8" / file).write_text(text, encoding="utf-8")
    (tmp_path / file).write_bytes(text.encode(encoding))
    expected, counted = load(name, tmp_path / "utf8" / file)
    log, left_out = load(name, tmp_path / file, **said)
    assert (log.vocabulary, log.meta, left_out) == (expected.vocabulary, expected.meta, counted)
    for key, column in expected.columns.items():
        np.testing.assert_array_equal(log.columns[key], column)
    if said:
        assert name in that_read(tmp_path / file, **said) or name in ("csv", "jsonl")


@pytest.mark.parametrize("name", ["casas_text", "uci_adl", "kasteren", "home_assistant", "mobile_plays"])
def test_what_is_not_utf8_says_what_it_may_be(tmp_path, name):
    file, text = TEXTS[name]
    (tmp_path / file).write_bytes(text.encode("cp1252"))
    with pytest.raises(LogError, match=rf"{file}, line \d: not UTF-8; save it as UTF-8, or is it encoding=cp1252\?"):
        load(name, tmp_path / file)


@pytest.mark.parametrize("turned", [False, True])
def test_two_encodings_in_one_file_are_told_with_their_lines(tmp_path, turned):
    path, rows = tmp_path / "a.csv", [f"2026-01-05T07:00:{k:02}Z,Küche\n" for k in range(40)]
    parts = "".join(["time,action\n", *rows[:9]]), "".join(rows[9:])
    path.write_bytes(b"".join(part.encode(("utf-8", "cp1252")[k != turned]) for k, part in enumerate(parts)))
    told = f"a.csv: mixed encodings: line {(2, 11)[turned]} is UTF-8, line {(11, 2)[turned]} is not; encoding= cannot"
    for read in (lambda: load("csv", path), lambda: encoding_of(path)):
        with pytest.raises(LogError, match=re.escape(told)):
            read()


@pytest.mark.parametrize(
    ("encoding", "wrong", "right", "shown"),
    [("utf-16", "utf8", "utf-16-le", "utf-16"), ("utf-8-sig", "cp1252", "utf-8", "utf-8")],
)
def test_what_the_first_bytes_say_is_not_overruled(tmp_path, encoding, wrong, right, shown):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXTS["csv"][1].encode(encoding))
    with pytest.raises(LogError, match=rf"a.csv: not in {wrong[:3]}.*: its first bytes say {shown}; leave encoding="):
        load("csv", path, encoding=wrong)
    assert load("csv", path, encoding=right)[0].vocabulary == load("csv", path)[0].vocabulary


def test_bytes_that_are_no_text_are_in_no_encoding(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(1, 256)))
    for read in (lambda: load("csv", path), lambda: encoding_of(path)):
        with pytest.raises(LogError, match="line 2: no text; give a log, or say its format"):
            read()


def test_what_is_no_text_is_in_no_encoding(tmp_path):
    pq.write_table(pa.table({"time": ["2026-01-05T07:00:00Z"], "action": ["tea"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="encoding=cp1252: what is read here is no text; leave it away"):
        load("parquet", tmp_path / "a.parquet", encoding="cp1252")
    assert len(load("parquet", tmp_path / "a.parquet")[0]) == 1


def test_who_is_inside_says_it_and_nobody_after_the_end(tmp_path):
    (tmp_path / "a").write_bytes("ü".encode("cp1252"))
    with written_in("utf-16-le"), written_in("cp1252"), written_in(None):
        assert list(read_lines(tmp_path / "a")) == [(1, "ü")]
    assert b"".join(chunks(tmp_path / "a")) == b"\xfc"
    with pytest.raises(LogError, match="line 1: not in utf-8"), written_in("utf-8"):
        next(read_lines(tmp_path / "a"), None)
