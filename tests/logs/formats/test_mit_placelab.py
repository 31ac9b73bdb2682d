"""Activities of the MIT homes and the uses of devices in them, and what is wrong with files that hold none."""

import gzip

import pytest
from interval_logs import same_as_protocol, told, write
from outside import MIT, needs

from lam_env.core.events import LogError
from lam_env.logs.formats.mit_placelab import NO_DATE, load_activities, load_devices

SENSORS = ("100,Bathroom,Toilet Flush ", "68,Bathroom,Sink faucet - hot", "64,Bedroom,Lamp")
TOILET = ("Toileting,4/1/2003,17:30:36,17:46:41", "100,68", "Toilet Flush,Sink faucet - hot")
TOILET += ("17:39:37,17:39:46", "18:10:57,17:39:52")
GROOM = ("Grooming,4/1/2003,17:38:00,17:50:0", "68", "Sink faucet - hot", "17:39:46", "17:39:52")
NIGHT = ("Reading,4/2/2003,23:50:0,0:20:00", "64,64", "Lamp,Lamp", "23:49:30,0:10:5", "0:9:30,8:0:0")
EARLY = ("Dressing,4/4/2003,0:0:20,0:5:00", "64", "Lamp", "23:59:40", "0:1:00")


@pytest.fixture
def subject(tmp_path):
    def subject(*lines: str) -> str:
        write(tmp_path, "sensors.csv", *SENSORS)
        write(tmp_path, "activities_data.csv", *lines)
        return str(tmp_path)

    return subject


def test_activities_and_one_that_goes_on_after_midnight(subject):
    log, left_out = load_activities(subject(*NIGHT, *TOILET, *GROOM, "", ""))
    assert told(log) == [
        ("2003-04-01 17:30:36", "Toileting", 965),
        ("2003-04-01 17:38:00", "Grooming", 720),
        ("2003-04-02 23:50:00", "Reading", 1800),
    ]
    assert left_out == {"empty line(s)": 2}


def test_devices_are_called_by_room_object_and_number_and_used_on_the_day_of_their_activity(subject):
    log, left_out = load_devices(subject(*TOILET, *GROOM, *NIGHT, *EARLY))
    assert told(log) == [
        ("2003-04-01 17:39:37", "Bathroom Toilet Flush 100", 1880),
        ("2003-04-01 17:39:46", "Bathroom Sink faucet - hot 68", 6),
        ("2003-04-02 23:49:30", "Bedroom Lamp 64", 1200),
        ("2003-04-03 00:10:05", "Bedroom Lamp 64", 28_195),
        ("2003-04-03 23:59:40", "Bedroom Lamp 64", 80),
    ]
    assert left_out == {"row(s) like an earlier one": 1}


def test_uses_of_one_second_are_in_order_of_their_names(subject):
    both = ("Toileting,4/1/2003,17:30:36,17:46:41", "100,68", "Toilet Flush,Sink", "17:40:0,17:40:0", "17:41:0,17:41:0")
    names = [row[1] for row in told(load_devices(subject(*both))[0])]
    assert names == ["Bathroom Sink faucet - hot 68", "Bathroom Toilet Flush 100"]


def test_an_activity_without_devices_a_gzip_file_and_a_date_that_there_is_not(tmp_path):
    empty = ("Eating,4/30/2003,12:0:0,12:1:0", "", "", "", "")
    never = (TOILET[0].replace("4/1/", "4/31/"), *TOILET[1:])
    text = "\r\n".join([*TOILET, *empty, *never])
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(text.encode()))
    log, left_out = load_activities(str(tmp_path / "data.csv.gz"))
    assert [row[1] for row in told(log)] == ["Toileting", "Eating"]
    assert left_out == {NO_DATE: 1}
    write(tmp_path, "sensors.csv", *SENSORS)
    assert len(load_devices(str(tmp_path / "data.csv.gz"))[0]) == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "no user events"),
        (
            ("time,user,action,duration", *TOILET),
            "activities_data.csv, line 1: 'time,user,action,duration' is not activity, month/day/year, start, end;",
        ),
        (
            (*TOILET[:-1], *GROOM),
            "line 2: 2 sensors, but 2 times on and 4 off; each activity has five lines: is one missing",
        ),
        ((*TOILET, *GROOM[:-1]), "line 6: the file ends within this activity, which has five lines"),
        ((*TOILET, GROOM[0].replace("17:50:0", "17:60:0"), *GROOM[1:]), "line 6: '17:60:0' is not a time of day"),
        ((*TOILET, GROOM[0].replace("2003", "9999"), *GROOM[1:]), "line 6: '4/1/9999' lies outside 1970 to 2100"),
        ((*TOILET, GROOM[0].replace("17:50:0", "17:50"), *GROOM[1:]), "line 6: '17:50' is not a time of day"),
        ((*TOILET, *GROOM[:3], "25:39:46", GROOM[4]), "line 9: '25:39:46' is not a time of day"),
        ((*TOILET, *GROOM[:4], "x"), "line 10: 'x' is not a time of day like 9:05:30"),
        ((*TOILET, GROOM[0], "99", *GROOM[2:]), "line 7: sensor '99' is not in sensors.csv; add it"),
        ((*TOILET, GROOM[0], "68,64", *GROOM[2:]), "line 7: 2 sensors, but 1 time on and 1 off"),
    ],
)
def test_a_fault_is_one_line(subject, lines, message):
    with pytest.raises(LogError, match=message) as caught:
        load_devices(subject(*lines))
    assert "\n" not in str(caught.value)


def test_missing_files_and_a_sensor_without_a_name(tmp_path, subject):
    with pytest.raises(LogError, match=r"activities_data.csv: no such file; give the path of a subject's folder"):
        load_activities(str(tmp_path))
    path = subject(*TOILET, *GROOM)
    write(tmp_path, "sensors.csv", SENSORS[0], "68,Bathroom")
    with pytest.raises(LogError, match=r"sensors.csv, line 2: no number, room and object"):
        load_devices(path)
    (tmp_path / "sensors.csv").unlink()
    with pytest.raises(LogError, match=r"sensors.csv: no such file; give the path of a folder with"):
        load_devices(path)
    assert len(load_activities(path)[0]) == 2


@needs(MIT)
def test_the_published_subject():
    log, left_out = load_activities(str(MIT))
    same_as_protocol(log, "mit1")
    assert left_out == {}
    log, left_out = load_devices(str(MIT / "activities_data.csv"))
    same_as_protocol(log, "mit1_devices")
    assert left_out == {"row(s) like an earlier one": 152}
