"""Activities and firings of sensors of the UCI ADL homes, and what is wrong with tables that hold none."""

import pytest
from interval_logs import same_as_protocol, told, write
from outside import ORDONEZ, needs

from lam_env.core.events import LogError
from lam_env.logs.formats.uci_adl import load
from lam_env.logs.tables import BACKWARDS, LONG

HEADER = (
    "Start time          \tEnd time            \tActivity\t",
    "--------------------\t--------------------\t--------\t",
)
ROWS = (
    "2012-11-11 21:14:00\t\t2012-11-12 00:22:59\t\tSpare_Time/TV",
    "2012-11-12 00:24:00 \t2012-11-12 00:24:30\t\tGrooming\t\t",
    "2012-11-12 07:00:00\t\t2012-11-12 07:10:00\t\t \tDinner\t",
)
TOLD = [
    ("2012-11-11 21:14:00", "Spare_Time/TV", 11_339),
    ("2012-11-12 00:24:00", "Grooming", 30),
    ("2012-11-12 07:00:00", "Dinner", 600),
]


def test_activities_between_tabs_and_blanks(tmp_path):
    log, left_out = load(write(tmp_path, "a.txt", *HEADER, *ROWS))
    assert told(log) == TOLD
    assert left_out == {}
    assert log.meta["zone"] == "as the file says"


def test_blanks_for_tabs_are_read_too(tmp_path):
    lines = [line.replace("\t", "    ") for line in (*HEADER, *ROWS)]
    assert told(load(write(tmp_path, "a.txt", *lines))[0]) == TOLD


def test_a_sensor_is_called_by_location_type_and_place(tmp_path):
    rows = ("2012-11-11 21:14:21\t\t2012-11-12 00:21:49\t\tSeat\t\tPressure\tLiving",)
    rows += ("2012-11-12 00:22:57\t\t2012-11-12 00:22:59\t\tDoor\t\tPIR\t\t\tKitchen",)
    path = write(tmp_path, "s.txt", "Start time\tEnd time\tLocation\tType\t\tPlace", "---\t---\t---", *rows)
    assert told(load(path)[0]) == [
        ("2012-11-11 21:14:21", "Seat Pressure Living", 11_248),
        ("2012-11-12 00:22:57", "Door PIR Kitchen", 2),
    ]


def test_what_is_left_out_or_read_otherwise_is_counted(tmp_path):
    wrong = ("2012-11-12 12:20:41\t2012-11-11 10:20:59\tGrooming", "2012-11-13 12:20:41\t2014-11-11 10:20:59\tSleeping")
    log, left_out = load(write(tmp_path, "a.txt", *HEADER, *ROWS, wrong[0], "", wrong[1], ROWS[0]))
    assert told(log) == [*TOLD, ("2012-11-12 12:20:41", "Grooming", 0)]
    assert log.meta["told"] == {BACKWARDS: 1}
    assert left_out == {LONG: 1, "empty line(s)": 1, "row(s) like an earlier one": 1}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "a.txt, line 1: no header Start time, End time, Activity or .* Type, Place; is this a UCI ADL file"),
        (("time,user,action", "2026-01-05T07:00:00,0,tea"), "line 1: no header"),
        ((*HEADER, "2012-11-12 07:00:00\tDinner"), "a.txt, line 3: 2 cells but 3 columns; correct the line"),
        ((*HEADER, "yesterday\t2012-11-12 07:00:00\tDinner"), "line 3: 'yesterday' is not a date and a time of day"),
        ((*HEADER, ROWS[0].replace("00:22:59", "25:22:59")), "line 3: '2012-11-12 25:22:59' is not a date"),
        ((*HEADER, "2012-11-12\t2012-11-12 07:00:00\tDinner"), "line 3: '2012-11-12' is not a date and a time of day"),
        ((*HEADER, ROWS[0].replace("00:22:59", "00:22:59+01:00")), "line 3: .* without an offset"),
        ((*HEADER, ROWS[0].replace("2012", "1912")), "line 3: '1912-11-11 21:14:00' lies outside 1970 to 2100"),
        (HEADER, "no user events"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "a.txt", *lines))
    assert "\n" not in str(caught.value)


@needs(ORDONEZ)
@pytest.mark.parametrize(
    ("file", "name", "backwards"),
    [("A_ADLs", "ordonez_a", 3), ("B_ADLs", "ordonez_b", 0), ("B_Sensors", "ordonez_b_sensors", 0)],
)
def test_the_published_homes(file, name, backwards):
    log, left_out = load(str(ORDONEZ / f"Ordonez{file}.txt"))
    same_as_protocol(log, name)
    assert log.meta.get("told", {}) == ({BACKWARDS: backwards} if backwards else {})
    assert left_out == {}
