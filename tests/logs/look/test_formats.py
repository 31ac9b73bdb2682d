"""The formats that can read a file are found by trying them on its beginning."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import pytest

from lam_env.core.errors import UserError
from lam_env.logs.input.files import read_lines
from lam_env.logs.look.formats import LINES, beginning, kind_of, read_somehow, that_read

ADL = ["Start time\t\tEnd time\t\tActivity", "----------\t\t--------\t\t--------"]
ADL += [
    f"2026-01-{d:02} 0{h}:00:00\t\t2026-01-{d:02} 0{h}:30:00\t\t{a}" for d in (5, 6) for h, a in ((7, "Tea"), (8, "TV"))
]
CASAS = [f"2026-01-05 0{h}:00:00 M003 ON {a} {m}" for h, a, m in ((1, "Sleep", "begin"), (7, "Sleep", "end"))]
CSV = ["time,user,action", *(f"2026-01-05T0{h}:00:00+01:00,ann,{a}" for h, a in ((7, "tea"), (8, "tv")))]
JSONL = [json.dumps({"time": 1767592800 + i, "user": "ann", "action": a}) for i, a in enumerate(("tea", "tv"))]
CLICKS = ["SessionId,ItemId,Time", *(f"{s},{i},139643746{i}.5" for s in (1, 2) for i in (1, 2))]
STAYS = ["user,place,arrival,departure", *(f"{u},home,2026-01-05T00:10,2026-01-05T07:00" for u in ("ann", "ben"))]
NUMBERS = ["1767571200 25200 3", "1767597000 300 1", "1767597000 300 1"]
ENTRIES = [{"when": f"2026-01-05T06:00:0{i}+00:00", "entity_id": "light.a", "state": s} for i, s in enumerate("yn")]
KNOWN = {
    **{"clicks": CLICKS, "stays": STAYS, "kasteren": NUMBERS, "home_assistant": [json.dumps(ENTRIES)]},
    **{"purchases": ["1 7 8", "2 9"], "answers": ["2", "7,8", "0,1"]},
}
KNOWN |= {"uci_adl": ADL, "casas_text": CASAS, "csv": CSV, "jsonl": JSONL}


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", KNOWN)
def test_a_format_is_found(tmp_path: Path, name: str) -> None:
    assert that_read(write(tmp_path / "log", KNOWN[name]))[0] == name


def test_nothing_reads_a_letter(tmp_path: Path) -> None:
    assert that_read(write(tmp_path / "letter.txt", ["Dear Ann,", "all is well."])) == []


def test_several_homes_must_be_told_apart(tmp_path: Path) -> None:
    rows = ["time,user,action,home", *(f"{row},{home}" for row in CSV[1:] for home in ("a", "b"))]
    path = write(tmp_path / "log.csv", rows)
    with pytest.raises(UserError, match=r"format=csv: .*home=<one of a, b>"):
        that_read(path)
    assert that_read(path, home="a") == ["csv"]


def test_a_long_text_is_tried_on_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(gzip.compress("\n".join([*CSV, *CSV[1:] * LINES]).encode()))
    with beginning(path) as part:
        assert part.name == path.name
        assert len(list(read_lines(part))) == LINES
    assert not part.exists()


def test_what_makes_sense_in_one_piece_is_not_cut(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").execute("create table t (x)")
    (tmp_path / "a.json").write_text(json.dumps({"buckets": {}}, indent=1))
    (tmp_path / "a.xes").write_text("<log>\n</log>")
    for path in sorted(tmp_path.iterdir()):
        assert kind_of(path) not in ("csv", "jsonl")
        with beginning(path) as part:
            assert part == path
    assert kind_of(write(tmp_path / "a.jsonl", JSONL)) == "jsonl"


def test_a_zone_and_an_order_are_given_where_they_are_asked_for(tmp_path: Path) -> None:
    rows = [CSV[0], "2026-01-05T08:00:00,ann,tv", "2026-01-05T07:00:00,ann,tea"]
    reading = read_somehow(write(tmp_path / "log.csv", rows), "csv")
    assert reading.how == {"zone": "UTC", "sort": True}
    assert read_somehow(write(tmp_path / "log.csv", rows), "csv", zone="Europe/Berlin").how["zone"] == "Europe/Berlin"


def test_of_a_log_that_may_be_of_another_format_no_row_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "log", ["1 7 8", "2 9", "tea"])
    assert that_read(path) == []
    assert read_somehow(path, "purchases").left_out == {
        "row(s) that cannot be read, the first in log, line 3: 'tea'": 1
    }


def test_the_error_is_that_which_no_zone_mends(tmp_path: Path) -> None:
    rows = ["time,user,action,kind", "2026-01-05T08:00:00,ann,hall,sensor"]
    with pytest.raises(UserError, match="no user events"):
        read_somehow(write(tmp_path / "log.csv", rows), "csv")
