"""The houses of van Kasteren in their two forms, and what is wrong with files that are neither."""

import gzip

import pytest
from interval_logs import same_as_protocol, told, write
from outside import KASTEREN, needs

from lam_env.core.events import LogError
from lam_env.logs.formats.kasteren import load
from lam_env.logs.tables import BACKWARDS

TOP = ("Start time: start of an activity\r", "ID: activity id (see list below)\r", "\r", "activity id list:\r")
TOP += (
    "4: 'use toilet'\r",
    "10:'go to bed'\r",
    "\r",
    "Start time          \tEnd time            \tID\r",
    "---\t---\t--\r",
)
ROWS = ("25-Feb-2008 00:22:46\t25-Feb-2008 09:34:12\t10\r", "5-Mar-2008 09:37:17\t05-Mar-2008 09:38:02\t4\r")
TOLD = [("2008-02-25 00:22:46", "go to bed", 33_086), ("2008-03-05 09:37:17", "use toilet", 45)]
NUMBERS = ("1227134940\t60\t1", "1227135040\t65\t4")


def test_house_a_tells_the_names_at_the_top(tmp_path):
    log, left_out = load(write(tmp_path, "act.txt", *TOP, *ROWS, "Length: 2"))
    assert told(log) == TOLD
    assert left_out == {}


def test_sensors_of_house_a_have_a_value_and_their_names_stand_in_brackets(tmp_path):
    top = ("Sensor IDs are: ", "    [ 4]    'use toilet'   ", "    [10]    'go to bed'", *TOP[-2:-1])
    rows = [row.replace("\r", "\t1\r") for row in ROWS]
    log, left_out = load(write(tmp_path, "sense.txt", *top, *rows, "", rows[0].replace("09:34:12", "00:10:00")))
    assert told(log) == sorted([*TOLD, (TOLD[0][0], TOLD[0][1], 0)], key=lambda row: row[0])
    assert log.meta["told"] == {BACKWARDS: 1}
    assert left_out == {"empty line(s)": 1}


def test_numbers_of_houses_b_and_c_are_the_clock_on_the_wall(tmp_path):
    path = write(tmp_path, "house.activities", *NUMBERS, "", "1227135100 -5 4")
    log, left_out = load(path)
    rows = [("2008-11-19 22:49:00", "1", 60), ("2008-11-19 22:50:40", "4", 65), ("2008-11-19 22:51:40", "4", 0)]
    assert told(log) == rows
    assert (left_out, log.meta["told"]) == ({"empty line(s)": 1}, {BACKWARDS: 1})
    assert told(load(path, zone="Europe/Amsterdam")[0]) == told(log)
    write(tmp_path, "house.activity_names", "1\tleave-house", "4\tuse toilet \t")
    assert [row[1] for row in told(load(path)[0])] == ["leave-house", "use toilet", "use toilet"]


def test_sensors_gzipped_and_one_without_a_name(tmp_path):
    (tmp_path / "house.sensors.gz").write_bytes(gzip.compress("\n".join(NUMBERS).encode()))
    write(tmp_path, "house.sensor_names", "1\tfridge")
    write(tmp_path, "house.activity_names", "1\tnot this one")
    assert [row[1] for row in told(load(str(tmp_path / "house.sensors.gz"))[0])] == ["fridge", "4"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "f.activities: no line 'Start time, End time, ID', nor lines of three numbers"),
        (
            ("Start time\tEnd time\tActivity", "2012-11-11 21:14:00\t2012-11-12 00:22:59\tLunch"),
            "is this a file of van",
        ),
        ((*TOP, ROWS[0].replace("Feb", "Fev")), "line 10: '25-Fev-2008 00:22:46' is not a date and a time of day"),
        ((*TOP, ROWS[0].replace("\t10", "\t11")), "line 10: id '11' has no name in the list at the top"),
        ((*TOP, ROWS[0], ROWS[1].replace("\t4", "")), "line 11: 2 cells; give start, end and id"),
        ((*NUMBERS, "1227135100\t5"), "f.activities, line 3: '1227135100.t5' is not three numbers: start"),
        ((*NUMBERS, "9" * 5000 + " 1 2"), "line 3: '9{40}' is not three numbers"),
        ((*NUMBERS, "20080225\t5\t1"), "line 3: start 20080225 is not in seconds since 1970, from 1990 to 2100"),
    ],
)
def test_a_fault_is_one_line(tmp_path, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load(write(tmp_path, "f.activities", *lines))
    assert "\n" not in str(caught.value)


def test_a_fault_in_the_names_beside_it(tmp_path):
    write(tmp_path, "house.activity_names", "1\tleave-house", "use-toilet")
    with pytest.raises(LogError, match=r"house.activity_names, line 2: no number, tab and name"):
        load(write(tmp_path, "house.activities", *NUMBERS))


@needs(KASTEREN)
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("houseA_kasterenActData.txt", "kasteren_a"),
        ("houseA_kasterenSenseData.txt", "kasteren_a_sensors"),
        ("houseC.activities", "kasteren_c"),
    ],
)
def test_the_published_houses(file, name):
    log, left_out = load(str(KASTEREN / file))
    same_as_protocol(log, name)
    assert left_out == {}


@needs(KASTEREN)
def test_the_published_sensors_of_house_b():
    log, left_out = load(str(KASTEREN / "houseB.sensors.gz"))
    assert (len(log), left_out) == (19_059, {"row(s) like an earlier one": 16})
    assert "toilet flush" in log.vocabulary.actions
