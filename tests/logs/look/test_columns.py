"""A table that nobody has described: separator, header, roles, form of times."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lam_env.logs.look.columns import of_cells, propose, time_forms
from lam_env.logs.look.formats import kind_of, read_somehow

TABLES = {
    "home_assistant": (
        "entity_id;state;last_changed\nlight.hall;on;2026-01-05T07:00:00Z\nlight.hall;off;2026-01-05T08:00:00Z\n",
        {"columns": "time:last_changed,action:{entity_id}.{state}", "sep": "semicolon"},
    ),
    "clicks": (
        "SessionId\tItemId\tTime\n1\t214\t1767592800.94\n1\t215\t1767593012.3\n",
        {"columns": "time:time,user:sessionid,action:itemid", "sep": "tab"},
    ),
    "stays": (
        "user,place,arrival,departure\nann,home,2026-01-05 07:00:00,2026-01-05 08:00:00\n",
        {"columns": "time:arrival,end:departure,user:user,action:place"},
    ),
    "american": (
        "when,who,what\n1/25/2026 8:00:00 AM,ann,tea\n1/25/2026 9:12:00 PM,ann,tv\n",
        {"columns": "time:when,user:who,action:what", "time_format": "%m/%d/%Y %I:%M:%S %p"},
    ),
    "no header": (
        "1767592800 7 214\n1767592900 7 215\n1767593000 8 214\n",
        {"columns": "time:1,user:2,action:3", "sep": "space"},
    ),
    "an empty user is none": (
        "date,account,account_id,operation\n2026-01-05T07:00,,7,in\n2026-01-06T07:00,3,7,out\n",
        {"columns": "time:date,user:account_id,action:operation"},
    ),
    "text is no value": (
        "time,action,value\n2026-01-05T07:00:00,tea,much\n2026-01-05T08:00:00,tv,3\n",
        {"columns": "time:time,action:action"},
    ),
    "kind": (
        "time,user,action,kind\n2026-01-05T07:00:00,ann,hall,sensor\n2026-01-05T07:00:09,ann,tea,user\n",
        {"columns": "time:time,user:user,action:action,kind:kind"},
    ),
    "German": (
        "Datum;Empfänger;Betrag\n05.01.2026;Rewe;3\n06.01.2026;Aldi;4\n",
        {"columns": "time:datum,action:empfänger", "sep": "semicolon", "time_format": "%d.%m.%Y"},
    ),
    "begin and end of another name": (
        "von;bis;was\n05.01.2026 07:00;05.01.2026 07:30;tea\n05.01.2026 08:00;05.01.2026 08:30;tv\n",
        {"columns": "time:von,end:bis,action:was", "sep": "semicolon", "time_format": "%d.%m.%Y %H:%M"},
    ),
    "a session is no action": (
        "session_id,user_id,url,timestamp\ns1,u1,/home,1767600000\ns1,u1,/cart,1767600060\n",
        {"columns": "time:timestamp,user:user_id,action:url"},
    ),
    "order alone": (
        "student,position,answer\nann,1,right\nann,2,wrong\nben,1,right\n",
        {"columns": "user:student,action:answer,order:position"},
    ),
    "universal time": (
        "time,action\n2026-01-05 07:00:00 UTC,a\n2026-01-05 08:00:00 UTC,b\n",
        {"time_format": "%Y-%m-%d %H:%M:%S UTC"},
    ),
    "dates": (
        "date,item\n2026-01-05,milk\n2026-01-06,bread\n",
        {"columns": "time:date,action:item", "time_format": "%Y-%m-%d"},
    ),
    "devices without header": (
        "2026-01-05T06:54:16,light.hall,on\n2026-01-05T07:54:16,light.hall,off\n",
        {"columns": "time:1,action:{2}.{3}"},
    ),
    "empty columns at the end": (
        "time;action;;\n2026-01-05T07:00:00;tea;;\n2026-01-05T08:00:00;tv;;\n",
        {"sep": "semicolon"},
    ),
    "empty cells at the end of rows alone": (
        "time;action\n2026-01-05T07:00:00;tea;\n2026-01-05T08:00:00;tv;\n",
        {"sep": "semicolon"},
    ),
    "decimal commas": (
        "time;action;value\n2026-01-05T07:00:00;tea;1,5\n2026-01-05T08:00:00;tv;2,5\n",
        {"sep": "semicolon"},
    ),
    "an index": (
        ",time,action\n0,2026-01-05T07:00:00,tea\n1,2026-01-05T08:00:00,tv\n",
        {"columns": "time:time,action:action"},
    ),
    "braces": (
        "time,{thing},state\n2026-01-05T07:00:00,tea,on\n2026-01-05T08:00:00,tea,off\n",
        {"columns": "time:time,action:{{{thing}}}.{state}"},
    ),
    "minutes": (
        "time;was;Dauer (min)\n2026-01-05T07:00:00;tea;10\n2026-01-05T08:00:00;tv;7,5\n",
        {"columns": "time:time,action:was,duration:{dauer (min)} min", "sep": "semicolon"},
    ),
    "minutes in words": (
        "time,activité,durée en minutes\n2026-01-05T07:00:00,tea,10\n2026-01-05T08:00:00,tv,7\n",
        {"columns": "time:time,action:activité,duration:{durée en minutes} min"},
    ),
    "hours": (
        "start,place,hours\n2026-01-05T07:00:00,home,1\n2026-01-05T08:00:00,work,2\n",
        {"columns": "time:start,action:place,duration:{hours} h"},
    ),
    "an end says how long, too": (
        "start,end,activity,duration\n2026-01-05T07:00:00,2026-01-05T08:00:00,tea,3600\n"
        "2026-01-05T08:00:00,2026-01-05T09:00:00,tv,3600\n",
        {"columns": "time:start,end:end,action:activity"},
    ),
    "a name is what is done where nothing else is": (
        "time,name\n2026-01-05T07:00:00,tea\n2026-01-05T08:00:00,tv\n",
        {"columns": "time:time,action:name"},
    ),
    "a day and its hour in two columns": (
        "Data;Ora;Attività\n05/01/2026;7:09;tea\n16/01/2026;21:00;tv\n",
        {"columns": "time:{data} {ora},action:attività", "sep": "semicolon", "time_format": "%d/%m/%Y %H:%M"},
    ),
    "days and hours of begin and end": (
        "date,from,what,end date,to\n2026-01-05,23:09,bed,2026-01-06,07:00\n2026-01-06,08:00,tea,2026-01-06,08:10\n",
        {"columns": "time:{date} {from},end:{end date} {to},action:what"},
    ),
    "an hour without a header": (
        "2026-01-05,07:09:12,tea\n2026-01-05,08:09:00,tv\n",
        {"columns": "time:{1} {2},action:3"},
    ),
    "any name": (
        "logged at,thing done\n2026-01-05T07:00:00,tea\n2026-01-05T08:00:00,tv\n",
        {"columns": "time:logged at,action:thing done"},
    ),
}

HOMES = {  # in each language: a home's columns, in two ways, and two states
    "English": ("Time,Person,Device,State", "Start date,End date,User name,Activity,Room", "on,off"),
    "German": ("Zeitpunkt,Bewohner,Geraet,Zustand", "Beginn,Ende,Wer,Tätigkeit,Raum", "an,aus"),
    "French": ("Horodatage,Personne,Appareil,État", "Date de début,Heure de fin,Nom,Activité,Pièce", "allumé,éteint"),
    "Spanish": (
        "Fecha y hora,Usuario,Dispositivo,Estado",
        "Inicio,Fin,Persona,Actividad,Habitación",
        "abierto,cerrado",
    ),
    "Italian": ("Data e ora,UTENTE,Apparecchio,Stato", "Data inizio,Data fine,Chi,Attività,Stanza", "acceso,spento"),
    "Dutch": ("Tijdstip,Gebruiker,Apparaat,Status", "Begintijd van,Eindtijd,Naam,Activiteit,Kamer", "aan,uit"),
}


@pytest.mark.parametrize(("devices", "activities", "states"), HOMES.values(), ids=HOMES)
def test_columns_are_known_in_six_languages(devices: str, activities: str, states: str) -> None:
    names = devices.lower().split(",")
    rows = [[f"2026-01-0{d}T07:00:00", "Kim", "x", state] for d in (5, 6) for state in states.split(",")]
    who, thing, state = names[1:]
    assert of_cells(names, rows).settings["columns"] == f"time:{names[0]},user:{who},action:{{{thing}}}.{{{state}}}"
    names = activities.lower().split(",")
    rows = [[f"2026-01-05T0{h}:00:00", f"2026-01-05T0{h}:30:00", ("Kim", "Eva")[h % 2], "a", "x"] for h in range(6)]
    roles = ("time", "end", "user", "action")
    assert of_cells(names, rows).settings["columns"] == ",".join(map(":".join, zip(roles, names, strict=False)))


@pytest.mark.parametrize(
    ("names", "cells", "action"),
    [
        ("when,device,action", "lamp,on;lamp,off", "{device}.{action}"),
        ("when,item,what", "Lamp,ON;Lamp,OFF;Lamp,unavailable", "{item}.{what}"),
        ("čas,kdo,přístroj,stav", "Eva,lampa,on;Jan,lampa,off", "{přístroj}.{stav}"),
        ("when,page,seen", "a,true;b,false", "page"),
        ("when,device,seen", "a,true;b,false", "{device}.{seen}"),
        ("when,action,more", "lamp,dim;fan,on;lamp,red", "action"),
        ("when,event,program", "start,mail;start,maps", "program"),  # what is always the same tells nothing
        ("when,event,volume", "start,7;start,8", "event"),
        ("when,room,state", "hall,on;hall,off", "{room}.{state}"),
        ("when,room,device,state", "hall,lamp,on;bath,lamp,on", "{room}.{device}.{state}"),
        ("when,room,device,state", "hall,lamp,on;bath,fan,on", "{device}.{state}"),
    ],
)
def test_a_column_of_known_states_is_of_the_device_beside_it(names: str, cells: str, action: str) -> None:
    rows = [[f"2026-01-05T0{h}:00:00", *row.split(",")] for h, row in enumerate(cells.split(";"))]
    assert of_cells(names.split(","), rows).settings["columns"] == f"time:{names.split(',')[0]},action:{action}"


@pytest.mark.parametrize(
    ("names", "time"),
    [("Data registrazione,Data dell'evento", 1), ("last_changed,last_updated", 0)],
)
def test_a_second_date_of_an_event_is_no_end_of_it(names: str, time: int) -> None:
    rows = [[f"2026-01-05T0{h}:09:00", f"2026-01-05T0{h}:00:00", "tea"] for h in (7, 8)]
    found = of_cells([*names.lower().split(","), "action"], rows)
    assert found.settings["columns"] == f"time:{names.lower().split(',')[time]},action:action"


BY = ("an,Ann", "aus,Ben")
HOME = [f"2026-01-{day:02},lamp,{state}" for day in range(5, 25) for state in BY]


@pytest.mark.parametrize(
    ("name", "gaps", "user", "asked"),
    [
        ("person", 2, "user:person,", ()),  # a few rows that name nobody do not make two people one
        ("wer", 0, "user:wer,", ()),
        ("name", 0, "user:name,", ()),  # who, where devices and states say what
        ("whoever", 0, "", ("whoever",)),
        ("person", 20, "", ("person",)),
    ],
)
def test_a_column_of_people_is_taken_or_asked_about(name: str, gaps: int, user: str, asked: tuple[str, ...]) -> None:
    rows = [row.split(",")[: 3 if i < gaps else 4] for i, row in enumerate(HOME)]
    found = of_cells(["time", "device", "state", name], [[*row, ""][:4] for row in rows])
    assert found.settings["columns"] == f"time:time,{user}action:{{device}}.{{state}}"
    assert found.people == asked


@pytest.mark.parametrize("other", ["ok", "3", "ok,tea,tv,bed,sofa,walk,bath,cook,read"])
def test_what_is_no_few_names_is_not_asked_about(other: str) -> None:
    words = other.split(",")
    rows = [[f"2026-01-{day:02}T07:00:00", "tea", words[day % len(words)]] for day in range(1, 28)]
    assert of_cells(["time", "action", "more"], rows).people == ()


@pytest.mark.parametrize(("text", "settings"), TABLES.values(), ids=TABLES)
def test_how_a_table_is_read(tmp_path: Path, text: str, settings: dict[str, str]) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    proposal = propose(path)
    assert proposal is not None
    assert proposal.settings == settings


@pytest.mark.parametrize("name", sorted(set(TABLES) - {"an empty user is none"}))
def test_what_is_proposed_can_be_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLES[name][0], encoding="utf-8")
    proposal = propose(path)
    assert proposal is not None
    reading = read_somehow(path, "csv", **proposal.settings)
    assert sum(reading.left_out.values()) == 0
    assert len(reading.log) == TABLES[name][0].count("\n") - proposal.header


def test_a_time_of_no_known_form_is_told(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("time,action\nJanuary 5th,tea\nJanuary 6th,tv\n", encoding="utf-8")
    proposal = propose(tmp_path / "table.csv")
    assert proposal is not None
    assert proposal.unread == ("time",)


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2026-01-05T07:00", "?", "2026-01-06T07:00"], ()),
        (["1767592800", "1767592900", "now"], ()),
        (["05.01.2026", "32.01.2026", "30.01.2026"], ("%d.%m.%Y",)),
        (["1/25/2026 8:00:00 AM", "2/19/2026 9:00:00 AM", "25/1/2026 8:00:00 AM"], ("%m/%d/%Y %I:%M:%S %p",)),
        (["2026-01-05T07:00", "?", "?"], None),
    ],
)
def test_of_a_few_cells_that_are_no_times_the_others_are_read(cells: list[str], form: tuple[str, ...] | None) -> None:
    assert time_forms(cells) == form
    assert time_forms(cells[::-1]) == form


@pytest.mark.parametrize("text", ["", "\n\n", "only one column\nof words\n"])
def test_no_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    proposal = propose(tmp_path / "table.csv")
    assert proposal is None or not proposal.settings.get("columns", "").startswith("time")


def test_a_day_that_may_be_a_month_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("when,what\n1/5/2026 8:00:00,tea\n2/5/2026 8:00:00,tv\n", encoding="utf-8")
    proposal = propose(path)
    assert proposal is not None
    assert {proposal.time_format, proposal.ambiguous} == {"%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"}


@given(st.datetimes(min_value=datetime.datetime(1980, 1, 1), max_value=datetime.datetime(2099, 1, 1)))
def test_forms_read_what_they_wrote(time: datetime.datetime) -> None:
    for form in ("%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y/%m/%d %H:%M:%S"):
        assert form in (time_forms([time.strftime(form)]) or ())
    assert time_forms([time.isoformat()]) == ()


@pytest.mark.parametrize("cells", [[], ["", ""], ["tea"], ["7", "12"], ["2026-01-05", "tea"], ["99999999999999"]])
def test_what_is_no_time(cells: list[str]) -> None:
    assert time_forms(cells) is None


def test_tables_of_other_kinds(tmp_path: Path) -> None:
    rows = [{"When": f"2026-01-05T0{h}:00:00", "Who": "ann", "What": w} for h, w in ((7, "tea"), (8, "tv"))]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    for kind in ("jsonl", "parquet"):
        proposal = propose(tmp_path / f"a.{kind}", kind)
        assert proposal is not None
        assert proposal.settings == {"columns": "time:when,user:who,action:what"}
        assert kind_of(tmp_path / f"a.{kind}") == kind
